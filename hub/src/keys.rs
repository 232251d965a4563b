//! The hub's secrets: a key for each student, and the hub's own.
//!
//! They live in `keys.db`, apart from the data and never in its backups: deleting a student's
//! key makes every copy of that student's templates and crops unreadable. All of them are
//! wrapped with the key in the file `kek`, which is replaced at each erasure. Write key first,
//! then data; erase data first, then key: what a crash leaves between the two is a key without
//! data, and the hub removes it at its next start.

mod doors;
mod kek;

use crate::error::{Doing, Error};
use crate::vault::DataKey;
use ed25519_dalek::{SigningKey, VerifyingKey};
pub(crate) use kek::overwrite;
use kek::{Mark, Place};
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::HashMap;
use std::fs::{self, File};
use std::ops::{Deref, DerefMut};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use uuid::Uuid;
use wire::sign::Signed;
use wire::{HubSecret, StudentId, Wall};
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
pub struct Keys(Arc<Inner>);

struct Inner {
    store: Mutex<Store>,
    /// Held by whoever uses the store, alone by whoever replaces `kek`, in any process.
    lock: File,
    place: Place,
    /// Seals secrets of accounts that lie in the database.
    accounts: DataKey,
}

struct Store {
    db: Connection,
    kek: DataKey,
    mark: Option<Mark>,
}

/// The store while nobody replaces its key.
struct Open<'a> {
    store: MutexGuard<'a, Store>,
    lock: &'a File,
}

impl Open<'_> {
    /// What wraps everything in it.
    fn kek(&self) -> &DataKey {
        &self.store.kek
    }
}

impl Deref for Open<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.store.db
    }
}

impl DerefMut for Open<'_> {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.store.db
    }
}

