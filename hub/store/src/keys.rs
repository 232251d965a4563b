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
mod people;
mod shut;

use crate::vault::DataKey;
pub use kek::overwrite;
use kek::{KekMark, KekPlace};
use rules::error::{Doing, Error};
use rusqlite::{Connection, params};
use std::fs::{self, File};
use std::ops::{Deref, DerefMut};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
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
    /// Held by whoever uses the store, alone by whoever replaces `kek`, in any process.
    lock: File,
    place: KekPlace,
    /// Seals secrets of accounts that lie in the database.
    accounts: DataKey,
}

struct Store {
    db: Connection,
    kek: DataKey,
    mark: Option<KekMark>,
}

/// The store while nobody replaces its key.
struct KeysOpen<'a> {
    store: MutexGuard<'a, Store>,
    lock: &'a File,
}

impl KeysOpen<'_> {
    /// What wraps everything in it.
    fn kek(&self) -> &DataKey {
        &self.store.kek
    }
}

impl Deref for KeysOpen<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.store.db
    }
}

impl DerefMut for KeysOpen<'_> {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.store.db
    }
}

impl Drop for KeysOpen<'_> {
    fn drop(&mut self) {
        let _closed_with_the_file = self.lock.unlock();
    }
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

    /// Opens the key store in `dir`.
    ///
    /// # Errors
    /// When there is none, or a part of it is missing, or others than its owner may read `kek`.
    pub fn open(dir: &Path) -> Result<Self, Error> {
        Self::open_at(dir, KekPlace::of(dir)?)
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
        let doing = "opening keys.db";
        let mut options = File::options();
        let lock = options.create(true).append(true).open(dir.join("keys.lock")).doing(doing)?;
        let path = dir.join("keys.db");
        let db = Connection::open(&path).doing(doing)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).doing(doing)?;
        db.busy_timeout(std::time::Duration::from_secs(5)).doing(doing)?;
        // No WAL: a deleted key must not survive in a log beside the file.
        let pragmas = "pragma journal_mode = delete; pragma synchronous = extra;
             pragma secure_delete = on; pragma mmap_size = 0;";
        for text in [pragmas, SCHEMA, doors::SCHEMA, kek::SCHEMA, shut::SCHEMA] {
            db.execute_batch(text).doing(doing)?;
        }
        lock.lock_shared().doing(doing)?;
        let opened = place.open(&db).and_then(|kek| Ok((accounts(&db, &kek)?, kek)));
        lock.unlock().doing(doing)?;
        let (accounts, kek) = opened?;
        let mark = place.mark();
        let store = Mutex::new(Store { db, kek, mark });
        Ok(Self(Arc::new(KeysInner { store, lock, place, accounts })))
    }

    /// Wraps everything with a new key: what was wrapped with the one before, such as a key that
    /// was erased and that a disk or a journal may still hold, opens for nobody.
    ///
    /// # Errors
    /// When the store or the disk fails; then the key before it still counts.
    pub fn rotate_kek(&self) -> Result<(), Error> {
        let doing = "replacing kek";
        let mut store = self.0.store.lock().unwrap_or_else(PoisonError::into_inner);
        self.0.lock.lock().doing(doing)?;
        let old = self.0.place.open(&store.db);
        let new = old.and_then(|old| self.0.place.rotate(&mut store.db, &old));
        self.0.lock.unlock().doing(doing)?;
        store.kek = new?;
        store.mark = self.0.place.mark();
        Ok(())
    }

    /// Copies the store and its key into the folder `to`, as they are at one moment. The key lies
    /// there in the clear: a machine's own secret is not at hand where a backup is opened.
    ///
    /// # Errors
    /// When a disk refuses.
    pub fn copy(&self, from: &Path, to: &Path) -> Result<(), Error> {
        let db = self.db();
        crate::file::copy(&from.join("keys.db"), &to.join("keys.db"))?;
        KekPlace::without_machine(to).put(db.kek())
    }

    /// When what is kept under `name` and `id` was made.
    ///
    /// # Errors
    /// When there is none, or the store fails.
    pub fn made(&self, name: &str, id: u32) -> Result<Wall, Error> {
        let sql = "select created_at from hub_key where name = ?1 and id = ?2";
        let made = self.db().query_row(sql, params![name, id], |row| row.get(0));
        made.map(Wall).doing("looking when a key of the hub was made")
    }

    /// Keeps a secret of any length, such as a private key, under `name`.
    ///
    /// # Errors
    /// When there is one already, or the store fails.
    pub fn put(&self, name: &str, id: u32, secret: &[u8], now: Wall) -> Result<(), Error> {
        let db = self.db();
        insert(&db, db.kek(), name, id, secret, now)
    }

    /// The secret that [`Keys::put`] kept.
    ///
    /// # Errors
    /// When there is none, or the store fails.
    pub fn get(&self, name: &str, id: u32) -> Result<Zeroizing<Vec<u8>>, Error> {
        let doing = format!("reading the hub's key “{name}” {id}");
        let sql = "select wrapped from hub_key where name = ?1 and id = ?2";
        let db = self.db();
        let wrapped = db.query_row(sql, params![name, id], |row| row.get::<_, Vec<u8>>(0));
        db.kek().open(name, &wrapped.doing(&doing)?).doing(&doing)
    }

    /// The numbers of what is kept under `name`, newest first.
    pub fn ids(&self, name: &str) -> Result<Vec<u32>, Error> {
        let doing = "listing the hub's keys";
        let db = self.db();
        let sql = "select id from hub_key where name = ?1 order by id desc";
        let mut all = db.prepare(sql).doing(doing)?;
        let ids = all.query_map([name], |row| row.get(0)).doing(doing)?.collect::<Result<_, _>>();
        ids.doing(doing)
    }

    /// When the authority or what signs galleries was replaced last: doors that followed do not go
    /// back to the one before.
    pub fn replaced(&self) -> Result<Option<Wall>, Error> {
        let sql = "select max(created_at) from hub_key
             where name in ('ca', 'sign') and id > 1 or name = 'ca-ended'";
        let at = self.db().query_row(sql, [], |row| row.get::<_, Option<i64>>(0));
        Ok(at.doing("looking when a key of the hub was replaced")?.map(Wall))
    }

    /// Destroys what is kept under `name` and `id`.
    pub fn forget(&self, name: &str, id: u32) -> Result<(), Error> {
        let sql = "delete from hub_key where name = ?1 and id = ?2";
        self.db().execute(sql, params![name, id]).map(drop).doing("destroying a key of the hub")
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
        opened.or_else(|_| self.db().kek().open(place, sealed)).doing("opening a sealed secret")
    }

    /// A secret that was sealed with `kek` itself, as hubs did before it could be replaced.
    #[must_use]
    pub fn reseal(&self, place: &str, sealed: &[u8]) -> Option<Vec<u8>> {
        if self.0.accounts.open(place, sealed).is_ok() {
            return None;
        }
        let plain = self.db().kek().open(place, sealed).ok()?;
        Some(self.seal(place, &plain))
    }

    fn hub_key(&self, name: &str, id: u32) -> Result<Zeroizing<[u8; 32]>, Error> {
        let key = DataKey::from_slice(&self.get(name, id)?).doing("reading a key of the hub")?;
        Ok(Zeroizing::new(*key.as_bytes()))
    }

    fn db(&self) -> KeysOpen<'_> {
        let mut store = self.0.store.lock().unwrap_or_else(PoisonError::into_inner);
        // Where files cannot be locked, the key cannot be replaced either.
        let _unlockable = self.0.lock.lock_shared();
        let mark = self.0.place.mark();
        if mark != store.mark
            && let Ok(kek) = self.0.place.open(&store.db)
        {
            (store.kek, store.mark) = (kek, mark);
        }
        KeysOpen { store, lock: &self.0.lock }
    }
}

