//! The servers that wrong inputs lead to, and the secrets that must never be seen.

use std::sync::Arc;

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use crate::{
    archives,
    support::{
        Bed,
        address::Place,
        authority::{Authority, Validity},
        firewall::Firewall,
        forward_proxy::ForwardProxy,
        helm_repository::HelmRepository,
        nginx::Site,
        random_word,
        registry::{Registry, Version},
        scripted::{Reply, Scripted},
        token_server::TokenServer,
        web_server::WebServer,
    },
    writes,
};

/// All of them.
pub struct World {
    pub bed: &'static Bed,
    /// A source, with a folder for each case.
    pub charts: Arc<Scripted>,
    /// A source by TLS.
    pub tls_charts: HelmRepository,
    /// Sources whose certificates are wrong.
    pub expired_charts: WebServer,
    pub other_charts: WebServer,
    pub plain: Registry,
    pub basic: Registry,
    pub bearer: Registry,
    pub tls: Registry,
    pub expired: Registry,
    pub other_name: Registry,
    /// Wants a client certificate.
    pub mutual: WebServer,
    pub read_only: Registry,
    /// Its storage has no room.
    pub full: Registry,
    /// Its storage is mounted read-only.
    pub write_protected: Registry,
    /// Before `plain`, with rules of other registries.
    pub ruled: WebServer,
    /// Before `plain`: keeps no manifest.
    pub forgetful: WebServer,
    pub busy: Scripted,
    pub broken: Scripted,
    pub page: Scripted,
    /// Wants a login of whoever asks.
    pub closed: Scripted,
    /// Leads to anybody, by plain HTTP and to port 443.
    pub open_proxy: ForwardProxy,
    /// Leads to anybody.
    pub any_port_proxy: ForwardProxy,
    /// Wants to know who asks.
    pub closed_proxy: ForwardProxy,
    /// Speaks TLS.
    pub secured_proxy: ForwardProxy,
    /// Is no proxy at all.
    pub no_proxy: Scripted,
    /// Nothing listens there.
    pub nobody: Place,
    /// Nothing gets there.
    pub walled: Place,
    _firewall: Firewall,
    tokens: TokenServer,
    /// The authority of all certificates here.
    pub authority: Authority,
    /// The password of `pusher` and `reader`, wherever one is asked for.
    pub password: String,
    /// A password that is wrong everywhere.
    pub wrong_password: String,
    /// Stands in the query of a URL.
    pub query: String,
}

impl World {
    pub async fn create(bed: &'static Bed, version: Version) -> Self {
        let authority = Authority::new("authority of the test").expect("an authority");
        let [password, wrong_password, query] = [(); 3].map(|()| format!("{}{}", random_word(), random_word()));
        let tokens = bed.token_server().user("pusher", &password, &["pull", "push"]).user("reader", &password, &["pull"]).start();
        let walled = bed.place(5000);
        let plain = bed.registry(version).start().await;
        Self {
            charts: Arc::new(bed.scripted(80)),
            tls_charts: bed.helm_repository(&["small-1.2.2"]).tls(&authority).start().await,
            expired_charts: with_certificate(bed, &authority, None, Validity::Expired).await,
            other_charts: with_certificate(bed, &authority, Some("other.example.com"), Validity::Now).await,
            ruled: writes::ruled(bed, plain.socket()).await,
            forgetful: writes::forgetful(bed, plain.socket()).await,
            plain,
            basic: bed.registry(version).basic("pusher", &password).start().await,
            bearer: bed.registry(version).bearer(&tokens).start().await,
            tls: bed.registry(version).tls(&authority, &[]).start().await,
            expired: bed.registry(version).wrong_tls(&authority, &["registry.example.com"], Validity::Expired).start().await,
            other_name: bed.registry(version).wrong_tls(&authority, &["other.example.com"], Validity::Now).start().await,
            mutual: mutual(bed, &authority).await,
            read_only: bed.registry(version).read_only().start().await,
            // Its root and three folders are all that fits: `docker/registry/v2`.
            full: bed.registry(version).storage_on("size=64k,nr_inodes=4").start().await,
            write_protected: bed.registry(version).storage_on("size=64k,ro").start().await,
            busy: saying(bed, Reply::status(429).field("retry-after", "7").body(oci_error("TOOMANYREQUESTS"))),
            broken: saying(bed, Reply::status(503).body(oci_error("UNAVAILABLE"))),
            page: saying(bed, Reply::ok("<html><title>Welcome</title></html>").field("content-type", "text/html")),
            closed: saying(bed, Reply::status(401).field("www-authenticate", "Basic realm=\"archives\"")),
            open_proxy: bed.forward_proxy().tunnels_to(443).start().await,
            any_port_proxy: bed.forward_proxy().start().await,
            closed_proxy: bed.forward_proxy().basic("walker", &password).start().await,
            secured_proxy: bed.forward_proxy().tls(&authority).start().await,
            no_proxy: bed.scripted(3128),
            nobody: bed.place(5000),
            _firewall: bed.drop_at_node(&format!("ip daddr {}", walled.socket().ip())),
            walled,
            bed,
            tokens,
            authority,
            password,
            wrong_password,
            query,
        }
    }

