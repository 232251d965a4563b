//! A store that is not well: nothing is lost, set aside or doubled, and the hub goes on.

use super::*;
use rusqlite::ffi::{SQLITE_BUSY, SQLITE_FULL, SQLITE_IOERR_READ, SQLITE_IOERR_WRITE};
use store::{is_passing, trouble};

const FORMER: Epoch = Epoch([3; 16]);

/// A record of each kind, numbered from `first`.
fn each_kind(rig: &Rig, first: u64) -> Vec<Item> {
    let gone = Ranges::from(vec![(first + 6, first + 6)]);
    let loss = Loss { gone, unnumbered: 1, from: AT, to: AT, cause: LossCause::DiskFull };
    let inner = rig.sighting(FORMER, first, [1.0, 0.0, 0.0]).encode();
    let moved = Moved { epoch: FORMER, seq: first, body: inner };
    vec![
        rig.pictured(EPOCH, first, [1.0, 0.0, 0.0]),
        rig.pictured(EPOCH, first + 1, [0.0, 0.0, 1.0]),
        health(first + 2, 1000),
        anchor(first + 3, 1, 5000 + first, NOW),
        item(first + 4, AT, &Body::Moved(moved)),
        item(first + 5, AT, &Body::Loss(loss)),
    ]
}

#[tokio::test]
async fn a_store_that_fails_at_any_statement_loses_dooms_and_doubles_nothing() {
    let rig = Rig::in_file().await;
    lesson(&rig, 600_000).await;
    let (mut batches, mut struck) = (0, 0);
    let failures = [
        (SQLITE_BUSY, false),
        (SQLITE_FULL, false),
        (SQLITE_FULL, true),
        (SQLITE_IOERR_READ, false),
        (SQLITE_IOERR_WRITE, true),
    ];
    for (code, wipes) in failures {
        for after in 0.. {
            let items = each_kind(&rig, 7 * batches + 1);
            trouble::plan(&rig.path, after, code, wipes);
            let batch = Batch { epoch: EPOCH, items: items.clone() };
            let answer = rig.sent(Sent::Batch(batch)).await;
            let came = trouble::mend(&rig.path);
            assert_eq!(
                came,
                matches!(answer, DeliveryAnswer::Held),
                "{code} at {after}: {answer:?}"
            );
            let ack = rig.batch(EPOCH, items).await;
            batches += 1;
            assert_eq!((ack.cum, ack.rejects.as_slice()), (7 * batches, &[][..]));
            struck += u64::from(came);
            if !came {
                break;
            }
        }
    }
    assert!(struck > 150, "only {struck} statements failed");
    let n = i64::try_from(batches).unwrap();
    assert_eq!(rig.count("sighting").await, 2 * n);
    assert_eq!(rig.count("evidence where part = 'crop'").await, n);
    let kinds = [rig.count("health").await, rig.count("loss").await, rig.count("anchor").await];
    assert_eq!(kinds, [n, n, n]);
    assert_eq!((rig.count("receipt").await, rig.count("dead_letter").await), (7 * n, 0));
}

#[tokio::test]
async fn a_disk_that_is_really_full_holds_everything_and_goes_on_with_space() {
    let rig = Rig::in_file().await;
    let pages = |n: u32| {
        let sql = format!("pragma max_page_count = {n}");
        rig.db.write(move |tx| tx.row(&sql, [], |_| Ok(())).map(drop))
    };
    pages(1).await.unwrap();
    let (mut all, mut held) = (Vec::new(), 0);
    for seq in 1..=60 {
        let items = vec![rig.pictured(EPOCH, seq, [1.0, 0.0, 0.0])];
        all.extend(items.clone());
        let answer = rig.sent(Sent::Batch(Batch { epoch: EPOCH, items })).await;
        held += u32::from(matches!(answer, DeliveryAnswer::Held));
    }
    assert!(held > 20, "only {held} found the disk full");
    pages(u32::MAX / 2).await.unwrap();
    assert_eq!(rig.batch(EPOCH, all).await.cum, 60);
    let whole = [rig.count("sighting").await, rig.count("evidence where part = 'crop'").await];
    assert_eq!((whole, rig.count("dead_letter").await), ([60, 60], 0));
}

#[tokio::test]
async fn keys_that_cannot_be_read_for_a_moment_are_no_fault_of_the_record() {
    let busy = rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(SQLITE_BUSY), None);
    assert!(is_passing(&Error::internal("reading a student's key", busy)));
    assert!(!is_passing(&Error::internal("reading a student's key", "it is of another kek")));
}
