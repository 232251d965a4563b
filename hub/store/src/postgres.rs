//! PostgreSQL: several hubs, one truth.
//!
//! Whoever writes holds one lock of the database until COMMIT, whichever hub it is: writes follow
//! each other as they do in SQLite, what was read in one stays true until it is stored, and nothing
//! has to be tried again. A hub that dies gives the lock back with its connection; one that hangs,
//! after [`IDLE`].

use crate::db::{DbAnswer, Engine, Look, Unstored, Write};
use crate::row::{Columns, Row, RowError};
use crate::tx::{See, Statements, Tx, at_fault, taken};
use crate::value::ValueRef;
use ::postgres::error::SqlState;
use ::postgres::fallible_iterator::FallibleIterator as _;
use ::postgres::types::{FromSql, IsNull, ToSql, Type, private::BytesMut};
use ::postgres::{Client, Config, IsolationLevel, NoTls, Statement, Transaction};
use rules::error::{Doing, Error};
use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashMap;
use std::error::Error as Source;
use std::time::Duration;

/// A reader is stopped after this, as on SQLite.
const READ_LIMIT: Duration = Duration::from_secs(5);
/// A writer waits for its turn, and for each statement, at most so long.
const WRITE_LIMIT: Duration = Duration::from_secs(30);
/// A transaction in which nothing happens for so long is ended by the database.
const IDLE: Duration = Duration::from_secs(60);
/// The database is reached within this, or it is not there.
const CONNECT: Duration = Duration::from_secs(5);
/// Statements that are kept ready on a connection; some texts are made for one question.
const READY: usize = 512;
/// What locks of ours begin with, so that they are nobody else's.
const OURS: i32 = 0x726f_6c6c;

mod migrations {
    refinery::embed_migrations!("migrations/postgres");
}

/// A connection that comes back when it was lost.
pub(crate) struct Postgres {
    config: Config,
    limit: Duration,
    live: Option<Live>,
}

struct Live {
    client: Client,
    ready: RefCell<HashMap<String, Statement>>,
}

/// Runs `work` on a thread of its own: the driver blocks, and may be asked from where that is not
/// allowed.
fn apart<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| scope.spawn(work).join())
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// Brings the schema that `config` leads to up to date.
///
/// # Errors
/// When it cannot be reached, or is of a newer program.
pub(crate) fn migrate(config: &Config) -> Result<(), Error> {
    apart(|| migrate_here(config))
}

fn migrate_here(config: &Config) -> Result<(), Error> {
    let doing = "updating the database's schema";
    let mut client = connect(config, WRITE_LIMIT).doing(doing)?;
    // Two hubs may begin at once.
    client
        .execute("select pg_advisory_lock($1, hashtext(current_schema()))", &[&OURS])
        .doing(doing)?;
    let runner = migrations::migrations::runner().set_grouped(true).set_abort_divergent(true);
    let newest = runner.get_migrations().iter().map(refinery::Migration::version).max();
    let applied = applied(&mut client)?;
    if applied > newest {
        let why = "it was written by a newer version of this program: install that one";
        return Err(Error::internal("opening the database", why));
    }
    runner.run(&mut client).doing(doing).map(drop)
}

/// The version of the schema; nothing before the first.
fn applied(client: &mut Client) -> Result<Option<i32>, Error> {
    let doing = "reading the schema's version";
    let sql = "select to_regclass('refinery_schema_history') is not null";
    let is_there: bool = client.query_one(sql, &[]).and_then(|row| row.try_get(0)).doing(doing)?;
    if !is_there {
        return Ok(None);
    }
    let sql = "select max(version) from refinery_schema_history";
    client.query_one(sql, &[]).and_then(|row| row.try_get(0)).doing(doing)
}

fn connect(config: &Config, limit: Duration) -> Result<Client, postgres::Error> {
    let mut config = config.clone();
    config.connect_timeout(CONNECT).application_name("rollcall-hub");
    let mut client = config.connect(NoTls)?;
    client.batch_execute(&format!(
        "set statement_timeout = {}; set idle_in_transaction_session_timeout = {};
         set timezone = 'UTC'; set client_encoding = 'UTF8'; set synchronous_commit = on",
        limit.as_millis(),
        IDLE.as_millis()
    ))?;
    Ok(client)
}

impl Postgres {
    /// One that writes.
    pub(crate) fn writer(config: &Config) -> Result<Self, Error> {
        Self::new(config, WRITE_LIMIT)
    }

