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
        let read = |tx: &crate::store::Tx<'_>| {
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
