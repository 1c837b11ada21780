//! What a registry has by now: the tags of each repository, the first thing that a run asks for.
//!
//! In: ways and repositories. Out: tags, or why there are none. Who finds the registry away says it for all that come after him
//! ([`super::circuit`]).

use std::collections::{BTreeMap, BTreeSet};

use futures::StreamExt;

use super::{
    Away, Tried, Way, Ways,
    circuit::{Entry, Told},
    ways::Said,
};
use crate::{
    model::{RepositoryName, Tag},
    plan::Tactic,
    remedy::Verdict,
};

/// Repositories that are listed at once.
const LISTS_AT_ONCE: usize = 8;
/// Stands behind what another publication was told.
pub const ASKED_BY_ANOTHER: &str = " Another publication asks it again every few seconds; this one follows once it answers.";

/// The tags of each repository, or why they are not known.
pub(super) type Listed = BTreeMap<RepositoryName, Result<BTreeSet<Tag>, Verdict>>;

/// What the lists of all repositories came to.
pub(super) struct Lists<'t> {
    pub(super) listed: Listed,
    /// The way that answered.
    pub(super) by: Option<(&'t Way, Tactic)>,
    /// Where the registry is away: who asks it again, and when.
    pub(super) away: Option<Away>,
}

/// One request for each repository, several at a time once the first has found the way. Where the registry is away, one for all of them,
/// and none where another one asks already.
pub(super) async fn list<'w>(ways: &'w Ways, repositories: BTreeSet<RepositoryName>, before: &[Away]) -> Lists<'w> {
    let mut repositories = repositories.into_iter();
    let Some(first) = repositories.next() else { return Lists { listed: Listed::new(), by: None, away: None } };
    let asking = match ways.circuit().enter(before).await {
        Entry::Ask(asking) => asking,
        Entry::Held(told, away) => {
            let all = std::iter::once(first).chain(repositories);
            return Lists {
                listed: all.map(|repository| unasked(ways, repository, &told, ASKED_BY_ANOTHER)).collect(),
                by: None,
                away: Some(away),
            };
        }
    };
    let answer = list_one(ways, first).await;
    match (&answer.1, ways.said()) {
        (Err(_), Said::Away(told)) => {
            let away = Some(asking.in_vain(Told::clone(&told)));
            let rest = repositories.map(|repository| unasked(ways, repository, &told, ""));
            let listed = rest.chain([(answer.0, answer.1.map(|(_, _, tags)| tags))]).collect();
            return Lists { listed, by: None, away };
        }
        // What was passed over says nothing of now. Where another one is known to have asked in vain, this one has heard of it.
        (Err(_), Said::Nothing) => {
            if let Some((told, away)) = asking.in_silence() {
                let all = std::iter::once(answer.0).chain(repositories);
                let listed = all.map(|repository| unasked(ways, repository, &told, ASKED_BY_ANOTHER)).collect();
                return Lists { listed, by: None, away: Some(away) };
            }
        }
        (Ok(_), _) | (Err(_), Said::Something) => asking.answered(),
    }
    let rest = repositories.map(|repository| list_one(ways, repository));
    let rest: Vec<_> = futures::stream::iter(rest).buffer_unordered(LISTS_AT_ONCE).collect().await;
    let answers: Vec<_> = std::iter::once(answer).chain(rest).collect();
    let by = answers.iter().find_map(|(_, result)| result.as_ref().ok().map(|(way, tactic, _)| (*way, *tactic)));
    let listed = answers.into_iter().map(|(repository, result)| (repository, result.map(|(_, _, tags)| tags))).collect();
    Lists { listed, by, away: None }
}

/// What is said of a repository that nobody asked for, since the registry is away.
fn unasked(ways: &Ways, repository: RepositoryName, told: &Told, addition: &str) -> (RepositoryName, Result<BTreeSet<Tag>, Verdict>) {
    let mut verdict = ways.heard(repository.as_str(), told);
    verdict.sentence.push_str(addition);
    (repository, Err(verdict))
}

async fn list_one(ways: &Ways, repository: RepositoryName) -> (RepositoryName, Result<(&Way, Tactic, BTreeSet<Tag>), Verdict>) {
    let name = &repository;
    let result = ways.through(name.as_str(), 0, move |attempt| async move { Tried::from(attempt.registry.tags(name).await) }).await;
    (repository, result)
}
