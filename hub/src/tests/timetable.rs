//! Rooms, timetable, holidays and calendars over HTTP.

use super::*;

impl House {
    /// An admin's token, and a class MATH101 that usually meets in room 204.
    async fn with_class(&self) -> String {
        let token = self.token(Role::Admin).await;
        let class = json!({ "class_name": "Maths", "class_code": "MATH101", "room": "204" });
        let made = self.send(post("/api/classes").bearer(&token).json(&class)).await;
        assert_eq!(made.status(), 201);
        token
    }

    async fn lessons(&self) -> Vec<(String, i64)> {
        let read = |tx: &store::Tx<'_>| {
            let sql = "select day, starts from session order by starts";
            tx.query(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))
        };
        self.app.db.read(read).await.unwrap()
    }
}

fn monday() -> Value {
    json!({ "class_id": "MATH101", "weekday": 1, "starts": "08:45", "ends": "09:30" })
}

#[tokio::test]
async fn a_weekly_lesson_gives_two_weeks_of_lessons_that_follow_it() {
    let house = House::new().await; // on Monday 2 March 2026, 08:45:30 UTC
    let token = house.with_class().await;
    let made = house.send(post("/api/timetable").bearer(&token).json(&monday())).await;
    assert_eq!(made.status(), 201);
    let made = body(&made);
    assert_eq!((&made["room"], &made["starts"]), (&json!("204"), &json!("08:45")));
    let days = |lessons: Vec<(String, i64)>| lessons.into_iter().map(|l| l.0).collect::<Vec<_>>();
    assert_eq!(days(house.lessons().await), ["2026-03-09", "2026-03-16"], "today's has begun");
    let path = format!("/api/timetable/{}", made["id"].as_str().unwrap());
    let off = json!({ "day": "2026-03-09", "cancelled": true });
    let differ = post(&format!("{path}/exceptions")).bearer(&token).json(&off);
    assert_eq!(body(&house.send(differ).await)["exceptions"][0]["cancelled"], true);
    assert_eq!(days(house.lessons().await), ["2026-03-16"]);
    let week = json!({ "name": "Spring", "from_day": "2026-03-14", "to_day": "2026-03-20" });
    let holiday = body(&house.send(post("/api/holidays").bearer(&token).json(&week)).await);
    assert!(house.lessons().await.is_empty());
    let gone = format!("/api/holidays/{}", holiday["id"].as_str().unwrap());
    let gone = warp::test::request().method("DELETE").path(&gone).bearer(&token);
    assert_eq!(house.send(gone).await.status(), 204);
    assert_eq!(days(house.lessons().await), ["2026-03-16"]);
    let usual = format!("{path}/exceptions/2026-03-09");
    let usual = warp::test::request().method("DELETE").path(&usual).bearer(&token);
    assert_eq!(house.send(usual).await.status(), 204);
    assert_eq!(house.lessons().await.len(), 2);
    let delete = warp::test::request().method("DELETE").path(&path).bearer(&token);
    assert_eq!(house.send(delete).await.status(), 204);
    assert!(house.lessons().await.is_empty());
}

#[tokio::test]
async fn two_lessons_never_share_a_room_and_wrong_ones_are_refused_in_a_sentence() {
    let house = House::new().await;
    let token = house.with_class().await;
    let class = json!({ "class_name": "Art", "class_code": "ART", "room": "204" });
    house.send(post("/api/classes").bearer(&token).json(&class)).await;
    house.send(post("/api/timetable").bearer(&token).json(&monday())).await;
    let mut other = monday();
    other["class_id"] = json!("ART");
    let taken = house.send(post("/api/timetable").bearer(&token).json(&other)).await;
    assert_eq!(taken.status(), 409);
    assert!(body(&taken)["detail"].as_str().unwrap().contains("Room 204 is already taken"));
    for (field, value) in
        [("weekday", json!(8)), ("ends", json!("08:00")), ("starts", json!("25:00"))]
    {
        let mut odd = monday();
        odd["class_id"] = json!("ART");
        odd[field] = value;
        let refused = house.send(post("/api/timetable").bearer(&token).json(&odd)).await;
        assert_eq!(refused.status(), 422, "{field}");
    }
}

impl House {
    /// MATH101 each Monday from 08:45 to 09:30 in 204, and a class ART: the token, the address of
    /// the weekly lesson.
    async fn two_classes(&self) -> (String, String) {
        let token = self.with_class().await;
        let class = json!({ "class_name": "Art", "class_code": "ART", "room": "Studio" });
        self.send(post("/api/classes").bearer(&token).json(&class)).await;
        let made = self.send(post("/api/timetable").bearer(&token).json(&monday())).await;
        (token, format!("/api/timetable/{}", body(&made)["id"].as_str().unwrap()))
    }

