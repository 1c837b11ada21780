//! The metrics themselves: under which names, of which kinds, and how they are told.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use prometheus_client::{
    encoding::text::encode,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram, info::Info},
    registry::{Registry, Unit},
};

use super::{
    Census,
    labels::{BUCKETS, DISK, Labels, MEMORY, VERSION, attempt, publication, request},
};
use crate::{
    publish::{self, Ended},
    registry::{self, Stage},
};

type Amount = Gauge<u64, std::sync::atomic::AtomicU64>;

/// All metrics of a controller.
#[derive(Default)]
pub struct Metrics {
    charts: Counter,
    bytes: Counter,
    sent: Counter,
    attempts: Family<Labels<3>, Counter>,
    requests: Family<Labels<2>, Counter>,
    latency: Latency,
    publications: Family<Labels<2>, Amount>,
    used: Family<Labels<1>, Amount>,
    limits: Family<Labels<1>, Amount>,
    running: Amount,
    waiting: Amount,
    slots: Amount,
    leader: Amount,
    /// Made with the first scrape; held while one is told, so that two at once do not mix.
    registry: Mutex<Option<Registry>>,
}

#[derive(Clone)]
struct Latency(Family<Labels<1>, Histogram>);

impl Default for Latency {
    fn default() -> Self {
        Self(Family::new_with_constructor(|| Histogram::new(BUCKETS)))
    }
}

impl Metrics {
    /// What is told: [`Metrics::text`] has this form.
    pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

    /// All that was counted, and all that there is, in the text format of `OpenMetrics` 1.0.
    pub fn text(&self, census: &Census) -> String {
        let mut registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        let registry = registry.get_or_insert_with(|| self.registered());
        self.publications.clear();
        for (state, reason, count) in census.publications() {
            self.publications.get_or_create(&publication(state, reason)).set(count);
        }
        for (place, room) in [(MEMORY, census.spool.memory), (DISK, census.spool.disk)] {
            self.used.get_or_create(&[("place", place)]).set(room.used);
            self.limits.get_or_create(&[("place", place)]).set(room.limit);
        }
        self.running.set(census.reconciles.running);
        self.waiting.set(census.reconciles.waiting);
        self.slots.set(census.reconciles.limit);
        self.leader.set(census.leads.into());
        let mut text = String::new();
        // Writing into memory does not fail.
        let _ = encode(&mut text, registry);
        text
    }

    fn registered(&self) -> Registry {
        let mut registry = Registry::with_prefix("chart_publisher");
        let publications = "Publications, each once, by how they stand and why";
        registry.register("publications", publications, self.publications.clone());
        registry.register(
            "published_charts",
            "Versions of charts that were sent and pulled back whole, once for each target",
            self.charts.clone(),
        );
        let bytes = "Bytes of the archives of these charts";
        registry.register_with_unit("published", bytes, Unit::Bytes, self.bytes.clone());
        let sent = "Bytes of bodies that went out to registries, also those that were in vain";
        registry.register_with_unit("sent", sent, Unit::Bytes, self.sent.clone());
        let attempts = "Attempts to look or to publish by one way, by what came of them";
        registry.register("attempts", attempts, self.attempts.clone());
        let requests = "Requests to registries (targets, and sources of kind `oci`) and their token services, by what answered";
        registry.register("registry_requests", requests, self.requests.clone());
        let latency = "Time from the first packet of a request, that of a new connection and its body included, to the head of the answer, or to \
                       the failure";
        registry.register_with_unit("registry_request_duration", latency, Unit::Seconds, self.latency.0.clone());
        let used = "Bytes of the spool that are taken by charts on their way and by indexes that are kept, in pieces of 4 KiB";
        registry.register_with_unit("spool_used", used, Unit::Bytes, self.used.clone());
        let limits = "Bytes that the spool may take: `--spool-memory` and `--spool-size`";
        registry.register_with_unit("spool_limit", limits, Unit::Bytes, self.limits.clone());
        registry.register("reconciles_running", "Publications that are worked on", self.running.clone());
        registry.register("reconciles_waiting", "Publications that wait until one of these is done", self.waiting.clone());
        registry.register("reconciles_limit", "Publications that may be worked on at once: `--concurrency`", self.slots.clone());
        let leader = "1 where this replica works, 0 where it stands by or may have lost its Lease";
        registry.register("leader", leader, self.leader.clone());
        registry.register("build", "The program", Info::new([("version", VERSION)]));
        registry
    }
}

impl registry::Observer for Metrics {
    fn asked(&self, stage: Stage, status: Option<u16>, took: Duration) {
        self.requests.get_or_create(&request(stage, status)).inc();
        self.latency.0.get_or_create(&[("stage", stage.as_str())]).observe(took.as_secs_f64());
    }
}

impl publish::Observer for Metrics {
    fn tried(&self, ended: Ended) {
        self.attempts.get_or_create(&attempt(ended.route, ended.method, ended.class)).inc();
        self.sent.inc_by(ended.sent);
    }

    fn published(&self, bytes: u64) {
        self.charts.inc();
        self.bytes.inc_by(bytes);
    }
}
