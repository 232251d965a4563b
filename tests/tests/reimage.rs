//! A door's card is put back to an old copy, or emptied, while it publishes: what is lost with it
//! is told with its numbers, and nothing of any of its lives is dropped in silence or doubled.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
#![expect(clippy::print_stdout, reason = "figures belong beside the result")]

use house::passages::Account;
use house::rig::Rig;
use rusqlite::Connection;
use std::fs;
use std::path::Path;
use std::time::Duration;

const RATE: u32 = 400;
/// Faster than the hub takes them over at first.
const FAST: u32 = 3000;
const LIMIT: Duration = Duration::from_secs(90);
/// The outbox and its journal.
const FILES: [&str; 2] = ["outbox.db", "outbox.db-wal"];

/// Makes the outbox in `to` that of `from`; without one there is none.
fn put(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    let _index = fs::remove_file(to.join("outbox.db-shm"));
    for name in FILES {
        let _none = fs::remove_file(to.join(name));
        let _none = fs::copy(from.join(name), to.join(name));
    }
}

/// A door publishes, its hub is away for a while, and right after it has come back the card goes:
/// it is what `image` says from then on.
fn reimage(rig: &mut Rig, image: &Path) {
    let (card, mut hub) = (rig.card().to_owned(), rig.hub().unwrap());
    let sim = rig.door(FAST).unwrap();
    sim.until(LIMIT, |heard| heard.cursor.0 > 0).unwrap();
    let at = sim.heard().cursor.0;
    sim.until(LIMIT, |heard| heard.cursor.1 > at + 1_000).unwrap();
    hub.kill();
    let before = sim.heard().made.len();
    sim.until(LIMIT, |heard| heard.made.len() > before + 6_000).unwrap();
    hub = rig.hub().unwrap();
    let at = sim.heard().cursor.1;
    sim.until(LIMIT, |heard| heard.cursor.1 > at).unwrap();
    rig.note(sim.kill());
    rig.read_card().unwrap();
    put(image, &card);
    // The hub hears the new life, and all of it.
    let sim = rig.door(RATE).unwrap();
    sim.until(LIMIT, |heard| heard.made.len() > 300).unwrap();
    rig.note(sim.drain(LIMIT).unwrap());
    hub.kill();
}

fn check(rig: &mut Rig, what: &str) {
    let account = rig.account().unwrap();
    let all = rig.passages();
    let (made, told) = (all.made.len(), all.told.len());
    let gone: Vec<_> = all.made.iter().filter(|mark| !all.shown.contains_key(mark)).collect();
    let gone = (gone.len(), gone.iter().filter(|mark| all.is_numbered(mark)).count());
    println!(
        "{what}: {made} passages, {} of them gone, {} of these told by number ({told} numbers), the \
         others came after the last number that the hub had heard of: {account:?}",
        gone.0, gone.1
    );
    assert_eq!(account, Account::default());
    assert!(gone.1 > 0, "nothing was lost: the rig proves nothing");
    let db = Connection::open(rig.school().hub_dir().join("hub.db")).unwrap();
    db.execute("delete from loss where cause = 'card'", []).unwrap();
    assert_eq!(rig.account().unwrap().lost, gone.0, "dropped in silence, they are found out");
}

#[test]
fn a_card_put_back_to_an_old_copy_while_it_publishes_drops_nothing_in_silence() {
    let dir = tempfile::tempdir().unwrap();
    let (mut rig, hub) = Rig::new(dir.path()).unwrap();
    let sim = rig.door(RATE).unwrap();
    sim.until(LIMIT, |heard| heard.cursor.1 > 200).unwrap();
    rig.note(sim.kill());
    rig.read_card().unwrap();
    drop(hub);
    let image = dir.path().join("image");
    put(rig.card(), &image);
    reimage(&mut rig, &image);
    check(&mut rig, "an old copy");
}

#[test]
fn a_card_without_its_outbox_drops_nothing_in_silence() {
    let dir = tempfile::tempdir().unwrap();
    let (mut rig, hub) = Rig::new(dir.path()).unwrap();
    drop(hub);
    reimage(&mut rig, &dir.path().join("nothing"));
    check(&mut rig, "no outbox");
}
