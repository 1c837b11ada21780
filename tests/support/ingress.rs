//! An Ingress in front of a registry: the objects, and an nginx or haproxy that does what the controller would have it do for them.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use k8s_openapi::api::networking::v1::{Ingress, IngressClass};
use kube::{
    Api,
    api::{DeleteParams, Patch, PatchParams},
};
use serde_json::{Value, json};

use super::{
    access_log::Request,
    authority::{Authority, Validity},
    background,
    exposure::SERVICE_PORT,
    namespace::Namespace,
    nginx::Site,
    web_server::WebServer,
};

const BODY_LIMIT: &str = "nginx.ingress.kubernetes.io/proxy-body-size";

/// Which Ingress controller is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// ingress-nginx: reads bodies whole, and takes 1 MiB unless an annotation allows more.
    Nginx,
    /// The Ingress controller of HAProxy: passes bodies on as they come, of any size.
    Haproxy,
}

impl Kind {
    /// What the class says.
    pub fn controller(self) -> &'static str {
        match self {
            Self::Nginx => "k8s.io/ingress-nginx",
            Self::Haproxy => "haproxy.org/ingress-controller",
        }
    }
}

/// An Ingress that is described and not yet there.
#[must_use]
pub struct IngressBuilder<'a> {
    namespace: &'a Namespace,
    kind: Kind,
    name: String,
    host: String,
    service: String,
    upstreams: Vec<SocketAddr>,
    authority: Option<&'a Authority>,
    body_limit: String,
    annotations: Value,
    address_in_status: bool,
    fails_while: Option<PathBuf>,
}

/// An Ingress that answers. Dropping it ends its proxy and removes its class; the Ingress goes with its namespace.
pub struct ServedIngress {
    server: WebServer,
    class: String,
    host: String,
    upstreams: Vec<SocketAddr>,
    bed: &'static super::Bed,
}

impl Namespace {
    /// An Ingress `name` that leads requests for `host` to the Service `service`, whose server is `upstream`. Programs in the
    /// cluster resolve `host`, which must be this test's own.
    ///
    /// As with ingress-nginx, its bodies are read whole before they are passed on, and may have 1 MiB.
    pub fn ingress<'a>(&'a self, name: &str, host: &str, service: &str, upstream: SocketAddr) -> IngressBuilder<'a> {
        IngressBuilder {
            namespace: self,
            kind: Kind::Nginx,
            name: name.to_owned(),
            host: host.to_owned(),
            service: service.to_owned(),
            upstreams: vec![upstream],
            authority: None,
            body_limit: "1m".to_owned(),
            annotations: json!({}),
            address_in_status: true,
            fails_while: None,
        }
    }
}

impl<'a> IngressBuilder<'a> {
    /// Is served by haproxy, as the Ingress controller of HAProxy does.
    pub fn haproxy(mut self) -> Self {
        self.kind = Kind::Haproxy;
        self
    }

    /// Hands each request to the next server: its own, and these.
    pub fn round_robin(mut self, others: &[SocketAddr]) -> Self {
        self.upstreams.extend(others);
        self.haproxy()
    }

    /// Speaks TLS, with a certificate for its host.
    pub fn tls(mut self, authority: &'a Authority) -> Self {
        self.authority = Some(authority);
        self
    }

    /// Allows bodies of another size, and says so in the annotation.
    pub fn body_limit(mut self, limit: &str) -> Self {
        limit.clone_into(&mut self.body_limit);
        self.annotations[BODY_LIMIT] = json!(limit);
        self
    }

    /// Allows bodies of another size and says so nowhere.
    pub fn silent_body_limit(mut self, limit: &str) -> Self {
        limit.clone_into(&mut self.body_limit);
        self
    }

    /// Leaves the Ingress's status without an address.
    pub fn without_address(mut self) -> Self {
        self.address_in_status = false;
        self
    }

    /// Answers 500 for blobs, and for nothing else, as long as this file is there (nginx).
    pub fn fails_while(mut self, file: &Path) -> Self {
        self.fails_while = Some(file.to_owned());
        self
    }

