//! Table `audit`: who did what, chained by BLAKE3, written in the transaction of the change.
//!
//! `hash = BLAKE3(prev ‖ canonical row)`. Rows hold ids, never names: erasing a person leaves
//! the chain whole. The chain shows a change; that its end was cut off only an outside witness
//! shows, so [`verify`] returns the head for whoever keeps one.

use super::{Read, Row, Tx, Value, params};
use rules::error::Error;
use std::ops::ControlFlow;
use wire::{StudentId, Wall};

/// What is to be written.
#[derive(Clone, Debug)]
pub struct AuditEntry<'a> {
    /// Account id, `cli:USER`, or `hub`.
    pub actor: &'a str,
    /// A verb: `approve`, `enrol`, `revoke` …
    pub action: &'a str,
    /// The table of what was changed.
    pub table: &'a str,
    /// Its id.
    pub id: &'a str,
    /// Anything else; ids and numbers only.
    pub meta: serde_json::Value,
}

/// A row of the chain.
#[derive(Clone, Debug)]
pub struct AuditRow {
    /// Number, from 1 without gaps.
    pub n: i64,
    /// When.
    pub at: Wall,
    /// See [`AuditEntry`].
    pub actor: String,
    /// See [`AuditEntry`].
    pub action: String,
    /// See [`AuditEntry`].
    pub table: String,
    /// See [`AuditEntry`].
    pub id: String,
    /// JSON text.
    pub meta: String,
    /// Hash of this row and all before it.
    pub hash: Vec<u8>,
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
pub fn add(tx: &Tx<'_>, now: Wall, entry: &AuditEntry<'_>) -> Result<(), Error> {
    let last = tx.row("select n, hash from audit order by n desc limit 1", [], |row| {
        Ok((row.get(0)?, row.get(1)?))
    })?;
    let (n, prev): (i64, Vec<u8>) = last.unwrap_or((0, START.to_vec()));
    let AuditEntry { actor, action, table, id, meta } = entry;
    let actor = (*actor).to_owned();
    let action = (*action).to_owned();
    let table = (*table).to_owned();
    let id = (*id).to_owned();
    let n = n + 1;
    let meta = meta.to_string();
    let hash = digest(&prev, n, now, [&actor, &action, &table, &id, &meta]).to_vec();
    let sql = "insert into audit (n, at, actor, action, target_table, target_id, meta, prev, hash)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    tx.execute(sql, params![n, now.0, actor, action, table, id, meta, prev, hash]).map(drop)
}

/// Which rows to list.
#[derive(Clone, Debug, Default)]
pub struct AuditFilter {
    /// By this account, `cli:USER`, or `hub`.
    pub actor: Option<String>,
    /// This verb.
    pub action: Option<String>,
    /// About this table.
    pub table: Option<String>,
    /// About this id.
    pub id: Option<String>,
    /// Not before.
    pub from: Option<Wall>,
    /// Before.
    pub until: Option<Wall>,
}

/// Rows before `before` (or the newest), newest first.
pub fn list(
    tx: &Tx<'_>,
    filter: &AuditFilter,
    before: Option<i64>,
    limit: u32,
) -> Result<Vec<AuditRow>, Error> {
    // Only what is asked goes into the text, so that an index can be used.
    let mut sql = format!("select {COLUMNS} from audit where n < $1");
    let mut values: Vec<Value> = vec![before.unwrap_or(i64::MAX).into()];
    let texts = [
        ("actor =", &filter.actor),
        ("action =", &filter.action),
        ("target_table =", &filter.table),
        ("target_id =", &filter.id),
    ];
    let texts = texts.into_iter().filter_map(|(is, text)| Some((is, text.clone()?.into())));
    let times = [("at >=", filter.from), ("at <", filter.until)];
    let times = times.into_iter().filter_map(|(is, at)| Some((is, at?.0.into())));
    for (is, value) in texts.chain(times) {
        values.push(value);
        sql.push_str(&format!(" and {is} ${}", values.len()));
    }
    values.push(limit.into());
    sql.push_str(&format!(" order by n desc limit ${}", values.len()));
    tx.query(&sql, values, AuditRow::read)
}

/// Everything written about `student`: about the row, its enrolments and sightings, and the
/// accounts that are this person; oldest first.
pub fn about(tx: &Tx<'_>, student: StudentId) -> Result<Vec<AuditRow>, Error> {
    let sql = format!(
        "select {COLUMNS} from audit where target_table = 'student' and target_id = $1
         union all select {COLUMNS} from audit where target_table = 'enrolment'
             and target_id in (select id from enrolment where student = $1)
         union all select {COLUMNS} from audit where target_table = 'sighting' and target_id in
             (select id from sighting where decided_student = $1
              union select id from sighting where predicted_student = $1)
         union all select {COLUMNS} from audit where target_table = 'user_account'
             and target_id in (select id from user_account where student = $1)
         order by n"
    );
    tx.query(&sql, params![student.to_string()], AuditRow::read)
}

/// Walks the whole chain, one row in memory at a time, and shows `see` each number and hash, until
/// it breaks off.
///
/// # Errors
/// `Conflict` naming the first row that was changed, `Unavailable` when `see` broke off, or the
/// database's failure.
pub fn walk(
    tx: &Tx<'_>,
    mut see: impl FnMut(i64, &[u8; 32]) -> ControlFlow<()>,
) -> Result<Head, Error> {
    let mut prev = START;
    let mut n = 0;
    let mut whole = true;
    let mut on = ControlFlow::Continue(());
    let sql = format!("select {COLUMNS} from audit order by n");
    tx.each(&sql, [], |row| {
        whole = follows(row, n, &prev)?.is_some_and(|hash| {
            prev = hash;
            true
        });
        if !whole {
            return Ok(ControlFlow::Break(()));
        }
        n += 1;
        on = see(n, &prev);
        Ok(on)
    })?;
    if on.is_break() {
        return Err(Error::Unavailable("the walk along the audit chain was stopped".into()));
    }
    if whole {
        return Ok(Head { rows: n, hash: data_encoding::HEXLOWER.encode(&prev) });
    }
    Err(Error::Conflict(format!("the audit chain is broken at row {}", n + 1)))
}

/// The hash of `row` if it is row `n + 1` and follows on `prev`.
fn follows(row: &Row<'_>, n: i64, prev: &[u8; 32]) -> Read<Option<[u8; 32]>> {
    let text = |column: usize| row.get::<&str>(column);
    let texts = [text(2)?, text(3)?, text(4)?, text(5)?, text(6)?];
    let own: i64 = row.get(0)?;
    let at: i64 = row.get(1)?;
    let hash = digest(prev, own, Wall(at), texts);
    let before = row.get::<&[u8]>(7)?;
    let stored = row.get::<&[u8]>(8)?;
    Ok((own == n + 1 && before == prev && stored == hash).then_some(hash))
}

/// Walks the whole chain.
///
/// # Errors
/// As [`walk`].
pub fn verify(tx: &Tx<'_>) -> Result<Head, Error> {
    walk(tx, |_, _| ControlFlow::Continue(()))
}

/// Every text goes in with its length, so that no two rows have the same bytes.
fn digest(prev: &[u8], n: i64, at: Wall, texts: [&str; 5]) -> [u8; 32] {
    let mut hash = blake3::Hasher::new();
    hash.update(prev).update(&n.to_le_bytes()).update(&at.0.to_le_bytes());
    for text in texts {
        hash.update(&(text.len() as u64).to_le_bytes()).update(text.as_bytes());
    }
    *hash.finalize().as_bytes()
}

/// The end of the chain as it is, unchecked.
pub fn head(tx: &Tx<'_>) -> Result<Head, Error> {
    let sql = "select n, hash from audit order by n desc limit 1";
    let last = tx.row(sql, [], |row| Ok((row.get(0)?, row.get::<Vec<u8>>(1)?)))?;
    let (rows, hash) = last.unwrap_or((0, START.to_vec()));
    Ok(Head { rows, hash: data_encoding::HEXLOWER.encode(&hash) })
}

impl AuditRow {
    fn read(row: &Row<'_>) -> Read<Self> {
        let n = row.get(0)?;
        let at = Wall(row.get(1)?);
        let actor = row.get(2)?;
        let action = row.get(3)?;
        let table = row.get(4)?;
        let id = row.get(5)?;
        Ok(Self { n, at, actor, action, table, id, meta: row.get(6)?, hash: row.get(8)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Db;
    use rusqlite::Connection;
    use serde_json::json;

    async fn chain(rows: i64) -> (tempfile::TempDir, Db) {
        chain_by(|path| Db::open(path), rows).await
    }

    async fn chain_by(
        open: fn(&std::path::Path) -> Result<Db, Error>,
        rows: i64,
    ) -> (tempfile::TempDir, Db) {
        let dir = tempfile::tempdir().unwrap();
        let db = open(&dir.path().join("hub.db")).unwrap();
        let write = move |tx: &Tx<'_>| {
            (1..=rows).try_for_each(|n| {
                let entry = AuditEntry {
                    actor: "a",
                    action: "b",
                    table: "c",
                    id: "d",
                    meta: json!({"n": n}),
                };
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
        assert_eq!(db.read(|tx| list(tx, &AuditFilter::default(), None, 2)).await.unwrap()[0].n, 3);
    }

    #[tokio::test]
    async fn a_walk_breaks_off_where_it_is_told_to() {
        let (_dir, db) = chain(5).await;
        let mut seen = 0;
        let stopped = db.read(move |tx| {
            let walked = walk(tx, |n, _| {
                seen = n;
                if n == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            });
            Ok((walked.map_err(|error| error.to_string()), seen))
        });
        let (walked, seen) = stopped.await.unwrap();
        assert_eq!(seen, 2);
        assert!(walked.unwrap_err().contains("stopped"));
    }

    #[tokio::test]
    async fn whoever_gets_around_the_trigger_is_found_out() {
        for tamper in [
            "update audit set actor = 'x' where n = 2",
            "update audit set meta = '{}' where n = 2",
            "delete from audit where n = 2",
            "update audit set n = 9 where n = 2",
        ] {
            let (dir, db) = chain_by(Db::in_file, 3).await;
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
