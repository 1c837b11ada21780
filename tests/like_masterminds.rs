//! Our verdict on a version and our order among versions are those of Masterminds semver v3, which Helm reads both with.
//!
//! A Go program (`like_masterminds/main.go`) answers with the real library, of the version that the Helm of `tests/tools/install.sh`
//! has. What it is asked is generated from a seed (`LIKE_MASTERMINDS_SEED`), and taken from the tables of the library's own tests.
#![cfg(test)]
#![expect(clippy::print_stdout, reason = "the figures are the product")]

#[path = "like_masterminds/generator.rs"]
mod generator;
#[path = "like_masterminds/library.rs"]
mod library;

use std::{collections::BTreeMap, time::Instant};

use chart_publisher::model::{ChartVersion, Constraint, Prereleases};
use generator::{Generator, JOINTS, OPERATORS, Pair};
use library::{Answer, Library};
use serde_json::json;

/// Generated pairs; the tables and the grid come on top.
const PAIRS: usize = 24_000;

/// What is said of a constraint and a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    /// The constraint cannot be read.
    Error,
    /// The version is admitted.
    Admits,
    /// It is not.
    Refuses,
    /// The version cannot be read.
    NoVersion,
}

impl Verdict {
    fn new(is_read: bool, is_version: bool, admits: bool) -> Self {
        match (is_read, is_version, admits) {
            (false, ..) => Self::Error,
            (_, false, _) => Self::NoVersion,
            (_, _, true) => Self::Admits,
            (_, _, false) => Self::Refuses,
        }
    }
}

/// Everything that both sides say of a pair.
#[derive(Debug, PartialEq, Eq)]
struct Said {
    is_version: bool,
    is_strict: bool,
    if_named: Verdict,
    always: Verdict,
}

fn ours(pair: &Pair) -> Said {
    let (constraint, version) = (pair.constraint.parse::<Constraint>(), pair.version.parse::<ChartVersion>());
    let verdict = |prereleases| {
        let admits =
            constraint.as_ref().is_ok_and(|constraint| version.as_ref().is_ok_and(|version| constraint.admits(version, prereleases)));
        Verdict::new(constraint.is_ok(), version.is_ok(), admits)
    };
    Said {
        is_version: version.is_ok(),
        is_strict: version.as_ref().is_ok_and(ChartVersion::is_strict),
        if_named: verdict(Prereleases::IfNamed),
        always: verdict(Prereleases::Always),
    }
}

fn theirs(answer: &Answer) -> Said {
    Said {
        is_version: answer.version,
        is_strict: answer.strict,
        if_named: Verdict::new(answer.read, answer.version, answer.if_named),
        always: Verdict::new(answer.read, answer.version, answer.always),
    }
}

/// Compares all pairs; gives what the library says of each.
fn compared(library: &Library, pairs: &[Pair]) -> Vec<Said> {
    let answers = library.ask(pairs.iter().map(|pair| json!({"constraint": pair.constraint, "version": pair.version})));
    let theirs: Vec<Said> = answers.iter().map(theirs).collect();
    let differences: Vec<String> = pairs
        .iter()
        .zip(&theirs)
        .map(|(pair, theirs)| (pair, ours(pair), theirs))
        .filter(|(_, ours, theirs)| ours != *theirs)
        .map(|(pair, ours, theirs)| format!("{:?} on {:?}\n  ours   {ours:?}\n  theirs {theirs:?}", pair.constraint, pair.version))
        .collect();
    let some = differences.iter().take(20).cloned().collect::<Vec<_>>().join("\n");
    assert!(differences.is_empty(), "{} of {} differ\n{some}", differences.len(), pairs.len());
    theirs
}

#[test]
fn the_library_is_the_one_that_helm_has() {
    let pinned = Library::pinned();
    for variable in ["HELM4", "HELM3"] {
        let (helm, has) = Library::of_helm(variable);
        assert_eq!(pinned, has, "tests/like_masterminds/go.mod has another version of the library than {helm}");
    }
}

