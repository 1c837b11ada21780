//! Bodies in memory and in files, and the limits of both.

//! The spool as its users see it: what goes in comes out, within the limits.

use std::io::Read;

use http_body_util::BodyExt;

use super::*;
use crate::net::OpenBody;

fn spool(budget: Budget) -> (tempfile::TempDir, Spool) {
    let directory = tempfile::tempdir().unwrap();
    let spool = Spool::new(directory.path().to_owned(), budget);
    (directory, spool)
}

const SMALL: Budget = Budget { memory: 64 << 10, memory_of_one: 16 << 10, disk: 2 << 20 };

async fn stored(spool: &Spool, bytes: &[u8], promised: bool) -> Result<Spooled, SpoolError> {
    let mut writer = spool.writer(promised.then_some(bytes.len() as u64), 1 << 30).await?;
    for piece in bytes.chunks(7000) {
        writer.write(piece).await?;
    }
    writer.finish().await
}

fn bytes(count: usize) -> Vec<u8> {
    (0..count).map(|index| u8::try_from(index % 251).unwrap()).collect()
}

#[tokio::test]
async fn what_is_read_at_any_offset_is_what_was_written() {
    let (directory, spool) = spool(SMALL);
    for (count, promised) in
        [(0, true), (1, false), (16 << 10, true), (16 << 10, false), ((16 << 10) + 1, false), (700_001, true), (700_001, false)]
    {
        let whole = bytes(count);
        let body = stored(&spool, &whole, promised).await.unwrap();
        assert_eq!((body.length(), body.digest()), (count as u64, Digest::of(&whole)));
        for offset in [0, count / 2, count] {
            let opened = body.open(offset as u64);
            assert_eq!(http_body::Body::size_hint(&opened).exact(), Some((count - offset) as u64));
            assert_eq!(opened.collect().await.unwrap().to_bytes(), whole[offset..]);
        }
        let mut read = Vec::new();
        body.reader().read_to_end(&mut read).unwrap();
        assert!(read == whole);
        assert_eq!(directory.path().read_dir().unwrap().count(), 0, "a spool file has a name");
    }
}

#[tokio::test]
async fn beyond_the_memory_budget_bodies_go_to_disk_and_beyond_that_they_are_refused() {
    let (_directory, spool) = spool(SMALL);
    let mut held = Vec::new();
    for _ in 0..200 {
        match stored(&spool, &bytes(16 << 10), false).await {
            Ok(body) => held.push(body),
            Err(error) => {
                assert_eq!(error, SpoolError::Full { limit: 2 << 20 });
                break;
            }
        }
    }
    let in_memory = held.iter().filter(|body| matches!(body.0.content, Content::Memory(_))).count();
    assert_eq!((in_memory, held.len()), (4, 4 + 128));
    held.clear();
    assert!(stored(&spool, &bytes(1 << 20), false).await.is_ok(), "shares are given back");
}

#[tokio::test]
async fn a_body_with_a_promised_length_waits_for_room() {
    let (_directory, spool) = spool(SMALL);
    let first = stored(&spool, &bytes(2 << 20), true).await.unwrap();
    let waiting = tokio::spawn({
        let spool = spool.clone();
        async move { stored(&spool, &bytes(2 << 20), true).await.map(|body| body.length()) }
    });
    tokio::task::yield_now().await;
    assert!(!waiting.is_finished());
    drop(first);
    assert_eq!(waiting.await.unwrap(), Ok(2 << 20));
}

#[tokio::test]
async fn what_can_never_fit_is_refused_before_a_byte_is_read() {
    let (_directory, spool) = spool(SMALL);
    assert_eq!(spool.writer(Some(11), 10).await.err(), Some(SpoolError::TooLarge { limit: 10 }));
    assert_eq!(spool.writer(Some(3 << 20), 1 << 30).await.err(), Some(SpoolError::NeverFits { length: 3 << 20, limit: 2 << 20 }));
    assert_eq!(
        stored(&spool, &bytes((2 << 20) + 1), false).await.err(),
        Some(SpoolError::NeverFits { length: (2 << 20) + 1, limit: 2 << 20 })
    );
    let mut writer = spool.writer(None, 10).await.unwrap();
    assert_eq!(writer.write(&[0; 11]).await, Err(SpoolError::TooLarge { limit: 10 }));
}

#[tokio::test]
async fn what_is_taken_is_told_in_whole_pieces_and_given_back() {
    let (_directory, spool) = spool(SMALL);
    let room = |used, limit| Room { used, limit };
    let usage = |memory, disk| Usage { memory: room(memory, 64 << 10), disk: room(disk, 2 << 20) };
    assert_eq!(spool.usage(), usage(0, 0));
    let small = stored(&spool, &bytes(5000), false).await.unwrap();
    assert_eq!(spool.usage(), usage(8192, 0));
    let large = stored(&spool, &bytes(20_000), true).await.unwrap();
    assert_eq!(spool.usage(), usage(8192, 20_480));
    drop(small);
    assert_eq!(spool.usage(), usage(0, 20_480));
    drop(large);
    assert_eq!(spool.usage(), usage(0, 0));
}

#[tokio::test]
async fn what_is_kept_gives_way_to_what_is_on_its_way() {
    let (_directory, spool) = spool(SMALL);
    let large = bytes(1_500_000);
    for promised in [true, false] {
        let kept = spool.keep(stored(&spool, &large, false).await.unwrap());
        let small = spool.keep(stored(&spool, b"small", false).await.unwrap());
        assert_eq!(kept.body().map(|body| body.length()), Some(1_500_000));
        let arrived = stored(&spool, &large, promised).await.unwrap();
        assert!(!kept.is_there() && kept.body().is_none() && small.is_there(), "what lies in memory takes no room of files");
        drop(arrived);
    }
    let held = spool.keep(stored(&spool, &large, false).await.unwrap()).body();
    assert!(held.is_some());
    assert_eq!(stored(&spool, &large, false).await.unwrap_err(), SpoolError::Full { limit: 2 << 20 }, "who has it holds its room");
}
