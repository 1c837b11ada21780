//! Runs the matrix: one cell after the other, each bounded, all together bounded.

use std::{sync::Arc, time::Duration};

use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use super::{
    Action, Auto, Cell, Fault, Finding, LeftBehind, MEDIUM, Outcome, Protocol, RouteReport, SMALL, auto,
    cell::METHODS,
    fault,
    sent::{Body, Ledger},
};
use crate::{
    model::{Chunks, Framing, Method, RepositoryName, Scheme},
    net::{NetError, Patience, Reuse, Transport},
    plan::LeftOut,
    publish::{Way, Ways},
    registry::{Blob, Failure, Registry, SeenOfChunks, Stage, Uploaded, Witness},
};

/// Under the most common limit for bodies: what chunks are for.
const CHUNK: u64 = 960 << 10;
/// A cell that makes progress may take this many times as long as one that makes none.
const CELL: u32 = 3;

/// How much is done, and how long it may take.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where bodies are sent to.
    pub repository: RepositoryName,
    /// Of the largest body.
    pub size: u64,
    /// The longest wait for an answer, and the longest time that a body may make no progress. A cell may take three times as long.
    pub timeout: Duration,
    /// After this no further cell is begun.
    pub longest: Duration,
}

impl Settings {
    /// Each size once, the smallest first.
    pub fn sizes(&self) -> Vec<u64> {
        let mut sizes = vec![SMALL, MEDIUM, self.size];
        sizes.sort_unstable();
        sizes.dedup();
        sizes
    }
}

/// The most bytes of bodies that are sent up one route: each method with each size, the smallest once more where the registry takes no
/// blob with its `POST`, HTTP/2 once, and what `Auto` would do with other options (twice the largest body, and once more).
pub fn most_bytes(settings: &Settings) -> u64 {
    let once: u64 = settings.sizes().iter().sum();
    once * 4 + SMALL + MEDIUM + settings.size * 3
}

/// All that is found.
#[derive(Debug)]
pub struct Report {
    /// As the target was given.
    pub target: String,
    /// Where bodies were sent to.
    pub repository: RepositoryName,
    /// The sizes of the bodies.
    pub sizes: Vec<u64>,
    /// In the order of the plan.
    pub routes: Vec<RouteReport>,
    /// Routes that cannot be taken.
    pub left_out: Vec<LeftOut>,
    /// Kinds of the cluster that could not be read: routes through them are not seen.
    pub unseen: Vec<String>,
    /// What `Auto` would do.
    pub auto: Auto,
    /// What is wrong, each cause once.
    pub faults: Vec<Fault>,
    /// Blobs that were removed.
    pub removed: u64,
    /// Their bytes.
    pub removed_bytes: u64,
    /// What could not be removed.
    pub left_behind: Vec<LeftBehind>,
    /// Bytes of bodies that went out.
    pub sent: u64,
    /// How long all took.
    pub took: Duration,
}

/// A probe that can be run.
pub struct Probe<'a> {
    /// As the target was given.
    pub target: String,
    /// Every route.
    pub ways: &'a Ways,
    /// What `Auto` would try, in its order.
    pub auto: &'a Ways,
    /// Routes that cannot be taken.
    pub left_out: Vec<LeftOut>,
    /// Kinds of the cluster that could not be read.
    pub unseen: Vec<String>,
    /// All connections of both.
    pub transport: &'a Transport,
    /// How much, and how long.
    pub settings: Settings,
    /// Ends it: what runs is given up, and what was sent is removed.
    pub stop: &'a CancellationToken,
    /// Told of each cell before it is run: which one, of how many, and what it is.
    pub progress: &'a dyn Fn(usize, usize, &str),
}

impl Probe<'_> {
    /// Runs all cells.
    pub async fn run(self) -> Report {
        let begin = Instant::now();
        let mut bench = Bench {
            ways: self.ways,
            transport: self.transport,
            settings: &self.settings,
            until: begin + self.settings.longest,
            stop: self.stop,
            ledger: Ledger::default(),
            progress: self.progress,
            done: 0,
            of: self.ways.all().len() * (METHODS.len() * self.settings.sizes().len() + 1),
        };
        let mut routes = Vec::new();
        for way in self.ways.all() {
            routes.push(bench.route(way).await);
        }
        let auto = auto::ask(self.auto, &routes, &mut bench).await;
        let Ledger { removed, removed_bytes, left_behind } = bench.ledger;
        let faults = fault::of(&routes);
        Report {
            target: self.target,
            repository: self.settings.repository.clone(),
            sizes: self.settings.sizes(),
            routes,
            left_out: self.left_out,
            unseen: self.unseen,
            auto,
            faults,
            removed,
            removed_bytes,
            left_behind,
            sent: self.transport.sent(),
            took: begin.elapsed(),
        }
    }
}

