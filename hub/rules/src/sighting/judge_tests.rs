//! Each way a record can go, with real seals.

use super::*;
use crate::sighting::school::SchoolLook;
use rand::{SeedableRng, rngs::StdRng};
use wire::record::{CameraState, LossCause};
use wire::{Mono, Ranges, Stamp, Wall};

/// A school of two: whoever has the template's largest component.
struct Two(ModelId);

impl School for Two {
    fn model(&self) -> &ModelId {
        &self.0
    }

    fn holds(&self, id: StudentId) -> bool {
        [student(1), student(2)].contains(&id)
    }

    fn search(&self, probes: &[Template]) -> Vec<Vec<Candidate>> {
        let one = |probe: &Template| {
            let [a, b, ..] = *probe.as_slice() else { panic!("three components") };
            let known = [(1, a), (2, b)].into_iter().filter(|&(_, score)| score > 0.9);
            known.map(|(n, score)| Candidate { student: student(n), score }).collect()
        };
        probes.iter().map(one).collect()
    }

    fn judge(&self, nearest: &[Candidate], _: u16, doubts: &[Reason]) -> SchoolLook {
        let candidates = nearest.to_vec();
        let verdict = if candidates.is_empty() { Verdict::Unknown } else { Verdict::High };
        SchoolLook { verdict, reasons: doubts.to_vec(), candidates, confidence: 0.9 }
    }
}

fn student(n: u128) -> StudentId {
    StudentId(uuid::Uuid::from_u128(n))
}

fn model() -> ModelId {
    "dlib-1".parse().unwrap()
}

fn school() -> [Arc<dyn School>; 1] {
    [Arc::new(Two(model()))]
}

fn device() -> DeviceId {
    "d1".parse().unwrap()
}

const EPOCH: Epoch = Epoch([1; 16]);
const AT: Stamp = Stamp { boot: 1, mono: Mono(5000), wall: Some(Wall(7)), clock: ClockState::Ntp };

fn secret() -> HubSecret {
    HubSecret::generate(1, &mut StdRng::seed_from_u64(1))
}

fn seal(seq: u64, part: Part, plain: &[u8]) -> Sealed {
    let key = RecordKey { device: device(), epoch: EPOCH, seq };
    secret().public().unwrap().seal(&key, part, plain, &mut StdRng::seed_from_u64(2)).unwrap()
}

fn sighting(seq: u64, template: [f32; 3]) -> Sighting {
    let template = Template::from_raw(template.to_vec()).unwrap().to_f16_bytes();
    Sighting {
        room: "204".into(),
        direction: Direction::Entry,
        candidates: vec![Candidate { student: student(1), score: 0.97 }],
        confidence: 0.9,
        verdict: Verdict::High,
        reasons: vec![],
        quality: Quality::default(),
        frames: 1,
        gallery: 4,
        model: model(),
        template: seal(seq, Part::Template, &template),
        crop: None,
    }
}

fn item(seq: u64, body: &Body) -> Item {
    let body = body.encode();
    Item { seq, at: AT, hash: Item::digest(seq, &AT, &body), body, crop: None }
}

fn judged(item: Item) -> Judged {
    let context = Context { secrets: &[secret()], schools: &school() };
    judge(&device(), EPOCH, &[item], &context).remove(0)
}

fn seen(item: Item) -> JudgedSeen {
    match judged(item).finding {
        JudgedFinding::Seen(seen) => *seen,
        other => panic!("{other:?}"),
    }
}

fn reject(item: Item) -> Reject {
    match judged(item).finding {
        JudgedFinding::Dead(reject, _) => reject,
        other => panic!("{other:?}"),
    }
}

fn body(change: impl FnOnce(&mut Sighting)) -> Body {
    let mut sighting = sighting(1, [1.0, 0.0, 0.0]);
    change(&mut sighting);
    Body::Sighting(sighting)
}