#[test]
fn the_verdict_on_generated_pairs_is_that_of_the_library() {
    let begin = Instant::now();
    let mut generator = Generator::new();
    let seed = generator.seed;
    let steered: Vec<Pair> = [Verdict::Error, Verdict::Admits, Verdict::Refuses]
        .into_iter()
        .cycle()
        .take(PAIRS)
        .map(|wanted| generator.pair(if wanted == Verdict::Error { 1 } else { 5 }, |pair| ours(pair).if_named == wanted))
        .collect();
    let library = Library::build();
    let said = compared(&library, &steered);
    let count = |wanted| said.iter().filter(|said| said.if_named == wanted).count();
    let shares = [Verdict::Error, Verdict::Admits, Verdict::Refuses].map(|verdict| (verdict, count(verdict)));
    assert!(shares.iter().all(|(_, count)| count * 100 >= PAIRS * 30), "seed {seed}: of {PAIRS}: {shares:?}");
    let mut counts: BTreeMap<&str, [usize; 2]> = BTreeMap::new();
    for (pair, said) in steered.iter().zip(&said) {
        for part in &pair.parts {
            match said.if_named {
                Verdict::Admits => counts.entry(part).or_default()[0] += 1,
                Verdict::Refuses => counts.entry(part).or_default()[1] += 1,
                Verdict::Error | Verdict::NoVersion => {}
            }
        }
    }
    for part in OPERATORS.iter().chain(&JOINTS) {
        let [admits, refuses] = counts.get(part).copied().unwrap_or_default();
        assert!(admits >= 50 && refuses >= 50, "seed {seed}: `{part}` occurs in {admits} that admit and {refuses} that refuse");
    }
    let grid = generator::grid();
    compared(&library, &grid);
    println!("seed {seed}: {PAIRS} pairs, {shares:?}; a grid of {}; {:?}; {counts:?}", grid.len(), begin.elapsed());
}

#[test]
fn the_verdict_on_the_tables_of_the_library_is_its_own() {
    let library = Library::build();
    let rows = library.rows();
    let (mut pairs, mut of_rows) = (Vec::new(), 0);
    for row in &rows {
        let before = pairs.len();
        for one in row {
            pairs.extend(row.iter().filter(|other| row.len() == 1 || *other != one).map(|other| Pair::of(one, other)));
            pairs.extend(generator::VERSIONS.iter().map(|version| Pair::of(one, version)));
        }
        of_rows += usize::from(pairs.len() > before);
    }
    let said = compared(&library, &pairs);
    let admitted = said.iter().filter(|said| said.if_named == Verdict::Admits).count();
    // So many rows there are in v3.5.0, that the walk has found the tables.
    assert!(of_rows >= 1_000 && admitted >= 1_000, "{of_rows} rows, {admitted} of {} pairs are admitted", pairs.len());
    println!("{of_rows} rows, {} pairs, {admitted} admitted", pairs.len());
}

#[test]
fn the_order_of_versions_is_that_of_the_library() {
    let mut generator = Generator::new();
    let seed = generator.seed;
    let pairs: Vec<[String; 2]> = (0..20_000).map(|_| [generator.version(), generator.version()]).collect();
    let lists: Vec<Vec<ChartVersion>> = (0..300)
        .map(|_| {
            let mut list: Vec<ChartVersion> = (0..40).filter_map(|_| generator.version().parse().ok()).collect();
            list.sort_by(|one, other| other.cmp(one));
            list
        })
        .collect();
    let texts = |list: &[ChartVersion]| list.iter().map(ToString::to_string).collect::<Vec<_>>();
    let questions = pairs.iter().map(|pair| json!({"compare": pair})).chain(lists.iter().map(|list| json!({"sort": texts(list)})));
    let answers = Library::build().ask(questions);
    let mut orders = [0; 3];
    for (pair, answer) in pairs.iter().zip(&answers) {
        let [Ok(one), Ok(other)] = [&pair[0], &pair[1]].map(|text| text.parse::<ChartVersion>()) else {
            assert!(!answer.comparable, "seed {seed}: {pair:?}");
            continue;
        };
        let order = one.precedence(&other) as i32;
        assert_eq!((order, true), (answer.order, answer.comparable), "seed {seed}: {pair:?}");
        orders[usize::try_from(order + 1).unwrap()] += 1;
    }
    assert!(orders.iter().all(|count| *count >= 200), "seed {seed}: less, equal, greater: {orders:?}");
    let mut twins = 0;
    for (list, answer) in lists.iter().zip(&answers[pairs.len()..]) {
        assert!(answer.is_sorted, "seed {seed}: Helm would sort {:?} in another order", texts(list));
        // Helm leaves the order of equals to chance; ours is always the same.
        let theirs: Vec<ChartVersion> = answer.sorted.iter().map(|text| text.parse().unwrap()).collect();
        assert!(list.iter().zip(&theirs).all(|(one, other)| one.precedence(other).is_eq()), "seed {seed}: {list:?} and {theirs:?}");
        twins += list.windows(2).filter(|pair| pair[0] != pair[1] && pair[0].precedence(&pair[1]).is_eq()).count();
    }
    assert!(twins >= 100, "seed {seed}: {twins} neighbours differ only in metadata or spelling");
}
