//! Lessons, their roll, and who was there, over HTTP.

use super::{Carrying, House, body, get, parts, portrait, post};
use acts::classes::{self, ClassChanges};
use acts::events::Event;
use acts::lessons::{LessonChanges, MarkOf, MarkSaid};
use acts::roster::{self, EnrolledFace, Entering, Membership, Strangers};
use acts::timetable::{Differs, OtherDay, PeriodChanges};
use jiff::civil::date;
use rules::attendance::Status;
use rules::attendance::spoken::{Details, Over, SpokenWord};
use rules::auth::{Actor, Role};
use rules::error::Error;
use serde_json::{Value, json};
use store::reader::Reader;
use warp::test::RequestBuilder;

fn request(method: &str, path: &str) -> RequestBuilder {
    warp::test::request().method(method).path(path)
}

impl House {
    /// An admin's token, with Barack (STU1) and Ada (STU2) in class 7B, room “Room 204”.
    async fn class(&self) -> String {
        let token = self.school().await;
        let person = json!({ "student_number": "STU2", "full_name": "Ada Lovelace" });
        self.send(post("/api/students").bearer(&token).json(&person)).await;
        let class = json!({ "class_name": "7b", "class_code": "7B", "room": "Room 204" });
        let made = self.send(post("/api/classes").bearer(&token).json(&class)).await;
        assert_eq!(made.status(), 201, "{}", body(&made));
        let enter = json!({ "students": ["STU1", "STU2"] });
        self.send(post("/api/classes/7B/students").bearer(&token).json(&enter)).await;
        token
    }

    /// A lesson of 7B on the day of the house, which is at 08:45:30.
    pub(super) async fn lesson(&self, token: &str, from: &str, to: &str) -> Value {
        let lesson = json!({ "class_id": "7B", "start_time": from, "end_time": to });
        let made = self.send(post("/api/sessions").bearer(token).json(&lesson)).await;
        assert_eq!(made.status(), 201, "{}", body(&made));
        body(&made)
    }

    /// What became of Barack's photo, taken in class 7B.
    async fn verify(&self, token: &str) -> Value {
        let photo = portrait("obama2.jpg");
        let fields = [("class_id", "7B")];
        body(&self.send(parts("/api/face/verify", token, &fields, ("file", &photo))).await)
    }

    pub(super) async fn json(
        &self,
        token: &str,
        method: &str,
        path: &str,
        said: &Value,
    ) -> (u16, Value) {
        let answer = self.send(request(method, path).bearer(token).json(said)).await;
        (
            answer.status().as_u16(),
            if answer.body().is_empty() { Value::Null } else { body(&answer) },
        )
    }

    /// What each of `paths` answers.
    pub(super) async fn all(&self, token: &str, paths: &[String]) -> Vec<Value> {
        let mut all = Vec::new();
        for path in paths {
            all.push(self.read(token, path).await);
        }
        all
    }

    pub(super) async fn read(&self, token: &str, path: &str) -> Value {
        let answer = self.send(get(path).bearer(token)).await;
        assert_eq!(answer.status(), 200, "{path}: {}", body(&answer));
        body(&answer)
    }
}

