//! Alerts of doors: told once with their end, by mail, webhook, page and API.

use super::notify::smtp;
use super::{Carrying, House, NOW, body, get, post};
use acts::notify::post::Post;
use rules::alerts::AlertWatch;
use rules::auth::Role;
use serde_json::{Value, json};
use store::device::{self, DevicePlace};
use store::{Tx, params};
use wire::link::Vitals;
use wire::pulse::Beat;
use wire::{DeviceId, Direction};

const MINUTE: u64 = 60_000;

/// Doors that are connected, in rooms of their own.
async fn doors(house: &House, count: u32) {
    let add = move |tx: &Tx<'_>| {
        (0..count).try_for_each(|n| {
            let (room, location) = (format!("{n:03}"), String::new());
            let place = DevicePlace { room, location, direction: Direction::Both };
            device::add(tx, &door(n), &place, "t", NOW)?;
            device::connected(tx, &door(n), true, (1, 1), NOW).map(drop)
        })
    };
    house.app.db.write(add).await.unwrap();
}

fn door(n: u32) -> DeviceId {
    format!("door-{n:03}").parse().unwrap()
}

/// All doors come or go.
async fn online(house: &House, is: bool) {
    let set = move |tx: &Tx<'_>| tx.execute("update device set online = $1", params![is]);
    house.app.db.write(set).await.unwrap();
}

/// The hub looks at its doors each minute, and sends what follows.
async fn minutes(house: &House, watch: &mut AlertWatch, count: u32) {
    let post = Post::new(&smtp(1)).unwrap();
    for _ in 0..count {
        house.app.alerts().look(watch).await.unwrap();
        house.app.sender().send_due(Some(&post), &Beat::default()).await.unwrap();
        house.clock.advance(MINUTE);
    }
}

/// Every mail that was written, the oldest first: to whom, its subject and its text.
async fn mails(house: &House) -> Vec<[String; 3]> {
    let sql = "select recipient, subject, body from mail where kind = 'alerts'
         order by created_at, recipient, subject";
    let read =
        move |tx: &Tx<'_>| tx.query(sql, [], |row| Ok([row.get(0)?, row.get(1)?, row.get(2)?]));
    house.app.db.read(read).await.unwrap()
}

/// What programs were told of alerts.
async fn told(house: &House) -> Vec<(String, Value)> {
    let sql = "select event, body from webhook_message where event like 'door.%'
         order by created_at, event, body";
    let read = move |tx: &Tx<'_>| tx.query(sql, [], |row| Ok((row.get(0)?, row.get::<String>(1)?)));
    let all = house.app.db.read(read).await.unwrap().into_iter();
    let data = |text: String| serde_json::from_str::<Value>(&text).unwrap()["data"].clone();
    all.map(|(event, text)| (event, data(text))).collect()
}

