//! From a plan to the ways that lead along it: who we are, whom we trust, and how patiently.

use std::sync::Arc;

use super::{Learnt, Observer, Subject, Way, Ways};
use crate::{
    model::{Credential, Login},
    net::{AddressPolicy, Endpoint, Patience, TlsConfig, Transport},
    plan::{Plan, Strategy},
    registry::{self, AllowedHosts, Authorizer, Permit, Registry},
};

/// Where identities at registries come from: kept from run to run, or made for one.
pub trait Identities {
    /// The identity at the registry of `strategy`.
    fn of(&self, strategy: &Strategy, credential: Option<&Credential>, allowed: &AllowedHosts) -> Arc<Authorizer>;
}

/// Makes each anew: what the command line needs.
pub struct NewIdentities;

impl Identities for NewIdentities {
    fn of(&self, _: &Strategy, credential: Option<&Credential>, allowed: &AllowedHosts) -> Arc<Authorizer> {
        Arc::new(Authorizer::new(credential.cloned(), allowed.clone()))
    }
}

/// How a registry is reached, whatever the way.
#[derive(Clone, Copy)]
pub struct Reach<'a> {
    /// All connections.
    pub transport: &'a Transport,
    /// Who we are.
    pub login: &'a Login,
    /// Whom we trust.
    pub tls: &'a TlsConfig,
    /// Other hosts that may be token services or take uploads.
    pub allowed_hosts: &'a [String],
    /// How long to wait.
    pub patience: Patience,
    /// Which resolved addresses may be dialled, by the way.
    pub policy: &'a dyn Fn(&Strategy) -> AddressPolicy,
    /// Where identities come from.
    pub identities: &'a dyn Identities,
    /// Whether work may go on.
    pub permit: &'a Permit,
    /// Who is told what is done.
    pub observer: Option<&'a Arc<dyn Observer>>,
}

impl Reach<'_> {
    /// The ways of `plan`, in its order.
    pub fn ways(&self, plan: &Plan, subject: Subject, learnt: Learnt) -> Ways {
        Ways::new(self.each(&plan.strategies, &learnt), subject, learnt).observed_by(self.observer.cloned())
    }

    /// Each of `strategies` by itself.
    pub fn each(&self, strategies: &[Strategy], learnt: &Learnt) -> Vec<Way> {
        let allowed = AllowedHosts::new(self.allowed_hosts.iter().cloned());
        strategies.iter().map(|strategy| self.way(strategy, &allowed, learnt)).collect()
    }

    fn way(&self, strategy: &Strategy, allowed: &AllowedHosts, learnt: &Learnt) -> Way {
        let endpoint = Endpoint {
            addresses: strategy.addresses.clone(),
            origin: strategy.origin.clone(),
            tls: self.tls.clone(),
            policy: (self.policy)(strategy),
            segment: None,
            proxy: None,
        };
        let authorizer = self.identities.of(strategy, self.login.to(&strategy.credential_hosts), allowed);
        let registry = Registry::new(self.transport.clone(), endpoint, authorizer, allowed.clone(), self.patience);
        let observer = self.observer.map(|observer| observer.clone() as Arc<dyn registry::Observer>);
        let registry = registry.with_pause(learnt.pause.clone()).with_permit(self.permit.clone()).observed_by(observer);
        Way { strategy: strategy.clone(), registry }
    }
}
