//! A school's data from one database to another, whichever they are.
//!
//! Table by table, row by row in the order of their keys, a piece and a COMMIT at a time: what was
//! cut short goes on after the last row that arrived. Until all is there and was compared, the new
//! place carries a mark, and nobody opens it as a school.

use crate::catalog::{self, Table};
use crate::engine::{Engine, write_at_once};
use crate::moving::{self, GONE, MARK};
use crate::postgres::{self, Postgres, apart};
use crate::{Database, Read, Row, Tx, Value, ValueRef, audit, file, params, setting, sqlite};
use rules::error::Error;
use std::ops::ControlFlow;
use std::path::Path;

/// Rows of one statement at most.
const ROWS: usize = 500;
/// Values of one statement at most: SQLite takes 32,766, PostgreSQL 65,535.
const VALUES: usize = 30_000;
/// Bytes of one statement, about.
const BYTES: usize = 1 << 20;

/// How far it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Step<'a> {
    /// What is done with the table.
    pub doing: Doing,
    /// Its name.
    pub table: &'a str,
    /// Rows so far.
    pub rows: u64,
    /// Of how many.
    pub of: u64,
}

/// What is done with a table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Doing {
    /// Its rows are copied.
    Copy,
    /// Both sides are read and compared.
    Compare,
}

/// What arrived.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Arrived {
    /// Tables, and how many rows each has.
    pub tables: Vec<(String, u64)>,
    /// The head of the audit chain, which was walked in the new place.
    pub audit: audit::Head,
}

/// Tells somebody.
pub type Tell<'a> = dyn FnMut(Step<'_>) + Send + 'a;

/// Copies one moment of `from` to the empty place `to`, and compares both. A place where this was
/// begun with the same school before is filled up. Blocking.
///
/// # Errors
/// `Conflict` when there is something else in `to`, or both differ in the end; when one of them
/// fails.
pub fn fill(from: &Database, to: &Database, tell: &mut Tell<'_>) -> Result<Arrived, Error> {
    apart(|| {
        from.same_version()?;
        let arrived = from.read(|tx| {
            moving::refuse(tx, from)?;
            copied(tx, (from, to), tell)
        })?;
        unmark(to)?;
        Ok(arrived)
    })
}

/// Copies `from` to the new file `to` while others write to it: one moment of it, in SQLite, in one
/// file without a log. Blocking.
///
/// # Errors
/// When one of them cannot be read or written.
pub fn copy(from: &Database, to: &Path) -> Result<(), Error> {
    match from {
        Database::File(path) => file::copy(path, to),
        Database::Server(_) => {
            fill(from, &Database::File(to.to_owned()), &mut |_| ())?;
            file::close_log(to)
        }
    }
}

/// Copies all as [`fill`] does, and leaves `from`: nobody writes there meanwhile, and nobody begins
/// there afterwards. Between the two moments no place is open. Blocking.
///
/// # Errors
/// The same.
pub fn relocate(
    from: &Database,
    to: &Database,
    mut tell: impl FnMut(Step<'_>) + Send + 'static,
) -> Result<Arrived, Error> {
    from.same_version()?;
    let (here, there) = (from.clone(), to.clone());
    let all = move |tx: &Tx<'_>| {
        moving::refuse_half(tx, &here)?;
        // What was cut short at its very end is left already.
        let went_there = setting::get(tx, GONE)?.is_some_and(|went| went == there.to_string());
        if !went_there || there.read(|tx| setting::get(tx, MARK))?.is_none() {
            moving::refuse_left(tx, &here)?;
        }
        let arrived = copied(tx, (&here, &there), &mut tell)?;
        setting::set(tx, GONE, &there.to_string())?;
        Ok(arrived)
    };
    apart(|| {
        let arrived = write_at_once(&mut *writer(from)?, all)?;
        unmark(to)?;
        Ok(arrived)
    })
}

