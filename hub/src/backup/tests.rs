//! A backup is taken while the hub works, and a hub made of it goes on.

use super::*;
use crate::pki::Pki;
use crate::store::cursor::{self, Cursor};
use crate::store::student::{self, Profile};
use wire::{DeviceId, StudentId};

const NOW: Wall = Wall(1_790_000_000_123);
const EPOCH: Epoch = Epoch([1; 16]);

struct Rig {
    dir: tempfile::TempDir,
    db: Db,
    keys: Keys,
    student: StudentId,
}

fn door() -> DeviceId {
    "door-1".parse().unwrap()
}

async fn rig() -> Rig {
    rig_with("").await
}

/// With `settings` before all others.
async fn rig_with(settings: &str) -> Rig {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    private(&data).unwrap();
    let keys = Keys::create(&data, NOW).unwrap();
    Pki::create(&data, &keys, &["localhost".into()], NOW).unwrap();
    let text = settings.to_owned() + &config::template("localhost", "UTC");
    fs::write(data.join(config::FILE), &text).unwrap();
    let db = Db::open(&Config::parse(&data, &text, None).unwrap().database()).unwrap();
    let write = |tx: &Tx<'_>| {
        store::setting::set(tx, "hub_epoch", &Epoch([9; 16]).to_string())?;
        let (room, location) = ("204".to_owned(), String::new());
        let place = store::device::Place { room, location, direction: wire::Direction::Entry };
        store::device::add(tx, &door(), &place, "t", NOW)?;
        let profile =
            Profile { student_number: "1".into(), first_name: "A".into(), ..Profile::default() };
        student::add(tx, profile, "t", NOW)
    };
    let student = db.write(write).await.unwrap();
    keys.student_or_new(student, NOW).unwrap();
    Rig { dir, db, keys, student }
}

impl Rig {
    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The hub has `1..=cum` of the door's outbox.
    async fn holds(&self, cum: u64) {
        let mut all = Cursor { max_seq: cum, ..Cursor::default() };
        all.ranges.insert(1, cum);
        self.db.write(move |tx| cursor::put(tx, &door(), EPOCH, &all, NOW)).await.unwrap();
    }

    fn back_up(&self, now: Wall) -> Made {
        let data = self.path("data");
        let config =
            Config::parse(&data, &fs::read_to_string(data.join(config::FILE)).unwrap(), None);
        make(&config.unwrap(), &self.path("backup"), &self.path("keys"), now).unwrap()
    }
}

#[tokio::test]
async fn a_backup_is_checked_and_tells_doors_how_far_it_goes() {
    let rig = rig().await;
    rig.holds(7).await;
    let made = rig.back_up(NOW);
    rig.holds(9).await;
    let reach =
        |db: Db| async move { db.read(|tx| backed_up::of(tx, &door(), EPOCH)).await.unwrap() };
    assert_eq!(reach(rig.db.clone()).await, 0, "nothing before it is told");
    tell(&rig.db, &made, "t".into(), NOW).await.unwrap();
    assert_eq!(reach(rig.db.clone()).await, 7, "what came later is not in it");
    assert!(made.audited >= 2 && made.bytes > 0);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&made.keys), mode(&made.keys.join("kek"))), (0o700, 0o600));
}

#[tokio::test]
async fn a_restored_hub_begins_a_new_life_and_knows_what_the_backup_knew() {
    let rig = rig().await;
    rig.holds(7).await;
    rig.back_up(NOW);
    rig.holds(9).await;
    rig.back_up(NOW.plus_ms(1));
    let (old, new) = (rig.path("data"), rig.path("new"));
    let to = |data: PathBuf| {
        let (folder, keys) = (rig.path("backup"), rig.path("keys"));
        async move { restore(&folder, &keys, &data, "t".into(), NOW).await }
    };
    assert!(matches!(to(old).await, Err(Error::Conflict(_))), "never overwritten");
    to(new.clone()).await.unwrap();
    let db = Db::open(&new.join("hub.db")).unwrap();
    let read = |tx: &Tx<'_>| {
        let (epoch, all) = (store::setting::hub_epoch(tx)?, cursor::get(tx, &door(), EPOCH)?);
        Ok((epoch, all.ranges.cumulative(), audit::verify(tx)?.rows, store::release::floor(tx)?))
    };
    let (epoch, cum, rows, floor) = db.read(read).await.unwrap();
    assert_ne!(epoch, Epoch([9; 16]), "doors send their tail again");
    assert_eq!((cum, floor), (9, JUMP), "the newest backup");
    assert!(rows > 2, "the chain goes on");
    let keys = Keys::open(&new).unwrap();
    let key = |keys: &Keys| *keys.student(rig.student).unwrap().unwrap().as_bytes();
    assert_eq!(key(&keys), key(&rig.keys));
    Pki::open(&new, &keys).unwrap();
}

