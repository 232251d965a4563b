//! `/me`: what a student sees of themselves, and of nobody else.

use super::{Answer, Carrying, House, NOW, body, get, parts, portrait, post};
use jiff::civil::date;
use rules::auth::Role;
use rules::error::Error;
use serde_json::json;
use store::{Tx, account, class, params, student};
use uuid::Uuid;
use wire::StudentId;

fn text(answer: &Answer) -> String {
    String::from_utf8_lossy(answer.body()).replace(['\u{2068}', '\u{2069}'], "")
}

/// Says to which student an account belongs.
fn belongs(tx: &Tx<'_>, account: Uuid, student: StudentId) -> Result<(), Error> {
    let sql = "update user_account set student = $2 where id = $1";
    tx.execute(sql, params![account.to_string(), student.to_string()]).map(drop)
}

#[tokio::test]
async fn a_student_sees_their_own_marks_photos_and_consent() {
    let house = House::new().await;
    let admin = house.school().await;
    let own = house.account(Role::Student).await;
    let cookie = house.session(&own).await;
    let page = || house.send(get("/me").cookie(&cookie));
    assert!(text(&page().await).contains("belongs to no student yet"));
    let (id, owner) = (own.id, house.account(Role::Teacher).await.id);
    let join = move |tx: &Tx<'_>| {
        let pupil = student::find(tx, "STU1")?.id;
        let class = class::add(tx, "Algebra", "7B", Some("Room 204"), "t", NOW)?;
        class::add_teacher(tx, class, owner, date(2026, 1, 1), "t", NOW)?;
        class::add_member(tx, class, pupil, "t", NOW)?;
        belongs(tx, id, pupil)
    };
    house.app.db.write(join).await.unwrap();
    let lesson = json!({
        "class_id": "7B", "date": "2026-03-02", "start_time": "07:00", "end_time": "07:45",
        "name": "Sets"
    });
    let lesson = body(&house.send(post("/api/sessions").bearer(&admin).json(&lesson)).await);
    let mark = json!({ "student_id": "STU1", "status": "late" });
    let at = format!("/api/sessions/{}/marks", lesson["id"].as_str().unwrap());
    assert!(house.send(post(&at).bearer(&admin).json(&mark)).await.status().is_success());
    let mine = text(&page().await);
    for words in ["Barack Obama", "Sets", "late", "himself", "Photo", "Algebra", "Doors know"] {
        assert!(mine.contains(words), "{words}: {mine}");
    }
    assert!(!mine.contains("A teacher verified"), "nobody did");
}

#[tokio::test]
async fn nobody_else_has_such_a_page_and_it_shows_nobody_else() {
    let house = House::new().await;
    let admin = house.school().await;
    for role in [Role::Teacher, Role::Admin] {
        let account = match role {
            Role::Admin => {
                let read = |tx: &Tx<'_>| account::by_email(tx, "admin@school.test");
                house.app.db.read(read).await.unwrap().unwrap().0
            }
            role => house.account(role).await,
        };
        let cookie = house.session(&account).await;
        assert_eq!(house.send(get("/me").cookie(&cookie)).await.status(), 403, "{role}");
    }
    assert_eq!(house.send(get("/me")).await.status(), 401);
    let other = json!({ "student_number": "STU2", "full_name": "Joe Biden" });
    house.send(post("/api/students").bearer(&admin).json(&other)).await;
    let fields = [("student_id", "STU2"), ("consent_by", "his mother")];
    let photo = parts("/api/enrollment", &admin, &fields, ("file", &portrait("biden.jpg")));
    assert_eq!(house.send(photo).await.status(), 201);
    let own = house.account(Role::Student).await;
    let id = own.id;
    let join = move |tx: &Tx<'_>| belongs(tx, id, student::find(tx, "STU1")?.id);
    house.app.db.write(join).await.unwrap();
    let mine = text(&house.send(get("/me").cookie(&house.session(&own).await)).await);
    assert!(mine.contains("himself") && !mine.contains("his mother"), "{mine}");
}
