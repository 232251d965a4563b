//! Sightings, decisions, people's words and the end of lessons, in any order, on a real database:
//! what is recorded always follows from what stands.

use super::*;
use crate::desk::Desk;
use crate::events::Events;
use proptest::prelude::*;
use rules::auth::{Actor, Role};
use rules::review::{ReviewAsk, ReviewSay};
use rules::sighting::judge::JudgedSeen;
use rules::sighting::time::When;
use store::arrival::{self, ArrivalRow};
use store::device::{self, DevicePlace as At};
use store::keys::Keys;
use store::reader::Reader;
use store::sample as doors;
use store::student::{self, StudentProfile};
use store::{Db, params};
use wire::{ClockState, DeviceId, Epoch, Mono, Quality, RecordKey, Stamp};
use zeroize::Zeroizing;

#[path = "marks_changed_tests.rs"]
mod changed;

/// 2026-09-21T08:00Z, when the first of two lessons starts.
const START: Wall = Wall(1_789_977_600_000);
const MINUTE: i64 = 60_000;

struct House {
    _dir: tempfile::TempDir,
    desk: Desk,
    /// The first two are in the class, the third is not, the fourth is staff.
    people: Vec<StudentId>,
    class: Uuid,
    lessons: Vec<Uuid>,
}

fn door() -> DeviceId {
    "d1".parse().unwrap()
}

fn admin() -> Reader {
    let actor = Actor { user: Uuid::from_u128(1), role: Role::Admin };
    Reader { actor, today: jiff::civil::date(2026, 9, 21) }
}

fn lesson(n: u128, class: Uuid, from: i64) -> Session {
    let starts = START.plus_ms(from * MINUTE);
    Session {
        id: Uuid::from_u128(n),
        class,
        name: "Maths".into(),
        day: jiff::civil::date(2026, 9, 21),
        starts,
        ends: starts.plus_ms(45 * MINUTE),
        late_after: starts.plus_ms(10 * MINUTE),
        room: "1".into(),
        source: rules::timetable::Source::Manual,
        period: None,
        closed_at: None,
        version: 1,
    }
}

/// A school with two lessons back to back.
async fn house() -> House {
    let house = bare().await;
    let class = house.class;
    let add = move |tx: &Tx<'_>| {
        session::add(tx, &lesson(11, class, 0))?;
        session::add(tx, &lesson(12, class, 45))
    };
    house.desk.db.write(add).await.unwrap();
    house
}

/// The same before anybody planned a lesson.
async fn bare() -> House {
    bare_in(|path| path.as_path().into()).await
}

async fn bare_in(place: fn(std::path::PathBuf) -> store::Database) -> House {
    let dir = tempfile::tempdir().unwrap();
    let db = Db::open(place(dir.path().join("hub.db"))).unwrap();
    let keys = Keys::create(dir.path(), START).unwrap();
    let fill = |tx: &Tx<'_>| {
        let place = At { room: "1".into(), location: String::new(), direction: Direction::Entry };
        device::add(tx, &door(), &place, "t", START)?;
        let mut people = Vec::new();
        for n in 1..=4 {
            let (student_number, first_name) = (n.to_string(), format!("N{n}"));
            let is_staff = n == 4;
            let profile = StudentProfile {
                student_number,
                first_name,
                is_staff,
                ..StudentProfile::default()
            };
            people.push(student::add(tx, profile, "t", START)?);
        }
        let class = class::add(tx, "7b", "7B", Some("1"), "t", START)?;
        for student in &people[..2] {
            class::add_member(tx, class, *student, "t", START)?;
        }
        doors::enrol(tx, &people, START.plus_ms(-60 * MINUTE))?;
        doors::hold(tx, "d1", 1, &people)?;
        Ok((people, class))
    };
    let (people, class) = db.write(fill).await.unwrap();
    let desk = Desk { db, keys, events: Events::default() };
    let lessons = vec![Uuid::from_u128(11), Uuid::from_u128(12)];
    House { _dir: dir, desk, people, class, lessons }
}

impl House {
    /// A passage of `person` so many minutes after the start, as ingest stores it.
    async fn see(&self, seq: u64, person: usize, minute: Option<i64>) -> (RecordId, Worth) {
        let (student, keys) = (self.people[person], self.desk.keys.clone());
        let work = move |tx: &Tx<'_>| see(tx, &keys, seq, student, minute);
        self.desk.db.write(work).await.unwrap()
    }

