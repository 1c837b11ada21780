//! The manifest of something that refers to a chart, or belongs to it by its tag: a signature, an attestation, a bill of materials.
//!
//! In: its bytes, and what the registry calls them. Out: what has to be there before it, what it refers to, and how a list of referrers
//! names it; or why it is no manifest. The bytes are never written anew. Shapes: OCI image specification, manifest.md, image-index.md
//! and descriptor.md.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::model::{Descriptor, Digest, INDEX_TYPE as INDEX, MANIFEST_TYPE as MANIFEST, MANIFEST_TYPES};

/// A manifest of anything, as a registry holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    /// Its bytes.
    pub bytes: Bytes,
    /// The digest of `bytes`.
    pub digest: Digest,
    /// What the bytes are.
    pub media_type: String,
    /// What it says that it is: its `artifactType`, or the media type of its config.
    pub kind: Option<String>,
    /// The manifest that it refers to.
    pub subject: Option<Digest>,
    /// Its config and layers, each once.
    pub blobs: Vec<Descriptor>,
    /// The manifests that an index lists.
    pub manifests: Vec<Descriptor>,
    annotations: Option<Map<String, Value>>,
    /// Its layers, or the manifests that it lists, as it names them: two signatures can be of the same bytes, and differ in an annotation.
    parts: Vec<Value>,
}

/// Why something is no manifest that could be copied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoArtifact {
    /// Something else.
    #[error("it is no manifest of OCI")]
    Unreadable,
    /// Another kind.
    #[error("its media type is `{0}`, and only manifests and indexes of OCI and Docker can be copied")]
    Kind(String),
    /// A digest or size.
    #[error("it names something by `{0}`, and not by a SHA-256 digest and a size")]
    Descriptor(String),
    /// A layer that lies elsewhere.
    #[error("it has a layer that lies elsewhere, and cannot be copied: `{0}`")]
    Foreign(String),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    schema_version: u64,
    media_type: Option<String>,
    artifact_type: Option<String>,
    config: Option<Named>,
    layers: Option<Vec<Value>>,
    manifests: Option<Vec<Value>>,
    subject: Option<Named>,
    annotations: Option<Map<String, Value>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Named {
    media_type: Option<String>,
    digest: String,
    size: i64,
}

impl Artifact {
    /// Reads a manifest that the registry sent as `sent_as`.
    ///
    /// # Errors
    /// Where it is none.
    pub fn read(bytes: Bytes, sent_as: Option<&str>) -> Result<Self, NoArtifact> {
        let written: Written = serde_json::from_slice(&bytes).map_err(|_| NoArtifact::Unreadable)?;
        let media_type = written.media_type.clone().or(sent_as.map(str::to_owned));
        let media_type = media_type.unwrap_or_else(|| if written.manifests.is_some() { INDEX } else { MANIFEST }.to_owned());
        if !MANIFEST_TYPES.contains(&media_type.as_str()) {
            return Err(NoArtifact::Kind(shown(&media_type)));
        }
        if written.schema_version != 2 || written.manifests.is_some() == written.config.is_some() {
            return Err(NoArtifact::Unreadable);
        }
        let layers = written.layers.unwrap_or_default();
        let read: Vec<Named> = layers.iter().map(named).collect::<Result<_, _>>()?;
        if let Some(kind) = read.iter().filter_map(|layer| layer.media_type.as_deref()).find(|kind| lies_elsewhere(kind)) {
            return Err(NoArtifact::Foreign(shown(kind)));
        }
        let mut blobs = Vec::new();
        for blob in written.config.iter().chain(&read) {
            let descriptor = blob.descriptor()?;
            if !blobs.contains(&descriptor) {
                blobs.push(descriptor);
            }
        }
        let listed = written.manifests.unwrap_or_default();
        Ok(Self {
            digest: Digest::of(&bytes),
            kind: written.artifact_type.or_else(|| written.config.and_then(|config| config.media_type)).map(|kind| shown(&kind)),
            subject: written.subject.map(|subject| subject.descriptor().map(|subject| subject.digest)).transpose()?,
            manifests: listed.iter().map(|listed| named(listed)?.descriptor()).collect::<Result<_, _>>()?,
            parts: layers.into_iter().chain(listed).collect(),
            annotations: written.annotations,
            media_type,
            blobs,
            bytes,
        })
    }

