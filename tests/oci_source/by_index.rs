//! Archives that the index of a Helm repository names in a registry, as Bitnami's does: taken from there as helm takes them.

use std::fs;

use serde_json::{Value, json};

use super::{
    scene::{ANYWHERE, crane, push},
    support::{
        self, Bed,
        authority::{Authority, Validity},
        helm_repository::HelmRepository,
        namespace::Namespace,
        nginx::Site,
        publication::{condition, ready, url_target},
        registry::{Registry, Version},
        web_server::WebServer,
    },
};

const CHART: &str = "small-1.2.2";

/// A repository of HTTP whose index names its archives in a registry that speaks TLS.
struct Scene {
    namespace: Namespace,
    authority: Authority,
    repository: HelmRepository,
    front: WebServer,
    _from: Registry,
    to: Registry,
}

impl Scene {
    /// `directives` are those of the server in front of the registry.
    async fn create(directives: &str) -> Self {
        let bed = support::shared();
        bed.install_crds();
        let (namespace, to, from) =
            (bed.namespace().await, bed.registry(Version::V3).start().await, bed.registry(Version::V3).start().await);
        push(bed, &bed.chart(CHART), &format!("oci://{}/upstream", from.socket()));
        let authority = Authority::new("authority of the test").expect("an authority");
        namespace.secret("authority", &[("ca.crt", &authority.pem())]).await;
        let place = bed.place(5000);
        let identity = authority.server(&[&place.socket().ip().to_string()], Validity::Now).expect("a certificate");
        let directives = format!("location / {{ {directives} proxy_pass http://{}; proxy_set_header Host $http_host; }}", from.socket());
        let front = bed.nginx(place, Site { identity: Some(identity), directives }).await;
        let repository = bed.helm_repository(&[CHART]).start().await;
        let scene = Self { namespace, authority, repository, front, _from: from, to };
        scene.names(&scene.address("1.2.2"));
        scene
    }

    fn bed(&self) -> &'static Bed {
        self.namespace.bed
    }

    fn address(&self, tag: &str) -> String {
        format!("oci://{}/upstream/small:{tag}", self.front.socket())
    }

    /// Has the index name the archive so.
    fn names(&self, address: &str) {
        self.repository.index();
        self.changed("small-1.2.2.tgz", address);
    }

    /// Changes what the index says.
    fn changed(&self, from: &str, to: &str) {
        let path = self.repository.site().join("index.yaml");
        let index = fs::read_to_string(&path).expect("an index");
        assert!(index.contains(from), "{index}");
        fs::write(&path, index.replace(from, to)).expect("a file in the bed's folder");
    }

    fn spec(&self, name: &str, more: &[(&str, Value)]) -> Value {
        let mut source = json!({"url": self.repository.url(), "certSecretRef": {"name": "authority"}});
        for (field, value) in more {
            source[*field] = value.clone();
        }
        let source = json!({"helmRepository": source});
        json!({"interval": "1h", "source": source, "charts": [{"name": "small"}], "targets": [url_target(self.to.socket(), name)]})
    }

    /// Publishes it, and compares the archive with the one that helm packaged.
    async fn is_published(&self, name: &str, more: &[(&str, Value)]) {
        self.namespace.publish(name, &self.spec(name, more)).await;
        let status = self.namespace.becomes_ready(name).await.status.expect("a status");
        assert_eq!(status.published.as_deref(), Some("1/1"), "{name}");
        let manifest = crane(self.bed(), &["manifest", &format!("{}/{name}/small:1.2.2", self.to.socket())]);
        let packaged = fs::read(self.bed().chart(CHART)).expect("an archive");
        let digest = chart_publisher::model::Digest::of(&packaged).to_string();
        assert!(manifest.contains(&digest), "{manifest}");
    }

    /// Publishes it, and returns what is said.
    async fn is_refused(&self, name: &str, reason: &str, more: &[(&str, Value)]) -> String {
        self.namespace.publish(name, &self.spec(name, more)).await;
        let expected = format!("False {reason}");
        let status = self.namespace.becomes(name, &expected, |status| ready(status) == expected).await.status.expect("a status");
        condition(&status, "Ready").expect("a condition").message.clone()
    }
}

