//! Wrong inputs: charts that lie in `ConfigMaps`, in Secrets or in the spec.

use base64::{Engine, prelude::BASE64_STANDARD};
use chart_publisher::api::Reason;
use serde_json::{Value, json};

use crate::{
    archives::{self, chart},
    case::Case,
    world::World,
};

/// All of them.
pub fn held(world: &World) -> Vec<Case> {
    let mut cases = keys(world);
    cases.extend(missing(world));
    cases.extend(contents(world));
    cases
}

fn missing(world: &World) -> Vec<Case> {
    let case = |input, source: Value| Case::new(input, source, target(world));
    let small = chart("small", "1.0.0");
    vec![
        case("the ConfigMap does not exist", json!({"configMaps": ["podinfo"]})).stalls(
            Reason::SourceNotFound,
            "ConfigMap `team/podinfo` does not exist",
            "create it in the namespace of the ChartPublication",
        ),
        case("one of the ConfigMaps does not exist", json!({"configMaps": ["podinfo-0", "podinfo-1"]}))
            .with(config_map("podinfo-0", &[("chart.tgz.0", &small)]))
            .stalls(Reason::SourceNotFound, "ConfigMap `team/podinfo-1` does not exist", "create it in the namespace"),
        case("the HelmRepository of Flux does not exist", json!({"fluxRef": {"kind": "HelmRepository", "name": "podinfo"}}))
            .charts(json!([{"name": "small"}]))
            .stalls(
                Reason::SourceNotFound,
                "HelmRepository `team/podinfo` of Flux does not exist",
                "create it in the namespace of the ChartPublication",
            ),
        case("the OCIRepository of Flux does not exist", json!({"fluxRef": {"kind": "OCIRepository", "name": "podinfo"}})).stalls(
            Reason::SourceNotFound,
            "OCIRepository `team/podinfo` of Flux does not exist",
            "create it in the namespace of the ChartPublication",
        ),
        case("the Secret with the chart does not exist", json!({"secrets": ["podinfo"]})).stalls(
            Reason::SourceNotFound,
            "Secret `team/podinfo` does not exist",
            "create it in the namespace of the ChartPublication",
        ),
    ]
}

/// Keys that make no archive.
fn keys(world: &World) -> Vec<Case> {
    let small = chart("small", "1.0.0");
    let (first, second) = small.split_at(small.len() / 2);
    let held = |input, keys: &[(&str, &[u8])]| {
        Case::new(input, json!({"configMaps": ["podinfo"]}), target(world)).with(config_map("podinfo", keys))
    };
    let split = |input, one: &[(&str, &[u8])], other: &[(&str, &[u8])]| {
        let case = Case::new(input, json!({"configMaps": ["podinfo-0", "podinfo-1"]}), target(world));
        case.with(config_map("podinfo-0", one)).with(config_map("podinfo-1", other))
    };
    vec![
        held("the ConfigMap is empty", &[]).stalls(
            Reason::SourceInvalid,
            "ConfigMap `team/podinfo` holds no archive",
            "`kubectl create configmap NAME --from-file=CHART.tgz` puts one there",
        ),
        held("the ConfigMap holds two archives", &[("a.tgz", &small), ("b.tgz", &small)]).stalls(
            Reason::SourceInvalid,
            "key `b.tgz` of ConfigMap `team/podinfo` is another archive beside key `a.tgz`",
            "or number the parts of one archive (`chart.tgz.0`, `chart.tgz.1`)",
        ),
        split("a part is missing between two ConfigMaps", &[("chart.tgz.0", first)], &[("chart.tgz.2", second)]).stalls(
            Reason::SourceInvalid,
            "part 1 is missing: after key `chart.tgz.0` of ConfigMap `team/podinfo-0` comes key `chart.tgz.2` of ConfigMap `team/podinfo-1`",
            "put it there, and list the objects in the order of their parts",
        ),
        split("the ConfigMaps are listed in the wrong order", &[("chart.tgz.1", second)], &[("chart.tgz.0", first)]).stalls(
            Reason::SourceInvalid,
            "key `chart.tgz.0` of ConfigMap `team/podinfo-1` comes after key `chart.tgz.1` of ConfigMap `team/podinfo-0`",
            "list the objects in the order of their parts",
        ),
        split("the first part is missing", &[("chart.tgz.2", first)], &[("chart.tgz.3", second)]).stalls(
            Reason::SourceInvalid,
            "part 0 is missing: the first one is key `chart.tgz.2` of ConfigMap `team/podinfo-0`",
            "list the objects in the order of their parts",
        ),
        split("the parts are of two archives", &[("a.tgz.0", first)], &[("b.tgz.1", second)]).stalls(
            Reason::SourceInvalid,
            "key `b.tgz.1` of ConfigMap `team/podinfo-1` is a part of another archive than key `a.tgz.0`",
            "name all parts alike",
        ),
        held("the last part is missing", &[("chart.tgz.0", first)]).stalls(
            Reason::ChartInvalid,
            "ConfigMap `team/podinfo` holds no chart that Helm would take: the archive is cut",
            "look whether all of it was put there, with all its parts",
        ),
        held("the provenance is none", &[("a.tgz", &small), ("a.tgz.prov", b"signed")]).stalls(
            Reason::SourceInvalid,
            "key `a.tgz.prov` of ConfigMap `team/podinfo` is no provenance",
            "`helm package --sign` makes one",
        ),
    ]
}

