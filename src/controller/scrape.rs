//! What `/metrics` says: what was counted, and what the watches hold at this moment.

use super::start::Context;
use crate::metrics::Census;

/// The text of one scrape.
pub(super) fn scrape(context: &Context) -> String {
    let mut census = Census::new(context.spool.usage(), context.slots.taken());
    for object in context.publications.iter().flat_map(kube::runtime::reflector::Store::state) {
        census.count(object.0.as_ref().ok());
    }
    context.metrics.text(&census)
}
