//! The hub's own look at its doors, in the real program: what was open of a door that is at work no
//! more ends by itself, and stays ended when the hub starts again.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use house::school::School;
use rusqlite::{Connection, params};
use serde_json::Value;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(20);

/// A door that was cut off while an alert of it was open, and one whose alert holds.
fn two_doors(school: &School) {
    let doors = ["gone-1", "away-1"];
    for door in doors {
        school.hub(&["device", "add", door, "--room", "204"]).unwrap();
    }
    school.hub(&["device", "revoke", "gone-1"]).unwrap();
    let db = Connection::open(school.hub_dir().join("hub.db")).unwrap();
    for (n, door) in doors.iter().enumerate() {
        let sql = "insert into door_alert (id, device, kind, since, began_in)
             values (?1, ?2, 'offline', 1790000000000, ?1)";
        let id = format!("00000000-0000-7000-8000-00000000000{n}");
        db.execute(sql, params![id, door]).unwrap();
    }
}

#[test]
fn a_running_hub_looks_at_its_doors_by_itself_and_tells_an_end_once() {
    let _another_is_in_use = rustls::crypto::ring::default_provider().install_default();
    let dir = tempfile::tempdir().unwrap();
    let school = School::found(dir.path()).unwrap();
    two_doors(&school);
    let ends = |of: &Value| of["until"].as_str().map(str::to_owned);
    let mut until = Vec::new();
    for _ in 0..2 {
        let mut hub = school.open().unwrap();
        let admin = school.admin().unwrap();
        let over = || {
            let found = admin.get("/api/alerts?open=false").ok()?;
            found.as_array()?.first().map(|of| (of["device_id"].clone(), ends(of)))
        };
        let (door, end) = hub.until("the alert ends", SOON, over).unwrap();
        assert_eq!(door, "gone-1");
        until.push(end.unwrap());
        let open = admin.get("/api/alerts?open=true").unwrap();
        let open: Vec<_> = open.as_array().unwrap().iter().map(|of| &of["device_id"]).collect();
        assert_eq!(open, ["away-1"], "it was never there in this hub's time: nobody knows");
    }
    assert_eq!(until[0], until[1], "once");
}
