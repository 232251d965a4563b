//! Timelines: one connection from CONNECT on, with the time in hand.

use super::*;
use crate::outbox::{Acked, Cursor, Parcel};
use proptest::prelude::*;
use rand::{SeedableRng, rngs::StdRng};
use wire::care::{Condition, Grasp, Origin, Running, RunningValue, Tail};
use wire::link::{
    Ack, Batch, Command, Desired, Heard, Interest, Reported, Run, Settings, Snap, Time, Vitals,
    WINDOW,
};
use wire::program::{Machine, Offer, Progress, Step};
use wire::record::Anchor;
use wire::topic::Leaf;
use wire::{Body, ClockState, Direction, Epoch, Item, Message, Mono, Ranges, Stamp, Wall};

const EPOCH: Epoch = Epoch([9; 16]);

fn reported() -> Reported {
    Reported {
        gallery: 0,
        manifest: [0; 32],
        model: "test-1".parse().unwrap(),
        software: "0.1.0".into(),
        trouble: String::new(),
    }
}

const CURSOR: Cursor = Cursor { epoch: EPOCH, boot: 1, max_seq: 9, cum: 0 };

/// What a door runs with that looks for faces of so many pixels.
fn running(min_face: &str) -> Running {
    let key = "recognise.min_face".into();
    let value = RunningValue { key, value: min_face.into(), origin: Origin::File };
    Running { values: vec![value], conflicts: vec![] }
}

fn session() -> Session {
    knowing(vec![])
}

fn knowing(runs: Vec<Run>) -> Session {
    let reported = reported();
    let software = "0.1.0".to_owned();
    let running = running("40");
    let facts = Facts { connection: 3, software, reported, progress: None, running, runs };
    Session::new(facts, CURSOR, StdRng::seed_from_u64(1), Mono(0))
}

/// A session that greeted at 10 and has the hub's answer.
fn opened() -> Session {
    let mut session = session();
    session.on(Event::Connected, Mono(5));
    session.on(Event::Subscribed, Mono(10));
    session.on(Event::Message(ack(0, 8)), Mono(20));
    session
}

fn ack(cum: u64, window: u16) -> Message {
    Ack {
        hub_epoch: Epoch([8; 16]),
        epoch: EPOCH,
        cum,
        ranges: Ranges::default(),
        rejects: vec![],
        backed_up: 0,
        max_seq: cum,
        window,
    }
    .into()
}

fn item(seq: u64) -> Item {
    let at = Stamp { boot: 1, mono: Mono(seq), wall: None, clock: ClockState::Unset };
    let body = Body::Anchor(Anchor { err_ms: 1, stepped: false }).encode();
    Item { seq, at, hash: Item::digest(seq, &at, &body), body, crop: None }
}

fn parcel(seqs: impl IntoIterator<Item = u64>) -> Event {
    let items = seqs.into_iter().map(item).collect();
    Event::Parcel(Parcel { epoch: EPOCH, items, backlog: false })
}

fn batches(actions: &[Action]) -> Vec<Vec<u64>> {
    let batch = |action: &Action| match action {
        Action::Say(Leaf::Up, Message::Batch(Batch { items, .. })) => {
            Some(items.iter().map(|item| item.seq).collect())
        }
        _ => None,
    };
    actions.iter().filter_map(batch).collect()
}

fn fetches(actions: &[Action]) -> bool {
    actions.iter().any(|action| matches!(action, Action::Fetch { .. }))
}

#[test]
fn a_connection_subscribes_then_greets_and_sends_nothing_before_the_hub_answers() {
    let mut session = session();
    let begun = session.on(Event::Connected, Mono(5));
    assert_eq!(begun, [Action::Grasped(0), Action::Subscribe]);
    let said = session.on(Event::Subscribed, Mono(10));
    let leaf = |action: &Action| match action {
        Action::Say(leaf, message) => (*leaf, matches!(message, Message::Hello(_))),
        other => panic!("{other:?}"),
    };
    let said: Vec<_> = said.iter().map(leaf).collect();
    assert_eq!(said, [(Leaf::Up, true), (Leaf::Status, false), (Leaf::Reported, false)]);
    assert!(session.on(Event::Stored, Mono(12)).is_empty());
    let answered = session.on(Event::Message(ack(4, 8)), Mono(20));
    assert!(matches!(answered[0], Action::Apply { fresh: true, .. }) && fetches(&answered));
}

