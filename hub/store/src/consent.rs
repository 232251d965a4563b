//! Table `consent`: the ledger of who agreed to being recognised, and who withdrew.
//!
//! Rows are only added; the newest counts. Whoever withdraws leaves every gallery with the next
//! release.

use super::{Tx, audit, change, params};
use rules::error::Error;
use serde_json::json;
use wire::{StudentId, Wall};

/// The wording people agree to; a new wording is a new version.
pub const TEXT: &str = "2026-1";

/// An entry of the ledger.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConsentEntry {
    /// Its number; a later one is larger.
    pub n: i64,
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
pub fn given(tx: &Tx<'_>, student: StudentId) -> Result<Option<bool>, Error> {
    let sql = "select given from consent where student = $1 order by n desc limit 1";
    tx.row(sql, params![student.to_string()], |row| row.get(0))
}

/// What somebody says about consent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConsentSaid {
    /// Given, or else withdrawn.
    pub given: bool,
    /// Who said so.
    pub by_whom: String,
    /// Which wording; the present one is [`TEXT`].
    pub text_version: String,
}

impl ConsentSaid {
    /// Consent to the present wording.
    #[must_use]
    pub fn yes(by_whom: &str) -> Self {
        Self { given: true, by_whom: by_whom.to_owned(), text_version: TEXT.to_owned() }
    }
}

/// The ledger of `student`, newest first, those before `before`.
pub fn list(
    tx: &Tx<'_>,
    student: StudentId,
    before: Option<i64>,
    limit: u32,
) -> Result<Vec<ConsentEntry>, Error> {
    let sql = "select n, given, by_whom, text_version, at, actor from consent
         where student = $1 and n < $2 order by n desc limit $3";
    let before = before.unwrap_or(i64::MAX);
    tx.query(sql, params![student.to_string(), before, limit], |row| {
        let n = row.get(0)?;
        let given = row.get(1)?;
        let by_whom = row.get(2)?;
        let text_version = row.get(3)?;
        Ok(ConsentEntry {
            n,
            given,
            by_whom,
            text_version,
            at: Wall(row.get(4)?),
            actor: row.get(5)?,
        })
    })
}

/// Writes down what was said.
///
/// # Errors
/// `Invalid` without a name or a wording.
pub fn add(
    tx: &Tx<'_>,
    student: StudentId,
    said: &ConsentSaid,
    actor: &str,
    now: Wall,
) -> Result<ConsentEntry, Error> {
    let given = said.given;
    let by_whom = said.by_whom.trim();
    let text = said.text_version.trim();
    if by_whom.is_empty() || by_whom.len() > 200 {
        return Err(Error::Invalid("consent: say who gave it, in at most 200 bytes".into()));
    }
    if text.is_empty() || text.len() > 64 {
        return Err(Error::Invalid("text_version: name the wording, in at most 64 bytes".into()));
    }
    let sql = "insert into consent (student, given, by_whom, text_version, at, actor)
         values ($1, $2, $3, $4, $5, $6) returning n";
    let id = student.to_string();
    let n = tx.row(sql, params![id, given, by_whom, text, now.0, actor], |row| row.get(0))?;
    change::bump(tx, change::GALLERY)?;
    let action = if given { "consent" } else { "withdraw" };
    let meta = json!({ "text": text });
    audit::add(tx, now, &audit::AuditEntry { actor, action, table: "student", id: &id, meta })?;
    let by_whom = by_whom.to_owned();
    let text_version = text.to_owned();
    let n = n.unwrap_or_default();
    let actor = actor.to_owned();
    Ok(ConsentEntry { n, given, by_whom, text_version, at: now, actor })
}

/// Forgets the ledger of an erased person: it holds names.
pub fn delete_all(tx: &Tx<'_>, student: StudentId) -> Result<usize, Error> {
    tx.execute("delete from consent where student = $1", params![student.to_string()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Db;
    use crate::student;
    use crate::student::StudentProfile;

    const NOW: Wall = Wall(1_790_000_000_000);

    #[tokio::test]
    async fn the_newest_entry_counts_and_none_is_lost() {
        let dir = tempfile::tempdir().unwrap();
        let db = Db::open(dir.path().join("hub.db")).unwrap();
        let person = StudentProfile {
            student_number: "1".into(),
            first_name: "A".into(),
            ..StudentProfile::default()
        };
        let write = |tx: &Tx<'_>| {
            let id = student::add(tx, person, "t", NOW)?;
            let before = (given(tx, id)?, change::read(tx)?.gallery);
            add(tx, id, &ConsentSaid::yes("herself"), "t", NOW)?;
            let yes = given(tx, id)?;
            let no = ConsentSaid { given: false, ..ConsentSaid::yes("her mother") };
            add(tx, id, &no, "t", NOW.plus_ms(1))?;
            let moved = change::read(tx)?.gallery - before.1;
            assert!(
                add(tx, id, &ConsentSaid::yes(" "), "t", NOW).is_err(),
                "somebody must have said so"
            );
            Ok((before.0, yes, given(tx, id)?, list(tx, id, None, 9)?, moved))
        };
        let (before, yes, now, all, moved) = db.write(write).await.unwrap();
        assert_eq!((before, yes, now, moved), (None, Some(true), Some(false), 2));
        let who: Vec<_> = all.iter().map(|entry| entry.by_whom.as_str()).collect();
        assert_eq!(who, ["her mother", "herself"]);
    }
}
