//! The engine under test, as controller and command line run it: one run for one chart by the routes of a scene.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, LazyLock},
    time::Duration,
};

use chart_publisher::{
    model::Credential,
    net::{AddressPolicy, Endpoint, Patience, SystemRoots, TlsConfig, Transport},
    plan::{Route as Way, Strategy},
    provenance::Demand,
    publish::{self, Course, Done, FailedAttempt, Learnt, Readers, Replicas, Subject, TargetRun, Ways},
    registry::{AllowedHosts, Authorizer, Registry},
    remedy::Audience,
};
use tokio_util::sync::CancellationToken;

use crate::{
    cell::Asked,
    charts::Chart,
    scene::{PASSWORD, Route, USER},
    seeded::Bug,
};

/// What sentences must name.
pub const SUBJECT: &str = "Service \"cells/registry\" port 5000";

/// What a run says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// It is there and was pulled back.
    Ready {
        /// The digest of the manifest.
        manifest: String,
        /// The method.
        method: String,
        /// The route.
        route: String,
    },
    /// It is not.
    Failed {
        /// The name of the cause.
        reason: String,
        /// Object and cure.
        sentence: String,
        /// Whether it is tried again soon.
        passing: bool,
    },
}

impl Claim {
    /// Whether it says that all is well.
    pub fn is_ready(&self) -> bool {
        matches!(self, Self::Ready { .. })
    }

    /// The name of the cause.
    pub fn reason(&self) -> &str {
        if let Self::Failed { reason, .. } = self { reason } else { "" }
    }
}

/// Reading the system's roots takes longer than a cell.
static TLS: LazyLock<TlsConfig> = LazyLock::new(|| TlsConfig::new(&SystemRoots::load(), None, None).expect("no roots of our own"));

/// An engine with what it keeps from run to run.
pub struct Engine {
    transport: Transport,
    authorizer: Arc<Authorizer>,
    learnt: Learnt,
    /// How long it waits.
    pub patience: Patience,
    /// The method that the spec asks for.
    pub asked: Asked,
    /// The path of the repositories.
    pub prefix: String,
    /// What is wrong with it.
    pub bug: Option<Bug>,
    /// What one of the bugs keeps.
    pub failed: tokio::sync::Mutex<Option<(Claim, Vec<FailedAttempt>)>>,
}

impl Engine {
    /// One that knows nothing yet.
    pub fn new(asked: Asked, prefix: String, stall: Duration, bug: Option<Bug>) -> Self {
        let credential = Credential::new(USER.to_owned(), PASSWORD.to_owned());
        Self {
            transport: Transport::new(),
            authorizer: Arc::new(Authorizer::new(Some(credential), AllowedHosts::default())),
            learnt: Learnt::default(),
            patience: Patience { stall },
            asked,
            prefix,
            bug,
            failed: tokio::sync::Mutex::default(),
        }
    }

    /// One run; gives what it says, and what it tried in vain.
    pub async fn run(&self, routes: &[Route], chart: &Chart) -> (Claim, Vec<FailedAttempt>) {
        // Nobody else asks for it.
        self.learnt.ask_anew();
        let target = self.target(routes);
        let course =
            Course { workers: 1, cancel: &CancellationToken::new(), proof: None, demand: &Demand::default(), progress: &|_, _| {} };
        let outcome = publish::run(&chart.source, &[chart.wanted()], std::slice::from_ref(&target), &course).await;
        let target = outcome.targets.first().expect("there is one target");
        let claim = match target.charts.first().map(|chart| &chart.result) {
            Some(Ok(done)) => Claim::Ready {
                manifest: done.known().map(|known| known.manifest.to_string()).unwrap_or_default(),
                method: target
                    .used
                    .as_ref()
                    .filter(|_| !matches!(done, Done::Unchanged(_)))
                    .map(|used| used.method.clone())
                    .unwrap_or_default(),
                route: target.used.as_ref().map(|used| used.route.clone()).unwrap_or_default(),
            },
            Some(Err(failed)) => {
                Claim::Failed { reason: failed.reason.as_str().to_owned(), sentence: failed.sentence.clone(), passing: failed.passing }
            }
            None => Claim::Failed { reason: String::new(), sentence: "nothing was tried".to_owned(), passing: true },
        };
        (claim, target.attempts.clone())
    }

    fn target(&self, routes: &[Route]) -> TargetRun {
        let subject = Subject {
            registry: SUBJECT.to_owned(),
            secret: Some("cells/push".to_owned()),
            cert_secret: None,
            insecure: true,
            audience: Audience::Resource,
        };
        TargetRun {
            name: "main".to_owned(),
            registry: "cells/registry".to_owned(),
            prefix: self.prefix.clone(),
            ways: Ways::new(routes.iter().map(|route| self.way(route)).collect(), subject, self.learnt.clone()),
            known: BTreeMap::new(),
            known_by: None,
            known_at: None,
            refuse_bodies: BTreeSet::new(),
            pull: None,
            replicas: Replicas::default(),
            readers: Readers::default(),
            away: Vec::new(),
        }
    }

    fn way(&self, route: &Route) -> publish::Way {
        let strategy = Strategy {
            route: Way::Service(route.kind),
            addresses: vec![route.address.clone()],
            origin: route.origin.clone(),
            credential_hosts: Vec::new(),
            bodies: self.asked.bodies(),
            reason: "the cell says so".to_owned(),
            via: None,
        };
        publish::Way { registry: self.client(route), strategy }
    }

    /// The client that goes a route.
    pub fn client(&self, route: &Route) -> Registry {
        let endpoint = Endpoint {
            addresses: vec![route.address.clone()],
            origin: route.origin.clone(),
            tls: TLS.clone(),
            policy: AddressPolicy::Any,
            segment: None,
            proxy: None,
        };
        let registry = Registry::new(self.transport.clone(), endpoint, self.authorizer.clone(), AllowedHosts::default(), self.patience);
        registry.with_pause(self.learnt.pause.clone())
    }
}
