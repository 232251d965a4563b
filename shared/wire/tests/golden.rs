//! Golden bytes of every version that was ever released: what a door of last year sends, this
//! hub still reads. A line in `golden/v1.txt` is never edited; a new version adds lines.
//!
//! After adding a message: `BLESS=1 cargo test -p wire --test golden`, then read the diff.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use uuid::Uuid;
use wire::care::{
    Condition, Conflict, ConflictKind, Grasp, Origin, Running, RunningValue, Tail, TailLevel,
    TailLine,
};
use wire::gallery::{Due, Lines, Manifest, Person};
use wire::link::{
    Ack, Batch, Command, Desired, Greeting, Heard, Hello, Interest, Reject, Reported, Run,
    Settings, Snap, Status, Time, Vitals,
};
use wire::program::{Machine, Offer, Program, Progress, Step};
use wire::record::{Anchor, Blind, CameraState, Health, Loss, LossCause, Moved, Watch};
use wire::*;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/v1.txt");

fn stamp() -> Stamp {
    let wall = Some(Wall(1_780_000_000_123));
    Stamp { boot: 3, mono: Mono(98_765), wall, clock: ClockState::Ntp }
}

fn item(seq: u64, body: &Body, crop: Option<Vec<u8>>) -> Item {
    let (at, body) = (stamp(), body.encode());
    Item { seq, at, hash: Item::digest(seq, &at, &body), body, crop }
}

fn sighting() -> Body {
    let student = StudentId(Uuid::from_u128(0x0190_f4c2_7c1e_7d3a_9b5e_2f1f_6f0a_4c11));
    Body::Sighting(Sighting {
        room: "B2.04".into(),
        direction: Direction::Entry,
        candidates: vec![Candidate { student, score: 0.9625 }],
        confidence: 0.906_25,
        verdict: Verdict::Review,
        reasons: vec![Reason::LookAlike, Reason::SingleFrame],
        quality: Quality {
            eye_px: 41.5,
            sharpness: 88.0,
            brightness: 120.0,
            turn: 0.125,
            detector: 1.0,
        },
        frames: 1,
        gallery: 12,
        model: model(),
        template: sealed(),
        crop: Some(record::crop_hash(&[7; 9])),
    })
}

fn sealed() -> Sealed {
    Sealed { key: 1, enc: [5; 32], bytes: vec![6; 20] }
}

fn model() -> ModelId {
    "dlib-1".parse().unwrap()
}

fn items() -> Vec<Item> {
    let gone = Ranges::from(vec![(2, 3), (9, 9)]);
    let loss = Loss { gone, unnumbered: 4, from: stamp(), to: stamp(), cause: LossCause::DiskFull };
    let health = Health {
        since: Mono(38_765),
        watched_ms: 60_000,
        camera: CameraState::Watching,
        disk_free_mb: 20_480,
    };
    vec![
        item(1, &sighting(), Some(vec![7; 9])),
        item(4, &Body::Health(health), None),
        item(5, &Body::Loss(loss), None),
        item(6, &Body::Anchor(Anchor { err_ms: 40, stepped: true }), None),
    ]
}

