//! The test bed itself: what it promises to the tests that use it.
#![cfg(test)]

#[expect(dead_code, reason = "each test uses a part of the bed")]
mod support;

use serde_json::json;
use support::{
    authority::Authority,
    exposure::Exposure,
    http,
    registry::{Version, repository},
};

#[tokio::test]
async fn registries_of_both_versions_answer_behind_every_exposure() {
    let Some(bed) = support::with_node() else { return };
    for version in Version::ALL {
        let namespace = bed.namespace().await;
        let registry = bed.registry(version).start().await;
        for exposure in Exposure::ALL {
            let name = format!("registry-{exposure:?}").to_lowercase();
            let exposed = namespace.expose(&name, exposure, &[registry.socket()]).await;
            let answer = http::get(bed.client_namespace(), exposed.socket, "registry", "/v2/").await.expect("an answer");
            assert_eq!(answer.status, 200, "{version:?} {exposure:?}");
        }
        assert!(registry.requests().iter().filter(|request| request.line() == "GET /v2/ 200").count() >= 4);
    }
}

#[tokio::test]
async fn helm_pushes_and_crane_and_oras_pull_through_a_node_port() {
    let Some(bed) = support::with_node() else { return };
    let namespace = bed.namespace().await;
    for version in Version::ALL {
        let registry = bed.registry(version).start().await;
        let exposed = namespace.expose(&format!("{version:?}").to_lowercase(), Exposure::NodePort, &[registry.socket()]).await;
        let repository = repository();
        let chart = bed.chart("large-3.0.0").display().to_string();
        let target = format!("oci://{}/{repository}", exposed.socket);
        bed.run_in_pod(&["helm", "push", "--plain-http", &chart, &target]).expect_success();
        let reference = format!("{}/{repository}/large:3.0.0", exposed.socket);
        let manifest = bed.run_in_pod(&["crane", "--insecure", "manifest", &reference]).expect_success();
        assert!(manifest.contains("application/vnd.cncf.helm.chart.content.v1.tar+gzip"), "{manifest}");
        let tags = bed.run_in_pod(&["oras", "repo", "tags", "--plain-http", reference.rsplit_once(':').unwrap().0]).expect_success();
        assert_eq!(tags.trim(), "3.0.0");
    }
}

#[tokio::test]
async fn node_ports_answer_on_both_nodes_and_counters_see_them() {
    let Some(bed) = support::with_node() else { return };
    let namespace = bed.namespace().await;
    let registry = bed.registry(Version::V3).start().await;
    let exposed = namespace.expose("registry", Exposure::NodePort, &[registry.socket()]).await;
    let (first, mut second) = (exposed.socket, exposed.socket);
    second.set_ip(bed.networks().second_node_address.into());
    let connects = |to: std::net::SocketAddr| format!("ip daddr {} tcp dport {} tcp flags syn / syn,ack", to.ip(), to.port());
    let (at_first, at_second) = (bed.count_from_pod(&connects(first)), bed.count_at_node(&bed.networks().second_node, &connects(second)));
    support::eventually::eventually(support::eventually::SOON, "the second node answers", async || {
        http::get(bed.client_namespace(), second, "registry", "/v2/").await
    })
    .await;
    assert_eq!(at_first.packets(), 0);
    assert!(at_second.packets() >= 1);
    http::get(bed.client_namespace(), first, "registry", "/v2/").await.expect("an answer");
    assert_eq!(at_first.packets(), 1);
}

