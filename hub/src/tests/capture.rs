//! Pictures that programs and teachers send for a door: whose, from where, and what they may do.

use super::{Answer, Carrying, House, NOW, body, get, parts, portrait, post};
use rules::auth::Role;
use serde_json::{Value, json};
use warp::http::Method;
use warp::test::RequestBuilder;

/// A school in which a teacher teaches STU1 in Room 204, behind door-1. Somebody else teaches in
/// Room 9, behind door-2; door-3 was cut off. An admin's and the teacher's token.
async fn school() -> (House, String, String) {
    let house = House::new().await;
    let admin = house.school().await;
    let teacher = house.token(Role::Teacher).await;
    let me = body(&house.send(get("/api/auth/me").bearer(&teacher)).await)["id"].clone();
    for (door, room) in [("door-2", "Room 9"), ("door-3", "Room 204")] {
        let door = json!({ "device_id": door, "classroom_id": room });
        house.send(post("/api/devices").bearer(&admin).json(&door)).await;
    }
    house.send(post("/api/devices/door-3/revoke").bearer(&admin)).await;
    let class = |code: &str, room: &str, by: &Value| json!({ "class_name": code, "class_code": code, "room": room, "teacher_id": by });
    for class in [class("7B", "Room 204", &me), class("8A", "Room 9", &Value::Null)] {
        assert_eq!(
            house.send(post("/api/classes").bearer(&admin).json(&class)).await.status(),
            201
        );
    }
    let other = json!({ "student_number": "STU2", "full_name": "Ada Lovelace" });
    house.send(post("/api/students").bearer(&admin).json(&other)).await;
    enter(&house, &admin, "7B", &["STU1", "STU2"]).await;
    (house, admin, teacher)
}

/// Puts these on the roster of `class`.
async fn enter(house: &House, admin: &str, class: &str, who: &[&str]) {
    let students = json!({ "students": who });
    let path = format!("/api/classes/{class}/students");
    house.send(post(&path).bearer(admin).json(&students)).await;
}

fn sent(by: &str, fields: &[(&str, &str)]) -> RequestBuilder {
    parts("/api/capture", by, fields, ("image", &portrait("obama2.jpg")))
}

async fn door_token(house: &House, admin: &str, query: &str) -> String {
    let path = format!("/api/devices/door-1/capture-token{query}");
    body(&house.send(post(&path).bearer(admin)).await)["capture_token"].as_str().unwrap().to_owned()
}

/// What is tried, by whose token, with which fields, and how it is answered.
type Case<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)], u16);

#[tokio::test]
async fn a_picture_is_taken_only_from_who_may_send_for_that_door_there_and_then() {
    let (house, admin, teacher) = school().await;
    let door = door_token(&house, &admin, "").await;
    let hour_ago = "2026-03-02T07:45:29Z"; // and a second
    let cases: [Case<'_>; 14] = [
        ("own door", &teacher, &[("device_id", "door-1")], 200),
        ("own room", &teacher, &[("device_id", "door-1"), ("classroom_id", "Room 204")], 200),
        ("foreign room", &teacher, &[("device_id", "door-1"), ("classroom_id", "Room 9")], 404),
        ("foreign door", &teacher, &[("device_id", "door-2")], 404),
        ("cut off", &teacher, &[("device_id", "door-3")], 404),
        ("missing door", &teacher, &[("device_id", "door-9")], 404),
        ("photos' door", &teacher, &[("device_id", "hub.photos")], 404),
        ("old time", &teacher, &[("device_id", "door-1"), ("timestamp", hour_ago)], 422),
        ("token", &door, &[("device_id", "door-1")], 200),
        ("token, other room", &door, &[("device_id", "door-1"), ("classroom_id", "Room 9")], 404),
        ("token, other door", &door, &[("device_id", "door-2")], 404),
        ("token, old time", &door, &[("device_id", "door-1"), ("timestamp", hour_ago)], 422),
        ("admin, other room", &admin, &[("device_id", "door-1"), ("classroom_id", "x")], 404),
        ("admin, cut off", &admin, &[("device_id", "door-3")], 404),
    ];
    for (what, by, fields, status) in cases {
        let before = house.sightings().await;
        let answer = house.send(sent(by, fields)).await;
        assert_eq!(answer.status(), status, "{what}: {}", body(&answer));
        let kept = house.sightings().await - before;
        assert_eq!(kept, i64::from(status == 200), "{what}");
        if status == 404 {
            let (_, name) = fields[0];
            let missing = format!("There is no door “{name}”.");
            assert_eq!(body(&answer)["detail"], missing, "{what}: as if there were none");
        }
    }
}

#[tokio::test]
async fn a_picture_is_compared_with_whom_the_sender_teaches_behind_that_door() {
    let (house, admin, teacher) = school().await;
    let known = async |by: &str| {
        body(&house.send(sent(by, &[("device_id", "door-1")])).await)["status"].clone()
    };
    assert_eq!(known(&teacher).await, "pending");
    let off = warp::test::request().method("DELETE").path("/api/classes/7B/students/STU1");
    house.send(off.bearer(&admin)).await;
    enter(&house, &admin, "8A", &["STU1"]).await;
    assert_eq!(known(&teacher).await, "unknown", "a pupil of somebody else's class");
    assert_eq!(known(&admin).await, "pending", "the door itself knows them");
}

