//! The invariants, each as a question to the record of a cell. What the engine says of itself is compared with what others saw.

use std::fmt::{self, Display, Formatter};

use chart_publisher::{api::Reason, model::Method};

use crate::{
    cell::Asked,
    charts::FIRST,
    drive::{Record, Run, UNTIL_WELL},
    engine::{Claim, SUBJECT},
    scene::PASSWORD,
};

/// Bytes that go out beside the layer: config, manifest, and what the buffers of a connection swallow whose other side is gone.
const BESIDE: u64 = (64 + 2 * 512) << 10;
/// Requests in one run: eight attempts of this many.
const MOST_REQUESTS: usize = 8 * 12;
/// Sessions in one run: eight attempts, and each may be begun anew.
const MOST_SESSIONS: usize = 8 * 2;
const LONGEST_SENTENCE: usize = 1000;

/// What always holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Invariant {
    /// I1: a tag names nothing, what it named before, or what is whole.
    Atomic,
    /// I2: what is Ready can be pulled by others, and is what the source gave.
    Honest,
    /// I3: what can work ends Ready, and all ends Ready once the fault is gone.
    Live,
    /// I4: a failure has a name and a cure, and an end: attempts and bytes in vain are bounded.
    Named,
    /// I5: nothing is left behind.
    Clean,
    /// I6: nobody elsewhere is spoken to, and no secret is told.
    Contained,
    /// I7: what a tag holds is not replaced.
    NoClobber,
}

impl Invariant {
    /// All of them.
    pub const ALL: [Self; 7] = [Self::Atomic, Self::Honest, Self::Live, Self::Named, Self::Clean, Self::Contained, Self::NoClobber];
}

impl Display for Invariant {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let (number, name) = match self {
            Self::Atomic => (1, "atomic"),
            Self::Honest => (2, "honest"),
            Self::Live => (3, "live"),
            Self::Named => (4, "named"),
            Self::Clean => (5, "clean"),
            Self::Contained => (6, "contained"),
            Self::NoClobber => (7, "no clobber"),
        };
        write!(formatter, "I{number} {name}")
    }
}

/// What a cell violates, and how.
pub fn violations(record: &Record) -> Vec<(Invariant, String)> {
    let checks = [
        (Invariant::Atomic, atomic(record)),
        (Invariant::Honest, honest(record)),
        (Invariant::Live, live(record)),
        (Invariant::Named, named(record)),
        (Invariant::Clean, clean(record)),
        (Invariant::Contained, contained(record)),
        (Invariant::NoClobber, no_clobber(record)),
    ];
    checks.into_iter().flat_map(|(invariant, found)| found.into_iter().map(move |found| (invariant, found))).collect()
}

fn atomic(record: &Record) -> Vec<String> {
    let mut found: Vec<String> = record.watched.broken.clone();
    if record.watched.looks == 0 {
        found.push("nobody looked".to_owned());
    }
    let is_foreign = |digest: &&String| !record.wanted.contains(digest) && **digest != record.holder.0;
    let seen = record.watched.digests.iter().chain(&record.written).filter(is_foreign);
    found.extend(seen.map(|digest| format!("a manifest {digest} was written that is none of the charts'")));
    found
}

fn honest(record: &Record) -> Vec<String> {
    record.pulled.iter().filter_map(|(tag, pulled)| Some(format!("{tag} is Ready, and: {}", pulled.as_ref().err()?))).collect()
}

fn live(record: &Record) -> Vec<String> {
    let mut found = Vec::new();
    match &record.well {
        None => {}
        Some(Ok(took)) if *took <= UNTIL_WELL => {}
        Some(Ok(took)) => found.push(format!("{took:?} after the fault was gone")),
        Some(Err(problem)) => found.push(format!("the fault is gone, and the chart is not there: {problem}")),
    }
    if let Some(second) = &record.second {
        if !second.claim.is_ready() {
            found.push(format!("the first chart arrived, the second one did not: {:?}", second.claim));
        }
        let wasted = second.wasted();
        if record.is_learnable() && !wasted.is_empty() {
            found.push(format!("the second chart wasted {wasted:?}"));
        }
    }
    found
}