#[tokio::test]
async fn registries_ask_for_passwords_and_tokens_and_speak_tls() {
    let bed = support::shared();
    let authority = Authority::new("test").expect("an authority");
    let tokens = bed.token_server().user("pusher", "secret", &["pull", "push"]).tls(&authority).start();
    let chart = bed.chart("small-1.2.3+4").display().to_string();
    let file = bed.folder("authority").join("ca.crt");
    std::fs::write(&file, authority.pem()).expect("a file");
    let file = file.display().to_string();
    for version in Version::ALL {
        let basic = bed.registry(version).basic("pusher", "secret").tls(&authority, &["registry.example"]).start().await;
        let bearer = bed.registry(version).bearer(&tokens).tls(&authority, &[]).start().await;
        for registry in [&basic, &bearer] {
            let target = format!("oci://{}/{}", registry.socket(), repository());
            let push = ["helm", "push", "--ca-file", &file, "--username", "pusher", &chart, &target, "--password"];
            let wrong = bed.run_in_pod(&[&push[..], &["wrong"]].concat());
            assert!(!wrong.success, "{version:?} takes a wrong password");
            bed.run_in_pod(&[&push[..], &["secret"]].concat()).expect_success();
            assert!(registry.requests().iter().any(|request| request.method == "PUT" && request.status == 201));
        }
        let named = http::get_tls(bed.client_namespace(), basic.socket(), "registry.example", "/v2/", &authority.pem()).await;
        assert_eq!(named.expect("an answer").status, 401);
    }
    let pushers = tokens.requests().into_iter().filter(|request| request.user.as_deref() == Some("pusher") && request.status == 200);
    assert!(pushers.count() >= 2);
}

#[tokio::test]
async fn the_ingress_refuses_bodies_over_its_limit_and_logs_the_host() {
    let Some(bed) = support::with_node() else { return };
    let namespace = bed.namespace().await;
    let registry = bed.registry(Version::V3).start().await;
    namespace.expose("registry", Exposure::ClusterIp, &[registry.socket()]).await;
    let host = format!("{}.example", support::random_word());
    let ingress = namespace.ingress("registry", &host, "registry", registry.socket()).start().await;
    let push = |chart: &str, host: &str| {
        let target = format!("oci://{host}/charts");
        bed.run_in_pod(&["helm", "push", "--plain-http", &bed.chart(chart).display().to_string(), &target])
    };
    assert!(!push("small-1.2.2", &ingress.socket().to_string()).success, "another host leads nowhere");
    push("small-1.2.2", &host).expect_success();
    assert!(!push("large-3.0.0", &host).success);
    // nginx writes its line of a refused body once it has done with the connection.
    support::eventually::eventually(support::eventually::SOON, "both are logged with their host", async || {
        let requests = ingress.requests();
        let logged = |status: u16| requests.iter().any(|request| request.host.as_deref() == Some(&*host) && request.status == status);
        if logged(201) && logged(413) { Ok(()) } else { Err(format!("{requests:?}")) }
    })
    .await;
}

#[tokio::test]
async fn another_ingress_takes_bodies_of_any_size_by_tls() {
    let Some(bed) = support::with_node() else { return };
    let namespace = bed.namespace().await;
    let authority = Authority::new("test").expect("an authority");
    let registry = bed.registry(Version::V3).start().await;
    namespace.expose("registry", Exposure::ClusterIp, &[registry.socket()]).await;
    let host = format!("{}.example", support::random_word());
    let ingress = namespace.ingress("registry", &host, "registry", registry.socket()).haproxy().tls(&authority).start().await;
    let file = bed.folder("authority").join("ca.crt");
    std::fs::write(&file, authority.pem()).expect("a file");
    let (file, chart, target) =
        (file.display().to_string(), bed.chart("large-3.0.0").display().to_string(), format!("oci://{host}/charts"));
    bed.run_in_pod(&["helm", "push", "--ca-file", &file, &chart, &target]).expect_success();
    let puts: Vec<_> = ingress.requests().into_iter().filter(|request| request.method == "PUT" && request.status == 201).collect();
    assert!(puts.iter().any(|request| request.received.is_some_and(|bytes| bytes > 6_000_000)), "{puts:?}");
    assert!(puts.iter().all(|request| request.host.as_deref() == Some(&*host)), "{puts:?}");
}

