//! The status as users see it, for each way in which a run can end.

use k8s_openapi::{apimachinery::pkg::apis::meta::v1::Time, jiff::Timestamp};

use super::*;
use crate::{
    api::{ChartPublicationStatus, Reason, RouteKind},
    model::Digest,
    plan::{Method, Route},
    publish::{ChartOutcome, Done, Failed, FailedAttempt, Known, Outcome, TargetOutcome, Used},
    remedy::{Class, Hint, Verdict},
};

fn at(second: i64) -> Time {
    Time(Timestamp::from_second(second).unwrap())
}

fn used(route: &str, address: &str) -> Used {
    Used { route: route.to_owned(), address: address.to_owned(), method: "Buffered".to_owned(), reason: format!("because {route}") }
}

fn failed(reason: Reason, passing: bool) -> Failed {
    Failed { reason, sentence: format!("{reason} happened"), passing }
}

fn chart(version: &str, result: Result<(), Failed>) -> ChartOutcome {
    let known =
        Known { manifest: Digest::of(version.as_bytes()), layer: Digest::of(b"layer"), proved: Some(5), doubted: false, signer: None };
    ChartOutcome {
        chart: "podinfo".to_owned(),
        version: version.to_owned(),
        place: Some(("charts/podinfo".parse().unwrap(), version.parse().unwrap())),
        created: None,
        used: None,
        signer: None,
        result: result.map(|()| Done::Unchanged(known)),
    }
}

fn target(name: &str, charts: Vec<ChartOutcome>) -> TargetOutcome {
    TargetOutcome {
        name: name.to_owned(),
        registry: "service/platform/registry".to_owned(),
        wanted: charts.len(),
        charts,
        used: Some(used("NodePort", "10.0.0.1:30500")),
        ways: vec![used("NodePort", "10.0.0.1:30500"), used("ClusterIP", "10.96.0.7:5000")],
        ..TargetOutcome::default()
    }
}

fn outcome(targets: Vec<TargetOutcome>) -> Outcome {
    Outcome { targets, cancelled: false }
}

fn reported(previous: Option<&ChartPublicationStatus>, second: i64, refused: &[Failed], outcome: &Outcome) -> ChartPublicationStatus {
    let report_of = Report { generation: Some(3), requested_at: Some("now".to_owned()), previous, now: at(second) };
    let source = SourceReport { revision: "sha256:x".to_owned(), charts: 1, versions: 2, missing: refused.len() };
    report(&report_of, Some(&source), refused, outcome)
}

fn shown(status: &ChartPublicationStatus) -> Vec<String> {
    let condition = |condition: &k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition| {
        format!("{}={} {}: {}", condition.type_, condition.status, condition.reason, condition.message)
    };
    status.conditions.iter().map(condition).collect()
}

#[test]
fn all_proven_is_ready_and_nothing_else() {
    let status = reported(None, 10, &[], &outcome(vec![target("main", vec![chart("1.0.0", Ok(())), chart("1.1.0", Ok(()))])]));
    assert_eq!(shown(&status), ["Ready=True Succeeded: 2 versions are published and proven by NodePort (Buffered)"]);
    assert_eq!((status.observed_generation, status.last_handled_reconcile_at.as_deref()), (Some(3), Some("now")));
    assert_eq!(
        (status.published.as_deref(), status.route.as_deref(), status.method.as_deref()),
        (Some("2/2"), Some("NodePort"), Some("Buffered"))
    );
    let versions: Vec<_> = status.targets[0].versions.iter().map(|version| version.version.as_str()).collect();
    assert_eq!(versions, ["1.1.0", "1.0.0"], "newest first");
}

#[test]
fn one_failure_among_many_is_named_with_its_target_and_the_rest_is_counted() {
    let broken = vec![chart("1.0.0", Ok(())), chart("1.1.0", Err(failed(Reason::BodyTooLarge, true)))];
    let status = reported(None, 10, &[], &outcome(vec![target("a", vec![chart("1.0.0", Ok(()))]), target("b", broken)]));
    assert_eq!(
        shown(&status),
        [
            "Ready=False BodyTooLarge: target `b`: BodyTooLarge happened",
            "Reconciling=True ProgressingWithRetry: target `b`: BodyTooLarge happened"
        ]
    );
    assert_eq!(status.published.as_deref(), Some("2/3"));
    let by_target: Vec<_> = status.targets.iter().map(|target| target.conditions[0].status.as_str()).collect();
    assert_eq!(by_target, ["True", "False"]);
}

#[test]
fn what_only_a_change_can_cure_is_stalled() {
    let status =
        reported(None, 10, &[failed(Reason::VersionNotFound, false)], &outcome(vec![target("main", vec![chart("1.0.0", Ok(()))])]));
    assert_eq!(
        shown(&status),
        ["Ready=False VersionNotFound: VersionNotFound happened", "Stalled=True VersionNotFound: VersionNotFound happened"]
    );
    assert_eq!(status.published.as_deref(), Some("1/2"), "the others are published all the same, and one is missing");
}