fn named(record: &Record) -> Vec<String> {
    let mut found = Vec::new();
    for (number, run) in record.runs.iter().chain(&record.second).enumerate() {
        let mut say = |what: String| found.push(format!("run {}: {what}", number + 1));
        let (waste, most) = (run.waste(), most_in_vain(record.cell.asked, &run.claim));
        if waste > most {
            say(format!("{waste} bytes in vain, of a chart of {}", FIRST.bytes.len()));
        }
        if run.requests.len() > MOST_REQUESTS {
            say(format!("{} requests", run.requests.len()));
        }
        let sessions = run.requests.iter().filter(|asked| asked.method == "POST").count();
        if sessions > MOST_SESSIONS {
            say(format!("{sessions} sessions"));
        }
        let attempts = run.attempts.iter().map(|attempt| (attempt.verdict.reason.as_str(), attempt.verdict.sentence.as_str()));
        let own = if let Claim::Failed { reason, sentence, .. } = &run.claim { Some((reason.as_str(), sentence.as_str())) } else { None };
        for (reason, sentence) in attempts.chain(own) {
            if !Reason::ALL.iter().any(|known| known.as_str() == reason) || sentence.is_empty() {
                say(format!("no reason of the list: `{reason}`"));
            }
            let has_cure = sentence.split_once(": while ").is_some_and(|(_, rest)| rest.contains(". "));
            if !sentence.contains(SUBJECT) || !has_cure || sentence.chars().count() > LONGEST_SENTENCE {
                say(format!("no object, no cure or no end: {sentence}"));
            }
        }
    }
    let reasons: Vec<&str> = record.runs.iter().map(|run| run.claim.reason()).filter(|reason| !reason.is_empty()).collect();
    if record.runs.last().is_some_and(|run| !run.claim.is_ready()) && reasons.windows(2).any(|pair| pair[0] != pair[1]) {
        found.push(format!("the reason changes: {reasons:?}"));
    }
    found
}

fn clean(record: &Record) -> Vec<String> {
    let mut found: Vec<String> = record.left.iter().map(|id| format!("the session {id} is left open")).collect();
    if record.tasks > 0 {
        found.push(format!("{} tasks are left", record.tasks));
    }
    found
}

fn contained(record: &Record) -> Vec<String> {
    let mut found = record.foreign.clone();
    let runs = record.runs.iter().chain(&record.second).chain([&record.taken]);
    for run in runs {
        let own = if let Claim::Failed { sentence, .. } = &run.claim { Some(sentence.as_str()) } else { None };
        let attempts = run.attempts.iter().map(|attempt| attempt.verdict.sentence.as_str());
        for sentence in attempts.chain(own) {
            let is_raw = sentence.chars().any(char::is_control) || sentence.contains('<') || sentence.contains("xxxxxxxx");
            if sentence.contains(PASSWORD) || sentence.contains('?') || sentence.contains("_state") || is_raw {
                found.push(format!("a sentence tells more than it should: {sentence}"));
            }
        }
    }
    found
}

fn no_clobber(record: &Record) -> Vec<String> {
    match &record.holder {
        (before, Ok(Some(after))) if before == after && !record.taken.claim.is_ready() => Vec::new(),
        (before, after) => vec![format!("the tag held {before}, now {after:?}, and the engine says {:?}", record.taken.claim)],
    }
}

/// Twice the chart; where all fails, the attempt that is kept for the last of two routes, too.
fn most_in_vain(asked: Asked, claim: &Claim) -> u64 {
    // By SinglePost one body goes out in vain where nothing is wrong: distribution answers 202 and wants it again.
    let times = if asked == Asked::Fixed(Method::SinglePost) || (asked == Asked::Auto && !claim.is_ready()) { 3 } else { 2 };
    times * FIRST.bytes.len() as u64 + BESIDE
}

impl Run {
    /// Bytes of bodies that led to nothing.
    fn waste(&self) -> u64 {
        let useful = if self.claim.is_ready() { FIRST.bytes.len() as u64 } else { 0 };
        self.sent.saturating_sub(useful)
    }

    /// What was asked and refused, or not answered.
    pub fn wasted(&self) -> Vec<String> {
        let is_wasted = |status: Option<u16>| !matches!(status, Some(200..=299 | 307));
        self.requests.iter().filter(|asked| is_wasted(asked.status)).map(crate::faults::ledger::Asked::line).collect()
    }
}

impl Record {
    /// Whether another way can do without what went wrong.
    fn is_learnable(&self) -> bool {
        self.cell.asked == Asked::Auto && !self.cell.made.is_of_every_request(self.cell.fault)
    }

    /// Whether the first chart arrived while the fault was there.
    pub fn is_there(&self) -> bool {
        self.runs.last().is_some_and(|run| run.claim.is_ready())
    }

    /// What stands in the table.
    pub fn verdict(&self) -> String {
        match self.runs.last().map(|run| &run.claim) {
            _ if !self.met => "–".to_owned(),
            Some(Claim::Ready { .. }) => "✓".to_owned(),
            Some(Claim::Failed { reason, .. }) => reason.clone(),
            None => "not run".to_owned(),
        }
    }
}
