//! A card that is replaced, emptied or put back: what the hub heard of and never got is told as
//! lost, with its numbers, and nobody is absent by what such a door says.

use super::*;
use store::loss;

const NEW: Epoch = Epoch([2; 16]);
/// More than any card has sent.
const OLD_COPY: u64 = i64::MAX.cast_unsigned();

impl Rig {
    /// What is told of the first life: its numbers, and since when.
    async fn told(&self) -> Vec<(Vec<(u64, u64)>, Option<Wall>)> {
        let told = self.db.read(|tx| loss::list(tx, Some(&device()), Wall(0), 9)).await.unwrap();
        let one = |loss: loss::LossRow| {
            assert_eq!((loss.cause.as_str(), loss.span.1), (loss::CARD, Some(NOW)));
            (loss.gone.into(), loss.span.0)
        };
        told.into_iter().map(one).collect()
    }

    async fn seen(&self, numbers: impl IntoIterator<Item = u64>) {
        let one = |seq| item(seq, AT, &self.sighting(EPOCH, seq, [1.0, 0.0, 0.0]));
        self.batch(EPOCH, numbers.into_iter().map(one).collect()).await;
    }
}

#[tokio::test]
async fn what_a_lost_card_had_not_sent_is_told_with_its_numbers() {
    let rig = Rig::new().await;
    rig.hello(EPOCH, 10).await;
    rig.seen([1, 2, 3, 4, 6]).await;
    rig.hello(EPOCH, 10).await;
    assert_eq!(rig.told().await, [], "the card lives");
    rig.hello(NEW, 0).await;
    assert_eq!(rig.told().await, [(vec![(5, 5), (7, 10)], AT.wall)]);
    rig.hello(NEW, 1).await;
    rig.batch(NEW, vec![health(1, 5)]).await;
    assert_eq!(rig.told().await.len(), 1, "once");
    let span = (NOW.plus_ms(-30_000), NOW);
    let doors = rig.db.read(move |tx| store::watch::doors(tx, "204", span)).await.unwrap();
    assert!(doors[0].lost, "no absence stands on it");
}

#[tokio::test]
async fn a_card_that_was_put_back_brings_its_own_first() {
    let rig = Rig::new().await;
    rig.hello(EPOCH, 7).await;
    rig.seen([1, 2, 3, 6, 7]).await;
    rig.hello(EPOCH, 5).await;
    rig.hello(NEW, 2).await;
    assert_eq!(rig.told().await, [], "it may have what is missing");
    let moved = |seq| {
        let body = rig.sighting(EPOCH, seq, [1.0, 0.0, 0.0]).encode();
        Body::Moved(Moved { epoch: EPOCH, seq, body })
    };
    rig.batch(NEW, vec![item(1, AT, &moved(4))]).await;
    assert_eq!(rig.told().await, []);
    let at = Stamp { mono: Mono(9_000), ..AT };
    rig.batch(NEW, vec![item(2, at, &moved(8))]).await;
    assert_eq!(rig.told().await, [(vec![(5, 5)], AT.wall)]);
    assert_eq!(rig.count("sighting").await, 7);
}

#[tokio::test]
async fn a_card_that_gave_out_more_before_is_told_that_it_is_an_old_copy() {
    let rig = Rig::new().await;
    assert_eq!(rig.hello(EPOCH, 900).await.max_seq, 0, "nothing of it came");
    rig.seen([1]).await;
    assert_eq!(rig.hello(EPOCH, 950).await.max_seq, 1, "it is further");
    assert_eq!(rig.hello(EPOCH, 20).await.max_seq, OLD_COPY);
    rig.hello(NEW, 0).await;
    assert_eq!(rig.told().await, [(vec![(2, 950)], AT.wall)]);
}

#[tokio::test]
async fn a_card_that_comes_back_still_brings_what_was_told_as_lost() {
    let rig = Rig::new().await;
    rig.hello(EPOCH, 3).await;
    rig.seen([1]).await;
    rig.hello(NEW, 0).await;
    assert_eq!(rig.told().await, [(vec![(2, 3)], AT.wall)]);
    assert_eq!(rig.hello(EPOCH, 3).await.cum, 1, "it is not said to be here");
    rig.seen([2, 3]).await;
    assert_eq!(rig.count("sighting").await, 3);
}