#[test]
fn whom_the_door_named_and_the_school_knows_goes_to_a_person() {
    let seen = seen(item(1, &body(|_| {})));
    assert_eq!(seen.candidates[0].student, student(1));
    assert_eq!((seen.verdict, seen.reasons), (Verdict::High, vec![]));
}

#[test]
fn a_better_match_outside_the_doors_gallery_reaches_the_card() {
    let seen = seen(item(1, &Body::Sighting(sighting(1, [0.0, 1.0, 0.0]))));
    assert_eq!(seen.candidates[0].student, student(2));
    assert_eq!((seen.verdict, seen.reasons), (Verdict::Review, vec![Reason::ChangedByHub]));
}

#[test]
fn of_records_that_come_together_each_gets_its_own_answer() {
    let face = |seq, template| item(seq, &Body::Sighting(sighting(seq, template)));
    let mut damaged = face(2, [1.0, 0.0, 0.0]);
    damaged.hash = [0; 16];
    let stranger = face(4, [0.0, 0.0, 1.0]);
    let items = [damaged, face(3, [0.0, 1.0, 0.0]), stranger, face(5, [1.0, 0.0, 0.0])];
    let context = Context { secrets: &[secret()], schools: &school() };
    let who = |judged: Judged| match judged.finding {
        JudgedFinding::Seen(seen) => Some((judged.item.seq, seen.candidates[0].student)),
        _ => None,
    };
    let all: Vec<_> = judge(&device(), EPOCH, &items, &context).into_iter().map(who).collect();
    assert_eq!(all, [None, Some((3, student(2))), None, Some((5, student(1)))]);
}

#[test]
fn somebody_the_school_no_longer_knows_leaves_no_trace() {
    let judged = judged(item(1, &Body::Sighting(sighting(1, [0.0, 0.0, 1.0]))));
    assert!(matches!(judged.finding, JudgedFinding::Nobody));
}

#[test]
fn a_crop_is_opened_only_if_it_is_the_records_own() {
    let jpeg = [&[0xff, 0xd8, 0xff][..], b"face"].concat();
    let sealed = seal(1, Part::Crop, &jpeg).encode();
    let named = body(|said| said.crop = Some(crop_hash(&sealed)));
    let with = |crop: Option<Vec<u8>>| seen(Item { crop, ..item(1, &named) });
    assert_eq!(with(Some(sealed)).crop.as_deref(), Some(&jpeg));
    let dropped = vec![Reason::CropDropped];
    assert_eq!(with(None).reasons, dropped);
    let other = seal(2, Part::Crop, &jpeg).encode();
    let swapped = with(Some(other));
    assert_eq!((swapped.crop, swapped.reasons), (None, dropped));
}

#[test]
fn what_the_door_doubted_stays_doubted() {
    let said = vec![Reason::SingleFrame, Reason::ClockUnset, Reason::Blurred];
    let seen = seen(item(1, &body(|sighting| sighting.reasons = said)));
    assert_eq!(seen.reasons, [Reason::Blurred, Reason::ClockUnset]);
}

#[test]
fn each_broken_record_has_its_own_code() {
    let bytes =
        |body: Vec<u8>| Item { hash: Item::digest(1, &AT, &body), body, ..item(1, &body_ok()) };
    assert_eq!(reject(Item { hash: [0; 16], ..item(1, &body_ok()) }), Reject::WrongHash);
    assert_eq!(reject(bytes(vec![99])), Reject::Malformed);
    assert_eq!(reject(item(0, &body_ok())), Reject::Invalid);
    assert_eq!(reject(item(2, &body_ok())), Reject::Unsealable, "sealed for number 1");
    let retired = body(|said| said.template.key = 9);
    assert_eq!(reject(item(1, &retired)), Reject::Unsealable);
}

fn body_ok() -> Body {
    body(|_| {})
}

