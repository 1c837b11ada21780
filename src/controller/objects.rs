//! Secrets, `ConfigMaps` and sources of Flux in one namespace: read by name at each run, never listed and never watched. What was
//! read is noted by its `resourceVersion`, so that a change can be told without reading it again.

use std::{
    collections::BTreeMap,
    fmt::Debug,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use k8s_openapi::{
    NamespaceResourceScope,
    api::core::v1::{ConfigMap, Secret},
};
use kube::{Api, Client, Resource, ResourceExt};
use serde::de::DeserializeOwned;

use super::flux::{FluxHelmRepository, FluxOciRepository};
use crate::{
    model::is_subdomain,
    steps::{Step, enter},
};

/// An API server that does not answer a read by then is away.
const LONGEST_READ: Duration = Duration::from_secs(15);

/// What is read so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum ObjectKind {
    Secret,
    ConfigMap,
    HelmRepository,
    OciRepository,
}

impl ObjectKind {
    /// As it is written.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Secret => "Secret",
            Self::ConfigMap => "ConfigMap",
            Self::HelmRepository => "HelmRepository",
            Self::OciRepository => "OCIRepository",
        }
    }

    fn step(self) -> Step {
        match self {
            Self::Secret => Step::ReadSecret,
            Self::ConfigMap | Self::HelmRepository | Self::OciRepository => Step::AskSource,
        }
    }
}

/// The `resourceVersion` of each object that was read; nothing for one that could not be had.
pub(super) type Seen = BTreeMap<(ObjectKind, String), Option<String>>;

/// Why an object could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unread {
    Forbidden,
    /// The API server did not answer.
    Away,
}

/// Reads the objects of one namespace. Copies share what was seen.
#[derive(Clone)]
pub(super) struct Objects {
    client: Client,
    namespace: String,
    seen: Arc<Mutex<Seen>>,
}

impl Objects {
    pub(super) fn new(client: Client, namespace: &str) -> Self {
        Self { client, namespace: namespace.to_owned(), seen: Arc::default() }
    }

    /// `Kind` and `namespace/name`, as a sentence has them.
    pub(super) fn shown(&self, kind: ObjectKind, name: &str) -> String {
        format!("{} `{}/{name}`", kind.as_str(), self.namespace)
    }

