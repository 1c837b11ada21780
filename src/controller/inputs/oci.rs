//! A registry: the tags of the charts that are asked for, and what of them is wanted; or the one chart of a repository.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{Asking, Member, Offer, References, reader::reader};
use crate::{
    api::{ChartSelection, OciSource, Reason, Target, Upload},
    controller::{
        access::Keys,
        at_hand,
        targets::{check_login, place},
    },
    model::{Authorization, InvalidName, Login},
    net::Proxy,
    plan::{self, Plan},
    publish::{Failed, Learnt, Observer, Reach},
    registry::Permit,
    remedy::CallerLogin,
    source::{Access, Giver, Oci, Pick, Place, Reader, Source},
    status::SourceReport,
};

/// As sentences name a source that stands in the spec.
pub(super) const IN_SPEC: &str = "`spec.source.oci`";

/// The charts that are asked for; `named` is what says where they lie.
pub(super) async fn offer(source: &OciSource, named: &str, asking: &Asking<'_>) -> Result<Offer, Failed> {
    let spec = asking.spec;
    let mut oci = oci(source, named, asking).await?;
    let offered = oci.offers(&asked(&spec.charts)).await.map_err(|error| Failed::from(&error))?;
    let is_there =
        |chart: &&ChartSelection| chart.name.as_ref().is_some_and(|name| !name.contains('/') && !offered.refused.contains_key(name));
    let there: Vec<ChartSelection> = spec.charts.iter().filter(is_there).cloned().collect();
    let selection = plan::select(&offered.index, &there);
    let unmet = selection.failures.iter().map(|failure| Failed { reason: failure.reason(), sentence: failure.to_string(), passing: false });
    let patterns = spec.charts.iter().filter_map(|chart| chart.pattern.as_deref()).map(no_pattern);
    let paths = spec.charts.iter().filter_map(|chart| no_path(chart.name.as_deref()?, named));
    let refused: Vec<Failed> = offered.refused.values().map(Failed::from).chain(unmet).chain(patterns).chain(paths).collect();
    let charts: BTreeSet<&str> = selection.wanted.iter().map(|wanted| wanted.name.as_str()).collect();
    let revision = offered.revision.map(|revision| revision.to_string()).unwrap_or_default();
    let report = SourceReport { revision, charts: charts.len(), versions: selection.wanted.len(), missing: refused.len() };
    Ok(Offer { source: Source::Oci(Box::new(oci)), wanted: selection.wanted, refused, report, index: Some(offered.index) })
}

/// The one chart of the repository that the URL is.
pub(super) async fn offer_one(source: &OciSource, pick: &Pick, named: &str, asking: &Asking<'_>) -> Result<Offer, Failed> {
    let path = plan::url(&as_target(source)).map(|plan| plan.prefix).unwrap_or_default();
    let repository = path.parse().map_err(|error: InvalidName| invalid(named, &error.to_string()))?;
    let mut oci = oci(source, named, asking).await?;
    let (entry, revision) = oci.pick(repository, pick).await.map_err(|error| Failed::from(&error))?;
    Ok(Offer::of_one(Source::Oci(Box::new(oci)), &entry, revision))
}

fn invalid(named: &str, what: &str) -> Failed {
    Failed { reason: Reason::SourceInvalid, sentence: format!("{named}: {what}"), passing: false }
}

/// The charts, each with the versions that are named as they stand.
fn asked(charts: &[ChartSelection]) -> BTreeMap<String, BTreeSet<String>> {
    let mut asked = BTreeMap::<String, BTreeSet<String>>::new();
    let by_name = charts.iter().filter_map(|chart| Some((chart.name.clone()?, chart.versions.clone())));
    for (name, versions) in by_name.filter(|(name, _)| !name.contains('/')) {
        asked.entry(name).or_default().extend(versions);
    }
    asked
}

/// A chart has the name of its repository's last segment: it would be published under another name than it was asked for by.
fn no_path(name: &str, named: &str) -> Option<Failed> {
    let (path, last) = name.rsplit_once('/')?;
    let sentence = format!(
        "`name: {name}` is a path: put `{path}` at the end of the URL of {named}, and give the chart as `{last}`; what lies below other paths needs a publication of its own"
    );
    Some(Failed { reason: Reason::SourceInvalid, sentence, passing: false })
}

/// The API server lets none pass; a file has not seen it.
fn no_pattern(pattern: &str) -> Failed {
    let sentence = format!(
        "`pattern: {pattern}` cannot be used with a registry: registries have no list of their repositories that works everywhere; give each chart by its `name`"
    );
    Failed { reason: Reason::ConstraintInvalid, sentence, passing: false }
}

/// The registry as it is read: by the one way that its URL says, as nobody who writes.
async fn oci(source: &OciSource, named: &str, asking: &Asking<'_>) -> Result<Oci, Failed> {
    let context = asking.context;
    let references = Member::Oci(source).references();
    let plan = planned(source, named)?;
    let (keys, caller) = at_hand::keys(context, asking.secrets, references, &plan).await?;
    let proxy = asking.proxy(references).await?;
    check_login("the source", &plan, &keys)?;
    let reader = reader(keys.secret.clone(), caller.login, context);
    opened(source, plan, Identity { keys, proxy, reader }, asking).ok_or_else(|| invalid(named, "no way leads there"))
}

/// Whether the login of an index's own Secret goes to a registry that the index names.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum OwnLogin {
    /// It is the host of the index.
    AtHome,
    /// `passCredentials`.
    Passed,
    /// It is another host.
    Withheld,
}

