//! Who wrote what: a forwarder in front of a registry that knows for each connection which process made it, by the socket's owner.

use std::{
    fs,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

use super::support::{Bed, address::Place, background, recorder::Recorder};

/// A running forwarder. Dropping it ends it.
pub struct Tally {
    place: Place,
    recorder: Recorder,
    /// The process that made each connection, in the order of the recorder's.
    owners: Arc<Mutex<Vec<Option<u32>>>>,
    serving: JoinHandle<()>,
}

impl Tally {
    /// In front of `registry`, which is on the host's loopback like those who ask it.
    pub fn before(bed: &'static Bed, registry: SocketAddr) -> Self {
        let (place, recorder) = (bed.place(registry.port()), bed.recorder(registry));
        let owners = Arc::<Mutex<Vec<Option<u32>>>>::default();
        let serving = background::runtime().spawn(serve(place.listen(), recorder.socket(), Arc::clone(&owners)));
        Self { place, recorder, owners, serving }
    }

    /// Where it listens.
    pub fn socket(&self) -> SocketAddr {
        self.place.socket()
    }

    /// The tags that a process has begun to write, in their order.
    pub fn tags_of(&self, process: u32) -> Vec<String> {
        self.tags_by(Some(process))
    }

    fn tags_by(&self, process: Option<u32>) -> Vec<String> {
        let owners = self.owners.lock().expect("the owners").clone();
        let heads = self.recorder.heads().into_iter().filter(|head| head.method == "PUT" && head.target.contains("/manifests/"));
        heads.filter(|head| owners.get(head.connection) == Some(&process)).map(|head| head.target).collect()
    }

    /// The tags that were written over connections of nobody that could be found: who hangs up at once is not.
    pub fn tags_of_strangers(&self) -> Vec<String> {
        self.tags_by(None)
    }
}

impl Drop for Tally {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(listener: std::net::TcpListener, recorder: SocketAddr, owners: Arc<Mutex<Vec<Option<u32>>>>) {
    let listener = TcpListener::from_std(listener).expect("a listener");
    while let Ok((mut near, peer)) = listener.accept().await {
        let owner = near.local_addr().ok().and_then(|own| owner(peer, own));
        // One after the other: the recorder counts its connections in the same order.
        let mut far = TcpStream::connect(recorder).await.expect("the recorder");
        owners.lock().expect("the owners").push(owner);
        let _ = (near.set_nodelay(true), far.set_nodelay(true));
        tokio::spawn(async move { tokio::io::copy_bidirectional(&mut near, &mut far).await });
    }
}

/// The process that has this socket (proc(5), `/proc/net/tcp` and `/proc/PID/fd`).
fn owner(socket: SocketAddr, other_end: SocketAddr) -> Option<u32> {
    let (local, remote) = (format!(":{:04X}", socket.port()), format!(":{:04X}", other_end.port()));
    let is_it = |words: &Vec<&str>| {
        words.get(1).is_some_and(|word| word.ends_with(&local)) && words.get(2).is_some_and(|word| word.ends_with(&remote))
    };
    let table = fs::read_to_string("/proc/net/tcp").ok()?;
    let line = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let inode = line.filter(is_it).find_map(|words| Some((*words.get(9)?).to_owned()))?;
    let target = format!("socket:[{inode}]");
    let processes = fs::read_dir("/proc").ok()?.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let has = |process: &u32| {
        let files = fs::read_dir(format!("/proc/{process}/fd")).into_iter().flatten().flatten();
        files.filter_map(|file| fs::read_link(file.path()).ok()).any(|found| found.as_os_str() == target.as_str())
    };
    processes.into_iter().find(has)
}
