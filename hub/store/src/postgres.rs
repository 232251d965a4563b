//! PostgreSQL: several hubs, one truth.
//!
//! Whoever writes holds one lock of the database until COMMIT, whichever hub it is: writes follow
//! each other as they do in SQLite, what was read in one stays true until it is stored, and nothing
//! has to be tried again. A hub that dies gives the lock back with its connection; one that hangs,
//! after a minute.

pub(crate) mod duty;
pub(crate) mod line;
pub(crate) mod migrate;
pub(crate) mod server;
mod values;

use crate::engine::{DbAnswer, Engine, Look, Unstored, Write};
use crate::row::{Row, RowError};
use crate::tx::{See, Statements, Tx, at_fault, taken};
use crate::value::ValueRef;
use ::postgres::error::SqlState;
use ::postgres::fallible_iterator::FallibleIterator as _;
use ::postgres::types::ToSql;
use ::postgres::{Client, Statement};
use rules::error::{Doing, Error};
#[cfg(debug_assertions)]
use server::ServerParts;
use server::{Server, Way};
use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashMap;
use std::error::Error as Source;
use std::time::Duration;

/// A reader is stopped after this, as on SQLite.
const READ_LIMIT: Duration = Duration::from_secs(5);
/// A writer waits for its turn, and for each statement, at most so long.
const WRITE_LIMIT: Duration = Duration::from_secs(30);
/// Statements that are kept ready on a connection; some texts are made for one question.
const READY: usize = 512;
/// On a connection that holds a lock: the server looks whether whoever holds it is there, and gives the
/// lock to others within some ten seconds of a power cut.
const WATCHED: &str = "set tcp_keepalives_idle = 5; set tcp_keepalives_interval = 2;
     set tcp_keepalives_count = 3; set tcp_user_timeout = 10000";
/// What readers begin with: what they see is of one moment.
const SNAPSHOT: &str = "begin isolation level repeatable read, read only";

/// A connection that comes back when it was lost.
pub(crate) struct Postgres {
    way: Way,
    live: Option<Live>,
}

/// A lock that ends with its connection.
pub(crate) struct Alone(Option<Client>);

impl Alone {
    /// Waits until nobody else is alone with the schema.
    pub(crate) fn with(way: &Way) -> Result<Self, Error> {
        let mut client = way.open()?;
        client.batch_execute(WATCHED).doing("waiting to be alone")?;
        // Not the number of those who write: whoever is alone writes meanwhile.
        let lock = way.server.turn() ^ 1;
        let waited = client.batch_execute(&format!("select pg_advisory_lock({lock})"));
        waited.map_err(|error| failure("lock", &error))?;
        Ok(Self(Some(client)))
    }
}

impl Drop for Alone {
    fn drop(&mut self) {
        let client = self.0.take();
        apart(|| drop(client));
    }
}

struct Live {
    client: Client,
    ready: HashMap<String, Statement>,
}

/// Runs `work` on a thread of its own: the driver blocks, and may be asked from where that is not
/// allowed.
pub(crate) fn apart<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| scope.spawn(work).join())
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

impl Postgres {
    /// One that writes to `server`, which is reached.
    pub(crate) fn writer(server: &Server) -> Result<Self, Error> {
        Self::reached(server.way(Some(WRITE_LIMIT))?)
    }

    /// One that reads from it.
    pub(crate) fn reader(server: &Server) -> Result<Self, Error> {
        Self::reached(server.way(Some(READ_LIMIT))?)
    }

    /// One that writes to it however long a statement takes.
    pub(crate) fn copier(server: &Server) -> Result<Self, Error> {
        Self::reached(server.way(None)?)
    }

