//! What `/metrics` says of this moment: what the watches hold, and who works.

use super::start::Context;
use crate::metrics::Census;

/// Of the replica that works. Where it may have lost its Lease it leads no longer: another one may say that it does.
pub(super) fn census(context: &Context) -> Census {
    let mut census = Census::new(context.spool.usage(), context.slots.taken(), context.tenure.is_certain());
    for object in context.publications.iter().flat_map(kube::runtime::reflector::Store::state) {
        census.count(object.0.as_ref().ok());
    }
    census
}
