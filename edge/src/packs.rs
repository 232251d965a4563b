//! Model packs: the unit's own, and those that the hub sent because it recognises by another.
//!
//! A fetched pack lies in a folder named by its model id, whole or not at all: it grows in a
//! folder beside it, file by file, and is renamed when every hash is right. Which one to begin
//! with is in the file `in-use`; without it, the unit's own.

use crate::disk;
use crate::fetch::{Fetch, FetchError, OnDisk};
use crate::identity::{replace, sync_folder};
use ed25519_dalek::VerifyingKey;
use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};
use vision::pack::{Entry, IN_USE, MANIFEST, Manifest};
use vision::{Pack, PackError};
use wire::{
    ModelId,
    join::{MODELS_DOMAIN, MODELS_PATH},
    sign::Forged,
};

/// Bytes of one file at most.
const FILE_BYTES: u64 = 512 * 1024 * 1024;
/// Files of one pack at most.
const FILES: usize = 16;
/// What must be free besides: the outbox comes first.
const ROOM_MB: u32 = 600;

/// A pack that runs, and the id under which its templates travel.
#[derive(Clone, Debug)]
pub struct Model {
    /// Detector and embedder.
    pub pack: Arc<Pack>,
    /// Pack, version and preprocessing.
    pub id: ModelId,
}

