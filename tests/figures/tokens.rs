//! Tokens that expire while a chart is on its way: the session goes on.

use std::{fs, time::Duration};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::json;

use crate::{
    charts::Chart,
    faults::{
        ground::{Endpoint, Ground},
        ledger::Asked,
        proxy::HttpProxy,
        quirk::Quirk,
        registry::{Access, ScriptedRegistry},
        wire::{Wire, WireProxy},
    },
    program,
    support::{self, Bed, registry::Version},
};

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;

/// A Docker configuration with a login for this registry.
fn login(bed: &Bed, registry: &str) -> String {
    let file = bed.folder("login").join("config.json");
    let auths = json!({"auths": {registry: {"auth": BASE64_STANDARD.encode("user:secret")}}});
    fs::write(&file, auths.to_string()).expect("a file in the bed's folder");
    file.display().to_string()
}

/// One session for each blob, and each chunk taken once.
fn the_session_went_on(requests: &[Asked], chart: &Chart) {
    let of = |method: &str, status: u16| requests.iter().filter(|asked| asked.method == method && asked.status == Some(status)).count();
    assert_eq!(of("POST", 202), 2, "one session for each blob: {requests:#?}");
    assert_eq!(of("PUT", 201), 3, "{requests:#?}");
    let taken = requests.iter().filter(|asked| asked.method == "PATCH" && asked.status == Some(202));
    let config = requests.iter().filter(|asked| asked.method == "PATCH").next_back().map_or(0, |asked| asked.received);
    assert_eq!(taken.map(|asked| asked.received).sum::<u64>(), chart.length + config, "{requests:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_outlives_its_tokens() {
    let bed = support::on_loopback();
    let folder = bed.folder("tokens");
    let chart = Chart::pack(&folder, "slow", "1.0.0", 3 * MIB);
    for (quirk, refused) in [(Quirk::TokenFor(Duration::from_secs(2)), 0), (Quirk::TokenForRequests(4), 3)] {
        let registry = ScriptedRegistry::start_for(&Ground::loopback(), Access::Bearer("user".to_owned(), "secret".to_owned()));
        registry.set(quirk.clone());
        let path = WireProxy::start(&Ground::loopback(), Endpoint::loopback(registry.socket()), &[Wire::SlowSent(MIB / 2)]);
        let address = path.socket().to_string();
        let config = login(bed, &address);
        let flags = ["--method", "chunked", "--chunk-size", &(256 * KIB).to_string(), "--docker-config", &config];
        program::push(bed, &folder.join(chart.file()), &format!("oci://{address}/charts"), &flags).await;
        let requests = registry.requests();
        the_session_went_on(&requests, &chart);
        let tokens = requests.iter().filter(|asked| asked.path() == "/token").count();
        assert!(tokens >= 3, "{quirk:?}: {tokens} tokens");
        let late = requests.iter().filter(|asked| asked.method == "PATCH" && asked.status == Some(401)).count();
        assert!(late >= refused, "{quirk:?}: {late} chunks were refused; {requests:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes five minutes; `make bench-cuts` runs it"]
async fn ninety_mebibytes_outlive_tokens_of_a_minute() {
    let bed = support::on_loopback();
    let folder = bed.folder("tokens");
    let chart = Chart::pack(&folder, "slow", "1.0.0", 90 * MIB);
    let tokens = bed.token_server().user("user", "secret", &["pull", "push"]).lifetime(60).start();
    let registry = bed.registry(Version::V3).bearer(&tokens).start().await;
    let proxy = HttpProxy::start(&Ground::loopback(), Endpoint::loopback(registry.socket()), []);
    // 240 s: distribution takes tokens for a minute beyond their end.
    let path = WireProxy::start(&Ground::loopback(), Endpoint::loopback(proxy.socket()), &[Wire::SlowSent(384 * KIB)]);
    let address = path.socket().to_string();
    let (config, realm) = (login(bed, &address), tokens.socket().to_string());
    let flags = ["--method", "chunked", "--docker-config", &config, "--allow-host", &realm];
    let pushed = program::push(bed, &folder.join(chart.file()), &format!("oci://{address}/charts"), &flags).await;
    the_session_went_on(&proxy.requests(), &chart);
    let (asked, seconds) = (tokens.requests().len(), pushed.seconds("push"));
    support::say(&format!("90 MiB in {seconds:.0} s with tokens of 60 s: {asked} tokens, one session for each blob"));
    assert!(seconds > 150.0 && asked >= 3, "{asked} tokens in {seconds} s");
}
