//! Publications of files, published once: each in its turn, by the engine of the controller, and again while there is time for what
//! fails and may pass. Nothing is written into the cluster.
//!
//! In: publications that have a namespace, and what they are carried out with. Out: for each of them what came of it.
//!
//! # Guarantees
//! * No record is believed: what is there is pulled back before it counts, and what is there with equal content is not sent again.
//! * One publication, target or version that fails stops no other.
//! * When it is stopped, uploads that are under way are left as the engine leaves them, and nothing new is begun.

mod account;
mod pass;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use kube::{Client, ResourceExt};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

pub use account::Account;

use super::{
    access::Secrets,
    at_hand::AtHand,
    cluster::Cluster,
    foresee::ForesightError,
    memory::Memory,
    objects::Seen,
    schedule::{Ended, Pace, SECRET_LOOK},
    start::Context,
    survey::{Survey, SurveyError},
};
use crate::{
    api::{ChartPublication, InventoryEntry},
    net::Transport,
    publish::{Failed, Follower},
    source::SourceLimits,
    spool::Spool,
};

/// Stands for no limit.
const LONGEST_WAIT: Duration = Duration::from_hours(24 * 365);
/// Between two looks at a cluster that does not answer.
const BETWEEN_LOOKS: Duration = Duration::from_secs(2);

/// What publications are carried out with.
pub struct Means {
    /// The cluster of their Services and Secrets.
    pub client: Option<Client>,
    /// Whether addresses inside of that cluster lead somewhere from here.
    pub in_cluster: bool,
    /// What stands in for Secrets.
    pub at_hand: Arc<AtHand>,
    /// Where charts lie on their way.
    pub spool: Spool,
    /// What a source may cost.
    pub limits: SourceLimits,
    /// Charts of one publication at once.
    pub workers: usize,
    /// For how long what may pass is tried again; zero for one pass.
    pub wait: Duration,
    /// Ends the work.
    pub stop: CancellationToken,
}

/// Is told what is done, while it is.
pub trait Onlooker: Follower {
    /// All that is sent goes through this.
    fn connects(&self, transport: &Transport);

    /// The cluster could not be read, which is tried again.
    fn awaits_cluster(&self, error: &SurveyError);

    /// Objects of this kind may not be read: routes through them are not seen.
    fn misses(&self, kind: &str);

    /// The publication at this place, from 1, has its turn.
    fn turns_to(&self, publication: &ChartPublication, place: usize);

    /// So many of the publication's versions are done, over all targets.
    fn progressed(&self, done: usize, total: usize);

    /// The source has not what is asked for, or a target cannot be reached at all.
    fn refused(&self, target: Option<&str>, failed: &Failed);

    /// Nothing can be done now; so many publications are tried again, the next one after this time.
    fn waits(&self, left: usize, pause: Duration);
}

/// One publication.
struct Turn<'p> {
    publication: &'p ChartPublication,
    account: Account,
    memory: Memory,
    /// What was proven in an earlier pass.
    entries: Vec<InventoryEntry>,
    pace: Pace,
    passes: usize,
    /// When it has its turn; nothing where that could change nothing.
    due: Option<Instant>,
    /// The Secrets whose change can help, while nothing else does.
    awaited: Option<Seen>,
}

/// Who carries them out.
struct Work<'a> {
    context: Context,
    means: Means,
    deadline: Instant,
    clusters: BTreeMap<String, Cluster>,
    onlooker: &'a dyn Onlooker,
}

/// Publishes all of `publications`, which have a namespace, in their order.
///
/// # Errors
/// [`ForesightError`] where nothing was begun: of the cluster, or of TLS. All else stands in the accounts, one for each publication.
pub async fn publish_once(
    publications: &[ChartPublication],
    means: Means,
    onlooker: &dyn Onlooker,
) -> Result<Vec<Account>, ForesightError> {
    let mut context = Context::of_one(means.client.clone(), Cluster::default(), means.spool.clone(), means.limits.clone())?;
    context.workers = means.workers;
    context.stop = means.stop.clone();
    means.at_hand.stand_in(&mut context);
    onlooker.connects(&context.transport);
    let begin = Instant::now();
    let deadline = begin + means.wait.min(LONGEST_WAIT);
    let mut work = Work { context, means, deadline, clusters: BTreeMap::new(), onlooker };
    work.look_around(publications).await?;
    let mut turns: Vec<Turn<'_>> = publications.iter().map(|publication| Turn::of(publication, begin)).collect();
    while let Some(place) = work.next(&turns).await {
        if let Some(turn) = turns.get_mut(place) {
            work.take(turn, place).await;
        }
    }
    let stopped = work.means.stop.is_cancelled();
    Ok(turns.into_iter().map(|turn| turn.closed(stopped)).collect())
}

