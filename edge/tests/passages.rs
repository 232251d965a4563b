//! People walk through the door: generated moving pictures, real models, exact record counts.

mod stage;

use rollcall_edge::capture::{Frame, Pixels};
use rollcall_edge::draft::Draft;
use rollcall_edge::gallery::LoadedGallery;
use rollcall_edge::packs::Model;
use rollcall_edge::passing::{Barrier, Way};
use rollcall_edge::pulse::Beat;
use rollcall_edge::trigger::{Ask, Burst, Cause, Shots, Source};
use stage::{Door, Place, gallery, head, put, student, wall};
use std::sync::Arc;
use vision::Picture;
use wire::{Mono, StudentId, Verdict};

const FRAMES: usize = 25;
const OBAMA: (u8, &[&str]) = (1, &["obama.jpg", "obama2.jpg"]);
const BIDEN: (u8, &[&str]) = (2, &["biden.jpg"]);

/// How far through the passage frame `n` is, 0 to 1.
fn part(n: usize) -> f32 {
    n as f32 / (FRAMES - 1) as f32
}

fn between(from: f32, to: f32, part: f32) -> f32 {
    from + (to - from) * part
}

/// From left to right, coming nearer, out of the shade into the light.
fn crossing(part: f32) -> Place {
    Place {
        x: between(60.0, 580.0, part),
        y: between(220.0, 250.0, part),
        width: between(170.0, 260.0, part),
        light: between(0.65, 1.1, part),
    }
}

fn walk(head: &Picture) -> Vec<Picture> {
    let frame = |n: usize| {
        let mut frame = wall();
        put(&mut frame, head, &crossing(part(n)));
        frame
    };
    (0..FRAMES).map(frame).collect()
}

fn who(drafts: &[Draft]) -> Vec<StudentId> {
    let mut who: Vec<_> = drafts.iter().map(|draft| draft.candidates[0].student).collect();
    who.sort();
    who
}

#[test]
fn one_person_crossing_the_frame_is_one_fused_record() {
    let mut door = Door::new(gallery(&[OBAMA, BIDEN]));
    door.show(walk(&head("obama3.jpg")));
    let drafts = door.close();
    assert_eq!(who(&drafts), [student(1)], "{drafts:?}");
    let draft = &drafts[0];
    assert!(draft.frames >= 3 && draft.verdict == Verdict::High, "{draft:?}");
    let crop = draft.crop_jpeg.as_ref().unwrap();
    assert!(crop.len() <= 12 * 1024 && crop.starts_with(&[0xff, 0xd8]));
}

#[test]
fn two_people_crossing_are_two_records_with_the_right_names() {
    let (farther, nearer) = (head("obama3.jpg"), head("biden.jpg"));
    let frame = |n: usize| {
        let (mut frame, there, back) = (wall(), part(n), 1.0 - part(n));
        let light = between(0.8, 1.05, there);
        let farther_place = Place { x: between(90.0, 560.0, there), y: 210.0, width: 190.0, light };
        let nearer_place = Place { x: between(90.0, 560.0, back), y: 260.0, width: 240.0, light };
        put(&mut frame, &farther, &farther_place);
        // In the middle this one hides the other.
        put(&mut frame, &nearer, &nearer_place);
        frame
    };
    let mut door = Door::new(gallery(&[OBAMA, BIDEN]));
    door.show((0..FRAMES).map(frame).collect());
    let drafts = door.close();
    assert_eq!(who(&drafts), [student(1), student(2)], "{drafts:?}");
}

/// Somebody who stands at the door and breathes.
fn stands(head: &Picture, frames: std::ops::Range<usize>) -> Vec<Picture> {
    let frame = |n: usize| {
        let mut frame = wall();
        let sway = (n % 4) as f32;
        let place = Place { x: 300.0 + sway, y: 240.0, width: 220.0, light: 0.9 + sway / 100.0 };
        put(&mut frame, head, &place);
        frame
    };
    frames.map(frame).collect()
}

#[test]
fn whoever_has_a_record_and_stands_still_is_compared_only_now_and_then() {
    let mut door = Door::new(gallery(&[OBAMA, BIDEN]));
    door.show(stands(&head("obama3.jpg"), 0..20));
    let counts = door.counters.read();
    assert_eq!(counts.faces + counts.rested_frames, 20, "{counts:?}");
    assert!(counts.rested_frames >= 8 && counts.still_faces >= 3, "{counts:?}");
    assert!(counts.faces - counts.still_faces <= 6, "{counts:?}");
    assert_eq!(who(&door.close()), [student(1)]);
}

