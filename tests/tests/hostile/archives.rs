//! Archives of photos.

use super::{ARCHIVE, Hostile};
use std::io::{Cursor, Write};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// An archive of these files.
pub fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// An archive of a file that says it has `size` bytes.
pub fn zipped(size: u32) -> Vec<u8> {
    let mut bytes = zip(&[("1.jpg", b"x")]);
    let at = bytes.windows(4).position(|four| four == b"PK\x01\x02").unwrap();
    bytes[at + 24..at + 28].copy_from_slice(&size.to_le_bytes());
    bytes
}

/// A list of so many files, and none of them; its end says `claimed`.
fn list(files: u32, claimed: u16) -> Vec<u8> {
    let mut bytes = Vec::new();
    for n in 0..files {
        bytes.extend_from_slice(b"PK\x01\x02");
        bytes.extend_from_slice(&[0; 24]);
        bytes.extend_from_slice(&[8, 0]);
        bytes.extend_from_slice(&[0; 16]);
        bytes.extend_from_slice(format!("{n:08}").as_bytes());
    }
    let length = u32::try_from(bytes.len()).unwrap();
    bytes.extend_from_slice(b"PK\x05\x06\0\0\0\0");
    bytes.extend_from_slice(&claimed.to_le_bytes());
    bytes.extend_from_slice(&claimed.to_le_bytes());
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(&[0; 6]);
    bytes
}

pub fn all() -> Vec<Hostile> {
    let zeros = vec![0; 300 << 20];
    let table = zip(&[("list.xlsx", &zip(&[("xl/workbook.xml", &zeros[..100 << 20])]))]);
    let files = [
        ("an archive of a photo of 300 MiB", zip(&[("S1.jpg", &zeros)])),
        ("an archive with a list of 65,535 files", list(65_535, 65_535)),
        ("an archive with a list of a million files", list(1_000_000, 65_535)),
        ("an archive that names files it has not", list(1, 5000)),
        ("an archive that lies about its sizes", zipped(u32::MAX)),
        ("an archive whose table is a bomb", table),
        ("an archive that is none", vec![b'P'; 10 << 20]),
    ];
    files.into_iter().map(|(what, file)| Hostile::file(what, ARCHIVE, &file)).collect()
}
