//! Who asks, and whom it trusts: nobody, Basic, tokens, private authorities, client certificates; and who does not learn of it.

use serde_json::{Value, json};

use super::{
    scene::{ANYWHERE, Scene, lines, push, spec},
    support::{
        self, Bed,
        authority::{Authority, Validity},
        namespace::Namespace,
        nginx::Site,
        publication::ready,
        registry::{Registry, Version},
        web_server::WebServer,
    },
};

const CHART: &str = "small-1.2.2";

/// Publishes the chart from `from` with more fields of the source, and compares what crane finds.
async fn is_copied(namespace: &Namespace, name: &str, source: Value, to: &Registry) {
    let mut spec = spec(to.socket(), &json!([{"name": "small"}]), to.socket());
    spec["source"] = json!({"oci": source});
    spec["targets"][0]["url"] = json!(format!("oci://{}/{name}", to.socket()));
    namespace.publish(name, &spec).await;
    let status = namespace.becomes_ready(name).await.status.expect("a status");
    assert_eq!(status.published.as_deref(), Some("1/1"), "{name}");
    let version = &status.targets[0].versions[0];
    assert_eq!(super::scene::crane(namespace.bed, &["digest", &format!("{}/{name}/small:1.2.2", to.socket())]), version.digest, "{name}");
}

/// Has helm push the chart, as somebody.
fn push_as(bed: &Bed, registry: &Registry, user: &str, password: &str) {
    let (archive, address) = (bed.chart(CHART).display().to_string(), format!("oci://{}/upstream", registry.socket()));
    let words = ["helm", "push", "--plain-http", "--username", user, "--password", password, &archive, &address];
    bed.run_in_pod(&words).expect_success();
}

#[tokio::test]
async fn basic_and_tokens_are_shown_as_the_registry_asks_and_tokens_are_for_reading_alone() {
    let bed = support::shared();
    bed.install_crds();
    let (namespace, to) = (bed.namespace().await, bed.registry(Version::V3).start().await);
    let _controller = namespace.controller(&ANYWHERE).await;
    namespace.secret("reader", &[("username", "reader"), ("password", "secret")]).await;
    for version in Version::ALL {
        let basic = bed.registry(version).basic("reader", "secret").start().await;
        push_as(bed, &basic, "reader", "secret");
        let source = json!({"url": format!("oci://{}/upstream", basic.socket()), "insecure": true, "secretRef": {"name": "reader"}});
        let name = format!("{version:?}").to_lowercase();
        is_copied(&namespace, &format!("basic-{name}"), source, &to).await;
        let refusals = lines(basic.requests()).iter().filter(|line| line.ends_with(" 401")).count();
        assert_eq!(refusals, 1, "the credential is kept for all that follows");

        let config = json!({"auths": {basic.socket().to_string(): {"username": "reader", "password": "secret"}}}).to_string();
        let docker = format!("docker-{name}");
        let secret = json!({
            "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/dockerconfigjson", "metadata": {"name": docker},
            "stringData": {".dockerconfigjson": config},
        });
        namespace.apply::<k8s_openapi::api::core::v1::Secret>(secret).await;
        let source = json!({"url": format!("oci://{}/upstream", basic.socket()), "insecure": true, "secretRef": {"name": docker}});
        is_copied(&namespace, &docker, source, &to).await;

        let tokens = bed.token_server().user("reader", "secret", &["pull"]).user("pusher", "secret", &["pull", "push"]).start();
        let bearer = bed.registry(version).bearer(&tokens).start().await;
        push_as(bed, &bearer, "pusher", "secret");
        let before = tokens.requests().len();
        let host = tokens.realm().split('/').nth(2).expect("a realm has a host");
        let url = format!("oci://{}/upstream", bearer.socket());
        let source = json!({"url": url, "insecure": true, "secretRef": {"name": "reader"}, "allowedHosts": [host]});
        is_copied(&namespace, &format!("bearer-{name}"), source, &to).await;
        let asked: Vec<_> = tokens.requests().split_off(before);
        let scopes: Vec<_> = asked.iter().map(|request| (request.user.as_deref(), request.scopes.clone())).collect();
        assert_eq!(scopes, [(Some("reader"), vec!["repository:upstream/small:pull".to_owned()])], "one token, for reading");
        namespace.run_again(&format!("bearer-{name}")).await;
        assert_eq!(tokens.requests().len(), before + 1, "and it serves the next run");
    }
}

