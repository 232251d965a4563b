//! The authority, which signs the hub and doors.

use crate::work::{Work, is, joins, keys, knows, pki, until};
use acts::pki::Pki;
use house::process;
use house::rig::DOOR;
use house::school::{School, wall};
use rcgen::{CertificateParams, KeyPair};
use std::fs;
use std::path::Path;
use std::time::Duration;
use wire::Clock as _;
use wire::time::SystemClock;

/// Whether doors' address talks to whoever has a certificate and its key, both in PEM.
fn lets_in(school: &School, who: &str) -> bool {
    let identity = reqwest::Identity::from_pem(who.as_bytes()).unwrap();
    let client = reqwest::blocking::Client::builder().tls_danger_accept_invalid_certs(true);
    let client = client.identity(identity).build().unwrap();
    client.get(format!("https://localhost:{}/authority", school.ports.device)).send().is_ok()
}

/// Somebody with a certificate that `authority` signed.
fn somebody(authority: &Pki) -> String {
    let key = KeyPair::generate().unwrap();
    let request = CertificateParams::default().serialize_request(&key).unwrap().pem().unwrap();
    let issued = authority.sign(&"stranger".parse().unwrap(), &request, SystemClock.wall());
    issued.unwrap().pem + &key.serialize_pem()
}

/// What a door shows, from its card.
fn who(card: &Path) -> String {
    let identity = fs::read(card.join("identity.json")).unwrap();
    let identity: serde_json::Value = serde_json::from_slice(&identity).unwrap();
    let text = |part: &serde_json::Value| part.as_str().unwrap().to_owned();
    text(&identity["joined"]["certificate_pem"]) + &text(&identity["key_pem"])
}

fn authorities(school: &School) -> usize {
    fs::read_to_string(school.ca()).unwrap().matches("BEGIN").count()
}

#[test]
fn doors_move_to_the_next_authority_under_load_without_joining_again() {
    let dir = tempfile::tempdir().unwrap();
    let mut work = Work::begin(dir.path());
    let (kept, sim) = (dir.path().join("kept"), work.rig.card().to_owned());
    let door = work.school().door("door-1", &wall(dir.path()).unwrap()).unwrap();
    work.keep(&kept);
    let old = pki(work.school());
    let (before, away) = (somebody(&old), who(&door.data()));
    assert!(lets_in(work.school(), &before) && lets_in(work.school(), &away));

    // While a door is away, both count.
    let first = knows(&sim, "certificate_pem");
    work.rotate("ca");
    until("the next certificate", || knows(&sim, "certificate_pem") != first);
    work.restart(|_| ());
    assert_eq!(authorities(work.school()), 2);
    let new = somebody(&pki(work.school()));
    assert!(lets_in(work.school(), &away) && lets_in(work.school(), &new));
    assert!(!lets_in(work.school(), &before), "nobody here gave it");
    let again = work.school().hub(&["keys", "rotate", "ca"]).unwrap_err().to_string();
    assert!(again.contains("being replaced already"), "{again}");
    let list = work.school().hub(&["keys", "list"]).unwrap();
    assert!(list.contains("until these doors have followed: door-1\n"), "{list}");

    // It comes back, and the old one ends.
    let edge = door.open().unwrap();
    until("the end of the old one", || authorities(work.school()) == 1);
    until("its refusal", || !lets_in(work.school(), &away));
    assert!(!lets_in(work.school(), &before));
    assert!(lets_in(work.school(), &new));
    assert!(!lets_in(work.school(), &somebody(&old)), "nor what it signs now");
    assert_eq!(keys(work.school()).ids("ca").unwrap(), [2], "its key is destroyed");
    let now = fs::read_to_string(work.school().ca()).unwrap();
    for card in [&sim, &door.data()] {
        until("the new one alone", || knows(card, "ca_pem") == now.as_str());
    }
    work.restart(|_| ());
    is(work.school(), "door-1", "online");
    work.school().admin().unwrap().get("/api/students").unwrap();
    work.end(2);

    // Somebody has the old authority, and plays the hub.
    let heard = edge.said().len();
    work.put_back(&kept);
    until("the refusal", || edge.said()[heard..].contains("invalid peer certificate"));
    is(work.school(), "door-1", "offline");
    edge.stop().unwrap();
}

/// A backup now, as the page of what needs care asks for.
fn back_up(school: &School, dir: &Path) {
    let asks = || {
        let all = school.admin().unwrap().get("/api/care").unwrap();
        all.as_array().unwrap().iter().any(|one| one["kind"] == "keys")
    };
    assert!(asks());
    let (data, keys) = (dir.join("copies"), dir.join("copied-keys"));
    school.hub(&["backup", data.to_str().unwrap(), "--keys", keys.to_str().unwrap()]).unwrap();
    assert!(!asks());
}

/// The hub's disk is lost, and what [`back_up`] copied takes its place.
fn restore(school: &School, dir: &Path) {
    fs::remove_dir_all(school.hub_dir()).unwrap();
    let mut command = school.hub_command(&["restore"]);
    command.arg(dir.join("copies")).arg("--keys").arg(dir.join("copied-keys"));
    process::run(command.arg("--identity").arg(school.backup_identity())).unwrap();
}

#[test]
fn a_hub_restored_from_the_midst_of_a_replacement_is_brought_to_its_doors_and_none_joins_again() {
    let dir = tempfile::tempdir().unwrap();
    let mut work = Work::begin(dir.path());
    let _away = work.school().door("door-1", &wall(dir.path()).unwrap()).unwrap();
    let sim = work.rig.card().to_owned();
    let first = knows(&sim, "certificate_pem");
    work.rotate("ca");
    until("the next certificate", || knows(&sim, "certificate_pem") != first);
    back_up(work.school(), dir.path());
    let end = |work: &Work| work.school().hub(&["keys", "rotate", "ca", "--end"]).unwrap();
    assert!(end(&work).contains("counts no more"));
    let now = fs::read_to_string(work.school().ca()).unwrap();
    until("the new one alone", || knows(&sim, "ca_pem") == now.as_str());
    work.goes_on();

    work.reopen(|school| restore(school, dir.path()));
    assert_eq!(authorities(work.school()), 2);
    std::thread::sleep(Duration::from_secs(5));
    is(work.school(), DOOR, "offline");
    end(&work);
    is(work.school(), DOOR, "online");
    assert_eq!(fs::read_to_string(work.school().ca()).unwrap(), now);
    work.goes_on();
    assert_eq!(joins(work.school()), 2);
    let again = work.school().hub(&["keys", "rotate", "ca", "--end"]).unwrap_err().to_string();
    assert!(again.contains("nothing to end"), "{again}");
}
