//! The files of a chart that are read: `Chart.yaml`, or another one where the first line is `@NAME`.
//!
//! The config blob, read as a `Chart.yaml` again, gives itself.

use chart_publisher::chart::{ChartContent, doors::file};

use super::{archive::content, sentence};

const OTHERS: [&str; 4] = ["values.yaml", "Chart.lock", "requirements.yaml", "requirements.lock"];
/// Longer keys of JSON are none of YAML.
const LONGEST_KEY: usize = 1000;

/// Reads it.
pub fn run(input: &[u8]) {
    let named = OTHERS.iter().find_map(|name| {
        let rest = input.strip_prefix(b"@")?.strip_prefix(name.as_bytes())?.strip_prefix(b"\n")?;
        Some((*name, rest))
    });
    let (name, text) = named.unwrap_or(("Chart.yaml", input));
    match file(name, text) {
        Ok(chart) => {
            content(&chart);
            again(&chart);
        }
        Err(error) => sentence::check(&error.to_string()),
    }
}

fn again(chart: &ChartContent) {
    let config = std::str::from_utf8(&chart.config).expect("UTF-8");
    // YAML takes no control characters, not even in quotes, and no key without end.
    let is_odd = |letter: char| letter.is_control() || matches!(letter, '\u{FFFE}' | '\u{FFFF}');
    if config.contains(is_odd) || config.split('"').any(|part| part.len() > LONGEST_KEY) {
        return;
    }
    match file("Chart.yaml", &chart.config) {
        Ok(again) => assert_eq!(again.config, chart.config),
        Err(error) => panic!("{error}: {config}"),
    }
}
