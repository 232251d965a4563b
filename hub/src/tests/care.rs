//! What needs care: one bad thing is set aside and shown, and the rest goes on.

use super::{Carrying, House, NOW, body, get, portrait, post};
use crate::app::App;
use config::{Config, Vars};
use rules::auth::Role;
use rules::care::AsideKind;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use store::keys::Keys;
use store::{Tx, params, sample};
use uuid::Uuid;
use wire::pulse::Beat;
use wire::time::ManualClock;
use wire::{Mono, Wall};

const DAY: i64 = 24 * 3_600_000;
/// Threads that read the database.
const READERS: usize = 4;
/// Reads that wait for one.
const QUEUE: usize = 1024;

async fn write(house: &House, sql: &'static str) {
    house.app.db.write(move |tx| tx.execute(sql, []).map(drop)).await.unwrap();
}

async fn count(house: &House, from: &'static str) -> i64 {
    let sql = format!("select count(*) from {from}");
    house.app.db.read(move |tx| tx.row(&sql, [], |row| row.get(0))).await.unwrap().unwrap()
}

/// Kinds of what `/api/care` says; not of the disk, which is whose machine this is.
async fn kinds(house: &House, token: &str) -> Vec<String> {
    let said = body(&house.send(get("/api/care").bearer(token)).await);
    let kind = |worry: &Value| worry["kind"].as_str().unwrap().to_owned();
    let kinds = said.as_array().unwrap().iter().map(kind);
    kinds.filter(|kind| !kind.starts_with("disk")).collect()
}

/// Lessons of one class that were over before now, by number; somebody is on its roster.
async fn lessons(house: &House, some: std::ops::Range<u128>) {
    let add = move |tx: &Tx<'_>| {
        let class = Uuid::from_u128(0xc).to_string();
        tx.execute(
            "insert into class (id, class_name, class_code, is_active, version)
             values ($1, 'Maths', 'M', 1, 1)",
            params![class],
        )?;
        for n in some {
            let sql = "insert into session (id, class, name, day, starts, ends, late_after, room,
                     source, version) values ($1, $2, 'Maths', '2026-03-02', $3, $4, $3, '204',
                     'manual', 1)";
            let (id, ends) = (Uuid::from_u128(n).to_string(), NOW.plus_ms(-1_000).0);
            tx.execute(sql, params![id, class, NOW.plus_ms(-3_600_000).0, ends])?;
        }
        Ok(())
    };
    house.app.db.write(add).await.unwrap();
}

#[tokio::test]
async fn one_poisoned_lesson_is_set_aside_and_the_others_close() {
    let house = House::new().await;
    let token = house.token(Role::Admin).await;
    lessons(&house, 1..121).await;
    let place = house.app.db.place();
    sample::poison(place, ("poison", "before update on session"), "new.id like '%05'");
    for _ in 0..3 {
        house.app.lessons().turn().await;
    }
    assert_eq!(count(&house, "session where closed_at is null").await, 1);
    assert_eq!(house.app.aside.count(AsideKind::Lesson), 1);
    assert_eq!(kinds(&house, &token).await, ["lesson"]);
    sample::mend(place, "poison", "session");
    house.clock.advance(60_000);
    house.app.lessons().turn().await;
    assert_eq!(count(&house, "session where closed_at is null").await, 0);
    assert!(kinds(&house, &token).await.is_empty(), "what is mended goes by itself");
}

#[tokio::test]
async fn with_a_full_disk_pages_open_and_all_goes_on_when_there_is_space() {
    let (house, _) = House::in_file().await;
    let account = house.account(Role::Admin).await;
    let secret = house.session(&account).await;
    lessons(&house, 1..3).await;
    // No page more: what SQLite says then is what it says of a full disk.
    let pages = |most: &'static str| {
        house.app.db.write(move |tx| tx.row(most, [], |row| row.get::<i64>(0)))
    };
    pages("pragma max_page_count = 1").await.unwrap();
    let fill = "insert into setting (name, value) values ('x', hex(zeroblob(4000000)))";
    let full = house.app.db.write(move |tx| tx.execute(fill, []));
    assert!(full.await.is_err());
    house.clock.advance(10 * 60_000); // so that the session's use would be noted
    for page in ["/review", "/people", "/devices", "/settings", "/care", "/api/students"] {
        assert_eq!(house.send(get(page).cookie(&secret)).await.status(), 200, "{page}");
    }
    house.app.privacy().turn(&Beat::default()).await;
    house.app.lessons().turn().await;
    pages("pragma max_page_count = 1000000").await.unwrap();
    house.clock.advance(15 * 60_000);
    house.app.lessons().turn().await;
    assert_eq!(count(&house, "session where closed_at is null").await, 0);
}

