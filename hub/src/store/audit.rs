//! Table `audit`: who did what, chained by BLAKE3, written in the transaction of the change.
//!
//! `hash = BLAKE3(prev ‖ canonical row)`. Rows hold ids, never names: erasing a person leaves
//! the chain whole. The chain shows a change; that its end was cut off only an outside witness
//! shows, so [`verify`] returns the head for whoever keeps one.

use super::{Tx, params};
use crate::error::Error;
use serde_json::Value;
use wire::Wall;

/// What is to be written.
#[derive(Clone, Debug)]
pub struct Entry<'a> {
    /// Account id, `cli:USER`, or `hub`.
    pub actor: &'a str,
    /// A verb: `approve`, `enrol`, `revoke` …
    pub action: &'a str,
    /// The table of what was changed.
    pub table: &'a str,
    /// Its id.
    pub id: &'a str,
    /// Anything else; ids and numbers only.
    pub meta: Value,
}

/// A row of the chain.
#[derive(Clone, Debug)]
pub struct Row {
    /// Number, from 1 without gaps.
    pub n: i64,
    /// When.
    pub at: Wall,
    /// See [`Entry`].
    pub actor: String,
    /// See [`Entry`].
    pub action: String,
    /// See [`Entry`].
    pub table: String,
    /// See [`Entry`].
    pub id: String,
    /// JSON text.
    pub meta: String,
    prev: Vec<u8>,
    hash: Vec<u8>,
}

/// The end of a chain that holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Head {
    /// Rows.
    pub rows: i64,
    /// Hash of the last, 64 hexadecimal digits.
    pub hash: String,
}

const COLUMNS: &str = "n, at, actor, action, target_table, target_id, meta, prev, hash";
const START: [u8; 32] = [0; 32];

/// Adds a row.
///
/// # Errors
/// When the database fails.
pub fn add(tx: &Tx<'_>, now: Wall, entry: &Entry<'_>) -> Result<(), Error> {
    let last = tx.row("select n, hash from audit order by n desc limit 1", [], |row| {
        Ok((row.get(0)?, row.get(1)?))
    })?;
    let (n, prev): (i64, Vec<u8>) = last.unwrap_or((0, START.to_vec()));
    let Entry { actor, action, table, id, meta } = entry;
    let (actor, action) = ((*actor).to_owned(), (*action).to_owned());
    let (table, id) = ((*table).to_owned(), (*id).to_owned());
    let (meta, hash) = (meta.to_string(), vec![]);
    let mut row = Row { n: n + 1, at: now, actor, action, table, id, meta, prev, hash };
    row.hash = row.digest();
    let sql = "insert into audit (n, at, actor, action, target_table, target_id, meta, prev, hash)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    let Row { n, at, actor, action, table, id, meta, prev, hash } = row;
    tx.execute(sql, params![n, at.0, actor, action, table, id, meta, prev, hash]).map(drop)
}

/// Rows before `before` (or the newest), newest first.
///
/// # Errors
/// When the database fails.
pub fn list(tx: &Tx<'_>, before: Option<i64>, limit: u32) -> Result<Vec<Row>, Error> {
    let sql = format!("select {COLUMNS} from audit where n < $1 order by n desc limit $2");
    tx.query(&sql, params![before.unwrap_or(i64::MAX), limit], Row::read)
}

/// Walks the whole chain.
///
/// # Errors
/// `Conflict` naming the first row that was changed, or the database's failure.
pub fn verify(tx: &Tx<'_>) -> Result<Head, Error> {
    let (mut prev, mut n) = (START.to_vec(), 0);
    loop {
        let sql = format!("select {COLUMNS} from audit where n > $1 order by n limit 1000");
        let rows = tx.query(&sql, params![n], Row::read)?;
        if rows.is_empty() {
            return Ok(Head { rows: n, hash: data_encoding::HEXLOWER.encode(&prev) });
        }
        for row in rows {
            if row.n != n + 1 || row.prev != prev || row.hash != row.digest() {
                let at = n + 1;
                return Err(Error::Conflict(format!("the audit chain is broken at row {at}")));
            }
            (prev, n) = (row.hash, row.n);
        }
    }
}

impl Row {
    fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Self> {
        let (n, at, actor) = (row.get(0)?, Wall(row.get(1)?), row.get(2)?);
        let (action, table, id) = (row.get(3)?, row.get(4)?, row.get(5)?);
        let (meta, prev, hash) = (row.get(6)?, row.get(7)?, row.get(8)?);
        Ok(Self { n, at, actor, action, table, id, meta, prev, hash })
    }

    /// Every text goes in with its length, so that no two rows have the same bytes.
    fn digest(&self) -> Vec<u8> {
        let mut hash = blake3::Hasher::new();
        hash.update(&self.prev).update(&self.n.to_le_bytes()).update(&self.at.0.to_le_bytes());
        for text in [&self.actor, &self.action, &self.table, &self.id, &self.meta] {
            hash.update(&(text.len() as u64).to_le_bytes()).update(text.as_bytes());
        }
        hash.finalize().as_bytes().to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Db;
    use rusqlite::Connection;
    use serde_json::json;

    async fn chain(rows: i64) -> (tempfile::TempDir, Db) {
        let dir = tempfile::tempdir().unwrap();
        let db = Db::open(&dir.path().join("hub.db")).unwrap();
        let write = move |tx: &Tx<'_>| {
            (1..=rows).try_for_each(|n| {
                let entry =
                    Entry { actor: "a", action: "b", table: "c", id: "d", meta: json!({"n": n}) };
                add(tx, Wall(n), &entry)
            })
        };
        db.write(write).await.unwrap();
        (dir, db)
    }

    #[tokio::test]
    async fn a_chain_that_nobody_touched_holds() {
        let (_dir, db) = chain(3).await;
        let head = db.read(verify).await.unwrap();
        assert_eq!((head.rows, head.hash.len()), (3, 64));
        assert_eq!(db.read(|tx| list(tx, None, 2)).await.unwrap()[0].n, 3);
    }

    #[tokio::test]
    async fn whoever_gets_around_the_trigger_is_found_out() {
        for tamper in [
            "update audit set actor = 'x' where n = 2",
            "update audit set meta = '{}' where n = 2",
            "delete from audit where n = 2",
            "update audit set n = 9 where n = 2",
        ] {
            let (dir, db) = chain(3).await;
            let raw = Connection::open(dir.path().join("hub.db")).unwrap();
            assert!(raw.execute(tamper, []).is_err(), "the trigger lets it pass: {tamper}");
            raw.execute_batch(
                "drop trigger audit_is_not_changed; drop trigger audit_is_not_deleted",
            )
            .unwrap();
            raw.execute(tamper, []).unwrap();
            let broken = db.read(verify).await.unwrap_err();
            assert_eq!(broken.to_string(), "the audit chain is broken at row 2", "{tamper}");
        }
    }
}
