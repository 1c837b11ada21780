//! Archives that the index of a Helm repository names in a registry, as Bitnami's does: taken from there as helm takes them.

use std::fs;

use chart_publisher::model::Digest;
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

/// Repositories of HTTP whose indexes name their archives in a registry that speaks TLS.
struct Scene {
    namespace: Namespace,
    authority: Authority,
    front: WebServer,
    from: Registry,
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
        Self { namespace, authority, front, from, to }
    }

    fn bed(&self) -> &'static Bed {
        self.namespace.bed
    }

    /// What helm packaged, and its digest.
    fn packaged(&self) -> (Vec<u8>, String) {
        let packaged = fs::read(self.bed().chart(CHART)).expect("an archive");
        let digest = Digest::of(&packaged).to_string();
        (packaged, digest)
    }

    /// Where the chart lies.
    fn address(&self, behind: &str) -> String {
        format!("oci://{}/upstream/small{behind}", self.front.socket())
    }

    /// A repository whose index names the archive so, with this digest.
    async fn repository(&self, address: &str, digest: &str) -> HelmRepository {
        let repository = self.bed().helm_repository(&[CHART]).start().await;
        let path = repository.site().join("index.yaml");
        let index = fs::read_to_string(&path).expect("an index");
        let own = self.packaged().1;
        let own = own.trim_start_matches("sha256:");
        assert!(index.contains("- small-1.2.2.tgz") && index.contains(own), "{index}");
        fs::write(&path, index.replace("small-1.2.2.tgz", address).replace(own, digest)).expect("a file in the bed's folder");
        repository
    }

    fn spec(&self, repository: &HelmRepository, name: &str, more: &[(&str, Value)]) -> Value {
        let mut source = json!({"url": repository.url(), "certSecretRef": {"name": "authority"}});
        for (field, value) in more {
            source[*field] = value.clone();
        }
        let source = json!({"helmRepository": source});
        json!({"interval": "1h", "source": source, "charts": [{"name": "small"}], "targets": [url_target(self.to.socket(), name)]})
    }

    /// A publication in a file.
    fn file(&self, spec: &Value) -> String {
        let publication =
            json!({"apiVersion": "chartpublisher.io/v1alpha1", "kind": "ChartPublication", "metadata": {"name": "a"}, "spec": spec});
        let file = self.bed().folder("publication").join("publication.yaml");
        fs::write(&file, publication.to_string()).expect("a file in the bed's folder");
        file.display().to_string()
    }

    /// Publishes it, and compares the archive with the one that helm packaged.
    async fn is_published(&self, repository: &HelmRepository, name: &str, more: &[(&str, Value)]) {
        self.namespace.publish(name, &self.spec(repository, name, more)).await;
        let status = self.namespace.becomes_ready(name).await.status.expect("a status");
        assert_eq!(status.published.as_deref(), Some("1/1"), "{name}");
        let manifest = crane(self.bed(), &["manifest", &format!("{}/{name}/small:1.2.2", self.to.socket())]);
        assert!(manifest.contains(&self.packaged().1), "{manifest}");
    }

    /// Publishes it, and returns what is said.
    async fn is_refused(&self, repository: &HelmRepository, name: &str, reason: &str, more: &[(&str, Value)]) -> String {
        self.namespace.publish(name, &self.spec(repository, name, more)).await;
        let expected = format!("False {reason}");
        let status = self.namespace.becomes(name, &expected, |status| ready(status) == expected).await.status.expect("a status");
        condition(&status, "Ready").expect("a condition").message.clone()
    }
}