    /// What becomes of a wish: its status, and the sentence if it is refused.
    async fn wish(&self, token: &str, path: &str, wish: Value) -> (u16, String) {
        let answer = self.send(post(path).bearer(token).json(&wish)).await;
        let detail = body(&answer)["detail"].as_str().unwrap_or_default().to_owned();
        (answer.status().as_u16(), detail)
    }
}

#[tokio::test]
async fn a_single_lesson_finds_the_timetable_of_next_month_in_its_way() {
    let house = House::new().await;
    let (token, weekly) = house.two_classes().await;
    let art = |day: &str| {
        json!({ "class_id": "ART", "date": day, "start_time": "09:00", "end_time": "09:45",
                "room": "204" })
    };
    let (status, why) = house.wish(&token, "/api/sessions", art("2026-04-13")).await;
    let there = "Room “204” is taken at that time by the weekly lesson “Maths” on 2026-04-13 from \
                 08:45 to 09:30.";
    assert_eq!((status, why.as_str()), (409, there), "no lesson is made of it yet");
    let own = json!({ "class_id": "MATH101", "date": "2026-04-13", "start_time": "09:00",
                      "room": "Hall" });
    assert_eq!(house.wish(&token, "/api/sessions", own).await.0, 409, "the class is in 204 then");
    let off = json!({ "day": "2026-04-13", "cancelled": true });
    assert_eq!(house.wish(&token, &format!("{weekly}/exceptions"), off).await.0, 200);
    assert_eq!(house.wish(&token, "/api/sessions", art("2026-04-13")).await.0, 201);
    let back = format!("{weekly}/exceptions/2026-04-13");
    let back = warp::test::request().method("DELETE").path(&back).bearer(&token);
    let refused = house.send(back).await;
    assert_eq!(refused.status(), 409, "the room was given away meanwhile");
    assert!(body(&refused)["detail"].as_str().unwrap().contains("“Art”"), "{}", body(&refused));
}

#[tokio::test]
async fn a_day_that_differs_takes_its_room_and_leaves_the_other() {
    let house = House::new().await;
    let (token, weekly) = house.two_classes().await;
    let exceptions = format!("{weekly}/exceptions");
    let moved =
        json!({ "day": "2026-05-04", "starts": "11:00", "ends": "11:45", "room": "Studio" });
    assert_eq!(house.wish(&token, &exceptions, moved).await.0, 200);
    let art = |start: &str, room: &str| json!({ "class_id": "ART", "date": "2026-05-04", "start_time": start, "room": room });
    let (status, why) = house.wish(&token, "/api/sessions", art("11:15", "Studio")).await;
    assert!(status == 409 && why.contains("from 11:00 to 11:45"), "{status} {why}");
    assert_eq!(house.wish(&token, "/api/sessions", art("09:00", "204")).await.0, 201);
    let each = json!({ "class_id": "ART", "weekday": 1, "starts": "11:30", "ends": "12:15" });
    let (status, why) = house.wish(&token, "/api/timetable", each).await;
    assert!(status == 409 && why.contains("on 2026-05-04"), "{status} {why}");
    let back = json!({ "day": "2026-05-04", "starts": "09:15", "ends": "10:00", "room": "204" });
    let (status, why) = house.wish(&token, &exceptions, back).await;
    assert!(status == 409 && why.contains("the lesson “Art”"), "{status} {why}");
}

#[tokio::test]
async fn an_unplanned_lesson_is_in_the_way_too() {
    let house = House::new().await;
    let token = house.with_class().await;
    let art = json!({ "class_name": "Art", "class_code": "ART" });
    house.send(post("/api/classes").bearer(&token).json(&art)).await;
    let now = json!({ "subject_id": "MATH101", "present_students": [], "absent_students": [] });
    assert_eq!(house.wish(&token, "/api/attendance/confirm", now).await.0, 200);
    let lesson = json!({ "class_id": "ART", "start_time": "09:00", "room": "204" });
    let (status, why) = house.wish(&token, "/api/sessions", lesson).await;
    assert!(status == 409 && why.contains("the unplanned lesson “Maths”"), "{status} {why}");
    let weekly = |starts: &str| json!({ "class_id": "MATH101", "weekday": 1, "starts": starts, "ends": "09:30" });
    let (status, why) = house.wish(&token, "/api/timetable", weekly("09:00")).await;
    assert!(status == 409 && why.contains("on 2026-03-02 from 08:45"), "{status} {why}");
    let (status, why) = house.wish(&token, "/api/timetable", weekly("08:30")).await;
    assert!(status == 201, "today’s would have begun: it is not made: {why}");
}

#[tokio::test]
async fn a_weekly_lesson_finds_single_ones_in_its_way() {
    let house = House::new().await;
    let token = house.with_class().await;
    let once = json!({ "class_id": "MATH101", "date": "2026-06-01", "start_time": "09:00",
                       "name": "Exam" });
    assert_eq!(house.wish(&token, "/api/sessions", once).await.0, 201);
    let (status, why) = house.wish(&token, "/api/timetable", monday()).await;
    assert!(status == 409 && why.contains("“Exam” on 2026-06-01"), "{status} {why}");
    let mut until = monday();
    until["to_day"] = json!("2026-05-31");
    assert_eq!(house.wish(&token, "/api/timetable", until).await.0, 201);
}

