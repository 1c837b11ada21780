//! The labels, and all that each of them may say.

use super::State;
use crate::{
    api::Reason,
    plan::{Method, Route},
    registry::Stage,
    remedy::Class,
};

/// A label.
pub struct Label {
    /// Its name.
    pub name: &'static str,
    /// What it says, for the documentation.
    pub meaning: &'static str,
    /// All that it may say.
    pub values: fn() -> Vec<&'static str>,
}

/// All labels.
pub const LABELS: &[Label] = &[
    Label {
        name: "condition",
        meaning: "how a publication stands. `Ready`: its condition is True, also while it is looked at again. `Reconciling`: a run is under \
                  way, or the next one follows by itself. `Stalled`: only a change can help. `Suspended`: `suspend` is true. `New`: \
                  nothing was said of it yet. `Unreadable`: it does not fit the schema of this version",
        values: || State::ALL.into_iter().map(State::as_str).collect(),
    },
    Label {
        name: "reason",
        meaning: "the reason of the condition `Ready`, [as the reference has it](reference.md); `None` where nothing was said yet",
        values: || Reason::ALL.iter().map(|reason| reason.as_str()).chain([NONE]).collect(),
    },
    Label {
        name: "route",
        meaning: "[the route](routes.md); `URL` for targets with `url`",
        values: || Route::all().map(Route::as_str).collect(),
    },
    Label {
        name: "method",
        meaning: "how the body was framed; `None` for attempts without a body: a list of tags, a look at what is there",
        values: || Method::ALL.into_iter().map(Method::as_str).chain([NONE]).collect(),
    },
    Label {
        name: "class",
        meaning: "what came of the attempt: it `Succeeded`, or what is done next. `SameAgain`: the same once more. `OtherMethod`: another \
                  framing by the same route. `OtherRoute`: the next route. `Wait`: the registry is left alone for a while. `Final`: \
                  nothing before somebody changes something",
        values: || Class::ALL.into_iter().map(Class::name).chain([SUCCEEDED]).collect(),
    },
    Label {
        name: "stage",
        meaning: "the step of the exchange with the registry, as the log names it at trace level",
        values: || Stage::ALL.into_iter().map(Stage::as_str).collect(),
    },
    Label {
        name: "answer",
        meaning: "the class of the answer's status; `None` where no answer came",
        values: || [1, 2, 3, 4, 5].map(|hundreds| answer(Some(hundreds * 100))).into_iter().chain([NONE]).collect(),
    },
    Label { name: "place", meaning: "where bodies lie", values: || vec![MEMORY, DISK] },
    Label { name: "version", meaning: "of the program", values: || vec![VERSION] },
    Label {
        name: "le",
        meaning: "the upper end of a bucket, in seconds",
        values: || vec!["0.01", "0.05", "0.1", "0.5", "1.0", "5.0", "10.0", "30.0", "60.0", "300.0", "+Inf"],
    },
];

pub(super) const NONE: &str = "None";
pub(super) const SUCCEEDED: &str = "Succeeded";
pub(super) const MEMORY: &str = "memory";
pub(super) const DISK: &str = "disk";
pub(super) const VERSION: &str = env!("CARGO_PKG_VERSION");
/// The ends of the buckets: from a registry beside us to the longest `timeout` that is of use.
pub(super) const BUCKETS: [f64; 10] = [0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 300.0];

/// Name and value of each label of a series.
pub(super) type Labels<const N: usize> = [(&'static str, &'static str); N];

pub(super) fn publication(state: State, reason: Option<Reason>) -> Labels<2> {
    [("condition", state.as_str()), ("reason", reason.map_or(NONE, Reason::as_str))]
}

pub(super) fn attempt(route: Route, method: Option<Method>, class: Option<Class>) -> Labels<3> {
    [("route", route.as_str()), ("method", method.map_or(NONE, Method::as_str)), ("class", class.map_or(SUCCEEDED, Class::name))]
}

pub(super) fn request(stage: Stage, status: Option<u16>) -> Labels<2> {
    [("stage", stage.as_str()), ("answer", answer(status))]
}

fn answer(status: Option<u16>) -> &'static str {
    match status.map(|status| status / 100) {
        Some(1) => "1xx",
        Some(2) => "2xx",
        Some(3) => "3xx",
        Some(4) => "4xx",
        Some(5) => "5xx",
        _ => NONE,
    }
}
