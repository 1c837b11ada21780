//! Each source by each kind of proxy, under names that only the proxy can resolve: what is published came by it.

use serde_json::{Value, json};

use super::{
    scene::{ANYWHERE, LOGIN, message, names_proxy, spec},
    support::{
        self, Bed,
        address::Place,
        authority::{Authority, Validity},
        helm_repository::HelmRepository,
        nginx::Site,
        publication::ready,
        random_word,
        registry::{Registry, Version},
        token_server::TokenServer,
        web_server::WebServer,
    },
};

const CHART: &str = "small-1.2.2";

/// A source, and what the proxy is asked for on its way.
struct Row {
    name: &'static str,
    source: Value,
    asked: Vec<String>,
}

/// The servers, by the names that only they know of each other.
struct Servers {
    authority: Authority,
    charts: HelmRepository,
    registry: Registry,
    tokens: TokenServer,
    _web: WebServer,
    _front: WebServer,
    /// Of `charts`, of `_web` before its files, of `registry`, and of `_front` before a second one.
    names: [String; 4],
    _open: Registry,
}

impl Servers {
    async fn create(bed: &'static Bed) -> Self {
        let authority = Authority::new("authority of the sources").expect("an authority");
        let names = ["plain", "secured", "registry", "front"].map(|kind| format!("{kind}-{}.example", random_word()));
        let charts = bed.helm_repository(&[CHART]).start().await;
        let tokens = bed.token_server().user("reader", "secret", &["pull"]).user("pusher", "secret", &["pull", "push"]).start();
        let (registry, open) = (bed.registry(Version::V3).bearer(&tokens).start().await, bed.registry(Version::V2).start().await);
        push(bed, &registry, &["--username", "pusher", "--password", "secret"]);
        push(bed, &open, &[]);
        let elsewhere = charts.site().join("elsewhere");
        std::fs::create_dir(&elsewhere).expect("a folder of the site");
        let index = std::fs::read_to_string(charts.site().join("index.yaml")).expect("an index");
        let index = index.replace(&format!("- {CHART}.tgz"), &format!("- https://{}/{CHART}.tgz", names[1]));
        std::fs::write(elsewhere.join("index.yaml"), index).expect("a file of the site");
        let files = format!("root {}; location /moved/ {{ return 302 /{CHART}.tgz; }}", charts.site().display());
        let web = secured(bed, bed.place(443), &authority, &names[1], files).await;
        let passed = format!("location / {{ proxy_pass http://{}; proxy_set_header Host $http_host; }}", open.socket());
        let front = secured(bed, bed.place(443), &authority, &names[3], passed).await;
        for (name, socket) in names.iter().zip([charts.socket(), web.socket(), registry.socket(), front.socket()]) {
            bed.name_for_servers(name, socket.ip());
        }
        Self { authority, charts, registry, tokens, _web: web, _front: front, names, _open: open }
    }

    fn rows(&self) -> Vec<Row> {
        let [plain, secured, registry, front] = &self.names;
        let (port, ca) = (self.registry.socket().port(), json!({"name": "ca"}));
        assert_eq!(self.charts.socket().port(), 80);
        let realm = self.tokens.realm().split('/').nth(2).expect("a realm has a host");
        let strings = |lines: &[String]| lines.to_vec();
        vec![
            Row {
                name: "repository",
                source: json!({"helmRepository": {"url": format!("http://{plain}")}}),
                asked: strings(&[format!("GET http://{plain}/index.yaml"), format!("GET http://{plain}/{CHART}.tgz")]),
            },
            Row {
                name: "secured-repository",
                source: json!({"helmRepository": {"url": format!("https://{secured}"), "certSecretRef": ca}}),
                asked: strings(&[format!("CONNECT {secured}:443")]),
            },
            Row {
                name: "chart-elsewhere",
                source: json!({"helmRepository": {"url": format!("http://{plain}/elsewhere"), "certSecretRef": ca}}),
                asked: strings(&[format!("GET http://{plain}/elsewhere/index.yaml"), format!("CONNECT {secured}:443")]),
            },
            Row {
                name: "archive",
                source: json!({"archive": {"url": format!("http://{plain}/{CHART}.tgz")}}),
                asked: strings(&[format!("GET http://{plain}/{CHART}.tgz"), format!("GET http://{plain}/{CHART}.tgz.prov")]),
            },
            Row {
                name: "moved-archive",
                source: json!({"archive": {"url": format!("https://{secured}/moved/chart.tgz"), "certSecretRef": ca}}),
                asked: strings(&[format!("CONNECT {secured}:443")]),
            },
            Row {
                name: "registry",
                source: json!({"oci": {
                    "url": format!("oci://{registry}:{port}/upstream"), "insecure": true, "secretRef": {"name": "reader"},
                    "allowedHosts": [realm],
                }}),
                asked: strings(&[
                    format!("GET http://{registry}:{port}/v2/upstream/small/tags/list"),
                    format!("GET {}?", self.tokens.realm()),
                    format!("GET http://{registry}:{port}/v2/upstream/small/manifests/1.2.2"),
                ]),
            },
            Row {
                name: "secured-registry",
                source: json!({"oci": {"url": format!("oci://{front}/upstream"), "certSecretRef": ca}}),
                asked: strings(&[format!("CONNECT {front}:443")]),
            },
        ]
    }
}

