//! What the schema takes and what it refuses: a change of a valid spec, and the field and words of the refusal.

use serde_json::{Value, json};

/// A spec, and what the API server says to it: nothing, or the field (without numbers of items) and a part of its sentence.
pub struct Row {
    /// The whole spec.
    pub spec: Value,
    /// `None` where it is taken.
    pub refusal: Option<(&'static str, &'static str)>,
}

/// A spec that is taken, with as little in it as possible.
pub fn smallest() -> Value {
    json!({
        "source": {"helmRepository": {"url": "https://charts.example.com"}},
        "charts": [{"name": "podinfo"}],
        "targets": [{"name": "main", "service": {"name": "registry"}}],
    })
}

/// The smallest spec with a change: objects are merged, `null` removes, everything else replaces.
fn spec(change: &Value) -> Value {
    let mut spec = smallest();
    merge(&mut spec, change);
    spec
}

fn target(change: &Value) -> Value {
    let mut target = smallest()["targets"][0].clone();
    merge(&mut target, change);
    spec(&json!({"targets": [target]}))
}

fn by_url(change: &Value) -> Value {
    let mut all = json!({"service": null, "url": "oci://registry.example.com/charts"});
    merge(&mut all, change);
    target(&all)
}

fn chart(change: &Value) -> Value {
    let mut chart = json!({"name": "podinfo"});
    merge(&mut chart, change);
    spec(&json!({"charts": [chart]}))
}

fn repository(change: &Value) -> Value {
    spec(&json!({"source": {"helmRepository": change}}))
}

/// Another source than the Helm repository.
fn source(change: &Value) -> Value {
    let mut source = json!({"helmRepository": null});
    merge(&mut source, change);
    spec(&json!({"charts": null, "source": source}))
}

fn flux(change: &Value) -> Value {
    let mut reference = json!({"kind": "HelmRepository", "name": "podinfo"});
    merge(&mut reference, change);
    spec(&json!({"source": {"helmRepository": null, "fluxRef": reference}}))
}

fn archive(change: &Value) -> Value {
    let mut archive = json!({"url": "https://charts.example.com/podinfo-6.5.0.tgz"});
    merge(&mut archive, change);
    spec(&json!({"charts": null, "source": {"helmRepository": null, "archive": archive}}))
}

fn oci(change: &Value) -> Value {
    let mut oci = json!({"url": "oci://registry.example.com/charts"});
    merge(&mut oci, change);
    spec(&json!({"source": {"helmRepository": null, "oci": oci}}))
}

fn merge(into: &mut Value, change: &Value) {
    let (Value::Object(fields), Value::Object(changes)) = (&mut *into, change) else {
        *into = change.clone();
        return;
    };
    for (name, value) in changes {
        if value.is_null() {
            fields.remove(name);
        } else {
            merge(fields.entry(name).or_insert(Value::Null), value);
        }
    }
}

fn taken(spec: Value) -> Row {
    Row { spec, refusal: None }
}

fn refused(spec: Value, field: &'static str, part: &'static str) -> Row {
    Row { spec, refusal: Some((field, part)) }
}