/// Everything that `tx` shows, in `to`, which keeps its mark.
fn copied(
    tx: &Tx<'_>,
    (from, to): (&Database, &Database),
    tell: &mut Tell<'_>,
) -> Result<Arrived, Error> {
    let mut target = begin(to, mark_of(tx)?)?;
    let there = to.read(|tx| catalog::tables(tx, to))?;
    let tables = catalog::tables(tx, from)?;
    alike(&tables, &there)?;
    for table in tables.iter().filter(|table| table.name != "setting") {
        Filling { table, to, target: &mut *target }.run(tx, tell)?;
    }
    let settings = tx.query("select name, value from setting", [], pair)?;
    write_at_once(&mut *target, move |tx| put_settings(tx, &settings))?;
    let tables = compare((tx, to), &tables, tell)?;
    let audit = to.read(audit::verify)?;
    settle(to, &mut *target)?;
    Ok(Arrived { tables, audit })
}

/// How many rows each table of `from` has. Blocking.
///
/// # Errors
/// When it cannot be read.
pub fn survey(from: &Database) -> Result<Vec<(String, u64)>, Error> {
    from.read(|tx| {
        let tables = catalog::tables(tx, from)?;
        tables.into_iter().map(|table| Ok((count(tx, &table)?, table))).map(named).collect()
    })
}

fn named(counted: Result<(u64, Table), Error>) -> Result<(String, u64), Error> {
    counted.map(|(rows, table)| (table.name, rows))
}

/// What a place carries while this school is on its way there.
fn mark_of(tx: &Tx<'_>) -> Result<String, Error> {
    Ok(setting::get(tx, "pairing")?.unwrap_or_else(|| "a hub".into()))
}

/// The way into `to`, marked as what is filled.
fn begin(to: &Database, mark: String) -> Result<Box<dyn Engine>, Error> {
    if to.schema()?.0 == 0 {
        match to {
            Database::File(path) => sqlite::migrate(path)?,
            Database::Server(server) => postgres::migrate::up(server)?,
        }
    }
    to.same_version()?;
    let (begun, is_empty) = to.read(|tx| {
        let none = tx.row("select 1 from setting", [], |_| Ok(()))?.is_none();
        Ok((setting::get(tx, MARK)?, none))
    })?;
    if !is_empty && begun.as_ref() != Some(&mark) {
        return Err(Error::Conflict(format!("{to} holds something already: name an empty place")));
    }
    let mut target = writer(to)?;
    write_at_once(&mut *target, move |tx| setting::set(tx, MARK, &mark))?;
    if let Database::Server(_) = to {
        each_table(&mut *target, to, |table| {
            format!("alter table {} disable trigger user", table.name)
        })?;
    }
    Ok(target)
}

/// One that writes what others wrote before: nothing follows from it.
fn writer(place: &Database) -> Result<Box<dyn Engine>, Error> {
    Ok(match place {
        Database::File(path) => Box::new(sqlite::copier(path)?),
        Database::Server(server) => Box::new(Postgres::copier(server)?),
    })
}

/// Runs what `say` says of each table.
fn each_table(
    target: &mut dyn Engine,
    to: &Database,
    say: impl Fn(&Table) -> String + Send + 'static,
) -> Result<(), Error> {
    let place = to.clone();
    write_at_once(target, move |tx| {
        let all = catalog::tables(tx, &place)?;
        all.iter().try_for_each(|table| tx.execute(&say(table), []).map(drop))
    })
}

/// Both have the same tables, with the same columns and keys.
fn alike(tables: &[Table], there: &[Table]) -> Result<(), Error> {
    let shape = |table: &Table| {
        let mut columns = table.columns.clone();
        columns.sort();
        (table.name.clone(), columns, table.key.clone())
    };
    let shapes = |tables: &[Table]| {
        let mut shapes: Vec<_> = tables.iter().map(shape).collect();
        shapes.sort();
        shapes
    };
    match shapes(tables) == shapes(there) {
        true => Ok(()),
        false => Err(Error::internal("moving a school", "the two places have other tables")),
    }
}

fn pair(row: &Row<'_>) -> Read<(String, String)> {
    Ok((row.get(0)?, row.get(1)?))
}

