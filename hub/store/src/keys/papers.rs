//! What lies open beside the keys and belongs to them, such as certificates: files in the folder of
//! the keys, or rows where hubs share a store.

use super::Keys;
use super::shelf::Shelf;
use crate::params;
use crate::postgres::{Alone, apart, server::Way};
use crate::tx::Tx;
use rules::error::{Doing, Error};
use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::sync::PoisonError;

pub(super) const SCHEMA: &str = "
    create table if not exists paper (
        name text primary key not null, said text not null
    ) without rowid;";

/// Held by whoever replaces a paper and its keys, in whichever process, at whichever hub.
pub struct PapersHeld {
    _file: Option<File>,
    _server: Option<Alone>,
}

impl Keys {
    /// What the paper `name` says.
    ///
    /// # Errors
    /// When there is none.
    pub fn paper(&self, name: &str) -> Result<String, Error> {
        let doing = format!("reading {name}");
        if !self.is_shared() {
            return fs::read_to_string(self.0.place.beside(name)).doing(&doing);
        }
        let sql = "select said from paper where name = $1";
        let said = self.read(|tx, _| tx.row(sql, params![name], |row| row.get(0)))?;
        said.ok_or_else(|| Error::internal(doing, "it is not among the keys that hubs share"))
    }

    /// Puts another paper in the place of `name`, whole or not at all.
    ///
    /// # Errors
    /// When the store or the disk refuses.
    pub fn lay_paper(&self, name: &str, said: &str) -> Result<(), Error> {
        match self.is_shared() {
            true => self.write(|tx, _| lay(tx, name, said)),
            false => replace(&self.0.place.beside(name), said),
        }
    }

    /// Waits until nobody else replaces a paper and its keys, and keeps others from it.
    ///
    /// # Errors
    /// When the store or the disk refuses.
    pub fn alone(&self) -> Result<PapersHeld, Error> {
        let doing = "waiting for whoever replaces a certificate";
        if let Some(way) = self.way() {
            let alone = apart(|| Alone::with(&way))?;
            return Ok(PapersHeld { _file: None, _server: Some(alone) });
        }
        let lock = File::open(self.0.place.beside(".")).doing(doing)?;
        lock.lock().doing(doing)?;
        Ok(PapersHeld { _file: Some(lock), _server: None })
    }

    /// Whether several hubs may have these keys.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        self.way().is_some()
    }

    /// The way to the server that has them.
    fn way(&self) -> Option<Way> {
        let store = self.0.store.lock().unwrap_or_else(PoisonError::into_inner);
        match &store.shelf {
            Shelf::Server(postgres) => Some(postgres.way()),
            Shelf::File(_) => None,
        }
    }
}

/// Puts a paper into a store that hubs share.
pub(super) fn lay(tx: &Tx<'_>, name: &str, said: &str) -> Result<(), Error> {
    let sql = "insert into paper (name, said) values ($1, $2)
         on conflict (name) do update set said = excluded.said";
    tx.execute(sql, params![name, said]).map(drop)
}

fn replace(path: &Path, text: &str) -> Result<(), Error> {
    let beside = path.with_extension("new");
    let doing = format!("writing {}", path.display());
    let _left_by_a_crash = fs::remove_file(&beside);
    let mut file = File::create_new(&beside).doing(&doing)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).doing(&doing)?;
    fs::rename(&beside, path).doing(&doing)?;
    let folder = path.parent().unwrap_or(Path::new("."));
    File::open(folder).and_then(|folder| folder.sync_all()).doing(&doing)
}
