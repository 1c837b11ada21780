//! What is printed, as others read it: JSON and JUnit by readers that are not ours, the table by people.

use super::probed::{Probed, run};
use crate::{
    faults::{hostile::Hostile, origin::Origin, path::Path},
    support::{self, authority::Authority, registry::Version},
};

/// What `tests/probe/read.go` counts.
fn read_by_go(kind: &str, text: &str) -> String {
    let bed = support::on_loopback();
    let file = bed.folder("probe").join(kind);
    std::fs::write(&file, text).expect("a file in the bed's folder");
    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/probe/read.go");
    bed.run_on_host(&["go", "run", program, kind, &file.display().to_string()]).expect_success().trim().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn json_and_junit_are_read_by_other_tools() {
    let bed = support::on_loopback();
    for hostile in [Hostile::Chunked400, Hostile::LocationHost, Hostile::LimitLingering] {
        let path = Path::start(bed, hostile, Origin::V3).await.expect("a path that needs no root");
        let probed = Probed::along(&path, &["--size", "2Mi", "--require", "url/buffered,download"]).await;
        let count = |result: &str| probed.cells().filter(|cell| cell["result"] == result).count();
        let counted = format!("pass {} fail {} n/a {}", count("pass"), count("fail"), count("n/a"));
        let auto = probed.json["auto"]["method"].as_str().unwrap_or_default();
        let holds = probed.code == Some(0);
        assert_eq!(read_by_go("json", &probed.json.to_string()), format!("{counted} faults 1 auto {auto} holds {holds}"), "{hostile:?}");
        let url = format!("oci://{}/charts", path.address());
        let junit = run(bed, None, &[&url, "--insecure", "--size", "2Mi", "--output", "junit"]).await;
        assert_eq!(read_by_go("junit", &junit.output), counted, "{hostile:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn http2_is_spoken_where_the_server_offers_it_and_only_there() {
    let bed = support::on_loopback();
    let authority = Authority::new("probe").expect("an authority");
    let registry = bed.registry(Version::V3).tls(&authority, &[]).start().await;
    let file = bed.folder("authority").join("ca.crt");
    std::fs::write(&file, authority.pem()).expect("a file in the bed's folder");
    let url = format!("oci://{}/charts", registry.socket());
    let flags = ["--ca", &file.display().to_string(), "--output", "json"].map(str::to_owned);
    let words: Vec<&str> = [url.as_str()].into_iter().chain(flags.iter().map(String::as_str)).collect();
    let probed = Probed::of(run(bed, None, &words).await);
    let http2: Vec<_> = probed.cells().filter(|cell| cell["protocol"] == "HTTP/2").collect();
    assert!(http2.len() == 2 && http2.iter().all(|cell| cell["result"] == "pass"), "{}", probed.lines().join("\n"));
    let protocols: Vec<String> = registry.requests().iter().map(|request| request.protocol.clone()).collect();
    let of = |name: &str| protocols.iter().filter(|protocol| *protocol == name).count();
    // HEAD, POST, PUT, HEAD, GET, DELETE.
    assert_eq!(of("HTTP/2.0"), 6, "{protocols:?}");
    assert!(of("HTTP/1.1") > 50, "{protocols:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_required_decides_the_exit_code() {
    let bed = support::on_loopback();
    let path = Path::start(bed, Hostile::PatchRefused, Origin::V3).await.expect("a path that needs no root");
    let url = format!("oci://{}/charts", path.address());
    for (require, code) in [
        ("", 0),
        ("buffered", 0),
        ("URL/Buffered,download", 0),
        ("chunked", 1),
        ("buffered,streamed", 1),
        ("single-post", 1),
        ("nodeport/buffered", 2),
        ("nonsense", 2),
        ("elsewhere/buffered", 2),
    ] {
        let flags: &[&str] = if require.is_empty() { &[] } else { &["--require", require] };
        let ran = run(bed, None, &[&[url.as_str(), "--insecure", "--size", "2Mi"], flags].concat()).await;
        assert_eq!(ran.code, Some(code), "{require}: {}{}", ran.output, ran.errors);
        assert!(ran.output.lines().all(|line| line.chars().count() <= 120), "{}", ran.output);
        assert_eq!(ran.output.is_empty(), code == 2, "{require}");
    }
    for wrong in [&["oci://h/x", "--service", "a/b"][..], &[], &["--service", "a"], &["https://h/x"], &["oci://h/x", "--size", "65Mi"]] {
        let ran = run(bed, None, wrong).await;
        assert_eq!((ran.code, ran.output.as_str()), (Some(2), ""), "{wrong:?}: {}", ran.errors);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_that_asks_for_a_login_is_asked_once_and_the_password_is_printed_nowhere() {
    let bed = support::on_loopback();
    let registry = bed.registry(Version::V3).basic("pusher", "hunter2-secret").start().await;
    let url = format!("oci://{}/charts", registry.socket());
    let config = |password: &str| {
        let file = bed.folder("docker").join("config.json");
        let auths = serde_json::json!({"auths": {registry.socket().to_string(): {"username": "pusher", "password": password}}});
        std::fs::write(&file, auths.to_string()).expect("a file in the bed's folder");
        file.display().to_string()
    };
    let (right, wrong) = (config("hunter2-secret"), config("hunter2-wrong"));
    for (file, fault) in [(&right, None), (&wrong, Some("AuthFailed"))] {
        let before = registry.requests().len();
        for output in ["text", "json", "junit"] {
            let words = [&url, "--insecure", "--size", "2Mi", "--output", output, "--docker-config", file, "--log-level", "trace"];
            let ran = run(bed, None, &words).await;
            assert_eq!(ran.code, Some(i32::from(fault.is_some())), "{}{}", ran.output, ran.errors);
            assert!(!format!("{}{}", ran.output, ran.errors).contains("hunter2"), "{}{}", ran.output, ran.errors);
            assert!(fault.is_none_or(|fault| ran.output.contains(fault)), "{}", ran.output);
        }
        let refused = registry.requests().split_off(before).iter().filter(|request| request.status == 401).count();
        // The challenge, and where the password is wrong the answer to it: no cell asks again.
        assert_eq!(refused, if fault.is_some() { 6 } else { 3 });
    }
}