    /// One that reads.
    pub(crate) fn reader(config: &Config) -> Result<Self, Error> {
        Self::new(config, READ_LIMIT)
    }

    fn new(config: &Config, limit: Duration) -> Result<Self, Error> {
        let mut new = Self { config: config.clone(), limit, live: None };
        apart(|| new.live().map(drop)).doing("reaching the database")?;
        Ok(new)
    }

    /// The connection, made anew where it was lost.
    fn live(&mut self) -> Result<&mut Live, postgres::Error> {
        if self.live.as_ref().is_none_or(|live| live.client.is_closed()) {
            let client = connect(&self.config, self.limit)?;
            self.live = Some(Live { client, ready: RefCell::default() });
        }
        Ok(self.live.as_mut().expect("it was made a moment ago"))
    }
}

impl Engine for Postgres {
    fn write(
        &mut self,
        group: &mut dyn Iterator<Item = Write>,
        answers: &mut Vec<DbAnswer>,
    ) -> Result<(), Unstored> {
        let committed = self.live().and_then(|live| live.transact(group, answers));
        committed.map_err(|error| {
            tracing::error!(error = &error as &dyn Source, "a transaction could not be committed");
            match unwell(&error) {
                Some(say) => Unstored::Unwell(say.into()),
                None => Unstored::Odd(error.to_string()),
            }
        })
    }

    fn read(&mut self, look: Look) {
        let began = self.live().and_then(|live| {
            let begin = live.client.build_transaction().read_only(true);
            let snapshot = begin.isolation_level(IsolationLevel::RepeatableRead).start()?;
            Ok(Asked { tx: RefCell::new(snapshot), ready: &live.ready })
        });
        match began {
            Ok(snapshot) => look(&Tx::new(&snapshot)),
            Err(error) => {
                tracing::error!(error = &error as &dyn Source, "a read could not begin");
            }
        }
    }
}

impl Live {
    fn transact(
        &mut self,
        group: &mut dyn Iterator<Item = Write>,
        answers: &mut Vec<DbAnswer>,
    ) -> Result<(), postgres::Error> {
        let mut all = self.client.transaction()?;
        all.execute("select pg_advisory_xact_lock($1, hashtext(current_schema()))", &[&OURS])?;
        for write in group {
            let one = Asked { tx: RefCell::new(all.savepoint("one")?), ready: &self.ready };
            let answer = write(&Tx::new(&one));
            let failed = answer.failed;
            answers.push(answer);
            let one = one.tx.into_inner();
            if failed { one.rollback()? } else { one.commit()? }
        }
        all.commit()
    }
}

/// A transaction, and what is ready on its connection.
struct Asked<'c> {
    tx: RefCell<Transaction<'c>>,
    ready: &'c RefCell<HashMap<String, Statement>>,
}

impl Asked<'_> {
    fn ready(&self, sql: &str) -> Result<Statement, postgres::Error> {
        if let Some(statement) = self.ready.borrow().get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.tx.borrow_mut().prepare(&bytes_written(sql))?;
        let mut ready = self.ready.borrow_mut();
        if ready.len() >= READY {
            ready.clear();
        }
        ready.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }
}

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
            let statement = self.ready(sql)?;
            let mut tx = self.tx.borrow_mut();
            let mut rows = tx.query_raw(&statement, values)?;
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
            let statement = self.ready(sql)?;
            let values: Vec<_> = values.iter().map(|value| value as &(dyn ToSql + Sync)).collect();
            self.tx.borrow_mut().execute(&statement, &values)
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
        None => at_fault(sql, &error.as_db_error().map_or(error.to_string(), ToString::to_string)),
    }
}

/// What to say when it is the store that is not well, whatever was asked of it.
fn unwell(error: &postgres::Error) -> Option<&'static str> {
    let Some(code) = error.code() else {
        // What a server says has a code; without one the way to it is broken.
        let is_lost = error.is_closed() || error.as_db_error().is_none() && lost(error);
        return is_lost.then_some("the database cannot be reached: try again in a moment");
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
        _ => return None,
    })
}

/// Whether the connection is gone, or never was.
fn lost(error: &postgres::Error) -> bool {
    let mut cause = error.source();
    while let Some(inner) = cause {
        if inner.is::<std::io::Error>() {
            return true;
        }
        cause = inner.source();
    }
    false
}