/// An nginx by TLS, under this name alone.
async fn secured(bed: &'static Bed, place: Place, authority: &Authority, name: &str, directives: String) -> WebServer {
    let identity = authority.server(&[name], Validity::Now).expect("a certificate");
    bed.nginx(place, Site { identity: Some(identity), directives }).await
}

fn push(bed: &Bed, registry: &Registry, login: &[&str]) {
    let (archive, address) = (bed.chart(CHART).display().to_string(), format!("oci://{}/upstream", registry.socket()));
    bed.run_in_pod(&[&["helm", "push", "--plain-http"], login, &[&archive, &address]].concat()).expect_success();
}

#[tokio::test(flavor = "multi_thread")]
async fn each_source_is_asked_by_its_proxy_and_so_is_all_that_it_names() {
    let Some(bed) = support::with_node() else { return };
    bed.install_crds();
    let (namespace, to, servers) = (bed.namespace().await, bed.registry(Version::V3).start().await, Servers::create(bed).await);
    let of_proxy = Authority::new("authority of the proxy").expect("an authority");
    namespace.secret("ca", &[("ca.crt", &servers.authority.pem())]).await;
    namespace.secret("reader", &[("username", "reader"), ("password", "secret")]).await;
    let open = bed.forward_proxy().start().await;
    let closed = bed.forward_proxy().basic(LOGIN.0, LOGIN.1).start().await;
    let secured = bed.forward_proxy().basic(LOGIN.0, LOGIN.1).tls(&of_proxy).start().await;
    names_proxy(&namespace, "open", &open, None, None).await;
    names_proxy(&namespace, "closed", &closed, Some(LOGIN), None).await;
    names_proxy(&namespace, "secured", &secured, Some(LOGIN), Some(&of_proxy.pem())).await;
    let _controller = namespace.controller(&ANYWHERE).await;
    for proxy in ["open", "closed", "secured"] {
        for Row { name, mut source, .. } in servers.rows() {
            let member = source.as_object_mut().and_then(|source| source.values_mut().next()).expect("a member");
            member["proxySecretRef"] = json!({"name": proxy});
            let publication = format!("{name}-{proxy}");
            namespace.publish(&publication, &spec(&source, &to, &publication)).await;
        }
    }
    for (name, proxy) in [("open", &open), ("closed", &closed), ("secured", &secured)] {
        for Row { name: source, asked, .. } in servers.rows() {
            let publication = format!("{source}-{name}");
            let status = namespace.becomes_ready(&publication).await.status.expect("a status");
            assert_eq!(status.published.as_deref(), Some("1/1"), "{publication}");
            let heard = proxy.asked();
            for line in asked {
                assert!(heard.iter().any(|heard| heard.starts_with(&line)), "{publication}: {line} is not in {heard:#?}");
            }
        }
    }
    namespace.publish("direct", &spec(&servers.rows().remove(0).source, &to, "direct")).await;
    let failed = namespace.becomes("direct", "it finds nobody", |status| ready(status) == "False SourceUnreachable").await;
    assert!(message(failed.status).contains("could not be resolved"), "without a proxy the name leads nowhere");
}
