//! One chart archive that somebody holds for us, whole or in parts: in objects of the cluster, or in the spec itself.
//!
//! In: a [`Holder`], which alone knows where the parts lie. Out: the chart, put together in the spool; one object at a time is in memory.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use bytes::Bytes;
use futures::future::BoxFuture;

use super::{
    FetchedChart, Provenance, SourceError, cure,
    helm_repository::{MOST_OF_A_PROVENANCE, content, is_provenance},
    index::IndexEntry,
    parts::{Parts, PartsError, Place, Role, in_order},
};
use crate::{
    api::Reason,
    chart::{ChartError, Limits},
    model::Digest,
    spool::{Spool, SpoolError, Spooled},
};

/// The base64 of the three bytes that every chart archive begins with.
const ARCHIVE_AS_BASE64: &[u8] = b"H4sI";

/// What holds an archive.
pub trait Holder: Send + Sync {
    /// All of it, as it is shown: "ConfigMap `team/podinfo`".
    fn shown(&self) -> String;

    /// How many objects there are.
    fn count(&self) -> usize;

    /// What lies in one of them.
    fn held(&self, index: usize) -> BoxFuture<'_, Result<Held, AssemblyError>>;
}

/// What lies in one object.
pub struct Held {
    /// As it is shown.
    pub object: String,
    /// What lies under each key.
    pub entries: BTreeMap<String, Bytes>,
}

/// Why no chart was put together.
#[derive(Debug, thiserror::Error)]
pub enum AssemblyError {
    /// There is no such object.
    #[error("{object} does not exist: create it in the namespace of the ChartPublication")]
    Missing {
        /// The object.
        object: String,
    },
    /// It may not be read.
    #[error("{object} may not be read: the controller needs `get` on {kind}s there")]
    Forbidden {
        /// The object.
        object: String,
        /// Its kind.
        kind: &'static str,
    },
    /// The API server did not answer.
    #[error("{object} could not be read: the API server did not answer")]
    Away {
        /// The object.
        object: String,
    },
    /// It lies in a cluster, and there is none.
    #[error("{object} lies in a cluster: give `--kubeconfig`")]
    NoCluster {
        /// The object.
        object: String,
    },
    /// It changed between two looks.
    #[error("{place} changed while this run was under way: the next one reads it anew")]
    Changed {
        /// What holds the archive.
        place: String,
    },
    /// The keys make no archive.
    #[error(transparent)]
    Parts(#[from] PartsError),
    /// There is no key for one.
    #[error(
        "{place} holds no archive: `kubectl create configmap NAME --from-file=CHART.tgz` puts one there, for a Secret `kubectl create secret generic`"
    )]
    Nothing {
        /// What should hold it.
        place: String,
    },
    /// Text in place of bytes.
    #[error("{place} holds base64 in place of an archive: it was encoded twice, {}", encoded_once(.place))]
    Base64 {
        /// The key.
        place: Place,
    },
    /// Bytes in place of text.
    #[error("{place} is no base64: {detail}; `base64 --wrap=0 CHART.tgz` makes it")]
    NoBase64 {
        /// The field.
        place: String,
        /// Where.
        detail: String,
    },
    /// No provenance.
    #[error("{place} is no provenance: `helm package --sign` makes one, and it begins with `-----BEGIN PGP SIGNED MESSAGE-----`")]
    NoProvenance {
        /// The key.
        place: Place,
    },
    /// The spool, or a limit of it.
    #[error("{place} could not be kept: {cause}{}", cure::of_spool(.cause))]
    Spool {
        /// What holds the archive.
        place: String,
        /// What happened.
        cause: SpoolError,
    },
    /// No chart.
    #[error("{place} holds no chart that Helm would take: {cause}{}", cure::of_held_chart(.cause))]
    Chart {
        /// What holds the archive.
        place: String,
        /// What is wrong.
        cause: ChartError,
    },
}

/// A field of the spec has no key.
fn encoded_once(place: &Place) -> &'static str {
    if place.key.is_empty() {
        "encode it once (`base64 --wrap=0 CHART.tgz`)"
    } else {
        "put the archive itself there (`--from-file=CHART.tgz`)"
    }
}

impl AssemblyError {
    /// The name of the cause.
    pub fn reason(&self) -> Reason {
        match self {
            Self::Missing { .. } | Self::NoCluster { .. } => Reason::SourceNotFound,
            Self::Forbidden { .. } => Reason::SourceUnauthorized,
            Self::Away { .. } => Reason::SourceUnreachable,
            Self::Changed { .. } => Reason::DigestMismatch,
            Self::Parts(_) | Self::Nothing { .. } | Self::Base64 { .. } | Self::NoBase64 { .. } | Self::NoProvenance { .. } => {
                Reason::SourceInvalid
            }
            Self::Spool { cause: SpoolError::TooLarge { .. }, .. } => Reason::LimitExceeded,
            Self::Spool { .. } => Reason::SpoolFull,
            Self::Chart { cause, .. } if cause.is_limit() => Reason::LimitExceeded,
            Self::Chart { .. } => Reason::ChartInvalid,
        }
    }

