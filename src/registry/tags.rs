//! The tags of a repository (distribution specification, "Listing tags").

use std::collections::BTreeSet;

use http::{HeaderMap, Method, StatusCode, header};
use serde::Deserialize;

use super::{
    Cause, Failure, Registry, Stage,
    exchange::{Call, Line},
    trail::Trail,
};
use crate::{
    model::{RepositoryName, Tag},
    net::Reuse,
};

const MOST_OF_A_PAGE: usize = 8 << 20;
const MOST_PAGES: usize = 1000;
const MOST_TAGS: usize = 1_000_000;

#[derive(Deserialize)]
struct Page {
    tags: Option<Vec<String>>,
}

/// What a registry says that a repository has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listing {
    /// It does not know the repository.
    Unknown,
    /// These tags.
    Tags(BTreeSet<Tag>),
    /// More than it was asked for at most.
    TooMany,
}

impl Registry {
    /// All tags of `repository`; none when the registry does not know it yet.
    ///
    /// # Errors
    /// A [`Failure`] at [`Stage::ListTags`].
    pub async fn tags(&self, repository: &RepositoryName) -> Result<BTreeSet<Tag>, Failure> {
        match self.listing(repository, MOST_TAGS).await? {
            Listing::Unknown => Ok(BTreeSet::new()),
            Listing::Tags(tags) => Ok(tags),
            Listing::TooMany => Err(malformed("the repository has more than 1000000 tags")),
        }
    }

    /// The tags of `repository`, at most so many.
    ///
    /// # Errors
    /// A [`Failure`] at [`Stage::ListTags`].
    pub async fn listing(&self, repository: &RepositoryName, most: usize) -> Result<Listing, Failure> {
        let mut tags = BTreeSet::new();
        let mut line = Line::new(self, Reuse::Idle);
        let mut trail = Trail::new(format!("/v2/{repository}/tags/list"));
        let call = Call::new(Stage::ListTags, Method::GET, repository, "");
        for _ in 0..MOST_PAGES {
            let mut answered = trail.ask(&mut line, &call).await?;
            if answered.head.status != StatusCode::OK {
                let failure = trail.refused(&mut line, &call, answered).await;
                return if is_unknown_name(&failure) { Ok(Listing::Unknown) } else { Err(failure) };
            }
            let next = next_page(&answered.head.headers);
            let (body, more) = answered.bounded(MOST_OF_A_PAGE).await.map_err(|error| trail.failed(Stage::ListTags, error))?;
            if more {
                let cause = Cause::TooLarge { what: "a page of the list of tags", limit: MOST_OF_A_PAGE as u64 };
                return Err(Failure::new(Stage::ListTags, cause));
            }
            line.done(answered);
            let page: Page = serde_json::from_slice(&body).map_err(|_| malformed("the list of tags is no JSON of the specification"))?;
            tags.extend(page.tags.unwrap_or_default().into_iter().filter_map(|tag| tag.parse().ok()));
            if tags.len() > most {
                return Ok(Listing::TooMany);
            }
            let Some(next) = next else { return Ok(Listing::Tags(tags)) };
            if !trail.turn(&line, &next).map_err(|cause| Failure::new(Stage::ListTags, cause))? {
                return Err(malformed("a page of the list of tags leads to itself"));
            }
        }
        Err(malformed("the list of tags has more than 1000 pages"))
    }
}

fn malformed(detail: &str) -> Failure {
    Failure::new(Stage::ListTags, Cause::Malformed { detail: detail.to_owned() })
}

/// A registry answers 404 `NAME_UNKNOWN` for a repository that holds nothing yet; a proxy's 404 is another matter.
fn is_unknown_name(failure: &Failure) -> bool {
    failure.answer().is_some_and(|answer| {
        answer.status == 404 && (answer.from_registry || answer.codes.iter().any(|code| code == "NAME_UNKNOWN" || code == "NOT_FOUND"))
    })
}

/// `Link: </v2/x/tags/list?n=…&last=…>; rel="next"` (RFC 8288).
pub(super) fn next_page(headers: &HeaderMap) -> Option<String> {
    headers.get_all(header::LINK).iter().filter_map(|value| value.to_str().ok()).find_map(|link| {
        let (address, parameters) = link.trim().strip_prefix('<')?.split_once('>')?;
        let next = parameters.split(';').any(|parameter| matches!(parameter.trim(), "rel=\"next\"" | "rel=next"));
        next.then(|| address.to_owned())
    })
}
