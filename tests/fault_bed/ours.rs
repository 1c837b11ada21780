//! What this is for: `push` arrives by every hostile path.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use chart_publisher::{
    model::{Origin, Scheme},
    net::{Address, AddressPolicy, Endpoint, Patience, SystemRoots, TlsConfig, Transport},
    registry::{AllowedHosts, Authorizer, Pause, Registry},
};
use futures::{StreamExt, stream};

use crate::{
    faults::{
        ground::Ground,
        hostile,
        quirk::{Quirk, RetryAfter},
        registry::ScriptedRegistry,
        table,
        tool::{Became, Package, Tool},
    },
    support::{
        self,
        eventually::{SOON, eventually},
    },
};

/// How many are under way at once: most of them wait most of the time.
const AT_ONCE: usize = 6;

#[tokio::test(flavor = "multi_thread")]
async fn push_arrives_by_every_hostile_path() {
    let bed = support::on_loopback();
    let package = &Package::large(bed);
    let pushes = hostile::ALL.map(async |row| (row.name, table::one(bed, row.hostile, Tool::Push, package).await));
    let became: Vec<_> = Box::pin(stream::iter(pushes).buffer_unordered(AT_ONCE).collect()).await;
    let wrong: Vec<_> = became.iter().filter(|(_, became)| !matches!(became, None | Some(Became::Arrived))).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    let not_run = became.iter().filter(|(_, became)| became.is_none()).count();
    // Losing packets by their size needs a network namespace.
    assert!(not_run <= 1, "{not_run} paths could not be made here");
}

/// A client of ours.
fn client(registry: &ScriptedRegistry, pause: &Pause) -> Registry {
    let address = registry.socket();
    let endpoint = Endpoint {
        addresses: vec![Address::Socket(address)],
        origin: Origin::new(Scheme::Http, &address.ip().to_string(), address.port()),
        tls: TlsConfig::new(&SystemRoots::load(), None, None).unwrap(),
        policy: AddressPolicy::Any,
        segment: None,
        proxy: None,
    };
    let nobody = Arc::new(Authorizer::new(None, AllowedHosts::default()));
    let patience = Patience { stall: Duration::from_secs(10) };
    Registry::new(Transport::new(), endpoint, nobody, AllowedHosts::default(), patience).with_pause(pause.clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn retry_after_pauses_the_registry_and_not_one_client_of_it() {
    let registry = ScriptedRegistry::start(&Ground::loopback());
    registry.set_times(Quirk::RateLimited(RetryAfter::Seconds(2)), 1);
    let pause = Pause::default();
    let (one, other) = (client(&registry, &pause), client(&registry, &pause));
    let name = "charts/podinfo".parse().unwrap();
    let begin = Instant::now();
    let (told, waited) = tokio::join!(one.tags(&name), async {
        eventually(SOON, "somebody was refused", async || {
            let refused = registry.requests().iter().any(|asked| asked.status == Some(429));
            refused.then_some(()).ok_or_else(|| "nobody yet".to_owned())
        })
        .await;
        // What the refused one has heard, after the answer has left the registry.
        while pause.is_over() {
            tokio::task::yield_now().await;
        }
        let result = other.tags(&name).await;
        (result, begin.elapsed())
    });
    assert!(told.is_ok() && waited.0.is_ok(), "{told:?} {waited:?}");
    assert!(waited.1 >= Duration::from_secs(2), "it asked after {:?}", waited.1);
    let statuses: Vec<_> = registry.requests().iter().filter_map(|asked| asked.status).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 429).count(), 1, "{statuses:?}");
    assert_eq!(statuses.len(), 3, "{statuses:?}");
}
