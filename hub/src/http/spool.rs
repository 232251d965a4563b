//! Forms whose files are too large for RAM: each file goes to the disk as it comes.
//!
//! It has no name there and is open to nobody else, so that it is gone with its handle, even if
//! the hub is killed.

use super::body::{MOST_PARTS, Parts, broken, too_large};
use super::problem::Problem;
use super::route::SMALL;
use bytes::Bytes;
use multer::{Constraints, Field, Multipart, SizeLimit};
use std::fs::File;
use std::io::{self, Seek};
use std::path::Path;
use tokio::io::AsyncWriteExt;
use tokio_stream::Stream;

/// A file of a form, on the disk.
#[derive(Debug)]
pub struct Spooled {
    /// Where it is, from its beginning.
    pub file: File,
    /// BLAKE3 of what it holds.
    pub digest: [u8; 32],
}

/// Splits a form of at most `limit` bytes as it comes; its files go to `folder`.
///
/// # Errors
/// 400 for a form that cannot be split, 413 beyond the limit, 503 when the disk is full.
pub async fn split(
    boundary: String,
    body: impl Stream<Item = io::Result<Bytes>> + Send,
    limit: u64,
    folder: &Path,
) -> Result<Parts, Problem> {
    let most = SizeLimit::new().whole_stream(limit);
    let mut form = Multipart::with_constraints(body, boundary, Constraints::new().size_limit(most));
    let mut parts = Parts::default();
    while let Some(field) = form.next_field().await.map_err(|why| unreadable(&why, limit))? {
        if parts.fields.len() + parts.spooled.len() >= MOST_PARTS {
            return Err(Problem::malformed(format!("A form has at most {MOST_PARTS} fields.")));
        }
        let name = field.name().unwrap_or("").to_owned();
        if field.file_name().is_some() || field.content_type().is_some() {
            parts.spooled.push((name, stored(field, limit, folder).await?));
        } else {
            parts.fields.push((name, text(field, limit).await?));
        }
    }
    Ok(parts)
}

async fn stored(mut field: Field<'_>, limit: u64, folder: &Path) -> Result<Spooled, Problem> {
    let mut file = tokio::fs::File::from_std(tempfile::tempfile_in(folder).map_err(|_| full())?);
    let mut hash = blake3::Hasher::new();
    while let Some(piece) = field.chunk().await.map_err(|why| unreadable(&why, limit))? {
        hash.update(&piece);
        file.write_all(&piece).await.map_err(|_| full())?;
    }
    file.flush().await.map_err(|_| full())?;
    let mut file = file.into_std().await;
    file.rewind().map_err(|_| full())?;
    Ok(Spooled { file, digest: hash.finalize().into() })
}

async fn text(mut field: Field<'_>, limit: u64) -> Result<String, Problem> {
    let mut bytes = Vec::new();
    while let Some(piece) = field.chunk().await.map_err(|why| unreadable(&why, limit))? {
        bytes.extend_from_slice(&piece);
        if bytes.len() as u64 > SMALL {
            return Err(too_large(SMALL));
        }
    }
    String::from_utf8(bytes).map_err(|_| broken())
}

fn unreadable(why: &multer::Error, limit: u64) -> Problem {
    match why {
        multer::Error::StreamSizeExceeded { .. } => too_large(limit),
        _ => broken(),
    }
}

fn full() -> Problem {
    Problem::unavailable("The hub has no room on its disk for this upload: tell whoever runs it.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    fn form(file: &[u8]) -> Vec<u8> {
        let mut body =
            b"--x\r\ncontent-disposition: form-data; name=\"by\"\r\n\r\nher mother\r\n--x\r\n\
              content-disposition: form-data; name=\"file\"; filename=\"a.zip\"\r\n\r\n"
                .to_vec();
        body.extend_from_slice(file);
        body.extend_from_slice(b"\r\n--x--\r\n");
        body
    }

    async fn spooled(body: Vec<u8>, limit: u64, folder: &Path) -> Result<Parts, Problem> {
        let pieces: Vec<_> = body.chunks(1000).map(|p| Ok(Bytes::copy_from_slice(p))).collect();
        split("x".into(), tokio_stream::iter(pieces), limit, folder).await
    }

    #[tokio::test]
    async fn a_file_lies_on_the_disk_without_a_name_and_nothing_stays() {
        let folder = tempfile::tempdir().unwrap();
        let bytes: Vec<u8> = (0..100_000u32).map(|n| (n % 251) as u8).collect();
        let mut parts = spooled(form(&bytes), 200_000, folder.path()).await.unwrap();
        assert_eq!(parts.fields, [("by".to_owned(), "her mother".to_owned())]);
        let (name, mut there) = parts.spooled.pop().unwrap();
        assert_eq!((name.as_str(), there.digest), ("file", *blake3::hash(&bytes).as_bytes()));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "it has no name");
        let mut read = Vec::new();
        there.file.read_to_end(&mut read).unwrap();
        assert_eq!(read, bytes);
    }

    #[tokio::test]
    async fn what_is_too_large_or_cut_off_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let status = async |body: Vec<u8>, limit| {
            spooled(body, limit, folder.path()).await.map_or_else(|p| p.status.as_u16(), |_| 200)
        };
        let whole = form(&[7; 50_000]);
        assert_eq!(status(whole.clone(), 60_000).await, 200);
        assert_eq!(status(whole.clone(), 40_000).await, 413);
        assert_eq!(status(whole[..30_000].to_vec(), 60_000).await, 400);
        let nowhere = spooled(whole, 60_000, &folder.path().join("gone")).await;
        assert_eq!(nowhere.unwrap_err().status, 503);
    }
}
