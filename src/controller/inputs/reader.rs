//! Whose login a source is shown, or how one is given: as failures have it.

use url::Url;

use crate::{
    controller::{at_hand::http_hosts, start::Context},
    model::Origin,
    remedy::CallerLogin,
    source::{Giver, Reader},
};

/// Of a registry.
pub(super) fn reader(secret: Option<String>, login: CallerLogin, context: &Context) -> Reader {
    match (secret, login) {
        (Some(secret), _) => Reader::LoggedIn(format!("the Secret `{secret}`")),
        (None, CallerLogin::DockerConfig(file)) => Reader::LoggedIn(format!("`{file}`")),
        (None, login) => Reader::Nobody(how(&login, context, "a Secret", "its login")),
    }
}

/// Of a server that is asked by HTTP.
pub(super) fn giver(secret: Option<String>, login: CallerLogin, (context, url): (&Context, Option<&str>)) -> Giver {
    match (secret, login) {
        (Some(secret), _) => Giver::Secret(secret),
        (None, CallerLogin::DockerConfig(file)) => Giver::File(file),
        (None, login) => {
            let origin = url.and_then(|url| Url::parse(url).ok()).and_then(|url| Origin::try_from(&url).ok());
            let host = origin.as_ref().and_then(|origin| http_hosts(origin).into_iter().next()).unwrap_or_default();
            let secret = "a Secret with `username` and `password`, or with `bearerToken`,";
            Giver::Nobody(how(&login, context, secret, &format!("a login for `{host}`")))
        }
    }
}

/// How `what` is given, by `secret` or by what is at hand.
fn how(login: &CallerLogin, context: &Context, secret: &str, what: &str) -> String {
    let at_hand = format!("give {what} by `--docker-config`");
    match (login, &context.at_hand) {
        (CallerLogin::Helper(file), _) => {
            format!("give {what} in a file of `--docker-config`: `{file}` leaves it to a credential helper, and none is asked")
        }
        (_, None) => format!("give {secret} as `secretRef`"),
        (_, Some(_)) if context.has_cluster => format!("{at_hand}, or {secret} as `secretRef`"),
        (_, Some(stand_in)) => match &stand_in.logins {
            Some((file, _)) => format!("{at_hand}: `{file}` has none"),
            None => at_hand,
        },
    }
}
