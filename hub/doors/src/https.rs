//! What devices fetch over HTTPS with their certificate: their gallery, and the model pack.
//!
//! A device gets its own releases and nobody else's; what is not its own does not exist for it.

use super::range::{RangePart, part};
use super::{key, renew, tls};
use crate::reply::empty;
use accept::patience::Patient;
use accept::{self, Guest, House};
use acts::device::{DoorIdentity, Fleet, Serial};
use acts::doors::{galleries, updates};
use acts::parts::Parts;
use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{ACCEPT_RANGES, CONTENT_RANGE, ETAG, HeaderName, IF_RANGE, RANGE};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use rules::error::{Doing, Error};
use std::convert::Infallible;
use std::io::{self, Read as _, Seek as _};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio_util::sync::CancellationToken;
use wire::join::{
    AUTHORITY_DOMAIN, AUTHORITY_PATH, GALLERY_PATH, KEY_PATH, MANIFEST_PATH, MODELS_DOMAIN,
    MODELS_PATH, RENEW_PATH, SIGNERS_PATH,
};
use wire::program::PROGRAM_PATH;
use wire::sign::Signed;

/// For a request's headers, and for the next request of a kept connection.
const HEADER_TIME: Duration = Duration::from_secs(10);
/// Bytes of a request's head at most.
const HEAD: usize = 16 * 1024;
/// The longest one connection is kept: the whole pack over a slow link.
const AGE: Duration = Duration::from_secs(600);
/// Bytes of a model file at most.
const MODEL_BYTES: u64 = 512 * 1024 * 1024;

/// A file to send, and the version it has.
struct HttpsFile {
    content: HttpsContent,
    length: usize,
    etag: String,
}

/// Where the bytes of a file are.
enum HttpsContent {
    /// Here.
    Held(Bytes),
    /// On the disk: a model is large, and is asked for in parts.
    Disk(PathBuf),
    /// The same; it takes a place among [`PROGRAMS`].
    Program(PathBuf),
}

/// Serves devices until `stop`.
///
/// # Errors
/// Never: a connection that fails is one connection.
pub async fn run(
    socket: TcpListener,
    house: House,
    app: Parts,
    stop: CancellationToken,
) -> Result<(), Error> {
    let serve = move |guest| one(guest, app.clone());
    accept::run(socket, house, stop, serve).await;
    Ok(())
}

async fn one(guest: Guest, app: Parts) {
    let Guest { address, stream, half_open, slot: _slot, stop } = guest;
    let Ok(identity) = tls::identity(&stream) else {
        rules::security!("identity", %address, "a certificate names no device");
        return;
    };
    drop(half_open);
    app.fleet.saw(&identity, address.ip(), tokio::time::Instant::now());
    let revoked = revoked(app.fleet.clone(), identity.serial.clone());
    let service =
        hyper::service::service_fn(move |request| answer(app.clone(), identity.clone(), request));
    let mut http = hyper::server::conn::http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEADER_TIME).max_buf_size(HEAD);
    let mut connection =
        std::pin::pin!(http.serve_connection(TokioIo::new(Patient::new(stream)), service));
    tokio::select! {
        ended = connection.as_mut() => {
            if let Err(error) = ended {
                tracing::debug!(%error, "a device's connection ended early");
            }
        }
        () = revoked => {}
        () = tokio::time::sleep(AGE) => {}
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            let _ended = connection.await;
        }
    }
}

/// Until this certificate no longer counts.
async fn revoked(fleet: Fleet, serial: Serial) {
    let found = fleet.watch().wait_for(|state| state.revoked.contains(&serial)).await.map(drop);
    if found.is_err() {
        std::future::pending().await
    }
}

async fn answer(
    app: Parts,
    identity: DoorIdentity,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    if request.method() == Method::POST && request.uri().path() == RENEW_PATH {
        return Ok(renew::answer(&app, &identity, request.into_body()).await);
    }
    if request.method() != Method::GET {
        return Ok(empty(StatusCode::METHOD_NOT_ALLOWED));
    }
    if request.uri().path() == KEY_PATH {
        return Ok(key::answer(&app, &identity).await);
    }
    let sent = match find(&app, &identity, request.uri().path()).await {
        Ok(Some(file)) => {
            let part = wanted(&request, &file);
            send(file, part).await.map(Some)
        }
        other => other.map(|_| None),
    };
    Ok(match sent {
        Ok(Some(answer)) => {
            if ends(&answer) {
                fetched(&app, &identity, request.uri().path()).await;
            }
            answer
        }
        Ok(None) => empty(StatusCode::NOT_FOUND),
        // It asks again in a moment.
        Err(Error::Unavailable(_)) => empty(StatusCode::SERVICE_UNAVAILABLE),
        Err(error) => {
            tracing::error!(device = %identity.device, %error, "a file for a device could not be read");
            empty(StatusCode::SERVICE_UNAVAILABLE)
        }
    })
}

