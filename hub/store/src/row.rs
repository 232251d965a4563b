//! A row, as the table files read it.

use crate::value::{Value, ValueRef};
use std::error::Error as Source;
use std::str::FromStr;

type Boxed = Box<dyn Source + Send + Sync>;

/// A column that does not hold what is read from it.
#[derive(Debug, thiserror::Error)]
#[error("column {at}: {why}")]
pub struct RowError {
    at: usize,
    why: Boxed,
}

/// What was read from a row.
pub type Read<T> = Result<T, RowError>;

/// A row of an answer.
pub struct Row<'r>(&'r dyn Columns);

/// What a database's own row can do.
pub trait Columns {
    /// The value of column `at`, counted from 0.
    fn value(&self, at: usize) -> Result<ValueRef<'_>, Boxed>;

    /// Where the column called `name` is.
    fn place(&self, name: &str) -> Option<usize>;
}

impl Columns for rusqlite::Row<'_> {
    fn value(&self, at: usize) -> Result<ValueRef<'_>, Boxed> {
        use rusqlite::types::ValueRef as Raw;
        Ok(match self.get_ref(at)? {
            Raw::Null => ValueRef::Null,
            Raw::Integer(number) => ValueRef::Integer(number),
            Raw::Real(number) => ValueRef::Real(number),
            Raw::Text(bytes) => ValueRef::Text(std::str::from_utf8(bytes)?),
            Raw::Blob(bytes) => ValueRef::Blob(bytes),
        })
    }

    fn place(&self, name: &str) -> Option<usize> {
        self.as_ref().column_index(name).ok()
    }
}

/// Which column.
pub trait Place {
    #[doc(hidden)]
    fn among(self, row: &dyn Columns) -> usize;
}

impl Place for usize {
    fn among(self, _row: &dyn Columns) -> usize {
        self
    }
}

impl Place for &str {
    fn among(self, row: &dyn Columns) -> usize {
        row.place(self).unwrap_or(usize::MAX)
    }
}

impl<'r> Row<'r> {
    pub(crate) fn new(row: &'r dyn Columns) -> Self {
        Self(row)
    }

    /// Column `at`: its name, or its place counted from 0.
    ///
    /// # Errors
    /// When it holds something else, or there is none.
    pub fn get<'a, T: Column<'a>>(&'a self, at: impl Place) -> Read<T> {
        let at = at.among(self.0);
        let value = self.0.value(at).map_err(|why| RowError { at, why })?;
        T::of(value).ok_or_else(|| odd(at, format!("{} is not there", std::any::type_name::<T>())))
    }
}

/// What a column can be read as.
pub trait Column<'a>: Sized {
    /// Nothing where the value is of another kind.
    fn of(value: ValueRef<'a>) -> Option<Self>;
}

impl<'a> Column<'a> for ValueRef<'a> {
    fn of(value: Self) -> Option<Self> {
        Some(value)
    }
}

impl Column<'_> for i64 {
    fn of(value: ValueRef<'_>) -> Option<Self> {
        match value {
            ValueRef::Integer(number) => Some(number),
            _ => None,
        }
    }
}

macro_rules! numbers {
    ($($kind:ty),*) => {$(
        impl Column<'_> for $kind {
            fn of(value: ValueRef<'_>) -> Option<Self> {
                i64::of(value)?.try_into().ok()
            }
        }
    )*};
}

numbers!(i8, i32, u8, u16, u32);

impl Column<'_> for bool {
    fn of(value: ValueRef<'_>) -> Option<Self> {
        i64::of(value).map(|number| number != 0)
    }
}

impl Column<'_> for f64 {
    fn of(value: ValueRef<'_>) -> Option<Self> {
        match value {
            ValueRef::Real(number) => Some(number),
            ValueRef::Integer(number) => Some(number as Self),
            _ => None,
        }
    }
}

impl<'a> Column<'a> for &'a str {
    fn of(value: ValueRef<'a>) -> Option<Self> {
        match value {
            ValueRef::Text(text) => Some(text),
            _ => None,
        }
    }
}

impl Column<'_> for String {
    fn of(value: ValueRef<'_>) -> Option<Self> {
        <&str>::of(value).map(str::to_owned)
    }
}

impl<'a> Column<'a> for &'a [u8] {
    fn of(value: ValueRef<'a>) -> Option<Self> {
        match value {
            ValueRef::Blob(bytes) => Some(bytes),
            _ => None,
        }
    }
}

impl Column<'_> for Vec<u8> {
    fn of(value: ValueRef<'_>) -> Option<Self> {
        <&[u8]>::of(value).map(<[u8]>::to_vec)
    }
}

impl<const N: usize> Column<'_> for [u8; N] {
    fn of(value: ValueRef<'_>) -> Option<Self> {
        <&[u8]>::of(value)?.try_into().ok()
    }
}

/// Whatever it is.
impl Column<'_> for Value {
    fn of(value: ValueRef<'_>) -> Option<Self> {
        Some(value.into())
    }
}

impl<'a, T: Column<'a>> Column<'a> for Option<T> {
    fn of(value: ValueRef<'a>) -> Option<Self> {
        match value {
            ValueRef::Null => Some(None),
            value => T::of(value).map(Some),
        }
    }
}

/// A column's text as one of our names or ids.
pub(crate) fn parsed<T>(row: &Row<'_>, at: usize) -> Read<T>
where
    T: FromStr<Err: Into<Boxed>>,
{
    row.get::<&str>(at)?.parse().map_err(|why: T::Err| odd(at, why))
}

/// The same where it may be null.
pub(crate) fn parsed_option<T>(row: &Row<'_>, at: usize) -> Read<Option<T>>
where
    T: FromStr<Err: Into<Boxed>>,
{
    let text = row.get::<Option<&str>>(at)?;
    text.map(|text| text.parse().map_err(|why: T::Err| odd(at, why))).transpose()
}

/// A column that holds what nobody here writes.
pub(crate) fn odd(at: usize, why: impl Into<Boxed>) -> RowError {
    RowError { at, why: why.into() }
}

pub(crate) fn unsigned(row: &Row<'_>, at: usize) -> Read<u64> {
    let number: i64 = row.get(at)?;
    u64::try_from(number).map_err(|why| odd(at, why))
}
