//! What is said of the people of a roster: whose face a teacher verified, and what they were marked.

use super::fixtures::Half;
use super::{Answer, Carrying, House, NOW, body, get, parts, portrait, post};
use jiff::civil::date;
use rules::auth::Role;
use serde_json::{Value, json};
use store::{account, class, student};

const ROSTER: &str = "/api/classes/7B/students";
const FACE: &str = "/api/classes/7B/students/STU1/verified";

struct School {
    house: House,
    admin: String,
    teacher: String,
    half: Half,
}

impl School {
    /// Barack (STU1), enrolled, in class 7B of the teacher; somebody without a photo beside him.
    async fn new() -> Self {
        let house = House::new().await;
        let admin = house.school().await;
        let teacher = house.token(Role::Teacher).await;
        let make = |tx: &store::Tx<'_>| {
            let owner = account::by_email(tx, "teacher@school.test")?.unwrap().0.id;
            let (number, name) = ("STU9".into(), "Ada".into());
            let new = student::StudentProfile {
                student_number: number,
                first_name: name,
                ..Default::default()
            };
            let (pupil, other) = (student::find(tx, "STU1")?.id, student::add(tx, new, "t", NOW)?);
            let class = class::add(tx, "7b", "7B", Some("Room 204"), "t", NOW)?;
            class::add_teacher(tx, class, owner, date(2026, 1, 1), "t", NOW)?;
            class::add_member(tx, class, pupil, "t", NOW)?;
            class::add_member(tx, class, other, "t", NOW)?;
            Ok(Half { class, pupil, owner })
        };
        let half = house.app.db.write(make).await.unwrap();
        Self { house, admin, teacher, half }
    }

    async fn say(&self, token: &str, path: &str, verified: bool) -> Answer {
        let say = warp::test::request().method("PUT").path(path).bearer(token);
        self.house.send(say.json(&json!({ "verified": verified }))).await
    }

    /// The member with this number.
    async fn member(&self, number: &str) -> Value {
        let all = body(&self.house.send(get(ROSTER).bearer(&self.teacher)).await);
        let mut all = all.as_array().unwrap().iter();
        all.find(|one| one["student_id"] == number).unwrap_or_else(|| panic!("{number}")).clone()
    }

    async fn student(&self) -> Value {
        body(&self.house.send(get("/api/students/STU1").bearer(&self.admin)).await)
    }
}

#[tokio::test]
async fn a_face_is_verified_by_a_teacher_and_by_nothing_else() {
    let school = School::new().await;
    let before = school.member("STU1").await;
    assert_eq!((&before["face_enrolled"], &before["verified"]), (&json!(true), &json!(false)));
    assert_eq!(school.student().await["verified"], false, "enrolled is not verified");
    let said = school.say(&school.teacher, FACE, true).await;
    assert_eq!((said.status().as_u16(), &body(&said)["verified"]), (200, &json!(true)));
    assert_eq!(school.student().await["verified"], true);
    let none = school.say(&school.teacher, "/api/classes/7B/students/STU9/verified", true).await;
    assert_eq!(none.status(), 422, "there is no photo");
    let log = body(&school.house.send(get("/api/audit?action=verify").bearer(&school.admin)).await);
    assert_eq!(log.as_array().map(Vec::len), Some(1), "{log}");
    assert_eq!(body(&school.say(&school.teacher, FACE, false).await)["verified"], false);
}

#[tokio::test]
async fn another_photo_has_to_be_verified_anew() {
    let school = School::new().await;
    school.say(&school.admin, FACE, true).await;
    let fields = [("student_id", "STU1")];
    let photo = parts("/api/enrollment", &school.admin, &fields, ("file", &portrait("obama2.jpg")));
    let new = body(&school.house.send(photo).await);
    assert_eq!(school.member("STU1").await["verified"], false, "{new}");
    school.say(&school.admin, FACE, true).await;
    let turn = format!("/api/enrollment/{}/toggle-active", new["id"].as_str().unwrap());
    let turn = || warp::test::request().method("PATCH").path(&turn).bearer(&school.admin);
    school.house.send(turn()).await;
    assert_eq!(school.member("STU1").await["verified"], true, "one less says nothing new");
    school.house.send(turn()).await;
    assert_eq!(school.member("STU1").await["verified"], false, "it counts again, unseen");
}

