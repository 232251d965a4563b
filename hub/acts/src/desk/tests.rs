use super::*;
use proptest::prelude::*;
use rules::auth::{Actor, Role};
use rules::sighting::judge::JudgedSeen;
use rules::sighting::time::When;
use store::arrival::{self, ArrivalRow};
use store::device::{self, DevicePlace};
use store::evidence::Evidence as Sealed;
use store::student::{self, StudentProfile};
use uuid::Uuid;
use wire::{Candidate, ClockState, Direction, Epoch, Mono, RecordKey, Stamp, Verdict};

const RECORDS: u64 = 4;
const NOW: Wall = Wall(1_790_000_000_000);

/// A desk with three students, four sightings of the first that may have been the second, and a
/// class of these two.
struct House {
    _dir: tempfile::TempDir,
    desk: Desk,
    students: Vec<StudentId>,
    records: Vec<RecordId>,
    teacher: Uuid,
}

fn reader(user: Uuid, role: Role) -> Reader {
    Reader { actor: Actor { user, role }, today: jiff::civil::date(2026, 9, 21) }
}

fn admin() -> Reader {
    reader(Uuid::from_u128(1), Role::Admin)
}

async fn house() -> House {
    let dir = tempfile::tempdir().unwrap();
    let db = Db::open(dir.path().join("hub.db")).unwrap();
    let keys = Keys::create(dir.path(), NOW).unwrap();
    let desk = Desk { db, keys: keys.clone(), events: Events::default() };
    let fill = move |tx: &Tx<'_>| {
        let place =
            DevicePlace { room: "1".into(), location: String::new(), direction: Direction::Entry };
        device::add(tx, &"d1".parse().unwrap(), &place, "t", NOW)?;
        let students = ["1", "2", "3"].map(|number| {
            let (student_number, first_name) = (number.to_owned(), format!("N{number}"));
            let profile =
                StudentProfile { student_number, first_name, ..StudentProfile::default() };
            student::add(tx, profile, "t", NOW).unwrap()
        });
        let records: Vec<_> =
            (1..=RECORDS).map(|seq| sighting(tx, &keys, seq, (students[0], students[1]))).collect();
        Ok((students.to_vec(), records, class(tx, &students[..2])?))
    };
    let (students, records, teacher) = desk.db.write(fill).await.unwrap();
    House { _dir: dir, desk, students, records, teacher }
}

/// A class whose teacher may see `roster`.
fn class(tx: &Tx<'_>, roster: &[StudentId]) -> Result<Uuid, Error> {
    let teacher = Uuid::from_u128(2);
    let user = "insert into user_account (id, email, name, role, is_active, created_at, version)
         values ($1, 't@x', 'Tea', 'teacher', 1, 0, 1)";
    tx.execute(user, [teacher.to_string()])?;
    let class = "insert into class (id, class_name, class_code, is_active, version)
         values ('c', 'C', 'C', 1, 1)";
    tx.execute(class, [])?;
    for student in roster {
        let sql = "insert into roster (class, student, verified) values ('c', $1, 0)";
        tx.execute(sql, [student.to_string()])?;
    }
    let sql = "insert into teaches (class, teacher, from_day) values ('c', $1, '2026-01-01')";
    tx.execute(sql, [teacher.to_string()])?;
    Ok(teacher)
}

fn sighting(tx: &Tx<'_>, keys: &Keys, seq: u64, (of, or): (StudentId, StudentId)) -> RecordId {
    let key = RecordKey { device: "d1".parse().unwrap(), epoch: Epoch([1; 16]), seq };
    let at = Stamp { boot: 1, mono: Mono(seq), wall: Some(NOW), clock: ClockState::Ntp };
    let candidates =
        [Candidate { student: of, score: 0.97 }, Candidate { student: or, score: 0.95 }];
    let seen = JudgedSeen {
        room: "1".into(),
        direction: Direction::Entry,
        candidates: candidates.to_vec(),
        confidence: 0.9,
        verdict: Verdict::High,
        reasons: vec![],
        quality: wire::Quality::default(),
        frames: 3,
        gallery: 1,
        model: "test-1".parse().unwrap(),
        template: Zeroizing::new(vec![]),
        crop: None,
    };
    let row = ArrivalRow {
        candidates: &candidates,
        reasons: &[],
        seen: &seen,
        session: None,
        status: Status::Pending,
        authority: None,
    };
    let id = arrival::add_sighting(tx, &key, (0, &at), &When::At(NOW, 0), &row, NOW).unwrap();
    let own = keys.student_or_new(of, NOW).unwrap();
    for part in [Part::Crop, Part::Template] {
        let sealed = Sealed::seal(id, part, b"face", of, &own);
        arrival::add_evidence(tx, id, part, &sealed).unwrap();
    }
    id
}

impl House {
    fn ask(&self, record: usize, say: ReviewSay) -> ReviewAsk {
        ReviewAsk { record: self.records[record], say, notes: None, version: None }
    }

