//! Whoever is erased is in no file any more: every byte of the data directory is searched, and
//! of the backup that is made after.

use super::privacy::door_reports;
use super::*;
use acts::backup::{self, lock};
use std::io;
use std::path::Path;
use store::{self, Tx, params};
use uuid::Uuid;
use wire::StudentId;

const NUMBER: &str = "KANARIE-83715";
const FIRST: &str = "Zephyrine";
const LAST: &str = "Kanarienvogel";
const EMAIL: &str = "zk83715@voliere.test";
const PHONE: &str = "+49 170 8371583715";

/// Bytes to look for, and what they are.
type Needle = (&'static str, Vec<u8>);

/// A piece of the middle, which no header shares.
fn middle(bytes: &[u8]) -> Vec<u8> {
    assert!(bytes.len() >= 64, "{} bytes are no needle", bytes.len());
    bytes[bytes.len() / 2 - 16..][..32].to_vec()
}

/// Which of `needles` are somewhere in a file below `folder`, and in which.
fn found(folder: &Path, needles: &[Needle]) -> Vec<(&'static str, String)> {
    let is_gone = |error: &io::Error| error.kind() == io::ErrorKind::NotFound;
    // The house goes on writing: a file that got its last name meanwhile is looked for again.
    let hits =
        (0..100).map(|_| search(folder, needles)).find(|hits| !hits.as_ref().is_err_and(is_gone));
    hits.expect("a folder that rests").unwrap()
}

fn search(folder: &Path, needles: &[Needle]) -> io::Result<Vec<(&'static str, String)>> {
    let mut hits = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            hits.extend(search(&path, needles)?);
            continue;
        }
        let bytes = std::fs::read(&path)?;
        for (what, needle) in needles {
            let is_it = |at: &[u8]| at[0] == needle[0] && at == &needle[..];
            let there = bytes.windows(needle.len()).any(is_it);
            there.then(|| hits.push((*what, path.display().to_string())));
        }
    }
    Ok(hits)
}

