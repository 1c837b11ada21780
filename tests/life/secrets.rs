//! A Secret that is mended is seen by itself, and one that is not is not tried again and again.

use std::time::Duration;

use serde_json::json;

use super::{
    ANYWHERE,
    support::{
        self,
        eventually::throughout,
        publication::{ready, spec, url_target},
        registry::Version,
    },
};

/// Longer than it takes until the Secret is looked at.
const SPAN: Duration = Duration::from_secs(33);

#[tokio::test]
async fn a_password_is_not_sent_again_until_its_secret_has_changed() {
    let bed = support::shared();
    bed.install_crds();
    let namespace = bed.namespace().await;
    let registry = bed.registry(Version::V3).basic("publisher", "right").start().await;
    let charts = bed.helm_repository(&["small-1.2.2"]).start().await;
    let _controller = namespace.controller(&ANYWHERE).await;
    namespace.secret("login", &[("username", "publisher"), ("password", "wrong")]).await;
    let mut target = url_target(registry.socket(), "charts");
    target["secretRef"] = json!({"name": "login"});
    namespace.publish("refused", &spec(&charts.url(), &json!([{"name": "small"}]), &json!([target]))).await;
    let before = namespace.becomes("refused", "the password is refused", |status| ready(status) == "False AuthFailed").await;

    let (logins, indexes) = (registry.requests().len(), charts.requests().len());
    assert!(logins > 0, "the registry was asked");
    throughout(SPAN, "nothing is sent again", async || {
        let sent = (registry.requests().len(), charts.requests().len());
        if sent == (logins, indexes) { Ok(()) } else { Err(format!("{sent:?} in place of {:?}", (logins, indexes))) }
    })
    .await;
    assert_eq!(namespace.publication("refused").await.metadata.resource_version, before.metadata.resource_version);

    namespace.secret("login", &[("username", "publisher"), ("password", "right")]).await;
    let after =
        namespace.becomes_within(SPAN + Duration::from_secs(2), "refused", "it is Ready", |status| ready(status) == "True Succeeded").await;
    assert_eq!(after.metadata.generation, before.metadata.generation, "nothing but the Secret has changed");
    assert_eq!(after.metadata.annotations, before.metadata.annotations);
}
