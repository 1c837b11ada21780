//! A server that says what a test has written down for each path: a source or registry as nobody would configure it.

use std::{
    collections::HashMap,
    convert::Infallible,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use ::http::{Request, Response};
use http_body_util::Full;
use hyper::{
    body::{Bytes, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpListener, task::JoinHandle};

use super::{Bed, address::Place, background};

/// An answer that is written down.
#[derive(Clone, Debug)]
pub struct Reply {
    status: u16,
    fields: Vec<(&'static str, String)>,
    body: Bytes,
}

impl Reply {
    /// 200 with a body.
    pub fn ok(body: impl Into<Bytes>) -> Self {
        Self { status: 200, fields: Vec::new(), body: body.into() }
    }

    /// Another status, without a body.
    pub fn status(status: u16) -> Self {
        Self { status, fields: Vec::new(), body: Bytes::new() }
    }

    /// With a field of the header.
    pub fn field(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.fields.push((name, value.into()));
        self
    }

    /// With this body.
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }
}

type Replies = Arc<Mutex<HashMap<String, Reply>>>;

/// A running server, by plain HTTP. Dropping it ends it.
pub struct Scripted {
    place: Place,
    replies: Replies,
    serving: JoinHandle<()>,
}

impl Bed {
    /// A server that so far answers 404.
    pub fn scripted(&'static self, port: u16) -> Scripted {
        let place = self.place(port);
        let replies = Replies::default();
        let serving = background::runtime().spawn(serve(place.listen(), Arc::clone(&replies)));
        Scripted { place, replies, serving }
    }
}

impl Scripted {
    /// Where it listens.
    pub fn socket(&self) -> SocketAddr {
        self.place.socket()
    }

    /// From now on it answers so to requests for `path`, whatever their method and query; `*` is every other path.
    pub fn says(&self, path: &str, reply: Reply) {
        self.replies.lock().expect("the replies").insert(path.to_owned(), reply);
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(listener: std::net::TcpListener, replies: Replies) {
    let listener = TcpListener::from_std(listener).expect("a listener");
    while let Ok((stream, _)) = listener.accept().await {
        let replies = Arc::clone(&replies);
        tokio::spawn(async move {
            let service = service_fn(move |request: Request<Incoming>| {
                let answer = answer(&replies, request.uri().path());
                async move { Ok::<_, Infallible>(answer) }
            });
            drop(http1::Builder::new().serve_connection(TokioIo::new(stream), service).await);
        });
    }
}

fn answer(replies: &Replies, path: &str) -> Response<Full<Bytes>> {
    let replies = replies.lock().expect("the replies");
    let reply = replies.get(path).or_else(|| replies.get("*")).cloned().unwrap_or_else(|| Reply::status(404));
    let answer =
        reply.fields.into_iter().fold(Response::builder().status(reply.status), |answer, (name, value)| answer.header(name, value));
    answer.body(Full::new(reply.body)).expect("an answer")
}
