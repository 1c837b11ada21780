//! One connection in use: requests go out and answers come back, one after the other, and silence has an end.

use std::{
    error::Error as _,
    net::SocketAddr,
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};

use bytes::Bytes;
use futures::FutureExt;
use http::{Request, Response, StatusCode, response};
use http_body_util::BodyExt;
use hyper::{
    body::Incoming,
    client::conn::{http1, http2},
};
use tokio::{
    task::JoinHandle,
    time::{Instant, sleep, sleep_until},
};

use super::{
    NetError, OpenBody, Patience, Proxy, TlsFailure, TunnelError, WatchedBody,
    body::Progress,
    error::found_in,
    handshake::tls_failure,
    stream::Meter,
    transport::{Key, Pool},
    unacknowledged::Ends,
};
use crate::model::{Origin, Scheme};

/// A body below this rate over a whole `stall` counts as stopped: a server that sends a byte a second would otherwise hold a worker for days.
const SLOWEST_BYTES_PER_SECOND: u64 = 64;

/// What buffers of this program and the kernel take for a connection whose other side is gone: where more of a body went out, somebody
/// took it, and sending it again into the same session would be wrong.
const MOST_SWALLOWED: u64 = 512 * 1024;

/// A connection that was answered on is ready at once; one that is not has bytes of the request before that nobody takes.
const LONGEST_TO_BE_READY: Duration = Duration::from_secs(1);

/// Where requests go in, by the protocol that was agreed upon.
pub(super) enum Sender {
    Http1(http1::SendRequest<WatchedBody>),
    Http2(http2::SendRequest<WatchedBody>),
}

impl Sender {
    fn is_closed(&self) -> bool {
        match self {
            Self::Http1(sender) => sender.is_closed(),
            Self::Http2(sender) => sender.is_closed(),
        }
    }

    async fn ready(&mut self) -> hyper::Result<()> {
        match self {
            Self::Http1(sender) => sender.ready().await,
            Self::Http2(sender) => sender.ready().await,
        }
    }

    async fn send(&mut self, request: Request<WatchedBody>, scheme: Scheme) -> hyper::Result<Response<Incoming>> {
        match self {
            Self::Http1(sender) => sender.send_request(request).await,
            // The one of the two that is seldom taken does not make the other one larger.
            Self::Http2(sender) => Box::pin(sender.send_request(absolute(request, scheme))).await,
        }
    }
}

/// HTTP/2 says scheme and host beside the path, and not in `Host` (RFC 9113, section 8.3.1).
fn absolute(mut request: Request<WatchedBody>, scheme: Scheme) -> Request<WatchedBody> {
    let mut parts = request.uri().clone().into_parts();
    let host = request.headers_mut().remove(http::header::HOST);
    parts.authority = host.and_then(|host| host.to_str().ok()?.parse().ok());
    parts.scheme = scheme.as_str().parse().ok();
    if let Ok(uri) = http::Uri::from_parts(parts) {
        *request.uri_mut() = uri;
    }
    request
}

/// A connection.
pub(super) struct Connection {
    sender: Sender,
    driver: Driver,
    meter: Arc<Meter>,
    /// Nothing where it is a tunnel.
    ends: Option<Ends>,
}

/// Ends the task that drives a connection: one whose write is stuck would never end by itself.
pub(super) struct Driver {
    task: JoinHandle<hyper::Result<()>>,
    /// Why it has ended, once that was asked.
    why: Option<NetError>,
}

impl Driver {
    pub(super) fn of(task: JoinHandle<hyper::Result<()>>) -> Self {
        Self { task, why: None }
    }

