//! `/metrics`: what it says is right, is told in closed lists alone, and is what docs/metrics.md says.
#![cfg(test)]

#[path = "metrics/document.rs"]
mod document;
#[path = "metrics/helm_chart.rs"]
mod helm_chart;
#[path = "metrics/labels.rs"]
mod labels;
#[path = "metrics/scraped.rs"]
mod scraped;
#[expect(dead_code, reason = "each test uses a part of the bed")]
mod support;
#[path = "metrics/text.rs"]
mod text;
