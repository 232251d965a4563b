//! Reads bodies: never without a length, never beyond the route's limit, never for ever.

pub mod spool;

use super::problem::Problem;
use crate::takes::{SMALL, Takes};
use bytes::{Buf, Bytes, BytesMut};
use spool::Spooled;
use std::path::Path;
use std::pin::Pin;
use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;
use tokio_stream::{Stream, StreamExt};
use warp::http::{HeaderMap, header};

/// Time for a small body.
const SMALL_TIME: Duration = Duration::from_secs(10);
/// Bytes beyond which a body takes the time of a photo.
const SMALL_MOST: u64 = 1024 * 1024;
/// Time for a photo: 10 MiB over a phone's slow uplink.
const PARTS_TIME: Duration = Duration::from_secs(60);
/// Time for an archive of photos: 256 MiB over a school's slow uplink.
const ARCHIVE_TIME: Duration = Duration::from_secs(600);
/// How long a large body waits until others are gone.
const ROOM_TIME: Duration = Duration::from_secs(10);
/// Bytes that are taken from a stranger who is refused before they came, from somebody who has
/// signed in (an archive), and how long that may take.
const REFUSED_MOST: usize = 16 * 1024 * 1024;
const REFUSED_KNOWN: usize = 256 * 1024 * 1024;
const REFUSED_TIME: Duration = Duration::from_secs(5);
/// KiB of RAM for an archive on its way to the disk.
const SPOOL_ROOM: u32 = 2 * 1024;
/// Parts of one form.
pub(super) const MOST_PARTS: usize = 32;

/// A body, read and split as its route declares.
#[derive(Debug, Default)]
pub enum Content {
    /// None was wanted.
    #[default]
    Nothing,
    /// JSON text, not yet parsed.
    Json(Bytes),
    /// Named values.
    Form(Vec<(String, String)>),
    /// Named values and files.
    Parts(FormParts),
}

/// A form with files.
#[derive(Debug, Default)]
pub struct FormParts {
    /// The plain fields.
    pub fields: Vec<(String, String)>,
    /// The files: name of the field, bytes. The name of the file itself is dropped.
    pub files: Vec<(String, Bytes)>,
    /// Those that were too large for RAM.
    pub spooled: Vec<(String, Spooled)>,
}

impl Content {
    /// A plain field of a form.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        let (Self::Form(fields) | Self::Parts(FormParts { fields, .. })) = self else {
            return None;
        };
        fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Every plain field of a form with this name.
    pub fn fields<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let fields: &[(String, String)] = match self {
            Self::Form(fields) | Self::Parts(FormParts { fields, .. }) => fields,
            _ => &[],
        };
        fields.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// A file of a form, if it holds anything.
    #[must_use]
    pub fn file(&self, name: &str) -> Option<&Bytes> {
        let Self::Parts(parts) = self else { return None };
        let named = parts.files.iter().find(|(key, _)| key == name);
        named.map(|(_, bytes)| bytes).filter(|bytes| !bytes.is_empty())
    }

    /// Every file of this field that holds anything.
    #[must_use]
    pub fn files(&self, name: &str) -> Vec<Bytes> {
        let Self::Parts(parts) = self else { return Vec::new() };
        let named = parts.files.iter().filter(|(key, bytes)| key == name && !bytes.is_empty());
        named.map(|(_, bytes)| bytes.clone()).collect()
    }
}

/// Checks what the headers say before a byte is read.
///
/// # Errors
/// 411 without a length, 413 beyond the limit, 415 for another type.
pub fn admit(takes: Takes, headers: &HeaderMap) -> Result<(), Problem> {
    let (limit, wanted) = match takes {
        Takes::Nothing => return Ok(()),
        Takes::Json(limit) => (limit, "application/json"),
        Takes::Form(limit) => (limit, "application/x-www-form-urlencoded"),
        Takes::Parts(limit) | Takes::Archive(limit) => (limit, "multipart/form-data"),
    };
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let length = text(header::CONTENT_LENGTH).and_then(|length| length.parse::<u64>().ok());
    let length = length.ok_or_else(|| {
        Problem::no_length("The request has a body but does not say how long it is.")
    })?;
    if length > limit {
        return Err(too_large(limit));
    }
    let given = text(header::CONTENT_TYPE).unwrap_or("").split(';').next().unwrap_or("").trim();
    if !given.eq_ignore_ascii_case(wanted) {
        let say = format!("This address takes {wanted}, not “{given}”.");
        return Err(Problem::wrong_type(say));
    }
    Ok(())
}

