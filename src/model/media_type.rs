//! What manifests are called (image specification, "OCI Image Media Types"; distribution, `manifest/schema2`).

/// A manifest of one image or artifact.
pub const MANIFEST_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";
/// An index of manifests.
pub const INDEX_TYPE: &str = "application/vnd.oci.image.index.v1+json";
/// What registries and tools take for a manifest or an index, with the kinds of Docker that the same tools write.
pub const MANIFEST_TYPES: [&str; 4] = [
    MANIFEST_TYPE,
    INDEX_TYPE,
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
];
