//! Our style, script and pictures, inside the binary.
//!
//! Their address carries a hash of their content, so a browser may keep them for ever and a new
//! version has a new address.

use flate2::Compression;
use http::compress;
use std::sync::LazyLock;

/// One file.
pub struct StaticFile {
    /// Its name in `static/`.
    pub name: &'static str,
    /// Its media type.
    pub kind: &'static str,
    /// Its bytes.
    pub bytes: &'static [u8],
}

macro_rules! file {
    ($name:literal, $kind:literal) => {
        StaticFile {
            name: $name,
            kind: $kind,
            bytes: include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/static/", $name)),
        }
    };
}

/// Every file.
pub static FILES: &[StaticFile] = &[
    file!("rollcall.css", "text/css; charset=utf-8"),
    file!("doors.css", "text/css; charset=utf-8"),
    file!("doors.js", "text/javascript; charset=utf-8"),
    file!("hearing.js", "text/javascript; charset=utf-8"),
    file!("stream.js", "text/javascript; charset=utf-8"),
    file!("passkey.js", "text/javascript; charset=utf-8"),
    file!("photo.css", "text/css; charset=utf-8"),
    file!("photo.js", "text/javascript; charset=utf-8"),
    file!("report.css", "text/css; charset=utf-8"),
    file!("roll.css", "text/css; charset=utf-8"),
    file!("roll.js", "text/javascript; charset=utf-8"),
    file!("review.css", "text/css; charset=utf-8"),
    file!("queue.js", "text/javascript; charset=utf-8"),
    file!("settings.css", "text/css; charset=utf-8"),
    file!("review.js", "text/javascript; charset=utf-8"),
    file!("people.css", "text/css; charset=utf-8"),
    file!("people.js", "text/javascript; charset=utf-8"),
    file!("vendor/htmx.min.js", "text/javascript; charset=utf-8"),
    file!("icon.svg", "image/svg+xml"),
];

/// Hash of each file's content, in the same order.
static HASHES: LazyLock<Vec<String>> = LazyLock::new(|| {
    FILES.iter().map(|file| blake3::hash(file.bytes).to_hex()[..12].to_owned()).collect()
});

/// Each file's content as gzip, in the same order.
static PRESSED: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    FILES.iter().map(|file| compress::gzip(file.bytes, Compression::best())).collect()
});

/// The address of the file `name`: `/static/{hash}/{last part of the name}`.
#[must_use]
pub fn address(name: &str) -> String {
    let known = FILES.iter().position(|file| file.name == name);
    let n = known.expect("templates name files that are in FILES");
    format!("/static/{}/{}", HASHES[n], name.rsplit('/').next().unwrap_or(name))
}

/// The file whose content has `hash`, and the same as gzip.
#[must_use]
pub fn find(hash: &str) -> Option<(&'static StaticFile, &'static [u8])> {
    let n = HASHES.iter().position(|known| known == hash)?;
    Some((&FILES[n], &PRESSED[n]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_leads_to_its_file() {
        for file in FILES {
            let address = address(file.name);
            let hash = address.split('/').nth(2).unwrap();
            let (found, pressed) = find(hash).unwrap();
            assert_eq!(found.name, file.name);
            assert!(pressed.len() < file.bytes.len());
            assert!(!file.bytes.is_empty());
        }
        assert!(find("000000000000").is_none());
    }

    #[test]
    fn no_page_is_heavier_than_a_picture() {
        let all: usize = PRESSED.iter().map(Vec::len).sum();
        assert!(all < 100 * 1024, "{all} bytes of files together");
    }
}
