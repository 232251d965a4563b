//! The register from one photo of the class, and the teacher's word on it.

use super::photos::group;
use super::{Carrying, House, body, get, portrait, post};
use data_encoding::BASE64;
use rules::auth::Role;
use serde_json::{Value, json};

impl House {
    async fn glance(&self, token: &str, picture: &[u8]) -> (u16, Value) {
        let image = format!("data:image/jpeg;base64,{}", BASE64.encode(picture));
        let say = json!({ "image": image, "subject_id": "7B" });
        self.ask(token, "/api/attendance/mark", &say).await
    }
}

#[tokio::test]
async fn a_photo_of_the_class_says_who_seems_to_be_there_and_marks_nobody() {
    let house = House::new().await;
    let token = house.album_class().await;
    let picture = group(&["obama2.jpg", "biden.jpg"]);
    let (status, seen) = house.glance(&token, &picture).await;
    assert_eq!((status, &seen["count"]), (200, &json!(2)), "{seen}");
    let mut faces = seen["faces"].as_array().unwrap().clone();
    faces.sort_by_key(|face| face["box"]["y"].as_i64());
    let who: Vec<_> = faces.iter().map(|face| &face["student"]["student_id"]).collect();
    assert_eq!(who, ["STU1", "STU2"]);
    let joe = &faces[1];
    assert_eq!(joe["status"], "present", "{joe}");
    assert!(joe["distance"].as_f64().unwrap() < 0.5 && joe["confidence"].as_f64().unwrap() > 0.8);
    let lessons = body(&house.send(get("/api/sessions").bearer(&token)).await);
    assert_eq!(lessons, json!([]), "no lesson, no mark");
    let photos = body(&house.send(get("/api/images").bearer(&token)).await);
    assert_eq!((photos, house.sightings().await), (json!([]), 0), "and nothing is kept");
}

#[tokio::test]
async fn one_person_is_named_once_and_a_stranger_not_at_all() {
    let house = House::new().await;
    let token = house.album_class().await;
    let (_, twice) = house.glance(&token, &group(&["obama.jpg", "obama2.jpg"])).await;
    let named = |seen: &Value| {
        let faces = seen["faces"].as_array().unwrap().iter();
        faces.filter(|face| !face["student"].is_null()).count()
    };
    assert_eq!((&twice["count"], named(&twice)), (&json!(2), 1), "{twice}");
    let leave = warp::test::request().method("DELETE").path("/api/classes/7B/students/STU2");
    assert_eq!(house.send(leave.bearer(&token)).await.status(), 204);
    let (_, stranger) = house.glance(&token, &portrait("biden.jpg")).await;
    let face = &stranger["faces"][0];
    assert_eq!((&face["status"], &face["student"]), (&json!("unknown"), &Value::Null));
    assert!(face["distance"].as_f64().unwrap() > 0.5, "to the nearest of the class: {face}");
}

#[tokio::test]
async fn what_is_no_picture_or_no_class_is_refused() {
    let house = House::new().await;
    let token = house.album_class().await;
    let ask = |image: &str, class: &str| json!({ "image": image, "subject_id": class });
    for (say, wanted) in [
        (ask("data:image/jpeg;base64,%%%", "7B"), 422),
        (ask("data:text/html;base64,AAAA", "7B"), 422),
        (ask("", "7B"), 422),
        (ask("AAAA", "7B"), 422),
        (ask("AAAA", "9Z"), 404),
        (json!({ "image": "AAAA" }), 422),
    ] {
        let (status, said) = house.ask(&token, "/api/attendance/mark", &say).await;
        assert_eq!(status, wanted, "{say} {said}");
    }
    let teacher = house.token(Role::Teacher).await;
    assert_eq!(house.glance(&teacher, &portrait("biden.jpg")).await.0, 404, "a foreign class");
}

#[tokio::test]
async fn a_teacher_confirms_who_is_there_and_who_is_not() {
    let house = House::new().await;
    let token = house.album_class().await;
    let path = "/api/attendance/confirm";
    let say =
        json!({ "subject_id": "7B", "present_students": ["STU1"], "absent_students": ["STU2"] });
    let (status, done) = house.ask(&token, path, &say).await;
    assert_eq!((status, &done["marked"], &done["date"]), (200, &json!(2), &json!("2026-03-02")));
    assert_eq!(house.said(&done["session_id"], "STU1").await, Some("present"));
    assert_eq!(house.said(&done["session_id"], "STU2").await, Some("absent"));
    let (_, again) = house.ask(&token, path, &say).await;
    assert_eq!(again["session_id"], done["session_id"], "the same lesson");
    let before = json!({ "subject_id": "7B", "date": "2026-02-27", "present_students": ["STU2"] });
    let (status, before) = house.ask(&token, path, &before).await;
    assert_eq!((status, &before["date"]), (200, &json!("2026-02-27")), "{before}");
    assert_ne!(before["session_id"], done["session_id"]);
    assert_eq!(house.said(&before["session_id"], "STU2").await, Some("present"));
}

#[tokio::test]
async fn a_confirmation_that_contradicts_itself_changes_nothing() {
    let house = House::new().await;
    let token = house.album_class().await;
    let path = "/api/attendance/confirm";
    for say in [
        json!({ "subject_id": "7B", "present_students": ["STU1"], "absent_students": ["STU1"] }),
        json!({ "subject_id": "7B", "present_students": ["STU1", "STU9"] }),
        json!({ "subject_id": "7B", "date": "2026-03-03", "present_students": ["STU1"] }),
        json!({ "subject_id": "7B", "date": "yesterday" }),
    ] {
        let (status, said) = house.ask(&token, path, &say).await;
        assert_eq!(status, 422, "{say} {said}");
    }
    let lessons = body(&house.send(get("/api/sessions").bearer(&token)).await);
    assert_eq!(lessons, json!([]));
    let teacher = house.token(Role::Teacher).await;
    let foreign = post(path).bearer(&teacher).json(&json!({ "subject_id": "7B" }));
    assert_eq!(house.send(foreign).await.status(), 404);
}

#[tokio::test]
async fn the_addresses_of_s0_lead_to_the_same_things() {
    let house = House::new().await;
    let token = house.album_class().await;
    for path in [
        "/api/attendance/classes/7B/face-crops/",
        "/api/attendance/images/",
        "/attendance/face-crops/",
        "/api/attendance/sessions/",
    ] {
        let answer = house.send(get(path).bearer(&token)).await;
        assert_eq!((answer.status().as_u16(), body(&answer)), (200, json!([])), "{path}");
    }
}
