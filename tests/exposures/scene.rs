//! One registry behind one exposure, the publication that fills it, and what the bed knows of the ways there.

use std::net::SocketAddr;

use chart_publisher::api::ChartPublicationStatus;
use k8s_openapi::api::{core::v1::Service, networking::v1::Ingress};
use tokio::sync::Semaphore;

use super::{
    doors::{Doors, Traffic, of_service},
    front::{Access, Case, Front, SMALL_AND_LARGE, USER, apply},
    readers::{Chart, Reader},
    support::{
        access_log::Request, authority::Authority, exposure::SERVICE_PORT, ingress::ServedIngress, namespace::Namespace,
        publication::ready, random_word, registry::Registry, token_server::TokenServer,
    },
};

/// More programs than these at once only wait for each other.
static READERS_AT_ONCE: Semaphore = Semaphore::const_new(3);

/// A case that was brought up.
pub struct Scene<'a> {
    pub case: Case,
    pub namespace: &'a Namespace,
    /// The registry that the Service leads to first, and the one that its endpoint moves to.
    pub registries: [Registry; 2],
    /// Which of the two it leads to.
    pub current: usize,
    pub ingress: Option<ServedIngress>,
    host: String,
    authority: Authority,
    tokens: Option<TokenServer>,
    /// An Ingress that is away for now.
    pub taken: Option<Ingress>,
}

impl<'a> Scene<'a> {
    /// Starts the registries, the Service and what else the case asks for; the publication is not yet applied.
    pub async fn set_up(namespace: &'a Namespace, case: Case) -> Self {
        let bed = namespace.bed;
        let authority = Authority::new(case.name).expect("an authority");
        let tokens = (case.access == Access::Bearer).then(|| bed.token_server().user(USER.0, USER.1, &["pull", "push"]).start());
        let inside = format!("{}.{}.svc", case.name, namespace.name());
        let start = async || {
            let registry = bed.registry(case.version);
            match (case.access, &tokens) {
                (Access::Tls, _) => registry.tls(&authority, &[&inside]).start().await,
                (Access::Basic, _) => registry.basic(USER.0, USER.1).start().await,
                (Access::Bearer, Some(tokens)) => registry.bearer(tokens).start().await,
                _ => registry.start().await,
            }
        };
        let registries = [start().await, start().await];
        let exposed = namespace.expose(case.name, case.front.exposure(), &[registries[0].socket()]).await;
        let cluster_ip = exposed.service.spec.as_ref().and_then(|spec| spec.cluster_ip.as_deref()).expect("a ClusterIP");
        let service = SocketAddr::new(cluster_ip.parse().expect("an address"), SERVICE_PORT);
        bed.name(&inside, service.ip());
        let host = format!("{}.example", random_word());
        let mut scene = Self { case, namespace, registries, current: 0, ingress: None, host, authority, tokens, taken: None };
        if case.front == Front::Ingress {
            // Through the Service: an endpoint that moves must be followed.
            let ingress = namespace.ingress(case.name, &scene.host, case.name, service).body_limit("10m");
            let is_tls = case.access == Access::TlsAtIngress;
            scene.ingress = Some(if is_tls { ingress.tls(&scene.authority).start().await } else { ingress.start().await });
        }
        namespace.secret(&format!("{}-ca", case.name), &[("ca.crt", &scene.authority.pem())]).await;
        namespace.secret(&format!("{}-push", case.name), &[("username", USER.0), ("password", USER.1)]).await;
        scene
    }

    /// The registry behind the Service.
    pub fn registry(&self) -> &Registry {
        &self.registries[self.current]
    }

    /// Applies the publication.
    pub fn publish(&self, charts: &str) {
        let realm = self.tokens.as_ref().map(|tokens| tokens.realm().trim_start_matches("http://").trim_end_matches("/token").to_owned());
        apply(self.namespace, &self.case.publication(charts, realm.as_deref()));
    }

    /// The ways that are there now.
    pub async fn doors(&self) -> Doors {
        let service = self.namespace.api::<Service>().get(self.case.name).await.expect("the Service");
        let mut doors = of_service(self.namespace.bed, &service, self.registry().socket());
        doors.extend(self.ingress.as_ref().map(|ingress| ("Ingress", vec![ingress.socket()])));
        doors
    }

