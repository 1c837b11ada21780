//! Who asks, who waits, and who is told.

use super::*;
use crate::{net::NetError, registry::Stage};

fn told(place: usize) -> Told {
    Arc::from([(place, Failure::new(Stage::ListTags, NetError::Cut { sent: 0 }))])
}

fn after(begin: Instant, seconds: u64) -> Instant {
    begin + Duration::from_secs(seconds)
}

fn shown(turn: &Turn) -> String {
    match turn {
        Turn::Free => "asks as others do".to_owned(),
        Turn::Ask(_) => "asks for all".to_owned(),
        Turn::Wait => "waits".to_owned(),
        Turn::Held(told) => format!("is told {}", told[0].0),
    }
}

/// The turn of him who asks for all.
fn asks(door: &mut Door, now: Instant) -> u64 {
    match door.enter(now, false, None) {
        Turn::Ask(turn) => turn,
        other => panic!("he {}", shown(&other)),
    }
}

#[test]
fn one_asks_for_all_until_something_answers() {
    let (mut door, begin) = (Door::default(), Instant::now());
    let turn = asks(&mut door, begin);
    assert!(door.told().is_none());
    for is_slow in [false, true] {
        assert_eq!(shown(&door.enter(begin, is_slow, None)), "waits", "nothing is known yet");
    }
    assert_eq!(door.in_vain(told(1), Some(turn), begin), Some(turn));
    door.left(turn);
    assert_eq!(shown(&door.enter(after(begin, 1), false, None)), "is told 1");
    assert_eq!(door.told().map(|told| told[0].0), Some(1), "who has nothing to ask for hears the same");

    let turn = asks(&mut door, after(begin, 2));
    assert_eq!(shown(&door.enter(after(begin, 9), false, None)), "is told 1", "one asks already, however long that takes");
    assert!(door.in_vain(told(2), Some(turn), after(begin, 10)).is_some());
    door.left(turn);
    assert_eq!(shown(&door.enter(after(begin, 13), false, None)), "is told 2");

    let turn = asks(&mut door, after(begin, 14));
    door.standing = Standing::Answers(after(begin, 15));
    door.left(turn);
    assert!(door.told().is_none());
    for seconds in [15, 24] {
        assert_eq!(shown(&door.enter(after(begin, seconds), false, None)), "asks as others do");
    }
    asks(&mut door, after(begin, 25));
    assert_eq!(shown(&door.enter(after(begin, 25), false, None)), "waits", "it may have gone away");
    assert_eq!(shown(&door.enter(after(begin, 27), true, None)), "asks as others do", "it is slow");
}

#[test]
fn the_pauses_grow_to_five_seconds() {
    let (mut door, mut now) = (Door::default(), Instant::now());
    let mut pauses = Vec::new();
    for _ in 0..5 {
        let turn = asks(&mut door, now);
        assert!(door.in_vain(told(0), Some(turn), now).is_some());
        door.left(turn);
        let pause = door.rest(now, Some(turn), 0.5);
        pauses.push(pause.as_secs());
        now += pause;
    }
    assert_eq!(pauses, [2, 4, 5, 5, 5]);
}

#[test]
fn of_several_who_find_it_out_at_once_the_first_asks_again() {
    let (mut door, begin) = (Door::default(), Instant::now());
    door.standing = Standing::Answers(begin);
    assert!(matches!((door.enter(begin, false, None), door.enter(begin, false, None)), (Turn::Free, Turn::Free)));
    let first = door.in_vain(told(1), None, begin);
    assert!(first.is_some() && door.in_vain(told(2), None, begin).is_none());
    assert_eq!(shown(&door.enter(begin, false, first)), "asks for all", "his own run may be asked for at any time");
    door.left(door.turns);
    assert_eq!(shown(&door.enter(begin, false, None)), "is told 1");
}

#[test]
fn who_is_held_looks_a_moment_later_and_takes_over_where_nobody_asks() {
    let (mut door, begin) = (Door::default(), Instant::now());
    assert!(!door.is_held(begin, None) && !door.is_held(begin, Some(1)), "nobody is away");
    let turn = asks(&mut door, begin);
    door.in_vain(told(0), Some(turn), begin);
    door.left(turn);
    for (asks, seconds, held) in [(true, 1, true), (true, 2, false), (false, 2, true), (false, 11, true), (false, 12, false)] {
        assert_eq!(door.is_held(after(begin, seconds), asks.then_some(turn)), held, "{asks} after {seconds} s");
    }
    let rest = |door: &Door, asks: bool, random| door.rest(begin, asks.then_some(turn), random).as_millis();
    assert_eq!((rest(&door, true, 0.9), rest(&door, false, 0.0), rest(&door, false, 1.0)), (2_000, 3_000, 4_500));

    asks(&mut door, after(begin, 12));
    assert!(door.is_held(after(begin, 99), None) && door.is_held(after(begin, 99), Some(turn)), "one asks");
    assert_eq!(door.rest(after(begin, 99), Some(turn), 0.0), BEHIND, "he who asked last waits as the others do");
}

#[tokio::test(start_paused = true)]
async fn those_who_wait_hear_what_one_found_or_ask_when_he_is_gone() {
    let circuit = Circuit::default();
    let Entry::Ask(first) = circuit.enter(&[]).await else { panic!("nothing is known") };
    let mut second = Box::pin(circuit.enter(&[]));
    assert!(futures::poll!(&mut second).is_pending());
    drop(first);
    let Entry::Ask(second) = second.await else { panic!("the first has said nothing") };
    let mut third = Box::pin(circuit.enter(&[]));
    assert!(futures::poll!(&mut third).is_pending());
    let away = second.in_vain(told(7));
    let Entry::Held(heard, waits) = third.await else { panic!("one has asked") };
    assert_eq!(heard[0].0, 7);
    assert!(away.is_held(Instant::now()) && waits.is_held(Instant::now()));

    tokio::time::advance(Duration::from_secs(2)).await;
    assert!(!away.is_held(Instant::now()) && waits.is_held(Instant::now()));
    let Entry::Ask(again) = circuit.enter(&[]).await else { panic!("it is time") };
    again.answered();
    assert!(!waits.is_held(Instant::now()));
    assert!(matches!((circuit.enter(&[]).await, circuit.enter(&[]).await), (Entry::Ask(_), Entry::Ask(_))));
}
