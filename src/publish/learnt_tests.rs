//! What is remembered, for how long, and what the next body is sent by.

use super::*;
use crate::{
    api::Reason,
    model::Scheme,
    registry::{Cause, Stage},
    remedy::{Class, Hint},
};

/// A way to a registry by its URL, of which nothing is known.
pub(in crate::publish) fn strategy() -> Strategy {
    Strategy {
        route: Route::Url,
        addresses: Vec::new(),
        origin: Origin::new(Scheme::Http, "registry.example", 5000),
        credential_hosts: Vec::new(),
        bodies: Bodies::default(),
        reason: String::new(),
        via: None,
    }
}

fn too_large() -> Verdict {
    Verdict {
        remedy: "body-too-large",
        reason: Reason::BodyTooLarge,
        class: Class::OtherMethod,
        hint: Hint::SmallerBody,
        sentence: "limit".to_owned(),
    }
}

fn seen() -> Failure {
    Failure::new(Stage::SendBlob, Cause::Malformed { detail: "seen".to_owned() })
}

/// What it means for the chart at hand.
fn told(_: &Failure) -> String {
    "told anew".to_owned()
}

fn chosen(learnt: &Learnt, length: u64) -> String {
    match learnt.choose(&strategy(), length, told) {
        Choice::Try(tactic, _) => format!("{} {}", tactic.method().as_str(), tactic.shown()),
        Choice::Closed(verdict, _) => format!("closed: {}", verdict.sentence),
    }
}

#[tokio::test(start_paused = true)]
async fn the_second_chart_is_sent_as_the_first_one_got_through() {
    let learnt = Learnt::default();
    let way = strategy();
    let Choice::Try(buffered, _) = learnt.choose(&way, 5 << 20, told) else { panic!("closed") };
    learnt.refused(&way, buffered, 5 << 20, (&seen(), too_large()));
    assert_eq!(chosen(&learnt, 5 << 20), "Chunked chunks from 960 KiB");
    assert_eq!(chosen(&learnt, 4 << 20), "Buffered ", "smaller ones may still pass");
    learnt.saw(&way, SeenOfChunks { taken: 960 << 10, refused: Some(1920 << 10), renew: false });
    let Choice::Try(Tactic { framing: Framing::Chunked(chunks), .. }, _) = learnt.choose(&way, 5 << 20, told) else {
        panic!("not chunked")
    };
    assert_eq!((chunks.first, chunks.most), (960 << 10, 960 << 10), "nothing that was refused is tried again");
    let Choice::Try(chunked, _) = learnt.choose(&way, 5 << 20, told) else { panic!("closed") };
    learnt.refused(&way, chunked, 5 << 20, (&seen(), too_large()));
    assert_eq!(chosen(&learnt, 5 << 20), "closed: told anew");
}

#[tokio::test(start_paused = true)]
async fn what_one_was_refused_says_nothing_to_another() {
    let (one, way) = (Learnt::default(), strategy());
    let other = one.beside();
    let Choice::Try(buffered, _) = one.choose(&way, 5 << 20, told) else { panic!("closed") };
    one.refused(&way, buffered, 5 << 20, (&seen(), too_large()));
    assert_eq!([chosen(&one, 5 << 20), chosen(&other, 5 << 20)], ["Chunked chunks from 960 KiB", "Buffered "]);
}

#[tokio::test(start_paused = true)]
async fn what_was_learnt_of_one_ingress_says_nothing_of_another() {
    let via = |name: &str| Via { kind: "Ingress", namespace: "platform".to_owned(), name: name.to_owned(), controller: None };
    let of = |name: &str| Strategy { via: Some(via(name)), ..strategy() };
    let learnt = Learnt::default();
    let Choice::Try(buffered, _) = learnt.choose(&of("a"), 5 << 20, told) else { panic!("closed") };
    learnt.refused(&of("a"), buffered, 5 << 20, (&seen(), too_large()));
    assert!(matches!(learnt.choose(&of("a"), 5 << 20, told), Choice::Try(other, _) if other != buffered));
    assert!(matches!(learnt.choose(&of("b"), 5 << 20, told), Choice::Try(same, _) if same == buffered));
}

#[tokio::test(start_paused = true)]
async fn what_was_learnt_says_nothing_once_another_limit_is_stated_or_a_run_is_forced() {
    let stating = |limit: Option<u64>| {
        let bodies = Bodies { fixed: Some(Method::Buffered), limit: limit.map(|limit| (limit, "x".to_owned())), ..Bodies::default() };
        Strategy { bodies, ..strategy() }
    };
    let is_open = |learnt: &Learnt, strategy: &Strategy| matches!(learnt.choose(strategy, 5 << 20, told), Choice::Try(..));
    let learnt = Learnt::default();
    let Choice::Try(buffered, _) = learnt.choose(&stating(Some(1 << 20)), 5 << 20, told) else { panic!("closed") };
    learnt.refused(&stating(Some(1 << 20)), buffered, 5 << 20, (&seen(), too_large()));
    assert!(!is_open(&learnt, &stating(Some(1 << 20))));
    assert!(is_open(&learnt, &stating(None)) && is_open(&learnt, &stating(Some(8 << 20))));
    learnt.forget();
    assert!(is_open(&learnt, &stating(Some(1 << 20))));
}

