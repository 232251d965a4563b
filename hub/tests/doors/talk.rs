//! What honest doors do.

use crate::phone::{Phone, options, will};
use crate::rig::{Hub, SOON};
use acts::events::Event;
use rumqttc::v5::mqttbytes::v5::DisconnectReasonCode;
use store::{Tx, door_settings, release};
use tokio::time::timeout;
use wire::care::{Condition, Conflict, ConflictKind, Grasp, Running, Tail, TailLevel, TailLine};
use wire::link::{Command, Desired, Settings, Snap, Status, Vitals};
use wire::record::{Blind, CameraState, Health, Watch};
use wire::time::{Clock, SystemClock};
use wire::topic::Leaf;
use wire::{Body, ClockState, Epoch, Item, Manifest, Message, Mono, Stamp, Wall};

pub const EPOCH: Epoch = Epoch([1; 16]);

pub fn health(seq: u64) -> Item {
    let camera = CameraState::Watching;
    let body = Health { since: Mono(0), watched_ms: 5000, camera, disk_free_mb: 9 };
    of(seq, &Body::Health(body))
}

fn of(seq: u64, body: &Body) -> Item {
    let at = Stamp { boot: 1, mono: Mono(5000), wall: None, clock: ClockState::Unset };
    let body = body.encode();
    Item { seq, at, hash: Item::digest(seq, &at, &body), body, crop: None }
}

fn desired(message: Message) -> Option<Desired> {
    if let Message::Desired(desired) = message { Some(desired) } else { None }
}

#[tokio::test]
async fn a_hello_is_answered_with_cursor_time_and_wish() {
    let hub = Hub::new().await;
    let door = hub.door("d1").await;
    let mut phone = Phone::call(&hub, &door).await;
    phone.hello(EPOCH);
    let ack = phone.ack().await;
    assert_eq!((ack.hub_epoch, ack.epoch, ack.cum), (Epoch([9; 16]), EPOCH, 0));
    let echo = phone.hear(|m| if let Message::Time(time) = m { Some(time.echo) } else { None });
    assert_eq!(echo.await, Some(Mono(77)));
    let wish = phone.hear(desired).await;
    assert_eq!(wish.room, "204");
}

#[tokio::test]
async fn a_door_hears_which_run_the_hub_knows_and_an_old_copy_that_it_is_one() {
    let hub = Hub::new().await;
    let door = hub.door("d1").await;
    let mut phone = Phone::call(&hub, &door).await;
    let run = |message| if let Message::Heard(heard) = message { Some(heard.run) } else { None };
    phone.hello(EPOCH);
    assert_eq!(phone.hear(run).await, None, "this one says none");
    phone.greet(EPOCH, 50, &[(7, 1)]);
    assert_eq!(phone.ack().await.max_seq, 0);
    assert_eq!(phone.hear(run).await, Some(7));
    phone.greet(EPOCH, 90, &[(7, 1), (8, 40)]);
    phone.hear(run).await;
    phone.greet(EPOCH, 90, &[(7, 1), (9, 30)]);
    assert!(
        phone.hear(|m| if let Message::Ack(ack) = m { Some(ack.max_seq > 90) } else { None }).await
    );
    phone.greet(EPOCH, 90, &vec![(7, 1); wire::link::RUNS + 1]);
    assert_eq!(phone.cut().await, Some(DisconnectReasonCode::PacketTooLarge));
}

#[tokio::test]
async fn a_door_is_asked_how_its_board_is_and_what_it_says_is_known_and_never_stored() {
    let hub = Hub::new().await;
    let door = hub.door("d1").await;
    let mut phone = Phone::call(&hub, &door).await;
    phone.hello(EPOCH);
    let every = |m| if let Message::Interest(interest) = m { Some(interest.every_s) } else { None };
    assert_eq!(phone.hear(every).await, 60);
    let hot = Vitals { celsius: Some(83), ..Vitals::default() };
    phone.say(Leaf::Vitals, hot);
    phone.acknowledged(2).await;
    let app = &hub.running.app;
    assert_eq!(app.boards.of(&door.id, app.clock.mono()).vitals, Some(hot));
    phone.say(Leaf::Vitals, Status { online: true, connection: 1, boot: 1 });
    phone.acknowledged(3).await;
    assert_eq!(hub.count("dead_letter").await, 1, "only vitals are said there");
}

#[tokio::test]
async fn a_batch_is_stored_before_anything_is_acknowledged() {
    let hub = Hub::new().await;
    let door = hub.door("d1").await;
    let mut phone = Phone::call(&hub, &door).await;
    phone.batch(EPOCH, vec![health(1), health(2)]);
    phone.acknowledged(1).await;
    assert_eq!(hub.count("health").await, 2);
    let first = phone.ack().await;
    assert_eq!((first.cum, first.max_seq), (2, 2));
    phone.batch(EPOCH, vec![health(1), health(2)]);
    assert_eq!(phone.ack().await, first, "a duplicate hears the same");
    assert_eq!(hub.count("receipt").await, 2);
}

