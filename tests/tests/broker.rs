//! The site's broker, a real one: doors appear in Home Assistant by themselves, say how they are,
//! and go again; what is wrong with the broker is said, and holds nothing up.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
#![expect(clippy::print_stdout, reason = "what was skipped is said")]

use house::client::Api;
use house::mosquitto::{Ear, Mosquitto, PASSWORD};
use house::portraits;
use house::process::Process;
use house::school::School;
use serde_json::Value;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

/// What the hub says as soon as it knows.
const SOON: Duration = Duration::from_secs(15);
/// What it finds when it looks next.
const LATER: Duration = Duration::from_secs(45);
/// Whether the hub is there.
const STATUS: &str = "rollcall/status";

/// A school that has a broker of its own, or the reason why there is none.
fn begin(dir: &Path, password: &str) -> Option<(School, Mosquitto)> {
    let Some(broker) = Mosquitto::new(&dir.join("broker")).unwrap() else {
        println!("skipped: a site's broker: the package mosquitto is not installed");
        return None;
    };
    let _another_is_in_use = rustls::crypto::ring::default_provider().install_default();
    let school = School::found(dir).unwrap();
    let path = school.hub_dir().join("hub.toml");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    let mut file = fs::File::options().append(true).open(path).unwrap();
    write!(file, "{}", broker.section(password)).unwrap();
    Some((school, broker))
}

/// What the page *Care* says of the broker.
fn worry(admin: &Api) -> Option<String> {
    let found = admin.get("/api/care").ok()?;
    let worry = found.as_array()?.iter().find(|worry| worry["kind"] == "broker")?.clone();
    worry["why"].as_str().map(str::to_owned)
}

/// What is said of a door.
fn state(ear: &Ear, door: &str) -> Option<Value> {
    serde_json::from_str(&ear.of(&format!("rollcall/{door}/state"))?).ok()
}

/// Where a door is announced.
fn announced(ear: &Ear, door: &str) -> Option<String> {
    ear.topics().into_iter().find(|topic| topic.ends_with(&format!("/{door}/config")))
}

fn online(hub: &mut Process, ear: &Ear, is: bool, limit: Duration) {
    let said = || state(ear, "door-1").filter(|state| state["online"] == is);
    hub.until("a door is said to come or go", limit, said).unwrap();
}

/// Somebody whose name, number and picture nobody hears of, and a camera that they pass.
fn somebody(school: &School) -> String {
    school.hub(&["student", "add", "S-4711", "Zebedee", "Quux"]).unwrap();
    let photo = portraits().join("obama.jpg").display().to_string();
    school.hub(&["enrol", "S-4711", &photo, "--consent-by", "Wilhelmina"]).unwrap();
    let passing = portraits().join("obama2.jpg");
    format!("[camera]\nkind = \"pictures\"\npaths = [{passing:?}]\npace_ms = 1500\nrepeat = true\n")
}

#[test]
fn doors_appear_in_home_assistant_say_how_they_are_and_name_nobody() {
    let dir = tempfile::tempdir().unwrap();
    let Some((school, broker)) = begin(dir.path(), PASSWORD) else { return };
    let _broker = broker.start().unwrap();
    let ear = broker.listen().unwrap();
    let camera = somebody(&school);
    let mut hub = school.open().unwrap();
    let door = school.door("door-1", &camera).unwrap();
    let mut at_work = door.open().unwrap();
    online(&mut hub, &ear, true, LATER);
    let topic = announced(&ear, "door-1").unwrap();
    let said: Value = serde_json::from_str(&ear.of(&topic).unwrap()).unwrap();
    assert!(topic.starts_with("homeassistant/device/rollcall_"), "{topic}");
    assert_eq!(said["state_topic"], "rollcall/door-1/state");
    assert_eq!(
        (&said["availability_topic"], ear.of(STATUS)),
        (&STATUS.into(), Some("online".into()))
    );
    assert_eq!(said["device"]["suggested_area"], "Room 1");
    let late = broker.listen().unwrap();
    let kept = || late.of(&topic).zip(state(&late, "door-1"));
    hub.until("the broker keeps it", SOON, kept).unwrap();
    let admin = school.admin().unwrap();
    let passed = || Some(admin.get("/api/attendance/pending").ok()?.as_array()?.first()?.clone());
    let passage = hub.until("somebody passed", LATER, passed).unwrap();
    at_work.kill();
    // Said after somebody passed, with all that is said of a door.
    online(&mut hub, &ear, false, SOON);
    let before = ear.count(&topic);
    ear.say("homeassistant/status", "online").unwrap();
    hub.until("it is announced anew", SOON, || (ear.count(&topic) > before).then_some(())).unwrap();
    let numbers = ["id", "predicted_student_id", "session_id"].map(|key| passage[key].as_str());
    let words = ["Zebedee", "Quux", "4711", "Wilhelmina", "obama"];
    for word in numbers.into_iter().flatten().chain(words) {
        assert!(!ear.all().contains(word), "{word} in {}", ear.all());
    }
    assert!(passage["predicted_student_id"].is_string() && passage["id"].is_string(), "{passage}");
}

