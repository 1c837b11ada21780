//! What is chosen of an index, and what is said of the rest.

use super::selection::{Selection, passed_over, select};
use crate::{
    api::{ChartSelection, Reason},
    source::index::{Index, IndexEntry, Skipped},
};

fn index(versions: &[&str]) -> Index {
    let entry = |version: &&str| IndexEntry {
        name: "web".into(),
        version: version.parse().unwrap(),
        urls: vec![format!("web-{version}.tgz")],
        digest: None,
        created: None,
    };
    let mut index = Index::default();
    index.charts.insert("web".into(), versions.iter().map(entry).collect());
    index.close.insert("wep".into(), vec!["web".into()]);
    index
}

fn ask(name: &str, versions: Option<&str>, latest: Option<u32>) -> ChartSelection {
    let latest = latest.unwrap_or(1);
    ChartSelection {
        name: Some(name.into()),
        pattern: None,
        versions: versions.map(Into::into),
        latest,
        exclude: Vec::new(),
        prereleases: false,
    }
}

fn without(excluded: &[&str], selection: ChartSelection) -> ChartSelection {
    ChartSelection { exclude: excluded.iter().map(ToString::to_string).collect(), ..selection }
}

fn with_prereleases(selection: ChartSelection) -> ChartSelection {
    ChartSelection { prereleases: true, ..selection }
}

fn check(charts: &[ChartSelection], wanted: &[&str], failures: &[&str]) {
    let index = index(&["2.0.0-rc.1", "1.10.0", "1.9.0+b", "1.9.0", "v1.2.0", "1.0.0", "0.1.0-dev"]);
    let selection = select(&index, charts);
    let found: Vec<&str> = selection.wanted.iter().map(|wanted| wanted.version.as_str()).collect();
    let failed: Vec<String> = selection.failures.iter().map(ToString::to_string).collect();
    assert_eq!((found.as_slice(), failed), (wanted, failures.iter().map(ToString::to_string).collect()), "{charts:?}");
    assert!(selection.wanted.iter().all(|wanted| wanted.entry.version == wanted.version && wanted.name == "web"));
}

#[test]
fn an_exact_version_is_found_by_spelling_and_then_by_value() {
    for (asked, found) in [
        ("1.10.0", "1.10.0"),
        ("v1.10", "1.10.0"),
        ("1.2.0", "v1.2.0"),
        ("1.9.0", "1.9.0"),
        ("1.9.0+b", "1.9.0+b"),
        ("2.0.0-rc.1", "2.0.0-rc.1"),
        ("=1.0", "1.0.0"),
        (" 1.10.0", "1.10.0"),
    ] {
        check(&[ask("web", Some(asked), None)], &[found], &[]);
    }
}

#[test]
fn a_constraint_takes_the_newest_that_it_admits() {
    check(&[ask("web", Some("1"), None)], &["1.10.0"], &[]);
    check(&[ask("web", Some("^1.0"), None)], &["1.10.0"], &[]);
    check(&[ask("web", Some(">=1.0.0 <1.10"), Some(2))], &["1.9.0+b", "1.9.0"], &[]);
    check(&[ask("web", Some(">=1.0.0, <1.10"), Some(0))], &["1.9.0+b", "1.9.0", "v1.2.0", "1.0.0"], &[]);
    check(&[ask("web", Some("1.9 || 1.0.x"), Some(0))], &["1.9.0+b", "1.9.0", "1.0.0"], &[]);
    check(&[ask("web", Some("1.0 - 1.2"), Some(5))], &["v1.2.0", "1.0.0"], &[]);
    check(&[ask("web", Some(">=1.10.0-0"), Some(0))], &["2.0.0-rc.1", "1.10.0"], &[]);
    check(
        &[ask("web", Some("<1"), None), ask("web", Some("<1-0"), None)],
        &["0.1.0-dev"],
        &["chart `web` has no version that `versions: <1` asks for. With `prereleases: true` it has `0.1.0-dev`"],
    );
}