    async fn decide(&self, record: RecordId, say: ReviewSay) -> Result<(), Error> {
        let version = self.desk.db.read(move |tx| store::review::facts(tx, record));
        let version = Some(version.await?.version);
        let ask = ReviewAsk { record, say, notes: None, version };
        self.desk.decide(admin(), vec![ask], |_, _| Ok(()), START).await
    }

    async fn undo(&self, record: Option<RecordId>) -> Result<(), Error> {
        self.desk.undo(admin(), record, None, |_, _| Ok(()), START).await
    }

    async fn say(&self, lesson: usize, person: usize, status: Status) -> Result<(), Error> {
        let (id, student) = (self.lessons[lesson], self.people[person]);
        let said =
            Mark { source: Source::Manual, by: "teacher".into(), ..marking::closed(status, START) };
        let work = move |tx: &Tx<'_>| {
            let session = session::get(tx, id)?.unwrap();
            say(tx, &session, student, said, START).map(drop)
        };
        self.desk.db.write(work).await
    }

    async fn unsay(&self, lesson: usize, person: usize) -> Result<(), Error> {
        let (id, student) = (self.lessons[lesson], self.people[person]);
        let work = move |tx: &Tx<'_>| {
            let session = session::get(tx, id)?.unwrap();
            unsay(tx, &session, student, "teacher", START).map(drop)
        };
        self.desk.db.write(work).await
    }

    async fn close(&self, lesson: usize) {
        let id = self.lessons[lesson];
        let work = move |tx: &Tx<'_>| {
            let session = session::get(tx, id)?.unwrap();
            close(tx, &session, HUB, START).map(drop)
        };
        self.desk.db.write(work).await.unwrap();
    }

    async fn mark(&self, lesson: usize, person: usize) -> Option<Mark> {
        let (id, student) = (self.lessons[lesson], self.people[person]);
        self.desk.db.read(move |tx| mark::get(tx, id, student)).await.unwrap()
    }

    async fn words(&self, lesson: usize, person: usize) -> Option<(&'static str, &'static str)> {
        let mark = self.mark(lesson, person).await?;
        Some((mark.status.as_str(), mark.source.as_str()))
    }

    /// The door watched so many of the 25 minutes that count.
    async fn watch(&self, seq: u64, minutes: u64) {
        let work = move |tx: &Tx<'_>| {
            let (epoch, to) = (Epoch([2; 16]), START.plus_ms(10 * MINUTE));
            let key = RecordKey { device: door(), epoch, seq };
            let mono = Mono(25 * 60_000);
            let stamp = Stamp { boot: 1, mono, wall: Some(to), clock: ClockState::Ntp };
            let watch = doors::sees(Mono(0), minutes * 60_000);
            arrival::add_watch(tx, &key, (0, &stamp), &When::At(to, 0), &watch)
        };
        self.desk.db.write(work).await.unwrap();
    }

    /// The door watched all day.
    async fn watch_all(&self) {
        let report = |tx: &Tx<'_>, n: u64| {
            let (mono, to) = (Mono(n * 600_000), START.plus_ms((n as i64 - 6) * 10 * MINUTE));
            let key = RecordKey { device: door(), epoch: Epoch([3; 16]), seq: n };
            let stamp = Stamp { boot: 1, mono, wall: Some(to), clock: ClockState::Ntp };
            let watch = doors::sees(Mono(mono.0 - 600_000), 600_000);
            arrival::add_watch(tx, &key, (0, &stamp), &When::At(to, 0), &watch)
        };
        let work = move |tx: &Tx<'_>| (1..=24).try_for_each(|n| report(tx, n));
        self.desk.db.write(work).await.unwrap();
    }

    async fn count(&self, sql: &'static str) -> i64 {
        self.desk.db.read(move |tx| tx.row(sql, [], |row| row.get(0))).await.unwrap().unwrap()
    }
}

