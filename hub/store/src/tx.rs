//! A transaction, as the table files see it: `query`, `row`, `execute` with portable SQL.

use crate::row::{Read, Row, RowError};
use crate::value::{Params, ValueRef};
use rules::error::Error;
use rusqlite::ffi::{SQLITE_CONSTRAINT_PRIMARYKEY, SQLITE_CONSTRAINT_UNIQUE, SQLITE_IOERR_FSYNC};
use rusqlite::types::{ToSql, ToSqlOutput, ValueRef as Raw};
use rusqlite::{Connection, ErrorCode, params_from_iter};
use std::borrow::Cow;
use std::ops::ControlFlow;

/// An open transaction. Only the database's threads make one.
pub struct Tx<'c> {
    db: &'c Connection,
}

impl<'c> Tx<'c> {
    pub(super) fn new(db: &'c Connection) -> Self {
        Self { db }
    }

    /// All rows, each turned into a `T`.
    ///
    /// # Errors
    /// When SQL, parameters or a row do not fit, or the database fails.
    pub fn query<T>(
        &self,
        sql: &str,
        params: impl Params,
        mut map: impl FnMut(&Row<'_>) -> Read<T>,
    ) -> Result<Vec<T>, Error> {
        let mut all = Vec::new();
        self.each(sql, params, |row| {
            all.push(map(row)?);
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(all)
    }

    /// The first row, if there is one.
    ///
    /// # Errors
    /// As [`Tx::query`].
    pub fn row<T>(
        &self,
        sql: &str,
        params: impl Params,
        map: impl FnOnce(&Row<'_>) -> Read<T>,
    ) -> Result<Option<T>, Error> {
        let (mut map, mut first) = (Some(map), None);
        self.each(sql, params, |row| {
            first = map.take().map(|map| map(row)).transpose()?;
            Ok(ControlFlow::Break(()))
        })?;
        Ok(first)
    }

    /// Shows `see` each row until it breaks off; only one row is in memory at a time.
    ///
    /// # Errors
    /// As [`Tx::query`].
    #[expect(clippy::needless_pass_by_value, reason = "values are written where they are used")]
    pub fn each(
        &self,
        sql: &str,
        params: impl Params,
        mut see: impl FnMut(&Row<'_>) -> Read<ControlFlow<()>>,
    ) -> Result<(), Error> {
        let mut run = || {
            #[cfg(debug_assertions)]
            trouble::strike(self.db)?;
            let mut statement = self.db.prepare_cached(&numbered(sql))?;
            let mut rows = statement.query(params_from_iter(params.values()))?;
            while let Some(row) = rows.next()? {
                if see(&Row::new(row))?.is_break() {
                    break;
                }
            }
            Ok(())
        };
        run().map_err(|fault: Fault| fault.told(sql))
    }

    /// How many rows it changed.
    ///
    /// # Errors
    /// As [`Tx::query`]; `Conflict` when something unique is there already.
    #[expect(clippy::needless_pass_by_value, reason = "values are written where they are used")]
    pub fn execute(&self, sql: &str, params: impl Params) -> Result<usize, Error> {
        let run = || {
            #[cfg(debug_assertions)]
            trouble::strike(self.db)?;
            let mut statement = self.db.prepare_cached(&numbered(sql))?;
            Ok(statement.execute(params_from_iter(params.values()))?)
        };
        run().map_err(|fault: Fault| fault.told(sql))
    }
}

/// Why a statement gave no answer.
enum Fault {
    /// The database.
    Store(rusqlite::Error),
    /// What it answered.
    Row(RowError),
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error)
    }
}

impl From<RowError> for Fault {
    fn from(error: RowError) -> Self {
        Self::Row(error)
    }
}

impl Fault {
    fn told(self, sql: &str) -> Error {
        match self {
            Self::Store(error) => failure(sql, &error),
            Self::Row(error) => {
                Error::internal("a database operation", format!("{error} in: {sql}"))
            }
        }
    }
}

impl ToSql for ValueRef<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match *self {
            Self::Null => Raw::Null,
            Self::Integer(number) => Raw::Integer(number),
            Self::Real(number) => Raw::Real(number),
            Self::Text(text) => Raw::Text(text.as_bytes()),
            Self::Blob(bytes) => Raw::Blob(bytes),
        }))
    }
}

