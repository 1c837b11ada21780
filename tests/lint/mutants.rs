//! Publications that are wrong in every place: full ones, each field of them taken out, and replaced by what does not belong there.

use serde_json::{Value, json};

/// Publications with every field that there is.
pub fn full() -> [Value; 8] {
    let object = |spec: Value| {
        json!({
            "apiVersion": "chartpublisher.io/v1alpha1",
            "kind": "ChartPublication",
            "metadata": {
                "name": "full",
                "labels": {"example.com/team": "platform"},
                "annotations": {"example.com/note": "a note"},
                "finalizers": ["example.com/held"],
                "ownerReferences": [{"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": "0f6b7a8c", "controller": true}],
                "creationTimestamp": "2026-01-02T03:04:05Z",
                "generation": 1,
            },
            "spec": spec,
        })
    };
    let secrets = || [("secretRef", json!({"name": "login"})), ("certSecretRef", json!({"name": "ca"}))];
    let proxied = || [("proxySecretRef", json!({"name": "proxy"}))];
    let with = |mut value: Value, more: &[(&str, Value)]| {
        let fields = value.as_object_mut().expect("fields");
        fields.extend(more.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        value
    };
    let service = json!({
        "name": "main", "service": {"name": "registry", "port": "5000", "repository": "charts"}, "routes": ["NodePort", "ClusterIP"],
        "upload": {"method": "Chunked", "chunkSize": "1Mi"}, "hostname": "registry.example.com:5000",
        "allowedHosts": ["auth.example.com", "other.example.com"], "insecure": true,
    });
    let by_url = json!({"name": "by-url", "url": "oci://registry.example.com:5000/charts", "routes": []});
    let common =
        json!({"interval": "30m", "timeout": "10s", "suspend": false, "proof": {"interval": "24h", "routes": ["NodePort", "Ingress"]}});
    let repository = with(json!({"url": "https://charts.example.com", "passCredentials": true}), &secrets());
    let repository = with(repository, &proxied());
    let archive = with(
        json!({"url": "https://charts.example.com/podinfo-6.5.0.tgz", "digest": format!("sha256:{}", "0123456789abcdef".repeat(4))}),
        &secrets(),
    );
    let charts = json!([{"name": "podinfo", "versions": "6.5.0"}, {"name": "nginx", "latest": 3}, {"pattern": "^kube-"}]);
    let targets = json!([with(service, &secrets()), by_url]);
    let of_repository =
        with(common.clone(), &[("source", json!({"helmRepository": repository})), ("charts", charts), ("targets", targets.clone())]);
    let of = |source: Value| object(with(common.clone(), &[("source", source), ("targets", targets.clone())]));
    let mut first = object(of_repository);
    first["status"] = json!({"observedGeneration": 1, "published": "1/1", "targets": [{"name": "main", "route": "NodePort"}]});
    let names = json!(["podinfo-0", "podinfo-1"]);
    let mut of_flux = of(json!({"fluxRef": {"kind": "HelmRepository", "name": "podinfo"}}));
    of_flux["spec"]["charts"] = json!([{"name": "podinfo"}]);
    let registry =
        json!({"url": "oci://registry.example.com/charts", "referrers": false, "insecure": false, "allowedHosts": ["auth.example.com"]});
    let mut of_registry = of(json!({"oci": with(registry, &secrets())}));
    of_registry["spec"]["charts"] = json!([{"name": "podinfo"}]);
    [
        first,
        of(json!({"archive": archive})),
        of(json!({"configMaps": names.clone()})),
        of(json!({"secrets": names})),
        of(json!({"inline": "H4sIAAAAAAAA"})),
        of_flux,
        of_registry,
        of(json!({"fluxRef": {"kind": "OCIRepository", "name": "podinfo", "referrers": true}})),
    ]
}

/// All changes of the full publications, each with its name.
pub fn all() -> Vec<(String, Value)> {
    let mut mutants = Vec::new();
    for (number, full) in full().into_iter().enumerate() {
        // What both have is changed in the first one.
        let is_new = |pointer: &String| number == 0 || pointer == "/spec" || pointer.starts_with("/spec/source");
        for pointer in pointers(&full, "").into_iter().filter(is_new) {
            let original = full.pointer(&pointer).expect("a value").clone();
            for (name, value) in replacements(&original) {
                let mut mutant = full.clone();
                *mutant.pointer_mut(&pointer).expect("a value") = value;
                mutants.push((format!("{number}{pointer} {name}"), mutant));
            }
            mutants.extend(without(&full, &pointer).map(|mutant| (format!("{number}{pointer} taken out"), mutant)));
        }
        let mut mutant = full.clone();
        let owners = mutant.pointer_mut("/metadata/ownerReferences").and_then(Value::as_array_mut).expect("owners");
        let mut other = owners[0].clone();
        other["uid"] = json!("1f6b7a8c");
        owners.push(other);
        mutants.push((format!("{number} has two controllers"), mutant));
    }
    mutants
}

/// The places of all values below `value`.
fn pointers(value: &Value, at: &str) -> Vec<String> {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(fields) => {
            let escaped = |name: &str| name.replace('~', "~0").replace('/', "~1");
            fields.iter().map(|(name, field)| (format!("{at}/{}", escaped(name)), field)).collect()
        }
        Value::Array(items) => items.iter().enumerate().map(|(index, item)| (format!("{at}/{index}"), item)).collect(),
        _ => Vec::new(),
    };
    children.into_iter().flat_map(|(pointer, child)| [vec![pointer.clone()], pointers(child, &pointer)].concat()).collect()
}

