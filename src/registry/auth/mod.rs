//! Who we are: Basic, or Bearer tokens by the challenge of the registry ("Docker Registry v2 authentication via central service").
//!
//! # Guarantees
//! * A credential goes to the origin that it was read for, and to a token service on the same host or one that is listed.
//! * Tokens are kept for one identity at one registry: an [`Authorizer`] is made for both and shared by nobody else.
//! * What was learnt of a repository's challenge is kept, so that the next run asks the token service first and the registry once.

pub(super) mod challenge;
pub(super) mod token;

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use http::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use tokio::time::Instant;

use super::{AllowedHosts, Answer, Asked, Cause, Failure, Observer, Shown, Stage, answer::evidence};
use crate::{
    model::{Credential, RepositoryName},
    net::{Answered, Endpoint, Patience, Transport},
};
use challenge::Challenge;

/// The identity that a registry is spoken to with, and what it has brought.
pub struct Authorizer {
    credential: Option<Credential>,
    allowed: AllowedHosts,
    /// What tokens are asked for.
    actions: &'static [&'static str],
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    basic: bool,
    challenges: HashMap<RepositoryName, challenge::Bearer>,
    tokens: HashMap<challenge::Bearer, Token>,
}

#[derive(Clone)]
struct Token {
    value: SecretString,
    until: Instant,
}

impl Authorizer {
    /// With `credential`, or anonymous; `allowed` names other hosts that may be token services.
    pub fn new(credential: Option<Credential>, allowed: AllowedHosts) -> Self {
        Self { credential, allowed, actions: &["pull", "push"], state: Mutex::default() }
    }

    /// The same where nothing is ever written: who may only read gets no token at all from some services that are asked for more.
    pub fn reading(credential: Option<Credential>, allowed: AllowedHosts) -> Self {
        Self { actions: &["pull"], ..Self::new(credential, allowed) }
    }

    /// What proves who we are at this moment: it stands in nothing that is shown.
    pub(super) fn secrets(&self) -> Vec<SecretString> {
        let tokens = self.state().tokens.values().map(|token| token.value.clone()).collect::<Vec<_>>();
        self.credential.iter().flat_map(Credential::secrets).chain(tokens).collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What goes along with a request for `repository` before the registry has been asked, by what is known of it.
    pub(super) async fn known(&self, service: &TokenService<'_>, repository: &RepositoryName) -> Result<Option<HeaderValue>, Failure> {
        let bearer = {
            let state = self.state();
            if state.basic {
                return Ok(self.basic_header());
            }
            state.challenges.get(repository).cloned()
        };
        match bearer {
            Some(bearer) => self.bearer_header(service, &bearer).await.map(Some),
            None => Ok(None),
        }
    }

    /// What the registry asks for with a 401. `used` is what had been sent: a refused token is forgotten.
    pub(super) async fn challenged(
        &self,
        service: &TokenService<'_>,
        repository: &RepositoryName,
        refusal: Refusal,
        used: Option<&HeaderValue>,
    ) -> Result<HeaderValue, Failure> {
        match &refusal.challenge {
            Some(Challenge::Bearer(bearer)) => {
                let bearer = bearer.clone().widened(repository, self.actions);
                self.forget(&bearer, used);
                let header = self.bearer_header(service, &bearer).await?;
                if used == Some(&header) {
                    return Err(self.unauthorized(service.stage, refusal, used));
                }
                self.state().challenges.insert(repository.clone(), bearer);
                Ok(header)
            }
            Some(Challenge::Basic) if used.is_none() => match self.basic_header() {
                Some(header) => {
                    self.state().basic = true;
                    Ok(header)
                }
                None => Err(self.unauthorized(service.stage, refusal, used)),
            },
            _ => Err(self.unauthorized(service.stage, refusal, used)),
        }
    }

    /// A 401 that nothing more can be answered to. A token service that gives tokens has taken the credential, so what is missing
    /// then is a right.
    pub(super) fn unauthorized(&self, stage: Stage, refusal: Refusal, used: Option<&HeaderValue>) -> Failure {
        let had_token = used.is_some_and(|used| used.as_bytes().starts_with(b"Bearer "));
        let shown = match self.credential {
            None => match refusal.unmet {
                Some(asked @ (Asked::Scheme(_) | Asked::OtherScheme)) => Shown::Unasked(asked),
                _ => Shown::Nothing,
            },
            Some(_) if used.is_none() => Shown::Unasked(refusal.unmet.unwrap_or(Asked::Unreadable)),
            Some(_) if had_token && refusal.token_is_invalid => Shown::InvalidToken,
            Some(_) if had_token => Shown::Token,
            Some(_) => Shown::Credential,
        };
        Failure::new(stage, Cause::Unauthorized { shown, answer: refusal.answer })
    }

    fn forget(&self, bearer: &challenge::Bearer, used: Option<&HeaderValue>) {
        let mut state = self.state();
        let was_used = state.tokens.get(bearer).is_some_and(|token| used.is_some_and(|used| *used == header(&token.value)));
        if was_used {
            state.tokens.remove(bearer);
        }
    }

    fn basic_header(&self) -> Option<HeaderValue> {
        let mut header = HeaderValue::from_str(self.credential.as_ref()?.basic_header().expose_secret()).ok()?;
        header.set_sensitive(true);
        Some(header)
    }

    async fn bearer_header(&self, service: &TokenService<'_>, bearer: &challenge::Bearer) -> Result<HeaderValue, Failure> {
        if let Some(token) = self.state().tokens.get(bearer).filter(|token| token.until > Instant::now()) {
            return Ok(header(&token.value));
        }
        let token = token::fetch(service, bearer, self.credential.as_ref(), &self.allowed).await?;
        let header = header(&token.value);
        self.state().tokens.insert(bearer.clone(), token);
        Ok(header)
    }
}

fn header(token: &SecretString) -> HeaderValue {
    let mut header = HeaderValue::from_str(&format!("Bearer {}", token.expose_secret())).unwrap_or(HeaderValue::from_static("Bearer"));
    header.set_sensitive(true);
    header
}

/// A 401.
pub(super) struct Refusal {
    challenge: Option<Challenge>,
    /// What is asked for in place of a challenge that can be followed.
    unmet: Option<Asked>,
    token_is_invalid: bool,
    answer: Answer,
}

impl Refusal {
    /// Reads it.
    pub(super) async fn read(answered: &mut Answered, authorizer: &Authorizer) -> Self {
        let headers = &answered.head.headers;
        let (challenge, token_is_invalid) = (Challenge::of(headers), challenge::says_invalid_token(headers));
        let unmet = challenge.is_none().then(|| challenge::unmet(headers));
        Self { challenge, unmet, token_is_invalid, answer: evidence(answered, &authorizer.secrets()).await }
    }
}

/// How the token service is reached, and for which step.
pub(super) struct TokenService<'a> {
    pub(super) transport: &'a Transport,
    pub(super) registry: &'a Endpoint,
    pub(super) patience: Patience,
    pub(super) stage: Stage,
    pub(super) observer: Option<&'a dyn Observer>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::BodyKind;

