//! What `push` and `probe` say of the mistakes of those who type them: exit code, cause, and a cure that is a flag.

use std::path::PathBuf;

use base64::{Engine, prelude::BASE64_STANDARD};

use crate::support::{self, Bed, Ran, authority::Authority, registry::Version};

/// A command line, how it ends, and the words that it ends with.
struct Mistake {
    words: String,
    code: i32,
    said: Vec<String>,
}

fn mistake(words: impl Into<String>, code: i32, said: &[&str]) -> Mistake {
    Mistake { words: words.into(), code, said: said.iter().map(ToString::to_string).collect() }
}

/// Where the network is the host's own, with a home that is nobody's; in `words`, PROGRAM is the program.
fn ran(bed: &'static Bed, words: &str) -> Ran {
    let program = format!("env -u DOCKER_CONFIG {}", env!("CARGO_BIN_EXE_chart-publisher"));
    bed.run_on_host(&["sh", "-c", &words.replace("PROGRAM", &program)])
}

fn file(bed: &Bed, name: &str, content: &str) -> PathBuf {
    let path = bed.folder("mistakes").join(name);
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    std::fs::write(&path, content).expect("a file in the bed's folder");
    path
}

fn check(bed: &'static Bed, mistakes: &[Mistake]) {
    for mistake in mistakes {
        let ran = ran(bed, &mistake.words);
        assert_eq!(ran.code, Some(mistake.code), "{}\n{}{}", ran.words, ran.output, ran.errors);
        for said in &mistake.said {
            assert!(ran.errors.contains(said), "{} lacks `{said}`:\n{}", ran.words, ran.errors);
        }
        let both = format!("{}{}", ran.output, ran.errors);
        for never in ["ecretRef", "insecure: ", "the target", "wrong-password"] {
            assert!(!both.contains(never), "{} says `{never}`:\n{both}", ran.words.replace("wrong-password", "…"));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn mistakes_at_a_registry_are_cured_by_flags() {
    let bed = support::on_loopback();
    let (authority, other) = (Authority::new("right").expect("an authority"), Authority::new("wrong").expect("an authority"));
    let plain = bed.registry(Version::V3).start().await;
    let tls = bed.registry(Version::V3).tls(&authority, &["registry.example"]).start().await;
    let basic = bed.registry(Version::V3).basic("bob", "right").start().await;
    let nobody = bed.place(5000);
    let (right, wrong) = (file(bed, "right.pem", &authority.pem()), file(bed, "wrong.pem", &other.pem()));
    let (right, wrong) = (right.display(), wrong.display());
    let helper = file(bed, "helper.json", r#"{"credsStore":"desktop"}"#);
    let helper = helper.display();
    let chart = bed.chart("small-1.2.2");
    let push = |to: &dyn std::fmt::Display, flags: &str| format!("PROGRAM push {} oci://{to}/charts {flags}", chart.display());
    let login = |flags: &str| push(&basic.socket(), flags);
    check(
        bed,
        &[
            mistake(push(&plain.socket(), ""), 1, &["TlsOnPlainHttp", "Add `--insecure` to allow plain HTTP"]),
            mistake(push(&tls.socket(), "--insecure"), 1, &["PlainHttpOnTls", "leave `--insecure` out, and give its CA by `--ca FILE`"]),
            mistake(push(&tls.socket(), ""), 1, &["TlsFailed", "signed by an unknown authority", "by `--ca FILE`."]),
            mistake(push(&tls.socket(), &format!("--ca {wrong}")), 1, &[&format!("`{wrong}` does not hold the authority")]),
            mistake(
                push(&tls.socket(), &format!("--ca {right} --hostname other.example")),
                1,
                &["TlsFailed", "Set `--hostname` to a name that the certificate has"],
            ),
            mistake(push(&tls.socket(), &format!("--ca {right} --hostname registry.example")), 0, &[]),
            mistake(push(&tls.socket(), "--hostname a/b"), 2, &["`--hostname` must be"]),
            mistake(login("--plain-http"), 1, &["AuthFailed", "Give a login: `--username NAME --password-stdin`, or `docker login`."]),
            mistake(
                format!("printf wrong-password | {}", login("--insecure --username bob --password-stdin")),
                1,
                &["AuthFailed", "Correct the password of user `bob`"],
            ),
            mistake(format!("printf right | {}", login("--insecure -u bob --password-stdin")), 0, &[]),
            mistake(
                login(&format!("--insecure --docker-config {helper}")),
                1,
                &[&format!("`{helper}` leaves the login at this registry to a credential helper, which is not asked: use `--username")],
            ),
            mistake(push(&nobody.socket(), "--insecure"), 1, &["RouteUnreachable", "host and port of the oci:// address are right"]),
        ],
    );
    let probe = ran(bed, &format!("PROGRAM probe oci://{}/charts --size 1Ki --timeout 2s", plain.socket()));
    assert_eq!(probe.code, Some(1), "{}{}", probe.output, probe.errors);
    assert!(probe.output.contains("Add `--insecure`") && !probe.output.contains("insecure: true"), "{}", probe.output);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_is_for_the_path_that_its_key_names() {
    let bed = support::on_loopback();
    let basic = bed.registry(Version::V3).basic("bob", "right").start().await;
    let chart = bed.chart("small-1.2.2");
    let (right, wrong) = (BASE64_STANDARD.encode("bob:right"), BASE64_STANDARD.encode("bob:wrong-password"));
    let host = basic.socket();
    for (number, auths, code) in [
        (1, format!(r#"{{"{host}/team":{{"auth":"{right}"}},"{host}":{{"auth":"{wrong}"}}}}"#), 0),
        (2, format!(r#"{{"{host}/team/charts":{{"auth":"{right}"}},"{host}/team":{{"auth":"{wrong}"}}}}"#), 0),
        (3, format!(r#"{{"{host}/teams":{{"auth":"{wrong}"}},"{host}":{{"auth":"{right}"}}}}"#), 0),
        (4, format!(r#"{{"{host}/other":{{"auth":"{right}"}}}}"#), 1),
        (5, format!(r#"{{"http://{host}/v2/":{{"auth":"{right}"}}}}"#), 0),
    ] {
        let file = file(bed, &format!("scoped-{number}.json"), &format!(r#"{{"auths":{auths}}}"#));
        let words = format!("PROGRAM push {} oci://{host}/team/charts --insecure --docker-config {}", chart.display(), file.display());
        let said: &[&str] = if code == 0 { &[] } else { &["AuthFailed", "Give a login"] };
        check(bed, &[mistake(words, code, said)]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_there_already_is_pulled_back_and_another_file_is_told_from_it() {
    let bed = support::on_loopback();
    let registry = bed.registry(Version::V3).start().await;
    let chart = bed.chart("small-1.2.2");
    let other = bed.folder("other").join("small-1.2.2.tgz");
    let mut content = std::fs::read(&chart).expect("a chart");
    // Another time in the header of gzip is another digest.
    content[4] ^= 1;
    std::fs::write(&other, content).expect("a file");
    let push = |file: &std::path::Path| format!("PROGRAM push {} oci://{}/charts --insecure", file.display(), registry.socket());
    check(bed, &[mistake(push(&chart), 0, &[])]);
    let again = ran(bed, &format!("{} -o json", push(&chart)));
    let told: serde_json::Value = serde_json::from_str(&again.output).expect("JSON");
    assert_eq!((told["result"].as_str(), told["seconds"]["push"].is_null()), (Some("AlreadyThere"), true), "{told}");
    assert!(told["seconds"]["pull"].as_f64().is_some_and(|seconds| seconds > 0.0), "{told}");
    check(bed, &[mistake(push(&other), 1, &["Drifted", "which is not of the file sha256:", "Delete the tag to push the file there"])]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_used_is_named_before_anything_is_sent() {
    let bed = support::on_loopback();
    let chart = bed.chart("small-1.2.2");
    let chart = chart.display();
    let text = file(bed, "text", "no chart, no PEM, no JSON");
    let text = text.display();
    let home = file(bed, "home/.docker/config.json", "no JSON");
    let home = home.ancestors().nth(2).expect("a home").display();
    let large = bed.chart("large-3.0.0");
    let large = large.display();
    let token = file(bed, "token.json", r#"{"auths":{"127.0.0.1:1":{"identitytoken":"wrong-password"}}}"#);
    let token = token.display();
    let missing = format!("PROGRAM probe --service a/b --kubeconfig {text}.missing");
    let nowhere = "oci://127.0.0.1:1/charts";
    check(
        bed,
        &[
            mistake(format!("PROGRAM push {chart} https://127.0.0.1:1/x"), 2, &["the address must be `oci://HOST[:PORT]/PREFIX`"]),
            mistake(
                format!("PROGRAM push {chart} oci://127.0.0.1:1/ci/small:1.2.0"),
                2,
                &["give the prefix only: name and tag come from the chart"],
            ),
            mistake(
                format!("PROGRAM push {chart} oci://127.0.0.1:1/Charts"),
                2,
                &["`oci://127.0.0.1:1/Charts`: `Charts` is no OCI repository name: lower case letters"],
            ),
            mistake(
                format!("PROGRAM push {large} {nowhere} --spool-dir {text}.missing"),
                2,
                &[&format!("`--spool-dir`: `{text}.missing` cannot hold the chart on its way: No such file or directory")],
            ),
            mistake(format!("PROGRAM push {chart} {nowhere} --log-level foo"), 2, &["`--log-level`: `foo` is no level: write off, error"]),
            mistake("PROGRAM run --log-level foo", 2, &["`--log-level`: `foo` is no level: write off, error"]),
            mistake(format!("PROGRAM probe {nowhere} --max-time 0s"), 2, &["--max-time", "give a longer one"]),
            mistake(
                format!("PROGRAM probe {nowhere} --require nodeport/buffered"),
                2,
                &["`--require nodeport/buffered`: an oci:// address has one route, which is called `url`"],
            ),
            mistake("PROGRAM probe --service a/b --require url/buffered", 2, &["`--require url/buffered`: a Service has no route `url`"]),
            mistake(format!("PROGRAM probe {nowhere} --require nodeport"), 2, &["write [ROUTE/]WHAT"]),
            mistake(
                format!("PROGRAM push {chart} {nowhere} --docker-config {token}"),
                2,
                &[&format!("`{token}`: its entry for `127.0.0.1:1` has an `identitytoken` and no password")],
            ),
            mistake(format!("PROGRAM push {chart} {nowhere} --chunk-size 1"), 2, &["between 64Ki and 1Gi"]),
            mistake(format!("PROGRAM push {chart} {nowhere} --ca {text}"), 2, &[&format!("`{text}` holds no certificate")]),
            mistake(format!("PROGRAM push {chart} {nowhere} --docker-config {text}"), 2, &[&format!("`{text}`: it is no JSON")]),
            mistake(format!("HOME={home} PROGRAM push {chart} {nowhere}"), 2, &[&format!("`{home}/.docker/config.json`: it is no JSON")]),
            mistake(format!("PROGRAM push {text} {nowhere}"), 2, &["give the archive that `helm package` made"]),
            mistake(
                format!("PROGRAM push {chart} {nowhere} --max-chart-size 1Ki"),
                2,
                &["is larger than the limit of 1024 bytes: raise `--max-chart-size`"],
            ),
            mistake(
                format!("PROGRAM push {chart} {nowhere} -u bob --password-stdin </dev/null"),
                2,
                &["`--password-stdin`: standard input is empty"],
            ),
            mistake(
                format!("head -c 70000 /dev/zero | tr '\\0' a | PROGRAM push {chart} {nowhere} -u bob --password-stdin"),
                2,
                &["`--password-stdin`: standard input has more than 64 KiB"],
            ),
            mistake(format!("printf 'p\\344' | PROGRAM push {chart} {nowhere} -u bob --password-stdin"), 2, &["is no UTF-8"]),
            mistake(format!("printf 'p\\nq' | PROGRAM push {chart} {nowhere} -u bob --password-stdin"), 2, &["control character"]),
            mistake(
                format!("printf pw | PROGRAM push {chart} {nowhere} -u b:ob --password-stdin"),
                2,
                &["`--username`: a name of a login"],
            ),
            mistake(format!("PROGRAM push {chart} {nowhere} --timeout 0s"), 2, &["give a longer one"]),
            mistake(format!("PROGRAM push {text}.missing {nowhere} 2>/dev/full"), 2, &[]),
            mistake(format!("{missing} -o json"), 2, &["--kubeconfig", &format!("{text}.missing")]),
        ],
    );
    let refused = ran(bed, &missing);
    assert_eq!(refused.errors.matches("No such file").count(), 1, "{}", refused.errors);
}
