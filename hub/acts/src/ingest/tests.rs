//! The writer on a real database: what is acknowledged is stored, once, and nothing else is.

mod letters;
mod lives;
mod models;
mod trouble;

use super::*;
use proptest::prelude::*;
use rules::sighting::school::SchoolLook;
use std::collections::{BTreeMap, BTreeSet};
use store::sample as doors;
use store::{Database, params};
use tokio::task::JoinSet;
use uuid::Uuid;
use vision::Template;
use wire::link::{Batch, Hello, Run};
use wire::record::{Anchor, CameraState, Health, Loss, LossCause, Moved};
use wire::seal::Part;
use wire::time::ManualClock;
use wire::{
    Body, Candidate, ClockState, Direction, ModelId, Mono, Quality, Ranges, Reason, RecordKey,
    Sighting, Stamp, StudentId, Verdict, Wall,
};

const NOW: Wall = Wall(1_790_000_000_000);
const EPOCH: Epoch = Epoch([1; 16]);
const AT: Stamp =
    Stamp { boot: 1, mono: Mono(5000), wall: Some(Wall(NOW.0 - 60_000)), clock: ClockState::Ntp };

/// Knows the first and the second student by the largest component.
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
            let [a, b, c, ..] = *probe.as_slice() else { panic!("three components") };
            assert!(c > -0.9, "a template that breaks the hub, on purpose");
            let known = [(1, a), (2, b)].into_iter().filter(|&(_, score)| score > 0.9);
            known.map(|(n, score)| Candidate { student: student(n), score }).collect()
        };
        probes.iter().map(one).collect()
    }

    fn judge(&self, nearest: &[Candidate], _: u16, doubts: &[Reason]) -> SchoolLook {
        let candidates = nearest.to_vec();
        SchoolLook { verdict: Verdict::High, reasons: doubts.to_vec(), candidates, confidence: 0.9 }
    }
}

fn two(model: &str) -> Arc<dyn School> {
    Arc::new(Two(model.parse().unwrap()))
}

fn student(n: u128) -> StudentId {
    StudentId(Uuid::from_u128(n))
}

fn device() -> DeviceId {
    "d1".parse().unwrap()
}

struct Rig {
    db: Db,
    keys: Keys,
    events: Events,
    schools: Schools,
    say: mpsc::Sender<Delivery>,
    path: std::path::PathBuf,
    _dir: tempfile::TempDir,
    _tasks: JoinSet<Result<(), Error>>,
}

