//! Sees every state that a publication passes through, in order, with the time at which it was seen.

use std::{
    sync::{Arc, Mutex},
    time::Instant,
};

use chart_publisher::api::{ChartPublication, ChartPublicationStatus};
use futures::StreamExt;
use kube::{
    Api, ResourceExt,
    runtime::watcher::{self, Event},
};
use tokio::task::JoinHandle;

use super::support::{
    background,
    eventually::{SOON, eventually},
    namespace::Namespace,
};

/// A publication as it was at one time.
#[derive(Clone)]
pub struct Sight {
    /// When it was seen.
    pub at: Instant,
    /// Its name.
    pub name: String,
    /// Its version in the API server.
    pub version: Option<String>,
    /// Its status.
    pub status: ChartPublicationStatus,
}

/// A watch on all publications of a namespace. Dropping it ends it.
pub struct Witness {
    sights: Arc<Mutex<Vec<Sight>>>,
    watching: JoinHandle<()>,
}

impl Witness {
    /// Watches from now on; there must be no publication yet.
    pub async fn of(namespace: &Namespace) -> Self {
        let (bed, name, sights) = (namespace.bed, namespace.name().to_owned(), Arc::<Mutex<Vec<Sight>>>::default());
        let (seen, is_ready) = (Arc::clone(&sights), Arc::<Mutex<bool>>::default());
        let ready = Arc::clone(&is_ready);
        let watching = background::runtime().spawn(async move {
            let publications = Api::<ChartPublication>::namespaced(bed.client().await, &name);
            let mut events = Box::pin(watcher::watcher(publications, watcher::Config::default()));
            while let Some(event) = events.next().await {
                match event.expect("a watch that goes on") {
                    Event::Apply(object) => seen.lock().expect("the list").push(sight(object)),
                    Event::InitDone => *ready.lock().expect("a flag") = true,
                    Event::Init | Event::InitApply(_) | Event::Delete(_) => {}
                }
            }
        });
        eventually(SOON, "the watch has begun", async || if *is_ready.lock().expect("a flag") { Ok(()) } else { Err("it has not") }).await;
        Self { sights, watching }
    }

    /// All that was seen, in order.
    pub fn all(&self) -> Vec<Sight> {
        self.sights.lock().expect("the list").clone()
    }

    /// What was seen of one publication, once this state of it was.
    pub async fn until(&self, state: &ChartPublication) -> Vec<Sight> {
        eventually(SOON, "the watch has come this far", async || {
            let sights: Vec<_> = self.all().into_iter().filter(|sight| sight.name == state.name_any()).collect();
            let last = sights.last().and_then(|sight| sight.version.clone());
            if last == state.resource_version() { Ok(sights) } else { Err(format!("{last:?}")) }
        })
        .await
    }
}

fn sight(object: ChartPublication) -> Sight {
    Sight { at: Instant::now(), name: object.name_any(), version: object.resource_version(), status: object.status.unwrap_or_default() }
}

impl Drop for Witness {
    fn drop(&mut self) {
        self.watching.abort();
    }
}
