//! Charts that somebody has to have signed, by files alone: whose keys are at hand decides, and one that is not signed stops nobody.

use std::fs;

use serde_json::{Value, json};

use super::{
    printed::{Printed, file, publication, publish},
    support::{
        self, Bed, Ran,
        publication::{spec, url_target},
        registry::Version,
    },
};

/// What `plan` says of each chart, and of what it could not plan.
fn planned(bed: &'static Bed, documents: &str, flags: &[&str]) -> (Vec<String>, Ran) {
    let file = file(&bed.folder("plan"), documents);
    let ran = bed.run_in_pod(&[&[env!("CARGO_BIN_EXE_chart-publisher"), "plan", "-f", file.as_str(), "-o", "json"], flags].concat());
    let items =
        serde_json::from_str(&ran.output).map_or(Vec::new(), |printed: Value| printed["items"].as_array().cloned().unwrap_or_default());
    let text = |item: &Value, field: &str| item[field].as_str().unwrap_or_default().to_owned();
    (items.iter().map(|item| format!("{} {}: {}", text(item, "chart"), text(item, "action"), text(item, "reason"))).collect(), ran)
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_cluster_the_keys_of_those_who_sign_come_from_a_file() {
    let bed = support::shared();
    let (signer, stranger) = (bed.signer("ed25519"), bed.signer("ed25519"));
    let (charts, registry) = (bed.helm_repository(&["small-1.2.2"]).start().await, bed.registry(Version::V3).start().await);
    let archive = signer.package("signed", "1.0.0");
    charts.add(&archive);
    let provenance = fs::read(format!("{}.prov", archive.display())).expect("a provenance");
    fs::write(charts.site().join("signed-1.0.0.tgz.prov"), provenance).expect("a file in the bed's folder");
    // Whatever this is, it is no signature.
    fs::write(charts.site().join("small-1.2.2.tgz.prov"), vec![b'-'; (1 << 20) + 1]).expect("a file in the bed's folder");
    let mut demanding =
        spec(&charts.url(), &json!([{"name": "small"}, {"name": "signed"}]), &json!([url_target(registry.socket(), "charts")]));
    let undemanding = publication("web", &demanding).to_string();
    demanding["verify"] = json!({"provenance": {"secretRef": {"name": "keyring"}}});
    let documents = publication("web", &demanding).to_string();
    let folder = bed.folder("keyrings");
    let ring = |name: &str, text: &str| {
        fs::write(folder.join(name), text).expect("a file in the bed's folder");
        folder.join(name).display().to_string()
    };
    let (right, other) = (ring("signer.asc", &signer.public_key()), ring("stranger.asc", &stranger.public_key()));
    let torn = ring("torn.asc", "-----BEGIN PGP PUBLIC KEY BLOCK-----\n");

    // Nothing is published that nobody could judge.
    let part = "Secret `keyring` lies in a cluster: give `--kubeconfig`, or its keys by `--keyring FILE`";
    let ran = publish(bed, &documents, &["-o", "json"]);
    let printed = Printed::of(&ran);
    let failure = printed.publications[0].failures.first().unwrap_or_else(|| panic!("{ran:?}"));
    assert_eq!((ran.code, failure.reason.as_str(), printed.published), (Some(1), "SecretInvalid", 0), "{ran:?}");
    assert!(failure.message.contains(part), "{failure:?}");
    let (items, ran) = planned(bed, &documents, &[]);
    assert!(items.is_empty() && ran.errors.contains(part), "{items:?} {ran:?}");

    // A keyring that cannot be used is said before anything is sent, also where no chart needs one.
    let before = registry.requests().len();
    for (file, documents) in [("/absent", &documents), (&torn, &documents), (&torn, &undemanding)] {
        let ran = publish(bed, documents, &["-o", "json", "--keyring", file]);
        assert_eq!((ran.code, ran.output.as_str()), (Some(2), ""), "{ran:?}");
        assert!(ran.errors.contains("`--keyring`: "), "{ran:?}");
        let (items, ran) = planned(bed, documents, &["--keyring", file]);
        assert!(ran.code == Some(2) && items.is_empty() && ran.errors.contains("`--keyring`: "), "{items:?} {ran:?}");
    }
    // With a cluster the Secret decides, and a flag that would be passed over is refused.
    let kubeconfig = bed.information.inner_kubeconfig.display().to_string();
    let both = publish(bed, &documents, &["--keyring", &right, "--kubeconfig", &kubeconfig]);
    assert!(both.code == Some(2) && both.errors.contains("cannot be used with"), "{both:?}");
    assert_eq!(registry.requests().len(), before, "nobody is asked");

    let ran = publish(bed, &documents, &["-o", "json", "--keyring", &right]);
    let printed = Printed::of(&ran);
    let [refused, published] = &printed.publications[0].targets[0].charts[..] else { panic!("{ran:?}") };
    assert_eq!((ran.code, printed.counts()), (Some(1), [1, 0, 1]), "{ran:?}");
    let failure = refused.failure.as_ref().unwrap_or_else(|| panic!("{ran:?}"));
    assert_eq!((refused.chart.as_str(), failure.reason.as_str()), ("small", "SignatureInvalid"), "{ran:?}");
    assert!(failure.message.contains("small-1.2.2.tgz.prov` is larger than 1048576 bytes"), "{failure:?}");
    let by = published.signed_by.as_ref().unwrap_or_else(|| panic!("{ran:?}"));
    assert_eq!((published.chart.as_str(), by["user"].as_str()), ("signed", Some("signer <signer@charts.example>")), "{ran:?}");

    // What is published shows its signer to whoever has the key, and the provenance with it.
    let pulled = bed.folder("pulled").display().to_string();
    let reference = format!("oci://{}/charts/signed", registry.socket());
    bed.run_in_pod(&["helm", "pull", &reference, "--plain-http", "--prov", "--destination", &pulled]).expect_success();
    assert!(fs::exists(format!("{pulled}/signed-1.0.0.tgz.prov")).expect("a folder"), "no provenance was pulled");

    // Another's key does not do, although the chart is there.
    let ran = publish(bed, &documents, &["-o", "json", "--keyring", &other]);
    let printed = Printed::of(&ran);
    assert_eq!((ran.code, printed.counts()), (Some(1), [0, 0, 2]), "{ran:?}");
    let can_be_pulled = |chart: &str| {
        let mut charts = printed.publications[0].targets[0].charts.iter().filter(|found| found.chart == chart);
        let failure = charts.next().and_then(|found| found.failure.as_ref()).unwrap_or_else(|| panic!("{ran:?}"));
        failure.message.contains("Its tag is there already")
    };
    assert_eq!((can_be_pulled("small"), can_be_pulled("signed")), (false, true), "{ran:?}");
    let ran = publish(bed, &undemanding, &["-o", "json"]);
    assert_eq!((ran.code, Printed::of(&ran).counts()), (Some(0), [1, 1, 0]), "{ran:?}");

    let (items, ran) = planned(bed, &documents, &["--keyring", &right]);
    let said = format!("its provenance has to be signed by a key of `{right}`");
    assert!(items.len() == 2 && items.iter().all(|item| item.contains(" Look: ") && item.contains(&said)), "{items:?} {ran:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_of_flux_is_read_where_there_is_a_cluster() {
    let bed = support::shared();
    let (namespace, registry) = (bed.namespace().await, bed.registry(Version::V3).start().await);
    let charts = bed.helm_repository(&["small-1.2.2"]).basic("reader", "right").start().await;
    let kubeconfig = bed.information.inner_kubeconfig.display().to_string();
    let source = json!({"fluxRef": {"kind": "HelmRepository", "name": "stable"}});
    let targets = json!([url_target(registry.socket(), "flux")]);
    let documents = publication("flux", &json!({"source": source, "charts": [{"name": "small"}], "targets": targets})).to_string();
    let alone = publish(bed, &documents, &["-o", "json"]);
    let failure = Printed::of(&alone).publications.remove(0).failures.remove(0);
    assert_eq!((alone.code, failure.reason.as_str(), failure.passing), (Some(1), "SourceNotFound", false), "{failure:?}");
    assert!(failure.message.contains("give `--kubeconfig`"), "{failure:?}");

    let flags = ["-o", "json", "-n", namespace.name(), "--kubeconfig", &kubeconfig];
    let without = publish(bed, &documents, &flags);
    let failure = Printed::of(&without).publications.remove(0).failures.remove(0);
    assert_eq!((without.code, failure.reason.as_str()), (Some(1), "SourceNotFound"), "{failure:?}");

    let _flux = bed.install_flux();
    namespace.secret("login", &[("username", "reader"), ("password", "right")]).await;
    namespace.flux_helm_repository("stable", &json!({"url": charts.url(), "secretRef": {"name": "login"}}));
    let ran = publish(bed, &documents, &flags);
    assert_eq!((ran.code, Printed::of(&ran).counts()), (Some(0), [1, 0, 0]), "{ran:?}");
    let (items, ran) = planned(bed, &documents, &["-n", namespace.name(), "--kubeconfig", &kubeconfig]);
    assert!(ran.code == Some(0) && items.len() == 1 && items[0].starts_with("small "), "{items:?} {ran:?}");
}
