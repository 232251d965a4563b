//! A file appears whole or not at all: temporary file, fsync, rename, fsync of the folder.

use super::ModelsError;
use sha2::{Digest, Sha256};
use std::{
    fs::File,
    io::{self, Write},
    path::Path,
};

/// Lower-case hex.
pub(super) fn sha256(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(&Sha256::digest(bytes))
}

/// The same of a file too large to hold.
pub(super) fn sha256_of(path: &Path) -> io::Result<String> {
    let mut hasher = Sha256::new();
    let mut file = File::open(path)?;
    let mut buffer = vec![0; 1 << 20];
    loop {
        match io::Read::read(&mut file, &mut buffer)? {
            0 => return Ok(data_encoding::HEXLOWER.encode(&hasher.finalize())),
            read => hasher.update(&buffer[..read]),
        }
    }
}

/// # Errors
/// [`ModelsError::WrongHash`], naming `what`.
pub(super) fn check(what: &str, wanted: &str, bytes: &[u8]) -> Result<(), ModelsError> {
    same(what, wanted, sha256(bytes))
}

pub(super) fn same(what: &str, wanted: &str, got: String) -> Result<(), ModelsError> {
    if got == wanted {
        return Ok(());
    }
    Err(ModelsError::WrongHash { what: what.to_owned(), wanted: wanted.to_owned(), got })
}

/// Puts `bytes` at `folder/name`.
///
/// # Errors
/// A full disk or another trouble; then `folder` is as it was before.
pub(super) fn put(folder: &Path, name: &str, bytes: &[u8]) -> Result<(), ModelsError> {
    put_with(folder, name, |file| file.write_all(bytes))
        .map_err(|error| ModelsError::file("writing", &folder.join(name), error))
}

fn put_with(
    folder: &Path,
    name: &str,
    fill: impl FnOnce(&mut File) -> io::Result<()>,
) -> io::Result<()> {
    let mut part = tempfile::Builder::new().prefix(".part-").tempfile_in(folder)?;
    fill(part.as_file_mut())?;
    part.as_file().sync_all()?;
    readable(part.as_file())?;
    part.persist(folder.join(name)).map_err(|error| error.error)?;
    File::open(folder)?.sync_all()
}

/// A temporary folder is private; a pack is not.
pub(super) fn open_to_all(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755))
}

/// Temporary files are private; weights are not, and the daemon runs as another user.
fn readable(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    file.set_permissions(std::fs::Permissions::from_mode(0o644))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn a_file_that_could_not_be_filled_leaves_the_old_one_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        put(folder.path(), "a", b"old").unwrap();
        let full = put_with(folder.path(), "a", |file| {
            file.write_all(b"ne")?;
            Err(io::Error::from_raw_os_error(28))
        });
        let error = ModelsError::file("writing", folder.path(), full.unwrap_err());
        assert!(error.to_string().contains("the disk is full"), "{error}");
        assert_eq!(names(folder.path()), ["a"]);
        assert_eq!(std::fs::read(folder.path().join("a")).unwrap(), b"old");
    }

    #[test]
    fn hashes_are_lower_case_hex() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(sha256(b""), empty);
        assert!(check("it", empty, b"x").unwrap_err().to_string().contains(empty));
    }
}