#[tokio::test]
async fn what_is_wrong_with_a_door_is_told_once_and_so_is_its_end() {
    let house = House::new().await;
    let admin = house.token(Role::Admin).await;
    let hook = json!({ "url": "https://a.test", "events": ["door.alert", "door.alert_ended"] });
    house.send(post("/api/webhooks").bearer(&admin).json(&hook)).await;
    doors(&house, 1).await;
    let mut watch = AlertWatch::default();
    let hot = |celsius| Vitals { celsius: Some(celsius), ..Vitals::default() };
    let mut warm = async |celsius: i16, count: u32| {
        for _ in 0..count {
            house.app.boards.say(&door(0), hot(celsius), house.app.clock.mono());
            minutes(&house, &mut watch, 1).await;
        }
    };
    warm(85, 5).await;
    assert_eq!((mails(&house).await.len(), told(&house).await.len()), (0, 0), "for a moment");
    warm(85, 10).await;
    assert_eq!(mails(&house).await.len(), 1);
    let [to, subject, text] = mails(&house).await.remove(0);
    assert_eq!((to.as_str(), subject.as_str()), ("admin@school.test", "Doors: 1 new, 0 over"));
    assert!(text.contains("too hot: The processor"), "{text}");
    assert!(text.contains("- door-000 (room 000), since 08:45"), "{text}");
    warm(60, 15).await;
    let [_, subject, text] = mails(&house).await.remove(1);
    assert_eq!(subject, "Doors: 0 new, 1 over");
    assert!(text.contains("Over: too hot\n- door-000 (room 000), 08:45 to 09:00"), "{text}");
    assert_eq!(mails(&house).await.len(), 2);
    let told = told(&house).await;
    assert_eq!([&*told[0].0, &*told[1].0], ["door.alert", "door.alert_ended"]);
    assert_eq!((told.len(), &told[0].1), (2, &told[1].1), "the same alert");
    assert_eq!((&told[0].1["device_id"], &told[0].1["kind"]), (&json!("door-000"), &json!("hot")));
    let admin = house.login(Role::Admin).await;
    let all = body(&house.send(get("/api/alerts?device_id=door-000").bearer(&admin)).await);
    assert_eq!(all[0]["id"], told[0].1["alert_id"]);
    let span = ("2026-03-02T08:45:30Z", "2026-03-02T09:00:30Z");
    assert_eq!((&all[0]["since"], &all[0]["until"]), (&json!(span.0), &json!(span.1)));
}

#[tokio::test]
async fn a_hundred_doors_behind_one_switch_are_one_mail_and_one_worry() {
    let house = House::new().await;
    house.token(Role::Admin).await;
    doors(&house, 100).await;
    let mut watch = AlertWatch::default();
    minutes(&house, &mut watch, 1).await;
    online(&house, false).await;
    minutes(&house, &mut watch, 10).await;
    assert_eq!(mails(&house).await.len(), 0, "a unit that starts again is not gone");
    minutes(&house, &mut watch, 10).await;
    assert_eq!(mails(&house).await.len(), 1);
    assert_eq!(mails(&house).await[0][1], "Doors: 100 new, 0 over");
    let admin = house.login(Role::Admin).await;
    let cares = body(&house.send(get("/api/care").bearer(&admin)).await);
    let cares = cares.as_array().unwrap().iter().filter(|one| one["kind"] == "doors-offline");
    let counts: Vec<_> = cares.map(|one| one["count"].clone()).collect();
    assert_eq!(counts, [json!(100)]);
    let page = house.page(&admin, "/care").await;
    assert!(page.contains("100 doors are not connected") && page.contains("08:46"), "{page}");
    online(&house, true).await;
    minutes(&house, &mut watch, 20).await;
    assert_eq!(mails(&house).await.len(), 2);
    assert_eq!(mails(&house).await[1][1], "Doors: 0 new, 100 over");
    let admin = house.login(Role::Admin).await;
    let page = house.page(&admin, "/devices/door-007").await;
    assert!(page.contains("08:46") && page.contains("09:06"), "{page}");
}

#[tokio::test]
async fn a_hub_that_was_down_calls_no_door_offline_and_repeats_no_alert() {
    let house = House::new().await;
    house.token(Role::Admin).await;
    doors(&house, 3).await;
    online(&house, false).await;
    minutes(&house, &mut AlertWatch::default(), 9).await;
    house.clock.advance(60 * MINUTE); // the hub is down for an hour, and starts
    minutes(&house, &mut AlertWatch::default(), 9).await;
    assert_eq!(mails(&house).await.len(), 0, "doors have ten minutes to come back");
    minutes(&house, &mut AlertWatch::default(), 12).await;
    assert_eq!(mails(&house).await.len(), 1);
    minutes(&house, &mut AlertWatch::default(), 30).await;
    assert_eq!(mails(&house).await.len(), 1, "what is open is not told again");
    online(&house, true).await;
    minutes(&house, &mut AlertWatch::default(), 12).await;
    assert_eq!(mails(&house).await.len(), 2, "and its end is told once");
    minutes(&house, &mut AlertWatch::default(), 30).await;
    assert_eq!(mails(&house).await.len(), 2);
}

