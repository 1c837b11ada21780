//! What the controller would do for one publication, without being one: reads the source, the cluster where there is one, and the lists
//! of tags. Writes nothing anywhere.

use std::sync::Arc;

use kube::{Api, Client, ResourceExt};

use super::{
    at_hand::{AtHand, IN_A_CLUSTER, absent, check_trust},
    cluster::Cluster,
    demand::by_file,
    inputs::{Member, Offer, References, offer},
    inventory::Inventory,
    memory::Memory,
    moved::without_moved,
    proofs,
    run::{Run, now},
    start::Context,
    survey::{Survey, SurveyError},
    targets::{PlannedTarget, Recollection, plan_all},
};
use crate::{
    api::{ChartPublication, InventoryEntry, LocalReference, Reason, Target},
    net::InvalidPem,
    plan::{self, PassedOver, Wanted},
    provenance::Demand,
    publish::{self, Action, Failed, Foreseen},
    source::{Source, SourceLimits},
    spool::Spool,
};

/// What is foreseen of one version at one target.
#[derive(Debug, Clone)]
pub struct ForeseenItem {
    /// The chart.
    pub chart: String,
    /// As the source spells it.
    pub version: String,
    /// The target's name in the spec.
    pub target: String,
    /// `host/repository:tag`; without the host where no address for readers is known.
    pub reference: Option<String>,
    /// What, how and why.
    pub foreseen: Foreseen,
}

/// What is foreseen of one publication.
#[derive(Debug, Default)]
pub struct Foresight {
    /// For each target in the order of the spec, newest versions first.
    pub items: Vec<ForeseenItem>,
    /// What the source has of the charts that are asked for, and what is not wanted.
    pub passed_over: Vec<PassedOver>,
    /// What the spec asks for and the source does not have.
    pub refused: Vec<Failed>,
    /// The kinds of the cluster that may not be read: routes through them are not seen.
    pub unseen: Vec<String>,
}

