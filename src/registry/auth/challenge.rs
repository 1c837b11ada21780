//! `WWW-Authenticate` (RFC 9110, section 11.6.1), and the scope of a token ("Token scope documentation" of distribution).

use std::collections::BTreeSet;

use http::{HeaderMap, header};

use crate::{model::RepositoryName, registry::Asked};

/// What a registry asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::registry) enum Challenge {
    /// Name and password with each request.
    Basic,
    /// A token.
    Bearer(Bearer),
}

/// Which token is asked for, and where.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(in crate::registry) struct Bearer {
    pub(in crate::registry) realm: String,
    pub(in crate::registry) service: Option<String>,
    pub(in crate::registry) scopes: Vec<String>,
}

impl Challenge {
    /// The challenge to follow: Bearer where it is offered, else Basic. A header that cannot be read is none.
    pub(in crate::registry) fn of(headers: &HeaderMap) -> Option<Self> {
        let mut found = None;
        for value in headers.get_all(header::WWW_AUTHENTICATE) {
            let Ok(text) = value.to_str() else { continue };
            for challenge in http_auth::parser::ChallengeParser::new(text) {
                let Ok(challenge) = challenge else { break };
                if challenge.scheme.eq_ignore_ascii_case("bearer") {
                    if let Some(bearer) = Bearer::read(&challenge) {
                        return Some(Self::Bearer(bearer));
                    }
                } else if challenge.scheme.eq_ignore_ascii_case("basic") {
                    found = Some(Self::Basic);
                }
            }
        }
        found
    }
}

/// Schemes that registries and what stands before them may ask for, and that are not spoken here
/// (<https://www.iana.org/assignments/http-authschemes>; NTLM and AWS4-HMAC-SHA256 are not registered).
const OTHER_SCHEMES: [&str; 12] = [
    "Negotiate",
    "NTLM",
    "Digest",
    "DPoP",
    "AWS4-HMAC-SHA256",
    "GNAP",
    "HOBA",
    "Mutual",
    "OAuth",
    "PrivateToken",
    "SCRAM-SHA-1",
    "SCRAM-SHA-256",
];

/// What is asked for where [`Challenge::of`] finds nothing to follow.
pub(in crate::registry) fn unmet(headers: &HeaderMap) -> Asked {
    let mut asked = Asked::Nothing;
    for value in headers.get_all(header::WWW_AUTHENTICATE) {
        asked = asked.max(Asked::Unreadable);
        let Ok(text) = value.to_str() else { continue };
        for challenge in http_auth::parser::ChallengeParser::new(text) {
            let Ok(challenge) = challenge else { break };
            let is_known = ["basic", "bearer"].iter().any(|known| challenge.scheme.eq_ignore_ascii_case(known));
            match OTHER_SCHEMES.iter().find(|name| challenge.scheme.eq_ignore_ascii_case(name)) {
                Some(name) => return Asked::Scheme(name),
                None if !is_known => asked = Asked::OtherScheme,
                None => {}
            }
        }
    }
    asked
}

