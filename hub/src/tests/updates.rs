//! Updates for doors: brought, handed on in stages, and what an admin sees of it.

use super::*;
use ed25519_dalek::SigningKey;
use rules::rollout::Stage;
use store::rollout::RolloutState;
use store::{Tx, device, rollout, update};
use wire::program::{Machine, Program, Progress, Step, pack};
use wire::{DeviceId, Direction};

const CODE: &[u8] = b"a program for doors";

fn key() -> SigningKey {
    SigningKey::from_bytes(&[1; 32])
}

/// The file that brings a program as `version`.
fn file(version: &str, key: &SigningKey) -> Vec<u8> {
    let program = Program {
        version: version.into(),
        machine: Machine::Arm64,
        released: NOW,
        length: CODE.len() as u64,
        blake3: *blake3::hash(CODE).as_bytes(),
    };
    pack(&program.sign(key), CODE)
}

async fn trust(house: &House) {
    let key = key().verifying_key().to_bytes();
    house.app.db.write(move |tx| update::trust(tx, &key, "test", NOW)).await.unwrap();
}

fn name(n: usize) -> DeviceId {
    format!("door-{n:02}").parse().unwrap()
}

/// So many doors, all connected, all for arm64.
async fn doors(house: &House, count: usize) {
    let place = || device::DevicePlace {
        room: String::new(),
        location: String::new(),
        direction: Direction::Both,
    };
    let write = move |tx: &Tx<'_>| {
        (0..count).try_for_each(|n| {
            device::add(tx, &name(n), &place(), "test", NOW)?;
            device::connected(tx, &name(n), true, (1, 1), NOW)?;
            rollout::heard(tx, &name(n), &said(0, Step::Idle, ""), NOW).map(drop)
        })
    };
    house.app.db.write(write).await.unwrap();
}

fn said(rollout: u32, step: Step, why: &str) -> Progress {
    let machine = Some(Machine::Arm64);
    Progress { machine, version: "0.1.0".into(), running: None, rollout, step, why: why.into() }
}

/// Half an hour and more before now.
const LONG_AGO: Wall = Wall(NOW.0 - 31 * 60_000);

/// Each door that was asked says `step`, and the hub looks when that is long ago.
async fn all_say(house: &House, n: u32, step: Step) {
    let write = move |tx: &Tx<'_>| {
        let asked = rollout::asked(tx, n)?.into_iter();
        let mut asked = asked.filter(|door| door.step == Step::Idle);
        asked.try_for_each(|door| {
            rollout::heard(tx, &door.id, &said(n, step, "it fell"), LONG_AGO).map(drop)
        })
    };
    house.app.db.write(write).await.unwrap();
    house.app.updates().look().await.unwrap();
}

async fn seen(house: &House, n: u32) -> (Stage, RolloutState, usize) {
    let read = move |tx: &Tx<'_>| Ok((rollout::get(tx, n)?, rollout::asked(tx, n)?.len()));
    let (known, asked) = house.app.db.read(read).await.unwrap();
    (known.stage, known.state, asked)
}

/// A program that is here, and the token of an admin.
async fn brought(house: &House) -> (String, String) {
    let token = house.token(Role::Admin).await;
    trust(house).await;
    let file = file("0.2.0", &key());
    let answer = house.send(parts("/api/updates", &token, &[], ("file", &file))).await;
    assert_eq!(answer.status(), 201, "{:?}", body(&answer));
    let id = body(&answer)["id"].as_str().unwrap().to_owned();
    (token, id)
}

#[tokio::test]
async fn only_a_program_that_the_school_trusts_is_taken() {
    let house = House::new().await;
    let token = house.token(Role::Admin).await;
    let send = |file: Vec<u8>| {
        let request = parts("/api/updates", &token, &[], ("file", &file));
        async { house.send(request).await }
    };
    let nobody = send(file("0.2.0", &key())).await;
    assert_eq!(nobody.status(), 409, "nobody is trusted yet");
    trust(&house).await;
    let stranger = send(file("0.2.0", &SigningKey::from_bytes(&[2; 32]))).await;
    assert_eq!(stranger.status(), 422);
    let changed = send([&file("0.2.0", &key())[..], b"!"].concat()).await;
    assert_eq!(changed.status(), 422);
    let good = body(&send(file("0.2.0", &key())).await);
    assert_eq!((&good["version"], &good["machine"]), (&json!("0.2.0"), &json!("arm64")));
    let teacher = house.token(Role::Teacher).await;
    assert_eq!(house.send(get("/api/updates").bearer(&teacher)).await.status(), 403);
}

