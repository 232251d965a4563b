//! Registers, statistics and histories over HTTP, by value.

use super::{Answer, Carrying, House, body, get};
use calamine::{Data, Reader};
use jiff::civil::date;
use rules::attendance::{Source, Status};
use rules::auth::Role;
use serde_json::{Value, json};
use store::sample::{class_of, lesson, marked};
use store::{Tx, class, params};
use uuid::Uuid;

/// Class 7B with three students and three lessons; the second student's first lesson was set by
/// a person.
async fn school(house: &House) -> (Uuid, [Uuid; 3]) {
    let write = |tx: &Tx<'_>| {
        let (class, students) = class_of(tx, "7B", 3);
        let lessons = [2, 3, 4].map(|day| lesson(tx, class, date(2026, 2, day), 8));
        use Status::{Absent, Excused, Late, Present};
        let door = Source::Door;
        for (lesson, student, status, source) in [
            (0, 0, Present, door),
            (0, 1, Late, Source::Manual),
            (0, 2, Absent, Source::Close),
            (1, 0, Present, door),
            (1, 1, Excused, Source::Manual),
            (1, 2, Absent, Source::Close),
            (2, 0, Absent, Source::Close),
        ] {
            marked(tx, lessons[lesson], students[student], status, source);
        }
        let name = "update student set last_name = '=cmd()', first_name = 'بهرام' where id = $1";
        tx.execute(name, params![students[2].to_string()])?;
        Ok((class, lessons))
    };
    house.app.db.write(write).await.unwrap()
}

const REPORT: &str = "/api/classes/7B/attendance-report";

async fn asked(house: &House, token: &str, path: &str, accept: &str) -> Answer {
    let answer = house.send(get(path).bearer(token).header("accept", accept)).await;
    assert_eq!(answer.status(), 200, "{path}");
    answer
}

#[tokio::test]
async fn a_register_says_who_was_there_in_each_lesson() {
    let house = House::new().await;
    let token = house.token(Role::Admin).await;
    let (class, lessons) = school(&house).await;
    let said = body(&asked(&house, &token, REPORT, "*/*").await);
    assert_eq!((&said["class_id"], &said["class_code"]), (&json!(class), &json!("7B")));
    assert_eq!((&said["total_students"], &said["total_sessions"]), (&json!(3), &json!(3)));
    assert_eq!(said["attendance_rate"], json!(50.0), "3 of 6: the excused mark does not count");
    let find = |number: &str| -> Value {
        let rows = said["students"].as_array().unwrap();
        rows.iter().find(|row| row["student_id"] == number).unwrap().clone()
    };
    let second = find("7B-1");
    let cell = |at: Uuid, present: bool, manual: bool, status: Value| {
        json!({ "session_id": at, "present": present, "detection_count": 0, "is_manual": manual,
            "status": status })
    };
    let cells = json!([
        cell(lessons[0], true, true, json!("late")),
        cell(lessons[1], false, true, json!("excused")),
        cell(lessons[2], false, false, Value::Null),
    ]);
    assert_eq!(second["attendance"], cells);
    assert_eq!((&second["attendance_rate"], &second["total_count"]), (&json!(100.0), &json!(1)));
    let first = find("7B-0");
    assert_eq!((&first["present_count"], &first["attendance_rate"]), (&json!(2), &json!(66.67)));
    let lesson = &said["sessions"][0];
    assert_eq!(
        (&lesson["session_id"], &lesson["date"]),
        (&json!(lessons[0]), &json!("2026-02-02"))
    );
    assert_eq!((&lesson["attendance_rate"], &lesson["late_count"]), (&json!(66.67), &json!(1)));
    let part = format!("{REPORT}?date_from=2026-02-03&date_to=2026-02-03");
    let part = body(&asked(&house, &token, &part, "").await);
    assert_eq!(part["sessions"].as_array().unwrap().len(), 1);
    assert_eq!(part["date_from"], "2026-02-03");
    let none = format!("{REPORT}?date_from=2030-01-01");
    let none = body(&asked(&house, &token, &none, "").await);
    assert_eq!((&none["sessions"], &none["attendance_rate"]), (&json!([]), &json!(0.0)));
    let alias = "/api/attendance/classes/7B/attendance-report/";
    assert_eq!(body(&asked(&house, &token, alias, "").await), said);
    for (odd, status) in [
        ("?date_from=2026-02-04&date_to=2026-02-03", 422),
        ("?date_from=yesterday", 422),
        ("?format=pdf", 422),
    ] {
        let answer = house.send(get(&format!("{REPORT}{odd}")).bearer(&token)).await;
        assert_eq!(answer.status(), status, "{odd}");
    }
}