fn see(
    tx: &Tx<'_>,
    keys: &Keys,
    seq: u64,
    student: StudentId,
    minute: Option<i64>,
) -> Result<(RecordId, Worth), Error> {
    let key = RecordKey { device: door(), epoch: Epoch([1; 16]), seq };
    let wall = minute.map(|minute| START.plus_ms(minute * MINUTE));
    let stamp = Stamp { boot: 1, mono: Mono(seq), wall, clock: ClockState::Ntp };
    let end = START.plus_ms(90 * MINUTE);
    let when = wall.map_or(When::Between(None, end), |wall| When::At(wall, 0));
    let mut candidates = vec![Candidate { student, score: 0.97 }];
    let seen = JudgedSeen {
        room: "1".into(),
        direction: Direction::Entry,
        candidates: candidates.clone(),
        confidence: 0.95,
        verdict: Verdict::High,
        reasons: vec![],
        quality: Quality::default(),
        frames: 3,
        gallery: 1,
        model: "test-1".parse().unwrap(),
        template: Zeroizing::new(vec![]),
        crop: None,
    };
    let arrival = Arrival {
        room: "1",
        direction: Direction::Entry,
        at: when.at(),
        span: (when.low(), when.high()),
        verdict: Verdict::High,
        confidence: 0.95,
        reasons: &[],
    };
    let worth = place(tx, &arrival, &mut candidates)?;
    keys.student_or_new(student, START)?;
    let Worth { session, status } = worth;
    let (candidates, authority) = (candidates.as_slice(), None);
    let row = ArrivalRow { candidates, reasons: &[], seen: &seen, session, status, authority };
    let id = arrival::add_sighting(tx, &key, (0, &stamp), &when, &row, START)?;
    arrived(tx, worth, student, START)?;
    Ok((id, worth))
}

#[tokio::test]
async fn before_there_is_a_timetable_a_sighting_waits_as_ever() {
    let house = bare().await;
    let (record, worth) = house.see(1, 0, Some(0)).await;
    assert_eq!(worth, Worth { session: None, status: review::Status::Pending });
    house.decide(record, ReviewSay::Approve(None)).await.unwrap();
    assert_eq!(house.count("select count(*) from mark").await, 0);
}

#[tokio::test]
async fn approving_marks_and_taking_it_back_unmarks() {
    let house = house().await;
    let (late, worth) = house.see(1, 0, Some(12)).await;
    assert_eq!(worth, Worth { session: Some(house.lessons[0]), status: review::Status::Pending });
    assert_eq!(house.words(0, 0).await, None, "a machine alone marks nobody");
    house.decide(late, ReviewSay::Approve(None)).await.unwrap();
    assert_eq!(house.words(0, 0).await, Some(("late", "door")));
    let (early, _) = house.see(2, 0, Some(-15)).await;
    house.decide(early, ReviewSay::Approve(None)).await.unwrap();
    assert_eq!(house.words(0, 0).await, Some(("present", "door")), "the earliest counts");
    house.undo(Some(early)).await.unwrap();
    assert_eq!(house.words(0, 0).await, Some(("late", "door")));
    house.decide(late, ReviewSay::Reject).await.unwrap();
    assert_eq!(house.words(0, 0).await, None);
}

#[tokio::test]
async fn reassigning_moves_the_mark_and_a_guest_is_marked_nowhere() {
    let house = house().await;
    let (record, _) = house.see(1, 0, Some(0)).await;
    house.decide(record, ReviewSay::Approve(Some(house.people[1]))).await.unwrap();
    assert_eq!((house.words(0, 0).await, house.words(0, 1).await.unwrap().0), (None, "present"));
    house.decide(record, ReviewSay::Approve(Some(house.people[2]))).await.unwrap();
    assert_eq!(house.count("select count(*) from mark").await, 0);
}

#[tokio::test]
async fn who_is_due_nowhere_and_staff_are_logged() {
    let house = house().await;
    let log = Worth { session: None, status: review::Status::Logged };
    assert_eq!(house.see(1, 2, Some(0)).await.1, log, "in school, but not in class");
    assert_eq!(house.see(2, 3, Some(0)).await.1, log, "staff");
    assert_eq!(house.see(3, 0, Some(-16)).await.1, log, "before the window");
    assert_eq!(house.see(4, 0, Some(90)).await.1.session, Some(house.lessons[1]));
    assert_eq!(house.see(5, 0, Some(91)).await.1, log, "after the last lesson");
    let unknown = house.see(6, 0, None).await.1;
    assert_eq!(unknown, Worth { session: None, status: review::Status::Pending });
}

#[tokio::test]
async fn a_class_that_trusts_its_door_is_marked_at_once_and_a_person_can_correct_it() {
    let house = house().await;
    let sql = "update class set policy = 'auto', auto_line = 0.9, error_budget = 1";
    house.desk.db.write(|tx| tx.execute(sql, [])).await.unwrap();
    let (record, worth) = house.see(1, 0, Some(5)).await;
    assert_eq!(worth.status, review::Status::Approved);
    let mark = house.mark(0, 0).await.unwrap();
    assert_eq!(
        (mark.status, mark.by.as_str(), mark.sighting),
        (Status::Present, "hub", Some(record))
    );
    house.decide(record, ReviewSay::Reject).await.unwrap();
    assert_eq!(house.words(0, 0).await, None);
}