#[test]
fn what_is_excluded_makes_room_for_others() {
    check(&[without(&["1.10.0"], ask("web", None, Some(2)))], &["1.9.0+b", "1.9.0"], &[]);
    check(&[without(&["1.9.0"], ask("web", Some("1.9"), Some(0)))], &["1.9.0+b"], &[]);
    check(&[without(&["1.9"], ask("web", Some("^1"), Some(0)))], &["1.10.0", "v1.2.0", "1.0.0"], &[]);
    check(&[without(&[">1.2", "1.0.0"], ask("web", Some("^1"), Some(0)))], &["v1.2.0"], &[]);
    check(&[without(&[">=2.0.0-0", "1.2.0"], with_prereleases(ask("web", Some("^1 || ^2-0"), Some(2))))], &["1.10.0", "1.9.0+b"], &[]);
    let all = "chart `web`: `exclude` leaves nothing of what fits: `1.10.0`, `1.9.0+b`, `1.9.0`, `v1.2.0`, `1.0.0`";
    check(&[without(&["*"], ask("web", None, None))], &[], &[all]);
    check(&[without(&["1.9.0"], ask("web", Some("1.9.0"), None))], &[], &["chart `web`: `exclude` leaves nothing of what fits: `1.9.0`"]);
}

#[test]
fn prereleases_count_when_asked_for() {
    check(&[with_prereleases(ask("web", None, None))], &["2.0.0-rc.1"], &[]);
    check(&[with_prereleases(ask("web", Some("<1"), Some(0)))], &["0.1.0-dev"], &[]);
    check(&[with_prereleases(ask("web", Some(">=1.10"), Some(0)))], &["2.0.0-rc.1", "1.10.0"], &[]);
    let everything = ["2.0.0-rc.1", "1.10.0", "1.9.0+b", "1.9.0", "v1.2.0", "1.0.0", "0.1.0-dev"];
    check(&[with_prereleases(ask("web", None, Some(0)))], &everything, &[]);
}

#[test]
fn what_is_no_constraint_stops_its_own_request_alone() {
    for (asked, cause) in [
        ("latest", "it cannot be read from `latest` on"),
        (">=1.0 && <2", "it cannot be read from `&& <2` on"),
        ("1.2.3.4", "it cannot be read from `.4` on"),
    ] {
        let requests =
            [ask("web", Some(asked), None), without(&["1.10.0", asked], ask("web", None, None)), ask("web", Some("1.0.0"), None)];
        let selection = select(&index(&["1.10.0", "1.0.0"]), &requests);
        assert_eq!(selection.wanted.iter().map(|wanted| wanted.version.as_str()).collect::<Vec<_>>(), ["1.0.0"]);
        for (failure, field) in selection.failures.iter().zip(["versions", "exclude"]) {
            let begin = format!("chart `web`: `{field}: {asked}` is no constraint: {cause}; Helm's constraints are written as `6.5.0`, ");
            assert!(failure.to_string().starts_with(&begin), "{failure}");
            assert_eq!(failure.reason(), Reason::ConstraintInvalid);
        }
        assert_eq!(selection.failures.len(), 2);
    }
}

#[test]
fn what_is_passed_over_has_a_reason() {
    let mut index = index(&["2.0.0-rc.1", "1.10.0", "1.9.0+b", "1.9.0", "v1.2.0", "1.0.0", "0.1.0-dev"]);
    index.skipped = vec![
        Skipped { chart: "web".into(), version: "1.8.0".into(), why: "it has no `urls` to fetch it from".into() },
        Skipped { chart: "other".into(), version: "1.0.0".into(), why: "it has no `urls` to fetch it from".into() },
    ];
    let said = |charts: &[ChartSelection]| {
        let all = passed_over(&index, charts);
        assert!(all.iter().all(|group| group.chart == "web"), "{all:?}");
        all.iter().map(|group| format!("{}: {}", group.versions.join(" "), group.reason)).collect::<Vec<_>>()
    };
    let unusable = "1.8.0: it cannot be used: it has no `urls` to fetch it from";
    assert_eq!(
        said(&[without(&["1.9.0+b"], ask("web", Some("^1.2"), Some(2)))]),
        [
            "2.0.0-rc.1 1.0.0 0.1.0-dev: it is not what `versions: ^1.2` asks for",
            "1.9.0+b: `exclude` has `1.9.0+b`",
            "v1.2.0: `latest` is 2, and newer ones are taken",
            unusable,
        ]
    );
    assert_eq!(
        said(&[ask("web", Some(">=1.9"), Some(0)), ask("web", None, Some(1)), ask("web", Some("1.0.0"), Some(1))]),
        [
            "2.0.0-rc.1: it is a prerelease, and `versions: >=1.9` names none: `prereleases: true` takes it",
            "v1.2.0 0.1.0-dev: it is not what `versions: >=1.9` asks for",
            "2.0.0-rc.1 0.1.0-dev: it is a prerelease: `prereleases: true` takes it",
            "v1.2.0: `latest` is 1, and newer ones are taken",
            "2.0.0-rc.1 v1.2.0 0.1.0-dev: it is not what `versions: 1.0.0` asks for",
            unusable,
        ]
    );
    assert_eq!(said(&[ask("wep", None, None)]), Vec::<String>::new());
    assert_eq!(said(&[ask("web", Some("latest"), None)]), [unusable]);
}

