//! What stands in files: several of them, what is suspended, and what is wrong.

use std::fs;

use serde_json::{Value, json};

use super::{
    printed::{Printed, publication, publish},
    support::{
        self,
        publication::{spec, url_target},
        registry::Version,
        scripted::Reply,
    },
};

#[tokio::test(flavor = "multi_thread")]
async fn files_folders_and_standard_input_are_published_in_their_order() {
    let bed = support::shared();
    let (charts, registry) = (bed.helm_repository(&["small-1.2.2"]).start().await, bed.registry(Version::V3).start().await);
    let of = |name: &str, change: fn(&mut Value)| {
        let target = url_target(registry.socket(), name);
        let mut object = publication(name, &spec(&charts.url(), &json!([{"name": "small"}]), &json!([target])));
        change(&mut object);
        object.to_string()
    };
    let folder = bed.folder("files");
    let other = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "beside"}});
    fs::create_dir(folder.join("more")).expect("a folder");
    for (name, text) in [
        ("first.yaml", format!("{other}\n---\n{}\n---\n{}", of("a", |_| {}), of("b", |object| object["spec"]["suspend"] = json!(true)))),
        ("more/second.json", of("c", |object| object["metadata"]["namespace"] = json!("own"))),
        ("input", of("d", |_| {})),
    ] {
        fs::write(folder.join(name), text).expect("a file");
    }
    let script = "cd \"$1\"; exec \"$2\" publish -f first.yaml -f more -f - -n team -o json <input";
    let ran = bed.run_in_pod(&["sh", "-c", script, "sh", &folder.display().to_string(), env!("CARGO_BIN_EXE_chart-publisher")]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.errors.contains("ConfigMap `beside` of v1 is passed over"), "{}", ran.errors);
    assert!(ran.errors.contains("team/b: `suspend` is true: it is passed over"), "{}", ran.errors);
    let printed = Printed::of(&ran);
    let said: Vec<_> = printed
        .publications
        .iter()
        .map(|publication| format!("{}/{} {} {}", publication.namespace, publication.name, publication.result, publication.targets.len()))
        .collect();
    assert_eq!(said, ["team/a Proven 1", "team/b Suspended 0", "own/c Proven 1", "team/d Proven 1"]);
    assert_eq!(printed.counts(), [3, 0, 0]);
    assert!(!registry.requests().iter().any(|request| request.path().starts_with("/v2/b/")), "what is suspended is left alone");
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_input_ends_with_2_before_anything_is_sent() {
    let bed = support::shared();
    let (charts, registry) = (bed.helm_repository(&["small-1.2.2"]).start().await, bed.registry(Version::V3).start().await);
    let good =
        || publication("wrong", &spec(&charts.url(), &json!([{"name": "small"}]), &json!([url_target(registry.socket(), "charts")])));
    let with = |change: &dyn Fn(&mut Value)| {
        let mut object = good();
        change(&mut object);
        object.to_string()
    };
    let right = good().to_string();
    let folder = bed.folder("wrong").display().to_string();
    let (absent, archive) = (format!("{folder}/absent"), bed.chart("small-1.2.2").display().to_string());
    fs::write(format!("{folder}/config.json"), "secret").expect("a file");
    let (config, certificate) = (format!("{folder}/config.json"), format!("{folder}/config.json"));
    for (documents, flags, part) in [
        ("{".to_owned(), &[][..], "no YAML"),
        ("a: b".to_owned(), &[], "no object of Kubernetes"),
        ("{kind: Pod, apiVersion: v1, metadata: {name: a}}".to_owned(), &[], "no ChartPublication"),
        (with(&|object| object["spec"]["suspend"] = json!("yes")), &[], "spec.suspend: is a string"),
        (with(&|object| object["spec"]["intervall"] = json!("1h")), &[], "there is no such field"),
        (with(&|object| object["spec"]["source"] = json!({})), &[], "spec.source: "),
        (with(&|object| object["spec"]["targets"][0]["url"] = json!("https://h/x")), &[], "spec.targets[0]"),
        (format!("{right}\n---\n{right}"), &[], "has the same name"),
        // One that is wrong keeps all of them from being sent.
        (format!("{right}\n---\n{}", with(&|object| object["metadata"]["name"] = json!("A"))), &[], "metadata.name"),
        (format!("{right}\n---\nversions: !=1.0"), &[], "has `!=1.0` in line 3, which is a tag in YAML"),
        (right.clone(), &["-f", &absent], "cannot be read"),
        (right.clone(), &["-f", &archive], "and an archive is published by `push`"),
        (right.clone(), &["--kubeconfig", &absent], "`--kubeconfig`: "),
        (right.clone(), &["--docker-config", &absent], "cannot be read"),
        (right.clone(), &["--docker-config", &config], "it is no JSON"),
        (right.clone(), &["--ca", &certificate], "holds no certificate"),
        (right.clone(), &["--keyring", &config], "`--keyring`: "),
        (right.clone(), &["--keyring", "/dev/zero"], "`--keyring`: `/dev/zero` cannot be read: it is larger than 16 MiB"),
        (right.clone(), &["--ca", "/dev/zero"], "`/dev/zero` cannot be read: it is larger than 16 MiB"),
        (right.clone(), &["--docker-config", "/dev/zero"], "`/dev/zero` cannot be read: it is larger than 16 MiB"),
        (right.clone(), &["-n", ""], "`--namespace`: `` must be of lower case letters"),
        (right.clone(), &["-n", "A/B"], "`--namespace`: `A/B` must be of lower case letters"),
        (right.clone(), &["--spool-dir", &absent], "`--spool-dir`: "),
        (right.clone(), &["--in-cluster"], "or give `--kubeconfig FILE`, too"),
        (right.clone(), &["--wait", "0s"], "--wait"),
        (right.clone(), &["--workers", "0"], "--workers"),
        (right.clone(), &["--log-level", "foo"], "is no level"),
    ] {
        let ran = publish(bed, &documents, &[&["-o", "json"], flags].concat());
        assert_eq!((ran.code, ran.output.as_str()), (Some(2), ""), "{documents} {flags:?}: {ran:?}");
        assert!(ran.errors.contains(part), "{documents} {flags:?}: {ran:?}");
    }
    assert_eq!(registry.requests().len(), 1, "nobody asked but the test bed");
    let ran = bed.run_in_pod(&[env!("CARGO_BIN_EXE_chart-publisher"), "publish"]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    let ran = bed.run_in_pod(&[env!("CARGO_BIN_EXE_chart-publisher"), "push", &folder, "oci://registry.example/charts"]);
    assert!(ran.code == Some(2) && ran.errors.contains("; `helm package` makes an archive of a folder"), "{ran:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_index_says_reaches_the_terminal_without_escapes_and_an_empty_namespace_is_none() {
    let bed = support::shared();
    let (charts, registry) = (bed.scripted(80), bed.registry(Version::V3).start().await);
    let index = "apiVersion: v1\nentries: {small: [{name: small, version: 1.0.0, urls: [\"http://[\\e[31mred\"]}]}\n";
    charts.says("/index.yaml", Reply::ok(index));
    let source = format!("http://{}", charts.socket());
    let mut object = publication("escapes", &spec(&source, &json!([{"name": "small"}]), &json!([url_target(registry.socket(), "charts")])));
    object["metadata"]["namespace"] = json!("");
    for flags in [&["-n", "team"][..], &["-n", "team", "-o", "json"]] {
        let ran = publish(bed, &object.to_string(), flags);
        assert_eq!(ran.code, Some(1), "{ran:?}");
        assert!(!ran.output.contains('\u{1b}') && !ran.errors.contains('\u{1b}'), "{ran:?}");
        assert!(ran.output.contains("[31mred") && ran.output.contains("team"), "{ran:?}");
    }
}