/// What all cells share.
pub(super) struct Bench<'a> {
    ways: &'a Ways,
    pub(super) transport: &'a Transport,
    pub(super) settings: &'a Settings,
    until: Instant,
    stop: &'a CancellationToken,
    pub(super) ledger: Ledger,
    progress: &'a dyn Fn(usize, usize, &str),
    done: usize,
    of: usize,
}

/// One way, and who sees what goes wrong on it.
struct Stand<'a> {
    way: &'a Way,
    registry: Registry,
    witness: Arc<Witness>,
}

impl<'a> Stand<'a> {
    fn at(way: &'a Way, registry: &Registry) -> Self {
        let witness = Arc::new(Witness::default());
        Self { way, registry: registry.before(witness.clone()), witness }
    }
}

impl Bench<'_> {
    async fn route(&mut self, way: &Way) -> RouteReport {
        let via = way.strategy.via.as_ref().map(|via| format!("{} \"{}/{}\"", via.kind, via.namespace, via.name));
        let mut report = RouteReport {
            route: way.strategy.route,
            addresses: way.strategy.addresses.clone(),
            origin: way.strategy.origin.clone(),
            via,
            why: way.strategy.reason.clone(),
            cells: Vec::new(),
        };
        let stand = Stand::at(way, &way.registry);
        let greeting = self.greet(&stand).await;
        let mut closed = match &greeting.outcome {
            Outcome::Passed { .. } => None,
            _ => Some("the route does not lead to the registry: see GET /v2/".to_owned()),
        };
        report.cells.push(greeting);
        for method in METHODS {
            let mut useless = None;
            for bytes in self.settings.sizes() {
                self.tell(way, &format!("{} {}", method.as_str(), super::figures::size(bytes)));
                let pair = match closed.clone().or(useless.clone()).or_else(|| self.is_late()) {
                    Some(why) => not_applicable(method, Protocol::Http1, bytes, &why),
                    None => self.pair(&stand, method, Protocol::Http1, bytes).await,
                };
                for finding in pair.iter().filter_map(Cell::failure) {
                    if finding.is_final {
                        closed = Some(format!("the registry refused it for good ({}), so it is not asked again", finding.reason));
                    }
                    if finding.is_stall() {
                        useless =
                            Some(format!("the body of {} stalled, and a larger one would only wait as long", super::figures::size(bytes)));
                    }
                }
                if method == Method::SinglePost && stand.witness.saw_deferral() {
                    useless = Some(
                        "the registry takes no blob with its POST (202, not 201), so a larger one would only be sent twice".to_owned(),
                    );
                }
                report.cells.extend(pair);
            }
        }
        self.tell(way, Protocol::Http2.as_str());
        report.cells.extend(self.http2(way, closed.or_else(|| self.is_late())).await);
        report
    }

    fn tell(&mut self, way: &Way, what: &str) {
        self.done += 1;
        (self.progress)(self.done, self.of, &format!("{} {what}", way.strategy.route.as_str()));
    }

    /// Why no further cell is begun.
    pub(super) fn is_late(&self) -> Option<String> {
        let longest = self.settings.longest.as_secs();
        if self.stop.is_cancelled() {
            return Some(STOPPED.to_owned());
        }
        (Instant::now() >= self.until).then(|| format!("the time for the whole probe, {longest} s, was over"))
    }

    /// Does `work` unless the whole probe is asked to stop, and no longer than a cell may take.
    async fn within<T>(&self, work: impl Future<Output = T>) -> Result<T, Ended> {
        tokio::select! {
            () = self.stop.cancelled() => Err(Ended::Stopped),
            done = timeout(self.limit(), work) => done.map_err(|_| Ended::TooSlow),
        }
    }

    /// In place of a result.
    fn given_up(&self, ended: &Ended, bytes: u64) -> Outcome {
        Outcome::NotApplicable(match ended {
            Ended::Stopped => STOPPED.to_owned(),
            Ended::TooSlow => self.too_slow(bytes),
        })
    }

    fn reference(&self) -> String {
        self.settings.repository.to_string()
    }

    fn finding(&self, way: &Way, bytes: u64, failure: Failure) -> Finding {
        Finding::of(self.ways, way, &self.reference(), bytes, failure)
    }

    /// What was overcome, each kind once.
    fn notes(&self, stand: &Stand<'_>, bytes: u64) -> Vec<Finding> {
        let mut notes: Vec<Finding> = Vec::new();
        for failure in stand.witness.take() {
            let finding = self.finding(stand.way, bytes, failure);
            if !notes.iter().any(|other| other.remedy == finding.remedy) {
                notes.push(finding);
            }
        }
        notes
    }

    fn limit(&self) -> Duration {
        self.settings.timeout * CELL
    }

    async fn greet(&self, stand: &Stand<'_>) -> Cell {
        self.transport.close_idle();
        let begin = Instant::now();
        let outcome = match self.within(stand.registry.greet(&self.settings.repository)).await {
            Ok(Ok(())) => Outcome::Passed { latency: Some(begin.elapsed()), took: begin.elapsed() },
            Ok(Err(failure)) => Outcome::Failed(Box::new(self.finding(stand.way, 0, failure))),
            Err(ended) => self.given_up(&ended, 0),
        };
        Cell { action: Action::Greet, protocol: Protocol::Http1, bytes: 0, outcome, notes: self.notes(stand, 0) }
    }

    fn too_slow(&self, bytes: u64) -> String {
        format!("{} made progress, and took longer than {} s", super::figures::size(bytes), self.limit().as_secs())
    }

    /// A body up, and down again; then it is removed.
    async fn pair(&mut self, stand: &Stand<'_>, method: Method, protocol: Protocol, bytes: u64) -> Vec<Cell> {
        if protocol == Protocol::Http1 {
            self.transport.close_idle();
        }
        let body = Body::random(bytes);
        let upload = self.upload(stand, method, protocol, &body).await;
        let was_taken = upload.has_passed();
        let download = match &upload.outcome {
            Outcome::Passed { .. } => self.download(stand, method, protocol, &body).await,
            _ => Cell { action: Action::Download(method), protocol, bytes, outcome: nothing_sent(&upload), notes: Vec::new() },
        };
        let _ = timeout(self.limit(), self.ledger.clean(&stand.registry, &self.settings.repository, &body, was_taken)).await;
        // How removing went says nothing of the way.
        stand.witness.take();
        vec![upload, download]
    }

    async fn upload(&self, stand: &Stand<'_>, method: Method, protocol: Protocol, body: &Body) -> Cell {
        let repository = &self.settings.repository;
        let bytes = body.bytes.len() as u64;
        let latency = self.within(self.latency(stand, body)).await.ok().and_then(Result::ok);
        let begin = Instant::now();
        let blob = Blob { body: &body.bytes, digest: body.digest };
        let outcome = match self.within(stand.registry.upload(repository, blob, framing(method))).await {
            Ok(Uploaded { result: Ok(()), .. }) => Outcome::Passed { latency, took: begin.elapsed() },
            Ok(Uploaded { result: Err(failure), .. }) => Outcome::Failed(Box::new(self.finding(stand.way, bytes, failure))),
            Err(ended) => self.given_up(&ended, bytes),
        };
        let mut cell = Cell { action: Action::Upload(method), protocol, bytes, outcome, notes: self.notes(stand, bytes) };
        cell.end_by_stall();
        cell
    }

    async fn download(&self, stand: &Stand<'_>, method: Method, protocol: Protocol, body: &Body) -> Cell {
        let bytes = body.bytes.len() as u64;
        let latency = match self.within(self.latency(stand, body)).await {
            Ok(latency) => latency,
            Err(ended) => {
                let outcome = self.given_up(&ended, bytes);
                return Cell { action: Action::Download(method), protocol, bytes, outcome, notes: Vec::new() };
            }
        };
        let begin = Instant::now();
        let outcome = match self.within(stand.registry.pull().blob(&self.settings.repository, body.digest, bytes)).await {
            Ok(Ok(())) => Outcome::Passed { latency: latency.as_ref().ok().copied(), took: begin.elapsed() },
            Ok(Err(failure)) => Outcome::Failed(Box::new(self.finding(stand.way, bytes, failure))),
            Err(ended) => self.given_up(&ended, bytes),
        };
        let mut notes = self.notes(stand, bytes);
        // Whoever looks before it pulls, as helm does, meets this.
        notes.extend(latency.err().map(|failure| self.finding(stand.way, bytes, failure)));
        Cell { action: Action::Download(method), protocol, bytes, outcome, notes }
    }

    /// How long a small request takes on a connection of its own.
    async fn latency(&self, stand: &Stand<'_>, body: &Body) -> Result<Duration, Failure> {
        let begin = Instant::now();
        stand.registry.says_it_has(&self.settings.repository, body.digest).await.map(|_| begin.elapsed())
    }

    async fn http2(&mut self, way: &Way, closed: Option<String>) -> Vec<Cell> {
        let none = |why: &str| not_applicable(Method::Buffered, Protocol::Http2, MEDIUM, why);
        if let Some(why) = closed {
            return none(&why);
        }
        if way.strategy.origin.scheme == Scheme::Http {
            return none("HTTP/2 is agreed upon in TLS, and this route speaks plain HTTP");
        }
        let stand = Stand::at(way, &way.registry.offering_http2());
        self.transport.close_idle();
        let patience = Patience { stall: self.settings.timeout };
        match self.transport.lease(stand.registry.endpoint(), patience, Reuse::Never).await {
            // It goes back to the idle ones, and is the next one's.
            Ok(lease) if lease.is_http2() => drop(lease),
            Ok(_) => return none("the server does not offer HTTP/2"),
            Err(error) => {
                let failure = Failure::new(Stage::Greet, error);
                let mut cells = none("no connection came about");
                if let Some(first) = cells.first_mut() {
                    first.outcome = Outcome::Failed(Box::new(self.finding(way, MEDIUM, failure)));
                }
                return cells;
            }
        }
        self.pair(&stand, Method::Buffered, Protocol::Http2, MEDIUM).await
    }

    /// One upload by a tactic that the matrix has no cell for; pulled back, and removed.
    pub(super) async fn once(&mut self, registry: &Registry, framing: Framing, bytes: u64) -> Uploaded {
        self.transport.close_idle();
        let registry = registry.before(Arc::new(Witness::default()));
        let repository = &self.settings.repository;
        let body = Body::random(bytes);
        let sending = registry.upload(repository, Blob { body: &body.bytes, digest: body.digest }, framing);
        let mut uploaded = self.within(sending).await.unwrap_or_else(|_| unended(self.limit()));
        let was_taken = uploaded.result.is_ok();
        if was_taken {
            let pulled = self.within(registry.pull().blob(repository, body.digest, bytes)).await;
            uploaded.result = pulled.unwrap_or_else(|_| unended(self.limit()).result);
        }
        let _ = timeout(self.limit(), self.ledger.clean(&registry, repository, &body, was_taken)).await;
        uploaded
    }
}