impl Rig {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().canonicalize().unwrap().join("hub.db");
        Self::at(dir, path.as_path().into()).await
    }

    /// On SQLite, whichever database the others are on: its troubles are staged.
    async fn in_file() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().canonicalize().unwrap().join("hub.db");
        Self::at(dir, Database::File(path)).await
    }

    async fn at(dir: tempfile::TempDir, place: Database) -> Self {
        let path = dir.path().canonicalize().unwrap().join("hub.db");
        let db = Db::open(place).unwrap();
        let keys = Keys::create(dir.path(), NOW).unwrap();
        db.write(people).await.unwrap();
        for n in [1, 2] {
            keys.student_or_new(student(n), NOW).unwrap();
        }
        let (say, deliveries) = mpsc::channel(64);
        let schools = Schools::default();
        schools.set([two("dlib-1")]);
        let events = Events::default();
        let ingest = Ingest {
            db: db.clone(),
            keys: keys.clone(),
            schools: schools.clone(),
            events: events.clone(),
            clock: Arc::new(ManualClock::at(NOW, Mono(0))),
            deliveries,
            hub: String::new(),
            fault: StagedFault::None,
        };
        let mut tasks = JoinSet::new();
        tasks.spawn(ingest.run(CancellationToken::new()));
        Self { db, keys, events, schools, say, path, _dir: dir, _tasks: tasks }
    }

    async fn sent(&self, sent: Sent) -> DeliveryAnswer {
        let (answer, told) = oneshot::channel();
        self.say.send(Delivery { device: device(), sent, answer }).await.unwrap();
        told.await.unwrap()
    }

    async fn batch(&self, epoch: Epoch, items: Vec<Item>) -> Ack {
        match self.sent(Sent::Batch(Batch { epoch, items })).await {
            DeliveryAnswer::Stored(Some(ack)) => ack,
            other => panic!("{other:?}"),
        }
    }

    async fn hello(&self, epoch: Epoch, max_seq: u64) -> Ack {
        self.hello_in(epoch, 1, max_seq).await
    }

    async fn hello_in(&self, epoch: Epoch, boot: u32, max_seq: u64) -> Ack {
        self.greet(epoch, boot, max_seq, &[]).await
    }

    /// With the names of its runs, and where each began.
    async fn greet(&self, epoch: Epoch, boot: u32, max_seq: u64, runs: &[(u64, u64)]) -> Ack {
        let (model, software) = ("dlib-1".parse().unwrap(), "1".into());
        let hello =
            Hello { epoch, boot, max_seq, cum: 0, mono: Mono(1), software, gallery: 0, model };
        let runs = runs.iter().map(|&(id, first)| Run { id, first }).collect();
        match self.sent(Sent::Hello(Greeting { hello, runs })).await {
            DeliveryAnswer::Stored(Some(ack)) => ack,
            other => panic!("{other:?}"),
        }
    }

    async fn count(&self, what: &'static str) -> i64 {
        let sql = format!("select count(*) from {what}");
        self.db.read(move |tx| tx.row(&sql, [], |row| row.get(0))).await.unwrap().unwrap()
    }

    async fn texts(&self, sql: &'static str) -> Vec<String> {
        self.db.read(move |tx| tx.query(sql, [], |row| row.get(0))).await.unwrap()
    }

    /// A sighting with a crop, as it travels.
    fn pictured(&self, epoch: Epoch, seq: u64, template: [f32; 3]) -> Item {
        let Body::Sighting(said) = self.sighting(epoch, seq, template) else { unreachable!() };
        let key = RecordKey { device: device(), epoch, seq };
        let hub = self.keys.hub_secret().unwrap().public().unwrap();
        let jpeg = [&[0xff, 0xd8, 0xff][..], &[7; 3000]].concat();
        let crop = hub.seal(&key, Part::Crop, &jpeg, &mut rand::rng()).unwrap().encode();
        let said = Sighting { crop: Some(wire::record::crop_hash(&crop)), ..said };
        Item { crop: Some(crop), ..item(seq, AT, &Body::Sighting(said)) }
    }

    fn sighting(&self, epoch: Epoch, seq: u64, template: [f32; 3]) -> Body {
        let plain = Template::from_raw(template.to_vec()).unwrap().to_f16_bytes();
        let key = RecordKey { device: device(), epoch, seq };
        let hub = self.keys.hub_secret().unwrap().public().unwrap();
        Body::Sighting(Sighting {
            room: "204".into(),
            direction: Direction::Entry,
            candidates: vec![Candidate { student: student(1), score: 0.97 }],
            confidence: 0.9,
            verdict: Verdict::High,
            reasons: vec![],
            quality: Quality::default(),
            frames: 1,
            gallery: 4,
            model: "dlib-1".parse().unwrap(),
            template: hub.seal(&key, Part::Template, &plain, &mut rand::rng()).unwrap(),
            crop: None,
        })
    }
}

fn people(tx: &Tx<'_>) -> Result<(), Error> {
    store::setting::set(tx, "hub_epoch", &Epoch([9; 16]).to_string())?;
    let place = store::device::DevicePlace {
        room: "204".into(),
        location: String::new(),
        direction: Direction::Entry,
    };
    store::device::add(tx, &device(), &place, "test", NOW)?;
    for n in [1, 2] {
        let id = student(n).to_string();
        tx.execute(
            "insert into student (id, student_number, first_name, last_name, kind, is_active,
                 created_at, updated_at, version) values ($1, $1, 'A', 'B', 'student', 1, 0, 0, 1)",
            [&id],
        )?;
        tx.execute(
            "insert into consent (student, given, by_whom, text_version, at, actor)
             values ($1, 1, 'x', '1', 0, 'test')",
            [&id],
        )?;
    }
    Ok(())
}

fn item(seq: u64, at: Stamp, body: &Body) -> Item {
    let body = body.encode();
    Item { seq, at, hash: Item::digest(seq, &at, &body), body, crop: None }
}

fn health(seq: u64, watched_ms: u64) -> Item {
    let camera = CameraState::Watching;
    let body = Health { since: Mono(0), watched_ms, camera, disk_free_mb: 9 };
    item(seq, AT, &Body::Health(body))
}

