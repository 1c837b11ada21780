//! After a proof by one way: does each replica of the registry have it? With storage of their own, readers get it from some and not
//! from others.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

use futures::StreamExt;

use super::{Content, Failed, Way};
use crate::{api::Reason, model::Digest, registry::Cause};

const ASKED_AT_ONCE: usize = 8;

/// The ways to each replica by itself; none where there is only one.
#[derive(Default)]
pub struct Replicas {
    ways: Vec<Way>,
    /// Those that cannot be reached from here, as from outside of the cluster: not tried again in this run.
    unreachable: Mutex<BTreeSet<usize>>,
}

/// What a replica says.
enum Said {
    /// It has this manifest.
    Has(Digest),
    /// It has none.
    Nothing,
    /// It could not be asked.
    Unknown,
}

impl Replicas {
    /// Each way leads to one replica.
    pub fn new(ways: Vec<Way>) -> Self {
        Self { ways, unreachable: Mutex::default() }
    }

    /// Asks each of them for the manifest; those that cannot be asked say nothing.
    ///
    /// # Errors
    /// One of them has it not.
    pub(super) async fn confirm(&self, content: &Content, registry: &str) -> Result<(), Failed> {
        let said = self.asked(content).await;
        let lacking = said.iter().find(|(_, said)| match said {
            Said::Has(digest) => *digest != content.manifest,
            Said::Nothing => true,
            Said::Unknown => false,
        });
        lacking.map_or(Ok(()), |(way, said)| Err(apart(content, registry, way, said)))
    }

    /// A proof failed: whether that is because they differ from each other.
    pub(super) async fn difference(&self, content: &Content, registry: &str) -> Option<Failed> {
        let said = self.asked(content).await;
        let has = said.iter().any(|(_, said)| matches!(said, Said::Has(digest) if *digest == content.manifest));
        let lacks = said.iter().find(|(_, said)| matches!(said, Said::Nothing));
        lacks.filter(|_| has).map(|(way, said)| apart(content, registry, way, said))
    }

    async fn asked(&self, content: &Content) -> Vec<(&Way, Said)> {
        let asked: Vec<_> = self.ways.iter().enumerate().map(|(index, way)| self.ask(index, way, content)).collect();
        futures::stream::iter(asked).buffered(ASKED_AT_ONCE).collect().await
    }

    async fn ask<'w>(&self, index: usize, way: &'w Way, content: &Content) -> (&'w Way, Said) {
        (way, self.said(index, way, content).await)
    }

    async fn said(&self, index: usize, way: &Way, content: &Content) -> Said {
        if self.unreachable.lock().unwrap_or_else(PoisonError::into_inner).contains(&index) {
            return Said::Unknown;
        }
        match way.registry.pull().manifest(&content.repository, &content.tag).await {
            Ok(Some(manifest)) => Said::Has(manifest.digest),
            Ok(None) => Said::Nothing,
            Err(failure) => {
                tracing::debug!(endpoint = way.address(), reference = %content, %failure, "a replica cannot be asked; it is left out of the proof");
                if matches!(failure.cause, Cause::Net(_)) {
                    self.unreachable.lock().unwrap_or_else(PoisonError::into_inner).insert(index);
                }
                Said::Unknown
            }
        }
    }
}

fn apart(content: &Content, registry: &str, way: &Way, said: &Said) -> Failed {
    let pod = way.strategy.via.as_ref().map(|via| format!(" {} \"{}/{}\"", via.kind, via.namespace, via.name)).unwrap_or_default();
    let holds = match said {
        Said::Has(digest) => format!("holds the manifest {digest} instead of {}", content.manifest),
        Said::Nothing | Said::Unknown => format!("does not have the manifest {}", content.manifest),
    };
    let sentence = format!(
        "`{content}` was published into {registry}, and the endpoint{pod} ({}) {holds}: the replicas of the registry do not share their \
         storage. Give all of them one volume that many can write (ReadWriteMany) or an object store, and the same `http.secret`; or run \
         one replica",
        way.address()
    );
    Failed { reason: Reason::ReplicasNotShared, sentence, passing: true }
}

