//! The kinds as the API server has them: what is committed is what the program prints, and what it says is what holds.
#![cfg(test)]

#[path = "schema/constraints.rs"]
mod constraints;
#[path = "schema/rows.rs"]
mod rows;
#[expect(dead_code, reason = "each test uses a part of the bed")]
mod support;

use std::{collections::BTreeMap, fs, path::Path, process::Command};

use chart_publisher::api::ChartPublication;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::{
    Api,
    api::{ApiResource, DynamicObject, Patch, PatchParams, PostParams},
};
use serde_json::{Value, json};
use support::{
    eventually::{SOON, eventually},
    namespace::Namespace,
};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// The files below a folder, with their text.
fn texts(folder: &Path) -> BTreeMap<String, String> {
    let files = fs::read_dir(folder).unwrap_or_else(|problem| panic!("{}: {problem}", folder.display())).flatten();
    files.map(|file| (file.file_name().to_string_lossy().into_owned(), fs::read_to_string(file.path()).expect("text"))).collect()
}

#[test]
fn what_is_committed_is_what_make_generate_makes() {
    let bed = support::shared();
    let out = bed.folder("generated");
    let helm = bed.tool("helm");
    let mut generate = Command::new(format!("{ROOT}/deploy/generate.sh"));
    let made = generate.arg(env!("CARGO_BIN_EXE_chart-publisher")).arg(&helm).arg(&out).output().expect("deploy/generate.sh");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    for folder in ["crds", "charts/chart-publisher/files/crds"] {
        let (committed, generated) = (texts(&Path::new(ROOT).join(folder)), texts(&out.join(folder)));
        assert_eq!(committed.len(), 2, "{folder}");
        assert_eq!(committed, generated, "{folder}: run `make generate`");
    }
    let manifests = |root: &Path| fs::read_to_string(root.join("deploy/chart-publisher.yaml")).expect("the rendered manifests");
    assert_eq!(manifests(Path::new(ROOT)), manifests(&out), "deploy/chart-publisher.yaml: run `make generate`");
    let printed = Command::new(env!("CARGO_BIN_EXE_chart-publisher")).arg("crd").output().expect("`chart-publisher crd`");
    let committed = texts(&Path::new(ROOT).join("crds"));
    let printed = String::from_utf8(printed.stdout).expect("text");
    let mut documents: Vec<_> = printed.split("---\n").filter(|document| !document.is_empty()).collect();
    documents.sort_unstable();
    let mut files: Vec<_> = committed.values().map(String::as_str).collect();
    files.sort_unstable();
    assert_eq!(documents, files, "`chart-publisher crd` prints crds/");
}

fn publication(name: &str, spec: &Value) -> Value {
    json!({"apiVersion": "chartpublisher.io/v1alpha1", "kind": "ChartPublication", "metadata": {"name": name}, "spec": spec})
}

/// Publications as the API server has them, with what our types do not know.
fn publications(namespace: &Namespace) -> Api<DynamicObject> {
    Api::namespaced_with(namespace.client.clone(), namespace.name(), &ApiResource::erase::<ChartPublication>(&()))
}

async fn namespace() -> Namespace {
    let namespace = support::shared().namespace().await;
    namespace.bed.install_crds();
    namespace
}

/// The schema of a kind as the API server has it.
async fn schema(namespace: &Namespace, plural: &str) -> Value {
    let all = Api::<CustomResourceDefinition>::all(namespace.client.clone());
    let crd = all.get(&format!("{plural}.chartpublisher.io")).await.expect("the CRD");
    serde_json::to_value(&crd).expect("JSON").pointer("/spec/versions/0/schema/openAPIV3Schema").expect("a schema").clone()
}

/// What the API server says to a spec: each cause of its refusal as (field without numbers of items, sentence).
async fn causes(all: &Api<DynamicObject>, spec: &Value) -> Vec<(String, String)> {
    let object: DynamicObject = serde_json::from_value(publication("row", spec)).expect("an object");
    match all.create(&PostParams { dry_run: true, ..PostParams::default() }, &object).await {
        Ok(_) => Vec::new(),
        Err(kube::Error::Api(status)) if status.code == 422 => {
            let causes = status.details.map(|details| details.causes).unwrap_or_default();
            causes.into_iter().map(|cause| (without_numbers(&cause.field), cause.message)).collect()
        }
        Err(error) => panic!("{spec}: {error}"),
    }
}

/// `spec.targets[3].name` is `spec.targets[].name`.
fn without_numbers(field: &str) -> String {
    let mut inside = false;
    let keep = |letter: &char| {
        inside = (inside && *letter != ']') || *letter == '[';
        !inside || *letter == '['
    };
    field.chars().filter(keep).collect()
}

