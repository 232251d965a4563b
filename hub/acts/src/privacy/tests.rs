//! Consent and what is on the doors, over random lives of a small school; and withdrawal, row by
//! row.

use super::*;
use crate::enrol::{NewEnrolment, keep};
use crate::gallery::Gallery;
use crate::keyring::key_for;
use crate::upkeep::Upkeep;
use proptest::prelude::*;
use rules::care::AsideKind;
use rules::sighting::judge::JudgedSeen;
use rules::sighting::time::When;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use store::consent::ConsentSaid;
use store::evidence::Evidence;
use store::retention::RetentionLooked;
use store::student::StudentProfile;
use store::{arrival, device, enrolment, review, student};
use uuid::Uuid;
use vision::Template;
use wire::StudentId;
use wire::seal::Part;
use wire::time::ManualClock;
use wire::{
    Candidate, ClockState, DeviceId, Direction, Epoch, ModelId, Mono, Quality, Reason, RecordId,
    RecordKey, Stamp, Verdict,
};
use zeroize::Zeroizing;

const NOW: Wall = Wall(1_790_000_000_000);
const DOORS: [&str; 2] = ["door-1", "door-2"];

fn model() -> ModelId {
    "test-1".parse().unwrap()
}

/// A school of three, two doors, nobody enrolled.
pub(super) struct School {
    dir: tempfile::TempDir,
    pub(super) db: Db,
    pub(super) keys: Keys,
    pub(super) gallery: Gallery,
    pub(super) students: Vec<StudentId>,
}

pub(super) async fn school() -> School {
    school_in(|path| path.as_path().into()).await
}

async fn school_in(place: fn(std::path::PathBuf) -> store::Database) -> School {
    let dir = tempfile::tempdir().unwrap();
    let db = Db::open(place(dir.path().join("hub.db"))).unwrap();
    let keys = Keys::create(dir.path(), NOW).unwrap();
    let write = |tx: &Tx<'_>| {
        let epoch = Epoch([9; 16]).to_string();
        store::setting::set(tx, "hub_epoch", &epoch)?;
        let (room, location) = ("204".to_owned(), String::new());
        let place = device::DevicePlace { room, location, direction: Direction::Entry };
        for door in DOORS {
            device::add(tx, &door.parse().unwrap(), &place, "t", NOW)?;
        }
        let add = |n: usize| {
            let (student_number, first_name) = (n.to_string(), "A".to_owned());
            let profile =
                StudentProfile { student_number, first_name, ..StudentProfile::default() };
            student::add(tx, profile, "t", NOW)
        };
        (0..3).map(add).collect::<Result<Vec<_>, _>>()
    };
    let students = db.write(write).await.unwrap();
    School { dir, db, keys, gallery: Gallery::new(model()), students }
}

/// A template that is nobody else's.
fn template(n: usize) -> Template {
    let mut raw = vec![0.0; 4];
    raw[n] = 1.0;
    Template::from_raw(raw).unwrap()
}

impl School {
    pub(super) async fn say(&self, n: usize, given: bool) {
        let said = ConsentSaid { given, ..ConsentSaid::yes("herself") };
        let (db, keys) = (&self.db, &self.keys);
        withdraw::note(db, keys, self.students[n], said, "t".into(), NOW).await.unwrap();
    }

    pub(super) async fn enrol(&self, n: usize) -> Result<Uuid, Error> {
        let new = NewEnrolment {
            student: self.students[n],
            model: model(),
            source: "photo".into(),
            quality: Quality::default(),
            template: template(n).to_f16_bytes(),
            consent_by: None,
            actor: "t".into(),
        };
        let keys = self.keys.clone();
        self.db.write(move |tx| keep(tx, &keys, &new, NOW)).await
    }

    fn upkeep(&self) -> Upkeep {
        let (db, clock) = (self.db.clone(), Arc::new(ManualClock::at(NOW, Mono(0))));
        let (aside, timekeeper, duty) = Default::default();
        Upkeep { db, clock, aside, timekeeper, duty }
    }

    async fn refresh(&self) {
        self.gallery.refresh(&self.db, &self.keys, NOW).await.unwrap();
    }

    async fn count(&self, what: &'static str) -> i64 {
        let sql = format!("select count(*) from {what}");
        self.db.read(move |tx| tx.row(&sql, [], |row| row.get(0))).await.unwrap().unwrap()
    }

