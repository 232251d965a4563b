//! The key that wraps all others: where it lies, and how it is replaced.
//!
//! It is the file `kek`, or `kek.sealed` where the machine hands the hub a secret of its own
//! (systemd's `LoadCredential` or `LoadCredentialEncrypted`, named `rollcall-kek`): then the disk
//! alone opens nothing. The database knows its print, so that a replacement that was cut short
//! is finished: before it `kek` is the right one, after it `kek.next`.

use crate::vault::DataKey;
use rules::error::{Doing, Error};
use rusqlite::{Connection, OptionalExtension as _, params};
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

pub(super) const SCHEMA: &str = "
    create table if not exists kek (
        n bigint primary key not null check (n = 1), print blob not null
    ) without rowid;";

/// The machine's secret, in the folder that systemd names.
const CREDENTIAL: &str = "rollcall-kek";
const PLAIN: &str = "kek";
const SEALED: &str = "kek.sealed";
/// Names of tables with wrapped keys, their column of places, and what a place begins with.
const WRAPPED: [(&str, &str, &str); 4] = [
    ("student_key", "student", ""),
    ("photo_key", "photo", ""),
    ("hub_key", "name", ""),
    ("door_key", "device", super::doors::PLACE),
];

/// Where the key lies, and the machine's secret if there is one.
#[derive(Clone, Debug)]
pub(super) struct KekPlace {
    dir: PathBuf,
    machine: Option<DataKey>,
}

/// A file as it was: another one has another number or time.
pub(super) type KekMark = (u64, i64, i64);

impl KekPlace {
    /// In `dir`, with the machine's secret.
    pub(super) fn of(dir: &Path) -> Result<Self, Error> {
        let folder = std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from);
        let file = folder.map(|folder| folder.join(CREDENTIAL)).filter(|file| file.exists());
        let read = |file: PathBuf| {
            let secret = Zeroizing::new(fs::read(&file).doing("reading the machine's secret")?);
            let key = blake3::derive_key("rollcall 2026 seal of kek", &secret);
            DataKey::from_slice(&key).doing("reading the machine's secret")
        };
        Ok(Self { dir: dir.to_owned(), machine: file.map(read).transpose()? })
    }

    /// In `dir`, in the clear.
    pub(super) fn without_machine(dir: &Path) -> Self {
        Self { dir: dir.to_owned(), machine: None }
    }

    #[cfg(test)]
    pub(super) fn with(dir: &Path, machine: Option<DataKey>) -> Self {
        Self { dir: dir.to_owned(), machine }
    }

    fn file(&self) -> PathBuf {
        let sealed = self.dir.join(SEALED);
        if sealed.exists() { sealed } else { self.dir.join(PLAIN) }
    }

    fn next(&self) -> PathBuf {
        self.file().with_extension("next")
    }

    pub(super) fn mark(&self) -> Option<KekMark> {
        let about = fs::metadata(self.file()).ok()?;
        Some((about.ino(), about.mtime(), about.mtime_nsec()))
    }

    /// A first key; with a machine's secret it is sealed at once.
    pub(super) fn create(&self) -> Result<DataKey, Error> {
        let key = DataKey::random();
        let name = if self.machine.is_some() { SEALED } else { PLAIN };
        self.write(&self.dir.join(name), &key)?;
        Ok(key)
    }

    /// Puts `key` where there is none.
    pub(super) fn put(&self, key: &DataKey) -> Result<(), Error> {
        self.write(&self.file(), key)
    }

    fn write(&self, path: &Path, key: &DataKey) -> Result<(), Error> {
        let doing = format!("writing {}", path.display());
        let mut options = OpenOptions::new();
        let mut file = options.write(true).create_new(true).mode(0o600).open(path).doing(&doing)?;
        let bytes = match &self.machine {
            Some(machine) => Zeroizing::new(machine.wrap(PLAIN, key)),
            None => Zeroizing::new(key.as_bytes().to_vec()),
        };
        file.write_all(&bytes).and_then(|()| file.sync_all()).doing(&doing)
    }

    fn read(&self, path: &Path) -> Result<DataKey, Error> {
        let doing = format!("reading {}", path.display());
        let mode = fs::metadata(path).doing(&doing)?.permissions().mode();
        if mode & 0o077 != 0 {
            let why = "others than its owner may read it: chmod 600 it, and ask who has";
            return Err(Error::internal(doing, why));
        }
        let bytes = Zeroizing::new(fs::read(path).doing(&doing)?);
        if bytes.len() == 32 {
            return DataKey::from_slice(&bytes).doing(&doing);
        }
        let machine = self.machine.as_ref().ok_or_else(|| {
            let why = "it is sealed with the machine's secret `rollcall-kek`: let systemd hand it \
                       over (LoadCredential), for a command too";
            Error::internal(doing.clone(), why)
        })?;
        machine.unwrap(PLAIN, &bytes).doing(&doing)
    }

    /// The key whose print `db` knows. Finishes a replacement that was cut short, and seals a key
    /// that lies in the clear although the machine has a secret.
    pub(super) fn open(&self, db: &Connection) -> Result<DataKey, Error> {
        let sql = "select print from kek where n = 1";
        let known: Option<Vec<u8>> =
            db.query_row(sql, [], |row| row.get(0)).optional().doing("opening keys.db")?;
        let fits = |key: &DataKey| known.as_ref().is_none_or(|known| known[..] == print(key));
        let first = match self.read(&self.file()) {
            Ok(key) if fits(&key) => return self.settle(db, key),
            Ok(_) => {
                Error::internal("opening keys.db", "kek is not the key that it is wrapped with")
            }
            Err(error) => error,
        };
        let Some(next) = self.read(&self.next()).ok().filter(fits) else { return Err(first) };
        fs::rename(self.next(), self.file()).doing("finishing the replacement of kek")?;
        Ok(next)
    }

    fn settle(&self, db: &Connection, key: DataKey) -> Result<DataKey, Error> {
        let sql = "insert into kek (n, print) values (1, ?1) on conflict do nothing";
        db.execute(sql, [print(&key).to_vec()]).doing("opening keys.db")?;
        let plain = self.dir.join(PLAIN);
        if self.machine.is_some() && plain.exists() {
            if !self.dir.join(SEALED).exists() {
                self.write(&self.dir.join(SEALED), &key)?;
            }
            shred(&plain)?;
        }
        Ok(key)
    }

    /// Wraps everything in `db` with a new key instead of `old`, which is gone afterwards.
    pub(super) fn rotate(&self, db: &mut Connection, old: &DataKey) -> Result<DataKey, Error> {
        let doing = "replacing kek";
        let next = self.next();
        let new = DataKey::random();
        let _left_by_a_crash = fs::remove_file(&next);
        self.write(&next, &new)?;
        let all = db.transaction().doing(doing)?;
        for (table, column, begin) in WRAPPED {
            rewrap(&all, (table, column, begin), old, &new)?;
        }
        let print = print(&new).to_vec();
        all.execute("update kek set print = ?1 where n = 1", [print]).doing(doing)?;
        all.commit().doing(doing)?;
        overwrite(&self.file())?;
        fs::rename(&next, self.file()).doing(doing)?;
        fs::File::open(&self.dir).and_then(|folder| folder.sync_all()).doing(doing)?;
        Ok(new)
    }
}