#[cfg(test)]
mod tests {
    use std::{net::SocketAddr, sync::Arc};

    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    use super::*;
    use crate::{
        api::RouteKind,
        model::{Origin, Scheme},
        net::{Address, AddressPolicy, Endpoint, Patience, SystemRoots, TlsConfig, Transport},
        plan::{Bodies, Route, Strategy},
        registry::{AllowedHosts, Authorizer, Registry},
    };

    const MANIFEST: &str = "the manifest";

    /// A server that gives one answer to whatever it is asked.
    async fn replica(answer: String) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let _ = stream.read(&mut [0; 4096]).await;
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        });
        address
    }

    fn answer(status: &str, body: &str) -> String {
        let api = "Docker-Distribution-Api-Version: registry/2.0";
        format!("HTTP/1.1 {status}\r\n{api}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}", body.len())
    }

    fn way(address: SocketAddr) -> Way {
        let origin = Origin::new(Scheme::Http, "registry.platform.svc", 5000);
        let addresses = vec![Address::Socket(address)];
        let tls = TlsConfig::new(&SystemRoots::load(), None, None).unwrap();
        let endpoint =
            Endpoint { addresses: addresses.clone(), origin: origin.clone(), tls, policy: AddressPolicy::Any, segment: None, proxy: None };
        let allowed = AllowedHosts::default();
        let authorizer = Arc::new(Authorizer::new(None, allowed.clone()));
        let patience = Patience { stall: std::time::Duration::from_secs(5) };
        let strategy = Strategy {
            route: Route::Service(RouteKind::Endpoint),
            addresses,
            origin,
            credential_hosts: Vec::new(),
            bodies: Bodies::default(),
            reason: String::new(),
            via: None,
        };
        Way { strategy, registry: Registry::new(Transport::new(), endpoint, authorizer, allowed, patience) }
    }

    #[tokio::test]
    async fn only_a_replica_that_says_that_it_lacks_the_manifest_disproves_it() {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let has = || answer("200 OK", MANIFEST);
        let lacks = || answer("404 Not Found", r#"{"errors":[{"code":"MANIFEST_UNKNOWN"}]}"#);
        let broken = || answer("500 Internal Server Error", "");
        for (answers, confirmed, differs) in [
            (vec![], None, false),
            (vec![has(), has()], None, false),
            (vec![has(), String::new()], None, false),
            (vec![has(), broken()], None, false),
            (vec![has(), lacks()], Some("does not have the manifest"), true),
            (vec![lacks(), has()], Some("does not have the manifest"), true),
            (vec![has(), answer("200 OK", "another")], Some("instead of"), false),
            (vec![lacks(), lacks()], Some("does not have the manifest"), false),
        ] {
            let mut ways = vec![way(closed)];
            for answer in answers.clone() {
                ways.push(way(replica(answer).await));
            }
            let replicas = Replicas::new(ways);
            let content = Content {
                repository: "charts/podinfo".parse().unwrap(),
                tag: "1.0.0".parse().unwrap(),
                manifest: Digest::of(MANIFEST.as_bytes()),
                layer: Digest::of(b"l"),
            };
            let said = replicas.confirm(&content, "Service \"platform/registry\"").await.err();
            assert_eq!(said.is_some(), confirmed.is_some(), "{answers:?}: {said:?}");
            if let (Some(failed), Some(words)) = (said, confirmed) {
                assert!(failed.reason == Reason::ReplicasNotShared && failed.sentence.contains(words), "{failed:?}");
            }
            let difference = replicas.difference(&content, "Service \"platform/registry\"").await;
            assert_eq!(difference.is_some(), differs, "{answers:?}");
            assert!(replicas.unreachable.lock().unwrap().contains(&0), "a closed port is not tried again");
        }
    }
}
