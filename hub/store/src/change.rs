//! Table `change`: counters that move with a change, so that another process can notice it.
//!
//! The command line writes while the hub serves; the hub polls these twice a second.

use super::{Row, Tx, params};
use rules::error::Error;
use serde::{Deserialize, Serialize};

/// Enrolments, consent, people, and who was ruled out: what galleries are made of.
pub const GALLERY: &str = "gallery";
/// Doors and their certificates.
pub const DEVICE: &str = "device";
/// What opened an account and does no more.
pub const SHUT: &str = "shut";

/// Moves the counter `name`.
pub fn bump(tx: &Tx<'_>, name: &str) -> Result<(), Error> {
    let sql = "insert into change (name, n) values ($1, 1)
         on conflict (name) do update set n = change.n + 1";
    tx.execute(sql, params![name]).map(drop)
}

/// Where the counter `name` stands.
pub fn of(tx: &Tx<'_>, name: &str) -> Result<i64, Error> {
    let sql = "select n from change where name = $1";
    Ok(tx.row(sql, params![name], |row| row.get(0))?.unwrap_or_default())
}

/// Where the counters stand that galleries follow.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub struct ChangeCounts {
    /// Of [`GALLERY`].
    pub gallery: i64,
    /// Of [`DEVICE`].
    pub device: i64,
}

/// Where the counters stand that galleries follow.
pub fn read(tx: &Tx<'_>) -> Result<ChangeCounts, Error> {
    let sql = "select coalesce(sum(case when name = $1 then n else 0 end), 0),
                      coalesce(sum(case when name = $2 then n else 0 end), 0) from change";
    let changes = |row: &Row<'_>| Ok(ChangeCounts { gallery: row.get(0)?, device: row.get(1)? });
    Ok(tx.row(sql, params![GALLERY, DEVICE], changes)?.unwrap_or_default())
}
