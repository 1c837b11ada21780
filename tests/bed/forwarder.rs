//! A way to the API server inside of the node, from the host's own network namespace: a listener on loopback there, and a thread
//! here that lives in the node's namespace and opens the connections. Nothing else leads into the node, and nothing out of it.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr, TcpListener},
};

use tokio::{
    io::copy_bidirectional,
    net::TcpStream,
    sync::mpsc::{UnboundedReceiver, unbounded_channel},
};

use crate::network::move_this_thread;

/// Forwards from a free port on loopback to `target` in `namespace`; gives the port. It ends with the process.
pub fn start(namespace: &str, target: SocketAddr) -> io::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let port = listener.local_addr()?.port();
    let (sender, accepted) = unbounded_channel();
    std::thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            if sender.send(connection).is_err() {
                return;
            }
        }
    });
    let namespace = namespace.to_owned();
    let (ready, is_ready) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let moved = move_this_thread(&namespace);
        let stays = moved.is_ok();
        let _ = ready.send(moved);
        if stays && let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_io().build() {
            runtime.block_on(connect_each(accepted, target));
        }
    });
    is_ready.recv().map_err(io::Error::other)??;
    Ok(port)
}

async fn connect_each(mut accepted: UnboundedReceiver<std::net::TcpStream>, target: SocketAddr) {
    while let Some(connection) = accepted.recv().await {
        tokio::spawn(async move {
            connection.set_nonblocking(true)?;
            let mut near = TcpStream::from_std(connection)?;
            let mut far = TcpStream::connect(target).await?;
            near.set_nodelay(true)?;
            far.set_nodelay(true)?;
            copy_bidirectional(&mut near, &mut far).await
        });
    }
}
