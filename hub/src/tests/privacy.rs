//! Consent, erasure, export, audit and retention over HTTP.

use super::*;
use acts::people::{self, PersonChanges};
use acts::privacy::{certificate, erase};
use store::{self, erasure, student, trouble};
use wire::DeviceId;
use wire::pulse::Beat;

/// The door says, with its certificate, that it runs its newest release.
pub(super) async fn door_reports(house: &House, door: &str) {
    let device: DeviceId = door.parse().unwrap();
    let release = house.app.gallery.release(&device).unwrap();
    let (version, digest) = (release.manifest.version, release.signed.digest());
    let now = house.app.clock.wall();
    let model = release.manifest.model.clone();
    let write = move |tx: &store::Tx<'_>| {
        store::device::reported(tx, &device, version, &model, "1", "", now)?;
        erasure::confirm(tx, &device, version, &digest, now)
    };
    house.app.db.write(write).await.unwrap();
}

impl House {
    async fn count(&self, what: &str) -> i64 {
        let sql = format!("select count(*) from {what}");
        self.app.db.read(move |tx| tx.row(&sql, [], |row| row.get(0))).await.unwrap().unwrap()
    }

    /// Ends the house as a crash would: only the directory stays.
    async fn again(&self) -> App {
        let config = (*self.app.config).clone();
        App::open(config, self.clock.clone()).await.unwrap()
    }
}

// Consent ----------------------------------------------------------------------------------------

#[tokio::test]
async fn consent_is_a_ledger_and_withdrawing_clears_the_desk() {
    let house = House::new().await;
    let token = house.school().await;
    house.pending(&token).await;
    let path = "/api/students/STU1/consent";
    let no = json!({ "given": false, "by": "his mother" });
    let said = house.send(post(path).bearer(&token).json(&no)).await;
    assert_eq!(said.status(), 201, "{}", body(&said));
    assert_eq!(body(&said)["text_version"], store::consent::TEXT);
    let waiting = body(&house.send(get("/api/attendance/pending").bearer(&token)).await);
    assert_eq!(waiting, json!([]));
    for table in ["enrolment", "evidence", "candidate", "sighting"] {
        assert_eq!(house.count(table).await, 0, "{table}");
    }
    let unknown = body(&house.capture(&token, &portrait("obama2.jpg")).await);
    assert_eq!(unknown["status"], "unknown", "nobody knows him any more");
    let ledger = body(&house.send(get(path).bearer(&token)).await);
    let given: Vec<_> = ledger.as_array().unwrap().iter().map(|e| &e["given"]).collect();
    assert_eq!(given, [false, true]);
    let page = house.send(get(&format!("{path}?limit=1")).bearer(&token)).await;
    assert!(page.headers()["link"].to_str().unwrap().contains("rel=\"next\""));
    for odd in [json!({ "given": true, "by": " " }), json!({ "by": "x" }), json!({})] {
        assert_eq!(house.send(post(path).bearer(&token).json(&odd)).await.status(), 422);
    }
}

// Erasure ----------------------------------------------------------------------------------------

#[tokio::test]
async fn who_was_erased_is_answered_as_such_though_doors_hear_of_it_later() {
    const IOERR_READ: i32 = 266;
    let (house, path) = House::in_file().await;
    house.school().await;
    let mut later = 0;
    for after in 0.. {
        let number = format!("E{after}");
        let (of, name) = (Some(number.clone()), Some("Ada".into()));
        let new = PersonChanges { number: of, full_name: name, ..PersonChanges::default() };
        people::add(&house.app.db, new, "t".into(), NOW).await.unwrap();
        trouble::plan(&path, after, IOERR_READ, false);
        let done = house.app.privacy().erase(number.clone(), "t".into(), NOW).await;
        let struck = trouble::mend(&path);
        let gone = house.app.db.read(move |tx| student::find(tx, &number)).await.is_err();
        assert!(gone || done.is_err(), "{after}");
        later += u32::from(struck && done.is_ok());
        house.app.privacy().finish_erasures().await.unwrap();
        let open = house.app.db.read(erasure::open).await.unwrap();
        assert!(open.iter().all(|open| open.released_at.is_some()), "the next look does the rest");
        if !struck {
            break;
        }
    }
    assert!(later > 0, "no failure came after what was committed");
}

