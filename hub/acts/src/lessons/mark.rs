//! Marks by hand: a person says who was there, and takes it back.

use super::Classroom;
use crate::marks::budget;
use crate::marks::{self, Marked};
use rules::attendance::spoken::{SpokenWord, unchanged};
use rules::error::Error;
use std::collections::HashSet;
use store::reader::Reader;
use store::session::{self, Session};
use store::{Tx, mark, student};
use uuid::Uuid;
use wire::{StudentId, Wall};

/// What a person says in one lesson, all or nothing.
#[derive(Clone, Debug)]
pub struct MarkSaid {
    /// Own id of the lesson.
    pub lesson: String,
    /// Of each student, once.
    pub of: Vec<MarkOf>,
}

/// What a person says of one student.
#[derive(Clone, Debug)]
pub struct MarkOf {
    /// Own id or student number.
    pub student: String,
    /// What.
    pub word: SpokenWord,
}

/// Of whom something was said, and where.
#[derive(Clone, Debug)]
pub struct Spoken {
    /// The lesson, as it was read.
    pub lesson: Session,
    /// Everybody who was named.
    pub students: HashSet<StudentId>,
}

/// What a person takes back.
#[derive(Clone, Debug)]
pub struct TakeBack {
    /// Own id of the lesson.
    pub lesson: String,
    /// Own id or student number.
    pub student: String,
    /// How much of it.
    pub back: MarkBack,
}

/// How much of what was said goes.
#[derive(Clone, Debug)]
pub enum MarkBack {
    /// The last word, if the mark is still the one that was `seen`.
    Last {
        /// Its stamp.
        seen: Option<String>,
    },
    /// All that people and class photos said: what doors say counts again.
    All,
}

impl Classroom {
    /// Records what a person says, whatever doors saw; a class that was wrong too often by
    /// itself lets a person decide again.
    ///
    /// Answers what `shown` makes of it in the same transaction: a repeat after an answer that could
    /// not be made finds nothing in its way.
    ///
    /// # Errors
    /// `NotFound` for what the reader may not see, `Invalid` for what cannot be said, `Conflict`
    /// when somebody was faster.
    pub async fn say<T: Send + 'static>(
        &self,
        reader: Reader,
        said: MarkSaid,
        shown: impl FnOnce(&Tx<'_>, Spoken) -> Result<T, Error> + Send + 'static,
        now: Wall,
    ) -> Result<T, Error> {
        let work = move |tx: &Tx<'_>| {
            let lesson = session::find(tx, reader, &said.lesson)?;
            let by = reader.actor.user.to_string();
            let mut students = HashSet::new();
            let mut marked = Vec::new();
            for MarkOf { student: name, word } in said.of {
                let student = student::find_for(tx, reader, &name)?.id;
                if !students.insert(student) {
                    return Err(Error::Invalid(format!("student_id: “{name}” is named twice")));
                }
                marked.extend(speak(tx, &lesson, student, word, Speaker { by: &by, now })?);
            }
            let suspended = budget::suspend_if_overrun(tx, lesson.class, now)?;
            Ok((shown(tx, Spoken { lesson, students })?, marked, suspended))
        };
        let (shown, marked, suspended) = self.db.write(work).await?;
        self.tell(marked, suspended);
        Ok(shown)
    }

    /// Takes back what was said.
    ///
    /// # Errors
    /// `NotFound` when nobody said anything, or for what the reader may not see; `Conflict` when
    /// somebody was faster.
    pub async fn take_back(
        &self,
        reader: Reader,
        what: TakeBack,
        now: Wall,
    ) -> Result<Spoken, Error> {
        let work = move |tx: &Tx<'_>| {
            let lesson = session::find(tx, reader, &what.lesson)?;
            let student = student::find_for(tx, reader, &what.student)?.id;
            let by = reader.actor.user.to_string();
            let marked = match what.back {
                MarkBack::All => marks::unsay(tx, &lesson, student, &by, now)?,
                MarkBack::Last { seen } => {
                    unchanged(mark::get(tx, lesson.id, student)?.as_ref(), seen.as_deref())?;
                    marks::undo(tx, &lesson, student, &by, now)?
                }
            };
            let suspended = budget::suspend_if_overrun(tx, lesson.class, now)?;
            Ok((Spoken { lesson, students: HashSet::from([student]) }, marked, suspended))
        };
        let (spoken, marked, suspended) = self.db.write(work).await?;
        self.tell([marked], suspended);
        Ok(spoken)
    }

    /// Tells pages which marks changed, and where a person decides again because of it.
    pub(super) fn tell(&self, marked: impl IntoIterator<Item = Marked>, suspended: Option<Uuid>) {
        self.events.marked(marked);
        self.events.suspended(suspended);
    }
}

/// Who speaks, and when.
#[derive(Clone, Copy)]
pub(super) struct Speaker<'a> {
    pub by: &'a str,
    pub now: Wall,
}

/// Records one word, unless it leaves the mark alone that stands there.
pub(super) fn speak(
    tx: &Tx<'_>,
    lesson: &Session,
    student: StudentId,
    word: SpokenWord,
    Speaker { by, now }: Speaker<'_>,
) -> Result<Option<Marked>, Error> {
    let old = mark::get(tx, lesson.id, student)?;
    match word.over(old.as_ref(), by, now)? {
        Some(said) => marks::say(tx, lesson, student, said, now),
        None => Ok(None),
    }
}