#[tokio::test]
async fn readers_that_are_all_busy_end_nothing() {
    let house = House::new().await;
    lessons(&house, 1..3).await;
    let (let_go, held) = std::sync::mpsc::channel::<()>();
    let (held, mut reads) = (Arc::new(std::sync::Mutex::new(held)), tokio::task::JoinSet::new());
    let began = Arc::<AtomicUsize>::default();
    // What the readers took from the queue is put into it once more.
    for _ in 0..2 {
        for _ in 0..1_100 {
            let (db, held, began) = (house.app.db.clone(), held.clone(), began.clone());
            let read = move |_: &Tx<'_>| {
                began.fetch_add(1, Ordering::SeqCst);
                Ok(held.lock().is_ok_and(|held| held.recv().is_ok()))
            };
            reads.spawn(async move { db.read(read).await });
        }
        while began.load(Ordering::SeqCst) < READERS {
            tokio::task::yield_now().await;
        }
    }
    // All that have no place are refused: then the queue is full for certain.
    for _ in QUEUE + READERS..2 * 1_100 {
        let refused = reads.join_next().await.unwrap().unwrap();
        assert!(refused.unwrap_err().to_string().contains("busy"), "the queue is full");
    }
    house.app.privacy().turn(&Beat::default()).await;
    house.app.lessons().turn().await;
    assert!(!house.app.aside.list().is_empty(), "noted, and the next turn tries again");
    drop(let_go);
    while reads.join_next().await.is_some() {}
    house.app.lessons().turn().await;
    assert_eq!(count(&house, "session where closed_at is null").await, 0);
}

#[tokio::test]
async fn a_hub_starts_although_nothing_can_be_written() {
    let house = House::new().await;
    house.school().await;
    let place = house.app.db.place();
    for table in ["device", "job", "setting", "gallery_release"] {
        for what in ["insert", "update"] {
            let (name, when) =
                (format!("full_{table}_{what}"), format!("before {what} on {table}"));
            sample::poison(place, (&name, &when), "true");
        }
    }
    sample::mend(place, "full_device_update", "device");
    write(&house, "update device set online = 1").await;
    sample::poison(place, ("full_device_update", "before update on device"), "true");
    let _in_use = rustls::crypto::ring::default_provider().install_default();
    let mut config = (*house.app.config).clone();
    config.listen = config::Listen {
        web: "127.0.0.1:0".parse().unwrap(),
        mqtt: "127.0.0.1:0".parse().unwrap(),
        device: "127.0.0.1:0".parse().unwrap(),
    };
    let hub = crate::app::serve(config, house.clock.clone()).await.unwrap();
    let failed = hub.app.aside.list();
    assert!(failed.iter().any(|of| of.id == "noting doors that are gone"), "{failed:?}");
    let people = hub.app.db.read(store::student::ids).await.unwrap();
    assert_eq!(people.len(), 1, "who is known is read as ever");
    hub.stop().await.unwrap();
}

#[tokio::test]
async fn a_leap_of_the_clock_stops_what_cannot_come_back_until_an_admin_confirms() {
    let house = House::new().await;
    let token = house.token(Role::Admin).await;
    assert!(!token.is_empty() && house.app.upkeep().is_believed().await);
    lessons(&house, 1..3).await;
    write(&house, "update session set ends = ends + 86400000").await; // tomorrow's
    let step = "insert into undo_step (account, at, former) values ('x', 1772441130000, '')";
    write(&house, step).await;
    let leapt = NOW.plus_ms(31 * DAY);
    house.clock.set_wall(leapt);
    for _ in 0..2 {
        house.app.privacy().turn(&Beat::default()).await;
        house.app.lessons().turn().await;
    }
    assert_eq!(count(&house, "session where closed_at is not null").await, 0);
    assert_eq!(count(&house, "undo_step").await, 1);
    // A process that starts now knows of it too.
    let (config, clock) = ((*house.app.config).clone(), ManualClock::at(leapt, Mono(5)));
    let again = App::open(config, Arc::new(clock)).await.unwrap();
    assert!(!again.upkeep().is_believed().await);
    let signed_in = body(&house.send(super::login(Role::Admin)).await);
    let token = signed_in["access"].as_str().unwrap().to_owned();
    assert_eq!(kinds(&house, &token).await, ["clock", "no-backup"]);
    let said = body(&house.send(get("/api/clock").bearer(&token)).await);
    assert_eq!((&said["is_believed"], &said["against"]), (&json!(false), &json!("machine")));
    let done = house.send(post("/api/clock").bearer(&token)).await;
    assert_eq!(done.status(), 204);
    house.app.privacy().turn(&Beat::default()).await;
    house.app.lessons().turn().await;
    assert_eq!(count(&house, "session where closed_at is null").await, 0);
    assert_eq!(count(&house, "undo_step").await, 0, "its time is over, as the admin says");
}