    /// Starts the proxy and makes the objects.
    pub async fn start(self) -> ServedIngress {
        let bed = self.namespace.bed;
        let place = bed.place(if self.authority.is_some() { 443 } else { 80 });
        let identity = self.authority.map(|authority| authority.server(&[&self.host], Validity::Now).expect("a certificate"));
        let server = match self.kind {
            Kind::Nginx => bed.nginx(place, Site { identity, directives: self.directives() }).await,
            Kind::Haproxy => bed.haproxy(place, identity, &self.host, &self.upstreams).await,
        };
        let class = format!("{}-{:?}", self.namespace.name(), self.kind).to_lowercase();
        let ingress = ServedIngress { server, class, host: self.host.clone(), upstreams: self.upstreams.clone(), bed };
        bed.name(&self.host, ingress.socket().ip());
        self.declare(&ingress.class, ingress.socket()).await;
        ingress
    }

    fn directives(&self) -> String {
        let fails = self.fails_while.as_ref().map(|file| {
            let file = file.display();
            format!(r#"set $fails ""; if (-f {file}) {{ set $fails 1; }} if ($uri ~ /blobs/) {{ set $fails "${{fails}}b"; }} if ($fails = 1b) {{ return 500; }}"#)
        });
        directives(&self.host, &self.upstreams, &self.body_limit, fails.as_deref().unwrap_or_default())
    }

    async fn declare(&self, class: &str, address: SocketAddr) {
        let classes = Api::<IngressClass>::all(self.namespace.client.clone());
        let wanted = json!({
            "apiVersion": "networking.k8s.io/v1", "kind": "IngressClass", "metadata": {"name": class},
            "spec": {"controller": self.kind.controller()},
        });
        classes.patch(class, &PatchParams::apply("test").force(), &Patch::Apply(wanted)).await.expect("an IngressClass");
        let tls = if self.authority.is_some() { json!([{"hosts": [self.host], "secretName": "ingress-tls"}]) } else { json!([]) };
        let backend = json!({"service": {"name": self.service, "port": {"number": SERVICE_PORT}}});
        self.namespace
            .apply::<Ingress>(json!({
                "apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
                "metadata": {"name": self.name, "annotations": self.annotations},
                "spec": {
                    "ingressClassName": class, "tls": tls,
                    "rules": [{"host": self.host, "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}],
                },
            }))
            .await;
        if self.address_in_status {
            let status = json!({"status": {"loadBalancer": {"ingress": [{"ip": address.ip()}]}}});
            let ingresses = self.namespace.api::<Ingress>();
            ingresses.patch_status(&self.name, &PatchParams::default(), &Patch::Merge(status)).await.expect("an Ingress");
        }
    }
}

impl ServedIngress {
    /// Where its proxy listens: port 80, or 443 with TLS.
    pub fn socket(&self) -> SocketAddr {
        self.server.socket()
    }

    /// The name of its class.
    pub fn class(&self) -> &str {
        &self.class
    }

    /// Does what ingress-nginx does once the annotation of the Ingress has changed; it must speak plain HTTP.
    pub async fn follow(&mut self, ingress: &Ingress) {
        let annotations = ingress.metadata.annotations.clone().unwrap_or_default();
        let limit = annotations.get(BODY_LIMIT).map_or("1m", String::as_str);
        self.bed
            .change_nginx(&mut self.server, &Site { identity: None, directives: directives(&self.host, &self.upstreams, limit, "") })
            .await;
    }

    /// All requests so far.
    pub fn requests(&self) -> Vec<Request> {
        self.server.requests()
    }
}

impl Drop for ServedIngress {
    fn drop(&mut self) {
        let (bed, class) = (self.bed, self.class.clone());
        background::finish(async move {
            let _ = Api::<IngressClass>::all(bed.client().await).delete(&class, &DeleteParams::default()).await;
        });
    }
}

/// What ingress-nginx writes for such an Ingress, as far as bodies and headers are concerned.
fn directives(host: &str, upstreams: &[SocketAddr], limit: &str, fails: &str) -> String {
    let upstream = upstreams.first().expect("a server");
    format!(
        r#"server_name {host};
        client_max_body_size {limit};
        location / {{
            if ($host != "{host}") {{ return 404; }}
            {fails}
            proxy_pass http://{upstream};
            proxy_http_version 1.1;
            proxy_request_buffering on;
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-Host $http_host;
            proxy_set_header X-Forwarded-Proto $scheme;
            proxy_set_header X-Forwarded-For $remote_addr;
            proxy_set_header X-Real-IP $remote_addr;
        }}"#
    )
}
