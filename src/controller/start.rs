//! From settings to a running controller, and back down again within 3 s of SIGTERM; within 4 s where the API server does not answer.

use std::{
    collections::HashSet,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures::StreamExt;
use kube::{
    Client, ResourceExt,
    core::DeserializeGuard,
    runtime::{Controller, controller, reflector::Store, watcher},
};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{
    Settings,
    at_hand::AtHand,
    authorizers::Authorizers,
    cluster::{Cluster, KINDS},
    complaints::Complaints,
    foresee::{ForesightError, any_address, nobody},
    health::{self, Readiness},
    kept::Kept,
    leader::{Candidate, Lost},
    memory::Memories,
    reconcile::{after_error, reconcile},
    recorder::Recorder,
    scrape::census,
    slots::Slots,
    statuses::Statuses,
    targets::Asker,
    watches::{Change, concerned, scoped, scopes, watch},
};
use crate::{
    api::ChartPublication,
    chart::Limits,
    metrics::{Census, Metrics},
    net::{InvalidPem, SystemRoots, TlsConfig, Transport},
    publish::Learnt,
    registry::Tenure,
    relay::Relay,
    source::{Fetcher, Indexes, SourceLimits, index::IndexLimits},
    spool::Spool,
};

/// Running work has come to a safe point by then.
const LONGEST_STOP: Duration = Duration::from_millis(2500);
const PUBLICATIONS: &str = "ChartPublication";
const LEASE: &str = "Lease";
const SWEEP: Duration = Duration::from_secs(10);

/// Why the controller could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address for probes is taken.
    #[error("`--health-address {address}` cannot be listened on")]
    Health {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// The folder for spool files cannot be written.
    #[error("`--spool-dir {directory}` is no folder that can be written; give one that exists, on a volume of its own")]
    Spool {
        /// The folder.
        directory: String,
        /// Why.
        source: std::io::Error,
    },
    /// TLS cannot be set up.
    #[error("TLS cannot be set up")]
    Tls(#[from] InvalidPem),
}

/// What all reconciles share.
pub(super) struct Context {
    pub(super) client: Client,
    pub(super) cluster: Cluster,
    pub(super) publications: Vec<Store<DeserializeGuard<ChartPublication>>>,
    pub(super) memories: Memories,
    /// What was written of publications, until their watch has brought it.
    pub(super) statuses: Arc<Statuses>,
    pub(super) authorizers: Authorizers,
    /// What was learnt of registries, by the registry as the spec names it.
    pub(super) registries: Kept<String, Learnt>,
    /// The same with what was refused there, by who asked.
    pub(super) learnt: Kept<Asker, Learnt>,
    pub(super) transport: Transport,
    pub(super) fetcher: Fetcher,
    /// What was read of indexes, for all publications that name one alike.
    pub(super) indexes: Indexes,
    pub(super) spool: Spool,
    pub(super) metrics: Arc<Metrics>,
    pub(super) roots: SystemRoots,
    pub(super) plain_tls: TlsConfig,
    pub(super) allowed_addresses: Arc<[ipnet::IpNet]>,
    pub(super) api_server: Arc<[SocketAddr]>,
    pub(super) limits: Limits,
    pub(super) index_limits: IndexLimits,
    pub(super) workers: usize,
    /// Runs at once, in all namespaces together.
    pub(super) slots: Arc<Slots>,
    pub(super) recorder: Recorder,
    complaints: Complaints,
    /// Whether `client` leads to a cluster.
    pub(super) has_cluster: bool,
    /// What a command has in place of Secrets; nothing in a controller.
    pub(super) at_hand: Option<Arc<AtHand>>,
    /// While nobody else writes.
    pub(super) tenure: Tenure,
    /// Cancelled when the program stops, or no longer leads.
    pub(super) stop: CancellationToken,
}

impl Context {
    /// For one look by a command that runs no controller: nothing is watched, and nothing written.
    pub(super) fn of_one(
        client: Option<Client>,
        cluster: Cluster,
        spool: Spool,
        SourceLimits { chart: limits, index: index_limits }: SourceLimits,
    ) -> Result<Self, ForesightError> {
        let has_cluster = client.is_some();
        let context = Self::of_nothing(client.map_or_else(nobody, Ok)?, spool)?;
        Ok(Self { cluster, allowed_addresses: any_address(), limits, index_limits, has_cluster, ..context })
    }

    /// What every look and every controller begins with: nothing is known, and one thing is done at once.
    fn of_nothing(client: Client, spool: Spool) -> Result<Self, InvalidPem> {
        let transport = Transport::with_tunnels(Arc::new(Relay::new(client.clone())));
        let roots = SystemRoots::load();
        Ok(Self {
            cluster: Cluster::default(),
            publications: Vec::new(),
            memories: Memories::default(),
            statuses: Arc::default(),
            authorizers: Authorizers::default(),
            registries: Kept::default(),
            learnt: Kept::default(),
            fetcher: Fetcher::new(transport.clone(), spool.clone()),
            indexes: Indexes::new(&spool),
            spool,
            metrics: Arc::default(),
            transport,
            plain_tls: TlsConfig::new(&roots, None, None)?,
            roots,
            allowed_addresses: Arc::from([]),
            api_server: Arc::from([]),
            limits: Limits::default(),
            index_limits: IndexLimits::default(),
            workers: 1,
            slots: Slots::new(1, true),
            recorder: Recorder::new(client.clone(), None),
            complaints: Complaints::default(),
            has_cluster: true,
            at_hand: None,
            tenure: Tenure::of_one(),
            client,
            stop: CancellationToken::new(),
        })
    }
}

/// What every term of a controller has in common.
struct Standing {
    client: Client,
    api_server: Vec<SocketAddr>,
    settings: Settings,
    spool: Spool,
    metrics: Arc<Metrics>,
    readiness: Readiness,
    /// That of the present term.
    context: Mutex<Option<Arc<Context>>>,
}

impl Standing {
    fn context(&self) -> MutexGuard<'_, Option<Arc<Context>>> {
        self.context.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What `/metrics` says at this moment; while another replica leads, nothing of publications.
    fn scrape(&self) -> String {
        let context = self.context().clone();
        let census = context.map_or_else(|| Census::standing_by(self.spool.usage()), |context| census(&context));
        self.metrics.text(&census)
    }
}

/// Runs until `stop`, then lets running work come to a safe point. Where there is a Lease, it works while it leads.
///
/// # Errors
/// [`StartError`], before anything is watched.
pub async fn start(client: Client, api_server: Vec<SocketAddr>, settings: Settings, stop: CancellationToken) -> Result<(), StartError> {
    let address = settings.health;
    let listener = health::bind(address).await.map_err(|source| StartError::Health { address, source })?;
    // Who stands by is ready once he knows that another one leads.
    let readiness = Readiness::awaiting([LEASE]);
    let spool = spool(&settings)?;
    let (metrics, context) = (Arc::default(), Mutex::default());
    let standing = Arc::new(Standing { client, api_server, settings, spool, metrics, readiness: readiness.clone(), context });
    let ended = CancellationToken::new();
    let scrape = {
        let standing = standing.clone();
        move || standing.scrape()
    };
    let answering = tokio::spawn(health::serve(listener, readiness, Arc::new(scrape), ended.clone()));
    let result = match standing.settings.lease.clone() {
        None => term(&standing, Tenure::of_one(), stop).await,
        Some(terms) => in_turn(&standing, &mut Candidate::new(standing.client.clone(), terms), stop).await,
    };
    ended.cancel();
    let _ = answering.await;
    tracing::info!("stopped");
    result
}

/// One term after the other, as long as there are any.
async fn in_turn(standing: &Standing, candidate: &mut Candidate, stop: CancellationToken) -> Result<(), StartError> {
    let stands_by = || standing.readiness.awaits([]);
    while let Some(mut leadership) = candidate.elected(&stop, stands_by).await {
        let term_ends = stop.child_token();
        let mut work = Box::pin(term(standing, leadership.tenure(), term_ends.clone()));
        let lost = tokio::select! {
            result = &mut work => {
                leadership.release().await;
                return result;
            }
            lost = leadership.kept() => lost,
        };
        match &lost {
            Lost::To(holder) => tracing::warn!(holder, "the Lease was lost: ending all work"),
            Lost::Refused => tracing::warn!("the Lease was refused for longer than it lasts: ending all work"),
        }
        term_ends.cancel();
        work.await?;
        match lost {
            Lost::To(_) => stands_by(),
            // As at the start: whether another one leads is not known.
            Lost::Refused => standing.readiness.awaits([LEASE]),
        }
    }
    Ok(())
}

/// Watches and publishes until `stop`. What was known in a term before is read again: somebody else may have worked since.
async fn term(standing: &Standing, tenure: Tenure, stop: CancellationToken) -> Result<(), StartError> {
    let Standing { client, api_server, settings, spool, readiness, .. } = standing;
    let bare = Context::of_nothing(client.clone(), spool.clone())?;
    readiness.awaits(KINDS.into_iter().chain([PUBLICATIONS]));
    let (changes, received) = mpsc::unbounded_channel();
    let mut controllers = controllers(client, &settings.namespaces, received);
    let context = Arc::new(Context {
        cluster: Cluster {
            own_node: settings.own_node.clone(),
            relay_namespaces: settings.relay_namespaces.clone(),
            ..watch(client, &settings.namespaces, &changes, &stop)
        },
        publications: controllers.iter().map(Controller::store).collect(),
        allowed_addresses: settings.allowed_addresses.clone().into(),
        api_server: api_server.clone().into(),
        limits: settings.limits.chart.clone(),
        index_limits: settings.limits.index.clone(),
        workers: settings.workers,
        slots: Slots::new(settings.concurrency, settings.namespaces.len() == 1),
        recorder: Recorder::new(client.clone(), settings.identity.clone()),
        metrics: standing.metrics.clone(),
        tenure,
        stop: stop.clone(),
        ..bare
    });
    *standing.context() = Some(context.clone());
    let sweeping = tokio::spawn(swept(context.clone()));
    let all_read = tokio::select! {
        () = context.cluster.read(|kind| readiness.has_read(kind)) => true,
        () = stop.cancelled() => false,
    };
    if all_read {
        let running = controllers.drain(..).map(|controller| run(controller, context.clone(), stop.clone()));
        let running = futures::future::join_all(running);
        tokio::select! {
            _ = running => {}
            () = until_ended(&context, readiness, &stop) => {}
        }
    }
    stop.cancel();
    let _ = sweeping.await;
    *standing.context() = None;
    Ok(())
}

/// Says when all is read; after a stop, returns when running work has had its time. A controller of kube's that is stopped before
/// its store is filled never ends, and has begun nothing.
async fn until_ended(context: &Context, readiness: &Readiness, stop: &CancellationToken) {
    let filled = async {
        for store in &context.publications {
            let _ = store.wait_until_ready().await;
        }
    };
    tokio::select! {
        () = filled => {
            tracing::info!("the watches have read what is there");
            readiness.has_read(PUBLICATIONS);
        }
        () = stop.cancelled() => return,
    }
    stop.cancelled().await;
    tokio::time::sleep(LONGEST_STOP).await;
}

fn spool(settings: &Settings) -> Result<Spool, StartError> {
    let directory = settings.spool_directory.clone();
    let failed = |source| StartError::Spool { directory: directory.display().to_string(), source };
    // A folder that is made here lies where nobody has set room aside for it.
    tempfile::tempfile_in(&directory).map_err(failed)?;
    Ok(Spool::new(directory.clone(), settings.spool))
}

type Publications = Controller<DeserializeGuard<ChartPublication>>;

/// One controller for each watched namespace, or one for all; each is told of all changes.
fn controllers(client: &Client, namespaces: &[String], mut changes: mpsc::UnboundedReceiver<Change>) -> Vec<Publications> {
    let mut tellers = Vec::new();
    let mut controllers = Vec::new();
    for namespace in scopes(namespaces) {
        let (teller, told) = mpsc::unbounded_channel();
        tellers.push(teller);
        let controller = Publications::new(scoped(client, namespace), watcher::Config::default());
        let store = controller.store();
        let told = futures::stream::unfold(told, async |mut told| told.recv().await.map(|change| (change, told)));
        controllers.push(controller.reconcile_on(concerned(store, told)));
    }
    tokio::spawn(async move {
        while let Some(change) = changes.recv().await {
            for teller in &tellers {
                let _ = teller.send(change.clone());
            }
        }
    });
    controllers
}

async fn run(controller: Publications, context: Arc<Context>, stop: CancellationToken) {
    let ended = controller.graceful_shutdown_on(stop.cancelled_owned()).run(reconcile, after_error, context.clone());
    ended
        .for_each(|result| {
            match result {
                Ok(_) => {}
                Err(controller::Error::QueueError(error)) => context.complaints.hear(&error),
                Err(error) => tracing::debug!(%error, "a reconcile ended with an error"),
            }
            futures::future::ready(())
        })
        .await;
}

/// Connections that were idle for too long are closed, so that a controller at rest holds none, and publications that are gone are
/// forgotten.
async fn swept(context: Arc<Context>) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(SWEEP) => {}
            () = context.stop.cancelled() => return,
        }
        context.transport.sweep();
        let there: HashSet<String> =
            context.publications.iter().flat_map(Store::state).filter_map(|publication| publication.uid()).collect();
        context.memories.keep(|uid| there.contains(uid));
        context.statuses.keep(|uid| there.contains(uid));
    }
}