#[tokio::test]
async fn private_authorities_are_trusted_and_client_certificates_shown() {
    let bed = support::shared();
    bed.install_crds();
    let (namespace, to) = (bed.namespace().await, bed.registry(Version::V2).start().await);
    let _controller = namespace.controller(&ANYWHERE).await;
    let authority = Authority::new("authority of the test").expect("an authority");
    let plain = bed.registry(Version::V3).start().await;
    push(bed, &bed.chart(CHART), &format!("oci://{}/upstream", plain.socket()));
    namespace.secret("authority", &[("ca.crt", &authority.pem())]).await;
    let client = authority.client("reader").expect("a certificate");
    namespace.secret("client", &[("ca.crt", &authority.pem()), ("tls.crt", &client.certificate), ("tls.key", &client.key)]).await;
    let file = bed.folder("clients").join("ca.crt");
    std::fs::write(&file, authority.pem()).expect("a file in the bed's folder");
    let before = |directives: &str| {
        let (place, directives) = (bed.place(5000), directives.to_owned());
        let identity = authority.server(&[&place.socket().ip().to_string()], Validity::Now).expect("a certificate");
        let directives = format!("{directives} location / {{ proxy_pass http://{}; proxy_set_header Host $http_host; }}", plain.socket());
        bed.nginx(place, Site { identity: Some(identity), directives })
    };
    let tls = before("").await;
    let mutual = before(&format!("ssl_client_certificate {}; ssl_verify_client on;", file.display())).await;
    for (name, server, secret) in [("tls", &tls, "authority"), ("mutual", &mutual, "client")] {
        let url = format!("oci://{}/upstream", server.socket());
        is_copied(&namespace, name, json!({"url": url, "certSecretRef": {"name": secret}}), &to).await;
    }
}

/// What asks for a login before it hands requests to the registry that is read, but for those that `elsewhere` leads on.
async fn front(scene: &Scene, elsewhere: &str) -> WebServer {
    let bed = scene.bed();
    let (place, login) = (bed.place(5000), bed.login_directives("reader", "secret"));
    let handed_on = format!("location / {{ {login} proxy_pass http://{}; proxy_set_header Host $http_host; }}", scene.from.socket());
    bed.nginx(place, Site { identity: None, directives: format!("{handed_on}\n{elsewhere}") }).await
}

#[tokio::test]
async fn blobs_on_a_storage_host_are_fetched_there_and_it_learns_nothing() {
    let scene = Scene::create(Version::V3, Version::V3).await;
    let bed = scene.bed();
    scene.push(&[&bed.chart(CHART)]);
    let storage = bed.recorder(scene.from.socket());
    let elsewhere = format!("location ~ /blobs/ {{ return 307 http://{}$request_uri?signature=1; }}", storage.socket());
    let front = front(&scene, &elsewhere).await;
    scene.namespace.secret("reader", &[("username", "reader"), ("password", "secret")]).await;
    let _controller = scene.namespace.controller(&ANYWHERE).await;
    let source = json!({"url": format!("oci://{}/upstream", front.socket()), "insecure": true, "secretRef": {"name": "reader"}});
    is_copied(&scene.namespace, "stored", source, &scene.to).await;
    let heads = storage.heads();
    assert_eq!(heads.len(), 1, "the archive; its config is what helm makes of it: {heads:?}");
    for head in heads {
        assert!(head.target.contains("/blobs/sha256:") && head.target.ends_with("?signature=1"), "{head:?}");
        assert_eq!((head.field("authorization"), head.field("cookie")), (None, None), "{head:?}");
    }
    let known = lines(front.requests());
    assert!(known.iter().any(|line| line == "GET /v2/upstream/small/manifests/1.2.2 200"), "{known:?}");
}

/// As `registry.k8s.io` does (kubernetes/registry.k8s.io, `cmd/archeio/docs/request-handling.md`).
#[tokio::test]
async fn a_registry_that_leads_to_another_one_is_followed_there_and_that_one_learns_nothing() {
    let scene = Scene::create(Version::V3, Version::V3).await;
    let bed = scene.bed();
    scene.push(&[&bed.chart(CHART)]);
    let upstream = bed.recorder(scene.from.socket());
    let elsewhere = format!("location ~ ^/v2/mirror/(.*)$ {{ return 307 http://{}/v2/upstream/$1$is_args$args; }}", upstream.socket());
    let front = front(&scene, &elsewhere).await;
    scene.namespace.secret("reader", &[("username", "reader"), ("password", "secret")]).await;
    let _controller = scene.namespace.controller(&ANYWHERE).await;
    let source = json!({"url": format!("oci://{}/mirror", front.socket()), "insecure": true, "secretRef": {"name": "reader"}});
    is_copied(&scene.namespace, "led", source, &scene.to).await;
    scene.namespace.run_again("led").await;
    let heads = upstream.heads();
    let lists = heads.iter().filter(|head| head.target.starts_with("/v2/upstream/small/tags/list")).count();
    assert!(lists >= 2 && heads.iter().any(|head| head.target.ends_with("/manifests/1.2.2")), "{heads:?}");
    assert!(heads.iter().all(|head| (head.field("authorization"), head.field("cookie")) == (None, None)), "{heads:?}");
}

#[tokio::test]
async fn a_source_on_loopback_is_not_dialled_unless_the_administrator_allows_it() {
    let bed = support::shared();
    bed.install_crds();
    let (namespace, to) = (bed.namespace().await, bed.registry(Version::V3).start().await);
    let _controller = namespace.controller(&[]).await;
    let mut spec = spec(to.socket(), &json!([{"name": "small"}]), to.socket());
    spec["source"]["oci"]["url"] = json!("oci://127.0.0.1:9/upstream");
    namespace.publish("inward", &spec).await;
    let status = namespace.becomes("inward", "it is refused", |status| ready(status) == "False SourceUnreachable").await.status;
    let message = support::publication::condition(&status.expect("a status"), "Ready").expect("a condition").message.clone();
    assert!(message.contains("it is a loopback address") && message.contains("`--allow-address`"), "{message}");
}
