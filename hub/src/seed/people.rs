//! The people of the made-up school, and where they are taught.

use super::plan::{SeedPlan, room, rooms};
use super::{ACTOR, SeedRoll, Seeder, Size};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use rules::attendance::placing::Policy;
use rules::auth::Role;
use rules::error::{Doing, Error};
use rules::person::PersonDetails;
use std::collections::BTreeSet;
use store::account::{self, NewAccount};
use store::class;
use store::consent::{self, ConsentSaid};
use store::device::{self, DevicePlace};
use store::enrolment::{self, Enrolment};
use store::student::{self, StudentProfile};
use store::{self, Tx};
use uuid::Uuid;
use vision::Template;
use wire::{DeviceId, Direction, Manifest, StudentId, Wall};

/// People in one transaction.
const TOGETHER: usize = 1000;
/// Numbers of a template of the default pack.
const DIM: usize = 128;
/// Classes of one teacher.
const TEACHES: usize = 5;

impl Seeder {
    /// Puts people, classes, doors and the timetable into the database.
    pub(super) async fn people(&self, size: &Size, plan: &SeedPlan) -> Result<SeedRoll, Error> {
        let mut rng = StdRng::seed_from_u64(size.seed ^ 1);
        let now = self.now;
        let templates: Vec<_> = (0..size.students).map(|_| face(&mut rng)).collect();
        let mut students = Vec::new();
        for first in (0..size.students).step_by(TOGETHER) {
            let numbers = first..(first + TOGETHER).min(size.students);
            let write = move |tx: &Tx<'_>| {
                numbers.map(|n| student::add(tx, profile(n), ACTOR, now)).collect()
            };
            let added: Vec<StudentId> = self.db.write(write).await?;
            students.extend(added);
        }
        let keys = self.keys.make(&students, now)?;
        for (some, faces) in students.chunks(TOGETHER).zip(templates.chunks(TOGETHER)) {
            let rows = some.iter().zip(faces).map(|(student, template)| {
                let id = wire::id::v7(now);
                let key = &keys[student];
                let place = enrolment::place(*student, &self.model, id);
                (self.enrolment(id, *student), key.seal(&place, template))
            });
            let rows: Vec<_> = rows.collect();
            let write = move |tx: &Tx<'_>| {
                rows.iter().try_for_each(|(row, sealed)| {
                    consent::add(tx, row.student, &ConsentSaid::yes("made up"), ACTOR, now)?;
                    enrolment::add(tx, row, sealed, ACTOR)
                })
            };
            self.db.write(write).await?;
        }
        let paper = plan.clone();
        let ids = students.clone();
        let classes = self.db.write(move |tx| classes(tx, &paper, &ids, now)).await?;
        self.galleries(plan, &students).await?;
        Ok(SeedRoll { students, templates, keys, classes })
    }

    /// What each door has known all year: whoever is taught behind it.
    async fn galleries(&self, plan: &SeedPlan, students: &[StudentId]) -> Result<(), Error> {
        let signing = self.keys.signing()?;
        let now = self.now;
        let mut all = Vec::new();
        for (n, rosters) in plan.rosters.chunks(TEACHES).enumerate() {
            let people: BTreeSet<_> = rosters.iter().flatten().map(|row| students[*row]).collect();
            let people: Vec<_> = people.into_iter().collect();
            let manifest = Manifest {
                device: door(n)?,
                version: 1,
                created: now,
                expires: now,
                purge_before: 0,
                model: self.model.clone(),
                people: u32::try_from(people.len()).doing("counting a gallery's people")?,
                size: 0,
                blake3: *blake3::hash(door(n)?.as_str().as_bytes()).as_bytes(),
            };
            all.push((manifest.sign(&signing), manifest, people));
        }
        let write = move |tx: &Tx<'_>| {
            all.iter().try_for_each(|(signed, manifest, people)| {
                store::release::add(tx, manifest, signed)?;
                store::release::remember(tx, &manifest.blake3, people, now)
            })
        };
        self.db.write(write).await
    }

    fn enrolment(&self, id: Uuid, student: StudentId) -> Enrolment {
        Enrolment {
            id,
            student,
            number: String::new(),
            model: self.model.clone(),
            source: "photo".into(),
            quality: wire::Quality::default(),
            is_active: true,
            created_at: self.now,
            created_by: ACTOR.into(),
            version: 1,
        }
    }
}

/// A random direction: no two people are alike.
fn face(rng: &mut StdRng) -> Vec<u8> {
    let raw = (0..DIM).map(|_| rng.random_range(-1.0f32..1.0)).collect();
    Template::from_raw(raw).map(|face| face.to_f16_bytes()).unwrap_or_default()
}

fn profile(n: usize) -> StudentProfile {
    StudentProfile {
        student_number: format!("S{n:06}"),
        first_name: format!("Given{}", n % 977),
        last_name: format!("Family{}", n % 3413),
        details: PersonDetails { year: Some((n % 6 + 1).to_string()), ..Default::default() },
        ..StudentProfile::default()
    }
}

/// The door of room number `n`.
pub(super) fn door(n: usize) -> Result<DeviceId, Error> {
    format!("seed-{n:03}").parse().doing("naming a door")
}

fn classes(
    tx: &Tx<'_>,
    plan: &SeedPlan,
    students: &[StudentId],
    now: Wall,
) -> Result<Vec<Uuid>, Error> {
    for n in 0..rooms(plan.rosters.len()) {
        let room = room(n * TEACHES);
        let location = format!("Made-up door {n}");
        device::add(
            tx,
            &door(n)?,
            &DevicePlace { room, location, direction: Direction::Entry },
            ACTOR,
            now,
        )?;
    }
    let mut all = Vec::new();
    let mut teacher = None;
    for (n, roster) in plan.rosters.iter().enumerate() {
        if n % TEACHES == 0 {
            let email = format!("teacher{}@seed.test", n / TEACHES);
            let name = format!("Teacher {}", n / TEACHES);
            let role = Role::Teacher;
            let new = NewAccount { email, name, role, student: None, password: None };
            teacher = Some(account::add(tx, &new, ACTOR, now)?.id);
        }
        let name = format!("Class {n}");
        let code = format!("C{n:04}");
        let room = room(n);
        let id = class::add(tx, &name, &code, Some(&room), ACTOR, now)?;
        store::seed::policy(tx, id, &Policy::Auto { line: 0.9, budget: 1.0 })?;
        if let Some(teacher) = teacher {
            class::add_teacher(tx, id, teacher, plan.first, ACTOR, now)?;
        }
        for member in roster {
            class::add_member(tx, id, students[*member], ACTOR, now)?;
        }
        for period in plan.periods(n, id, || wire::id::v7(now)) {
            store::period::put(tx, &period, ACTOR, now)?;
        }
        all.push(id);
    }
    Ok(all)
}
