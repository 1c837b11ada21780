//! After a proof by one way: does each replica of the registry have it? With storage of their own, readers get it from some and not
//! from others.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

use futures::StreamExt;

use super::{Content, Failed, Way};
use crate::{
    api::Reason,
    model::Digest,
    registry::{Cause, Stage},
};

const ASKED_AT_ONCE: usize = 8;

/// The ways to each replica by itself; none where there is only one.
#[derive(Default)]
pub struct Replicas {
    ways: Vec<Way>,
    /// Those that cannot be reached from here, as from outside of the cluster: not tried again in this run.
    unreachable: Mutex<BTreeSet<usize>>,
}

/// What a replica says.
enum Said {
    /// It has this manifest.
    Has(Digest),
    /// It has none.
    Nothing,
    /// It could not be asked.
    Unknown,
}

impl Replicas {
    /// Each way leads to one replica.
    pub fn new(ways: Vec<Way>) -> Self {
        Self { ways, unreachable: Mutex::default() }
    }

    /// Asks each of them for the manifest; those that cannot be asked say nothing.
    ///
    /// # Errors
    /// One of them has it not.
    pub(super) async fn confirm(&self, content: &Content, registry: &str) -> Result<(), Failed> {
        let said = self.asked(content).await;
        let lacking = said.iter().find(|(_, said)| match said {
            Said::Has(digest) => *digest != content.manifest,
            Said::Nothing => true,
            Said::Unknown => false,
        });
        lacking.map_or(Ok(()), |(way, said)| Err(apart(content, registry, way, said)))
    }

    /// A proof failed: whether that is because they differ from each other.
    pub(super) async fn difference(&self, content: &Content, registry: &str) -> Option<Failed> {
        let said = self.asked(content).await;
        let has = said.iter().any(|(_, said)| matches!(said, Said::Has(digest) if *digest == content.manifest));
        let lacks = said.iter().find(|(_, said)| matches!(said, Said::Nothing));
        lacks.filter(|_| has).map(|(way, said)| apart(content, registry, way, said))
    }

    async fn asked(&self, content: &Content) -> Vec<(&Way, Said)> {
        let asked: Vec<_> = self.ways.iter().enumerate().map(|(index, way)| self.ask(index, way, content)).collect();
        futures::stream::iter(asked).buffered(ASKED_AT_ONCE).collect().await
    }

    async fn ask<'w>(&self, index: usize, way: &'w Way, content: &Content) -> (&'w Way, Said) {
        (way, self.said(index, way, content).await)
    }

    async fn said(&self, index: usize, way: &Way, content: &Content) -> Said {
        if self.unreachable.lock().unwrap_or_else(PoisonError::into_inner).contains(&index) {
            return Said::Unknown;
        }
        match way.registry.manifest(&content.repository, &content.tag, Stage::PullManifest).await {
            Ok(Some(manifest)) => Said::Has(manifest.digest),
            Ok(None) => Said::Nothing,
            Err(failure) => {
                tracing::debug!(endpoint = way.address(), reference = %content, %failure, "a replica cannot be asked; it is left out of the proof");
                if matches!(failure.cause, Cause::Net(_)) {
                    self.unreachable.lock().unwrap_or_else(PoisonError::into_inner).insert(index);
                }
                Said::Unknown
            }
        }
    }
}

fn apart(content: &Content, registry: &str, way: &Way, said: &Said) -> Failed {
    let pod = way.strategy.via.as_ref().map(|via| format!(" {} \"{}/{}\"", via.kind, via.namespace, via.name)).unwrap_or_default();
    let holds = match said {
        Said::Has(digest) => format!("holds the manifest {digest} instead of {}", content.manifest),
        Said::Nothing | Said::Unknown => format!("does not have the manifest {}", content.manifest),
    };
    let sentence = format!(
        "`{content}` was published into {registry}, and the endpoint{pod} ({}) {holds}: the replicas of the registry do not share their \
         storage. Give all of them one volume that many can write (ReadWriteMany) or an object store, and the same `http.secret`; or run \
         one replica",
        way.address()
    );
    Failed { reason: Reason::ReplicasNotShared, sentence, passing: true }
}
