//! What the tests of proxies have in common.

use chart_publisher::api::ChartPublicationStatus;
use serde_json::{Value, json};

use super::support::{
    access_log::Request,
    forward_proxy::ForwardProxy,
    namespace::Namespace,
    publication::{condition, url_target},
    registry::Registry,
};

/// Without nodes, servers have addresses of loopback.
pub const ANYWHERE: [&str; 2] = ["--allow-address", "127.0.0.0/8"];
/// To the proxy.
pub const LOGIN: (&str, &str) = ("walker", "of-the-proxy");

/// A spec: the newest `small` of a source.
pub fn spec(source: &Value, to: &Registry, prefix: &str) -> Value {
    let is_one = source.get("archive").is_some();
    let charts = if is_one { json!([]) } else { json!([{"name": "small"}]) };
    json!({"interval": "1h", "timeout": "20s", "source": source, "charts": charts, "targets": [url_target(to.socket(), prefix)]})
}

/// A Secret for this proxy, with a login where there is one.
pub async fn names_proxy(namespace: &Namespace, name: &str, proxy: &ForwardProxy, login: Option<(&str, &str)>, authority: Option<&str>) {
    let address = proxy.address();
    let mut entries = vec![("address", address.as_str())];
    entries.extend(login.into_iter().flat_map(|(user, password)| [("username", user), ("password", password)]));
    entries.extend(authority.map(|authority| ("ca.crt", authority)));
    namespace.secret(name, &entries).await;
}

/// What a proxy is asked for: a URL without the port where that is the scheme's own.
pub fn asked(url: &str, path: &str) -> String {
    format!("GET {}{path}", url.strip_suffix(":80").unwrap_or(url))
}

/// The message of `Ready`.
pub fn message(status: Option<ChartPublicationStatus>) -> String {
    condition(&status.expect("a status"), "Ready").expect("a condition").message.clone()
}

/// What chart-publisher has asked, as lines.
pub fn lines(requests: Vec<Request>) -> Vec<String> {
    requests.into_iter().filter(|request| request.user_agent.starts_with("chart-publisher/")).map(|request| request.line()).collect()
}