#[test]
fn what_the_source_lacks_is_wanted_at_every_target_and_never_counted_as_there() {
    let lacking = [failed(Reason::ChartNotFound, false), failed(Reason::VersionNotFound, false)];
    let both = vec![target("a", vec![chart("1.0.0", Ok(()))]), target("b", vec![chart("1.0.0", Ok(()))])];
    let status = reported(None, 10, &lacking, &outcome(both));
    assert_eq!(status.published.as_deref(), Some("2/6"));
    let targets: Vec<_> =
        status.targets.iter().map(|target| (target.published.as_deref(), target.conditions[0].message.as_str())).collect();
    assert_eq!(targets, [(Some("1/3"), "1/1 versions that the source has are published and proven"); 2]);
    let nothing = reported(None, 10, &lacking[..1], &outcome(vec![target("main", vec![])]));
    assert_eq!(nothing.published.as_deref(), Some("0/1"));
}

#[test]
fn a_source_that_is_away_leaves_what_was_said_of_the_targets() {
    let before = reported(None, 10, &[], &outcome(vec![target("main", vec![chart("1.0.0", Ok(()))])]));
    let after = reported(Some(&before), 20, &[failed(Reason::SourceUnreachable, true)], &Outcome::default());
    assert_eq!((after.published.as_deref(), after.targets.len()), (Some("1/1"), 1));
    assert_eq!(after.targets[0].versions, before.targets[0].versions);
}

#[test]
fn the_time_of_a_condition_moves_only_when_its_status_does() {
    let first = reported(None, 10, &[], &outcome(vec![target("main", vec![chart("1.0.0", Ok(()))])]));
    let second = reported(Some(&first), 20, &[], &outcome(vec![target("main", vec![chart("1.0.0", Ok(()))])]));
    assert_eq!(first, second, "a run that changes nothing changes no byte of the status");
    let third = reported(Some(&second), 30, &[failed(Reason::SourceNotFound, false)], &Outcome::default());
    assert_eq!(third.conditions[0].last_transition_time, at(30));
}

#[test]
fn another_route_shows_as_soon_as_it_answers() {
    let first = reported(None, 10, &[], &outcome(vec![target("main", vec![chart("1.0.0", Ok(()))])]));
    let mut moved = target("main", vec![chart("1.0.0", Ok(()))]);
    moved.used = Some(used("ClusterIP", "10.96.0.7:5000"));
    let second = reported(Some(&first), 20, &[], &outcome(vec![moved]));
    assert_eq!((second.route.as_deref(), second.targets[0].address.as_deref()), (Some("ClusterIP"), Some("10.96.0.7:5000")));
}

/// A run that goes by ClusterIP after the first route failed so.
fn after_failure(reason: Reason) -> TargetOutcome {
    let mut detour = target("main", vec![chart("1.0.0", Ok(()))]);
    detour.used = Some(used("ClusterIP", "10.96.0.7:5000"));
    let sentence = format!("{reason} happened");
    let verdict = Verdict { remedy: "gateway", reason, class: Class::OtherRoute, hint: Hint::None, sentence };
    let route = Route::Service(RouteKind::NodePort);
    detour.attempts =
        vec![FailedAttempt { route, address: "10.0.0.1:30500".to_owned(), method: Method::Buffered, tactic: String::new(), verdict }];
    detour
}

fn ways_shown(status: &ChartPublicationStatus) -> (Option<&str>, Vec<&str>) {
    let target = &status.targets[0];
    (target.route.as_deref(), target.attempts.iter().map(|attempt| attempt.reason.as_str()).collect())
}

#[test]
fn what_failed_for_a_body_stays_said_while_the_route_answers_otherwise() {
    let first = reported(None, 10, &[], &outcome(vec![after_failure(Reason::BodyTooLarge)]));
    assert_eq!(ways_shown(&first), (Some("ClusterIP"), vec!["BodyTooLarge"]));
    let second = reported(Some(&first), 20, &[], &outcome(vec![target("main", vec![chart("1.0.0", Ok(()))])]));
    assert_eq!(second, first);
}

#[test]
fn a_route_that_led_nowhere_and_answers_again_shows_at_once() {
    let first = reported(None, 10, &[], &outcome(vec![after_failure(Reason::RouteUnreachable)]));
    let second = reported(Some(&first), 20, &[], &outcome(vec![target("main", vec![chart("1.0.0", Ok(()))])]));
    assert_eq!(ways_shown(&second), (Some("NodePort"), vec![]));
}

