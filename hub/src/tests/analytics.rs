//! The analytics of S4, by value.

use super::{Carrying, House, body, get, post};
use jiff::civil::{Date, date};
use rules::attendance::{Source, Status};
use rules::auth::Role;
use serde_json::{Value, json};
use store::Tx;
use store::sample::{class_of, lesson, marked};
use uuid::Uuid;

/// A lesson in which so many of the class's students were present, late and absent; the rest
/// were excused.
fn day(
    tx: &Tx<'_>,
    (class, students): &(Uuid, Vec<wire::StudentId>),
    day: Date,
    (present, late, absent): (usize, usize, usize),
) {
    let session = lesson(tx, *class, day, 8);
    for (n, student) in students.iter().enumerate() {
        let status = match n {
            n if n < present => Status::Present,
            n if n < present + late => Status::Late,
            n if n < present + late + absent => Status::Absent,
            _ => Status::Excused,
        };
        marked(tx, session, *student, status, Source::Door);
    }
}

/// Mathematics with 26 students and Physics with 4.
async fn school(house: &House) -> (Uuid, Uuid) {
    let write = |tx: &Tx<'_>| {
        let (maths, physics) = (class_of(tx, "MATH101", 27), class_of(tx, "PHY", 4));
        day(tx, &maths, date(2024, 1, 15), (22, 0, 4));
        day(tx, &maths, date(2024, 1, 16), (20, 3, 3));
        day(tx, &maths, date(2024, 2, 1), (0, 0, 0));
        day(tx, &physics, date(2024, 2, 2), (2, 1, 1));
        day(tx, &physics, date(2024, 2, 2), (3, 0, 1));
        Ok((maths.0, physics.0))
    };
    house.app.db.write(write).await.unwrap()
}

async fn told(house: &House, token: &str, path: &str) -> Value {
    let answer = house.send(get(path).bearer(token)).await;
    assert_eq!(answer.status(), 200, "{path}: {}", body(&answer));
    body(&answer)
}

#[tokio::test]
async fn a_trend_tells_each_day_that_counts() {
    let house = House::new().await;
    let token = house.token(Role::Admin).await;
    let (maths, _) = school(&house).await;
    let path = |class: &str, from: &str, to: &str| {
        format!("/api/analytics/attendance-trend?classId={class}&dateFrom={from}&dateTo={to}")
    };
    let said = told(&house, &token, &path("MATH101", "2024-01-01", "2024-01-31")).await;
    let days = json!([
        { "date": "2024-01-15", "present": 22, "absent": 4, "late": 0, "total": 26, "percentage": 84.62 },
        { "date": "2024-01-16", "present": 20, "absent": 3, "late": 3, "total": 26, "percentage": 76.92 },
    ]);
    let wanted =
        json!({ "classId": maths, "dateFrom": "2024-01-01", "dateTo": "2024-01-31", "data": days });
    assert_eq!(said, wanted);
    let excused = told(&house, &token, &path("MATH101", "2024-02-01", "2024-02-01")).await;
    assert_eq!(excused["data"], json!([]), "nobody's absence counts there");
    let backwards = house.send(get(&path("MATH101", "2024-02-01", "2024-01-01")).bearer(&token));
    assert_eq!(backwards.await.status(), 422);
    let nowhere = house.send(get(&path("X", "2024-01-01", "2024-01-01")).bearer(&token)).await;
    assert_eq!(nowhere.status(), 404);
    for odd in ["", "?classId=MATH101", "?classId=MATH101&dateFrom=soon&dateTo=2024-01-01"] {
        let path = format!("/api/analytics/attendance-trend{odd}");
        assert_eq!(house.send(get(&path).bearer(&token)).await.status(), 422, "{odd}");
    }
}

#[tokio::test]
async fn months_risks_and_the_overview_come_from_sums() {
    let house = House::new().await;
    let token = house.token(Role::Admin).await;
    let (maths, physics) = school(&house).await;
    let months = told(&house, &token, "/api/analytics/monthly-summary").await;
    let wanted = json!({ "data": [
        { "classId": maths, "month": "2024-01", "totalPresent": 42, "totalAbsent": 7,
          "totalLate": 3, "totalStudents": 52, "daysRecorded": 2, "averagePercentage": 80.77 },
        { "classId": physics, "month": "2024-02", "totalPresent": 5, "totalAbsent": 2,
          "totalLate": 1, "totalStudents": 8, "daysRecorded": 1, "averagePercentage": 62.5 },
    ] });
    assert_eq!(months, wanted);
    let one = told(&house, &token, "/api/analytics/monthly-summary?classId=PHY").await;
    assert_eq!(one["data"], json!([wanted["data"][1]]));
    let risk = told(&house, &token, "/api/analytics/class-risk").await;
    let risky = json!({ "data": [{
        "classId": physics, "className": "Class PHY", "classCode": "PHY",
        "attendancePercentage": 62.5, "totalPresent": 5, "totalAbsent": 2, "totalLate": 1,
        "totalStudents": 8, "lastRecorded": "2024-02-02",
    }] });
    assert_eq!(risk, risky);
    let all = told(&house, &token, "/api/analytics/global").await;
    assert_eq!(all["overall_attendance"], json!(71.64), "the mean of 80.77 and 62.50, half up");
    assert_eq!(all["risk_count"], json!(1));
    let first = json!({
        "subjectId": maths, "subjectName": "Class MATH101", "subjectCode": "MATH101",
        "attendancePercentage": 80.77, "totalPresent": 42, "totalAbsent": 7, "totalLate": 3,
        "totalStudents": 52,
    });
    assert_eq!(all["top_subjects"][0], first);
    assert_eq!(all["top_subjects"][1]["subjectCode"], "PHY");
}

#[tokio::test]
async fn a_teacher_is_told_of_their_own_classes_only() {
    let house = House::new().await;
    let admin = house.token(Role::Admin).await;
    let teacher = house.token(Role::Teacher).await;
    school(&house).await;
    let empty = told(&house, &teacher, "/api/analytics/global").await;
    assert_eq!(empty, json!({ "overall_attendance": 0.0, "risk_count": 0, "top_subjects": [] }));
    let foreign = "/api/analytics/monthly-summary?classId=PHY";
    assert_eq!(house.send(get(foreign).bearer(&teacher)).await.status(), 404);
    let me = told(&house, &teacher, "/api/auth/me").await;
    let class = json!({ "class_name": "Own", "class_code": "OWN", "teacher_id": me["id"] });
    let made = body(&house.send(post("/api/classes").bearer(&admin).json(&class)).await);
    let id: Uuid = made["id"].as_str().unwrap().parse().unwrap();
    let write = move |tx: &Tx<'_>| {
        let (_, students) = class_of(tx, "TMP", 2);
        day(tx, &(id, students), date(2026, 3, 1), (1, 0, 1));
        Ok(())
    };
    house.app.db.write(write).await.unwrap();
    let own = told(&house, &teacher, "/api/analytics/global").await;
    assert_eq!(own["top_subjects"].as_array().map(Vec::len), Some(1));
    assert_eq!(own["overall_attendance"], json!(50.0));
}
