//! Where a hub's data lies: in a file of its own, or with a server that others run.

use crate::postgres::server::Server;
use crate::{Tx, file, sqlite};
use rules::error::Error;
use std::cmp::Ordering;
use std::fmt;
use std::path::{Path, PathBuf};
use wire::Wall;

/// A place for data.
#[derive(Clone, Debug)]
pub enum Database {
    /// SQLite, which the hub brings along.
    File(PathBuf),
    /// PostgreSQL.
    Server(Server),
}

impl From<&Path> for Database {
    fn from(path: &Path) -> Self {
        #[cfg(debug_assertions)]
        if let Some(server) = crate::postgres::for_tests(path) {
            return Self::Server(server);
        }
        Self::File(path.to_owned())
    }
}

impl From<&PathBuf> for Database {
    fn from(path: &PathBuf) -> Self {
        path.as_path().into()
    }
}

impl From<PathBuf> for Database {
    fn from(path: PathBuf) -> Self {
        path.as_path().into()
    }
}

impl From<&Self> for Database {
    fn from(same: &Self) -> Self {
        same.clone()
    }
}

/// For people: nothing that opens it.
impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Server(server) => server.fmt(f),
        }
    }
}

impl Database {
    /// A hub that was set up has its data: an empty place instead of a lost one would look like a
    /// school without people.
    ///
    /// # Errors
    /// `NotFound` when it is not there.
    pub fn there(&self) -> Result<(), Error> {
        match self {
            Self::File(path) => file::there(path),
            Self::Server(server) => server.there(),
        }
    }

    /// Refuses a place where something is already.
    ///
    /// # Errors
    /// `Conflict` when there is.
    pub fn empty(&self) -> Result<(), Error> {
        let taken = match self {
            Self::File(path) => path.exists(),
            Self::Server(server) => server.schema()?.0 > 0,
        };
        let say =
            || Error::Conflict(format!("{self} is there: what is there is never overwritten"));
        if taken { Err(say()) } else { Ok(()) }
    }

    /// Refuses a place that another program of this hub's kind has open. A file says nothing of that.
    ///
    /// # Errors
    /// `Conflict` when one has; when it cannot be reached.
    pub fn unused(&self) -> Result<(), Error> {
        match self {
            Self::File(_) => Ok(()),
            Self::Server(server) => server.unused(),
        }
    }

    /// Which version of the schema is there (0 for none), and which this program knows.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn schema(&self) -> Result<(i32, i32), Error> {
        match self {
            Self::File(path) => sqlite::schema(path),
            Self::Server(server) => server.schema(),
        }
    }

    /// That its schema is the one this program knows.
    ///
    /// # Errors
    /// `Conflict` when it is not.
    pub(crate) fn same_version(&self) -> Result<(), Error> {
        let (applied, newest) = self.schema()?;
        let next = match applied.cmp(&newest) {
            Ordering::Equal => return Ok(()),
            Ordering::Less => {
                "stop the hub and run `rollcall-hub migrate`, or start this version's `serve`"
            }
            Ordering::Greater => "use the version of this program that serves it",
        };
        Err(Error::Conflict(format!(
            "{self} is at version {applied} and this program knows {newest}: {next}. Nothing was \
             touched"
        )))
    }

    /// Runs `work` on a snapshot of its own, however long it takes: for what reads everything, such
    /// as the audit chain. Blocking.
    ///
    /// # Errors
    /// What `work` returns, or that nothing can be read.
    pub fn read<T: Send>(
        &self,
        work: impl FnOnce(&Tx<'_>) -> Result<T, Error> + Send,
    ) -> Result<T, Error> {
        match self {
            Self::File(path) => file::read(path, work),
            Self::Server(server) => server.read(work),
        }
    }

    /// Leaves nothing of what was erased beside the data; false where readers stand in the way, and
    /// the next call does it. A server looks after its own log. Blocking.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn flush(&self) -> Result<bool, Error> {
        match self {
            Self::File(path) => file::flush(path),
            Self::Server(_) => Ok(true),
        }
    }

    /// Copies from before an update of the schema that were made before `then`. Blocking.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn old_copies(&self, then: Wall) -> Result<Vec<PathBuf>, Error> {
        match self {
            Self::File(path) => file::old_copies(path, then),
            Self::Server(_) => Ok(Vec::new()),
        }
    }
}
