//! A chart that may be published: it has the signature that is demanded.

use crate::{
    provenance::{Chart, Demand, Signer, Unvouched},
    source::{FetchedChart, Provenance},
};

/// A chart that may be published.
///
/// *Invariant:* only [`Vetted::of`] makes one, after the demand was met.
pub struct Vetted {
    chart: FetchedChart,
    signer: Option<Signer>,
}

impl Vetted {
    /// Holds `chart` against `demand`.
    ///
    /// # Errors
    /// [`Unvouched`], where it is not met.
    pub fn of(demand: &Demand, chart: FetchedChart) -> Result<Self, Unvouched> {
        let FetchedChart { content, archive, provenance, .. } = &chart;
        let judged = Chart { name: &content.name, version: content.version.as_str(), digest: archive.digest() };
        let provenance = match provenance {
            Provenance::Here(bytes) => Ok(bytes.as_ref()),
            Provenance::Missing(seen) => Err(seen.as_str()),
        };
        let signer = demand.judge(&judged, provenance)?;
        Ok(Self { chart, signer })
    }

    /// The chart, and who vouches for it; nobody where nothing is demanded.
    pub(super) fn into_parts(self) -> (FetchedChart, Option<Signer>) {
        (self.chart, self.signer)
    }
}
