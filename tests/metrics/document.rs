//! docs/metrics.md: its tables are made of what a scrape tells, and its rules name what there is.

use std::{collections::BTreeSet, fmt::Write, fs, path::Path};

use chart_publisher::metrics::LABELS;

use super::{
    labels::{all_told, census},
    support::printed::is_to_be_written,
    text::{Family, Scrape},
};

const HEAD: &str = "\
# Metrics

`/metrics` answers where the probes do (`--health-address`, port 8080), in the text format of OpenMetrics 1.0. Every label has a name of
a closed list: no name of an object, no namespace, no host and no URL stands there, so that the number of series is bounded and nothing
is told that a tenant has named. What there is (publications, spool, queue) is counted anew at each scrape.

With the Prometheus operator, `metrics.podMonitor.enabled=true` makes the Helm chart add a PodMonitor. Elsewhere, scrape the port
`health` of the Pod.

`tests/metrics` writes these tables from what a scrape tells: `UPDATE_DOCS=1 cargo test --test metrics document` writes them anew.

";
/// From here on by hand.
const RULES: &str = "## Rules\n";

/// As a query names it.
fn queried(family: &Family) -> String {
    let ending = match family.kind.as_str() {
        "counter" => "_total",
        "info" => "_info",
        _ => "",
    };
    format!("{}{ending}", family.name)
}

fn labels(family: &Family) -> Vec<&str> {
    let told: BTreeSet<&str> = family.samples.iter().flat_map(|sample| sample.labels.keys()).map(String::as_str).collect();
    LABELS.iter().map(|label| label.name).filter(|name| told.contains(name)).collect()
}

fn tables(scrape: &Scrape) -> String {
    let mut text = "| metric | type | labels | meaning |\n|---|---|---|---|\n".to_owned();
    for family in &scrape.0 {
        let labels: Vec<_> = labels(family).into_iter().map(|label| format!("`{label}`")).collect();
        let _ =
            writeln!(text, "| `{}` | {} | {} | {} |", queried(family), family.kind, labels.join(", "), family.help.trim_end_matches('.'));
    }
    text += "\n| label | says | values |\n|---|---|---|\n";
    for label in LABELS {
        let values = (label.values)();
        let values = match label.name {
            "reason" => "each reason".to_owned(),
            "version" => "one".to_owned(),
            _ => values.iter().map(|value| format!("`{value}`")).collect::<Vec<_>>().join(", "),
        };
        let _ = writeln!(text, "| `{}` | {} | {values} |", label.name, label.meaning);
    }
    text + "\n"
}

#[test]
fn the_page_has_each_metric_and_its_rules_name_what_there_is() {
    let scrape = Scrape::read(&all_told().text(&census()));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/metrics.md");
    let page = fs::read_to_string(&path).expect("the page");
    let rules = page.find(RULES).expect("the rules");
    let wanted = format!("{HEAD}{}{}", tables(&scrape), &page[rules..]);
    if is_to_be_written() {
        fs::write(&path, &wanted).expect("the page");
    } else {
        assert!(page == wanted, "docs/metrics.md is out of date: run this test with UPDATE_DOCS=1");
    }
    assert_rules_name_what_there_is(&page[rules..], &scrape);
}

/// Each metric of a rule is told, and each value of a label that a rule asks for is in its list.
fn assert_rules_name_what_there_is(rules: &str, scrape: &Scrape) {
    let told: BTreeSet<&str> = scrape.samples().map(|sample| sample.name.as_str()).collect();
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let named: BTreeSet<&str> = rules.split(|c| !is_word(c)).filter(|word| word.starts_with("chart_publisher_")).collect();
    assert!(named.len() > 5, "{named:?}");
    assert!(named.is_subset(&told), "no such metric: {:?}", named.difference(&told));
    let mut asked = 0;
    for selector in
        rules.split("chart_publisher_").filter_map(|rest| Some(rest.split_once('{').filter(|(name, _)| name.chars().all(is_word))?.1))
    {
        for matcher in selector.split('}').next().unwrap_or_default().split(", ") {
            let (label, value) = matcher.split_once('=').expect("a matcher");
            let label =
                LABELS.iter().find(|known| known.name == label.trim_end_matches('!')).unwrap_or_else(|| panic!("no label: {matcher}"));
            for value in value.trim_start_matches('~').trim_matches('"').split('|') {
                assert!((label.values)().contains(&value), "`{}` never says `{value}`", label.name);
                asked += 1;
            }
        }
    }
    assert!(asked > 5, "the rules ask for {asked} values");
}
