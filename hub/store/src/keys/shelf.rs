//! Where wrapped keys lie: in a file beside the data, or in a schema of their own on the server that
//! has the school's, where several hubs read them.

use crate::postgres::{Postgres, apart, server::Server};
use crate::tx::Tx;
use rules::error::{Doing, Error};
use rusqlite::{Connection, TransactionBehavior};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Where a key store is.
#[derive(Clone, Debug)]
pub struct KeysPlace {
    /// The folder of what never leaves this machine: `kek`, and `keys.db` where the keys lie here.
    pub dir: PathBuf,
    /// The server that has the wrapped keys, where several hubs share them.
    pub server: Option<Server>,
}

impl From<&Path> for KeysPlace {
    fn from(dir: &Path) -> Self {
        Self { dir: dir.to_owned(), server: None }
    }
}

impl From<&PathBuf> for KeysPlace {
    fn from(dir: &PathBuf) -> Self {
        dir.as_path().into()
    }
}

impl From<&Self> for KeysPlace {
    fn from(same: &Self) -> Self {
        same.clone()
    }
}

/// What a look into the store may do there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Hold {
    /// Read.
    Read,
    /// Write, while `kek` stays what it is.
    Write,
    /// Replace `kek`: nobody else is in.
    Alone,
}

/// An open store.
pub(super) enum Shelf {
    /// A file.
    File(Box<Connection>),
    /// A schema on a server.
    Server(Box<Postgres>),
}

impl Shelf {
    /// The file in `dir`, with the tables of `schema`.
    pub(super) fn file(dir: &Path, schema: &[&str]) -> Result<Self, Error> {
        let doing = "opening keys.db";
        let path = dir.join("keys.db");
        let db = Connection::open(&path).doing(doing)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).doing(doing)?;
        db.busy_timeout(Duration::from_secs(5)).doing(doing)?;
        // No WAL: a deleted key must not survive in a log beside the file.
        let pragmas = "pragma journal_mode = delete; pragma synchronous = extra;
             pragma secure_delete = on; pragma mmap_size = 0;";
        for text in [pragmas].iter().chain(schema) {
            db.execute_batch(text).doing(doing)?;
        }
        Ok(Self::File(Box::new(db)))
    }

    /// The schema of keys on `server`, made if it is not there.
    pub(super) fn server(server: &Server, schema: &[&str]) -> Result<Self, Error> {
        let tables = schema.concat().replace(") without rowid", ")").replace(" blob ", " bytea ");
        apart(|| {
            let mut postgres = Postgres::beside(server)?;
            postgres.hold(|tx| tables.split_inclusive(';').try_for_each(|one| made(tx, one)))?;
            Ok(Self::Server(Box::new(postgres)))
        })
    }

    /// Runs `work` in a transaction, which is undone where it fails.
    pub(super) fn run<T: Send>(
        &mut self,
        hold: Hold,
        work: impl FnOnce(&Tx<'_>) -> Result<T, Error> + Send,
    ) -> Result<T, Error> {
        match self {
            Self::Server(postgres) => apart(|| match hold {
                Hold::Read => postgres.look(work),
                Hold::Write | Hold::Alone => postgres.hold(work),
            }),
            Self::File(db) => in_file(db, hold, work),
        }
    }
}

fn made(tx: &Tx<'_>, table: &str) -> Result<(), Error> {
    match table.trim() {
        "" => Ok(()),
        table => tx.execute(table, []).map(drop),
    }
}

fn in_file<T>(
    db: &mut Connection,
    hold: Hold,
    work: impl FnOnce(&Tx<'_>) -> Result<T, Error>,
) -> Result<T, Error> {
    let doing = "using keys.db";
    let how = match hold {
        Hold::Read => TransactionBehavior::Deferred,
        Hold::Write | Hold::Alone => TransactionBehavior::Immediate,
    };
    let all = db.transaction_with_behavior(how).doing(doing)?;
    let done = work(&Tx::new(&*all))?;
    all.commit().doing(doing)?;
    Ok(done)
}
