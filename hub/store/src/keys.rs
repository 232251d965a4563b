//! The hub's secrets: a key for each student, and the hub's own.
//!
//! They live in `keys.db`, apart from the data and never in its backups: deleting a student's
//! key makes every copy of that student's templates and crops unreadable. All of them are
//! wrapped with the key in the file `kek`, which is replaced at each erasure. Write key first,
//! then data; erase data first, then key: what a crash leaves between the two is a key without
//! data, and the hub removes it at its next start.

mod doors;
mod kek;
mod own;
mod papers;
mod people;
mod sharing;
mod shelf;
mod shut;

use crate::params;
use crate::tx::Tx;
use crate::vault::DataKey;
pub use kek::overwrite;
use kek::{Kek, KekPlace};
pub use papers::PapersHeld;
use rules::error::{Doing, Error};
use sharing::Rows;
pub use sharing::{Admission, HubSharing};
pub use shelf::KeysPlace;
use shelf::{Hold, Shelf};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use wire::{HubSecret, Wall};
use zeroize::Zeroizing;

const SCHEMA: &str = "
    create table if not exists student_key (
        student text primary key not null, wrapped blob not null, created_at bigint not null
    ) without rowid;
    create table if not exists photo_key (
        photo text primary key not null, wrapped blob not null, created_at bigint not null
    ) without rowid;
    create table if not exists hub_key (
        name text not null, id bigint not null, wrapped blob not null,
        created_at bigint not null, primary key (name, id)
    ) without rowid;
    create table if not exists erased (
        student text primary key not null, at bigint not null
    ) without rowid;";

/// Every table of the store.
const TABLES: [&str; 4] = [SCHEMA, doors::SCHEMA, kek::SCHEMA, shut::SCHEMA];

/// Names in `hub_key`.
const SEAL: &str = "seal";
const SIGN: &str = "sign";
const TOKENS: &str = "tokens";
const ACCOUNTS: &str = "accounts";
/// What named a signing key, and the public half of who did.
const NAMED: &str = "sign-named";
const WAS: &str = "sign-was";
const PAIRING: &str = "pairing";

/// The key store; cheap to clone.
#[derive(Clone)]
pub struct Keys(Arc<KeysInner>);

struct KeysInner {
    store: Mutex<Store>,
    place: KekPlace,
    /// Seals secrets of accounts that lie in the database.
    accounts: DataKey,
}

struct Store {
    shelf: Shelf,
    kek: Kek,
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keys(***)")
    }
}

impl Keys {
    /// Makes a key store with new hub keys in `dir`.
    ///
    /// # Errors
    /// When there is one already, or the disk refuses.
    pub fn create(dir: &Path, now: Wall) -> Result<Self, Error> {
        let place = KekPlace::of(dir)?;
        place.create()?;
        let keys = Self::with(dir, place)?;
        let seal = HubSecret::generate(1, &mut rand::rng());
        keys.put(SEAL, 1, &*seal.to_bytes(), now)?;
        keys.put(SIGN, 1, DataKey::random().as_bytes(), now)?;
        keys.put(TOKENS, 1, DataKey::random().as_bytes(), now)?;
        Ok(keys)
    }

    /// Opens the key store at `place`.
    ///
    /// # Errors
    /// When there is none, or a part of it is missing, or others than its owner may read `kek`, or
    /// this hub was not let in where hubs share one.
    pub fn open(place: impl Into<KeysPlace>) -> Result<Self, Error> {
        let KeysPlace { dir, server } = place.into();
        let kek = KekPlace::of(&dir)?;
        match server {
            None => Self::open_at(&dir, kek),
            Some(server) => {
                let mut shelf = Shelf::server(&server, &sharing::tables())?;
                if shelf.run(Hold::Read, kek::known)?.is_none() {
                    return Err(unshared());
                }
                // It may have been away while another hub replaced kek.
                sharing::catch_up(&mut shelf, &kek, &mut Kek::new(DataKey::random()))?;
                Self::on(shelf, kek)
            }
        }
    }

    /// Opens a copy that [`Keys::copy`] made, whatever secret this machine has.
    ///
    /// # Errors
    /// As [`Keys::open`].
    pub fn open_copy(dir: &Path) -> Result<Self, Error> {
        Self::open_at(dir, KekPlace::without_machine(dir))
    }

    fn open_at(dir: &Path, place: KekPlace) -> Result<Self, Error> {
        let store = dir.join("keys.db");
        if !store.exists() {
            let why = "it is missing, and what is sealed opens with it alone: put it back";
            return Err(Error::internal(format!("opening {}", store.display()), why));
        }
        Self::with(dir, place)
    }

    fn with(dir: &Path, place: KekPlace) -> Result<Self, Error> {
        Self::on(Shelf::file(dir, &TABLES)?, place)
    }