    /// A sighting that waits, naming these, with crop and template under the first one's key.
    pub(super) async fn seen(&self, seq: u64, named: &[usize]) -> RecordId {
        let candidates: Vec<_> = named
            .iter()
            .zip([0.99, 0.95, 0.94])
            .map(|(n, score)| Candidate { student: self.students[*n], score })
            .collect();
        let (keys, best) = (self.keys.clone(), candidates[0].student);
        let write = move |tx: &Tx<'_>| {
            let key = RecordKey { device: DOORS[0].parse().unwrap(), epoch: Epoch([1; 16]), seq };
            let seen = seen(&candidates);
            let (session, status, reasons) = (None, rules::review::Status::Pending, &[][..]);
            let candidates = candidates.as_slice();
            let (seen, authority) = (&seen, None);
            let row = arrival::ArrivalRow { candidates, reasons, seen, session, status, authority };
            let at = Stamp { boot: 1, mono: Mono(1), wall: Some(NOW), clock: ClockState::Ntp };
            let id = arrival::add_sighting(tx, &key, (0, &at), &When::At(NOW, 0), &row, NOW)?;
            store::cursor::add_receipt(tx, &key, &[7; 16], "pending")?;
            let own = key_for(tx, &keys, best, NOW)?;
            for part in [Part::Template, Part::Crop] {
                let sealed = Evidence::seal(id, part, b"face", best, &own);
                arrival::add_evidence(tx, id, part, &sealed)?;
            }
            Ok(id)
        };
        self.db.write(write).await.unwrap()
    }
}

fn seen(candidates: &[Candidate]) -> JudgedSeen {
    JudgedSeen {
        room: "204".into(),
        direction: Direction::Entry,
        candidates: candidates.to_vec(),
        confidence: 0.99,
        verdict: Verdict::High,
        reasons: vec![],
        quality: Quality::default(),
        frames: 3,
        gallery: 1,
        model: model(),
        template: Zeroizing::new(vec![]),
        crop: None,
    }
}

// Withdrawal -------------------------------------------------------------------------------------

#[tokio::test]
async fn whoever_withdraws_leaves_nothing_that_waits_and_no_template() {
    let school = school().await;
    school.say(0, true).await;
    school.enrol(0).await.unwrap();
    school.seen(1, &[0]).await;
    school.say(0, false).await;
    for table in ["enrolment", "evidence", "candidate", "sighting", "key_to_erase"] {
        assert_eq!(school.count(table).await, 0, "{table}");
    }
    assert_eq!(school.count("receipt where disposition = 'nobody'").await, 1, "still known");
    assert!(school.keys.student(school.students[0]).unwrap().is_none(), "the key is gone");
    assert!(school.enrol(0).await.is_err(), "without a new consent nothing is stored");
}

#[tokio::test]
async fn whoever_else_it_may_have_been_moves_up_and_keeps_the_picture() {
    let school = school().await;
    for n in [0, 1] {
        school.say(n, true).await;
        school.enrol(n).await.unwrap();
    }
    let id = school.seen(1, &[0, 1]).await;
    school.say(0, false).await;
    let (other, keys) = (school.students[1], school.keys.clone());
    let read = move |tx: &Tx<'_>| {
        let crop = review::evidence(tx, id, Part::Crop)?.unwrap();
        let key = keys.student(other)?.unwrap();
        let open = crop.open(id, Part::Crop, &key).unwrap().to_vec();
        let sql = "select verdict, reasons, confidence from sighting";
        let row = tx.row(sql, [], |row| Ok((row.get(0)?, row.get(1)?, row.get::<f64>(2)?)))?;
        Ok((review::facts(tx, id)?.state.predicted, open, row.unwrap()))
    };
    let (predicted, open, row): (_, _, (String, String, f64)) = school.db.read(read).await.unwrap();
    assert_eq!((predicted, open), (Some(other), b"face".to_vec()));
    assert_eq!((row.0.as_str(), row.2 < 0.99), ("review", true));
    let reasons: Vec<Reason> = serde_json::from_str(&row.1).unwrap();
    assert_eq!(reasons, [Reason::ChangedByHub]);
    assert_eq!(school.count("candidate").await, 1);
}