async fn find(
    app: &Parts,
    identity: &DoorIdentity,
    path: &str,
) -> Result<Option<HttpsFile>, Error> {
    if path == MANIFEST_PATH {
        let device = identity.device.clone();
        let signed = app.db.read(move |tx| store::release::manifest(tx, &device)).await?;
        return Ok(signed.map(tagged));
    }
    if path == AUTHORITY_PATH {
        app.pki.reload(&app.keys)?;
        let key = app.keys.signing()?;
        let all = app.pki.ca_pem().into_bytes();
        let signed = Signed::new(&key, AUTHORITY_DOMAIN, all);
        return postcard::to_stdvec(&signed).doing("signing the authorities").map(tagged).map(Some);
    }
    if path == SIGNERS_PATH {
        let chain = postcard::to_stdvec(&app.keys.signers()?).doing("listing signing keys")?;
        return Ok(Some(tagged(chain)));
    }
    if let Some(version) = path.strip_prefix(GALLERY_PATH) {
        let Ok(version) = version.parse::<u64>() else { return Ok(None) };
        let release = app.gallery.release(&identity.device);
        let asked = release.filter(|release| release.manifest.version == version);
        return Ok(asked.map(|release| tagged(release.file.to_vec())));
    }
    if let Some(name) = path.strip_prefix(PROGRAM_PATH) {
        return update(app, name).await;
    }
    match path.strip_prefix(MODELS_PATH) {
        Some(name) => model(app, name).await,
        None => Ok(None),
    }
}

/// Whether the end of the file is in this answer.
fn ends(answer: &Response<Full<Bytes>>) -> bool {
    let place = answer.headers().get(CONTENT_RANGE).and_then(|place| place.to_str().ok());
    let last = |place: &str| {
        let (span, length) = place.strip_prefix("bytes ")?.split_once('/')?;
        let (_, last) = span.split_once('-')?;
        Some(last.parse::<u64>().ok()? + 1 == length.parse::<u64>().ok()?)
    };
    match answer.status() {
        StatusCode::OK => true,
        StatusCode::PARTIAL_CONTENT => place.and_then(last).unwrap_or(false),
        _ => false,
    }
}

/// Remembers that the door was sent a release to its end. It is only for the list of releases, so
/// a failure is no reason to keep the file back.
async fn fetched(app: &Parts, identity: &DoorIdentity, path: &str) {
    let version = path.strip_prefix(GALLERY_PATH).and_then(|version| version.parse().ok());
    let (Some(version), now) = (version, app.clock.wall()) else { return };
    let noted = galleries::fetched(&app.db, identity.device.clone(), version, now);
    if let Err(error) = noted.await {
        tracing::warn!(%error, "that a door fetched its gallery was not remembered");
    }
}

/// Doors that are sent a program at the same time: each answer is in RAM until its door has it.
static PROGRAMS: Semaphore = Semaphore::const_new(8);

/// Bytes that are sent, and the place that they take.
struct Placed {
    bytes: Bytes,
    _place: SemaphorePermit<'static>,
}

impl AsRef<[u8]> for Placed {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// The file of an update that was brought here.
async fn update(app: &Parts, name: &str) -> Result<Option<HttpsFile>, Error> {
    if !updates::is_known(&app.db, name).await? {
        return Ok(None);
    }
    let path = updates::path(&app.config.data, name);
    let read = move || match on_disk(path.clone()) {
        // A hub out of a backup knows of it and has no file: an admin brings it again.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        file => {
            let content = HttpsContent::Program(path);
            file.doing("reading an update").map(|file| Some(HttpsFile { content, ..file }))
        }
    };
    tokio::task::spawn_blocking(read).await.doing("reading an update")?
}

/// A file of the pack that the hub runs: `pack.toml` or one that it names; no other path can be asked for.
async fn model(app: &Parts, name: &str) -> Result<Option<HttpsFile>, Error> {
    let folder = app.recogniser.folder().to_owned();
    let key = app.keys.signing()?;
    let name = name.to_owned();
    let read = move || -> Result<Option<HttpsFile>, Error> {
        let doing = "reading the model pack";
        let pack = std::fs::read_to_string(folder.join("pack.toml")).doing(doing)?;
        if name == "pack.signed" {
            let signed = Signed::new(&key, MODELS_DOMAIN, pack.into_bytes());
            return postcard::to_stdvec(&signed).doing(doing).map(tagged).map(Some);
        }
        if name != "pack.toml" && !names(&pack).contains(&name) {
            return Ok(None);
        }
        on_disk(folder.join(&name)).doing(doing).map(Some)
    };
    tokio::task::spawn_blocking(read).await.doing("reading the model pack")?
}