/// A moment of `boot` in which its door did not know the time.
fn timeless(boot: u32, mono: u64) -> Stamp {
    Stamp { boot, mono: Mono(mono), wall: None, clock: ClockState::Unset }
}

fn moved(seq: u64, at: Stamp, first: u64, body: &Body) -> Item {
    let body = Moved { epoch: EPOCH, seq: first, body: body.encode() };
    item(seq, at, &Body::Moved(body))
}

const DATES: &str = "select coalesce(cast(at as text), '?') from sighting order by epoch, seq";

#[tokio::test]
async fn a_boot_number_that_was_given_out_again_is_another_boot() {
    let rig = Rig::new().await;
    let (lost, new) = (Wall(NOW.0 - 9_000_000), Wall(NOW.0 - 30_000));
    rig.hello_in(EPOCH, 6, 1).await;
    rig.batch(EPOCH, vec![anchor(1, 6, 320_000, lost)]).await;
    rig.hello_in(NEW, 6, 1).await;
    let seen = |epoch, seq| rig.sighting(epoch, seq, [1.0, 0.0, 0.0]);
    rig.batch(NEW, vec![item(1, timeless(6, 20_000), &seen(NEW, 1))]).await;
    assert_eq!(rig.texts(DATES).await, ["?"], "the other life's anchor says nothing of it");
    rig.batch(EPOCH, vec![anchor(2, 6, 330_000, lost), anchor(3, 7, 9, lost)]).await;
    assert_eq!(rig.texts(DATES).await, ["?"], "nor do those that come later");
    rig.batch(NEW, vec![anchor(2, 6, 320_000, new)]).await;
    assert_eq!(rig.texts(DATES).await, [(new.0 - 300_000).to_string()]);
    rig.batch(EPOCH, vec![item(4, timeless(6, 20_000), &seen(EPOCH, 4))]).await;
    assert_eq!(rig.texts(DATES).await[0], (lost.0 - 300_000).to_string(), "each by its own");
}

#[tokio::test]
async fn what_moved_keeps_its_anchors_those_before_and_those_after() {
    let rig = Rig::new().await;
    let (before, after) = (Wall(NOW.0 - 9_000_000), Wall(NOW.0 - 30_000));
    rig.hello_in(EPOCH, 5, 3).await;
    rig.batch(EPOCH, vec![anchor(1, 5, 320_000, before)]).await;
    rig.hello_in(NEW, 6, 3).await;
    let seen = |seq| rig.sighting(EPOCH, seq, [1.0, 0.0, 0.0]);
    let of_before = moved(1, timeless(5, 20_000), 2, &seen(2));
    let of_now = moved(2, timeless(6, 20_000), 3, &seen(3));
    rig.batch(NEW, vec![of_before, of_now]).await;
    assert_eq!(rig.texts(DATES).await, [(before.0 - 300_000).to_string(), "?".into()]);
    rig.batch(NEW, vec![anchor(3, 6, 320_000, after)]).await;
    assert_eq!(rig.texts(DATES).await[1], (after.0 - 300_000).to_string());
}

#[tokio::test]
async fn a_door_whose_card_was_put_back_after_a_new_one_is_online() {
    let rig = Rig::new().await;
    let says = |boot, online| Sent::Status(Status { online, connection: 9, boot });
    let online = "device where online = 1";
    rig.hello_in(EPOCH, 6, 1).await;
    rig.sent(says(6, true)).await;
    rig.hello_in(NEW, 29_000_000, 1).await;
    rig.sent(says(29_000_000, true)).await;
    rig.sent(says(29_000_000, false)).await;
    rig.hello_in(EPOCH, 7, 1).await;
    assert_eq!(rig.count(online).await, 1, "it greets: it is here");
    rig.sent(says(6, false)).await;
    assert_eq!(rig.count(online).await, 1, "an older connection says nothing");
    rig.sent(says(7, false)).await;
    assert_eq!(rig.count(online).await, 0);
}

