//! From a target of the spec to the ways that lead there.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use super::{access::Keys, cluster::Cluster, start::Context};
use crate::{
    api::{ChartPublication, InventoryEntry, LocalReference, Reason, RouteKind, Target, TargetStatus},
    model::{RepositoryName, Tag},
    net::{AddressPolicy, Patience},
    plan::{Plan, PlanError, Reader, Route, Strategy},
    publish::{Away, Failed, Known, Learnt, Observer, Reach, ReaderRoute, Readers, Replicas, Subject, TargetRun},
    registry::Permit,
    remedy::Audience,
    status::{remembered, signer},
};

/// How long a replica may take to say what it has.
const ASKED_WITHIN: Duration = Duration::from_secs(10);

/// A target and the ways that lead there, or why none does.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct PlannedTarget {
    pub(super) name: String,
    pub(super) plan: Result<Plan, PlanError>,
    /// The routes of `proof.routes`; without them the one that the Service shows its readers.
    pub(super) readers: Vec<Reader>,
}

/// Plans all targets from what the watches hold; asks nobody.
pub(super) fn plan_all(publication: &ChartPublication, cluster: &Cluster) -> Vec<PlannedTarget> {
    let namespace = publication.metadata.namespace.as_deref().unwrap_or_default();
    let asked = asked(publication);
    let planned = |target: &Target| {
        let (plan, readers) = match cluster.plan(target, namespace, asked) {
            Ok((plan, readers)) => (Ok(plan), readers),
            Err(error) => (Err(error), Vec::new()),
        };
        PlannedTarget { name: target.name.clone(), plan, readers }
    };
    publication.spec.targets.iter().map(planned).collect()
}

/// The routes that are to be checked by a download.
pub(super) fn asked(publication: &ChartPublication) -> &[RouteKind] {
    publication.spec.proof.as_ref().map(|proof| proof.routes.as_slice()).unwrap_or_default()
}

/// What the inventory knows a registry by: not the route, which may change.
pub(super) fn identity(target: &Target, namespace: &str) -> String {
    match (&target.service, &target.url) {
        (Some(service), _) => {
            let port = service.port.as_deref().map(|port| format!(":{port}")).unwrap_or_default();
            format!("service/{namespace}/{}{port}", service.name)
        }
        (None, Some(url)) => url.clone(),
        (None, None) => String::new(),
    }
}

/// What is learnt is learnt of a registry, whatever the path in it.
pub(super) fn place(target: &Target, namespace: &str) -> String {
    let identity = identity(target, namespace);
    match identity.split_once("://") {
        Some((scheme, rest)) => format!("{scheme}://{}", rest.split('/').next().unwrap_or_default()),
        None => identity,
    }
}

/// Who asks at a registry: what is refused may be refused to him alone, and its sentence speaks of his target.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Asker {
    registry: String,
    namespace: String,
    secrets: [Option<LocalReference>; 2],
}

impl Asker {
    fn of(target: &Target, namespace: &str) -> Self {
        let secrets = [target.secret_ref.clone(), target.cert_secret_ref.clone()];
        Self { registry: place(target, namespace), namespace: namespace.to_owned(), secrets }
    }
}

/// As sentences name it.
fn shown(target: &Target, namespace: &str) -> String {
    match (&target.service, &target.url) {
        (Some(service), _) => {
            let port = service.port.as_deref().map(|port| format!(" port {port}")).unwrap_or_default();
            format!("Service \"{namespace}/{}\"{port}", service.name)
        }
        (None, url) => url.clone().unwrap_or_default(),
    }
}

/// Why a target could not be planned, as a failure of a run.
pub(super) fn unplanned(error: &PlanError) -> Failed {
    // What appears by itself (a Service that is applied later, a Pod that becomes ready) is awaited.
    let passing = matches!(error, PlanError::NoService { .. } | PlanError::NoEndpoint { .. } | PlanError::NoEndpointByHand { .. });
    Failed { reason: error.reason(), sentence: error.to_string(), passing }
}

