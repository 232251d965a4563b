//! Nobody is called absent or late by a door that could not have known better, and nobody at home
//! hears of it: every cause, from the bytes that a door sends to the mails of the lesson.

use super::*;
use crate::marks;
use rules::attendance::Status;
use rules::attendance::closing::ClosingWhy;
use store::{mail, mark, session};
use wire::record::{Blind, Watch};

const LESSON: Uuid = Uuid::from_u128(77);
const MINUTE: i64 = 60_000;
/// A door speaks of the time that counts: a quarter of an hour before the lesson and its first ten
/// minutes.
const SPAN_MS: u64 = 1_500_000;
const END: Wall = Wall(NOW.0 - 50 * MINUTE);
const MONTH_MS: u64 = 30 * 86_400_000;

/// One way in which a door may fail to know a student.
struct Story {
    name: &'static str,
    why: ClosingWhy,
    /// What is other at the hub.
    hub: fn(&Tx<'_>) -> Result<(), Error>,
    /// What the door sends of the time around the lesson's start, numbered from 1.
    door: fn() -> Vec<Item>,
}

/// The door's word at the end of the span, dated by network time.
fn said(watch: Watch) -> Vec<Item> {
    let at = Stamp { boot: 1, mono: Mono(SPAN_MS), wall: Some(END), clock: ClockState::Ntp };
    vec![item(1, at, &Body::Watch(watch))]
}

fn sees() -> Watch {
    doors::sees(Mono(0), SPAN_MS)
}

fn blind(cause: Blind) -> Vec<Item> {
    let lost = SPAN_MS / 5;
    said(Watch { usable_ms: SPAN_MS - lost, blind: vec![(cause, lost)], ..sees() })
}

fn nothing(_: &Tx<'_>) -> Result<(), Error> {
    Ok(())
}

/// The door heard the hub's time once, a month before; nobody told it since.
fn a_month_away(body: &dyn Fn(Mono) -> Body) -> Vec<Item> {
    let at = |ms: u64| {
        let wall = Some(END.plus_ms(ms as i64 - MONTH_MS as i64));
        Stamp { boot: 1, mono: Mono(ms), wall, clock: ClockState::Hub }
    };
    let anchor = Body::Anchor(Anchor { err_ms: 40, stepped: false });
    let since = Mono(MONTH_MS - SPAN_MS);
    vec![item(1, at(0), &anchor), item(2, at(MONTH_MS), &body(since))]
}

/// Its trigger fired in the minute around the begin of the time that counts, and never after.
fn fired_early() -> Vec<Item> {
    let long = MINUTE as u64 + SPAN_MS - MINUTE as u64 / 2;
    let at = |ms: u64| {
        let wall = Some(END.plus_ms(ms as i64 - long as i64));
        Stamp { boot: 1, mono: Mono(ms), wall, clock: ClockState::Ntp }
    };
    let minute = MINUTE as u64;
    let early = doors::sees(Mono(0), minute);
    let rest = Watch { fired: 0, ..doors::sees(Mono(minute), long - minute) };
    vec![item(1, at(minute), &Body::Watch(early)), item(2, at(long), &Body::Watch(rest))]
}

const STORIES: [Story; 19] = [
    Story {
        name: "a trigger that fired only before",
        why: ClosingWhy::Idle,
        hub: nothing,
        door: fired_early,
    },
    Story {
        name: "covered",
        why: ClosingWhy::Covered,
        hub: nothing,
        door: || blind(Blind::Covered),
    },
    Story { name: "too dark", why: ClosingWhy::Dark, hub: nothing, door: || blind(Blind::Dark) },
    Story {
        name: "out of focus",
        why: ClosingWhy::Unfocused,
        hub: nothing,
        door: || blind(Blind::Unfocused),
    },
    Story { name: "frozen", why: ClosingWhy::Frozen, hub: nothing, door: || blind(Blind::Frozen) },
    Story {
        name: "undecodable",
        why: ClosingWhy::Undecodable,
        hub: nothing,
        door: || blind(Blind::Undecodable),
    },
    Story {
        name: "no frames",
        why: ClosingWhy::NoFrames,
        hub: nothing,
        door: || blind(Blind::NoFrames),
    },
    Story {
        name: "no trigger",
        why: ClosingWhy::NoTrigger,
        hub: nothing,
        door: || blind(Blind::NoTrigger),
    },
    Story {
        name: "a trigger that never fires",
        why: ClosingWhy::Idle,
        hub: nothing,
        door: || said(Watch { fired: 0, looks: 0, ..sees() }),
    },
    Story {
        name: "dropped bursts",
        why: ClosingWhy::Dropped,
        hub: nothing,
        door: || said(Watch { dropped: 3, ..sees() }),
    },
    Story {
        name: "a record that was not stored",
        why: ClosingWhy::Lost,
        hub: nothing,
        door: || said(Watch { refused: 1, ..sees() }),
    },
    Story {
        name: "no gallery, or a lapsed lease",
        why: ClosingWhy::NoGallery,
        hub: nothing,
        door: || {
            let blind = vec![(Blind::NoGallery, SPAN_MS)];
            said(Watch { gallery: 0, usable_ms: 0, blind, ..sees() })
        },
    },
    Story {
        name: "an old gallery without the pupil",
        why: ClosingWhy::NotInGallery,
        hub: |tx| doors::hold(tx, "d1", 2, &[student(2)]),
        door: || said(Watch { gallery: 2, ..sees() }),
    },
    Story {
        name: "drift",
        why: ClosingWhy::Clock,
        hub: nothing,
        door: || a_month_away(&|since| Body::Watch(Watch { since, ..sees() })),
    },
    Story {
        name: "no consent",
        why: ClosingWhy::NoConsent,
        hub: |tx| tx.execute("update consent set given = 0", []).map(drop),
        door: || said(sees()),
    },
    Story {
        name: "not enrolled",
        why: ClosingWhy::NotEnrolled,
        hub: |tx| tx.execute("update enrolment set is_active = 0", []).map(drop),
        door: || said(sees()),
    },
    Story {
        name: "a template of another model",
        why: ClosingWhy::OtherModel,
        hub: |tx| tx.execute("update enrolment set model = 'other-1'", []).map(drop),
        door: || said(sees()),
    },
    Story {
        name: "software that does not say what it sees",
        why: ClosingWhy::OldSoftware,
        hub: nothing,
        door: || {
            let camera = CameraState::Watching;
            let old = Health { since: Mono(0), watched_ms: SPAN_MS, camera, disk_free_mb: 9 };
            let body = Body::Health(old);
            vec![item(1, said(sees())[0].at, &body)]
        },
    },
    Story { name: "no word at all", why: ClosingWhy::NoReport, hub: nothing, door: Vec::new },
];

/// A lesson of one student, whom the door knows unless the story says otherwise, told to its end:
/// closed before the door was heard, and again after.
async fn told(hub: fn(&Tx<'_>) -> Result<(), Error>, items: Vec<Item>) -> Rig {
    let rig = Rig::new().await;
    lesson(&rig, -10 * MINUTE).await;
    let known = move |tx: &Tx<'_>| {
        doors::enrol(tx, &[student(1)], NOW.plus_ms(-1_000 * MINUTE))?;
        doors::hold(tx, "d1", 1, &[student(1)])?;
        tx.execute("update student set email = 'mum@home.test'", [])?;
        hub(tx)
    };
    rig.db.write(known).await.unwrap();
    close(&rig).await;
    if !items.is_empty() {
        rig.batch(EPOCH, items).await;
    }
    close(&rig).await;
    rig
}

async fn close(rig: &Rig) {
    let close = |tx: &Tx<'_>| {
        let lesson = session::get(tx, LESSON)?.unwrap();
        marks::close(tx, &lesson, "hub", NOW).map(drop)
    };
    rig.db.write(close).await.unwrap();
}