/// A file of a model pack. Packs are put in place whole and never written to: its version is its
/// length and when it was made, so that nobody need read it for that.
fn on_disk(path: PathBuf) -> io::Result<HttpsFile> {
    let known = std::fs::metadata(&path)?;
    let length = usize::try_from(known.len()).unwrap_or(usize::MAX);
    if known.len() > MODEL_BYTES {
        return Err(io::Error::other("a file of it is larger than any model"));
    }
    let made = known.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
    let etag = format!("\"{length:x}-{:x}\"", made.as_nanos());
    Ok(HttpsFile { content: HttpsContent::Disk(path), length, etag })
}

impl HttpsFile {
    /// These bytes of it.
    async fn bytes(self, range: Range<usize>) -> Result<Bytes, Error> {
        match self.content {
            HttpsContent::Held(bytes) => Ok(bytes.slice(range)),
            HttpsContent::Disk(path) => from_disk(path, range).await,
            HttpsContent::Program(path) => {
                let full = |_| Error::Unavailable("many doors fetch a program now".into());
                let place = PROGRAMS.try_acquire().map_err(full)?;
                let bytes = from_disk(path, range).await?;
                Ok(Bytes::from_owner(Placed { bytes, _place: place }))
            }
        }
    }
}

async fn from_disk(path: PathBuf, range: Range<usize>) -> Result<Bytes, Error> {
    let doing = "reading a file for a door";
    tokio::task::spawn_blocking(move || read(&path, &range)).await.doing(doing)?.doing(doing)
}

fn read(path: &Path, range: &Range<usize>) -> io::Result<Bytes> {
    let mut file = std::fs::File::open(path)?;
    file.seek(io::SeekFrom::Start(range.start as u64))?;
    let mut bytes = vec![0; range.len()];
    file.read_exact(&mut bytes)?;
    Ok(bytes.into())
}

/// The files that a pack is made of; they lie directly beside `pack.toml`.
fn names(pack: &str) -> Vec<String> {
    let table: toml::Table = pack.parse().unwrap_or_default();
    let files = table.get("file").and_then(toml::Value::as_array).into_iter().flatten();
    let name = |file: &toml::Value| Some(file.get("name")?.as_str()?.to_owned());
    files.filter_map(name).filter(|name| !name.contains('/') && !name.starts_with('.')).collect()
}

fn tagged(bytes: Vec<u8>) -> HttpsFile {
    let etag = format!("\"{}\"", blake3::hash(&bytes).to_hex());
    HttpsFile { length: bytes.len(), content: HttpsContent::Held(bytes.into()), etag }
}

/// The part of `file` that is asked for.
fn wanted<T>(request: &Request<T>, file: &HttpsFile) -> RangePart {
    let header = |name: HeaderName| request.headers().get(name).and_then(|v| v.to_str().ok());
    part(header(RANGE), header(IF_RANGE), &file.etag, file.length)
}

async fn send(file: HttpsFile, part: RangePart) -> Result<Response<Full<Bytes>>, Error> {
    let length = file.length;
    let response = Response::builder().header(ETAG, &file.etag).header(ACCEPT_RANGES, "bytes");
    let built = match part {
        RangePart::Whole => response.body(Full::new(file.bytes(0..length).await?)),
        RangePart::Some(range) => {
            let place = format!("bytes {}-{}/{length}", range.start, range.end - 1);
            let response = response.status(StatusCode::PARTIAL_CONTENT);
            response.header(CONTENT_RANGE, place).body(Full::new(file.bytes(range).await?))
        }
        RangePart::Nothing => {
            let response = response.status(StatusCode::RANGE_NOT_SATISFIABLE);
            response.header(CONTENT_RANGE, format!("bytes */{length}")).body(Full::default())
        }
    };
    Ok(built.expect("our own headers are valid"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt as _;

    /// The answer to a request for `range` of the file at `path`: status, version and bytes.
    async fn asked(path: &Path, range: &str, version: &str) -> (u16, String, Bytes) {
        let request = Request::get("/").header(RANGE, range).header(IF_RANGE, version);
        let file = on_disk(path.to_owned()).unwrap();
        let part = wanted(&request.body(()).unwrap(), &file);
        let answer = send(file, part).await.unwrap();
        let etag = answer.headers()[ETAG].to_str().unwrap().to_owned();
        (answer.status().as_u16(), etag, answer.into_body().collect().await.unwrap().to_bytes())
    }

    #[tokio::test]
    async fn a_part_of_a_model_is_read_alone_and_a_replaced_model_is_another() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("model");
        std::fs::write(&path, b"0123456789").unwrap();
        let (_, first, whole) = asked(&path, "", "").await;
        assert_eq!(&whole[..], b"0123456789");
        let (status, again, bytes) = asked(&path, "bytes=4-6", &first).await;
        assert_eq!((status, &bytes[..]), (206, &b"456"[..]));
        assert_eq!(again, first);
        std::fs::write(&path, b"abcdefghijk").unwrap();
        let (status, other, bytes) = asked(&path, "bytes=4-6", &first).await;
        assert_eq!((status, &bytes[..]), (200, &b"abcdefghijk"[..]));
        assert_ne!(other, first);
    }
}
