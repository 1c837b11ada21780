//! Whom a sentence speaks to: who wrote a resource changes its fields, who typed a command its flags, who has a command carry out what a
//! file says both.

use super::Scene;
use crate::plan::Route;

/// Whom a sentence speaks to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Audience {
    /// Who wrote a resource: settings are its fields, credentials and authorities lie in Secrets.
    Resource,
    /// Who typed a command: settings are its flags.
    CommandLine(Caller),
    /// Who typed a command that carries out a resource: settings are its fields, and what surrounds the program is his own.
    File(Caller),
}

/// What a command was given that its sentences name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Caller {
    /// Where its login at this registry came from.
    pub login: CallerLogin,
    /// The file of `--ca`.
    pub ca: Option<String>,
}

/// Where the login of a command came from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum CallerLogin {
    /// There is none.
    #[default]
    Nobody,
    /// The flags, with this name.
    User(String),
    /// An entry for this registry in this file of Docker's form.
    DockerConfig(String),
    /// None, since this file leaves this registry to a credential helper.
    Helper(String),
}

/// The words for one setting, or for what surrounds the program, in both languages.
struct Words {
    name: &'static str,
    resource: &'static str,
    command_line: &'static str,
}

const fn words(name: &'static str, resource: &'static str, command_line: &'static str) -> Words {
    Words { name, resource, command_line }
}

/// What a resource has as fields and a command as flags.
const SETTINGS: &[Words] = &[
    words("insecure_on", "Set `insecure: true` on the target", "Add `--insecure`"),
    words("insecure_off", "set `insecure: false` on the target", "leave `--insecure` out"),
    words("private_ca", "name the CA in `certSecretRef` if it is a private one", "give its CA by `--ca FILE` if it is a private one"),
    words("hostname", "the target's `hostname`", "`--hostname`"),
    words("to_allowed_hosts", "to the target's `allowedHosts`", "by `--allow-host HOST[:PORT]`"),
    words("login_of_proxy", "in the target's `secretRef`", "by `--username NAME --password-stdin`"),
    words("url", "`url`", "the oci:// address"),
    words("timeout", "`timeout`", "`--timeout`"),
    words("less_often", "ask less often with a longer `interval`", "ask less often"),
    words(
        "smaller_pieces",
        "set `upload.method: Buffered` on the target, or a smaller `upload.chunkSize`",
        "push with `--method buffered`, or with a smaller `--chunk-size`",
    ),
];

/// Of the settings, what is said otherwise to who has a file carried out: what stands in Secrets, he may give by flags, and nothing recurs.
const SETTINGS_OF_FILES: &[(&str, &str)] = &[
    ("private_ca", "give its CA by `--ca FILE`, or with `--kubeconfig` in the target's `certSecretRef`, if it is a private one"),
    ("login_of_proxy", "by `--docker-config FILE`, or with `--kubeconfig` in the target's `secretRef`"),
    ("less_often", "ask less often"),
];

/// Where the program runs, and what is set when it is started.
const SURROUNDINGS: &[Words] = &[
    words("resolver", "the cluster's DNS", "the DNS of this machine"),
    words("client", "this controller's Pods", "this machine"),
    words("client_node", "this controller's node", "this machine"),
    words("process", "this controller's Pod", "this process"),
    words("clocks", "the clocks of the nodes", "the clock of this machine"),
    words("spool", "the volume of this controller's spool", "the disk of `--spool-dir`"),
    words("allow_address", "; an administrator of this controller can allow the range with `--allow-address`", ""),
    words(
        "tunnel_right",
        "Grant the controller `get` and `create` on `pods/portforward` in the Pod's namespace: name it in `relay.namespaces` of the Helm chart.",
        "Grant the user of this kubeconfig `get` and `create` on `pods/portforward` in the Pod's namespace.",
    ),
];

/// The words for a setting in the language of the resource, which is that of the documentation.
pub(super) fn documented(name: &str) -> Option<&'static str> {
    find(SETTINGS, name).or_else(|| find(SURROUNDINGS, name)).map(|words| words.resource)
}

/// The words for a setting in the language of `audience`.
pub(super) fn spoken(name: &str, audience: &Audience) -> Option<&'static str> {
    let (setting, surrounding) = (find(SETTINGS, name), find(SURROUNDINGS, name));
    match audience {
        Audience::Resource => setting.or(surrounding).map(|words| words.resource),
        Audience::CommandLine(_) => setting.or(surrounding).map(|words| words.command_line),
        Audience::File(_) => {
            let own = SETTINGS_OF_FILES.iter().find(|(setting, _)| *setting == name).map(|(_, words)| *words);
            own.or(setting.map(|words| words.resource)).or(surrounding.map(|words| words.command_line))
        }
    }
}

fn find(all: &'static [Words], name: &str) -> Option<&'static Words> {
    all.iter().find(|words| words.name == name)
}

/// Where the prefix stands.
pub(super) fn repository(scene: &Scene<'_>) -> &'static str {
    match (scene.audience, scene.route) {
        (Audience::Resource | Audience::File(_), _) => "`repository` (or the path of `url`)",
        (Audience::CommandLine(_), Route::Url) => "the path of the oci:// address",
        (Audience::CommandLine(_), Route::Service(_)) => "`--repository`",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_a_file_carried_out_changes_its_fields_and_looks_at_his_own_machine() {
        let said = |name: &str| spoken(name, &Audience::File(Caller::default()));
        assert_eq!((said("hostname"), said("timeout")), (Some("the target's `hostname`"), Some("`timeout`")));
        assert_eq!((said("client"), said("spool"), said("nonsense")), (Some("this machine"), Some("the disk of `--spool-dir`"), None));
    }

    #[test]
    fn who_has_a_file_carried_out_gives_a_login_and_a_ca_by_flags_too() {
        let said = |name: &str| spoken(name, &Audience::File(Caller::default())).unwrap_or_default();
        assert_eq!(said("login_of_proxy"), "by `--docker-config FILE`, or with `--kubeconfig` in the target's `secretRef`");
        assert!(said("private_ca").starts_with("give its CA by `--ca FILE`"));
        for (name, _) in SETTINGS_OF_FILES {
            assert!(find(SETTINGS, name).is_some(), "{name}");
        }
    }
}
