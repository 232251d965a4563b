//! The key that wraps all others: where it lies on this machine, and how it is replaced.
//!
//! It is the file `kek`, or `kek.sealed` where the machine hands the hub a secret of its own
//! (systemd's `LoadCredential` or `LoadCredentialEncrypted`, named `rollcall-kek`): then the disk
//! alone opens nothing. The database knows its print, so that a replacement that was cut short
//! is finished: before it `kek` is the right one, after it `kek.next`.

use super::shelf::Hold;
use crate::params;
use crate::tx::Tx;
use crate::value::Value;
use crate::vault::DataKey;
use rules::error::{Doing, Error};
use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
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
/// Names of tables with wrapped keys, their columns that name one, and what its place begins with.
const WRAPPED: [(&str, &str, &str); 4] = [
    ("student_key", "student", ""),
    ("photo_key", "photo", ""),
    ("hub_key", "name, id", ""),
    ("door_key", "device", super::doors::PLACE),
];
/// Keys that are wrapped anew by one statement.
const SOME: usize = 200;

/// Where the key lies, and the machine's secret if there is one.
#[derive(Clone, Debug)]
pub(super) struct KekPlace {
    dir: PathBuf,
    machine: Option<DataKey>,
}

/// The key, and its print.
#[derive(Clone)]
pub(super) struct Kek {
    key: DataKey,
    print: [u8; 32],
}

impl Kek {
    pub(super) fn new(key: DataKey) -> Self {
        Self { print: print(&key), key }
    }

    pub(super) fn key(&self) -> &DataKey {
        &self.key
    }

    pub(super) fn print(&self) -> &[u8] {
        &self.print
    }
}

/// Held while the keys of a folder are used, in any process.
pub(super) struct Held(File);

