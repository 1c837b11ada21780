//! An Ingress that takes bodies of 1 MiB: what is smaller goes through it, what is larger by the next route, and the status says how
//! to let it through.

use chart_publisher::api::ChartPublicationStatus;
use futures::future::join_all;

use super::{
    front::{SMALL_AND_LARGE, apply, publication},
    readers::{Chart, LARGE, Reader, SMALL},
    support::{
        self,
        access_log::Request,
        eventually::{SOON, eventually},
        exposure::Exposure,
        ingress::ServedIngress,
        namespace::Namespace,
        random_word,
        registry::{Registry, Version},
    },
};

const REMEDY: &str = "nginx.ingress.kubernetes.io/proxy-body-size";

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_the_ingress_refuses_goes_by_the_next_route_and_the_status_names_the_remedy() {
    let Some(bed) = support::with_node() else { return };
    let namespace = bed.namespace().await;
    let source = bed.helm_repository(&["small-1.2.3+4", "large-3.0.0"]).start().await;
    let _controller = namespace.controller(&[]).await;
    join_all(Version::ALL.map(|version| check(&namespace, source.url(), version))).await;
}

async fn check(namespace: &Namespace, source: String, version: Version) {
    let limited = Limited::set_up(namespace, &format!("limited-{version:?}").to_lowercase(), version).await;

    let status = limited.publish("under", &source, &[SMALL]).await;
    assert_eq!((status.route.as_deref(), &*status.targets[0].attempts), (Some("Ingress"), &[][..]), "{status:?}");
    assert_eq!((limited.refusals("under"), limited.has_manifest("under", SMALL)), (0, true));

    // The default of the controller is known, so that nothing is refused: chunks below it.
    let status = limited.publish("chunked", &source, &[LARGE]).await;
    assert_eq!((status.route.as_deref(), status.method.as_deref()), (Some("Ingress"), Some("Chunked")), "{status:?}");
    assert_eq!((&*status.targets[0].attempts, limited.refusals("chunked"), limited.has_manifest("chunked", LARGE)), (&[][..], 0, true));

    let over = limited.publish_buffered("over", &source, &[LARGE]).await;
    assert_eq!(over.route.as_deref(), Some("ClusterIP"), "{over:?}");
    limited.names_the_remedy(&over);
    // nginx writes its line of a refused body once it has done with the connection.
    eventually(SOON, "one refusal is logged", async || match limited.refusals("over") {
        1 => Ok(()),
        other => Err(format!("{other} refusals")),
    })
    .await;
    assert!(!limited.has_manifest("over", LARGE));
    limited.is_read(&over).await;

    let status = limited.publish_buffered("both", &source, &SMALL_AND_LARGE).await;
    assert_eq!((status.published.as_deref(), status.route.as_deref()), (Some("2/2"), Some("mixed")), "{status:?}");
    limited.names_the_remedy(&status);
    assert_eq!(limited.refusals("both"), 0, "what the registry's way refused once is not sent again");
    assert_eq!((limited.has_manifest("both", SMALL), limited.has_manifest("both", LARGE)), (true, false));

    let before = limited.requests("over");
    let again = namespace.run_again(&limited.publication("over")).await.status.expect("a status");
    let mut unchanged = ChartPublicationStatus { last_handled_reconcile_at: again.last_handled_reconcile_at.clone(), ..over };
    assert_eq!(std::mem::take(&mut unchanged.targets[0].learnt).len(), 1, "it is kept until somebody asks for a run");
    assert_eq!(again, unchanged, "what was found out about the way stays");
    assert_eq!(limited.requests("over") - before, 1, "one list of the tags");
}

/// A registry behind such an Ingress. Each publication has a path of its own in it.
pub struct Limited<'a> {
    namespace: &'a Namespace,
    registry: Registry,
    pub ingress: ServedIngress,
    name: String,
    pub host: String,
}

impl<'a> Limited<'a> {
    pub async fn set_up(namespace: &'a Namespace, name: &str, version: Version) -> Self {
        let registry = namespace.bed.registry(version).start().await;
        let exposed = namespace.expose(name, Exposure::ClusterIp, &[registry.socket()]).await;
        let host = format!("{}.example", random_word());
        let ingress = namespace.ingress(name, &host, name, exposed.socket).start().await;
        Self { namespace, registry, ingress, name: name.to_owned(), host }
    }

    fn publication(&self, path: &str) -> String {
        format!("{}-{path}", self.name)
    }

    async fn publish(&self, path: &str, source: &str, charts: &[Chart]) -> ChartPublicationStatus {
        let name = self.publication(path);
        apply(self.namespace, &(publication(&name, &self.name, path, source, charts) + "      insecure: true\n"));
        self.namespace.becomes_ready(&name).await.status.expect("a status")
    }

    /// In one piece, whatever the limit.
    async fn publish_buffered(&self, path: &str, source: &str, charts: &[Chart]) -> ChartPublicationStatus {
        let name = self.publication(path);
        let text = publication(&name, &self.name, path, source, charts);
        apply(self.namespace, &(text + "      insecure: true\n      upload: {method: Buffered}\n"));
        self.namespace.becomes_ready(&name).await.status.expect("a status")
    }

    /// The one attempt that failed tells which object is to be changed, and how.
    fn names_the_remedy(&self, status: &ChartPublicationStatus) {
        let [attempt] = status.targets[0].attempts.as_slice() else { panic!("one attempt failed: {status:?}") };
        assert_eq!((attempt.route.as_str(), attempt.reason.as_str()), ("Ingress", "BodyTooLarge"), "{attempt:?}");
        let object = format!("Ingress \"{}/{}\"", self.namespace.name(), self.name);
        assert!(attempt.message.contains(&object) && attempt.message.contains(REMEDY), "{attempt:?}");
        assert!(attempt.address.as_ref().is_some_and(|address| *address == self.ingress.socket().to_string()), "{attempt:?}");
    }

    /// How many bodies for this path the Ingress refused.
    fn refusals(&self, path: &str) -> usize {
        self.ingress.requests().iter().filter(|request| is_ours(request, path) && request.status == 413).count()
    }

    /// Whether the chart's manifest went through the Ingress.
    fn has_manifest(&self, path: &str, chart: Chart) -> bool {
        let line = format!("PUT /v2/{path}/{}/manifests/{} 201", chart.name, chart.tag());
        self.ingress.requests().iter().any(|request| is_ours(request, path) && request.line() == line)
    }

    /// How many of our requests for this path the registry answered.
    fn requests(&self, path: &str) -> usize {
        self.registry.requests().iter().filter(|request| is_ours(request, path)).count()
    }

    /// Answers are not limited: readers get the large chart through the Ingress all the same.
    async fn is_read(&self, status: &ChartPublicationStatus) {
        let place = format!("{}/over/large", self.host);
        assert_eq!(status.targets[0].pull.as_deref(), Some(&*format!("oci://{place}")));
        let reader = Reader { bed: self.namespace.bed, place, authority: None, login: None };
        tokio::task::spawn_blocking(move || reader.pull_by_all(LARGE)).await.expect("the same bytes");
    }
}

fn is_ours(request: &Request, path: &str) -> bool {
    request.user_agent.starts_with("chart-publisher/") && request.target.starts_with(&format!("/v2/{path}/"))
}
