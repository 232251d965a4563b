//! Two hubs of one school side by side, on the server that `tests/postgres/run` starts.

use crate::phone::{Phone, options, will};
use crate::rig::{Door, Hub, SOON, keys, settings};
use crate::talk::{EPOCH, health};
use acts::events::Event;
use acts::sharing;
use std::time::Duration;
use store::keys::{Admission, Keys};
use store::{Database, Db, Server, Tx, setting};
use tokio::time::{Instant, sleep, timeout};
use wire::link::{Command, Snap, Status};
use wire::time::{Clock, SystemClock};
use wire::topic::Leaf;
use wire::{DeviceId, Epoch, Message};

/// Hubs of one school.
struct Two {
    north: Hub,
    south: Hub,
}

/// Waits until `is_so`.
async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !is_so().await {
        assert!(begun.elapsed() < SOON, "{what}");
        sleep(Duration::from_millis(20)).await;
    }
}

/// Where the school of this test lies; nowhere without a server.
fn place() -> Option<String> {
    let url = std::env::var("ROLLCALL_TEST_POSTGRES").ok()?;
    Some(format!("database = \"{url}?schema=h{:x}\"", rand::random::<u64>()))
}

impl Two {
    async fn new() -> Option<Self> {
        let place = place()?;
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let alone = settings(one.path(), &place);
        let db = Db::open(alone.database()).unwrap();
        let write = |tx: &Tx<'_>| setting::set(tx, "hub_epoch", &Epoch([9; 16]).to_string());
        db.write(write).await.unwrap();
        let Database::Server(server) = alone.database() else { unreachable!("it is a URL") };
        sharing::share(&keys(one.path()), &server, "north", "zone = \"UTC\"", SystemClock.wall())
            .unwrap();
        let shared = format!("{place}\npostgres.shared_keys = true");
        let north = Hub::start(settings(one.path(), &shared), one).await;
        Self::join(&server, &north, other.path()).await;
        let south = Hub::start(settings(other.path(), &shared), other).await;
        let two = Self { north, south };
        until("they hear of each other", async || {
            [&two.north, &two.south].iter().all(|hub| hub.running.app.hubs.others().len() == 1)
        })
        .await;
        Some(two)
    }

    async fn join(server: &Server, north: &Hub, dir: &std::path::Path) {
        let (server, app) = (server.keys().unwrap(), &north.running.app);
        let now = SystemClock.wall();
        let asked = Admission::ask(&server, dir, "south", now).unwrap();
        let by = "test".to_owned();
        sharing::admit(&app.db, &app.keys, "south", &asked.code, by, now).await.unwrap();
        assert!(asked.is_granted().unwrap());
    }

    async fn door(&self) -> Door {
        let door = self.north.door("d1").await;
        self.south.running.app.follower().refresh().await.unwrap();
        door
    }
}