#[test]
fn a_hub_that_is_killed_is_said_to_be_away_and_doors_that_are_gone_are_cleared() {
    let dir = tempfile::tempdir().unwrap();
    let Some((school, broker)) = begin(dir.path(), PASSWORD) else { return };
    let mut at_work = broker.start().unwrap();
    let ear = broker.listen().unwrap();
    for door in ["door-1", "door-2", "door-3"] {
        school.hub(&["device", "add", door, "--room", "204"]).unwrap();
    }
    let mut hub = school.open().unwrap();
    let all = || state(&ear, "door-1").and(state(&ear, "door-2")).and(state(&ear, "door-3"));
    let last = hub.until("all doors are said", SOON, all).unwrap();
    assert_eq!((&last["state"], &last["problem"]), (&"not-joined".into(), &true.into()));
    let gone = |door| announced(&ear, door).is_none() && state(&ear, door).is_none();
    school.hub(&["device", "revoke", "door-3"]).unwrap();
    hub.until("it is cleared", LATER, || gone("door-3").then_some(())).unwrap();
    hub.kill();
    let away = || ear.of(STATUS).filter(|said| said == "offline");
    at_work.until("the hub is away", SOON, away).unwrap();
    school.hub(&["device", "revoke", "door-2"]).unwrap();
    let mut hub = school.open().unwrap();
    hub.until("it is cleared too", SOON, || gone("door-2").then_some(())).unwrap();
    assert!(announced(&ear, "door-1").is_some() && state(&ear, "door-1").is_some());
    assert_eq!(ear.of(STATUS).as_deref(), Some("online"));
    hub.stop().unwrap();
    at_work.until("it is away again", SOON, away).unwrap();
}

#[test]
fn a_broker_that_lets_the_hub_in_and_passes_nothing_on_is_a_worry() {
    let dir = tempfile::tempdir().unwrap();
    let Some((school, broker)) = begin(dir.path(), PASSWORD) else { return };
    broker.lets("read").unwrap();
    let _deaf = broker.start().unwrap();
    let ear = broker.listen().unwrap();
    let mut hub = school.open().unwrap();
    let admin = school.admin().unwrap();
    let why = || worry(&admin).filter(|say| say.contains("does not pass on"));
    let say = hub.until("the hub notices", Duration::from_secs(60), why).unwrap();
    assert!(say.contains("rollcall/status") && ear.of(STATUS).is_none(), "{say}");
}

#[test]
fn what_is_wrong_with_the_broker_is_said_and_the_hub_is_well() {
    let dir = tempfile::tempdir().unwrap();
    let Some((school, broker)) = begin(dir.path(), "not the password") else { return };
    let mut hub = school.open().unwrap();
    let admin = school.admin().unwrap();
    let why = || worry(&admin);
    let say = hub.until("nobody is there", SOON, why).unwrap();
    assert!(say.contains("cannot be reached"), "{say}");
    let _broker = broker.start().unwrap();
    let refused = || why().filter(|say| say.contains("broker.password"));
    hub.until("it is refused", LATER, refused).unwrap();
    let doctor = school.hub(&["doctor"]).unwrap();
    assert!(doctor.contains("hears nothing") && doctor.contains("broker.password"), "{doctor}");
    let ready = admin.get("/ready").unwrap();
    assert_eq!(ready["status"], "ok", "{ready}");
    let path = school.hub_dir().join("hub.toml");
    let text = fs::read_to_string(&path).unwrap().replace("not the password", PASSWORD);
    fs::write(&path, text.replace("ca = ", "# ca = ")).unwrap();
    let doctor = school.hub(&["doctor"]).unwrap();
    assert!(doctor.contains("is not trusted: name them in broker.ca"), "{doctor}");
}
