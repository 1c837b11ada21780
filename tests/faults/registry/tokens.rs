//! Who may do what in a scripted registry: Basic and Bearer, the token server at `/token`, tokens that die early.

use std::{
    collections::{HashMap, HashSet},
    sync::Mutex,
    time::{Duration, Instant},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use http::{Method, Response};
use serde_json::json;

use super::{
    super::quirk::Quirk,
    Access, Shared,
    answer::{self, Body},
    serve::Question,
};
use crate::support::random_word;

#[derive(Debug)]
struct Token {
    /// `(repository, action)`
    granted: HashSet<(String, String)>,
    end: Instant,
    left: Option<usize>,
}

/// The tokens that were given out.
#[derive(Debug, Default)]
pub struct Tokens(Mutex<HashMap<String, Token>>);

/// What `/token` answers.
pub fn issue(shared: &Shared, question: &Question) -> Response<Body> {
    let Access::Bearer(user, password) = &shared.access else { return answer::bare(404) };
    if question.method != Method::GET {
        return answer::bare(405);
    }
    let given = question.field("authorization").map(|field| field == basic(user, password));
    if given == Some(false) {
        return answer::error(401, "UNAUTHORIZED", "authentication required");
    }
    let parameters = url::form_urlencoded::parse(question.uri.query().unwrap_or_default().as_bytes());
    let scopes: Vec<String> = parameters.filter(|(name, _)| name == "scope").map(|(_, value)| value.into_owned()).collect();
    let granted =
        if given.is_some() { scopes.iter().flat_map(|scope| scope.split(' ')).flat_map(actions).collect() } else { HashSet::new() };
    let life = shared.switches.show(|quirk| if let Quirk::TokenFor(life) = quirk { Some(*life) } else { None });
    let life = life.unwrap_or(Duration::from_mins(5));
    let left = shared.switches.show(|quirk| if let Quirk::TokenForRequests(count) = quirk { Some(*count) } else { None });
    let (name, token) = (random_word() + &random_word(), Token { granted, end: Instant::now() + life, left });
    shared.tokens.0.lock().expect("the tokens").insert(name.clone(), token);
    let body = json!({"token": name, "access_token": name, "expires_in": life.as_secs().max(1)});
    answer::with(200, &[("content-type", "application/json")], body.to_string())
}

/// `repository:NAME:ACTION,ACTION`
fn actions(scope: &str) -> Vec<(String, String)> {
    let Some((name, actions)) = scope.strip_prefix("repository:").and_then(|rest| rest.rsplit_once(':')) else { return Vec::new() };
    actions.split(',').map(|action| (name.to_owned(), action.to_owned())).collect()
}

fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{password}")))
}

/// A 401, when the request may not be made.
pub fn refuse(shared: &Shared, question: &Question) -> Option<Response<Body>> {
    let moves_bytes = [Method::PATCH, Method::PUT].contains(&question.method);
    let stubborn = shared.switches.show(|quirk| match quirk {
        Quirk::Unauthorized => Some(()),
        Quirk::UnauthorizedUpload if moves_bytes => Some(()),
        _ => None,
    });
    if stubborn.is_some() {
        return Some(challenge(shared, question));
    }
    let may = match &shared.access {
        Access::Open => true,
        Access::Basic(user, password) => question.field("authorization").is_some_and(|field| field == basic(user, password)),
        Access::Bearer(..) => shared.tokens.spend(question),
    };
    (!may).then(|| challenge(shared, question))
}

impl Tokens {
    fn spend(&self, question: &Question) -> bool {
        let mut tokens = self.0.lock().expect("the tokens");
        let name = question.field("authorization").and_then(|field| field.strip_prefix("Bearer "));
        let Some(token) = name.and_then(|name| tokens.get_mut(name)) else { return false };
        if token.end <= Instant::now() || token.left == Some(0) {
            return false;
        }
        token.left = token.left.map(|left| left - 1);
        let Some(repository) = question.place.repository() else { return true };
        let action = if question.writes() { "push" } else { "pull" };
        token.granted.contains(&(repository.to_owned(), action.to_owned()))
    }
}

fn challenge(shared: &Shared, question: &Question) -> Response<Body> {
    let realm = shared.switches.show(|quirk| if let Quirk::ForeignRealm(realm) = quirk { Some(realm.clone()) } else { None });
    let field = match &shared.access {
        Access::Bearer(..) => {
            let realm = realm.unwrap_or_else(|| format!("http://{}/token", question.host()));
            let actions = if question.writes() { "pull,push" } else { "pull" };
            let scope = question.place.repository().map(|name| format!(",scope=\"repository:{name}:{actions}\"")).unwrap_or_default();
            format!("Bearer realm=\"{realm}\",service=\"scripted\"{scope}")
        }
        Access::Open | Access::Basic(..) => "Basic realm=\"scripted\"".to_owned(),
    };
    answer::error_with(401, "UNAUTHORIZED", "authentication required", &[("www-authenticate", &field)])
}