    fn refusal(challenge: Option<Challenge>, unmet: Option<Asked>) -> Refusal {
        let answer = Answer {
            status: 401,
            body: BodyKind::Empty,
            codes: Vec::new(),
            message: String::new(),
            server: None,
            from_registry: true,
            retry_after: None,
            redirect: None,
            sent: 0,
        };
        Refusal { challenge, unmet, token_is_invalid: false, answer }
    }

    fn said(login: bool, challenge: Option<Challenge>, unmet: Option<Asked>, used: Option<&'static str>) -> String {
        let credential = login.then(|| Credential::new("pusher", "hunter2"));
        let authorizer = Authorizer::new(credential, AllowedHosts::default());
        let used = used.map(HeaderValue::from_static);
        authorizer.unauthorized(Stage::OpenUpload, refusal(challenge, unmet), used.as_ref()).to_string()
    }

    #[test]
    fn a_login_that_was_never_sent_is_not_called_refused() {
        let basic = || Some(Challenge::Basic);
        let negotiate = || Some(Asked::Scheme("Negotiate"));
        for (login, challenge, unmet, used, part) in [
            (true, None, Some(Asked::Nothing), None, "no login was sent, as the answer has no `WWW-Authenticate`: 401"),
            (true, None, negotiate(), None, "no login was sent, as `WWW-Authenticate` asks for `Negotiate`"),
            (false, None, negotiate(), None, "no login was sent, as `WWW-Authenticate` asks for `Negotiate`"),
            (false, None, Some(Asked::Nothing), None, "a credential is needed: 401"),
            (false, basic(), None, None, "a credential is needed: 401"),
            (true, basic(), None, Some("Basic cHVzaGVy"), "the credential was not accepted: 401"),
            (true, None, negotiate(), Some("Basic cHVzaGVy"), "the credential was not accepted: 401"),
            (true, None, Some(Asked::Nothing), Some("Bearer abc"), "the credential was accepted, and gives no right to do this: 401"),
        ] {
            let said = said(login, challenge, unmet, used);
            assert!(said.contains(part), "{part}: {said}");
        }
    }
}