    /// One for what lies beside the school's data on `server`, in a schema of its own that is made if
    /// it is not there.
    pub(crate) fn beside(server: &Server) -> Result<Self, Error> {
        let way = server.way(Some(WRITE_LIMIT))?;
        let mut client = way.open()?;
        let sql = format!("create schema if not exists {}", server.schema_name());
        let known = format!("select to_regnamespace('{}') is not null", server.schema_name());
        let is_there = client.query_one(&known, &[]).and_then(|row| row.try_get(0));
        if !is_there.doing("looking for the schema of keys")? {
            client.batch_execute(&sql).doing("making the schema of keys")?;
        }
        Ok(Self { live: Some(Live::new(client)), way })
    }

    fn reached(way: Way) -> Result<Self, Error> {
        Ok(Self { live: Some(Live::new(way.open()?)), way })
    }

    /// A connection on which `sql` began a transaction. One that was lost while nobody used it is
    /// made anew.
    fn begin(&mut self, sql: &str) -> Result<&mut Live, postgres::Error> {
        if let Some(old) = &mut self.live {
            match old.client.batch_execute(sql) {
                Err(error) if is_lost(&error) => self.live = None,
                Err(error) => return Err(error),
                Ok(()) => {}
            }
        }
        if self.live.is_none() {
            let mut client = self.way.connect()?;
            client.batch_execute(sql)?;
            self.live = Some(Live::new(client));
        }
        Ok(self.live.as_mut().expect("it was made a moment ago"))
    }

