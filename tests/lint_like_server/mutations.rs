//! Good objects, and everything that can be done to them: by rule, not by hand.

use serde_json::{Map, Value, json};

use crate::{Case, Form, publication};

impl Case {
    /// An object, as JSON.
    pub fn of(what: impl Into<String>, object: &Value) -> Self {
        Self { what: what.into(), text: object.to_string(), form: Form::Json }
    }
}

/// Where a value stands.
type Place = Vec<Step>;

#[derive(Clone, Debug)]
enum Step {
    Field(String),
    Item(usize),
}

/// Specs that have every field between them.
fn full() -> [Value; 2] {
    let by_service = json!({
        "name": "main",
        "service": {"name": "registry", "port": "http", "repository": "charts"},
        "routes": ["NodePort", "Ingress"],
        "upload": {"method": "Chunked", "chunkSize": "16Mi"},
        "hostname": "registry.example.com",
        "allowedHosts": ["auth.example.com", "blobs.example.com:8443"],
        "secretRef": {"name": "login"}, "certSecretRef": {"name": "authority"}, "insecure": false,
    });
    let by_url = json!({"name": "away", "url": "oci://registry.example.com:5000/charts"});
    let repository = json!({"url": "https://charts.example.com", "secretRef": {"name": "login"}, "certSecretRef": {"name": "authority"}});
    let digest = format!("sha256:{}", "0123456789abcdef".repeat(4));
    let mut archive = repository.clone();
    archive["url"] = json!("https://charts.example.com/podinfo-6.5.0.tgz");
    archive["digest"] = json!(digest);
    [
        json!({
            "interval": "1h", "timeout": "1m", "suspend": false,
            "source": {"helmRepository": repository},
            "charts": [{"name": "podinfo", "versions": "6.5.0"}, {"name": "redis", "latest": 3}],
            "targets": [by_service, by_url],
            "proof": {"interval": "24h", "routes": ["Ingress", "NodePort"]},
        }),
        json!({"source": {"archive": archive}, "targets": [{"name": "main", "service": {"name": "registry"}}]}),
    ]
}

/// Every place below `value`, itself first.
fn places(value: &Value, at: &Place) -> Vec<Place> {
    let below = |step: Step, value: &Value| places(value, &[at.clone(), vec![step]].concat());
    let mut all = vec![at.clone()];
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, field)| all.extend(below(Step::Field(name.clone()), field))),
        Value::Array(items) => items.iter().enumerate().for_each(|(index, item)| all.extend(below(Step::Item(index), item))),
        _ => {}
    }
    all
}

fn at<'a>(value: &'a mut Value, place: &[Step]) -> &'a mut Value {
    place.iter().fold(value, |value, step| match step {
        Step::Field(name) => &mut value[name.as_str()],
        Step::Item(index) => &mut value[*index],
    })
}

fn named(place: &[Step]) -> String {
    let steps = place.iter().map(|step| match step {
        Step::Field(name) => format!(".{name}"),
        Step::Item(index) => format!("[{index}]"),
    });
    format!("spec{}", steps.collect::<String>())
}

/// The spec with `place` changed by `change`.
fn changed(spec: &Value, place: &[Step], what: &str, change: impl FnOnce(&mut Value)) -> Case {
    let mut spec = spec.clone();
    change(at(&mut spec, place));
    Case::of(format!("{} {what}", named(place)), &publication(&spec))
}

/// Each field and item: left out, twice in its list, of each other type, and with a field that nobody knows.
pub fn of_types() -> Vec<Case> {
    let others = [
        json!(null),
        json!(true),
        json!(7),
        json!(-1),
        json!(1.5),
        json!(3.0),
        json!(""),
        json!("7"),
        json!("true"),
        json!("a"),
        json!([]),
        json!([null]),
        json!(["a"]),
        json!([{}]),
        json!({}),
        json!({"name": "a"}),
        json!({"a": null}),
    ];
    let mut cases: Vec<Case> = full().iter().map(|spec| Case::of("nothing", &publication(spec))).collect();
    for spec in full() {
        for place in places(&spec, &Vec::new()) {
            if let Some((last, parent)) = place.split_last() {
                cases.push(changed(&spec, parent, &format!("without {last:?}"), |value| leave_out(value, last)));
            }
            cases.extend(others.iter().map(|other| changed(&spec, &place, &format!("is {other}"), |value| *value = other.clone())));
            let mut value = spec.clone();
            match at(&mut value, &place) {
                Value::Object(fields) => cases.extend(with_unknown(&spec, &place, fields)),
                Value::Array(items) => {
                    let first = items[0].clone();
                    cases.push(changed(&spec, &place, "with its first item again", |value| {
                        value.as_array_mut().expect("a list").push(first)
                    }));
                }
                _ => {}
            }
        }
    }
    cases
}

