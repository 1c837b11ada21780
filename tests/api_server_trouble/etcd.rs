//! Has etcd forget all but the present state: whoever watches from before it is told 410.

use bytes::Bytes;
use http_body_util::Full;
use serde_json::{Value, json};

use super::support::{Bed, http};

const PORT: u16 = 2379;

/// Compacts to the present revision; gives it.
pub async fn compact(bed: &Bed) -> u64 {
    let range = ask(bed, "/v3/kv/range", &json!({"key": "AA=="})).await;
    let revision = range.pointer("/header/revision").and_then(Value::as_str).expect("a revision").to_owned();
    ask(bed, "/v3/kv/compaction", &json!({"revision": revision, "physical": true})).await;
    revision.parse().expect("a number")
}

async fn ask(bed: &Bed, path: &str, body: &Value) -> Value {
    let networks = bed.networks();
    let etcd = std::net::SocketAddr::new(networks.node_address.into(), PORT);
    let request = ::http::Request::post(path).header("host", etcd.to_string());
    let request = request.body(Full::new(Bytes::from(body.to_string()))).expect("a request");
    let answer = http::send(bed.server_namespace(), etcd, request).await.expect("etcd answers");
    assert!(answer.status.is_success(), "{path}: {answer:?}");
    serde_json::from_slice(&answer.body).expect("JSON")
}