#[tokio::test]
async fn whoever_does_not_teach_a_class_verifies_nobody_in_it() {
    let school = School::new().await;
    let drop = |tx: &store::Tx<'_>| tx.execute("delete from teaches", []);
    school.house.app.db.write(drop).await.unwrap();
    assert_eq!(school.say(&school.teacher, FACE, true).await.status(), 404);
    let pupil = school.house.token(Role::Student).await;
    assert_eq!(school.say(&pupil, FACE, true).await.status(), 403);
    assert_eq!(school.student().await["verified"], false);
}

#[tokio::test]
async fn members_are_told_with_their_marks_and_the_last_one() {
    let school = School::new().await;
    let none = school.member("STU9").await["attendance"].clone();
    let nothing = json!({ "present": 0, "late": 0, "absent": 0, "last_marked_at": null });
    assert_eq!(none, nothing);
    let marks = [("present", "06:00"), ("late", "07:00"), ("absent", "08:00")];
    for (status, start_time) in marks {
        let end = format!("{}:59", &start_time[..2]);
        let lesson = json!({
            "class_id": "7B", "date": "2026-03-02", "start_time": start_time, "end_time": end
        });
        let lesson = post("/api/sessions").bearer(&school.teacher).json(&lesson);
        let lesson = body(&school.house.send(lesson).await);
        let lesson = lesson["id"].as_str().unwrap_or_else(|| panic!("{lesson}"));
        let mark = json!({ "student_id": "STU1", "status": status });
        let mark =
            post(&format!("/api/sessions/{lesson}/marks")).bearer(&school.teacher).json(&mark);
        let marked = school.house.send(mark).await;
        assert!(marked.status().is_success(), "{}", body(&marked));
    }
    let seen = school.member("STU1").await["attendance"].clone();
    let wanted = json!({
        "present": 1, "late": 1, "absent": 1, "last_marked_at": "2026-03-02T08:45:30Z"
    });
    assert_eq!(seen, wanted);
}

#[tokio::test]
async fn the_page_of_a_class_verifies_and_takes_back_by_its_buttons() {
    let school = School::new().await;
    let account = school
        .house
        .app
        .db
        .read(|tx| account::by_email(tx, "teacher@school.test").map(|found| found.unwrap().0));
    let cookie = school.house.session(&account.await.unwrap()).await;
    let (pupil, page) = (school.half.pupil.to_string(), format!("/class/{}", school.half.class));
    let text = || async {
        let page = school.house.send(get(&page).cookie(&cookie)).await;
        String::from_utf8_lossy(page.body()).replace(['\u{2068}', '\u{2069}'], "")
    };
    let before = text().await;
    assert!(before.contains("Not verified") && before.contains("No photo yet"), "{before}");
    for (field, wanted) in [("student", true), ("take_back", false)] {
        let act = post(&format!("{page}/verify")).form(&cookie, &[(field, pupil.as_str())]);
        assert_eq!(school.house.send(act).await.status(), 303);
        assert_eq!(school.member("STU1").await["verified"], wanted);
        assert_eq!(text().await.contains("Take back that the photo"), wanted);
    }
}

#[tokio::test]
async fn an_id_names_its_owner_even_where_somebody_has_it_for_a_number() {
    let school = School::new().await;
    let ada: String = school.student().await["id"].as_str().unwrap().into();
    let eve = json!({ "student_id": ada, "first_name": "Eve", "last_name": "Odd" });
    let made = school.house.send(post("/api/students").bearer(&school.admin).json(&eve)).await;
    assert_eq!(made.status(), 201, "a number may be any text");
    let enter =
        post(ROSTER).bearer(&school.admin).json(&json!({ "students": [body(&made)["id"]] }));
    assert_eq!(school.house.send(enter).await.status(), 200);
    let path = format!("/api/classes/7B/students/{ada}/verified");
    let said = school.say(&school.teacher, &path, true).await;
    assert_eq!((said.status().as_u16(), &body(&said)["student_id"]), (200, &json!("STU1")));
}
