//! A Kubernetes namespace for one test.

use std::path::PathBuf;

use base64::{Engine, prelude::BASE64_STANDARD};
use k8s_openapi::{
    NamespaceResourceScope,
    api::{
        authentication::v1::{TokenRequest, TokenRequestSpec},
        core::v1::{ConfigMap, Namespace as KubernetesNamespace, Secret, ServiceAccount},
    },
};
use kube::{
    Api, Client, Resource,
    api::{DeleteParams, ObjectMeta, Patch, PatchParams, PostParams},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::{Bed, background, random_word};

/// A namespace of a random name. Dropping it deletes it, with all that is in it.
pub struct Namespace {
    /// The bed that it is in.
    pub bed: &'static Bed,
    /// A client with the administrator's rights.
    pub client: Client,
    name: String,
}

impl Bed {
    /// A fresh namespace.
    pub async fn namespace(&'static self) -> Namespace {
        let namespace = Namespace { bed: self, client: self.client().await, name: format!("test-{}", random_word()) };
        let metadata = ObjectMeta { name: Some(namespace.name.clone()), ..ObjectMeta::default() };
        let wanted = KubernetesNamespace { metadata, ..KubernetesNamespace::default() };
        let all = Api::<KubernetesNamespace>::all(namespace.client.clone());
        all.create(&PostParams::default(), &wanted).await.expect("a new namespace");
        namespace
    }
}

impl Namespace {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The objects of one kind in it.
    pub fn api<K>(&self) -> Api<K>
    where
        K: Resource<Scope = NamespaceResourceScope>,
        K::DynamicType: Default,
    {
        Api::namespaced(self.client.clone(), &self.name)
    }

    /// Applies an object, given as JSON.
    pub async fn apply<K>(&self, object: Value) -> K
    where
        K: Resource<Scope = NamespaceResourceScope> + Clone + std::fmt::Debug + DeserializeOwned + Serialize,
        K::DynamicType: Default,
    {
        let name = object.pointer("/metadata/name").and_then(Value::as_str).expect("an object with a name").to_owned();
        let applied = self.api::<K>().patch(&name, &PatchParams::apply("test").force(), &Patch::Apply(&object)).await;
        applied.unwrap_or_else(|problem| panic!("{object}: {problem}"))
    }

    /// A Secret with these entries.
    pub async fn secret(&self, name: &str, entries: &[(&str, &str)]) -> Secret {
        let entries: serde_json::Map<_, _> = entries.iter().map(|(key, value)| ((*key).to_owned(), json!(value))).collect();
        self.apply(json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": entries})).await
    }

    /// A ConfigMap with these bytes.
    pub async fn config_map(&self, name: &str, entries: &[(&str, &[u8])]) -> ConfigMap {
        let entries: serde_json::Map<_, _> =
            entries.iter().map(|(key, bytes)| ((*key).to_owned(), json!(BASE64_STANDARD.encode(bytes)))).collect();
        self.apply(json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "binaryData": entries})).await
    }

    /// A kubeconfig, for use inside of the cluster's network, with a token of a ServiceAccount of this namespace.
    pub async fn kubeconfig_of(&self, account: &str) -> PathBuf {
        let wish = TokenRequest {
            metadata: ObjectMeta::default(),
            spec: TokenRequestSpec { audiences: Vec::new(), bound_object_ref: None, expiration_seconds: Some(7200) },
            status: None,
        };
        let accounts = self.api::<ServiceAccount>();
        let token = accounts.create_token_request(account, &PostParams::default(), &wish).await.expect("a ServiceAccount").status;
        let administrator = std::fs::read_to_string(&self.bed.information.inner_kubeconfig).expect("the bed's kubeconfig");
        let mut kubeconfig: Value = serde_json::from_str(&administrator).expect("the bed writes JSON");
        let user = kubeconfig.pointer_mut("/users/0/user/token").expect("the bed's user has a token");
        *user = json!(token.expect("a token").token);
        let file = self.bed.folder("kubeconfig").join(account);
        std::fs::write(&file, kubeconfig.to_string()).expect("a file in the bed's folder");
        file
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let (bed, name) = (self.bed, self.name.clone());
        background::finish(async move {
            let all = Api::<KubernetesNamespace>::all(bed.client().await);
            let _ = all.delete(&name, &DeleteParams::background()).await;
        });
    }
}
