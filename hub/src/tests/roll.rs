//! The pages of a class: the roll of a lesson, its report, its photos, and names for faces.

use super::photos::group;
use super::{Answer, Carrying, House, NOW, body, get, parts, post};
use rules::attendance::Status;
use rules::auth::Role;
use serde_json::json;
use store::account::Account;
use store::{device, mark, params, student};
use uuid::Uuid;
use wire::Direction;

/// A page as text, without the marks that keep names in their own direction.
fn page(answer: &Answer) -> String {
    let text = String::from_utf8_lossy(answer.body()).into_owned();
    text.replace(['\u{2068}', '\u{2069}'], "")
}

/// What stands in a form's hidden field of this name, after `place`.
fn hidden<'a>(page: &'a str, place: &str, name: &str) -> &'a str {
    let after = page.split_once(place).unwrap_or_else(|| panic!("no {place} in {page}")).1;
    let field = format!("name=\"{name}\" value=\"");
    after.split_once(&field).unwrap().1.split('"').next().unwrap()
}

struct Roll {
    house: House,
    token: String,
    secret: String,
    account: Account,
    lesson: String,
    student: String,
}

impl Roll {
    /// Class 7B with a lesson from 08:30 to 09:15; it is 08:45:30.
    async fn new() -> Self {
        let house = House::new().await;
        let token = house.album_class().await;
        let account = house.account(Role::Teacher).await;
        let secret = house.session(&account).await;
        let teach = json!({ "teacher_ids": [account.id] });
        let class = warp::test::request().method("PATCH").path("/api/classes/7B");
        assert_eq!(house.send(class.bearer(&token).json(&teach)).await.status(), 200);
        let lesson = json!({ "class_id": "7B", "start_time": "08:30", "end_time": "09:15" });
        let (_, lesson) = house.ask(&token, "/api/sessions", &lesson).await;
        let lesson = lesson["id"].as_str().unwrap().to_owned();
        let one = body(&house.send(get("/api/students/STU1").bearer(&token)).await);
        let student = one["id"].as_str().unwrap().to_owned();
        Self { house, token, secret, account, lesson, student }
    }

    async fn today(&self) -> String {
        let path = format!("/class/7B/today?lesson={}", self.lesson);
        let answer = self.house.send(get(&path).cookie(&self.secret)).await;
        assert_eq!(answer.status(), 200, "{}", page(&answer));
        page(&answer)
    }

    /// Presses a button of the student's row as it was on `page`.
    async fn press(&self, page: &str, end: &str, fields: &[(&str, &str)]) -> Answer {
        let stamp = hidden(page, &format!("id=\"s-{}\"", self.student), "stamp");
        let fields: Vec<_> = fields.iter().copied().chain([("stamp", stamp)]).collect();
        let path = format!("/lesson/{}/marks/{}{end}", self.lesson, self.student);
        self.house.send(post(&path).form(&self.secret, &fields)).await
    }

    async fn stands(&self) -> Option<(Status, String)> {
        let lesson: Uuid = self.lesson.parse().unwrap();
        let read = move |tx: &store::Tx<'_>| mark::get(tx, lesson, student::find(tx, "STU1")?.id);
        self.house.app.db.read(read).await.unwrap().map(|mark| (mark.status, mark.by))
    }

    async fn act(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.house.send(post(path).form(&self.secret, fields)).await
    }
}

#[tokio::test]
async fn one_tap_marks_and_undo_brings_back_what_was() {
    let roll = Roll::new().await;
    let before = roll.today().await;
    assert!(before.contains("Barack Obama") && before.contains("2 open"), "{before}");
    let done = roll.press(&before, "", &[("status", "present")]).await;
    assert_eq!(done.status(), 303, "{}", page(&done));
    let place = done.headers()["location"].to_str().unwrap();
    assert!(place.ends_with(&format!("&done={0}#s-{0}", roll.student)), "{place}");
    let me = roll.account.id.to_string();
    assert_eq!(roll.stands().await, Some((Status::Present, me.clone())));
    let present = roll.today().await;
    assert!(present.contains("Marked by") && present.contains("at 08:45"), "{present}");
    roll.press(&present, "", &[("status", "excused")]).await;
    assert_eq!(roll.stands().await, Some((Status::Excused, me.clone())));
    let excused = roll.today().await;
    assert_eq!(roll.press(&excused, "/undo", &[]).await.status(), 303);
    assert_eq!(roll.stands().await, Some((Status::Present, me)), "one step back");
    let present = roll.today().await;
    roll.press(&present, "/undo", &[]).await;
    assert_eq!(roll.stands().await, None, "and to the beginning");
    assert_eq!(roll.press(&roll.today().await, "/undo", &[]).await.status(), 404);
    assert_eq!(roll.press(&roll.today().await, "", &[("status", "asleep")]).await.status(), 422);
}

