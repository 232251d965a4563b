//! Backup, restore and update as an admin does them: nothing lost, nothing doubled.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
#![expect(clippy::print_stdout, reason = "figures belong beside the result")]

use house::history::Verdict;
use house::passages::Account;
use house::process::{self, Process};
use house::rig::{DOOR, Rig, Sim};
use house::school::{Door, School};
use house::{bin, portraits};
use refinery::{Runner, Target};
use rusqlite::{Connection, OpenFlags, types::Value};
use serde_json::json;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

const RATE: u32 = 400;
const LIMIT: Duration = Duration::from_secs(90);

fn founded(dir: &Path) -> School {
    let _another_is_in_use = rustls::crypto::ring::default_provider().install_default();
    School::found(dir).unwrap()
}

/// What a command says that ends with exit code 1.
fn refused(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    said
}

fn back_up(school: &School, dir: &Path) -> String {
    let (kept, keys) = (dir.join("backup"), dir.join("keys"));
    school.hub(&["backup", kept.to_str().unwrap(), "--keys", keys.to_str().unwrap()]).unwrap()
}

/// `restore` of what [`back_up`] made, into `data`.
fn restore(dir: &Path, data: &Path) -> Command {
    let mut command = Command::new(bin("rollcall-hub"));
    let (kept, keys) = (dir.join("backup"), dir.join("keys"));
    command.arg("--data").arg(data).arg("restore").arg(kept).arg("--keys").arg(keys);
    command.arg("--identity").arg(dir.join("backup.key"));
    command
}

/// A class of one, who was late in its lesson.
fn lesson(school: &School) {
    let api = school.admin().unwrap();
    let person = json!({ "student_number": "S-1", "full_name": "Ada King" });
    api.post("/api/students", &person).unwrap();
    api.post("/api/classes", &json!({ "class_name": "Maths", "class_code": "M" })).unwrap();
    api.post("/api/classes/M/students", &json!({ "students": ["S-1"] })).unwrap();
    let lesson = json!({ "class_id": "M", "date": "2030-03-04", "start_time": "10:00" });
    let lesson = api.post("/api/sessions", &lesson).unwrap();
    let marks = format!("/api/sessions/{}/marks", lesson["id"].as_str().unwrap());
    api.post(&marks, &json!({ "student_id": "S-1", "status": "late" })).unwrap();
}

#[test]
fn a_hub_made_of_its_backup_knows_the_same_people_accounts_and_marks() {
    let dir = tempfile::tempdir().unwrap();
    let school = founded(dir.path());
    let hub = school.open().unwrap();
    lesson(&school);
    let said = back_up(&school, dir.path());
    assert!(said.contains("is whole: checked.") && said.contains("for 30 days"), "{said}");
    let known = |school: &School| {
        let table = |what: &[&str]| school.hub(what).unwrap();
        [table(&["export", "students"]), table(&["export", "attendance"]), table(&["user", "list"])]
    };
    let before = known(&school);
    assert!(before[1].contains(",S-1,King,Ada,late,manual,"), "{}", before[1]);
    hub.stop().unwrap();

    let over = refused(&mut restore(dir.path(), &school.hub_dir()));
    assert!(over.contains("restore never overwrites"), "{over}");
    let place = dir.path().join("new");
    let said = process::run(&mut restore(dir.path(), &place.join("hub"))).unwrap();
    assert!(said.contains("doors send again what came after that backup"), "{said}");
    let school = School::again(&place).unwrap();
    assert_eq!(known(&school), before);
    let _hub = school.open().unwrap();
    let api = school.admin().unwrap();
    assert_eq!(api.get("/api/students").unwrap()[0]["full_name"], "Ada King");
    let marks = api.get("/api/students/S-1/attendance").unwrap();
    assert!(marks.to_string().contains("late"), "{marks}");
    let chain = school.hub(&["audit", "verify"]).unwrap();
    assert!(chain.contains("rows, unbroken"), "{chain}");
}

