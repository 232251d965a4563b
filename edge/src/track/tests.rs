use super::*;
use proptest::prelude::*;

/// A template at `angle` degrees from everybody else's zero: 10° apart is cosine .985, 30° is .866.
fn face(angle: f32) -> Template {
    let (sin, cos) = angle.to_radians().sin_cos();
    Template::from_raw(vec![cos, sin]).unwrap()
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
        crop: Arc::new(Picture::new(1, 1, vec![0; 3]).unwrap()),
    }
}

/// Runs frames of `(x, angle)` and returns each track's angles, oldest track first.
fn tracks(frames: &[&[(f32, f32)]]) -> Vec<Vec<f32>> {
    let mut tracker = Tracker::new(1_500, Scale::of("dlib-1"));
    for (n, faces) in frames.iter().enumerate() {
        tracker.step(faces.iter().map(|(x, angle)| look(n as u64, *x, *angle)).collect());
    }
    let angle = |look: &Look| {
        let raw = look.template.as_slice();
        raw[1].atan2(raw[0]).to_degrees().round()
    };
    tracker.tracks().iter().map(|track| track.looks.iter().map(angle).collect()).collect()
}

#[test]
fn one_person_walking_by_is_one_track() {
    let walk: Vec<Vec<(f32, f32)>> =
        (0..8).map(|n| vec![(n as f32 * 60.0, (n % 3) as f32 * 4.0)]).collect();
    let frames: Vec<&[(f32, f32)]> = walk.iter().map(Vec::as_slice).collect();
    assert_eq!(tracks(&frames).len(), 1);
}

#[test]
fn two_people_who_cross_do_not_swap() {
    // One walks right, the other left; in the middle frame only one is seen.
    let (a, b) = (0.0, 35.0);
    let frames: [&[(f32, f32)]; 5] = [
        &[(100.0, a), (300.0, b)],
        &[(160.0, a), (240.0, b)],
        &[(200.0, a)],
        &[(160.0, b), (240.0, a)],
        &[(100.0, b), (300.0, a)],
    ];
    assert_eq!(tracks(&frames), [vec![a; 5], vec![b; 4]]);
}

#[test]
fn a_turned_face_goes_on_where_it_was_and_nowhere_else() {
    // 24° is cosine .914: between other and same.
    assert_eq!(tracks(&[&[(100.0, 0.0)], &[(110.0, 24.0)]]).len(), 1);
    assert_eq!(tracks(&[&[(100.0, 0.0)], &[(400.0, 24.0)]]).len(), 2);
}

#[test]
fn what_joins_two_looks_is_said_by_the_pack_that_runs() {
    // 55° is cosine .574, 75° is .259: the same person, and perhaps, to SFace; to dlib nobody.
    let counts = |model: &str, angle, x| {
        let mut tracker = Tracker::new(1_500, Scale::of(model));
        tracker.step(vec![look(0, 100.0, 0.0)]);
        tracker.step(vec![look(1, x, angle)]);
        tracker.tracks().len()
    };
    let sface = [(55.0, 500.0), (75.0, 110.0), (75.0, 500.0), (85.0, 110.0)];
    assert_eq!(sface.map(|(angle, x)| counts("sface-1.yunet-00", angle, x)), [1, 1, 2, 2]);
    assert_eq!(sface.map(|(angle, x)| counts("iresnet50-1.scrfd10g-00", angle, x)), [1, 1, 2, 2]);
    assert_eq!(sface.map(|(angle, x)| counts("dlib-1.mtcnn-mirror", angle, x)), [2; 4]);
}

#[test]
fn another_pack_is_measured_by_its_own_scale_from_then_on() {
    let mut tracker = Tracker::new(1_500, Scale::of("dlib-1"));
    tracker.change(Scale::of("sface-1"));
    tracker.step(vec![look(0, 100.0, 0.0)]);
    tracker.step(vec![look(1, 500.0, 55.0)]);
    assert_eq!(tracker.tracks().len(), 1);
}

/// Which of `faces` (of frame 1, 100 ms later) are still somebody of frame 0.
fn still(before: &[(f32, f32)], faces: &[Place]) -> Vec<Option<u64>> {
    let mut tracker = Tracker::new(1_500, Scale::of("dlib-1"));
    tracker.step(before.iter().map(|(x, angle)| look(0, *x, *angle)).collect());
    tracker.still(faces, |_| true).into_iter().map(|id| id.map(|id| id.0)).collect()
}

fn place(frame: u64, x: f32) -> Place {
    look(frame, x, 0.0).place()
}