#[tokio::test]
async fn an_old_copy_is_known_however_many_numbers_it_gave_out() {
    let rig = Rig::new().await;
    let greet = async |max_seq, runs: &[(u64, u64)]| rig.greet(EPOCH, 1, max_seq, runs).await;
    assert_eq!(greet(50, &[(1, 1)]).await.max_seq, 0);
    rig.seen(1..=10).await;
    assert_eq!(greet(60, &[(1, 1), (2, 51)]).await.max_seq, 10, "it goes on");
    for _ in 0..2 {
        let copy = greet(900, &[(1, 1), (9, 11)]).await;
        assert_eq!(copy.max_seq, OLD_COPY, "more than any copy has sent, each time it asks");
    }
    assert_eq!(greet(70, &[(2, 51)]).await.max_seq, 10, "the other goes on all the same");
    assert_eq!(greet(70, &[]).await.max_seq, OLD_COPY, "one that says none may be either");
}

#[tokio::test]
async fn an_old_copy_of_before_the_names_is_known_by_its_first_word_with_one() {
    let rig = Rig::new().await;
    rig.greet(EPOCH, 6, 50, &[(1, 1)]).await;
    rig.seen(1..=50).await;
    let copy = rig.greet(EPOCH, 7, 60, &[(9, 11)]).await;
    assert_eq!(copy.max_seq, OLD_COPY, "it made 11 to 60 since, and has more than the hub");
    assert_eq!(rig.greet(EPOCH, 6, 50, &[(1, 1)]).await.max_seq, 50, "the lost card is known yet");
    let sighting = rig.sighting(EPOCH, 11, [0.0, 1.0, 0.0]);
    rig.greet(NEW, 7, 1, &[(9, 1)]).await;
    let at = Stamp { boot: 7, ..AT };
    rig.batch(NEW, vec![moved(1, at, 11, &sighting)]).await;
    assert_eq!(rig.count("sighting").await, 51);
}

#[tokio::test]
async fn an_old_copy_that_asks_without_names_as_the_hub_is_slow_is_answered_the_same() {
    let rig = Rig::new().await;
    rig.greet(EPOCH, 6, 50, &[(1, 1)]).await;
    rig.seen(1..=50).await;
    for runs in [&[(1, 1), (9, 11)][..], &[]] {
        assert_eq!(rig.greet(EPOCH, 7, 900, runs).await.max_seq, OLD_COPY, "{runs:?}");
    }
    rig.greet(NEW, 7, 0, &[(9, 1)]).await;
    assert_eq!(rig.told().await, [(vec![], AT.wall)], "the lost card had sent all it was heard of");
}

/// Life 1 parted at 5 and then brought all of its reports, whose receipts are old. How many are
/// stored, and how many after its number 12 came again from a later life, made so much later.
async fn report_again(later_ms: u64) -> (i64, i64) {
    let rig = Rig::new().await;
    rig.greet(EPOCH, 6, 10, &[(1, 1)]).await;
    rig.greet(EPOCH, 7, 13, &[(1, 1), (9, 5)]).await;
    rig.greet(EPOCH, 6, 12, &[(1, 1)]).await;
    rig.batch(EPOCH, (1..=12).map(|seq| health(seq, 5)).collect()).await;
    let before = rig.count("health").await;
    let forget = |tx: &Tx<'_>| {
        tx.execute("delete from receipt", [])?;
        tx.execute("update cursor set forgotten = 12", [])
    };
    rig.db.write(forget).await.unwrap();
    rig.greet(NEW, 8, 1, &[(10, 1)]).await;
    let report = health(12, 5);
    let at = Stamp { mono: Mono(AT.mono.0 + later_ms), ..AT };
    rig.batch(NEW, vec![moved(1, at, 12, &report.body().unwrap())]).await;
    (before, rig.count("health").await)
}

