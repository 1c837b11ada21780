//! What a probe names on each hostile path: the fault that is there, and no other.

use std::collections::BTreeSet;

use futures::{StreamExt, stream};

use super::probed::Probed;
use crate::{
    faults::{
        hostile::{self, Hostile},
        origin::Origin,
        path::Path,
    },
    support,
};

/// A path, and what is to be named there.
struct Expected {
    hostile: Hostile,
    /// The one reason that stands in any cell, and the one fault.
    reason: &'static str,
    /// The rows of the remedies that may be met: the fault's is one of them.
    remedies: &'static [&'static str],
    /// The methods with a cell that fails. Nothing where that depends on which request is the third.
    failing: Option<&'static [&'static str]>,
    /// What `Auto` would do.
    auto: (&'static str, &'static str),
}

const fn expected(
    hostile: Hostile,
    reason: &'static str,
    remedies: &'static [&'static str],
    failing: Option<&'static [&'static str]>,
    auto: (&'static str, &'static str),
) -> Expected {
    Expected { hostile, reason, remedies, failing, auto }
}

const AT_ONCE: (&str, &str) = ("Buffered", "");
const IN_CHUNKS: (&str, &str) = ("Chunked", "chunks from 960 KiB");
const SMALL: &str = "TCP segments of 1200 bytes";
const STREAMED: Option<&[&str]> = Some(&["Streamed"]);
const UNSPLIT: Option<&[&str]> = Some(&["Buffered", "Streamed"]);
const NONE: Option<&[&str]> = Some(&[]);

/// What docs/probe.md promises.
const MOST: u64 = 64 << 20;

/// All paths. What is met by no cell of its own is met beside one: a wrong `Location`, a missing `Range`, a refused `HEAD` and a reset
/// connection are overcome by the client, and stand there as notes.
const ALL: [Expected; 23] = [
    expected(Hostile::Chunked400, "FramingRefused", &["framing-refused-with-body"], STREAMED, AT_ONCE),
    expected(Hostile::Chunked411, "FramingRefused", &["length-required"], STREAMED, AT_ONCE),
    expected(Hostile::Chunked501, "FramingRefused", &["not-implemented"], STREAMED, AT_ONCE),
    expected(Hostile::ChunkedSwallowed, "FramingRefused", &["body-swallowed"], STREAMED, AT_ONCE),
    expected(Hostile::LimitLingering, "BodyTooLarge", &["body-too-large"], UNSPLIT, IN_CHUNKS),
    expected(Hostile::LimitAbrupt, "BodyTooLarge", &["body-too-large"], UNSPLIT, IN_CHUNKS),
    expected(Hostile::PatchRefused, "FramingRefused", &["method-refused"], Some(&["Chunked", "Streamed"]), AT_ONCE),
    expected(Hostile::LocationHost, "LocationRefused", &["location-foreign"], NONE, AT_ONCE),
    expected(Hostile::LocationPort, "LocationRefused", &["location-foreign"], NONE, AT_ONCE),
    expected(Hostile::LocationScheme, "LocationRefused", &["location-foreign"], NONE, AT_ONCE),
    expected(Hostile::RequestCut, "PathStalled", &["cut-in-body"], UNSPLIT, IN_CHUNKS),
    expected(Hostile::ConnectionCut, "PathStalled", &["cut-in-body", "stale-connection"], UNSPLIT, IN_CHUNKS),
    expected(Hostile::SlowWithLimit, "RegistryUnavailable", &["gateway-after-body"], UNSPLIT, IN_CHUNKS),
    expected(Hostile::Each503, "RegistryUnavailable", &["gateway", "gateway-after-body", "unavailable-after-body"], None, AT_ONCE),
    expected(Hostile::Each429, "RateLimited", &["rate-limited"], None, AT_ONCE),
    expected(Hostile::EachAnswerLost, "PathStalled", &["answer-cut", "cut-in-body", "stale-connection"], None, AT_ONCE),
    expected(Hostile::LargeStalled, "PathStalled", &["no-answer-to-body", "write-stalled"], UNSPLIT, ("Chunked", SMALL)),
    expected(Hostile::Replicas, "ReplicasNotShared", &["upload-unknown"], Some(&["Chunked", "Streamed"]), AT_ONCE),
    expected(Hostile::NoRange, "HeaderMissing", &["header-missing"], NONE, AT_ONCE),
    expected(
        Hostile::LargePacketsLost,
        "PathStalled",
        &["no-answer-to-body", "write-stalled"],
        Some(&["Buffered", "Chunked", "SinglePost", "Streamed"]),
        ("Buffered", SMALL),
    ),
    expected(Hostile::HeadRefused, "FramingRefused", &["refused-by-proxy"], NONE, AT_ONCE),
    expected(Hostile::GatewayTimeout, "RegistryUnavailable", &["gateway-after-body"], UNSPLIT, IN_CHUNKS),
    expected(Hostile::KeptAliveReset, "PathStalled", &["stale-connection", "cut-in-body"], None, AT_ONCE),
];

