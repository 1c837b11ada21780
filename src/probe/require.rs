//! PURE: what must work, and whether it does.

use std::{fmt, str::FromStr};

use super::{Action, Report, RouteReport, cell::METHODS};
use crate::model::Method;

const ROUTES: [&str; 7] = ["clusterip", "nodeport", "loadbalancer", "ingress", "endpoint", "relay", "url"];

/// Something that must work: `buffered`, `download`, `nodeport/chunked`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement {
    /// On this route; else on any.
    route: Option<String>,
    what: What,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Method(Method),
    Download,
}

/// What is no requirement.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` cannot be required: write [ROUTE/]WHAT, with WHAT one of buffered, chunked, single-post, streamed, download, and ROUTE one of {routes}",
    routes = ROUTES.join(", ")
)]
pub struct InvalidRequirement(String);

fn name(method: Method) -> &'static str {
    match method {
        Method::Buffered => "buffered",
        Method::Chunked => "chunked",
        Method::SinglePost => "single-post",
        Method::Streamed => "streamed",
    }
}

impl FromStr for Requirement {
    type Err = InvalidRequirement;

    fn from_str(text: &str) -> Result<Self, InvalidRequirement> {
        let invalid = || InvalidRequirement(text.chars().filter(|c| !c.is_control()).take(40).collect());
        let lower = text.trim().to_ascii_lowercase();
        let (route, what) = lower.split_once('/').map_or((None, lower.as_str()), |(route, what)| (Some(route), what));
        if route.is_some_and(|route| !ROUTES.contains(&route)) {
            return Err(invalid());
        }
        let method = METHODS.into_iter().find(|method| name(*method) == what);
        let what = match method {
            Some(method) => What::Method(method),
            None if what == "download" => What::Download,
            None => return Err(invalid()),
        };
        Ok(Self { route: route.map(str::to_owned), what })
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(route) = &self.route {
            write!(formatter, "{route}/")?;
        }
        formatter.write_str(match self.what {
            What::Method(method) => name(method),
            What::Download => "download",
        })
    }
}

impl Requirement {
    /// Whether it is of the one route of a URL, or of a route of a Service; nothing where it names none.
    pub fn is_of_url(&self) -> Option<bool> {
        self.route.as_ref().map(|route| route == "url")
    }

    /// Whether one route does it with bodies of each size.
    pub fn holds(&self, report: &Report) -> bool {
        let is_meant = |route: &&RouteReport| {
            let name = route.route.as_str().to_ascii_lowercase();
            self.route.as_ref().is_none_or(|wanted| *wanted == name)
        };
        report.routes.iter().filter(is_meant).any(|route| match self.what {
            What::Method(method) => route.all_passed(Action::Upload(method)),
            What::Download => METHODS.into_iter().any(|method| route.all_passed(Action::Download(method))),
        })
    }
}

impl Report {
    /// Whether one method arrives by one route, up and down, with bodies of each size: what is required where nothing is named.
    pub fn something_arrives(&self) -> bool {
        let arrives = |route: &RouteReport, method| route.all_passed(Action::Upload(method)) && route.all_passed(Action::Download(method));
        self.routes.iter().any(|route| METHODS.into_iter().any(|method| arrives(route, method)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_requirement_is_read_in_any_case_and_printed_in_one() {
        for (text, shown) in [
            ("buffered", "buffered"),
            ("Single-Post", "single-post"),
            ("NodePort/Chunked", "nodeport/chunked"),
            (" url/download ", "url/download"),
        ] {
            assert_eq!(text.parse::<Requirement>().map(|one| one.to_string()).as_deref(), Ok(shown));
        }
        for wrong in ["", "chunk", "nodeport", "nodeport/", "/buffered", "tunnel/buffered", "url/buffered/x"] {
            assert!(wrong.parse::<Requirement>().is_err(), "{wrong}");
        }
    }
}
