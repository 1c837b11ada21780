//! What labels may say: lists that are written down here anew, so that one that is opened by mistake is seen.

use chart_publisher::{
    api::Reason,
    metrics::{Census, LABELS, Metrics},
    plan::{Method, Route},
    publish::{Ended, Observer as _},
    registry::{Observer as _, Stage},
    remedy::Class,
};

use super::text::{Sample, Scrape};

/// The values of the labels that are short lists.
const LISTS: &[(&str, &[&str])] = &[
    ("condition", &["Ready", "Reconciling", "Stalled", "Suspended", "New", "Unreadable"]),
    ("route", &["ClusterIP", "NodePort", "LoadBalancer", "Ingress", "Endpoint", "Relay", "URL"]),
    ("method", &["Buffered", "Chunked", "SinglePost", "Streamed", "None"]),
    ("class", &["Succeeded", "SameAgain", "OtherMethod", "OtherRoute", "Wait", "Final"]),
    (
        "stage",
        &[
            "ask-token",
            "greet",
            "list-tags",
            "read-manifest",
            "find-blob",
            "open-upload",
            "send-blob",
            "write-manifest",
            "pull-manifest",
            "pull-blob",
            "remove",
        ],
    ),
    ("answer", &["1xx", "2xx", "3xx", "4xx", "5xx", "None"]),
    ("place", &["memory", "disk"]),
    ("version", &[env!("CARGO_PKG_VERSION")]),
    ("le", &["0.01", "0.05", "0.1", "0.5", "1.0", "5.0", "10.0", "30.0", "60.0", "300.0", "+Inf"]),
];

/// All that a label may say, by the list of this test.
fn list(label: &str) -> Vec<&'static str> {
    if label == "reason" {
        return Reason::ALL.iter().map(|reason| reason.as_str()).chain(["None"]).collect();
    }
    LISTS.iter().find(|(name, _)| *name == label).unwrap_or_else(|| panic!("a label `{label}` is in no list")).1.to_vec()
}

/// Panics where a label says what is in no list.
pub fn assert_closed(sample: &Sample) {
    for (label, value) in &sample.labels {
        assert!(list(label).contains(&value.as_str()), "`{label}` says `{value}`: {sample:?}");
    }
}

/// Metrics of which each has told each of its series.
pub fn all_told() -> Metrics {
    let metrics = Metrics::default();
    for route in Route::all() {
        for method in Method::ALL.into_iter().map(Some).chain([None]) {
            for class in Class::ALL.into_iter().map(Some).chain([None]) {
                metrics.tried(Ended { route, method, class, sent: 1 });
            }
        }
    }
    for stage in Stage::ALL {
        for status in [Some(101), Some(200), Some(302), Some(404), Some(503), Some(999), None] {
            metrics.asked(stage, status, std::time::Duration::from_millis(700));
        }
    }
    metrics.published(1000);
    metrics
}

/// The census of one publication that cannot be read.
pub fn census() -> Census {
    let mut census = Census::default();
    census.count(None);
    census
}

#[test]
fn each_label_says_what_its_list_has_and_nothing_else() {
    for label in LABELS {
        let mut expected = list(label.name);
        let mut said = (label.values)();
        expected.sort_unstable();
        said.sort_unstable();
        assert_eq!(said, expected, "{}", label.name);
    }
    let scrape = Scrape::read(&all_told().text(&census()));
    scrape.samples().for_each(assert_closed);
    let told = |name: &str| scrape.family(name).samples.len();
    assert_eq!(told("chart_publisher_attempts"), 7 * 5 * 6);
    assert_eq!(told("chart_publisher_registry_requests"), 11 * 6);
    assert_eq!(told("chart_publisher_registry_request_duration_seconds"), 11 * (11 + 2));
}

#[test]
fn a_time_falls_into_each_bucket_that_it_is_not_above() {
    let metrics = Metrics::default();
    for milliseconds in [4, 60, 700, 700, 400_000] {
        metrics.asked(Stage::SendBlob, Some(201), std::time::Duration::from_millis(milliseconds));
    }
    let scrape = Scrape::read(&metrics.text(&Census::default()));
    let name = "chart_publisher_registry_request_duration_seconds";
    let at = |le: &str| scrape.count(&format!("{name}_bucket"), &[("le", le)]);
    assert_eq!(["0.01", "0.05", "0.1", "0.5", "1.0", "300.0", "+Inf"].map(at), [1, 1, 2, 2, 4, 4, 5]);
    assert_eq!(scrape.count(&format!("{name}_count"), &[("stage", "send-blob")]), 5);
    let sum = scrape.samples().find(|sample| sample.name == format!("{name}_sum")).expect("a sum");
    assert!(sum.value.starts_with("401.46"), "{sum:?}");
}

#[test]
fn what_is_there_no_more_is_told_no_more() {
    let metrics = Metrics::default();
    assert_eq!(Scrape::read(&metrics.text(&census())).count("chart_publisher_publications", &[]), 1);
    assert_eq!(Scrape::read(&metrics.text(&Census::default())).count("chart_publisher_publications", &[]), 0);
}