#[test]
fn a_greeting_without_an_answer_is_repeated() {
    let mut session = session();
    session.on(Event::Connected, Mono(5));
    session.on(Event::Subscribed, Mono(10));
    assert_eq!(session.wake(Mono(11)), Mono(10_010));
    let again = session.on(Event::Tick, Mono(10_010));
    assert!(matches!(&again[..], [Action::Say(Leaf::Up, Message::Hello(_))]), "{again:?}");
}

fn runs(of: impl IntoIterator<Item = u64>) -> Vec<Run> {
    of.into_iter().map(|id| Run { id, first: id }).collect()
}

/// The runs that it greets with, for each greeting.
fn greetings(actions: &[Action]) -> Vec<Vec<u64>> {
    let said = |action: &Action| match action {
        Action::Say(_, Message::Hello(_)) => Some(vec![]),
        Action::Say(_, Message::Greeting(said)) => {
            Some(said.runs.iter().map(|run| run.id).collect())
        }
        _ => None,
    };
    actions.iter().filter_map(said).collect()
}

#[test]
fn a_hub_that_keeps_runs_is_told_them() {
    let mut session = opened();
    let heard = |run| Event::Message(Heard { epoch: EPOCH, run }.into());
    assert_eq!(session.on(heard(None), Mono(21))[..1], [Action::Heard(None)]);
    let told = session.on(Event::Runs(runs([3, 7])), Mono(22));
    assert_eq!(greetings(&told), [[3, 7]]);
    session.on(Event::Message(ack(0, 8)), Mono(23));
    assert_eq!(session.on(heard(Some(7)), Mono(24))[..1], [Action::Heard(Some(7))]);
    assert_eq!(greetings(&session.on(Event::Runs(runs([7])), Mono(25))), Vec::<Vec<u64>>::new());
    let other = Heard { epoch: Epoch([1; 16]), run: None };
    assert!(session.on(Event::Message(other.into()), Mono(26)).is_empty(), "of another life");
}

#[test]
fn a_hub_that_does_not_know_runs_is_greeted_without_in_turn() {
    let mut session = knowing(runs([3, 7]));
    session.on(Event::Connected, Mono(5));
    let first = session.on(Event::Subscribed, Mono(10));
    let next = |session: &mut Session, at| greetings(&session.on(Event::Tick, Mono(at)));
    assert_eq!(greetings(&first), [[3, 7]]);
    assert_eq!(next(&mut session, 10_010), [[0; 0]], "it may be of before");
    assert_eq!(next(&mut session, 20_010), [[3, 7]], "or only slow");
    let renewed = Cursor { epoch: Epoch([1; 16]), max_seq: 4, ..CURSOR };
    session.on(Event::Message(ack(0, 8)), Mono(20_020));
    let acked = Acked { cursor: renewed, renewed: true, restored: false };
    assert_eq!(greetings(&session.on(Event::Acked(acked), Mono(20_030))), [[7]]);
}

#[test]
fn a_batch_is_sent_again_until_acknowledged_and_waits_longer_each_time() {
    let mut session = opened();
    assert_eq!(batches(&session.on(parcel(1..=3), Mono(30))), [[1, 2, 3]]);
    session.on(parcel([]), Mono(31));
    assert!(session.on(Event::Tick, Mono(7_000)).is_empty());
    assert_eq!(batches(&session.on(Event::Tick, Mono(12_040))), [[1, 2, 3]]);
    session.on(Event::Heard, Mono(13_000));
    assert!(session.on(Event::Tick, Mono(27_000)).is_empty(), "now it waits twice as long");
    let part = session.on(Event::Message(ack(2, 8)), Mono(28_000));
    assert!(matches!(part[0], Action::Apply { fresh: false, .. }));
    assert_eq!(batches(&session.on(Event::Tick, Mono(36_100))), [[3]], "only what is missing");
    session.on(Event::Message(ack(3, 8)), Mono(37_000));
    assert_eq!(session.in_flight(), 0);
}

