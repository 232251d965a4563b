//! Which doors are blind; and people as doors know them, for other tests.

use super::*;
use crate::sample::sees;
use crate::{Db, device};
use wire::record::{Blind, Watch};
use wire::{ClockState, Direction, Epoch, Mono, RecordKey, Stamp};

const NOW: Wall = Wall(1_790_000_000_000);

/// Doors that are online, each with what it last said.
async fn house(doors: Vec<(&'static str, Option<Watch>)>) -> (tempfile::TempDir, Db) {
    let dir = tempfile::tempdir().unwrap();
    let db = Db::open(dir.path().join("hub.db")).unwrap();
    let fill = move |tx: &Tx<'_>| {
        for (name, watch) in &doors {
            let id: DeviceId = name.parse().unwrap();
            let room = "1".to_owned();
            let place =
                device::DevicePlace { room, location: String::new(), direction: Direction::Both };
            device::add(tx, &id, &place, "t", NOW)?;
            device::connected(tx, &id, true, (1, 1), NOW)?;
            let Some(watch) = watch else { continue };
            let key = RecordKey { device: id, epoch: Epoch([1; 16]), seq: 1 };
            let mono = Mono(1_000);
            let stamp = Stamp { boot: 1, mono, wall: Some(NOW), clock: ClockState::Ntp };
            let when = rules::sighting::time::When::At(NOW, 0);
            super::super::arrival::add_watch(tx, &key, (0, &stamp), &when, watch)?;
        }
        Ok(())
    };
    db.write(fill).await.unwrap();
    (dir, db)
}

#[tokio::test]
async fn a_door_that_is_connected_and_blind_is_named_with_its_cause() {
    let covered = Watch { blind: vec![(Blind::Covered, 800)], ..sees(Mono(0), 200) };
    let idle = Watch { fired: 0, ..sees(Mono(0), 1_000) };
    let drifts = Watch { err_ms: Some(130_000), ..sees(Mono(0), 1_000) };
    let doors = vec![
        ("a", Some(sees(Mono(0), 1_000))),
        ("b", Some(covered)),
        ("c", Some(idle)),
        ("d", None),
        ("e", Some(drifts)),
    ];
    let (_dir, db) = house(doors).await;
    let named = async |now: Wall| {
        let found = db.read(move |tx| blind(tx, now)).await.unwrap();
        found.into_iter().map(|door| (door.device.to_string(), door.why)).collect::<Vec<_>>()
    };
    let of = |name: &str, why| (name.to_owned(), why);
    let wanted =
        [of("b", ClosingWhy::Covered), of("d", ClosingWhy::NoReport), of("e", ClosingWhy::Clock)];
    assert_eq!(named(NOW).await, wanted, "a door that nobody passed is not blind");
    let silent = named(NOW.plus_ms(SILENT_MS + 1)).await;
    assert!(silent.len() == 5 && silent.iter().all(|(_, why)| *why == ClosingWhy::NoReport));
}

#[tokio::test]
async fn a_letter_that_waits_may_be_anybodys_passage() {
    let (_dir, db) = house(vec![("a", Some(sees(Mono(0), 1_000)))]).await;
    let span = (NOW.plus_ms(-1_000), NOW);
    let write = move |tx: &Tx<'_>| {
        let before = lost(tx, "a", span)?;
        let sql = "insert into dead_letter (device, epoch, seq, at, error, detail, software, bytes)
             values ('a', x'01', 1, $1, 'malformed', '', '', x'00')";
        tx.execute(sql, [NOW.0])?;
        let waits = lost(tx, "a", span)?;
        tx.execute("update dead_letter set replayed_at = $1", [NOW.0])?;
        Ok((before, waits, lost(tx, "a", span)?))
    };
    assert_eq!(db.write(write).await.unwrap(), (false, true, false));
}
