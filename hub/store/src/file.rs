//! The database as a file: looked at beside the running hub, copied, checked, and its log emptied.

use super::Tx;
use crate::connection::connect;
use rules::error::{Doing, Error};
use rusqlite::{Connection, OpenFlags, backup::Backup};
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};
use wire::Wall;

/// Between the database's name and a version: a copy from before an update of the schema.
const BEFORE: &str = ".before-v";

/// A hub that was set up has its database: an empty one in place of a lost one would look like a
/// school without people.
///
/// # Errors
/// `NotFound` when it is not there.
pub fn there(path: &Path) -> Result<(), Error> {
    let say = || {
        let path = path.display();
        format!(
            "{path} is missing: put it back, or make a hub of its backup (`rollcall-hub restore`)"
        )
    };
    path.exists().then_some(()).ok_or_else(|| Error::NotFound(say()))
}

/// Runs `work` on a snapshot of its own, however long it takes: for what reads everything, such
/// as the audit chain. Blocking.
///
/// # Errors
/// What `work` returns, or that the file cannot be read.
pub fn read<T>(path: &Path, work: impl FnOnce(&Tx<'_>) -> Result<T, Error>) -> Result<T, Error> {
    let mut db = connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let snapshot = db.transaction().doing("beginning to read the database")?;
    work(&Tx::new(&*snapshot))
}

/// The same on a copy that nobody else has open; no log is made beside it. Blocking.
///
/// # Errors
/// As [`read`].
pub fn look_at_copy<T>(
    path: &Path,
    work: impl FnOnce(&Tx<'_>) -> Result<T, Error>,
) -> Result<T, Error> {
    let doing = format!("reading {}", path.display());
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut db = Connection::open_with_flags(path, flags).doing(&doing)?;
    let snapshot = db.transaction().doing(&doing)?;
    work(&Tx::new(&*snapshot))
}

/// Copies the database at `from` to the new file `to` while others write to it: one snapshot,
/// in one file without a log. Blocking.
///
/// # Errors
/// When a file cannot be read or written.
pub fn copy(from: &Path, to: &Path) -> Result<(), Error> {
    let doing = format!("copying {}", from.display());
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let source = Connection::open_with_flags(from, flags).doing(&doing)?;
    source.busy_timeout(Duration::from_secs(5)).doing(&doing)?;
    let mut target = Connection::open(to).doing(&doing)?;
    let backup = Backup::new(&source, &mut target).doing(&doing)?;
    // All pages in one step: a step is one snapshot, and a copy in several would begin anew with
    // every change.
    backup.step(-1).doing(&doing)?;
    drop(backup);
    drop(target);
    close_log(to)
}

/// Puts what is in the log of a copy that nobody has open into its file, and takes the log away.
pub(crate) fn close_log(copy: &Path) -> Result<(), Error> {
    let doing = format!("closing {}", copy.display());
    let db = Connection::open(copy).doing(&doing)?;
    db.execute_batch("pragma journal_mode = delete").doing(&doing)?;
    drop(db);
    std::fs::File::open(copy).and_then(|file| file.sync_all()).doing(&doing)
}

/// Opens a copy and checks it: every page, every reference. Blocking.
///
/// # Errors
/// `Conflict` naming what is wrong with it.
pub fn check(path: &Path) -> Result<(), Error> {
    let doing = format!("checking {}", path.display());
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(path, flags).doing(&doing)?;
    let said: String =
        db.query_row("pragma integrity_check(1)", [], |row| row.get(0)).doing(&doing)?;
    if said != "ok" {
        return Err(Error::Conflict(format!("{} is damaged: {said}", path.display())));
    }
    let mut odd = db.prepare("pragma foreign_key_check").doing(&doing)?;
    let odd = odd.query([]).doing(&doing)?.next().doing(&doing)?.is_some();
    if odd {
        return Err(Error::Conflict(format!("{} has rows that point nowhere", path.display())));
    }
    Ok(())
}

/// Empties the log beside the database, so that what was erased is in no file any more. Waits
/// for readers up to 5 s; what it cannot do now, the next call does. Blocking.
///
/// # Errors
/// When the file cannot be opened.
pub fn flush(path: &Path) -> Result<bool, Error> {
    let db = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let doing = "emptying the database's log";
    let busy: i64 =
        db.query_row("pragma wal_checkpoint(truncate)", [], |row| row.get(0)).doing(doing)?;
    Ok(busy == 0)
}

/// Where the copy of the database at `path` goes, before its schema becomes `version`.
pub(super) fn before(path: &Path, version: i32) -> PathBuf {
    PathBuf::from(format!("{}{BEFORE}{version}", path.display()))
}

/// Copies from before an update of the schema that were made before `then`. Blocking.
///
/// # Errors
/// When the folder cannot be read.
pub fn old_copies(path: &Path, then: Wall) -> Result<Vec<PathBuf>, Error> {
    let doing = format!("looking for copies of {}", path.display());
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let begin = format!("{name}{BEFORE}");
    let folder = path.parent().unwrap_or(Path::new("."));
    let then = UNIX_EPOCH + Duration::from_millis(u64::try_from(then.0).unwrap_or(0));
    let mut old = Vec::new();
    for entry in std::fs::read_dir(folder).doing(&doing)? {
        let entry = entry.doing(&doing)?;
        let ours = entry.file_name().to_string_lossy().starts_with(&begin);
        if ours && entry.metadata().and_then(|about| about.modified()).doing(&doing)? < then {
            old.push(entry.path());
        }
    }
    Ok(old)
}