fn anchor(seq: u64, boot: u32, mono: u64, wall: Wall) -> Item {
    let at = Stamp { boot, mono: Mono(mono), wall: Some(wall), clock: ClockState::Ntp };
    item(seq, at, &Body::Anchor(Anchor { err_ms: 20, stepped: false }))
}

#[tokio::test]
async fn what_is_acknowledged_is_stored_and_a_page_is_told() {
    let rig = Rig::new().await;
    let mut heard = rig.events.listen();
    let body = rig.sighting(EPOCH, 1, [1.0, 0.0, 0.0]);
    let ack = rig.batch(EPOCH, vec![item(1, AT, &body), health(2, 1000)]).await;
    assert_eq!((ack.cum, ack.max_seq, ack.rejects), (2, 2, vec![]));
    assert_eq!(rig.count("sighting where review_status = 'pending' and at is not null").await, 1);
    assert_eq!(rig.count("evidence").await, 1, "the template, sealed");
    assert_eq!(rig.count("health").await, 1);
    let id = RecordKey { device: device(), epoch: EPOCH, seq: 1 }.id();
    assert_eq!(heard.recv().await, Ok(Event::PendingAdded(id)));
}

#[tokio::test]
async fn a_duplicate_is_answered_with_the_same_cursor_and_changes_nothing() {
    let rig = Rig::new().await;
    let body = rig.sighting(EPOCH, 1, [1.0, 0.0, 0.0]);
    let items = vec![item(1, AT, &body), item(2, AT, &Body::decode(&[3, 5, 0]).unwrap())];
    let first = rig.batch(EPOCH, items.clone()).await;
    let mut heard = rig.events.listen();
    assert_eq!(rig.batch(EPOCH, items).await, first);
    assert_eq!((rig.count("sighting").await, rig.count("receipt").await), (1, 2));
    assert!(heard.try_recv().is_err());
}

#[tokio::test]
async fn another_record_with_the_same_number_is_set_aside() {
    let rig = Rig::new().await;
    rig.batch(EPOCH, vec![health(1, 1000)]).await;
    let ack = rig.batch(EPOCH, vec![health(1, 2000)]).await;
    assert_eq!((ack.cum, ack.rejects), (1, vec![(1, Reject::Conflict)]));
    assert_eq!(rig.count("health where watched_ms = 1000").await, 1);
    assert_eq!(rig.count("dead_letter where error = 'conflict'").await, 1);
}

#[tokio::test]
async fn poison_in_the_middle_stops_nobody() {
    let rig = Rig::new().await;
    let broken = Item { hash: [0; 16], ..health(2, 1000) };
    let bug = item(3, AT, &rig.sighting(EPOCH, 3, [0.0, 0.0, -1.0]));
    let ack = rig.batch(EPOCH, vec![health(1, 1000), broken.clone(), bug, health(4, 9)]).await;
    assert_eq!(ack.cum, 4);
    assert_eq!(ack.rejects, [(2, Reject::WrongHash), (3, Reject::Malformed)]);
    assert_eq!((rig.count("health").await, rig.count("dead_letter").await), (2, 2));
    let again = rig.batch(EPOCH, vec![broken]).await;
    assert_eq!(again.rejects, [(2, Reject::WrongHash)], "said again when the answer was lost");
    assert_eq!(rig.count("dead_letter").await, 2);
}

#[tokio::test]
async fn bytes_of_an_unknown_version_are_kept() {
    let rig = Rig::new().await;
    let error = wire::EnvelopeError::Unknown { kind: 1, version: 9 };
    let answer = rig.sent(Sent::Poison(b"RC\x01\x09...".to_vec(), error)).await;
    assert!(matches!(answer, DeliveryAnswer::Stored(None)));
    assert_eq!(rig.count("dead_letter where epoch is null and length(bytes) = 7").await, 1);
}

#[tokio::test]
async fn dead_letters_of_one_day_are_limited_and_the_others_told_as_lost() {
    let rig = Rig::new().await;
    for n in 0..210u64 {
        rig.batch(EPOCH, vec![Item { hash: [0; 16], ..health(n + 1, 0) }]).await;
    }
    assert_eq!((rig.count("dead_letter").await, rig.count("receipt").await), (200, 210));
    let told = rig.db.read(|tx| store::loss::list(tx, None, Wall(0), 9)).await.unwrap();
    let [loss] = &told[..] else { panic!("{told:?}") };
    assert_eq!((loss.gone.as_slice(), loss.cause.as_str()), (&[(201, 210)][..], "not_kept"));
    let lately = || rig.db.read(|tx| store::loss::lately(tx, Wall(0)));
    assert_eq!(lately().await.unwrap(), [(device(), 10, loss.received_at)]);
    rig.db.write(|tx| tx.execute("update loss set cause = 'health_trimmed'", [])).await.unwrap();
    assert_eq!(lately().await.unwrap(), [], "no passage is among them");
}

