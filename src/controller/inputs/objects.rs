//! One chart archive in `ConfigMaps` or Secrets of the publication's namespace.

use std::collections::BTreeMap;

use bytes::Bytes;
use futures::{FutureExt, future::BoxFuture};
use k8s_openapi::api::core::v1::{ConfigMap, Secret};

use super::{Asking, Offer, assembly};
use crate::{
    controller::{
        memory::Memory,
        objects::{ObjectKind, Objects, Unread},
    },
    publish::Failed,
    source::{Assembled, AssemblyError, Held, Holder},
};

/// Objects that are named in a sentence about all of them.
const NAMED: usize = 4;

pub(super) async fn offer(kind: ObjectKind, names: &[String], asking: &Asking<'_>, memory: &mut Memory) -> Result<Offer, Failed> {
    let context = asking.context;
    let objects = InNamespace { objects: asking.secrets.objects().clone(), kind, names: names.to_vec(), has_cluster: context.has_cluster };
    let mut known = memory.assembly.take();
    if let Some(assembly) = &known
        && objects.current().await.as_ref() != Some(&assembly.pieces)
    {
        known = None;
    }
    let pieces = objects.clone();
    let assembled = Assembled::new(Box::new(objects), context.spool.clone(), context.limits.clone());
    assembly::offer(assembled, known, || pieces.seen(), memory).await
}

/// Objects of one kind, in the order of the spec.
#[derive(Clone)]
struct InNamespace {
    objects: Objects,
    kind: ObjectKind,
    names: Vec<String>,
    has_cluster: bool,
}

impl InNamespace {
    /// What they are now, by their metadata alone; nothing where one of them cannot be had, which reading it will say.
    async fn current(&self) -> Option<Vec<String>> {
        for name in &self.names {
            self.objects.version(self.kind, name).await.ok()??;
        }
        Some(self.seen())
    }

    /// What they were when they were last read.
    fn seen(&self) -> Vec<String> {
        let seen = self.objects.seen();
        let version = |name: &String| seen.get(&(self.kind, name.clone())).cloned().flatten().unwrap_or_default();
        self.names.iter().map(|name| format!("{} {name} {}", self.kind.as_str(), version(name))).collect()
    }

    async fn read(&self, name: &str) -> Result<Held, AssemblyError> {
        let object = self.objects.shown(self.kind, name);
        if !self.has_cluster {
            return Err(AssemblyError::NoCluster { object });
        }
        let found = match self.kind {
            ObjectKind::ConfigMap => self.objects.config_map(name).await.map(|found| found.map(of_config_map)),
            ObjectKind::Secret => self.objects.secret(name).await.map(|found| found.map(of_secret)),
            // They hold no chart.
            ObjectKind::HelmRepository | ObjectKind::OciRepository => Ok(None),
        };
        match found {
            Ok(Some(entries)) => Ok(Held { object, entries }),
            Ok(None) => Err(AssemblyError::Missing { object }),
            Err(Unread::Forbidden) => Err(AssemblyError::Forbidden { object, kind: self.kind.as_str() }),
            Err(Unread::Away) => Err(AssemblyError::Away { object }),
        }
    }
}

impl Holder for InNamespace {
    fn shown(&self) -> String {
        let named: Vec<_> = self.names.iter().take(NAMED).map(|name| self.objects.shown(self.kind, name)).collect();
        match self.names.len().saturating_sub(NAMED) {
            0 => named.join(", "),
            more => format!("{} and {more} more", named.join(", ")),
        }
    }

    fn count(&self) -> usize {
        self.names.len()
    }

    fn held(&self, index: usize) -> BoxFuture<'_, Result<Held, AssemblyError>> {
        let name = self.names.get(index).map(String::as_str).unwrap_or_default();
        self.read(name).boxed()
    }
}

/// `kubectl create configmap --from-file` puts what is no UTF-8 into `binaryData`, and all else into `data`: provenances, and the
/// last bytes of an archive where they look like text.
fn of_config_map(object: ConfigMap) -> BTreeMap<String, Bytes> {
    let texts = object.data.into_iter().flatten().map(|(key, text)| (key, text.into()));
    let bytes = object.binary_data.into_iter().flatten().map(|(key, bytes)| (key, bytes.0.into()));
    texts.chain(bytes).collect()
}

fn of_secret(object: Secret) -> BTreeMap<String, Bytes> {
    object.data.into_iter().flatten().map(|(key, bytes)| (key, bytes.0.into())).collect()
}