/// Waits for room for a body that is more than small, before a byte of it is read. Whoever holds
/// the answer holds the room.
///
/// # Errors
/// As [`admit`]; 503 when others take all the room.
pub async fn room<'a>(
    rooms: &'a Semaphore,
    takes: Takes,
    headers: &HeaderMap,
) -> Result<Option<SemaphorePermit<'a>>, Problem> {
    admit(takes, headers)?;
    let length = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok());
    let length = length.and_then(|length| length.parse().ok()).unwrap_or(0_u64);
    let kib = match takes {
        Takes::Nothing => return Ok(None),
        Takes::Archive(_) => SPOOL_ROOM,
        _ if length <= SMALL => return Ok(None),
        _ => u32::try_from(length.div_ceil(1024)).unwrap_or(u32::MAX),
    };
    let busy = "The hub is reading other uploads: try again in a few seconds.";
    let busy = || Problem::unavailable(busy).after(10);
    let place = timeout(ROOM_TIME, rooms.acquire_many(kib)).await.map_err(|_| busy())?;
    place.map(Some).map_err(|_| Problem::internal())
}

pub(super) fn too_large(limit: u64) -> Problem {
    let whole = limit / 1024;
    let size = if whole >= 1024 { format!("{} MiB", whole / 1024) } else { format!("{whole} KiB") };
    Problem::too_large(format!("The upload is larger than the {size} that are allowed here."))
}

/// Reads and splits the body that `takes` declares; what is too large for RAM goes to `folder`.
///
/// # Errors
/// As [`admit`]; 400 for a form that cannot be split; 408 for a body that comes too slowly.
pub async fn read<S, B, E>(
    takes: Takes,
    headers: &HeaderMap,
    body: S,
    folder: &Path,
) -> Result<Content, Problem>
where
    S: Stream<Item = Result<B, E>> + Send,
    B: Buf,
{
    admit(takes, headers)?;
    match takes {
        Takes::Nothing => Ok(Content::Nothing),
        Takes::Json(limit) => {
            let time = if limit > SMALL_MOST { PARTS_TIME } else { SMALL_TIME };
            Ok(Content::Json(collect(body, limit, time).await?))
        }
        Takes::Form(limit) => {
            let bytes = collect(body, limit, SMALL_TIME).await?;
            serde_urlencoded::from_bytes(&bytes).map(Content::Form).map_err(|_| broken())
        }
        Takes::Parts(limit) => {
            split(headers, collect(body, limit, PARTS_TIME).await?).await.map(Content::Parts)
        }
        Takes::Archive(limit) => {
            let broke = |_| std::io::Error::other("the upload broke off");
            let body = body.map(move |piece| piece.map(CopyAll::copy_to_bytes_all).map_err(broke));
            let whole = spool::split(boundary(headers)?, body, limit, folder);
            timeout(ARCHIVE_TIME, whole).await.map_err(|_| late())?.map(Content::Parts)
        }
    }
}

async fn collect<S, B, E>(body: S, limit: u64, time: Duration) -> Result<Bytes, Problem>
where
    S: Stream<Item = Result<B, E>> + Send,
    B: Buf,
{
    let all = async {
        let mut body = std::pin::pin!(body);
        let mut bytes = BytesMut::new();
        while let Some(chunk) = body.next().await {
            let chunk = chunk.map_err(|_| Problem::malformed("The upload broke off."))?;
            if (bytes.len() + chunk.remaining()) as u64 > limit {
                return Err(too_large(limit));
            }
            bytes.extend_from_slice(&{ chunk }.copy_to_bytes_all());
        }
        Ok(bytes.freeze())
    };
    timeout(time, all).await.map_err(|_| late())?
}

/// Whether the other end sends its body only when it is asked to.
pub fn is_announced(headers: &HeaderMap) -> bool {
    headers.contains_key(header::EXPECT)
}

/// Takes what nobody read of a body, and keeps nothing of it. Most programs look at the answer
/// when they have sent all: a connection that is closed before tells them nothing.
pub async fn discard<S, B, E>(mut body: Pin<&mut S>, known: bool)
where
    S: Stream<Item = Result<B, E>> + Send,
    B: Buf,
{
    let most = if known { REFUSED_KNOWN } else { REFUSED_MOST };
    let all = async {
        let mut taken = 0;
        while let Some(Ok(chunk)) = body.next().await {
            taken += chunk.remaining();
            if taken > most {
                return;
            }
        }
    };
    let _all_or_cut = timeout(REFUSED_TIME, all).await;
}

fn late() -> Problem {
    let status = warp::http::StatusCode::REQUEST_TIMEOUT;
    Problem::new(status, "timeout", "The upload took too long. Try again.")
}

/// All that is left of a buffer.
trait CopyAll: Buf + Sized {
    fn copy_to_bytes_all(mut self) -> Bytes {
        self.copy_to_bytes(self.remaining())
    }
}

impl<B: Buf> CopyAll for B {}

/// What parts the fields of a form.
fn boundary(headers: &HeaderMap) -> Result<String, Problem> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    multer::parse_boundary(kind.unwrap_or("")).map_err(|_| broken())
}

