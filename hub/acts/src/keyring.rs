//! The key of a student, for whatever is sealed anew.

use rules::error::Error;
use store::Tx;
use store::keys::Keys;
use store::vault::DataKey;
use wire::{StudentId, Wall};

/// The key of `student` for something new. What is left of an earlier erasure is finished first,
/// so that nothing new is sealed with a key that is about to go.
pub fn key_for(tx: &Tx<'_>, keys: &Keys, student: StudentId, now: Wall) -> Result<DataKey, Error> {
    finish_key(tx, keys, student)?;
    keys.student_or_new(student, now)
}

/// Erases the key of `student` if an erasure left it behind.
pub fn finish_key(tx: &Tx<'_>, keys: &Keys, student: StudentId) -> Result<(), Error> {
    if store::forget::unmark_key(tx, student)? {
        keys.erase(student)?;
    }
    Ok(())
}