#[test]
fn a_face_is_compared_with_templates_of_its_own_model_alone() {
    let other = || item(1, &body(|said| said.model = "arcface-1".parse().unwrap()));
    let JudgedFinding::Incomparable(model, named) = judged(other()).finding else { panic!() };
    assert_eq!((model.as_str(), named), ("arcface-1", vec![student(1)]));
    let both: [Arc<dyn School>; 2] =
        [Arc::new(Two(model_of("sface-1"))), Arc::new(Two(model_of("arcface-1")))];
    let context = Context { secrets: &[secret()], schools: &both };
    let judged = judge(&device(), EPOCH, &[other()], &context).remove(0);
    assert!(
        matches!(judged.finding, JudgedFinding::Seen(seen) if seen.model.as_str() == "arcface-1")
    );
}

#[test]
fn nobody_is_who_was_named_and_is_not_learnt_by_this_model_yet() {
    let named = |n| {
        let mut said = sighting(1, [0.0, 0.0, 1.0]);
        said.candidates = vec![Candidate { student: student(n), score: 0.95 }];
        judged(item(1, &Body::Sighting(said))).finding
    };
    assert!(matches!(named(2), JudgedFinding::Nobody), "they are known, and it is not them");
    assert!(matches!(named(7), JudgedFinding::Unlearnt(_, who) if who == [student(7)]));
}

fn model_of(name: &str) -> ModelId {
    name.parse().unwrap()
}

#[test]
fn values_out_of_range_are_refused() {
    let many = vec![Candidate { student: student(1), score: 0.95 }; 6];
    for wrong in [
        body(|said| said.confidence = f32::NAN),
        body(|said| said.candidates[0].score = 2.0),
        body(|said| said.candidates = many),
        body(|said| said.quality.sharpness = f32::INFINITY),
        body(|said| said.frames = 0),
        body(|said| said.room = "x".repeat(200)),
        body(|said| said.template = seal(1, Part::Template, &[0; 6])),
        body(|said| said.template = seal(1, Part::Template, &[0; 5])),
    ] {
        assert_eq!(reject(item(1, &wrong)), Reject::Invalid, "{wrong:?}");
    }
}

#[test]
fn health_loss_and_anchors_are_checked_and_passed_on() {
    let camera = CameraState::Watching;
    let health = |since, watched_ms| {
        Body::Health(Health { since: Mono(since), watched_ms, camera, disk_free_mb: 1 })
    };
    assert!(matches!(judged(item(1, &health(1000, 4000))).finding, JudgedFinding::Health(_)));
    assert_eq!(reject(item(1, &health(1000, 4001))), Reject::Invalid);
    let anchor = Body::Anchor(Anchor { err_ms: 1, stepped: false });
    assert!(matches!(judged(item(1, &anchor)).finding, JudgedFinding::Anchor(_)));
    let unset = Stamp { wall: None, clock: ClockState::Unset, ..AT };
    let bytes = anchor.encode();
    let hash = Item::digest(1, &unset, &bytes);
    assert_eq!(reject(Item { seq: 1, at: unset, hash, body: bytes, crop: None }), Reject::Invalid);
    let gone = Ranges::from(vec![(1, u64::MAX)]);
    let loss = Loss { gone, unnumbered: 0, from: AT, to: AT, cause: LossCause::Damaged };
    assert_eq!(reject(item(1, &Body::Loss(loss))), Reject::Invalid);
}

#[test]
fn a_moved_record_is_opened_under_its_old_key() {
    let inner = body_ok().encode();
    let moved = Body::Moved(Moved { epoch: EPOCH, seq: 1, body: inner.clone() });
    let new = Epoch([2; 16]);
    let context = Context { secrets: &[secret()], schools: &school() };
    let judged = judge(&device(), new, &[item(40, &moved)], &context).remove(0);
    assert!(matches!(judged.finding, JudgedFinding::Seen(_)), "{judged:?}");
    let old = RecordKey { device: device(), epoch: EPOCH, seq: 1 };
    assert_eq!(judged.moved, Some((old, Item::digest(1, &AT, &inner))));
    let twice = Body::Moved(Moved { epoch: EPOCH, seq: 1, body: moved.encode() });
    assert_eq!(reject(item(1, &twice)), Reject::Invalid);
}
