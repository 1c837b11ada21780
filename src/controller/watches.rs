//! The watches on what routes are made of: stores for the planner, and a word to the publications that a change may matter to.

use std::{fmt::Debug, hash::Hash, time::Duration};

use futures::{Stream, StreamExt};
use k8s_openapi::{
    NamespaceResourceScope,
    api::{
        core::v1::{Node, NodeStatus, Service},
        discovery::v1::EndpointSlice,
        networking::v1::{Ingress, IngressClass},
    },
};
use kube::{
    Api, Client, Resource, ResourceExt,
    core::DeserializeGuard,
    runtime::{
        WatchStreamExt,
        reflector::{self, ObjectRef, Store},
        utils::Backoff,
        watcher,
    },
};
use serde::de::DeserializeOwned;
use tokio::sync::mpsc::UnboundedSender;
use tokio_util::sync::CancellationToken;

use super::{cluster::Cluster, complaints::Causes, optional::Optional};
use crate::api::ChartPublication;

/// What changed, as far as it matters to somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Change {
    /// A Service, or what stands behind it.
    Service {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
    },
    /// Something in a namespace that may lead to any Service of it.
    Namespace(String),
    /// Something that may lead anywhere: a node, an IngressClass, the Service of an Ingress controller, what belongs to the Gateway API.
    Anything,
}

impl Change {
    /// Whether `publication` may plan otherwise after it.
    pub(super) fn concerns(&self, publication: &ChartPublication) -> bool {
        let mut services = publication.spec.targets.iter().filter_map(|target| target.service.as_ref());
        match self {
            Self::Anything => services.next().is_some(),
            Self::Namespace(namespace) => publication.namespace().as_ref() == Some(namespace) && services.next().is_some(),
            Self::Service { namespace, name } => {
                publication.namespace().as_ref() == Some(namespace) && services.any(|service| service.name == *name)
            }
        }
    }
}

/// Starts all watches; they end with `stop`.
pub(super) fn watch(client: &Client, namespaces: &[String], changes: &UnboundedSender<Change>, stop: &CancellationToken) -> Cluster {
    let mut cluster = Cluster::default();
    let watching = |stop: &CancellationToken| (changes.clone(), stop.clone());
    for namespace in scopes(namespaces) {
        cluster.services.push(follow(scoped(client, namespace), slim, of_service, watching(stop), warning::<Service>()));
        cluster.slices.push(follow(scoped(client, namespace), slim, of_slice, watching(stop), warning::<EndpointSlice>()));
        cluster.ingresses.push(follow(scoped(client, namespace), slim, of_namespace, watching(stop), warning::<Ingress>()));
    }
    cluster.nodes.push(follow(Api::all(client.clone()), slim_node, of_anything, watching(stop), warning::<Node>()));
    cluster.ingress_classes.push(follow(Api::all(client.clone()), slim, of_anything, watching(stop), warning::<IngressClass>()));
    cluster.http_routes = Optional::watch(client, &scopes(namespaces), changes, stop);
    // One serves the routes of many namespaces, and lies in one of its own.
    cluster.gateways = Optional::watch(client, &[None], changes, stop);
    cluster.reference_grants = Optional::watch(client, &scopes(namespaces), changes, stop);
    cluster
}

/// Each watched namespace, or nothing for all of them at once.
pub(super) fn scopes(namespaces: &[String]) -> Vec<Option<&str>> {
    if namespaces.is_empty() { vec![None] } else { namespaces.iter().map(|namespace| Some(namespace.as_str())).collect() }
}

pub(super) fn scoped<K>(client: &Client, namespace: Option<&str>) -> Api<K>
where
    K: Resource<Scope = NamespaceResourceScope>,
    K::DynamicType: Default,
{
    match namespace {
        None => Api::all(client.clone()),
        Some(namespace) => Api::namespaced(client.clone(), namespace),
    }
}

fn of_service(service: &Service) -> Change {
    // The Service of an Ingress controller matters to Ingresses of all namespaces.
    let may_serve_ingresses = service.spec.as_ref().is_some_and(|spec| spec.type_.as_deref() == Some("LoadBalancer"))
        || service.labels().contains_key("app.kubernetes.io/name") && service.labels().contains_key("app.kubernetes.io/component");
    if may_serve_ingresses {
        return Change::Anything;
    }
    Change::Service { namespace: service.namespace().unwrap_or_default(), name: service.name_any() }
}

fn of_slice(slice: &EndpointSlice) -> Change {
    let name = slice.labels().get("kubernetes.io/service-name").cloned().unwrap_or_default();
    Change::Service { namespace: slice.namespace().unwrap_or_default(), name }
}

fn of_namespace<K: ResourceExt>(object: &K) -> Change {
    Change::Namespace(object.namespace().unwrap_or_default())
}

fn of_anything<K>(_: &K) -> Change {
    Change::Anything
}

/// Half of an object is a record of who wrote which field.
pub(super) fn slim<K: Resource>(object: &mut K) {
    object.meta_mut().managed_fields = None;
    object.meta_mut().annotations.get_or_insert_default().remove("kubectl.kubernetes.io/last-applied-configuration");
}

/// Of a node only addresses and conditions count; its list of images alone is tens of KiB.
fn slim_node(node: &mut Node) {
    slim(node);
    node.metadata.annotations = None;
    let status = node.status.take().unwrap_or_default();
    let mut conditions = status.conditions.unwrap_or_default();
    for condition in &mut conditions {
        condition.last_heartbeat_time = None;
    }
    node.status = Some(NodeStatus { addresses: status.addresses, conditions: Some(conditions), ..NodeStatus::default() });
}

