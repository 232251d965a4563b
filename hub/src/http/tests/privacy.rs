//! Consent, erasure, export, audit and retention over HTTP.

use super::*;
use crate::privacy::{certificate, erase};
use crate::store::{self, erasure};
use wire::DeviceId;

/// The door says, with its certificate, that it runs its newest release.
async fn door_reports(house: &House, door: &str) {
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
    erase::resume(&house.app).await.unwrap();
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
async fn a_door_that_is_never_heard_of_again_counts_when_its_lease_ends() {
    let house = House::new().await;
    let token = house.school().await;
    let student = house.app.gallery.index().people()[0];
    house.clock.set_wall(NOW.plus_ms(1_000));
    house.send(post("/api/students/STU1/erase").bearer(&token)).await;
    let later = NOW.plus_ms(crate::gallery::LEASE_MS + 1);
    house.clock.set_wall(later);
    erase::resume(&house.app).await.unwrap();
    let token = house.fresh_token().await;
    let proof =
        body(&house.send(get(&format!("/api/students/{student}/erase")).bearer(&token)).await);
    assert_eq!(
        (&proof["complete"], &proof["doors"][0]["state"]),
        (&json!(true), &json!("expired"))
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
            move |tx| erase::data(tx, &keys, student, erase::Reason::Asked, "t", now)
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
    let (live, copy) = (house.app.config.database(), house.app.config.data.join("copy.db"));
    let raw = rusqlite::Connection::open(&live).unwrap();
    raw.execute("vacuum into ?1", [copy.to_str().unwrap()]).unwrap();
    house.send(post("/api/students/STU1/erase").bearer(&token)).await;
    assert_eq!(house.count("student").await, 0);
    let old = tempfile::tempdir().unwrap();
    for file in ["kek", "keys.db", "ca.pem", "server.pem"] {
        std::fs::copy(house.app.config.data.join(file), old.path().join(file)).unwrap();
    }
    std::fs::rename(copy, old.path().join("hub.db")).unwrap();
    let models = Some(house.app.config.models.clone());
    let config = Config::parse(old.path(), "", models).unwrap();
    let restored = App::open(config, house.clock.clone()).await.unwrap();
    let gone = restored.db.read(move |tx| store::student::get(tx, student)).await.unwrap();
    assert_eq!(gone, None, "erased again at start");
}

/// Every table that names students is one that erasing knows: whoever adds one decides here.
#[tokio::test]
async fn every_table_that_names_students_is_known_to_erasing() {
    let house = House::new().await;
    let read = |tx: &store::Tx<'_>| {
        let sql = "select distinct m.name from sqlite_master m, pragma_foreign_key_list(m.name) f
             where m.type = 'table' and f.\"table\" = 'student' order by m.name";
        tx.query(sql, [], |row| row.get::<_, String>(0))
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