#[tokio::test]
async fn each_demand_of_the_schema_is_met_by_a_row_that_it_refuses() {
    let namespace = namespace().await;
    let all = publications(&namespace);
    let mut seen = Vec::new();
    let mut wrong = Vec::new();
    for row in rows::all() {
        let causes = causes(&all, &row.spec).await;
        let right = match row.refusal {
            None => causes.is_empty(),
            Some((field, part)) => causes.iter().any(|(of, message)| of == field && message.contains(part)),
        };
        if !right {
            wrong.push(format!("{}\n  expected {:?}\n  is       {causes:?}", row.spec, row.refusal));
        }
        seen.extend(causes);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let schema = schema(&namespace, "chartpublications").await;
    let demands = constraints::of(&schema["properties"]["spec"], "spec");
    assert!(demands.len() > 50, "the walk found the schema's demands: {demands:?}");
    let is_seen = |(field, part): &&constraints::Constraint| !seen.iter().any(|(of, message)| of == field && message.contains(part));
    let unseen: Vec<_> = demands.iter().filter(is_seen).collect();
    assert!(unseen.is_empty(), "no row is refused for {unseen:?}");
}

#[tokio::test]
async fn what_is_left_out_is_filled_in() {
    let namespace = namespace().await;
    let spec = rows::smallest();
    let object: DynamicObject = serde_json::from_value(publication("defaults", &spec)).expect("an object");
    let created = publications(&namespace).create(&PostParams::default(), &object).await.expect("a publication").data;
    let expected = json!({
        "interval": "1h", "timeout": "1m", "suspend": false,
        "source": {"helmRepository": {"url": "https://charts.example.com", "passCredentials": false}},
        "charts": [{"name": "podinfo", "latest": 1, "prereleases": false}],
        "targets": [{
            "name": "main", "insecure": false, "upload": {"method": "Auto", "chunkSize": "16Mi"},
            "service": {"name": "registry", "repository": ""},
        }],
    });
    assert_eq!(created["spec"], expected);
    assert_eq!(created["status"], json!({"observedGeneration": -1}), "kstatus would take it for done otherwise");
}

#[tokio::test]
async fn unknown_fields_are_refused_when_asked_and_dropped_else() {
    let namespace = namespace().await;
    let folder = namespace.bed.folder("unknown");
    let file = folder.join("publication.yaml");
    let mut object = publication("unknown", &rows::smallest());
    object["spec"]["intervall"] = json!("1h");
    object["spec"]["targets"][0]["insecureSkipTlsVerify"] = json!(true);
    fs::write(&file, object.to_string()).expect("a file");
    let apply = |mode: &str| {
        let mode = format!("--validate={mode}");
        namespace.bed.run_on_host(&["kubectl", "apply", "-n", namespace.name(), &mode, "-f", &file.display().to_string()])
    };
    let strict = apply("strict");
    assert!(!strict.success, "{strict:?}");
    for field in ["unknown field \"spec.intervall\"", "unknown field \"spec.targets[0].insecureSkipTlsVerify\""] {
        assert!(strict.errors.contains(field), "{}", strict.errors);
    }
    apply("ignore").expect_success();
    let stored = publications(&namespace).get("unknown").await.expect("the publication").data;
    assert_eq!(stored.pointer("/spec/intervall"), None);
    assert_eq!(stored.pointer("/spec/targets/0/insecureSkipTlsVerify"), None);
    assert_eq!(stored.pointer("/spec/interval"), Some(&json!("1h")));
}

#[tokio::test]
async fn every_sample_can_be_applied_as_it_is() {
    let namespace = namespace().await;
    let samples = texts(&Path::new(ROOT).join("deploy/samples"));
    assert!(samples.len() >= 11, "{:?}", samples.keys());
    let mut of_publications = 0;
    for (name, text) in &samples {
        let path = format!("{ROOT}/deploy/samples/{name}");
        let apply = ["kubectl", "apply", "-n", namespace.name(), "--validate=strict", "-f", &path];
        let printed = namespace.bed.run_on_host(&apply).expect_success();
        let is_publication = text.contains("kind: ChartPublication");
        assert_eq!(printed.contains("chartpublication.chartpublisher.io/"), is_publication, "{name}: {printed}");
        of_publications += usize::from(is_publication);
    }
    let applied = publications(&namespace).list(&kube::api::ListParams::default()).await.expect("a list").items;
    assert_eq!(applied.len(), of_publications, "each sample has a name of its own");
}

#[tokio::test]
async fn kubectl_get_shows_the_documented_columns() {
    let namespace = namespace().await;
    let all = publications(&namespace);
    let object: DynamicObject = serde_json::from_value(publication("shown", &rows::smallest())).expect("an object");
    all.create(&PostParams::default(), &object).await.expect("a publication");
    let ready = json!({
        "type": "Ready", "status": "True", "reason": "Succeeded", "message": "all is well", "lastTransitionTime": "2026-01-02T03:04:05Z",
    });
    let status = json!({"status": {"published": "12/12", "route": "NodePort", "method": "Buffered", "conditions": [ready]}});
    all.patch_status("shown", &PatchParams::default(), &Patch::Merge(status)).await.expect("a status");
    let inventory = json!({
        "apiVersion": "chartpublisher.io/v1alpha1", "kind": "ChartInventory", "metadata": {"name": "shown"}, "spec": {"count": 0, "entries": []},
    });
    namespace.apply::<chart_publisher::api::ChartInventory>(inventory).await;
    let columns = |kind: &str, wide: bool| {
        let get = ["kubectl", "get", "-n", namespace.name(), kind];
        let printed = namespace.bed.run_on_host(&[&get[..], if wide { &["-o", "wide"] } else { &[] }].concat()).expect_success();
        let mut lines = printed.lines().map(|line| line.split("   ").filter(|word| !word.is_empty()).map(|word| word.trim().to_owned()));
        let (head, row) = (lines.next().expect("a head"), lines.next().expect("a row"));
        // The age is another one each time.
        let cells: Vec<(String, String)> = head.zip(row).filter(|(column, _)| column != "AGE").collect();
        cells.into_iter().map(|(column, cell)| format!("{column}={cell}")).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(columns("chartpub", false), "NAME=shown READY=True PUBLISHED=12/12 ROUTE=NodePort MESSAGE=all is well");
    assert_eq!(columns("chartpub", true), "NAME=shown READY=True PUBLISHED=12/12 ROUTE=NodePort METHOD=Buffered MESSAGE=all is well");
    assert_eq!(columns("chartinv", false), "NAME=shown ENTRIES=0");
    let category = namespace.bed.run_on_host(&["kubectl", "get", "-n", namespace.name(), "charts", "-o", "name"]).expect_success();
    let mut named: Vec<_> = category.lines().collect();
    named.sort_unstable();
    assert_eq!(named, ["chartinventory.chartpublisher.io/shown", "chartpublication.chartpublisher.io/shown"]);
}

#[tokio::test]
async fn kubectl_explain_has_words_for_every_field() {
    let namespace = namespace().await;
    for plural in ["chartpublications", "chartinventories"] {
        let schema = schema(&namespace, plural).await;
        let silent = constraints::without_words(&schema, plural);
        // These are Kubernetes' own, and `kubectl explain` has words for them.
        let own = ["apiVersion", "kind", "metadata"].map(|name| format!("{plural}.{name}"));
        let silent: Vec<_> = silent.into_iter().filter(|field| !own.contains(field)).collect();
        assert!(silent.is_empty(), "no description: {silent:?}");
    }
    for (field, words) in [
        ("chartpublications", "proves that they arrived"),
        ("chartpublications.spec.interval", "How often the source is asked again"),
        ("chartpublications.spec.targets.upload.method", "with the whole body and its length"),
        ("chartpublications.spec.targets.routes", "of `ClusterIP`, `NodePort`, `LoadBalancer`, `Ingress`, `Endpoint` and `Relay`"),
        ("chartpublications.spec.source.configMaps", "A key that ends with `.prov` is its provenance"),
        ("chartpublications.spec.source.fluxRef", "Its address, Secrets and options are read at each run"),
        ("chartpublications.spec.source.inline", "in base64, of at most 1 MiB"),
        ("chartpublications.spec.proof.interval", "is read whole again and compared"),
        ("chartpublications.spec.proof.routes", "the newest chart is downloaded by each of them"),
        ("chartpublications.spec.verify.provenance", "as `helm verify` holds it against a keyring"),
        ("chartpublications.status.targets.attempts.message", "what to mend"),
        ("chartpublications.status.targets.proofs.message", "what to mend"),
        ("chartinventories.spec.entries.proved", "pulled back and compared"),
    ] {
        eventually(SOON, field, async || {
            let explain = ["kubectl", "explain", "--api-version=chartpublisher.io/v1alpha1", field];
            let told = namespace.bed.run_on_host(&explain);
            // A kind that is new is explained a moment later.
            let told = if told.success { told.output.split_whitespace().collect::<Vec<_>>().join(" ") } else { told.errors };
            if told.contains(words) { Ok(()) } else { Err(told) }
        })
        .await;
    }
}