#[test]
fn a_backup_by_a_clock_that_leapt_destroys_no_copy_until_somebody_says_that_it_is_right() {
    let dir = tempfile::tempdir().unwrap();
    let school = founded(dir.path());
    let old = dir.path().join("keys/keys-20200102T030405678Z.age");
    fs::create_dir_all(old.parent().unwrap()).unwrap();
    fs::write(&old, "x").unwrap();
    let leap = r#"{"from":1577934245678,"to":1790000000000,"against":"records"}"#;
    let db = Connection::open(school.hub_dir().join("hub.db")).unwrap();
    db.execute("insert into setting values ('clock_leapt', ?1)", [leap]).unwrap();
    drop(db);
    let said = back_up(&school, dir.path());
    assert!(said.contains("The clock leapt, so older copies stay") && old.exists(), "{said}");
    school.hub(&["clock", "confirm"]).unwrap();
    let said = back_up(&school, dir.path());
    assert!(said.contains("Older copies destroyed: 1 of keys") && !old.exists(), "{said}");
}

#[test]
fn a_changed_byte_of_the_audit_chain_is_found_and_its_row_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let school = founded(dir.path());
    school.hub(&["student", "add", "S-1", "Ada"]).unwrap();
    school.hub(&["audit", "verify"]).unwrap();
    let path = school.hub_dir().join("hub.db");
    let last = "select n, hash from audit order by n desc limit 1";
    let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
    let (n, hash): (i64, Vec<u8>) =
        Connection::open(&path).unwrap().query_row(last, [], read).unwrap();
    let mut bytes = fs::read(&path).unwrap();
    let at = bytes.windows(hash.len()).position(|bytes| bytes == hash).unwrap();
    bytes[at] ^= 1;
    fs::write(&path, bytes).unwrap();
    let said = refused(&mut school.hub_command(&["audit", "verify"]));
    assert_eq!(said, format!("rollcall-hub: the audit chain is broken at row {n}\n"));
    let copy = dir.path().join("backup");
    let one = refused(school.hub_command(&["backup"]).arg(&copy).arg("--keys").arg(copy.join("k")));
    assert!(one.contains("would lie in one place"), "{one}");
    let said = refused(school.hub_command(&["backup", "--insecure-together"]).arg(&copy));
    assert!(said.contains("the audit chain is broken"), "no backup of that: {said}");
}

type Tables = BTreeMap<String, Vec<Vec<Value>>>;

/// Every row of the tables and columns that `like` has.
fn rows(db: &Connection, like: &BTreeMap<String, String>) -> Tables {
    let all = |(table, columns): (&String, &String)| {
        let mut select = db.prepare(&format!("select {columns} from {table}")).unwrap();
        let width = select.column_count();
        let row = |row: &rusqlite::Row<'_>| (0..width).map(|n| row.get(n)).collect();
        let rows = select.query_map([], row).unwrap().collect::<Result<_, _>>().unwrap();
        (table.clone(), rows)
    };
    like.iter().map(all).collect()
}

/// Tables of a database with their columns.
fn tables(db: &Connection) -> BTreeMap<String, String> {
    let sql = "select t.name, group_concat('\"' || c.name || '\"') from sqlite_master t,
         pragma_table_info(t.name) c
         where t.type = 'table' and t.name not like 'refinery%' and t.name not like 'sqlite%'
         group by t.name";
    let mut select = db.prepare(sql).unwrap();
    let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
    select.query_map([], row).unwrap().collect::<Result<_, _>>().unwrap()
}

/// Makes the hub's database what the first program would have made of it; its rows.
fn as_at_first(path: &Path) -> Tables {
    let old = path.with_extension("old");
    let migrations = concat!(env!("CARGO_MANIFEST_DIR"), "/../hub/store/migrations/sqlite");
    let migrations = refinery::load_sql_migrations(migrations).unwrap();
    let mut db = Connection::open(&old).unwrap();
    Runner::new(&migrations).set_target(Target::Version(1)).run(&mut db).unwrap();
    db.execute_batch("pragma foreign_keys = off").unwrap();
    db.execute("attach ?1 as today", [path.to_str().unwrap()]).unwrap();
    let first = tables(&db);
    for (table, columns) in &first {
        let fill = format!("insert into {table} ({columns}) select {columns} from today.{table}");
        db.execute(&fill, []).unwrap();
    }
    let rows = rows(&db, &first);
    drop(db);
    fs::rename(&old, path).unwrap();
    rows
}

