//! Forms whose files are too large for RAM: each file goes to the disk as it comes.
//!
//! It has no name there and is open to nobody else, so that it is gone with its handle, even if
//! the hub is killed.

use crate::body::{FormParts, MOST_PARTS, broken, too_large};
use crate::problem::Problem;
use crate::takes::SMALL;
use bytes::Bytes;
use multer::{Constraints, Field, Multipart, SizeLimit};
use std::fs::File;
use std::io::{self, Seek};
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use tokio::io::AsyncWriteExt;
use tokio_stream::Stream;

/// Bytes of a form that are read ahead of what is taken from it: a head that never ends has no
/// more.
const AHEAD: usize = 1024 * 1024;

/// A body that does not run ahead: after [`AHEAD`] bytes of which nobody took any it pauses once,
/// and then it breaks off.
struct Paced<S> {
    body: S,
    ahead: Arc<AtomicUsize>,
    paused: bool,
}

impl<S: Stream<Item = io::Result<Bytes>> + Unpin> Stream for Paced<S> {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.ahead.load(Ordering::Relaxed) <= AHEAD {
            self.paused = false;
        } else if self.paused {
            return Poll::Ready(Some(Err(io::Error::other("a head of the form never ends"))));
        } else {
            self.paused = true;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let piece = std::task::ready!(Pin::new(&mut self.body).poll_next(cx));
        if let Some(Ok(bytes)) = &piece {
            self.ahead.fetch_add(bytes.len(), Ordering::Relaxed);
        }
        Poll::Ready(piece)
    }
}

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
) -> Result<FormParts, Problem> {
    let most = SizeLimit::new().whole_stream(limit);
    let ahead = Arc::new(AtomicUsize::new(0));
    let body = Paced { body: Box::pin(body), ahead: ahead.clone(), paused: false };
    let mut form = Multipart::with_constraints(body, boundary, Constraints::new().size_limit(most));
    let mut parts = FormParts::default();
    while let Some(field) = form.next_field().await.map_err(|why| unreadable(&why, limit))? {
        if parts.fields.len() + parts.spooled.len() >= MOST_PARTS {
            return Err(Problem::malformed(format!("A form has at most {MOST_PARTS} fields.")));
        }
        let name = field.name().unwrap_or("").to_owned();
        if field.file_name().is_some() || field.content_type().is_some() {
            parts.spooled.push((name, stored(field, limit, folder, &ahead).await?));
        } else {
            parts.fields.push((name, text(field, limit, &ahead).await?));
        }
    }
    Ok(parts)
}

async fn stored(
    mut field: Field<'_>,
    limit: u64,
    folder: &Path,
    ahead: &AtomicUsize,
) -> Result<Spooled, Problem> {
    let mut file = tokio::fs::File::from_std(tempfile::tempfile_in(folder).map_err(|_| full())?);
    let mut hash = blake3::Hasher::new();
    while let Some(piece) = field.chunk().await.map_err(|why| unreadable(&why, limit))? {
        ahead.store(0, Ordering::Relaxed);
        hash.update(&piece);
        file.write_all(&piece).await.map_err(|_| full())?;
    }
    file.flush().await.map_err(|_| full())?;
    let mut file = file.into_std().await;
    file.rewind().map_err(|_| full())?;
    Ok(Spooled { file, digest: hash.finalize().into() })
}

async fn text(mut field: Field<'_>, limit: u64, ahead: &AtomicUsize) -> Result<String, Problem> {
    let mut bytes = Vec::new();
    while let Some(piece) = field.chunk().await.map_err(|why| unreadable(&why, limit))? {
        ahead.store(0, Ordering::Relaxed);
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

    async fn spooled(body: Vec<u8>, limit: u64, folder: &Path) -> Result<FormParts, Problem> {
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
    async fn a_head_that_never_ends_is_not_kept_in_memory() {
        let folder = tempfile::tempdir().unwrap();
        let (read, most) = (Arc::new(AtomicUsize::new(0)), 64 * 1024 * 1024);
        let count = read.clone();
        let endless = std::iter::once(Bytes::from_static(b"--x\r\ncontent-disposition: "))
            .chain(std::iter::repeat(Bytes::from_static(&[b'a'; 1000])))
            .map(move |piece| {
                count.fetch_add(piece.len(), Ordering::Relaxed);
                Ok(piece)
            });
        let broken = split("x".into(), tokio_stream::iter(endless), most, folder.path()).await;
        assert_eq!(broken.unwrap_err().status, 400);
        assert!(read.load(Ordering::Relaxed) < 2 * AHEAD);
    }

    #[tokio::test]
    async fn a_file_that_comes_all_at_once_is_stored_whole() {
        let folder = tempfile::tempdir().unwrap();
        let whole = spooled(form(&vec![7; 5 * AHEAD]), 64 * 1024 * 1024, folder.path()).await;
        let (_, there) = whole.unwrap().spooled.pop().unwrap();
        assert_eq!(there.file.metadata().unwrap().len(), 5 * AHEAD as u64);
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
