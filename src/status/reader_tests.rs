//! `ReaderRoute` and the times of proofs as users see them.

use k8s_openapi::{apimachinery::pkg::apis::meta::v1::Time, jiff::Timestamp};

use super::*;
use crate::{
    api::{Attempt, ChartPublicationStatus, Reason, RouteKind, RouteProof, TargetStatus},
    model::Digest,
    plan::Route,
    publish::{ChartOutcome, Done, Failed, Known, Outcome, ReaderCheck, ReadersPlan, TargetOutcome, Used},
};

const NODE_PORT: Route = Route::Service(RouteKind::NodePort);
const INGRESS: Route = Route::Service(RouteKind::Ingress);

fn at(second: i64) -> Time {
    Time(Timestamp::from_second(second).unwrap())
}

/// A run that went by `route`, with proofs of these times.
fn outcome(route: &str, readers: ReadersPlan, proved: &[Option<i64>]) -> Outcome {
    let used =
        Used { route: route.to_owned(), address: "10.0.0.1:1".to_owned(), method: "Buffered".to_owned(), reason: "because".to_owned() };
    let chart = |proved: &Option<i64>| ChartOutcome {
        chart: "podinfo".to_owned(),
        version: "1.0.0".to_owned(),
        place: None,
        created: None,
        used: None,
        signer: None,
        result: Ok(Done::Unchanged(Known {
            manifest: Digest::of(b"m"),
            layer: Digest::of(b"l"),
            proved: *proved,
            doubted: false,
            signer: None,
        })),
    };
    let target = TargetOutcome {
        name: "main".to_owned(),
        wanted: proved.len(),
        charts: proved.iter().map(chart).collect(),
        ways: vec![used.clone()],
        used: Some(used),
        readers,
        ..TargetOutcome::default()
    };
    Outcome { targets: vec![target], cancelled: false }
}

fn report_of(previous: Option<&ChartPublicationStatus>, second: i64) -> Report<'_> {
    Report { generation: Some(1), requested_at: None, previous, now: at(second) }
}

fn reported(previous: Option<&ChartPublicationStatus>, second: i64, outcome: &Outcome) -> ChartPublicationStatus {
    report(&report_of(previous, second), None, &[], outcome)
}

/// A status that says only this of its target.
fn before(target: TargetStatus) -> ChartPublicationStatus {
    ChartPublicationStatus { targets: vec![TargetStatus { name: "main".to_owned(), ..target }], ..ChartPublicationStatus::default() }
}

/// `False NoRoute: …`; empty without the condition.
fn said(status: &ChartPublicationStatus) -> String {
    let condition = status.targets[0].conditions.iter().find(|condition| condition.type_ == READER_ROUTE);
    condition.map(|condition| format!("{} {}: {}", condition.status, condition.reason, condition.message)).unwrap_or_default()
}

fn shown(route: Route, in_cluster: bool) -> ReadersPlan {
    ReadersPlan { shown: Some((route, in_cluster)), asked: Vec::new() }
}

fn asked(routes: &[(Route, Option<&str>)]) -> ReadersPlan {
    let asked = routes.iter().map(|(route, address)| (*route, address.map(str::to_owned))).collect();
    ReadersPlan { shown: Some((NODE_PORT, false)), asked }
}

fn check(route: Route, address: Option<&str>, failed: Option<Reason>) -> ReaderCheck {
    let failed = failed.map(|reason| Failed { reason, sentence: format!("{reason} happened"), passing: true });
    ReaderCheck {
        route,
        address: address.map(str::to_owned),
        result: failed.map_or_else(|| Ok("`a:1` was downloaded whole".to_owned()), Err),
    }
}

fn checked(status: &ChartPublicationStatus, second: i64, checks: Vec<ReaderCheck>) -> ChartPublicationStatus {
    with_checks(&report_of(None, second), status.clone(), &[Checked { target: "main".to_owned(), checks }])
}