#[tokio::test]
async fn an_update_goes_to_one_door_then_a_tenth_then_all() {
    let house = House::new().await;
    let (token, id) = brought(&house).await;
    doors(&house, 20).await;
    let begin = json!({ "update_id": id, "first_device_id": "door-07" });
    let begun = body(&house.send(post("/api/rollouts").bearer(&token).json(&begin)).await);
    let n = u32::try_from(begun["number"].as_u64().unwrap()).unwrap();
    house.app.updates().look().await.unwrap();
    assert_eq!(seen(&house, n).await, (Stage::One, RolloutState::Going, 1));
    let offers = house.app.db.read(rollout::offers).await.unwrap();
    assert_eq!(offers.keys().collect::<Vec<_>>(), [&name(7)]);
    assert!(offers[&name(7)].signed.is_some());
    all_say(&house, n, Step::Settled).await;
    house.app.updates().look().await.unwrap();
    assert_eq!(seen(&house, n).await, (Stage::Tenth, RolloutState::Going, 2));
    all_say(&house, n, Step::Settled).await;
    house.app.updates().look().await.unwrap();
    assert_eq!(seen(&house, n).await, (Stage::All, RolloutState::Going, 20));
    let page = house.page(&token, "/updates").await;
    assert!(page.contains("2 of 20 doors run it") && page.contains("was told"), "{page}");
    all_say(&house, n, Step::Settled).await;
    assert!(house.page(&token, "/updates").await.contains("everywhere"));
}

#[tokio::test]
async fn a_refusal_halts_it_and_an_admin_may_go_on_or_end_it() {
    let house = House::new().await;
    let (token, id) = brought(&house).await;
    doors(&house, 20).await;
    house.fill(&token, "/updates/begin", &[("update_id", &id)]).await;
    house.app.updates().look().await.unwrap();
    all_say(&house, 1, Step::Refused).await;
    assert_eq!(seen(&house, 1).await, (Stage::One, RolloutState::Halted, 1));
    let page = house.page(&token, "/updates").await;
    assert!(page.contains("doors refuse it") && page.contains("it fell"), "{page}");
    let offers = house.app.db.read(rollout::offers).await.unwrap();
    assert_eq!(offers[&name(0)].signed, None, "nobody is offered what was halted");
    house.fill(&token, "/updates/say", &[("number", "1"), ("state", "going")]).await;
    house.app.updates().look().await.unwrap();
    assert_eq!(seen(&house, 1).await, (Stage::One, RolloutState::Going, 2));
    house.fill(&token, "/updates/say", &[("number", "1"), ("state", "ended")]).await;
    assert_eq!(seen(&house, 1).await.1, RolloutState::Ended);
    let again = house.fill(&token, "/updates/say", &[("number", "1"), ("state", "going")]).await;
    assert_eq!(again.status(), 409, "what has ended stays so");
}

#[tokio::test]
async fn a_newer_rollout_takes_the_place_of_the_one_before() {
    let house = House::new().await;
    let (token, id) = brought(&house).await;
    doors(&house, 3).await;
    for _ in 0..2 {
        let begin = post("/api/rollouts").bearer(&token).json(&json!({ "update_id": id }));
        assert_eq!(house.send(begin).await.status(), 201);
        house.app.updates().look().await.unwrap();
    }
    assert_eq!(seen(&house, 1).await.1, RolloutState::Ended);
    assert_eq!(seen(&house, 2).await.1, RolloutState::Going);
    let offers = house.app.db.read(rollout::offers).await.unwrap();
    assert_eq!(offers[&name(0)].rollout, 2);
}
