//! SQLite: a file, the statements that are asked of it, and what goes wrong with it.
//!
//! A write is answered only after COMMIT, with `synchronous=FULL`.

use crate::connection::connect;
use crate::engine::{DbAnswer, Engine, Look, Unstored, Write};
use crate::file;
use crate::row::{Row, RowError};
use crate::tx::{See, Statements, Tx, at_fault, taken};
use crate::value::ValueRef;
use rules::error::{Doing, Error};
use rusqlite::config::DbConfig;
use rusqlite::ffi::{SQLITE_CONSTRAINT_PRIMARYKEY, SQLITE_CONSTRAINT_UNIQUE, SQLITE_IOERR_FSYNC};
use rusqlite::types::{ToSql, ToSqlOutput, ValueRef as Raw};
use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior, params_from_iter};
use std::borrow::Cow;
use std::path::Path;
use std::time::{Duration, Instant};

/// A reader is stopped after this: a long one would keep the WAL growing.
const READ_LIMIT: Duration = Duration::from_secs(5);
/// The first SQLite without the WAL-reset bug.
const OLDEST_SQLITE: i32 = 3_051_003;

mod migrations {
    refinery::embed_migrations!("migrations/sqlite");
}

/// One that writes.
pub(crate) fn writer(path: &Path) -> Result<Connection, Error> {
    check_version(rusqlite::version_number())?;
    connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)
}

/// One that writes what others wrote before: nothing follows from it, and what points to what is
/// looked at in the end ([`file::check`]).
pub(crate) fn copier(path: &Path) -> Result<Connection, Error> {
    let db = writer(path)?;
    for follows in [DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY]
    {
        db.set_db_config(follows, false).doing("setting up a copy")?;
    }
    Ok(db)
}

/// One that reads.
pub(crate) fn reader(path: &Path) -> Result<Connection, Error> {
    connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)
}

fn check_version(number: i32) -> Result<(), Error> {
    if number >= OLDEST_SQLITE {
        return Ok(());
    }
    Err(Error::internal("opening the database", "SQLite is older than 3.51.3, which loses data"))
}

/// Which version of the schema the file at `path` has (0 for none), and which this program knows.
///
/// # Errors
/// When the file cannot be opened.
pub(crate) fn schema(path: &Path) -> Result<(i32, i32), Error> {
    versions(&mut connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?)
}

fn versions(db: &mut Connection) -> Result<(i32, i32), Error> {
    let runner = migrations::migrations::runner();
    let newest = runner.get_migrations().iter().map(refinery::Migration::version).max();
    let doing = "reading the schema's version";
    let applied = match db.table_exists(None, "refinery_schema_history").doing(doing)? {
        true => runner.get_last_applied_migration(db).doing(doing)?.map(|last| last.version()),
        false => None,
    };
    Ok((applied.unwrap_or(0), newest.unwrap_or(0)))
}

/// Makes the file at `path` or brings it up to date, in one transaction, after a copy if it holds
/// anything.
///
/// # Errors
/// When the file cannot be opened, is of a newer program, or SQLite is too old.
pub(crate) fn migrate(path: &Path) -> Result<(), Error> {
    let db = &mut writer(path)?;
    let runner = migrations::migrations::runner().set_grouped(true).set_abort_divergent(true);
    let newest = runner.get_migrations().iter().map(refinery::Migration::version).max();
    let doing = "reading the schema's version";
    let applied = match db.table_exists(None, "refinery_schema_history").doing(doing)? {
        true => runner.get_last_applied_migration(db).doing(doing)?.map(|last| last.version()),
        false => None,
    };
    if applied > newest {
        let why = "it was written by a newer version of this program: install that one";
        return Err(Error::internal(format!("opening {}", path.display()), why));
    }
    if applied.is_some() && applied < newest {
        keep_copy(db, &file::before(path, applied.unwrap_or_default() + 1))
            .doing("copying the database before an update")?;
    }
    runner.run(db).doing("updating the database's schema").map(drop)
}

/// Whole, or not there: an update that failed half-way is tried again at the next start.
fn keep_copy(db: &Connection, copy: &Path) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let part = copy.with_extension("part");
    match std::fs::remove_file(&part) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    db.execute("vacuum into $1", [part.to_string_lossy()])?;
    std::fs::File::open(&part)?.sync_all()?;
    Ok(std::fs::rename(part, copy)?)
}

impl Engine for Connection {
    fn write(
        &mut self,
        group: &mut dyn Iterator<Item = Write>,
        answers: &mut Vec<DbAnswer>,
    ) -> Result<(), Unstored> {
        let committed = transact(self, group, answers);
        if committed.as_ref().is_err_and(is_fatal) {
            tracing::error!(
                "the disk could not be written (fsync): the hub stops, and starts anew"
            );
            std::process::abort();
        }
        committed.map_err(|error| {
            tracing::error!(%error, "a transaction could not be committed");
            uncommitted(&error)
        })
    }

    fn read(&mut self, look: Look) {
        let ends = Instant::now() + READ_LIMIT;
        let _cannot_fail = self.progress_handler(10_000, Some(move || Instant::now() > ends));
        match self.transaction() {
            Ok(snapshot) => look(Ok(&Tx::new(&*snapshot))),
            Err(error) => {
                tracing::error!(%error, "a read could not begin");
                look(Err(Unstored::default().into()));
            }
        }
    }
}

