//! The objects that routes are made of, as the watches hold them.

use std::sync::Arc;

use k8s_openapi::api::{
    core::v1::{Node, Service},
    discovery::v1::EndpointSlice,
    networking::v1::{Ingress, IngressClass},
};
use kube::{
    ResourceExt,
    core::DeserializeGuard,
    runtime::reflector::{ObjectRef, Store},
};

use super::optional::{Optional, OptionalKind};
use crate::{
    api::{RouteKind, Target},
    plan::{
        self, Exposure, Families, Gateway, GatewayObjects, HttpRoute, Plan, PlanError, Reader, ReferenceGrant, RelayPossibility, Route,
    },
};

/// The kinds that are watched here.
pub(super) const KINDS: [&str; 8] =
    ["Service", "EndpointSlice", "Ingress", "Node", "IngressClass", "HTTPRoute", "Gateway", "ReferenceGrant"];

const SERVICE_NAME: &str = "kubernetes.io/service-name";

/// The stores of the watches: one for each watched namespace, or one for all.
#[derive(Clone, Default)]
pub(super) struct Cluster {
    pub(super) services: Vec<Store<Service>>,
    pub(super) slices: Vec<Store<EndpointSlice>>,
    pub(super) ingresses: Vec<Store<Ingress>>,
    pub(super) nodes: Vec<Store<Node>>,
    pub(super) ingress_classes: Vec<Store<IngressClass>>,
    pub(super) http_routes: Optional<HttpRoute>,
    pub(super) gateways: Optional<Gateway>,
    pub(super) reference_grants: Optional<ReferenceGrant>,
    pub(super) own_node: Option<String>,
    /// Where ports of Pods may be forwarded.
    pub(super) relay_namespaces: Vec<String>,
}

impl Cluster {
    /// Waits until every watch has read what is there; says so of each of [`KINDS`].
    pub(super) async fn read(&self, has_read: impl Fn(&str)) {
        async fn all<K>(stores: &[Store<K>], has_read: impl Fn(&str))
        where
            K: kube::Resource<DynamicType = ()> + Clone + 'static,
        {
            for store in stores {
                // An error says that the watch has ended: the program stops.
                let _ = store.wait_until_ready().await;
            }
            has_read(&K::kind(&()));
        }
        async fn settled<K: OptionalKind>(optional: &Optional<K>, has_read: impl Fn(&str)) {
            optional.read().await;
            has_read(&K::kind(&()));
        }
        tokio::join!(
            all(&self.services, &has_read),
            all(&self.slices, &has_read),
            all(&self.ingresses, &has_read),
            all(&self.nodes, &has_read),
            all(&self.ingress_classes, &has_read),
            settled(&self.http_routes, &has_read),
            settled(&self.gateways, &has_read),
            settled(&self.reference_grants, &has_read),
        );
    }

    /// The ways to a target of a publication in `namespace`, and those of its readers: by the routes `asked`, or by the one that the
    /// Service shows them.
    pub(super) fn plan(&self, target: &Target, namespace: &str, asked: &[RouteKind]) -> Result<(Plan, Vec<Reader>), PlanError> {
        let Some(wanted) = &target.service else { return plan::url(target).map(|plan| (plan, Vec::new())) };
        let reference = ObjectRef::new(&wanted.name).within(namespace);
        let service = self.services.iter().find_map(|store| store.get(&reference));
        let service = service.ok_or_else(|| PlanError::NoService { service: format!("{namespace}/{}", wanted.name) })?;
        let slices = all(&self.slices, |slice: &EndpointSlice| {
            slice.metadata.namespace.as_deref() == Some(namespace) && slice.labels().get(SERVICE_NAME) == Some(&wanted.name)
        });
        let ingresses = all(&self.ingresses, |ingress: &Ingress| ingress.metadata.namespace.as_deref() == Some(namespace));
        let (routes, gateways) = (guarded(&self.http_routes), guarded(&self.gateways));
        let grants = guarded(&self.reference_grants);
        let (routes, gateways, grants) = (readable(&routes), readable(&gateways), readable(&grants));
        let has_front = !ingresses.is_empty() || !routes.is_empty();
        let exposure = Exposure {
            service: &service,
            slices: &slices,
            nodes: &all(&self.nodes, |_| true),
            ingresses: &ingresses,
            ingress_classes: &all(&self.ingress_classes, |_| true),
            gateway: GatewayObjects { routes: &routes, gateways: &gateways, grants: &grants },
            services: &if has_front { all(&self.services, |_| true) } else { Vec::new() },
            relay: self.relay(namespace),
            own_node: self.own_node.as_deref(),
            families: own_families(),
        };
        let plan = plan::routes(target, namespace, &exposure)?;
        let shown = match plan.reader {
            Route::Service(kind) => vec![kind],
            Route::Url => Vec::new(),
        };
        let readers = plan::readers(target, namespace, &exposure, if asked.is_empty() { &shown } else { asked });
        Ok((plan, readers))
    }

    fn relay(&self, namespace: &str) -> RelayPossibility {
        let is_granted = self.relay_namespaces.iter().any(|granted| granted == namespace);
        if is_granted { RelayPossibility::Granted } else { RelayPossibility::NotGranted }
    }
}

fn all<K>(stores: &[Store<K>], wanted: impl Fn(&K) -> bool) -> Vec<Arc<K>>
where
    K: kube::runtime::reflector::Lookup + Clone + 'static,
    K::DynamicType: Eq + std::hash::Hash + Clone,
{
    let mut found: Vec<Arc<K>> = stores.iter().flat_map(Store::state).filter(|object| wanted(object)).collect();
    // A store has no order; a plan must not change when nothing has.
    found.sort_by_cached_key(|object| {
        (object.namespace().map(std::borrow::Cow::into_owned), object.name().map(std::borrow::Cow::into_owned))
    });
    found
}

/// The objects of a kind that may not be there.
fn guarded<K: OptionalKind>(optional: &Optional<K>) -> Vec<Arc<DeserializeGuard<K>>> {
    all(&optional.stores(), |_| true)
}

fn readable<K>(objects: &[Arc<DeserializeGuard<K>>]) -> Vec<&K> {
    objects.iter().filter_map(|object| object.0.as_ref().ok()).collect()
}

/// What this machine has addresses of: a family without any leads nowhere.
fn own_families() -> Families {
    use std::{net::UdpSocket, sync::OnceLock};
    static FAMILIES: OnceLock<Families> = OnceLock::new();
    // A connected UDP socket sends nothing; it only asks the kernel for a route.
    let has_route = |local: &str, remote: &str| UdpSocket::bind(local).is_ok_and(|socket| socket.connect(remote).is_ok());
    *FAMILIES.get_or_init(|| {
        let found = Families { v4: has_route("0.0.0.0:0", "10.0.0.1:9"), v6: has_route("[::]:0", "[fd00::1]:9") };
        if found.v4 || found.v6 { found } else { Families::BOTH }
    })
}
