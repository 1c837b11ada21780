//! Validated words: what a string has become once it was checked.
//!
//! Every type here is parsed once, at the edge, and is then proof of its form. Nothing here does I/O.

mod authorization;
mod chart_version;
pub mod close;
mod constraint;
mod credential;
mod descriptor;
mod digest;
mod discreet;
mod docker_file;
mod encoded;
mod framing;
mod image_name;
mod login;
mod media_type;
mod name_pattern;
mod object_name;
mod origin;
mod size;
mod span;

pub use authorization::{Authorization, InvalidToken, Token};
pub use chart_version::{ChartVersion, InvalidVersion};
pub use constraint::{Constraint, InvalidConstraint, NotAdmitted, Prereleases};
pub use credential::{Credential, InvalidCredential};
pub use descriptor::Descriptor;
pub use digest::{Digest, DigestWriter, InvalidDigest};
pub use discreet::{HIDDEN, discreet, without};
pub use docker_file::{DockerFile, Found};
pub use encoded::{InvalidBase64, decoded};
pub use framing::{Chunks, Framing, Method};
pub use image_name::{InvalidName, RepositoryName, Tag};
pub use login::{InvalidDockerConfig, Login};
pub use media_type::{INDEX_TYPE, MANIFEST_TYPE, MANIFEST_TYPES};
pub use name_pattern::{InvalidPattern, NamePattern};
pub use object_name::{is_label, is_subdomain};
pub use origin::{InvalidOrigin, Origin, Scheme};
pub use size::{InvalidSize, size};
pub use span::{InvalidSpan, span};