impl Drop for Open<'_> {
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
        let place = Place::of(dir)?;
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
        Self::open_at(dir, Place::of(dir)?)
    }

    /// Opens a copy that [`Keys::copy`] made, whatever secret this machine has.
    ///
    /// # Errors
    /// As [`Keys::open`].
    pub fn open_copy(dir: &Path) -> Result<Self, Error> {
        Self::open_at(dir, Place::without_machine(dir))
    }

    fn open_at(dir: &Path, place: Place) -> Result<Self, Error> {
        let store = dir.join("keys.db");
        if !store.exists() {
            let why = "it is missing, and what is sealed opens with it alone: put it back";
            return Err(Error::internal(format!("opening {}", store.display()), why));
        }
        Self::with(dir, place)
    }

    fn with(dir: &Path, place: Place) -> Result<Self, Error> {
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
        for text in [pragmas, SCHEMA, doors::SCHEMA, kek::SCHEMA] {
            db.execute_batch(text).doing(doing)?;
        }
        lock.lock_shared().doing(doing)?;
        let opened = place.open(&db).and_then(|kek| Ok((accounts(&db, &kek)?, kek)));
        lock.unlock().doing(doing)?;
        let (accounts, kek) = opened?;
        let mark = place.mark();
        let store = Mutex::new(Store { db, kek, mark });
        Ok(Self(Arc::new(Inner { store, lock, place, accounts })))
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
        crate::store::file::copy(&from.join("keys.db"), &to.join("keys.db"))?;
        Place::without_machine(to).put(db.kek())
    }

    /// The key of `student`, if they have one.
    ///
    /// # Errors
    /// When the store fails or `kek` is not the one the key was wrapped with.
    pub fn student(&self, student: StudentId) -> Result<Option<DataKey>, Error> {
        let doing = "reading a student's key";
        let sql = "select wrapped from student_key where student = ?1";
        let (db, id) = (self.db(), student.to_string());
        let wrapped = db.query_row(sql, [&id], |row| row.get::<_, Vec<u8>>(0));
        let wrapped = wrapped.optional().doing(doing)?;
        wrapped.map(|wrapped| db.kek().unwrap(&id, &wrapped).doing(doing)).transpose()
    }

    /// The keys of those of `students` who have one, read at once.
    ///
    /// # Errors
    /// As [`Keys::student`].
    pub fn of(
        &self,
        students: impl IntoIterator<Item = StudentId>,
    ) -> Result<HashMap<StudentId, DataKey>, Error> {
        let doing = "reading students' keys";
        let mut db = self.db();
        let kek = db.kek().clone();
        let snapshot = db.transaction().doing(doing)?;
        let sql = "select wrapped from student_key where student = ?1";
        let mut statement = snapshot.prepare_cached(sql).doing(doing)?;
        let mut keys = HashMap::new();
        for student in students {
            let id = student.to_string();
            let wrapped = statement.query_row([&id], |row| row.get::<_, Vec<u8>>(0));
            let Some(wrapped) = wrapped.optional().doing(doing)? else { continue };
            keys.insert(student, kek.unwrap(&id, &wrapped).doing(doing)?);
        }
        Ok(keys)
    }

    /// The key of `student`, made and stored if they have none. Call it before data is written.
    ///
    /// # Errors
    /// As [`Keys::student`].
    pub fn student_or_new(&self, student: StudentId, now: Wall) -> Result<DataKey, Error> {
        let (db, id) = (self.db(), student.to_string());
        let wrapped = db.kek().wrap(&id, &DataKey::random());
        let sql = "insert into student_key (student, wrapped, created_at) values (?1, ?2, ?3)
             on conflict (student) do nothing";
        db.execute(sql, params![id, wrapped, now.0]).doing("storing a student's key")?;
        drop(db);
        self.student(student)?
            .ok_or_else(|| Error::internal("storing a student's key", "it vanished at once"))
    }

    /// Makes keys for people who have none yet, all at once, and returns everybody's. Call it
    /// before data is written.
    ///
    /// # Errors
    /// As [`Keys::student`].
    pub fn make(
        &self,
        students: &[StudentId],
        now: Wall,
    ) -> Result<HashMap<StudentId, DataKey>, Error> {
        let doing = "storing students' keys";
        let mut db = self.db();
        let kek = db.kek().clone();
        let all = db.transaction().doing(doing)?;
        let sql = "insert into student_key (student, wrapped, created_at) values (?1, ?2, ?3)
             on conflict (student) do nothing";
        for student in students {
            let id = student.to_string();
            let wrapped = kek.wrap(&id, &DataKey::random());
            all.prepare_cached(sql)
                .and_then(|mut insert| insert.execute(params![id, wrapped, now.0]))
                .doing(doing)?;
        }
        all.commit().doing(doing)?;
        drop(db);
        self.of(students.iter().copied())
    }

    /// Erases the key of `student`: what was sealed with it can never be read again, not from a
    /// backup either. Erase the data first.
    ///
    /// # Errors
    /// When the store fails.
    pub fn erase(&self, student: StudentId) -> Result<(), Error> {
        let sql = "delete from student_key where student = ?1";
        let erased = self.db().execute(sql, [student.to_string()]);
        erased.map(drop).doing("erasing a student's key")
    }

    /// Remembers that `student` is erased, outside the data: a backup of the data from before
    /// then brings nobody back.
    ///
    /// # Errors
    /// When the store fails.
    pub fn bury(&self, student: StudentId, now: Wall) -> Result<(), Error> {
        let sql = "insert into erased (student, at) values (?1, ?2) on conflict do nothing";
        let buried = self.db().execute(sql, params![student.to_string(), now.0]);
        buried.map(drop).doing("remembering an erasure")
    }

    /// Everybody who was erased.
    ///
    /// # Errors
    /// When the store fails.
    pub fn buried(&self) -> Result<Vec<StudentId>, Error> {
        self.people("select student from erased")
    }

    /// Everybody who has a key.
    ///
    /// # Errors
    /// When the store fails.
    pub fn students(&self) -> Result<Vec<StudentId>, Error> {
        self.people("select student from student_key")
    }

    fn people(&self, sql: &str) -> Result<Vec<StudentId>, Error> {
        let doing = "listing the students' keys";
        let db = self.db();
        let mut statement = db.prepare(sql).doing(doing)?;
        let ids = statement.query_map([], |row| row.get::<_, String>(0)).doing(doing)?;
        ids.map(|id| id.doing(doing)?.parse().doing(doing)).collect()
    }

    /// The key of the class photo `photo`, if it still has one.
    ///
    /// # Errors
    /// As [`Keys::student`].
    pub fn photo(&self, photo: Uuid) -> Result<Option<DataKey>, Error> {
        let doing = "reading a photo's key";
        let sql = "select wrapped from photo_key where photo = ?1";
        let (db, id) = (self.db(), photo.to_string());
        let wrapped = db.query_row(sql, [&id], |row| row.get::<_, Vec<u8>>(0));
        let wrapped = wrapped.optional().doing(doing)?;
        wrapped.map(|wrapped| db.kek().unwrap(&id, &wrapped).doing(doing)).transpose()
    }

    /// A new key for the class photo `photo`. Call it before data is written.
    ///
    /// # Errors
    /// When the store fails.
    pub fn new_photo(&self, photo: Uuid, now: Wall) -> Result<DataKey, Error> {
        let (db, id, key) = (self.db(), photo.to_string(), DataKey::random());
        let wrapped = db.kek().wrap(&id, &key);
        let sql = "insert into photo_key (photo, wrapped, created_at) values (?1, ?2, ?3)";
        db.execute(sql, params![id, wrapped, now.0]).doing("storing a photo's key")?;
        Ok(key)
    }

    /// Erases the key of a class photo: it and its crops can never be seen again. Erase the data
    /// first.
    ///
    /// # Errors
    /// When the store fails.
    pub fn erase_photo(&self, photo: Uuid) -> Result<(), Error> {
        let sql = "delete from photo_key where photo = ?1";
        let erased = self.db().execute(sql, [photo.to_string()]);
        erased.map(drop).doing("erasing a photo's key")
    }

    /// Every class photo whose key was made before `before`.
    ///
    /// # Errors
    /// When the store fails.
    pub fn photos(&self, before: Wall) -> Result<Vec<Uuid>, Error> {
        let doing = "listing the photos' keys";
        let db = self.db();
        let mut statement =
            db.prepare("select photo from photo_key where created_at < ?1").doing(doing)?;
        let ids = statement.query_map([before.0], |row| row.get::<_, String>(0)).doing(doing)?;
        ids.map(|id| id.doing(doing)?.parse().doing(doing)).collect()
    }

    /// The newest key that doors seal for.
    ///
    /// # Errors
    /// When the store fails.
    pub fn hub_secret(&self) -> Result<HubSecret, Error> {
        let sql = "select max(id) from hub_key where name = ?1";
        let id = self.db().query_row(sql, [SEAL], |row| row.get(0)).doing("finding a hub key")?;
        self.hub_secret_by(id)
    }

    /// The sealing key with number `id`, which an older record names.
    ///
    /// # Errors
    /// When it is gone, or the store fails.
    pub fn hub_secret_by(&self, id: u32) -> Result<HubSecret, Error> {
        Ok(HubSecret::from_bytes(id, *self.hub_key(SEAL, id)?))
    }

    /// What signs galleries.
    ///
    /// # Errors
    /// When the store fails.
    pub fn signing(&self) -> Result<SigningKey, Error> {
        let newest = self.ids(SIGN)?.first().copied().unwrap_or(1);
        Ok(SigningKey::from_bytes(&*self.hub_key(SIGN, newest)?))
    }

    /// Makes the next signing key. The one before names it, for doors that know only that, and is
    /// destroyed.
    ///
    /// # Errors
    /// When the store fails.
    pub fn rotate_signing(&self, now: Wall) -> Result<(), Error> {
        let (old, new) = (self.signing()?, DataKey::random());
        let before = self.ids(SIGN)?;
        let next = before.first().map_or(1, |newest| newest + 1);
        let public = SigningKey::from_bytes(new.as_bytes()).verifying_key();
        let named = postcard::to_stdvec(&Signed::successor(&old, &public));
        self.put(WAS, next, old.verifying_key().as_bytes(), now)?;
        self.put(NAMED, next, &named.doing("naming a signing key")?, now)?;
        self.put(SIGN, next, new.as_bytes(), now)?;
        before.into_iter().try_for_each(|id| self.forget(SIGN, id))
    }

    /// How each signing key was named by the one before it, oldest first.
    ///
    /// # Errors
    /// When the store fails.
    pub fn signers(&self) -> Result<Vec<Signed>, Error> {
        let named = |id: &u32| {
            postcard::from_bytes(&self.get(NAMED, *id)?).doing("reading who named a signing key")
        };
        self.ids(NAMED)?.iter().rev().map(named).collect()
    }

    /// Public halves of every signing key this hub ever had, newest first: what they signed long
    /// ago is still theirs.
    ///
    /// # Errors
    /// When the store fails.
    pub fn verifying(&self) -> Result<Vec<VerifyingKey>, Error> {
        let doing = "reading a signing key of before";
        let was = |id: &u32| {
            let bytes = <[u8; 32]>::try_from(self.get(WAS, *id)?.as_slice()).doing(doing)?;
            VerifyingKey::from_bytes(&bytes).doing(doing)
        };
        let mut all = vec![self.signing()?.verifying_key()];
        for id in &self.ids(WAS)? {
            all.push(was(id)?);
        }
        Ok(all)
    }

    /// What signs access tokens, newest first: the one before counts for `overlap_ms` after that
    /// was made, and is destroyed then.
    ///
    /// # Errors
    /// When the store fails.
    pub fn tokens(&self, overlap_ms: i64, now: Wall) -> Result<Vec<Zeroizing<[u8; 32]>>, Error> {
        let ids = self.ids(TOKENS)?;
        let newest =
            *ids.first().ok_or_else(|| Error::internal("reading a key", "there is none"))?;
        let over = self.made(TOKENS, newest)?.plus_ms(overlap_ms) <= now;
        let (keep, gone) = ids.split_at(ids.len().min(if over { 1 } else { 2 }));
        gone.iter().try_for_each(|id| self.forget(TOKENS, *id))?;
        keep.iter().map(|id| self.hub_key(TOKENS, *id)).collect()
    }

    /// Makes the next key of access tokens.
    ///
    /// # Errors
    /// When the store fails.
    pub fn rotate_tokens(&self, now: Wall) -> Result<(), Error> {
        let next = self.ids(TOKENS)?.first().map_or(1, |newest| newest + 1);
        self.put(TOKENS, next, DataKey::random().as_bytes(), now)
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
        let wrapped = db.kek().seal(name, secret);
        let sql = "insert into hub_key (name, id, wrapped, created_at) values (?1, ?2, ?3, ?4)";
        let stored = db.execute(sql, params![name, id, wrapped, now.0]);
        stored.map(drop).doing("storing a key of the hub")
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
    ///
    /// # Errors
    /// When the store fails.
    pub fn ids(&self, name: &str) -> Result<Vec<u32>, Error> {
        let doing = "listing the hub's keys";
        let db = self.db();
        let sql = "select id from hub_key where name = ?1 order by id desc";
        let mut all = db.prepare(sql).doing(doing)?;
        let ids = all.query_map([name], |row| row.get(0)).doing(doing)?.collect::<Result<_, _>>();
        ids.doing(doing)
    }

    /// Destroys what is kept under `name` and `id`.
    ///
    /// # Errors
    /// When the store fails.
    pub fn forget(&self, name: &str, id: u32) -> Result<(), Error> {
        let sql = "delete from hub_key where name = ?1 and id = ?2";
        self.db().execute(sql, params![name, id]).map(drop).doing("destroying a key of the hub")
    }

    /// The id that the database of these keys carries too.
    ///
    /// # Errors
    /// When the store fails.
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

    fn db(&self) -> Open<'_> {
        let mut store = self.0.store.lock().unwrap_or_else(PoisonError::into_inner);
        // Where files cannot be locked, the key cannot be replaced either.
        let _unlockable = self.0.lock.lock_shared();
        let mark = self.0.place.mark();
        if mark != store.mark
            && let Ok(kek) = self.0.place.open(&store.db)
        {
            (store.kek, store.mark) = (kek, mark);
        }
        Open { store, lock: &self.0.lock }
    }
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
mod tests {
    use super::*;
    use wire::sign;

