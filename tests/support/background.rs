//! A runtime that lives as long as the process: servers that a test starts, and cleaning up when its own runtime is busy or gone.

use std::{
    future::Future,
    sync::{OnceLock, mpsc::channel},
    time::Duration,
};

use tokio::runtime::{Builder, Handle, Runtime};

/// The handle of the runtime.
pub fn runtime() -> &'static Handle {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime")).handle()
}

/// Does `work` in the background and waits for it, up to ten seconds. May be called from anywhere, also in `Drop` of an async test.
pub fn finish(work: impl Future<Output = ()> + Send + 'static) {
    let (done, is_done) = channel();
    runtime().spawn(async move {
        work.await;
        let _ = done.send(());
    });
    let _ = is_done.recv_timeout(Duration::from_secs(10));
}
