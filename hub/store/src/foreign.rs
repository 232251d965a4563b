//! Table `foreign_id`: what other programs call what is ours.

use super::{Tx, params};
use rules::error::{Doing, Error};
use std::str::FromStr;
use uuid::Uuid;

/// What kind of thing an id of theirs names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ForeignKind {
    /// A student.
    Student,
    /// An account.
    Account,
    /// A class.
    Class,
}

impl ForeignKind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Student => "student",
            Self::Account => "account",
            Self::Class => "class",
        }
    }
}

/// Our id for `theirs`, if it was taken over before.
pub fn get(tx: &Tx<'_>, kind: ForeignKind, theirs: &str) -> Result<Option<Uuid>, Error> {
    let sql = "select ours from foreign_id where kind = $1 and theirs = $2";
    let ours = tx.row(sql, params![kind.as_str(), theirs], |row| row.get::<String>(0))?;
    ours.map(|ours| Uuid::from_str(&ours).doing("reading an id")).transpose()
}

/// Remembers what `theirs` is here.
pub fn put(tx: &Tx<'_>, kind: ForeignKind, theirs: &str, ours: Uuid) -> Result<(), Error> {
    let sql = "insert into foreign_id (kind, theirs, ours) values ($1, $2, $3)
         on conflict (kind, theirs) do update set ours = excluded.ours";
    tx.execute(sql, params![kind.as_str(), theirs, ours.to_string()]).map(drop)
}