#[tokio::test]
async fn what_a_photo_said_comes_back_too() {
    let roll = Roll::new().await;
    let (lesson, now): (Uuid, _) = (roll.lesson.parse().unwrap(), NOW);
    let seen = move |tx: &store::Tx<'_>| {
        let said = rules::attendance::Mark {
            status: Status::Present,
            source: rules::attendance::Source::Photo,
            sighting: None,
            arrived_at: Some(now),
            by: "hub".into(),
            at: now,
            notes: None,
            version: 1,
        };
        mark::put(tx, lesson, student::find(tx, "STU1")?.id, &said)
    };
    roll.house.app.db.write(seen).await.unwrap();
    roll.press(&roll.today().await, "", &[("status", "absent")]).await;
    assert_eq!(roll.stands().await.unwrap().0, Status::Absent);
    roll.press(&roll.today().await, "/undo", &[]).await;
    assert_eq!(roll.stands().await, Some((Status::Present, "hub".into())));
}

#[tokio::test]
async fn of_two_who_mark_one_wins_and_the_other_is_told_who() {
    let roll = Roll::new().await;
    let seen = roll.today().await;
    let marks = format!("/api/sessions/{}/marks", roll.lesson);
    let said = json!({ "student_id": "STU1", "status": "late" });
    assert_eq!(roll.house.ask(&roll.token, &marks, &said).await.0, 200);
    let stamp = hidden(&seen, &format!("id=\"s-{}\"", roll.student), "stamp").to_owned();
    let path = format!("/lesson/{}/marks/{}", roll.lesson, roll.student);
    let fields = [("status", "absent"), ("stamp", stamp.as_str())];
    let piece = post(&path).form(&roll.secret, &fields).header("hx-request", "true");
    let piece = roll.house.send(piece).await;
    assert_eq!(piece.status(), 409);
    let html = page(&piece);
    assert!(html.contains("Marked by") && html.contains("tag late"), "{html}");
    assert!(piece.headers()["x-said"].to_str().unwrap().contains("faster"));
    assert_eq!(roll.press(&seen, "", &[("status", "absent")]).await.status(), 409);
    assert_eq!(roll.stands().await.unwrap().0, Status::Late, "the first word stands");
}

#[tokio::test]
async fn a_lesson_is_closed_by_hand_and_opened_again_while_it_lasts() {
    let roll = Roll::new().await;
    let at = |end: &str| format!("/lesson/{}/{end}", roll.lesson);
    assert!(roll.today().await.contains("Close the lesson"));
    assert_eq!(roll.act(&at("close"), &[]).await.status(), 303);
    let closed = roll.today().await;
    assert!(closed.contains("Closed at 08:45") && closed.contains("2 unverified"), "{closed}");
    assert_eq!(roll.act(&at("open"), &[]).await.status(), 303);
    assert!(roll.today().await.contains("2 open"));
    roll.act(&at("close"), &[]).await;
    roll.house.clock.set_wall(NOW.plus_ms(3_600_000));
    assert_eq!(roll.act(&at("open"), &[]).await.status(), 409, "it is over");
}

#[tokio::test]
async fn without_a_lesson_one_is_started_by_a_button() {
    let roll = Roll::new().await;
    roll.house.clock.set_wall(NOW.plus_ms(3 * 3_600_000));
    let free = page(&roll.house.send(get("/class/7B/today").cookie(&roll.secret)).await);
    assert!(free.contains("Start a lesson now"), "{free}");
    let started = roll.act("/class/7B/today", &[]).await;
    let place = started.headers()["location"].to_str().unwrap().to_owned();
    assert_ne!(place.split("lesson=").nth(1), Some(roll.lesson.as_str()));
    let open = page(&roll.house.send(get(&place).cookie(&roll.secret)).await);
    assert!(open.contains("2 open") && !open.contains("Start a lesson now"), "{open}");
}