/// What is recorded of the student, and how many mails say that they were absent.
async fn outcome(rig: &Rig) -> (Status, usize) {
    let read = |tx: &Tx<'_>| {
        let mark = mark::get(tx, LESSON, student(1))?.unwrap();
        let mails = mail::absences(tx, &LESSON.to_string())?;
        Ok((mark.status, mails.len()))
    };
    rig.db.read(read).await.unwrap()
}

#[tokio::test]
async fn no_cause_of_blindness_makes_anybody_absent_and_a_door_that_sees_does() {
    for Story { name, why, hub, door } in STORIES {
        let rig = told(hub, door()).await;
        assert_eq!(outcome(&rig).await, (Status::Unverified, 0), "{name}");
        let grounds = rig.db.read(|tx| mark::grounds(tx, LESSON)).await.unwrap();
        assert_eq!(grounds[&student(1)].doors[0].why, Some(why), "{name}");
    }
    let rig = told(nothing, said(sees())).await;
    assert_eq!(outcome(&rig).await, (Status::Absent, 1), "a door that could see");
    let grounds = rig.db.read(|tx| mark::grounds(tx, LESSON)).await.unwrap();
    assert!(grounds[&student(1)].suffice(), "and it says so: {grounds:?}");
}

/// A passage two minutes after grace, by a door whose clock is that of `items`.
async fn passage(clock: fn(&Rig) -> Vec<Item>) -> Status {
    let trusts = |tx: &Tx<'_>| {
        let sql = "update class set policy = 'auto', auto_line = 0.5, error_budget = 1";
        tx.execute(sql, []).map(drop)
    };
    let rig = told(nothing, vec![]).await;
    rig.db.write(trusts).await.unwrap();
    rig.batch(EPOCH, clock(&rig)).await;
    close(&rig).await;
    outcome(&rig).await.0
}