    fn student(n: u128) -> StudentId {
        StudentId(uuid::Uuid::from_u128(n))
    }

    fn temp() -> (tempfile::TempDir, Keys) {
        let dir = tempfile::tempdir().unwrap();
        let keys = Keys::create(dir.path(), Wall(1)).unwrap();
        (dir, keys)
    }

    fn tokens(keys: &Keys) -> Vec<Zeroizing<[u8; 32]>> {
        keys.tokens(10, Wall(1)).unwrap()
    }

    #[test]
    fn the_key_of_tokens_before_the_newest_goes_when_its_time_is_over() {
        let (_dir, keys) = temp();
        let first = tokens(&keys);
        keys.rotate_tokens(Wall(5)).unwrap();
        let both = keys.tokens(10, Wall(14)).unwrap();
        assert!(both.len() == 2 && both[1] == first[0] && both[0] != both[1]);
        assert_eq!(keys.tokens(10, Wall(15)).unwrap(), both[..1]);
        assert_eq!(keys.ids(TOKENS).unwrap(), [2]);
    }

    #[test]
    fn an_erased_key_never_comes_back() {
        let (dir, keys) = temp();
        let sealed = keys.student_or_new(student(1), Wall(1)).unwrap().seal("x", b"face");
        let again = Keys::open(dir.path()).unwrap().student(student(1)).unwrap().unwrap();
        assert_eq!(&*again.open("x", &sealed).unwrap(), b"face");
        let raw = keys.get("seal", 1).unwrap();
        keys.erase(student(1)).unwrap();
        assert!(keys.student(student(1)).unwrap().is_none());
        let new = keys.student_or_new(student(1), Wall(1)).unwrap();
        assert!(new.open("x", &sealed).is_err());
        assert_eq!(*keys.get("seal", 1).unwrap(), *raw, "the hub's own keys stay");
    }

