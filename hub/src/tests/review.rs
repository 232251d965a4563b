//! Photos, and what people decide about them.

use super::{Carrying, House, body, get, parts, portrait, post};
use acts::doors::{self, DoorChanges};
use acts::enrol::EnrolmentAsk;
use acts::events::Event;
use rules::auth::{Actor, Role};
use rules::error::Error;
use rules::review::{ReviewAsk, ReviewSay};
use serde_json::{Value, json};
use store::reader::Reader;
use store::{account, student};
use tokio::sync::broadcast::Receiver;
use tokio_util::sync::CancellationToken;
use wire::RecordId;

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
async fn a_decision_whose_answer_cannot_be_made_is_not_taken_and_a_photo_not_kept() {
    let house = House::new().await;
    let token = house.school().await;
    let record: RecordId = house.pending(&token).await.parse().unwrap();
    let paths = [
        format!("/api/attendance/{record}"),
        "/api/devices".to_owned(),
        "/api/enrollment".to_owned(),
    ];
    let before = house.all(&token, &paths).await;
    let (app, now) = (&house.app, super::NOW);
    let actor = Actor { user: house.admin().await.id, role: Role::Admin };
    let reader = Reader { actor, today: jiff::civil::date(2026, 3, 2) };
    let busy = || Err::<(), _>(Error::Unavailable("the hub is busy".into()));
    let say = ReviewSay::Approve(None);
    let asks = || vec![ReviewAsk { record, say, notes: None, version: None }];
    let student = app.db.read(|tx| student::find(tx, "STU1")).await.unwrap().id;
    let ask = EnrolmentAsk {
        student,
        photo: portrait("obama2.jpg"),
        consent_by: None,
        another_person: false,
        source: "photo".into(),
        actor: "t".into(),
    };
    let room = || DoorChanges { room: Some("9".into()), ..DoorChanges::default() };
    let door = |n: u8| format!("door-{n}").parse::<wire::DeviceId>().unwrap();
    let by = || "t".to_owned();
    let decided = app.desk().decide(reader, asks(), move |_, _| busy(), now).await;
    let came = [
        decided,
        app.people().enrol(ask, move |_, _| busy(), now).await.map(|done| done.unwrap()),
        doors::add(&app.db, door(2), room(), by(), move |_| busy(), now).await,
        app.doors().change(&door(1), room(), by(), move |_| busy(), now).await,
    ];
    for came in came {
        assert!(matches!(came, Err(Error::Unavailable(_))), "{came:?}");
    }
    assert_eq!(house.all(&token, &paths).await, before);
    app.desk().decide(reader, asks(), |_, _| Ok(()), now).await.unwrap();
    let approved = house.all(&token, &paths).await;
    let undone = app.desk().undo(reader, Some(record), None, move |_, _| busy(), now).await;
    assert!(matches!(undone, Err(Error::Unavailable(_))), "{undone:?}");
    assert_eq!(house.all(&token, &paths).await, approved);
}

#[tokio::test]
async fn a_teacher_sees_their_classes_and_nothing_else() {
    let house = House::new().await;
    let token = house.school().await;
    let id = house.pending(&token).await;
    let teacher = house.account(Role::Teacher).await;
    let secret = house.session(&teacher).await;
    let paths = ["", "/crop"].map(|end| format!("/api/attendance/{id}{end}"));
    let pages = ["card", "who?q=a"].map(|end| format!("/review/{id}/{end}"));
    for path in paths.iter().chain(&pages) {
        assert_eq!(house.send(get(path).cookie(&secret)).await.status(), 404, "{path}");
    }
    let decide = post(&format!("/review/{id}")).form(&secret, &[("decision", "approve")]);
    assert_eq!(house.send(decide).await.status(), 404);
    let undo = post(&format!("/review/{id}/undo")).form(&secret, &[]);
    assert_eq!(house.send(undo).await.status(), 404);
    let sure = post("/review/sure").form(&secret, &[("cards", &format!("{id}:1"))]);
    assert_eq!(house.send(sure).await.status(), 404);
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
    let html = words(&house.send(get("/review").cookie(&secret)).await);
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
    assert!(words(&after).contains("Rejected: not Barack Obama"));
    let late = house.send(decide().header("hx-request", "true")).await;
    assert_eq!(late.status(), 409);
    assert!(words(&late).contains("The admin has already rejected this"));
    let undo = post(&format!("/review/{id}/undo")).form(&secret, &[]);
    assert_eq!(house.send(undo).await.status(), 303);
    let found = house.send(get(&format!("/review/{id}/who?q=oba")).cookie(&secret)).await;
    assert!(words(&found).contains("Barack Obama"));
    let nobody = house.send(get(&format!("/review/{id}/who?q=%25")).cookie(&secret)).await;
    assert!(words(&nobody).contains("Nobody called"), "a wildcard is no name");
    let unknown = [("decision", "unknown"), ("version", "3")];
    let unknown = house.send(post(&format!("/review/{id}")).form(&secret, &unknown)).await;
    assert_eq!(unknown.status(), 303);
    let after = house.send(get(&format!("/review?done={id}")).cookie(&secret)).await;
    assert!(words(&after).contains("Rejected: nobody we know"));
}

