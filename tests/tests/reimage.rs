//! A card that is written anew from an old image gives numbers out again: nothing of either life
//! is lost, doubled, or set aside.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
#![expect(clippy::print_stdout, reason = "figures belong beside the result")]

use house::history::History;
use house::rig::{DOOR, Rig, Sim};
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

const RATE: u32 = 400;
const LIMIT: Duration = Duration::from_secs(90);
/// The outbox and its journal.
const FILES: [&str; 2] = ["outbox.db", "outbox.db-wal"];

/// Copies the card's outbox; what was there before goes.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for name in FILES {
        let _none = fs::remove_file(to.join(name));
        let _none = fs::copy(from.join(name), to.join(name));
    }
}

fn until(sim: &Sim, what: impl Fn(&Sim) -> bool) {
    let start = Instant::now();
    while !what(sim) {
        assert!(start.elapsed() < LIMIT, "it took too long");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn stored(rig: &Rig) -> History {
    let mut history = History::default();
    history.read_hub(&rig.school().hub_dir().join("hub.db"), DOOR).unwrap();
    history
}

#[test]
fn numbers_of_an_old_image_given_out_again_cost_no_passage_of_either_life() {
    let dir = tempfile::tempdir().unwrap();
    let (rig, mut hub) = Rig::new(dir.path()).unwrap();
    let (card, image) = (rig.card().to_owned(), dir.path().join("image"));
    let sim = rig.door(RATE).unwrap();
    until(&sim, |sim| sim.heard().cursor.1 > 200);
    sim.kill();
    copy(&card, &image);
    let sim = rig.door(RATE).unwrap();
    let at = sim.heard().cursor.1.max(200);
    until(&sim, |sim| sim.heard().cursor.1 > at + 500);
    sim.kill();
    hub.kill();
    let before = stored(&rig);
    copy(&image, &card);
    let sim = rig.door(RATE).unwrap();
    until(&sim, |sim| sim.heard().committed.len() > 300);
    let _hub = rig.hub().unwrap();
    let made = sim.drain(LIMIT).unwrap().committed.len() as u64;
    let after = stored(&rig);
    let (was, is) = (before.sightings, after.sightings);
    println!("{was} passages before, {made} after the image was written back: {is}");
    assert_eq!((after.doubled, after.dead), (0, 0));
    assert_eq!(is, was + made, "each passage of both lives, once");
}