#[test]
fn what_the_hub_lets_wait_takes_no_place_from_the_rest() {
    let mut session = opened();
    for seq in 1..=u64::from(WINDOW) {
        assert_eq!(batches(&session.on(parcel([seq]), Mono(30))), [[seq]]);
    }
    let mut asked = fetches(&session.on(Event::Stored, Mono(40)));
    assert!(!asked, "the window is full");
    let mut now = 40;
    while !asked {
        now += 10_000;
        assert!(now < 600_000, "the rest waits for ever");
        session.on(Event::Heard, Mono(now));
        asked = fetches(&session.on(Event::Tick, Mono(now)));
    }
    assert_eq!(batches(&session.on(parcel([99]), Mono(now + 1))), [[99]]);
}

#[test]
fn a_hub_that_says_hold_gets_nothing_and_is_greeted_again_later() {
    let mut session = opened();
    session.on(parcel([1]), Mono(30));
    session.on(parcel([]), Mono(31));
    let held = session.on(Event::Message(ack(1, 0)), Mono(40));
    assert!(!fetches(&held) && !fetches(&session.on(Event::Stored, Mono(50))));
    let greeted = session.on(Event::Tick, Mono(30_040));
    assert!(matches!(&greeted[..], [Action::Say(Leaf::Up, Message::Hello(_))]));
    assert!(fetches(&session.on(Event::Message(ack(1, 2)), Mono(30_050))));
}

#[test]
fn silence_for_75_seconds_ends_the_connection() {
    let mut session = opened();
    session.on(parcel([]), Mono(25));
    assert_eq!(session.wake(Mono(30)), Mono(75_025));
    session.on(Event::Heard, Mono(60_000));
    assert!(session.on(Event::Tick, Mono(75_025)).is_empty());
    assert!(matches!(session.on(Event::Tick, Mono(135_000))[..], [Action::Drop(_)]));
}

#[test]
fn a_new_life_of_the_outbox_is_greeted_anew_and_nothing_of_the_old_is_sent() {
    let mut session = opened();
    session.on(parcel([1]), Mono(30));
    let epoch = Epoch([7; 16]);
    let cursor = Cursor { epoch, boot: 1, max_seq: 4, cum: 0 };
    let renewed = Acked { cursor, renewed: true, restored: false };
    let actions = session.on(Event::Acked(renewed), Mono(40));
    let [Action::Say(Leaf::Up, Message::Hello(hello))] = &actions[..] else {
        panic!("{actions:?}")
    };
    assert_eq!((hello.epoch, hello.max_seq, session.in_flight()), (epoch, 4, 0));
    assert!(session.on(parcel([2]), Mono(41)).is_empty(), "a parcel of the old life");
}

#[test]
fn the_backlog_goes_at_most_five_times_a_second_and_live_rows_are_not_kept_waiting() {
    let mut session = opened();
    let backlog =
        |seq| Event::Parcel(Parcel { epoch: EPOCH, items: vec![item(seq)], backlog: true });
    let next = session.on(backlog(1), Mono(30));
    assert!(matches!(next[..], [_, Action::Fetch { backlog: false, .. }]), "{next:?}");
    assert!(session.on(parcel([]), Mono(31)).is_empty());
    assert_eq!(session.wake(Mono(31)), Mono(230));
    let live = session.on(Event::Stored, Mono(100));
    assert!(matches!(live[..], [Action::Fetch { backlog: false, .. }]));
    session.on(parcel([]), Mono(101));
    let due = session.on(Event::Tick, Mono(230));
    assert!(matches!(due[..], [Action::Fetch { backlog: true, .. }]));
}

