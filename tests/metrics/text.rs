//! Reads the text format of `OpenMetrics` 1.0, strictly: what a scraper would refuse, or warn of, is refused here.

use std::collections::{BTreeMap, BTreeSet};

/// A scrape.
#[derive(Debug)]
pub struct Scrape(pub Vec<Family>);

/// A metric with all its series.
#[derive(Debug, Default)]
pub struct Family {
    pub name: String,
    pub kind: String,
    pub unit: String,
    pub help: String,
    pub samples: Vec<Sample>,
}

/// One number.
#[derive(Debug)]
pub struct Sample {
    pub name: String,
    pub labels: BTreeMap<String, String>,
    /// As it stands there.
    pub value: String,
}

/// What a series of this kind is called beside its family.
fn endings(kind: &str) -> &'static [&'static str] {
    match kind {
        "counter" => &["_total"],
        "gauge" => &[""],
        "histogram" => &["_bucket", "_count", "_sum"],
        "info" => &["_info"],
        other => panic!("{other} is no kind that we tell"),
    }
}

impl Scrape {
    /// Reads it; panics where a scraper would not take it.
    pub fn read(text: &str) -> Self {
        let body = text.strip_suffix("# EOF\n").expect("the end of an exposition");
        let mut families: Vec<Family> = Vec::new();
        let mut seen = BTreeSet::new();
        for line in body.lines() {
            let Some(said) = line.strip_prefix("# ") else {
                let sample = sample(line);
                assert!(seen.insert((sample.name.clone(), sample.labels.clone())), "twice: {line}");
                let family = families.last_mut().unwrap_or_else(|| panic!("of no family: {line}"));
                let ending = sample.name.strip_prefix(&family.name).unwrap_or_else(|| panic!("not of {}: {line}", family.name));
                assert!(endings(&family.kind).contains(&ending), "{}: {line}", family.kind);
                family.samples.push(sample);
                continue;
            };
            let mut words = said.splitn(3, ' ');
            let (what, name, value) = (words.next(), words.next().expect("a name"), words.next().expect("a value").to_owned());
            if families.last().is_none_or(|family| family.name != name) {
                assert!(families.iter().all(|family| family.name != name), "{name} stands in two places");
                families.push(Family { name: name.to_owned(), ..Family::default() });
            }
            let family = families.last_mut().expect("just pushed");
            match what {
                Some("HELP") => family.help = value,
                Some("TYPE") => family.kind = value,
                Some("UNIT") => family.unit = value,
                _ => panic!("{line}"),
            }
        }
        for family in &families {
            assert!(!family.samples.is_empty() && !family.help.is_empty(), "{family:?}");
            assert!(family.unit.is_empty() || family.name.ends_with(&format!("_{}", family.unit)), "{family:?}");
        }
        Self(families)
    }

    /// The family of this name.
    pub fn family(&self, name: &str) -> &Family {
        self.0.iter().find(|family| family.name == name).unwrap_or_else(|| panic!("{name} is not there: {self:?}"))
    }

    /// All numbers.
    pub fn samples(&self) -> impl Iterator<Item = &Sample> {
        self.0.iter().flat_map(|family| &family.samples)
    }

    /// The sum of the series of this name that have these labels, all of which are whole numbers; 0 where there is none.
    pub fn count(&self, name: &str, labels: &[(&str, &str)]) -> u64 {
        let fits = |sample: &&Sample| {
            sample.name == name && labels.iter().all(|(label, value)| sample.labels.get(*label).map(String::as_str) == Some(value))
        };
        self.samples().filter(fits).map(|sample| sample.value.parse::<u64>().unwrap_or_else(|_| panic!("not whole: {sample:?}"))).sum()
    }
}

/// `name{label="value",…} number`
fn sample(line: &str) -> Sample {
    let (series, number) = line.rsplit_once(' ').unwrap_or_else(|| panic!("no number: {line}"));
    let (name, labels) = series.split_once('{').map_or((series, ""), |(name, rest)| (name, rest.strip_suffix('}').expect("a brace")));
    assert!(name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_'), "{line}");
    let labels = labels.split_terminator(',').map(|label| {
        let (label, value) = label.split_once('=').unwrap_or_else(|| panic!("no label: {line}"));
        let value = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or_else(|| panic!("no value: {line}"));
        // What would have to be escaped is in no closed list.
        assert!(!value.contains(['"', '\\']), "{line}");
        (label.to_owned(), value.to_owned())
    });
    assert!(number.parse::<f64>().is_ok(), "no number: {line}");
    Sample { name: name.to_owned(), labels: labels.collect(), value: number.to_owned() }
}