/// What the class says of its policy: whether a person decides again, and why.
async fn suspended(house: &House) -> Option<(u32, u32)> {
    let class = house.class.to_string();
    let read = move |tx: &Tx<'_>| class::find(tx, admin(), &class);
    let why = house.desk.db.read(read).await.unwrap().suspended;
    why.map(|why| (why.count.errors, why.count.passages))
}

async fn trusting() -> House {
    let house = house().await;
    let sql = "update class set policy = 'auto', auto_line = 0.9, error_budget = 1";
    house.desk.db.write(|tx| tx.execute(sql, [])).await.unwrap();
    house
}

#[tokio::test]
async fn a_class_that_is_wrong_too_often_lets_a_person_decide_again() {
    let house = trusting().await;
    let mut heard = house.desk.events.listen();
    let (right, _) = house.see(1, 0, Some(1)).await;
    let (wrong, _) = house.see(2, 1, Some(2)).await;
    house.decide(right, ReviewSay::Approve(None)).await.unwrap();
    assert_eq!(suspended(&house).await, None, "a confirmed name is no error");
    house.decide(wrong, ReviewSay::Approve(Some(house.people[0]))).await.unwrap();
    assert_eq!(suspended(&house).await, Some((1, 2)));
    let mut said = Vec::new();
    while let Ok(event) = heard.try_recv() {
        said.push(event);
    }
    assert!(said.contains(&crate::events::Event::ClassSuspended(house.class)), "{said:?}");
    let (_, next) = house.see(3, 0, Some(3)).await;
    assert_eq!(next.status, review::Status::Pending, "a person decides");
    house.undo(Some(wrong)).await.unwrap();
    assert!(suspended(&house).await.is_some(), "only a person switches it on again");
    house.desk.db.read(audit::verify).await.unwrap();
}

#[tokio::test]
async fn what_waited_for_a_person_is_no_error_of_the_policy() {
    let house = house().await;
    let (waited, _) = house.see(1, 0, Some(1)).await;
    let sql = "update class set policy = 'auto', auto_line = 0.9, error_budget = 1";
    house.desk.db.write(|tx| tx.execute(sql, [])).await.unwrap();
    house.see(2, 1, Some(2)).await;
    house.decide(waited, ReviewSay::Reject).await.unwrap();
    assert_eq!(suspended(&house).await, None);
}

#[tokio::test]
async fn a_hundred_right_names_outweigh_one_wrong_one_but_not_two() {
    let house = trusting().await;
    for seq in 1..=100 {
        house.see(seq, 0, Some(1)).await;
    }
    for (seq, wrong) in [(101, None), (102, Some((2, 102)))] {
        let (record, _) = house.see(seq, 1, Some(2)).await;
        house.decide(record, ReviewSay::Reject).await.unwrap();
        assert_eq!(suspended(&house).await, wrong);
    }
}

#[tokio::test]
async fn the_end_of_a_lesson_says_absent_only_where_the_door_watched() {
    let (blind, seeing, waiting) = (house().await, house().await, house().await);
    blind.watch(1, 15).await;
    seeing.watch(1, 24).await;
    waiting.watch(1, 25).await;
    let (record, _) = waiting.see(1, 0, Some(0)).await;
    for (house, said) in [(&blind, "unverified"), (&seeing, "absent"), (&waiting, "undecided")] {
        house.close(0).await;
        assert_eq!(house.words(0, 0).await, Some((said, "close")));
    }
    assert_eq!(waiting.words(0, 1).await, Some(("absent", "close")));
    waiting.decide(record, ReviewSay::Approve(None)).await.unwrap();
    assert_eq!(waiting.words(0, 0).await, Some(("present", "door")));
    waiting.undo(Some(record)).await.unwrap();
    assert_eq!(waiting.words(0, 0).await, Some(("undecided", "close")));
    waiting.decide(record, ReviewSay::Reject).await.unwrap();
    assert_eq!(waiting.words(0, 0).await, Some(("absent", "close")));
}

#[tokio::test]
async fn what_a_door_sends_late_replaces_what_the_end_of_the_lesson_said() {
    let house = house().await;
    house.watch(1, 25).await;
    house.close(0).await;
    assert_eq!(house.words(0, 0).await, Some(("absent", "close")));
    let (record, _) = house.see(1, 0, Some(3)).await;
    assert_eq!(house.words(0, 0).await, Some(("undecided", "close")), "no absence while it waits");
    house.decide(record, ReviewSay::Approve(None)).await.unwrap();
    assert_eq!(house.words(0, 0).await, Some(("present", "door")));
}