/// When the door says that somebody came.
const CAME: Wall = Wall(NOW.0 - 48 * MINUTE);

fn seen(rig: &Rig, seq: u64, mono: u64, clock: ClockState) -> Item {
    let at = Stamp { boot: 1, mono: Mono(mono), wall: Some(CAME), clock };
    item(seq, at, &rig.sighting(EPOCH, seq, [1.0, 0.0, 0.0]))
}

/// The clock is read at `mono`, `off` milliseconds from what it said before.
fn read(seq: u64, mono: u64, off: i64, stepped: bool) -> Item {
    let wall = CAME.plus_ms(mono as i64 - MONTH_MS as i64 + off);
    let at = Stamp { boot: 1, mono: Mono(mono), wall: Some(wall), clock: ClockState::Hub };
    item(seq, at, &Body::Anchor(Anchor { err_ms: 40, stepped }))
}

#[tokio::test]
async fn whoever_is_late_only_by_the_doors_clock_is_not_late() {
    let true_clock = passage(|rig| {
        let told = read(1, MONTH_MS - 1_000, 0, false);
        vec![told, seen(rig, 2, MONTH_MS, ClockState::Hub)]
    });
    assert_eq!(true_clock.await, Status::Late, "two minutes, by a clock that knows");
    let drifted =
        passage(|rig| vec![read(1, 0, 0, false), seen(rig, 2, MONTH_MS, ClockState::Hub)]);
    assert_eq!(drifted.await, Status::Present, "a month without the hub");
    let jumped = passage(|rig| {
        let (told, later) = (read(1, MONTH_MS - 1_000, 0, false), MONTH_MS + 60_000);
        vec![told, seen(rig, 2, MONTH_MS, ClockState::Hub), read(3, later, -130_000, true)]
    });
    assert_eq!(jumped.await, Status::Present, "the clock was set back afterwards");
}
