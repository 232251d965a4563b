//! A unit that was carried away: what lies on its card opens no template.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use data_encoding::{BASE64, HEXLOWER};
use house::portraits;
use house::process::Process;
use house::school::{Door, School, wall};
use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(60);
const KEY: usize = 32;
const NONCE: usize = 12;

/// A school with one person enrolled, whose door has their template and is switched off.
fn switched_off(dir: &Path, settings: &str) -> (School, Process, Door) {
    let _another_is_in_use = rustls::crypto::ring::default_provider().install_default();
    let school = School::found(dir).unwrap();
    school.hub(&["student", "add", "S-1", "First", "Person"]).unwrap();
    let photo = portraits().join("obama.jpg").display().to_string();
    school.hub(&["enrol", "S-1", &photo, "--consent-by", "test"]).unwrap();
    let hub = school.open().unwrap();
    let camera = wall(dir).unwrap();
    let door = school.door("door-1", &(camera + settings)).unwrap();
    let mut edge = door.open().unwrap();
    knows(&door, &mut edge);
    edge.stop().unwrap();
    (school, hub, door)
}

fn knows(door: &Door, edge: &mut Process) {
    let known = || (door.status().ok()?["people"] == 1).then_some(());
    edge.until("the gallery", LIMIT, known).unwrap();
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let found = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    found.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// Everything on the card that could be a key: any 32 bytes, and any written in hexadecimal
/// digits or Base64.
fn keys(dir: &Path) -> HashSet<[u8; KEY]> {
    let mut found = HashSet::new();
    for file in files(dir) {
        let Ok(bytes) = fs::read(&file) else { continue };
        let written = |length: usize, decode: &dyn Fn(&[u8]) -> Option<Vec<u8>>| {
            bytes
                .windows(length)
                .filter_map(|text| <[u8; KEY]>::try_from(decode(text)?).ok())
                .collect::<Vec<[u8; KEY]>>()
        };
        found.extend(bytes.windows(KEY).map(|key| <[u8; KEY]>::try_from(key).unwrap()));
        found.extend(written(44, &|text| BASE64.decode(text).ok()));
        found.extend(written(64, &|text| HEXLOWER.decode(text).ok()));
    }
    found
}

/// Whether some key on the card opens a gallery on it, and how many were tried.
fn opens(door: &Door) -> (bool, usize) {
    let keys = keys(&door.data());
    let shelf = door.data().join("gallery");
    let galleries =
        files(&shelf).into_iter().filter(|file| file.extension() == Some("gal".as_ref()));
    let mut found = false;
    for gallery in galleries {
        let version = gallery.file_stem().unwrap().to_str().unwrap().parse::<u64>().unwrap();
        let sealed = fs::read(&gallery).unwrap();
        let (nonce, msg) = sealed.split_first_chunk::<NONCE>().unwrap();
        let aad = [b"rollcall-shelf-v1\0".as_slice(), b"door-1", &version.to_le_bytes()].concat();
        let open = |key: &[u8; KEY]| {
            let payload = Payload { msg, aad: &aad };
            Aes256Gcm::new(key.into()).decrypt(&Nonce::from(*nonce), payload).is_ok()
        };
        found |= keys.iter().any(open);
    }
    (found, keys.len())
}

#[test]
fn the_card_of_a_door_that_is_switched_off_opens_no_template() {
    let dir = tempfile::tempdir().unwrap();
    let (school, _hub, door) = switched_off(dir.path(), "");
    let shelf = files(&door.data().join("gallery"));
    assert!(shelf.iter().any(|file| file.extension() == Some("gal".as_ref())), "it holds one");
    let (opened, tried) = opens(&door);
    assert!(!opened, "one of {tried} keys on the card opens the gallery");
    assert!(tried > 1_000, "only {tried} keys tried");
    let mut edge = door.open().unwrap();
    knows(&door, &mut edge);
    edge.stop().unwrap();

    // Reported as stolen, its certificate gets nothing either.
    school.hub(&["device", "revoke", "door-1"]).unwrap();
    let mut edge = door.open().unwrap();
    let refused = || {
        let status = door.status().ok()?;
        let why = status["gallery_trouble"].as_str()?.to_owned();
        why.contains("key of the gallery").then(|| status["people"] == 0)
    };
    assert!(edge.until("the refusal", LIMIT, refused).unwrap(), "nobody is known");
}

#[test]
fn a_door_that_keeps_its_key_starts_without_its_hub_and_its_card_opens() {
    let dir = tempfile::tempdir().unwrap();
    let (_school, hub, door) = switched_off(dir.path(), "[gallery]\nkey = \"disk\"\n");
    assert!(opens(&door).0, "the search finds a key where there is one");
    hub.stop().unwrap();
    let mut edge = door.open().unwrap();
    knows(&door, &mut edge);
}

#[test]
fn a_door_that_kept_its_key_lets_go_of_it_and_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let (_school, _hub, door) = switched_off(dir.path(), "[gallery]\nkey = \"disk\"\n");
    let text = fs::read_to_string(door.config()).unwrap().replace("\"disk\"", "\"hub\"");
    fs::write(door.config(), text).unwrap();
    let mut edge = door.open().unwrap();
    knows(&door, &mut edge);
    let identity = door.data().join("identity.json");
    let gone = || (!fs::read_to_string(&identity).ok()?.contains("shelf_key")).then_some(());
    edge.until("the key to go", LIMIT, gone).unwrap();
    edge.stop().unwrap();
    assert!(!opens(&door).0);
}
