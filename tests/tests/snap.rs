//! An admin asks to see what a door sees: a real hub and a real door with a camera that streams.

use house::portraits;
use house::school::School;
use serde_json::json;
use std::fs;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(60);

#[test]
fn an_admin_sees_what_the_door_sees_with_a_box_around_the_face() {
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
    let path = "/api/devices/door-1/snap";
    assert!(api.get(path).unwrap_err().to_string().contains("404"));
    let ask = || api.post("/api/devices/door-1/commands", &json!({ "command": "snap" })).ok();
    hub.until("the door", LIMIT, ask).unwrap();
    // A camera that is still opening shows nothing: an admin would ask again.
    let look = || api.file(path).ok().or_else(|| ask().and(None));
    let jpeg = hub.until("the picture", LIMIT, look).unwrap();
    assert!(jpeg.len() <= wire::link::SNAP_BYTES);
    let limits = vision::Limits::default();
    let seen = vision::decode(&jpeg, &limits).unwrap();
    let plain = vision::decode(&fs::read(&portrait).unwrap(), &limits).unwrap();
    let plain = plain.resized(seen.width, seen.height);
    assert!(red(&seen) > red(&plain) + 200, "a red box: the door knows nobody yet");
    let audit = api.get("/api/audit?limit=5").unwrap().to_string();
    assert!(audit.contains("\"snap\""), "{audit}");
}

/// Pixels in the colour of a box around somebody unknown.
fn red(picture: &vision::Picture) -> usize {
    picture.rgb.chunks_exact(3).filter(|p| p[0] > 180 && p[1] < 90 && p[2] < 90).count()
}