    /// Waits until the publication says that all is published and proven by `route`, as it is now.
    pub async fn stands_at(&self, route: &str) -> ChartPublicationStatus {
        let sockets = self.doors().await.remove(route).unwrap_or_else(|| panic!("{}: no way by {route}", self.case.name));
        let pulls = self.pulls(route, &sockets);
        let what = format!("Ready by {route} at one of {sockets:?}, to be pulled from one of {pulls:?}");
        let is_so = |status: &ChartPublicationStatus| {
            let [target] = status.targets.as_slice() else { return false };
            let address = target.address.as_deref().unwrap_or_default();
            ready(status) == "True Succeeded"
                && status.conditions.len() == 1
                && status.published.as_deref() == Some("2/2")
                && (status.route.as_deref(), target.route.as_deref()) == (Some(route), Some(route))
                && address.split(", ").all(|address| sockets.iter().any(|socket| socket.to_string() == address))
                && target.pull.as_ref().is_some_and(|pull| pulls.contains(pull))
        };
        self.namespace.becomes(self.case.name, &what, is_so).await.status.expect("the status that was waited for")
    }

    /// Runs once more; the requests of that run go by `route` and by no other. What was refused while the route was not there yet is
    /// remembered for some seconds: it is forgotten first.
    pub async fn goes_only_by(&self, route: &str) {
        self.namespace.force_a_run(self.case.name).await;
        let traffic = Traffic::watch(self.namespace.bed, &self.doors().await);
        self.namespace.run_again(self.case.name).await;
        traffic.went_only_by(route).unwrap_or_else(|problem| panic!("{}: {problem}", self.case.name));
    }

    /// The addresses that the status may name for readers.
    fn pulls(&self, route: &str, sockets: &[SocketAddr]) -> Vec<String> {
        let hosts = match route {
            "Ingress" => vec![self.host.clone()],
            "ClusterIP" => vec![format!("{}.{}.svc:{SERVICE_PORT}", self.case.name, self.namespace.name())],
            _ => sockets.iter().map(ToString::to_string).collect(),
        };
        hosts.iter().map(|host| format!("oci://{host}/charts")).collect()
    }

    /// Has readers pull both charts from where the status says; by helm, crane and oras, or by helm alone.
    pub async fn is_read(&self, status: &ChartPublicationStatus, pull: fn(&Reader, Chart)) {
        let address = status.targets[0].pull.as_deref().and_then(|pull| pull.strip_prefix("oci://")).expect("an address");
        let at_ingress = address.starts_with(&self.host);
        let speaks_tls = self.case.access == Access::Tls || at_ingress && self.case.access == Access::TlsAtIngress;
        for chart in SMALL_AND_LARGE {
            let reader = Reader {
                bed: self.namespace.bed,
                place: format!("{address}/{}", chart.name),
                authority: speaks_tls.then(|| self.authority.pem()),
                login: matches!(self.case.access, Access::Basic | Access::Bearer).then_some(USER),
            };
            let _permit = READERS_AT_ONCE.acquire().await.expect("never closed");
            tokio::task::spawn_blocking(move || pull(&reader, chart)).await.expect("the same bytes");
        }
    }
}

/// Whether the log has our upload of this chart: a manifest that was written.
fn has_manifest(requests: &[Request], chart: Chart) -> bool {
    let path = format!("/v2/charts/{}/manifests/{}", chart.name, chart.tag());
    let ours = requests.iter().filter(|request| request.user_agent.starts_with("chart-publisher/"));
    ours.into_iter().any(|request| request.line() == format!("PUT {path} 201"))
}

impl Scene<'_> {
    /// Whether both charts were published into the registry behind the Service, as its own log says.
    pub fn has_both_charts(&self) -> Result<(), String> {
        let requests = self.registry().requests();
        let missing: Vec<_> = SMALL_AND_LARGE.into_iter().filter(|chart| !has_manifest(&requests, *chart)).collect();
        if missing.is_empty() { Ok(()) } else { Err(format!("{missing:?} missing in {:?}", self.registry().socket())) }
    }

    /// Whether helm was answered by the registry that is behind the Service now.
    pub fn was_read_by_helm(&self) -> bool {
        let by_helm = |request: &Request| request.user_agent.starts_with("Helm/") && request.status == 200;
        self.registry().requests().iter().any(by_helm)
    }

    /// What others say of the first upload: the registry, its Ingress, its token server.
    pub fn was_asked_as_it_should(&self) {
        let case = self.case;
        self.has_both_charts().unwrap_or_else(|problem| panic!("{case:?}: {problem}"));
        if let Some(ingress) = &self.ingress {
            let requests = ingress.requests();
            assert!(SMALL_AND_LARGE.into_iter().all(|chart| has_manifest(&requests, chart)), "{case:?}: {requests:?}");
            let body = requests.iter().find(|request| request.method == "PUT" && request.received.is_some_and(|bytes| bytes > 6_000_000));
            assert!(body.is_some_and(|request| request.host.as_ref() == Some(&self.host)), "{case:?}: {requests:?}");
        }
        if let Some(tokens) = &self.tokens {
            let requests = tokens.requests();
            assert!(requests.iter().all(|request| request.user.as_deref() == Some(USER.0)), "{case:?}: {requests:?}");
            assert!(requests.iter().any(|request| request.status == 200), "{case:?}: {requests:?}");
        }
    }
}
