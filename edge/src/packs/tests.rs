//! Packs from a hub that serves them whole, in pieces, or wrong. That real ones run, the house
//! tests (`tests/packs.rs`).

use super::*;
use crate::fetch::tests::{plain, serve};
use ed25519_dalek::SigningKey;
use sha2::{Digest, Sha256};
use std::sync::mpsc::channel;
use wire::sign::Signed;

const WEIGHTS: &[u8] = b"these are no weights, but they have a hash";

fn hub() -> SigningKey {
    SigningKey::from_bytes(&[5; 32])
}

fn packs(folder: &Path) -> Packs {
    Packs { own: folder.join("own"), folder: folder.join("sent"), min_face: 40.0, refused: None }
}

fn text(model: &str, name: &str) -> String {
    let sha256 = data_encoding::HEXLOWER.encode(&Sha256::digest(WEIGHTS));
    format!(
        "name = \"dlib\"\nmodel_id = \"{model}\"\n[[file]]\nname = \"{name}\"\nsha256 = \"{sha256}\""
    )
}

/// A hub with a pack of one file, hanging up after each `cut` bytes.
fn serving(key: &SigningKey, text: String, file: &[u8], cut: usize) -> Fetch {
    let signed = Signed::new(key, MODELS_DOMAIN, text.into_bytes());
    let signed = ("/models/pack.signed".to_owned(), postcard::to_stdvec(&signed).unwrap());
    let file = ("/models/pnet.safetensors".to_owned(), file.to_vec());
    plain(serve(vec![signed, file], cut, channel().0))
}

async fn got(packs: &mut Packs, fetch: &Fetch) -> String {
    let id = "test-2".parse().unwrap();
    packs.get(&id, &hub().verifying_key(), fetch).await.unwrap_err().to_string()
}

#[tokio::test]
async fn a_pack_that_is_not_what_it_should_be_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let usual = || text("test-2", "pnet.safetensors");
    let stranger = SigningKey::from_bytes(&[6; 32]);
    for (fetch, why) in [
        (serving(&stranger, usual(), WEIGHTS, 9_000), "not from the hub"),
        (serving(&hub(), text("test-3", "pnet.safetensors"), WEIGHTS, 9_000), "“test-3”"),
        (serving(&hub(), text("test-2", "../identity.json"), WEIGHTS, 9_000), "damaged"),
        (serving(&hub(), text("test-2", "pack.toml"), WEIGHTS, 9_000), "damaged"),
        (serving(&hub(), "name = 3".into(), WEIGHTS, 9_000), "damaged"),
        (serving(&hub(), usual(), b"other weights", 9_000), "changed or cut short"),
        (serving(&hub(), text("test-2", "onet.safetensors"), WEIGHTS, 9_000), "404"),
    ] {
        let said = got(&mut packs(folder.path()), &fetch).await;
        assert!(said.contains(why), "{why}: {said}");
        let left = fs::read_dir(folder.path().join("sent/test-2.part")).into_iter().flatten();
        assert_eq!(left.count(), 0, "{why}");
        assert!(!folder.path().join("sent/test-2").exists());
    }
}

#[tokio::test]
async fn a_whole_pack_whose_networks_do_not_run_is_not_used_and_not_fetched_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut packs = packs(folder.path());
    let fetch = serving(&hub(), text("test-2", "pnet.safetensors"), WEIGHTS, 9_000);
    let said = got(&mut packs, &fetch).await;
    assert!(said.contains("failed its check"), "{said}");
    assert!(!folder.path().join("sent/test-2.part").exists());
    assert!(packs.here(&"test-2".parse().unwrap()).is_none());
    let said = got(&mut packs, &fetch).await;
    assert!(said.contains("cannot be used here"), "{said}");
}

#[tokio::test]
async fn a_file_grows_over_broken_connections_and_restarts() {
    let folder = tempfile::tempdir().unwrap();
    let text = text("test-2", "pnet.safetensors");
    let entry = described(text.as_bytes(), &"test-2".parse().unwrap()).unwrap().files.remove(0);
    let path = folder.path().join(&entry.name);
    fs::write(&path, &WEIGHTS[..10]).unwrap();
    let fetch = serving(&hub(), text, WEIGHTS, 7);
    file(folder.path(), &entry, &fetch).await.unwrap();
    assert_eq!(fs::read(&path).unwrap(), WEIGHTS);
    file(folder.path(), &entry, &plain(1)).await.expect("what is whole is not asked for");
}

#[test]
fn what_is_damaged_on_the_disk_is_destroyed_and_the_own_pack_serves() {
    let folder = tempfile::tempdir().unwrap();
    let packs = packs(folder.path());
    let sent = folder.path().join("sent/test-2");
    fs::create_dir_all(&sent).unwrap();
    packs.choose(&"test-2".parse().unwrap()).unwrap();
    assert_eq!(fs::read(folder.path().join("sent/in-use")).unwrap(), b"test-2");
    let said = packs.open().unwrap_err().to_string();
    assert!(said.contains("own"), "neither is one: {said}");
    assert!(!sent.exists());
    packs.choose(&"test-1".parse().unwrap()).unwrap();
    assert!(!folder.path().join("sent/in-use").exists(), "the unit's own needs no name");
}