/// Keeps `secret`, wrapped with `kek`, under a name and a number.
fn insert(
    db: &Connection,
    kek: &DataKey,
    name: &str,
    id: u32,
    secret: &[u8],
    now: Wall,
) -> Result<(), Error> {
    let sql = "insert into hub_key (name, id, wrapped, created_at) values (?1, ?2, ?3, ?4)";
    let stored = db.execute(sql, params![name, id, kek.seal(name, secret), now.0]);
    stored.map(drop).doing("storing a key of the hub")
}

/// The key of accounts' secrets, made if there is none yet.
fn accounts(db: &Connection, kek: &DataKey) -> Result<DataKey, Error> {
    let doing = "reading the key of accounts' secrets";
    let new = kek.seal(ACCOUNTS, DataKey::random().as_bytes());
    let sql = "insert into hub_key (name, id, wrapped, created_at) values (?1, 1, ?2, 0)
         on conflict do nothing";
    db.execute(sql, params![ACCOUNTS, new]).doing(doing)?;
    let sql = "select wrapped from hub_key where name = ?1 and id = 1";
    let wrapped: Vec<u8> = db.query_row(sql, [ACCOUNTS], |row| row.get(0)).doing(doing)?;
    kek.unwrap(ACCOUNTS, &wrapped).doing(doing)
}

#[cfg(test)]
mod tests;