#[tokio::test(start_paused = true)]
async fn what_was_learnt_is_forgotten_after_a_time() {
    let learnt = Learnt::default();
    let way = strategy();
    let Choice::Try(buffered, _) = learnt.choose(&way, 0, told) else { panic!("closed") };
    let away = Verdict {
        remedy: "connect-refused",
        reason: Reason::RouteUnreachable,
        class: Class::OtherRoute,
        hint: Hint::None,
        sentence: "away".to_owned(),
    };
    learnt.refused(&way, buffered, 0, (&seen(), away));
    learnt.refused(&way, buffered, 5 << 20, (&seen(), too_large()));
    assert_eq!(chosen(&learnt, 1), "closed: told anew");
    tokio::time::advance(WITHOUT_BODY + Duration::from_secs(1)).await;
    assert_eq!(chosen(&learnt, 1), "Buffered ");
    assert_eq!(chosen(&learnt, 5 << 20), "Chunked chunks from 960 KiB");
    tokio::time::advance(LIMITED).await;
    assert_eq!(chosen(&learnt, 5 << 20), "Buffered ");
}

#[tokio::test(start_paused = true)]
async fn what_was_learnt_outlives_the_process_and_no_longer_than_it_would_have() {
    let (way, before) = (strategy(), Learnt::default());
    let Choice::Try(buffered, _) = before.choose(&way, 5 << 20, told) else { panic!("closed") };
    before.refused(&way, buffered, 0, (&seen(), too_large()));
    before.refused(&way, buffered, 5 << 20, (&seen(), too_large()));
    before.saw(&way, SeenOfChunks { taken: 960 << 10, refused: Some(1920 << 10), renew: false });
    let mut remembered = before.remembered(&way).unwrap();
    assert_eq!(remembered.refused.len(), 1, "what is forgotten after seconds is not worth being kept");

    let after = Learnt::default();
    after.recall(&way, std::slice::from_ref(&remembered));
    assert_eq!(chosen(&after, 5 << 20), chosen(&before, 5 << 20));
    assert_eq!(after.remembered(&way).as_ref(), Some(&remembered), "the time at which it is forgotten stays");

    let elsewhere = Strategy { origin: Origin::new(Scheme::Http, "other.example", 5000), ..strategy() };
    after.recall(&elsewhere, std::slice::from_ref(&remembered));
    assert_eq!(after.remembered(&elsewhere), None, "it was learnt of another way");

    remembered.refused[0].until = 1;
    remembered.chunks = Some(RememberedChunks { taken: 1, refused: None, renew: false, until: 1 });
    let late = Learnt::default();
    late.recall(&way, &[remembered]);
    assert_eq!(chosen(&late, 5 << 20), "Buffered ", "its time is over");
    after.forget();
    assert_eq!(chosen(&after, 5 << 20), "Buffered ");
}

#[tokio::test(start_paused = true)]
async fn a_way_that_states_another_limit_is_another_way() {
    let learnt = Learnt::default();
    let Choice::Try(buffered, _) = learnt.choose(&strategy(), 5 << 20, told) else { panic!("closed") };
    learnt.refused(&strategy(), buffered, 5 << 20, (&seen(), too_large()));
    let raised = Strategy { bodies: Bodies { limit: Some((64 << 20, "x".to_owned())), ..Bodies::default() }, ..strategy() };
    assert!(matches!(learnt.choose(&raised, 5 << 20, told), Choice::Try(same, _) if same == buffered));
}

#[tokio::test(start_paused = true)]
async fn what_was_learnt_in_vain_is_forgotten_after_seconds() {
    let learnt = Learnt::default();
    let way = strategy();
    let led_astray = Verdict {
        remedy: "location-foreign",
        reason: Reason::LocationRefused,
        class: Class::OtherRoute,
        hint: Hint::None,
        sentence: "astray".to_owned(),
    };
    let Choice::Try(buffered, _) = learnt.choose(&way, 5 << 20, told) else { panic!("closed") };
    learnt.refused(&way, buffered, 5 << 20, (&seen(), led_astray));
    assert!(learnt.remembered(&way).is_some());
    learnt.in_vain(&way);
    assert_eq!(learnt.remembered(&way), None, "the status does not keep it");
    assert_eq!(chosen(&learnt, 5 << 20), "closed: told anew", "what is left of the run asks for nothing in vain");
    tokio::time::advance(WITHOUT_BODY + Duration::from_millis(1)).await;
    assert_eq!(chosen(&learnt, 5 << 20), "Buffered ");
}