#[tokio::test]
async fn a_stranger_and_a_student_who_withdrew_leave_only_receipts() {
    let rig = Rig::new().await;
    let stranger = rig.sighting(EPOCH, 1, [0.0, 0.0, 1.0]);
    let withdrawn = rig.sighting(EPOCH, 2, [0.0, 1.0, 0.0]);
    let sql = "insert into consent (student, given, by_whom, text_version, at, actor)
         values ($1, 0, 'x', '1', 1, 'test')";
    rig.db.write(move |tx| tx.execute(sql, [student(2).to_string()])).await.unwrap();
    let ack = rig.batch(EPOCH, vec![item(1, AT, &stranger), item(2, AT, &withdrawn)]).await;
    assert_eq!((ack.cum, ack.rejects), (2, vec![]));
    for table in ["sighting", "candidate", "evidence", "dead_letter"] {
        assert_eq!(rig.count(table).await, 0, "{table}");
    }
    assert_eq!(rig.texts("select disposition from receipt").await, ["nobody", "nobody"]);
}

#[tokio::test]
async fn staff_are_logged_with_what_the_log_is_worth() {
    let rig = Rig::new().await;
    lesson(&rig, 600_000).await;
    let hire = "update student set kind = 'staff' where id = $1";
    rig.db.write(move |tx| tx.execute(hire, [student(1).to_string()])).await.unwrap();
    let seen = |seq| item(seq, AT, &rig.sighting(EPOCH, seq, [1.0, 0.0, 0.0]));
    rig.batch(EPOCH, vec![seen(1)]).await;
    let fire = "update student set is_active = 0 where id = $1";
    rig.db.write(move |tx| tx.execute(fire, [student(1).to_string()])).await.unwrap();
    rig.batch(EPOCH, vec![seen(2)]).await;
    let withdraw = "insert into consent (student, given, by_whom, text_version, at, actor)
         values ($1, 0, 'x', '1', 1, 'test')";
    rig.db.write(move |tx| tx.execute(withdraw, [student(1).to_string()])).await.unwrap();
    rig.batch(EPOCH, vec![seen(3)]).await;
    let log = rig.texts("select authority from sighting order by seq").await;
    assert_eq!(log, ["authorized", "inactive"], "whoever withdrew leaves no line");
    assert_eq!(rig.count("evidence").await, 0, "nor a picture");
    let dispositions = rig.texts("select disposition from receipt order by seq").await;
    assert_eq!(dispositions, ["logged", "logged", "nobody"]);
}

#[tokio::test]
async fn numbers_that_were_lost_close_the_gap() {
    let rig = Rig::new().await;
    let gone = Ranges::from(vec![(2, 40)]);
    let loss = Loss { gone, unnumbered: 3, from: AT, to: AT, cause: LossCause::DiskFull };
    let ack = rig.batch(EPOCH, vec![health(1, 5), item(41, AT, &Body::Loss(loss))]).await;
    assert_eq!((ack.cum, rig.count("loss where cause = 'disk_full'").await), (41, 1));
}

#[tokio::test]
async fn a_gap_is_answered_with_ranges_above_it() {
    let rig = Rig::new().await;
    let ack = rig.batch(EPOCH, vec![health(1, 5), health(4, 5), health(5, 5), health(9, 5)]).await;
    assert_eq!((ack.cum, ack.max_seq), (1, 9));
    assert_eq!(ack.ranges.as_slice(), [(4, 5), (9, 9)]);
    let start = rig.batch(Epoch([2; 16]), vec![health(3, 5)]).await;
    assert_eq!((start.cum, start.ranges.as_slice()), (0, &[(3, 3)][..]));
}

#[tokio::test]
async fn a_hello_hears_where_its_outbox_stands() {
    let rig = Rig::new().await;
    rig.batch(EPOCH, vec![health(1, 5), health(2, 5)]).await;
    let ack = rig.hello(EPOCH, 1).await;
    assert_eq!((ack.hub_epoch, ack.cum, ack.max_seq), (Epoch([9; 16]), 2, 2));
}

