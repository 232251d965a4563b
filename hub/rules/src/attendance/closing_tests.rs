//! Whoever no door could have recognised is not called absent.

use super::*;

const SPAN: (Wall, Wall) = (Wall(1_000_000), Wall(2_000_000));

fn model() -> ModelId {
    "m-1".parse().unwrap()
}

/// All of it usable, from 1000 s to 2000 s.
fn report() -> DoorReport {
    DoorReport {
        from: SPAN.0,
        to: SPAN.1,
        err_ms: 0,
        usable_ms: Some(1_000_000),
        blind: vec![],
        gallery: 1,
        model: Some(model()),
        fired: 3,
        looks: 20,
        dropped: 0,
        refused: 0,
    }
}

fn span(from: i64, to: i64, usable: i64) -> DoorReport {
    let (from, to) = (Wall(from * 1000), Wall(to * 1000));
    DoorReport { from, to, usable_ms: Some(usable * 1000), ..report() }
}

fn door(reports: Vec<DoorReport>) -> ClosingDoor {
    ClosingDoor { id: "d".into(), lost: false, passed: false, reports }
}

fn why(reports: Vec<DoorReport>) -> Option<ClosingWhy> {
    ground(&ClosingDoor { passed: true, ..door(reports) }, SPAN, |_| None).why
}

fn pupil() -> Pupil {
    Pupil { is_active: true, consents: true, templates: vec![(model(), Wall(0))] }
}

#[test]
fn a_door_that_was_blind_for_a_tenth_is_not_believed() {
    assert_eq!(why(vec![report()]), None);
    assert_eq!(why(vec![span(0, 1500, 1500), span(1500, 2500, 1000)]), None);
    assert_eq!(why(vec![span(1000, 1900, 900)]), None);
    assert_eq!(why(vec![span(1000, 1899, 899)]), Some(ClosingWhy::NoReport));
    let covered = |usable, blind| DoorReport {
        usable_ms: Some(usable),
        blind: vec![(Blind::Covered, blind), (Blind::Frozen, 1)],
        ..report()
    };
    assert_eq!(why(vec![covered(900_000, 99_999)]), None);
    assert_eq!(why(vec![covered(899_999, 100_000)]), Some(ClosingWhy::Covered));
    assert_eq!(why(vec![]), Some(ClosingWhy::NoReport));
}

#[test]
fn time_told_twice_counts_once() {
    let half = || span(1000, 1500, 500);
    assert_eq!(why(vec![half(), half()]), Some(ClosingWhy::NoReport));
    assert_eq!(why(vec![span(1000, 1600, 600), half(), span(1500, 2000, 500)]), None);
}

#[test]
fn what_was_blind_in_a_long_report_is_taken_to_lie_in_the_lesson() {
    let long = |usable| DoorReport {
        blind: vec![(Blind::Covered, (2_000 - usable as u64) * 1000)],
        ..span(0, 2000, usable)
    };
    assert_eq!(why(vec![long(1_900)]), None);
    assert_eq!(
        why(vec![long(1_899)]),
        Some(ClosingWhy::Covered),
        "over a tenth, though a twentieth in all"
    );
}

#[test]
fn whatever_may_have_missed_somebody_is_no_evidence() {
    let doubted = |change: fn(&mut DoorReport)| {
        let mut report = report();
        change(&mut report);
        ground(&door(vec![report]), SPAN, |_| None).why
    };
    assert_eq!(doubted(|report| report.usable_ms = None), Some(ClosingWhy::OldSoftware));
    assert_eq!(doubted(|report| report.err_ms = 60_000), None);
    assert_eq!(doubted(|report| report.err_ms = 60_001), Some(ClosingWhy::Clock));
    assert_eq!(doubted(|report| report.fired = 0), Some(ClosingWhy::Idle));
    assert_eq!(doubted(|report| report.dropped = 2), None);
    assert_eq!(doubted(|report| report.dropped = 3), Some(ClosingWhy::Dropped));
    assert_eq!(doubted(|report| report.refused = 1), Some(ClosingWhy::Lost));
    let lost = ClosingDoor { lost: true, ..door(vec![report()]) };
    assert_eq!(ground(&lost, SPAN, |_| None).why, Some(ClosingWhy::Lost));
}