#[tokio::test]
async fn whoever_is_erased_is_gone_and_the_doors_say_so() {
    let house = House::new().await;
    let token = house.school().await;
    let id = house.pending(&token).await;
    let yes = json!({ "decision": "approve", "version": 1 });
    house.send(post(&format!("/api/attendance/{id}/review")).bearer(&token).json(&yes)).await;
    door_reports(&house, "door-1").await;
    let student = house.app.gallery.index().people()[0];
    house.clock.advance(1_000);
    house.clock.set_wall(NOW.plus_ms(1_000));
    let begun = house.send(post("/api/students/STU1/erase").bearer(&token)).await;
    let said = body(&begun);
    assert_eq!(begun.status(), 202, "{said}");
    assert_eq!((&said["complete"], &said["pseudonym_kept"]), (&json!(false), &json!(false)));
    assert_eq!(said["doors"][0]["state"], "waiting", "{said}");
    assert!(house.app.keys.student(student).unwrap().is_none());
    for table in ["student", "enrolment", "evidence", "candidate", "sighting", "consent", "roster"]
    {
        assert_eq!(house.count(table).await, 0, "{table}");
    }
    assert_eq!(house.send(get("/api/students/STU1").bearer(&token)).await.status(), 404);
    let release = house.app.gallery.release(&"door-1".parse().unwrap()).unwrap();
    assert_eq!(release.manifest.purge_before, release.manifest.version, "older ones are destroyed");

    door_reports(&house, "door-1").await;
    house.app.privacy().finish_erasures().await.unwrap();
    let proof =
        body(&house.send(get(&format!("/api/students/{student}/erase")).bearer(&token)).await);
    assert_eq!(
        (&proof["complete"], &proof["doors"][0]["state"]),
        (&json!(true), &json!("confirmed"))
    );
    let key = house.app.keys.signing().unwrap().verifying_key();
    let (text, signature) =
        (proof["signed"].as_str().unwrap(), proof["signature"].as_str().unwrap());
    let statement = certificate::verify(text, signature, &key).unwrap();
    assert_eq!((statement.student_id, statement.complete), (student.0, true));
    let forged = text.replace("true", "false");
    assert!(certificate::verify(&forged, signature, &key).is_err());
    let again = house.send(post(&format!("/api/students/{student}/erase")).bearer(&token)).await;
    assert_eq!((again.status().as_u16(), &body(&again)["erasure_id"]), (202, &proof["erasure_id"]));
    let nobody = house.send(post("/api/students/STU9/erase").bearer(&token)).await;
    assert_eq!(nobody.status(), 404);
}

#[tokio::test]
async fn a_door_that_is_never_heard_of_again_is_never_certified() {
    let house = House::new().await;
    let token = house.school().await;
    let student = house.app.gallery.index().people()[0];
    house.clock.set_wall(NOW.plus_ms(1_000));
    house.send(post("/api/students/STU1/erase").bearer(&token)).await;
    let later = NOW.plus_ms(rules::gallery::LEASE_MS + 1);
    house.clock.set_wall(later);
    house.app.privacy().finish_erasures().await.unwrap();
    let token = house.fresh_token().await;
    let proof =
        body(&house.send(get(&format!("/api/students/{student}/erase")).bearer(&token)).await);
    assert_eq!(
        (&proof["complete"], &proof["doors"][0]["state"]),
        (&json!(false), &json!("unconfirmed"))
    );
}

impl House {
    /// A new token of the admin that is there.
    async fn fresh_token(&self) -> String {
        let body = json!({ "email": "admin@school.test", "password": PASSWORD });
        let answer = self.send(post("/api/auth/login").json(&body)).await;
        self::body(&answer)["access"].as_str().unwrap().to_owned()
    }
}

#[tokio::test]
async fn an_erasure_cut_short_is_finished_at_the_next_start() {
    let house = House::new().await;
    let token = house.school().await;
    let student = house.app.gallery.index().people()[0];
    house.clock.set_wall(NOW.plus_ms(1_000));
    // As if the hub had died after the data went: key and doors are still to do.
    let app = &house.app;
    app.db
        .write({
            let keys = app.keys.clone();
            let now = NOW.plus_ms(1_000);
            move |tx| {
                erase::data(tx, &keys, student, store::erasure::ErasureReason::Asked, "t", now)
            }
        })
        .await
        .unwrap();
    assert!(app.keys.student(student).unwrap().is_some());
    let again = house.again().await;
    assert!(again.keys.student(student).unwrap().is_none(), "the key went at start");
    let read = move |tx: &store::Tx<'_>| {
        let open = erasure::of(tx, student)?.unwrap();
        Ok((open.key_erased_at, open.released_at, erasure::doors(tx, open.id)?.len()))
    };
    let (key, told, doors) = again.db.read(read).await.unwrap();
    assert!(key.is_some() && told.is_some());
    assert_eq!(doors, 1);
    drop(token);
}

