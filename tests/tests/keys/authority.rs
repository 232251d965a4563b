//! The authority, which signs the hub and doors.

use crate::work::{Work, is, keys, knows, pki, until};
use house::school::{School, wall};
use rcgen::{CertificateParams, KeyPair};
use rollcall_hub::pki::Pki;
use std::fs;
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
    let before = somebody(&old);
    assert!(lets_in(work.school(), &before));

    // While a door is away, both count.
    let first = knows(&sim, "certificate_pem");
    work.rotate("ca");
    until("the next certificate", || knows(&sim, "certificate_pem") != first);
    work.restart(|_| ());
    assert_eq!(authorities(work.school()), 2);
    let new = somebody(&pki(work.school()));
    assert!(lets_in(work.school(), &before) && lets_in(work.school(), &new));
    let again = work.school().hub(&["keys", "rotate", "ca"]).unwrap_err().to_string();
    assert!(again.contains("being replaced already"), "{again}");
    let list = work.school().hub(&["keys", "list"]).unwrap();
    assert!(list.contains("until these doors have followed: door-1\n"), "{list}");

    // It comes back, and the old one ends.
    let edge = door.open().unwrap();
    until("the end of the old one", || authorities(work.school()) == 1);
    until("its refusal", || !lets_in(work.school(), &before));
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
