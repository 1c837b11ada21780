//! Where reading leads: registries hand some requests on to other hosts.
//!
//! Blobs lie on storage hosts. `registry.k8s.io` answers every request but some for blobs with the address of another registry
//! (kubernetes/registry.k8s.io, `cmd/archeio/docs/request-handling.md`). Nobody learns there who we are.

use futures::FutureExt;
use http::{HeaderMap, StatusCode, header};

use super::{
    Cause, Failure, Stage,
    exchange::{Call, Line},
    location,
    manifest::media_type,
};
use crate::{
    model::{Origin, Scheme},
    net::{Answered, Endpoint, NetError},
};

const MOST_REDIRECTS: usize = 3;

/// A place that is read, followed to where the registry leads.
pub(super) struct Trail {
    at: Option<Endpoint>,
    path: String,
    redirects: usize,
    is_of_blob: bool,
}

impl Trail {
    /// Of a list or a manifest: followed to other hosts, where the registry is [one that is followed](super::Registry::following).
    pub(super) fn new(path: String) -> Self {
        Self { at: None, path, redirects: 0, is_of_blob: false }
    }

    /// Of a blob: registries lead on to storage, on hosts of its own or their own.
    pub(super) fn of_blob(path: String) -> Self {
        Self { is_of_blob: true, ..Self::new(path) }
    }

    /// Asks, with `call` for all but the path. The answer is given back by [`Line::done`] or [`Self::refused`].
    pub(super) async fn ask(&mut self, line: &mut Line<'_>, call: &Call<'_>) -> Result<Answered, Failure> {
        loop {
            let call = Call { path: &self.path, method: call.method.clone(), ..*call };
            let mut answered = match &self.at {
                None => line.ask(&call).await?,
                Some(endpoint) => {
                    let asked = Line::elsewhere(line.registry(), endpoint).ask(&call).boxed().await;
                    asked.map_err(|failure| failure.at(&endpoint.origin))?
                }
            };
            if !is_redirect(answered.head.status) || !(self.is_of_blob || line.registry().follows) {
                return self.checked(answered, call.stage);
            }
            if self.redirects == MOST_REDIRECTS {
                let to = super::answer::location(&answered.head.headers, &line.registry().authorizer.secrets()).unwrap_or_default();
                let detail = format!("more than {MOST_REDIRECTS} follow each other, the last one to `{to}`");
                return Err(Failure::new(call.stage, Cause::Location { detail }));
            }
            let current = self.at.as_ref().unwrap_or(&line.registry().endpoint);
            let (endpoint, path) = self.redirected(&call, current, &answered.head.headers)?;
            // From http to https, or to a page for a login: that is no other registry.
            if endpoint.is_none() && self.at.is_none() && !self.is_of_blob {
                return Ok(answered);
            }
            let read = answered.bounded(super::answer::MOST_OF_A_BODY).await;
            if read.is_ok() {
                line.done(answered);
            }
            (self.at, self.path) = (endpoint.or(self.at.take()), path);
            self.redirects += 1;
        }
    }

    /// Where the answer to `call` leads: another place on the same server, or another server. By another port of the same host it is another
    /// one, as storage beside a registry is; but not by http in place of https, which what ends TLS before a server makes of its own address.
    fn redirected(&self, call: &Call<'_>, current: &Endpoint, headers: &HeaderMap) -> Result<(Option<Endpoint>, String), Failure> {
        let refused = |detail: String| Failure::new(call.stage, Cause::Location { detail });
        let target = headers.get(header::LOCATION).and_then(|value| value.to_str().ok());
        let target = target.ok_or_else(|| refused("a redirect without an address".to_owned()))?;
        let own = &current.origin;
        let base = url::Url::parse(&format!("{own}{}", call.path)).ok();
        let named = base.and_then(|base| base.join(target).ok()).and_then(|url| Origin::try_from(&url).ok());
        let allowed = location::AllowedHosts::new(named.as_ref().map(Origin::host_and_port));
        let address = location::resolve(own, call.path, target, &allowed).map_err(refused)?;
        let is_fit = |scheme| scheme == own.scheme || (self.is_of_blob && scheme == Scheme::Https);
        let beside = named.filter(|named| named.host == own.host && named.port != own.port && is_fit(named.scheme));
        let origin = match beside {
            Some(beside) => beside,
            None if address.own => return Ok((None, address.path_and_query)),
            None => address.origin,
        };
        let endpoint = Endpoint::named(origin, current.tls.clone(), current.policy.clone(), current.proxy.clone());
        Ok((Some(endpoint), address.path_and_query))
    }

    /// A list or a manifest is no page: a login in a browser is wanted there. Of a blob, its digest says what it is.
    fn checked(&self, answered: Answered, stage: Stage) -> Result<Answered, Failure> {
        let is_page = answered.head.status == StatusCode::OK && media_type(&answered.head.headers).as_deref() == Some("text/html");
        if !is_page || self.is_of_blob {
            return Ok(answered);
        }
        let cause = match &self.at {
            Some(endpoint) => {
                let detail = format!("it leads to a page of `{}`, as where people log in, and to no registry", endpoint.origin);
                Cause::Location { detail }
            }
            None => Cause::Malformed { detail: "a page came, as where people log in, in place of what a registry says".to_owned() },
        };
        Err(Failure::new(stage, cause))
    }

    /// Who gives what is read, where it is another server than the registry.
    pub(super) fn elsewhere(&self) -> Option<&Origin> {
        self.at.as_ref().map(|endpoint| &endpoint.origin)
    }

    /// The answer was not the one hoped for.
    pub(super) async fn refused(&self, line: &mut Line<'_>, call: &Call<'_>, answered: Answered) -> Failure {
        let failure = line.refused(call, answered).await;
        self.located(failure)
    }

    /// The rest of the answer did not come.
    pub(super) fn failed(&self, stage: Stage, error: NetError) -> Failure {
        self.located(Failure::new(stage, error))
    }

    fn located(&self, failure: Failure) -> Failure {
        match &self.at {
            Some(endpoint) => failure.at(&endpoint.origin),
            None => failure,
        }
    }

    /// Goes on to what an answer names as its next page; says whether that is another one.
    pub(super) fn turn(&mut self, line: &Line<'_>, next: &str) -> Result<bool, Cause> {
        let origin = self.at.as_ref().map_or(&line.registry().endpoint.origin, |endpoint| &endpoint.origin);
        let resolved = location::resolve(origin, &self.path, next, &location::AllowedHosts::default());
        let malformed = |detail| Cause::Malformed { detail: format!("the next page of a list, {detail}") };
        let path = resolved.map_err(malformed)?.path_and_query;
        let is_other = path != self.path;
        self.path = path;
        Ok(is_other)
    }
}

fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}