    /// Bytes of it, with all that it names but other manifests.
    pub fn size(&self) -> u64 {
        self.blobs.iter().fold(self.bytes.len() as u64, |sum, blob| sum.saturating_add(blob.size))
    }

    /// Whether nothing of `other` is lost where this one takes its place.
    pub fn has_all_of(&self, other: &Self) -> bool {
        other.subject == self.subject && other.parts.iter().all(|part| self.parts.contains(part))
    }

    /// The entry of a list of referrers (distribution specification, "Listing Referrers").
    pub fn entry(&self) -> Value {
        let mut entry = json!({"mediaType": self.media_type, "digest": self.digest.to_string(), "size": self.bytes.len()});
        if let Some(object) = entry.as_object_mut() {
            object.extend(self.kind.iter().map(|kind| ("artifactType".to_owned(), json!(kind))));
            object.extend(self.annotations.iter().map(|annotations| ("annotations".to_owned(), json!(annotations))));
        }
        entry
    }
}

fn named(written: &Value) -> Result<Named, NoArtifact> {
    serde_json::from_value(written.clone()).map_err(|_| NoArtifact::Descriptor(shown(&written.to_string())))
}

/// Layers of Windows that may not be passed on, and lie where they say.
fn lies_elsewhere(kind: &str) -> bool {
    kind.contains(".foreign.") || kind.contains(".nondistributable.")
}

impl Named {
    fn descriptor(&self) -> Result<Descriptor, NoArtifact> {
        let digest = self.digest.strip_prefix("sha256:").and_then(|_| self.digest.parse().ok());
        let descriptor = digest.zip(u64::try_from(self.size).ok()).map(|(digest, size)| Descriptor { digest, size });
        descriptor.ok_or_else(|| NoArtifact::Descriptor(shown(&format!("{}, {} bytes", self.digest, self.size))))
    }
}

/// The index of referrers `before` with those of `entries` that it lacks; nothing where it has all of them. What others wrote into it stays
/// as it is.
///
/// # Errors
/// `before` is no index.
pub fn with_referrers(before: Option<&[u8]>, entries: &[Value]) -> Result<Option<Bytes>, NoArtifact> {
    let new = || json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": []});
    let mut index: Value = before.map_or_else(|| Ok(new()), serde_json::from_slice).map_err(|_| NoArtifact::Unreadable)?;
    let listed = index.get_mut("manifests").and_then(Value::as_array_mut).ok_or(NoArtifact::Unreadable)?;
    let is_there = |listed: &[Value], entry: &Value| listed.iter().any(|other| other.get("digest") == entry.get("digest"));
    let missing: Vec<_> = entries.iter().filter(|entry| !is_there(listed, entry)).cloned().collect();
    if missing.is_empty() && before.is_some() {
        return Ok(None);
    }
    listed.extend(missing);
    Ok(Some(index.to_string().into()))
}

fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(120).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(content: &str) -> Value {
        json!({"mediaType": "application/x", "digest": Digest::of(content.as_bytes()).to_string(), "size": content.len()})
    }

    fn manifest(change: &Value) -> Value {
        let mut manifest =
            json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": named("{}"), "layers": [named("a"), named("b"), named("a")]});
        for (name, value) in change.as_object().unwrap() {
            manifest[name] = value.clone();
        }
        manifest
    }

    fn read(manifest: &Value) -> Result<Artifact, NoArtifact> {
        Artifact::read(manifest.to_string().into(), None)
    }

    #[test]
    fn a_manifest_says_what_belongs_to_it_and_what_it_refers_to() {
        let signature = manifest(&json!({"subject": named("chart"), "artifactType": "application/sig", "annotations": {"a": "b"}}));
        let artifact = read(&signature).unwrap();
        assert_eq!(artifact.subject, Some(Digest::of(b"chart")));
        assert_eq!(artifact.blobs.iter().map(|blob| blob.digest).collect::<Vec<_>>(), [b"{}".as_slice(), b"a", b"b"].map(Digest::of));
        assert_eq!(artifact.size(), signature.to_string().len() as u64 + 4);
        let entry = json!({
            "mediaType": MANIFEST, "digest": artifact.digest.to_string(), "size": artifact.bytes.len(), "artifactType": "application/sig",
            "annotations": {"a": "b"},
        });
        assert_eq!(artifact.entry(), entry);
        let without = read(&manifest(&json!({}))).unwrap();
        assert_eq!((without.subject, without.entry()["artifactType"].as_str()), (None, Some("application/x")));
        let index = json!({"schemaVersion": 2, "manifests": [named("one")], "subject": named("chart")});
        let index = Artifact::read(index.to_string().into(), Some(INDEX)).unwrap();
        assert_eq!((index.media_type.as_str(), index.manifests[0].digest, index.blobs.len()), (INDEX, Digest::of(b"one"), 0));
    }

    #[test]
    fn what_cannot_be_copied_is_refused_by_name() {
        for (written, expected) in [
            (json!("x"), NoArtifact::Unreadable),
            (json!({"schemaVersion": 2}), NoArtifact::Unreadable),
            (manifest(&json!({"schemaVersion": 1})), NoArtifact::Unreadable),
            (manifest(&json!({"manifests": []})), NoArtifact::Unreadable),
            (manifest(&json!({"mediaType": "text/html"})), NoArtifact::Kind("text/html".to_owned())),
            (manifest(&json!({"layers": [{"digest": "sha512:x", "size": 1}]})), NoArtifact::Descriptor("sha512:x, 1 bytes".to_owned())),
            (
                manifest(&json!({"layers": [{"mediaType": "a.foreign.b", "digest": Digest::of(b"").to_string(), "size": 1}]})),
                NoArtifact::Foreign("a.foreign.b".to_owned()),
            ),
        ] {
            assert_eq!(read(&written), Err(expected), "{written}");
        }
    }

    #[test]
    fn a_signature_more_takes_nothing_away() {
        let layers = |layers: &[&str], config| {
            let layers: Vec<_> = layers.iter().map(|layer| named(layer)).collect();
            read(&manifest(&json!({"layers": layers, "config": named(config)}))).unwrap()
        };
        let (one, both, other) = (layers(&["a"], "1"), layers(&["a", "b"], "2"), layers(&["c"], "1"));
        assert!(both.has_all_of(&one) && one.has_all_of(&one));
        assert!(!one.has_all_of(&both) && !other.has_all_of(&one) && !both.has_all_of(&other));
        let signed_by = |who: &str| {
            let mut layer = named("payload");
            layer["annotations"] = json!({"dev.cosignproject.cosign/signature": who});
            read(&manifest(&json!({"layers": [layer]}))).unwrap()
        };
        assert!(!signed_by("one").has_all_of(&signed_by("other")), "the payload is the same, and the signature another");
        let elsewhere = read(&manifest(&json!({"subject": named("x")}))).unwrap();
        assert!(!both.has_all_of(&elsewhere));
    }

    #[test]
    fn what_others_wrote_into_a_list_of_referrers_stays() {
        let new = with_referrers(None, &[named("a")]).unwrap().unwrap();
        assert_eq!(
            serde_json::from_slice::<Value>(&new).unwrap(),
            json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [named("a")]})
        );
        let before = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [named("other")], "annotations": {"x": "y"}}).to_string();
        let after = with_referrers(Some(before.as_bytes()), &[named("a"), named("other")]).unwrap().unwrap();
        let after: Value = serde_json::from_slice(&after).unwrap();
        assert_eq!(after["manifests"], json!([named("other"), named("a")]));
        assert_eq!(after["annotations"], json!({"x": "y"}));
        assert_eq!(with_referrers(Some(before.as_bytes()), &[named("other")]), Ok(None));
        assert!(with_referrers(None, &[]).unwrap().is_some(), "an empty list is one, too");
        for broken in ["{}", "[]", "<html>"] {
            assert_eq!(with_referrers(Some(broken.as_bytes()), &[]), Err(NoArtifact::Unreadable), "{broken}");
        }
    }
}
