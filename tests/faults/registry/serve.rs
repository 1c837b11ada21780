//! Accepts connections of a scripted registry, reads requests, and ends connections the way a quirk wants it.

use std::{
    net::TcpListener as StdListener,
    os::fd::{AsFd, OwnedFd},
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use http::{HeaderMap, Method, Request, Response, Uri, header};
use http_body_util::BodyExt;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

use super::{
    super::{
        Close,
        ledger::{Asked, Entry, Framing},
        quirk::Quirk,
    },
    Shared,
    answer::{self, Body},
    gate,
    path::Place,
};

/// A request that was read whole, or as far as it came.
#[derive(Debug)]
pub struct Question {
    /// The connection that it came by.
    pub connection: usize,
    /// Its number among all requests.
    pub number: usize,
    /// The method.
    pub method: Method,
    /// The target.
    pub uri: Uri,
    /// The header.
    pub headers: HeaderMap,
    /// What its path names.
    pub place: Place,
    /// The body.
    pub body: Vec<u8>,
    /// Whether the body came to its end.
    pub whole: bool,
}

impl Question {
    /// Whether it changes something.
    pub fn writes(&self) -> bool {
        self.place.repository().is_some() && [Method::POST, Method::PUT, Method::PATCH, Method::DELETE].contains(&self.method)
    }

    /// A field, when it is text.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// A parameter of the query, decoded.
    pub fn parameter(&self, name: &str) -> Option<String> {
        let query = self.uri.query()?;
        url::form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }

    /// The host and port that the client asked for.
    pub fn host(&self) -> &str {
        self.field("host").unwrap_or_default()
    }
}

/// Serves until it is aborted; its connections go with it.
pub async fn serve(listener: StdListener, shared: Arc<Shared>) {
    let listener = TcpListener::from_std(listener).expect("a listener");
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        while connections.try_join_next().is_some() {}
        let number = shared.connections.fetch_add(1, Ordering::SeqCst);
        connections.spawn(connection(stream, number, Arc::clone(&shared)));
    }
}

async fn connection(stream: TcpStream, number: usize, shared: Arc<Shared>) {
    let _ = stream.set_nodelay(true);
    let Ok(socket) = stream.as_fd().try_clone_to_owned() else { return };
    let socket = Arc::new(socket);
    let service = service_fn(move |request| {
        let (shared, socket) = (Arc::clone(&shared), Arc::clone(&socket));
        async move { exchange(&shared, number, request).await.map_err(|how| Hangup::prepare(how, &socket)) }
    });
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(Duration::from_mins(1));
    let _ = builder.serve_connection(TokioIo::new(stream), service).await;
}

/// Why a connection ends without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the connection is closed in place of an answer")]
struct Hangup;

impl Hangup {
    fn prepare(how: Close, socket: &OwnedFd) -> Self {
        if how == Close::Reset {
            let _ = socket2::SockRef::from(socket).set_linger(Some(Duration::ZERO));
        }
        Self
    }
}

async fn exchange(shared: &Shared, connection: usize, request: Request<Incoming>) -> Result<Response<Body>, Close> {
    let number = shared.requests.fetch_add(1, Ordering::SeqCst);
    let (head, incoming) = request.into_parts();
    let entry = shared.ledger.begin(asked(connection, &head));
    let (body, whole) = receive(incoming, &entry).await;
    let place = Place::of(head.uri.path());
    let question = Question { connection, number, method: head.method, uri: head.uri, headers: head.headers, place, body, whole };
    if question.writes() && shared.switches.shows(&Quirk::NoAnswer) {
        std::future::pending::<()>().await;
    }
    let mut response = gate::answer(shared, question)?;
    finish(shared, &mut response);
    entry.answer(response.status().as_u16());
    Ok(response)
}

fn asked(connection: usize, head: &http::request::Parts) -> Asked {
    let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let length = head.headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    let framing = if head.headers.contains_key(header::TRANSFER_ENCODING) {
        Framing::Chunked
    } else {
        length.map_or(Framing::Unsaid, Framing::Sized)
    };
    Asked {
        connection,
        method: head.method.to_string(),
        target: head.uri.to_string(),
        fields: head.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect(),
        framing,
        received: 0,
        whole: false,
        status: None,
    }
}

async fn receive(mut incoming: Incoming, entry: &Entry) -> (Vec<u8>, bool) {
    let mut body = Vec::new();
    while let Some(frame) = incoming.frame().await {
        let Ok(frame) = frame else { return (body, false) };
        if let Some(data) = frame.data_ref() {
            entry.receive(data.len());
            body.extend_from_slice(data);
        }
    }
    entry.complete();
    (body, true)
}

/// What every answer has, and what a quirk does to all of them.
fn finish(shared: &Shared, response: &mut Response<Body>) {
    if response.headers().get(header::CONTENT_TYPE).is_none_or(|value| value != "text/html") {
        response.headers_mut().insert("docker-distribution-api-version", http::HeaderValue::from_static("registry/2.0"));
    }
    if response.headers().contains_key("docker-content-digest") && shared.switches.shows(&Quirk::NoDigest) {
        response.headers_mut().remove("docker-content-digest");
    }
    let warning = shared.switches.show(|quirk| if let Quirk::Warning(text) = quirk { Some(text.clone()) } else { None });
    if let Some(value) = warning.and_then(|text| format!("299 - \"{text}\"").parse().ok()) {
        response.headers_mut().append("warning", value);
    }
    if response.status().as_u16() < 400 {
        return;
    }
    let length = shared.switches.show(|quirk| match quirk {
        Quirk::LongErrors(length) => Some(Some(*length)),
        Quirk::EndlessErrors => Some(None),
        _ => None,
    });
    if let Some(length) = length {
        response.headers_mut().remove(header::CONTENT_LENGTH);
        *response.body_mut() = answer::long(length);
    }
}
