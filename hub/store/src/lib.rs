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
mod catalog;
pub mod certificate;
pub mod change;
pub mod class;
pub mod clock;
pub mod connection;
pub mod consent;
pub mod coverage;
pub mod crop;
pub mod cursor;
mod database;
mod db;
pub mod dead_letter;
pub mod desk;
pub mod device;
pub mod door;
pub mod door_settings;
mod engine;
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
pub mod line {
    //! What hubs of one school tell each other.
    pub use crate::postgres::duty::Duty;
    pub use crate::postgres::line::{BYTES, Heard, Line};
}
pub mod login;
pub mod loss;
pub mod mail;
pub mod mark;
pub mod member;
mod moving;
pub mod outgoing;
pub mod passage;
pub mod passkey;
pub mod past;
pub mod period;
mod postgres;
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
mod row;
#[cfg(debug_assertions)]
pub mod sample;
#[cfg(test)]
mod schema_tests;
pub mod scope;
pub mod score;
pub mod seed;
pub mod session;
pub mod setting;
pub mod shut;
mod sqlite;
pub mod student;
pub mod teaches;
pub mod totp;
pub mod transfer;
mod tx;
pub mod update;
pub mod user;
mod value;
pub mod vault;
pub mod watch;
pub mod webhook;

pub use database::Database;
pub use db::Db;
pub use postgres::server::{Server, ServerParts};
pub use row::{Column, Read, Row};
use row::{odd, parsed, parsed_option, unsigned};
pub use sqlite::is_passing;
#[cfg(debug_assertions)]
pub use sqlite::trouble;
pub use tx::Tx;
pub use value::{Param, Params, Value, ValueRef};
