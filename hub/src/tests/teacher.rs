//! A teacher's own settings: profile, preferences, schedule.

use super::{Answer, Carrying, House, NOW, body, get, post};
use jiff::civil::date;
use rules::auth::Role;
use serde_json::{Value, json};
use store::class;
use warp::test::RequestBuilder;

fn settings(method: &str, token: &str, typed: &Value) -> RequestBuilder {
    warp::test::request().method(method).path("/api/settings").bearer(token).json(typed)
}

/// A teacher with the class MA-1, and another class MA-2 of nobody.
async fn school(house: &House) -> String {
    let token = house.token(Role::Teacher).await;
    let who = body(&house.send(get("/api/auth/me").bearer(&token)).await)["id"].clone();
    let who: uuid::Uuid = serde_json::from_value(who).unwrap();
    let write = house.app.db.write(move |tx| {
        let id = class::add(tx, "Maths", "MA-1", Some("B2"), "t", NOW)?;
        class::add(tx, "Maths 2", "MA-2", Some("B3"), "t", NOW)?;
        class::add_teacher(tx, id, who, date(2026, 3, 1), "t", NOW)
    });
    write.await.unwrap();
    token
}

fn lesson(class: &str, weekday: i8, starts: &str, ends: &str) -> Value {
    json!({ "class_id": class, "weekday": weekday, "starts": starts, "ends": ends })
}

fn times(answer: &Answer) -> Vec<String> {
    let all = body(answer);
    let all = all["schedule"].as_array().unwrap().iter();
    all.map(|l| format!("{} {}", l["weekday"], l["starts"].as_str().unwrap())).collect()
}

#[tokio::test]
async fn a_teacher_changes_some_settings_or_all_of_them() {
    let house = House::new().await;
    let token = school(&house).await;
    let first = body(&house.send(get("/api/settings").bearer(&token)).await);
    let all = json!({ "mail_absence": true, "mail_low_attendance": true, "mail_alerts": true });
    assert_eq!(first["preferences"], all);
    assert_eq!((&first["schedule"], &first["version"]), (&json!([]), &json!(0)));
    let some = json!({
        "profile": { "phone": "+49 30 1" }, "preferences": { "mail_absence": false }, "version": 0
    });
    let changed = body(&house.send(settings("PATCH", &token, &some)).await);
    assert_eq!(changed["profile"]["phone"], "+49 30 1");
    assert_eq!(changed["profile"]["full_name"], "The teacher", "what is left out stays");
    assert_eq!(
        changed["preferences"],
        json!({ "mail_absence": false, "mail_low_attendance": true, "mail_alerts": true })
    );
    let stale = house.send(settings("PATCH", &token, &some)).await;
    assert_eq!(stale.status(), 409);
    let part = json!({ "profile": {} });
    assert_eq!(house.send(settings("PUT", &token, &part)).await.status(), 422, "not the whole");
    let whole = json!({
        "profile": { "full_name": "Ms Teacher" },
        "preferences": { "mail_absence": true, "mail_low_attendance": false },
        "schedule": [lesson("MA-1", 1, "08:00", "08:45")],
    });
    let put = house.send(settings("PUT", &token, &whole)).await;
    assert_eq!(times(&put), ["1 08:00"]);
    let put = body(&put);
    assert_eq!(put["profile"]["full_name"], "Ms Teacher");
    assert_eq!(put["profile"]["phone"], Value::Null, "replaced as a whole");
    assert_eq!(put["schedule"][0]["room"], "B2", "the class's usual room");
}

#[tokio::test]
async fn a_schedule_is_replaced_by_the_rules_of_the_timetable() {
    let house = House::new().await;
    let token = school(&house).await;
    let put = |lessons: Value| settings("PATCH", &token, &json!({ "schedule": lessons }));
    let two = json!([lesson("MA-1", 1, "08:00", "08:45"), lesson("MA-1", 3, "10:00", "10:45")]);
    let first = house.send(put(two.clone())).await;
    assert_eq!(times(&first), ["1 08:00", "3 10:00"]);
    let again = house.send(put(two)).await;
    assert_eq!(body(&again)["schedule"], body(&first)["schedule"], "the same lessons");
    let mut moved = body(&first)["schedule"].clone();
    moved[0]["starts"] = json!("09:00");
    moved[0]["ends"] = json!("09:45");
    let id = moved[0]["id"].clone();
    moved.as_array_mut().unwrap().pop();
    let after = house.send(put(moved)).await;
    assert_eq!(times(&after), ["1 09:00"]);
    assert_eq!(body(&after)["schedule"][0]["id"], id, "moved, not made anew");
    let made = body(&house.send(get("/api/sessions?limit=50").bearer(&token)).await);
    if let Some(sessions) = made.as_array() {
        assert!(!sessions.is_empty(), "lessons of the days ahead follow");
    }
    for (bad, status) in [
        (json!([lesson("MA-2", 1, "08:00", "08:45")]), 422),
        (json!([lesson("MA-1", 8, "08:00", "08:45")]), 422),
        (json!([lesson("MA-1", 1, "09:00", "08:45")]), 422),
        (json!([lesson("MA-1", 1, "8 o'clock", "9")]), 422),
        (json!([lesson("MA-1", 1, "11:00", "12:00"), lesson("MA-1", 1, "11:30", "12:30")]), 409),
        (Value::Array(vec![lesson("MA-1", 1, "08:00", "08:45"); 201]), 422),
    ] {
        let refused = house.send(put(bad.clone())).await;
        assert_eq!(refused.status().as_u16(), status, "{bad}");
    }
    let kept = house.send(get("/api/settings").bearer(&token)).await;
    assert_eq!(times(&kept), ["1 09:00"], "a refused schedule changes nothing");
}

#[tokio::test]
async fn another_teachers_lessons_are_not_in_it_and_not_touched() {
    let house = House::new().await;
    school(&house).await;
    let admin = house.token(Role::Admin).await;
    let other = lesson("MA-2", 2, "08:00", "08:45");
    let made = house.send(post("/api/timetable").bearer(&admin).json(&other)).await;
    assert_eq!(made.status(), 201);
    let own = house.send(get("/api/settings").bearer(&admin)).await;
    assert_eq!(times(&own), Vec::<String>::new(), "an admin teaches nothing here");
    let emptied = settings("PATCH", &admin, &json!({ "schedule": [] }));
    assert_eq!(house.send(emptied).await.status(), 200);
    let all = body(&house.send(get("/api/timetable").bearer(&admin)).await);
    assert_eq!(all.as_array().unwrap().len(), 1, "still there");
}