#[test]
fn a_detour_shows_also_where_the_route_was_the_same_before() {
    let mut direct = after_failure(Reason::RouteUnreachable);
    direct.attempts.clear();
    let first = reported(None, 10, &[], &outcome(vec![direct]));
    let second = reported(Some(&first), 20, &[], &outcome(vec![after_failure(Reason::RouteUnreachable)]));
    assert_eq!((ways_shown(&first), ways_shown(&second)), ((Some("ClusterIP"), vec![]), (Some("ClusterIP"), vec!["RouteUnreachable"])));
}

#[test]
fn where_nothing_leads_there_any_more_the_newest_failures_are_said() {
    let first = reported(None, 10, &[], &outcome(vec![after_failure(Reason::RouteUnreachable)]));
    let mut lost = after_failure(Reason::TlsFailed);
    lost.charts = vec![chart("1.0.0", Err(failed(Reason::TlsFailed, true)))];
    lost.used = None;
    let second = reported(Some(&first), 20, &[], &outcome(vec![lost]));
    assert_eq!(ways_shown(&second), (Some("ClusterIP"), vec!["TlsFailed"]));
}

#[test]
fn nothing_stays_said_of_a_way_that_is_there_for_another_reason_now() {
    let first = reported(None, 10, &[], &outcome(vec![after_failure(Reason::BodyTooLarge)]));
    let mut alone = after_failure(Reason::BodyTooLarge);
    alone.attempts.clear();
    let now = Used { reason: "the Service is of type ClusterIP".to_owned(), ..used("ClusterIP", "10.96.0.7:5000") };
    (alone.used, alone.ways) = (Some(now.clone()), vec![now]);
    let second = reported(Some(&first), 20, &[], &outcome(vec![alone]));
    assert_eq!(ways_shown(&second), (Some("ClusterIP"), vec![]));
    assert_eq!(second.targets[0].reason.as_deref(), Some("the Service is of type ClusterIP"));
}

#[test]
fn progress_keeps_ready_only_for_the_spec_that_it_was_said_of() {
    let before = reported(None, 10, &[], &outcome(vec![target("main", vec![chart("1.0.0", Ok(()))])]));
    let report_of = |generation| Report { generation: Some(generation), requested_at: None, previous: Some(&before), now: at(20) };
    let same = progress(&report_of(3), 37, 120);
    assert_eq!(shown(&same)[0], "Ready=True Succeeded: 1 version is published and proven by NodePort (Buffered)");
    assert_eq!(shown(&same)[1], "Reconciling=True Progressing: 37/120 versions are published and proven");
    let other = progress(&report_of(4), 0, 0);
    assert_eq!(shown(&other)[0], "Ready=Unknown Progressing: reading the source");
}

#[test]
fn a_failure_stays_said_while_it_is_tried_again_and_no_time_goes_back() {
    let away = || vec![target("main", vec![chart("1.0.0", Err(failed(Reason::SourceUnreachable, true)))])];
    let before = reported(None, 10, &[], &outcome(away()));
    let report_of = |generation, previous, second| Report {
        generation: Some(generation),
        requested_at: None,
        previous: Some(previous),
        now: at(second),
    };
    let told = progress(&report_of(3, &before, 20), 0, 1);
    let expected = [
        "Ready=False SourceUnreachable: SourceUnreachable happened",
        "Reconciling=True Progressing: 0/1 versions are published and proven",
    ];
    assert_eq!(shown(&told), expected);
    let after = reported(Some(&told), 30, &[], &outcome(away()));
    assert_eq!((&after.conditions, after.conditions[0].last_transition_time.clone()), (&before.conditions, at(10)));
    // Of another spec nothing is known, and what fails then fails anew.
    let other = progress(&report_of(4, &before, 40), 0, 0);
    assert_eq!(shown(&other)[0], "Ready=Unknown Progressing: reading the source");
    let failed_anew = reported(Some(&other), 50, &[], &outcome(away()));
    assert_eq!(failed_anew.conditions[0].last_transition_time, at(50));
}

#[test]
fn suspended_keeps_what_was_said_and_is_neither_ready_nor_failed() {
    let before = reported(None, 10, &[], &outcome(vec![target("main", vec![chart("1.0.0", Ok(()))])]));
    let report_of = Report { generation: Some(4), requested_at: None, previous: Some(&before), now: at(20) };
    let status = suspended(&report_of);
    assert_eq!(status.conditions.len(), 1);
    assert_eq!((status.conditions[0].status.as_str(), status.conditions[0].reason.as_str()), ("Unknown", "Suspended"));
    assert_eq!(status.targets, before.targets);
}

#[test]
fn a_message_is_cut_at_a_character() {
    let long = Failed { reason: Reason::Denied, sentence: "é".repeat(4000), passing: false };
    let status = reported(None, 10, &[long], &Outcome::default());
    let message = &status.conditions[0].message;
    assert!(message.len() <= 2048 && message.ends_with('…'));
}
