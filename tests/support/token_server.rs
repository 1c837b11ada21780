//! A token server for registries with `auth: token`: users with Basic credentials, and signed tokens for what they may do.
//!
//! Tokens are JWTs with ES256 and the certificate chain in `x5c`, which distribution 2 and 3 both accept.

use std::{
    collections::BTreeSet,
    convert::Infallible,
    fs,
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, Mutex},
    time::{SystemTime, UNIX_EPOCH},
};

use ::http::{Request, Response, StatusCode, header::AUTHORIZATION};
use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use http_body_util::Full;
use hyper::{
    body::{Bytes, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use rcgen::{CertificateParams, DnType, KeyPair, SigningKey};
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_rustls::TlsAcceptor;

use super::{
    Bed,
    address::Place,
    authority::{Authority, Identity, Validity},
    background, random_word,
};

const SERVICE: &str = "registry";
const ISSUER: &str = "test-bed";

/// A request for a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenRequest {
    /// Who asked; `None` without credentials.
    pub user: Option<String>,
    /// For what.
    pub scopes: Vec<String>,
    /// The status of the answer.
    pub status: u16,
}

struct User {
    name: String,
    password: String,
    actions: BTreeSet<String>,
}

struct Shared {
    users: Vec<User>,
    lifetime: u64,
    key: KeyPair,
    certificate: Vec<u8>,
    requests: Mutex<Vec<TokenRequest>>,
}

/// A token server that is described and not yet started.
#[must_use]
pub struct TokenServerBuilder {
    bed: &'static Bed,
    users: Vec<User>,
    lifetime: u64,
    identity: Option<(Place, Identity)>,
    host: String,
}

/// A running token server. Dropping it ends it.
pub struct TokenServer {
    place: Place,
    realm: String,
    bundle: PathBuf,
    shared: Arc<Shared>,
    serving: JoinHandle<()>,
}

impl Bed {
    /// A token server, so far without users; tokens hold for five minutes.
    pub fn token_server(&'static self) -> TokenServerBuilder {
        TokenServerBuilder {
            bed: self,
            users: Vec::new(),
            lifetime: 300,
            identity: None,
            host: format!("tokens-{}.example", random_word()),
        }
    }
}

impl TokenServerBuilder {
    /// A user, and what they may do: `pull`, `push`, `delete`. Anybody else may do nothing.
    pub fn user(mut self, name: &str, password: &str, actions: &[&str]) -> Self {
        let actions = actions.iter().map(ToString::to_string).collect();
        self.users.push(User { name: name.to_owned(), password: password.to_owned(), actions });
        self
    }

    /// How long tokens hold, in seconds.
    pub fn lifetime(mut self, seconds: u64) -> Self {
        self.lifetime = seconds;
        self
    }

    /// Speaks TLS. Helm wants that of a registry that speaks TLS.
    pub fn tls(mut self, authority: &Authority) -> Self {
        let place = self.bed.place(5001);
        let identity = authority.server(&[&place.socket().ip().to_string(), &self.host], Validity::Now).expect("a certificate");
        self.identity = Some((place, identity));
        self
    }

    /// Starts it.
    pub fn start(self) -> TokenServer {
        let key = KeyPair::generate().expect("a key");
        let mut parameters = CertificateParams::default();
        parameters.distinguished_name.push(DnType::CommonName, "token signer");
        let certificate = parameters.self_signed(&key).expect("a certificate");
        let bundle = self.bed.folder("token-server").join("bundle.pem");
        fs::write(&bundle, certificate.pem()).expect("a file in the bed's folder");
        let (users, lifetime) = (self.users, self.lifetime);
        let shared = Arc::new(Shared { users, lifetime, key, certificate: certificate.der().to_vec(), requests: Mutex::default() });
        let scheme = if self.identity.is_some() { "https" } else { "http" };
        let (place, identity) = self.identity.map_or_else(|| (self.bed.place(5001), None), |(place, identity)| (place, Some(identity)));
        let acceptor = identity.as_ref().map(acceptor);
        // Helm and oras refuse a realm that is the private address of another host than the registry's, but not a name for it.
        self.bed.name(&self.host, place.socket().ip());
        let host = if self.bed.has_nodes() { self.host } else { place.socket().ip().to_string() };
        let realm = format!("{scheme}://{host}:{}/token", place.socket().port());
        let serving = background::runtime().spawn(serve(place.listen(), acceptor, Arc::clone(&shared)));
        TokenServer { place, realm, bundle, shared, serving }
    }
}

fn acceptor(identity: &Identity) -> TlsAcceptor {
    let chain = CertificateDer::pem_slice_iter(identity.certificate.as_bytes()).collect::<Result<_, _>>().expect("PEM");
    let key = PrivateKeyDer::from_pem_slice(identity.key.as_bytes()).expect("PEM");
    let config = ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key).expect("a matching key");
    TlsAcceptor::from(Arc::new(config))
}

impl TokenServer {
    /// Where it listens.
    pub fn socket(&self) -> SocketAddr {
        self.place.socket()
    }

