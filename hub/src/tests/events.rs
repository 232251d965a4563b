//! Who hears of what, and for how long.

use super::{Carrying, House, NOW, post};
use acts::events::Event;
use api::events::{event_for, stream};
use futures_util::FutureExt as _;
use http::signed_in::{Proof, SignedIn};
use rules::auth::{Actor, Role};
use serde_json::json;
use std::convert::Infallible;
use std::pin::Pin;
use std::time::Duration;
use store::account::Account;
use tokio_stream::{Stream, StreamExt as _};
use warp::sse;
use wire::RecordId;

fn signed_in(proof: Proof, actor: Actor) -> SignedIn {
    let (name, proved) = ("Ada".into(), NOW);
    SignedIn { actor, name, proof, proved, again: false, lacks_factor: false }
}

/// A teacher's open stream, by the session `secret` or by `proof`.
async fn open(house: &House, proof: Proof, actor: Actor) -> Pin<Box<Streamed>> {
    let place = house.front.streams.clone().acquire_owned().await.unwrap();
    let by = signed_in(proof, actor);
    let mut heard = Box::pin(stream(house.front.clone(), by, place, false, LOOK));
    assert!(heard.next().now_or_never().is_some(), "it begins at once");
    heard
}

/// How often streams look at their session here.
const LOOK: Duration = Duration::from_millis(10);

type Streamed = dyn Stream<Item = Result<sse::Event, Infallible>> + Send + Sync;

#[tokio::test]
async fn a_stream_begins_with_an_id_to_come_back_with_and_whoever_does_has_missed_something() {
    let house = House::new().await;
    let account = house.account(Role::Teacher).await;
    let proof = Proof::Session(house.session(&account).await);
    for (comes_back, says) in [(false, "event:begun"), (true, "event:missed")] {
        let place = house.front.streams.clone().acquire_owned().await.unwrap();
        let (by, front) = (signed_in(proof.clone(), account.actor()), house.front.clone());
        let mut heard = Box::pin(stream(front, by, place, comes_back, LOOK));
        let first = heard.next().now_or_never().expect("that it begins at once");
        let first = first.unwrap().unwrap().to_string();
        let has_id =
            first.lines().any(|line| line.strip_prefix("id:").is_some_and(|id| !id.is_empty()));
        assert!(first.contains(says) && has_id, "{first}");
    }
}

#[tokio::test]
async fn an_open_page_is_told_to_load_again_where_another_hub_may_not_have_been_heard() {
    let house = House::new().await;
    let account = house.account(Role::Teacher).await;
    let proof = Proof::Session(house.session(&account).await);
    let mut heard = open(&house, proof, account.actor()).await;
    house.app.events.relay(Event::Missed);
    let told = tokio::time::timeout(Duration::from_secs(5), heard.next()).await;
    let told = told.expect("that it is told").unwrap().unwrap().to_string();
    assert!(told.contains("event:missed"), "{told}");
}

#[tokio::test]
async fn a_stream_ends_with_its_session_its_account_its_role_and_a_factor_that_is_lacking() {
    for end in [
        "delete from login_session",
        "update user_account set is_active = 0",
        "update user_account set role = 'student'",
        "insert into setting (name, value) values ('second_factor', 'teacher')",
    ] {
        let house = House::new().await;
        let account = house.account(Role::Teacher).await;
        let secret = house.session(&account).await;
        let mut heard = open(&house, Proof::Session(secret), account.actor()).await;
        let door = || Event::DeviceChanged("door-1".parse().unwrap());
        house.app.events.say(door());
        assert!(heard.next().await.is_some(), "{end}: as long as they are signed in");
        house.app.db.write(move |tx| tx.execute(end, [])).await.unwrap();
        house.app.events.say(door());
        assert!(heard.next().await.is_none(), "{end}: not one event more");
    }
}

#[tokio::test]
async fn a_silent_stream_ends_too_and_keeps_no_session_alive() {
    let house = House::new().await;
    let account = house.account(Role::Teacher).await;
    let secret = house.session(&account).await;
    let mut heard = open(&house, Proof::Session(secret), account.actor()).await;
    house.clock.set_wall(NOW.plus_ms(house.front.limits.idle_ms));
    assert!(heard.next().await.is_none());
    let family = Proof::Token(acts::auth::nonce());
    let mut heard = open(&house, family, account.actor()).await;
    assert!(heard.next().await.is_none(), "a family of tokens that was ended");
}

#[tokio::test]
async fn a_teacher_never_hears_of_another_ones_record() {
    let house = House::new().await;
    let token = house.school().await;
    let record: RecordId = house.pending(&token).await.parse().unwrap();
    let teacher = house.account(Role::Teacher).await;
    let heard = async |account: &Account, event| {
        let actor = Actor { user: account.id, role: Role::Teacher };
        event_for(&house.front, actor, event).await.is_some()
    };
    let all = [Event::PendingAdded(record), Event::Decided { record, by: teacher.id }];
    for event in all.clone() {
        assert!(!heard(&teacher, event).await, "not their class");
    }
    let class = json!({ "class_name": "7b", "class_code": "7B", "teacher_id": teacher.id });
    house.send(post("/api/classes").bearer(&token).json(&class)).await;
    let enter = json!({ "students": ["STU1"] });
    house.send(post("/api/classes/7B/students").bearer(&token).json(&enter)).await;
    for event in all {
        assert!(heard(&teacher, event).await, "their class");
    }
}