fn messages() -> Vec<(&'static str, Message)> {
    let epoch = Epoch([9; 16]);
    vec![
        ("batch", Batch { epoch, items: items() }.into()),
        ("hello", hello().into()),
        (
            "ack",
            Ack {
                hub_epoch: Epoch([8; 16]),
                epoch,
                cum: 4,
                ranges: vec![(6, 6)].into(),
                rejects: vec![(5, Reject::WrongHash)],
                backed_up: 1,
                max_seq: 6,
                window: 8,
            }
            .into(),
        ),
        ("status", Status { online: true, connection: 2, boot: 3 }.into()),
        (
            "reported",
            Reported {
                gallery: 12,
                manifest: [4; 32],
                model: model(),
                software: "0.1.0".into(),
                trouble: String::new(),
            }
            .into(),
        ),
        (
            "desired",
            Desired {
                gallery: 13,
                manifest: [3; 32],
                room: "B2.04".into(),
                direction: Direction::Both,
            }
            .into(),
        ),
        ("command", Command::Restart.into()),
        ("time", Time { wall: Wall(1_780_000_000_123), echo: Some(Mono(98_765)) }.into()),
        ("moved", Batch { epoch, items: vec![item(7, &moved(), None)] }.into()),
        ("loss-restored", Batch { epoch, items: vec![item(8, &restored(), None)] }.into()),
        ("snap", Snap::Picture { epoch, jpeg: sealed() }.into()),
        ("settings", settings().into()),
        ("snap-trouble", Snap::Trouble("the camera gave no frame".into()).into()),
        ("greeting", Greeting { hello: hello(), runs: runs() }.into()),
        ("heard", Heard { epoch, run: Some(0x0123_4567_89ab_cdef) }.into()),
        ("heard-none", Heard { epoch, run: None }.into()),
        ("interest", Interest { every_s: 60 }.into()),
        ("vitals", vitals().into()),
        ("vitals-none", Vitals::default().into()),
        ("offer", offer().into()),
        ("offer-none", Offer::default().into()),
        ("progress", progress().into()),
        ("grasp", Grasp { level: Grasp::CARE }.into()),
        ("log", Command::Log.into()),
        ("tail", tail().into()),
        ("running", running().into()),
        ("condition", condition().into()),
        ("dark", Batch { epoch, items: vec![item(9, &dark(), None)] }.into()),
    ]
}

fn hello() -> Hello {
    Hello {
        epoch: Epoch([9; 16]),
        boot: 3,
        max_seq: 6,
        cum: 1,
        mono: Mono(98_765),
        software: "0.1.0".into(),
        gallery: 12,
        model: model(),
    }
}

fn runs() -> Vec<Run> {
    vec![Run { id: 7, first: 1 }, Run { id: 0x0123_4567_89ab_cdef, first: 5 }]
}

fn vitals() -> Vitals {
    Vitals {
        celsius: Some(-7),
        sagged: Some(true),
        slowed: Some(false),
        memory_free_mb: Some(3_000),
        up_s: Some(86_400),
    }
}

fn program() -> Program {
    Program {
        version: "0.2.0".into(),
        machine: Machine::Arm64,
        released: Wall(1_780_000_000_000),
        length: 4,
        blake3: *blake3::hash(b"code").as_bytes(),
    }
}

fn offer() -> Offer {
    let key = ed25519_dalek::SigningKey::from_bytes(&[1; 32]);
    Offer { rollout: 7, signed: Some(program().sign(&key)) }
}

fn progress() -> Progress {
    Progress {
        machine: Some(Machine::Armhf),
        version: "0.1.0".into(),
        running: Some([3; 32]),
        rollout: 7,
        step: Step::Refused,
        why: "it did not come up".into(),
    }
}

fn settings() -> Settings {
    let (min_face, cooldown_ms, crops) = (Some(60), Some(90_000), Some(false));
    Settings { min_face, cooldown_ms, crops, ..Settings::default() }
}

fn watch() -> Watch {
    Watch {
        since: Mono(38_765),
        usable_ms: 540_000,
        blind: vec![(Blind::Covered, 50_000), (Blind::NoGallery, 10_000)],
        camera: CameraState::Watching,
        disk_free_mb: 20_480,
        gallery: 12,
        model: model(),
        fired: 9,
        looks: 31,
        dropped: 2,
        refused: 1,
        err_ms: Some(40),
    }
}

fn tail() -> Tail {
    let line = |ago_ms, level, text: &str| TailLine { ago_ms, level, text: text.into() };
    let lines = vec![
        line(61_000, TailLevel::Warn, "link: no hub"),
        line(0, TailLevel::Info, "app: the door is ready"),
    ];
    Tail { missed: 7, lines }
}

