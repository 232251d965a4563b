//! Marks follow from what stands, in whatever order it came.

use super::*;
use proptest::prelude::*;
use uuid::Uuid;

const LATE: Wall = Wall(600_000);

fn passage(n: u128, at: Option<i64>, err: i64) -> Passage {
    let at = at.map(Wall);
    Passage {
        record: RecordId(Uuid::from_u128(n)),
        source: Source::Door,
        at,
        low: at.map(|at| at.plus_ms(-err)),
        by: "t".into(),
        decided_at: Wall(1),
    }
}

fn manual(status: Status) -> Mark {
    Mark { source: Source::Manual, by: "t".into(), ..closed(status, Wall(9)) }
}

fn status(passages: &[Passage]) -> Option<Status> {
    settle(None, passages, LATE, None).map(|mark| mark.status)
}

#[test]
fn whoever_comes_after_the_grace_is_late_and_the_earliest_arrival_counts() {
    let (early, late) = (passage(1, Some(600_000), 0), passage(2, Some(600_001), 0));
    assert_eq!(status(std::slice::from_ref(&early)), Some(Status::Present));
    assert_eq!(status(std::slice::from_ref(&late)), Some(Status::Late));
    assert_eq!(status(&[late, early]), Some(Status::Present));
    assert_eq!(status(&[]), None);
}

#[test]
fn a_time_that_is_unknown_or_imprecise_never_makes_late() {
    assert_eq!(status(&[passage(1, None, 0)]), Some(Status::Present));
    assert_eq!(status(&[passage(1, Some(650_000), 60_000)]), Some(Status::Present));
    assert_eq!(status(&[passage(1, Some(700_000), 60_000)]), Some(Status::Late));
}

#[test]
fn a_persons_word_stays_until_a_person_says_otherwise() {
    let (door, end) = (passage(1, Some(0), 0), closed(Status::Absent, Wall(9)));
    for status in [Status::Absent, Status::Excused, Status::Late] {
        let said = manual(status);
        assert_eq!(
            settle(Some(&said), std::slice::from_ref(&door), LATE, Some(&end)),
            Some(said.clone())
        );
        assert!(!admits(Some(&said), &door.mark(LATE)) && !admits(Some(&said), &end));
        assert!(admits(Some(&said), &manual(Status::Present)));
    }
}

#[test]
fn a_sighting_replaces_the_end_of_the_lesson_and_never_the_other_way() {
    let (door, end) = (passage(1, Some(0), 0).mark(LATE), closed(Status::Unverified, Wall(9)));
    assert!(admits(Some(&end), &door) && !admits(Some(&door), &end));
    assert_eq!(settle(Some(&door), &[], LATE, Some(&end)), Some(end));
}

#[test]
fn a_confirmed_class_photo_stays_when_a_door_is_taken_back() {
    let photo = Mark { source: Source::Photo, ..manual(Status::Present) };
    assert_eq!(settle(Some(&photo), &[], LATE, None), Some(photo));
}

#[test]
fn a_mark_of_a_door_stays_when_its_sighting_is_kept_no_longer() {
    let swept = Mark { sighting: None, ..passage(1, Some(0), 0).mark(LATE) };
    let end = closed(Status::Absent, Wall(9));
    assert_eq!(settle(Some(&swept), &[], LATE, Some(&end)), Some(swept.clone()));
    let earlier = passage(2, Some(-1), 0);
    let better = settle(Some(&swept), std::slice::from_ref(&earlier), LATE, None);
    assert_eq!(better, Some(earlier.mark(LATE)));
}

fn passages() -> impl Strategy<Value = Vec<Passage>> {
    let time = prop::option::weighted(0.8, 0i64..1_200_000);
    let one = (time, prop_oneof![Just(0), Just(60_000)]);
    prop::collection::vec(one, 0..6).prop_map(|all| {
        (1..).zip(all).map(|(n, (at, err))| passage(n, at, err)).collect::<Vec<_>>()
    })
}

proptest! {
    #[test]
    fn the_order_in_which_passages_come_does_not_matter(all in passages()) {
        let whole = settle(None, &all, LATE, None);
        let mut one_by_one: Option<Mark> = None;
        for passage in all.iter().rev() {
            let new = passage.mark(LATE);
            if admits(one_by_one.as_ref(), &new) {
                one_by_one = Some(new);
            }
        }
        prop_assert_eq!(&one_by_one, &whole);
        let known = all.iter().all(|passage| passage.at.is_some());
        let first = all.iter().filter_map(|passage| passage.low).min();
        if let (true, Some(mark), Some(first)) = (known, whole, first) {
            prop_assert_eq!(mark.status == Status::Late, first > LATE);
        }
    }
}
