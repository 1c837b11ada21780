//! A server on another host, to which a registry must not lead the engine: it notes who comes, and asks for a password.

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener as StdListener},
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
    time::timeout,
};

use crate::support::background;

/// Another host than the one that all routes lead to.
pub const HOST: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 66);
const TEMPTING: &[u8] = b"HTTP/1.1 401 Unauthorized\r\nwww-authenticate: Basic realm=\"elsewhere\"\r\ncontent-length: 0\r\n\r\n";

/// A running trap. Dropping it ends it.
#[derive(Debug)]
pub struct Trap {
    /// Where it listens.
    pub socket: SocketAddr,
    heard: Arc<Mutex<Vec<String>>>,
    serving: JoinHandle<()>,
}

impl Trap {
    /// On a free port.
    pub fn start() -> Self {
        let listener = StdListener::bind((HOST, 0)).expect("a free port");
        listener.set_nonblocking(true).expect("a listener");
        let socket = listener.local_addr().expect("an address");
        let heard = Arc::<Mutex<Vec<String>>>::default();
        let serving = background::runtime().spawn(serve(listener, Arc::clone(&heard)));
        Self { socket, heard, serving }
    }

    /// What each connection said first.
    pub fn heard(&self) -> Vec<String> {
        self.heard.lock().expect("what was heard").clone()
    }
}

impl Drop for Trap {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(listener: StdListener, heard: Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::from_std(listener).expect("a listener");
    while let Ok((stream, _)) = listener.accept().await {
        let number = {
            let mut heard = heard.lock().expect("what was heard");
            heard.push("a connect".to_owned());
            heard.len() - 1
        };
        tokio::spawn(listen(stream, number, Arc::clone(&heard)));
    }
}

async fn listen(mut stream: TcpStream, number: usize, heard: Arc<Mutex<Vec<String>>>) {
    let mut bytes = vec![0; 4096];
    while let Ok(Ok(length)) = timeout(Duration::from_secs(5), stream.read(&mut bytes)).await {
        if length == 0 || stream.write_all(TEMPTING).await.is_err() {
            return;
        }
        let text = String::from_utf8_lossy(&bytes[..length]).into_owned();
        heard.lock().expect("what was heard")[number].push_str(&text);
    }
}
