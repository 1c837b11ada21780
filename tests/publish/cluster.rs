//! With a cluster: Services, Secrets and routes are those of the kubeconfig, and nothing is written there.

use std::{net::SocketAddr, path::Path, time::Duration};

use chart_publisher::api::{ChartInventory, ChartPublication};
use kube::api::ListParams;
use serde_json::{Value, json};

use super::{
    printed::{Printed, file, publication, publish, writes},
    support::{
        self,
        eventually::{SOON, eventually},
        exposure::Exposure,
        namespace::Namespace,
        process::{Launch, Process},
        publication::{spec, url_target},
        registry::Version,
    },
};

fn service(name: &str) -> Value {
    json!({"name": "main", "service": {"name": name, "repository": "charts"}, "insecure": true, "secretRef": {"name": "login"}})
}

/// `publish --wait` of these documents, which prints into files of the folder.
fn waits(namespace: &Namespace, folder: &Path, documents: &str, kubeconfig: &str) -> Process {
    let words =
        ["publish", "-f", &file(folder, documents), "-n", namespace.name(), "--kubeconfig", kubeconfig, "--wait", "2m", "-o", "json"];
    let launch = Launch::new(env!("CARGO_BIN_EXE_chart-publisher"), folder.join("log")).separate_errors();
    launch.namespace(namespace.bed.client_namespace()).arguments(words).start().expect("the program")
}

/// What it has printed once it ends with success.
fn succeeds(program: &mut Process, folder: &Path, within: Duration) -> Printed {
    let status = program.wait(within);
    let output = std::fs::read_to_string(folder.join("log")).expect("what it printed");
    assert_eq!(status.and_then(|status| status.code()), Some(0), "{output}");
    serde_json::from_str(&output).expect("JSON")
}

