//! Hubs that share a store, on the server that `tests/postgres/run` starts: without one there is
//! nothing to share.

use super::*;
use crate::keys::KeysPlace;
use crate::postgres::{Postgres, apart, for_tests};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use uuid::Uuid;
use wire::StudentId;

fn student(n: u128) -> StudentId {
    StudentId(Uuid::from_u128(n))
}

/// Folders of hubs, and the server that has their keys.
struct District {
    dir: tempfile::TempDir,
    server: Server,
}

impl District {
    /// One hub, `north`, which shares its keys.
    fn new() -> Option<(Self, Keys)> {
        let dir = tempfile::tempdir().unwrap();
        let server = for_tests(dir.path())?;
        let district = Self { dir, server };
        let north = district.folder("north");
        let alone = Keys::create(&north, Wall(1)).unwrap();
        alone.student_or_new(student(1), Wall(1)).unwrap();
        let papers = [("ca.pem", "ca".to_owned())];
        alone.share(&district.server, "north", &papers, Wall(1)).unwrap();
        let keys = district.open("north").unwrap();
        Some((district, keys))
    }

    fn folder(&self, name: &str) -> PathBuf {
        let folder = self.dir.path().join(name);
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    fn open(&self, name: &str) -> Result<Keys, Error> {
        let server = Some(self.server.clone());
        Keys::open(KeysPlace { dir: self.folder(name), server })
    }

    fn ask(&self, name: &str) -> Result<Admission, Error> {
        Admission::ask(&self.server, &self.folder(name), name, Wall(2))
    }

    /// Another hub, let in by `keys`.
    fn joined(&self, keys: &Keys, name: &str) -> Keys {
        let asked = self.ask(name).unwrap();
        keys.admit(name, &asked.code, Wall(3)).unwrap();
        assert!(asked.is_granted().unwrap());
        self.open(name).unwrap()
    }

    /// What whoever runs the server does.
    fn meddle(&self, sql: &str, value: Value) {
        let mut server = apart(|| Postgres::beside(&self.server)).unwrap();
        apart(|| server.hold(|tx| tx.execute(sql, vec![value]).map(drop))).unwrap();
    }

    fn kek(&self, name: &str) -> Vec<u8> {
        fs::read(self.folder(name).join("kek")).unwrap()
    }
}

fn key(keys: &Keys, n: u128) -> Option<[u8; 32]> {
    keys.student(student(n)).unwrap().map(|key| *key.as_bytes())
}

#[test]
fn a_hub_that_was_let_in_has_the_same_keys_and_papers() {
    let Some((district, north)) = District::new() else { return };
    let south = district.joined(&north, "south");
    assert!(key(&north, 1).is_some() && key(&north, 1) == key(&south, 1));
    south.student_or_new(student(2), Wall(4)).unwrap();
    assert!(key(&south, 2).is_some() && key(&north, 2) == key(&south, 2));
    let sealed = south.seal("totp", b"secret");
    assert_eq!(*north.unseal("totp", &sealed).unwrap(), b"secret");
    north.lay_paper("ca.pem", "newer").unwrap();
    assert_eq!(south.paper("ca.pem").unwrap(), "newer");
    let names: Vec<_> = north.hubs().unwrap().into_iter().map(|hub| hub.name).collect();
    assert_eq!(names, ["north", "south"]);
}

#[test]
fn who_shows_another_code_or_none_is_not_let_in() {
    let Some((district, north)) = District::new() else { return };
    let asked = district.ask("south").unwrap();
    let other = district.ask("east").unwrap();
    assert!(!asked.is_granted().unwrap() && district.open("south").is_err());
    assert!(matches!(north.admit("south", &other.code, Wall(3)), Err(Error::Invalid(_))));
    assert!(matches!(north.admit("south", "abc", Wall(3)), Err(Error::Invalid(_))));
    assert!(matches!(north.admit("west", &asked.code, Wall(3)), Err(Error::NotFound(_))));
    let typed = asked.code.to_lowercase().replace('-', " ");
    north.admit("south", &typed, Wall(3)).unwrap();
    assert!(asked.is_granted().unwrap() && !other.is_granted().unwrap());
    assert!(matches!(north.admit("south", &typed, Wall(3)), Err(Error::NotFound(_))), "once");
}

#[test]
fn whoever_runs_the_server_cannot_put_a_mailbox_in_the_place_of_another() {
    let Some((district, north)) = District::new() else { return };
    let asked = district.ask("south").unwrap();
    let forged = Identity::generate().to_public().to_string();
    let sql = "update hub set mailbox = $1 where name = 'south'";
    district.meddle(sql, forged.clone().into());
    assert!(matches!(north.admit("south", &asked.code, Wall(3)), Err(Error::Invalid(_))));
    let south = district.joined(&north, "third");
    let sql = "update hub set mailbox = $1 where name = 'third'";
    district.meddle(sql, forged.into());
    let before = district.kek("third");
    north.rotate_kek().unwrap();
    assert!(south.student(student(1)).is_err(), "it has no mailbox any more");
    assert_eq!(district.kek("third"), before);
}

#[test]
fn a_key_that_no_hub_sealed_is_not_taken() {
    let Some((district, north)) = District::new() else { return };
    let south = district.joined(&north, "south");
    let before = district.kek("south");
    let mailbox = Mailbox::read(&KekPlace::of(&district.folder("south")).unwrap(), FILE).unwrap();
    let evil = Kek::new(DataKey::random());
    let address = Address { to: mailbox.pair.to_public(), word: Zeroizing::new([7; 32]) };
    let parcel = address.seal("south", evil.key()).unwrap();
    district.meddle("update hub set parcel = $1 where name = 'south'", parcel.into());
    district.meddle("update kek set print = $1", evil.print().to_vec().into());
    assert!(south.student_or_new(student(5), Wall(5)).is_err());
    assert_eq!(district.kek("south"), before);
}

#[test]
fn a_new_kek_reaches_every_hub_and_the_one_before_is_on_no_disk() {
    let Some((district, north)) = District::new() else { return };
    let south = district.joined(&north, "south");
    let (first, mailbox) =
        (district.kek("south"), fs::read(district.folder("south").join(FILE)).unwrap());
    assert_eq!(district.kek("north"), first);
    let before = key(&north, 1);
    for away in 1..=3 {
        north.rotate_kek().unwrap();
        assert!(north.hubs().unwrap()[1].is_behind, "after {away}");
    }
    assert_eq!(key(&south, 1), before);
    assert_eq!(district.kek("south"), district.kek("north"));
    assert_ne!(district.kek("south"), first);
    assert_ne!(fs::read(district.folder("south").join(FILE)).unwrap(), mailbox, "used once");
    assert!(!north.hubs().unwrap()[1].is_behind);
    south.rotate_kek().unwrap();
    assert_eq!(key(&north, 1), before, "and the other way round");
    assert_eq!(key(&district.open("north").unwrap(), 1), before, "after a start too");
}

#[test]
fn a_hub_that_was_away_replaces_kek_after_it_has_taken_the_newest() {
    let Some((district, north)) = District::new() else { return };
    let south = district.joined(&north, "south");
    let before = key(&north, 1);
    north.rotate_kek().unwrap();
    south.rotate_kek().unwrap();
    assert_eq!((key(&north, 1), key(&south, 1)), (before, before));
}

#[test]
fn a_hub_that_was_shut_out_opens_nothing_any_more() {
    let Some((district, north)) = District::new() else { return };
    let south = district.joined(&north, "south");
    assert!(matches!(north.dismiss("north"), Err(Error::Conflict(_))));
    assert!(matches!(north.dismiss("west"), Err(Error::NotFound(_))));
    north.dismiss("south").unwrap();
    assert!(south.student(student(1)).is_err() && district.open("south").is_err());
    assert!(key(&north, 1).is_some());
}

#[test]
fn a_taking_that_was_cut_short_is_finished() {
    let Some((district, north)) = District::new() else { return };
    let south = district.joined(&north, "south");
    let (folder, before) = (district.folder("south"), key(&north, 1));
    let kept = |name: &str| (folder.join(name), fs::read(folder.join(name)).unwrap());
    let old = [kept("kek"), kept(FILE)];
    north.rotate_kek().unwrap();
    assert_eq!(key(&south, 1), before);
    // As if the power went after the commit, before either file was in its place.
    for (path, bytes) in old {
        fs::rename(&path, path.with_extension("next")).unwrap();
        fs::write(&path, bytes).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    }
    assert_eq!(key(&district.open("south").unwrap(), 1), before);
    north.rotate_kek().unwrap();
    assert_eq!(key(&district.open("south").unwrap(), 1), before, "the next one finds it too");
}

#[test]
fn under_load_no_key_is_lost_while_hubs_replace_kek() {
    let Some((district, north)) = District::new() else { return };
    let south = district.joined(&north, "south");
    let writer = south.clone();
    let made = std::thread::spawn(move || {
        let make = |n| *writer.student_or_new(student(n), Wall(1)).unwrap().as_bytes();
        (100..150).map(make).collect::<Vec<_>>()
    });
    for _ in 0..5 {
        north.rotate_kek().unwrap();
        south.rotate_kek().unwrap();
    }
    for (n, one) in (100..).zip(made.join().unwrap()) {
        assert_eq!((key(&north, n), key(&south, n)), (Some(one), Some(one)));
    }
}

#[test]
fn keys_of_another_school_or_of_several_hubs_are_never_written_over() {
    let Some((district, north)) = District::new() else { return };
    let other = district.folder("other");
    let alone = Keys::create(&other, Wall(1)).unwrap();
    let refused = alone.share(&district.server, "other", &[], Wall(2));
    assert!(matches!(refused, Err(Error::Conflict(_))));
    let first = Keys::open(&district.folder("north")).unwrap();
    first.share(&district.server, "north", &[], Wall(2)).unwrap();
    district.joined(&north, "south");
    let refused = first.share(&district.server, "north", &[], Wall(2));
    assert!(matches!(refused, Err(Error::Conflict(_))));
    assert!(district.ask("south").is_err(), "its folder has keys");
}

#[test]
fn a_copy_of_shared_keys_is_one_of_a_hub_alone() {
    let Some((_district, north)) = District::new() else { return };
    let copy = tempfile::tempdir().unwrap();
    north.copy(copy.path()).unwrap();
    assert_eq!(key(&Keys::open_copy(copy.path()).unwrap(), 1), key(&north, 1));
}

#[test]
fn where_no_keys_are_shared_yet_none_are_made_and_the_file_stays() {
    let dir = tempfile::tempdir().unwrap();
    let Some(server) = for_tests(dir.path()) else { return };
    let alone = Keys::create(dir.path(), Wall(1)).unwrap();
    let made = *alone.student_or_new(student(1), Wall(1)).unwrap().as_bytes();
    let shared =
        || Keys::open(KeysPlace { dir: dir.path().to_owned(), server: Some(server.clone()) });
    assert!(matches!(shared(), Err(Error::Conflict(_))));
    assert_eq!(key(&Keys::open(dir.path()).unwrap(), 1), Some(made));
    alone.share(&server, "north", &[], Wall(1)).unwrap();
    alone.student_or_new(student(2), Wall(1)).unwrap();
    let refused = shared().unwrap().leave_file();
    assert!(matches!(refused, Err(Error::Conflict(_))), "it was used after that");
    assert!(key(&Keys::open(dir.path()).unwrap(), 2).is_some());
    alone.share(&server, "north", &[], Wall(2)).unwrap();
    let both = shared().unwrap();
    both.leave_file().unwrap();
    both.leave_file().unwrap();
    assert!(!dir.path().join("keys.db").exists());
    assert!(key(&both, 1) == Some(made) && key(&both, 2).is_some());
}

#[test]
fn a_hub_alone_replaces_kek_whatever_mailbox_lies_there_and_one_among_others_never_without() {
    let Some((district, north)) = District::new() else { return };
    let alone = Keys::open(&district.folder("north")).unwrap();
    fs::remove_file(district.folder("north").join(FILE)).unwrap();
    assert!(north.rotate_kek().is_err(), "nobody would learn the new one");
    fs::write(district.folder("north").join(FILE), "left by a share that failed").unwrap();
    alone.rotate_kek().unwrap();
}