#[tokio::test]
async fn at_night_no_door_is_missed_and_one_that_was_never_there_never() {
    let house = House::new().await;
    house.token(Role::Admin).await;
    doors(&house, 2).await;
    online(&house, false).await;
    let never =
        |tx: &Tx<'_>| tx.execute("update device set last_seen = null where id = 'door-001'", []);
    house.app.db.write(never).await.unwrap();
    house.clock.advance(12 * 60 * MINUTE); // 20:45
    let mut watch = AlertWatch::default();
    minutes(&house, &mut watch, 30).await;
    assert_eq!(mails(&house).await.len(), 0);
    house.clock.advance(12 * 60 * MINUTE); // the next morning
    minutes(&house, &mut watch, 30).await;
    let text = mails(&house).await.remove(0)[2].clone();
    assert!(text.contains("door-000") && !text.contains("door-001"), "{text}");
}

#[tokio::test]
async fn a_door_that_is_cut_off_is_wrong_no_more() {
    let house = House::new().await;
    house.token(Role::Admin).await;
    doors(&house, 1).await;
    online(&house, false).await;
    let mut watch = AlertWatch::default();
    minutes(&house, &mut watch, 12).await;
    let admin = house.login(Role::Admin).await;
    let cut = house.send(post("/api/devices/door-000/revoke").bearer(&admin)).await;
    assert_eq!(cut.status(), 204);
    minutes(&house, &mut watch, 2).await;
    let subjects: Vec<_> = mails(&house).await.into_iter().map(|[_, subject, _]| subject).collect();
    assert_eq!(subjects, ["Doors: 1 new, 0 over", "Doors: 0 new, 1 over"]);
}

#[tokio::test]
async fn each_admin_says_whether_they_get_it_and_reads_it_in_their_own_language() {
    let house = House::new().await;
    house.token(Role::Admin).await;
    house.token(Role::Teacher).await;
    let session = house.session(&house.admin().await).await;
    let save = |fields: &'static [(&str, &str)]| {
        let form = post("/account/mail").header("accept-language", "fa").form(&session, fields);
        house.send(form)
    };
    assert_eq!(save(&[("mail_alerts", "on")]).await.status(), 303);
    doors(&house, 1).await;
    let mut watch = AlertWatch::default();
    online(&house, false).await;
    minutes(&house, &mut watch, 12).await;
    let all = mails(&house).await;
    assert_eq!(all.len(), 1, "teachers get none: {all:?}");
    assert!(all[0][1].starts_with("درها: ۱ هشدار تازه"), "{}", all[0][1]);
    assert_eq!(save(&[]).await.status(), 303);
    let admin = house.login(Role::Admin).await;
    let own = body(&house.send(get("/api/settings").bearer(&admin)).await);
    assert_eq!(own["preferences"]["mail_alerts"], json!(false));
    online(&house, true).await;
    minutes(&house, &mut watch, 12).await;
    assert_eq!(mails(&house).await.len(), 1);
}

#[tokio::test]
async fn alerts_that_are_over_go_as_what_doors_said_of_themselves() {
    let house = House::new().await;
    doors(&house, 1).await;
    let mut watch = AlertWatch::default();
    online(&house, false).await;
    minutes(&house, &mut watch, 12).await;
    let due = async || {
        let before = house.app.clock.wall();
        let kind = rules::retention::RetentionKind::Health;
        house.app.db.read(move |tx| store::retention::count(tx, kind, before)).await.unwrap()
    };
    assert_eq!(due().await, 0, "it holds");
    online(&house, true).await;
    minutes(&house, &mut watch, 12).await;
    assert_eq!(due().await, 1);
}
