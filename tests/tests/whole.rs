//! The whole house as real processes: a hub, a door, and this test as their user.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use house::portraits;
use house::process::Process;
use house::school::{Door, School};
use house::tap::Tap;
use rusqlite::{Connection, OpenFlags, types::Value};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(60);
/// Longer than the hub takes to acknowledge, and any part of the house to do what it does next.
const SETTLED: Duration = Duration::from_millis(1500);

/// A school with one person enrolled from obama.jpg, and its open hub.
fn school(dir: &Path) -> (School, Process) {
    let _another_is_in_use = rustls::crypto::ring::default_provider().install_default();
    let school = School::found(dir).unwrap();
    school.hub(&["student", "add", "S-1", "First", "Person"]).unwrap();
    enrol(&school, "S-1", "obama.jpg");
    let hub = school.open().unwrap();
    (school, hub)
}

fn enrol(school: &School, number: &str, portrait: &str) {
    let photo = portraits().join(portrait);
    let photo = photo.to_str().unwrap();
    let args = ["enrol", number, photo, "--consent-by", "test", "--another-person"];
    school.hub(&args).unwrap();
}

/// A camera that shows these portraits, each for `pace_ms`.
fn camera(names: &[&str], pace_ms: u64) -> String {
    let paths: Vec<_> = names.iter().map(|name| portraits().join(name)).collect();
    format!(
        "[camera]\nkind = \"pictures\"\npaths = {paths:?}\npace_ms = {pace_ms}\nrepeat = false\n\
         [recognise]\nmin_face = 40\ncooldown_ms = 1000\nhold_ms = 200\n\
         [gallery]\nkey = \"disk\"\n"
    )
}

/// A door that has joined and holds the gallery; it looked at a blank wall until then.
fn door(school: &School, dir: &Path) -> Door {
    let wall = dir.join("wall.jpg");
    let grey = vision::Picture::new(320, 240, vec![128; 320 * 240 * 3]).unwrap();
    fs::write(&wall, grey.to_jpeg(90)).unwrap();
    let config = camera(&[], 500).replace("[]", &format!("[{wall:?}]"));
    let door = school.door("door-1", &config.replace("repeat = false", "repeat = true")).unwrap();
    let mut waiting = door.open().unwrap();
    let gallery = || (door.status().ok()?["people"].as_u64()? > 0).then_some(());
    waiting.until("the gallery", LIMIT, gallery).unwrap();
    waiting.stop().unwrap();
    door
}

fn counted(door: &Door, edge: &mut Process, what: &str, least: u64) {
    let count = || (door.status().ok()?["counts"][what].as_u64()? >= least).then_some(());
    edge.until(what, LIMIT, count).unwrap();
}

/// The pending records, once there are `count`.
fn pending(school: &School, edge: &mut Process, count: usize) -> Vec<serde_json::Value> {
    let api = school.admin().unwrap();
    let list = || {
        let list = api.get("/api/attendance/pending").ok()?;
        list.as_array().filter(|list| list.len() == count).cloned()
    };
    edge.until("the records at the hub", LIMIT, list).unwrap()
}

/// Every table of the hub, whole.
fn tables(school: &School) -> BTreeMap<String, Vec<Vec<Value>>> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
    let db = Connection::open_with_flags(school.hub_dir().join("hub.db"), flags).unwrap();
    let names = "select name from sqlite_master where type = 'table'";
    let mut names = db.prepare(names).unwrap();
    let names: Vec<String> = names.query_map([], |row| row.get(0)).unwrap().flatten().collect();
    names.into_iter().map(|name| (name.clone(), rows(&db, &name))).collect()
}

fn rows(db: &Connection, table: &str) -> Vec<Vec<Value>> {
    let mut select = db.prepare(&format!("select * from \"{table}\"")).unwrap();
    let columns = select.column_count();
    let row = |row: &rusqlite::Row<'_>| (0..columns).map(|column| row.get(column)).collect();
    select.query_map([], row).unwrap().collect::<Result<_, _>>().unwrap()
}

/// Every file below `dir`, by the hash of its bytes.
fn files(dir: &Path) -> BTreeMap<String, blake3::Hash> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(dir).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.is_file() {
            found.insert(path.display().to_string(), blake3::hash(&fs::read(&path).unwrap()));
        }
    }
    found
}

#[test]
fn a_stranger_leaves_no_trace_but_a_count() {
    let dir = tempfile::tempdir().unwrap();
    let (school, _hub) = school(dir.path());
    let door = door(&school, dir.path());
    let tap = Tap::on(school.ports.mqtt).unwrap();
    door.redirect(school.ports.mqtt, tap.port).unwrap();
    let door = door.with_camera("passing.toml", &camera(&["obama2.jpg", "biden.jpg"], 8000));
    let door = door.unwrap();
    let mut edge = door.open().unwrap();
    pending(&school, &mut edge, 1);
    std::thread::sleep(SETTLED);
    let before = (tables(&school), files(&door.data()), tap.seen());
    assert_eq!(door.status().unwrap()["counts"]["unknown"], 0, "the stranger comes later");
    counted(&door, &mut edge, "unknown", 1);
    std::thread::sleep(SETTLED);
    let after = (tables(&school), files(&door.data()), tap.seen());
    assert!(!before.2.is_empty() && before.0["sighting"].len() == 1, "there is something to see");
    assert_eq!(before.0, after.0, "tables of the hub");
    assert_eq!(before.1, after.1, "files of the door");
    assert_eq!(before.2, after.2, "bytes on the wire");
}

#[test]
fn while_the_hub_is_away_the_door_works_and_the_hub_looks_again() {
    let dir = tempfile::tempdir().unwrap();
    let (school, hub) = school(dir.path());
    let door = door(&school, dir.path());
    hub.stop().unwrap();
    // Enrolled while the door cannot hear of it: a better match outside its gallery.
    school.hub(&["student", "add", "S-2", "Second", "Person"]).unwrap();
    enrol(&school, "S-2", "obama3.jpg");
    let shown = camera(&["obama3.jpg", "obama2.jpg"], 1500);
    let door = door.with_camera("passing.toml", &shown).unwrap();
    let mut edge = door.open().unwrap();
    counted(&door, &mut edge, "records", 2);
    let _hub = school.open().unwrap();
    let cards = pending(&school, &mut edge, 2);
    let better = cards.iter().find(|card| card["predicted_student_id"] == "S-2");
    let better = better.expect("the better match reaches the card");
    assert!(better.to_string().contains("changed_by_hub"), "{better}");
    let mut numbers: Vec<_> = tables(&school)["receipt"].iter().map(|row| row[2].clone()).collect();
    numbers.sort_by_key(|number| if let Value::Integer(n) = number { *n } else { 0 });
    let gapless: Vec<_> = (1..=numbers.len() as i64).map(Value::Integer).collect();
    assert_eq!(numbers, gapless, "every number from 1 on, once");
    figures(&door);
}

/// Peak memory and time to ready, printed; memory does not depend on how busy the machine is.
#[expect(clippy::print_stdout, reason = "figures are for whoever reads the test's output")]
fn figures(door: &Door) {
    let status = door.status().unwrap();
    let peak = status["memory_peak_kb"].as_u64().unwrap();
    println!(
        "edge with models: peak memory {} MiB, ready after {} ms",
        peak / 1024,
        status["ready_ms"]
    );
    assert!(peak < 150 * 1024, "{peak} KiB");
}
