use super::*;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use uuid::Uuid;
use wire::{StudentId, sign};

fn student(n: u128) -> StudentId {
    StudentId(Uuid::from_u128(n))
}

fn temp() -> (tempfile::TempDir, Keys) {
    let dir = tempfile::tempdir().unwrap();
    let keys = Keys::create(dir.path(), Wall(1)).unwrap();
    (dir, keys)
}

fn tokens(keys: &Keys) -> Vec<Zeroizing<[u8; 32]>> {
    keys.tokens(10, Wall(1)).unwrap()
}

#[test]
fn the_key_of_tokens_before_the_newest_goes_when_its_time_is_over() {
    let (_dir, keys) = temp();
    let first = tokens(&keys);
    keys.rotate_tokens(Wall(5)).unwrap();
    let both = keys.tokens(10, Wall(14)).unwrap();
    assert!(both.len() == 2 && both[1] == first[0] && both[0] != both[1]);
    assert_eq!(keys.tokens(10, Wall(15)).unwrap(), both[..1]);
    assert_eq!(keys.ids(TOKENS).unwrap(), [2]);
}

#[test]
fn an_erased_key_never_comes_back() {
    let (dir, keys) = temp();
    let sealed = keys.student_or_new(student(1), Wall(1)).unwrap().seal("x", b"face");
    let again = Keys::open(dir.path()).unwrap().student(student(1)).unwrap().unwrap();
    assert_eq!(&*again.open("x", &sealed).unwrap(), b"face");
    let raw = keys.get("seal", 1).unwrap();
    keys.erase(student(1)).unwrap();
    assert!(keys.student(student(1)).unwrap().is_none());
    let new = keys.student_or_new(student(1), Wall(1)).unwrap();
    assert!(new.open("x", &sealed).is_err());
    assert_eq!(*keys.get("seal", 1).unwrap(), *raw, "the hub's own keys stay");
}

#[test]
fn a_photos_key_lives_until_it_is_erased() {
    let (dir, keys) = temp();
    let photo = Uuid::from_u128(5);
    let sealed = keys.new_photo(photo, Wall(1)).unwrap().seal("x", b"class");
    let again = Keys::open(dir.path()).unwrap();
    assert_eq!(&*again.photo(photo).unwrap().unwrap().open("x", &sealed).unwrap(), b"class");
    assert_eq!(again.photos(Wall(2)).unwrap(), [photo]);
    keys.erase_photo(photo).unwrap();
    assert!(keys.photo(photo).unwrap().is_none() && keys.photos(Wall(2)).unwrap().is_empty());
}

#[test]
fn a_wrapped_key_is_not_left_in_the_file() {
    let (dir, keys) = temp();
    keys.student_or_new(student(1), Wall(1)).unwrap();
    let sql = "select wrapped from student_key";
    let wrapped: Vec<u8> = keys.read(|tx, _| tx.row(sql, [], |row| row.get(0))).unwrap().unwrap();
    let holds = || {
        let file = fs::read(dir.path().join("keys.db")).unwrap();
        file.windows(wrapped.len()).any(|w| w == wrapped)
    };
    assert!(holds());
    keys.erase(student(1)).unwrap();
    assert!(!holds());
    assert!(!dir.path().join("keys.db-journal").exists());
}

#[test]
fn a_key_that_others_may_read_is_refused() {
    let (dir, _keys) = temp();
    let kek = dir.path().join("kek");
    fs::set_permissions(&kek, fs::Permissions::from_mode(0o640)).unwrap();
    assert!(Keys::open(dir.path()).is_err());
    assert!(Keys::create(dir.path(), Wall(1)).is_err(), "never overwritten");
}

#[test]
fn the_hubs_own_keys_stay_the_same() {
    let (dir, keys) = temp();
    let again = Keys::open(dir.path()).unwrap();
    assert_eq!(keys.signing().unwrap(), again.signing().unwrap());
    assert_eq!(tokens(&keys), tokens(&again));
    let public = |keys: &Keys| keys.hub_secret().unwrap().public().unwrap();
    assert_eq!(public(&keys), public(&again));
    assert!(keys.hub_secret_by(9).is_err());
}

#[test]
fn whoever_knows_an_old_signing_key_finds_the_newest_and_the_old_ones_are_gone() {
    let (_dir, keys) = temp();
    let first = keys.signing().unwrap().verifying_key();
    keys.rotate_signing(Wall(2)).unwrap();
    let second = keys.signing().unwrap().verifying_key();
    keys.rotate_signing(Wall(3)).unwrap();
    let third = keys.signing().unwrap().verifying_key();
    let chain = keys.signers().unwrap();
    assert_eq!([first, second].map(|key| sign::newest(&key, &chain)), [third; 2]);
    assert_eq!(keys.verifying().unwrap(), [third, second, first]);
    assert_eq!(keys.ids(SIGN).unwrap(), [3], "their private halves");
}