#[test]
fn a_trigger_that_may_have_fired_before_the_lesson_proves_nothing_of_it() {
    let fired = |reports: Vec<(i64, i64, u64)>, passed| {
        let one = |(from, to, fired)| DoorReport { fired, ..span(from, to, to - from) };
        let reports = reports.into_iter().map(one).collect();
        ground(&ClosingDoor { passed, ..door(reports) }, SPAN, |_| None).why
    };
    assert_eq!(fired(vec![(500, 1500, 9), (1500, 2000, 0)], false), Some(ClosingWhy::Idle));
    assert_eq!(
        fired(vec![(1000, 1500, 0), (1500, 2001, 9)], false),
        Some(ClosingWhy::Idle),
        "after it"
    );
    assert_eq!(fired(vec![(500, 1500, 9), (1500, 2000, 1)], false), None);
    assert_eq!(fired(vec![(500, 1500, 9), (1500, 2000, 0)], true), None, "somebody passed");
    let dropped = |from| {
        let early = DoorReport { looks: 100, dropped: 2, ..span(from, 1500, 1500 - from) };
        why(vec![early, DoorReport { looks: 10, ..span(1500, 2000, 500) }])
    };
    assert_eq!([dropped(1000), dropped(999)], [None, Some(ClosingWhy::Dropped)]);
}

#[test]
fn only_the_part_whose_gallery_holds_the_student_counts() {
    let swapped = vec![span(1000, 1100, 100), DoorReport { gallery: 2, ..span(1100, 2000, 900) }];
    let held_by = |version| {
        let unknown = |report: &DoorReport| {
            pupil().unknown_to(report.model.as_ref(), report.from, report.gallery == version)
        };
        ground(&door(swapped.clone()), SPAN, unknown)
    };
    assert_eq!((held_by(2).permille, held_by(2).why), (900, None));
    assert_eq!((held_by(1).permille, held_by(1).why), (100, Some(ClosingWhy::NotInGallery)));
}

#[test]
fn whoever_no_door_can_know_is_told_why() {
    let other = "m-2".parse::<ModelId>().unwrap();
    let all = [
        (Pupil { is_active: false, ..pupil() }, ClosingWhy::Inactive),
        (Pupil { consents: false, ..pupil() }, ClosingWhy::NoConsent),
        (Pupil { templates: vec![], ..pupil() }, ClosingWhy::NotEnrolled),
        (Pupil { templates: vec![(other, Wall(0))], ..pupil() }, ClosingWhy::OtherModel),
    ];
    for (pupil, why) in all {
        assert_eq!(
            pupil.unknown_to(Some(&model()), SPAN.0, true),
            Some(why),
            "even where a gallery holds them"
        );
        assert!(why.is_personal());
    }
    let later = Pupil { templates: vec![(model(), Wall(1_000_001))], ..pupil() };
    assert_eq!(later.unknown_to(Some(&model()), SPAN.0, false), Some(ClosingWhy::EnrolledLater));
    assert_eq!(pupil().unknown_to(Some(&model()), SPAN.0, false), Some(ClosingWhy::NotInGallery));
    assert_eq!(pupil().unknown_to(Some(&model()), SPAN.0, true), None);
}

#[test]
fn absence_needs_evidence_of_every_door() {
    let ground = |why| Ground { door: "d".into(), permille: 1000, why };
    let (sees, blind) = (ground(None), ground(Some(ClosingWhy::Covered)));
    let of = |stayed, doors: &[Ground]| Grounds { stayed, doors: doors.to_vec() };
    assert_eq!(say(false, &of(false, std::slice::from_ref(&sees))), Status::Absent);
    assert_eq!(
        say(false, &of(false, &[sees.clone(), blind])),
        Status::Unverified,
        "the other door"
    );
    assert_eq!(say(false, &of(false, &[])), Status::Unverified, "no door");
    assert_eq!(say(false, &of(true, std::slice::from_ref(&sees))), Status::Unverified);
    assert_eq!(say(true, &of(false, &[sees])), Status::Undecided);
}
