//! Table `audit_head`: where the chain stood, each day, signed.

use super::{Tx, audit::Head, params};
use data_encoding::HEXLOWER;
use rules::error::Error;
use wire::Wall;

/// A signed head.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AuditSigned {
    /// The local date.
    pub day: String,
    /// Where the chain stood.
    pub head: Head,
    /// When it was signed.
    pub at: Wall,
    /// ed25519.
    pub signature: Vec<u8>,
}

/// Keeps a head; the first of a day stays.
pub fn add(tx: &Tx<'_>, new: &AuditSigned) -> Result<(), Error> {
    let sql = "insert into audit_head (day, n, hash, at, signature) values ($1, $2, $3, $4, $5)
         on conflict (day) do nothing";
    let hash = HEXLOWER.decode(new.head.hash.as_bytes()).unwrap_or_default();
    tx.execute(sql, params![new.day, new.head.rows, hash, new.at.0, new.signature]).map(drop)
}

/// Heads before the day `before`, newest first.
pub fn list(tx: &Tx<'_>, before: Option<&str>, limit: u32) -> Result<Vec<AuditSigned>, Error> {
    let sql = "select day, n, hash, at, signature from audit_head where day < $1
         order by day desc limit $2";
    tx.query(sql, params![before.unwrap_or("~"), limit], |row| {
        let hash = HEXLOWER.encode(&row.get::<Vec<u8>>(2)?);
        let head = Head { rows: row.get(1)?, hash };
        Ok(AuditSigned { day: row.get(0)?, head, at: Wall(row.get(3)?), signature: row.get(4)? })
    })
}
