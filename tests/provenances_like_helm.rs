//! A provenance is taken or refused as the real `helm verify` of v3 and v4 does, or refused for a reason of the table below.
//!
//! The provenances are made with keys of the test, most of them changed in some place (`PROVENANCES_LIKE_HELM_SEED`). The programs come
//! from `tests/tools/install.sh`.
#![cfg(test)]
#![expect(clippy::print_stdout, reason = "the figures are the product")]

#[path = "provenances_like_helm/changed.rs"]
mod changed;
#[path = "tools/installed.rs"]
mod installed;
#[expect(dead_code, reason = "it has more than is compared")]
#[path = "../src/provenance/testing.rs"]
mod testing;
#[path = "provenances_like_helm/tool.rs"]
mod tool;

use std::{
    collections::BTreeMap,
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use changed::Provenance;
use chart_publisher::{
    model::Digest,
    provenance::{Chart, Demand, Flaw, Keyring},
};
use tool::Helm;

/// Where we refuse what Helm takes, and why.
const STRICTER: [(&str, &str); 6] = [
    ("the frame of the message", "people and programs would read other texts"),
    ("the form of what is signed", "Helm reads one of its parts and passes over the others"),
    ("the text of another chart", "who reads it would think so, and Helm does not look at it"),
    ("a weak hash", "somebody can make another text for it"),
    ("damage that Helm passes over", "nobody makes such a signature by mistake"),
    ("too many signatures", "time is bounded"),
];

/// The row of [`STRICTER`] that covers a flaw.
fn stricter(flaw: &Flaw) -> Option<&'static str> {
    let row = match flaw {
        Flaw::Frame(_) => 0,
        Flaw::Statement { .. } => 1,
        Flaw::OtherChart { .. } => 2,
        Flaw::WeakHash { .. } => 3,
        Flaw::Signature("there are more than 16") => 5,
        Flaw::Signature(_) | Flaw::Forged { .. } | Flaw::UnknownKey { .. } => 4,
        _ => return None,
    };
    Some(STRICTER[row].0)
}

#[test]
fn provenances_are_taken_and_refused_as_helm_does() {
    let begin = Instant::now();
    #[expect(clippy::disallowed_methods, reason = "a seed is given by whoever runs the test")]
    let seed = std::env::var("PROVENANCES_LIKE_HELM_SEED").map_or(1, |seed| seed.parse().unwrap());
    let ring = changed::ring();
    let provenances = changed::provenances(seed);
    assert!(provenances.len() >= 150, "only {}", provenances.len());
    let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap();
    let demand = Demand::of(Keyring::read("the ring", [("ring.gpg", ring.as_slice())]).unwrap(), now);
    let chart = Chart { name: "web", version: "1.2.3", digest: Digest::of(changed::ARCHIVE) };
    let mut differences = Vec::new();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for helm in [Helm::V3, Helm::V4] {
        let verdicts = helm.verify(&ring, changed::ARCHIVE, &provenances);
        for (Provenance { label, text }, helms) in provenances.iter().zip(verdicts) {
            let ours = demand.judge(&chart, Ok(text)).map_err(|error| error.flaw);
            let row = match (&ours, &helms) {
                (Ok(_), Ok(())) => "both take",
                (Err(_), Err(_)) => "both refuse",
                (Ok(signer), Err(why)) => {
                    differences.push(format!("{helm:?}, {label}: taken as of {signer:?}, and Helm: {why}"));
                    continue;
                }
                (Err(flaw), Ok(())) => {
                    let Some(reason) = stricter(flaw) else {
                        differences.push(format!("{helm:?}, {label}: Helm takes it, and ours: {flaw}"));
                        continue;
                    };
                    reason
                }
            };
            *counts.entry(format!("{helm:?}: {row}")).or_default() += 1;
        }
    }
    println!("seed {seed}: {} provenances by two Helms in {:?}: {counts:#?}", provenances.len(), begin.elapsed());
    assert!(differences.is_empty(), "seed {seed}: {} differ\n{}", differences.len(), differences.join("\n"));
    for helm in ["V3", "V4"] {
        let taken = counts.get(&format!("{helm}: both take")).copied().unwrap_or_default();
        let refused = counts.get(&format!("{helm}: both refuse")).copied().unwrap_or_default();
        assert!(taken >= 25 && refused >= 50, "seed {seed}: {helm} takes {taken} and refuses {refused}");
    }
}