#[tokio::test]
async fn a_backup_from_before_brings_nobody_back() {
    let house = House::new().await;
    let token = house.school().await;
    let student = house.app.gallery.index().people()[0];
    let copy = house.app.config.data.join("copy.db");
    store::transfer::copy(&house.app.config.database(), &copy).unwrap();
    house.send(post("/api/students/STU1/erase").bearer(&token)).await;
    assert_eq!(house.count("student").await, 0);
    let old = tempfile::tempdir().unwrap();
    for file in ["kek", "keys.db", "ca.pem", "server.pem"] {
        std::fs::copy(house.app.config.data.join(file), old.path().join(file)).unwrap();
    }
    std::fs::rename(copy, old.path().join("hub.db")).unwrap();
    let models = Some(house.app.config.models.clone());
    let config = Config::parse(old.path(), "database = 'hub.db'", models).unwrap();
    let restored = App::open(config, house.clock.clone()).await.unwrap();
    let gone = restored.db.read(move |tx| store::student::get(tx, student)).await.unwrap();
    assert_eq!(gone, None, "erased again at start");
}

/// Every table that names students is one that erasing knows: whoever adds one decides here.
#[tokio::test]
async fn every_table_that_names_students_is_known_to_erasing() {
    let (house, _) = House::in_file().await;
    let read = |tx: &store::Tx<'_>| {
        let sql = "select distinct m.name from sqlite_master m, pragma_foreign_key_list(m.name) f
             where m.type = 'table' and f.\"table\" = 'student' order by m.name";
        tx.query(sql, [], |row| row.get::<String>(0))
    };
    let tables = house.app.db.read(read).await.unwrap();
    assert_eq!(tables, KNOWN);
}

/// What `privacy::erase` empties, changes, or (mark) keeps under the id alone.
const KNOWN: [&str; 10] = [
    "candidate",
    "cannot_link",
    "consent",
    "enrolment",
    "evidence",
    "face_crop",
    "mark",
    "roster",
    "sighting",
    "user_account",
];

// Export -----------------------------------------------------------------------------------------

#[tokio::test]
async fn one_call_gives_everything_of_one_person_and_nothing_of_another() {
    let house = House::new().await;
    let token = house.school().await;
    let other = json!({ "student_number": "STU2", "full_name": "Joe Biden" });
    house.send(post("/api/students").bearer(&token).json(&other)).await;
    house.pending(&token).await;
    let answer = house.send(get("/api/students/STU1/export").bearer(&token)).await;
    let all = body(&answer);
    assert_eq!(answer.status(), 200, "{all}");
    assert_eq!(all["profile"]["last_name"], "Obama");
    assert_eq!(
        (&all["consents"][0]["by"], &all["consents"][0]["given"]),
        (&json!("himself"), &json!(true))
    );
    assert_eq!(all["enrolments"].as_array().unwrap().len(), 1);
    let crop = all["sightings"][0]["crop"].as_str().unwrap();
    let crop = data_encoding::BASE64.decode(crop.as_bytes()).unwrap();
    assert_eq!(&crop[..2], b"\xff\xd8", "the face as it is kept");
    let actions: Vec<_> =
        all["audit"].as_array().unwrap().iter().map(|row| &row["action"]).collect();
    assert!(
        actions.contains(&&json!("consent")) && actions.contains(&&json!("export")),
        "{actions:?}"
    );
    let text = String::from_utf8_lossy(answer.body());
    assert!(!text.contains("Biden") && !text.contains("template\""), "nobody else, no template");
    assert_eq!(house.send(get("/api/students/STU9/export").bearer(&token)).await.status(), 404);
}

// Audit ------------------------------------------------------------------------------------------

#[tokio::test]
async fn the_chain_is_listed_filtered_and_checked() {
    let house = House::new().await;
    let token = house.school().await;
    let student = house.app.gallery.index().people()[0];
    let list = |query: String| get(&format!("/api/audit{query}")).bearer(&token);
    let rows = body(&house.send(list(format!("?target_table=student&target_id={student}"))).await);
    let actions: Vec<_> = rows.as_array().unwrap().iter().map(|row| &row["action"]).collect();
    assert_eq!(actions, ["consent", "add"]);
    for field in ["user_id", "action", "target_table", "target_id", "meta", "timestamp"] {
        assert!(!rows[0][field].is_null(), "{field}");
    }
    let none = body(&house.send(list("?date_to=2001-01-01".into())).await);
    assert_eq!(none, json!([]));
    let page = house.send(list("?limit=1".into())).await;
    assert!(page.headers()["link"].to_str().unwrap().contains("after="));
    let verdict = body(&house.send(list("/verify".into())).await);
    assert_eq!(verdict["whole"], true, "{verdict}");
    let forge = "update audit set actor = 'x' where n = 2";
    store::transfer::past_triggers(house.app.db.place(), "audit", forge).unwrap();
    let verdict = body(&house.send(list("/verify".into())).await);
    assert_eq!(verdict["detail"], "The audit chain is broken at row 2.");
}