fn leave_out(value: &mut Value, step: &Step) {
    match (value, step) {
        (Value::Object(fields), Step::Field(name)) => {
            fields.remove(name);
        }
        (Value::Array(items), Step::Item(index)) => {
            items.remove(*index);
        }
        (value, step) => panic!("{value} has no {step:?}"),
    }
}

/// A name that is new, one for nothing, and each known name misspelt.
fn with_unknown(spec: &Value, place: &[Step], fields: &Map<String, Value>) -> Vec<Case> {
    let misspelt = fields.keys().flat_map(|name| [format!("{name}s"), name.to_uppercase()]);
    let names = ["unknown", "", "a.b", "metadata", "apiVersion", "x-kubernetes-validations"].into_iter().map(str::to_owned).chain(misspelt);
    let mut cases: Vec<Case> = names
        .flat_map(|name| {
            [json!("x"), json!(null)].map(|new| changed(spec, place, &format!("with `{name}`: {new}"), |value| value[name.as_str()] = new))
        })
        .collect();
    for name in fields.keys() {
        cases.push(changed(spec, place, &format!("with `{name}` as {name}X"), |value| {
            let field = value.as_object_mut().and_then(|fields| fields.remove(name)).expect("the field");
            value[format!("{name}X")] = field;
        }));
    }
    cases
}

/// Texts of many lengths and forms for each text, numbers around their limits, durations and sizes around theirs, long lists.
pub fn of_limits() -> Vec<Case> {
    let lengths = [1, 12, 13, 15, 16, 32, 33, 63, 64, 71, 72, 128, 129, 200, 201, 250, 251, 253, 254, 255, 256, 1024, 1025, 2048, 2049];
    let mut texts: Vec<String> = lengths.iter().map(|length| "a".repeat(*length)).collect();
    texts.extend([63, 64, 253, 254, 255, 256].map(|length| "é".repeat(length)));
    texts.extend([2040, 2041].map(|length| format!("https://{}", "ä".repeat(length))));
    texts.extend([1018, 1019].map(|length| format!("oci://{}", "ä".repeat(length))));
    texts.extend(FORMS.map(str::to_owned));
    let mut cases = Vec::new();
    for spec in full() {
        for place in places(&spec, &Vec::new()) {
            let mut value = spec.clone();
            let new: Vec<Value> = match at(&mut value, &place) {
                Value::String(_) => texts.iter().map(|text| json!(text)).collect(),
                Value::Number(_) => NUMBERS.iter().map(|text| serde_json::from_str(text).expect("a number")).collect(),
                Value::Array(items) => {
                    [6, 7, 16, 17, 256, 257].map(|count| (0..count).map(|index| other(&items[0], index)).collect()).into()
                }
                _ => Vec::new(),
            };
            let short = |new: &Value| new.to_string().chars().take(40).collect::<String>();
            cases.extend(new.iter().map(|new| changed(&spec, &place, &format!("is {}…", short(new)), |value| *value = new.clone())));
        }
    }
    cases
}

/// The same item by another name, where it has one.
fn other(item: &Value, index: usize) -> Value {
    let mut item = item.clone();
    match &mut item {
        Value::Object(fields) => {
            fields.insert("name".to_owned(), json!(format!("n{index}")));
        }
        Value::String(text) if text.contains('.') => *text = format!("h{index}.example.com"),
        _ => {}
    }
    item
}

const NUMBERS: [&str; 12] =
    ["0", "-0", "-1", "10000", "10001", "10000.0", "1.0", "0.5", "1e3", "4294967296", "9223372036854775807", "9223372036854775808"];