#[tokio::test]
async fn a_record_of_a_boot_without_a_clock_is_dated_when_the_time_comes() {
    let rig = Rig::new().await;
    let at = Stamp { boot: 1, mono: Mono(20_000), wall: None, clock: ClockState::Unset };
    rig.batch(EPOCH, vec![item(1, at, &rig.sighting(EPOCH, 1, [1.0, 0.0, 0.0]))]).await;
    assert_eq!(rig.count("sighting where at is null and reasons like '%clock_unset%'").await, 1);
    let synced = Wall(NOW.0 - 30_000);
    rig.batch(EPOCH, vec![anchor(2, 1, 320_000, synced)]).await;
    let dated = rig.texts("select cast(at as text) from sighting where order_at = at").await;
    assert_eq!(dated, [(synced.0 - 300_000).to_string()]);
    assert_eq!(rig.count("sighting where clock = 'unset'").await, 1, "never forgotten");
}

#[tokio::test]
async fn a_record_that_moved_to_a_new_life_is_the_same_record() {
    let rig = Rig::new().await;
    let body = rig.sighting(EPOCH, 1, [1.0, 0.0, 0.0]);
    rig.batch(EPOCH, vec![item(1, AT, &body)]).await;
    let moved = |seq, body: &Body| Body::Moved(Moved { epoch: EPOCH, seq, body: body.encode() });
    let fresh = rig.sighting(EPOCH, 2, [1.0, 0.0, 0.0]);
    let items = vec![item(1, AT, &moved(1, &body)), item(2, AT, &moved(2, &fresh))];
    let new = Epoch([2; 16]);
    for _ in 0..2 {
        let ack = rig.batch(new, items.clone()).await;
        assert_eq!((ack.cum, ack.rejects.as_slice()), (2, &[][..]));
    }
    assert_eq!(rig.count("sighting").await, 2);
    let id = RecordKey { device: device(), epoch: EPOCH, seq: 2 }.id().to_string();
    assert!(rig.texts("select id from sighting").await.contains(&id));
}

#[tokio::test]
async fn a_device_that_is_unknown_is_held_and_its_neighbour_is_not() {
    let rig = Rig::new().await;
    let sent = Sent::Batch(Batch { epoch: EPOCH, items: vec![health(1, 5)] });
    let (answer, told) = oneshot::channel();
    let device = "d9".parse().unwrap();
    rig.say.send(Delivery { device, sent, answer }).await.unwrap();
    assert_eq!(rig.batch(EPOCH, vec![health(1, 5)]).await.cum, 1);
    assert!(matches!(told.await.unwrap(), DeliveryAnswer::Held));
}

/// Some batches of some numbers, in any order, some again, of two lives of the outbox.
fn storms() -> impl Strategy<Value = Vec<(u8, Vec<u64>)>> {
    prop::collection::vec((1u8..3, prop::collection::vec(1u64..80, 1..9)), 400..600)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn duplicates_reordering_and_stale_lives_end_in_the_set_of_inputs(storm in storms()) {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let rig = Rig::new().await;
            let mut model: BTreeMap<u8, BTreeSet<u64>> = BTreeMap::new();
            let mut last = BTreeMap::new();
            for (life, numbers) in storm {
                let all = model.entry(life).or_default();
                all.extend(&numbers);
                let items = numbers.iter().map(|n| health(*n, *n)).collect();
                let ack = rig.batch(Epoch([life; 16]), items).await;
                let cum = (1..).take_while(|n| all.contains(n)).last().unwrap_or(0);
                prop_assert_eq!(ack.cum, cum);
                prop_assert_eq!(ack.max_seq, *all.last().unwrap());
                prop_assert!(ack.rejects.is_empty());
                prop_assert!(last.insert(life, ack.cum).is_none_or(|before| before <= ack.cum));
            }
            let stored = rig.db.read(|tx| tx.query(
                "select epoch, seq from health order by epoch, seq", params![],
                |row| Ok((row.get::<Vec<u8>>(0)?[0], row.get::<i64>(1)? as u64)),
            )).await.unwrap();
            let wanted: Vec<_> =
                model.iter().flat_map(|(life, all)| all.iter().map(|n| (*life, *n))).collect();
            prop_assert_eq!(stored, wanted);
            Ok(())
        })?;
    }
}