    /// Runs `work` on a snapshot.
    pub(crate) fn look<T>(
        &mut self,
        work: impl FnOnce(&Tx<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.snapshot(|tx| tx.and_then(work))
    }

    /// Runs `work` in a transaction of its own, which is undone where it fails; nobody else writes
    /// meanwhile.
    pub(crate) fn hold<T>(
        &mut self,
        work: impl FnOnce(&Tx<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let begin = self.turn();
        if let Err(error) = self.begin(&begin) {
            self.live = None;
            return Err(failure("begin", &error));
        }
        let mut live = self.live.take().expect("it was made a moment ago");
        let done = work(&Tx::new(&Asked(RefCell::new(&mut live))));
        // What went on after an error of the database is not released, and so not committed.
        let end = if done.is_ok() { "release one; commit" } else { "rollback" };
        live.client.batch_execute(end).map_err(|error| failure(end, &error))?;
        self.live = Some(live);
        done
    }

    /// What opens its connections.
    pub(crate) fn way(&self) -> Way {
        self.way.clone()
    }

    /// Begins a transaction that writes, once it is its turn.
    fn turn(&self) -> String {
        let turn = self.way.server.turn();
        // Whatever the server's own defaults are: with its turn a writer sees all that was stored.
        let begin = "begin isolation level read committed, read write";
        format!("{begin}; select pg_advisory_xact_lock({turn}); savepoint one")
    }

    /// Shows `look` a snapshot. It ends with the connection where `look` panics.
    fn snapshot<T>(&mut self, look: impl FnOnce(Result<&Tx<'_>, Error>) -> T) -> T {
        if let Err(error) = self.begin(SNAPSHOT) {
            self.live = None;
            tracing::error!(error = said(&error), "a read could not begin");
            return look(Err(failure("begin", &error)));
        }
        let mut live = self.live.take().expect("it was made a moment ago");
        let seen = look(Ok(&Tx::new(&Asked(RefCell::new(&mut live)))));
        self.live = live.client.batch_execute("rollback").is_ok().then_some(live);
        seen
    }
}

impl Drop for Postgres {
    /// The driver blocks here too.
    fn drop(&mut self) {
        let live = self.live.take();
        apart(|| drop(live));
    }
}

impl Engine for Postgres {
    fn write(
        &mut self,
        group: &mut dyn Iterator<Item = Write>,
        answers: &mut Vec<DbAnswer>,
    ) -> Result<(), Unstored> {
        let sql = self.turn();
        let committed = match self.begin(&sql) {
            Ok(live) => live.transact(group, answers),
            // Nobody else of the group need wait for the same.
            Err(error) => Err((group.for_each(drop), error).1),
        };
        committed.map_err(|error| {
            tracing::error!(error = said(&error), "a transaction could not be committed");
            // Whatever it was in the middle of ends with it.
            self.live = None;
            match unwell(&error) {
                Some(say) => Unstored::Unwell(say.into()),
                None => Unstored::Odd(said(&error)),
            }
        })
    }

    fn read(&mut self, look: Look) {
        self.snapshot(look);
    }
}

impl Live {
    fn new(client: Client) -> Self {
        Self { client, ready: HashMap::new() }
    }

    /// Each in a part of its own, which ends or is undone.
    fn transact(
        &mut self,
        group: &mut dyn Iterator<Item = Write>,
        answers: &mut Vec<DbAnswer>,
    ) -> Result<(), postgres::Error> {
        for write in group {
            let mut answer = write(&Tx::new(&Asked(RefCell::new(self))));
            if !answer.failed {
                let kept = self.client.batch_execute("release one");
                // It went on after an error of the database, which keeps nothing of that.
                answer.undone = is_aborted(&kept);
                if !answer.undone {
                    kept?;
                }
            }
            let end =
                if answer.failed || answer.undone { "rollback to one" } else { "savepoint one" };
            answers.push(answer);
            self.client.batch_execute(end)?;
        }
        self.client.batch_execute("commit")
    }

    fn ready(&mut self, sql: &str) -> Result<Statement, postgres::Error> {
        if let Some(statement) = self.ready.get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.client.prepare(&bytes_written(sql))?;
        if self.ready.len() >= READY {
            self.ready.clear();
        }
        self.ready.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }
}

/// A connection in a transaction.
struct Asked<'c>(RefCell<&'c mut Live>);

/// `x'01'` → `'\x01'::bytea`: what is bytes in SQLite is bits in PostgreSQL.
fn bytes_written(sql: &str) -> Cow<'_, str> {
    let mut parts = sql.split("x'");
    let mut out = parts.next().unwrap_or_default().to_owned();
    let mut is_changed = false;
    for part in parts {
        let digits = part.find('\'').map(|end| part.split_at(end));
        let is_word = out.ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
        match digits.filter(|(digits, _)| !is_word && digits.bytes().all(|b| b.is_ascii_hexdigit()))
        {
            Some((digits, rest)) => {
                out.extend(["'\\x", digits, "'::bytea", &rest[1..]]);
                is_changed = true;
            }
            None => out.extend(["x'", part]),
        }
    }
    if is_changed { out.into() } else { sql.into() }
}

impl Statements for Asked<'_> {
    fn each(&self, sql: &str, values: &[ValueRef<'_>], see: &mut See<'_>) -> Result<(), Error> {
        let mut run = || {
            let mut live = self.0.borrow_mut();
            let statement = live.ready(sql)?;
            let mut rows = live.client.query_raw(&statement, values)?;
            while let Some(row) = rows.next()? {
                if see(&Row::new(&row))?.is_break() {
                    break;
                }
            }
            Ok(())
        };
        run().map_err(|fault: Fault| match fault {
            Fault::Store(error) => failure(sql, &error),
            Fault::Row(error) => at_fault(sql, &error),
        })
    }

    fn execute(&self, sql: &str, values: &[ValueRef<'_>]) -> Result<usize, Error> {
        let run = || {
            let mut live = self.0.borrow_mut();
            let statement = live.ready(sql)?;
            let values: Vec<_> = values.iter().map(|value| value as &(dyn ToSql + Sync)).collect();
            live.client.execute(&statement, &values)
        };
        let changed = run().map_err(|error: postgres::Error| failure(sql, &error))?;
        usize::try_from(changed).doing("counting rows")
    }
}

/// Why there are no rows: the database, or what was read of one.
enum Fault {
    Store(postgres::Error),
    Row(RowError),
}

impl From<postgres::Error> for Fault {
    fn from(error: postgres::Error) -> Self {
        Self::Store(error)
    }
}

impl From<RowError> for Fault {
    fn from(error: RowError) -> Self {
        Self::Row(error)
    }
}

/// The error in our kinds.
fn failure(sql: &str, error: &postgres::Error) -> Error {
    if error.code() == Some(&SqlState::UNIQUE_VIOLATION) {
        return taken();
    }
    match unwell(error) {
        Some(say) => Error::Unavailable(say.into()),
        None => at_fault(sql, &said(error)),
    }
}

fn is_aborted(done: &Result<(), postgres::Error>) -> bool {
    let code = done.as_ref().err().and_then(postgres::Error::code);
    code == Some(&SqlState::IN_FAILED_SQL_TRANSACTION)
}

/// An error and what is behind it, in one line, for the log. Of what the database said only the
/// sentence: its details repeat the values of a row.
fn said(error: &postgres::Error) -> String {
    if let Some(db) = error.as_db_error() {
        return format!("{} ({})", db.message(), db.code().code());
    }
    let mut all = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        all = format!("{all}: {inner}");
        cause = inner.source();
    }
    all
}

/// What to say when it is the store that is not well, whatever was asked of it.
fn unwell(error: &postgres::Error) -> Option<&'static str> {
    let Some(code) = error.code() else {
        // What a server says has a code; without one the way to it is broken.
        return is_lost(error).then_some("the database cannot be reached: try again in a moment");
    };
    Some(match code {
        &SqlState::QUERY_CANCELED => "the question took too long: ask for a shorter span",
        &SqlState::DISK_FULL => "the database's disk is full: free some space",
        &SqlState::OUT_OF_MEMORY => "the database has no memory left: try again in a moment",
        &SqlState::TOO_MANY_CONNECTIONS => {
            "the database takes no more connections: raise its max_connections"
        }
        &SqlState::LOCK_NOT_AVAILABLE
        | &SqlState::T_R_DEADLOCK_DETECTED
        | &SqlState::T_R_SERIALIZATION_FAILURE
        | &SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT => {
            "the database is busy: try again in a moment"
        }
        &SqlState::ADMIN_SHUTDOWN | &SqlState::CRASH_SHUTDOWN | &SqlState::CANNOT_CONNECT_NOW => {
            "the database restarts: try again in a moment"
        }
        &SqlState::IO_ERROR | &SqlState::READ_ONLY_SQL_TRANSACTION => {
            "the database refuses its work: see its log"
        }
        code if code.code().starts_with("08") => {
            "the database cannot be reached: try again in a moment"
        }
        // Damaged, without room, stopping, its files gone, without us, without our tables.
        code if ["XX", "53", "57", "58", "28", "3D", "42501", "42P01"]
            .iter()
            .any(|ill| code.code().starts_with(ill)) =>
        {
            "the database refuses its work: see its log"
        }
        _ => return None,
    })
}

/// Whether the connection is gone, or never was.
fn is_lost(error: &postgres::Error) -> bool {
    let ended = [
        SqlState::ADMIN_SHUTDOWN,
        SqlState::CRASH_SHUTDOWN,
        SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
    ];
    if let Some(code) = error.code() {
        return ended.contains(code) || code.code().starts_with("08");
    }
    let mut cause = error.source();
    while let Some(inner) = cause.filter(|inner| !inner.is::<std::io::Error>()) {
        cause = inner.source();
    }
    error.is_closed() || cause.is_some()
}

/// Where `ROLLCALL_TEST_POSTGRES` names a database: a schema of it in the place of the file at `path`.
#[cfg(debug_assertions)]
pub(crate) fn for_tests(path: &std::path::Path) -> Option<Server> {
    let url = std::env::var("ROLLCALL_TEST_POSTGRES").ok()?;
    let path = std::path::absolute(path).expect("a path");
    let hash = blake3::hash(path.as_os_str().as_encoded_bytes()).to_hex();
    let schema = Some(format!("t{}", &hash[..24]));
    let parts = ServerParts { schema, ..ServerParts::default() };
    Some(Server::new(Some(&url), parts).expect("ROLLCALL_TEST_POSTGRES is a URL"))
}