impl Drop for Held {
    fn drop(&mut self) {
        let _closed_with_the_file = self.0.unlock();
    }
}

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

    /// Keeps whoever would replace the key from it, or everybody else.
    pub(super) fn hold(&self, hold: Hold) -> Result<Held, Error> {
        let mut options = File::options();
        let lock = options.create(true).append(true).open(self.dir.join("keys.lock"));
        // It may go well the next time: nothing is at fault with what the key was wanted for.
        let lock = lock.map_err(|why| {
            Error::Unavailable(format!("keys.lock cannot be opened ({why}): try again in a moment"))
        })?;
        match hold {
            Hold::Alone => lock.lock().doing("waiting for whoever uses the keys")?,
            // Where files cannot be locked, the key cannot be replaced either.
            Hold::Read | Hold::Write => drop(lock.lock_shared()),
        }
        Ok(Held(lock))
    }

    /// A file beside the key.
    pub(super) fn beside(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// A first key; with a machine's secret it is sealed at once.
    pub(super) fn create(&self) -> Result<DataKey, Error> {
        let key = DataKey::random();
        let name = if self.machine.is_some() { SEALED } else { PLAIN };
        self.write(&self.dir.join(name), &key)?;
        Ok(key)
    }

    /// Refuses a folder that has one.
    pub(super) fn is_free(&self) -> Result<(), Error> {
        let say = || Error::Conflict(format!("{} has keys already", self.dir.display()));
        if self.file().exists() { Err(say()) } else { Ok(()) }
    }

    /// Puts `key` where there is none.
    pub(super) fn put(&self, key: &DataKey) -> Result<(), Error> {
        self.write(&self.file(), key)
    }

    fn write(&self, path: &Path, key: &DataKey) -> Result<(), Error> {
        self.write_sealed(path, PLAIN, key.as_bytes())
    }

    /// Writes a secret where there is none, sealed for `what` where the machine has a secret.
    pub(super) fn write_sealed(&self, path: &Path, what: &str, plain: &[u8]) -> Result<(), Error> {
        let doing = format!("writing {}", path.display());
        let mut options = OpenOptions::new();
        let mut file = options.write(true).create_new(true).mode(0o600).open(path).doing(&doing)?;
        let bytes = match &self.machine {
            Some(machine) => Zeroizing::new(machine.seal(what, plain)),
            None => Zeroizing::new(plain.to_vec()),
        };
        file.write_all(&bytes).and_then(|()| file.sync_all()).doing(&doing)
    }

    fn read(&self, path: &Path) -> Result<DataKey, Error> {
        let doing = format!("reading {}", path.display());
        let bytes = secret(path)?;
        if bytes.len() == 32 {
            return DataKey::from_slice(&bytes).doing(&doing);
        }
        self.unsealed(&doing, PLAIN, &bytes).and_then(|key| DataKey::from_slice(&key).doing(&doing))
    }

    /// What [`Self::write_sealed`] wrote.
    pub(super) fn read_sealed(&self, path: &Path, what: &str) -> Result<Zeroizing<Vec<u8>>, Error> {
        let doing = format!("reading {}", path.display());
        let bytes = secret(path)?;
        match &self.machine {
            Some(machine) => machine.open(what, &bytes).or(Ok(bytes)),
            None => Ok(bytes),
        }
        .map_err(|broken: crate::vault::Broken| Error::internal(doing, broken))
    }

    fn unsealed(&self, doing: &str, what: &str, bytes: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
        let machine = self.machine.as_ref().ok_or_else(|| {
            let why = "it is sealed with the machine's secret `rollcall-kek`: let systemd hand it \
                       over (LoadCredential), for a command too";
            Error::internal(doing, why)
        })?;
        machine.open(what, bytes).doing(doing)
    }

    /// The key whose print the store knows. Finishes a replacement that was cut short, and seals a
    /// key that lies in the clear although the machine has a secret.
    pub(super) fn open(&self, tx: &Tx<'_>) -> Result<Kek, Error> {
        let found = match known(tx)? {
            None => Kek::new(self.read(&self.file())?),
            Some(known) => self.find(&known)?,
        };
        let sql = "insert into kek (n, print) values (1, $1) on conflict do nothing";
        tx.execute(sql, params![found.print()])?;
        let plain = self.dir.join(PLAIN);
        if self.machine.is_some() && plain.exists() {
            if !self.dir.join(SEALED).exists() {
                self.write(&self.dir.join(SEALED), found.key())?;
            }
            shred(&plain)?;
        }
        Ok(found)
    }

    /// Takes the key that was put in the place of `kek` meanwhile. Whether there is one here.
    pub(super) fn refresh(&self, tx: &Tx<'_>, kek: &mut Kek) -> Result<bool, Error> {
        let known = known(tx)?;
        if known.as_deref().is_none_or(|known| known == kek.print()) {
            return Ok(true);
        }
        let found = self.find(&known.unwrap_or_default());
        let is_here = found.is_ok();
        *kek = found.unwrap_or_else(|_| kek.clone());
        Ok(is_here)
    }

    /// The key with this print, of those that lie here.
    pub(super) fn find(&self, known: &[u8]) -> Result<Kek, Error> {
        let fits = |key: &Kek| key.print() == known;
        let first = match self.read(&self.file()).map(Kek::new) {
            Ok(key) if fits(&key) => return Ok(key),
            Ok(_) => Error::internal("opening the key store", "kek is not what it is wrapped with"),
            Err(error) => error,
        };
        let Some(next) = self.read(&self.next()).ok().map(Kek::new).filter(fits) else {
            return Err(first);
        };
        fs::rename(self.next(), self.file()).doing("finishing the replacement of kek")?;
        Ok(next)
    }

    /// Wraps everything with a new key instead of `old`, and lets other hubs know by `tell`. It lies
    /// beside that one until [`Self::settle`].
    pub(super) fn replace(
        &self,
        tx: &Tx<'_>,
        old: &DataKey,
        tell: impl FnOnce(&DataKey) -> Result<(), Error>,
    ) -> Result<Kek, Error> {
        let new = Kek::new(DataKey::random());
        self.lay_beside(&new)?;
        for wrapped in WRAPPED {
            rewrap(tx, wrapped, old, new.key())?;
        }
        tell(new.key())?;
        tx.execute("update kek set print = $1 where n = 1", params![new.print()])?;
        Ok(new)
    }

    /// Puts the next key beside the one that counts.
    pub(super) fn lay_beside(&self, next: &Kek) -> Result<(), Error> {
        let _left_by_a_crash = fs::remove_file(self.next());
        self.write(&self.next(), next.key())
    }

    /// After [`Self::replace`] is stored: the key before is gone.
    pub(super) fn settle(&self) -> Result<(), Error> {
        renew(&self.next(), &self.file())?;
        let folder = File::open(&self.dir).and_then(|folder| folder.sync_all());
        folder.doing("replacing kek")
    }
}

