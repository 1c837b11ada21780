//! What is found, in words; and that the definition can be read as lint reads it.

use serde_json::{Value, json};

use super::{Finding, Kind, Lint, Written, kind};

fn written(text: &str) -> Written {
    let options = serde_saphyr::options! { duplicate_keys: serde_saphyr::options::DuplicateKeyPolicy::PassThrough };
    serde_saphyr::from_str_with_options(text, options).unwrap()
}

/// `PATH [RULE] SENTENCE`, a line for each finding.
fn findings(text: &str) -> String {
    lines(&Lint::new().unwrap().findings(&written(text)))
}

fn lines(found: &[Finding]) -> String {
    let lines = found.iter().map(|one| format!("{} [{}] {}", one.path, one.rule.as_str(), one.message));
    lines.flat_map(|line| [line, "\n".to_owned()]).collect()
}

/// A good publication with `spec` in place of its own.
fn with(spec: &str) -> String {
    let head = "apiVersion: chartpublisher.io/v1alpha1\nkind: ChartPublication\nmetadata: {name: podinfo}\n";
    format!("{head}spec:\n  {}\n", spec.trim_end().replace('\n', "\n  "))
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
    insta::assert_snapshot!(findings(&text), @r#"
    spec.targets[2].name [duplicateField] stands here twice: leave one of them
    spec.intervall [unknownField] there is no such field. Close to it: `interval`
    spec.targets[0].insecureSkipTlsVerify [unknownField] there is no such field. Close to it: `insecure`
    spec.charts[0].latest [range] is 20000, and 10000 is the most
    spec.charts[0].versions [type] is a number, and must be a string: write it in quotes
    spec.charts[1].name [length] is empty
    spec.charts[2] [type] is a string, and must be a mapping
    spec.interval [pattern] `1 hour` is no span of time: write numbers with `h`, `m`, `s` or `ms`, for example `1h30m`
    spec.source.archive.url [required] is missing
    spec.source.archive.digest [pattern] `sha256:abc` must be `sha256:` and 64 hexadecimal digits in lower case
    spec.source.helmRepository.url [pattern] the value must be `http://HOST` or `https://HOST` with a path, without user name and spaces; a password belongs into `secretRef`
    spec.source [cel] exactly one of `helmRepository`, `oci`, `archive`, `configMaps`, `secrets`, `inline` and `fluxRef` must be set
    spec.suspend [type] is a string, and must be a boolean (`true` or `false`): write it without quotes
    spec.targets[0].routes[1] [enum] `clusterip` is none of `ClusterIP`, `NodePort`, `LoadBalancer`, `Ingress`, `Endpoint`, `Relay`. Close to it: `ClusterIP`
    spec.targets[0].routes[2] [unique] `NodePort` stands in `spec.targets[0].routes[0]` already
    spec.targets[1].upload.chunkSize [cel] must lie between 64Ki and 1Gi
    spec.targets[1].upload.method [enum] `Resumable` is none of `Auto`, `Buffered`, `Chunked`, `SinglePost`, `Streamed`
    spec.targets[1] [cel] `routes` lead to a `service`; a `url` is its own route
    spec.targets[2] [cel] exactly one of `service` and `url` must be set
    spec.targets[1] [unique] `spec.targets[0]` has the same `name`: `main`
    spec.timeout [cel] must lie between 1s and 1h
    spec.source.helmRepository.secretRef.name [run] no Secret can be named `My_Login`: lower case letters, digits, `-` and `.`
    spec.targets[1].url [run] `r.example.com:99999` is no host name or address with an optional port
    "#);
}

#[test]
fn what_only_a_run_refuses_is_found_too() {
    let text = with(
        "\
source: {helmRepository: {url: 'https://[charts', secretRef: {name: My_Login}}}
charts: [{name: Podinfo, versions: '>=1 <', exclude: [latest]}, {pattern: '^pod('}]
targets:
- {name: a, service: {name: my.registry, port: '70000', repository: charts//x}, hostname: 'r:70000'}
- {name: b, url: oci://r.example.com/Charts}
",
    );
    insta::assert_snapshot!(findings(&text), @r#"
    spec.source.helmRepository.url [run] is no URL: invalid IPv6 address
    spec.source.helmRepository.secretRef.name [run] no Secret can be named `My_Login`: lower case letters, digits, `-` and `.`
    spec.charts[0].name [run] `Podinfo` is no OCI repository name: lower case letters, digits and single `.`, `_`, `__` or `-` between them, parts separated by `/`, at most 255 characters
    spec.charts[0].versions [run] is no constraint: it cannot be read from `<` on; Helm's constraints are written as `6.5.0`, `^6.5`, `6.x`, `>=6.0.0 <7.0.0`, `6.1 - 6.4` or `6.1.x || 6.3.x`
    spec.charts[0].exclude[0] [run] is no constraint: it cannot be read from `latest` on; Helm's constraints are written as `6.5.0`, `^6.5`, `6.x`, `>=6.0.0 <7.0.0`, `6.1 - 6.4` or `6.1.x || 6.3.x`
    spec.charts[1].pattern [run] it is no regular expression: unclosed group; one is written like `^pod`, `^(nginx|redis)$` or `-exporter$`
    spec.targets[0].hostname [run] `r:70000` is no host name or address with an optional port
    spec.targets[0].service.repository [run] `charts//x` is no OCI repository name: lower case letters, digits and single `.`, `_`, `__` or `-` between them, parts separated by `/`, at most 255 characters
    spec.targets[0].service.name [run] no Service can have this name: lower case letters, digits and `-`
    spec.targets[0].service.port [run] no Service can have this port: the numbers are 1 to 65535
    spec.targets[1].url [run] `Charts` is no OCI repository name: lower case letters, digits and single `.`, `_`, `__` or `-` between them, parts separated by `/`, at most 255 characters
    "#);
}

#[test]
fn hosts_that_never_match_are_found() {
    let hosts = "[h, 'H.example.com:8443', '[::1]:5000', 'https://h', h/p, 'h:99999', '*', 'u:hunter2@h', 'h:', '*.h']";
    let text = with(&format!(
        "source: {{oci: {{url: 'oci://r/x', allowedHosts: ['h?']}}}}\ncharts: [{{name: a}}]\ntargets: [{{name: a, url: 'oci://r', allowedHosts: {hosts}}}]"
    ));
    insta::assert_snapshot!(findings(&text), @r#"
    spec.source.oci.allowedHosts[0] [run] the value is no `HOST` or `HOST:PORT`, without scheme and path, and never matches
    spec.targets[0].allowedHosts[3] [run] `https://h` is no `HOST` or `HOST:PORT`, without scheme and path, and never matches
    spec.targets[0].allowedHosts[4] [run] `h/p` is no `HOST` or `HOST:PORT`, without scheme and path, and never matches
    spec.targets[0].allowedHosts[5] [run] `h:99999` is no `HOST` or `HOST:PORT`, without scheme and path, and never matches
    spec.targets[0].allowedHosts[6] [run] `*` is no `HOST` or `HOST:PORT`, without scheme and path, and never matches
    spec.targets[0].allowedHosts[7] [run] the value is no `HOST` or `HOST:PORT`, without scheme and path, and never matches
    spec.targets[0].allowedHosts[8] [run] `h:` is no `HOST` or `HOST:PORT`, without scheme and path, and never matches
    spec.targets[0].allowedHosts[9] [run] `*.h` is no `HOST` or `HOST:PORT`, without scheme and path, and never matches
    "#);
}

#[test]
fn objects_that_hold_a_chart_are_looked_at_as_far_as_their_text_goes() {
    let of = |source: &str| findings(&with(&format!("source: {source}\ntargets: [{{name: main, service: {{name: registry}}}}]\n")));
    assert_eq!(of("{configMaps: [podinfo-0, podinfo-1]}"), "");
    assert_eq!(of("{inline: 'H4sIAAAA AAAA'}"), "");
    insta::assert_snapshot!(of("{configMaps: [podinfo-0, Podinfo_1, podinfo-0]}"), @r#"
    spec.source.configMaps[2] [unique] `podinfo-0` stands in `spec.source.configMaps[0]` already
    spec.source.configMaps[1] [run] no ConfigMap can be named `Podinfo_1`: lower case letters, digits, `-` and `.`
    "#);
    insta::assert_snapshot!(of("{inline: 'H4sI%'}"), @"spec.source.inline [run] is no base64: letter 5 does not belong there");
    insta::assert_snapshot!(of("{secrets: [a], inline: H4sI}"), @"spec.source [cel] exactly one of `helmRepository`, `oci`, `archive`, `configMaps`, `secrets`, `inline` and `fluxRef` must be set");
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
            let said = lines(&found);
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
  ownerReferences: [{controller: yes}]
spec:
  source: {helmRepository: {url: https://charts.example.com}}
  charts: [{name: podinfo}]
  targets: [{name: main, service: {name: registry}}]
";
    insta::assert_snapshot!(findings(text), @r#"
    metadata.label [unknownField] there is no such field. Close to it: `labels`
    metadata.labels.e [type] is a number, and must be a string: write it in quotes
    metadata.name [metadata] must be of lower case letters, digits, `-` and `.`, begin and end with a letter or digit, and have at most 253 letters
    metadata.namespace [metadata] must be of lower case letters, digits and `-`, begin and end with a letter or digit, and have at most 63 letters
    metadata.labels[a b] [metadata] is no name of a label or annotation: letters, digits, `-`, `_` and `.`, at most 63, after `DOMAIN/` where it has one
    metadata.labels.d [metadata] is no value of a label: letters, digits, `-`, `_` and `.`, at most 63, a letter or digit first and last
    metadata.annotations[a/b/c] [metadata] is no name of a label or annotation: letters, digits, `-`, `_` and `.`, at most 63, after `DOMAIN/` where it has one
    metadata.ownerReferences[0].apiVersion [required] is missing
    metadata.ownerReferences[0].kind [required] is missing
    metadata.ownerReferences[0].name [required] is missing
    metadata.ownerReferences[0].uid [required] is missing
    "#);
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

/// A text of 2 MiB is looked at in seconds, however it is made: work grows with its length, and not with the square of it.
#[test]
fn a_long_text_is_looked_at_once() {
    const MANY: usize = 20_000;
    let list = |item: &dyn Fn(usize) -> String| (0..MANY).map(item).collect::<Vec<_>>().join(", ");
    let exclude = list(&|number| format!("'1.0.{number}'"));
    let targets = list(&|number| format!("{{name: t{number}, url: 'oci://R{number}/x'}}"));
    let wrong = list(&|number| format!("{{name: t{number}, url: 'oci://r/X{number}'}}"));
    let fields = list(&|number| format!("f{number}: 1, f{number}: 2"));
    let began = std::time::Instant::now();
    for (spec, least) in [
        (
            format!(
                "source: {{helmRepository: {{url: 'https://a'}}}}\ncharts: [{{name: a, exclude: [{exclude}]}}]\ntargets: [{{name: a, service: {{name: a}}}}]"
            ),
            1,
        ),
        (format!("source: {{helmRepository: {{url: 'https://a'}}}}\ncharts: [{{name: a}}]\ntargets: [{targets}]"), 1),
        (format!("source: {{helmRepository: {{url: 'https://a'}}}}\ncharts: [{{name: a}}]\ntargets: [{wrong}]"), MANY),
        (format!("more: {{{fields}}}"), MANY),
    ] {
        let found = Lint::new().unwrap().findings(&written(&with(&spec)));
        assert!(found.len() >= least, "{} findings", found.len());
    }
    // The square of it took minutes.
    assert!(began.elapsed().as_secs() < 90, "{:?}", began.elapsed());
}

/// What the definition demands in a way that is not looked at here would be passed over in silence.
#[test]
fn the_definition_speaks_no_word_that_lint_does_not_know() {
    const KNOWN: [&str; 21] = [
        "description",
        "title",
        "type",
        "format",
        "nullable",
        "default",
        "properties",
        "items",
        "required",
        "enum",
        "pattern",
        "minLength",
        "maxLength",
        "minItems",
        "maxItems",
        "minimum",
        "maximum",
        "x-kubernetes-int-or-string",
        "x-kubernetes-list-type",
        "x-kubernetes-list-map-keys",
        "x-kubernetes-validations",
    ];
    // Of these, the bounds say all that there is to say.
    const FORMATS: [&str; 3] = ["uint32", "int32", "int64"];
    let mut schemas = vec![serde_json::to_value(&Lint::new().unwrap().schema).unwrap()];
    let mut seen = 0;
    while let Some(schema) = schemas.pop() {
        let words = schema.as_object().unwrap();
        let unknown: Vec<_> = words.keys().filter(|word| !KNOWN.contains(&word.as_str())).collect();
        assert!(unknown.is_empty(), "{unknown:?} in {schema}");
        assert!(schema["format"].as_str().is_none_or(|format| FORMATS.contains(&format)), "{schema}");
        schemas.extend(schema["properties"].as_object().into_iter().flat_map(|all| all.values()).cloned());
        schemas.extend(schema.get("items").cloned());
        seen += 1;
    }
    assert!(seen > 50, "{seen} schemas");
}

#[test]
fn a_digest_or_a_port_is_no_tag() {
    for url in ["oci://[fd00::9]:5000/charts", "oci://r.example.com:5000"] {
        let text = with(&format!("source: {{oci: {{url: '{url}'}}}}\ncharts: [{{name: a}}]\ntargets: [{{name: a, url: 'oci://r'}}]"));
        assert_eq!(findings(&text), "", "{url}");
    }
    for url in ["oci://r/a@sha256:0", "oci://r/:x", "oci://r/a:1/b"] {
        let text = with(&format!("source: {{oci: {{url: '{url}'}}}}\ncharts: [{{name: a}}]\ntargets: [{{name: a, url: 'oci://r'}}]"));
        assert!(findings(&text).contains("is no OCI repository name") && !findings(&text).contains("has the tag"), "{url}");
    }
}

#[test]
fn what_belongs_to_another_field_is_told_where() {
    let of = |spec: &str| findings(&with(&format!("{spec}\ntargets: [{{name: a, url: 'oci://r.example.com/charts:v1'}}]")));
    insta::assert_snapshot!(of("source: {helmRepository: {url: 'oci://r.example.com/charts'}}\ncharts: [{name: 'web*'}]"), @r#"
    spec.source.helmRepository.url [pattern] `oci://r.example.com/charts` must be `http://HOST` or `https://HOST` with a path, without user name and spaces; a password belongs into `secretRef`. A registry is the source `oci`
    spec.charts[0].name [run] `web*` is no OCI repository name: lower case letters, digits and single `.`, `_`, `__` or `-` between them, parts separated by `/`, at most 255 characters. Several charts of a repository with an index are taken by `pattern`, a regular expression
    spec.targets[0].url [run] has the tag `v1` behind `charts`, and a tag does not belong here: charts are tagged with their versions
    "#);
    insta::assert_snapshot!(of("source: {oci: {url: 'https://r.example.com/charts'}}\ncharts: [{name: team/web}]"), @r#"
    spec.source.oci.url [pattern] `https://r.example.com/charts` must be `oci://HOST[:PORT]/PREFIX`, without user name and query; a password belongs into `secretRef`. A server with an `index.yaml` is the source `helmRepository`; a registry without TLS has `insecure: true`
    spec.charts[0].name [run] is a path: put `team` at the end of `spec.source.oci.url`, and give the chart as `web`
    spec.targets[0].url [run] has the tag `v1` behind `charts`, and a tag does not belong here: charts are tagged with their versions
    "#);
    insta::assert_snapshot!(of("source: {oci: {url: 'oci://r.example.com/charts/web:1.0.0'}}"), @r#"
    spec [cel] `charts` must say what to take: `[{name: NAME}]`, or of a repository with an index `[{pattern: REGEXP}]`, too
    spec.source.oci.url [run] has the tag `1.0.0` behind `charts/web`, and a tag does not belong here: charts are tagged with their versions
    spec.targets[0].url [run] has the tag `v1` behind `charts`, and a tag does not belong here: charts are tagged with their versions
    "#);
    insta::assert_snapshot!(of("source: {archive: {url: 'https://r.example.com/web.tgz'}}\ncharts: [{name: web}]"), @r#"
    spec [cel] `charts` is of `helmRepository`, `oci` and a HelmRepository of Flux: every other source, an OCIRepository too, is one chart and takes none
    spec.targets[0].url [run] has the tag `v1` behind `charts`, and a tag does not belong here: charts are tagged with their versions
    "#);
}
