//! What a command that reads files has in place of Secrets: logins of Docker's form, roots that are trusted, and keys of those who sign.

use std::sync::Arc;

use url::Url;

use super::{
    access::{Keys, Secrets},
    foresee::Look,
    inputs::References,
    start::Context,
    targets::{PlannedTarget, known_as, unplanned},
};
use crate::{
    api::{LocalReference, Reason, Target},
    model::{Authorization, DockerFile, Found, Login, Origin, Scheme},
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
    if secret.is_none() {
        (keys.login, login) = login_at(context, named.secret, &plan.credential_hosts(), &known_as(plan))?;
    }
    check_trust(context, named.cert_secret)?;
    let trust = context.at_hand.as_deref().and_then(|at_hand| at_hand.trust.as_ref()).map(|(file, _)| file.clone());
    Ok((keys, Caller { login, ca: trust }))
}

/// Who we are at an HTTP source whose Secret is not read.
pub(super) fn http_login(
    context: &Context,
    named: Option<&LocalReference>,
    url: &str,
) -> Result<(Option<Authorization>, CallerLogin), Failed> {
    // What is no URL is refused by who asks for it.
    let origin = Url::parse(url).ok().and_then(|url| Origin::try_from(&url).ok());
    let Some(origin) = origin else { return Ok((None, CallerLogin::Nobody)) };
    let hosts = http_hosts(&origin);
    match login_at(context, named, &hosts, &format!("`{}`", hosts.join("`, `"))) {
        Ok((login, caller)) => Ok((login.to(&hosts).cloned().map(Authorization::Basic), caller)),
        // Of another form: nobody has asked for it.
        Err(_) if named.is_none() => Ok((None, CallerLogin::Nobody)),
        Err(failed) => Err(failed),
    }
}

/// What an entry for an HTTP server is called: what is kept for a name alone is for TLS, and does not go out in the clear.
pub(super) fn http_hosts(origin: &Origin) -> Vec<String> {
    let by_name = Some(origin.authority()).filter(|_| origin.scheme == Scheme::Https);
    let mut hosts: Vec<String> = by_name.into_iter().chain([origin.host_and_port()]).collect();
    hosts.dedup();
    hosts
}

/// What is at hand for a server that is known under `hosts`, shown as `known`; a failure where there is nothing in place of the Secret that
/// is `named`.
fn login_at(context: &Context, named: Option<&LocalReference>, hosts: &[String], known: &str) -> Result<(Login, CallerLogin), Failed> {
    let logins = context.at_hand.as_ref().and_then(|at_hand| at_hand.logins.as_ref());
    let found = match logins {
        None => (Login::Anonymous, CallerLogin::Nobody),
        Some((file, logins)) => match logins.find(hosts).map_err(|error| invalid(format!("`{file}`: {error}")))? {
            Found::Credential(found) => (found, CallerLogin::DockerConfig(file.clone())),
            Found::Helper => (Login::Anonymous, CallerLogin::Helper(file.clone())),
            Found::Nothing => (Login::Anonymous, CallerLogin::Nobody),
        },
    };
    let Some(named) = named.filter(|_| found.0.is_anonymous()) else { return Ok(found) };
    let cure = match &found.1 {
        CallerLogin::Helper(file) => {
            format!("or the login for {known} in a file of `--docker-config`: `{file}` leaves it to a credential helper, and none is asked")
        }
        _ => format!("or a login for {known} by `--docker-config`"),
    };
    Err(absent(format!("Secret `{}` {IN_A_CLUSTER}, {cure}", named.name)))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_for_a_name_alone_is_not_for_plain_http() {
        let hosts = |url: &str| http_hosts(&Origin::try_from(&Url::parse(url).unwrap()).unwrap());
        assert_eq!(hosts("https://charts.example.com/stable"), ["charts.example.com", "charts.example.com:443"]);
        assert_eq!(hosts("https://charts.example.com:8443/"), ["charts.example.com:8443"]);
        assert_eq!(hosts("http://charts.example.com/stable"), ["charts.example.com:80"]);
        assert_eq!(hosts("http://charts.example.com:8080/"), ["charts.example.com:8080"]);
    }
}