#[tokio::test]
async fn a_lesson_is_planned_moved_and_cancelled() {
    let house = House::new().await;
    let token = house.class().await;
    let lesson = house.lesson(&token, "08:30", "09:15").await;
    assert_eq!((&lesson["date"], &lesson["source"]), (&json!("2026-03-02"), &json!("manual")));
    assert_eq!(lesson["starts_at"], "2026-03-02T08:30:00Z");
    assert_eq!(lesson["late_after"], "2026-03-02T08:40:00Z", "ten minutes of grace");
    assert_eq!((&lesson["room"], &lesson["name"]), (&json!("Room 204"), &json!("7b")));
    let path = format!("/api/sessions/{}", lesson["id"].as_str().unwrap());
    let change = json!({ "end_time": "09:30", "name": "Maths", "version": 1 });
    let (status, changed) = house.json(&token, "PATCH", &path, &change).await;
    assert_eq!(
        (status, &changed["end_time"], &changed["name"]),
        (200, &json!("09:30"), &json!("Maths"))
    );
    assert_eq!(house.json(&token, "PUT", &path, &change).await.0, 409, "an old version");
    let (status, _) = house.json(&token, "PATCH", &path, &json!({ "end_time": "08:00" })).await;
    assert_eq!(status, 422, "it ends before it starts");
    let other = house.read(&token, "/attendance/sessions/?class_id=7B&date_from=2026-03-02").await;
    assert_eq!(other[0]["id"], lesson["id"], "as the first seed calls it");
    assert_eq!(house.read(&token, "/api/sessions?date_to=2026-03-01").await, json!([]));
    assert_eq!(house.send(request("DELETE", &path).bearer(&token)).await.status(), 204);
    assert_eq!(house.send(get(&path).bearer(&token)).await.status(), 404);
}

#[tokio::test]
async fn a_class_is_not_in_two_places_and_a_room_holds_one_class() {
    let house = House::new().await;
    let token = house.class().await;
    house.lesson(&token, "08:30", "09:15").await;
    let class = json!({ "class_name": "7c", "class_code": "7C" });
    house.send(post("/api/classes").bearer(&token).json(&class)).await;
    let plan = |class: &str, room: &str, from: &str| json!({ "class_id": class, "room": room, "start_time": from, "end_time": "10:00" });
    let add = async |said: Value| house.json(&token, "POST", "/api/sessions", &said).await;
    let (status, said) = add(plan("7B", "Hall", "09:00")).await;
    assert!(status == 409 && said["detail"].as_str().unwrap().contains("two places"), "{said}");
    let (status, said) = add(plan("7C", "Room 204", "09:00")).await;
    assert!(status == 409 && said["detail"].as_str().unwrap().contains("is taken"), "{said}");
    assert_eq!(add(plan("7C", "Hall", "09:00")).await.0, 201);
    assert_eq!(add(plan("7B", "Room 204", "09:15")).await.0, 201, "one after the other");
}

#[tokio::test]
async fn a_sighting_waits_in_its_lesson_and_approving_it_marks() {
    let house = House::new().await;
    let token = house.class().await;
    let lesson = house.lesson(&token, "08:30", "09:15").await;
    let id = lesson["id"].as_str().unwrap();
    let record = house.pending(&token).await;
    let seen = house.read(&token, &format!("/api/attendance/{record}")).await;
    assert_eq!((&seen["session_id"], &seen["review_status"]), (&json!(id), &json!("pending")));
    let roll = format!("/api/sessions/{id}/marks");
    let waits = house.read(&token, &roll).await;
    assert_eq!((&waits[1]["student_id"], &waits[1]["waiting"]), (&json!("STU1"), &json!(true)));
    assert_eq!(waits[1]["status"], Value::Null, "a machine alone marks nobody");
    let review = format!("/api/attendance/{record}/review");
    house.json(&token, "POST", &review, &json!({ "decision": "approve" })).await;
    let marked = house.read(&token, &roll).await;
    assert_eq!((&marked[1]["status"], &marked[1]["source"]), (&json!("late"), &json!("door")));
    assert_eq!((&marked[1]["record_id"], &marked[1]["is_manual"]), (&json!(record), &json!(false)));
    assert_eq!(house.read(&token, &format!("/api/sessions/{id}")).await["marks"]["late"], 1);
    let gone = house.send(request("DELETE", &format!("/api/attendance/{record}")).bearer(&token));
    assert_eq!(gone.await.status(), 204);
    assert_eq!(house.read(&token, &roll).await[1]["status"], Value::Null, "its mark went with it");
    assert_eq!(house.sightings().await, 0);
}

