//! Cures that depend on what was given: logins, rights, authorities and client certificates.

use super::{
    Scene,
    audience::{Audience, CallerLogin},
    sentence::{clean, place},
};

const LOG_IN: &str = "`--username NAME --password-stdin`, or `docker login`";
/// For who has a command carry out a resource.
const LOG_IN_FOR_FILE: &str = "`docker login`, `--docker-config FILE`, or with `--kubeconfig` a Secret in the target's `secretRef`";

pub(super) fn credential(scene: &Scene<'_>) -> String {
    match (scene.audience, scene.secret) {
        (Audience::CommandLine(caller), _) => credential_of(&caller.login),
        (Audience::File(caller), None) => credential_for_file(&caller.login),
        (Audience::Resource | Audience::File(_), Some(secret)) => format!(
            "Correct user name and password in Secret \"{}\", or add an entry for this host to it if it is a dockerconfigjson.",
            clean(secret)
        ),
        (Audience::Resource, None) => {
            "Name a Secret with `username` and `password`, or of type kubernetes.io/dockerconfigjson, in the target's `secretRef`."
                .to_owned()
        }
    }
}

fn credential_of(login: &CallerLogin) -> String {
    match login {
        CallerLogin::Nobody => format!("Give a login: {LOG_IN}."),
        CallerLogin::User(user) => format!("Correct the password of user `{}`, or the name.", clean(user)),
        CallerLogin::DockerConfig(path) => {
            format!("Correct the entry for this registry in `{}`: `docker login`, or `--username NAME --password-stdin`.", clean(path))
        }
        CallerLogin::Helper(path) => helper(path),
    }
}

fn credential_for_file(login: &CallerLogin) -> String {
    match login {
        CallerLogin::Nobody | CallerLogin::User(_) => format!("Give a login: {LOG_IN_FOR_FILE}."),
        CallerLogin::DockerConfig(path) => format!("Correct the entry for this registry in `{}`: `docker login`.", clean(path)),
        CallerLogin::Helper(path) => helper_for_file(path),
    }
}

const NOT_ASKED: &str = "leaves the login at this registry to a credential helper, which is not asked";

fn helper(path: &str) -> String {
    format!("`{}` {NOT_ASKED}: use `--username NAME --password-stdin`.", clean(path))
}

fn helper_for_file(path: &str) -> String {
    format!("`{}` {NOT_ASKED}: give a file with the login by `--docker-config FILE`.", clean(path))
}

pub(super) fn right(scene: &Scene<'_>) -> String {
    let reference = clean(scene.reference);
    let nobody = |how: &str| format!("Without a credential this is not allowed: {how} one that may pull and push \"{reference}\"");
    let somebody = |who: &str| format!("{who} may not do this: let it pull and push \"{reference}\".");
    match (scene.audience, scene.secret) {
        (Audience::CommandLine(caller), _) => match &caller.login {
            CallerLogin::Nobody => format!("{} ({LOG_IN}).", nobody("give")),
            CallerLogin::User(user) => somebody(&format!("User `{}`", clean(user))),
            CallerLogin::DockerConfig(path) => somebody(&format!("The user of this registry's entry in `{}`", clean(path))),
            CallerLogin::Helper(path) => helper(path),
        },
        (Audience::File(caller), None) => match &caller.login {
            CallerLogin::Nobody | CallerLogin::User(_) => format!("{} ({LOG_IN_FOR_FILE}).", nobody("give")),
            CallerLogin::DockerConfig(path) => somebody(&format!("The user of this registry's entry in `{}`", clean(path))),
            CallerLogin::Helper(path) => helper_for_file(path),
        },
        (Audience::Resource | Audience::File(_), Some(secret)) => somebody(&format!("The account of Secret \"{}\"", clean(secret))),
        (Audience::Resource, None) => format!("{} in the target's `secretRef`.", nobody("name")),
    }
}

pub(super) fn authority(scene: &Scene<'_>) -> String {
    let shown = place(scene);
    match (scene.audience, scene.cert_secret) {
        (Audience::CommandLine(caller), _) | (Audience::File(caller), None) => match &caller.ca {
            Some(file) => format!(
                "`{}` does not hold the authority that signed the certificate {shown} shows: give the file of that one by `--ca FILE`.",
                clean(file)
            ),
            None => format!("Give the certificate of the authority that signed what {shown} shows by `--ca FILE`."),
        },
        (Audience::Resource | Audience::File(_), Some(secret)) => format!(
            "The `ca.crt` of Secret \"{}\" is not of the authority that signed the certificate {shown} shows: put that one in.",
            clean(secret)
        ),
        (Audience::Resource, None) => format!(
            "Put the certificate of the authority that signed what {shown} shows as `ca.crt` into a Secret, and name it in the target's `certSecretRef`."
        ),
    }
}

pub(super) fn client_certificate(scene: &Scene<'_>) -> String {
    match (scene.audience, scene.cert_secret) {
        (Audience::CommandLine(_), _) => {
            "Give a certificate that the server takes by `--cert FILE`, and its key by `--key FILE`.".to_owned()
        }
        (Audience::Resource | Audience::File(_), Some(secret)) => {
            format!("Put a certificate that the server takes as `tls.crt` and `tls.key` into Secret \"{}\".", clean(secret))
        }
        (Audience::Resource | Audience::File(_), None) => {
            "Put `tls.crt` and `tls.key` into a Secret, and name it in the target's `certSecretRef`.".to_owned()
        }
    }
}