/// Whether a challenge calls the token itself invalid, not its rights (RFC 6750, section 3.1).
pub(in crate::registry) fn says_invalid_token(headers: &HeaderMap) -> bool {
    let texts = headers.get_all(header::WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok());
    let mut challenges = texts.flat_map(|text| http_auth::parser::ChallengeParser::new(text).map_while(Result::ok));
    challenges.any(|challenge| {
        let is_error = |(name, _): &&(&str, http_auth::ParamValue<'_>)| name.eq_ignore_ascii_case("error");
        challenge.params.iter().find(is_error).is_some_and(|(_, value)| value.to_unescaped() == "invalid_token")
    })
}

impl Bearer {
    fn read(challenge: &http_auth::ChallengeRef<'_>) -> Option<Self> {
        let parameter = |wanted: &str| {
            let found = challenge.params.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
            found.map(|(_, value)| value.to_unescaped())
        };
        let scopes = parameter("scope").unwrap_or_default();
        Some(Self {
            realm: parameter("realm").filter(|realm| !realm.is_empty())?,
            service: parameter("service").filter(|service| !service.is_empty()),
            scopes: scopes.split_whitespace().map(str::to_owned).collect(),
        })
    }

    /// Asks for all `actions` on `repository` at once, so that one token serves a whole publication. Some registries answer a token
    /// for reading with 401 instead of a new challenge (helm/helm issue 32144).
    pub(in crate::registry) fn widened(mut self, repository: &RepositoryName, actions: &[&str]) -> Self {
        let prefix = format!("repository:{repository}:");
        let mut actions: BTreeSet<String> = actions.iter().map(|action| (*action).to_owned()).collect();
        self.scopes.retain(|scope| match scope.strip_prefix(&prefix) {
            Some(named) => {
                actions.extend(named.split(',').filter(|action| !action.is_empty()).map(str::to_owned));
                false
            }
            None => true,
        });
        let actions = actions.into_iter().collect::<Vec<_>>().join(",");
        self.scopes.insert(0, format!("{prefix}{actions}"));
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(headers: &[&str], expected: Option<&Challenge>) {
        let mut map = HeaderMap::new();
        for header in headers {
            map.append(header::WWW_AUTHENTICATE, header.parse().unwrap());
        }
        assert_eq!(Challenge::of(&map).as_ref(), expected, "{headers:?}");
    }

    fn bearer(realm: &str, service: Option<&str>, scopes: &[&str]) -> Bearer {
        Bearer { realm: realm.to_owned(), service: service.map(str::to_owned), scopes: scopes.iter().map(|s| (*s).to_owned()).collect() }
    }

    #[test]
    fn bearer_is_preferred_and_what_cannot_be_read_is_no_challenge() {
        let token = bearer("https://auth.example/token", Some("registry"), &["repository:charts/x:pull"]);
        let header = r#"Bearer realm="https://auth.example/token",service="registry",scope="repository:charts/x:pull""#;
        let token = Challenge::Bearer(token);
        check(&[header], Some(&token));
        check(&[r#"Basic realm="x""#, header], Some(&token));
        check(&[r#"Basic realm="x""#], Some(&Challenge::Basic));
        check(&[r#"bearer realm="https://a/t""#], Some(&Challenge::Bearer(bearer("https://a/t", None, &[]))));
        check(&["Bearer"], None);
        check(&[r#"Bearer service="x""#], None);
        check(&["Negotiate"], None);
        check(&[",,,=\"\\"], None);
        check(&[], None);
    }

    #[test]
    fn what_is_asked_for_and_not_known_is_named() {
        for (lines, expected) in [
            (&[][..], Asked::Nothing),
            (&[",,,=\"\\"], Asked::Unreadable),
            (&[r#"Bearer service="x""#], Asked::Unreadable),
            (&["negotiate"], Asked::Scheme("Negotiate")),
            (&["Own x=1", "NTLM"], Asked::Scheme("NTLM")),
            (&["Own x=1"], Asked::OtherScheme),
        ] {
            let headers: HeaderMap = lines.iter().map(|line| (header::WWW_AUTHENTICATE, line.parse().unwrap())).collect();
            assert_eq!(unmet(&headers), expected, "{lines:?}");
        }
    }

    #[test]
    fn an_invalid_token_is_told_from_one_without_the_right() {
        for (header, is_invalid) in [
            (r#"Bearer realm="https://a/t",error="invalid_token""#, true),
            (r#"Basic realm="x", Bearer realm="https://a/t", Error=invalid_token"#, true),
            (r#"Bearer realm="https://a/t",error="insufficient_scope""#, false),
            (r#"Bearer realm="invalid_token""#, false),
            (",,,", false),
        ] {
            let headers = HeaderMap::from_iter([(header::WWW_AUTHENTICATE, header.parse().unwrap())]);
            assert_eq!(says_invalid_token(&headers), is_invalid, "{header}");
        }
    }

    #[test]
    fn the_scope_asks_for_both_actions_once_and_keeps_what_else_was_named() {
        let repository: RepositoryName = "charts/x".parse().unwrap();
        for (scopes, expected) in [
            (&[][..], vec!["repository:charts/x:pull,push"]),
            (&["repository:charts/x:pull"], vec!["repository:charts/x:pull,push"]),
            (
                &["repository:charts/x:delete,pull", "registry:catalog:*"],
                vec!["repository:charts/x:delete,pull,push", "registry:catalog:*"],
            ),
            (&["repository:charts/xy:pull"], vec!["repository:charts/x:pull,push", "repository:charts/xy:pull"]),
        ] {
            assert_eq!(bearer("r", None, scopes).widened(&repository, &["pull", "push"]).scopes, expected);
        }
        assert_eq!(bearer("r", None, &[]).widened(&repository, &["pull"]).scopes, ["repository:charts/x:pull"]);
    }
}
