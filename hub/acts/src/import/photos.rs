//! Enrolment of many: an archive of photos, and a table that says whose they are.
//!
//! The table (`student_id, file, consent_by`) lies in the archive; without one a photo's name is
//! its student's number. A photo that was enrolled before is known by a digest bound to its
//! student, so that the same archive again changes nothing.

use super::archive::{Archive, BadArchive};
use super::table::{TableFile, cell};
use rules::error::Error;
use std::io::{Read, Seek};
use wire::StudentId;

/// Bytes of one photo at most.
pub const PHOTO: u64 = 10 * 1024 * 1024;
/// Bytes of the table in an archive at most.
const TABLE: u64 = 5 * 1024 * 1024;
/// Photos of an archive at most.
pub const PHOTOS: usize = 2_000;

/// A photo, and whose it is said to be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ArchivePhoto {
    /// The file's own name.
    pub file: String,
    /// Number or own id of the student.
    pub student: String,
    /// Who agreed, where the ledger does not say so yet.
    pub consent_by: Option<String>,
}

/// Photos of an archive, each read when its turn comes.
pub struct Photos<R> {
    archive: Archive<R>,
    /// In the order of the table, or of their names.
    pub list: Vec<ArchivePhoto>,
}

/// An archive, and the file of the table in it, not yet read.
///
/// # Errors
/// `Invalid` when it is no archive.
pub fn open<R: Read + Seek>(from: R) -> Result<(Archive<R>, Option<Vec<u8>>), Error> {
    let mut archive = Archive::open(from).map_err(refused)?;
    let table = archive.names().map(|(key, _)| key.to_owned()).find(|key| is_table(key));
    let table = table.map(|key| archive.read(&key, TABLE)).transpose().map_err(refused)?;
    Ok((archive, table.flatten()))
}

impl<R: Read + Seek> Photos<R> {
    /// The photos of an archive as its table says, or their names.
    ///
    /// # Errors
    /// `Invalid` when there is nothing to enrol in it, or too much.
    pub fn new(archive: Archive<R>, table: Option<TableFile>) -> Result<Self, Error> {
        let list = match table {
            Some(table) => listed(table)?,
            None => by_name(archive.names()),
        };
        match list.len() {
            0 => Err(Error::Invalid("the archive holds no photos".into())),
            1..=PHOTOS => Ok(Self { archive, list }),
            _ => Err(Error::Invalid(format!("use at most {PHOTOS} photos at once"))),
        }
    }

    /// The picture of `photo`.
    ///
    /// # Errors
    /// `Invalid` when the archive does not hold it, or holds something larger than a photo.
    pub fn picture(&mut self, photo: &ArchivePhoto) -> Result<Vec<u8>, Error> {
        let missing = || Error::Invalid("the archive does not hold this photo".into());
        let found = self.archive.read(&photo.file.to_lowercase(), PHOTO).map_err(refused)?;
        found.ok_or_else(missing)
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the shape of map_err")]
fn refused(why: BadArchive) -> Error {
    Error::Invalid(why.to_string())
}

fn is_table(name: &str) -> bool {
    name.ends_with(".csv") || name.ends_with(".xlsx")
}

fn listed(table: TableFile) -> Result<Vec<ArchivePhoto>, Error> {
    let student = table.column(&["student_id", "student_number", "person_id"], 0);
    let file = table.column(&["file", "photo", "image", "filename"], 1);
    let consent = table.column(&["consent_by", "consent"], 2);
    if student.is_none() || file.is_none() {
        let say = "the table in the archive needs the columns student_id and file";
        return Err(Error::Invalid(say.into()));
    }
    let photo = |(_, row): (usize, Vec<String>)| {
        let file = cell(&row, file)?.rsplit(['/', '\\']).next()?.to_lowercase();
        let student = cell(&row, student)?.to_owned();
        let consent_by = cell(&row, consent);
        Some(ArchivePhoto { student, consent_by: consent_by.map(str::to_owned), file })
    };
    Ok(table.rows.into_iter().filter_map(photo).collect())
}

/// `1234.jpg` and `1234_2.jpg` are photos of student 1234.
fn by_name<'a>(names: impl Iterator<Item = (&'a str, &'a str)>) -> Vec<ArchivePhoto> {
    let photo = |(_, file): (&str, &str)| {
        let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
        let number = match stem.rsplit_once('_') {
            Some((number, n)) if n.len() <= 2 && n.bytes().all(|b| b.is_ascii_digit()) => number,
            _ => stem,
        };
        ArchivePhoto { student: number.to_owned(), file: file.to_owned(), consent_by: None }
    };
    let mut photos: Vec<_> = names.map(photo).collect();
    photos.sort_by(|a, b| a.file.cmp(&b.file));
    photos
}

/// What the enrolment by this photo of this student is called as a source: it says nothing to
/// whoever does not have the photo, and differs for each student.
#[must_use]
pub fn source(student: StudentId, photo: &[u8]) -> String {
    let mut hash = blake3::Hasher::new();
    hash.update(student.0.as_bytes()).update(photo);
    format!("bulk-{}", &hash.finalize().to_hex()[..16])
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Cursor, Write};

    fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in files {
            zip.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
            zip.write_all(bytes).unwrap();
        }
        zip.finish().unwrap().into_inner()
    }

    fn read(zip: Cursor<Vec<u8>>) -> Result<Photos<Cursor<Vec<u8>>>, Error> {
        let (archive, table) = open(zip)?;
        Photos::new(archive, table.map(|bytes| TableFile::read(&bytes, true, PHOTOS).unwrap()))
    }

    #[test]
    fn a_table_says_whose_the_photos_are_and_what_is_missing_is_known() {
        let table = b"student_id,file,consent_by\nSTU1,Photos/A.jpg,mother\nSTU2,b.jpg,\n";
        let zip = Cursor::new(archive(&[("list.csv", table), ("photos/a.jpg", b"1")]));
        let mut photos = read(zip).unwrap();
        let list = photos.list.clone();
        let said: Vec<_> =
            list.iter().map(|p| (p.student.as_str(), p.consent_by.as_deref())).collect();
        assert_eq!(said, [("STU1", Some("mother")), ("STU2", None)]);
        assert_eq!(photos.picture(&list[0]).unwrap(), b"1");
        assert!(photos.picture(&list[1]).unwrap_err().to_string().contains("does not hold"));
    }

    #[test]
    fn without_a_table_the_name_is_the_number() {
        let zip = Cursor::new(archive(&[("stu_1.jpg", b"1"), ("STU9_12.png", b"2")]));
        let mut photos = read(zip).unwrap();
        let numbers: Vec<_> = photos.list.iter().map(|photo| photo.student.clone()).collect();
        assert_eq!(numbers, ["STU9", "stu"]);
        let first = photos.list[0].clone();
        assert_eq!(photos.picture(&first).unwrap(), b"2", "by its own name in capitals");
        assert!(read(Cursor::new(archive(&[]))).is_err());
    }

    #[test]
    fn a_photo_that_unpacks_to_too_much_costs_itself_only() {
        let zeros = vec![0; usize::try_from(PHOTO).unwrap() + 1];
        let mut photos = read(Cursor::new(archive(&[("1.jpg", &zeros), ("2.jpg", b"2")]))).unwrap();
        let list = photos.list.clone();
        assert!(photos.picture(&list[0]).unwrap_err().to_string().contains("larger than 10 MiB"));
        assert_eq!(photos.picture(&list[1]).unwrap(), b"2");
    }

    #[test]
    fn one_photo_of_two_students_has_two_sources() {
        let id = |n| StudentId(uuid::Uuid::from_u128(n));
        assert_ne!(source(id(1), b"x"), source(id(2), b"x"));
        assert_eq!(source(id(1), b"x"), source(id(1), b"x"));
    }
}