#[test]
fn whoever_comes_while_everybody_in_view_has_their_record_is_recorded_too() {
    let (one, other) = (head("obama3.jpg"), head("biden.jpg"));
    // From each frame of a burst on: whichever frames are passed over, enough are left.
    for first in 6..11 {
        let frame = |n: usize| {
            let (mut frame, light) = (wall(), 0.9 + (n % 4) as f32 / 100.0);
            let x = 190.0 + (n % 4) as f32;
            put(&mut frame, &one, &Place { x, y: 240.0, width: 220.0, light });
            if n >= first {
                let x = 430.0 + 10.0 * (n - first) as f32;
                put(&mut frame, &other, &Place { x, y: 240.0, width: 200.0, light });
            }
            frame
        };
        let mut door = Door::new(gallery(&[OBAMA, BIDEN]));
        // Ten frames are the second that somebody who hurries is in view.
        door.show((0..first + 10).map(frame).collect());
        assert!(door.counters.read().rested_frames > 0);
        assert_eq!(who(&door.close()), [student(1), student(2)], "from frame {first} on");
    }
}

#[test]
fn nothing_is_passed_over_while_somebody_waits_to_see() {
    let mut door = Door::new(gallery(&[OBAMA, BIDEN]));
    let burst = |n| Burst { told: true, frames: n + 1, ..Burst::new(Cause::Snap, Mono(1_000)) };
    for (n, picture) in stands(&head("obama3.jpg"), 0..6).into_iter().enumerate() {
        let at = Mono(1_000 + n as u64 * 100);
        door.recogniser.look(&Arc::new(Frame::new(at, Pixels::Rgb(picture))), &burst(n));
    }
    assert_eq!((door.counters.read().frames, door.counters.read().rested_frames), (6, 0));
}

#[test]
fn whoever_takes_the_very_place_of_somebody_recorded_is_recorded_too() {
    let mut door = Door::new(gallery(&[OBAMA, BIDEN]));
    let mut pictures = stands(&head("obama3.jpg"), 0..10);
    pictures.extend(stands(&head("biden.jpg"), 10..20));
    door.show(pictures);
    assert!(door.counters.read().still_faces > 0);
    assert_eq!(who(&door.close()), [student(1), student(2)]);
}

#[test]
fn two_people_who_stand_side_by_side_are_compared_in_every_frame() {
    let (one, other) = (head("obama3.jpg"), head("biden.jpg"));
    let frame = |n: usize| {
        let mut frame = wall();
        for (head, x) in [(&one, 220.0), (&other, 380.0)] {
            let light = 0.9 + (n % 4) as f32 / 100.0;
            put(&mut frame, head, &Place { x, y: 240.0, width: 180.0, light });
        }
        frame
    };
    let mut door = Door::new(gallery(&[OBAMA, BIDEN]));
    door.show((0..10).map(frame).collect());
    assert_eq!(door.counters.read().still_faces, 0, "they might change places");
    assert_eq!(who(&door.close()), [student(1), student(2)]);
}

#[test]
fn whoever_is_sure_by_three_looks_is_recorded_while_the_burst_still_comes() {
    let mut door = Door::new(gallery(&[OBAMA, BIDEN]));
    let burst = Burst::new(Cause::Motion, Mono(1_000));
    let mut kept = Vec::new();
    for (n, picture) in walk(&head("obama3.jpg")).into_iter().skip(10).take(5).enumerate() {
        let at = Mono(1_000 + n as u64 * 100);
        door.recogniser.look(&Arc::new(Frame::new(at, Pixels::Rgb(picture))), &burst);
        kept.push(door.kept.0.lock().unwrap().len());
    }
    assert_eq!(kept, [0, 0, 1, 1, 1]);
    assert_eq!(door.recogniser.done(&burst).records, [1]);
}

/// Shows the first two frames of a walk, whose burst is not complete.
fn begin(door: &mut Door, burst: &Burst) {
    for (n, picture) in walk(&head("obama3.jpg")).into_iter().skip(10).take(2).enumerate() {
        let at = Mono(1_000 + n as u64 * 100);
        door.recogniser.look(&Arc::new(Frame::new(at, Pixels::Rgb(picture))), burst);
    }
}

#[test]
fn whoever_comes_right_after_somebody_recorded_is_looked_at_in_every_frame() {
    let door = Door::new(gallery(&[OBAMA, BIDEN]));
    let shots = Shots::new(door.counters.clone());
    // Both bursts wait already, as they do where the door is behind.
    let mut at = 1_000;
    for name in ["obama3.jpg", "biden.jpg"] {
        at += 5_000;
        shots.begin(Ask::new(Cause::Button, Mono(at)));
        for picture in walk(&head(name)).into_iter().skip(10).take(4) {
            at += 100;
            shots.push(Arc::new(Frame::new(Mono(at), Pixels::Rgb(picture))));
        }
        shots.end();
    }
    drop(Source(shots.clone()));
    let counters = door.counters.clone();
    let kept = door.kept.clone();
    let (scout, steps) = door.recogniser.scout(Beat::default());
    std::thread::scope(|scope| {
        scope.spawn(|| scout.run(&shots));
        door.recogniser.run(&steps);
    });
    assert_eq!(who(&kept.0.lock().unwrap()), [student(1), student(2)]);
    let counts = counters.read();
    assert_eq!(counts.frames + counts.rested_frames + counts.dropped_frames, 8, "{counts:?}");
    assert!(counts.rested_frames <= 2, "at most one of each burst, its last: {counts:?}");
}

