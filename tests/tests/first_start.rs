//! From a blank card to a door at work: the hub's file on it, and nobody types anything.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use house::portraits;
use house::school::{Door, School};
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

/// Of the mission: a blank unit has recorded somebody by then.
const LIMIT: Duration = Duration::from_secs(60);

/// A school with one person enrolled, and a door that nobody has joined yet.
fn school(dir: &Path) -> School {
    let _another_is_in_use = rustls::crypto::ring::default_provider().install_default();
    let school = School::found(dir).unwrap();
    let photo = portraits().join("obama.jpg").display().to_string();
    school.hub(&["student", "add", "S-1", "First", "Person"]).unwrap();
    school.hub(&["enrol", "S-1", &photo, "--consent-by", "test"]).unwrap();
    school.hub(&["device", "add", "door-1", "--room", "Room 1"]).unwrap();
    school
}

/// A unit from the box, in front of which somebody passes again and again.
fn blank(school: &School, name: &str) -> Door {
    let passing = portraits().join("obama2.jpg");
    let camera = format!(
        "[camera]\nkind = \"pictures\"\npaths = [{passing:?}]\npace_ms = 1500\nrepeat = true\n"
    );
    school.blank(name, &camera).unwrap()
}

#[test]
#[expect(clippy::print_stdout, reason = "figures are for whoever reads the test's output")]
fn a_blank_unit_with_the_hubs_file_on_its_card_is_at_work_within_a_minute() {
    let dir = tempfile::tempdir().unwrap();
    let school = school(dir.path());
    let _hub = school.open().unwrap();
    let unit = blank(&school, "unit");
    let file = school.hub(&["device", "invite", "door-1"]).unwrap();
    fs::write(unit.invitation(), &file).unwrap();
    let began = Instant::now();
    let mut edge = unit.open().unwrap();
    let api = school.admin().unwrap();
    let card = || {
        let cards = api.get("/api/attendance/pending").ok()?;
        (cards[0]["predicted_student_id"] == "S-1").then_some(())
    };
    edge.until("the first record", LIMIT, card).unwrap();
    println!(
        "from a blank unit to its first record at the hub: {} ms",
        began.elapsed().as_millis()
    );
    assert_eq!(api.get("/api/devices/door-1").unwrap()["online"], true);

    // The file works once: for whoever copied it, it opens nothing.
    let twin = blank(&school, "twin");
    fs::write(twin.invitation(), &file).unwrap();
    let mut other = twin.open().unwrap();
    let log = dir.path().join("twin/edge.log");
    let refused =
        || fs::read_to_string(&log).ok()?.contains("unknown, used or too old").then_some(());
    other.until("the refusal", LIMIT, refused).unwrap();
    assert!(!twin.data().join("identity.json").exists());
    assert!(other.stop().unwrap().success(), "it waits, and ends when told to");
}

#[test]
fn a_unit_waits_for_its_file_and_for_its_hub_however_late_they_come() {
    let dir = tempfile::tempdir().unwrap();
    let school = school(dir.path());
    let unit = blank(&school, "unit");
    let log = dir.path().join("unit/edge.log");
    let says = |what: &'static str| {
        let log = log.clone();
        move || fs::read_to_string(&log).ok()?.contains(what).then_some(())
    };
    let mut edge = unit.open().unwrap();
    edge.until("waiting", LIMIT, says("it waits for rollcall-edge join")).unwrap();
    fs::write(unit.invitation(), "hub = \"https://localhost:1\"\n").unwrap();
    edge.until("half a file", LIMIT, says("missing field `token`")).unwrap();
    fs::write(unit.invitation(), school.hub(&["device", "invite", "door-1"]).unwrap()).unwrap();
    edge.until("a hub that is away", LIMIT, says("nothing answers at")).unwrap();
    let _hub = school.open().unwrap();
    let people = || (unit.status().ok()?["people"] == 1).then_some(());
    edge.until("the gallery", LIMIT, people).unwrap();
    edge.stop().unwrap();
    assert!(unit.data().join("models").is_dir(), "the hub's weights are kept");
    assert!(!fs::read_to_string(&log).unwrap().contains("token ="), "no secret in the log");
}
