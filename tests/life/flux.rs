//! A `HelmRepository` of Flux says where charts lie, with its Secrets and options, whether or not it was there first.

use std::time::Duration;

use kube::ResourceExt;
use serde_json::json;

use super::{
    ANYWHERE,
    support::{
        self,
        authority::Authority,
        publication::{condition, ready, url_target},
        registry::Version,
    },
};

/// Objects are looked at every 30 s while one of them is the failure.
const SEEN_WITHIN: Duration = Duration::from_secs(35);

#[tokio::test]
async fn charts_come_from_where_an_object_of_flux_says_also_when_flux_comes_later() {
    let bed = support::shared();
    bed.install_crds();
    let (namespace, registry) = (bed.namespace().await, bed.registry(Version::V3).start().await);
    let authority = Authority::new("authority of the charts").expect("an authority");
    let charts = bed.helm_repository(&["small-1.2.2", "small-1.2.3+4"]).tls(&authority).basic("reader", "right").start().await;
    let _controller = namespace.controller(&ANYWHERE).await;
    let spec = json!({
        "source": {"fluxRef": {"kind": "HelmRepository", "name": "stable"}}, "charts": [{"name": "small", "latest": 0}],
        "targets": [url_target(registry.socket(), "charts")],
    });
    namespace.publish("flux", &spec).await;
    let says = async |reason: &'static str, part: &str| {
        let failed = namespace.becomes("flux", reason, |status| ready(status) == format!("False {reason}")).await;
        let message = condition(failed.status.as_ref().expect("a status"), "Ready").expect("Ready").message.clone();
        assert!(message.contains(part), "{message}");
        failed
    };
    let missing = says("SourceNotFound", &format!("HelmRepository `{}/stable` of Flux does not exist", namespace.name())).await;

    let _flux = bed.install_flux();
    namespace.secret("login", &[("username", "reader"), ("password", "right")]).await;
    namespace.secret("ca", &[("ca.crt", &authority.pem())]).await;
    let secrets =
        json!({"url": charts.url(), "suspend": true, "timeout": "20s", "secretRef": {"name": "login"}, "certSecretRef": {"name": "ca"}});
    namespace.flux_helm_repository("stable", &secrets);
    let found = namespace.becomes_within(SEEN_WITHIN, "flux", "it is Ready", |status| ready(status) == "True Succeeded").await;
    assert_eq!(found.annotations(), missing.annotations(), "nobody asked for it");
    assert_eq!(found.spec, missing.spec, "nothing is copied into the spec");
    assert_eq!(found.status.and_then(|status| status.published).as_deref(), Some("2/2"));

    let before = charts.requests().len();
    namespace.run_again("flux").await;
    let asked: Vec<_> = charts.requests().iter().skip(before).map(support::access_log::Request::line).collect();
    assert_eq!(asked, ["GET /index.yaml 304"], "what is known of it is known again");

    let elsewhere = bed.helm_repository(&["umbrella-2.0.0"]).start().await;
    namespace.flux_helm_repository("stable", &json!({"url": elsewhere.url()}));
    namespace.run_again("flux").await;
    says("ChartNotFound", "chart `small` is not in the index").await;
    namespace.flux_helm_repository("stable", &json!({"type": "oci", "url": format!("oci://{}/charts", registry.socket())}));
    namespace.run_again("flux").await;
    says("SourceInvalid", "is of type `oci`, which has no index").await;
}
