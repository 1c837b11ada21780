//! The OCI manifest of a chart, byte for byte as `helm push` of Helm v4 writes it.
//!
//! In: a chart, the descriptors of its archive and its provenance file, and the time of creation. Out: the bytes and digests.
//! Shapes: OCI image specification, manifest.md and annotations.md; media types: helm.sh, "Registries".

use std::collections::BTreeMap;

use bytes::Bytes;
use k8s_openapi::jiff::Timestamp;

use super::{
    ChartContent,
    json::{self, Object},
    metadata::Metadata,
};
use crate::model::{Descriptor, Digest};

/// Media type of a manifest.
pub use crate::model::MANIFEST_TYPE as MANIFEST;
/// Media type of the config blob.
pub const CONFIG: &str = "application/vnd.cncf.helm.config.v1+json";
/// Media type of the archive.
pub const LAYER: &str = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";
/// Media type of the provenance file.
pub const PROVENANCE: &str = "application/vnd.cncf.helm.chart.provenance.v1.prov";

const CREATED: &str = "org.opencontainers.image.created";

/// A manifest, ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// What is sent.
    pub bytes: Bytes,
    /// The digest of `bytes`.
    pub digest: Digest,
    /// The digest of the config blob that it names.
    pub config_digest: Digest,
}

/// Builds the manifest. `created` counts seconds since 1970; an annotation of the chart's own goes before it, as in Helm.
pub fn manifest(chart: &ChartContent, layer: &Descriptor, provenance: Option<&Descriptor>, created: Option<i64>) -> Manifest {
    let config = Descriptor { digest: Digest::of(&chart.config), size: chart.config.len() as u64 };
    let mut layers = vec![(LAYER, layer)];
    layers.extend(provenance.map(|provenance| (PROVENANCE, provenance)));
    layers.sort_by_key(|(_, layer)| layer.digest);
    let mut annotations = chart.annotations.clone();
    if let Some(created) = created.and_then(rfc3339) {
        annotations.entry(CREATED.to_owned()).or_insert(created);
    }
    let mut out = String::with_capacity(1024);
    let mut object = Object::begin(&mut out);
    object.member("schemaVersion").push('2');
    descriptor(object.member("config"), CONFIG, &config);
    object.list("layers", &layers, |out, (media_type, layer)| descriptor(out, media_type, layer));
    object.texts("annotations", &annotations);
    object.end();
    let bytes = Bytes::from(out);
    Manifest { digest: Digest::of(&bytes), bytes, config_digest: config.digest }
}

fn descriptor(out: &mut String, media_type: &str, descriptor: &Descriptor) {
    let mut object = Object::begin(out);
    json::text(object.member("mediaType"), media_type);
    json::text(object.member("digest"), &descriptor.digest.to_string());
    object.member("size").push_str(&descriptor.size.to_string());
    object.end();
}

/// `2024-01-02T03:04:05Z`; None outside of the years that have such a form.
fn rfc3339(seconds: i64) -> Option<String> {
    Timestamp::from_second(seconds).ok().map(|time| time.to_string()).filter(|text| text.len() == 20)
}

/// The annotations that Helm derives, save for the time of creation.
pub(super) fn annotations(metadata: &Metadata) -> BTreeMap<String, String> {
    let source = metadata.sources.first().map_or("", String::as_str);
    let authors = authors(metadata);
    let derived = [
        ("authors", authors.as_str()),
        ("description", &metadata.description),
        ("source", source),
        ("title", &metadata.name),
        ("url", &metadata.home),
        ("version", &metadata.version),
    ];
    let mut annotations: BTreeMap<String, String> = derived
        .into_iter()
        .filter(|(_, value)| !value.trim().is_empty())
        .map(|(name, value)| (format!("org.opencontainers.image.{name}"), value.to_owned()))
        .collect();
    for (key, value) in &metadata.annotations {
        if !matches!(key.as_str(), "org.opencontainers.image.title" | "org.opencontainers.image.version") {
            annotations.insert(key.clone(), value.clone());
        }
    }
    annotations
}

/// `Ada (ada@example.com), Grace`.
fn authors(metadata: &Metadata) -> String {
    let one = |email: &str, name: &str| if email.is_empty() { name.to_owned() } else { format!("{name} ({email})") };
    let all: Vec<String> = metadata.maintainers.iter().flatten().map(|person| one(&person.email, &person.name)).collect();
    all.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::metadata::Maintainer;

    fn chart(annotations: &[(&str, &str)]) -> ChartContent {
        ChartContent {
            name: "web".into(),
            version: "1.2.3".parse().unwrap(),
            config: Bytes::from_static(b"{}"),
            annotations: annotations.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
            packaged: None,
            files: Vec::new(),
        }
    }

    fn blob(text: &[u8]) -> Descriptor {
        Descriptor { digest: Digest::of(text), size: text.len() as u64 }
    }

    #[test]
    fn layers_are_sorted_by_their_digests() {
        let (one, other) = (blob(b"a"), blob(b"b"));
        for (layer, provenance) in [(one, other), (other, one)] {
            let manifest = manifest(&chart(&[]), &layer, Some(&provenance), None);
            let text = String::from_utf8(manifest.bytes.to_vec()).unwrap();
            assert!(text.find(&other.digest.to_string()) < text.find(&one.digest.to_string()), "{text}");
            assert_eq!(manifest.config_digest, Digest::of(b"{}"));
        }
    }

    #[test]
    fn the_time_is_left_out_or_put_in_or_the_charts_own() {
        let text = |chart: &ChartContent, created| String::from_utf8(manifest(chart, &blob(b""), None, created).bytes.to_vec()).unwrap();
        assert!(!text(&chart(&[]), None).contains("annotations"));
        assert!(
            text(&chart(&[]), Some(1_704_164_645))
                .ends_with(r#""annotations":{"org.opencontainers.image.created":"2024-01-02T03:04:05Z"}}"#)
        );
        assert!(text(&chart(&[(CREATED, "then")]), Some(0)).ends_with(r#""annotations":{"org.opencontainers.image.created":"then"}}"#));
        assert!(!text(&chart(&[]), Some(i64::MAX)).contains("annotations"));
    }

    #[test]
    fn authors_are_listed_as_helm_does() {
        let person = |name: &str, email: &str| Some(Maintainer { name: name.into(), email: email.into(), url: String::new() });
        let metadata =
            Metadata { maintainers: vec![person("Ada", "a@x"), person("Grace", ""), person("", "only@x")], ..Metadata::default() };
        assert_eq!(annotations(&metadata)["org.opencontainers.image.authors"], "Ada (a@x), Grace,  (only@x)");
    }
}