/// A page as it is read: without the marks that keep names in their own direction.
fn words(answer: &super::Answer) -> String {
    String::from_utf8_lossy(answer.body()).replace(['\u{2068}', '\u{2069}'], "")
}

/// Everything the API says of this record but its version, and its face.
async fn picture(house: &House, token: &str, id: &str) -> (Value, Vec<u8>) {
    let path = format!("/api/attendance/{id}");
    let mut record = body(&house.send(get(&path).bearer(token)).await);
    record.as_object_mut().unwrap().remove("version");
    let crop = house.send(get(&format!("{path}/crop")).bearer(token)).await;
    (record, crop.body().to_vec())
}

#[tokio::test]
async fn undo_gives_the_former_state_in_everything_but_version_and_audit() {
    let house = House::new().await;
    let token = house.school().await;
    let (one, two) = (house.pending(&token).await, {
        let answer = house.capture(&token, &portrait("obama3.jpg")).await;
        body(&answer)["record_id"].as_str().unwrap().to_owned()
    });
    let person = json!({ "student_number": "STU2", "full_name": "Joe Biden" });
    house.send(post("/api/students").bearer(&token).json(&person)).await;
    let also = |tx: &store::Tx<'_>| {
        tx.execute(
            "insert into candidate (sighting, rank, student, score)
             select s.id, 9, p.id, 0.95 from sighting s join student p on p.student_number = 'STU2'",
            [],
        )
    };
    house.app.db.write(also).await.unwrap();
    let before = (picture(&house, &token, &one).await, picture(&house, &token, &two).await);
    assert_eq!(before.0.1[..2], *b"\xff\xd8");
    for say in [
        json!({ "decision": "approve" }),
        json!({ "decision": "approve", "student_id": "STU2" }),
        json!({ "decision": "reject", "notes": "a poster" }),
        json!({ "decision": "rule_out" }),
    ] {
        let review = post(&format!("/api/attendance/{one}/review")).bearer(&token).json(&say);
        assert_eq!(house.send(review).await.status(), 200, "{say}");
        assert_ne!(picture(&house, &token, &one).await, before.0, "{say}");
        let undo = post(&format!("/api/attendance/{one}/undo")).bearer(&token);
        assert_eq!(house.send(undo).await.status(), 200, "{say}");
        assert_eq!(picture(&house, &token, &one).await, before.0, "{say}");
    }
    for say in ["approve", "reject"] {
        let both = json!({ "ids": [one, two], "decision": say });
        house.send(post("/api/attendance/review").bearer(&token).json(&both)).await;
        let undo = post(&format!("/api/attendance/{two}/undo")).bearer(&token);
        assert_eq!(house.send(undo).await.status(), 200, "one undo takes both back");
        let after = (picture(&house, &token, &one).await, picture(&house, &token, &two).await);
        assert_eq!(after, before, "{say}");
    }
}