#[tokio::test]
async fn whoever_is_in_school_but_not_in_class_shows_where() {
    let roll = Roll::new().await;
    let student = roll.student.clone();
    let logged = move |tx: &store::Tx<'_>| {
        for (n, minutes, room, way, status) in [
            (1, -90, "Gate", "entry", "logged"),
            (2, -30, "Library", "entry", "logged"),
            (3, -10, "Cellar", "entry", "rejected"),
        ] {
            let sql = "insert into sighting (id, device, epoch, seq, boot, mono, clock, order_at,
                     room, direction, reasons, quality, confidence, verdict, frames, model,
                     gallery, review_status, predicted_student, received_at, version)
                 values ($1, 'door-1', 'e', $2, 1, 1, 'ntp', $3, $4, $5, '[]', '{}', 0.9, 'high',
                     1, 'm', 1, $6, $7, $3, 1)";
            let (id, at) = (wire::id::v7(NOW).to_string(), NOW.plus_ms(minutes * 60_000).0);
            tx.execute(sql, params![id, n, at, room, way, status, student])?;
        }
        Ok(())
    };
    roll.house.app.db.write(logged).await.unwrap();
    let page = roll.today().await;
    assert!(page.contains("Seen at Library at 08:15"), "{page}");
    assert!(!page.contains("Gate") && !page.contains("Cellar"));
    roll.press(&page, "", &[("status", "present")]).await;
    assert!(!roll.today().await.contains("Library"), "whoever is here is not elsewhere");
}

#[tokio::test]
async fn a_long_register_is_read_page_by_page() {
    let house = House::new().await;
    let admin = house.account(Role::Admin).await;
    let secret = house.session(&admin).await;
    let many = |tx: &store::Tx<'_>| {
        use store::sample::{class_of, lesson, marked};
        let (class, people) = class_of(tx, "7B", 70);
        for day in 1..=28 {
            for hour in [8, 9] {
                let lesson = lesson(tx, class, jiff::civil::date(2026, 2, day), hour);
                for (n, student) in people.iter().enumerate() {
                    let there = if n < 3 { Status::Absent } else { Status::Present };
                    marked(tx, lesson, *student, there, rules::attendance::Source::Close);
                }
            }
        }
        Ok(())
    };
    house.app.db.write(many).await.unwrap();
    let shown = |query: &'static str| {
        let (house, secret) = (&house, &secret);
        async move {
            let path = format!("/class/7B/report{query}");
            page(&house.send(get(&path).cookie(secret)).await)
        }
    };
    let newest = shown("").await;
    assert!(newest.contains("27–56 / 56") && newest.contains("1–60 / 70"), "{newest}");
    assert!(newest.contains("title=\"2026-02-28") && !newest.contains("title=\"2026-02-01"));
    assert_eq!(newest.matches("tag bad").count(), 3, "those at risk are listed on every page");
    let oldest = shown("?lessons=1&students=2").await;
    assert!(oldest.contains("1–26 / 56") && oldest.contains("61–70 / 70"), "{oldest}");
    assert_eq!(oldest.matches("<th scope=\"row\"><span dir").count(), 10);
    let week = shown("?date_from=2026-02-02&date_to=2026-02-08").await;
    assert!(week.contains("14 lessons") && week.contains("date_to=2026-02-08"), "{week}");
    assert!(newest.len() < 300_000, "{} bytes", newest.len());
}

impl Roll {
    /// Sends a photo as the form does, waits for the work, and gives the page's address.
    async fn photographed(&self, names: &[&str]) -> String {
        let send = parts("/class/7B/photo", &self.token, &[], ("file", &group(names)));
        let sent = self.house.send(send).await;
        assert_eq!(sent.status(), 303, "{}", page(&sent));
        let place = sent.headers()["location"].to_str().unwrap().to_owned();
        let job: Uuid = place.split("job=").nth(1).unwrap().parse().unwrap();
        let admin = self.jobs_of().await;
        let job = self.house.app.jobs.ended(job, admin).await.unwrap();
        assert!(job.error.is_none(), "{job:?}");
        place
    }

    /// The admin, who sent the photos.
    async fn jobs_of(&self) -> Uuid {
        let me = body(&self.house.send(get("/api/auth/me").bearer(&self.token)).await);
        me["id"].as_str().unwrap().parse().unwrap()
    }

    async fn read(&self, place: &str) -> String {
        let answer = self.house.send(get(place).bearer(&self.token)).await;
        assert_eq!(answer.status(), 200, "{}", page(&answer));
        page(&answer)
    }
}

