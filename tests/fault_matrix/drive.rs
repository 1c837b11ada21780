//! One cell from begin to end, and the record of what was seen of it from outside.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use chart_publisher::{
    api::RouteKind,
    model::{Origin, Scheme},
    net::Address,
    publish::FailedAttempt,
};
use tokio::{
    sync::OnceCell,
    time::{sleep, timeout},
};

use crate::{
    cell::{Asked, Cell},
    charts::{Chart, FIRST, NAME, SECOND, TAKEN},
    engine::{Claim, Engine},
    faults::{
        ground::Ground,
        ledger::Asked as Request,
        registry::{ScriptedRegistry, store::digest},
    },
    scene::{Registries, Route, Scene},
    seeded::{self, Bug},
};

/// Where silence is the fault.
const SHORT: Duration = Duration::from_millis(700);
/// Elsewhere: longer than anything takes.
const LONG: Duration = Duration::from_secs(20);
/// Runs while the fault is there.
const RUNS: usize = 3;
/// How long a fault may be gone before all is well again (I3).
pub const UNTIL_WELL: Duration = Duration::from_mins(1);

/// One run, seen from outside.
#[derive(Clone, Debug)]
pub struct Run {
    /// What it says.
    pub claim: Claim,
    /// What it says that it tried in vain.
    pub attempts: Vec<FailedAttempt>,
    /// What was asked.
    pub requests: Vec<Request>,
    /// Bytes of bodies that went out.
    pub sent: u64,
}

/// What was seen under the tag of the first chart, twenty times a second.
#[derive(Clone, Debug, Default)]
pub struct Watched {
    /// How often somebody looked.
    pub looks: usize,
    /// The digests that the tag named.
    pub digests: Vec<String>,
    /// What a puller could not have used.
    pub broken: Vec<String>,
}

/// All that was seen of a cell.
#[derive(Clone, Debug)]
pub struct Record {
    /// The cell.
    pub cell: Cell,
    /// Whether the fault has shown.
    pub met: bool,
    /// Runs for the first chart while the fault was there.
    pub runs: Vec<Run>,
    /// The run for the second chart, after the first one had arrived.
    pub second: Option<Run>,
    /// The run for the chart whose tag is taken.
    pub taken: Run,
    /// The digest under that tag, before and after.
    pub holder: (String, Result<Option<String>, String>),
    /// How long it took after the fault was gone until the first chart was there; `None` where it was there before.
    pub well: Option<Result<Duration, String>>,
    /// Under the tag of the first chart.
    pub watched: Watched,
    /// The digests that the manifests of both charts have where nothing is wrong.
    pub wanted: Vec<String>,
    /// The digests of all manifests that the repository has held.
    pub written: Vec<String>,
    /// What was pulled by another client where the engine said `Ready`.
    pub pulled: Vec<(String, Result<(), String>)>,
    /// Sessions that were used and are neither closed nor deleted, nor was it tried.
    pub left: Vec<String>,
    /// What came to a host that nobody may be led to, or came with a credential where that may not be.
    pub foreign: Vec<String>,
    /// Tasks of the engine that were left when it was gone.
    pub tasks: usize,
}

/// Does it all.
pub async fn run(cell: &Cell, number: usize, registries: &Registries, bug: Option<Bug>) -> Record {
    let scene = Scene::new(cell, registries);
    let prefix = format!("cells/{number}");
    let repository = format!("{prefix}/{NAME}");
    let wanted = Box::pin(wanted()).await;
    let holder = scene.held().take(&repository, TAKEN.tag).await;
    let watched = Arc::<Mutex<Watched>>::default();
    let stall = if cell.made.is_silence() { SHORT } else { LONG };
    let mut record = {
        let engine = Engine::new(cell.asked, prefix, stall, bug);
        let stand = Stand { scene: &scene, engine: &engine, repository: &repository };
        scene.break_it();
        tokio::select! {
            biased;
            record = stand.all(cell, &holder) => record,
            () = watch(&scene, &repository, &watched) => panic!("it watches for ever"),
        }
    };
    record.tasks = tasks_left().await;
    record.watched = watched.lock().expect("what was seen").clone();
    record.wanted = wanted;
    record
}

/// The digests that the manifests of both charts get, by the engine where nothing is wrong.
async fn wanted() -> Vec<String> {
    static WANTED: OnceCell<Vec<String>> = OnceCell::const_new();
    let made = async {
        let registry = ScriptedRegistry::start(&Ground::loopback());
        let origin = Origin::new(Scheme::Http, "127.0.0.1", registry.socket().port());
        let route = Route { kind: RouteKind::ClusterIp, address: Address::Socket(registry.socket()), origin };
        let engine = Engine::new(Asked::Auto, "wanted".to_owned(), LONG, None);
        let mut digests = Vec::new();
        for chart in [&*FIRST, &*SECOND] {
            match engine.run(std::slice::from_ref(&route), chart).await.0 {
                Claim::Ready { manifest, .. } => digests.push(manifest),
                Claim::Failed { sentence, .. } => panic!("where nothing is wrong: {sentence}"),
            }
        }
        digests
    };
    Box::pin(WANTED.get_or_init(|| made)).await.clone()
}

/// An engine before a scene.
struct Stand<'a> {
    scene: &'a Scene<'a>,
    engine: &'a Engine,
    repository: &'a str,
}

