//! The manifest of a chart as another registry holds it, to be published as it is.
//!
//! In: its bytes. Out: the blobs that belong to it, or why it is none of a chart. The media types are Helm's (helm.sh, "Registries"); the
//! bytes are never written anew, so that the digest stays, and with it whatever was signed.

use bytes::Bytes;
use serde::Deserialize;

use super::manifest::{CONFIG, LAYER, MANIFEST, PROVENANCE};
use crate::model::{Descriptor, Digest};

/// What Helm wrote for the archive before its version 3.7, and still reads.
const OLD_LAYER: &str = "application/tar+gzip";

/// What `flux push artifact` writes for the config.
const FLUX: &str = "application/vnd.cncf.flux.config.v1+json";

/// A chart's manifest as a registry holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Original {
    /// Its bytes.
    pub bytes: Bytes,
    /// The digest of `bytes`.
    pub digest: Digest,
    /// The config blob.
    pub config: Descriptor,
    /// The archive.
    pub archive: Descriptor,
    /// The provenance file, where it has one.
    pub provenance: Option<Descriptor>,
}

/// Why a manifest is none of a chart.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoChartManifest {
    /// Something else.
    #[error("it is no manifest of OCI")]
    Unreadable,
    /// A list of manifests, one for each platform.
    #[error("it is an index of several manifests, as images for several platforms have, and a chart has only one")]
    Index,
    /// Another kind of manifest.
    #[error("its media type is `{0}`, and that of a chart is `{MANIFEST}`")]
    Kind(String),
    /// What Flux itself makes of manifests.
    #[error("it is an artifact of Flux, as `flux push artifact` makes it of manifests, and no chart")]
    OfFlux,
    /// An image, or another artifact.
    #[error("its config has the media type `{0}`, and that of a chart has `{CONFIG}`")]
    Config(String),
    /// No archive.
    #[error("it has no layer of the media type `{LAYER}`")]
    NoArchive,
    /// Two of what a chart has once.
    #[error("it has two layers of the media type `{0}`")]
    Twice(String),
    /// A layer that Helm does not know.
    #[error("it has a layer of the media type `{0}`, which no chart has")]
    Layer(String),
    /// A digest or size of a blob.
    #[error("it names a blob by `{0}`, and not by a SHA-256 digest and a size")]
    Blob(String),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    schema_version: u64,
    media_type: Option<String>,
    manifests: Option<serde::de::IgnoredAny>,
    config: Option<Blob>,
    layers: Option<Vec<Blob>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Blob {
    media_type: String,
    digest: String,
    size: i64,
}

impl Original {
    /// Reads what a tag holds.
    ///
    /// # Errors
    /// Where it is no manifest of a chart.
    pub fn read(bytes: Bytes) -> Result<Self, NoChartManifest> {
        let written: Written = serde_json::from_slice(&bytes).map_err(|_| NoChartManifest::Unreadable)?;
        let kind = written.media_type.as_deref().unwrap_or(MANIFEST);
        if written.manifests.is_some() {
            return Err(NoChartManifest::Index);
        }
        if kind != MANIFEST {
            return Err(NoChartManifest::Kind(shown(kind)));
        }
        let (Some(config), 2) = (&written.config, written.schema_version) else { return Err(NoChartManifest::Unreadable) };
        if config.media_type == FLUX {
            return Err(NoChartManifest::OfFlux);
        }
        if config.media_type != CONFIG {
            return Err(NoChartManifest::Config(shown(&config.media_type)));
        }
        let (mut archive, mut provenance) = (None, None);
        for layer in written.layers.iter().flatten() {
            let place = match layer.media_type.as_str() {
                LAYER | OLD_LAYER => &mut archive,
                PROVENANCE => &mut provenance,
                other => return Err(NoChartManifest::Layer(shown(other))),
            };
            if place.replace(layer.descriptor()?).is_some() {
                return Err(NoChartManifest::Twice(layer.media_type.clone()));
            }
        }
        let archive = archive.ok_or(NoChartManifest::NoArchive)?;
        Ok(Self { digest: Digest::of(&bytes), config: config.descriptor()?, archive, provenance, bytes })
    }

    /// All that it consists of, the archive first.
    pub fn blobs(&self) -> Vec<Descriptor> {
        std::iter::once(self.archive).chain(self.provenance).chain([self.config]).collect()
    }
}

