//! A model pack: detector and embedder of one kind, opened together.
//!
//! The one door both programs use. Templates of two packs do not compare, so [`Pack::model_id`]
//! goes wherever a template goes.

use crate::{
    Cut, DlibNet, Face, Mtcnn, NetError, Picture, Template, detector::Detector, embedder::Embedder,
    golden::Golden, kind::Kind, plan::Network,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};

/// Says what a folder of weights holds; written after everything else.
pub const MANIFEST: &str = "pack.toml";
/// Names the pack in use where it is not the default one.
pub const IN_USE: &str = "in-use";
/// Folder of the packs beside the default one.
pub const PACKS: &str = "packs";
/// The default pack.
pub const DEFAULT: &str = "dlib";

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
        "this program cannot run model pack {0:?}: set another folder of models, or choose a pack \
         with rollcall-hub models use"
    )]
    Unknown(String),
    /// A network that gives other numbers than when it was imported.
    #[error("{} fails its self-test ({source}): import it anew", path.display())]
    Golden {
        /// The file.
        path: PathBuf,
        /// What is different.
        source: candle_core::Error,
    },
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

/// What `pack.toml` says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Short name.
    pub name: String,
    /// Pack, version and preprocessing.
    pub model_id: String,
    /// One line for people.
    #[serde(default)]
    pub about: String,
    /// What whoever uses it has to know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warning: Option<String>,
    /// An imported detector; else that of the default pack.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detector: Option<Part>,
    /// An imported embedder; else that of the default pack.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub embedder: Option<Part>,
    /// Every file.
    #[serde(default, rename = "file")]
    pub files: Vec<Entry>,
}

/// An imported network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// Which.
    pub kind: Kind,
    /// Its file.
    pub file: String,
    /// Its self-test.
    pub golden: Golden,
}

/// A file of a pack.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Its name, directly beside `pack.toml`.
    pub name: String,
    /// Lower-case hex.
    pub sha256: String,
    /// SPDX name or a few words.
    #[serde(default)]
    pub licence: String,
    /// What it was made of.
    #[serde(default)]
    pub from: String,
    /// Where people read about it.
    #[serde(default)]
    pub source: String,
}

/// Detector and embedder. Cheap to share between threads; every call runs on its caller's.
pub struct Pack {
    /// Short name.
    pub name: String,
    /// Pack, version and preprocessing: the name of the space its templates live in.
    pub model_id: String,
    /// Smallest face looked for, in pixels. Half of it costs about four times as much.
    pub min_face: f32,
    detector: Detector,
    embedder: Embedder,
}

/// The folder of the pack in use among the models in `dir`: `dir` itself, or the one that
/// `dir/in-use` names.
///
/// # Errors
/// When the name is none.
pub fn folder(dir: &Path) -> Result<PathBuf, PackError> {
    let path = dir.join(IN_USE);
    match std::fs::read_to_string(&path) {
        Ok(name) => named(dir, name.trim()).ok_or_else(|| PackError::Unknown(name)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(dir.to_path_buf()),
        Err(source) => Err(PackError::Missing { path, source }),
    }
}

/// The folder of a pack by its name; `None` for what is no plain name.
#[must_use]
pub fn named(dir: &Path, name: &str) -> Option<PathBuf> {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    match name {
        DEFAULT => Some(dir.to_path_buf()),
        _ if (1..=32).contains(&name.len()) && name.bytes().all(plain) => {
            Some(dir.join(PACKS).join(name))
        }
        _ => None,
    }
}

impl std::fmt::Debug for Pack {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Pack({}, faces from {} pixels)", self.model_id, self.min_face)
    }
}

impl Pack {
    /// Opens the pack in use in `dir`, checks every file against the hashes in its `pack.toml`, and
    /// lets imported networks pass their self-tests.
    ///
    /// # Errors
    /// When something is missing, altered, or of another kind.
    pub fn load(dir: &Path) -> Result<Self, PackError> {
        Self::open(&folder(dir)?)
    }