#[tokio::test]
async fn who_has_no_lesson_is_logged_without_a_picture() {
    let house = House::new().await;
    let token = house.class().await;
    house.lesson(&token, "10:00", "10:45").await;
    let logged = body(&house.capture(&token, &portrait("obama2.jpg")).await);
    assert_eq!(
        (&logged["status"], &logged["predicted_student_id"]),
        (&json!("logged"), &json!("STU1"))
    );
    let record = logged["record_id"].as_str().unwrap();
    let seen = house.read(&token, &format!("/api/attendance/{record}")).await;
    assert_eq!((&seen["captured_image_path"], &seen["session_id"]), (&Value::Null, &Value::Null));
    let trusted = (&seen["authorized"], &seen["authorization"]);
    assert_eq!(trusted, (&json!(true), &json!("authorized")), "the gate log says so");
    let review = format!("/api/attendance/{record}/review");
    let (status, _) = house.json(&token, "POST", &review, &json!({ "decision": "approve" })).await;
    assert_eq!(status, 422, "there is nothing to decide");
    house.lesson(&token, "08:45", "09:30").await;
    let adopted = house.read(&token, &format!("/api/attendance/{record}")).await;
    assert_eq!(adopted["review_status"], "pending", "a lesson was made for it afterwards");
    assert_eq!(adopted["authorized"], Value::Null, "it is no log any more");
}

#[tokio::test]
async fn a_persons_word_wins_over_the_door_until_it_is_taken_back() {
    let house = House::new().await;
    let token = house.class().await;
    let lesson = house.lesson(&token, "08:30", "09:15").await;
    let roll = format!("/api/sessions/{}/marks", lesson["id"].as_str().unwrap());
    let excused = json!({ "student_id": "STU1", "status": "excused", "notes": "dentist" });
    let (status, said) = house.json(&token, "POST", &roll, &excused).await;
    assert_eq!(
        (status, &said[0]["status"], &said[0]["is_manual"]),
        (200, &json!("excused"), &json!(true))
    );
    let record = house.pending(&token).await;
    let review = format!("/api/attendance/{record}/review");
    house.json(&token, "POST", &review, &json!({ "decision": "approve" })).await;
    assert_eq!(house.read(&token, &roll).await[1]["status"], "excused");
    let back = || request("DELETE", &format!("{roll}/STU1")).bearer(&token);
    assert_eq!(house.send(back()).await.status(), 204);
    assert_eq!(
        house.read(&token, &roll).await[1]["status"],
        "late",
        "what the door says counts again"
    );
    assert_eq!(house.send(back()).await.status(), 404);
    let many = json!({ "marks": [
        { "student_id": "STU1", "status": "present" }, { "student_id": "STU2", "status": "absent" }
    ] });
    assert_eq!(house.json(&token, "POST", &roll, &many).await.1.as_array().unwrap().len(), 2);
    for (bad, status) in [
        (json!({ "student_id": "STU1", "status": "unverified" }), 422),
        (json!({ "student_id": "STU9", "status": "present" }), 404),
        (json!({ "student_id": 9, "status": "present" }), 404),
        (json!({ "marks": [] }), 422),
        (
            json!({ "marks": [
            { "student_id": "STU1", "status": "present" }, { "student_id": "STU1", "status": "late" }
        ] }),
            422,
        ),
    ] {
        assert_eq!(house.json(&token, "POST", &roll, &bad).await.0, status, "{bad}");
    }
}

