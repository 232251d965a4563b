//! Gets a release from the hub over device HTTPS: manifest, then file, resumed where it broke.
//!
//! The part that came stays in memory: a gallery never touches the disk in the clear.

use reqwest::header::{ETAG, IF_RANGE, RANGE};
use reqwest::{Client, Response, StatusCode, Url};
use rustls::ClientConfig;
use std::sync::Arc;
use std::time::Duration;
use wire::Manifest;
use wire::join::{GALLERY_PATH, MANIFEST_PATH};
use wire::sign::Signed;
use zeroize::Zeroizing;

/// Nothing came for so long: the connection is dead.
const READ: Duration = Duration::from_secs(15);
const CONNECT: Duration = Duration::from_secs(5);
/// A manifest is a few hundred bytes.
const MANIFEST_BYTES: usize = 64 * 1024;
/// Broken connections in one download; each time the rest is asked for.
const RESUMES: usize = 40;

/// Why a release could not be fetched.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The network, or the TLS to the hub.
    #[error("the hub could not be asked for the gallery: {0}")]
    Network(#[source] reqwest::Error),
    /// The hub has none.
    #[error("the hub has no such gallery (status {0})")]
    Status(StatusCode),
    /// More or other bytes than announced.
    #[error("the hub sent more than the gallery is long")]
    TooLong,
    /// It broke too often.
    #[error("the gallery broke off {RESUMES} times on its way")]
    Broken,
    /// The manifest is no manifest.
    #[error("the gallery's manifest is damaged")]
    Malformed,
    /// The address is none.
    #[error("“{0}” is no address for the gallery: let the door join again")]
    Address(String),
}

impl From<reqwest::Error> for FetchError {
    fn from(error: reqwest::Error) -> Self {
        Self::Network(error.without_url())
    }
}

/// Asks the hub.
#[derive(Clone, Debug)]
pub struct Fetch {
    client: Client,
    base: Url,
}

impl Fetch {
    /// Over device HTTPS at `host:port`.
    ///
    /// # Errors
    /// When the address is none.
    pub fn new(https: &str, tls: &Arc<ClientConfig>) -> Result<Self, FetchError> {
        let tls = ClientConfig::clone(tls);
        let client = builder().https_only(true).tls_backend_preconfigured(tls).build()?;
        let wrong = |_| FetchError::Address(https.to_owned());
        Ok(Self { client, base: Url::parse(&format!("https://{https}")).map_err(wrong)? })
    }

    /// The manifest that is current for this door.
    ///
    /// # Errors
    /// When it cannot be had.
    pub async fn manifest(&self) -> Result<Signed, FetchError> {
        let mut answer = self.get(MANIFEST_PATH, None).await?;
        let mut bytes = Vec::new();
        while let Some(chunk) = answer.chunk().await? {
            bytes.extend_from_slice(&chunk);
            if bytes.len() > MANIFEST_BYTES {
                return Err(FetchError::TooLong);
            }
        }
        postcard::from_bytes(&bytes).map_err(|_| FetchError::Malformed)
    }

