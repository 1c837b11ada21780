//! Rows: who may write. The first row that fits is taken, so the special ones stand before the general ones.

use super::{
    Class,
    row::{ERROR_CODES, Pattern, REGISTRY, Row, Shape, Symptom, coded},
};
use crate::{api::Reason, registry::Stage};

/// Who may write.
pub(super) const RIGHTS: &[Row] = &[
    Row {
        id: "credential-refused",
        seen: "401 with a credential",
        pattern: Pattern::Seen(Symptom::CredentialRefused),
        reason: Reason::AuthFailed,
        class: Class::Final,
        sentence: "{credential_cure}",
        link: "https://distribution.github.io/distribution/spec/auth/token/",
    },
    Row {
        id: "credential-needed",
        seen: "401 without a credential",
        pattern: Pattern::Seen(Symptom::CredentialNeeded),
        reason: Reason::AuthFailed,
        class: Class::Final,
        sentence: "{credential_cure}",
        link: "https://distribution.github.io/distribution/spec/auth/token/",
    },
    Row {
        id: "right-missing",
        seen: "401 for a token that the token service gave for the credential",
        pattern: Pattern::Seen(Symptom::RightMissing),
        reason: Reason::Denied,
        class: Class::Final,
        sentence: "{right_cure}",
        link: "https://distribution.github.io/distribution/spec/auth/scope/",
    },
    Row {
        id: "token-invalid",
        seen: "401 that calls such a token invalid",
        pattern: Pattern::Seen(Symptom::TokenInvalid),
        reason: Reason::AuthFailed,
        class: Class::Final,
        sentence: "The registry does not take what its own token service gives: compare issuer, service and certificates below `auth.token` in its configuration with the token service's, and look at the clocks of both.",
        link: "https://www.rfc-editor.org/rfc/rfc6750#section-3.1",
    },
    Row {
        id: "login-of-proxy",
        seen: "401 that is not the registry's",
        pattern: Pattern::Seen(Symptom::LoginOfProxy),
        reason: Reason::AuthFailed,
        class: Class::OtherRoute,
        sentence: "Not the registry but {place} asks for a login: take `/v2/` out of it, or give its user name and password {login_of_proxy}.",
        link: "https://www.rfc-editor.org/rfc/rfc9110#section-15.5.2",
    },
    Row {
        id: "realm-foreign",
        seen: "the token service is on another host",
        pattern: Pattern::Seen(Symptom::RealmForeign),
        reason: Reason::AuthFailed,
        class: Class::Final,
        sentence: "If it is the registry's, add its host (with the port where it is not the scheme's own) {to_allowed_hosts}; else correct `auth.token.realm` in the registry's configuration.",
        link: "https://distribution.github.io/distribution/about/configuration/#auth",
    },
    Row {
        id: "quota",
        seen: "403 or 429 that speaks of a quota",
        pattern: Pattern::Answered(Shape { statuses: (400, 499), words: &["quota", "will exceed the configured upper limit"], ..REGISTRY }),
        reason: Reason::Denied,
        class: Class::Final,
        sentence: "Raise the quota of the registry's project for {reference}, or delete what it no longer needs.",
        link: "https://goharbor.io/docs/main/administration/configure-project-quotas/",
    },
    Row {
        id: "denied",
        seen: "403, or DENIED, of the registry",
        pattern: coded(&["DENIED"]),
        reason: Reason::Denied,
        class: Class::Final,
        sentence: "{right_cure}",
        link: ERROR_CODES,
    },
    Row {
        id: "token-refused",
        seen: "the token service answers 400 or 403",
        pattern: Pattern::Answered(Shape { statuses: (400, 403), at: &[Stage::Token], ..REGISTRY }),
        reason: Reason::AuthFailed,
        class: Class::Final,
        sentence: "{credential_cure}",
        link: "https://distribution.github.io/distribution/spec/auth/token/",
    },
];