#[tokio::test]
async fn today_by_class_and_summary_count_who_was_there() {
    let house = House::new().await;
    let token = house.class().await;
    let lesson = house.lesson(&token, "08:30", "09:15").await;
    let roll = format!("/api/sessions/{}/marks", lesson["id"].as_str().unwrap());
    let none = house.read(&token, "/api/attendance/summary/7B").await;
    let expected = json!({
        "total_students": 2, "present_students": 0, "attendance_rate": 0.0, "date": "2026-03-02"
    });
    assert_eq!(none, expected);
    let many = json!({ "marks": [
        { "student_id": "STU1", "status": "late" }, { "student_id": "STU2", "status": "absent" }
    ] });
    house.json(&token, "POST", &roll, &many).await;
    let some = house.read(&token, "/attendance/summary/7B").await;
    assert_eq!((&some["present_students"], &some["attendance_rate"]), (&json!(1), &json!(50.0)));
    let today = house.read(&token, "/attendance/today").await;
    assert_eq!(today.as_array().unwrap().len(), 2);
    let late = house.read(&token, "/api/attendance/today?status=late").await;
    assert_eq!((&late[0]["student_id"], late.as_array().unwrap().len()), (&json!("STU1"), 1));
    let by_class = "/api/attendance/by-class/7B?date_from=2026-03-02&limit=1";
    let first = house.send(get(by_class).bearer(&token)).await;
    let link = first.headers()["link"].to_str().unwrap();
    let after = link.split("after=").nth(1).unwrap().split('>').next().unwrap();
    let second = house.read(&token, &format!("{by_class}&after={after}")).await;
    assert_ne!(second[0]["id"], body(&first)[0]["id"]);
    assert_eq!(
        house.read(&token, "/api/attendance/by-class/7B?date_to=2026-03-01").await,
        json!([])
    );
}

#[tokio::test]
async fn a_lesson_that_is_over_says_unverified_where_no_door_watched() {
    let house = House::new().await;
    let token = house.class().await;
    let lesson = house.lesson(&token, "08:30", "08:45").await;
    let mut heard = house.app.events.listen();
    assert_eq!(house.app.lessons().close().await.unwrap(), 1);
    assert_eq!(house.app.lessons().close().await.unwrap(), 0, "once");
    let id = lesson["id"].as_str().unwrap();
    let closed = Event::SessionClosed(id.parse().unwrap());
    assert_eq!(heard.recv().await, Ok(closed));
    let session = house.read(&token, &format!("/api/sessions/{id}")).await;
    assert_eq!(
        (&session["marks"]["unverified"], &session["marks"]["absent"]),
        (&json!(2), &json!(0))
    );
    let path = format!("/api/sessions/{id}");
    let longer = json!({ "end_time": "09:15" });
    let (_, open) = house.json(&token, "PATCH", &path, &longer).await;
    assert_eq!((&open["closed_at"], &open["marks"]["unverified"]), (&Value::Null, &json!(0)));
}

#[tokio::test]
async fn a_class_marks_at_once_only_after_it_said_how_often_it_may_be_wrong() {
    let house = House::new().await;
    let token = house.class().await;
    let set = async |said: Value| house.json(&token, "PATCH", "/api/classes/7B", &said).await;
    assert_eq!(set(json!({ "policy": "auto" })).await.0, 422);
    assert_eq!(set(json!({ "policy": "auto", "auto_line": 2, "error_budget": 1 })).await.0, 422);
    assert_eq!(set(json!({ "grace_min": -1 })).await.0, 422);
    let auto = json!({ "policy": "auto", "auto_line": 0.5, "error_budget": 1, "grace_min": 20 });
    let (status, class) = set(auto).await;
    assert_eq!((status, &class["policy"], &class["grace_min"]), (200, &json!("auto"), &json!(20)));
    let lesson = house.lesson(&token, "08:30", "09:15").await;
    let seen = house.verify(&token).await;
    let roll = format!("/api/sessions/{}/marks", lesson["id"].as_str().unwrap());
    let status = house.read(&token, &roll).await[1]["status"].clone();
    match seen["status"].as_str().unwrap() {
        "approved" => assert_eq!(status, "present"),
        other => assert_eq!((other, status), ("pending", Value::Null), "the match was not sure"),
    }
    assert_eq!(set(json!({ "policy": "review" })).await.1["auto_line"], Value::Null);
}

