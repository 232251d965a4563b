//! Whether a hub serves from a data directory: it holds a lock there, which ends with it.

use rules::error::{Doing, Error};
use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;

/// The file that is locked; what is in it says nothing.
const FILE: &str = "serving";

/// Held for as long as it lives.
#[derive(Debug)]
pub struct Serving {
    _lock: File,
}

/// A hub begins to serve from `data`.
///
/// # Errors
/// `Conflict` while something is done there that needs to be alone.
pub fn begin(data: &Path) -> Result<Serving, Error> {
    let lock = open(data)?;
    let why = "the school is being moved: wait until `rollcall-hub move` is done";
    held(lock.try_lock_shared(), why)?;
    Ok(Serving { _lock: lock })
}

/// Nobody serves from `data`, nor begins to.
///
/// # Errors
/// `Conflict` while a hub does.
pub fn alone(data: &Path) -> Result<Serving, Error> {
    let lock = open(data)?;
    held(
        lock.try_lock(),
        "a hub serves from there: stop the hub first (doors keep their records)",
    )?;
    Ok(Serving { _lock: lock })
}

fn open(data: &Path) -> Result<File, Error> {
    let path = data.join(FILE);
    let made = OpenOptions::new().create(true).append(true).open(&path);
    // Root may have made it; to lock it, reading is enough.
    made.or_else(|_| File::open(&path)).doing(&format!("opening {}", path.display()))
}

fn held(locked: Result<(), TryLockError>, taken: &str) -> Result<(), Error> {
    match locked {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => Err(Error::Conflict(taken.into())),
        Err(TryLockError::Error(why)) => Err(why).doing("locking the data directory"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_must_be_alone_waits_for_all_who_serve_and_they_for_it() {
        let dir = tempfile::tempdir().unwrap();
        let (one, other) = (begin(dir.path()).unwrap(), begin(dir.path()).unwrap());
        drop(one);
        assert!(alone(dir.path()).is_err());
        drop(other);
        let alone = alone(dir.path()).unwrap();
        assert!(begin(dir.path()).is_err());
        drop(alone);
        assert!(begin(dir.path()).is_ok());
    }
}
