//! The gallery on this disk: encrypted, swapped atomically, one step back at most.
//!
//! `NNN.gal` holds a release (manifest and file) under a key that the hub keeps and hands out at
//! each start; `current` names the one in use. A cut at any moment leaves the old release or the
//! new one. What does not decrypt or check is destroyed: nobody needs it for forensics. Without
//! the key nothing is read, written or destroyed.

use crate::identity::{replace, sync_folder};
use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use ed25519_dalek::VerifyingKey;
use rand::RngExt;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::{Path, PathBuf};
use wire::sign::Signed;
use wire::{DeviceId, Gallery, Manifest};
use zeroize::Zeroizing;

const NONCE: usize = 12;
const CURRENT: &str = "current";

/// Where releases are kept.
pub struct GalleryFiles {
    folder: PathBuf,
    device: DeviceId,
    hub: VerifyingKey,
    cipher: Option<Aes256Gcm>,
}

impl fmt::Debug for GalleryFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GalleryFiles({})", self.folder.display())
    }
}

/// A release as it came and was checked.
#[derive(Clone, PartialEq, Debug)]
pub struct Release {
    /// What the hub signed.
    pub manifest: Manifest,
    /// BLAKE3 of the signed bytes.
    pub digest: [u8; 32],
    /// Whom to recognise.
    pub gallery: Gallery,
}

#[derive(Serialize, Deserialize)]
struct Parts {
    signed: Signed,
    file: Vec<u8>,
}