#[tokio::test]
async fn a_class_that_overran_its_budget_says_why_until_an_admin_switches_it_on_again() {
    let house = House::new().await;
    let token = house.class().await;
    let set = async |said: Value| house.json(&token, "PATCH", "/api/classes/7B", &said).await;
    set(json!({ "policy": "auto", "auto_line": 0.5, "error_budget": 1 })).await;
    let lesson = house.lesson(&token, "08:30", "09:15").await;
    let seen = house.verify(&token).await;
    assert_eq!(seen["status"], "approved", "the match is sure: {seen}");
    let class = house.read(&token, "/api/classes/7B").await;
    let counted = |class: &Value| (class["auto_passages"].clone(), class["auto_errors"].clone());
    assert_eq!((counted(&class), &class["suspended"]), ((json!(1), json!(0)), &Value::Null));
    let roll = format!("/api/sessions/{}/marks", lesson["id"].as_str().unwrap());
    let mut heard = house.app.events.listen();
    let absent = json!({ "student_id": "STU1", "status": "absent" });
    assert_eq!(house.json(&token, "POST", &roll, &absent).await.0, 200);
    let mut said = Vec::new();
    while let Ok(event) = heard.try_recv() {
        said.push(event);
    }
    assert!(matches!(said[..], [Event::Marked { .. }, Event::ClassSuspended(_)]), "{said:?}");
    let class = house.read(&token, "/api/classes/7B").await;
    assert_eq!((&class["policy"], &class["error_budget"]), (&json!("review"), &json!(1.0)));
    assert_eq!(class["suspended"]["errors"], 1);
    let reason = class["suspended"]["reason"].as_str().unwrap();
    assert!(reason.contains("1 were corrected") && reason.contains("1 in 1,000"), "{reason}");
    let (_, same) = set(json!({ "grace_min": 5 })).await;
    assert_eq!(same["policy"], "review", "another change does not switch it on");
    house.clock.set_wall(super::NOW.plus_ms(60_000));
    let (_, again) = set(json!({ "policy": "auto" })).await;
    assert_eq!((&again["policy"], &again["suspended"]), (&json!("auto"), &Value::Null));
    assert_eq!(counted(&again), (json!(0), json!(0)), "it is counted anew");
    let chain = house.read(&token, "/api/audit").await;
    let did = |action: &str| chain.as_array().unwrap().iter().any(|row| row["action"] == action);
    assert!(did("suspend"), "{chain}");
}

#[tokio::test]
async fn a_class_that_ended_is_out_of_the_list_and_its_lessons_ahead_are_gone() {
    let house = House::new().await;
    let token = house.class().await;
    let weekly = json!({ "class_id": "7B", "weekday": 2, "starts": "08:00", "ends": "08:45" });
    let made = house.send(post("/api/timetable").bearer(&token).json(&weekly)).await;
    assert_eq!(made.status(), 201, "{}", body(&made));
    assert_eq!(house.read(&token, "/api/sessions").await.as_array().unwrap().len(), 2);
    let gone = house.send(request("DELETE", "/api/classes/7B").bearer(&token)).await;
    assert_eq!(gone.status(), 204);
    assert_eq!(house.read(&token, "/api/sessions").await, json!([]));
    assert_eq!(house.read(&token, "/api/classes").await, json!([]));
    house.json(&token, "PATCH", "/api/classes/7B", &json!({ "is_active": true })).await;
    assert_eq!(house.read(&token, "/api/sessions").await.as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_lesson_of_the_timetable_that_was_moved_or_cancelled_stays_so() {
    let house = House::new().await;
    let token = house.class().await;
    let weekly = json!({ "class_id": "7B", "weekday": 2, "starts": "08:00", "ends": "08:45" });
    house.send(post("/api/timetable").bearer(&token).json(&weekly)).await;
    let all = house.read(&token, "/api/sessions").await;
    let path = |n: usize| format!("/api/sessions/{}", all[n]["id"].as_str().unwrap());
    let (status, moved) = house.json(&token, "PATCH", &path(0), &json!({ "room": "Hall" })).await;
    assert_eq!((status, &moved["room"]), (200, &json!("Hall")));
    assert_eq!(house.send(request("DELETE", &path(1)).bearer(&token)).await.status(), 204);
    let (zone, now) = (house.app.config.zone.clone(), super::NOW);
    let make = move |tx: &store::Tx<'_>| {
        acts::planning::maker::make(tx, acts::planning::maker::MakeFor::Everybody, &zone, now)
    };
    assert_eq!(house.app.db.write(make).await.unwrap(), (0, 0, 0));
    let left = house.read(&token, "/api/sessions").await;
    assert_eq!((left.as_array().unwrap().len(), &left[0]["room"]), (1, &json!("Hall")));
    let (status, _) = house.json(&token, "PATCH", &path(0), &json!({ "date": "2026-03-04" })).await;
    assert_eq!(status, 422);
}

#[tokio::test]
async fn only_periods_whose_lessons_differ_are_made_anew() {
    let house = House::new().await;
    let token = house.class().await;
    for weekday in [2, 3] {
        let (starts, ends) = ("08:00", "08:45");
        let weekly =
            json!({ "class_id": "7B", "weekday": weekday, "starts": starts, "ends": ends });
        house.send(post("/api/timetable").bearer(&token).json(&weekly)).await;
    }
    let (zone, now) = (house.app.config.zone.clone(), super::NOW);
    let stale = move |tx: &store::Tx<'_>| acts::planning::maker::stale(tx, &zone, now);
    assert!(house.app.db.read(stale.clone()).await.unwrap().is_empty());
    let lose = |tx: &store::Tx<'_>| {
        let first = "delete from session where id = (select min(id) from session)";
        tx.execute(first, []).map(drop)
    };
    house.app.db.write(lose).await.unwrap();
    assert_eq!(house.app.db.read(stale.clone()).await.unwrap().len(), 1);
    house.app.lessons().make().await.unwrap();
    assert!(house.app.db.read(stale).await.unwrap().is_empty());
    assert_eq!(house.read(&token, "/api/sessions").await.as_array().unwrap().len(), 4);
}

