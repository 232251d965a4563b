//! An admin asks for a door's log and looks what it runs with: a real hub and a real door.

use house::portraits;
use house::school::School;
use serde_json::{Value, json};
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(60);

#[test]
fn an_admin_reads_what_a_door_logged_and_sees_what_it_runs_with() {
    let _another_is_in_use = rustls::crypto::ring::default_provider().install_default();
    let dir = tempfile::tempdir().unwrap();
    let school = School::found(dir.path()).unwrap();
    let mut hub = school.open().unwrap();
    let portrait = portraits().join("obama.jpg");
    let stream = format!("while cat {portrait:?}; do sleep 0.2; done");
    let camera = format!("[camera]\nkind = \"command\"\ncommand = [\"sh\", \"-c\", {stream:?}]\n");
    let door = school.door("door-1", &camera).unwrap();
    let _edge = door.open().unwrap();
    let api = school.admin().unwrap();
    let path = "/api/devices/door-1/log";
    assert!(api.get(path).unwrap_err().to_string().contains("404"), "nobody asked");
    let ask = || api.post("/api/devices/door-1/commands", &json!({ "command": "log" })).ok();
    hub.until("the door", LIMIT, ask).unwrap();
    let log = hub.until("its log", LIMIT, || api.get(path).ok()).unwrap();
    let lines = log["lines"].as_array().unwrap();
    let ready = |line: &Value| line["text"].as_str().unwrap().contains("the door is ready");
    assert!(lines.iter().any(ready), "{log}");
    let runs = || api.get("/api/devices/door-1/config").ok().filter(|it| it["reported"] == true);
    let runs = hub.until("what it runs with", LIMIT, runs).unwrap();
    let told = runs.to_string();
    assert!(told.contains("sh …") && !told.contains("obama"), "{told}");
    assert_eq!(runs["conflicts"], json!([]));
    let audit = api.get("/api/audit?limit=5").unwrap().to_string();
    assert!(audit.contains("\"log\"") && audit.contains("\"read-log\""), "{audit}");
}

#[test]
fn settings_said_here_are_pending_until_the_door_runs_with_them() {
    let _another_is_in_use = rustls::crypto::ring::default_provider().install_default();
    let dir = tempfile::tempdir().unwrap();
    let school = School::found(dir.path()).unwrap();
    let mut hub = school.open().unwrap();
    let camera = "[camera]\nkind = \"command\"\ncommand = [\"sleep\", \"1000\"]\n";
    let door = school.door("door-1", camera).unwrap();
    let mut edge = door.open().unwrap();
    let api = school.admin().unwrap();
    let path = "/api/devices/door-1/config";
    let kinds = |runs: &Value| {
        let all = runs["conflicts"].as_array().unwrap().iter();
        all.map(|of| of["kind"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let runs = || api.get(path).ok().filter(|it| it["reported"] == true);
    hub.until("what it runs with", LIMIT, runs).unwrap();
    let said = json!({ "settings": { "min_face": 60 }, "version": 1 });
    api.put("/api/devices/door-1", &said).unwrap();
    let kept = door.data().join("settings");
    hub.until("the door keeps them", LIMIT, || kept.exists().then_some(())).unwrap();
    edge.kill();
    assert_eq!(kinds(&api.get(path).unwrap()), ["pending"]);
    let _edge = door.open().unwrap();
    let agree = || runs().filter(|it| kinds(it).is_empty());
    let runs = hub.until("the new setting", LIMIT, agree).unwrap();
    assert_eq!(runs["settings"][0]["running"], "60");
    assert_eq!(runs["settings"][0]["origin"], "hub");
}
