//! A registry that asks to be left alone is left alone, by all who share this: not one publication waits, but the registry rests.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use http::{HeaderMap, response};
use tokio::time::{Instant, sleep_until};

use super::{Answer, BodyKind, answer::retry_after};

/// After a 429 that does not say how long.
const UNSAID: Duration = Duration::from_secs(1);

/// How long a registry wants to be left alone (`Retry-After`, RFC 9110, section 10.2.3). Copies share it.
#[derive(Clone, Default)]
pub struct Pause(Arc<Mutex<Option<Asked>>>);

/// Who asked, and until when.
#[derive(Clone)]
struct Asked {
    answer: Answer,
    until: Instant,
}

impl Pause {
    /// Takes note of an answer that asks for it.
    pub fn heed(&self, head: &response::Parts) {
        let status = head.status.as_u16();
        let Some(rest) = asked_for(status, &head.headers) else { return };
        let until = Instant::now() + rest;
        let mut asked = self.asked();
        if asked.as_ref().is_none_or(|asked| asked.until < until) {
            *asked = Some(Asked { answer: bare(status, rest), until });
        }
    }

    /// Takes note of what else that answer said: who is refused by it later shall hear the same.
    pub(super) fn explain(&self, answer: &Answer) {
        if let Some(asked) = self.asked().as_mut().filter(|asked| asked.answer.status == answer.status) {
            asked.answer = answer.clone();
        }
    }

    /// Whether nobody has to wait now.
    pub fn is_over(&self) -> bool {
        self.asked().as_ref().is_none_or(|asked| asked.until <= Instant::now())
    }

    fn asked(&self) -> MutexGuard<'_, Option<Asked>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until it is over.
    ///
    /// # Errors
    /// Where that takes longer than `most`: the answer that asked for it. Nobody asks again.
    pub async fn wait(&self, most: Duration) -> Result<(), Answer> {
        loop {
            let Some(asked) = self.asked().clone() else { return Ok(()) };
            let rest = asked.until.saturating_duration_since(Instant::now());
            if rest.is_zero() {
                return Ok(());
            }
            if rest > most {
                return Err(asked.answer);
            }
            sleep_until(asked.until).await;
        }
    }
}

/// All that its head says of who asked.
fn bare(status: u16, rest: Duration) -> Answer {
    Answer {
        status,
        body: BodyKind::Empty,
        codes: Vec::new(),
        message: String::new(),
        server: None,
        from_registry: false,
        retry_after: Some(rest),
        redirect: None,
        sent: 0,
    }
}

/// What an answer asks for: a 429 always asks for something, a 503 only where it says how long.
pub fn asked_for(status: u16, headers: &HeaderMap) -> Option<Duration> {
    match status {
        429 => Some(retry_after(headers).unwrap_or(UNSAID)),
        503 => retry_after(headers),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use http::Response;

    use super::*;

    fn answered(status: u16, retry_after: Option<&str>) -> response::Parts {
        let mut response = Response::builder().status(status);
        if let Some(value) = retry_after {
            response = response.header("retry-after", value);
        }
        response.body(()).unwrap().into_parts().0
    }

    #[tokio::test(start_paused = true)]
    async fn all_who_share_it_wait_and_nobody_longer_than_he_may() {
        for (status, header, rests) in
            [(429, Some("7"), 7), (429, None, 1), (503, Some("3"), 3), (503, None, 0), (500, Some("9"), 0), (200, Some("9"), 0)]
        {
            let pause = Pause::default();
            let other = pause.clone();
            pause.heed(&answered(status, header));
            let begin = Instant::now();
            other.wait(Duration::from_secs(10)).await.unwrap();
            assert_eq!(begin.elapsed().as_secs(), rests, "{status} {header:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_lasts_too_long_is_told_and_a_shorter_wish_does_not_end_a_longer_one() {
        let pause = Pause::default();
        pause.heed(&answered(503, Some("60")));
        pause.heed(&answered(429, Some("1")));
        tokio::time::advance(Duration::from_secs(20)).await;
        let told = pause.wait(Duration::from_secs(10)).await.unwrap_err();
        assert_eq!(
            (told.status, told.retry_after.unwrap().as_secs()),
            (503, 60),
            "what was said, and not what is left: a status stays as it is"
        );
        pause.explain(&Answer { message: "in maintenance".to_owned(), ..told });
        assert_eq!(pause.wait(Duration::ZERO).await.unwrap_err().message, "in maintenance");
        tokio::time::advance(Duration::from_secs(40)).await;
        assert!(pause.wait(Duration::ZERO).await.is_ok());
    }
}