#[tokio::test]
async fn a_report_behind_the_parting_whose_receipt_is_gone_is_stored_once() {
    assert_eq!(report_again(0).await, (12, 12));
    assert_eq!(report_again(1).await, (12, 13), "the control: the other card's");
}

/// Of a door that greeted with 12 numbers 1 to 9 came. Its card is put back to a copy that was made
/// at 10, gives out 11 to 13 again, and says its runs or does not. What is told, and how many
/// passages are here.
async fn put_back_at_10(says: bool) -> (Rig, Vec<Item>, Vec<(u64, u64)>) {
    let rig = Rig::new().await;
    let greet = async |epoch, boot, max_seq, runs: &[(u64, u64)]| {
        rig.greet(epoch, boot, max_seq, if says { runs } else { &[] }).await
    };
    greet(EPOCH, 6, 12, &[(1, 1)]).await;
    let seen = |seq| rig.sighting(EPOCH, seq, [1.0, 0.0, 0.0]);
    let shared: Vec<_> = (1..=10).map(seen).collect();
    let first = shared.iter().zip(1..=9).map(|(body, seq)| item(seq, AT, body)).collect();
    rig.batch(EPOCH, first).await;
    greet(EPOCH, 7, 13, &[(1, 1), (9, 11)]).await;
    greet(NEW, 7, 13, &[(9, 1)]).await;
    let at = Stamp { boot: 7, ..AT };
    let own = (11..=13).map(|seq| moved(seq, at, seq, &seen(seq)));
    let shared = shared.iter().zip(1..).map(|(body, seq)| moved(seq, AT, seq, body));
    let all: Vec<_> = shared.chain(own).collect();
    rig.batch(NEW, all.clone()).await;
    let told = rig.told().await.into_iter().flat_map(|told| told.0).collect();
    (rig, all, told)
}

#[tokio::test]
async fn a_number_that_was_given_out_again_hides_no_passage_of_either_life() {
    let (rig, all, told) = put_back_at_10(true).await;
    assert_eq!(told, [(11, 12)], "those of the lost card");
    assert_eq!(rig.count("sighting").await, 13, "what both had once, and its own three");
    assert_eq!(rig.batch(NEW, all).await.rejects, [], "the same again");
    assert_eq!((rig.count("sighting").await, rig.count("dead_letter").await), (13, 0));
    rig.greet(EPOCH, 6, 12, &[(1, 1)]).await;
    rig.seen([11, 12]).await;
    assert_eq!(rig.count("sighting").await, 15, "the lost card is found");
}

#[tokio::test]
async fn a_door_that_does_not_say_its_runs_goes_on_as_before() {
    let (rig, _, told) = put_back_at_10(false).await;
    assert_eq!(rig.count("sighting").await, 13);
    assert_eq!(told, [], "the control: two passages of the lost card are missing untold");
}

#[tokio::test]
async fn what_was_made_under_a_shared_number_is_dated_by_its_own_life() {
    let rig = Rig::new().await;
    let (lost, new) = (Wall(NOW.0 - 9_000_000), Wall(NOW.0 - 30_000));
    rig.greet(EPOCH, 6, 20, &[(1, 1)]).await;
    rig.batch(EPOCH, vec![anchor(15, 6, 320_000, lost)]).await;
    rig.greet(EPOCH, 8, 13, &[(1, 1), (9, 11)]).await;
    rig.greet(NEW, 8, 3, &[(9, 1)]).await;
    let seen = moved(1, timeless(6, 20_000), 11, &rig.sighting(EPOCH, 11, [1.0, 0.0, 0.0]));
    rig.batch(NEW, vec![seen]).await;
    assert_eq!(rig.texts(DATES).await, ["?"], "a boot before the one in which it greeted");
    let stamp = Stamp { wall: Some(new), clock: ClockState::Ntp, ..timeless(6, 320_000) };
    let body = Body::Anchor(Anchor { err_ms: 20, stepped: false });
    rig.batch(NEW, vec![moved(2, stamp, 12, &body)]).await;
    assert_eq!(rig.texts(DATES).await, [(new.0 - 300_000).to_string()]);
}
