//! Dead letters: one for each record that is truly at fault, whole, and replayed when it is mended.

use super::*;
use rusqlite::ffi::SQLITE_BUSY;
use store::{dead_letter, sample, trouble};

/// A bug of the hub: storing this one fails, whatever the store's health.
fn poison(rig: &Rig, table: &str, seq: u64) {
    let when = format!("before insert on {table}");
    sample::poison(rig.db.place(), ("poison", &when), &format!("new.seq = {seq}"));
}

fn mend(rig: &Rig, table: &str) {
    sample::mend(rig.db.place(), "poison", table);
}

async fn replayed(rig: &Rig, n: i64) -> Result<replay::Replayed, Error> {
    replay::replay(&rig.db, &rig.keys, &rig.schools, n, "ada".into(), NOW).await
}

#[tokio::test]
async fn one_poisonous_record_among_ten_thousand_is_one_letter_and_is_replayed_when_mended() {
    let rig = Rig::new().await;
    poison(&rig, "health", 4242);
    let mut rejects = Vec::new();
    for first in (1..=10_000).step_by(64) {
        let items = (first..(first + 64).min(10_001)).map(|seq| health(seq, 1)).collect();
        let ack = rig.batch(EPOCH, items).await;
        assert_eq!(ack.cum, (first + 63).min(10_000));
        rejects.extend(ack.rejects);
    }
    assert_eq!(rejects, [(4242, Reject::Malformed)]);
    assert_eq!((rig.count("health").await, rig.count("dead_letter").await), (9_999, 1));
    let still = replayed(&rig, 1).await;
    assert!(still.is_err(), "{still:?}");
    mend(&rig, "health");
    assert!(replayed(&rig, 1).await.unwrap().is_new);
    assert_eq!(rig.count("health").await, 10_000);
    assert_eq!(rig.count("dead_letter where replayed_at is null").await, 0);
    assert!(matches!(replayed(&rig, 1).await, Err(Error::Conflict(_))));
    assert_eq!(rig.count("receipt where disposition = 'health'").await, 10_000);
    assert_eq!(rig.count("audit where action = 'replay' and actor = 'ada'").await, 1);
}

#[tokio::test]
async fn a_letter_keeps_the_crop_and_the_card_has_it_after_the_replay() {
    let rig = Rig::new().await;
    poison(&rig, "sighting", 2);
    let seen = |seq| rig.pictured(EPOCH, seq, [1.0, 0.0, 0.0]);
    let ack = rig.batch(EPOCH, vec![seen(1), seen(2), seen(3)]).await;
    assert_eq!((ack.cum, ack.rejects), (3, vec![(2, Reject::Malformed)]));
    assert_eq!(rig.count("sighting").await, 2);
    mend(&rig, "sighting");
    let mut heard = rig.events.listen();
    for event in replayed(&rig, 1).await.unwrap().events {
        rig.events.say(event);
    }
    let id = RecordKey { device: device(), epoch: EPOCH, seq: 2 }.id();
    assert_eq!(heard.recv().await, Ok(Event::PendingAdded(id)));
    assert_eq!(rig.count("evidence where part = 'crop'").await, 3);
    assert_eq!(rig.count("dead_letter where item is not null").await, 0, "the copy is gone");
    assert_eq!(rig.batch(EPOCH, vec![seen(4)]).await.cum, 4);
}

#[tokio::test]
async fn what_was_stored_before_the_store_failed_is_told() {
    let rig = Rig::in_file().await;
    poison(&rig, "health", 2);
    let items = vec![rig.pictured(EPOCH, 1, [1.0, 0.0, 0.0]), health(2, 1)];
    let mut heard = rig.events.listen();
    for after in 0.. {
        trouble::plan(&rig.path, after, SQLITE_BUSY, false);
        let batch = Batch { epoch: EPOCH, items: items.clone() };
        let answer = rig.sent(Sent::Batch(batch)).await;
        trouble::mend(&rig.path);
        assert!(matches!(answer, DeliveryAnswer::Held), "{answer:?} at {after}");
        if rig.count("sighting").await == 1 {
            break;
        }
    }
    let id = RecordKey { device: device(), epoch: EPOCH, seq: 1 }.id();
    assert_eq!(heard.try_recv(), Ok(Event::PendingAdded(id)));
}