impl Stand<'_> {
    async fn all(&self, cell: &Cell, holder: &str) -> Record {
        let mut runs = Vec::new();
        let mut pulled = Vec::new();
        while runs.len() < RUNS {
            let run = self.one(&FIRST).await;
            let (is_ready, pause) = (run.claim.is_ready(), pause(&run.claim));
            runs.push(run);
            if is_ready {
                pulled.push((FIRST.tag.to_owned(), self.pulled(&FIRST, &runs).await));
                break;
            }
            sleep(pause).await;
        }
        let is_there = runs.last().is_some_and(|run| run.claim.is_ready());
        let mut second = None;
        if is_there {
            let run = self.one(&SECOND).await;
            if run.claim.is_ready() {
                pulled.push((SECOND.tag.to_owned(), self.pulled(&SECOND, std::slice::from_ref(&run)).await));
            }
            second = Some(run);
        }
        let taken = self.one(&TAKEN).await;
        let holder = (holder.to_owned(), self.scene.held().tag(self.repository, TAKEN.tag));
        let met = self.scene.has_shown();
        let (left, foreign) = (self.left(), self.foreign());
        let well = if is_there || !self.scene.can_mend() { None } else { Some(self.mended(&mut pulled).await) };
        Record {
            cell: cell.clone(),
            met,
            runs,
            second,
            taken,
            holder,
            well,
            watched: Watched::default(),
            wanted: Vec::new(),
            written: self.scene.held().manifests(self.repository),
            pulled,
            left,
            foreign,
            tasks: 0,
        }
    }

    async fn one(&self, chart: &Chart) -> Run {
        let before: Vec<usize> = self.scene.requests().iter().map(Vec::len).collect();
        let sent = self.scene.received();
        let routes = self.scene.routes();
        let (claim, attempts) = seeded::run(self.engine, &routes, chart, self.scene, self.repository).await;
        let after = self.scene.requests();
        let requests = after.into_iter().zip(before).flat_map(|(all, before)| all.into_iter().skip(before)).collect();
        Run { claim, attempts, requests, sent: self.scene.received() - sent }
    }

    /// Whether another client gets, under the tag, the digest that was claimed and the bytes of the source.
    async fn pulled(&self, chart: &Chart, runs: &[Run]) -> Result<(), String> {
        let Some(Claim::Ready { manifest, .. }) = runs.last().map(|run| &run.claim) else { return Ok(()) };
        let (found, layers) = self.scene.held().pull(self.repository, chart.tag).await?.ok_or("no such tag")?;
        if found != *manifest {
            return Err(format!("{found} in place of {manifest}"));
        }
        let fits = layers.first().is_some_and(|layer| *layer == chart.bytes);
        if fits { Ok(()) } else { Err(format!("the layer is {:?}", layers.first().map(|layer| digest(layer)))) }
    }

    /// Takes the fault away and runs until the chart is there, with the pauses of a controller that is asked to hurry.
    async fn mended(&self, pulled: &mut Vec<(String, Result<(), String>)>) -> Result<Duration, String> {
        self.scene.mend();
        let begin = Instant::now();
        let until = async {
            loop {
                let run = self.one(&FIRST).await;
                if run.claim.is_ready() {
                    return run;
                }
                sleep(Duration::from_secs(1)).await;
            }
        };
        let run = timeout(UNTIL_WELL, until).await.map_err(|_| "not within a minute of asking".to_owned())?;
        pulled.push((FIRST.tag.to_owned(), self.pulled(&FIRST, std::slice::from_ref(&run)).await));
        Ok(begin.elapsed())
    }

    /// A session that the client has used and could have deleted, and did not try to.
    fn left(&self) -> Vec<String> {
        let requests: Vec<Request> = self.scene.requests().into_iter().flatten().collect();
        let is_left = |id: &String| {
            let of_it: Vec<_> = requests.iter().filter(|asked| asked.path().ends_with(&format!("/blobs/uploads/{id}"))).collect();
            let was_told = of_it.iter().any(|asked| asked.status == Some(404));
            !of_it.is_empty() && !was_told && of_it.iter().all(|asked| asked.method != "DELETE")
        };
        self.scene.held().sessions(self.repository).into_iter().filter(is_left).collect()
    }

    fn foreign(&self) -> Vec<String> {
        let mut foreign = self.scene.trap.heard();
        if let Some(storage) = self.scene.storage() {
            let named = storage.requests().into_iter().filter(|asked| asked.field("authorization").is_some());
            foreign.extend(named.map(|asked| format!("a credential to the storage host: {}", asked.line())));
        }
        foreign
    }
}

/// As a controller would wait; short, since nobody waits for it here.
fn pause(claim: &Claim) -> Duration {
    let asks_for_it = ["RateLimited", "RegistryUnavailable"].contains(&claim.reason());
    if asks_for_it { Duration::from_millis(1200) } else { Duration::from_millis(50) }
}

async fn watch(scene: &Scene<'_>, repository: &str, watched: &Mutex<Watched>) {
    let mut ticks = tokio::time::interval(Duration::from_millis(50));
    loop {
        ticks.tick().await;
        let found = scene.held().tag(repository, FIRST.tag);
        let is_new = |found: &String| !watched.lock().expect("what was seen").digests.contains(found);
        let broken = match &found {
            Ok(Some(digest)) if is_new(digest) => scene.held().broken(repository, FIRST.tag).await,
            Ok(_) => None,
            Err(problem) => Some(problem.clone()),
        };
        let mut watched = watched.lock().expect("what was seen");
        watched.looks += 1;
        if let Ok(Some(digest)) = found
            && !watched.digests.contains(&digest)
        {
            watched.digests.push(digest);
        }
        watched.broken.extend(broken);
    }
}

/// Tasks that live after the engine is gone: they get a moment to notice.
async fn tasks_left() -> usize {
    let metrics = tokio::runtime::Handle::current().metrics();
    for _ in 0..100 {
        if metrics.num_alive_tasks() == 0 {
            return 0;
        }
        sleep(Duration::from_millis(20)).await;
    }
    metrics.num_alive_tasks()
}
