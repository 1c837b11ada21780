//! Real registries: distribution 2 and 3, each on an address of its own, with storage on a real disk and its access log.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use serde_json::{Value, json};

use super::{
    Bed,
    access_log::{self, Request},
    address::Place,
    authority::{Authority, Validity},
    eventually::{SOON, eventually},
    http,
    process::{Launch, Process},
    random_word,
    token_server::TokenServer,
};

/// Which distribution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// distribution 2.8.
    V2,
    /// distribution 3.
    V3,
}

impl Version {
    /// Both.
    pub const ALL: [Self; 2] = [Self::V2, Self::V3];

    /// The name of its program, and of its image.
    pub fn program(self) -> &'static str {
        match self {
            Self::V2 => "registry2",
            Self::V3 => "registry3",
        }
    }
}

/// A registry that is described and not yet started.
#[must_use]
pub struct RegistryBuilder<'a> {
    bed: &'static Bed,
    version: Version,
    users: Vec<(String, String)>,
    token: Option<Value>,
    tls: Option<(&'a Authority, Vec<String>, Validity)>,
    names_itself: bool,
    read_only: bool,
    volume: Option<&'static str>,
    settings: Vec<(&'static str, Value)>,
}

/// A running registry. Dropping it ends it and removes its storage.
pub struct Registry {
    place: Place,
    process: Option<Process>,
    folder: PathBuf,
    bed: &'static Bed,
    version: Version,
    authority: Option<String>,
    volume: Option<&'static str>,
}

impl Bed {
    /// A registry that anybody may write to, by plain HTTP.
    pub fn registry(&'static self, version: Version) -> RegistryBuilder<'static> {
        RegistryBuilder {
            bed: self,
            version,
            users: Vec::new(),
            token: None,
            tls: None,
            names_itself: true,
            read_only: false,
            volume: None,
            settings: Vec::new(),
        }
    }
}

impl<'a> RegistryBuilder<'a> {
    /// Asks for a user and password (`auth: htpasswd`).
    pub fn basic(mut self, user: &str, password: &str) -> Self {
        let hash = bcrypt::hash_with_result(password, 4).expect("a bcrypt hash").format_for_version(bcrypt::Version::TwoY);
        self.users.push((user.to_owned(), hash));
        self
    }

    /// Asks for a token of this server (`auth: token`).
    pub fn bearer(mut self, server: &TokenServer) -> Self {
        self.token = Some(server.registry_configuration());
        self
    }

    /// Speaks TLS, with a certificate for its own address, the nodes' addresses and these names and addresses.
    pub fn tls<'b>(self, authority: &'b Authority, names: &[&str]) -> RegistryBuilder<'b>
    where
        'a: 'b,
    {
        let names = names.iter().map(ToString::to_string).chain(["10.90.0.1".to_owned(), "10.90.0.2".to_owned()]).collect();
        self.certificate(authority, names, Validity::Now)
    }

    /// Speaks TLS with a certificate for these names, not for its own address, possibly an expired one.
    pub fn wrong_tls<'b>(self, authority: &'b Authority, names: &[&str], validity: Validity) -> RegistryBuilder<'b>
    where
        'a: 'b,
    {
        let mut builder = self.certificate(authority, names.iter().map(ToString::to_string).collect(), validity);
        builder.names_itself = false;
        builder
    }

    /// Refuses every write with 405.
    pub fn read_only(mut self) -> Self {
        self.read_only = true;
        self
    }

    /// Keeps its blobs in a file system of its own with these options of `mount`: `size=64k`, `ro`. Only root can.
    pub fn storage_on(mut self, options: &'static str) -> Self {
        self.volume = Some(options);
        self
    }

    /// Sets something in a section of its configuration: `("/http", {"host": …})`.
    pub fn setting(mut self, section: &'static str, values: Value) -> Self {
        self.settings.push((section, values));
        self
    }

    fn certificate<'b>(self, authority: &'b Authority, names: Vec<String>, validity: Validity) -> RegistryBuilder<'b>
    where
        'a: 'b,
    {
        RegistryBuilder { tls: Some((authority, names, validity)), ..self }
    }

    /// Starts it and waits until it answers.
    pub async fn start(self) -> Registry {
        let place = self.bed.place(5000);
        let folder = self.bed.folder("registry");
        let configuration = self.configuration(&place, &folder);
        fs::write(folder.join("config.yml"), configuration.to_string()).expect("a file in the bed's folder");
        let authority = self.tls.map(|(authority, ..)| authority.pem());
        let (version, volume) = (self.version, self.volume);
        let mut registry = Registry { place, process: None, folder, bed: self.bed, version, authority, volume };
        registry.resume().await;
        registry
    }

    fn configuration(&self, place: &Place, folder: &Path) -> Value {
        let mut configuration = json!({
            "version": "0.1",
            "log": {"level": "info"},
            "storage": {
                "filesystem": {"rootdirectory": folder.join("storage")},
                "delete": {"enabled": true},
                "maintenance": {"readonly": {"enabled": self.read_only}},
            },
            "http": {"addr": place.socket().to_string(), "secret": "of the test bed"},
        });
        if let Some((authority, names, validity)) = &self.tls {
            let own = place.socket().ip().to_string();
            let names: Vec<_> = names.iter().map(String::as_str).chain(self.names_itself.then_some(own.as_str())).collect();
            let identity = authority.server(&names, *validity).expect("a certificate");
            fs::write(folder.join("tls.crt"), identity.certificate).expect("a file in the bed's folder");
            fs::write(folder.join("tls.key"), identity.key).expect("a file in the bed's folder");
            configuration["http"]["tls"] = json!({"certificate": folder.join("tls.crt"), "key": folder.join("tls.key")});
        }
        if !self.users.is_empty() {
            let lines: Vec<_> = self.users.iter().map(|(user, hash)| format!("{user}:{hash}")).collect();
            fs::write(folder.join("users"), lines.join("\n")).expect("a file in the bed's folder");
            configuration["auth"] = json!({"htpasswd": {"realm": "test", "path": folder.join("users")}});
        }
        if let Some(token) = &self.token {
            configuration["auth"] = json!({"token": token});
        }
        for (section, values) in &self.settings {
            let section = configuration.pointer_mut(section).and_then(Value::as_object_mut).expect("a section");
            section.extend(values.as_object().cloned().unwrap_or_default());
        }
        configuration
    }
}

