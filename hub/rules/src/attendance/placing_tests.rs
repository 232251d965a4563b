//! A sighting belongs to the lesson that its student is due in, there and then.

use super::*;
use proptest::prelude::*;

const HOUR: i64 = 3_600_000;

fn student(n: u128) -> StudentId {
    StudentId(Uuid::from_u128(n))
}

fn lesson(n: u128, from: i64, to: i64, due: &[u128]) -> PlacingLesson {
    let due = due.iter().copied().map(student).collect();
    PlacingLesson { id: Uuid::from_u128(n), starts: Wall(from), ends: Wall(to), due }
}

fn facts<'a>(
    at: i64,
    candidates: &'a [StudentId],
    lessons: &'a [PlacingLesson],
) -> PlacingFacts<'a> {
    PlacingFacts {
        planned: true,
        staff: false,
        direction: Direction::Entry,
        at: Some(Wall(at)),
        span: (Wall(at), Wall(at)),
        candidates,
        sure: true,
        lessons,
    }
}

fn waits(n: u128) -> PlacingPlace {
    PlacingPlace::Waits(Some(Uuid::from_u128(n)), 0)
}

#[test]
fn before_there_is_a_timetable_everything_waits() {
    let who = [student(1)];
    let facts = PlacingFacts { planned: false, ..facts(0, &who, &[]) };
    assert_eq!(place(&facts), PlacingPlace::Waits(None, 0));
}

#[test]
fn of_lessons_back_to_back_it_is_the_one_whose_roster_has_the_student() {
    let lessons = [lesson(1, 0, HOUR, &[1]), lesson(2, HOUR, 2 * HOUR, &[2])];
    let (one, two, three) = ([student(1)], [student(2)], [student(3)]);
    let change = HOUR - 60_000;
    assert_eq!(place(&facts(change, &one, &lessons)), waits(1));
    assert_eq!(place(&facts(change, &two, &lessons)), waits(2));
    assert_eq!(
        place(&facts(change, &three, &lessons)),
        PlacingPlace::Logged,
        "in school, not in class"
    );
}

#[test]
fn whoever_is_due_in_both_is_in_the_lesson_that_runs() {
    let lessons = [lesson(1, 0, HOUR, &[1]), lesson(2, HOUR, 2 * HOUR, &[1])];
    let who = [student(1)];
    assert_eq!(place(&facts(HOUR - 1, &who, &lessons)), waits(1));
    assert_eq!(place(&facts(HOUR + 1, &who, &lessons[1..])), waits(2));
}

#[test]
fn who_leaves_and_staff_are_logged() {
    let (lessons, who) = ([lesson(1, 0, HOUR, &[1])], [student(1)]);
    let base = facts(0, &who, &lessons);
    assert_eq!(
        place(&PlacingFacts { direction: Direction::Exit, ..base.clone() }),
        PlacingPlace::Logged
    );
    assert_eq!(place(&PlacingFacts { staff: true, ..base.clone() }), PlacingPlace::Logged);
    assert_eq!(place(&PlacingFacts { direction: Direction::Both, ..base }), waits(1));
}

#[test]
fn without_a_time_it_is_the_only_lesson_it_can_have_been() {
    let lessons = [lesson(1, 0, HOUR, &[1]), lesson(2, HOUR, 2 * HOUR, &[1, 2])];
    let (one, two, three) = ([student(1)], [student(2)], [student(3)]);
    let unknown =
        |who| PlacingFacts { at: None, span: (Wall(0), Wall(9 * HOUR)), ..facts(0, who, &lessons) };
    assert_eq!(place(&unknown(&one)), PlacingPlace::Waits(None, 0), "one of two");
    assert_eq!(place(&unknown(&two)), waits(2));
    assert_eq!(place(&unknown(&three)), PlacingPlace::Waits(None, 0));
}

#[test]
fn of_doubtful_candidates_the_one_who_is_due_comes_first() {
    let (lessons, who) = ([lesson(1, 0, HOUR, &[2])], [student(1), student(2)]);
    let doubtful = PlacingFacts { sure: false, ..facts(0, &who, &lessons) };
    assert_eq!(place(&doubtful), PlacingPlace::Waits(Some(Uuid::from_u128(1)), 1));
    assert_eq!(
        place(&facts(0, &who, &lessons)),
        PlacingPlace::Logged,
        "a sure face is nobody else"
    );
}

#[test]
fn nobody_is_marked_at_once_by_default_or_in_any_doubt() {
    let auto = Policy::Auto { line: 0.875, budget: 1.0 };
    let sure = |policy, reasons: &[Reason]| worth(policy, Verdict::High, 0.875, reasons);
    assert_eq!(sure(Policy::Review, &[]), Status::Pending);
    assert_eq!(sure(auto, &[]), Status::Approved);
    assert_eq!(worth(auto, Verdict::High, 0.87, &[]), Status::Pending);
    assert_eq!(worth(auto, Verdict::Review, 0.99, &[]), Status::Pending);
    for doubt in [
        Reason::LookAlike,
        Reason::ChangedByHub,
        Reason::Blurred,
        Reason::Dark,
        Reason::TurnedAway,
        Reason::FaceSmall,
        Reason::RuledOut,
    ] {
        assert_eq!(sure(auto, &[doubt]), Status::Pending, "{doubt:?}");
    }
}

proptest! {
    #[test]
    fn a_place_is_always_a_lesson_whose_window_is_open_and_whose_roster_has_them(
        at in 0i64..40 * HOUR,
        starts in prop::collection::vec((0i64..40, prop::bool::ANY), 0..12),
    ) {
        let all: Vec<_> = (1u128..).zip(starts).map(|(n, (hour, due))| {
            lesson(n, hour * HOUR, (hour + 1) * HOUR, if due { &[1] } else { &[2] })
        }).collect();
        let near: Vec<_> = all.iter()
            .filter(|l| touches((l.starts, l.ends), (Wall(at), Wall(at)))).cloned().collect();
        let who = [student(1)];
        let fits = |l: &&PlacingLesson| {
            l.due == [student(1)] && l.starts.0 - EARLY_MS <= at && at <= l.ends.0
        };
        match place(&facts(at, &who, &near)) {
            PlacingPlace::Waits(Some(id), 0) => {
                prop_assert!(all.iter().find(|l| l.id == id).is_some_and(|l| fits(&l)));
            }
            PlacingPlace::Logged => prop_assert!(!all.iter().any(|l| fits(&l))),
            other => prop_assert!(false, "{other:?}"),
        }
    }
}