/// `$3` → `?3`: SQLite numbers `$n` by first appearance, PostgreSQL by n, and PostgreSQL is
/// right. Texts in quotes are left alone.
fn numbered(sql: &str) -> Cow<'_, str> {
    if !sql.contains('$') {
        return sql.into();
    }
    // Runs with every statement: in place, byte for byte.
    let mut quoted = false;
    let mut out = sql.to_owned().into_bytes();
    for n in 0..out.len() {
        quoted ^= out[n] == b'\'';
        if out[n] == b'$' && !quoted && out.get(n + 1).is_some_and(u8::is_ascii_digit) {
            out[n] = b'?';
        }
    }
    String::from_utf8(out).map_or(sql.into(), Cow::Owned)
}

/// Whether the file handle can no longer be trusted: after a failed fsync the kernel may have
/// dropped what was written, and a retry would report success.
pub(super) fn is_fatal(error: &rusqlite::Error) -> bool {
    error.sqlite_error().is_some_and(|e| e.extended_code == SQLITE_IOERR_FSYNC)
}

/// The error in our kinds. The SQL goes to the log, never to the public.
fn failure(sql: &str, error: &rusqlite::Error) -> Error {
    match error.sqlite_error().map(|raw| raw.extended_code) {
        Some(SQLITE_CONSTRAINT_UNIQUE | SQLITE_CONSTRAINT_PRIMARYKEY) => {
            Error::Conflict("this is there already".into())
        }
        _ => unwell(error).unwrap_or_else(|| {
            Error::internal("a database operation", format!("{error} in: {sql}"))
        }),
    }
}

/// `Unavailable` when it is the store that is not well, whatever was asked of it: the same may
/// work later. Nothing when the statement or its values are at fault.
pub(super) fn unwell(error: &rusqlite::Error) -> Option<Error> {
    let say = match error.sqlite_error()?.code {
        ErrorCode::OperationInterrupted => {
            "the question took longer than 5 seconds: ask for a shorter span"
        }
        ErrorCode::DiskFull => "the hub's disk is full: free some space",
        ErrorCode::DatabaseBusy
        | ErrorCode::DatabaseLocked
        | ErrorCode::FileLockingProtocolFailed
        | ErrorCode::SchemaChanged => "the database is busy: try again in a moment",
        ErrorCode::SystemIoFailure
        | ErrorCode::CannotOpen
        | ErrorCode::ReadOnly
        | ErrorCode::PermissionDenied
        | ErrorCode::OperationAborted => "the hub's disk refuses its work: see the hub's log",
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => {
            "the database is damaged: restore a backup"
        }
        ErrorCode::OutOfMemory => "the hub has no memory left: try again in a moment",
        _ => return None,
    };
    tracing::warn!(%error, "a database could not do its work");
    Some(Error::Unavailable(say.into()))
}

/// Whether the same may work later: a store is not well, and what was asked is not at fault.
#[must_use]
pub fn is_passing(error: &Error) -> bool {
    match error {
        Error::Unavailable(_) => true,
        Error::Internal { source, .. } => {
            source.downcast_ref().is_some_and(|error| unwell(error).is_some())
        }
        _ => false,
    }
}

/// Makes a database fail at a statement of its writer, for tests.
#[cfg(debug_assertions)]
pub mod trouble {
    use rusqlite::Connection;
    use std::collections::HashMap;
    use std::path::{Path, PathBuf};
    use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

    /// What goes wrong, and when.
    #[derive(Clone, Copy, Debug)]
    pub struct Plan {
        /// Statements that still work.
        pub after: u32,
        /// What SQLite says then.
        pub code: i32,
        /// Whether SQLite undoes the whole transaction, as it may when a disk fails.
        pub wipes: bool,
        /// Whether it has gone wrong: it does so once.
        pub struck: bool,
    }

    static PLANS: LazyLock<Mutex<HashMap<PathBuf, Plan>>> = LazyLock::new(Mutex::default);

