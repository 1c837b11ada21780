//! What is found, in words; and that the definition can be read as lint reads it.

use serde_json::{Value, json};

use super::{Kind, Lint, Written, kind};

fn written(text: &str) -> Written {
    let options = serde_saphyr::options! { duplicate_keys: serde_saphyr::options::DuplicateKeyPolicy::PassThrough };
    serde_saphyr::from_str_with_options(text, options).unwrap()
}

/// `PATH [RULE] SENTENCE`, a line for each finding.
fn findings(text: &str) -> String {
    let found = Lint::new().unwrap().findings(&written(text));
    found.iter().map(|one| format!("{} [{}] {}\n", one.path, one.rule.as_str(), one.message)).collect()
}

/// A good publication with `spec` in place of its own.
fn with(spec: &str) -> String {
    let head = "apiVersion: chartpublisher.io/v1alpha1\nkind: ChartPublication\nmetadata: {name: podinfo}\n";
    format!("{head}spec:\n{}", spec.lines().map(|line| format!("  {line}\n")).collect::<String>())
}

const GOOD: &str = "\
source: {helmRepository: {url: https://charts.example.com}}
charts: [{name: podinfo}]
targets: [{name: main, service: {name: registry}}]
";

#[test]
fn a_good_publication_has_no_findings() {
    assert_eq!(findings(&with(GOOD)), "");
}

#[test]
fn all_that_is_wrong_is_found_at_once() {
    let text = with(
        "\
intervall: 1h
interval: 1 hour
timeout: 2h
suspend: \"true\"
source:
  helmRepository: {url: 'https://user:hunter2@charts.example.com', secretRef: {name: My_Login}}
  archive: {digest: sha256:abc}
charts:
- {name: podinfo, versions: 1.10, latest: 20000}
- name: \"\"
- Podinfo
targets:
- {name: main, service: {name: registry, port: 5000}, routes: [NodePort, clusterip, NodePort], insecureSkipTlsVerify: true}
- {name: main, url: oci://r.example.com:99999/charts, routes: [Ingress], upload: {method: Resumable, chunkSize: 2Gi}}
- {name: main, name: other}
",
    );
    insta::assert_snapshot!(findings(&text), @"");
}

#[test]
fn what_only_a_run_refuses_is_found_too() {
    let text = with(
        "\
source: {helmRepository: {url: 'https://[charts', secretRef: {name: My_Login}}}
charts: [{name: Podinfo}]
targets:
- {name: a, service: {name: my.registry, port: '70000', repository: charts//x}, hostname: 'r:70000'}
- {name: b, url: oci://r.example.com/Charts}
",
    );
    insta::assert_snapshot!(findings(&text), @"");
}

#[test]
fn a_word_that_is_misspelt_has_a_cure() {
    for (text, of, expected) in [
        ("{apiVersion: chartpublisher.io/v1alpha1, kind: ChartPublication}", Kind::Publication, ""),
        (
            "{apiVersion: chartpublisher.io/v1, kind: ChartPublication}",
            Kind::Publication,
            "apiVersion [kind] must be `chartpublisher.io/v1alpha1`, and is `chartpublisher.io/v1`\n",
        ),
        (
            "{apiVersion: chart-publisher.io/v1alpha1, kind: chartpublication}",
            Kind::Publication,
            "apiVersion [kind] must be `chartpublisher.io/v1alpha1`, and is `chart-publisher.io/v1alpha1`\n\
             kind [kind] must be `ChartPublication`, and is `chartpublication`\n",
        ),
        ("{apiVersion: chartpublisher.io/v1alpha1}", Kind::Publication, "kind [kind] is missing: write `kind: ChartPublication`\n"),
        ("{kind: ChartPublication}", Kind::Publication, "apiVersion [kind] is missing: write `apiVersion: chartpublisher.io/v1alpha1`\n"),
        ("{apiVersion: chartpublisher.io/v1alpha1, kind: ChartInventory}", Kind::Other, ""),
        ("{apiVersion: v1, kind: Secret}", Kind::Other, ""),
        ("{apiVersion: source.toolkit.fluxcd.io/v1, kind: HelmChart}", Kind::Other, ""),
        ("{a: b}", Kind::Nothing, ""),
        ("[a]", Kind::Nothing, ""),
    ] {
        let document = written(text);
        assert_eq!(kind(&document.value), of, "{text}");
        if of == Kind::Publication {
            let found = super::kind::findings(&document.value);
            let said: String = found.iter().map(|one| format!("{} [{}] {}\n", one.path, one.rule.as_str(), one.message)).collect();
            assert_eq!(said, expected, "{text}");
        }
    }
}

#[test]
fn metadata_is_that_of_every_object() {
    let text = "
apiVersion: chartpublisher.io/v1alpha1
kind: ChartPublication
metadata:
  name: My_Publication
  namespace: a.b
  label: {}
  labels: {a b: c, d: '-', e: 1}
  annotations: {a/b/c: ''}
  resourceVersion: '1'
spec:
  source: {helmRepository: {url: https://charts.example.com}}
  charts: [{name: podinfo}]
  targets: [{name: main, service: {name: registry}}]
";
    insta::assert_snapshot!(findings(text), @"");
}

#[test]
fn no_sentence_shows_a_password() {
    for field in [
        "source: {helmRepository: {url: 'https://u:hunter2@r'}}",
        "targets: [{name: a, url: 'oci://u:hunter2@r/x'}]",
        "interval: 'a?hunter2'",
    ] {
        let found = findings(&with(field));
        assert!(found.contains("Pattern") || found.contains("[pattern]"), "{found}");
        assert!(!found.contains("hunter2"), "{found}");
    }
}

/// Every rule of the definition is asked of a value that has every field: none is passed over for want of a function.
#[test]
fn each_rule_of_the_definition_can_be_asked() {
    let lint = Lint::new().unwrap();
    let mut asked = 0;
    let values = [
        json!({
            "source": {"helmRepository": {"url": "https://a"}}, "charts": [{"name": "a"}], "targets": [{"service": {"name": "a"}}],
            "proof": {"interval": "1h", "routes": ["Ingress"]}, "interval": "1h", "timeout": "1m",
        }),
        json!({"name": "a", "url": "oci://a", "routes": ["Ingress"]}),
        json!({"helmRepository": {}}),
        json!("1h"),
        json!("16Mi"),
        json!({"name": "a", "versions": "1", "latest": 1}),
    ];
    let mut schemas = vec![&lint.schema];
    while let Some(schema) = schemas.pop() {
        for rule in schema.x_kubernetes_validations.iter().flatten() {
            let answers = |value: &&Value| !matches!(lint.rules.ask(rule, value), super::cel::Verdict::Unasked);
            assert!(values.iter().any(|value| answers(&value)), "{}", rule.rule);
            asked += 1;
        }
        schemas.extend(schema.properties.iter().flat_map(|all| all.values()));
        schemas.extend(super::defaults::schema_of_items(schema));
    }
    assert!(asked >= 9, "{asked} rules");
}

#[test]
fn patterns_are_read_as_go_reads_them() {
    let matches = super::schema::matches;
    let url = r"^https?://[^\s@]+$";
    for (text, expected) in
        [("https://a", true), ("https://a b", false), ("https://a\u{a0}b", true), ("https://a\u{b}b", true), ("https://a\n", false)]
    {
        assert_eq!(matches(url, text), expected, "{text:?}");
    }
    assert!(matches(r"^\d+\.\w$", "12._"));
    assert!(!matches(r"^\d$", "٣"));
}
