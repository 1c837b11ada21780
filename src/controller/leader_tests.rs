//! One who leads, against an API server that is a function. Time is moved by hand.

use super::*;
use crate::controller::lease::tests::{Server, terms};

const LASTS: Duration = Duration::from_secs(15);

async fn elected(candidate: &mut Candidate) -> Leadership<'_> {
    candidate.elected(&CancellationToken::new(), || {}).await.expect("it leads")
}

#[tokio::test(start_paused = true)]
async fn who_is_refused_the_lease_for_as_long_as_it_lasts_leads_no_longer() {
    for code in [401, 403, 404, 422] {
        let server = Server::default();
        let mut candidate = Candidate::new(server.client(), terms("first", LASTS));
        let mut leadership = elected(&mut candidate).await;
        let (tenure, begin) = (leadership.tenure(), Instant::now());
        server.refuses(Some(code));
        assert_eq!(leadership.kept().await, Lost::Refused, "{code}");
        assert!(begin.elapsed() >= LASTS && begin.elapsed() <= LASTS * 6 / 5, "{code}: {:?}", begin.elapsed());
        assert!(!tenure.is_certain());
        drop(leadership);
        server.refuses(None);
        assert!(elected(&mut candidate).await.tenure().is_certain(), "{code}: it leads again once it may");
    }
}

#[tokio::test(start_paused = true)]
async fn while_the_api_server_is_away_nothing_is_certain_and_the_term_goes_on() {
    for code in [None, Some(408), Some(429), Some(500), Some(503)] {
        let server = Server::default();
        let mut candidate = Candidate::new(server.client(), terms("first", LASTS));
        let mut leadership = elected(&mut candidate).await;
        let tenure = leadership.tenure();
        server.refuses(code);
        server.hangs(code.is_none());
        assert!(timeout(LASTS * 10, leadership.kept()).await.is_err(), "{code:?}");
        assert!(!tenure.is_certain(), "{code:?}");
        server.refuses(None);
        server.hangs(false);
        assert!(timeout(LASTS, leadership.kept()).await.is_err(), "{code:?}");
        assert!(tenure.is_certain(), "{code:?}: it is renewed");
    }
}

#[tokio::test(start_paused = true)]
async fn giving_it_back_takes_a_second_at_most_however_long_it_lasts() {
    let server = Server::default();
    let mut candidate = Candidate::new(server.client(), terms("first", Duration::from_hours(1)));
    let leadership = elected(&mut candidate).await;
    let (tenure, begin) = (leadership.tenure(), Instant::now());
    server.hangs(true);
    leadership.release().await;
    assert_eq!(begin.elapsed(), LONGEST_RELEASE);
    assert!(!tenure.is_certain());
}

#[tokio::test(start_paused = true)]
async fn what_lasts_is_complained_of_once_a_minute() {
    let mut candidate = Candidate::new(Server::default().client(), terms("first", LASTS));
    let begin = Instant::now();
    for (second, text, expected) in
        [(0, "a", true), (1, "a", false), (59, "a", false), (60, "a", true), (61, "b", true), (119, "b", false), (121, "b", true)]
    {
        tokio::time::advance(Duration::from_secs(second).saturating_sub(begin.elapsed())).await;
        assert_eq!(candidate.is_due(text), expected, "{text} after {second} s");
    }
}