    #[test]
    fn a_photos_key_lives_until_it_is_erased() {
        let (dir, keys) = temp();
        let photo = Uuid::from_u128(5);
        let sealed = keys.new_photo(photo, Wall(1)).unwrap().seal("x", b"class");
        let again = Keys::open(dir.path()).unwrap();
        assert_eq!(&*again.photo(photo).unwrap().unwrap().open("x", &sealed).unwrap(), b"class");
        assert_eq!(again.photos(Wall(2)).unwrap(), [photo]);
        keys.erase_photo(photo).unwrap();
        assert!(keys.photo(photo).unwrap().is_none() && keys.photos(Wall(2)).unwrap().is_empty());
    }

    #[test]
    fn a_wrapped_key_is_not_left_in_the_file() {
        let (dir, keys) = temp();
        keys.student_or_new(student(1), Wall(1)).unwrap();
        let sql = "select wrapped from student_key";
        let wrapped: Vec<u8> = keys.db().query_row(sql, [], |row| row.get(0)).unwrap();
        let holds = || {
            let file = fs::read(dir.path().join("keys.db")).unwrap();
            file.windows(wrapped.len()).any(|w| w == wrapped)
        };
        assert!(holds());
        keys.erase(student(1)).unwrap();
        assert!(!holds());
        assert!(!dir.path().join("keys.db-journal").exists());
    }

