//! Enrolment of many: an archive of photos, and a table that says whose they are.
//!
//! The table (`student_id, file, consent_by`) lies in the archive; without one a photo's name is
//! its student's number. A photo that was enrolled before is known by a digest bound to its
//! student, so that the same archive again changes nothing.

use super::archive::{self, BadArchive, File};
use super::table::{Table, cell};
use crate::error::Error;
use std::collections::HashMap;
use wire::StudentId;

/// Bytes that an archive may unpack to.
pub const UNPACKED: u64 = 512 * 1024 * 1024;
/// Photos of an archive at most.
pub const PHOTOS: usize = 2_000;

/// A photo, and whose it is said to be.
#[derive(Clone, PartialEq, Eq)]
pub struct Photo {
    /// The file's own name.
    pub file: String,
    /// Number or own id of the student.
    pub student: String,
    /// Who agreed, where the ledger does not say so yet.
    pub consent_by: Option<String>,
    /// The picture; nothing when the archive does not hold it.
    pub bytes: Option<Vec<u8>>,
}

/// Reads an archive.
///
/// # Errors
/// `Invalid` when there is nothing to enrol in it, or too much.
pub fn read(bytes: &[u8]) -> Result<Vec<Photo>, Error> {
    let refuse = |why: BadArchive| Error::Invalid(why.to_string());
    let mut files = archive::files(bytes, UNPACKED).map_err(refuse)?;
    let table = files.keys().find(|name| is_table(name)).cloned();
    let photos = match table.and_then(|name| files.remove(&name)) {
        Some(table) => listed(&table.bytes, files)?,
        None => by_name(files),
    };
    match photos.len() {
        0 => Err(Error::Invalid("the archive holds no photos".into())),
        1..=PHOTOS => Ok(photos),
        _ => Err(Error::Invalid(format!("use at most {PHOTOS} photos at once"))),
    }
}

fn is_table(name: &str) -> bool {
    name.ends_with(".csv") || name.ends_with(".xlsx")
}

fn listed(table: &[u8], mut files: HashMap<String, File>) -> Result<Vec<Photo>, Error> {
    let table = Table::read(table, true, PHOTOS).map_err(|why| Error::Invalid(why.to_string()))?;
    let student = table.column(&["student_id", "student_number", "person_id"], 0);
    let file = table.column(&["file", "photo", "image", "filename"], 1);
    let consent = table.column(&["consent_by", "consent"], 2);
    if student.is_none() || file.is_none() {
        let say = "the table in the archive needs the columns student_id and file";
        return Err(Error::Invalid(say.into()));
    }
    let photo = |(_, row): (usize, Vec<String>)| {
        let name = cell(&row, file)?.rsplit(['/', '\\']).next()?.to_lowercase();
        Some(Photo {
            student: cell(&row, student)?.to_owned(),
            consent_by: cell(&row, consent).map(str::to_owned),
            bytes: files.remove(&name).map(|file| file.bytes),
            file: name,
        })
    };
    Ok(table.rows.into_iter().filter_map(photo).collect())
}

/// `1234.jpg` and `1234_2.jpg` are photos of student 1234.
fn by_name(files: HashMap<String, File>) -> Vec<Photo> {
    let photo = |File { name: file, bytes }: File| {
        let stem = file.rsplit_once('.').map_or(file.as_str(), |(stem, _)| stem);
        let number = match stem.rsplit_once('_') {
            Some((number, n)) if n.len() <= 2 && n.bytes().all(|b| b.is_ascii_digit()) => number,
            _ => stem,
        };
        Photo { student: number.to_owned(), file, consent_by: None, bytes: Some(bytes) }
    };
    let mut photos: Vec<_> = files.into_values().map(photo).collect();
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

    #[test]
    fn a_table_says_whose_the_photos_are_and_what_is_missing_is_known() {
        let table = b"student_id,file,consent_by\nSTU1,Photos/A.jpg,mother\nSTU2,b.jpg,\n";
        let photos = read(&archive(&[("list.csv", table), ("photos/a.jpg", b"1")])).unwrap();
        let said: Vec<_> = photos
            .iter()
            .map(|p| (p.student.as_str(), p.consent_by.as_deref(), p.bytes.is_some()))
            .collect();
        assert_eq!(said, [("STU1", Some("mother"), true), ("STU2", None, false)]);
    }

    #[test]
    fn without_a_table_the_name_is_the_number() {
        let photos = read(&archive(&[("stu_1.jpg", b"1"), ("STU9_12.png", b"2")])).unwrap();
        let numbers: Vec<_> = photos.iter().map(|photo| photo.student.as_str()).collect();
        assert_eq!(numbers, ["STU9", "stu"]);
        assert!(read(&archive(&[])).is_err());
    }

    #[test]
    fn one_photo_of_two_students_has_two_sources() {
        let id = |n| StudentId(uuid::Uuid::from_u128(n));
        assert_ne!(source(id(1), b"x"), source(id(2), b"x"));
        assert_eq!(source(id(1), b"x"), source(id(1), b"x"));
    }
}