    fn plans() -> MutexGuard<'static, HashMap<PathBuf, Plan>> {
        PLANS.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The writer of the database at `path` fails so.
    pub fn plan(path: &Path, after: u32, code: i32, wipes: bool) {
        plans().insert(path.to_owned(), Plan { after, code, wipes, struck: false });
    }

    /// No more trouble; whether there was any.
    pub fn mend(path: &Path) -> bool {
        plans().remove(path).is_some_and(|plan| plan.struck)
    }

    /// Called before each statement.
    pub fn strike(db: &Connection) -> rusqlite::Result<()> {
        let mut plans = plans();
        let plan = db.path().and_then(|path| plans.get_mut(Path::new(path)));
        let Some(plan) = plan.filter(|plan| !plan.struck) else { return Ok(()) };
        if db.is_readonly("main")? {
            return Ok(());
        }
        if plan.after > 0 {
            plan.after -= 1;
            return Ok(());
        }
        plan.struck = true;
        if plan.wipes && !db.is_autocommit() {
            db.execute_batch("rollback")?;
        }
        Err(rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(plan.code), None))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{forget, login, params, room};

    #[test]
    fn parameters_go_by_their_number_not_by_their_place() {
        let db = Connection::open_in_memory().unwrap();
        let tx = Tx::new(&db);
        let pair = tx.row("select $2, $1, $2", params!["one", "two"], |row| {
            Ok((row.get::<String>(0)?, row.get::<String>(1)?))
        });
        assert_eq!(pair.unwrap(), Some(("two".into(), "one".into())));
    }

    #[test]
    fn quoted_text_is_left_alone() {
        assert_eq!(
            numbered("select '$1', $1, 'it''s $2', $12"),
            "select '$1', ?1, 'it''s $2', ?12"
        );
        assert!(matches!(numbered("select 1"), Cow::Borrowed(_)));
    }

    #[test]
    fn only_a_failed_fsync_is_fatal() {
        let error = |code| rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None);
        assert!(is_fatal(&error(SQLITE_IOERR_FSYNC)));
        assert!(!is_fatal(&error(rusqlite::ffi::SQLITE_IOERR_READ)));
    }

    #[test]
    fn a_store_that_is_not_well_is_told_from_a_statement_that_is_wrong() {
        use rusqlite::ffi;
        let error = |code| rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
        for passing in [
            ffi::SQLITE_BUSY,
            ffi::SQLITE_BUSY_SNAPSHOT,
            ffi::SQLITE_FULL,
            ffi::SQLITE_IOERR_WRITE,
            ffi::SQLITE_IOERR_SHMSIZE,
            ffi::SQLITE_CANTOPEN,
            ffi::SQLITE_NOMEM,
            ffi::SQLITE_CORRUPT,
        ] {
            assert!(is_passing(&failure("", &error(passing))), "{passing}");
        }
        for wrong in [ffi::SQLITE_ERROR, ffi::SQLITE_CONSTRAINT_TRIGGER, ffi::SQLITE_MISMATCH] {
            assert!(!is_passing(&failure("", &error(wrong))), "{wrong}");
        }
        assert!(!is_passing(&failure("", &rusqlite::Error::InvalidQuery)));
    }

    #[tokio::test]
    async fn lookups_that_a_purge_or_a_removal_makes_go_through_an_index() {
        let dir = tempfile::tempdir().unwrap();
        let db = crate::Db::open(&dir.path().join("hub.db")).unwrap();
        let plan = |tx: &Tx<'_>, sql: &str| {
            let sql = format!("explain query plan {sql}");
            Ok::<_, Error>(tx.query(&sql, ["x"], |row| row.get::<String>(3))?.join("\n"))
        };

        for sql in [forget::RULED_OUT, room::CLASSES, login::OLD] {
            let plan = db.read(move |tx| plan(tx, sql)).await.unwrap();
            assert!(plan.contains("SEARCH") && !plan.contains("SCAN"), "{sql}\n{plan}");
        }
        let control = "select 1 from cannot_link where sighting || '' = ?1";
        assert!(db.read(move |tx| plan(tx, control)).await.unwrap().contains("SCAN"));
    }
}