#[tokio::test]
async fn a_sent_picture_marks_nobody_though_the_class_marks_by_itself() {
    let (house, admin, teacher) = school().await;
    let auto = json!({ "policy": "auto", "auto_line": 0.5, "error_budget": 1000 });
    let change = warp::test::request().method(Method::PATCH.as_str()).path("/api/classes/7B");
    assert_eq!(house.send(change.bearer(&admin).json(&auto)).await.status(), 200);
    let lesson = house.lesson(&admin, "08:30", "09:15").await;
    let roll = format!("/api/sessions/{}/marks", lesson["id"].as_str().unwrap());
    let status = async || house.read(&admin, &roll).await[1]["status"].clone();
    let door = door_token(&house, &admin, "").await;
    for by in [&teacher, &door, &admin] {
        let seen = body(&house.send(sent(by, &[("device_id", "door-1")])).await);
        assert_eq!((&seen["status"], status().await), (&json!("pending"), Value::Null));
    }
    let here = parts(
        "/api/face/verify",
        &teacher,
        &[("class_id", "7B")],
        ("file", &portrait("obama2.jpg")),
    );
    assert_eq!(body(&house.send(here).await)["marked"], true, "a teacher in class, by policy");
    assert_eq!(status().await, "late", "at 08:45 for 08:30");
}

#[tokio::test]
async fn the_audit_log_names_who_sent_a_picture() {
    let (house, admin, teacher) = school().await;
    let door = door_token(&house, &admin, "").await;
    let me = body(&house.send(get("/api/auth/me").bearer(&teacher)).await)["id"].clone();
    for (by, name) in [(&teacher, me), (&door, json!("door:door-1"))] {
        let record =
            body(&house.send(sent(by, &[("device_id", "door-1")])).await)["record_id"].clone();
        let row = house.read(&admin, "/api/audit?action=capture&limit=1").await[0].clone();
        assert_eq!((&row["user_id"], &row["target_id"]), (&name, &record));
        assert_eq!(
            (&row["meta"]["device"], &row["meta"]["room"]),
            (&json!("door-1"), &json!("Room 204"))
        );
    }
}

#[tokio::test]
async fn a_capture_token_ends_and_can_be_changed_over() {
    let (house, admin, _) = school().await;
    let counts = async |token: &str| {
        let answer: Answer = house.send(sent(token, &[("device_id", "door-1")])).await;
        answer.status().as_u16()
    };
    let old = door_token(&house, &admin, "?days=2").await;
    let new = door_token(&house, &admin, "?days=3&overlap_hours=1").await;
    assert_eq!((counts(&old).await, counts(&new).await), (200, 200), "for the time of the change");
    house.clock.set_wall(NOW.plus_ms(3_600_000));
    assert_eq!((counts(&old).await, counts(&new).await), (401, 200));
    let path = "/api/devices/door-1/capture-token";
    let again = house.login(Role::Admin).await;
    let until = house.read(&again, path).await["expires_at"].clone();
    assert_eq!(until, "2026-03-05T08:45:30Z");
    house.clock.set_wall(NOW.plus_ms(3 * 24 * 3_600_000));
    assert_eq!(counts(&new).await, 401);
    let again = house.login(Role::Admin).await;
    assert_eq!(house.read(&again, path).await["expires_at"], Value::Null);
    for odd in ["?days=0", "?days=366", "?overlap_hours=73"] {
        let answer = house.send(post(&format!("{path}{odd}")).bearer(&again)).await;
        assert_eq!(answer.status(), 422, "{odd}");
    }
}

#[tokio::test]
async fn an_admin_gives_and_ends_a_programs_token_on_a_page() {
    let (house, _, _) = school().await;
    let secret = house.session(&house.admin().await).await;
    let at = "/devices/door-1/program";
    let text = |answer: &Answer| String::from_utf8_lossy(answer.body()).into_owned();
    let show = async || text(&house.send(get(at).cookie(&secret)).await);
    assert!(show().await.contains("It has none."));
    let door = text(&house.send(get("/devices/door-1").cookie(&secret)).await);
    assert!(door.contains(&format!("href=\"{at}\"")), "the door's page leads here");
    let act = async |fields: &[(&str, &str)]| house.send(post(at).form(&secret, fields)).await;
    let given = act(&[("days", "30")]).await;
    let page = text(&given);
    let token = page.split_once(">door_").and_then(|(_, rest)| rest.split_once('<')).unwrap().0;
    let token = format!("door_{token}");
    let status =
        async || house.send(sent(&token, &[("device_id", "door-1")])).await.status().as_u16();
    assert_eq!((given.status().as_u16(), status().await), (201, 200));
    let again = show().await;
    assert!(again.contains("counts until") && !again.contains(&token), "shown once");
    assert_eq!(act(&[("days", "400")]).await.status(), 422);
    assert_eq!(act(&[("end", "1")]).await.status(), 303);
    assert_eq!(status().await, 401);
    assert_eq!(house.send(post("/devices/no-door/program").form(&secret, &[])).await.status(), 404);
}
