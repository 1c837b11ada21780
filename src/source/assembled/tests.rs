//! A chart is put together of what a holder has: within its limit, read once, and compared with what it was before.

use std::{
    io::Write,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use flate2::{Compression, write::GzEncoder};
use futures::FutureExt;

use super::*;
use crate::spool::Budget;

/// The keys of an object, with what lies under them.
type Object = Vec<(&'static str, Vec<u8>)>;

/// Objects of the test, and how often they were read.
#[derive(Clone, Default)]
struct Fake {
    objects: Arc<Mutex<Vec<Object>>>,
    reads: Arc<AtomicUsize>,
}

impl Holder for Fake {
    fn shown(&self) -> String {
        "ConfigMap `team/a`".to_owned()
    }

    fn count(&self) -> usize {
        self.objects.lock().unwrap().len()
    }

    fn held(&self, index: usize) -> BoxFuture<'_, Result<Held, AssemblyError>> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        let entries = self.objects.lock().unwrap()[index].iter().map(|(key, bytes)| ((*key).to_owned(), bytes.clone().into())).collect();
        std::future::ready(Ok(Held { object: format!("ConfigMap `team/{index}`"), entries })).boxed()
    }
}

fn holding(objects: Vec<Object>) -> Fake {
    Fake { objects: Arc::new(Mutex::new(objects)), reads: Arc::default() }
}

/// A chart of at least so many bytes.
fn chart(version: &str, size: usize) -> Vec<u8> {
    let mut noise = vec![0; size];
    fastrand::fill(&mut noise);
    let mut tar = tar::Builder::new(Vec::new());
    let metadata = format!("apiVersion: v2\nname: small\nversion: {version}\n");
    for (path, content) in [("small/Chart.yaml", metadata.as_bytes()), ("small/noise.bin", &noise)] {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, path, content).unwrap();
    }
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(&tar.into_inner().unwrap()).unwrap();
    gzip.finish().unwrap()
}

struct Bench {
    _directory: tempfile::TempDir,
    spool: Spool,
}

impl Bench {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let spool = Spool::new(directory.path().to_owned(), Budget::default());
        Self { _directory: directory, spool }
    }

    fn of(&self, fake: &Fake, compressed: u64) -> Assembled {
        Assembled::new(Box::new(fake.clone()), self.spool.clone(), Limits { compressed, ..Limits::default() })
    }
}

const MOST: u64 = 4 << 20;

#[tokio::test]
async fn parts_of_several_objects_become_one_archive_in_the_spool() {
    let (bench, whole) = (Bench::new(), chart("1.0.0", 2 << 20));
    let pieces: Vec<Vec<u8>> = whole.chunks(320_000).map(<[u8]>::to_vec).collect();
    assert_eq!(pieces.len(), 7);
    let signature = b"-----BEGIN PGP SIGNED MESSAGE-----\n".to_vec();
    let fake = holding(vec![
        vec![("c.tgz.2", pieces[2].clone()), ("c.tgz.0", pieces[0].clone()), ("c.tgz.1", pieces[1].clone())],
        vec![("c.tgz.3", pieces[3].clone()), ("c.tgz.prov", signature.clone())],
        vec![("c.tgz.4", pieces[4].clone()), ("c.tgz.6", pieces[6].clone()), ("c.tgz.5", pieces[5].clone())],
    ]);
    let assembled = bench.of(&fake, MOST);
    let (entry, digest) = assembled.look().await.unwrap();
    assert_eq!((entry.name.as_str(), entry.version.as_str(), digest), ("small", "1.0.0", Digest::of(&whole)));
    let chart = assembled.chart(&entry).await.unwrap();
    assert_eq!((chart.archive.digest(), chart.provenance), (digest, Provenance::Here(signature.into())));
    assert_eq!(fake.reads.load(Ordering::Relaxed), 3, "each object is read once");
}

#[tokio::test]
async fn what_is_known_from_before_is_read_when_it_is_needed_and_must_be_the_same() {
    let bench = Bench::new();
    let fake = holding(vec![vec![("c.tgz", chart("1.0.0", 100))]]);
    let (entry, _) = bench.of(&fake, MOST).look().await.unwrap();
    let later = bench.of(&fake, MOST);
    assert_eq!(fake.reads.load(Ordering::Relaxed), 1, "nothing is read before it is needed");
    assert!(later.chart(&entry).await.is_ok());
    *fake.objects.lock().unwrap() = vec![vec![("c.tgz", chart("1.0.1", 100))]];
    let failed = bench.of(&fake, MOST).chart(&entry).await.err().unwrap();
    assert_eq!(failed.to_string(), "ConfigMap `team/a` changed while this run was under way: the next one reads it anew");
    assert!(failed.is_passing());
}

#[tokio::test]
async fn an_archive_over_the_limit_is_refused_before_the_rest_is_read() {
    let (bench, whole) = (Bench::new(), chart("1.0.0", 100_000));
    let piece = |name, range: std::ops::Range<usize>| vec![(name, whole[range].to_vec())];
    for (fake, reads) in [
        (holding(vec![vec![("c.tgz", whole.clone())]]), 1),
        (holding(vec![piece("c.tgz.0", 0..40_000), piece("c.tgz.1", 40_000..80_000), piece("c.tgz.2", 80_000..whole.len())]), 2),
    ] {
        let failed = bench.of(&fake, 60_000).look().await.unwrap_err();
        assert_eq!(failed.reason(), Reason::LimitExceeded);
        assert!(
            failed.to_string().starts_with("ConfigMap `team/a` could not be kept: it is larger than the limit of 60000 bytes"),
            "{failed}"
        );
        assert_eq!(fake.reads.load(Ordering::Relaxed), reads);
    }
}