#[tokio::test]
async fn a_door_that_says_all_it_has_to_say_is_not_kept_waiting() {
    let hub = Hub::new().await;
    let door = hub.door("d1").await;
    let mut phone = Phone::call(&hub, &door).await;
    phone.hello(EPOCH);
    for connection in 1..=6 {
        phone.say(Leaf::Status, Status { online: true, connection, boot: 1 });
        phone.say(Leaf::Config, Running { values: vec![], conflicts: vec![] });
        phone.say(Leaf::Vitals, Vitals::default());
    }
    phone.batch(EPOCH, vec![health(1)]);
    phone.acknowledged(20).await;
    assert_eq!(hub.count("health").await, 1);
}

#[tokio::test]
async fn an_unknown_version_is_set_aside_and_the_next_batch_is_not() {
    let hub = Hub::new().await;
    let door = hub.door("d1").await;
    let mut phone = Phone::call(&hub, &door).await;
    let (topic, qos) = (Leaf::Up.topic(&door.id), rumqttc::v5::mqttbytes::QoS::AtLeastOnce);
    phone.client.try_publish(topic, qos, false, &b"RC\x01\x63\0\0\0\0\0\0\0\0\0"[..]).unwrap();
    phone.batch(EPOCH, vec![health(1)]);
    assert_eq!(phone.ack().await.cum, 1);
    assert_eq!(hub.count("dead_letter").await, 1);
}

#[tokio::test]
async fn a_new_release_is_pushed_at_once() {
    let hub = Hub::new().await;
    let door = hub.door("d1").await;
    let mut phone = Phone::call(&hub, &door).await;
    phone.hear(desired).await;
    let (now, device, app) = (SystemClock.wall(), door.id.clone(), &hub.running.app);
    let manifest = Manifest {
        device,
        version: 70,
        created: now,
        expires: now.plus_ms(1_000_000_000),
        purge_before: 0,
        model: app.gallery.model().clone(),
        people: 0,
        size: 0,
        blake3: [0; 32],
    };
    let signed = manifest.sign(&app.keys.signing().unwrap());
    app.db.write(move |tx| release::add(tx, &manifest, &signed)).await.unwrap();
    app.events.say(Event::GalleryChanged);
    let pushed = phone.hear(|m| desired(m).filter(|wish| wish.gallery >= 70)).await;
    assert_ne!(pushed.manifest, [0; 32]);
}

#[tokio::test]
async fn a_door_is_told_its_settings_when_it_comes_and_when_they_change() {
    let hub = Hub::new().await;
    let door = hub.door("d1").await;
    let mut phone = Phone::call(&hub, &door).await;
    let said = |message| if let Message::Settings(said) = message { Some(said) } else { None };
    assert_eq!(phone.hear(said).await, Settings::default());
    let new = Settings { crops: Some(false), ..Settings::default() };
    let id = door.id.clone();
    let write = move |tx: &Tx<'_>| door_settings::set(tx, &id, &new, 1, "admin", Wall(1));
    hub.running.app.db.write(write).await.unwrap();
    assert_eq!(phone.hear(said).await, new);
}

#[tokio::test]
async fn a_door_does_what_it_is_told() {
    let hub = Hub::new().await;
    let door = hub.door("d1").await;
    let mut phone = Phone::call(&hub, &door).await;
    hub.running.app.online.command(&door.id, Command::Snap).unwrap();
    let command = phone.hear(|m| if let Message::Command(c) = m { Some(c) } else { None });
    assert_eq!(command.await, Command::Snap);
}

#[tokio::test]
async fn a_door_that_vanishes_is_offline_and_one_that_came_back_is_not() {
    let hub = Hub::new().await;
    let door = hub.door("d1").await;
    let mut heard = hub.running.app.events.listen();
    let status = |online, connection| Status { online, connection, boot: 1 };
    let mut wills = Vec::new();
    for connection in [1, 2] {
        let gone = Message::from(status(false, connection)).encode();
        let mut options = options(&hub, &door);
        options.set_last_will(will(&Leaf::Status.topic(&door.id), gone));
        let mut phone = Phone::dial(&door, options);
        phone.listen().await.unwrap();
        phone.say(Leaf::Status, status(true, connection));
        phone.acknowledged(1).await;
        wills.push(phone);
    }
    let newer = wills.pop().unwrap();
    drop(wills); // the older connection was ended: its will says nothing
    assert_eq!(hub.count("device where online = 1 and connection = 2").await, 1);
    drop(newer);
    while hub.count("device where online = 1").await > 0 {
        timeout(SOON, heard.recv()).await.expect("the door's state changes soon").unwrap();
    }
}

