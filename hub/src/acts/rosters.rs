//! Who is on a class's roster, and whether the face enrolled is theirs.

use super::people::People;
use rules::error::Error;
use store::desk::Reader;
use store::{Db, Tx, class, member, student};
use uuid::Uuid;
use wire::{StudentId, Wall};

/// A student on the roster of a class.
#[derive(Clone, Debug)]
pub struct RosterPlace {
    /// Own id or code of the class.
    pub class: String,
    /// Own id or number of the student.
    pub student: String,
}

/// Whether the face enrolled is theirs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Face {
    /// A teacher said so.
    Theirs,
    /// Nobody did.
    Unverified,
}

impl People {
    /// Enters students, by id or number, on the roster of a class; doors follow.
    ///
    /// # Errors
    /// `NotFound`, and then nobody is entered.
    pub async fn enter(
        &self,
        reader: Reader,
        class: String,
        students: Vec<String>,
        now: Wall,
    ) -> Result<Uuid, Error> {
        let work = move |tx: &Tx<'_>| {
            let (class, actor) = (class::find(tx, reader, &class)?.id, reader.actor.user);
            for student in &students {
                let student = student::find(tx, student)?.id;
                class::add_member(tx, class, student, &actor.to_string(), now)?;
            }
            Ok(class)
        };
        let class = self.db.write(work).await?;
        self.follow().await?;
        Ok(class)
    }

    /// Takes a student off a roster; doors follow.
    ///
    /// # Errors
    /// `NotFound`, also when they are not on it.
    pub async fn take_off(
        &self,
        reader: Reader,
        place: RosterPlace,
        now: Wall,
    ) -> Result<(), Error> {
        let work = move |tx: &Tx<'_>| {
            let class = class::find(tx, reader, &place.class)?.id;
            let student = student::find(tx, &place.student)?.id;
            class::remove_member(tx, class, student, &reader.actor.user.to_string(), now)
        };
        self.db.write(work).await?;
        self.follow().await
    }
}

/// Says whether the face enrolled of a student is theirs. Returns the class and the student.
///
/// # Errors
/// `NotFound`; `Invalid` where no photo is enrolled.
pub async fn verify(
    db: &Db,
    reader: Reader,
    place: RosterPlace,
    face: Face,
    now: Wall,
) -> Result<(Uuid, StudentId), Error> {
    let work = move |tx: &Tx<'_>| {
        let class = class::find(tx, reader, &place.class)?.id;
        let student = student::find_for(tx, reader, &place.student)?.id;
        let (theirs, actor) = (face == Face::Theirs, reader.actor.user.to_string());
        member::verify(tx, (class, student), theirs, &actor, now)?;
        Ok((class, student))
    };
    db.write(work).await
}
