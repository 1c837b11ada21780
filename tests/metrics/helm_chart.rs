//! What the Helm chart tells Prometheus of it.

use serde_json::Value;

use super::support;

const CHART: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/charts/chart-publisher");

/// The documents of the chart, rendered with these values.
fn rendered(values: &[&str]) -> Vec<Value> {
    let words = ["helm", "template", "publisher", CHART, "--namespace", "publishing"];
    let words: Vec<&str> = words.into_iter().chain(values.iter().flat_map(|value| ["--set", value])).collect();
    let text = support::on_loopback().run_on_host(&words).expect_success();
    text.split("\n---\n").map(|document| serde_saphyr::from_str::<Value>(document).expect("YAML")).filter(Value::is_object).collect()
}

fn of_kind<'a>(documents: &'a [Value], kind: &str) -> Vec<&'a Value> {
    documents.iter().filter(|document| document["kind"] == kind).collect()
}

#[test]
fn a_pod_monitor_is_there_when_it_is_asked_for_and_finds_the_port_of_the_pod() {
    assert!(of_kind(&rendered(&[]), "PodMonitor").is_empty());
    let values = ["metrics.podMonitor.enabled=true", "metrics.podMonitor.interval=45s", "metrics.podMonitor.labels.release=prometheus"];
    let documents = rendered(&values);
    let (monitors, deployments) = (of_kind(&documents, "PodMonitor"), of_kind(&documents, "Deployment"));
    let ([monitor], [deployment]) = (&monitors[..], &deployments[..]) else { panic!("{documents:?}") };
    assert_eq!(monitor["metadata"]["namespace"], "publishing");
    assert_eq!(monitor["metadata"]["labels"]["release"], "prometheus");
    let [endpoint] = &monitor["spec"]["podMetricsEndpoints"].as_array().expect("endpoints")[..] else { panic!("{monitor}") };
    assert_eq!((&endpoint["path"], &endpoint["interval"]), (&"/metrics".into(), &"45s".into()));
    let pod = &deployment["spec"]["template"];
    let ports = pod["spec"]["containers"][0]["ports"].as_array().expect("ports");
    assert!(ports.iter().any(|port| port["name"] == endpoint["port"]), "{ports:?}");
    let wanted = monitor["spec"]["selector"]["matchLabels"].as_object().expect("labels");
    assert!(!wanted.is_empty() && wanted.iter().all(|(name, value)| pod["metadata"]["labels"][name] == *value), "{wanted:?}");
}