    /// The file of a release, whole. It is not checked here.
    ///
    /// # Errors
    /// When it cannot be had, is too long, or breaks off too often.
    pub async fn file(&self, manifest: &Manifest) -> Result<Zeroizing<Vec<u8>>, FetchError> {
        let path = format!("{GALLERY_PATH}{}", manifest.version);
        let size = usize::try_from(manifest.size).map_err(|_| FetchError::TooLong)?;
        let tag = format!("\"{}\"", data_encoding::HEXLOWER.encode(&manifest.blake3));
        let mut file = Zeroizing::new(Vec::with_capacity(size));
        for _ in 0..RESUMES {
            match self.part(&path, &tag, &mut file, size).await {
                Ok(()) if file.len() == size => return Ok(file),
                Ok(()) => {}
                Err(FetchError::Network(error)) if error.is_connect() => {
                    return Err(FetchError::Network(error));
                }
                Err(FetchError::Network(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Err(FetchError::Broken)
    }

    /// What comes of the rest of the file before the connection breaks.
    async fn part(
        &self,
        path: &str,
        tag: &str,
        file: &mut Vec<u8>,
        size: usize,
    ) -> Result<(), FetchError> {
        let resume = (!file.is_empty()).then_some((file.len(), tag));
        let mut answer = self.get(path, resume).await?;
        let other =
            answer.headers().get(ETAG).is_some_and(|given| given.as_bytes() != tag.as_bytes());
        if answer.status() != StatusCode::PARTIAL_CONTENT || other {
            file.clear();
        }
        while let Some(chunk) = answer.chunk().await? {
            if file.len() + chunk.len() > size {
                return Err(FetchError::TooLong);
            }
            file.extend_from_slice(&chunk);
        }
        Ok(())
    }

    async fn get(&self, path: &str, from: Option<(usize, &str)>) -> Result<Response, FetchError> {
        let url = self.base.join(path).map_err(|_| FetchError::Address(path.to_owned()))?;
        let mut request = self.client.get(url);
        if let Some((from, tag)) = from {
            request = request.header(RANGE, format!("bytes={from}-")).header(IF_RANGE, tag);
        }
        let answer = request.send().await?;
        if answer.status().is_success() {
            Ok(answer)
        } else {
            Err(FetchError::Status(answer.status()))
        }
    }
}

fn builder() -> reqwest::ClientBuilder {
    Client::builder()
        .no_proxy()
        .http1_only()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT)
        .read_timeout(READ)
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::shelf::tests::release;
    use super::*;
    use std::io::{BufRead, BufReader, Write};
    use std::net::TcpListener;

    /// Over plain HTTP, for a hub on loopback.
    pub(in crate::gallery) fn plain(port: u16) -> Fetch {
        let base = Url::parse(&format!("http://127.0.0.1:{port}")).unwrap();
        let _ = rustls::crypto::ring::default_provider().install_default();
        Fetch { client: builder().build().unwrap(), base }
    }

    /// A hub that serves a release and hangs up after each `cut` bytes of the file. Returns its
    /// port; counts the bytes it sent into `sent`.
    pub(in crate::gallery) fn serve(
        signed: &Signed,
        file: Vec<u8>,
        cut: usize,
        sent: std::sync::mpsc::Sender<usize>,
    ) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let manifest = postcard::to_stdvec(signed).unwrap();
        std::thread::spawn(move || {
            for socket in listener.incoming() {
                let mut socket = socket.unwrap();
                let mut lines = BufReader::new(socket.try_clone().unwrap()).lines();
                let asked = lines.next().unwrap_or(Ok(String::new())).unwrap();
                let head: Vec<_> =
                    lines.map(Result::unwrap).take_while(|l| !l.is_empty()).collect();
                let from = head.iter().find_map(|line| line.strip_prefix("range: bytes="));
                let from = from.map_or(0, |from| from.trim_end_matches('-').parse().unwrap());
                let bytes = if asked.contains("manifest") { &manifest } else { &file };
                let status = if from > 0 { 206 } else { 200 };
                let rest = &bytes[from..];
                let length = rest.len();
                let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {length}\r\n\r\n");
                let part = &rest[..length.min(cut)];
                let _ = socket.write_all(&[head.as_bytes(), part].concat());
                let _ = sent.send(part.len());
            }
        });
        port
    }

    #[tokio::test]
    async fn a_download_that_breaks_off_goes_on_where_it_broke() {
        let (signed, _, manifest) = release(1, 0);
        let file: Vec<u8> = (0..100_000u32).map(|n| n.to_le_bytes()[0]).collect();
        let manifest = Manifest { size: file.len() as u64, ..manifest };
        let (told, sent) = std::sync::mpsc::channel();
        let fetch = plain(serve(&signed, file.clone(), 5_000, told));
        assert_eq!(fetch.manifest().await.unwrap(), signed);
        assert_eq!(*fetch.file(&manifest).await.unwrap(), file);
        let total: usize = sent.try_iter().skip(1).sum();
        assert!(total <= file.len() * 11 / 10, "{total} bytes for {}", file.len());
    }

    #[tokio::test]
    async fn endless_data_is_cut_off() {
        let (signed, _, manifest) = release(1, 0);
        let fetch = plain(serve(&signed, vec![0; 50_000], 50_000, std::sync::mpsc::channel().0));
        let refused = fetch.file(&Manifest { size: 1000, ..manifest }).await;
        assert!(matches!(refused, Err(FetchError::TooLong)));
    }

    #[tokio::test]
    async fn a_hub_that_is_away_is_said_so() {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let (_, _, manifest) = release(1, 0);
        assert!(matches!(plain(port).file(&manifest).await, Err(FetchError::Network(_))));
    }
}
