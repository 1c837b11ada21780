//! Whose login it is, and whom to trust, where no Secret is read.

use std::fs;

use serde_json::{Value, json};

use super::{
    printed::{Printed, publication, publish, writes},
    support::{
        self, Bed, Ran,
        authority::Authority,
        publication::{spec, url_target},
        registry::Version,
        scripted::Reply,
    },
};

fn configuration(bed: &'static Bed, registry: &str, user: &str, password: &str) -> String {
    let file = bed.folder("docker").join("config.json");
    fs::write(&file, json!({"auths": {registry: {"username": user, "password": password}}}).to_string()).expect("a file");
    file.display().to_string()
}

fn left_to_a_helper(bed: &'static Bed, registry: &str) -> String {
    let file = bed.folder("helper").join("config.json");
    fs::write(&file, json!({"credHelpers": {registry: "desktop"}}).to_string()).expect("a file");
    file.display().to_string()
}

/// The source gives nothing, for this reason and with this in its sentence.
fn source_fails(bed: &'static Bed, (documents, flags): (&str, &[&str]), reason: &str, part: &str) {
    let ran = discreet(bed, documents, flags);
    let printed = Printed::of(&ran);
    let failure = &printed.publications[0].failures[0];
    assert_eq!((ran.code, failure.reason.as_str()), (Some(1), reason), "{failure:?}");
    assert!(failure.message.contains(part), "{part}: {failure:?}");
}