#[tokio::test]
async fn a_class_photo_marks_those_on_it_present_and_goes() {
    let roll = Roll::new().await;
    let place = roll.photographed(&["obama2.jpg", "biden.jpg"]).await;
    let html = roll.read(&place).await;
    assert_eq!(html.matches("<rect").count(), 2, "{html}");
    assert_eq!(html.matches(" selected>").count(), 3, "two likely students and the lesson");
    let photo = place.split("photo=").nth(1).unwrap().split('&').next().unwrap();
    let faces: Vec<&str> = html.split("<select id=\"f-").skip(1).map(|rest| &rest[..36]).collect();
    let done = format!("/photo/{photo}/done");
    let named = |n: usize| format!("face-{}", faces[n]);
    let (one, two) = (named(0), named(1));
    let twice = [(one.as_str(), roll.student.as_str()), (two.as_str(), roll.student.as_str())];
    let refused = roll.act(&done, &twice).await;
    assert!(page(&refused).contains("two faces"), "{}", page(&refused));
    assert!(page(&roll.act(&done, &[]).await).contains("Nobody is chosen"));
    let good = [(one.as_str(), roll.student.as_str()), ("lesson", roll.lesson.as_str())];
    let marked = roll.act(&done, &good).await;
    let today = format!("/today?lesson={}&photo=1", roll.lesson);
    let to = marked.headers()["location"].to_str().unwrap();
    assert!(to.ends_with(&today), "{to}");
    assert_eq!(roll.stands().await.unwrap().0, Status::Present);
    assert_eq!(roll.house.said(&json!(roll.lesson), "STU2").await, None, "unknown is unknown");
    assert!(roll.read(to).await.contains("1 student was marked present from the photo"));
    assert_eq!(roll.act(&done, &good).await.status(), 409, "the photo is gone");
}

#[tokio::test]
async fn who_is_on_a_photo_is_said_at_once_or_not_at_all() {
    let roll = Roll::new().await;
    let place = roll.photographed(&["obama2.jpg", "biden.jpg"]).await;
    let html = roll.read(&place).await;
    let photo = place.split("photo=").nth(1).unwrap().split('&').next().unwrap();
    let faces: Vec<&str> = html.split("<select id=\"f-").skip(1).map(|rest| &rest[..36]).collect();
    let (one, two) = (format!("face-{}", faces[0]), format!("face-{}", faces[1]));
    let version = hidden(&html, "id=\"who\"", "version");
    let done = format!("/photo/{photo}/done");
    let nobody = Uuid::from_u128(9).to_string();
    let said = |other: &str, version: &str| {
        let fields = [(&one, roll.student.as_str()), (&two, other)];
        let mut fields: Vec<_> = fields.map(|(face, who)| (face.as_str(), who.to_owned())).into();
        fields.extend([("lesson", roll.lesson.clone()), ("version", version.to_owned())]);
        fields
    };
    let send = async |said: Vec<(&str, String)>| {
        let fields: Vec<_> = said.iter().map(|(name, value)| (*name, value.as_str())).collect();
        roll.act(&done, &fields).await
    };
    let strange = send(said(&nobody, version)).await;
    assert_eq!(strange.status(), 422, "{}", page(&strange));
    assert_eq!(roll.stands().await, None, "nobody is marked by half of it");
    let name = json!({ "student_id": "STU2" });
    let assign = format!("/api/face-crops/{}/assign", faces[1]);
    assert_eq!(roll.house.ask(&roll.token, &assign, &name).await.0, 200);
    let late = send(said("", version)).await;
    assert_eq!(late.status(), 409, "{}", page(&late));
    assert!(page(&late).contains("changed meanwhile"), "{}", page(&late));
    let fresh = roll.read(&place).await;
    let now = send(said("", hidden(&fresh, "id=\"who\"", "version"))).await;
    assert_eq!(now.status(), 303, "{}", page(&now));
    assert_eq!(roll.stands().await.unwrap().0, Status::Present);
}