#[test]
fn the_newest_are_counted_without_prereleases() {
    check(&[ask("web", None, None)], &["1.10.0"], &[]);
    check(&[ask("web", None, Some(2))], &["1.10.0", "1.9.0+b"], &[]);
    check(&[ask("web", None, Some(0))], &["1.10.0", "1.9.0+b", "1.9.0", "v1.2.0", "1.0.0"], &[]);
    check(&[ask("web", None, Some(100))], &["1.10.0", "1.9.0+b", "1.9.0", "v1.2.0", "1.0.0"], &[]);
}

#[test]
fn nothing_is_taken_twice() {
    check(
        &[ask("web", Some("1.9.0"), None), ask("web", None, Some(3)), ask("web", Some("1.10"), None)],
        &["1.9.0", "1.10.0", "1.9.0+b"],
        &[],
    );
    check(&[ask("x", None, None), ask("x", None, None)], &[], &["chart `x` is not in the index"]);
}

#[test]
fn what_is_missing_is_named_with_what_is_there() {
    check(&[ask("wep", None, None)], &[], &["chart `wep` is not in the index. Close to it: `web`"]);
    check(
        &[ask("web", Some(">=3"), None)],
        &[],
        &["chart `web` has no version that `versions: >=3` asks for. The newest are `2.0.0-rc.1`, `1.10.0`, `1.9.0+b`, `1.9.0`, `v1.2.0`"],
    );
    check(
        &[ask("web", Some("3.0.0"), None), ask("web", None, None)],
        &["1.10.0"],
        &["chart `web` has no version `3.0.0`. The newest are `2.0.0-rc.1`, `1.10.0`, `1.9.0+b`, `1.9.0`, `v1.2.0`"],
    );
}

#[test]
fn an_entry_that_cannot_be_used_says_why() {
    let mut index = index(&["1.0.0-rc.1"]);
    let skipped = |version: &str| Skipped { chart: "web".into(), version: version.into(), why: "it has no `urls`".into() };
    index.skipped = vec![skipped("1.0.0"), skipped("")];
    for (asked, expected) in [
        (
            Some("1.0.0"),
            "chart `web` has no version `1.0.0`. The newest are `1.0.0-rc.1`; `1.0.0` is there and cannot be used: it has no `urls`",
        ),
        (Some("2.0.0"), "chart `web` has no version `2.0.0`. The newest are `1.0.0-rc.1`"),
        (
            Some("^1"),
            "chart `web` has no version that `versions: ^1` asks for. The newest are `1.0.0-rc.1`; `1.0.0` is there and cannot be used: it has no `urls`",
        ),
        (
            None,
            "chart `web` has no release, only prereleases, which `prereleases: true` takes: `1.0.0-rc.1`; `1.0.0` is there and cannot be used: it has no `urls`",
        ),
    ] {
        assert_eq!(select(&index, &[ask("web", asked, None)]).failures[0].to_string(), expected);
    }
}

#[test]
fn prereleases_alone_are_no_release() {
    let selection = select(&index(&["1.0.0-rc.2", "1.0.0-rc.1"]), &[ask("web", None, None)]);
    assert_eq!(
        selection.failures[0].to_string(),
        "chart `web` has no release, only prereleases, which `prereleases: true` takes: `1.0.0-rc.2`, `1.0.0-rc.1`"
    );
    assert_eq!(select(&index(&[]), &[ask("web", None, None)]).failures[0].to_string(), "chart `web` has no release");
}

/// An index of these charts, with these versions each.
fn index_of(charts: &[(&str, &[&str])]) -> Index {
    let mut all = Index::default();
    for (name, versions) in charts {
        let mut entries = index(versions).charts.remove("web").unwrap();
        for entry in &mut entries {
            entry.name = (*name).to_owned();
        }
        all.charts.insert((*name).to_owned(), entries);
    }
    all
}

fn matching(pattern: &str, versions: Option<&str>, latest: Option<u32>) -> ChartSelection {
    ChartSelection { name: None, pattern: Some(pattern.into()), ..ask("", versions, latest) }
}

/// What is wanted of [`index_of`], and what cannot be.
fn found(index: &Index, charts: &[ChartSelection]) -> (Vec<String>, Vec<String>) {
    let Selection { wanted, failures } = select(index, charts);
    let wanted = wanted.iter().map(|wanted| format!("{} {}", wanted.name, wanted.version)).collect();
    (wanted, failures.iter().map(ToString::to_string).collect())
}

