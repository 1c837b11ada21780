//! A `HelmRepository` or `OCIRepository` of Flux says where charts lie, with its Secrets and options, whether or not it was there first.

use std::time::Duration;

use kube::ResourceExt;
use serde_json::{Value, json};

use super::{
    ANYWHERE,
    support::{
        self,
        authority::Authority,
        namespace::Namespace,
        publication::{condition, ready, url_target},
        registry::{Registry, Version},
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
    charts_in_registries(&namespace, &registry).await;
}

/// The same for what lies in a registry: several charts below a path, or one.
async fn charts_in_registries(namespace: &Namespace, target: &Registry) {
    let bed = namespace.bed;
    let upstream = bed.registry(Version::V3).start().await;
    let address = format!("{}/charts", upstream.socket());
    let run = |words: &[&str]| bed.run_in_pod(words).expect_success().trim().to_owned();
    for chart in ["small-1.2.2", "small-1.2.3+4"] {
        run(&["helm", "push", "--plain-http", &bed.chart(chart).display().to_string(), &format!("oci://{address}")]);
    }
    run(&["crane", "--insecure", "tag", &format!("{address}/small:1.2.2"), "latest"]);
    let digest = |place: &str| run(&["crane", "--insecure", "digest", place]);
    let publish = async |name: &str, source: Value, charts: Value| {
        let target = url_target(target.socket(), name);
        namespace.publish(name, &json!({"source": {"fluxRef": source}, "charts": charts, "targets": [target]})).await;
    };

    let spec = json!({"type": "oci", "url": format!("oci://{address}"), "insecure": true});
    namespace.flux_helm_repository("several", &spec);
    publish("several", json!({"kind": "HelmRepository", "name": "several"}), json!([{"name": "small", "latest": 0}])).await;
    let status = namespace.becomes_ready("several").await.status.expect("a status");
    assert_eq!(status.published.as_deref(), Some("2/2"));

    let one = |change: Value| {
        let mut spec = json!({"url": format!("oci://{address}/small"), "insecure": true});
        spec.as_object_mut().expect("fields").extend(change.as_object().expect("fields").clone());
        namespace.flux_oci_repository("one", &spec);
    };
    let layer = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";
    let pinned = digest(&format!("{address}/small:1.2.3_4"));
    publish("one", json!({"kind": "OCIRepository", "name": "one"}), json!([])).await;
    namespace.becomes("one", "it is missing", |status| ready(status) == "False SourceNotFound").await;
    one(json!({"ref": {"semver": "1.x", "tag": "1.2.3_4"}, "layerSelector": {"mediaType": layer, "operation": "copy"}}));
    for (reference, tag) in [(None, "1.2.2"), (Some(json!({"digest": pinned, "semver": "1.x"})), "1.2.3_4"), (Some(json!({})), "1.2.2")] {
        if let Some(reference) = reference {
            one(json!({"ref": reference}));
        }
        namespace.run_again("one").await;
        let status = namespace.becomes_ready("one").await.status.expect("a status");
        assert_eq!(status.published.as_deref(), Some("1/1"));
        let wanted = digest(&format!("{address}/small:{tag}"));
        assert_eq!(status.targets[0].versions[0].digest, wanted, "{tag}");
        assert_eq!(digest(&format!("{}/one/small:{tag}", target.socket())), wanted, "{tag}");
    }
    let folder = bed.folder("artifact");
    std::fs::write(folder.join("empty"), "{}").expect("a file in the bed's folder");
    let file = |kind: &str| format!("{}:{kind}", folder.join("empty").display());
    let artifact = format!("{address}/manifests:latest");
    let config = file("application/vnd.cncf.flux.config.v1+json");
    let layer = file("application/vnd.cncf.flux.content.v1.tar+gzip");
    let push = ["oras", "push", "--no-tty", "--plain-http", "--disable-path-validation", "--config", &config, &artifact, &layer];
    run(&push);
    for (change, reason, part) in [
        (json!({"ref": {"semver": ">=2"}}), "VersionNotFound", "fits `ref.semver: >=2`; the newest are `1.2.2`"),
        (json!({"ref": {"tag": "none"}}), "SourceNotFound", "/small:none` does not exist; check `ref`"),
        (json!({"verify": {"provider": "cosign"}}), "SourceInvalid", "of Flux has `verify`"),
        (
            json!({"url": format!("oci://{address}/manifests")}),
            "ChartInvalid",
            "it is an artifact of Flux, as `flux push artifact` makes it",
        ),
    ] {
        let mut whole = json!({"ref": null, "verify": null, "layerSelector": null});
        whole.as_object_mut().expect("fields").extend(change.as_object().expect("fields").clone());
        whole.as_object_mut().expect("fields").retain(|_, value| !value.is_null());
        one(whole);
        namespace.run_again("one").await;
        let failed = namespace.becomes("one", reason, |status| ready(status) == format!("False {reason}")).await;
        let message = condition(failed.status.as_ref().expect("a status"), "Ready").expect("Ready").message.clone();
        assert!(message.contains(part), "{message}");
    }
}