    #[test]
    fn a_key_that_others_may_read_is_refused() {
        let (dir, _keys) = temp();
        let kek = dir.path().join("kek");
        fs::set_permissions(&kek, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(Keys::open(dir.path()).is_err());
        assert!(Keys::create(dir.path(), Wall(1)).is_err(), "never overwritten");
    }

    #[test]
    fn the_hubs_own_keys_stay_the_same() {
        let (dir, keys) = temp();
        let again = Keys::open(dir.path()).unwrap();
        assert_eq!(keys.signing().unwrap(), again.signing().unwrap());
        assert_eq!(tokens(&keys), tokens(&again));
        let public = |keys: &Keys| keys.hub_secret().unwrap().public().unwrap();
        assert_eq!(public(&keys), public(&again));
        assert!(keys.hub_secret_by(9).is_err());
    }

    #[test]
    fn whoever_knows_an_old_signing_key_finds_the_newest_and_the_old_ones_are_gone() {
        let (_dir, keys) = temp();
        let first = keys.signing().unwrap().verifying_key();
        keys.rotate_signing(Wall(2)).unwrap();
        let second = keys.signing().unwrap().verifying_key();
        keys.rotate_signing(Wall(3)).unwrap();
        let third = keys.signing().unwrap().verifying_key();
        let chain = keys.signers().unwrap();
        assert_eq!([first, second].map(|key| sign::newest(&key, &chain)), [third; 2]);
        assert_eq!(keys.verifying().unwrap(), [third, second, first]);
        assert_eq!(keys.ids(SIGN).unwrap(), [3], "their private halves");
    }

    #[test]
    fn a_new_kek_opens_everything_and_the_one_before_nothing() {
        let (dir, keys) = temp();
        let other = Keys::open(dir.path()).unwrap();
        let key = *keys.student_or_new(student(1), Wall(1)).unwrap().as_bytes();
        let sealed = keys.seal("totp", b"secret");
        let (before, token) = (fs::read(dir.path().join("kek")).unwrap(), tokens(&keys));
        let store = fs::read(dir.path().join("keys.db")).unwrap();
        keys.rotate_kek().unwrap();
        assert_ne!(fs::read(dir.path().join("kek")).unwrap(), before);
        for keys in [&keys, &other, &Keys::open(dir.path()).unwrap()] {
            assert_eq!(*keys.student(student(1)).unwrap().unwrap().as_bytes(), key);
            assert_eq!(*keys.unseal("totp", &sealed).unwrap(), b"secret");
            assert_eq!(tokens(keys), token);
        }
        let made = *other.student_or_new(student(2), Wall(1)).unwrap().as_bytes();
        assert_eq!(*keys.student(student(2)).unwrap().unwrap().as_bytes(), made);
        fs::write(dir.path().join("kek"), &before).unwrap();
        assert!(Keys::open(dir.path()).is_err(), "the old one is refused");
        fs::write(dir.path().join("keys.db"), store).unwrap();
        Keys::open(dir.path()).unwrap();
    }

    #[test]
    fn a_replacement_of_kek_that_was_cut_short_is_finished() {
        let (dir, keys) = temp();
        let place = |name: &str| dir.path().join(name);
        let old = fs::read(place("kek")).unwrap();
        fs::write(place("kek.next"), [9; 32]).unwrap();
        Keys::open(dir.path()).unwrap().signing().unwrap();
        keys.rotate_kek().unwrap();
        // As if the power went before the last rename.
        fs::rename(place("kek"), place("kek.next")).unwrap();
        fs::write(place("kek"), old).unwrap();
        fs::set_permissions(place("kek"), fs::Permissions::from_mode(0o600)).unwrap();
        Keys::open(dir.path()).unwrap().signing().unwrap();
        assert!(!place("kek.next").exists());
    }

    #[test]
    fn with_a_secret_of_the_machine_the_disk_alone_opens_nothing() {
        let (dir, keys) = temp();
        let (key, machine) = (tokens(&keys), DataKey::random());
        let open = |machine: Option<&DataKey>| {
            Keys::open_at(dir.path(), Place::with(dir.path(), machine.cloned()))
        };
        let sealed = open(Some(&machine)).unwrap();
        assert!(!dir.path().join("kek").exists(), "what lay in the clear is gone");
        assert!(open(None).is_err() && open(Some(&DataKey::random())).is_err());
        sealed.rotate_kek().unwrap();
        assert_eq!(tokens(&open(Some(&machine)).unwrap()), key);
        let copy = tempfile::tempdir().unwrap();
        sealed.copy(dir.path(), copy.path()).unwrap();
        assert_eq!(tokens(&Keys::open_copy(copy.path()).unwrap()), key, "a backup");
    }

    #[test]
    fn under_load_no_key_is_lost_while_kek_is_replaced() {
        let (dir, keys) = temp();
        let writer = Keys::open(dir.path()).unwrap();
        let made = std::thread::spawn(move || {
            let make = |n| *writer.student_or_new(student(n), Wall(1)).unwrap().as_bytes();
            (0..200).map(make).collect::<Vec<_>>()
        });
        (0..10).for_each(|_| keys.rotate_kek().unwrap());
        for (n, key) in (0..).zip(made.join().unwrap()) {
            assert_eq!(*keys.student(student(n)).unwrap().unwrap().as_bytes(), key);
        }
    }
}
