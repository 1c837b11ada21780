//! A real Helm repository: archives that helm packaged, an index that `helm repo index` wrote, served by nginx.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use super::{
    Bed,
    access_log::Request,
    authority::{Authority, Validity},
    nginx::Site,
    web_server::WebServer,
};

/// A repository that is described and not yet served.
#[must_use]
pub struct HelmRepositoryBuilder<'a> {
    bed: &'static Bed,
    charts: Vec<PathBuf>,
    user: Option<(String, String)>,
    authority: Option<&'a Authority>,
}

/// A repository that is served. Dropping it ends its nginx.
pub struct HelmRepository {
    nginx: WebServer,
    folder: PathBuf,
    bed: &'static Bed,
    scheme: &'static str,
}

impl Bed {
    /// A repository with some of the bed's charts ([`Bed::chart`]).
    pub fn helm_repository(&'static self, charts: &[&str]) -> HelmRepositoryBuilder<'static> {
        HelmRepositoryBuilder { bed: self, charts: charts.iter().map(|chart| self.chart(chart)).collect(), user: None, authority: None }
    }
}

impl<'a> HelmRepositoryBuilder<'a> {
    /// Adds an archive.
    pub fn archive(mut self, archive: impl Into<PathBuf>) -> Self {
        self.charts.push(archive.into());
        self
    }

    /// Asks for a user and password.
    pub fn basic(mut self, user: &str, password: &str) -> Self {
        self.user = Some((user.to_owned(), password.to_owned()));
        self
    }

    /// Speaks TLS with a certificate of this authority.
    pub fn tls<'b>(self, authority: &'b Authority) -> HelmRepositoryBuilder<'b>
    where
        'a: 'b,
    {
        HelmRepositoryBuilder { authority: Some(authority), ..self }
    }

    /// Writes the index and serves it.
    pub async fn start(self) -> HelmRepository {
        let bed = self.bed;
        let folder = bed.folder("helm-repository");
        fs::create_dir(folder.join("site")).expect("a folder in the bed's");
        let place = bed.place(if self.authority.is_some() { 443 } else { 80 });
        let own = place.socket().ip().to_string();
        let identity = self.authority.map(|authority| authority.server(&[&own], Validity::Now).expect("a certificate"));
        let mut directives = format!("root {}/site;", folder.display());
        if let Some((user, password)) = &self.user {
            directives = format!("{directives} {}", bed.login_directives(user, password));
        }
        let scheme = if identity.is_some() { "https" } else { "http" };
        let nginx = bed.nginx(place, Site { identity, directives }).await;
        let repository = HelmRepository { nginx, folder, bed, scheme };
        self.charts.iter().for_each(|chart| repository.copy(chart));
        repository.index();
        repository
    }
}

impl HelmRepository {
    /// What a `helmRepository` source names.
    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.nginx.socket())
    }

    /// Where it listens.
    pub fn socket(&self) -> SocketAddr {
        self.nginx.socket()
    }

    /// The folder that is served.
    pub fn site(&self) -> PathBuf {
        self.folder.join("site")
    }

    /// All requests so far.
    pub fn requests(&self) -> Vec<Request> {
        self.nginx.requests()
    }

    /// Adds an archive and writes the index anew.
    pub fn add(&self, archive: &Path) {
        self.copy(archive);
        self.index();
    }

    /// Has helm write the index.
    pub fn index(&self) {
        let site = self.site().display().to_string();
        self.bed.run_on_host(&["helm", "repo", "index", &site]).expect_success();
    }

    fn copy(&self, archive: &Path) {
        let name = archive.file_name().expect("an archive has a name");
        fs::copy(archive, self.site().join(name)).unwrap_or_else(|problem| panic!("{}: {problem}", archive.display()));
    }
}

impl Drop for HelmRepository {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}