/// Why something came to no end.
enum Ended {
    Stopped,
    TooSlow,
}

const STOPPED: &str = "the probe was asked to stop";

fn unended(after: Duration) -> Uploaded {
    Uploaded {
        result: Err(Failure::new(Stage::SendBlob, NetError::NoAnswer { after, seen: None })),
        sent: 0,
        seen: SeenOfChunks::default(),
    }
}

fn framing(method: Method) -> Framing {
    match method {
        Method::Buffered => Framing::Buffered,
        Method::Chunked => Framing::Chunked(Chunks { first: CHUNK, most: CHUNK, renew: false }),
        Method::SinglePost => Framing::SinglePost,
        Method::Streamed => Framing::Streamed,
    }
}

fn not_applicable(method: Method, protocol: Protocol, bytes: u64, why: &str) -> Vec<Cell> {
    let cell = |action| Cell { action, protocol, bytes, outcome: Outcome::NotApplicable(why.to_owned()), notes: Vec::new() };
    vec![cell(Action::Upload(method)), cell(Action::Download(method))]
}

fn nothing_sent(upload: &Cell) -> Outcome {
    match &upload.outcome {
        Outcome::NotApplicable(why) => Outcome::NotApplicable(why.clone()),
        _ => Outcome::NotApplicable("nothing was uploaded that could be pulled back".to_owned()),
    }
}
