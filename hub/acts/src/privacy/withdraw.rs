//! Consent given and withdrawn. Withdrawal clears at once: templates, what doors saw and nobody
//! decided, every crop; then the key that opened them.

use crate::desk;
use rules::error::Error;
use rules::forget::{ForgetLeft, without};
use store::consent::{self, ConsentSaid};
use store::keys::Keys;
use store::{self, Db, Tx, forget};
use wire::{StudentId, Wall};

/// Writes `said` into the ledger of `student`; if it is a withdrawal, clears what it covers.
/// The gallery must be made anew after it.
///
/// # Errors
/// `Invalid` when nobody or no text is named.
pub async fn note(
    db: &Db,
    keys: &Keys,
    student: StudentId,
    said: ConsentSaid,
    actor: String,
    now: Wall,
) -> Result<consent::ConsentEntry, Error> {
    let given = said.given;
    let own = keys.clone();
    let write = move |tx: &Tx<'_>| {
        let entry = consent::add(tx, student, &said, &actor, now)?;
        if !given {
            clear(tx, &own, student, now)?;
        }
        Ok(entry)
    };
    let entry = db.write(write).await?;
    if !given {
        super::erase_keys_soon(db, keys, now).await;
    }
    Ok(entry)
}

/// Takes everything away by which `student` could be recognised or was: templates, crops, and
/// the guesses that name them. What a person decided stays, without its picture.
pub fn clear(tx: &Tx<'_>, keys: &Keys, student: StudentId, now: Wall) -> Result<Cleared, Error> {
    let mut cleared =
        Cleared { waiting: forget_waiting(tx, keys, student, now)?, ..Cleared::default() };
    cleared.crops = forget::evidence_of(tx, student)? + forget::faces_of(tx, student)?;
    forget::guesses_of(tx, student)?;
    cleared.templates = store::enrolment::delete_all(tx, student)?;
    forget::mark_key(tx, student, now)?;
    Ok(cleared)
}

/// What was taken away, counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Cleared {
    /// Sightings that waited for a person and named nobody else.
    pub waiting: usize,
    /// Crops and templates of sightings and class photos.
    pub crops: usize,
    /// Enrolments.
    pub templates: usize,
}

/// Sightings that wait: gone if they name nobody else, else ranked anew.
fn forget_waiting(tx: &Tx<'_>, keys: &Keys, student: StudentId, now: Wall) -> Result<usize, Error> {
    let mut gone = 0;
    for (record, candidates) in forget::waiting_of(tx, student)? {
        match without(&candidates, student) {
            ForgetLeft::Nobody => {
                forget::sighting(tx, record, "nobody")?;
                gone += 1;
            }
            ForgetLeft::Others { candidates, moved_up } => {
                if moved_up {
                    desk::wrap(tx, keys, record, candidates[0].student, now)?;
                }
                forget::rank(tx, record, &candidates, moved_up)?;
            }
        }
    }
    Ok(gone)
}