#[tokio::test]
async fn a_picture_is_taken_once_when_asked_for_and_never_stored() {
    let hub = Hub::new().await;
    let door = hub.door("d1").await;
    let app = &hub.running.app;
    let mut heard = app.events.listen();
    let mut phone = Phone::call(&hub, &door).await;
    let show = |phone: &Phone, why: &str| phone.say(Leaf::Snap, Snap::Trouble(why.into()));
    let seen = || app.snaps.see(&door.id, &app.keys, app.clock.mono()).unwrap_err().to_string();
    show(&phone, "nobody asked");
    phone.acknowledged(1).await;
    app.snaps.ask(&door.id, app.clock.mono());
    assert!(seen().contains("not here yet"), "what came before was dropped");
    show(&phone, "it is dark");
    show(&phone, "it is light");
    phone.acknowledged(3).await;
    assert!(seen().contains("it is dark"), "the first answer counts");
    let said = async { while heard.recv().await.unwrap() != Event::Snapped(door.id.clone()) {} };
    timeout(SOON, said).await.unwrap();
    assert_eq!(hub.count("dead_letter").await, 0);
}

#[tokio::test]
async fn a_log_is_taken_once_when_asked_for_and_no_larger_than_a_door_keeps() {
    let hub = Hub::new().await;
    let door = hub.door("d1").await;
    let app = &hub.running.app;
    let mut phone = Phone::call(&hub, &door).await;
    let tail = |count: usize| {
        let line = TailLine { ago_ms: 5, level: TailLevel::Warn, text: "no hub".into() };
        Tail { missed: 1, lines: vec![line; count] }
    };
    let read = || app.tails.see(&door.id, app.clock.mono()).map(|(read, _)| read.lines.len());
    phone.say(Leaf::Log, tail(1));
    phone.acknowledged(1).await;
    assert!(read().is_err(), "nobody asked");
    app.tails.ask(&door.id, app.clock.mono());
    phone.say(Leaf::Log, tail(Tail::LINES + 1));
    phone.say(Leaf::Log, tail(2));
    phone.say(Leaf::Log, tail(3));
    phone.acknowledged(4).await;
    assert_eq!(read().unwrap(), 2);
    assert_eq!(hub.count("dead_letter").await, 0);
}

#[tokio::test]
async fn a_door_hears_how_much_the_hub_understands_and_what_it_says_then_is_known() {
    let hub = Hub::new().await;
    let door = hub.door("d1").await;
    let mut phone = Phone::call(&hub, &door).await;
    phone.hello(EPOCH);
    let level = |m| if let Message::Grasp(grasp) = m { Some(grasp.level) } else { None };
    assert_eq!(phone.hear(level).await, Grasp::CARE);
    let condition = Condition {
        focus: Some(61),
        light: None,
        waiting: 7,
        dropped_looks: 0,
        dropped_frames: 2,
        clock: ClockState::Ntp,
        clock_err_ms: Some(100),
        disk_free_mb: 9_000,
    };
    phone.say(Leaf::Vitals, condition);
    let line = Conflict {
        kind: ConflictKind::Line,
        key: "trigger.gpio.line".into(),
        asked: "25".into(),
        got: "busy".into(),
    };
    let running = Running { values: vec![], conflicts: vec![line] };
    phone.say(Leaf::Config, running.clone());
    let dark = Watch { blind: vec![(Blind::Dark, 4_000)], ..watch() };
    phone.batch(EPOCH, vec![of(1, &Body::Watch(dark))]);
    phone.acknowledged(4).await;
    let app = &hub.running.app;
    assert_eq!(app.boards.of(&door.id, app.clock.mono()).condition, Some(condition));
    assert_eq!(app.boards.running(&door.id).as_deref(), Some(&running));
    let _another_unit = Phone::call(&hub, &door).await;
    assert_eq!(app.boards.running(&door.id), None, "what the unit before said is not its");
    assert_eq!((hub.count("health").await, hub.count("dead_letter").await), (1, 0));
}

/// What a door could have recognised in five seconds: nobody.
fn watch() -> Watch {
    Watch {
        since: Mono(0),
        usable_ms: 0,
        blind: vec![],
        camera: CameraState::Watching,
        disk_free_mb: 9,
        gallery: 0,
        model: "m-1".parse().unwrap(),
        fired: 0,
        looks: 0,
        dropped: 0,
        refused: 0,
        err_ms: None,
    }
}

#[tokio::test]
async fn the_newer_of_two_connections_wins() {
    let hub = Hub::new().await;
    let door = hub.door("d1").await;
    let mut old = Phone::call(&hub, &door).await;
    let mut new = Phone::call(&hub, &door).await;
    assert_eq!(old.cut().await, Some(DisconnectReasonCode::SessionTakenOver));
    new.batch(EPOCH, vec![health(1)]);
    assert_eq!(new.ack().await.cum, 1);
}

#[tokio::test]
async fn a_stopping_hub_says_so() {
    let hub = Hub::new().await;
    let door = hub.door("d1").await;
    let mut phone = Phone::call(&hub, &door).await;
    let (stopped, code) = tokio::join!(hub.running.stop(), phone.cut());
    stopped.unwrap();
    assert_eq!(code, Some(DisconnectReasonCode::ServerShuttingDown));
}
