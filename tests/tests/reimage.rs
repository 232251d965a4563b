//! A door's card is put back to an old copy, or emptied, while it publishes: what is lost with it
//! is told with its numbers, and nothing of any of its lives is dropped in silence or doubled.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
#![expect(clippy::print_stdout, reason = "figures belong beside the result")]

use house::passages::Account;
use house::process::Process;
use house::rig::Rig;
use rusqlite::Connection;
use std::fs;
use std::path::{Path, PathBuf};
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
/// it is what `image` says from then on. If it `overtakes`, it has given out more numbers than the
/// lost one before the hub hears of it.
fn reimage(rig: &mut Rig, image: &Path, overtakes: bool) {
    let (card, mut hub) = (rig.card().to_owned(), rig.hub().unwrap());
    let sim = rig.door(FAST).unwrap();
    sim.until(LIMIT, |heard| heard.cursor.0 > 0).unwrap();
    let at = sim.heard().cursor.0;
    sim.until(LIMIT, |heard| heard.cursor.1 > at + 1_000).unwrap();
    hub.kill();
    let before = sim.heard().made.len();
    let away = if overtakes { 1_500 } else { 6_000 };
    sim.until(LIMIT, |heard| heard.made.len() > before + away).unwrap();
    hub = rig.hub().unwrap();
    let at = sim.heard().cursor.1;
    sim.until(LIMIT, |heard| heard.cursor.1 > at).unwrap();
    let last = sim.heard().cursor.0;
    rig.note(sim.kill());
    rig.read_card().unwrap();
    put(image, &card);
    if overtakes {
        hub.kill();
        let sim = rig.door(FAST).unwrap();
        sim.until(LIMIT, |heard| heard.cursor.0 > last + 1_000).unwrap();
        rig.note(sim.kill());
        hub = rig.hub().unwrap();
    }
    // The hub hears the new life, and all of it.
    let sim = rig.door(RATE).unwrap();
    sim.until(LIMIT, |heard| heard.made.len() > 300).unwrap();
    rig.note(sim.drain(LIMIT).unwrap());
    hub.kill();
}

fn check(rig: &mut Rig, what: &str) -> usize {
    let account = rig.account().unwrap();
    let all = rig.passages();
    let (made, told, shared) = (all.made.len(), all.told.len(), all.shared());
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
    shared
}

/// A copy of the card as it is after a while.
fn image(rig: &mut Rig, hub: Process, dir: &Path) -> PathBuf {
    let sim = rig.door(RATE).unwrap();
    sim.until(LIMIT, |heard| heard.cursor.1 > 200).unwrap();
    rig.note(sim.kill());
    rig.read_card().unwrap();
    drop(hub);
    let image = dir.join("image");
    put(rig.card(), &image);
    image
}

#[test]
fn a_card_put_back_to_an_old_copy_while_it_publishes_drops_nothing_in_silence() {
    let dir = tempfile::tempdir().unwrap();
    let (mut rig, hub) = Rig::new(dir.path()).unwrap();
    let image = image(&mut rig, hub, dir.path());
    reimage(&mut rig, &image, false);
    check(&mut rig, "an old copy");
}

#[test]
fn a_copy_that_overtakes_the_card_it_is_of_hides_none_of_its_passages() {
    let dir = tempfile::tempdir().unwrap();
    let (mut rig, hub) = Rig::new(dir.path()).unwrap();
    let image = image(&mut rig, hub, dir.path());
    reimage(&mut rig, &image, true);
    let shared = check(&mut rig, "an old copy that overtakes");
    println!("{shared} numbers told as lost were given out again, and those passages are here");
    assert!(shared > 0, "no number was given out twice: the rig proves nothing");
}

#[test]
fn a_card_without_its_outbox_drops_nothing_in_silence() {
    let dir = tempfile::tempdir().unwrap();
    let (mut rig, hub) = Rig::new(dir.path()).unwrap();
    drop(hub);
    reimage(&mut rig, &dir.path().join("nothing"), false);
    check(&mut rig, "no outbox");
}