#[tokio::test]
async fn spreadsheets_hold_the_same_register_and_no_formula() {
    let house = House::new().await;
    let token = house.token(Role::Admin).await;
    school(&house).await;
    let csv = asked(&house, &token, &format!("{REPORT}?format=csv"), "*/*").await;
    assert_eq!(csv.headers()["content-type"], "text/csv; charset=utf-8");
    assert_eq!(csv.headers()["content-disposition"], "attachment; filename=\"attendance-7B.csv\"");
    let text = String::from_utf8(csv.body().to_vec()).unwrap();
    let wanted = "\u{feff}student_number,last_name,first_name,2026-02-02 08:00 Lesson,\
        2026-02-03 08:00 Lesson,2026-02-04 08:00 Lesson,present,late,absent,excused,unverified,\
        undecided,attendance_rate\r\n\
        7B-2,'=cmd(),بهرام,absent,absent,,0,0,2,0,0,0,0.00\r\n\
        7B-0,Of7B,First0,present,present,absent,2,0,1,0,0,0,66.67\r\n\
        7B-1,Of7B,First1,late*,excused*,,0,1,0,1,0,0,100.00\r\n\
        attendance_rate,,,66.67,50.00,0.00,2,1,3,1,0,0,50.00\r\n";
    assert_eq!(text, wanted);
    let by_accept = asked(&house, &token, REPORT, "text/csv").await;
    assert_eq!(by_accept.body(), csv.body());
    let book = asked(&house, &token, &format!("{REPORT}?format=xlsx"), "*/*").await;
    assert_eq!(book.headers()["content-type"], acts::sheets::sheet::XLSX);
    let bytes = std::io::Cursor::new(book.body().to_vec());
    let mut book: calamine::Xlsx<_> = calamine::open_workbook_from_rs(bytes).unwrap();
    let sheet = book.worksheet_range("Sheet1").unwrap();
    let cell = |row, column| sheet.get_value((row, column)).cloned().unwrap();
    assert_eq!(cell(0, 0), Data::String("student_number".into()));
    assert_eq!(cell(1, 1), Data::String("'=cmd()".into()));
    assert_eq!((cell(2, 6), cell(2, 12)), (Data::Float(2.0), Data::Float(66.67)));
    assert_eq!(cell(4, 12), Data::Float(50.0));
}

#[tokio::test]
async fn a_register_prints_from_a_page() {
    let house = House::new().await;
    let admin = house.account(Role::Admin).await;
    let secret = house.session(&admin).await;
    school(&house).await;
    for path in [
        &format!("{REPORT}?format=html"),
        "/class/7B/report",
        "/class/7B/report?date_from=&date_to=",
    ] {
        let page = house.send(get(path).cookie(&secret).header("accept", "text/html")).await;
        assert_eq!(page.status(), 200, "{path}");
        assert_eq!(page.headers()["content-type"], "text/html; charset=utf-8");
        let html = String::from_utf8_lossy(page.body()).into_owned();
        for words in ["Class 7B", "بهرام", "66.67 %", "50.00 %", "set by a person"] {
            assert!(html.contains(words), "{words} in {html}");
        }
        assert!(!html.contains("style=") && !html.contains("<script>"), "strict CSP");
    }
    let list = house.send(get("/class").cookie(&secret)).await;
    assert!(String::from_utf8_lossy(list.body()).contains("Class 7B"));
}