/// All rows.
pub fn all() -> Vec<Row> {
    [
        taken_rows(),
        whole_rows(),
        source_rows(),
        oci_rows(),
        object_rows(),
        chart_rows(),
        target_rows(),
        route_rows(),
        host_rows(),
        proof_rows(),
        verify_rows(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn taken_rows() -> Vec<Row> {
    let digest = format!("sha256:{}", "0123456789abcdef".repeat(4));
    let many: Vec<_> = (0..16).map(|index| json!({"name": format!("t{index}"), "service": {"name": "registry"}})).collect();
    vec![
        taken(smallest()),
        taken(spec(&json!({"interval": "10s", "timeout": "1s", "suspend": true}))),
        taken(spec(&json!({"interval": "8760h", "timeout": "1h"}))),
        taken(spec(&json!({"interval": "1h30m", "timeout": "1.5m"}))),
        taken(spec(&json!({"interval": "10000ms"}))),
        taken(repository(
            &json!({"url": "http://10.0.0.1:8080/a%20b?token=x", "secretRef": {"name": "a"}, "certSecretRef": {"name": "b"}, "passCredentials": true, "proxySecretRef": {"name": "c"}}),
        )),
        taken(oci(&json!({}))),
        taken(oci(&json!({
            "url": "oci://registry.example.com:5000", "secretRef": {"name": "a"}, "certSecretRef": {"name": "b"}, "insecure": true,
            "allowedHosts": ["auth.example.com"], "proxySecretRef": {"name": "c"}, "referrers": false,
        }))),
        taken(archive(
            &json!({"digest": digest, "secretRef": {"name": "a"}, "certSecretRef": {"name": "b"}, "proxySecretRef": {"name": "c"}}),
        )),
        taken(source(&json!({"configMaps": ["a"]}))),
        taken(source(&json!({"secrets": (0..128).map(|number| format!("part-{number}")).collect::<Vec<_>>()}))),
        taken(source(&json!({"inline": "A".repeat(1_420_000)}))),
        taken(flux(&json!({}))),
        taken(flux(&json!({"referrers": false}))),
        taken(source(&json!({"fluxRef": {"kind": "OCIRepository", "name": "podinfo"}}))),
        taken(spec(&json!({"charts": [], "source": {"helmRepository": null, "archive": {"url": "https://a.example/b.tgz"}}}))),
        taken(chart(&json!({"versions": "1.2.3+4"}))),
        taken(chart(&json!({"versions": ">=6.0.0 <7.0.0 || 8.x", "latest": 3, "exclude": ["6.1.0", "6.2.x"], "prereleases": true}))),
        taken(chart(&json!({"versions": "1".repeat(512), "exclude": []}))),
        taken(chart(&json!({"latest": 0}))),
        taken(chart(&json!({"name": null, "pattern": "^pod", "versions": "^6"}))),
        taken(chart(&json!({"latest": 10000, "name": "n".repeat(250)}))),
        taken(spec(&json!({"targets": many}))),
        taken(target(&json!({"service": {"port": "5000", "repository": ""}, "insecure": true}))),
        taken(target(&json!({"service": {"port": 5000}}))),
        taken(target(&json!({"service": {"port": "http", "repository": "charts/of_the-platform.x"}}))),
        taken(target(
            &json!({"routes": ["ClusterIP", "NodePort", "LoadBalancer", "Ingress", "Endpoint", "Relay"], "upload": {"method": "Buffered"}}),
        )),
        taken(target(&json!({"hostname": "registry.example.com:5000", "allowedHosts": ["auth.example.com", "auth.example.com:8443"]}))),
        taken(target(&json!({"hostname": "r", "secretRef": {"name": "a"}, "certSecretRef": {"name": "b"}}))),
        taken(target(&json!({"upload": {"method": "Chunked", "chunkSize": "64Ki"}}))),
        taken(target(&json!({"upload": {"method": "SinglePost", "chunkSize": "1Gi"}}))),
        taken(target(&json!({"upload": {"method": "Streamed"}}))),
        taken(by_url(&json!({"routes": []}))),
        taken(by_url(&json!({"url": "oci://registry.example.com"}))),
        taken(by_url(&json!({"url": "oci://[fd00::1]:5000/a/b"}))),
        taken(target(&json!({"name": "0", "service": {"name": "r".repeat(63)}}))),
    ]
}

fn proof_rows() -> Vec<Row> {
    let interval = "must lie between 1m and 8760h";
    let nowhere = "`proof.routes` lead to a `service`, and no target has one";
    let proof = |change: Value| spec(&json!({"proof": change}));
    let both = json!([{"name": "a", "service": {"name": "registry"}}, {"name": "b", "url": "oci://registry.example.com"}]);
    let by_url =
        |routes: Value| spec(&json!({"targets": [{"name": "main", "url": "oci://registry.example.com"}], "proof": {"routes": routes}}));
    let seven = json!(["ClusterIP", "NodePort", "LoadBalancer", "Ingress", "Endpoint", "Relay", "ClusterIP"]);
    vec![
        taken(proof(json!({}))),
        taken(proof(json!({"interval": "1m"}))),
        taken(proof(json!({"interval": "8760h", "routes": []}))),
        taken(proof(json!({"routes": ["Ingress", "NodePort", "LoadBalancer", "ClusterIP", "Endpoint", "Relay"]}))),
        taken(spec(&json!({"targets": both, "proof": {"routes": ["Ingress"]}}))),
        taken(by_url(json!([]))),
        refused(by_url(json!(["Ingress"])), "spec", nowhere),
        refused(proof(json!({"interval": "59s"})), "spec.proof.interval", interval),
        refused(proof(json!({"interval": "8761h"})), "spec.proof.interval", interval),
        refused(proof(json!({"interval": "daily"})), "spec.proof.interval", "should match"),
        refused(proof(json!({"interval": "1m".repeat(17)})), "spec.proof.interval", "Too long"),
        refused(proof(json!({"routes": ["URL"]})), "spec.proof.routes[]", "Unsupported value"),
        refused(proof(json!({"routes": ["Ingress", "Ingress"]})), "spec.proof.routes[]", "Duplicate value"),
        refused(proof(json!({"routes": seven})), "spec.proof.routes", "Too many"),
    ]
}

fn verify_rows() -> Vec<Row> {
    let inline = "`verify` needs a provenance, and `inline` has no place for one";
    let verify = |change: Value| spec(&json!({"verify": change}));
    let of = |name: &str| json!({"provenance": {"secretRef": {"name": name}}});
    let held = |change: Value| {
        let mut spec = source(&change);
        spec["verify"] = of("keyring");
        spec
    };
    vec![
        taken(verify(of("keyring"))),
        taken(held(json!({"configMaps": ["web"]}))),
        refused(held(json!({"inline": "aGVsbG8="})), "spec", inline),
        refused(verify(json!({})), "spec.verify.provenance", "Required"),
        refused(verify(json!({"provenance": {}})), "spec.verify.provenance.secretRef", "Required"),
        refused(verify(json!({"provenance": {"secretRef": {}}})), "spec.verify.provenance.secretRef.name", "Required"),
        refused(verify(of("")), "spec.verify.provenance.secretRef.name", "should be at least 1 chars long"),
        refused(verify(of(&"a".repeat(254))), "spec.verify.provenance.secretRef.name", "Too long"),
    ]
}

fn whole_rows() -> Vec<Row> {
    let long = "1s".repeat(17);
    let interval = "must lie between 10s and 8760h";
    let timeout = "must lie between 1s and 1h";
    let charts = "`charts` must say what to take: `[{name: NAME}]`, or of a repository with an index `[{pattern: REGEXP}]`, too";
    let many: Vec<_> = (0..17).map(|index| json!({"name": format!("t{index}"), "service": {"name": "registry"}})).collect();
    let names: Vec<_> = (0..257).map(|index| json!({"name": format!("chart-{index}")})).collect();
    vec![
        refused(spec(&json!({"source": null})), "spec.source", "Required value"),
        refused(spec(&json!({"targets": null})), "spec.targets", "Required value"),
        refused(spec(&json!({"interval": "9.9s"})), "spec.interval", interval),
        refused(spec(&json!({"interval": "8761h"})), "spec.interval", interval),
        refused(spec(&json!({"interval": "1 hour"})), "spec.interval", "should match"),
        refused(spec(&json!({"interval": "-1h"})), "spec.interval", "should match"),
        refused(spec(&json!({"interval": ""})), "spec.interval", "should match"),
        refused(spec(&json!({"interval": long})), "spec.interval", "Too long"),
        refused(spec(&json!({"timeout": "999ms"})), "spec.timeout", timeout),
        refused(spec(&json!({"timeout": "61m"})), "spec.timeout", timeout),
        refused(spec(&json!({"timeout": "1d"})), "spec.timeout", "should match"),
        refused(spec(&json!({"timeout": long})), "spec.timeout", "Too long"),
        refused(spec(&json!({"suspend": "yes"})), "spec.suspend", "must be of type boolean"),
        refused(spec(&json!({"charts": []})), "spec", charts),
        refused(spec(&json!({"charts": null})), "spec", charts),
        refused(spec(&json!({"charts": names})), "spec.charts", "Too many"),
        refused(spec(&json!({"targets": []})), "spec.targets", "should have at least 1 items"),
        refused(spec(&json!({"targets": many})), "spec.targets", "Too many"),
    ]
}

fn source_rows() -> Vec<Row> {
    let one = "exactly one of `helmRepository`, `oci`, `archive`, `configMaps`, `secrets`, `inline` and `fluxRef` must be set";
    let charts = "every other source, an OCIRepository too, is one chart and takes none";
    let long = format!("https://{}", "a".repeat(2041));
    let name = "n".repeat(254);
    let mut rows = vec![
        refused(spec(&json!({"source": {"helmRepository": null}})), "spec.source", one),
        refused(spec(&json!({"charts": null, "source": {"archive": {"url": "https://a.example/b.tgz"}}})), "spec.source", one),
        refused(spec(&json!({"source": {"helmRepository": null, "archive": {"url": "https://a.example/b.tgz"}}})), "spec", charts),
        refused(repository(&json!({"url": null})), "spec.source.helmRepository.url", "Required value"),
        refused(repository(&json!({"url": long})), "spec.source.helmRepository.url", "Too long"),
        refused(archive(&json!({"url": null})), "spec.source.archive.url", "Required value"),
        refused(archive(&json!({"url": long})), "spec.source.archive.url", "Too long"),
        refused(archive(&json!({"digest": format!("sha256:{}", "A".repeat(64))})), "spec.source.archive.digest", "should match"),
        refused(archive(&json!({"digest": "md5:0123"})), "spec.source.archive.digest", "should match"),
        refused(archive(&json!({"digest": format!("sha256:{}", "a".repeat(65))})), "spec.source.archive.digest", "Too long"),
    ];
    for url in ["charts.example.com", "ftp://charts.example.com", "https://user:secret@charts.example.com", "https://a b", "https://"] {
        rows.push(refused(repository(&json!({"url": url})), "spec.source.helmRepository.url", "should match"));
        rows.push(refused(archive(&json!({"url": url})), "spec.source.archive.url", "should match"));
    }
    for (reference, of_repository, of_archive) in [
        ("secretRef", "spec.source.helmRepository.secretRef.name", "spec.source.archive.secretRef.name"),
        ("certSecretRef", "spec.source.helmRepository.certSecretRef.name", "spec.source.archive.certSecretRef.name"),
        ("proxySecretRef", "spec.source.helmRepository.proxySecretRef.name", "spec.source.archive.proxySecretRef.name"),
    ] {
        for (value, part) in name_refusals(&name) {
            rows.push(refused(repository(&json!({reference: value})), of_repository, part));
            rows.push(refused(archive(&json!({reference: value})), of_archive, part));
        }
    }
    rows
}

fn oci_rows() -> Vec<Row> {
    let mut both = oci(&json!({}));
    both["source"]["archive"] = json!({"url": "https://a.example/b.tgz"});
    let mut without = oci(&json!({}));
    without["charts"] = json!([]);
    let mut with_pattern = oci(&json!({}));
    with_pattern["charts"] = json!([{"pattern": "^pod"}]);
    let hosts: Vec<_> = (0..17).map(|number| format!("h{number}.example")).collect();
    let (url, long) = ("spec.source.oci.url", format!("oci://{}", "a".repeat(1019)));
    let mut rows = vec![
        refused(both, "spec.source", "exactly one of `helmRepository`, `oci`, "),
        refused(without, "spec", "`charts` must say what to take: `[{name: NAME}]`"),
        refused(with_pattern, "spec", "`pattern` cannot be used with `oci`"),
        refused(oci(&json!({"url": null})), url, "Required value"),
        refused(oci(&json!({"url": long})), url, "Too long"),
        refused(oci(&json!({"allowedHosts": hosts})), "spec.source.oci.allowedHosts", "Too many"),
        refused(oci(&json!({"allowedHosts": [""]})), "spec.source.oci.allowedHosts[]", "should be at least 1 chars long"),
        refused(oci(&json!({"allowedHosts": ["h".repeat(256)]})), "spec.source.oci.allowedHosts[]", "Too long"),
        refused(oci(&json!({"allowedHosts": ["a.example", "a.example"]})), "spec.source.oci.allowedHosts[]", "Duplicate value"),
        refused(oci(&json!({"insecure": "yes"})), "spec.source.oci.insecure", "must be of type boolean"),
        refused(oci(&json!({"referrers": "no"})), "spec.source.oci.referrers", "must be of type boolean"),
    ];
    for text in ["registry.example.com/charts", "https://registry.example.com", "oci://user@registry.example.com", "oci://", "oci://a b"] {
        rows.push(refused(oci(&json!({"url": text})), url, "should match"));
    }
    for (reference, name) in [
        ("secretRef", "spec.source.oci.secretRef.name"),
        ("certSecretRef", "spec.source.oci.certSecretRef.name"),
        ("proxySecretRef", "spec.source.oci.proxySecretRef.name"),
    ] {
        rows.extend(name_refusals(&"n".repeat(254)).map(|(value, part)| refused(oci(&json!({reference: value})), name, part)));
    }
    rows
}

fn name_refusals(too_long: &str) -> [(Value, &'static str); 3] {
    [(json!({}), "Required value"), (json!({"name": ""}), "should be at least 1 chars long"), (json!({"name": too_long}), "Too long")]
}

fn object_rows() -> Vec<Row> {
    let one = "exactly one of `helmRepository`, `oci`, `archive`, `configMaps`, `secrets`, `inline` and `fluxRef` must be set";
    let charts = "every other source, an OCIRepository too, is one chart and takes none";
    let many: Vec<_> = (0..129).map(|number| format!("part-{number}")).collect();
    let long = "n".repeat(254);
    let mut rows = vec![
        refused(source(&json!({"configMaps": ["a"], "secrets": ["a"]})), "spec.source", one),
        refused(source(&json!({"configMaps": ["a"], "inline": "AAAA"})), "spec.source", one),
        refused(spec(&json!({"source": {"inline": "AAAA"}})), "spec.source", one),
        refused(spec(&json!({"source": {"helmRepository": null, "inline": "AAAA"}})), "spec", charts),
        refused(spec(&json!({"source": {"helmRepository": null, "secrets": ["a"]}})), "spec", charts),
        refused(spec(&json!({"source": {"fluxRef": {"kind": "HelmRepository", "name": "a"}}})), "spec.source", one),
        refused(source(&json!({"fluxRef": {"kind": "HelmRepository", "name": "a"}})), "spec", "`charts` must say what to take"),
        refused(flux(&json!({"kind": "OCIRepository"})), "spec", charts),
        refused(flux(&json!({"referrers": "no"})), "spec.source.fluxRef.referrers", "must be of type boolean"),
        refused(flux(&json!({"kind": "GitRepository"})), "spec.source.fluxRef.kind", "Unsupported value"),
        refused(flux(&json!({"kind": null})), "spec.source.fluxRef.kind", "Required value"),
        refused(flux(&json!({"name": null})), "spec.source.fluxRef.name", "Required value"),
        refused(flux(&json!({"name": ""})), "spec.source.fluxRef.name", "should be at least 1 chars long"),
        refused(flux(&json!({"name": "n".repeat(254)})), "spec.source.fluxRef.name", "Too long"),
        refused(source(&json!({"inline": ""})), "spec.source.inline", "should be at least 1 chars long"),
        refused(source(&json!({"inline": "A".repeat(1_420_001)})), "spec.source.inline", "Too long"),
    ];
    for (field, list, item) in
        [("configMaps", "spec.source.configMaps", "spec.source.configMaps[]"), ("secrets", "spec.source.secrets", "spec.source.secrets[]")]
    {
        rows.push(refused(source(&json!({field: []})), list, "should have at least 1 items"));
        rows.push(refused(source(&json!({field: many})), list, "Too many"));
        rows.push(refused(source(&json!({field: ["a", "a"]})), item, "Duplicate value"));
        rows.push(refused(source(&json!({field: [""]})), item, "should be at least 1 chars long"));
        rows.push(refused(source(&json!({field: [long]})), item, "Too long"));
    }
    rows
}

fn chart_rows() -> Vec<Row> {
    let many: Vec<_> = (0..65).map(|number| format!("1.0.{number}")).collect();
    vec![
        refused(chart(&json!({"name": null, "latest": 1})), "spec.charts[]", "exactly one of `name` and `pattern` must be set"),
        refused(chart(&json!({"pattern": "^pod"})), "spec.charts[]", "exactly one of `name` and `pattern` must be set"),
        refused(chart(&json!({"name": null, "pattern": ""})), "spec.charts[].pattern", "should be at least 1 chars long"),
        refused(chart(&json!({"name": null, "pattern": "p".repeat(257)})), "spec.charts[].pattern", "Too long"),
        refused(chart(&json!({"name": ""})), "spec.charts[].name", "should be at least 1 chars long"),
        refused(chart(&json!({"name": "n".repeat(251)})), "spec.charts[].name", "Too long"),
        refused(chart(&json!({"versions": ""})), "spec.charts[].versions", "should be at least 1 chars long"),
        refused(chart(&json!({"versions": "1".repeat(513)})), "spec.charts[].versions", "Too long"),
        refused(chart(&json!({"latest": -1})), "spec.charts[].latest", "should be greater than or equal to 0"),
        refused(chart(&json!({"latest": 10001})), "spec.charts[].latest", "should be less than or equal to 10000"),
        refused(chart(&json!({"latest": "all"})), "spec.charts[].latest", "must be of type integer"),
        refused(chart(&json!({"prereleases": "yes"})), "spec.charts[].prereleases", "must be of type boolean"),
        refused(chart(&json!({"exclude": [""]})), "spec.charts[].exclude[]", "should be at least 1 chars long"),
        refused(chart(&json!({"exclude": ["1".repeat(513)]})), "spec.charts[].exclude[]", "Too long"),
        refused(chart(&json!({"exclude": ["1.0.0", "1.0.0"]})), "spec.charts[].exclude[]", "Duplicate value"),
        refused(chart(&json!({"exclude": many})), "spec.charts[].exclude", "Too many"),
    ]
}

fn target_rows() -> Vec<Row> {
    let one = "exactly one of `service` and `url` must be set";
    let twice = json!({"targets": [{"name": "main", "service": {"name": "a"}}, {"name": "main", "service": {"name": "b"}}]});
    let mut rows = vec![
        refused(target(&json!({"name": null})), "spec.targets[].name", "Required value"),
        refused(target(&json!({"name": ""})), "spec.targets[].name", "should be at least 1 chars long"),
        refused(target(&json!({"name": "n".repeat(64)})), "spec.targets[].name", "Too long"),
        refused(target(&json!({"name": "Main"})), "spec.targets[].name", "should match"),
        refused(target(&json!({"name": "main-"})), "spec.targets[].name", "should match"),
        refused(spec(&twice), "spec.targets[]", "Duplicate value"),
        refused(target(&json!({"service": null})), "spec.targets[]", one),
        refused(target(&json!({"url": "oci://registry.example.com"})), "spec.targets[]", one),
        refused(target(&json!({"service": {"name": null}})), "spec.targets[].service.name", "Required value"),
        refused(target(&json!({"service": {"name": ""}})), "spec.targets[].service.name", "should be at least 1 chars long"),
        refused(target(&json!({"service": {"name": "n".repeat(64)}})), "spec.targets[].service.name", "Too long"),
        refused(target(&json!({"service": {"port": 0}})), "spec.targets[].service.port", "should be greater than or equal to 1"),
        refused(target(&json!({"service": {"port": 65536}})), "spec.targets[].service.port", "should be less than or equal to 65535"),
        refused(target(&json!({"service": {"port": true}})), "spec.targets[].service.port", "must be of type integer,string"),
        refused(target(&json!({"service": {"port": "HTTP"}})), "spec.targets[].service.port", "should match"),
        refused(target(&json!({"service": {"port": "p".repeat(16)}})), "spec.targets[].service.port", "Too long"),
        refused(target(&json!({"service": {"repository": "Charts"}})), "spec.targets[].service.repository", "should match"),
        refused(target(&json!({"service": {"repository": "r".repeat(201)}})), "spec.targets[].service.repository", "Too long"),
        refused(target(&json!({"insecure": "true"})), "spec.targets[].insecure", "must be of type boolean"),
    ];
    for (value, part) in name_refusals(&"n".repeat(254)) {
        rows.push(refused(target(&json!({"secretRef": value})), "spec.targets[].secretRef.name", part));
        rows.push(refused(target(&json!({"certSecretRef": value})), "spec.targets[].certSecretRef.name", part));
    }
    rows
}

fn route_rows() -> Vec<Row> {
    let own = "`routes` lead to a `service`; a `url` is its own route";
    let size = "must lie between 64Ki and 1Gi";
    let seven = json!(["ClusterIP", "NodePort", "LoadBalancer", "Ingress", "Endpoint", "Relay", "ClusterIP"]);
    vec![
        refused(by_url(&json!({"routes": ["ClusterIP"]})), "spec.targets[]", own),
        refused(target(&json!({"routes": ["ExternalName"]})), "spec.targets[].routes[]", "Unsupported value"),
        refused(target(&json!({"routes": ["clusterip"]})), "spec.targets[].routes[]", "Unsupported value"),
        refused(target(&json!({"routes": ["Ingress", "Ingress"]})), "spec.targets[].routes[]", "Duplicate value"),
        refused(target(&json!({"routes": seven})), "spec.targets[].routes", "Too many"),
        refused(target(&json!({"upload": {"method": "Resumable"}})), "spec.targets[].upload.method", "Unsupported value"),
        refused(target(&json!({"upload": {"chunkSize": "63Ki"}})), "spec.targets[].upload.chunkSize", size),
        refused(target(&json!({"upload": {"chunkSize": "2Gi"}})), "spec.targets[].upload.chunkSize", size),
        refused(target(&json!({"upload": {"chunkSize": "1.5Mi"}})), "spec.targets[].upload.chunkSize", "should match"),
        refused(target(&json!({"upload": {"chunkSize": "16M"}})), "spec.targets[].upload.chunkSize", "should match"),
        refused(target(&json!({"upload": {"chunkSize": 65536}})), "spec.targets[].upload.chunkSize", "must be of type string"),
        refused(target(&json!({"upload": {"chunkSize": "00000000064Ki"}})), "spec.targets[].upload.chunkSize", "Too long"),
    ]
}

fn host_rows() -> Vec<Row> {
    let many: Vec<_> = (0..17).map(|index| format!("h{index}.example.com")).collect();
    let mut rows = vec![
        refused(by_url(&json!({"url": format!("oci://r/{}", "a".repeat(1018))})), "spec.targets[].url", "Too long"),
        refused(target(&json!({"hostname": "h".repeat(256)})), "spec.targets[].hostname", "Too long"),
        refused(target(&json!({"allowedHosts": [""]})), "spec.targets[].allowedHosts[]", "should be at least 1 chars long"),
        refused(target(&json!({"allowedHosts": ["h".repeat(256)]})), "spec.targets[].allowedHosts[]", "Too long"),
        refused(target(&json!({"allowedHosts": ["a", "a"]})), "spec.targets[].allowedHosts[]", "Duplicate value"),
        refused(target(&json!({"allowedHosts": many})), "spec.targets[].allowedHosts", "Too many"),
    ];
    for url in ["registry.example.com/charts", "https://registry.example.com", "oci://", "oci:///charts", "oci://u:p@r/c", "oci://r/c?x=1"]
    {
        rows.push(refused(by_url(&json!({"url": url})), "spec.targets[].url", "should match"));
    }
    for hostname in ["", "-r", "r.example.com/", "https://r", "r:123456", "u@r"] {
        rows.push(refused(target(&json!({"hostname": hostname})), "spec.targets[].hostname", "should match"));
    }
    rows
}