#[tokio::test]
async fn each_day_signs_a_head_that_shows_a_chain_made_anew() {
    let house = House::new().await;
    let token = house.school().await;
    assert!(house.app.privacy().do_the_day(&Beat::default()).await.unwrap());
    assert!(!house.app.privacy().do_the_day(&Beat::default()).await.unwrap(), "once a day");
    let heads = body(&house.send(get("/api/audit/heads").bearer(&token)).await);
    assert_eq!(heads[0]["day"], "2026-03-02");
    let file = house.app.config.data.join("audit-heads/2026-03-02.json");
    let kept = acts::privacy::witness::Witness::read(&file).unwrap();
    let key = house.app.keys.signing().unwrap().verifying_key();
    let head = kept.head(&key).unwrap();
    let mut seen = None;
    let read = house.app.db.place().read(|tx| {
        store::audit::walk(tx, |n, hash| {
            if n == head.rows {
                seen = Some(data_encoding::HEXLOWER.encode(hash));
            }
            std::ops::ControlFlow::Continue(())
        })
    });
    read.unwrap();
    assert_eq!(seen, Some(head.hash));
    let moved = acts::privacy::witness::Witness { rows: kept.rows + 1, ..kept };
    assert!(moved.head(&key).is_err(), "a head says one thing only");
}

// Retention --------------------------------------------------------------------------------------

#[tokio::test]
async fn what_is_over_goes_each_day_and_nothing_else() {
    let house = House::new().await;
    let token = house.school().await;
    let id = house.pending(&token).await;
    let keep = house.pending(&token).await;
    let yes = json!({ "decision": "approve", "version": 1 });
    house.send(post(&format!("/api/attendance/{id}/review")).bearer(&token).json(&yes)).await;
    let day = |days: i64| NOW.plus_ms(days * 24 * 3_600_000 + 1);
    let run = async |days| {
        house.clock.set_wall(day(days));
        house.app.privacy().do_the_day(&Beat::default()).await.unwrap();
        let waiting = house.count("sighting where review_status = 'pending'").await;
        (house.count("evidence").await, waiting, house.count("sighting").await)
    };
    assert_eq!(run(0).await, (4, 1, 2), "nothing is over on the first day");
    assert_eq!(run(1).await, (2, 1, 2), "the decided one loses its picture");
    assert_eq!(run(29).await, (2, 1, 2));
    assert_eq!(run(30).await, (0, 0, 1), "nobody decided the other");
    assert_eq!(house.count("receipt where disposition = 'expired'").await, 0, "no door sent it");
    drop(keep);
    let token = house.fresh_token().await;
    house.clock.set_wall(day(31));
    let delete = warp::test::request().method("DELETE").path("/api/students/STU1").bearer(&token);
    assert_eq!(house.send(delete).await.status(), 401, "the token is over");
    let token = house.fresh_token().await;
    let delete = warp::test::request().method("DELETE").path("/api/students/STU1").bearer(&token);
    assert_eq!(house.send(delete).await.status(), 204);
    run(395).await;
    assert_eq!(house.count("student").await, 1, "not yet a year");
    run(397).await;
    assert_eq!(house.count("student").await, 0, "whoever left is erased");
    assert_eq!(house.count("erasure where reason = 'left'").await, 1);
}

#[tokio::test]
async fn the_school_says_how_long_things_are_kept() {
    let house = House::new().await;
    let token = house.token(Role::Admin).await;
    let first = body(&house.send(get("/api/retention").bearer(&token)).await);
    assert_eq!((&first["pending_days"], &first["decided_days"]), (&json!(30), &Value::Null));
    let put = |body: Value| {
        warp::test::request().method("PUT").path("/api/retention").bearer(&token).json(&body)
    };
    assert_eq!(house.send(put(json!({ "pending_days": 7 }))).await.status(), 200);
    let now = body(&house.send(get("/api/retention").bearer(&token)).await);
    assert_eq!(now["pending_days"], 7);
    for odd in
        [json!({ "health_days": 3 }), json!({ "pendig_days": 3 }), json!({ "crop_days": -1 })]
    {
        assert_eq!(house.send(put(odd)).await.status(), 422);
    }
    let due = body(&house.send(get("/api/retention/due").bearer(&token)).await);
    assert_eq!(due["due"][0], json!({ "kind": "crops", "rows": 0 }));
}