/// A registry that an index names archives in, as Helm reads it: by TLS. `place` is `HOST[:PORT]/PATH` above them. Who is shown there: the
/// login of the index itself where it goes there, else one that is at hand, else nobody.
pub(super) async fn of_index(place: &str, access: &Access, own: OwnLogin, asking: &Asking<'_>) -> Result<Oci, Failed> {
    let context = asking.context;
    let source = OciSource {
        url: format!("oci://{place}"),
        allowed_hosts: Vec::new(),
        secret_ref: None,
        cert_secret_ref: None,
        proxy_secret_ref: None,
        insecure: false,
        referrers: false,
    };
    let host = place.split('/').next().unwrap_or_default();
    let invalid = || Failed { reason: Reason::SourceInvalid, sentence: format!("`{host}` is no host of a registry"), passing: false };
    let plan = planned(&source, "the index").map_err(|_| invalid())?;
    let (mut keys, caller) = at_hand::keys(context, asking.secrets, References::default(), &plan).await?;
    keys.tls = access.tls.clone();
    let reader = match (&access.credential, access.giver.named(), caller.login) {
        // Of its own, in the same file.
        (_, _, CallerLogin::DockerConfig(file)) if matches!(access.giver, Giver::File(_)) => Reader::LoggedIn(format!("`{file}`")),
        (Some(Authorization::Basic(credential)), Some(giver), _) if own != OwnLogin::Withheld => {
            keys.login = Login::Pair(credential.clone());
            Reader::LoggedIn(giver)
        }
        (_, _, CallerLogin::DockerConfig(file)) => Reader::LoggedIn(format!("`{file}`")),
        (Some(Authorization::Basic(_)), Some(giver), _) => {
            let own = matches!(access.giver, Giver::File(_)).then(|| format!("give a login for `{host}` by `--docker-config`; or "));
            Reader::Nobody(format!("{}`passCredentials: true` sends the login of {giver} there, too", own.unwrap_or_default()))
        }
        (Some(Authorization::Bearer(_)), Some(giver), _) => Reader::Nobody(format!(
            "give `username` and `password` in {giver}: registries are not shown a `bearerToken`{}",
            and_passed(own)
        )),
        (_, _, login) => match reader(None, login, context) {
            Reader::Nobody(_) if context.at_hand.is_none() || context.has_cluster => {
                Reader::Nobody(format!("give a Secret with `username` and `password` as `secretRef`{}", and_passed(own)))
            }
            other => other,
        },
    };
    let who = Identity { keys, proxy: access.proxy.clone(), reader };
    opened(&source, plan, who, asking).ok_or_else(invalid)
}

fn and_passed(own: OwnLogin) -> &'static str {
    if own == OwnLogin::Withheld { ", and set `passCredentials: true`" } else { "" }
}

fn planned(source: &OciSource, named: &str) -> Result<Plan, Failed> {
    plan::url(&as_target(source)).map_err(|error| invalid(named, &error.to_string()))
}

/// As whom a registry is asked, and by which proxy.
struct Identity {
    keys: Keys,
    proxy: Option<Arc<Proxy>>,
    reader: Reader,
}

/// Nothing where no way leads there.
fn opened(source: &OciSource, plan: Plan, Identity { keys, proxy, reader }: Identity, asking: &Asking<'_>) -> Option<Oci> {
    let context = asking.context;
    let proxied = proxy.as_ref().map(|proxy| proxy.fingerprint());
    let observer: Arc<dyn Observer> = context.metrics.clone();
    let reach = Reach {
        transport: &context.transport,
        login: &keys.login,
        tls: &keys.tls,
        allowed_hosts: &source.allowed_hosts,
        patience: asking.patience,
        policy: &|_| asking.policy(),
        identities: &context.authorizers.at_source(&source.url, proxied),
        permit: &Permit::default(),
        observer: Some(&observer),
    };
    // Behind a tenant's proxy, anybody may answer for a registry: what is learnt there is of nobody else.
    let of_proxy = proxied.map(|proxy| format!(" by {proxy}")).unwrap_or_default();
    let learnt = context.registries.of(place(&as_target(source), "") + &of_proxy, Learnt::default);
    let Plan { strategies, prefix, pull, .. } = plan;
    let way = reach.each(&strategies, &learnt).pop()?;
    let asked = proxy.as_ref().filter(|_| source.insecure).map(|proxy| proxy.shown());
    let place = Place { shown: pull.unwrap_or_default(), prefix, reader, tls: !source.insecure, proxy: asked, referrers: source.referrers };
    Some(Oci::new(way.registry.through(proxy).following(), place, context.spool.clone(), context.limits.clone()))
}

/// Its address is read as that of a target, which has the same form.
fn as_target(source: &OciSource) -> Target {
    Target {
        name: String::new(),
        service: None,
        url: Some(source.url.clone()),
        routes: Vec::new(),
        upload: Upload::default(),
        hostname: None,
        allowed_hosts: source.allowed_hosts.clone(),
        secret_ref: None,
        cert_secret_ref: None,
        insecure: source.insecure,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_a_path_is_refused_with_the_url_that_would_hold_it() {
        let refused = no_path("team/sub/web", "the source `oci://r.example.com/charts`").unwrap();
        assert_eq!((refused.reason, refused.passing), (Reason::SourceInvalid, false));
        let expected = "`name: team/sub/web` is a path: put `team/sub` at the end of the URL of the source `oci://r.example.com/charts`, and give the \
                        chart as `web`; what lies below other paths needs a publication of its own";
        assert_eq!(refused.sentence, expected);
        assert!(no_path("web", "the source").is_none());
    }

    #[test]
    fn a_pattern_that_no_api_server_has_seen_is_refused() {
        let refused = no_pattern("^web");
        assert_eq!((refused.reason, refused.passing), (Reason::ConstraintInvalid, false));
        assert!(refused.sentence.starts_with("`pattern: ^web` cannot be used with a registry"), "{}", refused.sentence);
    }
}
