//! The status, by server-side apply: one patch when a run ends, and progress at most every 5 s.

use std::{sync::Arc, time::Duration};

use kube::{
    Api, Client,
    api::{Patch, PatchParams},
    core::Status,
};
use serde_json::json;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::statuses::Statuses;
use crate::{
    api::{ChartPublication, ChartPublicationStatus, FIELD_MANAGER, GROUP, VERSION},
    registry::Tenure,
    steps::{Step, enter},
};

/// An API server that does not answer by then is away.
const LONGEST_REQUEST: Duration = Duration::from_secs(15);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// An API server that has just begun knows no rights yet, and refuses what it grants a moment later.
const KNOWS_RIGHTS: Duration = Duration::from_mins(1);

/// What an API server answers, or that it does not.
pub(super) async fn in_time<T>(request: impl Future<Output = Result<T, kube::Error>>) -> Result<T, kube::Error> {
    let late = |_| kube::Error::Service("the API server did not answer in time".into());
    tokio::time::timeout(LONGEST_REQUEST, request).await.map_err(late)?
}

/// Writes the status of one publication.
#[derive(Clone)]
pub(super) struct StatusWriter {
    api: Api<ChartPublication>,
    name: String,
    tenure: Tenure,
    written: Arc<Statuses>,
}

impl StatusWriter {
    /// Writes only while `tenure` is certain: what another replica has written since is not overwritten.
    pub(super) fn of(client: Client, tenure: Tenure, written: Arc<Statuses>, namespace: &str, name: &str) -> Self {
        Self { api: Api::namespaced(client, namespace), name: name.to_owned(), tenure, written }
    }

    /// Writes once; what fails is written by the next patch.
    pub(super) async fn try_write(&self, status: &ChartPublicationStatus) -> Result<(), kube::Error> {
        let object = json!({
            "apiVersion": format!("{GROUP}/{VERSION}"),
            "kind": "ChartPublication",
            "metadata": {"name": self.name},
            "status": status,
        });
        let parameters = PatchParams::apply(FIELD_MANAGER).force();
        if !self.tenure.is_certain() {
            return Err(kube::Error::Service("the lease could not be renewed, and another replica may have it".into()));
        }
        let _step = enter(Step::WriteStatus);
        let object = in_time(self.api.patch_status(&self.name, &parameters, &Patch::Apply(&object))).await?;
        self.written.wrote(object);
        Ok(())
    }

    /// Writes until it is written, also when the API server is away: the result of a run is not lost. Ends without writing when the
    /// object is gone or the program stops. Says whether it was refused in a way that another try now does not mend.
    pub(super) async fn write(&self, status: &ChartPublicationStatus, stop: &CancellationToken) -> Written {
        let begin = Instant::now();
        let mut pause = Duration::from_millis(500);
        loop {
            match self.try_write(status).await {
                Ok(()) => return Written::Done,
                Err(kube::Error::Api(answer)) if is_gone(&answer) => return Written::Done,
                Err(kube::Error::Api(answer)) if answer.code == 422 || answer.code == 403 && begin.elapsed() > KNOWS_RIGHTS => {
                    // A defect of the installation.
                    tracing::error!(name = self.name, code = answer.code, message = answer.message, "the status was refused");
                    return if answer.code == 403 { Written::Refused } else { Written::Done };
                }
                Err(error) => tracing::warn!(name = self.name, %error, "the status could not be written; trying again"),
            }
            tokio::select! {
                () = tokio::time::sleep(pause) => pause = (pause * 2).min(LONGEST_PAUSE),
                () = stop.cancelled() => return Written::Done,
            }
        }
    }
}

/// What came of writing a status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    /// It is written, or nobody is left who would read it.
    Done,
    /// It has to be written later.
    Refused,
}

/// Whether the API server says that there is no such object. One that has just begun, and what stands before it, answer 404 to paths
/// that they do not know yet; that says nothing of the object.
pub(super) fn is_gone(answer: &Status) -> bool {
    answer.code == 404 && answer.reason == "NotFound"
}

#[cfg(test)]
#[path = "patch_tests.rs"]
mod tests;