async fn split(headers: &HeaderMap, bytes: Bytes) -> Result<FormParts, Problem> {
    let boundary = boundary(headers)?;
    let stream = tokio_stream::once(Ok::<_, std::convert::Infallible>(bytes));
    let mut form = multer::Multipart::new(stream, boundary);
    let mut parts = FormParts::default();
    while let Some(field) = form.next_field().await.map_err(|_| broken())? {
        if parts.fields.len() + parts.files.len() >= MOST_PARTS {
            return Err(Problem::malformed(format!("A form has at most {MOST_PARTS} fields.")));
        }
        let name = field.name().unwrap_or("").to_owned();
        let is_file = field.file_name().is_some() || field.content_type().is_some();
        let bytes = field.bytes().await.map_err(|_| broken())?;
        match String::from_utf8(bytes.to_vec()) {
            Ok(text) if !is_file => parts.fields.push((name, text)),
            _ => parts.files.push((name, bytes)),
        }
    }
    Ok(parts)
}

pub(super) fn broken() -> Problem {
    Problem::malformed("The form could not be read: it is cut off or not what its header says.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use warp::http::HeaderValue;

    fn headers(kind: &'static str, length: Option<usize>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        length.map(|n| headers.insert(header::CONTENT_LENGTH, HeaderValue::from(n)));
        headers
    }

    async fn status(takes: Takes, headers: HeaderMap, body: &'static [u8]) -> u16 {
        let body = tokio_stream::once(Ok::<_, std::io::Error>(Bytes::from_static(body)));
        let folder = std::env::temp_dir();
        read(takes, &headers, body, &folder).await.map_or_else(|p| p.status.as_u16(), |_| 200)
    }

    #[tokio::test]
    async fn a_body_needs_a_length_a_size_and_a_type() {
        let json = |n| headers("application/json; charset=utf-8", n);
        assert_eq!(status(Takes::Json(4), json(Some(2)), b"{}").await, 200);
        assert_eq!(status(Takes::Json(4), json(None), b"{}").await, 411);
        assert_eq!(status(Takes::Json(4), json(Some(9)), b"{}").await, 413);
        assert_eq!(status(Takes::Json(4), json(Some(2)), b"{lied}").await, 413);
        assert_eq!(status(Takes::Json(4), headers("text/plain", Some(2)), b"{}").await, 415);
        assert_eq!(
            status(Takes::Parts(9), headers("multipart/form-data", Some(2)), b"{}").await,
            400
        );
    }

    #[tokio::test]
    async fn large_bodies_share_one_room_and_small_ones_need_none() {
        let (rooms, takes) = (Semaphore::new(100), Takes::Parts(200 * 1024));
        let form = |n: usize| headers("multipart/form-data; boundary=x", Some(n));
        let first = room(&rooms, takes, &form(99 * 1024)).await.unwrap();
        assert!(first.is_some());
        assert!(room(&rooms, takes, &form(60 * 1024)).await.unwrap().is_none(), "it is small");
        let large = form(80 * 1024);
        let second = timeout(Duration::ZERO, room(&rooms, takes, &large)).await;
        assert!(second.is_err(), "it waits");
        drop(first);
        assert!(room(&rooms, takes, &large).await.unwrap().is_some());
    }

    #[tokio::test]
    async fn of_a_body_that_is_refused_a_bounded_part_is_taken() {
        let mib = Bytes::from(vec![0; 1024 * 1024]);
        for (known, most) in [(false, 17), (true, 257)] {
            let mut came = 0;
            let endless = tokio_stream::iter(0..1000).map(|_| {
                came += 1;
                Ok::<_, std::io::Error>(mib.clone())
            });
            discard(std::pin::pin!(endless), known).await;
            assert_eq!(came, most);
        }
    }

    #[tokio::test]
    async fn a_form_with_a_file_is_split() {
        let body = b"--x\r\ncontent-disposition: form-data; name=\"student_id\"\r\n\r\n7\r\n\
            --x\r\ncontent-disposition: form-data; name=\"file\"; filename=\"../../me.jpg\"\r\n\
            content-type: image/jpeg\r\n\r\n\xff\xd8\r\n--x--\r\n";
        let headers = headers("multipart/form-data; boundary=x", Some(body.len()));
        let stream = tokio_stream::once(Ok::<_, std::io::Error>(Bytes::from_static(body)));
        let content = read(Takes::Parts(1000), &headers, stream, Path::new("")).await.unwrap();
        assert_eq!(content.field("student_id"), Some("7"));
        assert_eq!(content.file("file").unwrap().as_ref(), b"\xff\xd8");
        assert_eq!((content.files("file").len(), content.files("other").len()), (1, 0));
        assert!(content.file("other").is_none());
    }
}