/// All of them, beside the mark.
fn put_settings(tx: &Tx<'_>, settings: &[(String, String)]) -> Result<(), Error> {
    tx.execute("delete from setting where name <> $1", params![MARK])?;
    let stays = settings.iter().filter(|(name, _)| name != GONE);
    stays.into_iter().try_for_each(|(name, value)| setting::set(tx, name, value))
}

/// A table on its way.
struct Filling<'a> {
    table: &'a Table,
    to: &'a Database,
    target: &'a mut dyn Engine,
}

impl Filling<'_> {
    fn run(&mut self, tx: &Tx<'_>, tell: &mut Tell<'_>) -> Result<(), Error> {
        let table = self.table;
        let of = count(tx, table)?;
        let last = self.to.read(|tx| last(tx, table))?;
        let mut rows = self.to.read(|tx| count(tx, table))?;
        let mut batch = Batch::default();
        let mut failed = Ok(());
        tx.each(&after(table, last.is_some()), last.unwrap_or_default(), |row| {
            batch.push(row, table.columns.len())?;
            if !batch.is_full() {
                return Ok(ControlFlow::Continue(()));
            }
            rows += batch.rows as u64;
            tell(Step { doing: Doing::Copy, table: &table.name, rows, of });
            failed = self.put(std::mem::take(&mut batch));
            Ok(if failed.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
        })?;
        failed?;
        rows += batch.rows as u64;
        self.put(batch)?;
        tell(Step { doing: Doing::Copy, table: &table.name, rows, of });
        Ok(())
    }

    fn put(&mut self, batch: Batch) -> Result<(), Error> {
        let sql = insert(self.table, batch.rows);
        match batch.rows {
            0 => Ok(()),
            _ => write_at_once(self.target, move |tx| tx.execute(&sql, batch.values).map(drop)),
        }
    }
}

/// Rows that go together.
#[derive(Default)]
struct Batch {
    values: Vec<Value>,
    rows: usize,
    bytes: usize,
    full: bool,
}

impl Batch {
    fn push(&mut self, row: &Row<'_>, columns: usize) -> Read<()> {
        for at in 0..columns {
            let value: ValueRef<'_> = row.get(at)?;
            self.bytes += match value {
                ValueRef::Text(text) => text.len(),
                ValueRef::Blob(bytes) => bytes.len(),
                _ => 8,
            };
            self.values.push(value.into());
        }
        self.rows += 1;
        let next = self.values.len() + columns;
        self.full = self.rows == ROWS || self.bytes >= BYTES || next > VALUES;
        Ok(())
    }

    fn is_full(&self) -> bool {
        self.full
    }
}

/// `select` of all columns in the order of the key, behind a row if there is one.
fn after(table: &Table, behind: bool) -> String {
    let (columns, key) = (table.columns.join(", "), table.key.join(", "));
    let places: Vec<_> = (1..=table.key.len()).map(|n| format!("${n}")).collect();
    let rest =
        if behind { format!(" where ({key}) > ({})", places.join(", ")) } else { String::new() };
    format!("select {columns} from {}{rest} order by {key}", table.name)
}

fn insert(table: &Table, rows: usize) -> String {
    let width = table.columns.len();
    let row = |at: usize| {
        let places: Vec<_> = (1..=width).map(|n| format!("${}", at * width + n)).collect();
        format!("({})", places.join(", "))
    };
    let rows: Vec<_> = (0..rows).map(row).collect();
    format!("insert into {} ({}) values {}", table.name, table.columns.join(", "), rows.join(", "))
}