#[test]
fn the_hubs_time_is_half_a_round_trip_old() {
    let mut session = opened();
    let told = Event::Message(Time { wall: Wall(1_000_000), echo: Some(Mono(10)) }.into());
    let tell = Action::Tell { at: Mono(90), wall: Wall(1_000_040), err_ms: 40 };
    session.on(parcel([]), Mono(80));
    assert_eq!(session.on(told, Mono(90)), [tell]);
}

#[test]
fn what_the_hub_wants_is_passed_on_and_what_the_door_runs_is_said() {
    let mut session = opened();
    session.on(parcel([]), Mono(25));
    let desired =
        Desired { gallery: 2, manifest: [1; 32], room: "204".into(), direction: Direction::Entry };
    let want = session.on(Event::Message(desired.clone().into()), Mono(30));
    assert_eq!(want, [Action::Want(desired)]);
    let settings = Settings { crops: Some(false), ..Settings::default() };
    let settle = session.on(Event::Message(settings.into()), Mono(35));
    assert_eq!(settle, [Action::Settle(settings)]);
    let running = Reported { gallery: 2, ..reported() };
    let said = session.on(Event::Reported(running.clone()), Mono(40));
    assert_eq!(said, [Action::Say(Leaf::Reported, running.into())]);
}

#[test]
fn what_the_hub_asked_to_see_is_shown_only_over_a_connection_that_greeted() {
    let snap = Snap::Trouble("dark".into());
    assert!(session().on(Event::Snap(snap.clone()), Mono(5)).is_empty());
    let mut session = opened();
    session.on(parcel([]), Mono(25));
    let said = session.on(Event::Snap(snap.clone()), Mono(30));
    assert_eq!(said, [Action::Say(Leaf::Snap, snap.into())]);
}

proptest! {
    /// Whatever happens in whatever order, never more batches are out than the hub allows, and
    /// no number is on its way twice.
    #[test]
    fn the_window_is_never_exceeded(steps in prop::collection::vec((0u8..6, 0u64..40, 0u16..12), 1..200)) {
        let (mut session, mut next, mut now) = (opened(), 1u64, 100u64);
        let (mut window, mut asked) = (WINDOW, true);
        for (kind, n, size) in steps {
            now += n * 100;
            let event = match kind {
                0 if asked => {
                    asked = false;
                    let seqs = next..next + u64::from(size);
                    next = seqs.end;
                    parcel(seqs)
                }
                1 => {
                    window = size.min(WINDOW);
                    Event::Message(ack(next.saturating_sub(n), size))
                }
                2 => Event::Stored,
                3 => Event::Heard,
                _ => Event::Tick,
            };
            let before = session.in_flight();
            let actions = session.on(event, Mono(now));
            asked |= fetches(&actions);
            let out = session.in_flight();
            prop_assert!(out <= before || out <= usize::from(window), "{} of {}", out, window);
            prop_assert!(out <= usize::from(WINDOW));
        }
    }
}

#[test]
fn an_outbox_that_cannot_is_asked_again_after_the_next_greeting_and_the_link_stays() {
    let mut session = opened();
    assert!(session.on(Event::Troubled, Mono(30)).is_empty(), "nothing is asked meanwhile");
    assert!(session.on(Event::Stored, Mono(40)).is_empty());
    let greeted = session.on(Event::Tick, Mono(4_030));
    assert!(matches!(&greeted[..], [Action::Say(Leaf::Up, Message::Hello(_))]), "{greeted:?}");
    assert!(fetches(&session.on(Event::Message(ack(0, 8)), Mono(4_050))));
}