impl GalleryFiles {
    /// The files in `folder`, made if it is missing; locked.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn open(folder: &Path, device: DeviceId, hub: VerifyingKey) -> std::io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        Ok(Self { folder: folder.to_owned(), device, hub, cipher: None })
    }

    /// From now on its releases are signed by `hub`.
    pub fn trust(&mut self, hub: VerifyingKey) {
        self.hub = hub;
    }

    /// From now on its releases are under `key`.
    pub fn unlock(&mut self, key: &[u8; 32]) {
        self.cipher = Some(Aes256Gcm::new(key.into()));
    }

    /// Puts the current release under `key`, whatever it is under now. A cut leaves one that the
    /// hub sends again.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn rekey(&mut self, key: &[u8; 32]) -> std::io::Result<()> {
        let current = self.newest();
        self.unlock(key);
        match current {
            Some((parts, release)) => {
                self.put(&parts.signed, &parts.file, &release.manifest)?;
                let older = self.versions().into_iter().filter(|v| *v != release.manifest.version);
                older.into_iter().try_for_each(|version| self.destroy(version))
            }
            None => Ok(()),
        }
    }

    /// Keeps a release that was checked, makes it current, and destroys what it says must go.
    ///
    /// # Errors
    /// When the disk refuses; the old release is current then.
    pub fn put(&self, signed: &Signed, file: &[u8], manifest: &Manifest) -> std::io::Result<()> {
        let version = manifest.version;
        let Some(cipher) = &self.cipher else { return Ok(()) };
        let parts = Parts { signed: signed.clone(), file: file.to_vec() };
        let plain = Zeroizing::new(postcard::to_stdvec(&parts).expect("parts are plain bytes"));
        replace(&self.path(version), &self.encrypt(cipher, version, &plain))?;
        replace(&self.folder.join(CURRENT), version.to_string().as_bytes())?;
        let before = self.versions().into_iter().filter(|old| *old < version).max();
        let keep = before.filter(|before| *before >= manifest.purge_before);
        for old in self.versions() {
            if old != version && Some(old) != keep {
                self.destroy(old)?;
            }
        }
        Ok(())
    }

    /// The current release, or the one before if the current is damaged; nothing is changed.
    #[must_use]
    pub fn current(&self) -> Option<Release> {
        self.newest().map(|(_, release)| release)
    }

    fn newest(&self) -> Option<(Parts, Release)> {
        self.candidates().into_iter().find_map(|(version, may)| may.then(|| self.read(version))?)
    }

    /// Versions on this disk, newest first, and whether each was ever made current.
    fn candidates(&self) -> Vec<(u64, bool)> {
        let current = std::fs::read_to_string(self.folder.join(CURRENT)).ok();
        let current = current.and_then(|text| text.trim().parse::<u64>().ok());
        let mut versions = self.versions();
        versions.sort_unstable_by(|a, b| b.cmp(a));
        let may = |version: u64| current.is_none_or(|current| version <= current);
        versions.into_iter().map(|version| (version, may(version))).collect()
    }

    /// As [`GalleryFiles::current`]; damaged ones are destroyed.
    ///
    /// # Errors
    /// When the disk refuses to forget.
    pub fn load(&self) -> std::io::Result<Option<Release>> {
        if self.cipher.is_none() {
            return Ok(None);
        }
        for (version, may) in self.candidates() {
            if may && let Some((_, release)) = self.read(version) {
                return Ok(Some(release));
            }
            tracing::warn!(version, "gallery release {version} is damaged or half done: destroyed");
            self.destroy(version)?;
        }
        Ok(None)
    }

    /// Destroys every release: the lease is over.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn forget(&self) -> std::io::Result<()> {
        self.versions().into_iter().try_for_each(|version| self.destroy(version))
    }

    fn read(&self, version: u64) -> Option<(Parts, Release)> {
        let cipher = self.cipher.as_ref()?;
        let sealed = std::fs::read(self.path(version)).ok()?;
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE>()?;
        let aad = self.context(version);
        let payload = Payload { msg: sealed, aad: &aad };
        let plain = cipher.decrypt(&Nonce::from(*nonce), payload).ok()?;
        let plain = Zeroizing::new(plain);
        let parts: Parts = postcard::from_bytes(&plain).ok()?;
        let manifest = Manifest::open(&parts.signed, &self.hub).ok()?;
        let gallery = manifest.check(&parts.file).ok()?;
        let sound = manifest.version == version && manifest.device == self.device;
        let digest = parts.signed.digest();
        sound.then_some((parts, Release { manifest, digest, gallery }))
    }

    fn encrypt(&self, cipher: &Aes256Gcm, version: u64, plain: &[u8]) -> Vec<u8> {
        let nonce: [u8; NONCE] = rand::rng().random();
        let payload = Payload { msg: plain, aad: &self.context(version) };
        let sealed = cipher.encrypt(&Nonce::from(nonce), payload);
        [&nonce[..], &sealed.expect("AES-GCM seals anything below 64 GiB")].concat()
    }

    fn context(&self, version: u64) -> Vec<u8> {
        [b"rollcall-shelf-v1\0", self.device.as_str().as_bytes(), &version.to_le_bytes()].concat()
    }

    fn path(&self, version: u64) -> PathBuf {
        self.folder.join(format!("{version:020}.gal"))
    }

    fn destroy(&self, version: u64) -> std::io::Result<()> {
        let path = self.path(version);
        std::fs::remove_file(&path)?;
        sync_folder(&path)
    }

    fn versions(&self) -> Vec<u64> {
        let Ok(files) = std::fs::read_dir(&self.folder) else { return Vec::new() };
        let names = files.filter_map(|file| file.ok()?.file_name().into_string().ok());
        names.filter_map(|name| name.strip_suffix(".gal")?.parse().ok()).collect()
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use ed25519_dalek::SigningKey;
    use tempfile::TempDir;
    use uuid::Uuid;
    use wire::{Lines, Person, StudentId, Wall};

    pub(in crate::gallery) fn hub() -> SigningKey {
        SigningKey::from_bytes(&[5; 32])
    }

    pub(in crate::gallery) fn release(
        version: u64,
        purge_before: u64,
    ) -> (Signed, Vec<u8>, Manifest) {
        let one = [[0u8, 0x3c], [0, 0], [0, 0], [0, 0]].concat();
        let person =
            |n: u64| Person { id: StudentId(Uuid::from_u128(n.into())), template: one.clone() };
        let lines = Lines {
            single_high: 0.96,
            single_review: 0.94,
            fused_high: 0.965,
            fused_review: 0.95,
            margin: 0.01,
        };
        let model: wire::ModelId = "test-1".parse().unwrap();
        let people = vec![person(version)];
        let gallery = Gallery {
            model: model.clone(),
            dim: 4,
            lines,
            people,
            look_alikes: vec![],
            cannot_link: vec![],
            due: vec![],
        };
        let file = gallery.encode();
        let manifest = Manifest {
            device: "door-1".parse().unwrap(),
            version,
            created: Wall(0),
            expires: Wall(1_000_000),
            purge_before,
            model,
            people: 1,
            size: file.len() as u64,
            blake3: *blake3::hash(&file).as_bytes(),
        };
        (manifest.sign(&hub()), file, manifest)
    }

    pub(in crate::gallery) fn files(folder: &TempDir, key: u8) -> GalleryFiles {
        let device = "door-1".parse().unwrap();
        let mut files = GalleryFiles::open(folder.path(), device, hub().verifying_key()).unwrap();
        files.unlock(&[key; 32]);
        files
    }

    fn put(files: &GalleryFiles, version: u64, purge_before: u64) {
        let (signed, file, manifest) = release(version, purge_before);
        files.put(&signed, &file, &manifest).unwrap();
    }

    fn current(files: &GalleryFiles) -> Option<u64> {
        files.load().unwrap().map(|release| release.manifest.version)
    }

    #[test]
    fn the_last_release_is_current_and_one_before_it_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let files = files(&folder, 1);
        assert_eq!(current(&files), None);
        (1..=3).for_each(|version| put(&files, version, 0));
        assert_eq!(current(&files), Some(3));
        let mut versions = files.versions();
        versions.sort_unstable();
        assert_eq!(versions, [2, 3]);
    }

    #[test]
    fn a_damaged_release_is_destroyed_and_the_one_before_serves() {
        let folder = tempfile::tempdir().unwrap();
        let files = files(&folder, 1);
        (1..=2).for_each(|version| put(&files, version, 0));
        let path = files.path(2);
        let mut bytes = std::fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(&path, bytes).unwrap();
        assert_eq!(current(&files), Some(1));
        assert!(!path.exists());
    }

    #[test]
    fn what_must_be_forgotten_is_not_kept_for_going_back() {
        let folder = tempfile::tempdir().unwrap();
        let files = files(&folder, 1);
        put(&files, 1, 0);
        put(&files, 2, 2);
        assert_eq!(files.versions(), [2]);
        files.forget().unwrap();
        assert_eq!((files.versions(), current(&files)), (vec![], None));
    }

    #[test]
    fn a_release_that_was_not_made_current_is_not_used() {
        let folder = tempfile::tempdir().unwrap();
        let files = files(&folder, 1);
        put(&files, 1, 0);
        put(&files, 2, 0);
        replace(&folder.path().join(CURRENT), b"1").unwrap();
        assert_eq!(current(&files), Some(1), "the power went between two renames");
    }

    #[test]
    fn without_the_doors_key_the_disk_says_nothing() {
        let folder = tempfile::tempdir().unwrap();
        put(&files(&folder, 1), 1, 0);
        for file in std::fs::read_dir(folder.path()).unwrap() {
            let bytes = std::fs::read(file.unwrap().path()).unwrap();
            assert!(!bytes.windows(4).any(|window| window == b"RCG1"));
        }
        assert_eq!(current(&files(&folder, 2)), None);
    }

    #[test]
    fn a_locked_shelf_says_nothing_and_destroys_nothing() {
        let folder = tempfile::tempdir().unwrap();
        put(&files(&folder, 1), 1, 0);
        let device = "door-1".parse().unwrap();
        let locked = GalleryFiles::open(folder.path(), device, hub().verifying_key()).unwrap();
        assert_eq!((current(&locked), locked.current()), (None, None));
        put(&locked, 2, 2);
        assert!(files(&folder, 2).current().is_none(), "the wrong key");
        assert_eq!((locked.versions(), current(&files(&folder, 1))), (vec![1], Some(1)));
    }

    #[test]
    fn under_another_key_nothing_opens_with_the_one_before() {
        let folder = tempfile::tempdir().unwrap();
        let mut files = files(&folder, 1);
        (1..=2).for_each(|version| put(&files, version, 0));
        files.rekey(&[2; 32]).unwrap();
        assert_eq!((files.versions(), current(&files)), (vec![2], Some(2)));
        assert!(self::files(&folder, 1).current().is_none());
    }
}