/// With all that can be said, and no password in it.
fn discreet(bed: &'static Bed, documents: &str, flags: &[&str]) -> Ran {
    let ran = publish(bed, documents, &[&["-o", "json", "--log-level", "trace"], flags].concat());
    assert!(ran.errors.contains(" TRACE "), "{ran:?}");
    for secret in ["hunter2", "aHVudGVyMi", "h1bnRlcjIt", "odW50ZXIyL"] {
        assert!(!ran.output.contains(secret) && !ran.errors.contains(secret), "{secret}: {ran:?}");
    }
    ran
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_cluster_logins_come_from_dockers_file_and_trust_from_a_flag() {
    let bed = support::shared();
    let authority = Authority::new("bootstrap").expect("an authority");
    let charts = bed.helm_repository(&["small-1.2.2"]).start().await;
    let registry = bed.registry(Version::V3).tls(&authority, &[]).basic("pusher", "hunter2-secret").start().await;
    let ca = bed.folder("ca").join("ca.crt");
    fs::write(&ca, authority.pem()).expect("a file");
    let ca = ca.display().to_string();
    let host = registry.socket().to_string();
    let (right, wrong) = (configuration(bed, &host, "pusher", "hunter2-secret"), configuration(bed, &host, "pusher", "hunter2-wrong"));
    let other = configuration(bed, "other.example", "pusher", "hunter2-secret");
    let target = json!({"name": "main", "url": format!("oci://{host}/charts")});
    let of = |fields: &Value| {
        let mut target = target.clone();
        target.as_object_mut().expect("an object").extend(fields.as_object().cloned().unwrap_or_default());
        publication("login", &spec(&charts.url(), &json!([{"name": "small"}]), &json!([target]))).to_string()
    };
    let (plain, named) = (of(&json!({})), of(&json!({"secretRef": {"name": "push"}, "certSecretRef": {"name": "own"}})));
    for (documents, flags, reason, part) in [
        (&plain, &["--ca", &ca, "--docker-config", &other][..], "AuthFailed", "Give a login: `docker login`, `--docker-config FILE`"),
        (&plain, &["--ca", &ca, "--docker-config", &wrong], "AuthFailed", "Correct the entry for this registry in "),
        (&plain, &["--docker-config", &right], "TlsFailed", "by `--ca FILE`"),
        (&named, &["--ca", &ca, "--docker-config", &other], "SecretInvalid", "`--docker-config`"),
        (&named, &["--docker-config", &right], "SecretInvalid", "`--ca FILE`"),
    ] {
        let ran = discreet(bed, documents, flags);
        let printed = Printed::of(&ran);
        let target = &printed.publications[0].targets[0];
        let failure = target.failure.as_ref().or_else(|| target.charts[0].failure.as_ref()).expect("a failure");
        // Another route may lead to another certificate: the controller tries that again, and so does this.
        assert_eq!((ran.code, failure.reason.as_str(), failure.passing), (Some(1), reason, reason == "TlsFailed"), "{failure:?}");
        assert!(failure.message.contains(part), "{failure:?}");
    }
    assert!(writes(&registry, 0).iter().all(|request| request.status == 401), "{:?}", writes(&registry, 0));
    for (documents, counts) in [(&plain, [1, 0, 0]), (&named, [0, 1, 0])] {
        let ran = discreet(bed, documents, &["--ca", &ca, "--docker-config", &right]);
        assert_eq!((ran.code, Printed::of(&ran).counts()), (Some(0), counts), "{ran:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_cluster_a_registry_is_read_as_dockers_file_has_it_and_trusted_by_a_flag() {
    let bed = support::shared();
    let authority = Authority::new("source").expect("an authority");
    let from = bed.registry(Version::V3).tls(&authority, &[]).basic("reader", "hunter2-secret").start().await;
    let to = bed.registry(Version::V3).start().await;
    let ca = bed.folder("ca-of-source").join("ca.crt");
    fs::write(&ca, authority.pem()).expect("a file");
    let ca = ca.display().to_string();
    let (host, archive) = (from.socket().to_string(), bed.chart("small-1.2.2").display().to_string());
    let address = format!("oci://{host}/upstream");
    let login = ["--username", "reader", "--password", "hunter2-secret", "--ca-file", &ca];
    bed.run_in_pod(&[&["helm", "push", &archive, &address][..], &login].concat()).expect_success();
    let (right, wrong) = (configuration(bed, &host, "reader", "hunter2-secret"), configuration(bed, &host, "reader", "hunter2-wrong"));
    let other = configuration(bed, "other.example", "reader", "hunter2-secret");
    let helper = left_to_a_helper(bed, &host);
    let of = |fields: &Value| {
        let mut source = json!({"url": address});
        source.as_object_mut().expect("an object").extend(fields.as_object().cloned().unwrap_or_default());
        let charts = json!([{"name": "small"}]);
        let spec = json!({"source": {"oci": source}, "charts": charts, "targets": [url_target(to.socket(), "charts")]});
        publication("read", &spec).to_string()
    };
    let (plain, named) = (of(&json!({})), of(&json!({"secretRef": {"name": "read"}, "certSecretRef": {"name": "own"}})));
    let proxied = of(&json!({"proxySecretRef": {"name": "proxy"}}));
    for (documents, flags, reason, part) in [
        (&plain, &["--ca", &ca, "--docker-config", &other][..], "SourceUnauthorized", "give its login by `--docker-config`"),
        (&plain, &["--ca", &ca, "--docker-config", &wrong], "SourceUnauthorized", "check user and password in `"),
        (&plain, &["--ca", &ca, "--docker-config", &helper], "SourceUnauthorized", "to a credential helper, and none is asked"),
        (&plain, &["--docker-config", &right], "TlsFailed", "`certSecretRef`"),
        (&named, &["--ca", &ca, "--docker-config", &other], "SecretInvalid", "or a login for `"),
        (&named, &["--ca", &ca, "--docker-config", &helper], "SecretInvalid", "leaves it to a credential helper, and none is asked"),
        (&named, &["--docker-config", &right], "SecretInvalid", "`--ca FILE`"),
        (&proxied, &["--ca", &ca, "--docker-config", &right], "SecretInvalid", "Secret `proxy` lies in a cluster"),
    ] {
        source_fails(bed, (documents, flags), reason, part);
    }
    assert!(writes(&to, 0).is_empty(), "{:?}", writes(&to, 0));
    for (documents, counts) in [(&plain, [1, 0, 0]), (&named, [0, 1, 0])] {
        let ran = discreet(bed, documents, &["--ca", &ca, "--docker-config", &right]);
        assert_eq!((ran.code, Printed::of(&ran).counts()), (Some(0), counts), "{ran:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_cluster_a_helm_repository_and_an_archive_are_read_as_dockers_file_has_it() {
    let bed = support::shared();
    let from = bed.helm_repository(&["small-1.2.2"]).basic("reader", "hunter2-secret").start().await;
    let to = bed.registry(Version::V3).start().await;
    let host = from.socket().to_string();
    let (right, wrong) = (configuration(bed, &host, "reader", "hunter2-secret"), configuration(bed, &host, "reader", "hunter2-wrong"));
    let other = configuration(bed, "other.example", "reader", "hunter2-secret");
    let helper = left_to_a_helper(bed, &host);
    let of = |kind: &str, url: &str, named: bool| {
        let mut source = json!({"url": url});
        if named {
            source["secretRef"] = json!({"name": "read"});
        }
        let mut spec =
            json!({"source": {kind: source}, "charts": [{"name": "small"}], "targets": [url_target(to.socket(), &kind.to_lowercase())]});
        if kind == "archive" {
            spec["charts"] = json!([]);
        }
        publication("read", &spec).to_string()
    };
    for (kind, url) in [("helmRepository", from.url()), ("archive", format!("{}/small-1.2.2.tgz", from.url()))] {
        let (plain, named) = (of(kind, &url, false), of(kind, &url, true));
        let by_flag = format!("give a login for `{host}` by `--docker-config`: `");
        for (documents, docker, reason, part) in [
            (&plain, &other, "SourceUnauthorized", by_flag.as_str()),
            (&plain, &wrong, "SourceUnauthorized", "check user and password of its host in `"),
            (&plain, &helper, "SourceUnauthorized", "to a credential helper, and none is asked"),
            (&named, &other, "SecretInvalid", "Secret `read` lies in a cluster: give `--kubeconfig`, or a login for `"),
            (&named, &helper, "SecretInvalid", "leaves it to a credential helper, and none is asked"),
        ] {
            source_fails(bed, (documents, &["--docker-config", docker]), reason, part);
        }
        for (documents, counts) in [(&plain, [1, 0, 0]), (&named, [0, 1, 0])] {
            let ran = discreet(bed, documents, &["--docker-config", &right]);
            assert_eq!((ran.code, Printed::of(&ran).counts()), (Some(0), counts), "{ran:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_of_dockers_file_is_for_its_host_alone_until_it_is_passed_on() {
    let bed = support::shared();
    let from = bed.helm_repository(&["small-1.2.2"]).basic("reader", "hunter2-secret").start().await;
    let (charts, to) = (bed.scripted(80), bed.registry(Version::V3).start().await);
    let index = format!("apiVersion: v1\nentries: {{small: [{{name: small, version: 1.2.2, urls: [{}/small-1.2.2.tgz]}}]}}\n", from.url());
    charts.says("/index.yaml", Reply::ok(index));
    let (home, elsewhere) = (charts.socket().to_string(), from.socket().to_string());
    let of_home = configuration(bed, &home, "reader", "hunter2-secret");
    let of_name = configuration(bed, home.split(':').next().unwrap_or_default(), "reader", "hunter2-secret");
    let of_other = configuration(bed, &elsewhere, "reader", "hunter2-secret");
    let of = |passes: bool| {
        let source = json!({"helmRepository": {"url": format!("http://{home}"), "passCredentials": passes}});
        let targets = json!([url_target(to.socket(), "passed")]);
        publication("passed", &json!({"source": source, "charts": [{"name": "small"}], "targets": targets})).to_string()
    };
    let (kept, passed) = (of(false), of(true));
    for (documents, docker, part) in [
        (
            &kept,
            &of_other,
            format!("give a login for `{home}` by `--docker-config`: `{of_other}` has none; and set `passCredentials: true`"),
        ),
        (&kept, &of_home, format!("the credential of `{of_home}` goes to the repository's own host only; if this host may have it, `pass")),
        (&passed, &of_name, format!("give a login for `{home}` by `--docker-config`: `{of_name}` has none")),
    ] {
        let ran = discreet(bed, documents, &["--docker-config", docker]);
        let printed = Printed::of(&ran);
        let failure = printed.publications[0].targets[0].charts[0].failure.as_ref().expect("a failure");
        assert_eq!((ran.code, failure.reason.as_str()), (Some(1), "SourceUnauthorized"), "{failure:?}");
        assert!(failure.message.contains(&part), "{part}: {failure:?}");
    }
    let ran = discreet(bed, &passed, &["--docker-config", &of_home]);
    assert_eq!((ran.code, Printed::of(&ran).counts()), (Some(0), [1, 0, 0]), "{ran:?}");
}