#[test]
fn the_board_is_looked_at_as_often_as_the_hub_wants_and_not_without_its_wish() {
    let mut session = opened();
    let ticks = |session: &mut Session, at| session.on(Event::Tick, Mono(at));
    assert_eq!(ticks(&mut session, 60_000), []);
    let wish = || Event::Message(Interest { every_s: 60 }.into());
    assert_eq!(session.on(wish(), Mono(60_000)), []);
    assert_eq!(session.wake(Mono(60_000)), Mono(60_000), "the first time at once");
    assert_eq!(ticks(&mut session, 60_000), [Action::Measure]);
    assert_eq!(session.on(wish(), Mono(60_001)), [], "said again after each greeting");
    let vitals = Vitals { celsius: Some(51), ..Vitals::default() };
    let said = session.on(Event::Measured(vitals, condition()), Mono(60_002));
    assert_eq!(said, [Action::Say(Leaf::Vitals, vitals.into())]);
    session.on(Event::Heard, Mono(100_000));
    assert_eq!(session.wake(Mono(100_000)), Mono(120_000));
    assert_eq!(ticks(&mut session, 119_999), []);
    assert_eq!(ticks(&mut session, 120_000), [Action::Measure]);
    assert_eq!(ticks(&mut session, 120_001), []);
    let often = Event::Message(Interest { every_s: 0 }.into());
    session.on(often, Mono(130_000));
    assert_eq!(session.wake(Mono(130_000)), Mono(140_000), "never more often than each 10 s");
}

#[test]
fn a_hub_that_offers_programs_hears_how_far_they_are_and_one_of_before_hears_nothing() {
    let mut session = opened();
    let progress = |step| Progress {
        machine: Some(Machine::Arm64),
        version: "0.1.0".into(),
        running: None,
        rollout: 7,
        step,
        why: String::new(),
    };
    assert!(session.on(Event::Progress(progress(Step::Idle)), Mono(30)).is_empty());
    let offer = Offer { rollout: 7, signed: None };
    let said = session.on(Event::Message(offer.clone().into()), Mono(40));
    let idle = Action::Say(Leaf::Program, progress(Step::Idle).into());
    assert_eq!(said, [Action::Offered(offer), idle]);
    let said = session.on(Event::Progress(progress(Step::Trial)), Mono(50));
    assert_eq!(said, [Action::Say(Leaf::Program, progress(Step::Trial).into())]);
}

fn condition() -> Condition {
    Condition {
        focus: Some(70),
        light: Some(90),
        waiting: 3,
        dropped_looks: 0,
        dropped_frames: 0,
        clock: ClockState::Ntp,
        clock_err_ms: Some(100),
        disk_free_mb: 9_000,
    }
}

#[test]
fn a_hub_that_understands_is_told_what_runs_and_how_the_program_is_and_one_of_before_is_not() {
    let mut session = opened();
    session.on(parcel([]), Mono(25));
    let measured = Event::Measured(Vitals::default(), condition());
    let vitals = Action::Say(Leaf::Vitals, Vitals::default().into());
    assert_eq!(session.on(measured.clone(), Mono(30)), std::slice::from_ref(&vitals));
    assert_eq!(session.on(Event::Running(running("50")), Mono(31)), []);
    let runs = |face| Action::Say(Leaf::Config, running(face).into());
    let grasp = || Event::Message(Grasp { level: Grasp::CARE }.into());
    let told = session.on(grasp(), Mono(40));
    assert_eq!(told, [Action::Grasped(Grasp::CARE), runs("50")]);
    assert_eq!(session.on(grasp(), Mono(41)), [Action::Grasped(Grasp::CARE)], "it said so before");
    assert_eq!(session.on(Event::Running(running("60")), Mono(42)), [runs("60")]);
    let program = Action::Say(Leaf::Vitals, condition().into());
    assert_eq!(session.on(measured, Mono(43)), [vitals, program]);
}

#[test]
fn the_newest_lines_of_the_log_are_said_when_the_hub_asks() {
    let mut session = opened();
    session.on(parcel([]), Mono(25));
    assert_eq!(session.on(Event::Message(Command::Log.into()), Mono(30)), [Action::Tail]);
    let tail = Tail { missed: 1, lines: vec![] };
    let said = session.on(Event::Tail(tail.clone()), Mono(31));
    assert_eq!(said, [Action::Say(Leaf::Log, tail.into())]);
}