#[tokio::test]
async fn statistics_count_people_lessons_photos_and_faces() {
    let house = House::new().await;
    let token = house.token(Role::Admin).await;
    let (class, _) = school(&house).await;
    let write = move |tx: &Tx<'_>| {
        let class = class.to_string();
        for (id, done) in [("i1", Some(5)), ("i2", None)] {
            let sql = "insert into image (id, class, state, taken_at, width, height, created_at,
                     created_by, processed_at, version)
                 values ($1, $2, 'new', 1, 1, 1, 1, 'x', $3, 1)";
            tx.execute(sql, params![id, class, done])?;
        }
        for (id, model) in [("f1", Some("m")), ("f2", Some("m")), ("f3", None)] {
            let sql = "insert into face_crop (id, image, class, x, y, width, height, score,
                     quality, doubts, model, student, version)
                 values ($1, 'i1', $2, 0, 0, 1, 1, 0.9, '', '', $3,
                     case when $1 = 'f1' then (select id from student limit 1) end, 1)";
            tx.execute(sql, params![id, class, model])?;
        }
        Ok(())
    };
    house.app.db.write(write).await.unwrap();
    let wanted = json!({
        "class_id": class, "class_name": "Class 7B", "student_count": 3, "session_count": 3,
        "total_images": 2, "processed_images": 1, "unprocessed_images_count": 1,
        "total_face_crops": 3, "crops_with_embeddings": 2, "crops_without_embeddings": 1,
        "identified_faces": 1,
    });
    for path in ["/api/classes/7B/statistics", "/api/attendance/classes/7B/statistics/"] {
        assert_eq!(body(&asked(&house, &token, path, "").await), wanted);
    }
}

#[tokio::test]
async fn a_history_is_told_newest_first_page_by_page() {
    let house = House::new().await;
    let token = house.token(Role::Admin).await;
    let (class, lessons) = school(&house).await;
    let whole = body(&asked(&house, &token, "/api/students/7B-0/attendance", "").await);
    let days: Vec<_> = whole.as_array().unwrap().iter().map(|row| row["date"].clone()).collect();
    assert_eq!(days, ["2026-02-04", "2026-02-03", "2026-02-02"]);
    let first = json!({
        "session_id": lessons[2], "session_name": "Lesson", "class_id": class,
        "class_name": "Class 7B", "class_code": "7B", "date": "2026-02-04",
        "starts_at": "2026-02-04T08:00:00Z", "status": "absent", "present": false,
        "source": "close", "is_manual": false, "arrived_at": null, "notes": null,
    });
    assert_eq!(whole[0], first);
    let page = asked(&house, &token, "/api/students/7B-0/attendance?limit=2&class_id=7B", "").await;
    let link = page.headers()["link"].to_str().unwrap().to_owned();
    let next = link.split(['<', '>']).nth(1).unwrap();
    let rest = asked(&house, &token, &format!("/api/students/7B-0/attendance{next}"), "").await;
    assert_eq!(body(&rest), json!([whole[2]]));
    let odd = house.send(get("/api/students/7B-0/attendance?after=x").bearer(&token)).await;
    assert_eq!(odd.status(), 422);
    let nobody = house.send(get("/api/students/7B-9/attendance").bearer(&token)).await;
    assert_eq!(nobody.status(), 404);
}

#[tokio::test]
async fn a_teacher_reads_registers_of_their_own_classes_only() {
    let house = House::new().await;
    let account = house.account(Role::Teacher).await;
    let secret = house.session(&account).await;
    let (class, _) = school(&house).await;
    let paths =
        [REPORT, "/api/classes/7B/statistics", "/api/students/7B-0/attendance", "/class/7B/report"];
    for path in paths {
        assert_eq!(house.send(get(path).cookie(&secret)).await.status(), 404, "{path}");
    }
    let write = move |tx: &Tx<'_>| {
        class::add_teacher(tx, class, account.id, date(2026, 3, 1), "t", super::NOW)
    };
    house.app.db.write(write).await.unwrap();
    for path in paths {
        assert_eq!(house.send(get(path).cookie(&secret)).await.status(), 200, "{path}");
    }
}
