//! A path that breaks in another way every few seconds, while publications come and go: nobody ever pulls half of a chart, and soon
//! after the path is mended all are Ready.

use std::time::{Duration, Instant};

use super::{
    faults::puller::Puller,
    scene::{Broken, spec},
    support::{self, eventually::throughout, helm_repository::HelmRepository, namespace::Namespace, publication::ready},
    turns::{Turn, all},
};

const NAME: &str = "broken";
/// After the path is mended.
const READY_WITHIN: Duration = Duration::from_mins(1);

/// How long it goes on.
struct Course {
    publications: usize,
    /// How often each fault has its turn.
    rounds: usize,
    turn: Duration,
    /// Of the publications: the longest wait for progress.
    timeout: &'static str,
}

/// What was seen, to be told.
#[derive(Debug)]
#[expect(dead_code, reason = "printed")]
struct Figures {
    publications: usize,
    turns: usize,
    broken_for: Duration,
    ready_at_the_end: usize,
    ready_after: Duration,
    looks: usize,
    pulled: usize,
    blinked: usize,
    requests: usize,
    connections: usize,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn over_a_path_that_breaks_in_turn_all_arrive_and_none_in_part() {
    let course = Course { publications: 24, rounds: 1, turn: Duration::from_millis(1600), timeout: "2s" };
    go(&course).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "takes eleven minutes: `make soak`"]
#[expect(clippy::print_stdout, reason = "the figures are the product")]
async fn soak() {
    let course = Course { publications: 200, rounds: 3, turn: Duration::from_secs(10), timeout: "5s" };
    println!("{:#?}", go(&course).await);
}

async fn go(course: &Course) -> Option<Figures> {
    let bed = support::with_node()?;
    let namespace = bed.namespace().await;
    let source = bed.helm_repository(&["small-1.2.2", "large-3.0.0"]).start().await;
    let _controller = namespace.controller(&[]).await;
    let broken = Broken::set_up(&namespace, NAME, [], |_, wire| wire.socket()).await;
    let puller = Puller::default();
    let course = async {
        let broken_for = break_in_turn(course, &namespace, &source, &broken, &puller).await;
        let mended = Instant::now();
        let ready_at_the_end = all_become_ready(course, &namespace, mended).await;
        let ready_after = mended.elapsed();
        all_are_there(course, &broken).await;
        let seen = puller.seen();
        Figures {
            publications: course.publications,
            turns: all().len() * course.rounds,
            broken_for,
            ready_at_the_end,
            ready_after,
            looks: seen.looks,
            pulled: seen.pulled,
            blinked: seen.blinked.len(),
            requests: broken.proxy.requests().len(),
            connections: broken.wire.connections(),
        }
    };
    let figures = tokio::select! {
        figures = course => figures,
        () = puller.clone().poll(broken.past()) => unreachable!("it polls for ever"),
    };
    puller.all_whole().expect("no broken pull");
    assert!(figures.pulled > 0 && figures.looks > figures.pulled, "{figures:?}");
    Some(figures)
}

/// Each fault in its turn, with a share of the publications in each.
async fn break_in_turn(course: &Course, namespace: &Namespace, source: &HelmRepository, broken: &Broken, puller: &Puller) -> Duration {
    let (begin, turns) = (Instant::now(), all());
    let count = turns.len() * course.rounds;
    let mut made = 0;
    for (number, Turn { name, rules, wires }) in turns.iter().cycle().take(count).enumerate() {
        broken.set(rules.clone(), wires);
        while made * count < (number + 1) * course.publications {
            let (name, path) = (format!("{NAME}-{made}"), format!("path-{made}"));
            namespace.publish(&name, &spec(&source.url(), &[chart(made).0], NAME, &path, course.timeout)).await;
            puller.awaits(format!("{path}/{}", chart(made).0), chart(made).1);
            made += 1;
        }
        throughout(course.turn, &format!("no broken pull while {name}"), async || puller.all_whole()).await;
    }
    broken.set(Vec::new(), &[]);
    assert_eq!(made, course.publications);
    begin.elapsed()
}

/// Small ones and large ones take turns.
fn chart(number: usize) -> (&'static str, &'static str) {
    if number.is_multiple_of(2) { ("large", "3.0.0") } else { ("small", "1.2.2") }
}

/// Gives how many were Ready at once.
async fn all_become_ready(course: &Course, namespace: &Namespace, mended: Instant) -> usize {
    let mut at_once = 0;
    for number in 0..course.publications {
        let name = format!("{NAME}-{number}");
        at_once += usize::from(ready(&namespace.status(&name).await) == "True Succeeded");
        let left = READY_WITHIN.saturating_sub(mended.elapsed());
        namespace.becomes_within(left, &name, "it is Ready", |status| ready(status) == "True Succeeded").await;
    }
    at_once
}

async fn all_are_there(course: &Course, broken: &Broken) {
    for number in 0..course.publications {
        let (name, tag) = chart(number);
        let pulled = broken.pull(&format!("path-{number}/{name}"), tag).await.expect("whole");
        assert!(pulled.is_some(), "{number} is Ready, and its tag is not there");
    }
}