#[tokio::test]
async fn a_database_at_another_place_is_copied_and_put_there_again() {
    let rig = rig_with("database = \"elsewhere.db\"\n").await;
    rig.holds(7).await;
    rig.back_up(NOW);
    let (folder, keys, new) = (rig.path("backup"), rig.path("keys"), rig.path("new"));
    restore(&folder, &keys, &new, "t".into(), NOW).await.unwrap();
    assert!(!new.join("hub.db").exists());
    let db = Db::open(&new.join("elsewhere.db")).unwrap();
    let held = db.read(|tx| cursor::get(tx, &door(), EPOCH)).await.unwrap();
    assert_eq!(held.ranges.cumulative(), 7);
}

#[tokio::test]
async fn keys_that_do_not_open_are_no_backup() {
    let rig = rig().await;
    let data = rig.path("data");
    let config = Config::parse(&data, &config::template("localhost", "UTC"), None).unwrap();
    let make = || make(&config, &rig.path("backup"), &rig.path("keys"), NOW).map(drop);
    let kek = fs::read(data.join("kek")).unwrap();
    fs::write(data.join("kek"), [7_u8; 32]).unwrap();
    assert!(make().is_err(), "the wrong key to the keys");
    fs::write(data.join("kek"), kek).unwrap();
    fs::remove_file(data.join("keys.db")).unwrap();
    assert!(make().is_err() && Keys::open(&data).is_err(), "no keys");
    assert!(!data.join("keys.db").exists(), "none are made in their place");
    let kept = [names(&rig.path("backup")).unwrap(), names(&rig.path("keys")).unwrap()];
    assert_eq!(kept, [vec![], vec![]], "nothing half-made");
}

#[tokio::test]
async fn an_erased_key_is_in_no_backup_after_thirty_days() {
    let rig = rig().await;
    let first = rig.back_up(NOW);
    let holds = |made: &Made| {
        let keys = Keys::open(&made.keys).unwrap();
        keys.student(rig.student).unwrap().is_some()
    };
    assert!(holds(&first));
    rig.keys.erase(rig.student).unwrap();
    let second = rig.back_up(NOW.plus_ms(KEYS_MS - 1));
    assert!(first.keys.exists() && !holds(&second));
    let third = rig.back_up(NOW.plus_ms(KEYS_MS));
    assert_eq!((third.destroyed, first.keys.exists(), second.keys.exists()), (1, false, true));
    assert!(first.data.exists(), "data stays: nothing in it opens");
}

#[tokio::test]
async fn a_damaged_copy_is_no_backup() {
    let rig = rig().await;
    let made = rig.back_up(NOW);
    let mut bytes = fs::read(&made.data).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 4096].fill(0xA5);
    fs::write(&made.data, bytes).unwrap();
    assert!(file::check(&made.data).is_err());
    let (folder, keys, new) = (rig.path("backup"), rig.path("keys"), rig.path("new"));
    assert!(restore(&folder, &keys, &new, "t".into(), NOW).await.is_err());
    assert!(!new.exists(), "nothing half-made");
}

#[test]
fn a_name_tells_its_time() {
    assert_eq!(stamped(&format!("keys-{}", stamp(NOW))), Some(NOW));
    assert_eq!(stamped("keys-of-the-house"), None);
}