    fn on(mut shelf: Shelf, place: KekPlace) -> Result<Self, Error> {
        let held = place.hold(Hold::Write)?;
        let (kek, accounts) = shelf.run(Hold::Write, |tx| {
            let kek = place.open(tx)?;
            let accounts = accounts(tx, kek.key())?;
            Ok((kek, accounts))
        })?;
        drop(held);
        let store = Mutex::new(Store { shelf, kek });
        Ok(Self(Arc::new(KeysInner { store, place, accounts })))
    }

    /// Wraps everything with a new key: what was wrapped with the one before, such as a key that
    /// was erased and that a disk or a journal may still hold, opens for nobody.
    ///
    /// # Errors
    /// When the store or the disk fails; then the key before it still counts.
    pub fn rotate_kek(&self) -> Result<(), Error> {
        let place = &self.0.place;
        self.catch_up()?;
        let mut store = self.0.store.lock().unwrap_or_else(PoisonError::into_inner);
        let _alone = place.hold(Hold::Alone)?;
        let Store { shelf, kek } = &mut *store;
        let is_shared = matches!(shelf, Shelf::Server(_));
        let next = shelf.run(Hold::Alone, |tx| {
            if !place.refresh(tx, kek)? {
                return Err(replaced());
            }
            let old = kek.key();
            place.replace(tx, old, |new| match is_shared {
                true => sharing::tell(tx, place, old, new),
                false => Ok(()),
            })
        })?;
        place.settle()?;
        *kek = next;
        Ok(())
    }

    /// Takes the key that another hub put in the place of `kek`, where several share the store.
    fn catch_up(&self) -> Result<(), Error> {
        let mut store = self.0.store.lock().unwrap_or_else(PoisonError::into_inner);
        let Store { shelf, kek } = &mut *store;
        sharing::catch_up(shelf, &self.0.place, kek)
    }

