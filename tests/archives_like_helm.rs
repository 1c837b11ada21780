//! An archive is taken or refused as Helm's own loader does, or refused for a reason of the table below; its files are Helm's.
//!
//! A Go program (`archives_like_helm/main.go`) answers with the loader of the Helm of `tests/tools/install.sh`. The archives are
//! generated from a seed (`ARCHIVES_LIKE_HELM_SEED`), half of them broken on purpose.
#![cfg(test)]
#![expect(clippy::print_stdout, reason = "the figures are the product")]

#[path = "archives_like_helm/generator.rs"]
mod generator;
#[path = "archives_like_helm/loader.rs"]
mod loader;
#[path = "archives_like_helm/tape.rs"]
mod tape;

use std::{collections::BTreeMap, path::Path, time::Instant};

use chart_publisher::chart::{self, ChartError, Limits};
use generator::{BREAKS, Generator, Made};
use loader::{Answer, Loader};

/// Whole archives, and as many of each break.
const WHOLE: usize = 400;
const EACH_BREAK: usize = 60;

/// Where we refuse what Helm takes, and why.
const STRICTER: [(&str, &str); 8] = [
    ("data after the end", "tools that read on see other files than Helm"),
    ("damage at the end", "Helm stops before it, and compares no checksum; whoever unpacks the archive may not"),
    ("a header that tools read in different ways", "one would unpack other files, or other names, than Helm reads"),
    ("links and devices", "Helm reads them as empty files; unpacked, they lead elsewhere"),
    ("a file twice", "Helm merges them; unpacked, one of them is left"),
    ("a name that is no UTF-8", "registries, JSON and file systems cannot all show it"),
    ("a limit", "the memory of the controller is bounded"),
    ("YAML that is no YAML 1.2", "go-yaml v2 alone reads it"),
];

/// The row of [`STRICTER`] that covers an error.
fn stricter(error: &ChartError) -> Option<&'static str> {
    let row = match error {
        ChartError::Within { cause, .. } => return stricter(cause),
        error if error.is_limit() => 6,
        ChartError::TrailingData => 0,
        ChartError::Cut | ChartError::Gzip(_) => 1,
        ChartError::Path { problem: "is a link" | "is a device or pipe", .. } => 3,
        ChartError::Path { problem: "is in the archive twice", .. } => 4,
        ChartError::Path { problem: "is not UTF-8", .. } => 5,
        ChartError::Tar(_) | ChartError::Path { .. } => 2,
        ChartError::Yaml { .. } => 7,
        _ => return None,
    };
    Some(STRICTER[row].0)
}

/// What became of an archive on both sides.
enum Verdict {
    BothTake,
    BothRefuse,
    Stricter(&'static str),
    Differs(String),
}

fn compare(made: &Made, helm: &Answer) -> Verdict {
    match chart::read(made.bytes.as_slice(), &Limits::default()) {
        Ok(chart) if helm.error.is_empty() => {
            let same = chart.name == helm.name && chart.version.as_str() == helm.version && Some(&chart.files) == helm.files.as_ref();
            if same { Verdict::BothTake } else { Verdict::Differs(format!("ours: {:?}\nhelm: {helm:?}", chart.files)) }
        }
        Ok(_) => Verdict::Differs(format!("taken, and helm: {}", helm.error)),
        Err(_) if !helm.error.is_empty() => Verdict::BothRefuse,
        Err(error) => match stricter(&error) {
            Some(reason) => Verdict::Stricter(reason),
            None => Verdict::Differs(format!("helm takes it, and ours: {error}")),
        },
    }
}

#[test]
fn the_loader_is_the_one_of_the_tools() {
    let script = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tools/install.sh")).unwrap();
    let helm = script.lines().find_map(|line| line.strip_prefix("HELM4=")).unwrap();
    assert_eq!(Loader::pinned(), helm, "tests/archives_like_helm/go.mod has another Helm than tests/tools/install.sh");
}

#[test]
fn archives_are_taken_and_refused_as_helm_does() {
    let begin = Instant::now();
    #[expect(clippy::disallowed_methods, reason = "a seed is given by whoever runs the test")]
    let seed = std::env::var("ARCHIVES_LIKE_HELM_SEED").map_or(1, |seed| seed.parse().unwrap());
    let mut generator = Generator::new(seed);
    let mut archives: Vec<Made> = (0..WHOLE).map(|_| generator.whole()).collect();
    archives
        .extend(BREAKS.iter().flat_map(|how| std::iter::repeat_n(how, EACH_BREAK)).map(|how| generator.broken(how)).collect::<Vec<_>>());
    let answers = Loader::build().ask(archives.iter().map(|made| made.bytes.as_slice()));
    let (mut counts, mut differences): (BTreeMap<&str, [usize; 3]>, Vec<String>) = Default::default();
    let mut reasons: BTreeMap<&str, usize> = STRICTER.iter().map(|(reason, _)| (*reason, 0)).collect();
    for (number, (made, helm)) in archives.iter().zip(&answers).enumerate() {
        let count = counts.entry(made.broken.unwrap_or("whole")).or_default();
        match compare(made, helm) {
            Verdict::BothTake => count[0] += 1,
            Verdict::BothRefuse => count[1] += 1,
            Verdict::Stricter(reason) => {
                count[2] += 1;
                *reasons.entry(reason).or_default() += 1;
            }
            Verdict::Differs(how) => differences.push(format!("archive {number} ({}): {how}", made.broken.unwrap_or("whole"))),
        }
    }
    let some = differences.iter().take(20).cloned().collect::<Vec<_>>().join("\n");
    assert!(differences.is_empty(), "seed {seed}: {} of {} differ\n{some}", differences.len(), archives.len());
    let sum = |column: usize| counts.values().map(|count| count[column]).sum::<usize>();
    let (taken, refused) = (sum(0), sum(1));
    assert!(taken * 3 >= archives.len() && refused >= 150, "seed {seed}: of {} both take {taken}, both refuse {refused}", archives.len());
    assert_eq!(counts["whole"], [WHOLE, 0, 0], "seed {seed}: a whole archive is taken by both");
    println!(
        "seed {seed}: {} archives in {:?}: both take {taken}, both refuse {refused}, we alone refuse {}",
        archives.len(),
        begin.elapsed(),
        sum(2)
    );
    println!("taken, refused, refused by us alone: {counts:?}");
    for (reason, why) in STRICTER {
        println!("stricter: {reason} ({why}): {}", reasons[reason]);
    }
}