    /// For a connection that ended before a request of ours was taken: the server spoke first, or hung up.
    async fn why_it_ended(&mut self, host: &str) -> NetError {
        if let Some(why) = &self.why {
            return why.clone();
        }
        let ended = (&mut self.task).await;
        let why = ended.ok().and_then(Result::err).map_or(NetError::Cut { sent: 0 }, |error| ended_early(&error, host));
        self.why.insert(why).clone()
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Connection {
    pub(super) fn new(sender: Sender, driver: JoinHandle<hyper::Result<()>>, meter: Arc<Meter>, ends: Option<Ends>) -> Self {
        Self { sender, driver: Driver::of(driver), meter, ends }
    }

    pub(super) fn is_open(&self) -> bool {
        !self.sender.is_closed() && !self.driver.task.is_finished() && !self.meter.is_broken()
    }
}

/// A connection that is leased. When it is dropped between two exchanges, it goes back to the pool.
pub struct Lease {
    connection: Option<Connection>,
    key: Key,
    pool: Arc<Pool>,
    total: Arc<AtomicU64>,
    reused: bool,
    idle: bool,
    /// The proxy that it goes by.
    proxy: Option<Arc<Proxy>>,
}

/// An answer whose body is still to be read.
pub struct Answered {
    /// Status and headers.
    pub head: response::Parts,
    /// Bytes of the request's body that HTTP had taken when the answer came.
    pub sent: u64,
    /// Whether the connection that the request was to go over was found closed, and another one was made for it.
    pub was_stale: bool,
    body: Incoming,
    patience: Patience,
    received: u64,
    window: (Instant, u64),
    /// When bytes of the body came last.
    last: Instant,
    whole_request_was_sent: bool,
    lease: Lease,
}

impl Lease {
    pub(super) fn new(connection: Connection, key: Key, pool: Arc<Pool>, total: Arc<AtomicU64>, reused: bool) -> Self {
        Self { connection: Some(connection), key, pool, total, reused, idle: true, proxy: None }
    }

    /// The same by `proxy`.
    pub(super) fn by(mut self, proxy: Option<Arc<Proxy>>) -> Self {
        self.proxy = proxy;
        self
    }

    /// The proxy that is asked itself: inside of a tunnel it hears nothing.
    fn asked(&self) -> Option<Arc<Proxy>> {
        self.proxy.clone().filter(|_| self.key.origin().scheme == Scheme::Http)
    }

    /// Who is on the other side; nothing where that is the end of a tunnel.
    pub fn peer(&self) -> Option<SocketAddr> {
        self.connection.as_ref()?.ends.map(|ends| ends.peer)
    }

    /// Whether it is one to `origin`.
    pub fn leads_to(&self, origin: &Origin) -> bool {
        self.key.origin() == origin
    }

    /// Whether it speaks HTTP/2.
    pub fn is_http2(&self) -> bool {
        self.connection.as_ref().is_some_and(|connection| matches!(connection.sender, Sender::Http2(_)))
    }

    /// Whether another exchange may go over it.
    pub fn is_usable(&self) -> bool {
        self.idle && self.connection.as_ref().is_some_and(Connection::is_open)
    }

    /// Sends `request` with `body` and waits for the head of the answer.
    ///
    /// Every body has its length in the head; `Content-Length` is set by the caller's method and by [`OpenBody::length`].
    ///
    /// # Errors
    /// [`NetError::StaleConnection`] when an idle connection was closed before anything of an answer came: once more over another one
    /// is safe for what this program sends.
    pub async fn send(mut self, head: http::request::Parts, body: &dyn OpenBody, patience: Patience) -> Result<Answered, NetError> {
        let reused = std::mem::replace(&mut self.reused, true);
        self.idle = false;
        let length = body.length();
        let asked = self.asked();
        let head = match &asked {
            None => head,
            Some(proxy) => proxy.addressed(head, self.key.origin()),
        };
        let (watched, progress) = WatchedBody::new(body.open(0), self.total.clone());
        let result = self.exchange(Request::from_parts(head, watched), &progress, length, patience).await;
        let response = match result {
            Ok(response) => response,
            Err(error) => {
                // Bytes that come unasked over a kept connection are the rest of something earlier.
                let is_end = matches!(error, NetError::Cut { .. } | NetError::Tunnel(_) | NetError::NotHttp { .. } | NetError::Tls { .. });
                let stale = reused && is_end && progress.handed_over() <= MOST_SWALLOWED;
                return Err(if stale { NetError::StaleConnection } else { error });
            }
        };
        let (head, body) = response.into_parts();
        // A 401 may be the server's own.
        if let Some(proxy) = asked.filter(|_| head.status == StatusCode::PROXY_AUTHENTICATION_REQUIRED)
            && let Some(failure) = proxy.login_failure(head.status)
        {
            return Err(failure);
        }
        let sent = progress.handed_over();
        let last = Instant::now();
        let window = (last, 0);
        Ok(Answered {
            head,
            sent,
            was_stale: false,
            body,
            patience,
            received: 0,
            window,
            last,
            whole_request_was_sent: sent >= length,
            lease: self,
        })
    }

    async fn exchange(
        &mut self,
        request: Request<WatchedBody>,
        progress: &Progress,
        length: u64,
        patience: Patience,
    ) -> Result<Response<Incoming>, NetError> {
        let Origin { scheme, host, .. } = self.key.origin();
        let connection = self.connection.as_mut().ok_or(NetError::StaleConnection)?;
        connection.meter.touch();
        // What was taken of an earlier request may be stuck for ever: after an early answer the other side need not read it.
        let is_ready = tokio::select! {
            ready = connection.sender.ready() => ready.is_ok(),
            () = connection.meter.broken() => return Err(NetError::Cut { sent: 0 }),
            () = sleep(patience.stall.min(LONGEST_TO_BE_READY)) => return Err(NetError::Cut { sent: 0 }),
        };
        if !is_ready {
            return Err(connection.driver.why_it_ended(host).await);
        }
        let answer = connection.sender.send(request, *scheme);
        tokio::pin!(answer);
        loop {
            let deadline = connection.meter.last_write() + patience.stall;
            let answered = tokio::select! {
                biased;
                result = &mut answer => Some(result),
                // Of a request that is handed over in the moment in which the connection ends, nothing may be heard any more.
                why = connection.driver.why_it_ended(host) => Some((&mut answer).now_or_never().ok_or(why)?),
                () = sleep_until(deadline) => None,
            };
            match answered {
                None if connection.meter.last_write() + patience.stall > Instant::now() => {}
                None => {
                    let sent = progress.handed_over();
                    let after = patience.stall;
                    let seen = match connection.ends {
                        Some(ends) => ends.unacknowledged().await,
                        None => None,
                    };
                    return Err(if sent < length {
                        NetError::WriteStalled { sent, after, seen }
                    } else {
                        NetError::NoAnswer { after, seen }
                    });
                }
                // It ended before it took the request: the reason lies with the request, else with the driver.
                Some(Err(error)) if error.is_canceled() => {
                    return Err(match error.source().and_then(|source| source.downcast_ref::<hyper::Error>()) {
                        Some(cause) => ended_early(cause, host),
                        // Nothing, or words: that it was closed before.
                        None => connection.driver.why_it_ended(host).await,
                    });
                }
                Some(result) => return result.map_err(|error| named(&error, progress, host)),
            }
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if self.is_usable()
            && let Some(connection) = self.connection.take()
        {
            self.pool.give_back(self.key.clone(), connection);
        }
        if let Some(connection) = self.connection.as_ref().filter(|_| !self.idle) {
            connection.meter.give_up();
        }
    }
}

impl Answered {
    /// The next bytes of the answer's body; nothing at its end.
    ///
    /// # Errors
    /// [`NetError::ReadStalled`], [`NetError::AnswerSlow`], [`NetError::FramingBroken`] and [`NetError::AnswerCut`].
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, NetError> {
        loop {
            let deadline = self.window.0 + self.patience.stall;
            let frame = tokio::select! {
                frame = self.body.frame() => frame,
                () = sleep_until(deadline) => {
                    let after = self.patience.stall;
                    if self.window.1 < SLOWEST_BYTES_PER_SECOND * after.as_secs().max(1) {
                        let goes_on = self.last.elapsed() < after / 2;
                        let (slow, stalled) = (self.window.1, self.received);
                        return Err(if goes_on && slow > 0 {
                            NetError::AnswerSlow { received: slow, after }
                        } else {
                            NetError::ReadStalled { received: stalled, after }
                        });
                    }
                    self.window = (Instant::now(), 0);
                    continue;
                }
            };
            match frame {
                None => {
                    self.finish();
                    return Ok(None);
                }
                Some(Err(error)) => return Err(broken_off(&error, self.received)),
                Some(Ok(frame)) => {
                    if let Ok(bytes) = frame.into_data() {
                        self.received += bytes.len() as u64;
                        self.window.1 += bytes.len() as u64;
                        self.last = Instant::now();
                        return Ok(Some(bytes));
                    }
                }
            }
        }
    }

    fn finish(&mut self) {
        // After an early answer hyper would still want to send the rest.
        self.lease.idle = self.whole_request_was_sent;
    }

    /// The connection for the next exchange, where the answer was read to its end.
    pub fn into_lease(self) -> Option<Lease> {
        Some(self.lease).filter(Lease::is_usable)
    }

    /// Reads the body up to `limit` bytes; says whether there was more.
    ///
    /// # Errors
    /// As [`Answered::chunk`].
    pub async fn bounded(&mut self, limit: usize) -> Result<(Vec<u8>, bool), NetError> {
        let mut whole = Vec::new();
        while let Some(chunk) = self.chunk().await? {
            let room = limit.saturating_sub(whole.len());
            whole.extend_from_slice(chunk.get(..room).unwrap_or(&chunk));
            if chunk.len() > room {
                return Ok((whole, true));
            }
        }
        Ok((whole, false))
    }
}

/// Whether an answer ended early, or cannot be read on although more of it came.
fn broken_off(error: &hyper::Error, received: u64) -> NetError {
    use std::io::ErrorKind::{InvalidData, InvalidInput};
    match found_in::<std::io::Error>(error) {
        Some(cause) if matches!(cause.kind(), InvalidData | InvalidInput) => {
            NetError::FramingBroken { received, detail: cause.to_string().to_lowercase() }
        }
        _ => NetError::AnswerCut { received },
    }
}

/// Why a connection ended before anything was asked: hyper fails with no error of I/O when bytes come unasked.
fn ended_early(error: &hyper::Error, host: &str) -> NetError {
    match (found_in::<TunnelError>(error), found_in::<std::io::Error>(error)) {
        (Some(broken), _) => broken.clone().into(),
        (None, Some(_)) => tls_said(error, host).unwrap_or(NetError::Cut { sent: 0 }),
        (None, None) => NetError::NotHttp { detail: "the server spoke before it was asked".to_owned() },
    }
}

/// Whatever speaks something else fails at the version, which comes first.
fn begins_as_http(error: &hyper::Error) -> bool {
    !error.to_string().contains("HTTP version")
}

/// What TLS says only after the handshake: the server does not take the client, or what follows is no TLS.
fn tls_said(error: &hyper::Error, host: &str) -> Option<NetError> {
    let failure = tls_failure(error).filter(|failure| matches!(failure, TlsFailure::ClientCertificate | TlsFailure::NotTls))?;
    Some(NetError::Tls { host: host.to_owned(), failure })
}

fn named(error: &hyper::Error, progress: &Progress, host: &str) -> NetError {
    if let Some(failure) = progress.failure() {
        return NetError::Body { detail: failure.0 };
    }
    if let Some(broken) = found_in::<TunnelError>(error) {
        return broken.clone().into();
    }
    if let Some(said) = tls_said(error, host) {
        return said;
    }
    match error.is_parse() {
        true if begins_as_http(error) => NetError::MalformedHead { detail: error.to_string() },
        true => NetError::NotHttp { detail: error.to_string() },
        false => NetError::Cut { sent: progress.handed_over() },
    }
}