#[tokio::test]
async fn what_cannot_be_used_stays_until_it_is_dropped() {
    let rig = Rig::new().await;
    rig.batch(EPOCH, vec![Item { hash: [0; 16], ..health(1, 0) }]).await;
    let error = wire::EnvelopeError::Unknown { kind: 1, version: 9 };
    rig.sent(Sent::Poison(b"RC\x01\x09...".to_vec(), error)).await;
    for n in [1, 2] {
        assert!(matches!(replayed(&rig, n).await, Err(Error::Invalid(_))), "{n}");
    }
    let waiting = |tx: &Tx<'_>| Ok((dead_letter::waiting(tx, 0, 9)?, dead_letter::count(tx)?));
    let (letters, count) = rig.db.read(waiting).await.unwrap();
    assert_eq!((letters.len(), count), (2, (2, Some(NOW))));
    assert_eq!((letters[0].of, letters[1].of), (Some((EPOCH, 1)), None));
    rig.db.write(|tx| dead_letter::remove(tx, 1, "ada", NOW)).await.unwrap();
    let again = rig.db.write(|tx| dead_letter::remove(tx, 1, "ada", NOW)).await;
    assert!(matches!(again, Err(Error::NotFound(_))));
    assert_eq!(rig.db.read(dead_letter::count).await.unwrap().0, 1);
}

#[tokio::test]
async fn numbers_that_a_rolled_back_card_gave_out_again_are_stored_beside_the_first() {
    let rig = Rig::new().await;
    let first = rig.pictured(EPOCH, 1, [1.0, 0.0, 0.0]);
    rig.batch(EPOCH, vec![first]).await;
    let other = rig.sighting(EPOCH, 1, [0.0, 1.0, 0.0]).encode();
    let moved = |seq| {
        let body = Body::Moved(Moved { epoch: EPOCH, seq: 1, body: other.clone() });
        item(seq, AT, &body)
    };
    for (life, seq) in [(2, 1), (2, 1), (3, 9)] {
        let ack = rig.batch(Epoch([life; 16]), vec![moved(seq)]).await;
        assert_eq!(ack.rejects, [], "life {life}");
    }
    assert_eq!((rig.count("sighting").await, rig.count("dead_letter").await), (2, 0));
    let people =
        rig.texts("select predicted_student from sighting order by predicted_student").await;
    assert_eq!(people, [student(1).to_string(), student(2).to_string()]);
}

#[tokio::test]
async fn a_letter_of_a_number_that_was_given_out_again_is_replayed_beside_the_first() {
    let rig = Rig::new().await;
    rig.batch(EPOCH, vec![rig.pictured(EPOCH, 1, [1.0, 0.0, 0.0])]).await;
    let body = rig.sighting(EPOCH, 1, [0.0, 1.0, 0.0]).encode();
    let moved = item(2, AT, &Body::Moved(Moved { epoch: EPOCH, seq: 1, body }));
    poison(&rig, "sighting", 1);
    let ack = rig.batch(Epoch([2; 16]), vec![moved.clone()]).await;
    assert_eq!(ack.rejects, [(2, Reject::Malformed)]);
    mend(&rig, "sighting");
    assert!(replayed(&rig, 1).await.unwrap().is_new);
    assert_eq!(rig.batch(Epoch([2; 16]), vec![moved]).await.rejects, []);
    assert_eq!((rig.count("sighting").await, rig.count("dead_letter").await), (2, 1));
    assert_eq!(rig.count("dead_letter where replayed_at is null").await, 0);
}

#[tokio::test]
async fn a_conflict_of_one_life_is_a_letter_whose_replay_stores_it_beside_the_first() {
    let rig = Rig::new().await;
    rig.batch(EPOCH, vec![health(1, 1000)]).await;
    rig.batch(EPOCH, vec![health(1, 2000)]).await;
    assert!(replayed(&rig, 1).await.unwrap().is_new);
    assert_eq!(rig.count("health").await, 2);
}