fn without(full: &Value, pointer: &str) -> Option<Value> {
    let mut mutant = full.clone();
    let (parent, name) = pointer.rsplit_once('/')?;
    match mutant.pointer_mut(parent)? {
        Value::Object(fields) => fields.remove(&name.replace("~1", "/").replace("~0", "~")),
        Value::Array(items) => Some(items.remove(name.parse().ok()?)),
        _ => None,
    }?;
    Some(mutant)
}

/// What stands in the place of a value.
fn replacements(original: &Value) -> Vec<(String, Value)> {
    let of_any_type =
        [json!(null), json!(true), json!(7), json!(1.5), json!("x"), json!(""), json!([]), json!({}), json!([{}]), json!([null])];
    let mut all: Vec<(String, Value)> = of_any_type.into_iter().map(|value| (format!("is {value}"), value)).collect();
    let mut more = |name: &str, value: Value| all.push((name.to_owned(), value));
    match original {
        Value::String(text) => {
            for (name, value) in [
                ("with a space", format!("{text} ")),
                ("with a line after it", format!("{text}\n")),
                ("with a space of Unicode", format!("{text}\u{a0}")),
                ("with a letter of Unicode", format!("{text}é")),
                ("with a user", format!("{text}@x")),
                ("with a query", format!("{text}?x")),
                ("with a slash", format!("{text}/")),
                ("with a dash", format!("{text}-")),
                ("in capitals", text.to_uppercase()),
                ("twice", format!("{text}{text}")),
                ("is long", text.repeat(2048 / text.len() + 1)),
                ("is longer than a name", "a".repeat(64)),
                ("is longer than a domain", "a".repeat(254)),
                ("is a number of a port", "99999".to_owned()),
                ("is a number", "6".to_owned()),
                ("is a short time", "1ms".to_owned()),
                ("is a long time", "8760h0.000001ms".to_owned()),
                ("is a time of many parts", "1h0m0.5s1ms".to_owned()),
                ("is a large size", "9999999999Gi".to_owned()),
                ("is a small size", "65535Ki".to_owned()),
                ("is nothing in size", "0Ki".to_owned()),
            ] {
                more(name, Value::String(value));
            }
        }
        Value::Number(_) => {
            for value in [json!(-1), json!(0), json!(10000), json!(10001), json!(3.0), json!(1e20), json!(10000.5)] {
                more(&format!("is {value}"), value.clone());
            }
        }
        Value::Array(items) => {
            let many = |count: usize| Value::Array(items.iter().cycle().take(count).cloned().collect());
            more("with its first item again", many(items.len() + 1));
            more("with 300 items", many(300));
            more("with an item of another type", Value::Array([items.as_slice(), &[json!(1)]].concat()));
            more("with null in it", Value::Array([items.as_slice(), &[json!(null)]].concat()));
        }
        Value::Object(fields) => {
            let with = |name: &str, value: Value| {
                let mut fields = fields.clone();
                fields.insert(name.to_owned(), value);
                Value::Object(fields)
            };
            more("with a field that is unknown", with("unknown", json!("x")));
            more("with a field in capitals", with("NAME", json!("x")));
            for (name, value) in [
                ("url", json!("oci://registry.example.com")),
                ("archive", json!({"url": "https://a.example/b.tgz"})),
                ("helmRepository", json!({"url": "https://a.example"})),
                ("configMaps", json!(["a"])),
                ("secrets", json!(["a"])),
                ("inline", json!("AAAA")),
                ("fluxRef", json!({"kind": "HelmRepository", "name": "a"})),
                ("charts", json!([{"name": "a"}])),
                ("service", json!({"name": "registry"})),
                ("versions", json!("1.2.3")),
                ("latest", json!(1)),
                ("generateName", json!("a-")),
                ("resourceVersion", json!("1")),
                ("kind", json!("x")),
                ("metadata", json!({})),
            ] {
                more(&format!("with {name}"), with(name, value));
            }
        }
        Value::Null | Value::Bool(_) => {}
    }
    all
}
