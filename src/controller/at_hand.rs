//! What a command that reads files has in place of Secrets: logins of Docker's form, roots that are trusted, and keys of those who sign.

use std::sync::Arc;

use super::{
    access::Keys,
    foresee::Look,
    start::Context,
    targets::{PlannedTarget, unplanned},
};
use crate::{
    api::{Reason, Target},
    model::{DockerFile, Found},
    net::TlsConfig,
    provenance::Keyring,
    publish::{Failed, TargetRun},
    remedy::{Audience, Caller, CallerLogin},
};

/// What all sentences about Secrets begin with.
pub(super) const IN_A_CLUSTER: &str = "lies in a cluster: give `--kubeconfig`";

/// What stands in for Secrets that no target names, or that cannot be read without a cluster.
#[derive(Default)]
pub struct AtHand {
    /// Logins, and the file that they stand in.
    pub logins: Option<(String, DockerFile)>,
    /// Whom else to trust, and the file that says so.
    pub trust: Option<(String, TlsConfig)>,
    /// Public keys of those who sign charts.
    pub keyring: Option<Arc<Keyring>>,
}

impl AtHand {
    /// Whom `context` trusts where no Secret says more.
    pub(super) fn are_trusted_by(&self, context: &mut Context) {
        if let Some((_, tls)) = &self.trust {
            context.plain_tls = tls.clone();
        }
    }
}

impl Look<'_> {
    /// The ways to a target, or why there is none.
    pub(super) async fn reached(&self, at_hand: &AtHand, target: &Target, planned: &PlannedTarget) -> Result<TargetRun, Failed> {
        self.check_service(target)?;
        let plan = planned.plan.as_ref().map_err(unplanned)?;
        let hosts: Vec<String> = plan.strategies.iter().flat_map(|strategy| strategy.credential_hosts.clone()).collect();
        let (keys, audience) = keys(self, at_hand, target, &hosts).await?;
        self.run.reached(target, planned, &self.entries, self.recollection, &keys, audience)
    }
}

/// Who we are at a target that is known as `hosts`, and whom we trust: by its Secrets where there is a cluster, else by what is at hand.
async fn keys(look: &Look<'_>, at_hand: &AtHand, target: &Target, hosts: &[String]) -> Result<(Keys, Audience), Failed> {
    let context = look.context;
    let secret = target.secret_ref.as_ref().filter(|_| context.has_cluster);
    let cert_secret = target.cert_secret_ref.as_ref().filter(|_| context.has_cluster);
    let mut keys = look.run.secrets.keys(secret, cert_secret, &context.roots, &context.plain_tls).await?;
    let mut login = CallerLogin::Nobody;
    if let (None, Some((file, logins))) = (secret, &at_hand.logins) {
        match logins.find(hosts).map_err(|error| invalid(format!("`{file}`: {error}")))? {
            Found::Credential(found) => (keys.login, login) = (found, CallerLogin::DockerConfig(file.clone())),
            Found::Helper => login = CallerLogin::Helper(file.clone()),
            Found::Nothing => {}
        }
    }
    if let (Some(named), None, true) = (&target.secret_ref, secret, keys.login.is_anonymous()) {
        let hosts = hosts.iter().filter(|host| !host.contains('/')).map(|host| format!("`{host}`")).collect::<Vec<_>>();
        let cure = format!("or a login for {} by `--docker-config`", hosts.join(" or "));
        return Err(absent(format!("Secret `{}` {IN_A_CLUSTER}, {cure}", named.name)));
    }
    let trust = at_hand.trust.as_ref().map(|(file, _)| file.clone());
    if let (Some(named), None, None) = (&target.cert_secret_ref, cert_secret, &trust) {
        return Err(absent(format!("Secret `{}` {IN_A_CLUSTER}, or its `ca.crt` by `--ca FILE`", named.name)));
    }
    Ok((keys, Audience::File(Caller { login, ca: trust })))
}

fn invalid(sentence: String) -> Failed {
    Failed { reason: Reason::SecretInvalid, sentence, passing: false }
}

/// In a cluster it may be there.
pub(super) fn absent(sentence: String) -> Failed {
    Failed { passing: true, ..invalid(sentence) }
}
