//! A real web server (nginx, haproxy) on an address of its own, which logs what it was asked.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use super::{
    Bed,
    access_log::{self, Request},
    address::Place,
    eventually::{SOON, eventually},
    http,
    process::{Launch, Process},
};

/// A running web server. Dropping it ends it.
pub struct WebServer {
    place: Place,
    process: Process,
    /// With its configuration, and `access.log`.
    folder: PathBuf,
}

impl Bed {
    /// Starts it where servers run and waits until it accepts connections at `place`.
    pub async fn web_server(&'static self, place: Place, folder: PathBuf, launch: Launch) -> WebServer {
        let process = launch.namespace(self.server_namespace()).start().expect("a web server");
        let mut server = WebServer { place, process, folder };
        server.answers(self).await;
        server
    }
}

impl WebServer {
    /// Where it listens.
    pub fn socket(&self) -> SocketAddr {
        self.place.socket()
    }

    /// Where its configuration lies.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Ends it and starts another in its place.
    pub async fn restart(&mut self, bed: &Bed, launch: Launch) {
        self.process.stop(Duration::from_secs(2));
        self.process = launch.namespace(bed.server_namespace()).start().expect("a web server");
        self.answers(bed).await;
    }

    async fn answers(&mut self, bed: &Bed) {
        let socket = self.socket();
        eventually(SOON, "the web server accepts connections", async || {
            self.process.still_runs()?;
            http::connect(bed.server_namespace(), socket).await.map(drop).map_err(|problem| problem.to_string())
        })
        .await;
    }

    /// All requests so far.
    pub fn requests(&self) -> Vec<Request> {
        access_log::read(&self.folder.join("access.log"))
    }
}

impl Drop for WebServer {
    /// Before its address goes.
    fn drop(&mut self) {
        self.process.stop(Duration::from_secs(2));
        let _ = fs::remove_dir_all(&self.folder);
    }
}
