//! Waiting for a condition: the one place of the tests where time is let pass.

use std::{fmt::Display, time::Duration};

use tokio::time::{Instant, interval};

/// Asks until the answer is `Ok`, for at most `limit`; panics with the last answer. Asks 20 times a second.
pub async fn eventually<T, E: Display>(limit: Duration, what: &str, mut ask: impl AsyncFnMut() -> Result<T, E>) -> T {
    let begin = Instant::now();
    let mut ticks = interval(Duration::from_millis(50));
    loop {
        ticks.tick().await;
        match ask().await {
            Ok(answer) => return answer,
            Err(reason) => assert!(begin.elapsed() < limit, "not within {limit:?}: {what}; at last: {reason}"),
        }
    }
}

/// Asks all through `span`; panics with the first answer that is not `Ok`. This is how the absence of something is seen.
pub async fn throughout<E: Display>(span: Duration, what: &str, mut ask: impl AsyncFnMut() -> Result<(), E>) {
    let begin = Instant::now();
    let mut ticks = interval(Duration::from_millis(200));
    while begin.elapsed() < span {
        ticks.tick().await;
        if let Err(reason) = ask().await {
            panic!("after {:?} no more: {what}; {reason}", begin.elapsed());
        }
    }
}

/// The usual patience: far more than anything takes here, and less than a person would wait.
pub const SOON: Duration = Duration::from_secs(30);