/// Nothing of the group is stored. Only what a row says can be wrong with COMMIT itself; all
/// else is the store's.
fn uncommitted(error: &rusqlite::Error) -> Unstored {
    match (error.sqlite_error_code(), unwell(error)) {
        (Some(ErrorCode::ConstraintViolation), _) => Unstored::Odd(error.to_string()),
        (_, Some(say)) => Unstored::Unwell(say.into()),
        _ => Unstored::default(),
    }
}

fn transact(
    db: &mut Connection,
    group: &mut dyn Iterator<Item = Write>,
    answers: &mut Vec<DbAnswer>,
) -> rusqlite::Result<()> {
    #[cfg(debug_assertions)]
    trouble::strike(db)?;
    let mut all = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for write in group {
        let mut one = all.savepoint()?;
        let answer = write(&Tx::new(&*one));
        let failed = answer.failed;
        answers.push(answer);
        if failed {
            one.rollback()?;
        }
        one.commit()?;
    }
    #[cfg(debug_assertions)]
    trouble::strike(&all)?;
    all.commit()
}

impl Statements for Connection {
    fn each(&self, sql: &str, values: &[ValueRef<'_>], see: &mut See<'_>) -> Result<(), Error> {
        let mut run = || {
            #[cfg(debug_assertions)]
            trouble::strike(self)?;
            let mut statement = self.prepare_cached(&numbered(sql))?;
            let mut rows = statement.query(params_from_iter(values))?;
            while let Some(row) = rows.next()? {
                if see(&Row::new(row))?.is_break() {
                    break;
                }
            }
            Ok(())
        };
        run().map_err(|fault: Fault| fault.told(sql))
    }

    fn execute(&self, sql: &str, values: &[ValueRef<'_>]) -> Result<usize, Error> {
        let run = || {
            #[cfg(debug_assertions)]
            trouble::strike(self)?;
            self.prepare_cached(&numbered(sql))?.execute(params_from_iter(values))
        };
        run().map_err(|error| failure(sql, &error))
    }
}

/// Why there are no rows: the database, or what was read of one.
enum Fault {
    Store(rusqlite::Error),
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
            Self::Row(error) => at_fault(sql, &error),
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
fn is_fatal(error: &rusqlite::Error) -> bool {
    error.sqlite_error().is_some_and(|e| e.extended_code == SQLITE_IOERR_FSYNC)
}

/// The error in our kinds. The SQL goes to the log, never to the public.
fn failure(sql: &str, error: &rusqlite::Error) -> Error {
    match error.sqlite_error().map(|raw| raw.extended_code) {
        Some(SQLITE_CONSTRAINT_UNIQUE | SQLITE_CONSTRAINT_PRIMARYKEY) => taken(),
        _ => match unwell(error) {
            Some(say) => Error::Unavailable(say.into()),
            None => at_fault(sql, error),
        },
    }
}

/// What to say when it is the store that is not well, whatever was asked of it: the same may work
/// later. Nothing when the statement or its values are at fault.
fn unwell(error: &rusqlite::Error) -> Option<&'static str> {
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
    Some(say)
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
    use crate::{Db, forget, login, params, room};

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
        let db = Db::in_file(&dir.path().join("hub.db")).unwrap();
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

    #[tokio::test]
    async fn pragmas_are_what_the_design_says() {
        let dir = tempfile::tempdir().unwrap();
        let db = Db::in_file(&dir.path().join("hub.db")).unwrap();
        let number =
            |name: &'static str| db.write(move |tx| tx.row(name, [], |row| row.get::<i64>(0)));
        let text = |row: &crate::Row<'_>| row.get::<String>(0);
        let mode = db.write(move |tx| tx.row("pragma journal_mode", [], text));
        assert_eq!(mode.await.unwrap().as_deref(), Some("wal"));
        assert_eq!(number("pragma synchronous").await.unwrap(), Some(2));
        assert_eq!(number("pragma foreign_keys").await.unwrap(), Some(1));
        assert_eq!(number("pragma secure_delete").await.unwrap(), Some(1));
    }

    #[test]
    fn an_sqlite_with_the_wal_reset_bug_is_refused() {
        assert!(check_version(3_051_002).is_err());
        assert!(check_version(rusqlite::version_number()).is_ok());
    }

    #[test]
    fn a_command_leaves_a_schema_that_differs_as_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("hub.db");
        drop(Db::in_file(&path).unwrap());
        let join = || Db::join(crate::Database::File(path.clone()));
        assert!(join().is_ok());
        let raw = Connection::open(&path).unwrap();
        let last = "where version = (select max(version) from refinery_schema_history)";
        let newer = format!("update refinery_schema_history set version = version + 80 {last}");
        let older = format!("delete from refinery_schema_history {last}");
        for (sql, next) in [(newer, "version of this program"), (older, "rollcall-hub migrate")] {
            raw.execute(&sql, []).unwrap();
            let before = std::fs::read(&path).unwrap();
            let said = join().err().unwrap().to_string();
            assert!(said.contains(next) && said.contains("Nothing was touched"), "{said}");
            assert_eq!(std::fs::read(&path).unwrap(), before);
        }
    }

    #[test]
    fn a_database_of_a_newer_program_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("hub.db");
        drop(Db::in_file(&path).unwrap());
        let raw = Connection::open(&path).unwrap();
        let newest = "update refinery_schema_history set version = 99
             where version = (select max(version) from refinery_schema_history)";
        raw.execute(newest, []).unwrap();
        assert!(Db::in_file(&path).is_err());
    }
}
