//! The whole house in one process: hub and door as libraries, as `main` starts and stops them.

use house::portraits;
use house::school::School;
use rollcall_edge::program::Role;
use serde_json::json;
use std::sync::Arc;
use std::time::{Duration, Instant};
use wire::time::SystemClock;

/// Waits until `ready` says yes.
fn until(what: &str, ready: impl Fn() -> bool) {
    let start = Instant::now();
    while !ready() {
        assert!(start.elapsed() < Duration::from_secs(60), "{what} did not come");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_passage_reaches_the_desk_and_both_programs_stop_cleanly() {
    let _another_is_in_use = rustls::crypto::ring::default_provider().install_default();
    let dir = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let school = School::found(dir.path()).unwrap();
    school.hub(&["student", "add", "S-1", "First", "Person"]).unwrap();
    let photo = portraits().join("obama.jpg").display().to_string();
    school.hub(&["enrol", "S-1", &photo, "--consent-by", "test"]).unwrap();
    let mut config = config::Config::load(&school.hub_dir()).unwrap();
    config.models = house::models();
    let hub = runtime.block_on(rollcall_hub::app::serve(config, Arc::new(SystemClock))).unwrap();

    // Shown again and again: the first showings find no gallery yet, the rest are one passage.
    let camera = format!(
        "[camera]\nkind = \"pictures\"\npaths = [{:?}]\npace_ms = 500\nrepeat = true\n",
        portraits().join("obama2.jpg")
    );
    let door = school.door("door-1", &camera).unwrap();
    let config = rollcall_edge::config::Config::load(door.config()).unwrap();
    let edge = {
        let _in_the_runtime = runtime.enter();
        runtime
            .block_on(async { rollcall_edge::app::start(config, Role::Own, Arc::new(SystemClock)) })
    };
    let mut edge = edge.unwrap();
    let api = school.admin().unwrap();
    let cards = || api.get("/api/attendance/pending").unwrap();
    until("the card", || !cards().as_array().unwrap().is_empty());
    assert_eq!(cards()[0]["predicted_student_id"], "S-1");
    assert_eq!(cards().as_array().unwrap().len(), 1, "one passage, one record");

    // A setting of the hub: the door ends, for its supervisor to start it again with that.
    let settings = json!({ "settings": { "cooldown_ms": 90_000 } });
    api.put("/api/devices/door-1", &settings).unwrap();
    let (part, why) = runtime.block_on(edge.ended());
    let why = format!("{:#}", why.unwrap_err());
    assert!(part == "settings" && why.contains("changed the settings"), "{part}: {why}");
    let again = rollcall_edge::config::Config::load(door.config()).unwrap();
    assert_eq!(again.recognise.cooldown_ms, 90_000);
    runtime.block_on(edge.stop()).unwrap();
    runtime.block_on(hub.stop()).unwrap();
}