#[test]
fn without_routes_of_its_own_the_proof_says_it_where_it_can() {
    let attempt = |route: &str| Attempt {
        route: route.to_owned(),
        address: None,
        method: "Buffered".to_owned(),
        reason: "BodyTooLarge".to_owned(),
        message: "raise the limit".to_owned(),
    };
    let detour = |attempts| TargetStatus {
        route: Some("ClusterIP".to_owned()),
        address: Some("10.0.0.1:1".to_owned()),
        reason: Some("because".to_owned()),
        attempts,
        ..TargetStatus::default()
    };
    for (route, readers, previous, expected) in [
        ("NodePort", shown(NODE_PORT, false), None, "True Succeeded: the proof went by NodePort, which the Service shows its readers"),
        (
            "NodePort",
            shown(NODE_PORT, true),
            None,
            "True Succeeded: the proof went by NodePort, which the Service shows its readers (in-cluster view: kube-proxy may answer for this address itself)",
        ),
        (
            "ClusterIP",
            shown(INGRESS, false),
            Some(detour(vec![attempt("NodePort"), attempt("Ingress")])),
            "False BodyTooLarge: readers are shown Ingress, and the proof went by ClusterIP: raise the limit",
        ),
        ("ClusterIP", shown(INGRESS, false), Some(detour(vec![attempt("NodePort")])), ""),
        ("ClusterIP", shown(INGRESS, false), None, ""),
        ("URL", ReadersPlan::default(), None, ""),
    ] {
        let previous = previous.map(before);
        assert_eq!(said(&reported(previous.as_ref(), 10, &outcome(route, readers, &[Some(5)]))), expected, "by {route}");
    }
}

#[test]
fn downloads_by_the_routes_that_are_asked_for_say_it_alone() {
    let readers = || asked(&[(INGRESS, Some("a:80")), (NODE_PORT, None)]);
    let first = reported(None, 10, &outcome("NodePort", readers(), &[Some(5)]));
    assert_eq!(said(&first), "", "nothing was downloaded yet");
    let good = checked(&first, 11, vec![check(INGRESS, Some("a:80"), None), check(NODE_PORT, None, None)]);
    assert_eq!(said(&good), "True Succeeded: readers are served by Ingress, NodePort: `a:1` was downloaded whole");
    assert_eq!(good.conditions, first.conditions, "Ready is another matter");
    let expected = RouteProof {
        route: "Ingress".to_owned(),
        address: Some("a:80".to_owned()),
        result: "Succeeded".to_owned(),
        message: "`a:1` was downloaded whole".to_owned(),
        time: at(11),
    };
    assert_eq!(good.targets[0].proofs[0], expected);
    assert_eq!(reported(Some(&good), 20, &outcome("NodePort", readers(), &[Some(5)])), good, "a run without a download changes nothing");
    let bad =
        checked(&good, 21, vec![check(INGRESS, Some("a:80"), Some(Reason::NoRoute)), check(NODE_PORT, None, Some(Reason::PathStalled))]);
    assert_eq!(said(&bad), "False NoRoute: readers are not served by Ingress: NoRoute happened (and 1 more)");
    let again = checked(&bad, 31, vec![check(INGRESS, Some("a:80"), None), check(NODE_PORT, None, Some(Reason::PathStalled))]);
    assert_eq!(said(&again), "False PathStalled: readers are not served by NodePort: PathStalled happened");
    let times: Vec<_> = again.targets[0].conditions.iter().map(|condition| condition.last_transition_time.clone()).collect();
    assert_eq!(times, [at(10), at(21)], "the time moves with the status alone");
}

#[test]
fn what_was_said_stands_until_other_routes_were_downloaded_by() {
    let one = outcome("NodePort", asked(&[(INGRESS, Some("a:80"))]), &[Some(5)]);
    let good = checked(&reported(None, 10, &one), 11, vec![check(INGRESS, Some("a:80"), None)]);
    let moved = reported(Some(&good), 20, &outcome("NodePort", asked(&[(INGRESS, Some("b:80"))]), &[Some(5)]));
    assert_eq!((said(&moved), moved.targets[0].proofs.len()), (said(&good), 0), "a result of another address counts for nothing");
    let lost = TargetOutcome {
        name: "main".to_owned(),
        failure: Some(Failed { reason: Reason::NoRoute, sentence: "gone".to_owned(), passing: true }),
        ..TargetOutcome::default()
    };
    let lost = reported(Some(&good), 20, &Outcome { targets: vec![lost], cancelled: false });
    assert_eq!((said(&lost), &lost.targets[0].proofs), (said(&good), &good.targets[0].proofs), "nobody was asked");
    let no_more = reported(Some(&good), 30, &outcome("NodePort", shown(NODE_PORT, false), &[Some(5)]));
    assert_eq!(said(&no_more), "True Succeeded: the proof went by NodePort, which the Service shows its readers");
    assert_eq!(no_more.targets[0].proofs, []);
}

#[test]
fn the_time_of_the_last_proof_is_that_of_the_oldest() {
    let proved =
        |times: &[Option<i64>]| reported(None, 100, &outcome("NodePort", ReadersPlan::default(), times)).targets[0].last_proved.clone();
    assert_eq!(proved(&[Some(70), Some(50), None]), Some(at(50)));
    assert_eq!(proved(&[None]), Some(at(100)), "now");
    assert_eq!(proved(&[]), None);
}