    /// Whether it passes by itself.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Away { .. } | Self::NoCluster { .. } | Self::Changed { .. } => true,
            Self::Spool { cause, .. } => matches!(cause, SpoolError::Full { .. } | SpoolError::NoSpace | SpoolError::Disk(_)),
            _ => false,
        }
    }
}

/// One archive, put together when it is needed.
pub struct Assembled {
    holder: Box<dyn Holder>,
    spool: Spool,
    limits: Limits,
    /// What [`Assembled::look`] has brought, until it is published.
    arrived: Mutex<Option<FetchedChart>>,
}

impl Assembled {
    /// What `holder` has, at most as large as `limits` allow.
    pub fn new(holder: Box<dyn Holder>, spool: Spool, limits: Limits) -> Self {
        Self { holder, spool, limits, arrived: Mutex::new(None) }
    }

    /// Which chart it is, and the digest of its archive.
    ///
    /// # Errors
    /// [`AssemblyError`].
    pub async fn look(&self) -> Result<(IndexEntry, Digest), AssemblyError> {
        let chart = self.assemble().await?;
        let (name, version, digest) = (chart.content.name.clone(), chart.content.version.clone(), chart.archive.digest());
        *self.arrived.lock().unwrap_or_else(PoisonError::into_inner) = Some(chart);
        Ok((IndexEntry { name, version, urls: Vec::new(), digest: Some(digest), created: None }, digest))
    }

    /// The chart that [`Assembled::look`] found, in this run or in an earlier one.
    ///
    /// # Errors
    /// [`AssemblyError`]; [`AssemblyError::Changed`] when it has changed since.
    pub(super) async fn chart(&self, entry: &IndexEntry) -> Result<FetchedChart, SourceError> {
        let arrived = self.arrived.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let chart = match arrived {
            Some(chart) => chart,
            None => self.assemble().await?,
        };
        if entry.digest.is_some_and(|digest| digest != chart.archive.digest()) {
            return Err(AssemblyError::Changed { place: self.holder.shown() }.into());
        }
        Ok(chart)
    }

    async fn assemble(&self) -> Result<FetchedChart, AssemblyError> {
        let (archive, provenance) = self.collect().await?;
        let missing = || Provenance::Missing(format!("no key of {} ends with `.prov`", self.holder.shown()));
        let provenance = provenance.map_or_else(missing, Provenance::Here);
        let content = content(&archive, &self.limits).await;
        let content = content.map_err(|cause| AssemblyError::Chart { place: self.holder.shown(), cause })?;
        Ok(FetchedChart { content, archive, provenance, copied: None })
    }

    /// Reads one object after the other into the spool.
    async fn collect(&self) -> Result<(Spooled, Option<Bytes>), AssemblyError> {
        let failed = |cause| AssemblyError::Spool { place: self.holder.shown(), cause };
        let (mut parts, mut provenance, mut writer) = (Parts::default(), None, None);
        for index in 0..self.holder.count() {
            let Held { object, entries } = self.holder.held(index).await?;
            let mut entries: Vec<(String, Bytes)> = entries.into_iter().collect();
            entries.sort_by(|(one, _), (other, _)| in_order(one, other));
            for (key, bytes) in entries {
                match parts.take(&object, &key)? {
                    Role::Provenance => provenance = Some(checked_provenance(bytes, Place { object: object.clone(), key })?),
                    Role::Archive => {
                        if writer.is_none() && bytes.starts_with(ARCHIVE_AS_BASE64) {
                            return Err(AssemblyError::Base64 { place: Place { object, key } });
                        }
                        // With its size known, it waits for room among others.
                        let promised = (!parts.is_in_parts()).then_some(bytes.len() as u64);
                        let mut begun = match writer.take() {
                            Some(begun) => begun,
                            None => self.spool.writer(promised, self.limits.compressed).await.map_err(failed)?,
                        };
                        begun.write(&bytes).await.map_err(failed)?;
                        writer = Some(begun);
                    }
                }
            }
        }
        let writer = writer.ok_or_else(|| AssemblyError::Nothing { place: self.holder.shown() })?;
        Ok((writer.finish().await.map_err(failed)?, provenance))
    }
}

fn checked_provenance(bytes: Bytes, place: Place) -> Result<Bytes, AssemblyError> {
    let is_one = is_provenance(&bytes) && bytes.len() as u64 <= MOST_OF_A_PROVENANCE;
    if is_one { Ok(bytes) } else { Err(AssemblyError::NoProvenance { place }) }
}

#[cfg(test)]
mod tests;