/// What surrounds a target, and what is known of it from before.
pub(super) struct Before<'a> {
    /// Whether the routes of readers are to be checked by a download.
    pub(super) readers_asked: bool,
    pub(super) namespace: &'a str,
    pub(super) patience: Patience,
    pub(super) inventory: &'a [InventoryEntry],
    pub(super) status: Option<&'a TargetStatus>,
    pub(super) recollection: Recollection,
    pub(super) permit: &'a Permit,
    /// What the last run found away.
    pub(super) away: &'a [Away],
    /// Whom sentences speak to.
    pub(super) audience: Audience,
}

/// What is done with what was learnt of the ways before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Recollection {
    /// It holds.
    Keep,
    /// This process knows nothing yet, and the status does.
    Recall,
    /// A user asks to try all of it anew.
    Forget,
}

/// Puts together what a run over `target` needs.
pub(super) fn target_run(
    context: &Context,
    target: &Target,
    planned: &PlannedTarget,
    keys: &Keys,
    before: &Before<'_>,
) -> Result<TargetRun, Failed> {
    let plan = planned.plan.as_ref().map_err(unplanned)?;
    let namespace = before.namespace;
    let registry = identity(target, namespace);
    check_prefix(target, &plan.prefix)?;
    check_login(&format!("target `{}`", target.name), plan, keys)?;
    let observer: Arc<dyn Observer> = context.metrics.clone();
    let reach = Reach {
        transport: &context.transport,
        login: &keys.login,
        tls: &keys.tls,
        allowed_hosts: &target.allowed_hosts,
        patience: before.patience,
        policy: &|strategy| policy(context, strategy),
        identities: &context.authorizers.at(&registry),
        permit: before.permit,
        observer: Some(&observer),
    };
    let subject = Subject {
        registry: shown(target, namespace),
        secret: keys.secret.clone(),
        cert_secret: keys.cert_secret.clone(),
        insecure: target.insecure,
        audience: before.audience.clone(),
    };
    let of_all = context.registries.of(place(target, namespace), Learnt::default);
    let learnt = context.learnt.of(Asker::of(target, namespace), || of_all.beside());
    match (before.recollection, before.status) {
        (Recollection::Keep, _) | (Recollection::Recall, None) => {}
        (Recollection::Forget, _) => learnt.forget(),
        (Recollection::Recall, Some(status)) => {
            let remembered = remembered(status);
            plan.strategies.iter().for_each(|strategy| learnt.recall(strategy, &remembered));
        }
    }
    let hurried = Reach { patience: Patience { stall: before.patience.stall.min(ASKED_WITHIN) }, ..reach };
    let replicas = Replicas::new(hurried.each(&plan.replicas, &learnt));
    let readers = readers(&reach, plan, &planned.readers, before.readers_asked, &learnt);
    let ways = reach.ways(plan, subject, learnt);
    Ok(TargetRun {
        name: target.name.clone(),
        known: known(before.inventory, &target.name, &registry),
        registry,
        prefix: plan.prefix.clone(),
        ways,
        known_by: before.status.and_then(|status| status.route.clone()),
        known_at: before.status.and_then(|status| status.address.clone()),
        refuse_bodies: refuse_bodies(before.status),
        pull: plan.pull.clone(),
        replicas,
        readers,
        away: before.away.to_vec(),
    })
}

/// The routes that were passed over for what they do to bodies.
fn refuse_bodies(status: Option<&TargetStatus>) -> BTreeSet<String> {
    let attempts = status.iter().flat_map(|status| &status.attempts);
    attempts.filter(|attempt| attempt.is_of_bodies()).map(|attempt| attempt.route.clone()).collect()
}

fn readers(reach: &Reach<'_>, plan: &Plan, planned: &[Reader], asked: bool, learnt: &Learnt) -> Readers {
    let of_plan = |reader: &Reader| ReaderRoute {
        route: reader.route,
        ways: reach.each(&reader.ways, learnt),
        missing: reader.missing.clone(),
        in_cluster: reader.in_cluster,
    };
    let shown = (plan.reader != Route::Url).then(|| {
        let in_cluster = planned.iter().any(|reader| reader.route == plan.reader && reader.in_cluster);
        (plan.reader, in_cluster)
    });
    Readers { shown, asked: if asked { planned.iter().map(of_plan).collect() } else { Vec::new() } }
}

