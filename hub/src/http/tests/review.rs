//! Photos, and what people decide about them.

use super::{Carrying, House, body, get, parts, portrait, post};
use crate::auth::Role;
use crate::store::account;
use serde_json::{Value, json};

#[tokio::test]
async fn a_known_face_waits_and_a_stranger_leaves_no_trace() {
    let house = House::new().await;
    let token = house.school().await;
    let known = body(&house.capture(&token, &portrait("obama2.jpg")).await);
    assert_eq!(
        (&known["status"], &known["predicted_student_id"]),
        (&json!("pending"), &json!("STU1"))
    );
    assert!(known["confidence"].as_f64().unwrap() > 0.7, "{known}");
    let stranger = house.capture(&token, &portrait("biden.jpg")).await;
    let said = body(&stranger);
    assert_eq!((stranger.status().as_u16(), &said["status"]), (200, &json!("unknown")));
    assert_eq!((&said["record_id"], &said["predicted_name"]), (&Value::Null, &Value::Null));
    assert_eq!(house.sightings().await, 1);
    let waiting = body(&house.send(get("/api/attendance/pending").bearer(&token)).await);
    assert_eq!(waiting[0]["predicted_name"], "Barack Obama");
    let crop = format!("/api/attendance/{}/crop", waiting[0]["id"].as_str().unwrap());
    let crop = house.send(get(&crop).bearer(&token)).await;
    assert_eq!(
        (&crop.body()[..2], &crop.headers()["cache-control"]),
        (&b"\xff\xd8"[..], &"no-store".parse().unwrap())
    );
}

#[tokio::test]
async fn bad_pictures_are_each_named_and_change_nothing() {
    let house = House::new().await;
    let token = house.school().await;
    let face = portrait("obama.jpg");
    let decode = |bytes: &[u8]| vision::decode(bytes, &vision::Limits::default()).unwrap();
    let one = decode(&face);
    let both = [&one, &one].map(|picture| picture.rgb.clone()).concat();
    let two = vision::Picture::new(one.width, one.height * 2, both).unwrap().to_jpeg(90);
    let grey = vision::Picture::new(300, 300, vec![128; 270_000]).unwrap().to_jpeg(90);
    let mut bomb = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\xc3\x50\0\0\xc3\x50\x08\x02\0\0\0".to_vec();
    bomb.extend_from_slice(&[
        0x4a, 0x1f, 0xd7, 0x9c, 0, 0, 0, 0, b'I', b'D', b'A', b'T', 0, 0, 0, 0,
    ]);
    let cut = &face[..face.len() / 3];
    for (name, picture, words) in [
        ("no face", grey.as_slice(), "no face"),
        ("two faces", &two, "2 faces"),
        ("text", b"I am not a picture at all", "JPEG"),
        ("bomb", &bomb, ""),
        ("truncated", cut, ""),
    ] {
        for (path, field) in [("/api/capture", "image"), ("/api/enrollment", "file")] {
            let fields = [("device_id", "door-1"), ("student_id", "STU1")];
            let answer = house.send(parts(path, &token, &fields, (field, picture))).await;
            let said = body(&answer);
            assert_eq!(answer.status(), 422, "{name} {path}: {said}");
            let detail = said["detail"].as_str().unwrap().to_lowercase();
            assert!(detail.contains(&words.to_lowercase()), "{name} {path}: {detail}");
        }
    }
    assert_eq!(house.sightings().await, 0);
}

#[tokio::test]
async fn a_photo_without_consent_or_of_somebody_elses_face_is_refused() {
    let house = House::new().await;
    let token = house.school().await;
    let person = json!({ "student_number": "STU2", "full_name": "Joe Biden" });
    house.send(post("/api/students").bearer(&token).json(&person)).await;
    let enrol = |fields: &[(&str, &str)], name: &str| {
        parts("/api/students/upload-face", &token, fields, ("file", &portrait(name)))
    };
    let without = house.send(enrol(&[("student_id", "STU2")], "biden.jpg")).await;
    assert_eq!(without.status(), 422);
    let fields = [("student_id", "STU2"), ("consent_by", "his mother")];
    let taken = house.send(enrol(&fields, "obama2.jpg")).await;
    assert_eq!(taken.status(), 409, "{}", body(&taken));
    assert_eq!(house.send(enrol(&fields, "biden.jpg")).await.status(), 201);
    let biden = body(&house.capture(&token, &portrait("biden.jpg")).await);
    assert_eq!(biden["predicted_student_id"], "STU2");
}

