//! All SQL of the hub: a thin database, and a file for each table.
//!
//! Functions take a [`Tx`]: whoever writes twice does both in one `db.write`, and what that
//! returns is durable. Texts keep to the subset that SQLite and PostgreSQL share.
//!
//! Everything here fails with [`Error::Internal`](rules::Error::Internal) when the database or the
//! key store does, or a row is damaged. `# Errors` names what else can stand in the way.

pub mod account;
pub mod accounts;
pub mod alert;
pub mod arrival;
pub mod audit;
pub mod audit_head;
pub mod backed_up;
pub mod budget;
pub mod care;
pub mod certificate;
pub mod change;
pub mod class;
pub mod clock;
pub mod connection;
pub mod consent;
pub mod coverage;
pub mod crop;
pub mod cursor;
mod db;
pub mod dead_letter;
pub mod desk;
pub mod device;
pub mod door;
pub mod door_settings;
pub mod enrolment;
pub mod erasure;
pub mod evidence;
pub mod export;
pub mod feed;
pub mod file;
pub mod foreign;
pub mod forget;
pub mod held;
pub mod holiday;
pub mod idempotency;
pub mod identity;
pub mod image;
pub mod job;
pub mod keys;
pub mod life;
pub mod login;
pub mod loss;
pub mod mail;
pub mod mark;
pub mod member;
pub mod outgoing;
pub mod passage;
pub mod passkey;
pub mod past;
pub mod period;
pub mod preference;
pub mod presence;
pub mod reader;
pub mod register;
pub mod release;
pub mod report;
pub mod reseal;
pub mod reshut;
pub mod retention;
pub mod review;
pub mod rollout;
pub mod room;
#[cfg(debug_assertions)]
pub mod sample;
pub mod scope;
pub mod score;
pub mod seed;
pub mod session;
pub mod setting;
pub mod shut;
pub mod student;
pub mod teaches;
pub mod totp;
mod tx;
pub mod update;
pub mod user;
pub mod vault;
pub mod watch;
pub mod webhook;

pub use db::{Db, schema};
#[cfg(debug_assertions)]
pub use tx::trouble;
pub use tx::{Tx, is_passing, params};

use std::error::Error as Source;
use std::str::FromStr;

type Boxed = Box<dyn Source + Send + Sync>;

/// A column's text as one of our names or ids.
fn parsed<T>(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<T>
where
    T: FromStr<Err: Into<Boxed>>,
{
    row.get::<_, String>(column)?.parse().map_err(|why: T::Err| odd(column, why))
}

/// A column that holds what nobody here writes.
fn odd(column: usize, why: impl Into<Boxed>) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, why.into())
}

fn unsigned(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<u64> {
    let n: i64 = row.get(column)?;
    u64::try_from(n).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, n))
}

/// The same where it may be null.
fn parsed_option<T>(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<Option<T>>
where
    T: FromStr<Err: Into<Boxed>>,
{
    let text = row.get::<_, Option<String>>(column)?;
    text.map(|text| text.parse().map_err(|why: T::Err| odd(column, why))).transpose()
}