#[tokio::test]
async fn who_stayed_in_the_room_is_not_absent_from_the_next_lesson() {
    let house = house().await;
    house.watch_all().await;
    let (record, _) = house.see(1, 0, Some(0)).await;
    house.decide(record, ReviewSay::Approve(None)).await.unwrap();
    house.close(0).await;
    house.close(1).await;
    assert_eq!(house.words(1, 0).await, Some(("unverified", "close")));
    assert_eq!(house.words(1, 1).await, Some(("absent", "close")));
    house.decide(record, ReviewSay::Reject).await.unwrap();
    assert_eq!(house.words(1, 0).await, Some(("absent", "close")), "they were not there before");
}

#[tokio::test]
async fn a_lesson_made_afterwards_takes_in_who_was_logged() {
    let house = house().await;
    let (record, worth) = house.see(1, 0, Some(120)).await;
    assert_eq!(worth.status, review::Status::Logged);
    let class = house.class;
    let add = move |tx: &Tx<'_>| {
        let late = lesson(13, class, 115);
        session::add(tx, &late)?;
        adopt(tx, &late, START.plus_ms(130 * MINUTE))
    };
    assert_eq!(house.desk.db.write(add).await.unwrap(), [record]);
    let waits = "select count(*) from sighting where review_status = 'pending'";
    assert_eq!(house.count(waits).await, 1);
}

#[tokio::test]
async fn finding_a_lesson_never_reads_a_whole_table() {
    let house = bare_in(store::Database::File).await;
    let queries = [
        "select id from session s where s.room = 'x' and s.starts >= 1 and s.starts <= 2 and s.ends >= 1",
        "select id from session s where s.class = 'x' and s.starts >= 1 and s.starts <= 2 and s.ends >= 1",
        "select 1 where exists (select 1 from period)
             or exists (select 1 from session where source <> 'adhoc')",
        "select id from session where closed_at is null and ends <= 1 order by ends limit 5",
        "select id from sighting where session = 'x' and review_status = 'approved'
             and decided_student = 'y' and direction <> 'exit'",
        "select distinct predicted_student from sighting where session = 'x'
             and review_status = 'pending' and predicted_student is not null",
        "select at from health where device = 'x' and at > 1 and at < 2 and at - (until - since) < 3",
        "select id from device where room = 'x' and is_active = 1 and direction <> 'exit'",
        "select status from mark where session = 'x' and student = 'y'",
        "select 1 from roster where class = 'x' and student = 'y'",
    ];
    for sql in queries {
        let explain = format!("explain query plan {sql}");
        let plan = move |tx: &Tx<'_>| tx.query(&explain, [], |row| row.get::<String>(3));
        let plan = house.desk.db.read(plan).await.unwrap();
        let scan = |step: &&String| {
            step.starts_with("SCAN") && !step.contains("CONSTANT ROW") && !step.contains("INDEX")
        };
        assert_eq!(plan.iter().find(scan), None, "{sql}");
    }
}