#[tokio::test]
async fn a_foreign_lesson_is_not_found() {
    let house = House::new().await;
    let token = house.class().await;
    let lesson = house.lesson(&token, "08:30", "09:15").await;
    let teacher = house.token(Role::Teacher).await;
    let path = format!("/api/sessions/{}", lesson["id"].as_str().unwrap());
    let said = json!({ "student_id": "STU1", "status": "present" });
    assert_eq!(house.send(get(&path).bearer(&teacher)).await.status(), 404);
    assert_eq!(house.json(&teacher, "PATCH", &path, &json!({})).await.0, 404);
    assert_eq!(house.json(&teacher, "POST", &format!("{path}/marks"), &said).await.0, 404);
    assert_eq!(
        house.json(&teacher, "POST", "/api/sessions", &json!({ "class_id": "7B" })).await.0,
        404
    );
    for list in ["/api/sessions", "/api/attendance/today", "/api/classes"] {
        assert_eq!(house.read(&teacher, list).await, json!([]), "{list}");
    }
    let summary = get("/api/attendance/summary/7B").bearer(&teacher);
    assert_eq!(house.send(summary).await.status(), 404);
}

#[tokio::test]
async fn a_door_gets_those_who_are_taught_behind_it_unless_the_school_wants_everybody() {
    let house = House::new().await;
    let token = house.class().await;
    let hall = json!({ "device_id": "hall", "classroom_id": "Hall" });
    house.send(post("/api/devices").bearer(&token).json(&hall)).await;
    let class = json!({ "class_name": "7c", "class_code": "7C", "room": "Hall" });
    house.send(post("/api/classes").bearer(&token).json(&class)).await;
    let lesson = json!({ "class_id": "7C", "start_time": "08:30", "end_time": "09:15" });
    house.lesson(&token, "08:30", "09:15").await;
    let counts = async || {
        house.app.galleries().follow().await.unwrap();
        let of = |door: &str| house.app.gallery.release(&door.parse().unwrap()).unwrap();
        [of("door-1"), of("hall")].map(|release| release.manifest.people)
    };
    assert_eq!(counts().await, [1, 1], "nothing is taught in the hall: its door knows everybody");
    assert_eq!(house.json(&token, "POST", "/api/sessions", &lesson).await.0, 201);
    assert_eq!(counts().await, [1, 0], "Barack is not in 7c");
    let release = house.app.gallery.release(&"door-1".parse().unwrap()).unwrap();
    let gallery = wire::Gallery::decode(&release.file).unwrap();
    assert_eq!(gallery.due.len(), 1);
    assert_eq!(gallery.due[0].members, [1], "he is due in his own room");
    let all = json!({ "scope": "all" });
    assert_eq!(house.json(&token, "PUT", "/api/gallery/scope", &all).await.0, 200);
    assert_eq!(counts().await, [1, 1]);
    assert_eq!(house.read(&token, "/api/gallery/scope").await, all);
}

