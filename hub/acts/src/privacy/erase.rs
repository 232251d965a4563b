//! Being forgotten: all data of one person goes, then their key, then every door forgets them
//! and says so.
//!
//! One transaction takes the data and writes down what is left to do; each later step can be
//! repeated, and is, at start and whenever a door reports ([`PrivacyUpkeep::finish_erasures`]).

use super::withdraw;
use crate::events::Event;
use crate::privacy::upkeep::PrivacyUpkeep;
use rules::error::Error;
use serde_json::json;
use store::erasure::{ErasureReason, Gone};
use store::keys::Keys;
use store::{self, Db, Tx, audit, erasure, forget};
use wire::{StudentId, Wall};

/// Erases all data of `student`, and their key. Twice is the same as once. The doors are told by
/// making the gallery anew and then calling [`PrivacyUpkeep::finish_erasures`].
///
/// # Errors
/// `NotFound` without such a person.
pub async fn erase(
    db: &Db,
    keys: &Keys,
    student: StudentId,
    reason: ErasureReason,
    actor: String,
    now: Wall,
) -> Result<(), Error> {
    // A tombstone first: a backup from before this brings nobody back.
    keys.bury(student, now)?;
    let own = keys.clone();
    db.write(move |tx| data(tx, &own, student, reason, &actor, now)).await?;
    super::erase_keys_soon(db, keys, now).await;
    Ok(())
}

/// Takes the data, in the caller's transaction.
pub fn data(
    tx: &Tx<'_>,
    keys: &Keys,
    student: StudentId,
    reason: ErasureReason,
    actor: &str,
    now: Wall,
) -> Result<(), Error> {
    if erasure::of(tx, student)?.is_some() && store::student::get(tx, student)?.is_none() {
        return Ok(());
    }
    let cleared = withdraw::clear(tx, keys, student, now)?;
    let seen = forget::seen_as(tx, student)?;
    for record in &seen {
        forget::sighting(tx, *record, "erased")?;
    }
    forget::predictions_of(tx, student)?;
    let marks = store::mark::forget(tx, student)?;
    let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
    let gone = Gone {
        templates: count(cleared.templates),
        crops: count(cleared.crops),
        sightings: count(cleared.waiting + seen.len()),
        consents: count(store::consent::delete_all(tx, student)?),
        accounts: count(store::account::forget_student(tx, student, now)?),
        rosters: count(store::class::leave_all(tx, student)?),
    };
    store::mail::forget(tx, student)?;
    let row_kept = marks > 0;
    store::student::erase(tx, student, row_kept, now)?;
    let id = wire::id::v7(now);
    let new = erasure::Erasure {
        id,
        student,
        asked_at: now,
        asked_by: actor.to_owned(),
        reason,
        gone,
        row_kept,
        key_erased_at: None,
        released_at: None,
        done_at: None,
    };
    erasure::renew(tx, &new)?;
    let meta = json!({ "erasure": id, "reason": reason.as_str(), "row_kept": row_kept });
    let entry = audit::AuditEntry {
        actor,
        action: "erase",
        table: "student",
        id: &student.to_string(),
        meta,
    };
    audit::add(tx, now, &entry)
}

impl PrivacyUpkeep {
    /// Erases, because somebody asked for it, the person of this id or number, and tells the doors.
    ///
    /// # Errors
    /// `NotFound` without such a person, before or after.
    pub async fn erase(&self, name: String, by: String, now: Wall) -> Result<StudentId, Error> {
        let read = self.db.read(move |tx| match store::student::find(tx, &name) {
            Ok(student) => Ok(student.id),
            Err(Error::NotFound(why)) => match name.trim().parse() {
                Ok(id) if erasure::of(tx, id)?.is_some() => Ok(id),
                _ => Err(Error::NotFound(why)),
            },
            Err(error) => Err(error),
        });
        let student: StudentId = read.await?;
        erase(&self.db, &self.keys, student, ErasureReason::Asked, by, now).await?;
        // They are erased; what is left is done again with each look of this part.
        self.upkeep.tried("finishing erasures", self.finish_erasures().await);
        Ok(student)
    }

    /// Does what is left of every erasure: keys, doors that are to be told, doors that have told.
    pub async fn finish_erasures(&self) -> Result<(), Error> {
        let now = self.upkeep.clock.wall();
        super::erase_keys(&self.db, &self.keys, now).await?;
        let open = self.db.read(erasure::open).await?;
        let untold = |open: &erasure::Erasure| open.released_at.is_none().then_some(open.id);
        let untold: Vec<_> = open.iter().filter_map(untold).collect();
        if !untold.is_empty() {
            self.galleries.follow().await?;
            self.events.say(Event::GalleryChanged);
        }
        let now = self.upkeep.clock.wall();
        let told = !untold.is_empty();
        let write = move |tx: &Tx<'_>| {
            untold.iter().try_for_each(|id| erasure::tell_doors(tx, *id, now))?;
            erasure::close(tx, now)
        };
        self.db.write(write).await?;
        if told { self.flush().await } else { Ok(()) }
    }
}

/// Erases again whom an older backup brought back.
pub async fn bury_again(db: &Db, keys: &Keys, now: Wall) -> Result<(), Error> {
    let buried = keys.buried()?;
    let back = db.read(move |tx| {
        let still = |id: &StudentId| store::student::get(tx, *id).map(|found| found.is_some());
        buried
            .into_iter()
            .filter_map(|id| match still(&id) {
                Ok(true) => Some(Ok(id)),
                Ok(false) => None,
                Err(error) => Some(Err(error)),
            })
            .collect::<Result<Vec<_>, Error>>()
    });
    for student in back.await? {
        tracing::warn!(%student, "somebody erased came back with a backup, and is erased again");
        erase(db, keys, student, ErasureReason::Asked, "hub".into(), now).await?;
    }
    Ok(())
}
