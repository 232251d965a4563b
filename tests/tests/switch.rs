//! The hub goes over to another model while a door publishes: what was made with the old one is
//! told by it, and what nobody has learnt yet waits where it is seen.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
#![expect(clippy::print_stdout, reason = "figures belong beside the result")]

use house::packs::{OTHER, two};
use house::passages::Account;
use house::portraits;
use house::rig::{Rig, Sim};
use house::school::School;
use rusqlite::Connection;
use std::fs;
use std::time::{Duration, Instant};

const RATE: u32 = 200;
const LIMIT: Duration = Duration::from_secs(90);

/// The first column of the first row, at the hub.
fn asked<T: rusqlite::types::FromSql>(rig: &Rig, sql: &str) -> T {
    let db = Connection::open(rig.school().hub_dir().join("hub.db")).unwrap();
    db.busy_timeout(LIMIT).unwrap();
    db.query_row(sql, [], |row| row.get(0)).unwrap()
}

/// Waits until the hub has acknowledged so many more.
fn more(sim: &Sim, count: u64) {
    let from = sim.heard().cursor.1;
    sim.until(LIMIT, |heard| heard.cursor.1 >= from + count).unwrap();
}

/// Waits until the hub says that the door's passages of the other model wait.
fn held(rig: &Rig) {
    let start = Instant::now();
    while asked::<i64>(rig, &format!("select count(*) from held where model = '{OTHER}'")) == 0 {
        assert!(start.elapsed() < LIMIT, "the hub does not say that they wait");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_switch_to_another_model_while_a_door_publishes_loses_no_passage() {
    let dir = tempfile::tempdir().unwrap();
    let models = dir.path().join("models");
    two(&models).unwrap();
    let school = School::found(dir.path()).unwrap().with_models(models);
    let (mut rig, hub) = Rig::of(school, dir.path()).unwrap();
    let person: String = asked(&rig, "select id from student where student_number = 'S1'");
    fs::write(rig.card().join("person"), person).unwrap();
    let sim = rig.door(RATE).unwrap();
    more(&sim, 200);
    rig.school().hub(&["models", "use", "other", "--force"]).unwrap();
    hub.stop().unwrap();
    let _hub = rig.hub().unwrap();
    more(&sim, 200);
    let heard = sim.kill();
    let old = heard.made.len() as i64;
    rig.note(heard);
    // The door goes over, too, before anybody is enrolled for the other model.
    let sim = rig.door_with(RATE, OTHER).unwrap();
    held(&rig);
    let waits = sim.waiting();
    let photo = portraits().join("obama.jpg").display().to_string();
    rig.school().hub(&["enrol", "S1", &photo, "--pack", "other"]).unwrap();
    rig.note(sim.drain(LIMIT).unwrap());
    let account = rig.account().unwrap();
    let (made, told) = (rig.passages().made.len(), rig.passages().told.len());
    println!(
        "{made} passages, {old} by the old model, {waits} had to wait, {told} lost: {account:?}"
    );
    assert_eq!((account, told), (Account::default(), 0));
    assert!(rig.passages().waiting.is_empty() && waits > 0);
    let sql = format!("select count(*) from sighting where model = '{OTHER}'");
    assert_eq!(asked::<i64>(&rig, &sql) + old, made as i64, "each by the model it was made with");
    rig.drop_one().unwrap();
    assert_eq!(rig.account().unwrap().lost, 1, "one that is dropped in silence is found out");
}
