//! A Secret of a proxy that changes: at once where it was the failure, else at the next run.

use std::time::Duration;

use kube::ResourceExt;
use serde_json::json;

use super::{
    scene::{ANYWHERE, LOGIN, asked, message, names_proxy, spec},
    support::{self, publication::ready, registry::Version},
};

/// Secrets are looked at every 30 s while one of them may be the failure.
const SEEN_WITHIN: Duration = Duration::from_secs(35);

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_is_mended_is_used_at_once_and_one_that_changes_at_the_next_run() {
    let bed = support::shared();
    bed.install_crds();
    let (namespace, to) = (bed.namespace().await, bed.registry(Version::V3).start().await);
    let charts = bed.helm_repository(&["small-1.2.2"]).start().await;
    let (first, second) = (bed.forward_proxy().basic(LOGIN.0, LOGIN.1).start().await, bed.forward_proxy().start().await);
    names_proxy(&namespace, "proxy", &first, None, None).await;
    let _controller = namespace.controller(&ANYWHERE).await;
    let source = json!({"helmRepository": {"url": charts.url(), "proxySecretRef": {"name": "proxy"}}});
    namespace.publish("charts", &spec(&source, &to, "charts")).await;
    let failed = namespace.becomes("charts", "the proxy asks who we are", |status| ready(status) == "False ProxyUnauthorized").await;
    let said = message(failed.status.clone());
    let expected = format!("the proxy `{}` of the Secret `{}/proxy` asks for a login: it answered 407", first.address(), namespace.name());
    assert!(said.contains(&expected), "{said}");
    let before = first.asked().len();

    names_proxy(&namespace, "proxy", &first, Some(LOGIN), None).await;
    let mended = namespace.becomes_within(SEEN_WITHIN, "charts", "it is Ready", |status| ready(status) == "True Succeeded").await;
    assert_eq!(mended.annotations(), failed.annotations(), "nobody asked for it");
    assert!(first.asked().len() > before && second.asked().is_empty());

    names_proxy(&namespace, "proxy", &second, None, None).await;
    let before = first.asked().len();
    namespace.run_again("charts").await;
    namespace.becomes_ready("charts").await;
    assert_eq!(first.asked().len(), before, "it is left");
    assert_eq!(second.asked(), [asked(&charts.url(), "/index.yaml")]);
}