    /// Opens the pack that lies in `dir` itself.
    ///
    /// # Errors
    /// As [`Pack::load`].
    pub fn open(dir: &Path) -> Result<Self, PackError> {
        let manifest = Manifest::read(dir)?;
        if manifest.name != DEFAULT && manifest.detector.is_none() && manifest.embedder.is_none() {
            return Err(PackError::Unknown(manifest.name));
        }
        manifest.files.iter().try_for_each(|file| file.verify(dir))?;
        let detector = match &manifest.detector {
            None => Detector::Mtcnn(Mtcnn::load(dir)?),
            Some(part) => {
                part.tested(dir)?;
                match part.kind {
                    Kind::Yunet => Detector::yunet(&part.path(dir)?)?,
                    Kind::Scrfd => Detector::scrfd(&part.path(dir)?)?,
                    _ => return Err(PackError::Unknown(manifest.name)),
                }
            }
        };
        let embedder = match &manifest.embedder {
            None => Embedder::Dlib(DlibNet::load(dir)?.into()),
            Some(part) if part.kind.detects() => return Err(PackError::Unknown(manifest.name)),
            Some(part) => Embedder::Imported(part.kind, part.tested(dir)?),
        };
        let Manifest { name, model_id, .. } = manifest;
        Ok(Self { name, model_id, min_face: MIN_FACE, detector, embedder })
    }

    /// Where the decision lines of its model lie to begin with.
    #[must_use]
    pub fn lines(&self) -> wire::Lines {
        crate::decide::lines_of(&self.model_id)
    }

    /// What its cosines mean.
    #[must_use]
    pub fn scale(&self) -> crate::score::Scale {
        crate::score::Scale::of(&self.model_id)
    }

    /// Cuts a face out of its picture, as people and as the embedder see it.
    #[must_use]
    pub fn cut(&self, picture: &Picture, face: &Face) -> Cut {
        self.embedder.cut(picture, face, self.detector.targets())
    }

    /// All faces, the surest first.
    ///
    /// # Errors
    /// Only when a computation fails; no picture can cause it.
    pub fn detect(&self, picture: &Picture) -> Result<Vec<Face>, NetError> {
        self.detector.detect(picture, self.min_face)
    }

    /// As [`Pack::detect`], for another smallest face, in pixels.
    ///
    /// # Errors
    /// As [`Pack::detect`].
    pub fn detect_from(&self, picture: &Picture, min_face: f32) -> Result<Vec<Face>, NetError> {
        self.detector.detect(picture, min_face)
    }

    /// The template of a face that was found in this picture.
    ///
    /// # Errors
    /// As [`Pack::detect`].
    pub fn embed(&self, picture: &Picture, face: &Face) -> Result<Template, NetError> {
        let mut templates = self.embed_cuts(&[self.cut(picture, face)])?;
        Ok(templates.pop().expect("one cut gives one template"))
    }

    /// The templates of faces already cut out, in the same order.
    ///
    /// # Errors
    /// As [`Pack::detect`].
    pub fn embed_cuts(&self, cuts: &[Cut]) -> Result<Vec<Template>, NetError> {
        self.embedder.embed(cuts)
    }

    /// The same of the faces as they are, without the mirror image that the default pack looks at
    /// too: half the work. [`Template::fused`] brings both together.
    ///
    /// # Errors
    /// As [`Pack::detect`].
    pub fn glance(&self, cuts: &[Cut]) -> Result<Vec<Template>, NetError> {
        self.embedder.glance(cuts)
    }

    /// The same of their mirror images; nothing where the pack does without.
    ///
    /// # Errors
    /// As [`Pack::detect`].
    pub fn mirror(&self, cuts: &[Cut]) -> Result<Option<Vec<Template>>, NetError> {
        self.embedder.mirror(cuts)
    }
}

impl Manifest {
    /// Reads `pack.toml` in `dir`.
    ///
    /// # Errors
    /// When it is missing or none.
    pub fn read(dir: &Path) -> Result<Self, PackError> {
        let path = dir.join(MANIFEST);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(source) => return Err(PackError::Missing { path, source }),
        };
        toml::from_str(&text).map_err(|source| PackError::Manifest { path, source: source.into() })
    }
}

impl Part {
    fn path(&self, dir: &Path) -> Result<PathBuf, PackError> {
        let plain = !self.file.contains('/') && !self.file.starts_with('.');
        if plain { Ok(dir.join(&self.file)) } else { Err(PackError::Unknown(self.file.clone())) }
    }

    /// The network, after its self-test.
    fn tested(&self, dir: &Path) -> Result<Network, PackError> {
        let path = self.path(dir)?;
        let network = Network::load(&path)?;
        match self.golden.check(&network) {
            Ok(()) => Ok(network),
            Err(source) => Err(PackError::Golden { path, source }),
        }
    }
}

impl Entry {
    /// Whether it lies in `dir` as it was made.
    ///
    /// # Errors
    /// When it is missing or altered.
    pub fn verify(&self, dir: &Path) -> Result<(), PackError> {
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
