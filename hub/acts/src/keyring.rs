//! Keys of people: given to whatever is sealed anew, and gone for good with whom they belong to.

use rules::error::Error;
use store::keys::Keys;
use store::reshut::ReshutBack;
use store::vault::DataKey;
use store::{Db, Tx, setting};
use wire::{StudentId, Wall};

/// The setting that names the last erasure of a key until what wraps all keys is replaced.
const OWED: &str = "kek_owed";

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
        setting::set(tx, OWED, &crate::auth::nonce().to_string())?;
    }
    Ok(())
}

/// Which erasure it is since which nothing was wrapped anew, if there is one.
pub fn owed(tx: &Tx<'_>) -> Result<Option<String>, Error> {
    setting::get(tx, OWED)
}

/// Everything was wrapped anew since the erasure `owed`.
pub fn paid(tx: &Tx<'_>, owed: &str) -> Result<(), Error> {
    match self::owed(tx)?.as_deref() == Some(owed) {
        true => setting::remove(tx, OWED),
        false => Ok(()), // another key was erased meanwhile
    }
}

/// Finishes erasures that were cut short: erases keys whose student is gone. The keys are listed
/// first, because a student is always there before their key.
///
/// # Errors
/// When the database or the key store fails.
pub async fn sweep(db: &Db, keys: &Keys) -> Result<(), Error> {
    let keyed = keys.students()?;
    let known = db.read(store::student::ids).await?;
    let gone = keyed.into_iter().filter(|id| !known.contains(id));
    gone.into_iter().try_for_each(|id| keys.erase(id))
}

/// Ends again what an older backup brought back: certificates, and what opened an account.
///
/// # Errors
/// When the database or the key store fails.
pub async fn end_again(db: &Db, keys: &Keys, now: Wall) -> Result<(), Error> {
    let ended = keys.ended()?;
    let shut = keys.shut()?;
    let write = db.write(move |tx| {
        let certificates = store::certificate::end_again(tx, &ended, now)?;
        Ok((certificates, store::reshut::again(tx, &shut)?))
    });
    let (certificates, ReshutBack { shut, bare }) = write.await?;
    if certificates + shut > 0 {
        tracing::warn!(
            certificates,
            shut,
            passwords = bare,
            "what had ended came back with a backup: ended again"
        );
    }
    Ok(())
}
