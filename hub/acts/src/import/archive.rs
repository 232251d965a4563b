//! A ZIP archive that somebody brings: never trusted about its sizes or names.

use std::collections::HashMap;
use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use zip::ZipArchive;

/// Files of an archive at most.
pub const FILES: usize = 5_000;
/// Bytes read at most to learn what an archive holds: room for the list of so many files.
const LIST: u64 = 8 * 1024 * 1024;

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

/// Lets at most so many bytes through until it is told to let all: the list of an archive's files
/// is read whole before anybody can say how long it is.
struct Sparing<R> {
    from: R,
    left: Arc<AtomicU64>,
}

impl<R: Read> Read for Sparing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.from.read(buffer)?;
        let left = self.left.load(Ordering::Relaxed);
        let less = || io::Error::other("the list of files is too long");
        let rest = left.checked_sub(read as u64).ok_or_else(less)?;
        self.left.store(rest, Ordering::Relaxed);
        Ok(read)
    }
}

impl<R: Seek> Seek for Sparing<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.from.seek(to)
    }
}

/// An archive of at most [`FILES`], whose list is read and nothing else.
fn listed<R: Read + Seek>(from: R) -> Result<ZipArchive<Sparing<R>>, BadArchive> {
    let left = Arc::new(AtomicU64::new(LIST));
    let zip = ZipArchive::new(Sparing { from, left: left.clone() });
    let long = left.swap(u64::MAX, Ordering::Relaxed) < 64 * 1024;
    let zip = zip.map_err(|_| if long { BadArchive::Many } else { BadArchive::Zip })?;
    if zip.len() > FILES { Err(BadArchive::Many) } else { Ok(zip) }
}

/// Bytes that all files of an archive unpack to, counted up to a little more than `most`: what
/// the archive itself says of that is not believed.
///
/// # Errors
/// [`BadArchive::Zip`], or `Many`.
pub fn unpacked(bytes: &[u8], most: u64) -> Result<u64, BadArchive> {
    let mut archive = listed(Cursor::new(bytes))?;
    let mut sum = 0;
    for n in 0..archive.len() {
        let file = archive.by_index(n).map_err(|_| BadArchive::Zip)?;
        let left = (most + 1).saturating_sub(sum);
        let copied = std::io::copy(&mut file.take(left), &mut std::io::sink());
        sum += copied.map_err(|_| BadArchive::Zip)?;
    }
    Ok(sum)
}

/// A file of an archive.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ArchiveFile {
    /// Its name without folders.
    pub name: String,
    /// What it holds.
    pub bytes: Vec<u8>,
}

/// An archive whose files are read one by one, each when it is asked for.
pub struct Archive<R> {
    zip: ZipArchive<Sparing<R>>,
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
        let mut zip = listed(from)?;
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
    /// [`BadArchive::Zip`], or `ArchiveFile` for more than `most` bytes.
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
pub fn files(bytes: &[u8], most: u64) -> Result<HashMap<String, ArchiveFile>, BadArchive> {
    let mut archive = Archive::open(Cursor::new(bytes))?;
    let names: Vec<_> = archive.names().map(|(k, name)| (k.to_owned(), name.to_owned())).collect();
    let mut files = HashMap::new();
    let mut left = most;
    for (key, name) in names {
        let large = |_| BadArchive::Large(most / 1024 / 1024);
        let bytes = match archive.read(&key, left) {
            Err(BadArchive::File(over)) => return Err(large(over)),
            other => other?.unwrap_or_default(),
        };
        left -= bytes.len() as u64;
        files.insert(key, ArchiveFile { name, bytes });
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

    #[test]
    fn what_lies_behind_five_thousand_files_is_not_overlooked() {
        let names: Vec<_> = (0..=FILES).map(|n| n.to_string()).collect();
        let empty: Vec<_> = names.iter().map(|name| (name.as_str(), b"".as_slice())).collect();
        assert_eq!(unpacked(&archive(&empty), 1000), Err(BadArchive::Many));
        assert_eq!(unpacked(&archive(&empty[..FILES]), 1000), Ok(0));
    }

    #[test]
    fn a_list_of_two_hundred_thousand_files_is_not_read_to_its_end() {
        let mut zip = Cursor::new(Vec::new());
        let entry = |n: u32| {
            [b"PK\x01\x02".to_vec(), vec![0; 24], vec![8, 0], vec![0; 16]]
                .concat()
                .into_iter()
                .chain(format!("{n:08}").into_bytes())
        };
        let list: Vec<u8> = (0..200_000).flat_map(entry).collect();
        let length = u32::try_from(list.len()).unwrap().to_le_bytes();
        zip.write_all(&list).unwrap();
        let end = [b"PK\x05\x06\0\0\0\0\xff\xff\xff\xff".as_slice(), &length, &[0; 4], &[0; 2]];
        zip.write_all(&end.concat()).unwrap();
        assert!(unpacked(&zip.into_inner(), 1000).is_err());
    }
}