/// A class of the first student, with a lesson in room 204 from an hour before until `ends`.
async fn lesson(rig: &Rig, ends: i64) -> Uuid {
    let work = move |tx: &Tx<'_>| {
        let class = store::class::add(tx, "7b", "7B", Some("204"), "t", NOW)?;
        store::class::add_member(tx, class, student(1), "t", NOW)?;
        let starts = NOW.plus_ms(-3_600_000);
        let session = store::session::Session {
            id: Uuid::from_u128(77),
            class,
            name: "Maths".into(),
            day: jiff::civil::date(2026, 9, 21),
            starts,
            ends: NOW.plus_ms(ends),
            late_after: starts.plus_ms(600_000),
            room: "204".into(),
            source: rules::timetable::Source::Manual,
            period: None,
            closed_at: None,
            version: 1,
        };
        store::session::add(tx, &session).map(|()| session.id)
    };
    rig.db.write(work).await.unwrap()
}

#[tokio::test]
async fn a_sighting_waits_in_the_lesson_of_its_room_and_whoever_is_not_due_is_only_logged() {
    let rig = Rig::new().await;
    lesson(&rig, 600_000).await;
    let mut heard = rig.events.listen();
    let due = rig.sighting(EPOCH, 1, [1.0, 0.0, 0.0]);
    let other = rig.sighting(EPOCH, 2, [0.0, 1.0, 0.0]);
    let ack = rig.batch(EPOCH, vec![item(1, AT, &due), item(2, AT, &other)]).await;
    assert_eq!((ack.cum, ack.rejects), (2, vec![]));
    let waits = "sighting where review_status = 'pending' and session is not null";
    assert_eq!(rig.count(waits).await, 1);
    let logged = "sighting where review_status = 'logged' and session is null";
    assert_eq!(rig.count(logged).await, 1, "in school, but not in class");
    assert_eq!(rig.count("evidence").await, 1, "nothing is kept of what is logged");
    let dispositions = rig.texts("select disposition from receipt order by seq").await;
    assert_eq!(dispositions, ["pending", "logged"]);
    let id = RecordKey { device: device(), epoch: EPOCH, seq: 1 }.id();
    assert_eq!(heard.recv().await, Ok(Event::PendingAdded(id)));
    assert!(heard.try_recv().is_err());
}

#[tokio::test]
async fn a_door_that_was_away_tells_absence_from_blindness_when_it_comes_back() {
    let rig = Rig::new().await;
    let id = lesson(&rig, -600_000).await;
    let close = move |tx: &Tx<'_>| {
        let lesson = store::session::get(tx, id)?.unwrap();
        crate::marks::close(tx, &lesson, "hub", NOW).map(drop)
    };
    let known = |tx: &Tx<'_>| {
        doors::enrol(tx, &[student(1)], NOW.plus_ms(-9_000_000))?;
        doors::hold(tx, "d1", 1, &[student(1)])
    };
    rig.db.write(known).await.unwrap();
    rig.db.write(close).await.unwrap();
    assert_eq!(rig.count("mark where status = 'unverified'").await, 1);
    let body = doors::sees(Mono(0), 1_500_000);
    let wall = Some(NOW.plus_ms(-3_000_000));
    let at = Stamp { boot: 1, mono: Mono(1_500_000), wall, clock: ClockState::Ntp };
    rig.batch(EPOCH, vec![item(1, at, &Body::Watch(body))]).await;
    assert_eq!(rig.count("session where closed_at is null").await, 1, "looked at anew");
    rig.db.write(close).await.unwrap();
    assert_eq!(rig.count("mark where status = 'absent'").await, 1);
    assert_eq!(rig.count("tally where absent = 1 and unverified = 0").await, 1);
}

#[tokio::test]
async fn a_sighting_without_a_time_finds_its_lesson_when_the_time_comes() {
    let rig = Rig::new().await;
    lesson(&rig, 600_000).await;
    let at = Stamp { boot: 1, mono: Mono(20_000), wall: None, clock: ClockState::Unset };
    rig.batch(EPOCH, vec![item(1, at, &rig.sighting(EPOCH, 1, [1.0, 0.0, 0.0]))]).await;
    rig.batch(EPOCH, vec![anchor(2, 1, 320_000, Wall(NOW.0 - 30_000))]).await;
    assert_eq!(rig.count("sighting where at is not null and session is not null").await, 1);
}

