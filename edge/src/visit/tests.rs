use super::*;
use proptest::prelude::*;
use wire::{Candidate, ClockState, Quality, Wall};

const RULES: Rules = Rules { hold_ms: 1_500, cooldown_ms: 60_000 };

fn student(n: u8) -> StudentId {
    format!("00000000-0000-7000-8000-0000000000{n:02x}").parse().unwrap()
}

fn stamp(boot: u32, mono: u64, wall: Option<i64>) -> Stamp {
    Stamp { boot, mono: Mono(mono), wall: wall.map(Wall), clock: ClockState::Ntp }
}

fn draft(n: u8, verdict: Verdict, score: f32) -> Draft {
    Draft {
        way: None,
        at: stamp(1, 0, None),
        candidates: vec![Candidate { student: student(n), score }],
        confidence: 0.9,
        verdict,
        reasons: vec![],
        quality: Quality::default(),
        frames: 3,
        gallery: 1,
        model: "test-1".parse().unwrap(),
        template_f16: vec![],
        crop_jpeg: None,
    }
}

/// A door whose events are told one after another.
struct Door(Visits);

impl Door {
    fn new() -> Self {
        Self(Visits::new(RULES, &[], &stamp(1, 0, None)))
    }

    fn sure(&mut self, at: u64, track: u64, n: u8) -> Vec<u8> {
        self.0.seen(Mono(at), TrackId(track), draft(n, Verdict::High, 0.97));
        self.records(at, &[])
    }

    fn unsure(&mut self, at: u64, track: u64, n: u8, score: f32) -> Vec<u8> {
        self.0.seen(Mono(at), TrackId(track), draft(n, Verdict::Review, score));
        self.records(at, &[])
    }

    fn gone(&mut self, at: u64, track: u64) -> Vec<u8> {
        self.records(at, &[TrackId(track)])
    }

    /// Last byte of each recorded student.
    fn records(&mut self, at: u64, ended: &[TrackId]) -> Vec<u8> {
        let settled = self.0.settle(Mono(at), ended);
        let who = |(_, draft): &(TrackId, Draft)| draft.candidates[0].student.0.as_bytes()[15];
        settled.records.iter().map(who).collect()
    }
}

#[test]
fn a_sure_look_is_recorded_at_once_and_only_once() {
    let mut door = Door::new();
    assert_eq!(door.sure(0, 1, 7), [7]);
    assert_eq!(door.sure(200, 1, 7), [0; 0]);
    assert_eq!(door.gone(2_000, 1), [0; 0]);
}

#[test]
fn an_unsure_look_waits_for_a_better_one() {
    let mut door = Door::new();
    assert_eq!(door.unsure(0, 1, 7, 0.945), [0; 0]);
    assert!(door.0.knows(TrackId(1)));
    assert_eq!(door.sure(400, 1, 7), [7]);
}

#[test]
fn an_unsure_look_that_stays_unsure_is_recorded_when_the_hold_is_over() {
    let mut door = Door::new();
    door.unsure(0, 1, 7, 0.945);
    assert_eq!(door.unsure(1_499, 1, 7, 0.95), [0; 0]);
    assert_eq!(door.records(1_500, &[]), [7]);
}

#[test]
fn while_a_burst_comes_only_what_is_sure_is_settled() {
    let mut door = Door::new();
    door.unsure(0, 1, 7, 0.945);
    door.0.seen(Mono(1_600), TrackId(2), draft(8, Verdict::High, 0.97));
    let sure = door.0.settle_sure(Mono(1_600)).records;
    assert_eq!(sure.iter().map(|(id, _)| id.0).collect::<Vec<_>>(), [2]);
    assert!(door.0.is_settled(TrackId(2)) && !door.0.is_settled(TrackId(1)));
    assert_eq!(door.records(1_600, &[]), [7], "the hold is over when the burst is complete");
}

#[test]
fn an_unsure_look_is_recorded_when_the_person_is_gone() {
    let mut door = Door::new();
    door.unsure(0, 1, 7, 0.945);
    assert_eq!(door.gone(900, 1), [7]);
}