impl Blob {
    fn descriptor(&self) -> Result<Descriptor, NoChartManifest> {
        let digest = self.digest.strip_prefix("sha256:").and_then(|_| self.digest.parse().ok());
        let descriptor = digest.zip(u64::try_from(self.size).ok()).map(|(digest, size)| Descriptor { digest, size });
        descriptor.ok_or_else(|| NoChartManifest::Blob(shown(&format!("{}, {} bytes", self.digest, self.size))))
    }
}

fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(120).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn blob(kind: &str, content: &str) -> Value {
        json!({"mediaType": kind, "digest": Digest::of(content.as_bytes()).to_string(), "size": content.len()})
    }

    fn manifest(layers: &[Value]) -> Value {
        json!({"schemaVersion": 2, "config": blob(CONFIG, "{}"), "layers": layers})
    }

    fn read(manifest: &Value) -> Result<Original, NoChartManifest> {
        Original::read(manifest.to_string().into())
    }

    #[test]
    fn the_blobs_of_a_chart_are_found_whatever_their_order() {
        let (archive, signature) = (blob(LAYER, "archive"), blob(PROVENANCE, "signature"));
        for (layers, signed) in [
            (vec![archive.clone()], false),
            (vec![archive.clone(), signature.clone()], true),
            (vec![signature, archive], true),
            (vec![blob(OLD_LAYER, "archive")], false),
        ] {
            let written = manifest(&layers).to_string();
            let original = Original::read(written.clone().into()).unwrap();
            assert_eq!((original.digest, original.bytes.as_ref()), (Digest::of(written.as_bytes()), written.as_bytes()));
            assert_eq!((original.archive.digest, original.archive.size), (Digest::of(b"archive"), 7));
            assert_eq!(original.provenance.map(|layer| layer.digest), signed.then(|| Digest::of(b"signature")));
            assert_eq!(original.blobs().first(), Some(&original.archive));
            assert_eq!(original.config.digest, Digest::of(b"{}"));
        }
    }

    #[test]
    fn what_is_no_chart_is_refused_by_name() {
        let archive = || blob(LAYER, "archive");
        let with = |name: &str, value: Value| {
            let mut manifest = manifest(&[archive()]);
            manifest[name] = value;
            manifest
        };
        let image = "application/vnd.oci.image.config.v1+json";
        let docker = "application/vnd.docker.distribution.manifest.v2+json";
        for (written, expected) in [
            (json!("x"), NoChartManifest::Unreadable),
            (json!({}), NoChartManifest::Unreadable),
            (with("schemaVersion", json!(1)), NoChartManifest::Unreadable),
            (with("config", Value::Null), NoChartManifest::Unreadable),
            (json!({"schemaVersion": 2, "manifests": []}), NoChartManifest::Index),
            (with("manifests", json!([])), NoChartManifest::Index),
            (with("mediaType", json!(docker)), NoChartManifest::Kind(docker.to_owned())),
            (with("config", blob(image, "{}")), NoChartManifest::Config(image.to_owned())),
            (with("config", blob(FLUX, "{}")), NoChartManifest::OfFlux),
            (manifest(&[]), NoChartManifest::NoArchive),
            (manifest(&[blob(PROVENANCE, "x")]), NoChartManifest::NoArchive),
            (manifest(&[archive(), archive()]), NoChartManifest::Twice(LAYER.to_owned())),
            (manifest(&[archive(), blob("a/\u{7}b", "x")]), NoChartManifest::Layer("a/b".to_owned())),
            (
                manifest(&[json!({"mediaType": LAYER, "digest": "sha512:x", "size": 1})]),
                NoChartManifest::Blob("sha512:x, 1 bytes".to_owned()),
            ),
            (
                manifest(&[json!({"mediaType": LAYER, "digest": "sha256:x", "size": -1})]),
                NoChartManifest::Blob("sha256:x, -1 bytes".to_owned()),
            ),
        ] {
            assert_eq!(read(&written), Err(expected), "{written}");
        }
        let twice = manifest(&[archive()]).to_string().replacen("\"layers\":[", "\"layers\":[],\"layers\":[", 1);
        assert_eq!(Original::read(twice.into()), Err(NoChartManifest::Unreadable), "readers differ in which of two counts");
    }
}
