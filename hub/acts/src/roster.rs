//! Who is in a class: students enter, leave, and are verified by their teacher.

use super::people::People;
use rules::error::Error;
use store::reader::Reader;
use store::student::{self, Student};
use store::{Db, Tx, class, member};
use uuid::Uuid;
use wire::{StudentId, Wall};

/// Who comes into a class.
#[derive(Clone, Debug)]
pub struct Entering {
    /// The class: own id or code.
    pub class: String,
    /// Own ids or student numbers.
    pub students: Vec<String>,
    /// What becomes of a name that nobody has.
    pub strangers: Strangers,
}

/// What becomes of names that nobody has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Strangers {
    /// Nobody enters.
    Refuse,
    /// They are told; everybody else enters.
    Tell,
}

/// What became of a name.
#[derive(Clone, Debug)]
pub enum Became {
    /// They are in the class now.
    Entered(Student),
    /// They were already.
    There(Student),
    /// Nobody has it.
    Unknown(String),
}

/// One student of one class.
#[derive(Clone, Debug)]
pub struct Membership {
    /// The class: own id or code.
    pub class: String,
    /// Own id or student number.
    pub student: String,
}

impl People {
    /// Students enter a class: what became of each name, in their order. Doors follow on the next
    /// round ([`crate::rounds`]).
    ///
    /// Answers what `shown` makes of it in the same transaction: a repeat after an answer that could
    /// not be made finds nothing in its way.
    ///
    /// # Errors
    /// `NotFound` for the class, and for strangers where they are refused.
    pub async fn enter<T: Send + 'static>(
        &self,
        reader: Reader,
        who: Entering,
        shown: impl FnOnce(&Tx<'_>, Uuid, Vec<Became>) -> Result<T, Error> + Send + 'static,
        now: Wall,
    ) -> Result<T, Error> {
        let work = move |tx: &Tx<'_>| {
            let class = class::find(tx, reader, &who.class)?.id;
            let actor = reader.actor.user.to_string();
            let mut became = Vec::new();
            for name in who.students {
                let student = match student::find(tx, &name) {
                    Ok(student) => student,
                    Err(Error::NotFound(_)) if who.strangers == Strangers::Tell => {
                        became.push(Became::Unknown(name));
                        continue;
                    }
                    Err(error) => return Err(error),
                };
                became.push(match class::has(tx, class, student.id)? {
                    true => Became::There(student),
                    false => {
                        class::add_member(tx, class, student.id, &actor, now)?;
                        Became::Entered(student)
                    }
                });
            }
            shown(tx, class, became)
        };
        self.db.write(work).await
    }

    /// A student leaves a class; doors follow on the next round ([`crate::rounds`]).
    ///
    /// # Errors
    /// `NotFound`, for somebody who is not in it too.
    pub async fn leave(&self, reader: Reader, who: Membership, now: Wall) -> Result<Uuid, Error> {
        let work = move |tx: &Tx<'_>| {
            let class = class::find(tx, reader, &who.class)?.id;
            let student = student::find(tx, &who.student)?.id;
            class::remove_member(tx, class, student, &reader.actor.user.to_string(), now)?;
            Ok(class)
        };
        self.db.write(work).await
    }
}

/// A teacher says that the face enrolled is the student's, or takes that back.
///
/// Answers what `shown` makes of it in the same transaction: a repeat after an answer that could
/// not be made finds nothing in its way.
///
/// # Errors
/// `NotFound`, for whoever the reader may not see too; `Invalid` where no face is enrolled.
pub async fn verify<T: Send + 'static>(
    db: &Db,
    reader: Reader,
    whose: Membership,
    face: EnrolledFace,
    shown: impl FnOnce(&Tx<'_>, Uuid, StudentId) -> Result<T, Error> + Send + 'static,
    now: Wall,
) -> Result<T, Error> {
    let work = move |tx: &Tx<'_>| {
        let class = class::find(tx, reader, &whose.class)?.id;
        let student = student::find_for(tx, reader, &whose.student)?.id;
        let own = face == EnrolledFace::Own;
        let actor = reader.actor.user.to_string();
        member::verify(tx, class, student, own, &actor, now)?;
        shown(tx, class, student)
    };
    db.write(work).await
}

/// Whose the face enrolled is, as a teacher says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EnrolledFace {
    /// The student's own.
    Own,
    /// Nobody says.
    Unsaid,
}