#[tokio::test]
async fn never_again_reaches_the_door_by_itself() {
    let house = House::new().await;
    let token = house.school().await;
    let person = json!({ "student_number": "STU2", "full_name": "Joe Biden" });
    house.send(post("/api/students").bearer(&token).json(&person)).await;
    let fields = [("student_id", "STU2"), ("consent_by", "himself")];
    let photo = parts("/api/enrollment", &token, &fields, ("file", &portrait("biden.jpg")));
    assert_eq!(house.send(photo).await.status(), 201);
    let id = house.pending(&token).await;
    let also = |tx: &store::Tx<'_>| {
        tx.execute(
            "insert into candidate (sighting, rank, student, score)
             select s.id, 9, p.id, 0.95 from sighting s join student p on p.student_number = 'STU2'",
            [],
        )
    };
    house.app.db.write(also).await.unwrap();
    let account = house.app.db.read(|tx| account::by_email(tx, "admin@school.test")).await.unwrap();
    let secret = house.session(&account.unwrap().0).await;
    house.app.galleries().follow().await.unwrap();
    assert_eq!(ruled_out(&house), []);
    let desk = async {
        let mut heard = house.app.events.listen();
        let never = [("decision", "never"), ("version", "1")];
        let never = post(&format!("/review/{id}")).form(&secret, &never);
        let passed = house.send(never.header("hx-request", "true")).await;
        assert_eq!(
            passed.headers()["x-said"],
            "Not%20%E2%81%A8Barack%20Obama%E2%81%A9%2C%20never%20again"
        );
        assert!(words(&passed).contains("Approve Joe Biden"), "{}", words(&passed));
        changed(&mut heard).await;
        let find = |tx: &store::Tx<'_>| {
            let of = |number| student::find(tx, number).map(|student| student.id.to_string());
            Ok((of("STU2")?, of("STU1")?))
        };
        assert_eq!(ruled_out(&house), [house.app.db.read(find).await.unwrap()]);
        house.send(post(&format!("/review/{id}/undo")).form(&secret, &[])).await;
        changed(&mut heard).await;
        assert_eq!(ruled_out(&house), [], "undone there too");
    };
    let stop = CancellationToken::new();
    tokio::select! {
        biased;
        ended = house.app.rounds().run(wire::pulse::Beat::default(), stop) => panic!("nobody stopped it: {ended:?}"),
        () = desk => {}
    }
}

/// Until the gallery was made anew.
async fn changed(heard: &mut Receiver<Event>) {
    while heard.recv().await.unwrap() != Event::GalleryChanged {}
}

/// Who was seen and who that is not, as the door's newest release has it.
fn ruled_out(house: &House) -> Vec<(String, String)> {
    let door = "door-1".parse().unwrap();
    let release = house.app.gallery.release(&door).expect("the door has a release");
    let gallery = wire::Gallery::decode(&release.file).unwrap();
    let name = |row: u32| gallery.people[row as usize].id.to_string();
    gallery.cannot_link.iter().map(|(a, b)| (name(*a), name(*b))).collect()
}

#[tokio::test]
async fn a_group_is_approved_as_one_step_or_not_at_all() {
    let house = House::new().await;
    let token = house.school().await;
    let one = house.pending(&token).await;
    let two = house.capture(&token, &portrait("obama3.jpg")).await;
    let two = body(&two)["record_id"].as_str().unwrap().to_owned();
    let account = house.app.db.read(|tx| account::by_email(tx, "admin@school.test")).await.unwrap();
    let secret = house.session(&account.unwrap().0).await;
    let sure = |cards: String| {
        let form = post("/review/sure").form(&secret, &[("cards", &cards)]);
        house.send(form.header("hx-request", "true"))
    };
    let conflict = sure(format!("{one}:1 {two}:9")).await;
    assert_eq!(conflict.status(), 409);
    assert_eq!(words(&conflict).matches("<article").count(), 2, "both come back as they are");
    assert_eq!(sure("nonsense".into()).await.status(), 422);
    let done = sure(format!("{one}:1 {two}:1")).await;
    assert_eq!(
        (done.status().as_u16(), done.headers()["x-said"].to_str().unwrap()),
        (200, "2%20people%20approved")
    );
    let undo = post(&format!("/review/{one}/undo")).form(&secret, &[]).header("hx-request", "true");
    let back = house.send(undo).await;
    assert_eq!(words(&back).matches("<article").count(), 2, "one undo takes both back");
}

