//! One connection to the database, as all of them are set up.

use rules::error::{Doing, Error};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use std::path::Path;
use std::time::Duration;

/// KiB of pages the writer keeps: the inner pages of every index of a million sightings.
const CACHE: i64 = 64 * 1024;
/// KiB of pages each reader keeps.
const READ_CACHE: i64 = 16 * 1024;

pub(crate) fn connect(path: &Path, mode: OpenFlags) -> Result<Connection, Error> {
    let flags = mode | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let flags = match mode {
        OpenFlags::SQLITE_OPEN_READ_ONLY => flags,
        _ => flags | OpenFlags::SQLITE_OPEN_CREATE,
    };
    let what = format!("opening {}", path.display());
    let db = Connection::open_with_flags(path, flags).doing(&what)?;
    db.busy_timeout(Duration::from_secs(5)).doing(&what)?;
    db.set_prepared_statement_cache_capacity(256);
    // Plans follow from the SQL alone. Otherwise a statement is planned anew whenever a value is
    // bound that the choice of an index may hang on: a quarter of the time of an arrival.
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).doing(&what)?;
    let pragmas = "pragma journal_mode = wal; pragma synchronous = full;
         pragma foreign_keys = on; pragma secure_delete = on; pragma mmap_size = 0;
         pragma trusted_schema = off; pragma journal_size_limit = 67108864;
         pragma wal_autocheckpoint = 3000; pragma temp_store = memory;";
    db.execute_batch(pragmas).doing(&what)?;
    let pages = if flags.contains(OpenFlags::SQLITE_OPEN_READ_ONLY) { READ_CACHE } else { CACHE };
    db.pragma_update(None, "cache_size", -pages).doing(&what)?;
    Ok(db)
}