fn has(hub: &Hub, door: &DeviceId) -> bool {
    hub.running.app.online.has(door)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_file_of_keys_goes_once_they_are_shared() {
    let Some(two) = Two::new().await else { return };
    let dir = &two.north.running.app.config.data;
    assert!(!dir.join("keys.db").exists() && dir.join("kek").exists());
    assert!(Keys::open(dir).is_err());
    assert_eq!(sharing::settings(&two.south.running.app.keys).unwrap(), "zone = \"UTC\"");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_at_one_hub_is_heard_at_the_other() {
    let Some(two) = Two::new().await else { return };
    let mut heard = two.north.running.app.events.listen();
    let job = uuid::Uuid::from_u128(7);
    two.south.running.app.events.say(Event::SessionClosed(job));
    let said = async { while heard.recv().await.unwrap() != Event::SessionClosed(job) {} };
    timeout(SOON, said).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_door_is_connected_to_one_hub_the_newer_one_and_told_by_any() {
    let Some(two) = Two::new().await else { return };
    let door = two.door().await;
    let mut first = Phone::call(&two.north, &door).await;
    until("it is there", async || has(&two.north, &door.id)).await;
    let mut second = Phone::call(&two.south, &door).await;
    until("the older one lets go", async || !has(&two.north, &door.id)).await;
    assert!(first.cut().await.is_some() && has(&two.south, &door.id));
    let doors = two.north.running.app.doors();
    let now = SystemClock.wall();
    let (told, order) = tokio::join!(
        doors.tell(&door.id, Command::Snap, "test".into(), now),
        second.hear(|m| if let Message::Command(c) = m { Some(c) } else { None }),
    );
    told.unwrap();
    assert_eq!(order, Command::Snap);
    let app = &two.north.running.app;
    let seen = || app.snaps.see(&door.id, &app.keys, app.clock.mono()).unwrap_err().to_string();
    second.say(Leaf::Snap, Snap::Trouble("it is dark".into()));
    second.acknowledged(1).await;
    until("the picture comes to whoever asked", async || seen().contains("it is dark")).await;
    drop(second);
    until("it is gone", async || !has(&two.south, &door.id)).await;
    let told = doors.tell(&door.id, Command::Snap, "test".into(), now).await;
    assert!(told.unwrap_err().to_string().contains("not connected"));
}

#[tokio::test(flavor = "multi_thread")]
async fn records_of_a_door_are_settled_once_whichever_hub_hears_them() {
    let Some(two) = Two::new().await else { return };
    let door = two.door().await;
    let items = || (1..=20).map(health).collect::<Vec<_>>();
    for hub in [&two.north, &two.south, &two.north] {
        let mut phone = Phone::call(hub, &door).await;
        phone.hello(EPOCH);
        phone.ack().await;
        phone.batch(EPOCH, items());
        assert_eq!(phone.ack().await.cum, 20);
    }
    assert_eq!(two.south.count("receipt").await, 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_door_that_is_cut_off_at_one_hub_is_cut_off_at_the_other_within_a_second() {
    let Some(two) = Two::new().await else { return };
    let door = two.door().await;
    let mut phone = Phone::call(&two.south, &door).await;
    until("it is there", async || has(&two.south, &door.id)).await;
    let begun = Instant::now();
    two.north.revoke(&door).await;
    assert!(phone.cut().await.is_some());
    println!("cut off after {} ms", begun.elapsed().as_millis());
    assert!(begun.elapsed() < Duration::from_secs(2), "one second, on a machine that has time");
}

#[tokio::test(flavor = "multi_thread")]
async fn doors_of_a_hub_that_ends_are_noted_as_gone_and_its_duty_goes_on() {
    let Some(two) = Two::new().await else { return };
    let door = two.door().await;
    let Two { north, south } = two;
    until("somebody has the duty", async || {
        north.running.app.duty.is_ours() != south.running.app.duty.is_ours()
    })
    .await;
    let (first, other) =
        if north.running.app.duty.is_ours() { (north, south) } else { (south, north) };
    let gone = Message::from(Status { online: false, connection: 1, boot: 1 }).encode();
    let mut options = options(&first, &door);
    options.set_last_will(will(&Leaf::Status.topic(&door.id), gone));
    let mut phone = Phone::dial(&door, options);
    phone.listen().await.unwrap();
    phone.say(Leaf::Status, Status { online: true, connection: 1, boot: 1 });
    phone.acknowledged(1).await;
    assert_eq!(other.count("device where online = 1").await, 1);
    let first_name = first.running.app.hubs.name().to_owned();
    first.running.stop().await.unwrap();
    until("the other has the duty", async || other.running.app.duty.is_ours()).await;
    until("it is not there any more", async || other.running.app.hubs.others().is_empty()).await;
    println!("{first_name} ended");
    until("its doors are noted", async || other.count("device where online = 1").await == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn both_hubs_hand_out_one_gallery() {
    let Some(two) = Two::new().await else { return };
    let door = two.door().await;
    let manifest = |hub: &Hub| {
        let release = hub.running.app.gallery.release(&door.id);
        release.map(|release| release.manifest.clone())
    };
    for hub in [&two.north, &two.south] {
        hub.running.app.galleries().follow().await.unwrap();
    }
    until("both have it", async || manifest(&two.north).is_some()).await;
    assert_eq!(manifest(&two.north), manifest(&two.south));
    assert_eq!(two.north.count("gallery_release").await, 1);
}