fn names(hits: &[(&'static str, String)]) -> std::collections::BTreeSet<&'static str> {
    hits.iter().map(|(what, _)| *what).collect()
}

impl House {
    /// Somebody with a name, in a class, with everything that can hang on a person: the token of
    /// an admin, and their id.
    async fn canary(&self) -> (String, StudentId) {
        let token = self.token(Role::Admin).await;
        let send = async |request: RequestBuilder, wanted: u16| {
            let answer = self.send(request).await;
            let said = if answer.body().is_empty() { Value::Null } else { body(&answer) };
            assert_eq!(answer.status(), wanted, "{said}");
            said
        };
        let say = |path: &str, said: Value| post(path).bearer(&token).json(&said);
        let door = json!({ "device_id": "door-1", "classroom_id": "Room 204" });
        send(say("/api/devices", door), 201).await;
        let person = json!({ "student_number": NUMBER, "first_name": FIRST, "last_name": LAST,
                             "email": EMAIL, "phone": PHONE });
        let person = say("/api/students", person).header("idempotency-key", "canary-1");
        let id = send(person, 201).await["id"].as_str().unwrap().parse().unwrap();
        let by = format!("Mother {LAST}");
        let enrol = [("student_id", NUMBER), ("consent_by", by.as_str())];
        let photo = ("file", &portrait("obama.jpg")[..]);
        send(parts("/api/enrollment", &token, &enrol, photo), 201).await;
        let class = json!({ "class_name": "7k", "class_code": "7K", "room": "Room 204" });
        send(say("/api/classes", class), 201).await;
        send(say("/api/classes/7K/students", json!({ "students": [NUMBER] })), 200).await;
        let account = json!({ "email": format!("own-{EMAIL}"), "full_name": format!("{FIRST} {LAST}"),
                              "role": "student", "student_id": NUMBER, "password": PASSWORD });
        send(say("/api/users", account), 201).await;
        let lesson = json!({ "class_id": "7K", "start_time": "08:30", "end_time": "09:15" });
        let lesson = send(say("/api/sessions", lesson), 201).await;
        let note = format!("{FIRST} came early");
        for picture in ["obama2.jpg", "obama.jpg"] {
            let seen = body(&self.capture(&token, &portrait(picture)).await);
            assert_eq!(seen["status"], "pending", "{seen}");
            if picture == "obama2.jpg" {
                let path =
                    format!("/api/attendance/{}/review", seen["record_id"].as_str().unwrap());
                let approve = json!({ "decision": "approve", "notes": note });
                send(say(&path, approve), 200).await;
            }
        }
        let roll = format!("/api/sessions/{}/marks", lesson["id"].as_str().unwrap());
        let mark = json!({ "student_id": NUMBER, "status": "late", "notes": note });
        send(say(&roll, mark), 200).await;
        let image = [("class_id", "7K")];
        let picture = ("file", &portrait("obama2.jpg")[..]);
        let image = send(parts("/api/images", &token, &image, picture), 201).await;
        let image = format!("/api/images/{}", image["id"].as_str().unwrap());
        send(post(&format!("{image}/process-image?wait=true")).bearer(&token), 202).await;
        send(say(&format!("{image}/confirm"), json!({ "accept_proposals": true })), 200).await;
        let mail = json!({ "student_ids": [NUMBER], "subject": format!("About {FIRST}"),
                           "body": format!("{FIRST} {LAST} forgot a book.") });
        send(say("/api/notifications", mail), 201).await;
        (token, id)
    }

    /// What only whoever has the key may see: template, crop, and the key. And what lies on the
    /// disk in their place, sealed.
    async fn secrets(&self, id: StudentId) -> (Vec<Needle>, Vec<Needle>) {
        let key = self.app.keys.student(id).unwrap().unwrap();
        let keys = rusqlite::Connection::open(self.app.config.data.join("keys.db")).unwrap();
        let sql = "select wrapped from student_key where student = ?1";
        let read = |row: &rusqlite::Row<'_>| row.get(0);
        let wrapped: Vec<u8> = keys.query_row(sql, [id.to_string()], read).unwrap();
        let read = move |tx: &Tx<'_>| {
            let of = params![id.to_string()];
            let sql = "select id, template from enrolment where student = $1";
            let template =
                |row: &store::Row<'_>| Ok((row.get::<String>(0)?, row.get::<Vec<u8>>(1)?));
            let (enrolment, template) = tx.row(sql, of, template)?.unwrap();
            let sql = "select sighting from evidence where student = $1 and part = 'crop' limit 1";
            let record: String = tx.row(sql, of, |row| row.get(0))?.unwrap();
            let record = record.parse().unwrap();
            let crop = store::review::evidence(tx, record, wire::seal::Part::Crop)?.unwrap();
            Ok((enrolment.parse::<Uuid>().unwrap(), template, record, crop))
        };
        let (enrolment, template, record, crop) = self.app.db.read(read).await.unwrap();
        let model = self.app.recogniser.model().clone();
        let place = store::enrolment::place(id, &model, enrolment);
        let plain = key.open(&place, &template).unwrap();
        let jpeg = crop.open(record, wire::seal::Part::Crop, &key).unwrap();
        let open = vec![
            ("template", middle(&plain)),
            ("crop", middle(&jpeg)),
            ("key", key.as_bytes().to_vec()),
        ];
        let sealed = vec![
            ("sealed template", middle(&template)),
            ("sealed crop", middle(&crop.sealed)),
            ("wrapped key", wrapped[8..40].to_vec()),
        ];
        (open, sealed)
    }
}

#[tokio::test]
async fn whoever_is_erased_is_in_no_file_and_in_no_backup_made_after() {
    // In files, where the test looks.
    let file = ("ROLLCALL_DATABASE", "hub.db");
    let vars = [file, ("SMTP_HOST", "mail.test"), ("SMTP_FROM", "school@school.test")];
    let house = House::with(Vars::from(vars)).await;
    let (token, id) = house.canary().await;
    let (open, sealed) = house.secrets(id).await;
    let words = [("number", NUMBER), ("first name", FIRST), ("last name", LAST), ("phone", PHONE)];
    let mut words: Vec<Needle> =
        words.iter().map(|(what, text)| (*what, text.as_bytes().to_vec())).collect();
    words.push(("e-mail", EMAIL.as_bytes().to_vec()));
    let folder = house.app.config.data.clone();
    std::fs::write(folder.join(config::FILE), "database = 'hub.db'").unwrap();
    let there = [words.clone(), sealed.clone()].concat();
    let before = names(&found(&folder, &there));
    assert_eq!(before.len(), there.len(), "the search finds what is there: {before:?}");
    assert_eq!(found(&folder, &open), [], "nothing is ever in the open");

    door_reports(&house, "door-1").await;
    house.clock.set_wall(NOW.plus_ms(1_000));
    let erased = house.send(post(&format!("/api/students/{NUMBER}/erase")).bearer(&token)).await;
    assert_eq!(erased.status(), 202, "{}", body(&erased));
    door_reports(&house, "door-1").await;
    house.app.privacy().finish_erasures().await.unwrap();
    house.app.privacy().flush().await.unwrap();

    let all = [open, there].concat();
    assert_eq!(found(&folder, &all), []);
    let (data, keys) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let private = data.path().join("private");
    lock::create(&folder, |key| lock::write_private(&private, key)).unwrap();
    backup::make(&house.app.config, (data.path(), keys.path()), NOW.plus_ms(2_000), None).unwrap();
    let (key, new) = (lock::BackupKey::read(&private).unwrap(), data.path().join("restored"));
    let (from, by) = ((data.path(), keys.path()), "test".to_owned());
    backup::restore(from, Some(&key), &new, by, NOW.plus_ms(3_000)).await.unwrap();
    assert_eq!([found(data.path(), &all), found(keys.path(), &all)].concat(), []);
    assert!(new.join("hub.db").exists(), "what the backup holds was looked at, unlocked");
}
