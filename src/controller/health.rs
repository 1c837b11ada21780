//! `/healthz` and `/readyz` for the kubelet, `/metrics` for Prometheus.

use std::{
    collections::BTreeSet,
    convert::Infallible,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::metrics::Metrics;

/// The kinds of which has not been read yet what is there; of those that are watched none while another replica leads.
#[derive(Clone)]
pub(super) struct Readiness(Arc<Mutex<BTreeSet<&'static str>>>);

impl Readiness {
    pub(super) fn awaiting(kinds: impl IntoIterator<Item = &'static str>) -> Self {
        Self(Arc::new(Mutex::new(kinds.into_iter().collect())))
    }

    /// From now on these.
    pub(super) fn awaits(&self, kinds: impl IntoIterator<Item = &'static str>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = kinds.into_iter().collect();
    }

    pub(super) fn has_read(&self, kind: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(kind);
    }

    fn unread(&self) -> Vec<&'static str> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().copied().collect()
    }
}

/// Listens on `address`.
pub(super) async fn bind(address: SocketAddr) -> std::io::Result<TcpListener> {
    TcpListener::bind(address).await
}

/// What `/metrics` says at this moment.
pub(super) type Scrape = Arc<dyn Fn() -> String + Send + Sync>;

/// Answers until `stop`.
pub(super) async fn serve(listener: TcpListener, readiness: Readiness, scrape: Scrape, stop: CancellationToken) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => return,
        };
        let Ok((socket, _)) = accepted else {
            // Out of file descriptors, say: give the others time to close theirs.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let (readiness, scrape) = (readiness.clone(), scrape.clone());
        tokio::spawn(async move {
            let service = service_fn(move |request: Request<Incoming>| {
                let answer = answer(request.uri().path(), &readiness.unread(), &*scrape);
                async move { Ok::<_, Infallible>(answer) }
            });
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(Duration::from_secs(5))
                .serve_connection(TokioIo::new(socket), service);
            let _ = tokio::time::timeout(Duration::from_mins(1), connection).await;
        });
    }
}

fn answer(path: &str, unread: &[&str], scrape: &dyn Fn() -> String) -> Response<Full<Bytes>> {
    let (status, text) = match path {
        "/metrics" => {
            let mut response = Response::new(Full::new(Bytes::from(scrape())));
            response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(Metrics::CONTENT_TYPE));
            return response;
        }
        "/healthz" => (StatusCode::OK, "ok\n".to_owned()),
        "/readyz" if unread.is_empty() => (StatusCode::OK, "ok\n".to_owned()),
        "/readyz" => (StatusCode::SERVICE_UNAVAILABLE, format!("not everything is read yet: missing are {}\n", unread.join(", "))),
        _ => (StatusCode::NOT_FOUND, "only /healthz, /readyz and /metrics are here\n".to_owned()),
    };
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    response
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;

    async fn says(readiness: &Readiness) -> (u16, String) {
        let answer = answer("/readyz", &readiness.unread(), &String::new);
        let status = answer.status().as_u16();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn what_is_not_read_yet_is_named() {
        let readiness = Readiness::awaiting(["Service", "Node"]);
        assert_eq!(says(&readiness).await, (503, "not everything is read yet: missing are Node, Service\n".to_owned()));
        readiness.has_read("Service");
        readiness.has_read("Service");
        assert_eq!(says(&readiness).await, (503, "not everything is read yet: missing are Node\n".to_owned()));
        readiness.has_read("Node");
        assert_eq!(says(&readiness).await, (200, "ok\n".to_owned()));
    }
}