    /// What was read so far.
    pub(super) fn seen(&self) -> Seen {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A Secret, where there is one.
    pub(super) async fn secret(&self, name: &str) -> Result<Option<Secret>, Unread> {
        self.read(ObjectKind::Secret, name).await
    }

    /// A ConfigMap, where there is one.
    pub(super) async fn config_map(&self, name: &str) -> Result<Option<ConfigMap>, Unread> {
        self.read(ObjectKind::ConfigMap, name).await
    }

    /// A `HelmRepository` of Flux, where there is one; none where the cluster has no such kind.
    pub(super) async fn helm_repository(&self, name: &str) -> Result<Option<FluxHelmRepository>, Unread> {
        self.read(ObjectKind::HelmRepository, name).await
    }

    /// An `OCIRepository` of Flux, in the same way.
    pub(super) async fn oci_repository(&self, name: &str) -> Result<Option<FluxOciRepository>, Unread> {
        self.read(ObjectKind::OciRepository, name).await
    }

    /// The `resourceVersion` of an object, without what is in it.
    pub(super) async fn version(&self, kind: ObjectKind, name: &str) -> Result<Option<String>, Unread> {
        let found = match kind {
            ObjectKind::Secret => self.metadata::<Secret>(kind, name).await,
            ObjectKind::ConfigMap => self.metadata::<ConfigMap>(kind, name).await,
            ObjectKind::HelmRepository => self.metadata::<FluxHelmRepository>(kind, name).await,
            ObjectKind::OciRepository => self.metadata::<FluxOciRepository>(kind, name).await,
        };
        self.note(kind, name, &found);
        found
    }

    /// Whether one of them has changed, come or gone since. An API server that does not answer says nothing of that.
    pub(super) async fn differ_from(&self, seen: &Seen) -> bool {
        for ((kind, name), before) in seen {
            let now = match self.version(*kind, name).await {
                Ok(found) => found,
                Err(Unread::Forbidden) => None,
                Err(Unread::Away) => continue,
            };
            if now != *before {
                return true;
            }
        }
        false
    }

    /// What no object can be named, none is: such a name would be another path at the API server, which is not asked.
    async fn read<K>(&self, kind: ObjectKind, name: &str) -> Result<Option<K>, Unread>
    where
        K: Resource<Scope = NamespaceResourceScope, DynamicType = ()> + Clone + Debug + DeserializeOwned,
    {
        let api = Api::<K>::namespaced(self.client.clone(), &self.namespace);
        let found = if is_subdomain(name) { answered(kind, api.get_opt(name)).await } else { Ok(None) };
        let version = found.as_ref().map(|found| found.as_ref().and_then(ResourceExt::resource_version));
        self.note(kind, name, &version.map_err(|unread| *unread));
        found
    }

    async fn metadata<K>(&self, kind: ObjectKind, name: &str) -> Result<Option<String>, Unread>
    where
        K: Resource<Scope = NamespaceResourceScope, DynamicType = ()> + Clone + Debug + DeserializeOwned,
    {
        if !is_subdomain(name) {
            return Ok(None);
        }
        let api = Api::<K>::namespaced(self.client.clone(), &self.namespace);
        Ok(answered(kind, api.get_metadata_opt(name)).await?.and_then(|found| found.resource_version()))
    }

    fn note(&self, kind: ObjectKind, name: &str, found: &Result<Option<String>, Unread>) {
        if *found != Err(Unread::Away) {
            let version = found.clone().ok().flatten();
            self.seen.lock().unwrap_or_else(PoisonError::into_inner).insert((kind, name.to_owned()), version);
        }
    }
}

async fn answered<T>(kind: ObjectKind, asked: impl Future<Output = Result<Option<T>, kube::Error>>) -> Result<Option<T>, Unread> {
    let _step = enter(kind.step());
    match tokio::time::timeout(LONGEST_READ, asked).await {
        Ok(Ok(found)) => Ok(found),
        Ok(Err(kube::Error::Api(status))) if status.code == 403 => Err(Unread::Forbidden),
        // The cluster does not have the kind.
        Ok(Err(kube::Error::Api(status))) if status.code == 404 => Ok(None),
        Ok(Err(_)) | Err(_) => Err(Unread::Away),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use http::{Request, Response};
    use kube::client::Body;
    use tower::service_fn;

    use super::*;

    #[tokio::test]
    async fn what_no_object_can_be_named_is_not_there_and_nobody_is_asked() {
        let asked = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&asked);
        let server = service_fn(move |_: Request<Body>| {
            counted.fetch_add(1, Ordering::SeqCst);
            let status = r#"{"kind": "Status", "status": "Failure", "reason": "NotFound", "code": 404, "message": "no"}"#;
            let answer = Response::builder().status(404).body(Body::from(status.as_bytes().to_vec()));
            async move { answer }
        });
        let objects = Objects::new(Client::new(server, "default"), "team");
        for name in ["..", "../../other/secrets/login", "login?watch=true", "login/status", "Login", ""] {
            assert!(matches!(objects.secret(name).await, Ok(None)), "{name}");
            assert!(matches!(objects.config_map(name).await, Ok(None)), "{name}");
            assert!(matches!(objects.helm_repository(name).await, Ok(None)), "{name}");
            assert_eq!(objects.version(ObjectKind::Secret, name).await, Ok(None), "{name}");
        }
        assert_eq!(asked.load(Ordering::SeqCst), 0);
        assert!(!objects.differ_from(&objects.seen()).await);
        assert!(matches!(objects.secret("login").await, Ok(None)));
        assert_eq!(asked.load(Ordering::SeqCst), 1, "what can be there is asked for");
    }
}
