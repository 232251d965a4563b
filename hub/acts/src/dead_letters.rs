//! Records that could not be used: somebody lets them go, or [replays](crate::ingest::replay) them.

use rules::error::Error;
use store::{Db, dead_letter};
use wire::Wall;

/// Lets letter `n` go, and the record in it.
///
/// # Errors
/// `NotFound` when there is none.
pub async fn remove(db: &Db, n: i64, by: String, now: Wall) -> Result<(), Error> {
    db.write(move |tx| dead_letter::remove(tx, n, &by, now)).await
}
