//! Table `outgoing`: what others are to be told, noted by the database's own triggers in the
//! transaction of what it follows from.

use super::{Tx, params};
use rules::error::Error;

/// Something to be told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Outgoing {
    /// Own number, in the order in which it happened.
    pub n: i64,
    /// What happened, as webhooks name it.
    pub event: String,
    /// What it is about.
    pub a: String,
    /// And the second id, if there is one.
    pub b: Option<String>,
}

/// What is to be told, the oldest first.
pub fn next(tx: &Tx<'_>, limit: u32) -> Result<Vec<Outgoing>, Error> {
    tx.query("select n, event, a, b from outgoing order by n limit $1", params![limit], |row| {
        Ok(Outgoing { n: row.get(0)?, event: row.get(1)?, a: row.get(2)?, b: row.get(3)? })
    })
}

/// It is told; in the transaction that writes the messages.
pub fn done(tx: &Tx<'_>, n: i64) -> Result<(), Error> {
    tx.execute("delete from outgoing where n = $1", params![n]).map(drop)
}
