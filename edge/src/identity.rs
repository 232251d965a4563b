//! Who this door is: made once by `rollcall-edge join`, one file that only the service may read.

use data_encoding::BASE64;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use wire::Joined;

const FILE: &str = "identity.json";

/// Everything the hub said at the join, and the secret that never leaves the door.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// What the hub said.
    pub joined: Joined,
    /// The certificate's key, PKCS #8 in PEM.
    pub key_pem: String,
    /// Opens the gallery on this disk: 32 bytes in Base64. Only where the settings say so, and
    /// at a door that joined before the hub kept it, until the hub has given one.
    #[serde(rename = "shelf_key", default, skip_serializing_if = "Option::is_none")]
    gallery_key: Option<String>,
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
    /// A new identity; it opens no gallery by itself.
    #[must_use]
    pub fn new(joined: Joined, key_pem: String) -> Self {
        Self { joined, key_pem, gallery_key: None }
    }

    /// The same door with or without the key of its gallery.
    #[must_use]
    pub fn with_gallery_key(self, key: Option<&[u8; 32]>) -> Self {
        Self { gallery_key: key.map(|key| BASE64.encode(key)), ..self }
    }

    /// The same door with its next certificate and the key of it.
    #[must_use]
    pub fn renewed(&self, certificate_pem: String, key_pem: String) -> Self {
        let joined = Joined { certificate_pem, ..self.joined.clone() };
        Self { joined, key_pem, gallery_key: self.gallery_key.clone() }
    }

    /// The same door after the hub's authorities changed.
    #[must_use]
    pub fn with_authorities(self, ca_pem: String) -> Self {
        let joined = Joined { ca_pem, ..self.joined };
        Self { joined, ..self }
    }

    /// The same door after the hub's signing key was replaced.
    #[must_use]
    pub fn with_signer(self, key: [u8; 32]) -> Self {
        let joined = Joined { gallery_key: key, ..self.joined };
        Self { joined, ..self }
    }

    /// The key of the gallery, where this disk keeps it.
    #[must_use]
    pub fn gallery_key(&self) -> Option<[u8; 32]> {
        BASE64.decode(self.gallery_key.as_ref()?.as_bytes()).ok()?.try_into().ok()
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

/// The identity of a running door, shared by whoever learns something new; what is changed lies
/// on the disk before it counts. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Passport {
    data: PathBuf,
    now: Arc<Mutex<Identity>>,
}

impl Passport {
    /// That of `identity`, which lies in the folder `data`.
    #[must_use]
    pub fn new(data: &Path, identity: Identity) -> Self {
        Self { data: data.to_owned(), now: Arc::new(Mutex::new(identity)) }
    }

    /// The identity as it is now.
    #[must_use]
    pub fn get(&self) -> Identity {
        self.lock().clone()
    }

    /// Changes it, if it is not so already.
    ///
    /// # Errors
    /// When the data folder cannot be written; then nothing changed.
    pub fn change(&self, change: impl FnOnce(Identity) -> Identity) -> Result<(), IdentityError> {
        let mut now = self.lock();
        let next = change(now.clone());
        if next != *now {
            next.store(&self.data)?;
            *now = next;
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Identity> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
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
            program_key: None,
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
    }

    #[test]
    fn the_key_of_the_gallery_is_on_the_disk_only_while_it_must_be() {
        let folder = tempfile::tempdir().unwrap();
        let text = || std::fs::read_to_string(folder.path().join(FILE)).unwrap();
        let passport = Passport::new(folder.path(), identity());
        passport.change(|identity| identity.with_gallery_key(Some(&[7; 32]))).unwrap();
        assert_eq!(Identity::load(folder.path()).unwrap().gallery_key(), Some([7; 32]));
        passport.change(|identity| identity.renewed("D".into(), "other".into())).unwrap();
        assert_eq!(passport.get().gallery_key(), Some([7; 32]), "the gallery still opens");
        passport.change(|identity| identity.with_gallery_key(None)).unwrap();
        assert!(!text().contains("shelf_key") && text().contains("other"));
    }

    #[test]
    fn a_damaged_file_says_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(FILE), b"{").unwrap();
        let error = Identity::load(folder.path()).unwrap_err().to_string();
        assert!(error.contains("join again"), "{error}");
    }
}
