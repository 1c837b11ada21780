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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{model::Scheme, plan::Route, remedy::Caller};

    /// What is said to who has a command carry out a file.
    fn said(cure: fn(&Scene<'_>) -> String, login: CallerLogin, ca: Option<&str>, secret: Option<&str>) -> String {
        let audience = Audience::File(Caller { login, ca: ca.map(str::to_owned) });
        cure(&Scene {
            audience: &audience,
            registry: "oci://r.example/charts",
            route: Route::Url,
            address: "10.0.0.1:443",
            scheme: Scheme::Https,
            via: None,
            reference: "charts/podinfo:6.5.0",
            body_length: 0,
            secret,
            cert_secret: secret,
            insecure: false,
        })
    }

    #[test]
    fn who_has_a_file_carried_out_mends_its_secret_or_what_was_at_hand_instead() {
        let (nobody, file) = (|| CallerLogin::Nobody, || CallerLogin::DockerConfig("d.json".to_owned()));
        let helper = || CallerLogin::Helper("d.json".to_owned());
        let given = "`docker login`, `--docker-config FILE`, or with `--kubeconfig` a Secret in the target's `secretRef`";
        for (said, words) in [
            (said(credential, nobody(), None, None), given),
            (said(credential, file(), None, None), "Correct the entry for this registry in `d.json`: `docker login`."),
            (said(credential, helper(), None, None), "which is not asked: give a file with the login by `--docker-config FILE`."),
            (said(credential, nobody(), None, Some("a/b")), "in Secret \"a/b\""),
            (said(right, nobody(), None, None), given),
            (said(right, file(), None, None), "The user of this registry's entry in `d.json` may not do this"),
            (said(right, helper(), None, None), "to a credential helper"),
            (said(right, file(), None, Some("a/b")), "The account of Secret \"a/b\""),
            (said(authority, nobody(), None, None), "by `--ca FILE`."),
            (said(authority, nobody(), Some("own.pem"), None), "`own.pem` does not hold the authority"),
            (said(authority, nobody(), Some("own.pem"), Some("a/b")), "The `ca.crt` of Secret \"a/b\""),
            (said(client_certificate, nobody(), None, None), "in the target's `certSecretRef`."),
            (said(client_certificate, nobody(), None, Some("a/b")), "into Secret \"a/b\"."),
        ] {
            assert!(said.contains(words) && !said.contains("--username"), "{words}: {said}");
        }
    }
}
