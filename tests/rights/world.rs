//! A namespace with a registry behind a Service, and a controller whose account lacks one right.

use std::sync::OnceLock;

use k8s_openapi::api::{
    authorization::v1::SubjectAccessReview,
    core::v1::ServiceAccount,
    rbac::v1::{ClusterRole, ClusterRoleBinding, PolicyRule},
};
use kube::{
    Api,
    api::{DeleteParams, Patch, PatchParams, PostParams},
};
use serde_json::{Value, json};

use super::support::{
    Bed, background,
    controller::Controller,
    eventually::{SOON, eventually},
    exposure::Exposure,
    flux::Flux,
    gateway::GatewayApi,
    helm_repository::HelmRepository,
    namespace::Namespace,
    publication::spec,
    registry::{Registry, Version},
};

/// The account of the controller, the Service in front of the registry, and the publication that is there from the beginning.
pub const ACCOUNT: &str = "controller";
pub const SERVICE: &str = "registry";
pub const FIRST: &str = "first";
/// CRDs are given by their names.
const CRD: &str = "httproutes.gateway.networking.k8s.io";

/// A right: a group, a resource with its subresource, and a verb.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Right {
    pub group: &'static str,
    pub resource: &'static str,
    pub verb: &'static str,
}

/// What all worlds share: two registries, and a Helm repository.
pub struct Shared {
    pub bed: &'static Bed,
    pub registries: [Registry; 2],
    pub charts: HelmRepository,
    /// The rights that the chart gives.
    pub rules: Vec<PolicyRule>,
    /// From when on the cluster has the Gateway API.
    gateway_api: OnceLock<GatewayApi>,
    /// The same of Flux's kinds.
    flux: OnceLock<Flux>,
}

impl Shared {
    pub async fn start(bed: &'static Bed, rules: Vec<PolicyRule>) -> Self {
        bed.install_crds();
        let registries = [bed.registry(Version::V3).start().await, bed.registry(Version::V3).start().await];
        Self {
            bed,
            registries,
            charts: bed.helm_repository(&["small-1.2.2"]).start().await,
            rules,
            gateway_api: OnceLock::new(),
            flux: OnceLock::new(),
        }
    }

    /// Installs Flux's kinds, where nobody has done so.
    pub fn has_flux(&self) {
        self.flux.get_or_init(|| self.bed.install_flux());
    }

    /// Installs the Gateway API, where nobody has done so.
    pub fn has_gateway_api(&self) {
        self.gateway_api.get_or_init(|| self.bed.install_gateway_api());
    }
}

/// One of them.
pub struct World<'a> {
    pub shared: &'a Shared,
    pub namespace: Namespace,
    pub missing: Right,
    /// Another namespace that the controller watches.
    pub second: Option<Namespace>,
    /// What else goes when this world goes.
    pub others: Vec<Box<dyn std::any::Any>>,
}