    /// A source that offers `small` 1.0.0 as it should be.
    pub fn good(&self) -> Value {
        let archive = archives::chart("small", "1.0.0");
        self.source("good", archives::index("small", "1.0.0", &archive), archive)
    }

    /// A source in a folder of its own, with this index and this archive.
    pub fn source(&self, folder: &str, index: impl Into<bytes::Bytes>, archive: impl Into<bytes::Bytes>) -> Value {
        self.charts.says(&format!("/{folder}/index.yaml"), Reply::ok(index));
        self.charts.says(&format!("/{folder}/chart.tgz"), Reply::ok(archive));
        json!({"helmRepository": {"url": self.address(folder)}})
    }

    /// An archive in a folder of its own.
    pub fn archive(&self, folder: &str, archive: impl Into<bytes::Bytes>) -> Value {
        self.charts.says(&format!("/{folder}/chart.tgz"), Reply::ok(archive));
        json!({"archive": {"url": format!("{}/chart.tgz", self.address(folder))}})
    }

    /// The address of a folder of the source.
    pub fn address(&self, folder: &str) -> String {
        format!("http://{}/{folder}", self.charts.socket())
    }

    /// The host, with its port, of the token server.
    pub fn token_host(&self) -> &str {
        self.tokens.realm().split('/').nth(2).expect("a realm has a host")
    }

    /// What must not be seen anywhere.
    pub fn secrets(&self) -> Vec<String> {
        let passwords = [&self.password, &self.wrong_password];
        let encoded = passwords
            .iter()
            .flat_map(|password| ["pusher", "reader", "walker"].map(|user| BASE64_STANDARD.encode(format!("{user}:{password}"))));
        let plain = [&self.password, &self.wrong_password, &self.query].map(String::clone);
        // Each token is a JWT, and each of them begins so.
        plain.into_iter().chain(encoded).chain(["eyJ".to_owned(), "PRIVATE KEY".to_owned()]).collect()
    }

    /// What stands in the document for the addresses of one run.
    pub fn names(&self) -> Vec<(String, &'static str)> {
        let tokens = (self.token_host().to_owned(), "tokens.example.com:5001");
        let wrong_charts = [self.expired_charts.socket(), self.other_charts.socket()];
        let charts = [self.charts.socket(), self.tls_charts.socket(), self.nobody.socket()]
            .into_iter()
            .chain(wrong_charts)
            .map(|socket| (socket, "charts.example.com"));
        let registries = [
            &self.plain,
            &self.basic,
            &self.bearer,
            &self.tls,
            &self.expired,
            &self.other_name,
            &self.read_only,
            &self.full,
            &self.write_protected,
        ];
        let scripted = [&self.busy, &self.broken, &self.page].map(Scripted::socket);
        let empty = [self.walled.socket(), self.mutual.socket(), self.ruled.socket(), self.forgetful.socket()];
        let registries =
            registries.map(Registry::socket).into_iter().chain(scripted).chain(empty).map(|socket| (socket, "registry.example.com"));
        let registries = registries.chain([(self.closed.socket(), "archives.example.com")]);
        let proxies = [&self.open_proxy, &self.any_port_proxy, &self.closed_proxy, &self.secured_proxy].map(ForwardProxy::socket);
        let proxies = proxies.into_iter().chain([self.no_proxy.socket()]).map(|socket| (socket, "proxy.example.com"));
        let hosts = charts.chain(registries).chain(proxies).map(|(socket, name)| (socket.ip().to_string(), name));
        let mut names: Vec<_> = hosts.chain([tokens]).collect();
        // No address may be found in a longer one.
        names.sort_by_key(|(found, _)| std::cmp::Reverse(found.len()));
        names
    }
}

/// A server before a registry that wants to know who asks.
async fn mutual(bed: &'static Bed, authority: &Authority) -> WebServer {
    let place = bed.place(5000);
    let file = bed.folder("clients").join("ca.crt");
    std::fs::write(&file, authority.pem()).expect("a file in the bed's folder");
    let identity = authority.server(&[&place.socket().ip().to_string()], Validity::Now).expect("a certificate");
    let directives = format!("ssl_client_certificate {}; ssl_verify_client on;", file.display());
    bed.nginx(place, Site { identity: Some(identity), directives }).await
}

/// A server that shows a certificate for another name, or one that has expired.
async fn with_certificate(bed: &'static Bed, authority: &Authority, name: Option<&str>, validity: Validity) -> WebServer {
    let place = bed.place(443);
    let own = place.socket().ip().to_string();
    let identity = authority.server(&[name.unwrap_or(&own)], validity).expect("a certificate");
    bed.nginx(place, Site { identity: Some(identity), directives: "return 204;".to_owned() }).await
}

fn saying(bed: &'static Bed, reply: Reply) -> Scripted {
    let server = bed.scripted(5000);
    server.says("*", reply);
    server
}

/// What a registry says of itself.
fn oci_error(code: &str) -> String {
    json!({"errors": [{"code": code, "message": "as the test wants it"}]}).to_string()
}