/// The key of its last row.
fn last(tx: &Tx<'_>, table: &Table) -> Result<Option<Vec<Value>>, Error> {
    let (key, name) = (table.key.join(", "), &table.name);
    let down = table.key.join(" desc, ");
    let sql = format!("select {key} from {name} order by {down} desc limit 1");
    tx.row(&sql, [], |row| {
        (0..table.key.len()).map(|at| Ok(row.get::<ValueRef<'_>>(at)?.into())).collect()
    })
}

fn count(tx: &Tx<'_>, table: &Table) -> Result<u64, Error> {
    let sql = format!("select count(*) from {}", table.name);
    let rows: Option<i64> = tx.row(&sql, [], |row| row.get(0))?;
    Ok(rows.unwrap_or(0).unsigned_abs())
}

/// How many rows each table has, all of them the same in `to` as `tx` shows them.
fn compare(
    (tx, to): (&Tx<'_>, &Database),
    tables: &[Table],
    tell: &mut Tell<'_>,
) -> Result<Vec<(String, u64)>, Error> {
    let mut all = Vec::new();
    for table in tables {
        let (here, there) = (digest(tx, table)?, to.read(|tx| digest(tx, table))?);
        if here != there {
            return Err(Error::Conflict(format!(
                "{} differs: {} rows here, {} in {to}. It was changed since the move was begun: empty \
                 {to} and begin again",
                table.name, here.0, there.0
            )));
        }
        tell(Step { doing: Doing::Compare, table: &table.name, rows: there.0, of: here.0 });
        all.push((table.name.clone(), there.0));
    }
    Ok(all)
}

/// How many rows it has, and the hash of all of them in the order of their key.
fn digest(tx: &Tx<'_>, table: &Table) -> Result<(u64, blake3::Hash), Error> {
    let (mut hash, mut rows) = (blake3::Hasher::new(), 0);
    let columns = table.columns.join(", ");
    let unmarked = if table.name == "setting" {
        format!("where name not in ('{MARK}', '{GONE}')")
    } else {
        String::new()
    };
    let (name, key) = (&table.name, table.key.join(", "));
    let sql = format!("select {columns} from {name} {unmarked} order by {key}");
    tx.each(&sql, [], |row| {
        rows += 1;
        for at in 0..table.columns.len() {
            add(&mut hash, row.get(at)?);
        }
        Ok(ControlFlow::Continue(()))
    })?;
    Ok((rows, hash.finalize()))
}

fn add(hash: &mut blake3::Hasher, value: ValueRef<'_>) {
    let mut tagged = |tag: u8, bytes: &[u8]| {
        hash.update(&[tag]).update(&(bytes.len() as u64).to_be_bytes()).update(bytes);
    };
    match value {
        ValueRef::Null => tagged(0, &[]),
        ValueRef::Integer(number) => tagged(1, &number.to_be_bytes()),
        ValueRef::Real(number) => tagged(2, &number.to_bits().to_be_bytes()),
        ValueRef::Text(text) => tagged(3, text.as_bytes()),
        ValueRef::Blob(bytes) => tagged(4, bytes),
    }
}

/// What follows from changes follows again, numbers go on, and nothing points nowhere.
fn settle(to: &Database, target: &mut dyn Engine) -> Result<(), Error> {
    match to {
        Database::File(path) => file::check(path),
        Database::Server(_) => {
            let on = |table: &Table| format!("alter table {} enable trigger user", table.name);
            each_table(target, to, on)?;
            write_at_once(target, postgres::migrate::number_on)?;
            each_table(target, to, |table| format!("analyze {}", table.name))
        }
    }
}

/// From here on it is a school like any other.
fn unmark(to: &Database) -> Result<(), Error> {
    write_at_once(&mut *writer(to)?, |tx| setting::remove(tx, MARK))
}

/// Does what somebody could who holds the database itself: no trigger of `table` is in the way. For
/// tests. Blocking.
///
/// # Errors
/// When the database fails.
#[cfg(debug_assertions)]
pub fn past_triggers(place: &Database, table: &str, sql: &str) -> Result<(), Error> {
    let off = format!("alter table {table} disable trigger user");
    let off = Some(off).filter(|_| matches!(place, Database::Server(_)));
    beside(place, off.into_iter().chain([sql.to_owned()]).collect())
}

/// Runs `statements` on a connection of their own. For tests. Blocking.
///
/// # Errors
/// When the database fails.
#[cfg(debug_assertions)]
pub fn beside(place: &Database, statements: Vec<String>) -> Result<(), Error> {
    let run =
        move |tx: &Tx<'_>| statements.iter().try_for_each(|sql| tx.execute(sql, []).map(drop));
    apart(|| write_at_once(&mut *writer(place)?, run))
}

#[cfg(test)]
mod tests;
