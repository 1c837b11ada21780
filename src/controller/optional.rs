//! Kinds that a cluster may have, get or lose: watched while their CRD is there. At rest this is one more watch a kind, and no request.

use std::{
    fmt::Debug,
    pin::pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use futures::StreamExt;
use k8s_openapi::{NamespaceResourceScope, apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition};
use kube::{
    Api, Client, Resource,
    core::{DeserializeGuard, PartialObjectMeta},
    runtime::{
        WatchStreamExt,
        reflector::Store,
        watcher::{self, Event, watcher},
    },
};
use serde::de::DeserializeOwned;
use tokio::sync::{mpsc::UnboundedSender, watch};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::watches::{Change, Pauses, follow, scoped, slim};

/// A kind that can be watched where it is.
pub(super) trait OptionalKind:
    Resource<Scope = NamespaceResourceScope, DynamicType = ()> + Clone + Debug + DeserializeOwned + Send + Sync + 'static
{
}

impl<K> OptionalKind for K where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()> + Clone + Debug + DeserializeOwned + Send + Sync + 'static
{
}

/// The objects of a kind that may not be there. One that cannot be read is passed over.
pub(super) struct Optional<K: OptionalKind> {
    stores: Arc<Mutex<Vec<Store<DeserializeGuard<K>>>>>,
    settled: watch::Receiver<bool>,
}

impl<K: OptionalKind> Default for Optional<K> {
    fn default() -> Self {
        Self { stores: Arc::default(), settled: watch::channel(true).1 }
    }
}

impl<K: OptionalKind> Clone for Optional<K> {
    fn clone(&self) -> Self {
        Self { stores: self.stores.clone(), settled: self.settled.clone() }
    }
}

impl<K: OptionalKind> Optional<K> {
    /// What was read once.
    pub(super) fn holding(store: Store<DeserializeGuard<K>>) -> Self {
        Self { stores: Arc::new(Mutex::new(vec![store])), ..Self::default() }
    }

    /// Looks for the CRD of `K`, and watches its objects in `scopes` while it is there.
    pub(super) fn watch(client: &Client, scopes: &[Option<&str>], changes: &UnboundedSender<Change>, stop: &CancellationToken) -> Self {
        let (settled, receiver) = watch::channel(false);
        let optional = Self { stores: Arc::default(), settled: receiver };
        let attendant = Attendant {
            stores: optional.stores.clone(),
            settled: Arc::new(settled),
            client: client.clone(),
            scopes: scopes.iter().map(|scope| scope.map(str::to_owned)).collect(),
            changes: changes.clone(),
            stop: stop.clone(),
        };
        tokio::spawn(attendant.attend());
        optional
    }

    /// Waits until it is known whether the kind is there, and if so until its objects were read, or were found to be unreadable.
    pub(super) async fn read(&self) {
        // An error says that the watch has ended: the program stops.
        let _ = self.settled.clone().wait_for(|settled| *settled).await;
    }

    /// The stores; none while the kind is not there.
    pub(super) fn stores(&self) -> Vec<Store<DeserializeGuard<K>>> {
        self.stores.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Who looks for the CRD.
struct Attendant<K: OptionalKind> {
    stores: Arc<Mutex<Vec<Store<DeserializeGuard<K>>>>>,
    settled: Arc<watch::Sender<bool>>,
    client: Client,
    scopes: Vec<Option<String>>,
    changes: UnboundedSender<Change>,
    stop: CancellationToken,
}

impl<K: OptionalKind> Attendant<K> {
    async fn attend(self) {
        let kind = K::kind(&()).into_owned();
        let definitions = Api::<PartialObjectMeta<CustomResourceDefinition>>::all(self.client.clone());
        let of_kind = watcher::Config::default().fields(&format!("metadata.name={}.{}", K::plural(&()), K::group(&())));
        let mut events = pin!(watcher(definitions, of_kind).backoff(Pauses::default()));
        let (mut listed, mut has_failed) = (false, false);
        let mut following: Option<DropGuard> = None;
        loop {
            let event = tokio::select! {
                event = events.next() => event,
                () = self.stop.cancelled() => return,
            };
            let is_there = match event {
                None => return,
                Some(Err(error)) => {
                    if !std::mem::replace(&mut has_failed, true) {
                        tracing::warn!(kind, %error, "the watch on the CRD of this kind failed; it begins again");
                    }
                    self.settled.send_replace(true);
                    continue;
                }
                Some(Ok(Event::Init)) => {
                    listed = false;
                    continue;
                }
                Some(Ok(Event::InitApply(definition))) => {
                    listed = is_staying(&definition);
                    continue;
                }
                Some(Ok(Event::InitDone)) => listed,
                Some(Ok(Event::Apply(definition))) => is_staying(&definition),
                Some(Ok(Event::Delete(_))) => false,
            };
            has_failed = false;
            match (is_there, following.is_some()) {
                (true, false) => following = Some(self.follow()),
                (false, true) => {
                    following = None;
                    self.forget();
                }
                (false, false) => drop(self.settled.send_replace(true)),
                (true, true) => {}
            }
        }
    }

    /// Watches the objects until the guard is dropped.
    fn follow(&self) -> DropGuard {
        let kind = K::kind(&()).into_owned();
        tracing::info!(kind, "the cluster has this kind; its objects are watched");
        let stop = self.stop.child_token();
        let stores: Vec<_> = self.scopes.iter().map(|scope| self.follow_in(scope.as_deref(), &stop)).collect();
        self.stores.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&stores);
        let settled = self.settled.clone();
        tokio::spawn(async move {
            for store in stores {
                // An error says that the kind is gone again.
                let _ = store.wait_until_ready().await;
            }
            settled.send_replace(true);
        });
        stop.drop_guard()
    }

    fn follow_in(&self, scope: Option<&str>, stop: &CancellationToken) -> Store<DeserializeGuard<K>> {
        let (settled, has_failed) = (self.settled.clone(), AtomicBool::new(false));
        let api = scoped::<DeserializeGuard<K>>(&self.client, scope);
        follow(api, slim, changed, (self.changes.clone(), stop.clone()), move |error| {
            let kind = K::kind(&());
            // A CRD that was just created is served a moment later.
            if is_not_served(error) || has_failed.swap(true, Ordering::Relaxed) {
                tracing::debug!(%kind, %error, "a watch failed; it begins again");
            } else {
                tracing::warn!(%kind, %error, "objects of this kind cannot be read, and are left out until they can");
            }
            settled.send_replace(true);
        })
    }

    fn forget(&self) {
        tracing::info!(kind = %K::kind(&()), "the cluster has this kind no longer");
        self.stores.lock().unwrap_or_else(PoisonError::into_inner).clear();
        let _ = self.changes.send(Change::Anything);
    }
}

fn is_staying(definition: &PartialObjectMeta<CustomResourceDefinition>) -> bool {
    definition.metadata.deletion_timestamp.is_none()
}

fn is_not_served(error: &watcher::Error) -> bool {
    use watcher::Error::{InitialListFailed, WatchFailed, WatchStartFailed};
    match error {
        InitialListFailed(error) | WatchStartFailed(error) | WatchFailed(error) => {
            matches!(error, kube::Error::Api(status) if status.code == 404)
        }
        _ => false,
    }
}

/// What leads into a cluster may lead anywhere in it.
fn changed<K: OptionalKind>(object: &DeserializeGuard<K>) -> Change {
    if let Err(invalid) = &object.0 {
        tracing::warn!(
            kind = %K::kind(&()), namespace = invalid.metadata.namespace, name = invalid.metadata.name, error = invalid.error,
            "the object cannot be read, and is passed over"
        );
    }
    Change::Anything
}
