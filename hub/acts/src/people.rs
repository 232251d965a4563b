//! People who may be recognised: added, changed, let in or left out, asked whether they agree.

use crate::events::{Event, Events};
use crate::gallery::Galleries;
use crate::privacy::withdraw;
use crate::recogniser::Recogniser;
use rules::error::Error;
use rules::names::split;
use rules::person::PersonDetails;
use rules::version::as_read;
use store::consent::{self, ConsentSaid};
use store::keys::Keys;
use store::student::{self, Student, StudentProfile};
use store::{Db, Tx};
use wire::{StudentId, Wall};

/// Where people are looked after; cheap to clone.
#[derive(Clone)]
pub struct People {
    /// The database.
    pub db: Db,
    /// The students' keys.
    pub keys: Keys,
    /// Whom doors know.
    pub galleries: Galleries,
    /// What looks at photos.
    pub recogniser: Recogniser,
    /// Who is told.
    pub events: Events,
}

/// Staff, or a student.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PersonKind {
    /// Works here.
    Staff,
    /// Learns here.
    Student,
}

/// Whether somebody, or a photo of theirs, counts from now on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Turn {
    /// It does.
    On,
    /// It does not.
    Off,
    /// The other way round.
    Over,
}

/// What is said of a person; what is left out stays.
#[derive(Clone, Debug, Default)]
pub struct PersonChanges {
    /// Number at the school, or personnel code.
    pub number: Option<String>,
    /// Instead of the two names; the last word is the family name.
    pub full_name: Option<String>,
    /// Given name.
    pub first_name: Option<String>,
    /// Family name.
    pub last_name: Option<String>,
    /// Everything else.
    pub details: PersonDetails,
    /// Staff, or a student.
    pub kind: Option<PersonKind>,
    /// Whether they may be recognised.
    pub turn: Option<Turn>,
    /// The version that was read.
    pub version: Option<i64>,
}

impl Turn {
    /// On where it is wished, else off.
    #[must_use]
    pub fn wished(on: bool) -> Self {
        if on { Self::On } else { Self::Off }
    }

    /// What becomes of what is on, or not.
    #[must_use]
    pub fn of(self, on: bool) -> bool {
        match self {
            Self::On => true,
            Self::Off => false,
            Self::Over => !on,
        }
    }
}

impl PersonChanges {
    /// `old` with what was said.
    fn over(self, old: StudentProfile) -> StudentProfile {
        let (first, last) = match self.full_name.as_deref().map(str::trim) {
            Some(full) => split(full),
            None => (old.first_name, old.last_name),
        };
        StudentProfile {
            student_number: self.number.unwrap_or(old.student_number),
            first_name: self.first_name.unwrap_or(first),
            last_name: self.last_name.unwrap_or(last),
            details: self.details.or(old.details),
            is_staff: self.kind.map_or(old.is_staff, |kind| kind == PersonKind::Staff),
        }
    }
}

/// A new person.
///
/// # Errors
/// `Conflict` when the number is taken, `Invalid` for what cannot be.
pub async fn add(db: &Db, new: PersonChanges, by: String, now: Wall) -> Result<Student, Error> {
    let work = move |tx: &Tx<'_>| {
        let turn = new.turn.unwrap_or(Turn::On);
        let id = student::add(tx, new.over(StudentProfile::default()), &by, now)?;
        if !turn.of(true) {
            student::set_active(tx, id, false, &by, now)?;
        }
        student::get(tx, id)?.ok_or_else(|| Error::unknown("person", id))
    };
    db.write(work).await
}

impl People {
    /// Changes the person of this id or number, and whether they are active; then every search and
    /// every door follows.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` when they were changed meanwhile; `Invalid` for what cannot be.
    pub async fn change(
        &self,
        name: String,
        to: PersonChanges,
        by: String,
        now: Wall,
    ) -> Result<Student, Error> {
        let work = move |tx: &Tx<'_>| {
            let old = student::find(tx, &name)?;
            let turn = to.turn;
            let version = to.version;
            student::change(tx, old.id, to.over(old.profile), version, &by, now)?;
            let active = turn.map(|turn| turn.of(old.is_active));
            let turned = active.filter(|active| *active != old.is_active);
            if let Some(active) = turned {
                student::set_active(tx, old.id, active, &by, now)?;
            }
            let person = student::get(tx, old.id)?.ok_or_else(|| Error::unknown("person", name))?;
            Ok((person, turned.is_some()))
        };
        let (person, turned) = self.db.write(work).await?;
        if turned {
            self.follow().await;
        }
        Ok(person)
    }

    /// Lets the person of this id or number be recognised, or not; every search and every door
    /// follows.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` when they were changed since `version`.
    pub async fn turn(
        &self,
        name: String,
        to: Turn,
        version: Option<i64>,
        by: String,
        now: Wall,
    ) -> Result<Student, Error> {
        let work = move |tx: &Tx<'_>| {
            let old = student::find(tx, &name)?;
            as_read(old.version, version)?;
            let active = to.of(old.is_active);
            if active != old.is_active {
                student::set_active(tx, old.id, active, &by, now)?;
            }
            student::get(tx, old.id)?.ok_or_else(|| Error::unknown("person", name))
        };
        let person = self.db.write(work).await?;
        self.follow().await;
        Ok(person)
    }

    /// Writes down what was said about the consent of `student`; a withdrawal clears at once.
    ///
    /// # Errors
    /// `Invalid` when nobody or no wording is named.
    pub async fn hear(
        &self,
        student: StudentId,
        said: ConsentSaid,
        by: String,
        now: Wall,
    ) -> Result<consent::ConsentEntry, Error> {
        let entry = withdraw::note(&self.db, &self.keys, student, said, by, now).await?;
        self.follow().await;
        Ok(entry)
    }

    /// Lets every search and every door know what changed. It is stored already: what fails here
    /// is tried again by the hub's rounds ([`crate::rounds`]), which see that something changed.
    pub async fn follow(&self) {
        match self.galleries.follow().await {
            Ok(()) => self.events.say(Event::GalleryChanged),
            Err(error) => tracing::error!(%error, "galleries follow later what was changed"),
        }
    }
}
