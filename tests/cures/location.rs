//! A registry that names an address of its own which leads nowhere: the settings that the message names.

use serde_json::{Value, json};

use super::{
    documented, fails, has, is_cured,
    sentence::{pointer, quoted_after, setting},
    spec,
    support::{
        self,
        exposure::Exposure,
        registry::Version::{self, V2, V3},
    },
    target,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_settings_that_the_message_names_lead_uploads_home() {
    futures::future::join(Box::pin(check("location-2", V2)), Box::pin(check("location", V3))).await;
}

async fn check(name: &str, version: Version) {
    let Some(bed) = support::with_node() else { return };
    let namespace = bed.namespace().await;
    let source = bed.helm_repository(&["large-3.0.0"]).start().await;
    let _controller = namespace.controller(&[]).await;
    let astray = json!({"host": "http://proxy.example.com/registry/"});
    let mut registry = bed.registry(version).setting("/http", astray).start().await;
    let exposed = namespace.expose(name, Exposure::NodePort, &[registry.socket()]).await;

    namespace.publish(name, &spec(&source.url(), &["large"], &target(name, &json!({})))).await;
    let (publication, message) = fails(&namespace, name, "LocationRefused").await;
    let nodes = &publication.status.as_ref().expect("a status").targets[0].attempts[0].address.clone().expect("addresses");
    let mut nodes: Vec<String> = nodes.split(", ").map(str::to_owned).collect();
    let cluster_ip = exposed.service.spec.as_ref().and_then(|spec| spec.cluster_ip.clone()).expect("a ClusterIP");
    let mut names = vec![
        (source.url(), "http://charts.example.com"),
        (nodes.remove(0), "10.0.0.11:30500"),
        (nodes.remove(0), "10.0.0.12:30500"),
        (format!("{cluster_ip}:5000"), "10.96.0.7:5000"),
        (registry.socket().to_string(), "10.244.0.9:5000"),
    ];
    names.push((format!("port {}", exposed.socket.port()), "port 30500"));
    if version == V3 {
        documented(&namespace, "location-before", &names);
    }

    let (set, value) = setting(quoted_after(&message, "In distribution, set "));
    let taken_out = quoted_after(&message, "and take ");
    let value: Value = serde_json::from_str(value).expect("a value");
    registry
        .change(|configuration| {
            let (set, taken_out) = (pointer(set), pointer(taken_out));
            let (section, key) = set.rsplit_once('/').expect("a section");
            configuration.pointer_mut(section).expect("a section")[key] = value;
            let (section, key) = taken_out.rsplit_once('/').expect("a section");
            let section = configuration.pointer_mut(section).and_then(Value::as_object_mut).expect("a section");
            assert!(section.remove(key).is_some(), "{taken_out} was set");
        })
        .await;

    is_cured(&namespace, name, "NodePort").await;
    assert!(has(&registry, "large/manifests/3.0.0"));
    if version == V3 {
        documented(&namespace, "location-after", &names);
    }
}