    /// Runs `work` in a transaction, with the key that wraps everything at that moment.
    fn within<T: Send>(
        &self,
        hold: Hold,
        work: impl FnOnce(&Tx<'_>, &DataKey) -> Result<T, Error> + Send,
    ) -> Result<T, Error> {
        let mut work = Some(work);
        let mut try_once = || {
            let mut store = self.0.store.lock().unwrap_or_else(PoisonError::into_inner);
            let _held = self.0.place.hold(hold)?;
            let Store { shelf, kek } = &mut *store;
            shelf.run(hold, |tx| {
                if !self.0.place.refresh(tx, kek)? {
                    return Ok(None);
                }
                let work = work.take().expect("it is run once");
                work(tx, kek.key()).map(Some)
            })
        };
        if let Some(done) = try_once()? {
            return Ok(done);
        }
        self.catch_up()?;
        try_once()?.ok_or_else(replaced)
    }

    fn read<T: Send>(
        &self,
        work: impl FnOnce(&Tx<'_>, &DataKey) -> Result<T, Error> + Send,
    ) -> Result<T, Error> {
        self.within(Hold::Read, work)
    }

    fn write<T: Send>(
        &self,
        work: impl FnOnce(&Tx<'_>, &DataKey) -> Result<T, Error> + Send,
    ) -> Result<T, Error> {
        self.within(Hold::Write, work)
    }

    /// Copies the store and its key into the folder `to`, as they are at one moment. The key lies
    /// there in the clear: a machine's own secret is not at hand where a backup is opened.
    ///
    /// # Errors
    /// When a disk refuses.
    pub fn copy(&self, to: &Path) -> Result<(), Error> {
        let (rows, kek) = self.read(|tx, kek| Ok((Rows::of(tx)?, kek.clone())))?;
        Shelf::file(to, &TABLES)?.run(Hold::Write, |tx| rows.put(tx))?;
        KekPlace::without_machine(to).put(&kek)
    }

    /// When what is kept under `name` and `id` was made.
    ///
    /// # Errors
    /// When there is none, or the store fails.
    pub fn made(&self, name: &str, id: u32) -> Result<Wall, Error> {
        let sql = "select created_at from hub_key where name = $1 and id = $2";
        let made = self.read(|tx, _| tx.row(sql, params![name, id], |row| row.get(0)))?;
        let none = || Error::internal("looking when a key of the hub was made", "there is none");
        made.map(Wall).ok_or_else(none)
    }

    /// Keeps a secret of any length, such as a private key, under `name`.
    ///
    /// # Errors
    /// When there is one already, or the store fails.
    pub fn put(&self, name: &str, id: u32, secret: &[u8], now: Wall) -> Result<(), Error> {
        self.write(|tx, kek| insert(tx, kek, name, id, secret, now))
    }

    /// The secret that [`Keys::put`] kept.
    ///
    /// # Errors
    /// When there is none, or the store fails.
    pub fn get(&self, name: &str, id: u32) -> Result<Zeroizing<Vec<u8>>, Error> {
        let doing = format!("reading the hub's key “{name}” {id}");
        let sql = "select wrapped from hub_key where name = $1 and id = $2";
        self.read(|tx, kek| {
            let wrapped = tx.row(sql, params![name, id], |row| row.get::<Vec<u8>>(0))?;
            let none = || Error::internal(doing.clone(), "there is none");
            kek.open(name, &wrapped.ok_or_else(none)?).doing(&doing)
        })
    }

    /// The numbers of what is kept under `name`, newest first.
    pub fn ids(&self, name: &str) -> Result<Vec<u32>, Error> {
        let sql = "select id from hub_key where name = $1 order by id desc";
        self.read(|tx, _| tx.query(sql, params![name], |row| row.get(0)))
    }

    /// When the authority or what signs galleries was replaced last: doors that followed do not go
    /// back to the one before.
    pub fn replaced(&self) -> Result<Option<Wall>, Error> {
        let sql = "select max(created_at) from hub_key
             where name in ('ca', 'sign') and id > 1 or name = 'ca-ended'";
        let at = self.read(|tx, _| tx.row(sql, [], |row| row.get::<Option<i64>>(0)))?;
        Ok(at.flatten().map(Wall))
    }

    /// Destroys what is kept under `name` and `id`.
    pub fn forget(&self, name: &str, id: u32) -> Result<(), Error> {
        let sql = "delete from hub_key where name = $1 and id = $2";
        self.write(|tx, _| tx.execute(sql, params![name, id]).map(drop))
    }

    /// The id that the database of these keys carries too.
    pub fn pairing(&self) -> Result<Option<String>, Error> {
        if self.ids(PAIRING)?.is_empty() {
            return Ok(None);
        }
        let id = self.get(PAIRING, 1)?;
        String::from_utf8(id.to_vec()).doing("reading the key store's id").map(Some)
    }

    /// Keeps that id.
    ///
    /// # Errors
    /// When there is one already, or the store fails.
    pub fn pair(&self, id: &str, now: Wall) -> Result<(), Error> {
        self.put(PAIRING, 1, id.as_bytes(), now)
    }

    /// Seals a small secret of an account for `place`: the database keeps it, and a copy of the
    /// database alone does not open it.
    #[must_use]
    pub fn seal(&self, place: &str, plain: &[u8]) -> Vec<u8> {
        self.0.accounts.seal(place, plain)
    }

    /// What [`Keys::seal`] sealed for `place`.
    ///
    /// # Errors
    /// When it was sealed by other keys or for another place.
    pub fn unseal(&self, place: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
        let opened = self.0.accounts.open(place, sealed);
        let by_kek =
            || self.read(|_, kek| kek.open(place, sealed).doing("opening a sealed secret"));
        opened.or_else(|_| by_kek())
    }

    /// A secret that was sealed with `kek` itself, as hubs did before it could be replaced.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn reseal(&self, place: &str, sealed: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        if self.0.accounts.open(place, sealed).is_ok() {
            return Ok(None);
        }
        let plain = self.read(|_, kek| Ok(kek.open(place, sealed).ok()))?;
        Ok(plain.map(|plain| self.seal(place, &plain)))
    }

    fn hub_key(&self, name: &str, id: u32) -> Result<Zeroizing<[u8; 32]>, Error> {
        let key = DataKey::from_slice(&self.get(name, id)?).doing("reading a key of the hub")?;
        Ok(Zeroizing::new(*key.as_bytes()))
    }
}

/// An empty store in the place of a lost one would look like a school without keys.
fn unshared() -> Error {
    Error::Conflict(
        "no keys lie beside the data: run `rollcall-hub hubs share` on the hub that has them, or \
         take “shared_keys” out of hub.toml"
            .into(),
    )
}

/// Another hub was faster.
fn replaced() -> Error {
    Error::Unavailable("the keys are being replaced: try again in a moment".into())
}

/// Keeps `secret`, wrapped with `kek`, under a name and a number.
fn insert(
    tx: &Tx<'_>,
    kek: &DataKey,
    name: &str,
    id: u32,
    secret: &[u8],
    now: Wall,
) -> Result<(), Error> {
    let sql = "insert into hub_key (name, id, wrapped, created_at) values ($1, $2, $3, $4)";
    tx.execute(sql, params![name, id, kek.seal(name, secret), now.0]).map(drop)
}

/// The key of accounts' secrets, made if there is none yet.
fn accounts(tx: &Tx<'_>, kek: &DataKey) -> Result<DataKey, Error> {
    let doing = "reading the key of accounts' secrets";
    let new = kek.seal(ACCOUNTS, DataKey::random().as_bytes());
    let sql = "insert into hub_key (name, id, wrapped, created_at) values ($1, 1, $2, 0)
         on conflict do nothing";
    tx.execute(sql, params![ACCOUNTS, new])?;
    let sql = "select wrapped from hub_key where name = $1 and id = 1";
    let wrapped = tx.row(sql, params![ACCOUNTS], |row| row.get::<Vec<u8>>(0))?;
    kek.unwrap(ACCOUNTS, &wrapped.unwrap_or_default()).doing(doing)
}

#[cfg(test)]
mod tests;
