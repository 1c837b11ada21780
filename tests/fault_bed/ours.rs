//! What this is for: `push` arrives by every hostile path.

use futures::{StreamExt, stream};

use crate::{
    faults::{
        hostile, table,
        tool::{Became, Package, Tool},
    },
    support,
};

/// How many are under way at once: most of them wait most of the time.
const AT_ONCE: usize = 6;

#[tokio::test(flavor = "multi_thread")]
async fn push_arrives_by_every_hostile_path() {
    let bed = support::on_loopback();
    let package = &Package::large(bed);
    let pushes = hostile::ALL.map(async |row| (row.name, table::one(bed, row.hostile, Tool::Push, package).await));
    let became: Vec<_> = stream::iter(pushes).buffer_unordered(AT_ONCE).collect().await;
    let wrong: Vec<_> = became.iter().filter(|(_, became)| !matches!(became, None | Some(Became::Arrived))).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    let not_run = became.iter().filter(|(_, became)| became.is_none()).count();
    // Losing packets by their size needs a network namespace.
    assert!(not_run <= 1, "{not_run} paths could not be made here");
}
