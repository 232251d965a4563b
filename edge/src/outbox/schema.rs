//! Opening the file: pragmas that make a commit survive a power cut, and the tables.

use super::{Durability, OutboxError, Setup};
use rusqlite::{Connection, OpenFlags};

/// The first release without the WAL-reset bug.
const MIN_SQLITE: i32 = 3_051_003;
/// Raised with every change of the tables.
pub(super) const VERSION: i64 = 1;
/// Bytes of a page.
pub(super) const PAGE: u64 = 4096;

const TABLES: &str = "
create table if not exists meta(k text primary key, v any not null) strict;
create table if not exists outbox(
  seq      integer primary key autoincrement,
  kind     integer not null,
  lane     integer not null,
  boot_no  integer not null,
  mono_ms  integer not null,
  wall_ms  integer,
  clk      integer not null,
  body     blob not null,
  hash     blob not null,
  acked_at integer,
  reject   integer
) strict;
create index if not exists outbox_unacked on outbox(lane, seq) where acked_at is null;
create table if not exists crop(
  seq   integer primary key references outbox(seq) on delete cascade on update cascade,
  bytes blob not null
) strict;
create table if not exists cooldown(
  student blob primary key, boot_no integer not null, mono_ms integer not null,
  wall_ms integer, clk integer not null
) strict;
";

/// A connection that owns the file, with the tables in it.
pub(super) fn connect(setup: &Setup) -> Result<Connection, OutboxError> {
    if rusqlite::version_number() < MIN_SQLITE {
        return Err(OutboxError::OldSqlite(rusqlite::version()));
    }
    let db = open(setup)?;
    db.execute_batch(&format!("pragma page_size={PAGE}"))?;
    expect(&db, "locking_mode", "exclusive")?;
    expect(&db, "journal_mode", "wal")?;
    db.execute_batch(match setup.durability {
        Durability::Full => "pragma synchronous=full",
        Durability::Normal => "pragma synchronous=normal",
    })?;
    db.execute_batch(
        "pragma mmap_size=0; pragma wal_autocheckpoint=512; pragma journal_size_limit=4194304;
         pragma foreign_keys=on; pragma trusted_schema=off; pragma cell_size_check=on;",
    )?;
    limit(&db, setup.max_bytes)?;
    check(&db)?;
    db.execute_batch(TABLES)?;
    Ok(db)
}

/// Our own “disk full”, before the file system's.
pub(super) fn limit(db: &Connection, bytes: u64) -> Result<(), OutboxError> {
    let pages = bytes / PAGE;
    db.query_row(&format!("pragma max_page_count={pages}"), [], |row| row.get::<_, i64>(0))?;
    Ok(())
}

fn open(setup: &Setup) -> Result<Connection, OutboxError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let opened = match &setup.vfs {
        Some(vfs) => Connection::open_with_flags_and_vfs(&setup.path, flags, vfs.as_str()),
        None => Connection::open_with_flags(&setup.path, flags),
    };
    opened.map_err(|source| OutboxError::Open { path: setup.path.clone(), source })
}

fn expect(db: &Connection, what: &'static str, wanted: &str) -> Result<(), OutboxError> {
    let got =
        db.query_row(&format!("pragma {what}={wanted}"), [], |row| row.get::<_, String>(0))?;
    if got == wanted { Ok(()) } else { Err(OutboxError::Pragma { what, got }) }
}

/// Reads the whole file once: damage shows here, not in the middle of a lesson.
fn check(db: &Connection) -> Result<(), OutboxError> {
    let said = db.query_row("pragma quick_check(1)", [], |row| row.get::<_, String>(0))?;
    if said == "ok" { Ok(()) } else { Err(OutboxError::Damaged(said)) }
}
