//! A ZIP archive that somebody brings: never trusted about its sizes or names.

use std::collections::HashMap;
use std::io::{Cursor, Read, Seek};
use zip::ZipArchive;

/// Files of an archive at most.
pub const FILES: usize = 5_000;

/// Why an archive is refused.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BadArchive {
    /// No ZIP, or a damaged or encrypted one.
    #[error("the file cannot be read as a ZIP archive: make it anew, without a password")]
    Zip,
    /// It unpacks to too much.
    #[error("the archive unpacks to more than {0} MiB: split it")]
    Large(u64),
    /// It holds too many files.
    #[error("the archive holds more than {FILES} files: split it")]
    Many,
    /// One file of it unpacks to too much.
    #[error("this file is larger than {0} MiB")]
    File(u64),
}

/// Bytes that all files of an archive unpack to, counted up to a little more than `most`: what
/// the archive itself says of that is not believed.
///
/// # Errors
/// [`BadArchive::Zip`].
pub fn unpacked(bytes: &[u8], most: u64) -> Result<u64, BadArchive> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|_| BadArchive::Zip)?;
    let mut sum = 0;
    for n in 0..archive.len().min(FILES + 1) {
        let file = archive.by_index(n).map_err(|_| BadArchive::Zip)?;
        let left = (most + 1).saturating_sub(sum);
        let copied = std::io::copy(&mut file.take(left), &mut std::io::sink());
        sum += copied.map_err(|_| BadArchive::Zip)?;
    }
    Ok(sum)
}

/// A file of an archive.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct File {
    /// Its name without folders.
    pub name: String,
    /// What it holds.
    pub bytes: Vec<u8>,
}

/// An archive whose files are read one by one, each when it is asked for.
pub struct Archive<R> {
    zip: ZipArchive<R>,
    /// Place and own name of each file, by that name without folders in lower case; of two the
    /// first.
    names: HashMap<String, (usize, String)>,
}

impl<R: Read + Seek> Archive<R> {
    /// Looks at what there is; nothing is unpacked.
    ///
    /// # Errors
    /// [`BadArchive::Zip`], or `Many`.
    pub fn open(from: R) -> Result<Self, BadArchive> {
        let mut zip = ZipArchive::new(from).map_err(|_| BadArchive::Zip)?;
        if zip.len() > FILES {
            return Err(BadArchive::Many);
        }
        let mut names = HashMap::new();
        for n in 0..zip.len() {
            let file = zip.by_index(n).map_err(|_| BadArchive::Zip)?;
            let name = file.name().map_err(|_| BadArchive::Zip)?;
            let name = name.rsplit(['/', '\\']).next().unwrap_or("").to_owned();
            if !file.is_dir() && !name.is_empty() && !name.starts_with('.') {
                names.entry(name.to_lowercase()).or_insert((n, name));
            }
        }
        Ok(Self { zip, names })
    }

    /// Every file: its name in lower case, and as it is written.
    pub fn names(&self) -> impl Iterator<Item = (&str, &str)> {
        self.names.iter().map(|(key, (_, name))| (key.as_str(), name.as_str()))
    }

    /// What the file of this name in lower case holds, if there is one.
    ///
    /// # Errors
    /// [`BadArchive::Zip`], or `File` for more than `most` bytes.
    pub fn read(&mut self, name: &str, most: u64) -> Result<Option<Vec<u8>>, BadArchive> {
        let Some((n, _)) = self.names.get(name) else { return Ok(None) };
        let file = self.zip.by_index(*n).map_err(|_| BadArchive::Zip)?;
        let mut bytes = Vec::new();
        file.take(most + 1).read_to_end(&mut bytes).map_err(|_| BadArchive::Zip)?;
        if bytes.len() as u64 > most {
            Err(BadArchive::File(most / 1024 / 1024))
        } else {
            Ok(Some(bytes))
        }
    }
}

/// Every file of an archive by its name without folders, in lower case; of two the first.
///
/// # Errors
/// See [`BadArchive`].
pub fn files(bytes: &[u8], most: u64) -> Result<HashMap<String, File>, BadArchive> {
    let mut archive = Archive::open(Cursor::new(bytes))?;
    let names: Vec<_> = archive.names().map(|(k, name)| (k.to_owned(), name.to_owned())).collect();
    let (mut files, mut left) = (HashMap::new(), most);
    for (key, name) in names {
        let large = |_| BadArchive::Large(most / 1024 / 1024);
        let bytes = match archive.read(&key, left) {
            Err(BadArchive::File(over)) => return Err(large(over)),
            other => other?.unwrap_or_default(),
        };
        left -= bytes.len() as u64;
        files.insert(key, File { name, bytes });
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use zip::write::SimpleFileOptions;

    fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in files {
            zip.start_file(*name, SimpleFileOptions::default()).unwrap();
            zip.write_all(bytes).unwrap();
        }
        zip.finish().unwrap().into_inner()
    }

    #[test]
    fn names_lose_their_folders_and_cannot_climb() {
        let bytes = archive(&[("../../etc/A.JPG", b"1"), ("x/b.csv", b"22"), ("x/.hidden", b"3")]);
        let mut names: Vec<_> = files(&bytes, 100).unwrap().into_keys().collect();
        names.sort();
        assert_eq!(names, ["a.jpg", "b.csv"]);
        assert_eq!(unpacked(&bytes, 100), Ok(4));
    }

    #[test]
    fn a_bomb_is_refused_before_it_is_unpacked() {
        let bomb = archive(&[("zeros", &vec![0; 3 * 1024 * 1024])]);
        assert!(bomb.len() < 10_000);
        assert_eq!(files(&bomb, 1024 * 1024), Err(BadArchive::Large(1)));
        assert_eq!(unpacked(&bomb, 1000), Ok(1001));
        assert_eq!(files(b"PK no", 10), Err(BadArchive::Zip));
    }
}
