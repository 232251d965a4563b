//! A model pack: detector and embedder of one kind, opened together.
//!
//! The one door both programs use. Templates of two packs do not compare, so [`Pack::model_id`]
//! goes wherever a template goes.

use crate::{Chip, DlibNet, Face, Mtcnn, NetError, Picture, Template, align::align};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};

/// Says what a folder of weights holds; written by `models/fetch`, after everything else.
const MANIFEST: &str = "pack.toml";

/// Faces are looked for from this size on, in pixels: the smallest that is of use (20 pixels from
/// eye to eye are some 45 pixels of face).
pub const MIN_FACE: f32 = 40.0;

/// Why a pack was not opened.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// A file of it cannot be read.
    #[error("the model pack {} is not complete: run models/fetch to get it", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// `pack.toml` is not one.
    #[error("{} does not describe a model pack: run models/fetch to get it anew", path.display())]
    Manifest {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Box<toml::de::Error>,
    },
    /// A pack of a kind this program has no networks for.
    #[error(
        "this program cannot run model pack {0:?}, only \"dlib\": set another folder of models"
    )]
    Unknown(String),
    /// A file is not the one the pack was made with.
    #[error("{} was changed or cut short since it was fetched: run models/fetch to get it anew", path.display())]
    Altered {
        /// The file.
        path: PathBuf,
    },
    /// A network refused its weights.
    #[error(transparent)]
    Net(#[from] NetError),
}

#[derive(Deserialize)]
struct Manifest {
    name: String,
    model_id: String,
    #[serde(default, rename = "file")]
    files: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    name: String,
    sha256: String,
}

/// Detector and embedder. Cheap to share between threads; every call runs on its caller's.
pub struct Pack {
    /// Pack, version and preprocessing: the name of the space its templates live in.
    pub model_id: String,
    /// Smallest face looked for, in pixels. Half of it costs about four times as much.
    pub min_face: f32,
    detector: Mtcnn,
    embedder: DlibNet,
}

impl std::fmt::Debug for Pack {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Pack({}, faces from {} pixels)", self.model_id, self.min_face)
    }
}

impl Pack {
    /// Opens the pack in `dir`, and checks every file against the hashes in its `pack.toml`.
    ///
    /// # Errors
    /// When something is missing, altered, or of another kind.
    pub fn load(dir: &Path) -> Result<Self, PackError> {
        let manifest = Manifest::read(&dir.join(MANIFEST))?;
        if manifest.name != "dlib" {
            return Err(PackError::Unknown(manifest.name));
        }
        manifest.files.iter().try_for_each(|file| file.verify(dir))?;
        Ok(Self {
            model_id: manifest.model_id,
            min_face: MIN_FACE,
            detector: Mtcnn::load(dir)?,
            embedder: DlibNet::load(dir)?,
        })
    }

    /// All faces, the surest first.
    ///
    /// # Errors
    /// Only when a computation fails; no picture can cause it.
    pub fn detect(&self, picture: &Picture) -> Result<Vec<Face>, NetError> {
        self.detector.detect(picture, self.min_face)
    }

    /// The template of a face that was found in this picture.
    ///
    /// # Errors
    /// As [`Pack::detect`].
    pub fn embed(&self, picture: &Picture, face: &Face) -> Result<Template, NetError> {
        let mut templates = self.embed_chips(&[align(picture, &face.points)])?;
        Ok(templates.pop().expect("one chip gives one template"))
    }

    /// The templates of faces already cut out, in the same order.
    ///
    /// # Errors
    /// As [`Pack::detect`].
    pub fn embed_chips(&self, chips: &[Chip]) -> Result<Vec<Template>, NetError> {
        self.embedder.embed(chips)
    }
}

impl Manifest {
    fn read(path: &Path) -> Result<Self, PackError> {
        let path = path.to_path_buf();
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(source) => return Err(PackError::Missing { path, source }),
        };
        toml::from_str(&text).map_err(|source| PackError::Manifest { path, source: source.into() })
    }
}

impl Entry {
    fn verify(&self, dir: &Path) -> Result<(), PackError> {
        let path = dir.join(&self.name);
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(source) => return Err(PackError::Missing { path, source }),
        };
        let found = Sha256::digest(&bytes).into_iter().map(|byte| format!("{byte:02x}"));
        if found.collect::<String>() == self.sha256 {
            Ok(())
        } else {
            Err(PackError::Altered { path })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(manifest: &str) -> PackError {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join(MANIFEST), manifest).unwrap();
        std::fs::write(dir.path().join("pnet.safetensors"), b"hello").unwrap();
        Pack::load(dir.path()).unwrap_err()
    }

    #[test]
    fn a_folder_without_models_says_how_to_get_them() {
        let error = Pack::load(Path::new("/nowhere")).unwrap_err();
        assert!(error.to_string().contains("models/fetch"), "{error}");
    }

    #[test]
    fn a_pack_of_another_kind_or_without_sense_is_refused() {
        assert!(matches!(opened("name = 3"), PackError::Manifest { .. }));
        let arcface = "name = \"arcface\"\nmodel_id = \"arcface-1\"";
        assert!(matches!(opened(arcface), PackError::Unknown(name) if name == "arcface"));
    }

    #[test]
    fn a_file_that_was_changed_is_refused() {
        let pack = |hash: &str| {
            opened(&format!(
                "name = \"dlib\"\nmodel_id = \"x\"\n[[file]]\nname = \"pnet.safetensors\"\n\
                 sha256 = \"{hash}\""
            ))
        };
        assert!(matches!(pack("00"), PackError::Altered { .. }));
        let hello = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
        assert!(matches!(pack(hello), PackError::Net(NetError::Weights { .. })));
    }
}
