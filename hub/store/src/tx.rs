//! A transaction, as the table files see it: `query`, `row`, `execute` with portable SQL.

use crate::row::{Read, Row};
use crate::value::{Params, ValueRef};
use rules::error::Error;
use std::ops::ControlFlow;

/// An open transaction. Only the database's threads make one.
pub struct Tx<'c> {
    db: &'c dyn Statements,
}

/// Shows a row to whoever asked, and hears whether the next is wanted.
pub(crate) type See<'a> = dyn FnMut(&Row<'_>) -> Read<ControlFlow<()>> + 'a;

/// What a database does in a transaction.
pub(crate) trait Statements {
    /// Shows `see` the rows one by one.
    fn each(&self, sql: &str, values: &[ValueRef<'_>], see: &mut See<'_>) -> Result<(), Error>;

    /// How many rows it changed.
    fn execute(&self, sql: &str, values: &[ValueRef<'_>]) -> Result<usize, Error>;
}

impl<'c> Tx<'c> {
    pub(crate) fn new(db: &'c dyn Statements) -> Self {
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
        self.db.each(sql, &params.values(), &mut see)
    }

    /// How many rows it changed.
    ///
    /// # Errors
    /// As [`Tx::query`]; `Conflict` when something unique is there already.
    #[expect(clippy::needless_pass_by_value, reason = "values are written where they are used")]
    pub fn execute(&self, sql: &str, params: impl Params) -> Result<usize, Error> {
        self.db.execute(sql, &params.values())
    }
}

/// Something unique is there already.
pub(crate) fn taken() -> Error {
    Error::Conflict("this is there already".into())
}

/// The SQL goes to the log, never to the public.
pub(crate) fn at_fault(sql: &str, why: &dyn std::fmt::Display) -> Error {
    Error::internal("a database operation", format!("{why} in: {sql}"))
}
