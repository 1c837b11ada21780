//! The servers that ask who is there: nginx before the files of a Helm repository, and distribution.

use std::{fs, net::SocketAddr, path::Path};

use serde_json::json;

use super::support::{
    Bed,
    authority::{Authority, Validity},
    helm_repository::HelmRepository,
    namespace::Namespace,
    nginx::Site,
    random_word,
    registry::{Registry, Version},
    token_server::TokenServer,
    web_server::WebServer,
};

pub const CHART: &str = "small-1.2.2";

/// Web servers, one for each login.
pub struct Web {
    pub open: HelmRepository,
    pub basic: HelmRepository,
    pub bearer: WebServer,
    pub mutual: WebServer,
}

/// Registries, one for each login.
pub struct Registries {
    pub open: Registry,
    pub basic: Registry,
    pub bearer: Registry,
    pub mutual: Registry,
    pub tokens: TokenServer,
}

/// All of them, and what they take.
pub struct Servers {
    pub web: Web,
    pub registries: Registries,
    password: String,
    wrong_password: String,
    token: String,
    wrong_token: String,
}

impl Servers {
    /// Starts them, and writes the Secrets with what is right and what is wrong.
    pub async fn create(namespace: &Namespace) -> Self {
        let bed = namespace.bed;
        let [password, wrong_password, token, wrong_token] = [(); 4].map(|()| format!("{}{}", random_word(), random_word()));
        let [authority, others] =
            ["authority of the servers", "authority of others"].map(|name| Authority::new(name).expect("an authority"));
        let file = bed.folder("clients").join("ca.crt");
        fs::write(&file, authority.pem()).expect("a file in the bed's folder");
        let servers = Self {
            web: web(bed, &authority, &file, &password, &token).await,
            registries: registries(bed, &authority, &file, &password).await,
            password,
            wrong_password,
            token,
            wrong_token,
        };
        servers.write(namespace, &authority, &others).await;
        servers
    }

    async fn write(&self, namespace: &Namespace, authority: &Authority, others: &Authority) {
        let [own, foreign] = [authority, others].map(|authority| authority.client("reader").expect("a certificate"));
        let authority = authority.pem();
        for (name, entries) in [
            ("login", vec![("username", "reader"), ("password", &*self.password)]),
            ("wrong-login", vec![("username", "reader"), ("password", &*self.wrong_password)]),
            ("nobodys-login", vec![("username", "nobody"), ("password", &*self.password)]),
            ("token", vec![("bearerToken", &*self.token)]),
            ("wrong-token", vec![("bearerToken", &*self.wrong_token)]),
            ("authority", vec![("ca.crt", &*authority)]),
            ("certificate", vec![("ca.crt", &*authority), ("tls.crt", &*own.certificate), ("tls.key", &*own.key)]),
            ("wrong-certificate", vec![("ca.crt", &*authority), ("tls.crt", &*foreign.certificate), ("tls.key", &*foreign.key)]),
        ] {
            namespace.secret(name, &entries).await;
        }
    }

    /// What must not be seen anywhere.
    pub fn secrets(&self) -> Vec<String> {
        let words = [&self.password, &self.wrong_password, &self.token, &self.wrong_token].map(String::clone);
        words.into_iter().chain(["eyJ".to_owned(), "PRIVATE KEY".to_owned()]).collect()
    }
}

async fn web(bed: &'static Bed, authority: &Authority, clients: &Path, password: &str, token: &str) -> Web {
    let open = bed.helm_repository(&[CHART]).start().await;
    let root = format!("root {};", open.site().display());
    let bearer = format!("{root} if ($http_authorization != \"Bearer {token}\") {{ return 401; }}");
    let bearer = Site { identity: None, directives: bearer };
    let place = bed.place(443);
    let identity = authority.server(&[&place.socket().ip().to_string()], Validity::Now).expect("a certificate");
    let directives = format!("{root} ssl_client_certificate {}; ssl_verify_client on;", clients.display());
    let mutual = bed.nginx(place, Site { identity: Some(identity), directives }).await;
    Web {
        basic: bed.helm_repository(&[CHART]).basic("reader", password).start().await,
        bearer: bed.nginx(bed.place(80), bearer).await,
        mutual,
        open,
    }
}

async fn registries(bed: &'static Bed, authority: &Authority, clients: &Path, password: &str) -> Registries {
    let tokens = bed.token_server().user("reader", password, &["pull"]).user("nobody", password, &[]).start();
    let open = bed.registry(Version::V3).start().await;
    let (archive, address) = (bed.chart(CHART).display().to_string(), format!("oci://{}/upstream", open.socket()));
    bed.run_in_pod(&["helm", "push", "--plain-http", &archive, &address]).expect_success();
    let all = Registries {
        basic: bed.registry(Version::V2).basic("reader", password).start().await,
        bearer: bed.registry(Version::V3).bearer(&tokens).start().await,
        mutual: bed.registry(Version::V3).tls(authority, &[]).setting("/http/tls", json!({"clientcas": [clients]})).start().await,
        open,
        tokens,
    };
    for other in [&all.basic, &all.bearer, &all.mutual] {
        let (from, to) = (format!("{}/.", all.open.storage().display()), other.storage().display().to_string());
        bed.run_on_host(&["cp", "-a", &from, &to]).expect_success();
    }
    all
}

/// `http://…` of a server.
pub fn plain(socket: SocketAddr) -> String {
    format!("http://{}", without_port(socket, 80))
}

/// `https://…` of a server.
pub fn by_tls(socket: SocketAddr) -> String {
    format!("https://{}", without_port(socket, 443))
}

fn without_port(socket: SocketAddr, usual: u16) -> String {
    if socket.port() == usual { socket.ip().to_string() } else { socket.to_string() }
}

/// A message with names in place of what differs from run to run: addresses on the bed's bridge, and names of token services.
pub fn general(message: &str, namespace: &str) -> String {
    let message = message.replace(namespace, "team");
    let is_of_registry = message.starts_with("`oci://");
    let mut general = String::new();
    let mut rest = message.as_str();
    while let Some(at) = rest.find("10.90.") {
        let end = rest[at..].find(|c: char| !c.is_ascii_digit() && c != '.').map_or(rest.len(), |length| at + length);
        let name = if is_of_registry { "registry.example.com" } else { "charts.example.com" };
        general += &rest[..at];
        general += name;
        rest = &rest[end..];
    }
    general += rest;
    match general.find("tokens-") {
        Some(at) => format!("{}tokens{}", &general[..at], &general[at + "tokens-".len() + 8..]),
        None => general,
    }
}
