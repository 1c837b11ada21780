//! The watches on what routes are made of: stores for the planner, and a word to the publications that a change may matter to.

use std::{fmt::Debug, hash::Hash};

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
        watcher,
    },
};
use serde::de::DeserializeOwned;
use tokio::sync::mpsc::UnboundedSender;
use tokio_util::sync::CancellationToken;

use super::{cluster::Cluster, optional::Optional};
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
        cluster.services.push(follow(scoped(client, namespace), slim, of_service, watching(stop), warn::<Service>));
        cluster.slices.push(follow(scoped(client, namespace), slim, of_slice, watching(stop), warn::<EndpointSlice>));
        cluster.ingresses.push(follow(scoped(client, namespace), slim, of_namespace, watching(stop), warn::<Ingress>));
    }
    cluster.nodes.push(follow(Api::all(client.clone()), slim_node, of_anything, watching(stop), warn::<Node>));
    cluster.ingress_classes.push(follow(Api::all(client.clone()), slim, of_anything, watching(stop), warn::<IngressClass>));
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
    let events = watcher(api, watcher::Config::default()).default_backoff().modify(slim);
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

fn warn<K: Resource<DynamicType = ()>>(error: &watcher::Error) {
    tracing::warn!(kind = %K::kind(&()), %error, "a watch failed; it begins again");
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