    async fn decide(&self, by: Reader, asks: Vec<ReviewAsk>) -> Result<Vec<DeskDone>, Error> {
        self.desk.decide(by, asks, |_, done| Ok(done.to_vec()), NOW).await
    }

    async fn undo(&self, by: Reader, record: Option<RecordId>) -> Result<Vec<DeskDone>, Error> {
        self.desk.undo(by, record, None, |_, done| Ok(done.to_vec()), NOW).await
    }

    async fn facts(&self, record: usize) -> ReviewFacts {
        let id = self.records[record];
        self.desk.db.read(move |tx| store::review::facts(tx, id)).await.unwrap()
    }

    /// State, crop, and whose key opens it, of every record.
    async fn picture(&self) -> Vec<(review::ReviewState, Option<StudentId>)> {
        let mut all = Vec::new();
        for (n, record) in self.records.iter().copied().enumerate() {
            let read = move |tx: &Tx<'_>| store::review::evidence(tx, record, Part::Crop);
            let kept = self.desk.db.read(read).await.unwrap();
            if let Some(kept) = &kept {
                let key = self.desk.keys.student(kept.student).unwrap().unwrap();
                assert_eq!(&*kept.open(record, Part::Crop, &key).unwrap(), b"face");
            }
            all.push((self.facts(n).await.state, kept.map(|kept| kept.student)));
        }
        all
    }
}

#[tokio::test]
async fn a_reassigned_crop_opens_with_the_new_students_key_alone() {
    let house = house().await;
    let to = house.students[1];
    house.decide(admin(), vec![house.ask(0, ReviewSay::Approve(Some(to)))]).await.unwrap();
    assert_eq!(house.picture().await[0].1, Some(to));
    house.desk.keys.erase(house.students[0]).unwrap();
    assert_eq!(&**house.desk.crop(admin(), house.records[0]).await.unwrap(), b"face");
    let other = house.desk.crop(admin(), house.records[1]).await;
    assert!(matches!(other, Err(Error::NotFound(_))), "the first student's key is gone");
}

#[tokio::test]
async fn a_rejected_picture_is_seen_by_nobody_and_gone_after_an_hour() {
    let house = house().await;
    let sweep = |after_ms| {
        let now = NOW.plus_ms(after_ms);
        house.desk.db.write(move |tx| store::review::sweep_evidence(tx, now))
    };
    house.decide(admin(), vec![house.ask(0, ReviewSay::Reject)]).await.unwrap();
    assert!(house.desk.crop(admin(), house.records[0]).await.is_err());
    assert_eq!(sweep(SECOND_THOUGHTS_MS - 1).await.unwrap(), 0);
    let back = house.undo(admin(), Some(house.records[0])).await.unwrap();
    assert_eq!((back[0].status, back[0].version), (Status::Pending, 3));
    assert_eq!(&**house.desk.crop(admin(), house.records[0]).await.unwrap(), b"face");
    house.decide(admin(), vec![house.ask(0, ReviewSay::Reject)]).await.unwrap();
    assert_eq!(sweep(SECOND_THOUGHTS_MS).await.unwrap(), 2, "crop and template");
    house.undo(admin(), Some(house.records[0])).await.unwrap();
    assert!(house.desk.crop(admin(), house.records[0]).await.is_err(), "it stays gone");
}

#[tokio::test]
async fn whoever_is_ruled_out_is_remembered_as_not_the_one_who_was_there() {
    let house = house().await;
    let [one, two, three] = [0, 1, 2].map(|n| house.students[n]);
    let pairs = || async {
        let read = |tx: &Tx<'_>| store::scope::ruled_out(tx);
        house.desk.db.read(read).await.unwrap()
    };
    let done = house.decide(admin(), vec![house.ask(0, ReviewSay::RuleOut)]).await.unwrap();
    assert_eq!((done[0].status, done[0].decided), (Status::Pending, None));
    assert_eq!(pairs().await, [(two, one)], "as far as anybody knows");
    assert_eq!(house.picture().await[0].1, Some(two), "the face counts for whoever is next");
    let seen = {
        let (reader, id) = (admin(), house.records[0]);
        house.desk.db.read(move |tx| store::desk::one(tx, reader, id)).await.unwrap()
    };
    let names: Vec<_> = seen.candidates.iter().map(|c| c.person.student).collect();
    assert_eq!((seen.predicted.unwrap().student, names), (two, vec![two]));
    assert!(seen.confidence < 0.85, "{}", seen.confidence);
    house.decide(admin(), vec![house.ask(0, ReviewSay::Approve(Some(three)))]).await.unwrap();
    let mut remembered = pairs().await;
    remembered.sort_unstable_by_key(|pair| pair.1 == two);
    assert_eq!(remembered, [(three, one), (three, two)]);
    house.undo(admin(), None).await.unwrap();
    house.undo(admin(), None).await.unwrap();
    assert_eq!((pairs().await, house.facts(0).await.state), (vec![], house.facts(1).await.state));
}