#[tokio::test]
async fn where_sure_matches_mark_one_photo_marks_and_says_so() {
    let house = House::new().await;
    let token = house.school().await;
    let class = json!({
        "class_name": "7b", "class_code": "7B", "room": "Room 204",
        "policy": "auto", "auto_line": 0.9, "error_budget": 5.0
    });
    house.send(post("/api/classes").bearer(&token).json(&class)).await;
    let enter = json!({ "students": ["STU1"] });
    house.send(post("/api/classes/7B/students").bearer(&token).json(&enter)).await;
    let verify = |name| {
        let photo = portrait(name);
        parts("/face/verify", &token, &[("class_id", "7B")], ("file", &photo))
    };
    let stranger = body(&house.send(verify("biden.jpg")).await);
    assert_eq!((&stranger["recognized"], &stranger["marked"]), (&json!(false), &json!(false)));
    let found = body(&house.send(verify("obama.jpg")).await);
    assert_eq!((&found["marked"], &found["student_id"]), (&json!(true), &json!("STU1")), "{found}");
    assert!(found["confidence"].as_f64().unwrap() >= 0.9, "{found}");
    let today = body(&house.send(get("/attendance/today").bearer(&token)).await);
    let rows = today.as_array().unwrap();
    let here = |row: &&Value| row["student_id"] == "STU1" && row["status"] != "absent";
    assert_eq!(rows.iter().filter(here).count(), 1, "{today}");
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

#[tokio::test]
async fn the_next_page_of_records_and_of_the_log_keeps_the_filters() {
    let house = House::new().await;
    let token = house.school().await;
    house.pending(&token).await;
    let today = "date_from=2026-03-02";
    for list in [
        format!("/api/attendance?device_id=door-1&review_status=pending&{today}&limit=1"),
        format!("/api/attendance/pending?device_id=door-1&{today}&limit=1"),
        format!("/api/audit?target_table=student&{today}&limit=1"),
    ] {
        let page = house.send(get(&list).bearer(&token)).await;
        let link = page.headers()["link"].to_str().unwrap();
        let asked = list.split_once('?').unwrap().1;
        for filter in asked.split('&') {
            assert!(link.contains(filter), "{list}: {link} lost {filter}");
        }
    }
}

#[tokio::test]
async fn a_state_that_no_record_can_have_is_refused_and_finds_nothing_in_silence() {
    let house = House::new().await;
    let token = house.school().await;
    for wrong in ["status=rejectd", "review_status=rejectd"] {
        let answer = house.send(get(&format!("/api/attendance?{wrong}")).bearer(&token)).await;
        assert_eq!(answer.status(), 422, "{wrong}");
        assert_eq!(body(&answer)["errors"][0]["field"], "status", "{wrong}");
    }
}

#[tokio::test]
async fn a_record_that_is_passed_on_to_a_strangers_pupil_is_decided_all_the_same() {
    let house = House::new().await;
    let token = house.school().await;
    let teacher = house.account(Role::Teacher).await;
    let class = json!({ "class_name": "7b", "class_code": "7B", "teacher_id": teacher.id });
    house.send(post("/api/classes").bearer(&token).json(&class)).await;
    let enter = json!({ "students": ["STU1"] });
    house.send(post("/api/classes/7B/students").bearer(&token).json(&enter)).await;
    let theirs = house.login(Role::Teacher).await;
    let person = json!({ "student_number": "STU2", "full_name": "Joe Biden" });
    house.send(post("/api/students").bearer(&token).json(&person)).await;
    let (one, two) = (house.pending(&token).await, {
        let answer = house.capture(&token, &portrait("obama3.jpg")).await;
        body(&answer)["record_id"].as_str().unwrap().to_owned()
    });
    let strange = one.clone();
    let also = move |tx: &store::Tx<'_>| {
        let sql = "insert into candidate (sighting, rank, student, score)
             select $1, 9, p.id, 0.95 from student p where p.student_number = 'STU2'";
        tx.execute(sql, [strange])
    };
    house.app.db.write(also).await.unwrap();
    let never = json!({ "decision": "rule_out" });
    let review = post(&format!("/api/attendance/{one}/review")).bearer(&theirs).json(&never);
    let done = house.send(review).await;
    assert_eq!((done.status().as_u16(), done.body().len()), (204, 0), "it is a stranger's now");
    let undo = post(&format!("/api/attendance/{one}/undo")).bearer(&theirs);
    assert_eq!(house.send(undo).await.status(), 200, "and theirs again");
    let many = json!({ "ids": [one, two], "decision": "rule_out" });
    let done = house.send(post("/api/attendance/review").bearer(&theirs).json(&many)).await;
    assert_eq!(done.status(), 200);
    let told: Vec<_> =
        body(&done).as_array().unwrap().iter().map(|one| one["id"].clone()).collect();
    assert_eq!(told, [json!(two)], "what the teacher may still see");
    let passed = house.send(get(&format!("/api/attendance/{one}")).bearer(&token)).await;
    assert_eq!(body(&passed)["predicted_student_id"], "STU2");
}
