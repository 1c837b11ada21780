//! Sources and registries that are given secrets, with those who write down what they were given.

use std::{fs, net::SocketAddr, path::PathBuf};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use super::{
    archives,
    planted::{Planted, word},
    support::{
        Bed,
        authority::{Authority, Identity, Validity},
        helm_repository::HelmRepository,
        nginx::Site,
        recorder::Recorder,
        registry::{Registry, Version},
        scripted::{Reply, Scripted},
        token_server::TokenServer,
        web_server::WebServer,
    },
};

/// The user everywhere, but at the command line.
pub const USER: &str = "publisher";
/// The user of the command line, at the token service.
pub const TYPIST: &str = "typist";

/// A server, and what it was asked before that.
pub struct Heard<S> {
    pub recorder: Recorder,
    // Behind the one that leads there.
    pub server: S,
}

impl<S> Heard<S> {
    fn new(bed: &'static Bed, server: S, socket: SocketAddr) -> Self {
        Self { recorder: bed.recorder(socket), server }
    }

    pub fn address(&self) -> String {
        self.recorder.socket().to_string()
    }
}

/// All passwords and queries.
pub struct Words {
    pub source: String,
    pub basic: String,
    pub wrong: String,
    pub docker: String,
    pub tokens: String,
    pub typed: String,
    pub echoed: String,
    pub index: String,
    pub chart: String,
    pub redirect: String,
    pub state: String,
    pub user_information: String,
    pub source_token: String,
    pub passed: String,
}

/// All servers.
pub struct Servers {
    pub bed: &'static Bed,
    pub words: Words,
    pub authority: Authority,
    pub source_client: Identity,
    pub registry_client: Identity,
    /// Wants a password.
    pub charts: Heard<HelmRepository>,
    /// Has queries in its addresses.
    pub links: Heard<Scripted>,
    /// Where redirects lead.
    pub store: Recorder,
    /// Wants a client certificate.
    pub known_charts: WebServer,
    pub basic: Heard<Registry>,
    pub docker: Heard<Registry>,
    pub bearer: Heard<Registry>,
    pub tokens: Heard<TokenServer>,
    /// Wants a client certificate.
    pub known: Registry,
    /// Says in its errors what it was given.
    pub echo: Heard<Scripted>,
    /// Opens uploads, and takes none.
    pub half: Heard<Scripted>,
    /// What is refused before anybody is given it.
    pub refused: Vec<Planted>,
}

impl Servers {
    pub async fn start(bed: &'static Bed) -> Self {
        let words = Words {
            source: word(),
            basic: word(),
            wrong: word(),
            docker: word(),
            tokens: word(),
            typed: word(),
            echoed: word(),
            index: word(),
            chart: word(),
            redirect: word(),
            state: word(),
            user_information: word(),
            source_token: word(),
            passed: word(),
        };
        let authority = Authority::new("authority of the test").expect("an authority");
        let client = |name: &str| authority.client(name).expect("a certificate");
        let (source_client, registry_client) = (client("reader"), client("publisher"));
        let charts = bed.helm_repository(&["small-1.2.2"]).basic(USER, &words.source).start().await;
        let links = Heard::of_script(bed);
        let tokens = bed.token_server().user(USER, &words.tokens, &["pull", "push"]).user(TYPIST, &words.typed, &["pull", "push"]).start();
        let tokens_at = tokens.socket();
        let tokens = Heard::new(bed, tokens, tokens_at);
        let realm = json!({"realm": format!("http://{}/token", tokens.address())});
        let bearer = bed.registry(Version::V3).bearer(&tokens.server).setting("/auth/token", realm).start().await;
        let refused = vec![Planted::new("user information of a URL", &words.user_information)];
        let servers = Self {
            charts: heard(bed, charts, HelmRepository::socket),
            store: bed.recorder(links.server.socket()),
            known_charts: known_charts(bed, &authority).await,
            basic: heard(bed, bed.registry(Version::V3).basic(USER, &words.basic).start().await, Registry::socket),
            docker: heard(bed, bed.registry(Version::V2).basic(USER, &words.docker).start().await, Registry::socket),
            bearer: heard(bed, bearer, Registry::socket),
            known: known(bed, &authority).await,
            echo: Heard::of_script(bed),
            half: Heard::of_script(bed),
            bed,
            words,
            authority,
            source_client,
            registry_client,
            links,
            tokens,
            refused,
        };
        servers.write_links();
        servers.write_registries();
        servers
    }

