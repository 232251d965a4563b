//! What copies are locked with: public keys in the file `backup.pub` of the data directory, as
//! the program `age` reads and writes them. The private key is on no disk of this machine.

use age::secrecy::ExposeSecret as _;
use age::x25519::{Identity, Recipient};
use rules::error::{Doing, Error};
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use zeroize::Zeroizing;

/// The public keys, in the data directory.
pub const FILE: &str = "backup.pub";
/// How a private key begins.
const PRIVATE: &str = "AGE-SECRET-KEY-1";

/// Makes a pair: the private half is handed to `keep`; only when that is kept, backups from now on
/// are locked with the public one. Else the key before would be gone, and nobody had the new one.
///
/// # Errors
/// What `keep` says; when the disk refuses.
pub fn create<E: From<Error>>(
    data: &Path,
    keep: impl FnOnce(&str) -> Result<(), E>,
) -> Result<(), E> {
    let pair = Identity::generate();
    let doing = "making the key of backups";
    let text = format!(
        "# Backups are locked with this key; its other half opens them.\n{}\n",
        pair.to_public()
    );
    let path = data.join(FILE);
    let beside = data.join("backup.new");
    let mut file = File::create(&beside).doing(doing)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).doing(doing)?;
    keep(pair.to_string().expose_secret())?;
    Ok(fs::rename(&beside, &path).doing(doing)?)
}

/// Writes a private key where nobody else may read it.
///
/// # Errors
/// When there is a file already, or the disk refuses.
pub fn write_private(path: &Path, key: &str) -> Result<(), Error> {
    let doing = format!("writing {}", path.display());
    let mut options = OpenOptions::new();
    let mut file = options.write(true).create_new(true).mode(0o600).open(path).doing(&doing)?;
    writeln!(file, "{key}").and_then(|()| file.sync_all()).doing(&doing)
}

/// Locks copies.
pub struct Lock(Vec<Recipient>);

impl Lock {
    /// With the public keys of the hub in `data`.
    ///
    /// # Errors
    /// `Conflict` when it has none; then there is no backup.
    pub fn read(data: &Path) -> Result<Self, Error> {
        let path = data.join(FILE);
        let none = || {
            let path = path.display();
            Error::Conflict(format!(
                "there is no key to lock a backup with ({path}): make one with \
                 `rollcall-hub keys rotate backup`, and keep what it prints elsewhere"
            ))
        };
        let text = fs::read_to_string(&path).map_err(|_| none())?;
        let keys = text.lines().map(str::trim).filter(|line| line.starts_with("age1"));
        let keys =
            keys.map(|key| key.parse().map_err(|_| none())).collect::<Result<Vec<_>, _>>()?;
        if keys.is_empty() { Err(none()) } else { Ok(Self(keys)) }
    }

    /// Writes what `from` holds to the new file `to`, locked, and makes it last.
    ///
    /// # Errors
    /// When a disk refuses.
    pub fn seal(&self, from: &mut impl Read, to: &Path) -> Result<(), Error> {
        let doing = format!("writing {}", to.display());
        let mut options = OpenOptions::new();
        let file = options.write(true).create_new(true).mode(0o600).open(to).doing(&doing)?;
        let keys = self.0.iter().map(|key| key as &dyn age::Recipient);
        let sealer = age::Encryptor::with_recipients(keys).doing(&doing)?;
        let mut sealed = sealer.wrap_output(file).doing(&doing)?;
        std::io::copy(from, &mut sealed).doing(&doing)?;
        sealed.finish().and_then(|file| file.sync_all()).doing(&doing)
    }
}

/// Opens copies.
pub struct BackupKey(Identity);

impl BackupKey {
    /// The private key in the file at `path`.
    ///
    /// # Errors
    /// `Invalid` when there is none in it.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let doing = format!("reading {}", path.display());
        let text = Zeroizing::new(fs::read_to_string(path).doing(&doing)?);
        let none = || Error::Invalid(format!("{} holds no private key of backups", path.display()));
        let line = text.lines().map(str::trim).find(|line| line.starts_with(PRIVATE));
        line.ok_or_else(none)?.parse().map(Self).map_err(|_| none())
    }

    /// What the locked file at `from` holds.
    ///
    /// # Errors
    /// `Invalid` when it was locked with another key.
    pub fn open(&self, from: &Path) -> Result<impl Read + use<>, Error> {
        let doing = format!("reading {}", from.display());
        let locked = age::Decryptor::new(std::io::BufReader::new(File::open(from).doing(&doing)?));
        let opened = locked.doing(&doing)?.decrypt(std::iter::once(&self.0 as &dyn age::Identity));
        opened.map_err(|why| Error::Invalid(format!("{} does not open: {why}", from.display())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_locked_opens_with_its_key_and_no_other() {
        let dir = tempfile::tempdir().unwrap();
        let place = |name: &str| dir.path().join(name);
        assert!(Lock::read(dir.path()).is_err());
        create(dir.path(), |key| write_private(&place("other"), key)).unwrap();
        create(dir.path(), |key| write_private(&place("own"), key)).unwrap();
        let public = fs::read(place(FILE)).unwrap();
        let again = create(dir.path(), |key| write_private(&place("own"), key));
        assert!(again.is_err(), "never overwritten");
        assert_eq!(fs::read(place(FILE)).unwrap(), public, "and backups open as before");
        let plain = b"everybody's marks".repeat(10_000);
        Lock::read(dir.path()).unwrap().seal(&mut &plain[..], &place("copy")).unwrap();
        let bytes = fs::read(place("copy")).unwrap();
        assert!(!bytes.windows(16).any(|part| part == &plain[..16]));
        let mut opened = Vec::new();
        BackupKey::read(&place("own"))
            .unwrap()
            .open(&place("copy"))
            .unwrap()
            .read_to_end(&mut opened)
            .unwrap();
        assert_eq!(opened, plain);
        assert!(BackupKey::read(&place("other")).unwrap().open(&place("copy")).is_err());
        assert!(BackupKey::read(&place(FILE)).is_err(), "the public half opens nothing");
    }
}
