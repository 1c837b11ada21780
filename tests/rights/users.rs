//! What users with the cluster's roles `view` and `edit` may do with the kinds of this software.

use k8s_openapi::api::{authorization::v1::SubjectAccessReview, core::v1::ServiceAccount, rbac::v1::RoleBinding};
use kube::{Api, api::PostParams};
use serde_json::json;

use super::support::{
    eventually::{SOON, eventually},
    namespace::Namespace,
};

/// Role of the user, kind, and the verbs that it may use.
const MAY: [(&str, &str, &[&str]); 4] = [
    ("view", "chartpublications", &["get", "list", "watch"]),
    ("view", "chartinventories", &["get", "list", "watch"]),
    ("edit", "chartpublications", &["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"]),
    ("edit", "chartinventories", &["get", "list", "watch"]),
];
const VERBS: [&str; 8] = ["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"];

/// Asks the API server for each role, kind and verb.
pub async fn may_do_what_their_role_says(namespace: &Namespace) {
    for role in ["view", "edit"] {
        namespace.apply::<ServiceAccount>(json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": role}})).await;
        let binding = json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": role},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
            "subjects": [{"kind": "ServiceAccount", "name": role, "namespace": namespace.name()}],
        });
        namespace.apply::<RoleBinding>(binding).await;
    }
    for (role, kind, verbs) in MAY {
        eventually(SOON, &format!("{role} may {verbs:?} {kind}"), async || {
            let mut given = Vec::new();
            for verb in VERBS {
                given.extend(is_given(namespace, role, kind, verb).await.then_some(verb));
            }
            if given == verbs { Ok(()) } else { Err(format!("it may {given:?}")) }
        })
        .await;
    }
    assert!(!is_given(namespace, "edit", "chartpublications/status", "patch").await, "the status is the controller's");
}

async fn is_given(namespace: &Namespace, role: &str, kind: &str, verb: &str) -> bool {
    let (resource, subresource) = kind.split_once('/').unwrap_or((kind, ""));
    let review = json!({
        "apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview",
        "spec": {
            "user": format!("system:serviceaccount:{}:{role}", namespace.name()),
            "resourceAttributes": {
                "group": "chartpublisher.io", "resource": resource, "subresource": subresource, "verb": verb, "namespace": namespace.name(),
            },
        },
    });
    let review: SubjectAccessReview = serde_json::from_value(review).expect("a review");
    let answer = Api::all(namespace.client.clone()).create(&PostParams::default(), &review).await.expect("an answer");
    answer.status.is_some_and(|status| status.allowed)
}