/// No chart can be published below a path that is no name, whatever it is called.
fn check_prefix(target: &Target, prefix: &str) -> Result<(), Failed> {
    // The shortest name that a chart can have.
    if prefix.is_empty() || RepositoryName::below(prefix, "x").is_ok() {
        return Ok(());
    }
    let (field, also) = if target.service.is_some() { ("service.repository", "") } else { ("url", ", nor a tag or digest") };
    let shown: String = prefix.chars().filter(|c| !c.is_control()).take(128).collect();
    let sentence = format!(
        "the path `{shown}` in `{field}` of target `{}` is no path of OCI repositories: correct it; lower case letters, digits and single `.`, \
         `_`, `__` or `-` between them, parts separated by `/`, at most 253 characters{also}",
        target.name
    );
    Err(Failed { reason: Reason::NoRoute, sentence, passing: false })
}

/// A Docker configuration that has nothing for the registry of `whose` would be silently anonymous.
pub(super) fn check_login(whose: &str, plan: &Plan, keys: &Keys) -> Result<(), Failed> {
    let is_for_somebody = plan.strategies.iter().any(|strategy| keys.login.to(&strategy.credential_hosts).is_some());
    if keys.login.is_anonymous() || is_for_somebody {
        return Ok(());
    }
    let sentence = format!(
        "Secret `{}` has no entry for the registry of {whose}: it has {}; name it {} in `auths`",
        keys.secret.as_deref().unwrap_or_default(),
        if keys.login.hosts().is_empty() { "none".to_owned() } else { format!("`{}`", keys.login.hosts().join("`, `")) },
        known_as(plan),
    );
    Err(Failed { reason: Reason::SecretInvalid, sentence, passing: false })
}

/// The hosts that a login for the registry may stand under, as sentences name them.
pub(super) fn known_as(plan: &Plan) -> String {
    let mut names = plan.credential_hosts();
    names.retain(|name| !name.contains('/'));
    names.dedup();
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" or ")
}

fn policy(context: &Context, strategy: &Strategy) -> AddressPolicy {
    match strategy.route {
        Route::Url => AddressPolicy::Registry { allowed: context.allowed_addresses.clone() },
        // The planner took these from objects of the cluster, and loopback or link-local addresses stand in none of them.
        Route::Service(_) => AddressPolicy::Any,
    }
}

fn known(inventory: &[InventoryEntry], target: &str, registry: &str) -> BTreeMap<(RepositoryName, Tag), Known> {
    let of_target = inventory.iter().filter(|entry| entry.target == target && entry.registry == registry);
    of_target
        .filter_map(|entry| {
            let place = (entry.repository.parse().ok()?, entry.tag.parse().ok()?);
            let (manifest, layer) = (entry.manifest.parse().ok()?, entry.layer.parse().ok()?);
            let signer = entry.signed_by.as_ref().map(signer);
            Some((place, Known { manifest, layer, proved: Some(entry.proved.0.as_second()), doubted: entry.failed.is_some(), signer }))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_path_that_no_chart_can_be_published_below_is_said_of_its_field_and_target() {
        for (target, prefix, expected) in [
            (json!({"service": {"name": "registry"}}), "a..b", Some("the path `a..b` in `service.repository` of target `main` is")),
            (json!({"url": "oci://h/P"}), "P", Some("the path `P` in `url` of target `main` is")),
            (json!({"url": "oci://h/p:1"}), "p:1", Some("the path `p:1` in `url` of target `main` is")),
            (json!({"url": "oci://h"}), "", None),
            (json!({"url": "oci://h/p/q"}), "p/q", None),
        ] {
            let mut target = target;
            target["name"] = json!("main");
            let checked = check_prefix(&serde_json::from_value(target).unwrap(), prefix);
            let failed = checked.err();
            assert_eq!(failed.is_some(), expected.is_some(), "{prefix}");
            if let (Some(failed), Some(expected)) = (failed, expected) {
                assert!(failed.reason == Reason::NoRoute && !failed.passing, "{failed:?}");
                assert!(failed.sentence.starts_with(expected), "{}", failed.sentence);
            }
        }
    }
}