#[tokio::test]
async fn a_room_is_added_described_and_only_removed_when_nothing_uses_it() {
    let house = House::new().await;
    let token = house.with_class().await;
    let new = |name: &str| post("/api/rooms").bearer(&token).json(&json!({ "name": name }));
    assert_eq!(house.send(new("204")).await.status(), 201);
    assert_eq!(house.send(new("204")).await.status(), 409);
    assert_eq!(house.send(new(" ")).await.status(), 422);
    let room = || warp::test::request().path("/api/rooms/204").bearer(&token);
    let put = room().method("PUT").json(&json!({ "location": "Second floor" }));
    assert_eq!(body(&house.send(put).await)["location"], "Second floor");
    let used = house.send(room().method("DELETE")).await;
    assert_eq!(used.status(), 409, "class MATH101 meets there");
    house.send(new("205")).await;
    let page = house.send(get("/api/rooms?limit=1").bearer(&token)).await;
    assert_eq!(page.headers()["link"], "<?limit=1&after=204>; rel=\"next\"");
}

#[tokio::test]
async fn a_calendar_address_shows_the_lessons_until_it_is_removed() {
    let house = House::new().await;
    let token = house.with_class().await;
    house.send(post("/api/timetable").bearer(&token).json(&monday())).await;
    let wish = json!({ "class_id": "MATH101" });
    let made = body(&house.send(post("/api/calendars").bearer(&token).json(&wish)).await);
    let path = made["url"].as_str().unwrap().split_once("/calendar/").unwrap().1.to_owned();
    let path = format!("/calendar/{path}");
    let shown = house.send(get(&path)).await;
    let text = String::from_utf8_lossy(shown.body()).into_owned();
    assert!(text.contains("DTSTART:20260309T084500Z") && text.contains("SUMMARY:Maths"), "{text}");
    let id = made["id"].as_str().unwrap();
    let gone = warp::test::request().method("DELETE").path(&format!("/api/calendars/{id}"));
    assert_eq!(house.send(gone.bearer(&token)).await.status(), 204);
    assert_eq!(house.send(get(&path)).await.status(), 404);
}

#[tokio::test]
async fn a_teachers_calendar_ends_with_their_teaching_and_their_role() {
    let ends = [
        "update teaches set to_day = '2026-03-01'",
        "update user_account set role = 'student' where role = 'teacher'",
        "update user_account set is_active = 0 where role = 'teacher'",
    ];
    for end in ends {
        let house = House::new().await;
        let token = house.with_class().await;
        house.send(post("/api/timetable").bearer(&token).json(&monday())).await;
        let teacher = house.token(Role::Teacher).await;
        let me = body(&house.send(get("/api/auth/me").bearer(&teacher)).await)["id"].clone();
        let teaches = "insert into teaches (class, teacher, from_day)
             select id, $1, '2026-01-01' from class where class_code = 'MATH101'";
        let me = me.as_str().unwrap().to_owned();
        house.app.db.write(move |tx| tx.execute(teaches, [me])).await.unwrap();
        let wish = json!({ "class_id": "MATH101" });
        let made = house.send(post("/api/calendars").bearer(&teacher).json(&wish)).await;
        let made = body(&made);
        let path = made["url"].as_str().unwrap().split_once("/calendar/").unwrap().1.to_owned();
        let path = format!("/calendar/{path}");
        assert_eq!(house.send(get(&path)).await.status(), 200, "{end}");
        house.app.db.write(move |tx| tx.execute(end, [])).await.unwrap();
        assert_eq!(house.send(get(&path)).await.status(), 404, "{end}");
    }
}

#[tokio::test]
async fn a_timetable_file_is_taken_over_once() {
    let house = House::new().await;
    let token = house.with_class().await;
    let table = "\u{feff}class_code;weekday;starts;ends;room;from_day;to_day\r\n\
        MATH101;2;10:00;10:45;;;\r\nNOBODY;2;10:00;10:45;;;\r\nMATH101;9;1;2;;;\r\n";
    let send = || parts("/api/timetable/import", &token, &[], ("file", table.as_bytes()));
    let first = body(&house.send(send()).await);
    assert_eq!((&first["periods"], &first["unchanged"]), (&json!(1), &json!(0)));
    assert_eq!(first["skipped"].as_array().unwrap().len(), 2, "{first}");
    let second = body(&house.send(send()).await);
    assert_eq!((&second["periods"], &second["unchanged"]), (&json!(0), &json!(1)));
    assert_eq!(house.lessons().await.len(), 2);
}
