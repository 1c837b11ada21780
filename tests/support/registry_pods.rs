//! Registries as users run them: a Deployment of Pods of distribution, with storage of their own or shared, on all addresses of the
//! Pod or on its loopback only. Needs [`super::pods`].

use std::{net::SocketAddr, path::PathBuf};

use k8s_openapi::api::{
    apps::v1::Deployment,
    core::v1::{ConfigMap, Pod},
};
use kube::api::{DeleteParams, ListParams};
use serde_json::{Value, json};

use super::{
    access_log::{self, Request},
    eventually::{SOON, eventually},
    exposure::{Exposed, Exposure},
    namespace::Namespace,
    registry::Version,
};

/// The port of the registry in each Pod.
pub const PORT: u16 = 5000;

/// A Deployment that is described and not yet there.
#[must_use]
pub struct RegistryPodsBuilder<'a> {
    namespace: &'a Namespace,
    name: String,
    version: Version,
    replicas: u32,
    loopback: bool,
    shared: bool,
    configuration: Value,
}

/// A Deployment of registries. It goes with its namespace.
pub struct RegistryPods<'a> {
    namespace: &'a Namespace,
    name: String,
    version: Version,
    replicas: u32,
    loopback: bool,
    shared: Option<PathBuf>,
    configuration: Value,
}

/// One of its Pods.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistryPod {
    /// Its name.
    pub name: String,
    /// Its address, and the port of the registry.
    pub socket: SocketAddr,
    uid: String,
}

impl Namespace {
    /// A registry of one Pod that anybody may write to, by plain HTTP, with storage of its own.
    pub fn registry_pods(&self, name: &str, version: Version) -> RegistryPodsBuilder<'_> {
        let configuration = json!({
            "version": "0.1",
            "log": {"level": "info"},
            "storage": {"filesystem": {"rootdirectory": "/storage"}, "delete": {"enabled": true}},
            "http": {"addr": format!(":{PORT}"), "secret": "of the test bed"},
        });
        let name = name.to_owned();
        RegistryPodsBuilder { namespace: self, name, version, replicas: 1, loopback: false, shared: false, configuration }
    }
}

impl<'a> RegistryPodsBuilder<'a> {
    /// So many Pods.
    pub fn replicas(mut self, replicas: u32) -> Self {
        self.replicas = replicas;
        self
    }

    /// All Pods write to the same folder.
    pub fn shared_storage(mut self) -> Self {
        self.shared = true;
        self
    }

    /// Listens on 127.0.0.1 of the Pod, where only a port-forward leads to.
    pub fn on_loopback(mut self) -> Self {
        self.loopback = true;
        self.configuration["http"]["addr"] = json!(format!("127.0.0.1:{PORT}"));
        self
    }

    /// Each Pod makes up the secret that signs its upload sessions: no other Pod knows them.
    pub fn without_secret(mut self) -> Self {
        self.configuration["http"].as_object_mut().expect("an object").remove("secret");
        self
    }

    /// Sets a field of distribution's configuration, for example `/http/relativeurls`.
    pub fn set(mut self, pointer: &str, value: Value) -> Self {
        set(&mut self.configuration, pointer, value);
        self
    }

    /// Makes it and waits until all Pods are ready.
    pub async fn start(self) -> RegistryPods<'a> {
        let Self { namespace, name, version, replicas, loopback, shared, configuration } = self;
        let shared = shared.then(|| namespace.bed.folder("shared-registry"));
        let registry = RegistryPods { namespace, name, version, replicas, loopback, shared, configuration };
        registry.apply().await;
        registry.wait_until_ready().await;
        registry
    }
}