#[tokio::test]
async fn an_archive_in_a_registry_is_taken_from_there_as_helm_takes_it() {
    let scene = Scene::create("").await;
    let bed = scene.bed();
    let _controller = scene.namespace.controller(&ANYWHERE).await;
    scene.is_published("by-tag", &[]).await;

    let folder = bed.folder("pulled");
    let ca = folder.join("ca.crt");
    fs::write(&ca, scene.authority.pem()).expect("a file in the bed's folder");
    let (ca, into) = (ca.display().to_string(), folder.display().to_string());
    let url = scene.repository.url();
    bed.run_in_pod(&["helm", "pull", "small", "--repo", &url, "--ca-file", &ca, "--destination", &into]).expect_success();
    let pulled = fs::read(folder.join("small-1.2.2.tgz")).expect("what helm pulled");
    assert_eq!(pulled, fs::read(bed.chart(CHART)).expect("an archive"), "helm finds the same there");

    let digest = crane(bed, &["digest", &format!("{}/upstream/small:1.2.2", scene.front.socket())]);
    scene.names(&format!("oci://{}/upstream/small@{digest}", scene.front.socket()));
    scene.is_published("by-digest", &[]).await;
    let packaged = chart_publisher::model::Digest::of(&fs::read(bed.chart(CHART)).expect("an archive")).to_string();
    let of_archive = packaged.trim_start_matches("sha256:").to_owned();
    scene.changed(&format!("digest: {of_archive}"), &format!("digest: {digest}"));
    scene.is_published("by-digest-of-the-manifest", &[]).await;
    scene.changed(&format!("digest: {digest}"), &format!("digest: {}", "0".repeat(64)));
    let said = scene.is_refused("other-digest", "DigestMismatch", &[]).await;
    assert!(said.contains(&packaged) && said.contains("leave the version out with `exclude`"), "{said}");

    scene.names(&scene.address("9.9.9"));
    let said = scene.is_refused("gone", "SourceNotFound", &[]).await;
    let names = format!("the index names `{}` for `small 1.2.2`", scene.address("9.9.9"));
    assert!(said.contains(&names) && said.contains("answers 404"), "{said}");
    scene.names(&format!("oci://{}/Upstream", scene.front.socket()));
    let said = scene.is_refused("no-repository", "SourceInvalid", &[]).await;
    assert!(said.contains("where nothing can be fetched: `Upstream` is no OCI repository name"), "{said}");

    let publication = json!({
        "apiVersion": "chartpublisher.io/v1alpha1", "kind": "ChartPublication", "metadata": {"name": "a"},
        "spec": scene.spec("by-command", &[]),
    });
    scene.names(&scene.address("1.2.2"));
    let file = folder.join("publication.yaml");
    fs::write(&file, publication.to_string()).expect("a file in the bed's folder");
    let file = file.display().to_string();
    let words = [env!("CARGO_BIN_EXE_chart-publisher"), "publish", "-f", &file, "--ca", &ca];
    bed.run_in_pod(&words).expect_success();
}

#[tokio::test]
async fn the_login_of_the_source_goes_there_only_where_that_is_said() {
    let bed = support::shared();
    let users = bed.folder("users");
    fs::write(users.join("users"), "reader:{PLAIN}secret\n").expect("a file in the bed's folder");
    let scene = Scene::create(&format!("auth_basic registry; auth_basic_user_file {}/users;", users.display())).await;
    scene.namespace.secret("reader", &[("username", "reader"), ("password", "secret")]).await;
    scene.namespace.secret("stranger", &[("username", "reader"), ("password", "wrong")]).await;
    let _controller = scene.namespace.controller(&ANYWHERE).await;
    let login = |name: &str| ("secretRef", json!({"name": name}));
    let passing = ("passCredentials", json!(true));

    let said = scene.is_refused("nobody", "SourceUnauthorized", &[]).await;
    assert!(said.contains("give a Secret as `secretRef`, with `username`, `password` and `passCredentials: true`"), "{said}");
    let said = scene.is_refused("withheld", "SourceUnauthorized", &[login("reader")]).await;
    assert!(said.contains("`passCredentials: true` sends the login of the Secret"), "{said}");
    assert!(scene.front.requests().iter().all(|request| request.line().ends_with(" 401")), "nobody has logged in");
    let said = scene.is_refused("wrong", "SourceUnauthorized", &[login("stranger"), passing.clone()]).await;
    assert!(said.contains("check user and password in the Secret"), "{said}");
    scene.is_published("passed", &[login("reader"), passing]).await;
}