/// Why a pack is not in use. Its text goes to the hub.
#[derive(Debug, thiserror::Error)]
pub enum PackTrouble {
    /// It did not come.
    #[error("the model pack did not come: {0}")]
    Fetch(#[from] FetchError),
    /// Not from the hub this door joined.
    #[error("the model pack is refused: {0}")]
    Forged(#[from] Forged),
    /// It describes no pack.
    #[error("the model pack is refused: its description is damaged")]
    Malformed,
    /// The hub serves another one than its gallery is for.
    #[error("the gallery is for model “{wanted}”, the hub sends model “{offered}”")]
    Other {
        /// What the gallery is for.
        wanted: ModelId,
        /// What the hub sends.
        offered: String,
    },
    /// Too little space.
    #[error("the model pack does not fit: {ROOM_MB} MiB must be free, {0} are")]
    Room(u32),
    /// A file is not what was signed, or a network fails its self-test.
    #[error("the model pack failed its check: {0}")]
    Unsound(String),
    /// The unit's own cannot be opened.
    #[error(transparent)]
    Own(Box<PackError>),
    /// The same pack failed before; it is not fetched again.
    #[error("the hub's model pack cannot be used here: update this program, or mend the pack")]
    Again,
    /// The disk.
    #[error("the model pack could not be kept on this disk: {0}")]
    Disk(#[from] io::Error),
}

/// Where packs are kept.
#[derive(Clone, Debug)]
pub struct Packs {
    /// The unit's own models.
    own: PathBuf,
    /// What the hub sent.
    folder: PathBuf,
    min_face: f32,
    /// Signed bytes of a pack that was whole and could not be used.
    refused: Option<[u8; 32]>,
}

impl Packs {
    /// The unit's `own` models, and those that the hub sent into `folder`; faces below `min_face`
    /// pixels are not looked for.
    #[must_use]
    pub fn new(own: PathBuf, folder: PathBuf, min_face: f32) -> Self {
        Self { own, folder, min_face, refused: None }
    }

    /// The pack to begin with: the last that was chosen, or the unit's own where that fails.
    ///
    /// # Errors
    /// When the unit's own cannot be opened either.
    pub fn open(&self) -> Result<Model, PackTrouble> {
        let chosen = fs::read_to_string(self.folder.join(IN_USE)).ok();
        let chosen = chosen.and_then(|name| name.trim().parse::<ModelId>().ok());
        if let Some(model) = chosen.and_then(|id| self.sent(&id)) {
            return Ok(model);
        }
        self.model(Pack::load(&self.own).map_err(|error| PackTrouble::Own(error.into()))?)
    }

    /// Whether there is anything to begin with.
    #[must_use]
    pub fn are_here(&self) -> bool {
        let chosen = fs::read_to_string(self.folder.join(IN_USE));
        let chosen = chosen.ok().and_then(|name| name.trim().parse::<ModelId>().ok());
        let sent = chosen.is_some_and(|id| self.folder.join(id.as_str()).is_dir());
        sent || vision::pack::folder(&self.own).is_ok_and(|own| own.join(MANIFEST).is_file())
    }

    /// The pack of `id`, if it is here and sound.
    #[must_use]
    pub fn here(&self, id: &ModelId) -> Option<Model> {
        let own = vision::pack::folder(&self.own).ok();
        let own =
            own.filter(|own| Manifest::read(own).is_ok_and(|own| own.model_id == id.as_str()));
        let own = own.and_then(|own| self.model(Pack::open(&own).ok()?).ok());
        own.or_else(|| self.sent(id))
    }

    /// A pack of `id` that the hub sent; a damaged one is destroyed.
    fn sent(&self, id: &ModelId) -> Option<Model> {
        let folder = self.folder.join(id.as_str());
        if !folder.is_dir() {
            return None;
        }
        let opened = Pack::open(&folder).map_err(unsound);
        match opened.and_then(|pack| self.model(pack)).and_then(|model| is(model, id)) {
            Ok(model) => Some(model),
            Err(error) => {
                tracing::warn!(%error, model = %id, "a model pack on this disk is destroyed: {error}");
                let _ = fs::remove_dir_all(&folder);
                None
            }
        }
    }

    fn model(&self, mut pack: Pack) -> Result<Model, PackTrouble> {
        pack.min_face = self.min_face;
        let id = pack.model_id.parse().map_err(|_| PackTrouble::Malformed)?;
        Ok(Model { pack: Arc::new(pack), id })
    }

    /// What the hub recognises by.
    ///
    /// # Errors
    /// When it does not say, or somebody else does.
    pub async fn offered(hub: &VerifyingKey, fetch: &Fetch) -> Result<ModelId, PackTrouble> {
        let signed = fetch.signed(&format!("{MODELS_PATH}pack.signed")).await?;
        let manifest = manifest(signed.verify(hub, MODELS_DOMAIN)?)?;
        manifest.model_id.parse().map_err(|_| PackTrouble::Malformed)
    }

    /// Gets the pack of `id` from the hub, and opens it: every hash, every self-test.
    ///
    /// # Errors
    /// When it cannot be had, or is not what it should be. What came of it stays for the next try.
    pub async fn get(
        &mut self,
        id: &ModelId,
        hub: &VerifyingKey,
        fetch: &Fetch,
    ) -> Result<Model, PackTrouble> {
        let signed = fetch.signed(&format!("{MODELS_PATH}pack.signed")).await?;
        if self.refused == Some(signed.digest()) {
            return Err(PackTrouble::Again);
        }
        let text = signed.verify(hub, MODELS_DOMAIN)?;
        let manifest = described(text, id)?;
        let growing = self.folder.join(format!("{id}.part"));
        fs::create_dir_all(&growing)?;
        for entry in &manifest.files {
            file(&growing, entry, fetch).await?;
        }
        replace(&growing.join(MANIFEST), text)?;
        let this = self.clone();
        let of = id.clone();
        let opened = tokio::task::spawn_blocking(move || this.settle(&growing, &of));
        let opened = opened.await.map_err(io::Error::other)?;
        // A disk that failed may work the next time; what fails its check will fail it again.
        if opened.as_ref().is_err_and(|error| !matches!(error, PackTrouble::Disk(_))) {
            self.refused = Some(signed.digest());
        }
        opened
    }

    /// Opens what has grown, and gives it its name.
    fn settle(&self, growing: &Path, id: &ModelId) -> Result<Model, PackTrouble> {
        let opened = Pack::open(growing).map_err(unsound);
        match opened.and_then(|pack| self.model(pack)).and_then(|model| is(model, id)) {
            Ok(model) => {
                let place = self.folder.join(id.as_str());
                let _an_older_one = fs::remove_dir_all(&place);
                fs::rename(growing, &place)?;
                sync_folder(&place)?;
                Ok(model)
            }
            Err(error) => {
                fs::remove_dir_all(growing)?;
                Err(error)
            }
        }
    }

    /// Begins with the pack of `id` from the next start on.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn choose(&self, id: &ModelId) -> io::Result<()> {
        let path = self.folder.join(IN_USE);
        if self.folder.join(id.as_str()).is_dir() {
            return replace(&path, id.as_str().as_bytes());
        }
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Destroys every fetched pack but that of `id`.
    pub fn tidy(&self, id: &ModelId) {
        let Ok(entries) = fs::read_dir(&self.folder) else { return };
        for path in entries.flatten().map(|entry| entry.path()) {
            let name = path.file_name().and_then(|name| name.to_str());
            if path.is_dir() && name != Some(id.as_str()) {
                let _next_time = fs::remove_dir_all(&path);
            }
        }
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the shape of map_err")]
fn unsound(error: PackError) -> PackTrouble {
    PackTrouble::Unsound(error.to_string())
}

fn is(model: Model, id: &ModelId) -> Result<Model, PackTrouble> {
    if model.id == *id {
        return Ok(model);
    }
    Err(PackTrouble::Other { wanted: id.clone(), offered: model.id.to_string() })
}

/// What the hub signed, if it describes a pack of `id` that can lie in a folder.
fn described(text: &[u8], id: &ModelId) -> Result<Manifest, PackTrouble> {
    let manifest = manifest(text)?;
    if manifest.model_id != id.as_str() {
        return Err(PackTrouble::Other { wanted: id.clone(), offered: manifest.model_id });
    }
    let sound = manifest.files.len() <= FILES && manifest.files.iter().all(is_plain);
    if sound { Ok(manifest) } else { Err(PackTrouble::Malformed) }
}

fn manifest(text: &[u8]) -> Result<Manifest, PackTrouble> {
    let text = str::from_utf8(text).map_err(|_| PackTrouble::Malformed)?;
    toml::from_str(text).map_err(|_| PackTrouble::Malformed)
}

fn is_plain(entry: &Entry) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
    entry.name != MANIFEST && !entry.name.starts_with('.') && entry.name.bytes().all(plain)
}

/// Gets one file of a pack, or the rest of it. A whole file with another hash is destroyed.
async fn file(folder: &Path, entry: &Entry, fetch: &Fetch) -> Result<(), PackTrouble> {
    if entry.verify(folder).is_ok() {
        return Ok(());
    }
    if let free @ 1..ROOM_MB = disk::free_mb(folder) {
        return Err(PackTrouble::Room(free));
    }
    let path = folder.join(&entry.name);
    let mut sink = OnDisk::open(&path)?;
    let place = format!("{MODELS_PATH}{}", entry.name);
    let came = fetch.fill(&place, None, FILE_BYTES, &mut sink).await;
    sink.sync()?;
    let checked = match came {
        // What came stays, and the rest is asked for at the next try.
        Err(error @ (FetchError::Network(_) | FetchError::Broken)) => return Err(error.into()),
        Err(error) => Err(error.into()),
        Ok(()) => entry.verify(folder).map_err(unsound),
    };
    if checked.is_err() {
        fs::remove_file(&path)?;
    }
    checked
}

#[cfg(test)]
mod tests;
