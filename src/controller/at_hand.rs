//! What a command that reads files has in place of Secrets: logins of Docker's form, roots that are trusted, and keys of those who sign.

use std::sync::Arc;

use super::{
    access::{Keys, Secrets},
    foresee::Look,
    inputs::References,
    start::Context,
    targets::{PlannedTarget, known_as, unplanned},
};
use crate::{
    api::{LocalReference, Reason, Target},
    model::{DockerFile, Found},
    net::TlsConfig,
    plan::Plan,
    provenance::Keyring,
    publish::{Failed, TargetRun},
    remedy::{Audience, Caller, CallerLogin},
};

/// What all sentences about Secrets begin with.
pub(super) const IN_A_CLUSTER: &str = "lies in a cluster: give `--kubeconfig`";

/// What stands in for Secrets that nothing names, or that cannot be read without a cluster.
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
    /// Puts it to where `context` would look into Secrets.
    pub(super) fn stand_in(self: &Arc<Self>, context: &mut Context) {
        if let Some((_, tls)) = &self.trust {
            context.plain_tls = tls.clone();
        }
        context.at_hand = Some(Arc::clone(self));
    }
}

impl Look<'_> {
    /// The ways to a target, or why there is none.
    pub(super) async fn reached(&self, target: &Target, planned: &PlannedTarget) -> Result<TargetRun, Failed> {
        self.check_service(target)?;
        let plan = planned.plan.as_ref().map_err(unplanned)?;
        let (secret, cert_secret) = (target.secret_ref.as_ref(), target.cert_secret_ref.as_ref());
        let named = References { secret, cert_secret, proxy_secret: None };
        let (keys, caller) = keys(self.context, &self.run.secrets, named, plan).await?;
        self.run.reached(target, planned, &self.entries, self.recollection, &keys, Audience::File(caller))
    }
}

/// Who we are at a registry that `plan` leads to, and whom we trust: by the Secrets that are `named` where there is a cluster, else by
/// what is at hand.
pub(super) async fn keys(context: &Context, secrets: &Secrets, named: References<'_>, plan: &Plan) -> Result<(Keys, Caller), Failed> {
    let secret = named.secret.filter(|_| context.has_cluster);
    let cert_secret = named.cert_secret.filter(|_| context.has_cluster);
    let mut keys = secrets.keys(secret, cert_secret, &context.roots, &context.plain_tls).await?;
    let mut login = CallerLogin::Nobody;
    let at_hand = context.at_hand.as_deref();
    if let (None, Some((file, logins))) = (secret, at_hand.and_then(|at_hand| at_hand.logins.as_ref())) {
        match logins.find(&plan.credential_hosts()).map_err(|error| invalid(format!("`{file}`: {error}")))? {
            Found::Credential(found) => (keys.login, login) = (found, CallerLogin::DockerConfig(file.clone())),
            Found::Helper => login = CallerLogin::Helper(file.clone()),
            Found::Nothing => {}
        }
    }
    if let (Some(named), None, true) = (named.secret, secret, keys.login.is_anonymous()) {
        let hosts = known_as(plan);
        let cure = match &login {
            CallerLogin::Helper(file) => {
                format!(
                    "or the login for {hosts} in a file of `--docker-config`: `{file}` leaves it to a credential helper, and none is asked"
                )
            }
            _ => format!("or a login for {hosts} by `--docker-config`"),
        };
        return Err(absent(format!("Secret `{}` {IN_A_CLUSTER}, {cure}", named.name)));
    }
    check_trust(context, named.cert_secret)?;
    let trust = at_hand.and_then(|at_hand| at_hand.trust.as_ref()).map(|(file, _)| file.clone());
    Ok((keys, Caller { login, ca: trust }))
}

/// Without a cluster, roots that are given stand in for the Secret of a CA.
pub(super) fn check_trust(context: &Context, cert_secret: Option<&LocalReference>) -> Result<(), Failed> {
    let has_trust = context.has_cluster || context.at_hand.as_ref().is_some_and(|at_hand| at_hand.trust.is_some());
    match cert_secret.filter(|_| !has_trust) {
        None => Ok(()),
        Some(named) => Err(absent(format!("Secret `{}` {IN_A_CLUSTER}, or its `ca.crt` by `--ca FILE`", named.name))),
    }
}

fn invalid(sentence: String) -> Failed {
    Failed { reason: Reason::SecretInvalid, sentence, passing: false }
}

/// In a cluster it may be there.
pub(super) fn absent(sentence: String) -> Failed {
    Failed { passing: true, ..invalid(sentence) }
}