#[tokio::test]
async fn an_archive_in_a_registry_is_taken_from_there_as_helm_takes_it() {
    let scene = Scene::create("").await;
    let bed = scene.bed();
    let (packaged, digest) = scene.packaged();
    let manifest = crane(bed, &["digest", &format!("{}/upstream/small:1.2.2", scene.front.socket())]);
    let _controller = scene.namespace.controller(&ANYWHERE).await;
    let by_tag = scene.repository(&scene.address(":1.2.2"), &digest).await;
    scene.is_published(&by_tag, "by-tag", &[]).await;
    let by_digest = scene.repository(&scene.address(&format!("@{manifest}")), &digest).await;
    scene.is_published(&by_digest, "by-digest", &[]).await;
    let of_manifest = scene.repository(&scene.address(":1.2.2"), &manifest).await;
    scene.is_published(&of_manifest, "of-manifest", &[]).await;
    let again = scene.namespace.run_again("of-manifest").await;
    assert_eq!(ready(&again.status.expect("a status")), "True Succeeded", "the digest of the manifest is no other archive's");

    let other = scene.repository(&scene.address(":1.2.2"), &"a".repeat(64)).await;
    let said = scene.is_refused(&other, "other-digest", "DigestMismatch", &[]).await;
    assert!(said.contains(&digest) && said.contains("leave the version out with `exclude`"), "{said}");
    let gone = scene.repository(&scene.address(":9.9.9"), &digest).await;
    let said = scene.is_refused(&gone, "gone", "SourceNotFound", &[]).await;
    let names = format!("the index names `{}` for `small 1.2.2`", scene.address(":9.9.9"));
    assert!(said.contains(&names) && said.contains("answers 404"), "{said}");
    let invalid = scene.repository(&format!("oci://{}/Upstream", scene.front.socket()), &digest).await;
    let said = scene.is_refused(&invalid, "no-repository", "SourceInvalid", &[]).await;
    assert!(said.contains("where nothing can be fetched: it names no repository that a registry can have"), "{said}");
    let plain = scene.repository(&format!("oci://{}/upstream/small:1.2.2", scene.from.socket()), &digest).await;
    let said = scene.is_refused(&plain, "plain", "TlsOnPlainHttp", &[]).await;
    assert!(said.contains("which the index names for `small 1.2.2`") && said.contains("take the chart by the source `oci`"), "{said}");

    let folder = bed.folder("pulled");
    let ca = folder.join("ca.crt");
    fs::write(&ca, scene.authority.pem()).expect("a file in the bed's folder");
    let (ca, into) = (ca.display().to_string(), folder.display().to_string());
    let words = ["helm", "pull", "small", "--repo", &by_tag.url(), "--ca-file", &ca, "--destination", &into];
    bed.run_in_pod(&words).expect_success();
    assert_eq!(fs::read(folder.join("small-1.2.2.tgz")).expect("what helm pulled"), packaged, "helm finds the same there");

    let file = scene.file(&scene.spec(&of_manifest, "by-command", &[]));
    for action in ["Published", "Unchanged"] {
        let words = [env!("CARGO_BIN_EXE_chart-publisher"), "publish", "-f", &file, "--ca", &ca];
        let printed = bed.run_in_pod(&words).expect_success();
        assert!(printed.contains(action), "{printed}");
    }
}

#[tokio::test]
async fn the_login_of_the_source_goes_there_only_where_that_is_said() {
    let bed = support::shared();
    let scene = Scene::create(&bed.login_directives("reader", "secret")).await;
    scene.namespace.secret("reader", &[("username", "reader"), ("password", "secret")]).await;
    scene.namespace.secret("stranger", &[("username", "reader"), ("password", "wrong")]).await;
    let _controller = scene.namespace.controller(&ANYWHERE).await;
    let repository = scene.repository(&scene.address(":1.2.2"), &scene.packaged().1).await;
    let login = |name: &str| ("secretRef", json!({"name": name}));
    let passing = ("passCredentials", json!(true));

    let said = scene.is_refused(&repository, "nobody", "SourceUnauthorized", &[]).await;
    let cure = "give a Secret with `username` and `password` as `secretRef`, and set `passCredentials: true`";
    assert!(said.contains(cure), "{said}");
    let said = scene.is_refused(&repository, "withheld", "SourceUnauthorized", &[login("reader")]).await;
    assert!(said.contains("`passCredentials: true` sends the login of the Secret"), "{said}");
    assert!(scene.front.requests().iter().all(|request| request.line().ends_with(" 401")), "nobody has logged in");
    let said = scene.is_refused(&repository, "wrong", "SourceUnauthorized", &[login("stranger"), passing.clone()]).await;
    assert!(said.contains("check user and password in the Secret"), "{said}");
    scene.is_published(&repository, "passed", &[login("reader"), passing.clone()]).await;

    let told = scene.repository(&format!("oci://{}/secret/small:1.2.2", scene.front.socket()), &scene.packaged().1).await;
    let said = scene.is_refused(&told, "told", "SourceNotFound", &[login("reader"), passing]).await;
    assert!(said.contains("/small:1.2.2") && !said.contains("/secret/"), "a password in an address is not shown: {said}");
}

#[tokio::test]
async fn a_login_at_hand_is_found_by_the_path_of_the_charts() {
    let bed = support::shared();
    let scene = Scene::create(&bed.login_directives("reader", "secret")).await;
    let repository = scene.repository(&scene.address(":1.2.2"), &scene.packaged().1).await;
    let folder = bed.folder("at-hand");
    let (ca, config) = (folder.join("ca.crt"), folder.join("config.json"));
    fs::write(&ca, scene.authority.pem()).expect("a file in the bed's folder");
    let front = scene.front.socket();
    let wrong = json!({"username": "reader", "password": "wrong"});
    let right = json!({"username": "reader", "password": "secret"});
    let auths = json!({"auths": {front.to_string(): wrong, format!("{front}/upstream"): right}});
    fs::write(&config, auths.to_string()).expect("a file in the bed's folder");
    let file = scene.file(&scene.spec(&repository, "at-hand", &[]));
    let (ca, config) = (ca.display().to_string(), config.display().to_string());
    let words = [env!("CARGO_BIN_EXE_chart-publisher"), "publish", "-f", &file, "--ca", &ca, "--docker-config", &config];
    bed.run_in_pod(&words).expect_success();
}
