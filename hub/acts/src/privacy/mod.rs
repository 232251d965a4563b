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

use crate::keyring;
use rules::error::Error;
use store::keys::Keys;
use store::{self, Db, Tx};
use wire::Wall;

/// Erases the keys whose data is gone, and then replaces what all keys are wrapped with, so that
/// no disk, journal or log opens one of them; what a crash or a failure left over is done by the
/// next call.
pub async fn erase_keys(db: &Db, keys: &Keys, now: Wall) -> Result<(), Error> {
    let of = keys.clone();
    let erase = move |tx: &Tx<'_>| {
        for student in store::forget::marked_keys(tx)? {
            keyring::finish_key(tx, &of, student)?;
            store::erasure::key_erased(tx, student, now)?;
        }
        keyring::owed(tx)
    };
    let Some(owed) = db.write(erase).await? else { return Ok(()) };
    keys.rotate_kek()?;
    db.write(move |tx| keyring::paid(tx, &owed)).await
}

/// The same once the data went and somebody waits for an answer: what fails here is tried again
/// with each look of [`upkeep::PrivacyUpkeep`].
async fn erase_keys_soon(db: &Db, keys: &Keys, now: Wall) {
    if let Err(error) = erase_keys(db, keys, now).await {
        tracing::error!(%error, "keys whose data is gone are erased later");
    }
}

#[cfg(test)]
mod tests;