#[tokio::test]
async fn a_guess_that_is_not_the_first_goes_without_a_word() {
    let school = school().await;
    for n in [0, 1] {
        school.say(n, true).await;
    }
    school.seen(1, &[0, 1]).await;
    school.say(1, false).await;
    assert_eq!(school.count("candidate").await, 1);
    assert_eq!(school.count("evidence").await, 2);
    assert_eq!(school.count("sighting where version = 1").await, 1, "nothing else changed");
}

#[tokio::test]
async fn a_key_left_by_a_crash_goes_with_the_next_look_and_before_anything_new() {
    let school = school().await;
    school.say(0, true).await;
    let old = school.keys.student_or_new(school.students[0], NOW).unwrap();
    let student = school.students[0];
    school.db.write(move |tx| store::forget::mark_key(tx, student, NOW)).await.unwrap();
    school.enrol(0).await.unwrap();
    let new = school.keys.student(student).unwrap().unwrap();
    assert_ne!(old.as_bytes(), new.as_bytes(), "nothing new under the old key");
    erase_keys(&school.db, &school.keys, NOW).await.unwrap();
    assert!(school.keys.student(student).unwrap().is_some(), "and the new one stays");
}

#[tokio::test]
async fn what_wraps_all_keys_is_replaced_by_the_next_look_where_it_could_not_be_at_once() {
    let school = school().await;
    school.say(0, true).await;
    school.enrol(0).await.unwrap();
    let place = |name: &str| school.dir.path().join(name);
    let kek = || std::fs::read(place("kek")).unwrap();
    let before = kek();
    std::fs::create_dir(place("kek.next")).unwrap();
    school.say(0, false).await;
    assert!(school.keys.student(school.students[0]).unwrap().is_none(), "the key is gone");
    assert_eq!(kek(), before, "there was no place for another");
    std::fs::remove_dir(place("kek.next")).unwrap();
    let look = || erase_keys(&school.db, &school.keys, NOW);
    look().await.unwrap();
    let after = kek();
    assert_ne!(after, before);
    look().await.unwrap();
    assert_eq!(kek(), after, "once is enough");
}

// Consent ⇔ template on the doors -----------------------------------------------------------------