#[test]
fn a_database_of_the_first_version_is_brought_up_to_date_and_a_copy_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let school = founded(dir.path());
    let hub = school.open().unwrap();
    lesson(&school);
    hub.stop().unwrap();
    let path = school.hub_dir().join("hub.db");
    let before = as_at_first(&path);
    assert!(before["audit"].len() > 4 && before["student"].len() == 1, "there is something");
    let said = refused(&mut school.hub_command(&["student", "list"]));
    assert!(
        said.contains("is at version 1 and") && said.contains("rollcall-hub migrate"),
        "{said}"
    );
    let dry = school.hub(&["migrate", "--dry-run"]).unwrap();
    assert!(dry.contains("would go from version 1 to "), "{dry}");
    let said = school.hub(&["migrate"]).unwrap();
    assert!(said.contains("hub.db.before-v2"), "{said}");
    let again = school.hub(&["migrate"]).unwrap();
    assert!(again.contains("nothing to do"), "{again}");
    let open =
        |path: &Path| Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let copy = open(&path.with_extension("db.before-v2"));
    let first = tables(&copy);
    assert_eq!(rows(&copy, &first), before, "the copy");
    assert_eq!(rows(&open(&path), &first), before, "what was brought up to date");
    school.hub(&["audit", "verify"]).unwrap();
    let _hub = school.open().unwrap();
    let people = school.admin().unwrap().get("/api/students").unwrap();
    assert_eq!(people[0]["full_name"], "Ada King");
}