/// What lies there is no archive.
fn contents(world: &World) -> Vec<Case> {
    let small = chart("small", "1.0.0");
    let twice = BASE64_STANDARD.encode(&small);
    let held = |input, bytes: &[u8]| {
        Case::new(input, json!({"configMaps": ["podinfo"]}), target(world)).with(config_map("podinfo", &[("chart.tgz", bytes)]))
    };
    let inline = |input, text: &str| Case::new(input, json!({"inline": text}), target(world));
    vec![
        held("the ConfigMap holds base64 in place of the archive", twice.as_bytes()).stalls(
            Reason::SourceInvalid,
            "key `chart.tgz` of ConfigMap `team/podinfo` holds base64 in place of an archive",
            "put the archive itself there (`--from-file=CHART.tgz`)",
        ),
        held("the ConfigMap holds something else", b"replicas: 1\n").stalls(
            Reason::ChartInvalid,
            "ConfigMap `team/podinfo` holds no chart that Helm would take: the archive is no gzip file but text",
            "give the archive that `helm package` made",
        ),
        held("the archive in the ConfigMap has no Chart.yaml", &archives::without_metadata()).stalls(
            Reason::ChartInvalid,
            "ConfigMap `team/podinfo` holds no chart that Helm would take",
            "make it with `helm package`",
        ),
        inline("`inline` is no base64", "H4sI%%%%").stalls(
            Reason::SourceInvalid,
            "`spec.source.inline` is no base64",
            "`base64 --wrap=0 CHART.tgz` makes it",
        ),
        inline("`inline` is encoded twice", &BASE64_STANDARD.encode(&twice)).stalls(
            Reason::SourceInvalid,
            "`spec.source.inline` holds base64 in place of an archive",
            "encode it once (`base64 --wrap=0 CHART.tgz`)",
        ),
        inline("`inline` is cut", &twice[..twice.len() / 8 * 4]).stalls(
            Reason::ChartInvalid,
            "`spec.source.inline` holds no chart that Helm would take: the archive is cut",
            "look whether all of it was put there",
        ),
    ]
}

fn config_map(name: &str, keys: &[(&str, &[u8])]) -> Value {
    let entries: serde_json::Map<_, _> =
        keys.iter().map(|(key, bytes)| ((*key).to_owned(), json!(BASE64_STANDARD.encode(bytes)))).collect();
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "binaryData": entries})
}

fn target(world: &World) -> Value {
    json!({"name": "main", "url": format!("oci://{}/held", world.plain.socket()), "insecure": true})
}
