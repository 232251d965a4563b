//! People walk through the door: generated moving pictures, real models, exact record counts.

mod stage;

use rollcall_edge::draft::Draft;
use stage::{Door, Place, gallery, head, put, student, wall};
use vision::Picture;
use wire::{StudentId, Verdict};

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
