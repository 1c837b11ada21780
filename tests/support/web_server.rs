//! A real web server (nginx, haproxy) on an address of its own, which logs what it was asked.

use std::{fs, net::SocketAddr, path::PathBuf, time::Duration};

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
        eventually(SOON, "the web server accepts connections", async || {
            server.process.still_runs()?;
            http::connect(self.server_namespace(), server.socket()).await.map(drop).map_err(|problem| problem.to_string())
        })
        .await;
        server
    }
}

impl WebServer {
    /// Where it listens.
    pub fn socket(&self) -> SocketAddr {
        self.place.socket()
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