#[derive(Clone, Copy, Debug)]
enum Step {
    Grant(usize),
    Withdraw(usize),
    Enrol(usize),
    Delete(usize),
    Toggle(usize),
    Active(usize, bool),
    /// This door comes online and takes the release that is there.
    Sync(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let who = 0..3usize;
    prop_oneof![
        3 => who.clone().prop_map(Step::Grant),
        2 => who.clone().prop_map(Step::Withdraw),
        3 => who.clone().prop_map(Step::Enrol),
        1 => who.clone().prop_map(Step::Delete),
        1 => who.clone().prop_map(Step::Toggle),
        1 => (who, any::<bool>()).prop_map(|(n, on)| Step::Active(n, on)),
        2 => (0..2usize).prop_map(Step::Sync),
    ]
}

/// What ought to be.
#[derive(Clone, Default)]
struct Person {
    consent: bool,
    inactive: bool,
    /// Enrolments and whether each counts.
    faces: BTreeMap<Uuid, bool>,
}

impl Person {
    fn recognised(&self) -> bool {
        self.consent && !self.inactive && self.faces.values().any(|on| *on)
    }
}

/// A door's disk: releases by number, at most one before the newest, as the edge keeps them.
#[derive(Default)]
struct Shelf(BTreeMap<u64, BTreeSet<StudentId>>);

impl Shelf {
    fn take(&mut self, release: &rules::gallery::Release) {
        let gallery = wire::Gallery::decode(&release.file).unwrap();
        let version = release.manifest.version;
        self.0.insert(version, gallery.people.iter().map(|person| person.id).collect());
        let before = self.0.keys().copied().filter(|old| *old < version).max();
        let keep = before.filter(|before| *before >= release.manifest.purge_before);
        self.0.retain(|old, _| *old == version || Some(*old) == keep);
    }
}

async fn act(school: &School, people: &mut [Person], step: Step) {
    match step {
        Step::Grant(n) => {
            school.say(n, true).await;
            people[n].consent = true;
        }
        Step::Withdraw(n) => {
            school.say(n, false).await;
            people[n] = Person { inactive: people[n].inactive, ..Person::default() };
        }
        Step::Enrol(n) => {
            let made = school.enrol(n).await;
            assert_eq!(made.is_ok(), people[n].consent, "no consent, no template");
            people[n].faces.extend(made.ok().map(|id| (id, true)));
        }
        Step::Delete(n) => {
            let Some((id, _)) = people[n].faces.pop_first() else { return };
            school.db.write(move |tx| enrolment::delete(tx, id, "t", NOW)).await.unwrap();
        }
        Step::Toggle(n) => {
            let Some(mut face) = people[n].faces.first_entry() else { return };
            *face.get_mut() ^= true;
            let (id, on) = (*face.key(), *face.get());
            let turn = move |tx: &Tx<'_>| enrolment::set_active(tx, id, on, "t", NOW);
            school.db.write(turn).await.unwrap();
        }
        Step::Active(n, on) => {
            let id = school.students[n];
            school.db.write(move |tx| student::set_active(tx, id, on, "t", NOW)).await.unwrap();
            people[n].inactive = !on;
        }
        Step::Sync(_) => {}
    }
}

async fn live(steps: &[Step]) {
    let school = school().await;
    let mut people = vec![Person::default(); 3];
    let mut shelves = [Shelf::default(), Shelf::default()];
    let mut counted = 0;
    for step in steps {
        act(&school, &mut people, *step).await;
        school.refresh().await;
        let expected: BTreeSet<_> =
            (0..3).filter(|n| people[*n].recognised()).map(|n| school.students[n]).collect();
        for (door, shelf) in DOORS.iter().zip(&mut shelves) {
            let door: DeviceId = door.parse().unwrap();
            let release = school.gallery.release(&door).unwrap();
            let people = wire::Gallery::decode(&release.file).unwrap().people;
            let people: BTreeSet<_> = people.iter().map(|person| person.id).collect();
            assert_eq!(people, expected, "after {step:?}");
            let online = matches!(step, Step::Sync(n) if DOORS[*n] == door.as_str());
            if online {
                shelf.take(&release);
                let held: BTreeSet<_> = shelf.0.values().flatten().copied().collect();
                assert!(held.is_subset(&expected), "the door still has somebody who left");
                counted += usize::from(held == expected);
            }
        }
        let templates: i64 = people.iter().map(|p| p.faces.len() as i64).sum();
        assert_eq!(school.count("enrolment").await, templates);
    }
    assert_eq!(counted, steps.iter().filter(|s| matches!(s, Step::Sync(_))).count());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn a_template_is_on_every_door_if_and_only_if_there_is_consent(
        steps in proptest::collection::vec(step(), 1..24)
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(live(&steps));
    }
}

#[tokio::test]
async fn what_is_over_goes_in_steps_so_that_others_can_write_in_between() {
    let school = school().await;
    let (door, old) = (DOORS[0].parse::<DeviceId>().unwrap(), NOW.plus_ms(-1000));
    let fill = move |tx: &Tx<'_>| {
        let letter = store::dead_letter::DeadLetterLetter {
            content: store::dead_letter::DeadLetterContent::Bytes(&[]),
            error: "malformed",
            detail: "",
        };
        (0..5).try_for_each(|_| store::dead_letter::add(tx, &door, &letter, old).map(drop))
    };
    school.db.write(fill).await.unwrap();
    let mut gone = Vec::new();
    while gone.last() != Some(&0) {
        let (kind, from) =
            (rules::retention::RetentionKind::DeadLetters, RetentionLooked::default());
        let step = move |tx: &Tx<'_>| store::retention::sweep(tx, kind, NOW, &from, 2);
        gone.push(school.db.write(step).await.unwrap().0);
    }
    assert_eq!(gone, [2, 2, 1, 0]);
}

#[tokio::test]
async fn every_kind_of_thing_can_be_counted_and_swept() {
    let school = school().await;
    for (kind, before) in rules::retention::Retention::default().due(NOW) {
        let both = move |tx: &Tx<'_>| {
            let rows = store::retention::count(tx, kind, before)?;
            Ok((rows, store::retention::sweep(tx, kind, before, &RetentionLooked::default(), 2)?))
        };
        assert_eq!(school.db.write(both).await.unwrap(), (0, (0, None)), "{kind:?}");
    }
}

