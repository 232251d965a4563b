//! Table `consent`: the ledger of who agreed to being recognised, and who withdrew.
//!
//! Rows are only added; the newest counts. Whoever withdraws leaves every gallery with the next
//! release.

use super::{Tx, audit, change, params};
use crate::error::Error;
use serde_json::json;
use wire::{StudentId, Wall};

/// The wording people agree to; a new wording is a new version.
pub const TEXT: &str = "2026-1";

/// An entry of the ledger.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// Given, or else withdrawn.
    pub given: bool,
    /// Who said so: the person, a parent …
    pub by_whom: String,
    /// Which wording.
    pub text_version: String,
    /// When.
    pub at: Wall,
    /// The account that wrote it down.
    pub actor: String,
}

/// Whether `student` agrees now; nothing before the first entry.
///
/// # Errors
/// When the database fails.
pub fn given(tx: &Tx<'_>, student: StudentId) -> Result<Option<bool>, Error> {
    let sql = "select given from consent where student = $1 order by n desc limit 1";
    tx.row(sql, params![student.to_string()], |row| row.get(0))
}

/// The whole ledger of `student`, newest first.
///
/// # Errors
/// When the database fails.
pub fn list(tx: &Tx<'_>, student: StudentId) -> Result<Vec<Entry>, Error> {
    let sql = "select given, by_whom, text_version, at, actor from consent where student = $1
         order by n desc";
    tx.query(sql, params![student.to_string()], |row| {
        let (given, by_whom, text_version) = (row.get(0)?, row.get(1)?, row.get(2)?);
        Ok(Entry { given, by_whom, text_version, at: Wall(row.get(3)?), actor: row.get(4)? })
    })
}

/// Writes down that consent was given or withdrawn by `by_whom`.
///
/// # Errors
/// `Invalid` without a name.
pub fn add(
    tx: &Tx<'_>,
    student: StudentId,
    given: bool,
    by_whom: &str,
    actor: &str,
    now: Wall,
) -> Result<(), Error> {
    let by_whom = by_whom.trim();
    if by_whom.is_empty() || by_whom.len() > 200 {
        return Err(Error::Invalid("consent: say who gave it, in at most 200 bytes".into()));
    }
    let sql = "insert into consent (student, given, by_whom, text_version, at, actor)
         values ($1, $2, $3, $4, $5, $6)";
    let id = student.to_string();
    tx.execute(sql, params![id, given, by_whom, TEXT, now.0, actor])?;
    change::bump(tx, change::GALLERY)?;
    let action = if given { "consent" } else { "withdraw" };
    let meta = json!({ "text": TEXT });
    audit::add(tx, now, &audit::Entry { actor, action, table: "student", id: &id, meta })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Db;
    use crate::store::student::{self, Profile};

    const NOW: Wall = Wall(1_790_000_000_000);

    #[tokio::test]
    async fn the_newest_entry_counts_and_none_is_lost() {
        let dir = tempfile::tempdir().unwrap();
        let db = Db::open(&dir.path().join("hub.db")).unwrap();
        let person =
            Profile { student_number: "1".into(), first_name: "A".into(), ..Profile::default() };
        let write = |tx: &Tx<'_>| {
            let id = student::add(tx, person, "t", NOW)?;
            let before = (given(tx, id)?, change::read(tx)?.0);
            add(tx, id, true, "herself", "t", NOW)?;
            let yes = given(tx, id)?;
            add(tx, id, false, "her mother", "t", NOW.plus_ms(1))?;
            let moved = change::read(tx)?.0 - before.1;
            assert!(add(tx, id, true, " ", "t", NOW).is_err(), "somebody must have said so");
            Ok((before.0, yes, given(tx, id)?, list(tx, id)?, moved))
        };
        let (before, yes, now, all, moved) = db.write(write).await.unwrap();
        assert_eq!((before, yes, now, moved), (None, Some(true), Some(false), 2));
        let who: Vec<_> = all.iter().map(|entry| entry.by_whom.as_str()).collect();
        assert_eq!(who, ["her mother", "herself"]);
    }
}
