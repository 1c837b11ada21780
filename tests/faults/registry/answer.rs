//! Answers of the scripted registry, and bodies that no honest server sends.

use std::{convert::Infallible, io, time::Duration};

use bytes::Bytes;
use futures::stream::{self, StreamExt};
use http::{Response, StatusCode};
use http_body_util::{BodyExt, Full, StreamBody, combinators::UnsyncBoxBody};
use hyper::body::Frame;
use serde_json::json;

use super::super::Close;

/// The body of an answer.
pub type Body = UnsyncBoxBody<Bytes, io::Error>;

/// An answer, or how the connection is closed in place of one.
pub type Outcome = Result<Response<Body>, Close>;

/// A body that is there.
pub fn whole(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).map_err(|never: Infallible| match never {}).boxed_unsync()
}

/// A status and nothing else.
pub fn bare(status: u16) -> Response<Body> {
    with(status, &[], Bytes::new())
}

/// A status, fields and a body.
pub fn with(status: u16, fields: &[(&str, &str)], body: impl Into<Bytes>) -> Response<Body> {
    let mut response = Response::new(whole(body));
    *response.status_mut() = StatusCode::from_u16(status).expect("a status");
    for (name, value) in fields {
        let name = http::HeaderName::from_bytes(name.as_bytes()).expect("a field name");
        response.headers_mut().append(name, value.parse().expect("a field value"));
    }
    response
}

/// An error as the OCI specification writes it.
pub fn error(status: u16, code: &str, message: &str) -> Response<Body> {
    error_with(status, code, message, &[])
}

/// The same with more fields.
pub fn error_with(status: u16, code: &str, message: &str, fields: &[(&str, &str)]) -> Response<Body> {
    let body = json!({"errors": [{"code": code, "message": message, "detail": null}]}).to_string();
    with(status, &[&[("content-type", "application/json")], fields].concat(), body)
}

/// A page of something that stands before a registry.
pub fn page(status: u16, title: &str) -> Response<Body> {
    let body =
        format!("<html>\r\n<head><title>{status} {title}</title></head>\r\n<body>\r\n<center><h1>{status} {title}</h1></center>\r\n");
    with(status, &[("content-type", "text/html"), ("server", "nginx")], body + "<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n")
}

/// A body of so many bytes; `None` is one without an end.
pub fn long(length: Option<u64>) -> Body {
    const PIECE: usize = 64 * 1024;
    let pieces = stream::unfold(length, |left| async move {
        let now = left.map_or(PIECE, |left| usize::try_from(left).unwrap_or(PIECE).min(PIECE));
        (now > 0).then(|| (Ok(Frame::data(Bytes::from(vec![b'x'; now]))), left.map(|left| left - now as u64)))
    });
    StreamBody::new(pieces).boxed_unsync()
}

/// The first half of a body, then the end of the connection.
pub fn broken_off(bytes: &Bytes) -> Body {
    let half = bytes.slice(..bytes.len() / 2);
    // The server throws away what it has not yet sent when a body fails.
    let end = stream::once(async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        Err(io::Error::other("broken off"))
    });
    let pieces = stream::iter([Ok(Frame::data(half))]).chain(end);
    StreamBody::new(pieces).boxed_unsync()
}