#[tokio::test(flavor = "multi_thread")]
async fn each_hostile_path_is_named_and_nothing_else_is() {
    assert!(hostile::ALL.iter().all(|row| ALL.iter().filter(|expected| expected.hostile == row.hostile).count() == 1));
    // Much of it is waiting for what does not come.
    stream::iter(ALL.iter().map(check)).buffer_unordered(4).collect::<()>().await;
}

async fn check(expected: &Expected) {
    let name = expected.hostile;
    let Some(path) = Path::start(support::on_loopback(), name, Origin::V3).await else { return };
    let probed = Probed::along(&path, &["--timeout", "4s"]).await;
    let story = || format!("{name:?}: {}\n{:#}\n{}", probed.errors, probed.json["faults"], probed.lines().join("\n"));
    assert_eq!(probed.faults(), [expected.reason], "{}", story());
    let found = probed.found();
    let is_expected = |(reason, remedy): &(String, String)| reason == expected.reason && expected.remedies.contains(&remedy.as_str());
    assert!(found.iter().all(is_expected), "{}", story());
    let remedy = probed.json["faults"][0]["remedy"].as_str().expect("a remedy");
    assert!(expected.remedies.contains(&remedy), "{}", story());
    let failing: BTreeSet<&str> =
        probed.cells().filter(|cell| cell["result"] == "fail").filter_map(|cell| cell["method"].as_str()).collect();
    if let Some(expected) = expected.failing {
        assert_eq!(failing, expected.iter().copied().collect(), "{}", story());
    }
    let auto = &probed.json["auto"];
    assert_eq!(auto["method"], expected.auto.0, "{}\n{auto:#}", story());
    assert!(auto["tactic"].as_str().is_some_and(|tactic| tactic.contains(expected.auto.1)), "{}\n{auto:#}", story());
    let arrives = ["Buffered", "Chunked", "SinglePost", "Streamed"].iter().any(|method| probed.arrives(method));
    assert_eq!(probed.code, Some(i32::from(!arrives)), "{}", story());
    assert_eq!(probed.json["leftBehind"], serde_json::json!([]), "{}", story());
    let sent = probed.json["bytesSent"].as_u64().expect("a number");
    assert!(sent <= MOST, "{sent} bytes: {}", story());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_on_which_nothing_is_wrong_has_no_fault() {
    for origin in Origin::ALL {
        let path = Path::plain(support::on_loopback(), origin).await;
        let probed = Probed::along(&path, &[]).await;
        assert_eq!(
            (probed.faults(), probed.found(), probed.code),
            (vec![], BTreeSet::new(), Some(0)),
            "{origin:?}: {}",
            probed.lines().join("\n")
        );
        let passed = probed.cells().filter(|cell| cell["result"] == "pass").count();
        // distribution takes no blob with its POST.
        let single_posts = if origin == Origin::Scripted { 3 } else { 1 };
        assert_eq!(passed, 1 + (3 * 3 + single_posts) * 2, "{origin:?}: {}", probed.lines().join("\n"));
        assert_eq!(probed.json["auto"]["attempts"], serde_json::json!([]));
    }
}