#[tokio::test]
async fn a_photo_that_waits_is_shown_however_many_came_after_it() {
    let roll = Roll::new().await;
    let place = roll.photographed(&["obama2.jpg"]).await;
    let photo = place.split("photo=").nth(1).unwrap().split('&').next().unwrap().to_owned();
    let more = async |gone: bool| {
        let write = move |tx: &store::Tx<'_>| {
            for n in 1..=50 {
                let id = wire::id::v7(NOW.plus_ms(n)).to_string();
                let sql = "insert into image (id, class, state, taken_at, width, height, sealed,
                         created_at, created_by, version)
                     select $1, class, case when $2 then 'confirmed' else state end, taken_at,
                         width, height, case when $2 then null else sealed end, created_at,
                         created_by, 1 from image where sealed is not null limit 1";
                tx.execute(sql, params![id, gone])?;
                let sql = "insert into face_crop (id, image, class, x, y, width, height, score,
                         quality, doubts, version)
                     select $1, $2, class, x, y, width, height, score, quality, doubts, 1
                     from face_crop where crop is not null limit 1";
                for m in 1..=10 {
                    let face = wire::id::v7(NOW.plus_ms(100 * n + m)).to_string();
                    tx.execute(sql, params![face, id])?;
                }
            }
            Ok(())
        };
        roll.house.app.db.write(write).await.unwrap();
    };
    more(true).await;
    let listed = roll.read("/class/7B/photo").await;
    assert!(listed.contains(&format!("photo={photo}\"")), "{listed}");
    assert!(listed.contains("1 face is in no group"), "{listed}");
    more(false).await;
    let newest = roll.read("/class/7B/photo").await;
    assert!(!newest.contains(&format!("photo={photo}\"")), "it is beyond the first page");
    let older = newest.split("class=\"more\"><a class=\"button\" href=\"").nth(1).unwrap();
    let older = roll.read(older.split('"').next().unwrap()).await;
    assert!(older.contains(&format!("photo={photo}\"")), "{older}");
}

#[tokio::test]
async fn faces_without_a_name_are_grouped_guessed_and_named_at_once() {
    let roll = Roll::new().await;
    for names in [["obama2.jpg"], ["obama3.jpg"]] {
        roll.photographed(&names).await;
    }
    let bare = roll.read("/class/7B/photo").await;
    assert!(bare.contains("2 faces are in no group"), "{bare}");
    let sorted = |what: &'static str| {
        let roll = &roll;
        async move {
            let path = "/class/7B/photo/sort";
            let fields = serde_urlencoded::to_string([("do", what)]).unwrap();
            let ask = post(path).bearer(&roll.token).header("sec-fetch-site", "same-origin");
            let ask = ask.header("content-type", "application/x-www-form-urlencoded");
            let ask = ask.header("content-length", fields.len()).body(fields);
            let place =
                roll.house.send(ask).await.headers()["location"].to_str().unwrap().to_owned();
            let job = place.split("job=").nth(1).unwrap().split('#').next().unwrap();
            roll.house.app.jobs.ended(job.parse().unwrap(), roll.jobs_of().await).await.unwrap();
            roll.read(place.split('#').next().unwrap()).await
        }
    };
    let grouped = sorted("group").await;
    assert!(grouped.contains("All these 2 faces are"), "{grouped}");
    let guessed = sorted("guess").await;
    let chosen = format!("value=\"{}\" selected", roll.student);
    assert!(guessed.contains(&chosen), "{guessed}");
    let crops = hidden(&guessed, "class=\"group-of\"", "crops").to_owned();
    let name = [("crops", crops.as_str()), ("student", roll.student.as_str())];
    assert_eq!(roll.act("/class/7B/photo/name", &name).await.status(), 303);
    assert_eq!(roll.stands().await.unwrap().0, Status::Present);
    assert!(!roll.read("/class/7B/photo").await.contains("group-of"), "nobody is left");
}

#[tokio::test]
async fn stored_text_does_no_harm_on_any_page_of_a_class() {
    let roll = Roll::new().await;
    let bad = "<img src=x onerror=alert(1)>\u{202e}😀\"'".to_owned() + &"w".repeat(120);
    let name = json!({ "class_name": bad });
    let class = warp::test::request().method("PATCH").path("/api/classes/7B");
    assert_eq!(roll.house.send(class.bearer(&roll.token).json(&name)).await.status(), 200);
    let person = json!({ "full_name": bad });
    let person = warp::test::request().method("PATCH").path("/api/students/STU1").json(&person);
    assert_eq!(roll.house.send(person.bearer(&roll.token)).await.status(), 200);
    for path in ["/class", "/class/7B/today", "/class/7B/report", "/class/7B/photo"] {
        let html = roll.read(path).await;
        assert!(!html.contains("<img src=x") && html.contains("&#60;img src=x"), "{path}: {html}");
        for inline in [" style=", " onclick=", "javascript:", "<style"] {
            assert!(!html.contains(inline), "{path}: {inline}");
        }
    }
}