fn running() -> Running {
    let value =
        RunningValue { key: "recognise.min_face".into(), value: "60".into(), origin: Origin::Hub };
    let conflict = Conflict {
        kind: ConflictKind::CameraSize,
        key: "camera.width".into(),
        asked: "1920 × 1080".into(),
        got: "640 × 480".into(),
    };
    Running { values: vec![value], conflicts: vec![conflict] }
}

fn condition() -> Condition {
    Condition {
        focus: Some(64),
        light: None,
        waiting: 1_300,
        dropped_looks: 2,
        dropped_frames: 31,
        clock: ClockState::Hub,
        clock_err_ms: Some(40),
        disk_free_mb: 20_480,
    }
}

fn dark() -> Body {
    let blind = vec![(Blind::Dark, 50_000), (Blind::Unfocused, 10_000)];
    Body::Watch(Watch { blind, ..watch() })
}

fn restored() -> Body {
    let (gone, cause) = (Ranges::from(vec![(2, 5)]), LossCause::HubRestored);
    Body::Loss(Loss { gone, unnumbered: 0, from: stamp(), to: stamp(), cause })
}

fn moved() -> Body {
    Body::Moved(Moved { epoch: Epoch([6; 16]), seq: 4, body: items()[1].body.clone() })
}

fn gallery() -> Gallery {
    let person = |n| Person { id: StudentId(Uuid::from_u128(n)), template: vec![0, 0x3c, 0, 0xb8] };
    Gallery {
        model: model(),
        dim: 2,
        lines: Lines {
            single_high: 0.96,
            single_review: 0.94,
            fused_high: 0.965,
            fused_review: 0.95,
            margin: 0.01,
        },
        people: vec![person(1), person(2)],
        look_alikes: vec![(0, 1)],
        cannot_link: vec![(1, 0)],
        due: vec![Due { from: Wall(1), to: Wall(2), members: vec![0b10] }],
    }
}

fn manifest() -> Manifest {
    let file = gallery().encode();
    Manifest {
        device: "door-1".parse().unwrap(),
        version: 13,
        created: Wall(1_780_000_000_000),
        expires: Wall(1_781_209_600_000),
        purge_before: 12,
        model: model(),
        people: 2,
        size: file.len() as u64,
        blake3: *blake3::hash(&file).as_bytes(),
    }
}

fn formats() -> Vec<(&'static str, Vec<u8>)> {
    let mut formats: Vec<_> = messages().iter().map(|(name, m)| (*name, m.encode())).collect();
    formats.push(("gallery", gallery().encode()));
    let key = ed25519_dalek::SigningKey::from_bytes(&[1; 32]);
    let signed = manifest().sign(&key);
    formats.push(("manifest", signed.bytes));
    formats.push(("manifest-signature", signed.signature));
    let signed = offer().signed.unwrap();
    formats.push(("program-file", wire::program::pack(&signed, b"code")));
    formats.push(("watch", Body::Watch(watch()).encode()));
    formats
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn every_format_still_has_its_golden_bytes() {
    let now: String =
        formats().iter().map(|(name, bytes)| format!("{name} {}\n", hex(bytes))).collect();
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(FILE, &now).unwrap();
    }
    let golden = std::fs::read_to_string(FILE).unwrap();
    for (now, golden) in now.lines().zip(golden.lines()) {
        assert_eq!(now, golden, "a released format changed: add a new version instead");
    }
    assert_eq!(now.lines().count(), golden.lines().count());
}

#[test]
fn golden_messages_decode_into_what_they_were_made_from() {
    for (name, message) in messages() {
        assert_eq!(Message::decode(&message.encode()), Ok(message), "{name}");
    }
    assert_eq!(Gallery::decode(&gallery().encode()), Ok(gallery()));
    assert_eq!(items()[0].body().unwrap(), sighting());
    assert_eq!(Body::decode(&Body::Watch(watch()).encode()), Ok(Body::Watch(watch())));
}