#[test]
fn a_face_alone_that_hardly_moved_is_still_who_it_was() {
    let one = [(100.0, 0.0)];
    assert_eq!(still(&one, &[place(1, 110.0)]), [Some(1)]);
    assert_eq!(still(&one, &[place(1, 130.0)]), [None], "it moved");
    assert_eq!(still(&one, &[place(2, 110.0)]), [None], "it was unseen in between");
    let late = Place { at: Mono(STILL_MS + 1), ..place(1, 100.0) };
    assert_eq!(still(&one, &[late]), [None], "there was time to change places");
    let beside = [place(1, 105.0), place(1, 200.0)];
    assert_eq!(still(&one, &beside), [None, None], "somebody else is near");
    assert_eq!(still(&one, &[place(1, 105.0), place(1, 400.0)]), [Some(1), None]);
    let two = [(100.0, 0.0), (200.0, 60.0)];
    assert_eq!(still(&two, &[place(1, 100.0)]), [None], "somebody was near a moment ago");
}

#[test]
fn only_whoever_may_be_still_is_and_not_for_ever() {
    let mut tracker = Tracker::new(1_500, Scale::of("dlib-1"));
    tracker.step(vec![look(0, 100.0, 0.0)]);
    assert_eq!(tracker.still(&[place(1, 100.0)], |_| false), [None]);
    let compared = (1..=8).filter(|n| {
        let place = place(*n, 100.0);
        match tracker.still(&[place], |_| true)[0] {
            Some(id) => tracker.touch(id, place),
            None => tracker.step(vec![look(*n, 100.0, 0.0)]),
        }
        tracker.tracks()[0].seen() == place.at && tracker.tracks()[0].unseen == 0
    });
    assert_eq!(compared.collect::<Vec<_>>(), [4, 8]);
    assert_eq!(tracker.tracks().len(), 1);
}

#[test]
fn a_face_that_is_still_gets_no_other_face_of_its_frame() {
    let mut tracker = Tracker::new(1_500, Scale::of("dlib-1"));
    tracker.step(vec![look(0, 100.0, 0.0)]);
    tracker.touch(TrackId(1), place(1, 100.0));
    tracker.step(vec![look(1, 300.0, 0.0)]);
    assert_eq!(tracker.tracks().len(), 2);
    assert!(tracker.tracks()[0].is_beside(&tracker.tracks()[1]));
}

#[test]
fn somebody_in_the_same_place_is_somebody_else() {
    assert_eq!(tracks(&[&[(100.0, 0.0)], &[(100.0, 40.0)]]).len(), 2);
}

#[test]
fn a_face_unseen_for_too_long_has_gone() {
    let mut tracker = Tracker::new(1_500, Scale::of("dlib-1"));
    tracker.step(vec![look(0, 100.0, 0.0)]);
    tracker.step(vec![look(10, 100.0, 0.0), look(10, 300.0, 60.0)]);
    assert!(tracker.end(Mono(2_400)).is_empty());
    tracker.step(vec![look(24, 300.0, 60.0)]);
    let gone = tracker.end(Mono(2_600));
    assert_eq!(gone.iter().map(|track| track.id.0).collect::<Vec<_>>(), [1]);
    assert_eq!(tracker.tracks().len(), 1);
}

#[test]
fn a_long_passage_keeps_its_best_looks() {
    let mut tracker = Tracker::new(1_500, Scale::of("dlib-1"));
    for n in 0..40 {
        let weight = if n == 5 { 9.0 } else { 1.0 + n as f32 / 100.0 };
        tracker.step(vec![Look { weight, ..look(n, 100.0, 0.0) }]);
    }
    let track = &tracker.tracks()[0];
    assert_eq!((track.looks.len(), track.best().frame), (LOOKS, 5));
}

proptest! {
    #[test]
    fn a_frame_never_gives_one_track_two_faces(
        frames in prop::collection::vec(
            prop::collection::vec((0.0f32..600.0, 0.0f32..90.0), 0..5), 1..12)
    ) {
        let mut tracker = Tracker::new(1_500, Scale::of("dlib-1"));
        let mut faces = 0;
        for (n, frame) in frames.iter().enumerate() {
            faces += frame.len();
            tracker.step(frame.iter().map(|(x, angle)| look(n as u64, *x, *angle)).collect());
        }
        let mut seen = 0;
        for track in tracker.tracks() {
            seen += track.frames.len();
            prop_assert!(track.frames.is_sorted_by(|a, b| a < b), "{:?}", track.frames);
        }
        prop_assert_eq!(seen, faces, "every face is in exactly one track");
    }
}