/// Nine faces, the last two of which are over.
fn faces(tx: &Tx<'_>, student: StudentId) -> Result<(), Error> {
    for n in 0..9 {
        let status = if n < 7 { "pending" } else { "rejected" };
        tx.execute(
            "insert into sighting (id, device, epoch, seq, boot, mono, clock, order_at, room,
                 direction, reasons, quality, confidence, verdict, frames, model, gallery,
                 review_status, predicted_student, reviewed_at, received_at, version)
             select $1, id, x'00', $2, 1, 0, 'ntp', 0, room, 'entry', '', '', 0.9, 'high', 1,
                 'test-1', 1, $4, $3, 0, 0, 1 from device order by id limit 1",
            store::params![format!("face-{n}"), n, student.to_string(), status],
        )?;
        tx.execute(
            "insert into evidence (sighting, part, student, wrapped, sealed)
             values ($1, 'crop', $2, x'00', x'00')",
            store::params![format!("face-{n}"), student.to_string()],
        )?;
    }
    Ok(())
}

#[tokio::test]
async fn a_sweep_of_faces_looks_at_each_of_those_that_stay_once() {
    let school = school().await;
    let student = school.students[0];
    school.db.write(move |tx| faces(tx, student)).await.unwrap();
    let (mut steps, mut next) = (Vec::new(), Some(RetentionLooked::default()));
    while let Some(after) = next {
        let kind = rules::retention::RetentionKind::Crops;
        let step = move |tx: &Tx<'_>| store::retention::sweep(tx, kind, NOW, &after, 2);
        let (gone, left) = school.db.write(step).await.unwrap();
        steps.push(gone);
        next = left;
    }
    assert_eq!(steps, [0, 0, 0, 1, 1], "nine faces, two at a time, none twice");
    assert_eq!(school.count("evidence").await, 7);
}

#[tokio::test]
async fn a_copy_from_before_an_update_goes_after_its_days() {
    use std::time::{Duration, UNIX_EPOCH};
    let school = school_in(store::Database::File).await;
    let made = |name: &str, days_ago: u64| {
        let at = Duration::from_millis(NOW.0.cast_unsigned()) - Duration::from_hours(24 * days_ago);
        let file = std::fs::File::create(school.dir.path().join(name)).unwrap();
        file.set_modified(UNIX_EPOCH + at).unwrap();
    };
    made("hub.db.before-v2", 31);
    made("hub.db.before-v3", 29);
    made("hub.db.of-mine", 31);
    let copies = |swept: Vec<rules::retention::Swept>| {
        swept
            .iter()
            .find(|swept| swept.kind == rules::retention::RetentionKind::Copies)
            .unwrap()
            .rows
    };
    assert_eq!(copies(retention::count(&school.db, NOW).await.unwrap()), 1);
    assert!(school.dir.path().join("hub.db.before-v2").exists(), "counting takes nothing");
    let upkeep = school.upkeep();
    let swept = retention::run(&upkeep, &school.keys, "t", NOW, &|_| {}).await.unwrap();
    assert_eq!(copies(swept), 1);
    let is_there = |name: &str| school.dir.path().join(name).exists();
    assert!(!is_there("hub.db.before-v2"));
    assert!(is_there("hub.db.before-v3") && is_there("hub.db.of-mine") && is_there("hub.db"));
}

#[tokio::test]
async fn somebody_who_cannot_be_erased_holds_nothing_else_up() {
    let school = school().await;
    let leave = "update student set is_active = 0, updated_at = 0";
    school.db.write(move |tx| tx.execute(leave, [])).await.unwrap();
    let when = ("poison", "before update of erased_at on student");
    store::sample::poison(school.db.place(), when, "old.student_number = '0'");
    let upkeep = school.upkeep();
    let swept = retention::run(&upkeep, &school.keys, "t", NOW, &|_| {}).await.unwrap();
    let left = swept.iter().find(|of| of.kind == rules::retention::RetentionKind::Leavers);
    assert_eq!((left.unwrap().rows, school.count("student").await), (2, 1));
    let last = swept.last().map(|of| of.kind);
    assert_eq!(last, Some(rules::retention::RetentionKind::Copies), "what comes after goes too");
    let aside: Vec<_> =
        upkeep.aside.list().into_iter().map(|failed| (failed.what, failed.id)).collect();
    assert_eq!(aside, [(AsideKind::Leaver, school.students[0].to_string())]);
}
