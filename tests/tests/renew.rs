//! A door's certificate near its end: the door gets the next one by itself and goes on with it.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use house::process::Process;
use house::school::{Door, School, wall};
use rusqlite::{Connection, Row};
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use wire::time::{ManualClock, SystemClock};
use wire::{Clock as _, Mono};

const LIMIT: Duration = Duration::from_secs(60);
/// Longer than the hub takes to cut a door off, and a door to connect anew.
const SETTLED: Duration = Duration::from_secs(3);
const DAY_MS: i64 = 24 * 3600 * 1000;

/// A school with two doors that joined 61 days ago: 29 days are left of their certificates.
fn school(dir: &Path) -> (School, Door, Door) {
    let _another_is_in_use = rustls::crypto::ring::default_provider().install_default();
    let school = School::found(dir).unwrap();
    let mut config = config::Config::load(&school.hub_dir()).unwrap();
    config.models = house::models();
    let then = ManualClock::at(SystemClock.wall().plus_ms(-61 * DAY_MS), Mono(0));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let hub = runtime.block_on(rollcall_hub::app::serve(config, Arc::new(then))).unwrap();
    let camera = wall(dir).unwrap();
    let doors = (school.door("door-1", &camera).unwrap(), school.door("door-2", &camera).unwrap());
    runtime.block_on(hub.stop()).unwrap();
    (school, doors.0, doors.1)
}

/// Whole days until the certificate of a running door ends, and why it was not renewed.
fn certificate(door: &Door) -> Option<(i64, String)> {
    let status = door.status().ok()?;
    let ends = status["certificate_ends"].as_i64()?;
    let why = status["certificate_trouble"].as_str()?.to_owned();
    Some(((ends - SystemClock.wall().0) / DAY_MS, why))
}

fn row<T>(school: &School, sql: &str, read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>) -> T {
    let db = Connection::open(school.hub_dir().join("hub.db")).unwrap();
    db.query_row(sql, [], read).unwrap()
}

/// Which connection the door has, while it is online.
fn connection(school: &School) -> Option<i64> {
    let sql = "select connection, online from device where id = 'door-1'";
    let (connection, online) = row(school, sql, |row| Ok((row.get(0)?, row.get(1)?)));
    if online { Some(connection) } else { None }
}

/// The first certificate that a door got is cut off.
fn end_the_first(school: &School) {
    let db = Connection::open(school.hub_dir().join("hub.db")).unwrap();
    let sql = "update device_cert set state = 'revoked' where rowid = (select rowid from
               device_cert where device = 'door-1' order by issued_at limit 1)";
    assert_eq!(db.execute(sql, []).unwrap(), 1);
}

fn renewed(door: &Door, edge: &mut Process) {
    let new = || certificate(door).filter(|(days, why)| *days >= 89 && why.is_empty());
    edge.until("the new certificate", LIMIT, new).unwrap();
}

#[test]
fn a_door_renews_its_certificate_and_goes_on_with_the_new_one() {
    let dir = tempfile::tempdir().unwrap();
    let (school, door, _) = school(dir.path());
    let _hub = school.open().unwrap();
    let mut edge = door.open().unwrap();
    renewed(&door, &mut edge);
    std::thread::sleep(SETTLED);
    let before = edge.until("the link", LIMIT, || connection(&school)).unwrap();
    end_the_first(&school);
    std::thread::sleep(SETTLED);
    assert_eq!(connection(&school), Some(before), "the old certificate is not missed");
    edge.stop().unwrap();
    let mut edge = door.open().unwrap();
    renewed(&door, &mut edge);
    let again = || connection(&school).filter(|connection| *connection > before);
    edge.until("the link after a restart", LIMIT, again).unwrap();
}

#[test]
fn a_door_that_was_cut_off_gets_no_new_certificate() {
    let dir = tempfile::tempdir().unwrap();
    let (school, _, door) = school(dir.path());
    let _hub = school.open().unwrap();
    school.hub(&["device", "revoke", "door-2"]).unwrap();
    let identity = door.data().join("identity.json");
    let before = fs::read(&identity).unwrap();
    let mut edge = door.open().unwrap();
    let refused = || certificate(&door).filter(|(_, why)| !why.is_empty());
    let (days, why) = edge.until("the refusal", LIMIT, refused).unwrap();
    assert!((28..=29).contains(&days) && why.contains("no new certificate"), "{days}: {why}");
    assert_eq!(fs::read(&identity).unwrap(), before);
    let sql = "select count(*) from device_cert where device = 'door-2' and state = 'valid'";
    assert_eq!(row::<i64>(&school, sql, |row| row.get(0)), 0);
    let said = door.command(&["doctor"]).output().unwrap();
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(said.contains("28 more days") && said.contains("was not renewed"), "{said}");
}

/// The door pinned a signing key that is not the hub's: it was restored with keys of before.
fn forget_who_signs(door: &Door) {
    let path = door.data().join("identity.json");
    let mut identity: serde_json::Value =
        serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let other = tempfile::tempdir().unwrap();
    let other = store::keys::Keys::create(other.path(), SystemClock.wall()).unwrap();
    let other = other.signing().unwrap().verifying_key().to_bytes();
    identity["joined"]["gallery_key"] = data_encoding::HEXLOWER.encode(&other).into();
    fs::write(&path, identity.to_string()).unwrap();
}

#[test]
fn a_door_that_believes_nobody_who_says_who_signs_renews_its_certificate_all_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let (school, door, _) = school(dir.path());
    forget_who_signs(&door);
    let _hub = school.open().unwrap();
    let mut edge = door.open().unwrap();
    let new = || certificate(&door).filter(|(days, _)| *days >= 89);
    edge.until("the new certificate", LIMIT, new).unwrap();
    assert!(edge.said().contains("nobody knows who signs"), "{}", edge.said());
    edge.until("the link", LIMIT, || connection(&school)).unwrap();
}
