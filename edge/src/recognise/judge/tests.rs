use super::*;
use crate::track::Tracker;
use std::sync::Arc;
use vision::{Rect, Scale};
use wire::gallery::{Due, Gallery, Person};
use wire::{Mono, Quality, StudentId};

fn student(n: u8) -> StudentId {
    format!("00000000-0000-7000-8000-0000000000{n:02x}").parse().unwrap()
}

/// A template at `angle` degrees: 10° apart is cosine .985, 16° is .961, 18° is .951, 24° is .914.
fn face(angle: f32) -> Template {
    let (sin, cos) = angle.to_radians().sin_cos();
    Template::from_raw(vec![cos, sin]).unwrap()
}

/// People 0, 1, 2 … at these angles.
fn gallery(angles: &[f32]) -> Gallery {
    let person = |(n, angle): (usize, &f32)| Person {
        id: student(n as u8),
        template: face(*angle).to_f16_bytes(),
    };
    Gallery {
        model: "test-1".parse().unwrap(),
        dim: 2,
        lines: vision::decide::LINES,
        people: angles.iter().enumerate().map(person).collect(),
        look_alikes: vec![],
        cannot_link: vec![],
        due: vec![],
    }
}

fn look(frame: u64, x: f32, angle: f32) -> Look {
    Look {
        frame,
        at: Mono(frame * 100),
        rect: Rect { left: x, top: 50.0, right: x + 80.0, bottom: 130.0 },
        template: face(angle),
        mirror: None,
        cut: Arc::new(vision::Cut::of(vision::Chip::new(vec![0; 150 * 150 * 3]).unwrap())),
        quality: Quality::default(),
        reasons: vec![],
        weight: 1.0,
        crop: Arc::new(vision::Picture::new(1, 1, vec![0; 3]).unwrap()),
    }
}

/// What is made of faces `(x, angle)` seen together in `frames` frames.
fn opinions(
    gallery: Gallery,
    faces: &[(f32, f32)],
    frames: u64,
    now: Option<Wall>,
) -> Vec<Opinion> {
    let mut tracker = Tracker::new(1_500, Scale::of("dlib-1"));
    for n in 0..frames {
        tracker.step(faces.iter().map(|(x, angle)| look(n, *x, *angle)).collect());
    }
    judge(tracker.tracks(), Some(&LoadedGallery::new(1, gallery).unwrap()), now)
}

fn who(opinion: &Opinion) -> (Verdict, Option<StudentId>) {
    (opinion.decision.verdict, opinion.decision.candidates.first().map(|c| c.student))
}

#[test]
fn several_looks_at_one_person_are_fused() {
    let seen = opinions(gallery(&[0.0, 90.0]), &[(100.0, 4.0)], 4, None);
    assert_eq!((seen[0].frames, who(&seen[0])), (4, (Verdict::High, Some(student(0)))));
}

#[test]
fn a_stranger_is_nobody_and_the_nearest_score_is_told() {
    let seen = opinions(gallery(&[0.0, 90.0]), &[(100.0, 45.0)], 4, None);
    assert_eq!(who(&seen[0]), (Verdict::Unknown, None));
    assert!((seen[0].nearest.unwrap() - 0.707).abs() < 0.01);
}

#[test]
fn without_a_gallery_everybody_is_unknown() {
    let mut tracker = Tracker::new(1_500, Scale::of("dlib-1"));
    tracker.step(vec![look(0, 100.0, 0.0)]);
    let seen = judge(tracker.tracks(), None, None);
    assert_eq!((who(&seen[0]), seen[0].nearest), ((Verdict::Unknown, None), None));
}

#[test]
fn one_student_is_never_on_two_faces_of_a_frame() {
    let seen = opinions(gallery(&[0.0, 90.0]), &[(100.0, 0.0), (300.0, 14.0)], 3, None);
    assert_eq!(who(&seen[0]), (Verdict::High, Some(student(0))));
    assert_eq!(who(&seen[1]), (Verdict::Unknown, None));
}

#[test]
fn a_face_whose_best_match_is_somebody_beside_goes_to_review() {
    let seen = opinions(gallery(&[0.0, 22.0]), &[(100.0, 0.0), (300.0, 10.0)], 3, None);
    assert_eq!(who(&seen[1]), (Verdict::Review, Some(student(1))));
    assert!(seen[1].decision.reasons.contains(&Reason::CloseRunnerUp));
}

#[test]
fn a_poor_look_alone_is_for_a_person_and_does_not_spoil_good_ones() {
    let (poor, good) = (look(0, 100.0, 4.0), look(1, 100.0, 0.0));
    let poor = Look { reasons: vec![Reason::Blurred], ..poor };
    let loaded = LoadedGallery::new(1, gallery(&[0.0, 90.0])).unwrap();
    let mut tracker = Tracker::new(1_500, Scale::of("dlib-1"));
    tracker.step(vec![poor]);
    let alone = judge(tracker.tracks(), Some(&loaded), None);
    assert_eq!(alone[0].decision.verdict, Verdict::Review);
    tracker.step(vec![good]);
    let both = judge(tracker.tracks(), Some(&loaded), None);
    assert_eq!((both[0].frames, both[0].decision.verdict), (1, Verdict::High));
}

#[test]
fn those_due_now_are_compared_first() {
    // Person 1 is due; person 0 is a little more like the face, and at home.
    let (faces, now) = ([(100.0, 5.0)], Some(Wall(50)));
    let people = gallery(&[4.0, 7.0]);
    let all = opinions(people.clone(), &faces, 3, now);
    assert_eq!(who(&all[0]), (Verdict::Review, Some(student(0))));
    let due = vec![Due { from: Wall(0), to: Wall(100), members: vec![0b10] }];
    let due = opinions(Gallery { due, ..people }, &faces, 3, now);
    assert_eq!(who(&due[0]), (Verdict::High, Some(student(1))));
}

#[test]
fn somebody_clearly_more_alike_wins_over_those_due() {
    let due = vec![Due { from: Wall(0), to: Wall(100), members: vec![0b10] }];
    let people = Gallery { due, ..gallery(&[0.0, 15.0]) };
    let seen = opinions(people, &[(100.0, 0.0)], 3, Some(Wall(50)));
    assert_eq!(who(&seen[0]), (Verdict::High, Some(student(0))));
}

#[test]
fn known_look_alikes_and_matches_ruled_out_go_to_review() {
    let alike = Gallery { look_alikes: vec![(1, 0)], ..gallery(&[0.0, 90.0]) };
    let seen = opinions(alike, &[(100.0, 0.0)], 3, None);
    assert_eq!(seen[0].decision.reasons, [Reason::LookAlike]);
    let alone = Gallery { look_alikes: vec![(0, 0)], ..gallery(&[0.0, 90.0]) };
    let seen = opinions(alone, &[(100.0, 0.0), (400.0, 90.0)], 3, None);
    assert_eq!(who(&seen[0]).0, Verdict::Review, "the other one comes through other doors");
    assert_eq!(who(&seen[1]), (Verdict::High, Some(student(1))));
    let ruled = |angle| Gallery { cannot_link: vec![(1, 0)], ..gallery(&[0.0, angle]) };
    let seen = opinions(ruled(12.0), &[(100.0, 0.0)], 3, None);
    assert_eq!(seen[0].decision.reasons, [Reason::RuledOut]);
    assert_eq!(seen[0].decision.verdict, Verdict::Review);
    let far = opinions(ruled(90.0), &[(100.0, 0.0)], 3, None);
    assert_eq!(who(&far[0]), (Verdict::High, Some(student(0))), "the other is nowhere near");
}