/// Tells keys apart and says nothing about them.
fn print(key: &DataKey) -> [u8; 32] {
    blake3::derive_key("rollcall 2026 print of kek", key.as_bytes())
}

fn rewrap(
    db: &Connection,
    (table, column, begin): (&str, &str, &str),
    old: &DataKey,
    new: &DataKey,
) -> Result<(), Error> {
    let doing = "replacing kek";
    let id = if table == "hub_key" { "id" } else { "0" };
    let sql = format!("select {column}, {id}, wrapped from {table}");
    let mut select = db.prepare(&sql).doing(doing)?;
    let row = |row: &rusqlite::Row<'_>| {
        Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?, row.get::<_, Vec<u8>>(2)?))
    };
    let rows = select.query_map([], row).doing(doing)?.collect::<Result<Vec<_>, _>>();
    let sql = format!("update {table} set wrapped = ?3 where {column} = ?1 and {id} = ?2");
    let mut update = db.prepare(&sql).doing(doing)?;
    for (name, id, wrapped) in rows.doing(doing)? {
        let place = format!("{begin}{name}");
        let plain = old.open(&place, &wrapped).doing(doing)?;
        update.execute(params![name, id, new.seal(&place, &plain)]).doing(doing)?;
    }
    Ok(())
}

/// Writes over what a file holds: a disk may still keep it somewhere, a file system rarely does.
pub fn overwrite(path: &Path) -> Result<(), Error> {
    let doing = format!("writing over {}", path.display());
    let length = usize::try_from(fs::metadata(path).doing(&doing)?.len()).unwrap_or(0);
    let mut file = OpenOptions::new().write(true).open(path).doing(&doing)?;
    file.write_all(&vec![0; length]).and_then(|()| file.sync_all()).doing(&doing)
}

fn shred(path: &Path) -> Result<(), Error> {
    overwrite(path)?;
    fs::remove_file(path).doing(&format!("removing {}", path.display()))
}