#[tokio::test]
async fn an_admin_adds_a_class_and_a_teacher_without_one_is_told_why() {
    let house = House::new().await;
    let admin = house.account(Role::Admin).await;
    let (admin, teacher) = (house.session(&admin).await, house.account(Role::Teacher).await);
    let teacher = house.session(&teacher).await;
    let shown = async |secret: &str| page(&house.send(get("/class").cookie(secret)).await);
    assert!(shown(&admin).await.contains("Add the first one below"));
    let new = [("class_name", "Maths"), ("class_code", "M1"), ("room", "")];
    assert_eq!(house.send(post("/class").form(&admin, &new)).await.status(), 303);
    assert!(shown(&admin).await.contains("Maths"));
    let again = house.send(post("/class").form(&admin, &new)).await;
    assert_eq!(again.status(), 409);
    assert!(page(&again).contains("is taken"));
    let theirs = shown(&teacher).await;
    assert!(theirs.contains("Ask an administrator") && !theirs.contains("Maths"), "{theirs}");
    assert_eq!(house.send(post("/class").form(&teacher, &new)).await.status(), 403);
}

impl Roll {
    /// The lesson is in a room with a door, and the student's consent is withdrawn.
    async fn behind_a_door(&self) {
        let change = |tx: &store::Tx<'_>| {
            let (room, location) = ("T9".to_owned(), String::new());
            let place = device::DevicePlace { room, location, direction: Direction::Entry };
            device::add(tx, &"door-9".parse().unwrap(), &place, "t", NOW)?;
            tx.execute("update session set room = 'T9'", [])?;
            let id = student::find(tx, "STU1")?.id.to_string();
            tx.execute("update consent set given = 0 where student = $1", params![id]).map(drop)
        };
        self.house.app.db.write(change).await.unwrap();
    }
}

#[tokio::test]
async fn one_tap_behind_a_mark_says_why_nobody_can_tell() {
    let roll = Roll::new().await;
    roll.behind_a_door().await;
    assert!(!roll.today().await.contains("Why unverified?"), "nothing is said yet");
    roll.act(&format!("/lesson/{}/close", roll.lesson), &[]).await;
    let closed = roll.today().await;
    assert_eq!(closed.matches("<summary>Why unverified?</summary>").count(), 2, "{closed}");
    assert!(closed.contains("door-9 has not told what it saw"), "{closed}");
    let path = format!("/api/sessions/{}/marks", roll.lesson);
    let marks = body(&roll.house.send(get(&path).bearer(&roll.token)).await);
    let grounds = &marks[0]["grounds"];
    assert_eq!(
        (&grounds["stayed"], &grounds["doors"][0]["why"]),
        (&json!(false), &json!("no_report"))
    );
    assert!(marks[0]["why"][1].as_str().unwrap().contains("has not told"), "{marks}");
    let persian = get(&path).bearer(&roll.token).header("accept-language", "fa");
    let marks = body(&roll.house.send(persian).await);
    assert!(marks[0]["why"][0].as_str().unwrap().contains("کسی او را ندید"), "{marks}");
}

#[tokio::test]
async fn whoever_no_door_can_know_is_ticked_in_one_go() {
    let roll = Roll::new().await;
    roll.behind_a_door().await;
    let here = format!("/lesson/{}/here", roll.lesson);
    let open = roll.today().await;
    assert!(open.contains("No door can recognise this student"), "{open}");
    assert!(open.contains("There is no consent to recognise this student"), "{open}");
    assert_eq!(open.matches("name=\"who\"").count(), 1, "the other one is known: {open}");
    let who = [("who", roll.student.as_str())];
    assert_eq!(roll.act(&here, &who).await.status(), 303);
    let me = roll.account.id.to_string();
    assert_eq!(roll.stands().await, Some((Status::Present, me)));
    assert!(!roll.today().await.contains("name=\"who\""), "nobody is left to tick");
    roll.press(&roll.today().await, "", &[("status", "absent")]).await;
    roll.act(&here, &who).await;
    assert_eq!(roll.stands().await.unwrap().0, Status::Absent, "a person's word stands");
}
