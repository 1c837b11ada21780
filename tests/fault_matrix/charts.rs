//! The charts that every cell publishes: of noise, which does not shrink, and the same in each run.

use std::sync::LazyLock;

use chart_publisher::{
    chart::Limits,
    source::{Given, Source},
    spool::{Budget, Spool},
};
use flate2::{Compression, write::GzEncoder};

/// The name of all of them.
pub const NAME: &str = "matrix";
/// Bytes of noise in a large one: above each threshold of the list of faults.
const NOISE: usize = 5 << 19;

/// A chart, as a source gives it and as bytes.
pub struct Chart {
    /// What the engine gets.
    pub source: Source,
    /// The archive.
    pub bytes: Vec<u8>,
    /// Its tag.
    pub tag: &'static str,
}

/// The chart that is published while the fault is there.
pub static FIRST: LazyLock<Chart> = LazyLock::new(|| Chart::new("1.0.0", NOISE));
/// The one after it.
pub static SECOND: LazyLock<Chart> = LazyLock::new(|| Chart::new("1.1.0", NOISE));
/// One whose tag holds other content.
pub static TAKEN: LazyLock<Chart> = LazyLock::new(|| Chart::new("0.9.0", 1000));

impl Chart {
    fn new(tag: &'static str, noise: usize) -> Self {
        let bytes = archive(tag, noise);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let (sender, receiver) = std::sync::mpsc::channel();
        let content = bytes.clone();
        // Whoever asks first may be in the middle of another runtime.
        std::thread::spawn(move || sender.send(runtime.block_on(given(content))).expect("the one who asked"));
        Self { source: Source::Given(Box::new(receiver.recv().expect("a chart"))), bytes, tag }
    }

    /// The version that is wanted.
    pub fn wanted(&self) -> chart_publisher::plan::Wanted {
        let Source::Given(given) = &self.source else { unreachable!("it is made so") };
        given.wanted()
    }
}

async fn given(bytes: Vec<u8>) -> Given {
    let budget = Budget { memory: 64 << 20, memory_of_one: 16 << 20, ..Budget::default() };
    let spool = Spool::new(std::env::temp_dir(), budget);
    let mut writer = spool.writer(Some(bytes.len() as u64), 16 << 20).await.expect("room");
    writer.write(&bytes).await.expect("room");
    let archive = writer.finish().await.expect("a body");
    Given::new(NAME, archive, None, &Limits::default()).await.expect("a chart")
}

fn archive(version: &str, noise: usize) -> Vec<u8> {
    let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    let mut bytes = vec![0; noise];
    fastrand::Rng::with_seed(version.bytes().map(u64::from).sum()).fill(&mut bytes);
    let metadata = format!("apiVersion: v2\nname: {NAME}\nversion: {version}\n");
    for (path, content) in [("matrix/Chart.yaml", metadata.as_bytes()), ("matrix/files/noise", &bytes)] {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.set_mtime(1_600_000_000);
        archive.append_data(&mut header, path, content).expect("an entry");
    }
    archive.into_inner().and_then(GzEncoder::finish).expect("an archive")
}