#[tokio::test]
async fn each_anchor_dates_only_what_lies_around_it() {
    let rig = Rig::new().await;
    let count = "insert into setting values ('redated', '1') on conflict (name) do update
             set value = cast(cast(setting.value as integer) + 1 as text)";
    let when = ("redated", "after update of at on sighting");
    store::sample::trigger(rig.db.place(), when, "true", count);
    let rtc = |mono: u64| Stamp {
        boot: 1,
        mono: Mono(mono),
        wall: Some(Wall(NOW.0 - 9_000_000 + mono.cast_signed())),
        clock: ClockState::Rtc,
    };
    for n in 0..100u64 {
        let (seq, mono) = (n * 3 + 1, n * 3_600);
        let seen = |seq, at| item(seq, at, &rig.sighting(EPOCH, seq, [1.0, 0.0, 0.0]));
        let anchor = Body::Anchor(Anchor { err_ms: 20, stepped: false });
        let items = vec![
            seen(seq, rtc(mono + 10)),
            seen(seq + 1, rtc(mono + 20)),
            item(seq + 2, rtc(mono + 30), &anchor),
        ];
        rig.batch(EPOCH, items).await;
    }
    let redated = rig.texts("select value from setting where name = 'redated'").await;
    assert_eq!(redated, ["200"], "each sighting once, although 100 anchors came");
    let wrong = "sighting where at <> $1 + mono".replace("$1", &(NOW.0 - 9_000_000).to_string());
    assert_eq!(rig.count(wrong.leak()).await, 0);
}

#[tokio::test]
async fn a_number_whose_receipt_is_gone_is_known_all_the_same() {
    let rig = Rig::new().await;
    let first = rig.pictured(EPOCH, 1, [1.0, 0.0, 0.0]);
    let both = vec![first.clone(), health(2, 9)];
    rig.batch(EPOCH, both.clone()).await;
    let forget = |tx: &Tx<'_>| {
        tx.execute("delete from receipt", [])?;
        tx.execute("update cursor set forgotten = 2", [])
    };
    rig.db.write(forget).await.unwrap();
    assert_eq!(rig.batch(EPOCH, both.clone()).await.cum, 2);
    let moved = |seq, old: &Item| {
        let body = Moved { epoch: EPOCH, seq: old.seq, body: old.body.clone() };
        item(seq, old.at, &Body::Moved(body))
    };
    let again = both.iter().map(|old| moved(old.seq, old)).collect();
    assert_eq!(rig.batch(Epoch([2; 16]), again).await.rejects, []);
    assert_eq!((rig.count("sighting").await, rig.count("health").await), (1, 1));
    let at = Stamp { mono: Mono(9_000), ..AT };
    let other = item(1, at, &rig.sighting(EPOCH, 1, [0.0, 1.0, 0.0]));
    assert_eq!(rig.batch(Epoch([3; 16]), vec![moved(1, &other)]).await.rejects, []);
    assert_eq!(rig.count("sighting").await, 2, "another one of the same number is not lost");
}

#[tokio::test]
async fn whoever_was_compared_with_an_older_gallery_than_was_due_is_marked_so() {
    let rig = Rig::new().await;
    let release = |version: i64, minutes: i64| {
        let created = NOW.plus_ms(-60_000 * minutes).0;
        move |tx: &Tx<'_>| {
            let sql = "insert into gallery_release
                 (device, version, created_at, expires_at, people, blake3, signed)
                 values ('d1', $1, $2, $3, 2, x'00', x'00')";
            tx.execute(sql, params![version, created, NOW.0])
        }
    };
    let seen = |seq| item(seq, AT, &rig.sighting(EPOCH, seq, [1.0, 0.0, 0.0]));
    rig.db.write(release(4, 120)).await.unwrap();
    rig.db.write(release(5, 10)).await.unwrap();
    rig.batch(EPOCH, vec![seen(1)]).await;
    rig.db.write(release(6, 60)).await.unwrap();
    rig.batch(EPOCH, vec![seen(2)]).await;
    let reasons = rig.texts("select reasons from sighting order by seq").await;
    assert_eq!(reasons, ["[]", r#"["stale_gallery"]"#], "a door takes a while to fetch one");
}

#[path = "absence_tests.rs"]
mod absence;
