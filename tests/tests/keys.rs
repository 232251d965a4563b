//! Certificates and keys are replaced while people and doors are at work.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use house::history::Verdict;
use house::process::Process;
use house::rig::{Rig, Sim};
use house::school::School;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rollcall_hub::{keys::Keys, pki::Pki};
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};
use wire::Clock as _;
use wire::time::SystemClock;

const RATE: u32 = 300;
const LIMIT: Duration = Duration::from_secs(60);
const DAY_MS: i64 = 24 * 3600 * 1000;

/// The certificate that a listener shows.
fn shown(port: u16) -> Option<Vec<u8>> {
    let client = reqwest::blocking::Client::builder().tls_danger_accept_invalid_certs(true);
    let client = client.tls_info(true).build().unwrap();
    let answer = client.get(format!("https://localhost:{port}/ready")).send().ok()?;
    let info = answer.extensions().get::<reqwest::tls::TlsInfo>()?;
    info.peer_certificate().map(<[u8]>::to_vec)
}

fn until(what: &str, ready: impl Fn() -> bool) {
    let start = Instant::now();
    while !ready() {
        assert!(start.elapsed() < LIMIT, "{what} did not come");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// So many more records are acknowledged.
fn more(sim: &Sim, count: u64) {
    let least = sim.heard().cursor.1 + count;
    until("more records", || sim.heard().cursor.1 >= least);
}

#[test]
fn each_key_is_replaced_under_load_and_no_record_is_lost() {
    let dir = tempfile::tempdir().unwrap();
    let (mut rig, _hub) = Rig::new(dir.path()).unwrap();
    let (sim, web) = (rig.door(RATE).unwrap(), rig.school().ports.web);
    more(&sim, 200);
    let (api, kek) = (rig.school().admin().unwrap(), rig.school().hub_dir().join("kek"));
    let before = (shown(web).unwrap(), fs::read(&kek).unwrap());
    for what in ["server", "tokens", "kek"] {
        let said = rig.school().hub(&["keys", "rotate", what]).unwrap();
        assert!(said.contains("is replaced"), "{said}");
        more(&sim, 200);
    }
    until("the new certificate", || shown(web).is_some_and(|now| now != before.0));
    assert_ne!(fs::read(&kek).unwrap(), before.1);
    assert_eq!(api.get("/api/students").unwrap()[0]["student_number"], "S1", "signed in before");
    rig.school().admin().unwrap().get("/api/students").unwrap();
    rig.school().hub(&["audit", "verify"]).unwrap();
    rig.note(sim.drain(LIMIT).unwrap());
    assert_eq!(rig.verdict().unwrap(), Verdict::default());
    assert!(rig.promised() > 600);
}

/// Gives the hub a certificate that was made 380 days ago.
fn age(school: &School) {
    let (dir, then) = (school.hub_dir(), SystemClock.wall().plus_ms(-380 * DAY_MS));
    let keys = Keys::open(&dir).unwrap();
    Pki::open(&dir, &keys).unwrap().renew(&dir, &keys, &[], then).unwrap();
    assert!(days_left(school) < 19);
}

fn days_left(school: &School) -> i64 {
    let keys = Keys::open(&school.hub_dir()).unwrap();
    let life = Pki::open(&school.hub_dir(), &keys).unwrap().life().unwrap();
    (life.to.0 - SystemClock.wall().0) / DAY_MS
}

/// Waits until the hub says so of the only door.
fn is(school: &School, state: &str) {
    let state = format!("\"state\":\"{state}\"");
    until(&state, || school.hub(&["device", "list", "--json"]).unwrap().contains(&state));
}

#[test]
fn near_its_end_the_hub_renews_its_certificate_by_itself_and_doors_follow() {
    let dir = tempfile::tempdir().unwrap();
    let _another_is_in_use = rustls::crypto::ring::default_provider().install_default();
    let school = School::found(dir.path()).unwrap();
    let hub = school.open().unwrap();
    let wall = dir.path().join("wall.jpg");
    let grey = vision::Picture::new(320, 240, vec![128; 320 * 240 * 3]).unwrap();
    fs::write(&wall, grey.to_jpeg(90)).unwrap();
    let camera = format!("[camera]\nkind = \"pictures\"\npaths = [{wall:?}]\nrepeat = true\n");
    let door = school.door("door-1", &camera).unwrap();
    hub.stop().unwrap();
    age(&school);
    let _hub = school.open().unwrap();
    assert!(days_left(&school) >= 397, "at its start");
    let edge = door.open().unwrap();
    is(&school, "online");

    age(&school);
    until("the renewal", || days_left(&school) >= 397);
    school.admin().unwrap().get("/api/students").unwrap();
    edge.stop().unwrap();
    is(&school, "offline");
    let _edge = door.open().unwrap();
    is(&school, "online");
}

#[test]
fn a_door_follows_the_hubs_next_signing_key_and_takes_nothing_of_the_one_before() {
    let dir = tempfile::tempdir().unwrap();
    let _another_is_in_use = rustls::crypto::ring::default_provider().install_default();
    let school = School::found(dir.path()).unwrap();
    let hub = school.open().unwrap();
    let wall = dir.path().join("wall.jpg");
    let grey = vision::Picture::new(320, 240, vec![128; 320 * 240 * 3]).unwrap();
    fs::write(&wall, grey.to_jpeg(90)).unwrap();
    let camera = format!("[camera]\nkind = \"pictures\"\npaths = [{wall:?}]\nrepeat = true\n");
    let door = school.door("door-1", &camera).unwrap();
    let mut edge = door.open().unwrap();
    let gallery = |edge: &mut Process, least: u64| {
        let newer = || door.status().ok()?["gallery"].as_u64().filter(|version| *version >= least);
        edge.until("the gallery", LIMIT, newer).unwrap()
    };
    let pinned = || {
        let identity = fs::read(door.data().join("identity.json")).unwrap();
        let identity: serde_json::Value = serde_json::from_slice(&identity).unwrap();
        identity["joined"]["gallery_key"].clone()
    };
    let (first, before) = (gallery(&mut edge, 1), pinned());
    school.hub(&["keys", "rotate", "gallery"]).unwrap();
    let second = gallery(&mut edge, first + 1);
    until("the next key", || pinned() != before);
    // Twice while it is away, and started anew.
    edge.stop().unwrap();
    (0..2).for_each(|_| drop(school.hub(&["keys", "rotate", "gallery"]).unwrap()));
    let mut edge = door.open().unwrap();
    gallery(&mut edge, second + 1);
    assert_eq!(door.status().unwrap()["gallery_trouble"], "");
    hub.stop().unwrap();
}

/// Writes a certificate of somebody else's authority and its key, and returns the authority.
fn bring(dir: &Path) -> Vec<u8> {
    let (ca_key, key) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let mut ca = CertificateParams::new(vec![]).unwrap();
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = ca.self_signed(&ca_key).unwrap();
    let leaf = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let leaf = leaf.signed_by(&key, &Issuer::new(ca, ca_key)).unwrap();
    fs::write(dir.join("own.key"), key.serialize_pem()).unwrap();
    fs::write(dir.join("own.pem"), leaf.pem()).unwrap();
    fs::write(dir.join("own-ca.pem"), authority.pem()).unwrap();
    leaf.der().to_vec()
}

#[test]
fn a_certificate_that_was_brought_is_shown_to_people_and_doors_still_join() {
    let dir = tempfile::tempdir().unwrap();
    let _another_is_in_use = rustls::crypto::ring::default_provider().install_default();
    let school = School::found(dir.path()).unwrap();
    let (data, web) = (school.hub_dir(), school.ports.web);
    let own = bring(&data);
    let settings = data.join("hub.toml");
    let tls = "[tls]\ncert = \"own.pem\"\nkey = \"own.key\"\n";
    fs::write(&settings, fs::read_to_string(&settings).unwrap() + tls).unwrap();
    let mut serve = school.hub_command(&["serve"]);
    let mut hub = Process::start(&mut serve, &dir.path().join("hub.log")).unwrap();
    hub.until("ready", LIMIT, || shown(web)).unwrap();
    assert_eq!(shown(web).unwrap(), own);
    let api = house::client::Api::new(web, &data.join("own-ca.pem")).unwrap();
    api.get("/ready").unwrap();
    school.door("door-1", "[camera]\nkind = \"v4l2\"\n").unwrap();

    fs::write(data.join("own.pem"), "half").unwrap();
    hub.until("a word of it", LIMIT, || hub_said(dir.path(), "cannot be used")).unwrap();
    assert_eq!(shown(web).unwrap(), own, "the one before stays");
    let next = bring(&data);
    hub.until("the next one", LIMIT, || shown(web).filter(|now| *now == next)).unwrap();
}

fn hub_said(dir: &Path, word: &str) -> Option<()> {
    fs::read_to_string(dir.join("hub.log")).ok()?.contains(word).then_some(())
}