#[test]
fn a_pattern_takes_each_chart_by_itself() {
    let index =
        index_of(&[("other", &["1.0.0"]), ("web", &["2.0.0", "1.1.0", "1.0.0"]), ("webhook", &["1.5.0"]), ("websocket", &["0.1.0"])]);
    assert_eq!(found(&index, &[matching("^web", None, None)]).0, ["web 2.0.0", "webhook 1.5.0", "websocket 0.1.0"]);
    assert_eq!(
        found(&index, &[matching("^web", Some("^1"), Some(0))]),
        (vec!["web 1.1.0".into(), "web 1.0.0".into(), "webhook 1.5.0".into()], vec![])
    );
    // In any order of the items, and once where two of them mean it.
    let twice = [matching("hook$", None, None), matching("^web", None, Some(0)), matching("web", None, None)];
    assert_eq!(found(&index, &twice).0, ["webhook 1.5.0", "web 2.0.0", "web 1.1.0", "web 1.0.0", "websocket 0.1.0"]);
}

#[test]
fn a_chart_with_an_item_of_its_own_is_taken_by_that_item_alone() {
    let index = index_of(&[("web", &["2.0.0", "1.0.0"]), ("webhook", &["1.5.0"])]);
    for charts in
        [[matching("^web", None, None), ask("web", Some("^1"), None)], [ask("web", Some("^1"), None), matching("^web", None, None)]]
    {
        let (mut wanted, failures) = found(&index, &charts);
        wanted.sort();
        assert_eq!((wanted, failures), (vec!["web 1.0.0".into(), "webhook 1.5.0".into()], vec![]));
        assert_eq!(passed_over(&index, &charts).len(), 1, "2.0.0 is not what `^1` asks for, and no pattern has a say in it");
    }
    assert_eq!(found(&index, &[ask("web", None, None), ask("webhook", None, None), matching("^web", None, None)]).1, [""; 0]);
}

#[test]
fn a_pattern_that_takes_nothing_says_why() {
    let mut index = index_of(&[("web", &["2.0.0"]), ("webhook", &["1.5.0"])]);
    index.close.insert("^wep$".into(), vec!["web".into()]);
    for (item, reason, expected) in [
        (
            matching("^wep$", None, None),
            Reason::ChartNotFound,
            "no chart of the index has a name that `pattern: ^wep$` matches. Close to it: `web`",
        ),
        (
            matching("^web", Some("^3"), None),
            Reason::VersionNotFound,
            "of the 2 charts that `pattern: ^web` matches none has a version that fits; of the first: chart `web` has no version that `versions: ^3` asks for. The newest are `2.0.0`",
        ),
        (
            matching("^web(", None, None),
            Reason::ConstraintInvalid,
            "`pattern: ^web(`: it is no regular expression: unclosed group; one is written like `^pod`, `^(nginx|redis)$` or `-exporter$`",
        ),
        (
            ChartSelection { name: Some("web".into()), ..matching("^web", None, None) },
            Reason::ConstraintInvalid,
            "an item of `charts` must have exactly one of `name` and `pattern`: `web`",
        ),
        (
            ChartSelection { name: None, ..ask("web", None, None) },
            Reason::ConstraintInvalid,
            "an item of `charts` must have exactly one of `name` and `pattern`",
        ),
    ] {
        let selection = select(&index, &[item]);
        assert_eq!((selection.failures[0].to_string().as_str(), selection.failures[0].reason()), (expected, reason));
        assert_eq!((selection.wanted.len(), selection.failures.len()), (0, 1));
    }
    let failure = select(&index, &[matching("^web", Some("latest"), None)]).failures.remove(0);
    assert!(failure.to_string().starts_with("chart `^web`: `versions: latest` is no constraint: "), "{failure}");
}

#[test]
fn what_a_pattern_passes_over_has_a_reason_for_each_chart() {
    let mut index = index_of(&[("other", &["1.0.0"]), ("web", &["2.0.0", "1.0.0"]), ("webhook", &["1.5.0"])]);
    index.skipped =
        ["web", "other"].map(|chart| Skipped { chart: chart.into(), version: "0.9".into(), why: "it has no `urls`".into() }).into();
    let all = passed_over(&index, &[matching("^web", Some("^1"), None)]);
    let said: Vec<_> = all.iter().map(|group| format!("{} {}: {}", group.chart, group.versions.join(" "), group.reason)).collect();
    assert_eq!(said, ["web 2.0.0: it is not what `versions: ^1` asks for", "web 0.9: it cannot be used: it has no `urls`"]);
}
