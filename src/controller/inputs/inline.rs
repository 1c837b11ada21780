//! One chart archive in the spec itself, as base64.

use std::collections::BTreeMap;

use futures::{
    FutureExt,
    future::{BoxFuture, ready},
};

use super::{Asking, Offer, assembly};
use crate::{
    controller::memory::Memory,
    model::decoded,
    publish::Failed,
    source::{Assembled, AssemblyError, Held, Holder},
};

const FIELD: &str = "`spec.source.inline`";
/// A field has none.
const KEY: &str = "";

pub(super) async fn offer(text: &str, asking: &Asking<'_>, memory: &mut Memory) -> Result<Offer, Failed> {
    let context = asking.context;
    let pieces = || vec![format!("inline {}", asking.generation.unwrap_or_default())];
    let known = memory.assembly.take().filter(|assembly| assembly.pieces == pieces());
    let holder = Box::new(InSpec { text: text.to_owned() });
    assembly::offer(Assembled::new(holder, context.spool.clone(), context.limits.clone()), known, pieces, memory).await
}

/// What stands in the spec.
struct InSpec {
    text: String,
}

impl Holder for InSpec {
    fn shown(&self) -> String {
        FIELD.to_owned()
    }

    fn count(&self) -> usize {
        1
    }

    fn held(&self, _: usize) -> BoxFuture<'_, Result<Held, AssemblyError>> {
        let decoded = decoded(&self.text);
        let held = decoded.map(|bytes| Held { object: FIELD.to_owned(), entries: BTreeMap::from([(KEY.to_owned(), bytes.into())]) });
        ready(held.map_err(|error| AssemblyError::NoBase64 { place: FIELD.to_owned(), detail: error.to_string() })).boxed()
    }
}