/// Why nothing is foreseen.
#[derive(Debug, thiserror::Error)]
pub enum ForesightError {
    /// Of the source, or of what is needed to ask it.
    #[error("{}: {}", .0.reason, .0.sentence)]
    Source(Failed),
    /// Of the cluster.
    #[error(transparent)]
    Cluster(#[from] SurveyError),
    /// The API server did not say what is there.
    #[error("the publication, or its inventory, could not be read")]
    Unread(#[from] kube::Error),
    /// TLS cannot be set up.
    #[error("TLS cannot be set up")]
    Tls(#[from] InvalidPem),
}

/// Foresees a run for `publication`, which has a namespace; with `client`, in its cluster, and with what is at hand in place of Secrets.
///
/// # Errors
/// [`ForesightError`]; a target that leads nowhere is none.
pub async fn foresee(
    publication: &ChartPublication,
    client: Option<Client>,
    at_hand: &Arc<AtHand>,
    spool: Spool,
    limits: SourceLimits,
) -> Result<Foresight, ForesightError> {
    let mut foresight = Foresight::default();
    let (cluster, publication, entries) = match &client {
        None => (Cluster::default(), publication.clone(), Vec::new()),
        Some(client) => {
            let cluster = surveyed(client, publication, &mut foresight.unseen).await?;
            let publication = as_it_is(publication, client).await?;
            let entries = entries(client, &publication).await?;
            (cluster, publication, entries)
        }
    };
    let mut context = Context::of_one(client, cluster, spool, limits)?;
    at_hand.stand_in(&mut context);
    let status = without_moved(&publication, &entries).or(publication.status);
    let publication = ChartPublication { status, ..publication };
    let plans = plan_all(&publication, &context.cluster);
    let run = Run::new(&publication, &context, &plans);
    let look = Look { context: &context, publication: &publication, run, entries, recollection: Recollection::Recall };
    let mut memory = Memory::default();
    let demand = look.demand().await.map_err(ForesightError::Source)?;
    let offer = look.offer(&mut memory).await.map_err(ForesightError::Source)?;
    foresight.refused = offer.refused;
    let index = offer.index.as_ref().or(memory.index.as_ref().map(|snapshot| &snapshot.index));
    foresight.passed_over = index.map(|index| plan::passed_over(index, &publication.spec.charts)).unwrap_or_default();
    let mut wanted = offer.wanted;
    wanted.sort_by(|a, b| a.name.cmp(&b.name).then_with(|| b.version.precedence(&a.version)));
    for (target, planned) in publication.spec.targets.iter().zip(&plans) {
        let host = planned.plan.as_ref().ok().and_then(|plan| plan.pull.clone());
        let foreseen = look.target(target, planned, (&offer.source, wanted.as_slice()), &demand).await;
        foresight.items.extend(wanted.iter().zip(foreseen).map(|(wanted, foreseen)| item(target, host.as_deref(), wanted, foreseen)));
    }
    Ok(foresight)
}

/// What routes are made of, where a target lies behind a Service.
async fn surveyed(client: &Client, publication: &ChartPublication, unseen: &mut Vec<String>) -> Result<Cluster, SurveyError> {
    if publication.spec.targets.iter().all(|target| target.service.is_none()) {
        return Ok(Cluster::default());
    }
    let survey = Survey::take(client, &publication.namespace().unwrap_or_default()).await?;
    unseen.extend_from_slice(survey.unseen());
    Ok(survey.cluster)
}

fn item(target: &Target, pull: Option<&str>, wanted: &Wanted, foreseen: Foreseen) -> ForeseenItem {
    let host = pull.and_then(|pull| pull.trim_start_matches("oci://").split('/').next());
    let reference = match (host, &foreseen.place) {
        (Some(host), Some(place)) => Some(format!("{host}/{place}")),
        (_, place) => place.clone(),
    };
    let (chart, version, target) = (wanted.name.clone(), wanted.version.to_string(), target.name.clone());
    ForeseenItem { chart, version, target, reference, foreseen }
}

/// The file's spec, with what the cluster knows of the object of this name.
async fn as_it_is(publication: &ChartPublication, client: &Client) -> Result<ChartPublication, kube::Error> {
    let api = Api::<ChartPublication>::namespaced(client.clone(), &publication.namespace().unwrap_or_default());
    let live = match api.get_opt(&publication.name_any()).await {
        Ok(live) => live,
        // The cluster does not have our kinds yet.
        Err(kube::Error::Api(status)) if status.code == 404 => None,
        Err(error) => return Err(error),
    };
    Ok(match live {
        Some(live) => ChartPublication { spec: publication.spec.clone(), ..live },
        None => publication.clone(),
    })
}

async fn entries(client: &Client, publication: &ChartPublication) -> Result<Vec<InventoryEntry>, kube::Error> {
    if publication.uid().is_none() {
        return Ok(Vec::new());
    }
    Inventory::of(client.clone(), publication).entries(publication, &mut Memory::default()).await
}

/// One look at a publication: by what a run begins with.
pub(super) struct Look<'a> {
    pub(super) context: &'a Context,
    pub(super) publication: &'a ChartPublication,
    pub(super) run: Run<'a>,
    pub(super) entries: Vec<InventoryEntry>,
    /// What is remembered of the ways.
    pub(super) recollection: Recollection,
}

impl Look<'_> {
    /// What the source has of what is wanted.
    pub(super) async fn offer(&self, memory: &mut Memory) -> Result<Offer, Failed> {
        let member = Member::of(&self.publication.spec.source)?;
        let References { cert_secret, proxy_secret, .. } = member.references();
        self.check_secret(proxy_secret)?;
        check_trust(self.context, cert_secret)?;
        offer(self.context, self.publication, &self.run.secrets, self.run.patience(), memory).await
    }

    /// Without a cluster there are no Secrets, and nothing stands in for this one.
    fn check_secret(&self, reference: Option<&LocalReference>) -> Result<(), Failed> {
        let missing = reference.filter(|_| !self.context.has_cluster);
        let Some(LocalReference { name }) = missing else { return Ok(()) };
        Err(absent(format!("Secret `{name}` {IN_A_CLUSTER}")))
    }

    /// What is demanded of the origin of charts; without a cluster by what is at hand.
    pub(super) async fn demand(&self) -> Result<Demand, Failed> {
        match &self.context.at_hand {
            Some(at_hand) if !self.context.has_cluster => by_file(self.publication, at_hand, now().0.as_second()),
            _ => self.run.demand().await,
        }
    }

    /// Without a cluster there are no Services.
    pub(super) fn check_service(&self, target: &Target) -> Result<(), Failed> {
        let Some(service) = target.service.as_ref().filter(|_| !self.context.has_cluster) else { return Ok(()) };
        let sentence = format!("Service `{}` {IN_A_CLUSTER}", service.name);
        Err(Failed { reason: Reason::ServiceNotFound, sentence, passing: true })
    }

    async fn target(
        &self,
        target: &Target,
        planned: &PlannedTarget,
        (source, wanted): (&Source, &[Wanted]),
        demand: &Demand,
    ) -> Vec<Foreseen> {
        if self.publication.spec.suspend {
            let reason = "`suspend` is true: nothing is done until it is false".to_owned();
            return vec![Foreseen { action: Action::Suspended, place: None, way: None, reason }; wanted.len()];
        }
        match self.reached(target, planned).await.map_err(|failed| without_cluster(self.context, failed)) {
            Ok(run) => Box::pin(publish::foresee(&run, source, wanted, proofs::terms(self.publication), demand)).await,
            Err(failed) => vec![Foreseen::failed(&failed, None); wanted.len()],
        }
    }
}

/// Where there is no cluster, nothing of it appears by itself.
pub(super) fn without_cluster(context: &Context, failed: Failed) -> Failed {
    let is_of_cluster = matches!(failed.reason, Reason::SecretInvalid | Reason::ServiceNotFound | Reason::SourceNotFound);
    Failed { passing: failed.passing && (context.has_cluster || !is_of_cluster), ..failed }
}

/// A client for where there is no cluster: nothing is asked of it.
pub(super) fn nobody() -> Result<Client, kube::Error> {
    Client::try_from(kube::Config::new(http::Uri::from_static("http://127.0.0.1:9")))
}

/// Whatever is typed at a terminal may name any address.
pub(super) fn any_address() -> Arc<[ipnet::IpNet]> {
    Arc::from([ipnet::Ipv4Net::default().into(), ipnet::Ipv6Net::default().into()])
}
