//! What came of `publish`, as it is printed: a table with the reason below what failed, or one JSON object.

use chart_publisher::{
    controller::Account,
    publish::{ChartOutcome, Done, Failed, FailedAttempt, TargetOutcome, Used},
    status::signed_by,
};
use serde_json::{Value, json};

use super::table::table;

type Row = ([String; 8], Option<String>);

const HEAD: [&str; 8] = ["PUBLICATION", "CHART", "VERSION", "TARGET", "ACTION", "ROUTE", "METHOD", "REFERENCE"];

/// For people.
pub(super) fn as_text(accounts: &[Account]) -> String {
    let mut rows: Vec<Row> = vec![(HEAD.map(str::to_owned), None)];
    for account in accounts {
        let name = format!("{}/{}", account.namespace, account.name);
        let begin = rows.len();
        rows.extend(account.refused.iter().map(|failed| row([&name, "-", "-", "-", "Failed", "-", "-", "-"], sentence(failed))));
        for target in &account.targets {
            rows.extend(target_rows(&name, target));
        }
        if rows.len() == begin {
            rows.push(row([&name, "-", "-", "-", result(account), "-", "-", "-"], None));
        }
    }
    said_once(&mut rows);
    table(rows)
}

fn row(cells: [&str; 8], sentence: Option<String>) -> Row {
    (cells.map(str::to_owned), sentence)
}

#[expect(clippy::unnecessary_wraps, reason = "what stands below a row")]
fn sentence(failed: &Failed) -> Option<String> {
    Some(format!("{}: {}", failed.reason, failed.sentence))
}

fn target_rows(name: &str, target: &TargetOutcome) -> Vec<Row> {
    let mut rows: Vec<Row> = target
        .failure
        .iter()
        .map(|failed| row([name, "-", "-", &target.name, "Failed", "-", "-", target.pull.as_deref().unwrap_or("-")], sentence(failed)))
        .collect();
    for chart in &target.charts {
        let way = way(target, chart);
        let (route, method) = way.map_or(("-", "-"), |used| (used.route.as_str(), used.method.as_str()));
        let place = reference(target, chart);
        let cells = [name, &chart.chart, &chart.version, &target.name, action(chart), route, method, place.as_deref().unwrap_or("-")];
        rows.push(row(cells, chart.result.as_ref().err().and_then(sentence)));
    }
    rows
}

/// A registry that is away fails for each version alike: the sentence stands below the last row of those.
fn said_once(rows: &mut [Row]) {
    for place in 1..rows.len() {
        if let [.., before, now] = rows.get_mut(..=place).unwrap_or_default()
            && before.0.first() == now.0.first()
            && before.1 == now.1
        {
            before.1 = None;
        }
    }
}

/// One object.
pub(super) fn as_json(accounts: &[Account]) -> Value {
    let charts = || accounts.iter().flat_map(|account| &account.targets).flat_map(|target| &target.charts);
    let count = |wanted: &str| charts().filter(|chart| action(chart) == wanted).count();
    let wanted: usize = accounts.iter().map(|account| account.counts().1).sum();
    let (published, unchanged) = (count(PUBLISHED), count(UNCHANGED));
    json!({
        "result": if accounts.iter().all(Account::is_proven) { "Proven" } else { "Failed" },
        "published": published,
        "unchanged": unchanged,
        "missing": wanted.saturating_sub(published + unchanged),
        "publications": accounts.iter().map(account_as_json).collect::<Vec<_>>(),
    })
}

fn account_as_json(account: &Account) -> Value {
    let source = account.source.as_ref();
    json!({
        "namespace": account.namespace,
        "name": account.name,
        "result": result(account),
        "source": source.map(|source| json!({"revision": source.revision, "charts": source.charts, "versions": source.versions})),
        "failures": account.refused.iter().map(failure).collect::<Vec<_>>(),
        "targets": account.targets.iter().map(target_as_json).collect::<Vec<_>>(),
    })
}

fn target_as_json(target: &TargetOutcome) -> Value {
    let used = target.used.as_ref();
    json!({
        "name": target.name,
        "pull": target.pull,
        "wanted": target.wanted,
        "proven": target.proven(),
        "route": used.map(|used| used.route.clone()),
        "address": used.map(|used| used.address.clone()),
        "method": used.map(|used| used.method.clone()),
        "how": used.map(|used| used.reason.clone()),
        "failure": target.failure.as_ref().map(failure),
        "attempts": target.attempts.iter().map(FailedAttempt::json).collect::<Vec<_>>(),
        "charts": target.charts.iter().map(|chart| chart_as_json(target, chart)).collect::<Vec<_>>(),
    })
}

fn chart_as_json(target: &TargetOutcome, chart: &ChartOutcome) -> Value {
    let known = chart.result.as_ref().ok().and_then(Done::known);
    let way = way(target, chart);
    json!({
        "chart": chart.chart,
        "version": chart.version,
        "reference": reference(target, chart),
        "digest": known.as_ref().map(|known| known.manifest.to_string()),
        "layer": known.as_ref().map(|known| known.layer.to_string()),
        "action": action(chart),
        "signedBy": chart.signer.as_ref().map(|signer| json!(signed_by(signer))),
        "route": way.map(|used| used.route.clone()),
        "method": way.map(|used| used.method.clone()),
        "failure": chart.result.as_ref().err().map(failure),
    })
}

fn failure(failed: &Failed) -> Value {
    json!({"reason": failed.reason.as_str(), "message": failed.sentence, "passing": failed.passing})
}

fn result(account: &Account) -> &'static str {
    match account {
        Account { suspended: true, .. } => "Suspended",
        Account { stopped: true, .. } => "Stopped",
        account if account.is_proven() => "Proven",
        _ => "Failed",
    }
}

const PUBLISHED: &str = "Published";
const UNCHANGED: &str = "Unchanged";

fn action(chart: &ChartOutcome) -> &'static str {
    match &chart.result {
        Ok(Done::Published(_) | Done::Mended { .. }) => PUBLISHED,
        Ok(Done::Found(_) | Done::Unchanged(_)) => UNCHANGED,
        Err(_) => "Failed",
    }
}

/// The way of this version, where it was sent or read by one.
fn way<'o>(target: &'o TargetOutcome, chart: &'o ChartOutcome) -> Option<&'o Used> {
    chart.result.as_ref().ok()?;
    chart.used.as_ref().or(target.used.as_ref())
}

/// `host/repository:tag`, as readers name it; without the host where no address for readers is known.
fn reference(target: &TargetOutcome, chart: &ChartOutcome) -> Option<String> {
    let (repository, tag) = chart.place.as_ref()?;
    let host = target.pull.as_deref().and_then(|pull| pull.trim_start_matches("oci://").split('/').next());
    Some(host.map_or_else(|| format!("{repository}:{tag}"), |host| format!("{host}/{repository}:{tag}")))
}
