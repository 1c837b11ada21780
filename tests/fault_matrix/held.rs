//! What a registry holds, asked past everything that stands before it, by code that is not under test.

use std::{fs, io::ErrorKind};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use crate::{
    faults::{
        client::{Answer, Ask, once},
        origin::Upstream,
        registry::{
            ScriptedRegistry,
            store::{Manifest, digest},
        },
        watch::ACCEPT,
    },
    scene::{PASSWORD, USER},
};

/// A registry, scripted or real.
#[derive(Clone, Copy)]
pub struct Held<'a> {
    /// The one.
    pub scripted: Option<&'a ScriptedRegistry>,
    /// Or the other.
    pub real: Option<&'a Upstream>,
    /// Whether the scripted one asks for tokens.
    pub asks_for_tokens: bool,
}

impl Held<'_> {
    /// Puts other content under a tag; gives its digest.
    pub async fn take(&self, repository: &str, tag: &str) -> String {
        let blob = b"{}".to_vec();
        let of = digest(&blob);
        let descriptor = json!({"mediaType": "application/octet-stream", "digest": of, "size": blob.len()});
        let content = json!({"schemaVersion": 2, "mediaType": ACCEPT, "config": descriptor, "layers": [descriptor]}).to_string();
        let own = digest(content.as_bytes());
        if let Some(registry) = self.scripted {
            let mut store = registry.store();
            store.blobs.insert((repository.to_owned(), of), blob.into());
            let manifest = Manifest { media_type: ACCEPT.to_owned(), bytes: content.into() };
            store.manifests.insert((repository.to_owned(), own.clone()), manifest);
            store.tags.insert((repository.to_owned(), tag.to_owned()), own.clone());
            return own;
        }
        let socket = self.real.expect("one of both").socket();
        let session = once(socket, Ask::new("POST", format!("/v2/{repository}/blobs/uploads/"))).await.expect("an answer");
        let put = Ask::new("PUT", format!("{}&digest={of}", session.location())).body(blob);
        assert_eq!(once(socket, put).await.expect("an answer").status(), 201);
        let put = Ask::new("PUT", format!("/v2/{repository}/manifests/{tag}")).field("Content-Type", ACCEPT).body(content);
        assert_eq!(once(socket, put).await.expect("an answer").status(), 201);
        own
    }

    /// The digest under a tag, whatever quirks are on: where the registry keeps it.
    pub fn tag(&self, repository: &str, tag: &str) -> Result<Option<String>, String> {
        if let Some(registry) = self.scripted {
            return Ok(registry.tag(repository, tag));
        }
        let Some(Upstream::Real(registry)) = self.real else { return Err("no registry".to_owned()) };
        let link = format!("docker/registry/v2/repositories/{repository}/_manifests/tags/{tag}/current/link");
        match fs::read_to_string(registry.storage().join(link)) {
            Ok(digest) => Ok(Some(digest).filter(|digest| !digest.is_empty())),
            Err(problem) if problem.kind() == ErrorKind::NotFound => Ok(None),
            Err(problem) => Err(problem.to_string()),
        }
    }

    /// What keeps a puller from using what a tag holds now; nothing when it pulls whole and hashes right, or is not there.
    pub async fn broken(&self, repository: &str, tag: &str) -> Option<String> {
        if self.scripted.is_some() { self.broken_in_store(repository, tag) } else { self.pull(repository, tag).await.err() }
    }

    fn broken_in_store(&self, repository: &str, tag: &str) -> Option<String> {
        let store = self.scripted?.store();
        let (_, manifest) = store.manifest(repository, tag)?;
        let content: Value = serde_json::from_slice(&manifest.bytes).ok()?;
        let broken = blobs(&content).find(|(of, _)| {
            let blob = store.blobs.get(&(repository.to_owned(), of.clone()));
            blob.is_none_or(|bytes| digest(bytes) != *of)
        });
        broken.map(|(of, _)| format!("{tag} names {of}, which is not there or is damaged"))
    }

    /// Pulls a tag as any client would, quirks and redirects included: digest of the manifest, and the layers. `None` when absent.
    pub async fn pull(&self, repository: &str, tag: &str) -> Result<Option<(String, Vec<Vec<u8>>)>, String> {
        let answer = self.get(&format!("/v2/{repository}/manifests/{tag}")).await?;
        if answer.status() == 404 {
            return Ok(None);
        }
        if answer.status() != 200 {
            return Err(format!("{} for the manifest of {tag}", answer.status()));
        }
        let content: Value = serde_json::from_slice(&answer.body).map_err(|problem| problem.to_string())?;
        let mut layers = Vec::new();
        for (of, is_layer) in blobs(&content) {
            let answer = self.get(&format!("/v2/{repository}/blobs/{of}")).await?;
            if answer.status() != 200 || !answer.whole || digest(&answer.body) != of {
                return Err(format!("{} for {of} of {tag}, and other bytes", answer.status()));
            }
            layers.extend(is_layer.then_some(answer.body));
        }
        Ok(Some((digest(&answer.body), layers)))
    }

    /// distribution's file system driver answers 500 to who reads a tag while it is written: that is no answer yet.
    async fn get(&self, path: &str) -> Result<Answer, String> {
        let mut answer = self.get_once(path).await;
        for _ in 0..3 {
            if self.scripted.is_some() || !answer.as_ref().is_ok_and(|answer| answer.status() == 500) {
                break;
            }
            answer = self.get_once(path).await;
        }
        answer
    }

    async fn get_once(&self, path: &str) -> Result<Answer, String> {
        let socket = self.scripted.map_or_else(|| self.real.expect("one of both").socket(), ScriptedRegistry::socket);
        let ask = Ask::new("GET", path).field("Accept", ACCEPT);
        let ask = if self.scripted.is_some() { ask.field("Authorization", self.authorization(path).await) } else { ask };
        let answer = once(socket, ask).await?;
        let Some(there) = answer.field("location").filter(|_| answer.status() == 307) else { return Ok(answer) };
        let rest = there.split_once("://").ok_or("a redirect to nowhere")?.1;
        let (host, path) = rest.split_once('/').ok_or("a redirect to nowhere")?;
        once(host.parse().map_err(|_| "a redirect to a name")?, Ask::new("GET", format!("/{path}"))).await
    }

    async fn authorization(&self, path: &str) -> String {
        let basic = format!("Basic {}", BASE64_STANDARD.encode(format!("{USER}:{PASSWORD}")));
        let Some(registry) = self.scripted.filter(|_| self.asks_for_tokens) else { return basic };
        let repository = path.split('/').skip(2).take(3).collect::<Vec<_>>().join("/");
        let ask = Ask::new("GET", format!("/token?scope=repository:{repository}:pull")).field("Authorization", basic.clone());
        let answer = once(registry.socket(), ask).await.ok().filter(|answer| answer.status() == 200);
        let token = answer.and_then(|answer| Some(serde_json::from_slice::<Value>(&answer.body).ok()?["token"].as_str()?.to_owned()));
        token.map_or(basic, |token| format!("Bearer {token}"))
    }

    /// The digests of all manifests that were ever put into a repository.
    pub fn manifests(&self, repository: &str) -> Vec<String> {
        if let Some(registry) = self.scripted {
            let store = registry.store();
            return store.manifests.keys().filter(|(of, _)| of == repository).map(|(_, digest)| digest.clone()).collect();
        }
        let names = self.folder(&format!("{repository}/_manifests/revisions/sha256"));
        names.into_iter().map(|name| format!("sha256:{name}")).collect()
    }

    /// The names in a folder below the repositories of a real registry.
    fn folder(&self, path: &str) -> Vec<String> {
        let Some(Upstream::Real(registry)) = self.real else { return Vec::new() };
        let entries = fs::read_dir(registry.storage().join("docker/registry/v2/repositories").join(path));
        entries.into_iter().flatten().flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
    }

    /// The sessions of a repository that are neither closed nor deleted.
    pub fn sessions(&self, repository: &str) -> Vec<String> {
        if let Some(registry) = self.scripted {
            let store = registry.store();
            return store.uploads.iter().filter(|(_, upload)| upload.repository == repository).map(|(id, _)| id.clone()).collect();
        }
        self.folder(&format!("{repository}/_uploads"))
    }
}

/// The blobs that a manifest names, and whether each is a layer.
fn blobs(content: &Value) -> impl Iterator<Item = (String, bool)> {
    let layers = content["layers"].as_array().into_iter().flatten().map(|layer| (layer, true));
    [(&content["config"], false)].into_iter().chain(layers).filter_map(|(blob, layer)| Some((blob["digest"].as_str()?.to_owned(), layer)))
}