/// Where `ROLLCALL_TEST_POSTGRES` names a database: a schema of it in the place of the file at `path`.
#[cfg(debug_assertions)]
pub(crate) fn for_tests(path: &std::path::Path) -> Result<Option<Config>, Error> {
    let Ok(url) = std::env::var("ROLLCALL_TEST_POSTGRES") else { return Ok(None) };
    let doing = "opening the database for tests";
    let mut config: Config = url.parse().doing(doing)?;
    let path = std::path::absolute(path).doing(doing)?;
    let name = format!("t{}", &blake3::hash(path.as_os_str().as_encoded_bytes()).to_hex()[..24]);
    let sql = format!("create schema if not exists {name}");
    apart(|| connect(&config, WRITE_LIMIT)?.batch_execute(&sql)).doing(doing)?;
    config.options(&format!("-csearch_path={name}"));
    Ok(Some(config))
}

// Values ----------------------------------------------------------------------------------------

impl Columns for ::postgres::Row {
    fn value(&self, at: usize) -> Result<ValueRef<'_>, Box<dyn Source + Send + Sync>> {
        Ok(self.try_get(at)?)
    }

    fn place(&self, name: &str) -> Option<usize> {
        self.columns().iter().position(|column| column.name() == name)
    }
}

impl<'a> FromSql<'a> for ValueRef<'a> {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Source + Sync + Send>> {
        Ok(match *ty {
            Type::BOOL => Self::Integer(bool::from_sql(ty, raw)?.into()),
            Type::INT2 => Self::Integer(i16::from_sql(ty, raw)?.into()),
            Type::INT4 => Self::Integer(i32::from_sql(ty, raw)?.into()),
            Type::INT8 => Self::Integer(i64::from_sql(ty, raw)?),
            Type::FLOAT4 => Self::Real(f32::from_sql(ty, raw)?.into()),
            Type::FLOAT8 => Self::Real(f64::from_sql(ty, raw)?),
            Type::NUMERIC => numeric(raw).ok_or("a number that is too large")?,
            Type::BYTEA => Self::Blob(raw),
            _ => Self::Text(std::str::from_utf8(raw)?),
        })
    }

    fn from_sql_null(_: &Type) -> Result<Self, Box<dyn Source + Sync + Send>> {
        Ok(Self::Null)
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// What PostgreSQL makes of a sum of whole numbers: groups of four decimal digits, how many of them
/// stand before the point, the sign and the digits behind it. Whole ones only.
fn numeric(raw: &[u8]) -> Option<ValueRef<'static>> {
    let mut words = raw.chunks_exact(2).map(|pair| i16::from_be_bytes([pair[0], pair[1]]));
    let (count, weight, sign, _scale) =
        (words.next()?, words.next()?, words.next()?, words.next()?);
    let mut number = 0i128;
    for place in 0..=i32::from(weight) {
        let digits = if place < i32::from(count) { words.next()? } else { 0 };
        number = number.checked_mul(10_000)?.checked_add(i128::from(digits))?;
    }
    if words.next().is_some() {
        return None;
    }
    let number = if sign == 0 { number } else { -number };
    i64::try_from(number).ok().map(ValueRef::Integer)
}

impl ToSql for ValueRef<'_> {
    fn to_sql(
        &self,
        ty: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn Source + Sync + Send>> {
        match (*self, ty) {
            (Self::Null, _) => Ok(IsNull::Yes),
            (Self::Integer(number), &Type::INT2) => i16::try_from(number)?.to_sql(ty, out),
            (Self::Integer(number), &Type::INT4) => i32::try_from(number)?.to_sql(ty, out),
            (Self::Integer(number), &Type::INT8) => number.to_sql(ty, out),
            (Self::Integer(number), &Type::BOOL) => (number != 0).to_sql(ty, out),
            (Self::Integer(number), &Type::FLOAT8) => (number as f64).to_sql(ty, out),
            (Self::Integer(number), &Type::TEXT) => number.to_string().to_sql(ty, out),
            (Self::Real(number), &Type::FLOAT8) => number.to_sql(ty, out),
            (Self::Text(text), &Type::TEXT | &Type::VARCHAR) => text.to_sql(ty, out),
            (Self::Blob(bytes), &Type::BYTEA) => bytes.to_sql(ty, out),
            (value, ty) => Err(format!("{} is no {ty}", kind(value)).into()),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    ::postgres::types::to_sql_checked!();
}

/// What it is, without what it says.
fn kind(value: ValueRef<'_>) -> &'static str {
    match value {
        ValueRef::Null => "nothing",
        ValueRef::Integer(_) => "a whole number",
        ValueRef::Real(_) => "a number",
        ValueRef::Text(_) => "text",
        ValueRef::Blob(_) => "bytes",
    }
}