#[derive(Clone, Debug)]
enum Step {
    See(usize, Option<i64>),
    Decide(usize, Option<Option<usize>>),
    Undo,
    Say(usize, usize, Status),
    Unsay(usize, usize),
    Close(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let (person, lesson) = (0usize..4, 0usize..2);
    let said = prop_oneof![
        Just(Status::Present),
        Just(Status::Late),
        Just(Status::Absent),
        Just(Status::Excused)
    ];
    prop_oneof![
        4 => (0usize..3, prop::option::weighted(0.9, -20i64..60))
            .prop_map(|(person, minute)| Step::See(person, minute)),
        8 => (0usize..3, prop::option::weighted(0.8, prop::option::of(person)))
            .prop_map(|(record, say)| Step::Decide(record, say)),
        2 => Just(Step::Undo),
        2 => (lesson.clone(), 0usize..2, said).prop_map(|(l, p, s)| Step::Say(l, p, s)),
        1 => (lesson.clone(), 0usize..2).prop_map(|(l, p)| Step::Unsay(l, p)),
        1 => lesson.prop_map(Step::Close),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn one_mark_per_student_and_lesson_and_the_tally_counts_it(
        steps in prop::collection::vec(step(), 6..32),
        auto in prop::bool::ANY,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(run(steps, auto));
    }
}

async fn run(steps: Vec<Step>, auto: bool) {
    let house = house().await;
    house.watch_all().await;
    if auto {
        let sql = "update class set policy = 'auto', auto_line = 0.9, error_budget = 1";
        house.desk.db.write(|tx| tx.execute(sql, [])).await.unwrap();
    }
    let (mut records, mut said) = (Vec::new(), std::collections::HashMap::new());
    for (seq, step) in (1u64..).zip(steps) {
        match step {
            Step::See(person, minute) => records.push(house.see(seq, person, minute).await.0),
            Step::Decide(n, say) => {
                let Some(record) = records.get(n) else { continue };
                let say = match say {
                    None => ReviewSay::Reject,
                    Some(student) => ReviewSay::Approve(student.map(|n| house.people[n])),
                };
                let _a_log_is_not_decided = house.decide(*record, say).await;
            }
            Step::Undo => {
                let _nothing_to_undo = house.undo(None).await;
            }
            Step::Say(lesson, person, status) => {
                house.say(lesson, person, status).await.unwrap();
                said.insert((lesson, person), status);
            }
            Step::Unsay(lesson, person) => {
                let there = said.remove(&(lesson, person)).is_some();
                assert_eq!(house.unsay(lesson, person).await.is_ok(), there);
            }
            Step::Close(lesson) => house.close(lesson).await,
        }
        check(&house, &said).await;
    }
    house.desk.db.read(audit::verify).await.unwrap();
}

/// Nobody's word is overwritten; every mark is what follows from what stands; sums are right.
async fn check(house: &House, said: &std::collections::HashMap<(usize, usize), Status>) {
    for (&(lesson, person), status) in said {
        let mark = house.mark(lesson, person).await.unwrap();
        assert_eq!((mark.status, mark.source), (*status, Source::Manual));
    }
    let (people, lessons) = (house.people.clone(), house.lessons.clone());
    let all = move |tx: &Tx<'_>| {
        for id in &lessons {
            let session = session::get(tx, *id)?.unwrap();
            let marks = mark::of_session(tx, *id)?;
            let of = |status| {
                i64::try_from(marks.iter().filter(|(_, mark)| mark.status == status).count())
                    .unwrap()
            };
            let sql = "select present, late, absent, excused, unverified, undecided from tally
                 where session = $1";
            let tally = tx.row(sql, params![id.to_string()], |row| {
                (0..6).map(|n| row.get::<i64>(n)).collect::<Result<Vec<_>, _>>()
            })?;
            assert_eq!(tally.unwrap_or(vec![0; 6]), Status::ALL.map(of));
            for student in &people {
                let change = follow(tx, &session, *student, HUB, START)?;
                assert_eq!(change, None, "everything has followed already");
            }
        }
        Ok(())
    };
    house.desk.db.write(all).await.unwrap();
}

/// A figure, not a check: `cargo test -p acts --lib two_weeks -- --ignored --nocapture`.
#[tokio::test]
#[ignore = "a measurement of some seconds"]
async fn two_weeks_of_lessons_for_500_classes() {
    use std::io::Write as _;
    let house = bare().await;
    let fill = |tx: &Tx<'_>| {
        for n in 0..500 {
            let class = class::add(tx, "c", &format!("C{n}"), None, "t", START)?;
            for k in 0..25i8 {
                let starts = jiff::civil::time(8 + k % 5, 0, 0, 0);
                let period = rules::timetable::Period {
                    id: wire::id::v7(START),
                    class,
                    weekday: jiff::civil::Weekday::from_monday_one_offset(1 + k / 5).unwrap(),
                    starts,
                    ends: starts.saturating_add(jiff::SignedDuration::from_mins(45)),
                    room: format!("R{n}"),
                    from: jiff::civil::date(2026, 9, 1),
                    to: None,
                    version: 1,
                };
                store::period::put(tx, &period, "t", START)?;
            }
        }
        Ok(())
    };
    house.desk.db.write(fill).await.unwrap();
    for _ in 0..2 {
        let began = std::time::Instant::now();
        let zone = jiff::tz::TimeZone::get("Europe/Berlin").unwrap();
        let make = move |tx: &Tx<'_>| {
            crate::planning::maker::make(
                tx,
                crate::planning::maker::MakeFor::Everybody,
                &zone,
                START,
            )
        };
        let made = house.desk.db.write(make).await.unwrap();
        writeln!(std::io::stderr(), "{made:?} lessons in {:?}", began.elapsed()).unwrap();
    }
}