#[tokio::test]
async fn a_service_changes_its_type_and_its_endpoints_move() {
    let Some(bed) = support::with_node() else { return };
    let namespace = bed.namespace().await;
    let first = bed.registry(Version::V2).start().await;
    let second = bed.registry(Version::V3).start().await;
    for exposure in [Exposure::NodePort, Exposure::ClusterIp, Exposure::LoadBalancer, Exposure::NodePort] {
        namespace.expose("registry", exposure, &[first.socket()]).await;
    }
    let before = second.requests().len();
    let moved = namespace.expose("registry", Exposure::NodePort, &[second.socket()]).await;
    support::eventually::eventually(support::eventually::SOON, "the endpoint moves", async || {
        http::get(bed.client_namespace(), moved.socket, "registry", "/v2/").await?;
        if second.requests().len() > before { Ok(()) } else { Err("the first one answers".to_owned()) }
    })
    .await;
}

#[tokio::test]
async fn helm_pulls_from_the_helm_repository() {
    let bed = support::shared();
    let authority = Authority::new("test").expect("an authority");
    let folder = bed.folder("pulled");
    let file = folder.join("ca.crt");
    std::fs::write(&file, authority.pem()).expect("a file");
    let (file, destination) = (file.display().to_string(), folder.display().to_string());
    let open = bed.helm_repository(&["small-1.2.2", "small-1.2.3+4", "umbrella-2.0.0", "large-3.0.0"]).start().await;
    bed.run_in_pod(&["helm", "pull", "--repo", &open.url(), "umbrella", "--destination", &destination]).expect_success();
    let closed = bed.helm_repository(&["large-3.0.0"]).basic("reader", "secret").tls(&authority).start().await;
    let pull = ["helm", "pull", "--repo", &closed.url(), "large", "--destination", &destination, "--ca-file", &file];
    assert!(!bed.run_in_pod(&pull).success);
    bed.run_in_pod(&[&pull[..], &["--username", "reader", "--password", "secret"]].concat()).expect_success();
    let same = |name: &str| {
        std::fs::read(folder.join(name)).expect("pulled") == std::fs::read(bed.information.charts.join(name)).expect("packaged")
    };
    assert!(same("large-3.0.0.tgz") && same("umbrella-2.0.0.tgz"));
    assert!(closed.requests().iter().any(|request| request.line() == "GET /index.yaml 401"));
}

#[tokio::test]
async fn the_recorder_keeps_every_head() {
    let bed = support::shared();
    let registry = bed.registry(Version::V2).start().await;
    let recorder = bed.recorder(registry.socket());
    let target = format!("oci://{}/charts", recorder.socket());
    bed.run_in_pod(&["helm", "push", "--plain-http", &bed.chart("large-3.0.0").display().to_string(), &target]).expect_success();
    let heads = recorder.heads();
    let count = |method: &str| heads.iter().filter(|head| head.method == method).count();
    let logged = registry.requests();
    for method in ["POST", "PUT", "HEAD"] {
        assert_eq!(count(method), logged.iter().filter(|request| request.method == method).count(), "{method}: {heads:?}");
    }
}

#[tokio::test]
async fn tokens_of_a_service_account_are_not_the_administrator() {
    let bed = support::shared();
    let namespace = bed.namespace().await;
    namespace
        .apply::<k8s_openapi::api::core::v1::ServiceAccount>(
            json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "controller"}}),
        )
        .await;
    let kubeconfig = namespace.kubeconfig_of("controller").await.display().to_string();
    let may =
        |verb: &str| bed.run_in_pod(&["kubectl", "--kubeconfig", &kubeconfig, "auth", "can-i", verb, "secrets"]).output.trim().to_owned();
    assert_eq!(may("list"), "no");
}

#[tokio::test]
async fn the_controller_runs_with_the_rights_of_its_chart_and_ends_when_told_to() {
    let bed = support::shared();
    let namespace = bed.namespace().await;
    let controller = namespace.controller(&[]).await;
    let (status, took, log) = controller.stop();
    assert!(status.is_some_and(|status| status.success()), "{status:?} after {took:?}:\n{log}");
    assert!(took < std::time::Duration::from_secs(10), "{took:?}");
}
