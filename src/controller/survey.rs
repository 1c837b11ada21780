//! The objects that routes are made of, read once: what the watches hold for the controller, for whoever asks about one Service.
//!
//! In: a client, whose rights may be few. Out: the same [`Cluster`] as the controller's, with what could not be read left out and named.

use std::{fmt::Debug, hash::Hash};

use k8s_openapi::{
    NamespaceResourceScope,
    api::{
        core::v1::{Node, Service},
        discovery::v1::EndpointSlice,
        networking::v1::{Ingress, IngressClass},
    },
};
use kube::{
    Api, Client, Resource,
    api::ListParams,
    runtime::{
        reflector::{self, Store},
        watcher,
    },
};
use serde::de::DeserializeOwned;

use super::{
    cluster::Cluster,
    optional::{Optional, OptionalKind},
    watches::{scoped, slim},
};
use crate::{
    api::Target,
    plan::{Plan, PlanError},
};

/// The objects of a kind in one answer.
const PAGE: u32 = 500;

/// The cluster could not be read.
#[derive(Debug, thiserror::Error)]
#[error("{kind}s of namespace `{namespace}` could not be read")]
pub struct SurveyError {
    kind: String,
    namespace: String,
    source: kube::Error,
}

impl SurveyError {
    /// Whether it may pass by itself: an API server that is away, or has too much to do.
    pub(super) fn is_passing(&self) -> bool {
        !matches!(&self.source, kube::Error::Api(status) if status.code < 500 && status.code != 429)
    }
}

/// What was read of a cluster.
pub struct Survey {
    pub(super) cluster: Cluster,
    namespace: String,
    unseen: Vec<String>,
}

impl Survey {
    /// Reads what may lead to a Service of `namespace`.
    ///
    /// # Errors
    /// When the Services or `EndpointSlices` of the namespace cannot be read. All else is left out where it may not be read.
    pub async fn take(client: &Client, namespace: &str) -> Result<Self, SurveyError> {
        let mut unseen = Vec::new();
        let slices = needed::<EndpointSlice>(client, namespace).await?;
        // The Service of an Ingress controller may lie in any namespace.
        let services = match wanted(Api::<Service>::all(client.clone()), &mut unseen).await {
            Some(all) => all,
            None => needed(client, namespace).await?,
        };
        let cluster = Cluster {
            services: vec![services],
            slices: vec![slices],
            ingresses: wanted(scoped::<Ingress>(client, Some(namespace)), &mut unseen).await.into_iter().collect(),
            ingress_classes: wanted(Api::<IngressClass>::all(client.clone()), &mut unseen).await.into_iter().collect(),
            nodes: wanted(Api::<Node>::all(client.clone()), &mut unseen).await.into_iter().collect(),
            http_routes: optional(client, &mut unseen).await,
            gateways: optional(client, &mut unseen).await,
            reference_grants: optional(client, &mut unseen).await,
            own_node: None,
            relay_namespaces: vec![namespace.to_owned()],
        };
        Ok(Self { cluster, namespace: namespace.to_owned(), unseen })
    }

    /// The ways to `target`.
    ///
    /// # Errors
    /// As [`crate::plan::routes`].
    pub fn plan(&self, target: &Target) -> Result<Plan, PlanError> {
        Ok(self.cluster.plan(target, &self.namespace, &[])?.0)
    }

    /// The kinds that may not be read: routes through them are not seen.
    pub fn unseen(&self) -> &[String] {
        &self.unseen
    }
}

async fn needed<K>(client: &Client, namespace: &str) -> Result<Store<K>, SurveyError>
where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()> + Clone + Debug + DeserializeOwned + 'static,
{
    let failed = |source| SurveyError { kind: K::kind(&()).into_owned(), namespace: namespace.to_owned(), source };
    read(scoped(client, Some(namespace))).await.map_err(failed)
}

async fn wanted<K>(api: Api<K>, unseen: &mut Vec<String>) -> Option<Store<K>>
where
    K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + 'static,
{
    let result = read(api).await;
    if let Err(error) = &result {
        miss::<K>(error, unseen);
    }
    result.ok()
}

async fn optional<K: OptionalKind>(client: &Client, unseen: &mut Vec<String>) -> Optional<K> {
    match read(Api::all(client.clone())).await {
        Ok(store) => Optional::holding(store),
        // The cluster has no such kind.
        Err(kube::Error::Api(status)) if status.code == 404 => Optional::default(),
        Err(error) => {
            miss::<K>(&error, unseen);
            Optional::default()
        }
    }
}

fn miss<K: Resource<DynamicType = ()>>(error: &kube::Error, unseen: &mut Vec<String>) {
    let kind = K::kind(&()).into_owned();
    tracing::warn!(kind, %error, "objects of this kind cannot be read, and are left out");
    unseen.push(kind);
}

/// All objects of a kind, as a store that no watch follows.
async fn read<K>(api: Api<K>) -> Result<Store<K>, kube::Error>
where
    K: Resource + Clone + Debug + DeserializeOwned + 'static,
    K::DynamicType: Default + Eq + Hash + Clone,
{
    let mut writer = reflector::store::Writer::<K>::new(K::DynamicType::default());
    let store = writer.as_reader();
    writer.apply_watcher_event(&watcher::Event::Init);
    let mut page = ListParams::default().limit(PAGE);
    loop {
        let list = api.list(&page).await?;
        for mut object in list.items {
            slim(&mut object);
            writer.apply_watcher_event(&watcher::Event::InitApply(object));
        }
        match list.metadata.continue_.filter(|next| !next.is_empty()) {
            Some(next) => page = page.continue_token(&next),
            None => break,
        }
    }
    writer.apply_watcher_event(&watcher::Event::InitDone);
    Ok(store)
}
