//! The faults of a path that breaks, each in its turn.

use super::faults::{
    Close, hostile,
    path::{rules, wrong_location},
    rule::{Page, Rewrite, Rule, What, When},
    wire::Wire,
};

const MIB: u64 = 1 << 20;

/// What is wrong for a while.
pub struct Turn {
    pub name: &'static str,
    pub rules: Vec<Rule>,
    pub wires: Vec<Wire>,
}

/// All of them: the hostile paths that are rules of the fault proxy, and what else happens to paths.
pub fn all() -> Vec<Turn> {
    let hostile = hostile::ALL.into_iter().filter_map(|row| Some(by_rules(row.name, rules(row.hostile)?)));
    hostile.chain(locations()).chain(wires()).chain(away()).collect()
}

fn by_rules(name: &'static str, rules: Vec<Rule>) -> Turn {
    Turn { name, rules, wires: Vec::new() }
}

fn locations() -> [Turn; 2] {
    let elsewhere = Rewrite::Host("registry.invalid:5000".to_owned());
    [
        by_rules("Location names another host", vec![wrong_location(elsewhere)]),
        by_rules("Location lost the port", vec![wrong_location(Rewrite::NoPort)]),
    ]
}

fn wires() -> [Turn; 4] {
    let on = |name, fault| Turn { name, rules: Vec::new(), wires: vec![fault] };
    [
        on("connections are cut after 2 MiB", Wire::CutSent(2 * MIB, Close::Reset)),
        on("answers are cut after 1,000 bytes", Wire::CutAnswers(1000, Close::Reset)),
        on("nothing is read after 1 MiB", Wire::StopReading(MIB)),
        on("1 MiB/s", Wire::SlowSent(MIB)),
    ]
}

fn away() -> [Turn; 2] {
    let busy = What::Answer { status: 503, fields: vec![("Retry-After", "1".to_owned())], page: Page::Nginx };
    [
        by_rules("503 with Retry-After to all", vec![Rule::new(When::always(), busy)]),
        by_rules("all connections are reset", vec![Rule::new(When::always(), What::CutHead(Close::Reset))]),
    ]
}