#[test]
fn the_best_of_several_unsure_looks_is_what_is_recorded() {
    let mut door = Door::new();
    for (at, n, score) in [(0, 7, 0.945), (200, 8, 0.955), (400, 7, 0.941)] {
        door.unsure(at, 1, n, score);
    }
    assert_eq!(door.gone(900, 1), [8]);
}

#[test]
fn a_later_better_look_of_the_same_passage_makes_no_second_record() {
    let mut door = Door::new();
    door.unsure(0, 1, 7, 0.945);
    assert_eq!(door.records(1_500, &[]), [7]);
    assert_eq!(door.sure(1_600, 1, 7), [0; 0]);
    assert_eq!(door.sure(1_700, 1, 8), [0; 0], "nor does another name for it");
}

#[test]
fn the_cooldown_begins_when_the_person_is_gone() {
    let mut door = Door::new();
    assert_eq!(door.sure(0, 1, 7), [7]);
    assert_eq!(door.sure(50_000, 1, 7), [0; 0], "still standing there");
    door.gone(52_000, 1);
    assert_eq!(door.sure(100_000, 2, 7), [0; 0], "back after 50 s, and seen again");
    door.gone(102_000, 2);
    assert_eq!(door.sure(160_000, 3, 7), [7], "back after 60 s");
}

#[test]
fn an_unsure_passage_that_may_be_somebody_else_is_no_repeat() {
    let candidate = |n, score| Candidate { student: student(n), score };
    let unsure = |named: &[u8]| {
        let candidates = named.iter().map(|n| candidate(*n, 0.955)).collect();
        Draft { candidates, ..draft(7, Verdict::Review, 0.955) }
    };
    let mut door = Door::new();
    assert_eq!(door.sure(0, 1, 7), [7]);
    door.0.seen(Mono(20_000), TrackId(2), unsure(&[7, 8]));
    assert_eq!(door.gone(20_500, 2), [7], "a teacher may say that it was 8");
    door.0.seen(Mono(30_000), TrackId(3), unsure(&[7]));
    assert_eq!(door.gone(30_500, 3), [0; 0]);
}

#[test]
fn two_people_at_once_are_two_records() {
    let mut door = Door::new();
    door.0.seen(Mono(0), TrackId(1), draft(7, Verdict::High, 0.97));
    assert_eq!(door.sure(0, 2, 8), [7, 8]);
}

#[test]
fn a_restart_makes_no_second_record_of_one_passage() {
    let now = stamp(2, 20_000, Some(1_000_000));
    let recent = [
        (student(1), stamp(2, 15_000, None)),
        (student(2), stamp(1, 9_999_999, Some(970_000))),
        (student(3), stamp(1, 9_999_999, Some(940_000))),
        (student(4), stamp(1, 9_999_999, None)),
    ];
    let mut door = Door(Visits::new(RULES, &recent, &now));
    let again: Vec<u8> = (1..=4).flat_map(|n| door.sure(20_000, n.into(), n)).collect();
    assert_eq!(again, [3, 4], "a minute ago or more, and at a time nobody knows");
}

proptest! {
    #[test]
    fn there_are_never_more_records_than_passages_or_two_within_a_cooldown(
        events in prop::collection::vec((0u64..4_000, 1u64..5, 1u8..4, any::<bool>(), any::<bool>()), 1..80)
    ) {
        let (mut door, mut now) = (Door::new(), 0);
        let (mut tracks, mut records) = (0u64, Vec::new());
        let mut current = [0u64; 5];
        for (pause, slot, n, is_sure, ends) in events {
            now += pause;
            if current[slot as usize] == 0 {
                tracks += 1;
                current[slot as usize] = tracks;
            }
            let track = current[slot as usize];
            let mut made =
                if is_sure { door.sure(now, track, n) } else { door.unsure(now, track, n, 0.95) };
            if ends {
                made.extend(door.gone(now, track));
                current[slot as usize] = 0;
            }
            records.extend(made.into_iter().map(|n| (now, n)));
        }
        prop_assert!(records.len() as u64 <= tracks);
        for (i, (at, n)) in records.iter().enumerate() {
            let again = records[i + 1..].iter().find(|(_, other)| other == n);
            prop_assert!(again.is_none_or(|(later, _)| later - at >= RULES.cooldown_ms));
        }
    }
}