/// A store of the objects of `api`. Each change is told to `changes`, and each failure to `complain`, after which the watch begins again.
pub(super) fn follow<K>(
    api: Api<K>,
    slim: fn(&mut K),
    change: fn(&K) -> Change,
    (changes, stop): (UnboundedSender<Change>, CancellationToken),
    complain: impl Fn(&watcher::Error) + Send + Sync + 'static,
) -> Store<K>
where
    K: Resource + Clone + Debug + DeserializeOwned + Send + Sync + 'static,
    K::DynamicType: Default + Eq + Hash + Clone + Debug + Send + Sync + Unpin,
{
    let writer = reflector::store::Writer::<K>::new(K::DynamicType::default());
    let store = writer.as_reader();
    let events = watcher(api, watcher::Config::default()).backoff(Pauses::default()).modify(slim);
    let touched = reflector::reflector(writer, events).touched_objects();
    tokio::spawn(async move {
        let told = touched.for_each(|object| {
            match object {
                Ok(object) => drop(changes.send(change(&object))),
                Err(error) => complain(&error),
            }
            futures::future::ready(())
        });
        tokio::select! { () = told => {}, () = stop.cancelled() => {} }
    });
    store
}

/// Pauses that grow while a watch fails, and begin anew where none was needed for two minutes.
#[derive(Default)]
pub(super) struct Pauses(watcher::DefaultBackoff);

impl Iterator for Pauses {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        self.0.next()
    }
}

impl Backoff for Pauses {
    /// Not by what a watch says: one that may not list says each time that it begins, and one that may list alone says what it has read.
    fn reset(&mut self) {}
}

/// Says why a watch of `K` fails, each cause once.
fn warning<K: Resource<DynamicType = ()>>() -> impl Fn(&watcher::Error) + Send + Sync + 'static {
    let causes = Causes::default();
    move |error| {
        let kind = K::kind(&());
        if causes.is_new(error) {
            tracing::warn!(%kind, %error, "a watch failed; it begins again");
        } else {
            tracing::debug!(%kind, %error, "a watch failed; it begins again");
        }
    }
}

/// The publications of `store` that a change may matter to, each as something to be reconciled.
pub(super) fn concerned(
    store: Store<DeserializeGuard<ChartPublication>>,
    changes: impl Stream<Item = Change>,
) -> impl Stream<Item = ObjectRef<DeserializeGuard<ChartPublication>>> {
    changes.flat_map(move |change| {
        let concerned: Vec<_> = store
            .state()
            .iter()
            .filter(|object| object.0.as_ref().is_ok_and(|publication| change.concerns(publication)))
            .map(|object| ObjectRef::from_obj(object.as_ref()))
            .collect();
        futures::stream::iter(concerned)
    })
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    use http::{Request, Response};
    use kube::client::Body;
    use tokio::{sync::mpsc::unbounded_channel, time::sleep};
    use tower::service_fn;

    use super::*;

    /// How often an API server is asked for Services in each of two spans of twenty seconds, and how often the watch complains in both.
    async fn asked(answer: impl Fn(&str) -> (u16, &'static str) + Clone + Send + 'static) -> (usize, usize, usize) {
        let (asked, complaints) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (counted, heard) = (Arc::clone(&asked), Arc::clone(&complaints));
        let server = service_fn(move |request: Request<Body>| {
            let (status, body) = answer(request.uri().query().unwrap_or_default());
            counted.fetch_add(usize::from(status == 403), Ordering::SeqCst);
            let answer = Response::builder().status(status).body(Body::from(body.as_bytes().to_vec()));
            async move { answer }
        });
        let api = Api::<Service>::namespaced(Client::new(server, "default"), "team");
        let (stop, (changes, _received)) = (CancellationToken::new(), unbounded_channel());
        let complain = move |_: &watcher::Error| {
            heard.fetch_add(1, Ordering::SeqCst);
        };
        let _store = follow(api, slim, of_service, (changes, stop.clone()), complain);
        sleep(Duration::from_secs(20)).await;
        let early = asked.load(Ordering::SeqCst);
        sleep(Duration::from_secs(20)).await;
        stop.cancel();
        (early, asked.load(Ordering::SeqCst) - early, complaints.load(Ordering::SeqCst))
    }

    const FORBIDDEN: (u16, &str) = (403, r#"{"kind": "Status", "status": "Failure", "reason": "Forbidden", "code": 403, "message": "no"}"#);

    #[tokio::test(start_paused = true)]
    async fn a_watch_that_may_not_list_asks_ever_more_seldom() {
        let (early, late, complaints) = asked(|_| FORBIDDEN).await;
        assert!((3..=6).contains(&early) && late <= 2, "{early}, then {late}");
        assert_eq!(complaints, early + late);
    }

    #[tokio::test(start_paused = true)]
    async fn a_watch_that_may_list_alone_asks_ever_more_seldom() {
        const LIST: &str = r#"{"apiVersion": "v1", "kind": "ServiceList", "metadata": {"resourceVersion": "1"}, "items": [
            {"metadata": {"name": "registry", "namespace": "team", "resourceVersion": "1"}}]}"#;
        let (early, late, _) = asked(|query| if query.contains("watch=true") { FORBIDDEN } else { (200, LIST) }).await;
        assert!((3..=6).contains(&early) && late <= 2, "{early}, then {late}");
    }
}