const FORMS: [&str; 69] = [
    "",
    " ",
    "\n",
    "a\n",
    "A",
    "-a",
    "a-",
    "a.b",
    "a_b",
    "a b",
    "a\u{a0}b",
    "a/b",
    "/a",
    "a/",
    "0",
    "00",
    "65536",
    "99999",
    "main",
    "\u{301}",
    "9s",
    "10s",
    "9999ms",
    "10000ms",
    "0.1s",
    "59s",
    "60s",
    "1m",
    "1m0s",
    "3600s",
    "3601s",
    "60m0.1s",
    "8760h",
    "8760h1ms",
    "8759h60m",
    "8760h0.0000001ms",
    "2562047h",
    "2562048h",
    "9999999999999999h",
    "9999999999999999999999h",
    "0.00000000000000000001h",
    "1H",
    "1d",
    "1h 1m",
    "+1h",
    "-1h",
    "1.h",
    ".5h",
    "1us",
    "63Ki",
    "64Ki",
    "064Ki",
    "65535Ki",
    "1Gi",
    "1048576Ki",
    "1048577Ki",
    "9999999999Gi",
    "9999999999Ki",
    "1Ti",
    "64k",
    "1e6",
    "https://a",
    "https://a\u{a0}b",
    "https://a\u{2003}b",
    "http://u@a",
    "oci://a\u{b}b",
    "oci://a/b c",
    "sha256:00",
    "ClusterIP",
];

/// `metadata`, `status`, and what stands beside them.
pub fn around_the_spec() -> Vec<Case> {
    let [spec, _] = full();
    let good = publication(&spec);
    let with = |pointer: &str, value: Value| {
        let mut object = good.clone();
        let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
        let parent = if parent.is_empty() { &mut object } else { object.pointer_mut(parent).expect("the parent") };
        let what = format!("{pointer}: {value}").chars().take(100).collect::<String>();
        parent[name] = value;
        Case::of(what, &object)
    };
    let mut cases = Vec::new();
    for name in ["a", "a.b", "a-b.c-d", "A", "a_b", "-a", "a-", "a..b", ".a", "a.", "0", "", "a b", "é", &"a".repeat(253), &"a".repeat(254)]
    {
        cases.extend(["/metadata/name", "/metadata/generateName"].map(|pointer| with(pointer, json!(name))));
    }
    for value in [json!(null), json!(true), json!(7), json!("a"), json!([]), json!(["a"]), json!({}), json!({"a": "b"}), json!({"a": 1})] {
        for pointer in ["/metadata", "/spec", "/status", "/extra", "/apiVersion", "/kind"] {
            cases.push(with(pointer, value.clone()));
        }
        for name in METADATA {
            cases.push(with(&format!("/metadata/{name}"), value.clone()));
        }
        // A mapping in place of a value there is refused by the server alone; nobody writes a status.
        for name in STATUS.iter().filter(|_| !value.is_object()) {
            cases.push(with("/status", json!({*name: value})));
        }
    }
    for name in ["a", "a/b", "a.b/c", "A/b", "/a", "a/", "a/b/c", "", "a b", &"a".repeat(63), &"a".repeat(64), "-a", "a_b.c"] {
        cases.push(with("/metadata/labels", json!({name: "x"})));
        cases.push(with("/metadata/annotations", json!({name: "x"})));
        cases.push(with("/metadata/labels", json!({"x": name})));
        cases.push(with("/metadata/finalizers", json!([name])));
    }
    cases.push(with("/metadata/annotations", json!({"a": "x".repeat(256 << 10)})));
    cases.push(with("/metadata/annotations", json!({"a": "x".repeat((256 << 10) - 1)})));
    for owner in [
        json!({}),
        json!({"apiVersion": "v1", "kind": "Pod", "name": "a", "uid": "b"}),
        json!({"apiVersion": "v1", "kind": "Pod", "name": "a"}),
        json!({"apiVersion": "v1", "kind": "Pod", "name": "a", "uid": "b", "unknown": 1}),
        json!({"apiVersion": "a/b/c", "kind": "P", "name": "a", "uid": "b"}),
    ] {
        cases.push(with("/metadata/ownerReferences", json!([owner])));
    }
    for time in ["2026-01-02T03:04:05Z", "2026-01-02T03:04:05+01:00", "2026-01-02", "now", ""] {
        cases.push(with("/metadata/creationTimestamp", json!(time)));
    }
    for word in ["chartpublisher.io/v1", "chartpublisher.io/V1alpha1", "chartpublisher.io", "chartpublishers.io/v1alpha1", ""] {
        cases.push(with("/apiVersion", json!(word)));
    }
    for word in ["ChartPublications", "chartpublication", ""] {
        cases.push(with("/kind", json!(word)));
    }
    cases
}

const METADATA: [&str; 18] = [
    "name",
    "generateName",
    "namespaces",
    "selfLink",
    "uid",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "labels",
    "annotations",
    "ownerReferences",
    "finalizers",
    "managedFields",
    "clusterName",
    "label",
    "Name",
    "unknown",
];

const STATUS: [&str; 8] =
    ["observedGeneration", "conditions", "published", "route", "targets", "unknown", "source", "lastHandledReconcileAt"];