    /// Addresses with queries, those that work and those that do not.
    fn write_links(&self) {
        let (links, words) = (&self.links, &self.words);
        let archive = archives::chart("small", "1.0.0");
        let index = |url: &str| archives::index("small", "1.0.0", &archive).replace("[chart.tgz]", &format!("[\"{url}\"]"));
        let redirect = |path: &str| {
            let location = format!("http://{}/{path}?X-Amz-Signature={}", self.store.socket(), words.redirect);
            Reply::status(302).field("location", location)
        };
        let says = |path: &str, reply: Reply| links.server.says(path, reply);
        // Another host than that of the index.
        says("/passed/index.yaml", Reply::ok(index(&format!("http://{}/stored.tgz", self.store.socket()))));
        for folder in ["good", "lost"] {
            let chart = format!("http://{}/{folder}/small.tgz?sig={}", links.address(), words.chart);
            says(&format!("/{folder}/index.yaml"), Reply::ok(index(&chart)));
        }
        says("/good/small.tgz", redirect("stored.tgz"));
        says("/stored.tgz", Reply::ok(archive.clone()));
        says("/lost/small.tgz", redirect("nothing.tgz"));
        says("/gone/index.yaml", Reply::status(500).body(format!("no such token: {}", words.index)));
        let secret = &words.user_information;
        says("/named/index.yaml", Reply::ok(index(&format!("http://{USER}:{secret}@{}9999/small.tgz", links.address()))));
    }

    fn write_registries(&self) {
        let words = &self.words;
        let pair = BASE64_STANDARD.encode(format!("{USER}:{}", words.echoed));
        let said = format!("the password {} of {USER} (Authorization: Basic {pair}) is not known", words.echoed);
        let errors = json!({"errors": [{"code": "UNAUTHORIZED", "message": said}]}).to_string();
        self.echo.server.says("*", Reply::status(401).field("www-authenticate", "Basic realm=\"echo\"").body(errors));
        let uploads = "/v2/charts/small/blobs/uploads/";
        let upload = format!("{uploads}1?_state={}", words.state);
        let nothing = json!({"errors": [{"code": "NAME_UNKNOWN", "message": "repository name not known"}]}).to_string();
        self.half.server.says("/v2/charts/small/tags/list", Reply::status(404).body(nothing));
        self.half.server.says("/v2/", Reply::ok("{}"));
        for path in [uploads, "/v2/charts/chart-publisher-probe/blobs/uploads/"] {
            self.half.server.says(path, Reply::status(202).field("location", upload.clone()));
        }
        self.half.server.says(&format!("{uploads}1"), Reply::status(500).body(format!("cannot write {upload}")));
    }

    /// A Helm repository below [`Servers::links`], with the query of its address.
    pub fn link(&self, folder: &str) -> Value {
        json!({"helmRepository": {"url": format!("http://{}/{folder}?token={}", self.links.address(), self.words.index)}})
    }

    /// Docker's configuration for one registry.
    pub fn docker_configuration(address: &str, password: &str) -> String {
        let auth = BASE64_STANDARD.encode(format!("{USER}:{password}"));
        json!({"auths": {address: {"auth": auth}}}).to_string()
    }
}

impl Heard<Scripted> {
    fn of_script(bed: &'static Bed) -> Self {
        heard(bed, bed.scripted(80), Scripted::socket)
    }
}

fn heard<S>(bed: &'static Bed, server: S, socket: impl Fn(&S) -> SocketAddr) -> Heard<S> {
    let at = socket(&server);
    Heard::new(bed, server, at)
}

fn clients(bed: &'static Bed, authority: &Authority) -> PathBuf {
    let file = bed.folder("clients").join("ca.crt");
    fs::write(&file, authority.pem()).expect("a file in the bed's folder");
    file
}

/// A Helm repository for those who have a certificate.
async fn known_charts(bed: &'static Bed, authority: &Authority) -> WebServer {
    let (place, site) = (bed.place(443), bed.folder("site"));
    let archive = archives::chart("small", "1.0.0");
    fs::write(site.join("index.yaml"), archives::index("small", "1.0.0", &archive)).expect("a file in the bed's folder");
    fs::write(site.join("chart.tgz"), archive).expect("a file in the bed's folder");
    let identity = authority.server(&[&place.socket().ip().to_string()], Validity::Now).expect("a certificate");
    let clients = clients(bed, authority);
    let directives = format!("root {}; ssl_client_certificate {}; ssl_verify_client on;", site.display(), clients.display());
    bed.nginx(place, Site { identity: Some(identity), directives }).await
}

/// A registry for those who have a certificate.
async fn known(bed: &'static Bed, authority: &Authority) -> Registry {
    let clients = json!({"clientcas": [clients(bed, authority)]});
    bed.registry(Version::V3).tls(authority, &[]).setting("/http/tls", clients).start().await
}