    /// The URL that registries name in their challenges; its host is a name that programs in the cluster resolve.
    pub fn realm(&self) -> &str {
        &self.realm
    }

    /// The requests so far.
    pub fn requests(&self) -> Vec<TokenRequest> {
        self.shared.requests.lock().expect("the list of requests").clone()
    }

    /// What a registry that trusts it has below `auth.token`.
    pub fn registry_configuration(&self) -> Value {
        json!({"realm": self.realm, "service": SERVICE, "issuer": ISSUER, "rootcertbundle": self.bundle})
    }
}

impl Drop for TokenServer {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(listener: std::net::TcpListener, acceptor: Option<TlsAcceptor>, shared: Arc<Shared>) {
    let listener = TcpListener::from_std(listener).expect("a listener");
    while let Ok((stream, _)) = listener.accept().await {
        let (shared, acceptor) = (Arc::clone(&shared), acceptor.clone());
        tokio::spawn(async move {
            let service = service_fn(move |request| std::future::ready(Ok::<_, Infallible>(shared.answer(&request))));
            let builder = http1::Builder::new();
            match acceptor {
                None => drop(builder.serve_connection(TokioIo::new(stream), service).await),
                Some(acceptor) => {
                    if let Ok(stream) = acceptor.accept(stream).await {
                        drop(builder.serve_connection(TokioIo::new(stream), service).await);
                    }
                }
            }
        });
    }
}

impl Shared {
    fn answer(&self, request: &Request<Incoming>) -> Response<Full<Bytes>> {
        let query = request.uri().query().unwrap_or_default();
        let parameters = url::form_urlencoded::parse(query.as_bytes());
        let scopes: Vec<String> = parameters.filter(|(name, _)| name == "scope").map(|(_, value)| value.into_owned()).collect();
        let credentials = request.headers().get(AUTHORIZATION).and_then(|value| basic(value.to_str().ok()?));
        let user = credentials
            .as_ref()
            .and_then(|(name, password)| self.users.iter().find(|user| user.name == *name && user.password == *password));
        let status = if credentials.is_some() && user.is_none() { StatusCode::UNAUTHORIZED } else { StatusCode::OK };
        let asked = TokenRequest { user: credentials.map(|(name, _)| name), scopes: scopes.clone(), status: status.as_u16() };
        self.requests.lock().expect("the list of requests").push(asked);
        let body = if status == StatusCode::OK {
            let token = self.token(user, &scopes);
            json!({"token": token, "access_token": token, "expires_in": self.lifetime})
        } else {
            json!({"errors": [{"code": "UNAUTHORIZED", "message": "authentication required"}]})
        };
        let answer = Response::builder().status(status).header("content-type", "application/json");
        answer.body(Full::new(Bytes::from(body.to_string()))).expect("an answer")
    }

    /// A token for what is asked and allowed: an asked action that is not allowed is left out, as real token servers do.
    fn token(&self, user: Option<&User>, scopes: &[String]) -> String {
        let access: Vec<_> = scopes.iter().flat_map(|scope| scope.split(' ')).filter_map(|scope| granted(user, scope)).collect();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970").as_secs();
        let header = json!({"typ": "JWT", "alg": "ES256", "x5c": [BASE64_STANDARD.encode(&self.certificate)]});
        let claims = json!({
            "iss": ISSUER, "aud": SERVICE, "sub": user.map_or("", |user| &user.name), "jti": random_word(),
            "iat": now, "nbf": now - 10, "exp": now + self.lifetime, "access": access,
        });
        let encode = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", encode(&header), encode(&claims));
        let signature = self.key.sign(signed.as_bytes()).expect("a signature");
        format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(fixed_width(&signature)))
    }
}

fn basic(header: &str) -> Option<(String, String)> {
    let decoded = BASE64_STANDARD.decode(header.strip_prefix("Basic ")?).ok()?;
    let (name, password) = std::str::from_utf8(&decoded).ok()?.split_once(':')?;
    Some((name.to_owned(), password.to_owned()))
}

/// `repository:NAME:ACTION,ACTION`, less what the user may not do.
fn granted(user: Option<&User>, scope: &str) -> Option<Value> {
    let (kind, rest) = scope.split_once(':')?;
    let (name, actions) = rest.rsplit_once(':')?;
    let allowed = |action: &&str| user.is_some_and(|user| user.actions.contains(*action));
    let actions: Vec<_> = actions.split(',').filter(allowed).collect();
    Some(json!({"type": kind, "name": name, "actions": actions}))
}

/// The two numbers of an ECDSA signature, from DER to 32 bytes each, as JWS wants them.
fn fixed_width(der: &[u8]) -> Vec<u8> {
    let mut rest = &der[2..];
    let mut signature = Vec::with_capacity(64);
    for _ in 0..2 {
        let length = usize::from(rest[1]);
        let number = &rest[2..2 + length];
        let number = &number[number.iter().take_while(|byte| **byte == 0).count()..];
        signature.resize(signature.len() + 32 - number.len(), 0);
        signature.extend_from_slice(number);
        rest = &rest[2 + length..];
    }
    signature
}
