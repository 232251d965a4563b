//! Who this door is: made once by `rollcall-edge join`, one file that only the service may read.

use data_encoding::BASE64;
use rand::RngExt;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use wire::Joined;

const FILE: &str = "identity.json";

/// Everything the hub said at the join, and the two secrets that never leave the door.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// What the hub said.
    pub joined: Joined,
    /// The certificate's key, PKCS #8 in PEM.
    pub key_pem: String,
    /// Encrypts the gallery on this disk: 32 bytes in Base64.
    shelf_key: String,
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identity({}, ***)", self.joined.device)
    }
}

/// Why the identity cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// There is none.
    #[error("this door has not joined a hub: run rollcall-edge join URL TOKEN")]
    Missing,
    /// The file cannot be read or written.
    #[error("cannot read or write {}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// The content is not what a join writes.
    #[error("{} is damaged: let the door join again with a new token", .0.display())]
    Damaged(PathBuf),
}

impl Identity {
    /// A new identity with a new key for the gallery on disk.
    #[must_use]
    pub fn new(joined: Joined, key_pem: String) -> Self {
        let shelf_key = BASE64.encode(&rand::rng().random::<[u8; 32]>());
        Self { joined, key_pem, shelf_key }
    }

    /// The same door with its next certificate and the key of it.
    #[must_use]
    pub fn renewed(&self, certificate_pem: String, key_pem: String) -> Self {
        let joined = Joined { certificate_pem, ..self.joined.clone() };
        Self { joined, key_pem, shelf_key: self.shelf_key.clone() }
    }

    /// The key of the gallery on this disk.
    ///
    /// # Errors
    /// When it is not 32 bytes of Base64.
    pub fn shelf_key(&self) -> Result<[u8; 32], IdentityError> {
        let bytes = BASE64.decode(self.shelf_key.as_bytes()).ok();
        bytes
            .and_then(|bytes| bytes.try_into().ok())
            .ok_or_else(|| IdentityError::Damaged(FILE.into()))
    }

    /// Reads the identity in the data folder.
    ///
    /// # Errors
    /// [`IdentityError::Missing`] before the first join.
    pub fn load(data: &Path) -> Result<Self, IdentityError> {
        let path = data.join(FILE);
        let bytes = std::fs::read(&path).map_err(|source| match source.kind() {
            std::io::ErrorKind::NotFound => IdentityError::Missing,
            _ => IdentityError::File { path: path.clone(), source },
        })?;
        serde_json::from_slice(&bytes).map_err(|_| IdentityError::Damaged(path))
    }

    /// Writes it, whole or not at all.
    ///
    /// # Errors
    /// When the data folder cannot be written.
    pub fn store(&self, data: &Path) -> Result<(), IdentityError> {
        let path = data.join(FILE);
        let bytes = serde_json::to_vec_pretty(self).expect("an identity is plain JSON");
        replace(&path, &bytes).map_err(|source| IdentityError::File { path, source })
    }
}

/// Puts `bytes` where `path` is, whole or not at all, readable by nobody else: write beside it,
/// sync, rename, sync the folder.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let beside = path.with_extension("new");
    let mut options = OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&beside, path)?;
    sync_folder(path)
}

/// Makes a rename or removal beside `path` last.
pub(crate) fn sync_folder(path: &Path) -> std::io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;
    use wire::{Direction, HubKey};

    pub(crate) fn identity() -> Identity {
        let joined = Joined {
            device: "door-1".parse().unwrap(),
            certificate_pem: "C".into(),
            ca_pem: "A".into(),
            mqtt: "hub:8883".into(),
            https: "hub:8444".into(),
            hub_key: HubKey { id: 1, public: [1; 32] },
            gallery_key: [2; 32],
            room: "204".into(),
            direction: Direction::Entry,
        };
        Identity::new(joined, "secret".into())
    }

    #[test]
    fn only_the_owner_may_read_what_comes_back_whole() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(Identity::load(folder.path()), Err(IdentityError::Missing)));
        let written = identity();
        written.store(folder.path()).unwrap();
        assert_eq!(Identity::load(folder.path()).unwrap(), written);
        let mode = folder.path().join(FILE).metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(!format!("{written:?}").contains("secret"));
    }

    #[test]
    fn a_power_cut_while_a_new_certificate_is_stored_leaves_the_old_one() {
        let folder = tempfile::tempdir().unwrap();
        let old = identity();
        old.store(folder.path()).unwrap();
        let new = old.renewed("D".into(), "other".into());
        let whole = serde_json::to_vec_pretty(&new).unwrap();
        for cut in [0, 1, whole.len() / 2, whole.len()] {
            std::fs::write(folder.path().join("identity.new"), &whole[..cut]).unwrap();
            assert_eq!(Identity::load(folder.path()).unwrap(), old, "{cut} bytes were written");
        }
        new.store(folder.path()).unwrap();
        assert_eq!(Identity::load(folder.path()).unwrap(), new);
        assert_eq!(new.shelf_key().unwrap(), old.shelf_key().unwrap(), "the gallery still opens");
    }

    #[test]
    fn a_damaged_file_says_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(FILE), b"{").unwrap();
        let error = Identity::load(folder.path()).unwrap_err().to_string();
        assert!(error.contains("join again"), "{error}");
    }
}