/// Waits until the door knows that the hub has `least` of its records.
fn acknowledged(sim: &Sim, least: u64) {
    let start = Instant::now();
    while sim.heard().cursor.1 < least {
        assert!(start.elapsed() < LIMIT, "only {} of {least}", sim.heard().cursor.1);
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn what_came_after_the_backup_comes_again_once_the_hub_is_restored() {
    let dir = tempfile::tempdir().unwrap();
    let (mut rig, mut hub) = Rig::new(dir.path()).unwrap();
    let sim = rig.door(RATE).unwrap();
    acknowledged(&sim, 300);
    // Another disk: what lies on the hub's own is lost with it, so doors would keep all of it.
    let kept = tempfile::tempdir_in("/dev/shm").unwrap();
    fs::copy(rig.school().backup_identity(), kept.path().join("backup.key")).unwrap();
    back_up(rig.school(), kept.path());
    let at_backup = sim.heard().cursor.1;
    acknowledged(&sim, at_backup + 600);
    hub.kill();
    let acked = sim.heard().cursor.1;
    let data = rig.school().hub_dir();
    fs::remove_dir_all(&data).unwrap();
    process::run(&mut restore(kept.path(), &data)).unwrap();
    let mut restored = house::history::History::default();
    restored.read_hub(&data.join("hub.db"), DOOR).unwrap();
    let missing = acked - restored.stored.len() as u64;
    assert!(missing >= 500, "the backup was older than that: {missing} missing");

    let _hub = rig.hub().unwrap();
    rig.note_numbers(sim.drain(LIMIT).unwrap());
    assert_eq!(rig.account().unwrap(), Account::default(), "each passage, once");
    let (history, promised) = (rig.history().unwrap(), rig.promised());
    let verdict = history.verdict();
    println!("{promised} records, {missing} of them acknowledged and lost with the hub: {verdict}");
    assert_eq!(verdict, Verdict::default());
    assert!(history.sightings >= promised as u64, "the hub does not show every sighting");
    let first = history.outbox.keys().next().unwrap().1;
    assert!(first > 300, "the door let go of what the backup holds, up to {first}");
}

#[test]
fn a_hub_restored_from_an_older_backup_is_told_what_is_gone_and_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let (mut rig, mut hub) = Rig::new(dir.path()).unwrap();
    let sim = rig.door(RATE).unwrap();
    acknowledged(&sim, 200);
    back_up(rig.school(), dir.path());
    acknowledged(&sim, sim.heard().cursor.1 + 400);
    // A newer backup, on a disk elsewhere, that is not there any more when it is needed.
    let data = rig.school().hub_dir();
    let db = Connection::open(data.join("hub.db")).unwrap();
    db.busy_timeout(LIMIT).unwrap();
    let newer = "insert into backed_up (device, epoch, cum, at)
         select device, epoch, cum, 0 from cursor where true
         on conflict (device, epoch) do update set cum = excluded.cum";
    db.execute(newer, []).unwrap();
    drop(db);
    acknowledged(&sim, sim.heard().cursor.1 + 200);
    hub.kill();
    fs::remove_dir_all(&data).unwrap();
    process::run(&mut restore(dir.path(), &data)).unwrap();
    let _hub = rig.hub().unwrap();
    rig.note_numbers(sim.drain(LIMIT).unwrap());
    assert_eq!(rig.account().unwrap(), Account::default(), "each passage, once, or told as lost");
    let history = rig.history().unwrap();
    let (verdict, gone) = (history.verdict(), history.gone.len());
    println!("{} records, {gone} of them told as lost: {verdict}", rig.promised());
    assert_eq!(verdict, Verdict::default());
    assert!(gone >= 300, "only {gone} are told");
    let db = Connection::open(data.join("hub.db")).unwrap();
    let sql = "select gone from loss where cause = 'hub_restored'";
    let told: String = db.query_row(sql, [], |row| row.get(0)).unwrap();
    let told: wire::Ranges = serde_json::from_str(&told).unwrap();
    assert_eq!(told.count(), gone as u64, "the hub shows the same numbers");
    db.execute("delete from loss", []).unwrap();
    let silent = rig.account().unwrap().lost;
    assert!((1..=gone).contains(&silent), "dropped in silence, they are found out: {silent}");
}

/// A camera that shows these portraits once.
fn camera(names: &[&str]) -> String {
    let paths: Vec<_> = names.iter().map(|name| portraits().join(name)).collect();
    format!(
        "[camera]\nkind = \"pictures\"\npaths = {paths:?}\npace_ms = 1500\nrepeat = false\n\
         [recognise]\nmin_face = 40\ncooldown_ms = 1000\nhold_ms = 200\n\
         [gallery]\nkey = \"disk\"\n"
    )
}

fn enrol(school: &School, number: &str, portrait: &str) {
    let photo = portraits().join(portrait).display().to_string();
    school.hub(&["student", "add", number, "Some", "Body"]).unwrap();
    school.hub(&["enrol", number, &photo, "--consent-by", "test"]).unwrap();
}

/// Waits until the door's gallery has `people`.
fn gallery(door: &Door, edge: &mut Process, people: u64) {
    let has = || (door.status().ok()?["people"].as_u64()? == people).then_some(());
    edge.until("the gallery", LIMIT, has).unwrap();
}

/// The ids of the pending records, once there are `count`.
fn pending(school: &School, edge: &mut Process, count: usize) -> Vec<String> {
    let api = school.admin().unwrap();
    let ids = || {
        let list = api.get("/api/attendance/pending").ok()?;
        let ids = list.as_array()?.iter().filter_map(|card| Some(card["id"].as_str()?.to_owned()));
        Some(ids.collect::<Vec<_>>()).filter(|ids| ids.len() == count)
    };
    edge.until("the records at the hub", LIMIT, ids).unwrap()
}

#[test]
fn a_door_knows_the_restored_hub_sends_again_and_takes_its_galleries() {
    let dir = tempfile::tempdir().unwrap();
    let school = founded(dir.path());
    enrol(&school, "S-1", "obama.jpg");
    let mut hub = school.open().unwrap();
    let door = school.door("door-1", &camera(&["biden.jpg"])).unwrap();
    let mut edge = door.open().unwrap();
    gallery(&door, &mut edge, 1);
    edge.stop().unwrap();
    let mut edge = door.with_camera("one.toml", &camera(&["obama2.jpg"])).unwrap().open().unwrap();
    pending(&school, &mut edge, 1);
    back_up(&school, dir.path());
    edge.stop().unwrap();
    let door = door.with_camera("two.toml", &camera(&["obama3.jpg"])).unwrap();
    let mut edge = door.open().unwrap();
    let before = pending(&school, &mut edge, 2);
    hub.kill();
    fs::remove_dir_all(school.hub_dir()).unwrap();
    process::run(&mut restore(dir.path(), &school.hub_dir())).unwrap();
    let _hub = school.open().unwrap();
    assert_eq!(pending(&school, &mut edge, 2), before, "the same records, once each");
    enrol(&school, "S-2", "biden.jpg");
    gallery(&door, &mut edge, 2);
    edge.stop().unwrap();
}