#[tokio::test]
async fn a_teacher_takes_back_what_went_to_another_class() {
    let house = house().await;
    let teacher = reader(house.teacher, Role::Teacher);
    let leave = |tx: &Tx<'_>| {
        tx.execute(
            "delete from roster where student = $1",
            [tx.row("select id from student where student_number = '2'", [], |row| {
                row.get::<String>(0)
            })?
            .unwrap()],
        )
    };
    house.desk.db.write(leave).await.unwrap();
    house.decide(teacher, vec![house.ask(0, ReviewSay::RuleOut)]).await.unwrap();
    assert!(house.desk.crop(teacher, house.records[0]).await.is_err(), "not theirs any more");
    let back = house.undo(teacher, Some(house.records[0])).await.unwrap();
    assert_eq!(back[0].status, Status::Pending);
    assert!(house.desk.crop(teacher, house.records[0]).await.is_ok());
}

#[tokio::test]
async fn one_decision_that_cannot_be_stops_the_whole_step() {
    let house = house().await;
    let both = || vec![house.ask(0, ReviewSay::Reject), house.ask(1, ReviewSay::Reject)];
    house.decide(admin(), vec![house.ask(1, ReviewSay::Approve(None))]).await.unwrap();
    let before = house.picture().await;
    assert!(matches!(house.decide(admin(), both()).await, Err(Error::Conflict(_))));
    assert_eq!(house.picture().await, before);
    let head = house.desk.db.read(audit::verify).await.unwrap();
    assert_eq!(head.rows, 5, "a door, three students, one decision");
}

#[tokio::test]
async fn what_a_teacher_may_not_see_is_not_found() {
    let house = house().await;
    let (stranger, teacher) =
        (reader(Uuid::from_u128(7), Role::Teacher), reader(house.teacher, Role::Teacher));
    let approve = |student| vec![house.ask(0, ReviewSay::Approve(student))];
    let foreign = house.decide(stranger, approve(None)).await;
    assert!(matches!(foreign, Err(Error::NotFound(_))));
    let foreign = house.decide(teacher, approve(Some(house.students[2]))).await;
    assert!(matches!(foreign, Err(Error::NotFound(_))), "not of their class");
    house.decide(teacher, approve(Some(house.students[1]))).await.unwrap();
    assert!(house.undo(stranger, None).await.is_err(), "not their step");
    house.undo(teacher, None).await.unwrap();
}

#[tokio::test]
async fn no_more_than_a_hundred_steps_are_kept() {
    let house = house().await;
    let write =
        |tx: &Tx<'_>| (0..150).try_for_each(|_| store::review::add_step(tx, Uuid::nil(), &[], NOW));
    house.desk.db.write(write).await.unwrap();
    let count = |tx: &Tx<'_>| tx.row("select count(*) from undo_step", [], |row| row.get(0));
    assert_eq!(house.desk.db.read(count).await.unwrap(), Some(100));
}

/// What is said in the model: whom it is approved as, that it is rejected, or that the predicted
/// one is ruled out.
#[derive(Clone, Copy, Debug)]
enum Said {
    As(usize),
    Nobody,
    Never,
}

/// A step of the model: which records, and what is said of them; nothing said is an undo.
fn steps() -> impl Strategy<Value = Vec<(Vec<usize>, Option<Said>)>> {
    let records = prop::sample::subsequence((0..RECORDS as usize).collect::<Vec<_>>(), 1..=3);
    let say = prop_oneof![
        2 => Just(None),
        2 => (0usize..3).prop_map(|student| Some(Said::As(student))),
        1 => Just(Some(Said::Nobody)),
        1 => Just(Some(Said::Never)),
    ];
    prop::collection::vec((records, say), 1..12)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn undo_gives_back_every_former_state_and_picture(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(run(steps));
    }
}

async fn run(steps: Vec<(Vec<usize>, Option<Said>)>) {
    let house = house().await;
    let mut before: Vec<Vec<_>> = Vec::new();
    for (records, said) in steps {
        let Some(said) = said else {
            let undone = house.undo(admin(), None).await;
            assert_eq!(undone.is_ok(), !before.is_empty());
            let Some(expected) = before.pop() else { continue };
            assert_eq!(house.picture().await, expected);
            continue;
        };
        let mut asks = Vec::new();
        before.push(house.picture().await);
        for n in records {
            let say = match said {
                Said::As(student) => ReviewSay::Approve(Some(house.students[student])),
                Said::Nobody => ReviewSay::Reject,
                Said::Never => ReviewSay::RuleOut,
            };
            let version = Some(house.facts(n).await.version);
            asks.push(ReviewAsk { version, ..house.ask(n, say) });
        }
        house.decide(admin(), asks).await.unwrap();
    }
    house.desk.db.read(audit::verify).await.unwrap();
}