#[tokio::test]
async fn a_change_whose_answer_cannot_be_made_is_not_made_either() {
    let house = House::new().await;
    let token = house.class().await;
    let lesson = house.lesson(&token, "08:30", "09:15").await;
    let weekly = json!({ "class_id": "7B", "weekday": 2, "starts": "08:00", "ends": "08:45" });
    let made = body(&house.send(post("/api/timetable").bearer(&token).json(&weekly)).await);
    let class = json!({ "class_name": "7c", "class_code": "7C" });
    house.send(post("/api/classes").bearer(&token).json(&class)).await;
    let paths = [
        format!("/api/sessions/{}", lesson["id"].as_str().unwrap()),
        format!("/api/sessions/{}/marks", lesson["id"].as_str().unwrap()),
        format!("/api/timetable/{}", made["id"].as_str().unwrap()),
        "/api/classes/7B".to_owned(),
        "/api/classes/7B/students".to_owned(),
        "/api/classes/7C/students".to_owned(),
    ];
    let before = house.all(&token, &paths).await;
    let (app, now) = (&house.app, super::NOW);
    let actor = Actor { user: house.admin().await.id, role: Role::Admin };
    let reader = Reader { actor, today: date(2026, 3, 2) };
    let busy = || Err::<(), _>(Error::Unavailable("the hub is busy".into()));
    let id = || lesson["id"].as_str().unwrap().to_owned();
    let period = made["id"].as_str().unwrap().parse().unwrap();
    let word = SpokenWord { status: Status::Absent, details: Details::Kept, over: Over::Any };
    let said = MarkSaid { lesson: id(), of: vec![MarkOf { student: "STU1".into(), word }] };
    let name = Some("Another".to_owned());
    let (starts, ends, room) = (None, None, name.clone());
    let (class, student) = ("7B".to_owned(), "STU1".to_owned());
    let to = LessonChanges {
        lesson: id(),
        name: name.clone(),
        day: None,
        starts,
        ends,
        room: room.clone(),
        version: None,
    };
    let later = PeriodChanges {
        period,
        weekday: Some(4),
        starts,
        ends,
        room,
        from: None,
        to: None,
        version: None,
    };
    let off =
        OtherDay { period, day: date(2026, 3, 3), differs: Differs::Cancelled, version: None };
    let renamed = ClassChanges { class: class.clone(), name, ..ClassChanges::default() };
    let strangers = Strangers::Refuse;
    let who = Entering { class: "7C".into(), students: vec![student.clone()], strangers };
    let whose = Membership { class, student };
    let face = EnrolledFace::Own;
    let zone = &app.config.zone;
    let came = [
        app.classroom().say(reader, said, move |_, _| busy(), now).await,
        app.classroom().change(reader, to, move |_, _| busy(), now).await,
        app.timetable().change(reader, later, move |_, _| busy(), now).await,
        app.timetable().except(reader, off, move |_, _| busy(), now).await,
        classes::change(&app.db, zone, reader, renamed, move |_, _| busy(), now).await,
        app.people().enter(reader, who, move |_, _, _| busy(), now).await,
        roster::verify(&app.db, reader, whose, face, move |_, _, _| busy(), now).await,
    ];
    for came in came {
        assert!(matches!(came, Err(Error::Unavailable(_))), "{came:?}");
    }
    assert_eq!(house.all(&token, &paths).await, before);
}