/// Writes over what `path` held, and puts `next` there.
pub(super) fn renew(next: &Path, path: &Path) -> Result<(), Error> {
    if path.exists() {
        overwrite(path)?;
    }
    fs::rename(next, path).doing(&format!("replacing {}", path.display()))
}

/// The print of the key that the store is wrapped with.
pub(super) fn known(tx: &Tx<'_>) -> Result<Option<Vec<u8>>, Error> {
    tx.row("select print from kek where n = 1", [], |row| row.get(0))
}

/// What a file of nobody else's holds.
fn secret(path: &Path) -> Result<Zeroizing<Vec<u8>>, Error> {
    let doing = format!("reading {}", path.display());
    let mode = fs::metadata(path).doing(&doing)?.permissions().mode();
    if mode & 0o077 != 0 {
        let why = "others than its owner may read it: chmod 600 it, and ask who has";
        return Err(Error::internal(doing, why));
    }
    Ok(Zeroizing::new(fs::read(path).doing(&doing)?))
}

/// Tells keys apart and says nothing about them.
fn print(key: &DataKey) -> [u8; 32] {
    blake3::derive_key("rollcall 2026 print of kek", key.as_bytes())
}

fn rewrap(
    tx: &Tx<'_>,
    (table, names, begin): (&str, &str, &str),
    old: &DataKey,
    new: &DataKey,
) -> Result<(), Error> {
    let id = if names.ends_with("id") { "id" } else { "0" };
    let name = names.split(',').next().unwrap_or(names);
    let sql = format!("select {name}, {id}, wrapped, created_at from {table} order by {names}");
    let rows = tx.query(&sql, [], |row| {
        Ok((row.get::<String>(0)?, row.get(1)?, row.get::<Vec<u8>>(2)?, row.get(3)?))
    })?;
    for some in rows.chunks(SOME) {
        let mut values: Vec<Value> = Vec::new();
        for (name, id, wrapped, made) in some {
            let place = format!("{begin}{name}");
            let plain = old.open(&place, wrapped).doing("replacing kek")?;
            values.push(name.clone().into());
            if names.ends_with("id") {
                values.push(Value::Integer(*id));
            }
            values.extend([new.seal(&place, &plain).into(), Value::Integer(*made)]);
        }
        let width = values.len() / some.len();
        let rows = some.iter().enumerate().map(|(row, _)| numbered(row * width, width));
        let sql = format!(
            "insert into {table} ({names}, wrapped, created_at) values {}
             on conflict ({names}) do update set wrapped = excluded.wrapped",
            rows.collect::<Vec<_>>().join(", ")
        );
        tx.execute(&sql, values)?;
    }
    Ok(())
}

/// The places of one row in a statement of several.
fn numbered(after: usize, width: usize) -> String {
    let places = (1..=width).map(|n| format!("${}", after + n));
    format!("({})", places.collect::<Vec<_>>().join(", "))
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