impl<'a> World<'a> {
    /// The namespace, and the account with all rights but one.
    pub async fn without(shared: &'a Shared, missing: Right) -> Self {
        let world = Self { shared, namespace: shared.bed.namespace().await, missing, second: None, others: Vec::new() };
        let account = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": ACCOUNT}});
        world.namespace.apply::<ServiceAccount>(account).await;
        world.grant(shared.rules.iter().filter_map(|rule| without(rule, missing)).collect()).await;
        let binding = json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": world.role()},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": world.role()},
            "subjects": [{"kind": "ServiceAccount", "name": ACCOUNT, "namespace": world.namespace.name()}],
        });
        let bindings = Api::<ClusterRoleBinding>::all(world.namespace.client.clone());
        bindings.create(&PostParams::default(), &serde_json::from_value(binding).expect("a binding")).await.expect("a binding");
        // The last rule that was given says that the API server knows of all of them.
        let any = Right { group: "networking.k8s.io", resource: "ingressclasses", verb: "list" };
        let other = if missing == any { Right { verb: "watch", ..any } } else { any };
        world.is_given(other, true).await;
        world.is_given(missing, false).await;
        world
    }

    fn role(&self) -> String {
        format!("{}-{ACCOUNT}", self.namespace.name())
    }

    async fn grant(&self, rules: Vec<PolicyRule>) {
        let role =
            json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": self.role()}, "rules": rules});
        let all = Api::<ClusterRole>::all(self.namespace.client.clone());
        all.patch(&self.role(), &PatchParams::apply("test").force(), &Patch::Apply(role)).await.expect("a ClusterRole");
    }

    /// Gives the account the right that it lacks.
    pub async fn give_back(&self) {
        self.grant(self.shared.rules.clone()).await;
        self.is_given(self.missing, true).await;
    }

    /// Waits until the API server thinks so too.
    async fn is_given(&self, right: Right, expected: bool) {
        let (resource, subresource) = right.resource.split_once('/').unwrap_or((right.resource, ""));
        let review = json!({
            "apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview",
            "spec": {
                "user": format!("system:serviceaccount:{}:{ACCOUNT}", self.namespace.name()),
                "resourceAttributes": {
                    "group": right.group, "resource": resource, "subresource": subresource, "verb": right.verb,
                    "namespace": self.namespace.name(), "name": if resource == "customresourcedefinitions" { CRD } else { "" },
                },
            },
        });
        let review: SubjectAccessReview = serde_json::from_value(review).expect("a review");
        let reviews = Api::<SubjectAccessReview>::all(self.namespace.client.clone());
        eventually(SOON, &format!("{right:?} is {expected}"), async || {
            let answer = reviews.create(&PostParams::default(), &review).await.map_err(|problem| problem.to_string())?;
            let allowed = answer.status.is_some_and(|status| status.allowed);
            if allowed == expected { Ok(()) } else { Err(format!("it is {allowed}")) }
        })
        .await;
    }

    /// Shows the first registry, or another one, behind the Service.
    pub async fn expose(&self, exposure: Exposure) {
        self.namespace.expose(SERVICE, exposure, &[self.shared.registries[0].socket()]).await;
    }

    /// A publication of the small chart to the Service.
    pub async fn publish(&self, name: &str, change: Value) {
        let repository = format!("{}/{name}", self.namespace.name());
        let mut target = json!({"name": "main", "insecure": true, "service": {"name": SERVICE, "port": "http", "repository": repository}});
        for (field, value) in change.pointer("/target").and_then(Value::as_object).into_iter().flatten() {
            target[field] = value.clone();
        }
        let mut spec = spec(&self.shared.charts.url(), &json!([{"name": "small"}]), &json!([target]));
        if let Some(source) = change.get("source") {
            spec["source"] = source.clone();
            spec["charts"] = change.get("charts").cloned().unwrap_or(json!([]));
        }
        spec["suspend"] = change.get("suspend").cloned().unwrap_or(json!(false));
        self.namespace.publish(name, &spec).await;
    }

    pub async fn start_controller(&self) -> Controller {
        let kubeconfig = self.namespace.kubeconfig_of(ACCOUNT).await;
        let watched = [Some(&self.namespace), self.second.as_ref()].into_iter().flatten();
        let arguments: Vec<&str> = watched.flat_map(|namespace| ["--namespace", namespace.name()]).collect();
        self.shared.bed.controller(&kubeconfig, &arguments).start()
    }

    /// How often the log says that the right is missing.
    pub fn refusals(&self, controller: &Controller) -> usize {
        let Right { resource, verb, .. } = self.missing;
        // What is printed for developers has its quotation marks escaped.
        let log = controller.log().replace('\\', "");
        let refused = format!("cannot {verb} resource \"{resource}\"");
        let said = match resource {
            "secrets" => "it needs `get` on Secrets",
            "helmrepositories" => "the controller needs `get` on helmrepositories",
            "ocirepositories" => "the controller needs `get` on ocirepositories",
            "configmaps" => "the controller needs `get` on ConfigMaps",
            _ => &refused,
        };
        log.lines().filter(|line| line.contains(&refused) || line.contains(said)).count()
    }
}

/// The rule without the right; nothing when nothing is left of it.
fn without(rule: &PolicyRule, right: Right) -> Option<PolicyRule> {
    let has = |list: &Option<Vec<String>>, word: &str| list.iter().flatten().any(|other| other == word);
    let mut rule = rule.clone();
    if has(&rule.api_groups, right.group) && has(&rule.resources, right.resource) {
        assert_eq!(rule.resources.as_ref().map(Vec::len), Some(1), "a rule is about one resource");
        rule.verbs.retain(|verb| verb != right.verb);
    }
    (!rule.verbs.is_empty()).then_some(rule)
}

impl Drop for World<'_> {
    fn drop(&mut self) {
        let (bed, role) = (self.shared.bed, self.role());
        background::finish(async move {
            let client = bed.client().await;
            let _ = Api::<ClusterRoleBinding>::all(client.clone()).delete(&role, &DeleteParams::default()).await;
            let _ = Api::<ClusterRole>::all(client).delete(&role, &DeleteParams::default()).await;
        });
    }
}
