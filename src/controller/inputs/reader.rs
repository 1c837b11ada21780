//! Whose login a source is shown, or how one is given: as failures have it.

use crate::{
    controller::start::Context,
    remedy::CallerLogin,
    source::{Giver, Reader},
};

/// Of a registry.
pub(super) fn reader(secret: Option<String>, login: CallerLogin, context: &Context) -> Reader {
    match (secret, login) {
        (Some(secret), _) => Reader::LoggedIn(format!("the Secret `{secret}`")),
        (None, CallerLogin::DockerConfig(file)) => Reader::LoggedIn(format!("`{file}`")),
        (None, login) => Reader::Nobody(how(&login, context, "a Secret", "registry")),
    }
}

/// Of a server that is asked by HTTP.
pub(super) fn giver(secret: Option<String>, login: CallerLogin, context: &Context) -> Giver {
    match (secret, login) {
        (Some(secret), _) => Giver::Secret(secret),
        (None, CallerLogin::DockerConfig(file)) => Giver::File(file),
        (None, login) => Giver::Nobody(how(&login, context, "a Secret with `username` and `password`, or with `bearerToken`,", "host")),
    }
}

/// How a login is given, by `secret` or by what is at hand for a `server`.
fn how(login: &CallerLogin, context: &Context, secret: &str, server: &str) -> String {
    let at_hand = "give its login by `--docker-config`";
    match (login, &context.at_hand) {
        (CallerLogin::Helper(file), _) => {
            format!("give its login in a file of `--docker-config`: `{file}` leaves it to a credential helper, and none is asked")
        }
        (_, None) => format!("give {secret} as `secretRef`"),
        (_, Some(_)) if context.has_cluster => format!("{at_hand}, or {secret} as `secretRef`"),
        (_, Some(stand_in)) => match &stand_in.logins {
            Some((file, _)) => format!("{at_hand}: `{file}` has none for this {server}"),
            None => at_hand.to_owned(),
        },
    }
}
