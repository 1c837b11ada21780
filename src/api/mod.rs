//! The contract with users: the kinds of `chartpublisher.io/v1alpha1`, and the closed list of reasons. Nothing else.

mod definitions;
mod flux;
mod inventory;
mod publication;
mod reason;
mod status;
mod verify;

pub use definitions::definitions;
pub use flux::{FluxKind, FluxReference};
pub use inventory::{ChartInventory, ChartInventorySpec, InventoryEntry};
pub use publication::{
    ArchiveSource, ChartPublication, ChartPublicationSpec, ChartSelection, HelmRepositorySource, LocalReference, OciSource, Proof,
    RouteKind, ServiceTarget, Source, Target, Upload, UploadMethod,
};
pub use reason::Reason;
pub use status::{
    Attempt, ChartPublicationStatus, LearntOfChunks, LearntOfRoute, PublishedVersion, RefusedMethod, RouteProof, SignedBy, SourceStatus,
    TargetStatus,
};
pub use verify::{Verify, VerifyProvenance};

/// The API group.
pub const GROUP: &str = "chartpublisher.io";
/// The version that is served and stored.
pub const VERSION: &str = "v1alpha1";
/// The annotation that asks for a run now: any change of its value does. It is echoed in the status and never removed.
pub const REQUESTED_AT: &str = "reconcile.fluxcd.io/requestedAt";
/// With the value of [`REQUESTED_AT`]: the run that is asked for tries everything anew, whatever was learnt of the registry.
pub const FORCE_AT: &str = "reconcile.fluxcd.io/forceAt";
/// The field manager of everything that the controller writes.
pub const FIELD_MANAGER: &str = "chart-publisher";
