//! A way to the API server on which some answers are not its own: refusals, answers that come late, and answers that are lost after what
//! was asked for is done.

use std::{
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use ::http::{Method, Request, Response, header};
use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, combinators::UnsyncBoxBody};
use hyper::{body::Incoming, client, server, service::service_fn};
use hyper_util::rt::TokioIo;
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_rustls::TlsConnector;

use super::support::{Bed, address::Place, background, http};

/// How late a slow answer is.
const HESITATES: Duration = Duration::from_secs(3);

type Body = UnsyncBoxBody<Bytes, io::Error>;

/// What happened on the way.
#[derive(Debug, Default)]
pub struct Counts {
    reads: AtomicUsize,
    writes: AtomicUsize,
    /// Writes that the API server has done, and whose answers arrived.
    pub written: AtomicUsize,
    /// 409 in place of a write.
    pub conflicts: AtomicUsize,
    /// 429 in place of a read or write.
    pub too_many: AtomicUsize,
    /// Requests that were held up.
    pub slow: AtomicUsize,
    /// Writes that were done and whose answers were lost.
    pub lost: AtomicUsize,
    /// Answers and watches of the API server's own that ended in 410.
    pub gone: AtomicUsize,
    /// Requests that found no API server.
    pub unanswered: AtomicUsize,
}

/// What is done with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Passes,
    Conflict,
    TooMany,
    Slow,
    Lost,
}

impl Counts {
    fn fate(&self, request: &Request<Incoming>) -> Fate {
        let is_watch = request.uri().query().is_some_and(|query| query.contains("watch=true"));
        let next = |count: &AtomicUsize| count.fetch_add(1, Ordering::Relaxed) + 1;
        let fate = match *request.method() {
            Method::GET if is_watch => return Fate::Passes,
            Method::GET => match next(&self.reads) {
                number if number.is_multiple_of(10) => Fate::TooMany,
                number if number.is_multiple_of(15) => Fate::Slow,
                _ => Fate::Passes,
            },
            _ => match next(&self.writes) {
                number if number.is_multiple_of(7) => Fate::TooMany,
                number if number.is_multiple_of(9) => Fate::Conflict,
                number if number.is_multiple_of(11) => Fate::Slow,
                number if number.is_multiple_of(13) => Fate::Lost,
                _ => Fate::Passes,
            },
        };
        let count = match fate {
            // What is lost is known once it is done.
            Fate::Passes | Fate::Lost => return fate,
            Fate::Conflict => &self.conflicts,
            Fate::TooMany => &self.too_many,
            Fate::Slow => &self.slow,
        };
        next(count);
        fate
    }

    /// The present value of one of them.
    pub fn of(count: &AtomicUsize) -> usize {
        count.load(Ordering::Relaxed)
    }
}

/// The way. Dropping it ends it.
pub struct TroubledWay {
    _place: Place,
    counts: Arc<Counts>,
    kubeconfig: PathBuf,
    serving: JoinHandle<()>,
}

impl TroubledWay {
    /// One for whoever has this kubeconfig.
    pub fn of(bed: &'static Bed, kubeconfig: &Path) -> Self {
        let mut config: Value = serde_json::from_slice(&fs::read(kubeconfig).expect("a kubeconfig")).expect("the bed writes JSON");
        let cluster = config.pointer_mut("/clusters/0/cluster").expect("a cluster");
        let server = cluster["server"].as_str().and_then(|url| url.strip_prefix("https://")).expect("a URL").parse().expect("an address");
        let authority = BASE64_STANDARD.decode(cluster["certificate-authority-data"].as_str().expect("its CA")).expect("base64");
        let place = bed.place(6443);
        *cluster = json!({"server": format!("http://{}", place.socket())});
        let file = bed.folder("troubled").join("kubeconfig");
        fs::write(&file, config.to_string()).expect("a file in the bed's folder");
        let counts = Arc::<Counts>::default();
        let upstream = Arc::new(Upstream { bed, server, tls: connector(&authority), counts: Arc::clone(&counts) });
        let serving = background::runtime().spawn(serve(place.listen(), upstream));
        Self { _place: place, counts, kubeconfig: file, serving }
    }

    /// The kubeconfig that leads this way.
    pub fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// What has happened so far.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }
}

impl Drop for TroubledWay {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

fn connector(authority: &[u8]) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(CertificateDer::pem_slice_iter(authority).flatten());
    TlsConnector::from(Arc::new(ClientConfig::builder().with_root_certificates(roots).with_no_client_auth()))
}

/// The API server.
struct Upstream {
    bed: &'static Bed,
    server: SocketAddr,
    tls: TlsConnector,
    counts: Arc<Counts>,
}

async fn serve(listener: std::net::TcpListener, upstream: Arc<Upstream>) {
    let listener = TcpListener::from_std(listener).expect("a listener");
    while let Ok((stream, _)) = listener.accept().await {
        let upstream = Arc::clone(&upstream);
        tokio::spawn(async move {
            let service = service_fn(move |request: Request<Incoming>| {
                let upstream = Arc::clone(&upstream);
                async move { upstream.answer(request).await }
            });
            // An answer that is lost ends the connection.
            drop(server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await);
        });
    }
}

impl Upstream {
    async fn answer(&self, request: Request<Incoming>) -> io::Result<Response<Body>> {
        let fate = self.counts.fate(&request);
        match fate {
            Fate::Conflict => return Ok(refusal(409, "Conflict")),
            Fate::TooMany => return Ok(refusal(429, "TooManyRequests")),
            Fate::Slow => tokio::time::sleep(HESITATES).await,
            Fate::Passes | Fate::Lost => {}
        }
        let is_write = request.method() != Method::GET;
        let response = self.send(request).await.inspect_err(|_| {
            self.counts.unanswered.fetch_add(1, Ordering::Relaxed);
        })?;
        if fate == Fate::Lost && response.status().is_success() {
            self.counts.lost.fetch_add(1, Ordering::Relaxed);
            return Err(io::Error::other("the answer is lost"));
        }
        if is_write && response.status().is_success() {
            self.counts.written.fetch_add(1, Ordering::Relaxed);
        }
        let counts = Arc::clone(&self.counts);
        Ok(response.map(|body| {
            let watched = body.map_frame(move |frame| {
                let is_gone = frame.data_ref().is_some_and(|bytes| String::from_utf8_lossy(bytes).contains(r#""code":410"#));
                counts.gone.fetch_add(usize::from(is_gone), Ordering::Relaxed);
                frame
            });
            watched.map_err(io::Error::other).boxed_unsync()
        }))
    }

    async fn send(&self, request: Request<Incoming>) -> io::Result<Response<Incoming>> {
        let stream = http::connect(self.bed.server_namespace(), self.server).await?;
        let stream = self.tls.connect(ServerName::from(self.server.ip()), stream).await?;
        let (mut sender, connection) = client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
        tokio::spawn(connection);
        sender.send_request(request).await.map_err(io::Error::other)
    }
}

/// As the API server refuses.
fn refusal(code: u16, reason: &str) -> Response<Body> {
    let status = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "reason": reason, "code": code,
        "message": "the API server is in trouble", "details": {"retryAfterSeconds": 1},
    });
    let body = Full::new(Bytes::from(status.to_string())).map_err(|never| match never {}).boxed_unsync();
    let response = Response::builder().status(code).header(header::CONTENT_TYPE, "application/json");
    let response = if code == 429 { response.header(header::RETRY_AFTER, "1") } else { response };
    response.body(body).expect("an answer")
}