async fn holds_nothing(namespace: &Namespace) {
    let all = ListParams::default();
    assert_eq!(namespace.api::<ChartPublication>().list(&all).await.expect("a list").items.len(), 0);
    assert_eq!(namespace.api::<ChartInventory>().list(&all).await.expect("a list").items.len(), 0);
    assert_eq!(namespace.events_of("boot").await.len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_is_reached_by_its_exposure_and_a_controller_adopts_what_is_there() {
    let Some(bed) = support::with_node() else { return };
    bed.install_crds();
    let namespace = bed.namespace().await;
    let charts = bed.helm_repository(&["small-1.2.2", "umbrella-2.0.0"]).start().await;
    let registry = bed.registry(Version::V3).basic("pusher", "hunter2-secret").start().await;
    namespace.secret("login", &[("username", "pusher"), ("password", "hunter2-secret")]).await;
    namespace.expose("registry", Exposure::NodePort, &[registry.socket()]).await;
    let kubeconfig = bed.information.inner_kubeconfig.display().to_string();
    let flags = ["-o", "json", "-n", namespace.name(), "--kubeconfig", &kubeconfig];
    let spec = spec(&charts.url(), &json!([{"name": "small"}, {"name": "umbrella"}]), &json!([service("registry")]));
    let documents = publication("boot", &spec).to_string();
    let ran = publish(bed, &documents, &flags);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(!format!("{ran:?}").contains("hunter2"), "{ran:?}");
    let printed = Printed::of(&ran);
    let target = &printed.publications[0].targets[0];
    assert_eq!((printed.counts(), target.route.as_deref(), target.method.as_deref()), ([2, 0, 0], Some("NodePort"), Some("Buffered")));
    holds_nothing(&namespace).await;

    let before = registry.requests().len();
    let _controller = namespace.controller(&[]).await;
    namespace.publish("boot", &spec).await;
    let status = namespace.becomes_ready("boot").await.status.expect("a status");
    assert_eq!((status.published.as_deref(), status.route.as_deref()), (Some("2/2"), Some("NodePort")));
    assert_eq!(writes(&registry, before), [], "nothing is sent twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_inside_of_the_cluster_is_taken_from_inside_alone() {
    let Some(bed) = support::with_node() else { return };
    let namespace = bed.namespace().await;
    let charts = bed.helm_repository(&["small-1.2.2"]).start().await;
    let registry = bed.registry(Version::V2).start().await;
    namespace.secret("login", &[("username", "a"), ("password", "b")]).await;
    namespace.expose("registry", Exposure::ClusterIp, &[registry.socket()]).await;
    let kubeconfig = bed.information.inner_kubeconfig.display().to_string();
    let documents = publication("boot", &spec(&charts.url(), &json!([{"name": "small"}]), &json!([service("registry")]))).to_string();
    for (inside, route, counts) in [(&[][..], "Endpoint", [1, 0, 0]), (&["--in-cluster"][..], "ClusterIP", [0, 1, 0])] {
        let flags = [&["-o", "json", "-n", namespace.name(), "--kubeconfig", &kubeconfig], inside].concat();
        let printed = Printed::of(&publish(bed, &documents, &flags));
        assert_eq!((printed.publications[0].targets[0].route.as_deref(), printed.counts()), (Some(route), counts), "{printed:?}");
    }
    // Without a cluster there is no Service: that is said, and nothing is waited for.
    let ran = publish(bed, &documents, &["-o", "json", "--wait", "5m"]);
    let printed = Printed::of(&ran);
    let failure = printed.publications[0].targets[0].failure.as_ref().expect("a failure");
    assert_eq!((ran.code, failure.reason.as_str(), failure.passing), (Some(1), "ServiceNotFound", false));
    assert!(failure.message.contains("--kubeconfig"), "{failure:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_and_a_secret_that_come_later_are_awaited() {
    let Some(bed) = support::with_node() else { return };
    let namespace = bed.namespace().await;
    let charts = bed.helm_repository(&["small-1.2.2"]).start().await;
    let registry = bed.registry(Version::V3).start().await;
    let kubeconfig = bed.information.inner_kubeconfig.display().to_string();
    let documents = publication("boot", &spec(&charts.url(), &json!([{"name": "small"}]), &json!([service("registry")]))).to_string();
    let folder = bed.folder("later");
    let mut program = waits(&namespace, &folder, &documents, &kubeconfig);
    let misses = async |program: &mut Process, reason: &str| {
        eventually(SOON, &format!("it says {reason}"), async || {
            program.still_runs()?;
            let said = std::fs::read_to_string(folder.join("log.errors")).map_err(|error| error.to_string())?;
            if said.contains(reason) { Ok(()) } else { Err(said) }
        })
        .await;
    };
    misses(&mut program, "ServiceNotFound").await;
    namespace.expose("registry", Exposure::NodePort, &[registry.socket()]).await;
    misses(&mut program, "SecretInvalid").await;
    namespace.secret("login", &[("username", "a"), ("password", "b")]).await;
    // A Secret is looked at every half a minute.
    let printed = succeeds(&mut program, &folder, 2 * SOON);
    assert_eq!((printed.counts(), printed.publications[0].targets[0].route.as_deref()), ([1, 0, 0], Some("NodePort")));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_server_that_comes_later_is_awaited_and_said_once() {
    let Some(bed) = support::with_node() else { return };
    let namespace = bed.namespace().await;
    let charts = bed.helm_repository(&["small-1.2.2"]).start().await;
    let registry = bed.registry(Version::V3).start().await;
    namespace.secret("login", &[("username", "a"), ("password", "b")]).await;
    namespace.expose("registry", Exposure::NodePort, &[registry.socket()]).await;
    let documents = publication("boot", &spec(&charts.url(), &json!([{"name": "small"}]), &json!([service("registry")]))).to_string();
    let folder = bed.folder("later-api-server");
    let place = bed.place(6443);
    let away = place.socket();
    let api_server = another_address(&bed.information.inner_kubeconfig, &folder.join("kubeconfig"), away);
    let mut program = waits(&namespace, &folder, &documents, &folder.join("kubeconfig").display().to_string());
    let said = || std::fs::read_to_string(folder.join("log.errors")).unwrap_or_default();
    eventually(SOON, "it says what it waits for", async || {
        program.still_runs()?;
        if said().contains("; tried again while `--wait` lasts") { Ok(()) } else { Err(said()) }
    })
    .await;
    let sentence = format!("chart-publisher: the API server `https://{away}` could not be asked: ");
    assert!(said().starts_with(&sentence) && said().contains("onnection refused"), "{}", said());
    let _way = bed.slow_path_at(place, api_server, 10 << 20);
    let printed = succeeds(&mut program, &folder, SOON);
    assert_eq!((printed.counts(), said().matches("tried again").count()), ([1, 0, 0], 1), "{}", said());
}

/// Writes the kubeconfig with another address of its API server, and returns the one that it had.
fn another_address(kubeconfig: &Path, other: &Path, address: SocketAddr) -> SocketAddr {
    let text = std::fs::read_to_string(kubeconfig).expect("the bed's kubeconfig");
    let mut kubeconfig: Value = serde_json::from_str(&text).expect("the bed writes JSON");
    let cluster = kubeconfig.pointer_mut("/clusters/0/cluster").expect("the bed's cluster");
    let server = cluster["server"].as_str().and_then(|server| server.strip_prefix("https://")).expect("an address");
    let before: SocketAddr = server.parse().expect("address and port");
    cluster["server"] = format!("https://{address}").into();
    cluster["tls-server-name"] = before.ip().to_string().into();
    std::fs::write(other, kubeconfig.to_string()).expect("a file in the bed's folder");
    before
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_cluster_the_secret_of_a_source_is_read_and_not_dockers_file() {
    let Some(bed) = support::with_node() else { return };
    let namespace = bed.namespace().await;
    let charts = bed.helm_repository(&["small-1.2.2"]).basic("reader", "hunter2-secret").start().await;
    let registry = bed.registry(Version::V3).start().await;
    let docker = bed.folder("docker").join("config.json");
    let source = json!({"helmRepository": {"url": charts.url(), "secretRef": {"name": "read"}}});
    let spec = json!({"source": source, "charts": [{"name": "small"}], "targets": [url_target(registry.socket(), "charts")]});
    let documents = publication("boot", &spec).to_string();
    let kubeconfig = bed.information.inner_kubeconfig.display().to_string();
    let docker_config = docker.display().to_string();
    let flags = ["-o", "json", "-n", namespace.name(), "--kubeconfig", &kubeconfig, "--docker-config", &docker_config];
    for (of_secret, of_file, reason) in [("wrong", "secret", Some("SourceUnauthorized")), ("secret", "wrong", None)] {
        namespace.secret("read", &[("username", "reader"), ("password", &format!("hunter2-{of_secret}"))]).await;
        let logins = json!({"auths": {charts.socket().to_string(): {"username": "reader", "password": format!("hunter2-{of_file}")}}});
        std::fs::write(&docker, logins.to_string()).expect("a file in the bed's folder");
        let ran = publish(bed, &documents, &flags);
        assert!(!format!("{ran:?}").contains("hunter2"), "{ran:?}");
        let printed = Printed::of(&ran);
        let failure = printed.publications[0].failures.first();
        assert_eq!(failure.map(|failure| failure.reason.as_str()), reason, "{printed:?}");
        assert!(failure.is_none_or(|failure| failure.message.ends_with("/read`")), "{failure:?}");
        assert_eq!(ran.code, Some(i32::from(reason.is_some())), "{printed:?}");
    }
}