impl RegistryPods<'_> {
    /// Its Pods by name, without those that are on their way out.
    pub async fn pods(&self) -> Vec<RegistryPod> {
        let selector = ListParams::default().labels(&format!("app={}", self.name));
        let pods = self.namespace.api::<Pod>().list(&selector).await.expect("the Pods").items;
        let mut pods: Vec<_> = pods.iter().filter(|pod| pod.metadata.deletion_timestamp.is_none()).filter_map(RegistryPod::of).collect();
        pods.sort_by(|one, other| one.name.cmp(&other.name));
        pods
    }

    /// Waits until as many Pods as wished are ready, all of them of the newest configuration.
    pub async fn wait_until_ready(&self) {
        let deployments = self.namespace.api::<Deployment>();
        let wanted = Some(i32::try_from(self.replicas).expect("a small number"));
        eventually(SOON, &format!("the Pods of {} are ready", self.name), async || {
            let deployment = deployments.get(&self.name).await.map_err(|problem| problem.to_string())?;
            let status = deployment.status.unwrap_or_default();
            let current = status.observed_generation >= deployment.metadata.generation;
            let counts = [status.replicas, status.updated_replicas, status.ready_replicas];
            let right = counts.iter().all(|count| count.or(Some(0)) == wanted);
            if current && right { Ok(()) } else { Err(format!("{counts:?} of {wanted:?}")) }
        })
        .await;
    }

    /// A Service `name` in front of them, with more fields of its spec; waits until it leads to every Pod.
    pub async fn expose(&self, name: &str, exposure: Exposure, spec: Value) -> Exposed {
        let pods: Vec<_> = self.pods().await.iter().map(|pod| pod.socket).collect();
        let exposed = self.namespace.declare_selected(name, exposure, &json!({"app": self.name}), &pods, spec).await;
        self.namespace.wait_for_endpoints(name, &pods).await;
        if !self.loopback {
            self.namespace.wait_until_open(name, &exposed).await;
        }
        exposed
    }

    /// What a Pod has logged, by `kubectl logs`.
    pub fn log(&self, pod: &RegistryPod) -> String {
        self.namespace.bed.run_on_host(&["kubectl", "logs", "--namespace", self.namespace.name(), &pod.name]).expect_success()
    }

    /// The requests that a Pod has logged, less those that ask whether it is ready.
    pub fn requests(&self, pod: &RegistryPod) -> Vec<Request> {
        access_log::parse_all(&self.log(pod)).into_iter().filter(|request| request.path() != "/").collect()
    }

    /// The folder on this machine where a Pod keeps its blobs.
    pub fn storage(&self, pod: &RegistryPod) -> PathBuf {
        let own =
            || self.namespace.bed.information.state.join("kubelet/pods").join(&pod.uid).join("volumes/kubernetes.io~empty-dir/storage");
        self.shared.clone().unwrap_or_else(own)
    }

    /// Deletes a Pod and waits until it is gone; the Deployment makes another one ([`Self::wait_until_ready`]).
    pub async fn delete(&self, pod: &RegistryPod) {
        let pods = self.namespace.api::<Pod>();
        pods.delete(&pod.name, &DeleteParams::default()).await.expect("the Pod");
        eventually(SOON, &format!("{} is gone", pod.name), async || match pods.get_opt(&pod.name).await {
            Ok(None) => Ok(()),
            Ok(Some(_)) => Err("it is there".to_owned()),
            Err(problem) => Err(problem.to_string()),
        })
        .await;
    }

    /// Changes the number of Pods and waits for them.
    pub async fn scale(&mut self, replicas: u32) {
        self.replicas = replicas;
        self.apply().await;
        self.wait_until_ready().await;
    }

    /// Sets a field of distribution's configuration and waits until new Pods have replaced the old ones.
    pub async fn set(&mut self, pointer: &str, value: Value) {
        set(&mut self.configuration, pointer, value);
        self.apply().await;
        self.wait_until_ready().await;
    }

    async fn apply(&self) {
        self.namespace
            .apply::<ConfigMap>(json!({
                "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": self.name},
                "data": {"config.yml": self.configuration.to_string()},
            }))
            .await;
        self.namespace
            .apply::<Deployment>(json!({
                "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": self.name},
                "spec": {
                    "replicas": self.replicas,
                    "selector": {"matchLabels": {"app": self.name}},
                    "template": {
                        // Another configuration is another Pod.
                        "metadata": {"labels": {"app": self.name}, "annotations": {"configuration": self.configuration.to_string()}},
                        "spec": self.pod(),
                    },
                },
            }))
            .await;
    }

    fn pod(&self) -> Value {
        let ready = if self.loopback {
            json!({"exec": {"command": ["busybox", "wget", "-q", "-O", "/dev/null", format!("http://127.0.0.1:{PORT}/")]}})
        } else {
            json!({"httpGet": {"path": "/", "port": PORT}})
        };
        let mut probe = json!({"periodSeconds": 1, "timeoutSeconds": 5});
        probe.as_object_mut().expect("an object").extend(ready.as_object().expect("an object").clone());
        let storage = match &self.shared {
            Some(folder) => json!({"name": "storage", "hostPath": {"path": folder}}),
            None => json!({"name": "storage", "emptyDir": {}}),
        };
        json!({
            "terminationGracePeriodSeconds": 1,
            "enableServiceLinks": false,
            "automountServiceAccountToken": false,
            "containers": [{
                "name": "registry", "image": format!("{}:bed", self.version.program()), "imagePullPolicy": "Never",
                "args": ["serve", "/etc/registry/config.yml"],
                // Nothing of it leaves the machine.
                "env": [{"name": "OTEL_TRACES_EXPORTER", "value": "none"}],
                "ports": [{"name": "http", "containerPort": PORT}],
                "readinessProbe": probe,
                "volumeMounts": [{"name": "configuration", "mountPath": "/etc/registry"}, {"name": "storage", "mountPath": "/storage"}],
            }],
            "volumes": [{"name": "configuration", "configMap": {"name": self.name}}, storage],
        })
    }
}

impl RegistryPod {
    /// A Pod that has an address.
    fn of(pod: &Pod) -> Option<Self> {
        let address = pod.status.as_ref()?.pod_ip.as_ref()?.parse().ok()?;
        Some(Self { name: pod.metadata.name.clone()?, socket: SocketAddr::new(address, PORT), uid: pod.metadata.uid.clone()? })
    }
}

fn set(configuration: &mut Value, pointer: &str, value: Value) {
    let fields = pointer.trim_start_matches('/').split('/');
    *fields.fold(configuration, |inner, field| &mut inner[field]) = value;
}
