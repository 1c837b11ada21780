//! Where a run is: told to whoever logs this module at trace level, and in builds with the feature `failpoints` a place to end.
//!
//! With that feature, which releases lack, `CHART_PUBLISHER_FAIL=kill:send-blob:before:3` ends the program as `kill -9` does when it
//! is about to send a blob for the third time; `after` is when the step has ended, however it did. `delay:write-inventory:before:1500`
//! holds each of these steps up for so many milliseconds. `panic:reconcile:NAMESPACE/NAME` panics whenever this object is reconciled.

use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! steps {
    ($($(#[doc = $doc:literal])+ $name:ident = $text:literal),+ $(,)?) => {
        /// A step of a run that reads or writes outside of this program.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Step {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Step {
            /// All of them, in the order of a run.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// As it stands in the log.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)+
                }
            }
        }
    };
}

steps! {
    /// The record of what is published is read.
    ReadInventory = "read-inventory",
    /// A Secret is read.
    ReadSecret = "read-secret",
    /// An index or an archive is read.
    AskSource = "ask-source",
    /// A token service is asked.
    AskToken = "ask-token",
    /// `GET /v2/`
    Greet = "greet",
    /// The tags of a repository are listed.
    ListTags = "list-tags",
    /// A manifest that may be there is read.
    ReadManifest = "read-manifest",
    /// A blob that may be there is looked for.
    FindBlob = "find-blob",
    /// An upload is opened.
    OpenUpload = "open-upload",
    /// Bytes of a blob are sent.
    SendBlob = "send-blob",
    /// A manifest is written, and its tag with it.
    WriteManifest = "write-manifest",
    /// A manifest is pulled back.
    PullManifest = "pull-manifest",
    /// A layer is pulled back.
    PullBlob = "pull-blob",
    /// What was sent is removed.
    Remove = "remove",
    /// The record of what is published is written.
    WriteInventory = "write-inventory",
    /// The status is written.
    WriteStatus = "write-status",
}

/// A step that is under way; it ends when this is dropped.
#[derive(Debug)]
pub struct Within {
    step: Step,
    number: u64,
}

/// Begins a step.
#[must_use]
pub fn enter(step: Step) -> Within {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    failpoints::reached(step, "before");
    tracing::trace!(step = step.as_str(), number, "begins");
    Within { step, number }
}

impl Drop for Within {
    fn drop(&mut self) {
        tracing::trace!(step = self.step.as_str(), number = self.number, "ends");
        failpoints::reached(self.step, "after");
    }
}

pub use failpoints::reconciles;

#[cfg(not(feature = "failpoints"))]
mod failpoints {
    use super::Step;

    pub(super) fn reached(_: Step, _: &str) {}

    /// An object is reconciled.
    pub fn reconciles(_: &str) {}
}

#[cfg(feature = "failpoints")]
mod failpoints {
    use std::{
        sync::{
            LazyLock,
            atomic::{AtomicU64, Ordering},
        },
        time::Duration,
    };

    use super::Step;

    enum Wish {
        At { step: String, moment: String, what: What },
        Panic { object: String },
    }

    enum What {
        /// When it is reached for so many more times.
        Kill(AtomicU64),
        Delay(Duration),
    }

    #[expect(clippy::disallowed_methods, reason = "a test asks for a failure from outside of the program")]
    static WISH: LazyLock<Option<Wish>> = LazyLock::new(|| wish(&std::env::var("CHART_PUBLISHER_FAIL").ok()?));

    fn wish(text: &str) -> Option<Wish> {
        let mut words = text.split(':');
        let at = |step: &str, moment: &str, what| Some(Wish::At { step: step.to_owned(), moment: moment.to_owned(), what });
        match (words.next()?, words.next()?, words.next()?, words.next()) {
            ("panic", "reconcile", object, None) => Some(Wish::Panic { object: object.to_owned() }),
            ("kill", step, moment, count) => at(step, moment, What::Kill(AtomicU64::new(count.unwrap_or("1").parse().ok()?))),
            ("delay", step, moment, Some(time)) => at(step, moment, What::Delay(Duration::from_millis(time.parse().ok()?))),
            _ => None,
        }
    }

    #[expect(clippy::disallowed_methods, reason = "whoever is in this step is to be held up")]
    pub(super) fn reached(step: Step, moment: &str) {
        let Some(Wish::At { step: at, moment: when, what }) = &*WISH else { return };
        if at != step.as_str() || when != moment {
            return;
        }
        match what {
            What::Kill(left) if left.fetch_sub(1, Ordering::Relaxed) == 1 => {
                let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
            }
            What::Kill(_) => {}
            What::Delay(time) => std::thread::sleep(*time),
        }
    }

    /// An object is reconciled.
    ///
    /// # Panics
    /// Where that was asked for.
    #[expect(clippy::panic, reason = "that is the failure that was asked for")]
    pub fn reconciles(name: &str) {
        if matches!(&*WISH, Some(Wish::Panic { object }) if object == name) {
            panic!("a failpoint was set for {name}");
        }
    }
}