#[test]
fn a_replacement_of_the_signing_key_that_cannot_be_stored_leaves_the_one_before() {
    let (_dir, keys) = temp();
    let first = keys.signing().unwrap();
    keys.put(NAMED, 2, b"in the way", Wall(2)).unwrap();
    assert!(keys.rotate_signing(Wall(3)).is_err());
    assert_eq!(keys.signing().unwrap(), first);
    assert!(keys.ids(WAS).unwrap().is_empty(), "not a part of it");
    keys.forget(NAMED, 2).unwrap();
    keys.rotate_signing(Wall(3)).unwrap();
    assert_eq!(keys.verifying().unwrap()[1..], [first.verifying_key()]);
}

#[test]
fn a_new_kek_opens_everything_and_the_one_before_nothing() {
    let (dir, keys) = temp();
    let other = Keys::open(dir.path()).unwrap();
    let key = *keys.student_or_new(student(1), Wall(1)).unwrap().as_bytes();
    let sealed = keys.seal("totp", b"secret");
    let (before, token) = (fs::read(dir.path().join("kek")).unwrap(), tokens(&keys));
    let store = fs::read(dir.path().join("keys.db")).unwrap();
    keys.rotate_kek().unwrap();
    assert_ne!(fs::read(dir.path().join("kek")).unwrap(), before);
    for keys in [&keys, &other, &Keys::open(dir.path()).unwrap()] {
        assert_eq!(*keys.student(student(1)).unwrap().unwrap().as_bytes(), key);
        assert_eq!(*keys.unseal("totp", &sealed).unwrap(), b"secret");
        assert_eq!(tokens(keys), token);
    }
    let made = *other.student_or_new(student(2), Wall(1)).unwrap().as_bytes();
    assert_eq!(*keys.student(student(2)).unwrap().unwrap().as_bytes(), made);
    fs::write(dir.path().join("kek"), &before).unwrap();
    assert!(Keys::open(dir.path()).is_err(), "the old one is refused");
    fs::write(dir.path().join("keys.db"), store).unwrap();
    Keys::open(dir.path()).unwrap();
}

#[test]
fn a_replacement_of_kek_that_was_cut_short_is_finished() {
    let (dir, keys) = temp();
    let place = |name: &str| dir.path().join(name);
    let old = fs::read(place("kek")).unwrap();
    fs::write(place("kek.next"), [9; 32]).unwrap();
    Keys::open(dir.path()).unwrap().signing().unwrap();
    keys.rotate_kek().unwrap();
    // As if the power went before the last rename.
    fs::rename(place("kek"), place("kek.next")).unwrap();
    fs::write(place("kek"), old).unwrap();
    fs::set_permissions(place("kek"), fs::Permissions::from_mode(0o600)).unwrap();
    Keys::open(dir.path()).unwrap().signing().unwrap();
    assert!(!place("kek.next").exists());
}

#[test]
fn with_a_secret_of_the_machine_the_disk_alone_opens_nothing() {
    let (dir, keys) = temp();
    let (key, machine) = (tokens(&keys), DataKey::random());
    let open = |machine: Option<&DataKey>| {
        Keys::open_at(dir.path(), KekPlace::with(dir.path(), machine.cloned()))
    };
    let sealed = open(Some(&machine)).unwrap();
    assert!(!dir.path().join("kek").exists(), "what lay in the clear is gone");
    assert!(open(None).is_err() && open(Some(&DataKey::random())).is_err());
    sealed.rotate_kek().unwrap();
    assert_eq!(tokens(&open(Some(&machine)).unwrap()), key);
    let copy = tempfile::tempdir().unwrap();
    sealed.copy(copy.path()).unwrap();
    assert_eq!(tokens(&Keys::open_copy(copy.path()).unwrap()), key, "a backup");
}

#[test]
fn under_load_no_key_is_lost_while_kek_is_replaced() {
    let (dir, keys) = temp();
    let writer = Keys::open(dir.path()).unwrap();
    let made = std::thread::spawn(move || {
        let make = |n| *writer.student_or_new(student(n), Wall(1)).unwrap().as_bytes();
        (0..200).map(make).collect::<Vec<_>>()
    });
    (0..10).for_each(|_| keys.rotate_kek().unwrap());
    for (n, key) in (0..).zip(made.join().unwrap()) {
        assert_eq!(*keys.student(student(n)).unwrap().unwrap().as_bytes(), key);
    }
}
