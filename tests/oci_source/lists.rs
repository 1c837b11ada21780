//! A registry that keeps lists of what refers to a manifest, which distribution does not: go-containerregistry's, in a program of ours.

use std::{net::SocketAddr, path::PathBuf, process::Command, sync::OnceLock};

use super::support::{
    Bed,
    address::Place,
    eventually::{SOON, eventually},
    http,
    process::{Launch, Process},
};

/// A running one. Dropping it ends it, with all that it holds.
pub struct Lists {
    place: Place,
    log: PathBuf,
    _process: Process,
}

/// The program, built once for all tests.
fn program(bed: &'static Bed) -> &'static PathBuf {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let program = bed.folder("lists").join("registry-with-lists");
        let home = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/oci_source/lists");
        let mut go = Command::new("go");
        go.args(["build", "-o"]).arg(&program).arg(".").current_dir(home).env("GOFLAGS", "").env("CGO_ENABLED", "0");
        let built = go.output().expect("Go");
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        program
    })
}

impl Lists {
    pub async fn start(bed: &'static Bed) -> Self {
        let place = bed.place(5000);
        let log = bed.folder("lists").join("requests.log");
        let launch = Launch::new(program(bed), &log).separate_errors().arguments([place.socket().to_string()]);
        let process = launch.namespace(bed.server_namespace()).start().expect("a registry");
        let socket = place.socket();
        eventually(SOON, "the registry answers", async || {
            let answer = http::get(bed.server_namespace(), socket, &socket.to_string(), "/v2/").await?;
            if answer.status.as_u16() == 200 { Ok(()) } else { Err(answer.status.to_string()) }
        })
        .await;
        Self { place, log, _process: process }
    }

    pub fn socket(&self) -> SocketAddr {
        self.place.socket()
    }

    /// All requests so far, as lines.
    pub fn requests(&self) -> Vec<String> {
        std::fs::read_to_string(&self.log).unwrap_or_default().lines().map(str::to_owned).collect()
    }
}