#[tokio::test]
async fn a_clock_that_comes_back_is_believed_again_by_itself() {
    let house = House::new().await;
    assert!(house.app.upkeep().is_believed().await);
    house.clock.set_wall(NOW.plus_ms(31 * DAY));
    assert!(!house.app.upkeep().is_believed().await);
    house.clock.advance(60_000);
    house.clock.set_wall(NOW.plus_ms(60_000));
    assert!(house.app.upkeep().is_believed().await);
}

#[tokio::test]
async fn without_a_model_pack_everything_goes_on_that_needs_none() {
    let empty = tempfile::tempdir().unwrap();
    let house = House::new().await;
    let token = house.school().await;
    let model = house.app.recogniser.model().clone();
    let vars = Vars::default().with("ROLLCALL_MODELS", empty.path().to_str().unwrap());
    let config = Config::read(&house.app.config.data, "", &vars).unwrap();
    let house = house.reopened(config).await;
    assert_eq!(*house.app.recogniser.model(), model, "the network that was in use");
    assert_eq!(house.app.gallery.index().people().len(), 1, "doors keep who they know");
    let ready = body(&house.send(get("/ready")).await);
    assert_eq!((&ready["status"], &ready["recognition"]), (&json!("degraded"), &json!("missing")));
    assert_eq!(house.send(get("/api/students").bearer(&token)).await.status(), 200);
    assert_eq!(kinds(&house, &token).await, ["recognition"]);
    let refused = house.capture(&token, &portrait("obama2.jpg")).await;
    assert_eq!(refused.status(), 503);
    assert!(body(&refused)["detail"].as_str().unwrap().contains("model pack"));
}

/// The settings of `house`, with the database of `other`.
fn foreign(house: &House, other: &House) -> Config {
    let url = format!("sqlite:///{}", other.app.config.data.join("hub.db").display());
    let vars = Vars::from([("DATABASE_URL", url.as_str())]);
    let vars = vars.with("ROLLCALL_MODELS", house.app.config.models.to_str().unwrap());
    Config::read(&house.app.config.data, "", &vars).unwrap()
}

#[tokio::test]
async fn a_hub_does_not_start_with_the_keys_of_another_school() {
    let (house, _) = House::in_file().await;
    let (other, _) = House::in_file().await;
    let token = house.school().await;
    assert!(!token.is_empty());
    let config = foreign(&house, &other);
    let refused = App::open(config, house.clock.clone()).await.err().unwrap().to_string();
    assert!(refused.contains("two different hubs"), "{refused}");
    let keyed = house.app.keys.students().unwrap();
    assert_eq!(keyed.len(), 1, "nobody's key is gone");
    // Directories from before there were ids: another school's people still do not fit.
    let forget = |house: &House| {
        let keys = rusqlite::Connection::open(house.app.config.data.join("keys.db")).unwrap();
        keys.execute("delete from hub_key where name = 'pairing'", []).unwrap();
    };
    forget(&house);
    write(&other, "delete from setting where name = 'pairing'").await;
    house.app.keys.student_or_new(wire::StudentId(Uuid::from_u128(1)), Wall(1)).unwrap();
    let config = foreign(&house, &other);
    assert!(App::open(config, house.clock.clone()).await.is_err());
    write(&house, "delete from setting where name = 'pairing'").await;
    let again = App::open((*house.app.config).clone(), house.clock.clone()).await.unwrap();
    assert!(again.keys.pairing().unwrap().is_some(), "its own are marked, and it starts");
    assert!(Keys::open(&house.app.config.data).unwrap().pairing().unwrap().is_some());
}

#[tokio::test]
async fn the_page_says_what_waits_and_an_admin_alone_may_read_it() {
    let house = House::new().await;
    let admin = house.session(&house.account(Role::Admin).await).await;
    let teacher = house.session(&house.account(Role::Teacher).await).await;
    let page = async |secret: &str| house.send(get("/care").cookie(secret)).await;
    let text = |answer: &super::Answer| String::from_utf8_lossy(answer.body()).into_owned();
    assert!(text(&page(&admin).await).contains("Nothing waits for you"));
    assert_eq!(page(&teacher).await.status(), 403);
    let why = rules::Error::Invalid("it is odd".into());
    house.app.aside.failed(AsideKind::Lesson, "lesson-7", &why, (NOW, Mono(1_000)));
    let shown = text(&page(&admin).await);
    for part in ["lesson-7", "could not be closed", "it is odd", "class=\"count\">"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
}
