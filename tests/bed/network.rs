//! Sockets in network namespaces: a thread moves, opens what it needs and is gone; the socket stays where it was opened.
//! Shared by the supervisor and by the tests.

use std::{fs::File, io, os::fd::AsFd};

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// Moves the calling thread into a namespace for the rest of its life.
pub fn move_this_thread(namespace: &str) -> io::Result<()> {
    let link = File::open(format!("/run/netns/{namespace}"))?;
    Ok(move_into_link_name_space(link.as_fd(), Some(LinkNameSpaceType::Network))?)
}

/// Does `work` inside of a namespace; `None` is the namespace of this process.
pub fn inside<T: Send>(namespace: Option<&str>, work: impl FnOnce() -> io::Result<T> + Send) -> io::Result<T> {
    let Some(namespace) = namespace else { return work() };
    let moved = || {
        move_this_thread(namespace)?;
        work()
    };
    std::thread::scope(|scope| scope.spawn(moved).join()).map_err(|_| io::Error::other("the thread in the namespace panicked"))?
}