#[tokio::test]
async fn a_record_is_approved_once_and_taken_back() {
    let house = House::new().await;
    let token = house.school().await;
    let id = house.pending(&token).await;
    let review = |say: &str, version: i64| {
        let say = json!({ "decision": say, "version": version, "notes": "saw him" });
        post(&format!("/api/attendance/{id}/review")).bearer(&token).json(&say)
    };
    let approved = body(&house.send(review("approve", 1)).await);
    assert_eq!(
        (&approved["review_status"], &approved["decided_student_id"]),
        (&json!("approved"), &json!("STU1"))
    );
    assert_eq!(approved["reviewer_name"], "The admin");
    let late = house.send(review("reject", 1)).await;
    let said = body(&late);
    assert_eq!(late.status(), 409);
    assert!(
        said["detail"].as_str().unwrap().starts_with("The admin has already approved"),
        "{said}"
    );
    let undo = post(&format!("/api/attendance/{id}/undo"));
    let back = body(&house.send(undo.bearer(&token)).await);
    assert_eq!((&back["review_status"], &back["version"]), (&json!("pending"), &json!(3)));
    let many = json!({ "ids": [id], "decision": "reject" });
    let many = house.send(post("/api/attendance/review").bearer(&token).json(&many)).await;
    assert_eq!(body(&many)[0]["review_status"], "rejected");
}

#[tokio::test]
async fn a_teacher_sees_their_classes_and_nothing_else() {
    let house = House::new().await;
    let token = house.school().await;
    let id = house.pending(&token).await;
    let teacher = house.account(Role::Teacher).await;
    let secret = house.session(&teacher).await;
    let paths = ["", "/crop"].map(|end| format!("/api/attendance/{id}{end}"));
    for path in paths.iter().chain([&format!("/review/{id}/card")]) {
        assert_eq!(house.send(get(path).cookie(&secret)).await.status(), 404, "{path}");
    }
    let decide = post(&format!("/review/{id}")).form(&secret, &[("decision", "approve")]);
    assert_eq!(house.send(decide).await.status(), 404);
    let class = json!({ "class_name": "7b", "class_code": "7B", "teacher_id": teacher.id });
    house.send(post("/api/classes").bearer(&token).json(&class)).await;
    let enter = json!({ "students": ["STU1"] });
    house.send(post("/api/classes/7B/students").bearer(&token).json(&enter)).await;
    for path in &paths {
        assert_eq!(house.send(get(path).cookie(&secret)).await.status(), 200, "{path}");
    }
}

#[tokio::test]
async fn the_desk_works_without_javascript() {
    let house = House::new().await;
    let token = house.school().await;
    let id = house.pending(&token).await;
    let account = house.app.db.read(|tx| account::by_email(tx, "admin@school.test")).await.unwrap();
    let secret = house.session(&account.unwrap().0).await;
    let page = house.send(get("/review").cookie(&secret)).await;
    let html = String::from_utf8_lossy(page.body()).into_owned();
    assert!(html.contains("Barack Obama") && html.contains("1 person waits"), "{html}");
    let decide = || {
        post(&format!("/review/{id}")).form(&secret, &[("decision", "reject"), ("version", "1")])
    };
    let done = house.send(decide()).await;
    assert_eq!(
        (done.status().as_u16(), done.headers()["location"].to_str().unwrap()),
        (303, format!("/review?done={id}").as_str())
    );
    let after = house.send(get(&format!("/review?done={id}")).cookie(&secret)).await;
    assert!(String::from_utf8_lossy(after.body()).contains("Rejected: not Barack Obama"));
    let late = house.send(decide().header("hx-request", "true")).await;
    assert_eq!(late.status(), 409);
    assert!(String::from_utf8_lossy(late.body()).contains("The admin has already rejected this"));
    let undo = post(&format!("/review/{id}/undo")).form(&secret, &[]);
    assert_eq!(house.send(undo).await.status(), 303);
}

#[tokio::test]
async fn one_photo_in_a_class_finds_only_its_members_and_marks_nobody() {
    let house = House::new().await;
    let token = house.school().await;
    let class = json!({ "class_name": "7b", "class_code": "7B", "room": "Room 204" });
    house.send(post("/api/classes").bearer(&token).json(&class)).await;
    let verify =
        || parts("/face/verify", &token, &[("class_id", "7B")], ("file", &portrait("obama2.jpg")));
    let empty = body(&house.send(verify()).await);
    assert!(empty["message"].as_str().unwrap().starts_with("Nobody in 7b can be recognised yet"));
    let enter = json!({ "students": ["STU1"] });
    house.send(post("/api/classes/7B/students").bearer(&token).json(&enter)).await;
    let found = body(&house.send(verify()).await);
    assert_eq!((&found["recognized"], &found["marked"]), (&json!(true), &json!(false)));
    assert_eq!((&found["student_id"], &found["status"]), (&json!("STU1"), &json!("pending")));
    let doors = body(&house.send(get("/api/devices").bearer(&token)).await);
    assert_eq!(doors.as_array().unwrap().len(), 1, "the photos' own door is not listed");
}
