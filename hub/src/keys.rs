//! The hub's secrets: a key for each student, and the hub's own.
//!
//! They live in `keys.db`, apart from the data and never in its backups: deleting a student's
//! key makes every copy of that student's templates and crops unreadable. All of them are
//! wrapped with the key in the file `kek` (0600). Write key first, then data; erase data first,
//! then key: what a crash leaves between the two is a key without data, and the hub removes it
//! at its next start.

use crate::error::{Doing, Error};
use crate::vault::DataKey;
use ed25519_dalek::SigningKey;
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::HashMap;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use uuid::Uuid;
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

/// The key store; cheap to clone.
#[derive(Clone)]
pub struct Keys {
    db: Arc<Mutex<Connection>>,
    kek: DataKey,
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
        let path = dir.join("kek");
        let doing = format!("writing {}", path.display());
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .doing(&doing)?;
        let kek = DataKey::random();
        file.write_all(kek.as_bytes()).and_then(|()| file.sync_all()).doing(&doing)?;
        let keys = Self::with(dir, kek)?;
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
        let path = dir.join("kek");
        let doing = format!("reading {}", path.display());
        let mode = fs::metadata(&path).doing(&doing)?.permissions().mode();
        if mode & 0o077 != 0 {
            let why = "others than its owner may read it: chmod 600 it, and ask who has";
            return Err(Error::internal(doing, why));
        }
        let bytes = Zeroizing::new(fs::read(&path).doing(&doing)?);
        let store = dir.join("keys.db");
        if !store.exists() {
            let why = "it is missing, and what is sealed opens with it alone: put it back";
            return Err(Error::internal(format!("opening {}", store.display()), why));
        }
        Self::with(dir, DataKey::from_slice(&bytes).doing(&doing)?)
    }

    fn with(dir: &Path, kek: DataKey) -> Result<Self, Error> {
        let doing = "opening keys.db";
        let path = dir.join("keys.db");
        let db = Connection::open(&path).doing(doing)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).doing(doing)?;
        db.busy_timeout(std::time::Duration::from_secs(5)).doing(doing)?;
        // No WAL: a deleted key must not survive in a log beside the file.
        let pragmas = "pragma journal_mode = delete; pragma synchronous = extra;
             pragma secure_delete = on; pragma mmap_size = 0;";
        db.execute_batch(pragmas).and_then(|()| db.execute_batch(SCHEMA)).doing(doing)?;
        Ok(Self { db: Arc::new(Mutex::new(db)), kek })
    }

    /// The key of `student`, if they have one.
    ///
    /// # Errors
    /// When the store fails or `kek` is not the one the key was wrapped with.
    pub fn student(&self, student: StudentId) -> Result<Option<DataKey>, Error> {
        let doing = "reading a student's key";
        let sql = "select wrapped from student_key where student = ?1";
        let id = student.to_string();
        let wrapped = self.db().query_row(sql, [&id], |row| row.get::<_, Vec<u8>>(0));
        let wrapped = wrapped.optional().doing(doing)?;
        wrapped.map(|wrapped| self.kek.unwrap(&id, &wrapped).doing(doing)).transpose()
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
        let snapshot = db.transaction().doing(doing)?;
        let sql = "select wrapped from student_key where student = ?1";
        let mut statement = snapshot.prepare_cached(sql).doing(doing)?;
        let mut keys = HashMap::new();
        for student in students {
            let id = student.to_string();
            let wrapped = statement.query_row([&id], |row| row.get::<_, Vec<u8>>(0));
            let Some(wrapped) = wrapped.optional().doing(doing)? else { continue };
            keys.insert(student, self.kek.unwrap(&id, &wrapped).doing(doing)?);
        }
        Ok(keys)
    }

    /// The key of `student`, made and stored if they have none. Call it before data is written.
    ///
    /// # Errors
    /// As [`Keys::student`].
    pub fn student_or_new(&self, student: StudentId, now: Wall) -> Result<DataKey, Error> {
        let id = student.to_string();
        let wrapped = self.kek.wrap(&id, &DataKey::random());
        let sql = "insert into student_key (student, wrapped, created_at) values (?1, ?2, ?3)
             on conflict (student) do nothing";
        self.db().execute(sql, params![id, wrapped, now.0]).doing("storing a student's key")?;
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
        let all = db.transaction().doing(doing)?;
        let sql = "insert into student_key (student, wrapped, created_at) values (?1, ?2, ?3)
             on conflict (student) do nothing";
        for student in students {
            let id = student.to_string();
            let wrapped = self.kek.wrap(&id, &DataKey::random());
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
        self.ids("select student from erased")
    }

    /// Everybody who has a key.
    ///
    /// # Errors
    /// When the store fails.
    pub fn students(&self) -> Result<Vec<StudentId>, Error> {
        self.ids("select student from student_key")
    }

    fn ids(&self, sql: &str) -> Result<Vec<StudentId>, Error> {
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
        let id = photo.to_string();
        let wrapped = self.db().query_row(sql, [&id], |row| row.get::<_, Vec<u8>>(0));
        let wrapped = wrapped.optional().doing(doing)?;
        wrapped.map(|wrapped| self.kek.unwrap(&id, &wrapped).doing(doing)).transpose()
    }

    /// A new key for the class photo `photo`. Call it before data is written.
    ///
    /// # Errors
    /// When the store fails.
    pub fn new_photo(&self, photo: Uuid, now: Wall) -> Result<DataKey, Error> {
        let (id, key) = (photo.to_string(), DataKey::random());
        let wrapped = self.kek.wrap(&id, &key);
        let sql = "insert into photo_key (photo, wrapped, created_at) values (?1, ?2, ?3)";
        self.db().execute(sql, params![id, wrapped, now.0]).doing("storing a photo's key")?;
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
        Ok(SigningKey::from_bytes(&*self.hub_key(SIGN, 1)?))
    }

    /// What signs access tokens.
    ///
    /// # Errors
    /// When the store fails.
    pub fn tokens(&self) -> Result<Zeroizing<[u8; 32]>, Error> {
        self.hub_key(TOKENS, 1)
    }

    /// Keeps a secret of any length, such as a private key, under `name`.
    ///
    /// # Errors
    /// When there is one already, or the store fails.
    pub fn put(&self, name: &str, id: u32, secret: &[u8], now: Wall) -> Result<(), Error> {
        let wrapped = self.kek.seal(name, secret);
        let sql = "insert into hub_key (name, id, wrapped, created_at) values (?1, ?2, ?3, ?4)";
        let stored = self.db().execute(sql, params![name, id, wrapped, now.0]);
        stored.map(drop).doing("storing a key of the hub")
    }

    /// The secret that [`Keys::put`] kept.
    ///
    /// # Errors
    /// When there is none, or the store fails.
    pub fn get(&self, name: &str, id: u32) -> Result<Zeroizing<Vec<u8>>, Error> {
        let doing = format!("reading the hub's key “{name}” {id}");
        let sql = "select wrapped from hub_key where name = ?1 and id = ?2";
        let wrapped = self.db().query_row(sql, params![name, id], |row| row.get::<_, Vec<u8>>(0));
        self.kek.open(name, &wrapped.doing(&doing)?).doing(&doing)
    }

    /// Seals a small secret of an account for `place`: the database keeps it, and a copy of the
    /// database alone does not open it.
    #[must_use]
    pub fn seal(&self, place: &str, plain: &[u8]) -> Vec<u8> {
        self.kek.seal(place, plain)
    }

    /// What [`Keys::seal`] sealed for `place`.
    ///
    /// # Errors
    /// When it was sealed by other keys or for another place.
    pub fn unseal(&self, place: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
        self.kek.open(place, sealed).doing("opening a sealed secret")
    }

    fn hub_key(&self, name: &str, id: u32) -> Result<Zeroizing<[u8; 32]>, Error> {
        let key = DataKey::from_slice(&self.get(name, id)?).doing("reading a key of the hub")?;
        Ok(Zeroizing::new(*key.as_bytes()))
    }

    fn db(&self) -> MutexGuard<'_, Connection> {
        self.db.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn student(n: u128) -> StudentId {
        StudentId(uuid::Uuid::from_u128(n))
    }

    fn temp() -> (tempfile::TempDir, Keys) {
        let dir = tempfile::tempdir().unwrap();
        let keys = Keys::create(dir.path(), Wall(1)).unwrap();
        (dir, keys)
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
        assert_eq!(*keys.tokens().unwrap(), *again.tokens().unwrap());
        let public = |keys: &Keys| keys.hub_secret().unwrap().public().unwrap();
        assert_eq!(public(&keys), public(&again));
        assert!(keys.hub_secret_by(9).is_err());
    }
}
