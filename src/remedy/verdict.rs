//! What a failure means: which reason it has, what to do next, and the sentence that names object and cure.

use super::Audience;
use crate::{
    api::Reason,
    model::Scheme,
    plan::{Route, Via},
};

/// What is done next. Only this reaches retry and requeue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Class {
    /// The same request by the same way, once more; where that fails alike, as [`Class::OtherRoute`].
    SameAgain,
    /// The same way with another framing; where there is none, as [`Class::OtherRoute`].
    OtherMethod,
    /// Another way.
    OtherRoute,
    /// The registry as a whole has to be left alone for a while.
    Wait,
    /// Nothing helps before somebody changes something.
    Final,
}

impl Class {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::SameAgain, Self::OtherMethod, Self::OtherRoute, Self::Wait, Self::Final];

    /// As it stands in metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::SameAgain => "SameAgain",
            Self::OtherMethod => "OtherMethod",
            Self::OtherRoute => "OtherRoute",
            Self::Wait => "Wait",
            Self::Final => "Final",
        }
    }

    /// For the documentation.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SameAgain => "the same once more, then another route",
            Self::OtherMethod => "another method, then another route",
            Self::OtherRoute => "another route",
            Self::Wait => "wait",
            Self::Final => "nothing until it is mended",
        }
    }
}

/// What another method should do differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum Hint {
    /// Nothing in particular.
    #[default]
    None,
    /// Send less at once.
    SmallerBody,
    /// Send shorter packets: small requests pass and large ones vanish.
    SmallSegments,
}

impl Verdict {
    /// Whether it says that nobody is there, or only somebody who says that the registry is not: whoever asks by the same way hears the
    /// same, until it is back.
    pub fn is_of_absence(&self) -> bool {
        let says_so = matches!(self.reason, Reason::RouteUnreachable | Reason::RegistryUnavailable) || self.remedy == "no-answer";
        // What answers one request with a fault of its own may answer the next one well: that is of a repository, not of the registry.
        let is_of_one = matches!(self.remedy, "registry-fault" | "proxy-fault");
        says_so && !is_of_one && self.class != Class::Final
    }

    /// There was nothing to try.
    pub fn no_route() -> Self {
        let sentence = "no route is left to try".to_owned();
        Self { remedy: "no-route", reason: Reason::NoRoute, class: Class::Final, hint: Hint::None, sentence }
    }

    /// Nothing is wrong: the work was ended before it was done.
    pub fn withdrawn() -> Self {
        let sentence = "the work was ended before it was done".to_owned();
        Self { remedy: "withdrawn", reason: Reason::Progressing, class: Class::Wait, hint: Hint::None, sentence }
    }
}

/// What a failure is judged by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The row of the table that says so.
    pub remedy: &'static str,
    /// The name of the cause.
    pub reason: Reason,
    /// What is done next.
    pub class: Class,
    /// What another method should do differently.
    pub hint: Hint,
    /// What was seen and what cures it, naming the object: at most 1,000 characters, no secret, no query of a URL.
    pub sentence: String,
}

/// Where a failure happened: what a sentence has to name.
#[derive(Debug, Clone)]
pub struct Scene<'a> {
    /// Whom the sentence speaks to.
    pub audience: &'a Audience,
    /// `Service "platform/registry" port 5000`, or the `oci://` URL.
    pub registry: &'a str,
    /// The way.
    pub route: Route,
    /// The address that was dialled.
    pub address: &'a str,
    /// Whether TLS was spoken.
    pub scheme: Scheme,
    /// What stands between.
    pub via: Option<&'a Via>,
    /// Repository and tag, `charts/podinfo:6.5.0`.
    pub reference: &'a str,
    /// Bytes of the body that was to be sent; 0 where the request had none.
    pub body_length: u64,
    /// The Secret that the credential came from, `platform/registry-push`; none when anonymous.
    pub secret: Option<&'a str>,
    /// The Secret that the CA came from.
    pub cert_secret: Option<&'a str>,
    /// Whether the target allows plain HTTP.
    pub insecure: bool,
}