#[test]
fn a_burst_that_was_dropped_whole_lets_nobody_go() {
    let mut door = Door::new(gallery(&[OBAMA, BIDEN]));
    let burst = Burst::new(Cause::Motion, Mono(1_000));
    begin(&mut door, &burst);
    door.recogniser.done(&burst);
    door.clock.advance(6_000);
    door.recogniser.done(&Burst { dropped: 5, ..burst });
    assert_eq!(door.counters.read().passages, 0, "the next frames are of the same people");
}

#[test]
fn whoever_is_on_the_way_when_the_model_changes_is_settled_by_the_old_one() {
    let mut door = Door::new(gallery(&[OBAMA, BIDEN]));
    let burst = Burst::new(Cause::Motion, Mono(1_000));
    begin(&mut door, &burst);
    let mut other = gallery(&[OBAMA]).gallery.clone();
    other.model = "other-1".parse().unwrap();
    door.gallery.send(Some(Arc::new(LoadedGallery::new(2, other).unwrap()))).unwrap();
    let model = door.model.borrow().clone();
    door.model.send(Model { id: "other-1".parse().unwrap(), ..model }).unwrap();
    let frame = Arc::new(Frame::new(Mono(1_200), Pixels::Rgb(wall())));
    door.recogniser.look(&frame, &burst);
    assert_eq!(who(&door.kept.0.lock().unwrap()), [student(1)]);
}

/// Which way somebody went whose walk breaks one line, and the other 300 ms later.
fn way(first: Barrier, then: Barrier) -> Option<Way> {
    let mut door = Door::new(gallery(&[OBAMA, BIDEN]));
    door.passing.broke(first, Mono(1_000));
    door.passing.broke(then, Mono(1_300));
    door.show(walk(&head("obama3.jpg")));
    let [draft] = &door.close()[..] else { panic!("one passage, one record") };
    draft.way
}

#[test]
fn two_lines_say_which_way_somebody_went() {
    assert_eq!(way(Barrier::Outer, Barrier::Inner), Some(Way::In));
    assert_eq!(way(Barrier::Inner, Barrier::Outer), Some(Way::Out));
    assert_eq!(way(Barrier::Outer, Barrier::Outer), None);
}

#[test]
fn of_two_people_on_a_frame_nobody_knows_who_broke_the_lines() {
    let (one, other) = (head("obama3.jpg"), head("biden.jpg"));
    let frame = |n: usize| {
        let (mut frame, x) = (wall(), 4.0 * n as f32);
        for (head, left) in [(&one, 150.0), (&other, 430.0)] {
            put(&mut frame, head, &Place { x: left + x, y: 240.0, width: 180.0, light: 0.9 });
        }
        frame
    };
    let mut door = Door::new(gallery(&[OBAMA, BIDEN]));
    door.passing.broke(Barrier::Inner, Mono(1_000));
    door.passing.broke(Barrier::Outer, Mono(1_300));
    door.show((0..5).map(frame).collect());
    assert_eq!(door.close().iter().map(|draft| draft.way).collect::<Vec<_>>(), [None, None]);
}

#[test]
fn a_stranger_leaves_no_record() {
    let mut door = Door::new(gallery(&[OBAMA]));
    let reports = door.show(walk(&head("biden.jpg")));
    assert!(reports.iter().any(|report| !report.faces.is_empty()), "the face was seen");
    assert_eq!(door.close(), []);
}

#[test]
fn two_faces_of_one_person_in_a_frame_are_one_record() {
    let (one, other) = (head("obama3.jpg"), head("obama2.jpg"));
    let frame = |n: usize| {
        let (mut frame, there) = (wall(), part(n));
        let place = |x| Place { x, y: 240.0, width: 200.0, light: between(0.8, 1.0, there) };
        put(&mut frame, &one, &place(between(130.0, 180.0, there)));
        put(&mut frame, &other, &place(between(430.0, 480.0, there)));
        frame
    };
    let mut door = Door::new(gallery(&[OBAMA, BIDEN]));
    door.show((0..10).map(frame).collect());
    assert_eq!(who(&door.close()), [student(1)]);
}

#[test]
fn an_empty_doorway_leaves_nothing_at_all() {
    let mut door = Door::new(gallery(&[OBAMA]));
    let reports = door.show((0..5).map(|_| wall()).collect());
    assert!(reports[0].faces.is_empty());
    assert_eq!(door.close(), []);
}