/// Where distribution keeps the bytes of a blob or of a manifest, in its `storage`.
pub fn file_in(storage: &Path, digest: &str) -> PathBuf {
    let hexadecimal = digest.trim_start_matches("sha256:");
    storage.join("docker/registry/v2/blobs/sha256").join(&hexadecimal[..2]).join(hexadecimal).join("data")
}

impl Registry {
    /// Where it listens.
    pub fn socket(&self) -> SocketAddr {
        self.place.socket()
    }

    /// The certificate that a client must trust, when it speaks TLS.
    pub fn authority(&self) -> Option<&str> {
        self.authority.as_deref()
    }

    /// The folder that it keeps blobs in.
    pub fn storage(&self) -> PathBuf {
        self.folder.join("storage")
    }

    /// Where distribution keeps the bytes of a blob or of a manifest.
    pub fn file_of(&self, digest: &str) -> PathBuf {
        file_in(&self.storage(), digest)
    }

    /// All requests so far, in the order in which they ended.
    pub fn requests(&self) -> Vec<Request> {
        access_log::read(&self.folder.join("access.log"))
    }

    /// Changes its configuration and starts it again.
    pub async fn change(&mut self, edit: impl FnOnce(&mut Value)) {
        let file = self.folder.join("config.yml");
        let mut configuration = serde_json::from_slice(&fs::read(&file).expect("its configuration")).expect("JSON");
        edit(&mut configuration);
        fs::write(file, configuration.to_string()).expect("a file in the bed's folder");
        self.pause();
        self.resume().await;
    }

    /// Ends it; what it stores stays.
    pub fn pause(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.stop(Duration::from_secs(2));
        }
    }

    /// Starts it again, on the same address, and waits until it answers.
    pub async fn resume(&mut self) {
        let launch = Launch::new(self.bed.tool(self.version.program()), self.folder.join("access.log")).separate_errors();
        let launch =
            launch.arguments(["serve".as_ref(), self.folder.join("config.yml").as_os_str()]).namespace(self.bed.server_namespace());
        // Nothing of it leaves the machine.
        let mut launch = launch.environment("OTEL_TRACES_EXPORTER", "none");
        if let Some(options) = self.volume {
            fs::create_dir_all(self.storage()).expect("a folder in the bed's");
            launch = launch.volume(self.storage(), options);
        }
        self.process = Some(launch.start().expect("a registry"));
        eventually(SOON, "the registry answers", async || {
            self.process.as_mut().map_or(Ok(()), Process::still_runs)?;
            self.answers().await
        })
        .await;
    }

    async fn answers(&self) -> Result<(), String> {
        let (namespace, socket) = (self.bed.server_namespace(), self.socket());
        if self.authority.is_some() {
            return http::connect(namespace, socket).await.map(drop).map_err(|problem| problem.to_string());
        }
        let answer = http::get(namespace, socket, &socket.to_string(), "/v2/").await?;
        if matches!(answer.status.as_u16(), 200 | 401) { Ok(()) } else { Err(answer.status.to_string()) }
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        self.process.take();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// A repository name that no other test has.
pub fn repository() -> String {
    format!("charts-{}", random_word())
}
