//! What people may ask of the school about themselves: agree, withdraw, be forgotten, see
//! everything; and what goes by itself because its time is over.
//!
//! Decisions are pure ([`rules::forget`]); the rest carries them out in the order that a crash
//! cannot turn into a leak: data first, then its key, then the doors; resumed at start.

pub mod certificate;
pub mod daily;
pub mod erase;
pub mod export;
pub mod retention;
pub mod upkeep;
pub mod withdraw;
pub mod witness;

use rules::error::Error;
use store::keys::Keys;
use store::{self, Db, Tx};
use wire::Wall;

/// Erases the keys whose data is gone, and then replaces what all keys are wrapped with, so that
/// no disk, journal or log opens one of them; what a crash left over is done by the next call.
pub async fn erase_keys(db: &Db, keys: &Keys, now: Wall) -> Result<(), Error> {
    let of = keys.clone();
    let write = move |tx: &Tx<'_>| {
        let marked = store::forget::marked_keys(tx)?;
        for student in &marked {
            crate::keyring::finish_key(tx, &of, *student)?;
            store::erasure::key_erased(tx, *student, now)?;
        }
        Ok(!marked.is_empty())
    };
    if db.write(write).await? { keys.rotate_kek() } else { Ok(()) }
}

#[cfg(test)]
mod tests;