impl<'p> Turn<'p> {
    fn of(publication: &'p ChartPublication, now: Instant) -> Self {
        let account = Account::of(publication);
        let due = Some(now).filter(|_| !account.suspended);
        let (memory, pace) = (Memory::default(), Pace::default());
        Self { publication, account, memory, entries: Vec::new(), pace, passes: 0, due, awaited: None }
    }

    /// What came of it in the end.
    fn closed(self, stopped: bool) -> Account {
        let mut account = self.account.closed();
        account.stopped |= stopped && self.due.is_some();
        account
    }

    /// When it has its turn again, after a pass that ended so: never later than `deadline`, when it has its last one.
    fn follows(&mut self, ended: Ended, seen: Seen, deadline: Instant) {
        let now = Instant::now();
        let pause = match ended {
            Ended::Settled | Ended::Detour => None,
            Ended::AwaitingSecret => Some(SECRET_LOOK),
            Ended::Away | Ended::Retry => Some(self.pace.next(Ended::Retry, None, LONGEST_WAIT, fastrand::f64())),
        };
        self.due = pause.filter(|_| now < deadline).map(|pause| (now + pause).min(deadline));
        self.awaited = Some(seen).filter(|_| ended == Ended::AwaitingSecret);
    }
}

impl Work<'_> {
    /// Whose turn it is, once it is.
    async fn next(&self, turns: &[Turn<'_>]) -> Option<usize> {
        let due = turns.iter().enumerate().filter_map(|(place, turn)| Some((turn.due?, place)));
        let (due, place) = due.min()?;
        let pause = due.saturating_duration_since(Instant::now());
        if !pause.is_zero() {
            self.onlooker.waits(turns.iter().filter(|turn| turn.due.is_some()).count(), pause);
        }
        tokio::select! {
            biased;
            () = self.means.stop.cancelled() => None,
            () = tokio::time::sleep_until(due) => Some(place),
        }
    }

    async fn take(&mut self, turn: &mut Turn<'_>, place: usize) {
        let namespace = turn.publication.namespace().unwrap_or_default();
        if let Some(seen) = turn.awaited.take()
            && !Secrets::new(self.context.client.clone(), &namespace).objects().differ_from(&seen).await
        {
            return turn.follows(Ended::AwaitingSecret, seen, self.deadline);
        }
        if turn.passes > 0 && self.clusters.contains_key(&namespace) {
            self.look_again(&namespace).await;
        }
        self.context.cluster = self.clusters.get(&namespace).cloned().unwrap_or_default();
        self.onlooker.turns_to(turn.publication, place + 1);
        turn.passes += 1;
        let (ended, seen) = Box::pin(pass::pass(&self.context, &self.means, turn, self.onlooker)).await;
        turn.follows(ended, seen, self.deadline);
    }

    /// Reads the cluster, as far as targets lie behind Services, before anything is sent.
    async fn look_around(&mut self, publications: &[ChartPublication]) -> Result<(), SurveyError> {
        let Some(client) = self.means.client.clone() else { return Ok(()) };
        let has_service = |publication: &&ChartPublication| publication.spec.targets.iter().any(|target| target.service.is_some());
        let active = publications.iter().filter(|publication| !publication.spec.suspend).filter(has_service);
        let namespaces: BTreeSet<String> = active.filter_map(ResourceExt::namespace).collect();
        let mut missed = BTreeSet::new();
        for namespace in namespaces {
            let Some(survey) = self.survey(&client, &namespace).await? else { return Ok(()) };
            missed.extend(survey.unseen().iter().cloned());
            self.clusters.insert(namespace, survey.cluster);
        }
        for kind in &missed {
            self.onlooker.misses(kind);
        }
        Ok(())
    }

    /// Once the API server answers; nothing where the work is ended.
    async fn survey(&self, client: &Client, namespace: &str) -> Result<Option<Survey>, SurveyError> {
        loop {
            let taken = tokio::select! {
                taken = Survey::take(client, namespace) => taken,
                () = self.means.stop.cancelled() => return Ok(None),
            };
            match taken {
                Ok(survey) => return Ok(Some(survey)),
                Err(error) if error.is_passing() && Instant::now() < self.deadline => {
                    self.onlooker.awaits_cluster(&error);
                }
                Err(error) => return Err(error),
            }
            tokio::select! {
                () = tokio::time::sleep_until((Instant::now() + BETWEEN_LOOKS).min(self.deadline)) => {}
                () = self.means.stop.cancelled() => return Ok(None),
            }
        }
    }

    /// What has come since, or moved. Where that cannot be read, what was read before stands.
    async fn look_again(&mut self, namespace: &str) {
        let Some(client) = self.means.client.clone() else { return };
        let taken = tokio::select! {
            taken = Survey::take(&client, namespace) => taken,
            () = self.means.stop.cancelled() => return,
        };
        match taken {
            Ok(survey) => drop(self.clusters.insert(namespace.to_owned(), survey.cluster)),
            Err(error) => tracing::warn!(%error, "the cluster could not be read again; what was read before counts"),
        }
    }
}
