//! The routes that readers of a registry take: what was published is downloaded by each of them.

use super::{Content, Failed, Subject, Way, read::read};
use crate::{api::Reason, plan::Route, verify::Again};

/// A route that readers take.
pub struct ReaderRoute {
    /// The route.
    pub route: Route,
    /// The ways of this kind; none where the Service is not to be had by it.
    pub ways: Vec<Way>,
    /// Where there is no way: what is missing, and what would cure it.
    pub missing: String,
    /// Whether less of it is seen from inside of the cluster than from outside.
    pub in_cluster: bool,
}

/// What readers of a target take.
#[derive(Default)]
pub struct Readers {
    /// The route that the Service shows them, and whether less of it is seen from inside of the cluster; nothing for a URL.
    pub shown: Option<(Route, bool)>,
    /// The routes that are to be checked by a download.
    pub asked: Vec<ReaderRoute>,
}

/// The same, for the status.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReadersPlan {
    /// The route that the Service shows them, and whether less of it is seen from inside of the cluster; nothing for a URL.
    pub shown: Option<(Route, bool)>,
    /// Route and address of each check.
    pub asked: Vec<(Route, Option<String>)>,
}

/// What came of a download.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReaderCheck {
    /// The route.
    pub route: Route,
    /// What was dialled; nothing where the route is not there.
    pub address: Option<String>,
    /// What was downloaded, in a sentence; or why not.
    pub result: Result<String, Failed>,
}

impl Readers {
    /// What the status says of them.
    pub fn plan(&self) -> ReadersPlan {
        let of_route = |reader: &ReaderRoute| -> Vec<(Route, Option<String>)> {
            match reader.ways.as_slice() {
                [] => vec![(reader.route, None)],
                ways => ways.iter().map(|way| (reader.route, Some(way.address()))).collect(),
            }
        };
        ReadersPlan { shown: self.shown, asked: self.asked.iter().flat_map(of_route).collect() }
    }

    /// Downloads `content` by each way of each route, on new connections.
    pub async fn check(&self, subject: &Subject, content: &Content) -> Vec<ReaderCheck> {
        let checks: Vec<_> = self.asked.iter().map(|reader| reader.check(subject, content)).collect();
        futures::future::join_all(checks).await.into_iter().flatten().collect()
    }
}

impl ReaderRoute {
    async fn check(&self, subject: &Subject, content: &Content) -> Vec<ReaderCheck> {
        if self.ways.is_empty() {
            let sentence = format!("{} does not lead to {}: {}", self.route.as_str(), subject.registry, self.missing);
            let result = Err(Failed { reason: Reason::NoRoute, sentence, passing: true });
            return vec![ReaderCheck { route: self.route, address: None, result }];
        }
        let mut checks = Vec::new();
        for way in &self.ways {
            let result = match read(way, subject, None, content).await {
                Ok(again) => self.judged(way, subject, content, again),
                Err(verdict) => Err(verdict.into()),
            };
            let check = ReaderCheck { route: self.route, address: Some(way.address()), result };
            // In a tunnel TLS is tried before plain HTTP: one of the two is enough.
            if way.strategy.bodies.in_tunnel && check.result.is_ok() {
                return vec![check];
            }
            checks.push(check);
        }
        if self.ways.iter().any(|way| way.strategy.bodies.in_tunnel) {
            checks.truncate(1);
        }
        checks
    }

    fn judged(&self, way: &Way, subject: &Subject, content: &Content, again: Again) -> Result<String, Failed> {
        let view = if self.in_cluster { " (in-cluster view: kube-proxy may answer for this address itself)" } else { "" };
        let found = match again {
            Again::Holds(_) => return Ok(format!("`{content}` was downloaded whole{view}")),
            Again::Overwritten(manifest) => format!("holds the manifest {} instead of {}", manifest.digest, content.manifest),
            Again::Gone => "is not there".to_owned(),
            Again::Missing(digest, _) => format!("lacks its blob {digest}"),
            Again::Damaged(failure) | Again::ManifestDamaged(failure) => format!("comes damaged ({failure})"),
        };
        let sentence = format!(
            "{} by {} ({}): `{content}` {found}, while it is whole by the route that was used. A cache on the way answers, or another \
             registry stands behind it, or something on the way changes bodies: look at {}",
            subject.registry,
            way.strategy.route.as_str(),
            way.address(),
            way.strategy
                .via
                .as_ref()
                .map_or("what stands there".to_owned(), |via| format!("{} \"{}/{}\"", via.kind, via.namespace, via.name)),
        );
        Err(Failed { reason: Reason::RegistryInconsistent, sentence, passing: true })
    }
}
