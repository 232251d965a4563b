//! Asks the hub over device HTTPS: small answers whole, files resumed where they broke.

use ed25519_dalek::VerifyingKey;
use reqwest::header::{DATE, ETAG, IF_RANGE, RANGE};
use reqwest::{Client, RequestBuilder, Response, StatusCode, Url};
use rustls::ClientConfig;
use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use wire::Wall;
use wire::join::{AUTHORITY_DOMAIN, AUTHORITY_PATH, KEY_PATH, SIGNERS_PATH};
use wire::sign::{self, Forged, Signed};
use zeroize::Zeroizing;

/// Nothing came for so long: the connection is dead.
const READ: Duration = Duration::from_secs(15);
const CONNECT: Duration = Duration::from_secs(5);
/// What is asked for whole is a few kilobytes.
const SMALL: u64 = 64 * 1024;
/// Broken connections in one download; each time the rest is asked for.
const RESUMES: usize = 40;

/// Why something could not be had from the hub.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The network, or the TLS to the hub.
    #[error("the hub could not be asked: {0}")]
    Network(#[source] reqwest::Error),
    /// The hub has none, or refuses.
    #[error("the hub answered with status {0}")]
    Status(StatusCode),
    /// More bytes than announced.
    #[error("the hub sent more than it may be long")]
    TooLong,
    /// It broke too often.
    #[error("it broke off {RESUMES} times on its way")]
    Broken,
    /// Another than the hub that this door joined signed it.
    #[error(transparent)]
    Forged(#[from] Forged),
    /// It does not decode.
    #[error("what the hub sent is damaged")]
    Malformed,
    /// The address is none.
    #[error("“{0}” is no address of the hub: let the door join again")]
    Address(String),
    /// What came could not be kept.
    #[error("it could not be kept on this disk: {0}")]
    Disk(#[from] io::Error),
}

impl From<reqwest::Error> for FetchError {
    fn from(error: reqwest::Error) -> Self {
        Self::Network(error.without_url())
    }
}

/// Where a file goes as it comes.
pub(crate) trait Sink {
    /// Bytes that are there already.
    fn length(&self) -> u64;
    /// It begins anew.
    fn clear(&mut self) -> io::Result<()>;
    /// More of it.
    fn push(&mut self, bytes: &[u8]) -> io::Result<()>;
}

impl Sink for Zeroizing<Vec<u8>> {
    fn length(&self) -> u64 {
        self.len() as u64
    }

    fn clear(&mut self) -> io::Result<()> {
        Vec::clear(self);
        Ok(())
    }

    fn push(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.extend_from_slice(bytes);
        Ok(())
    }
}

/// A file that grows.
pub(crate) struct OnDisk {
    file: File,
    length: u64,
}

impl OnDisk {
    /// The file at `path`, with what is there of it.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let file = File::options().create(true).append(true).open(path)?;
        let length = file.metadata()?.len();
        Ok(Self { file, length })
    }

    /// Makes what came last.
    pub(crate) fn sync(&self) -> io::Result<()> {
        self.file.sync_all()
    }
}

impl Sink for OnDisk {
    fn length(&self) -> u64 {
        self.length
    }

    fn clear(&mut self) -> io::Result<()> {
        self.length = 0;
        self.file.set_len(0)
    }

    fn push(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.length += bytes.len() as u64;
        self.file.write_all(bytes)
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

    /// What the hub signed at `path`.
    ///
    /// # Errors
    /// When it cannot be had.
    pub async fn signed(&self, path: &str) -> Result<Signed, FetchError> {
        let bytes = small(ask(self.client.get(self.at(path)?)).await?).await?;
        postcard::from_bytes(&bytes).map_err(|_| FetchError::Malformed)
    }

    /// Who signs the hub and doors, in PEM, as whoever follows the signing key `pinned` says;
    /// nothing from a hub that does not say.
    ///
    /// # Errors
    /// When it cannot be had, or somebody else says it.
    pub async fn authorities(&self, pinned: &VerifyingKey) -> Result<Option<String>, FetchError> {
        let said = match self.signed(AUTHORITY_PATH).await {
            Err(FetchError::Status(StatusCode::NOT_FOUND)) => return Ok(None),
            said => said?,
        };
        let signer = sign::newest(pinned, &self.signers().await?);
        let pem = said.verify(&signer, AUTHORITY_DOMAIN)?.to_vec();
        String::from_utf8(pem).map(Some).map_err(|_| FetchError::Malformed)
    }

    /// Who signs after the key that this door pinned.
    ///
    /// # Errors
    /// When it cannot be had.
    pub async fn signers(&self) -> Result<Vec<Signed>, FetchError> {
        let bytes = small(ask(self.client.get(self.at(SIGNERS_PATH)?)).await?).await?;
        postcard::from_bytes(&bytes).map_err(|_| FetchError::Malformed)
    }

    /// What time it is for the hub, to the second; nothing where it does not say.
    ///
    /// # Errors
    /// When it does not answer, or refuses.
    pub async fn date(&self) -> Result<Option<Wall>, FetchError> {
        let answer = ask(self.client.get(self.at(SIGNERS_PATH)?)).await?;
        let date = answer.headers().get(DATE).and_then(|date| date.to_str().ok());
        Ok(date.and_then(moment))
    }

    /// The key of the gallery on this disk; none from a hub that keeps none.
    ///
    /// # Errors
    /// When it cannot be had.
    pub async fn key(&self) -> Result<Option<Zeroizing<[u8; 32]>>, FetchError> {
        let answer = match ask(self.client.get(self.at(KEY_PATH)?)).await {
            Err(FetchError::Status(StatusCode::NOT_FOUND)) => return Ok(None),
            answer => answer?,
        };
        let bytes = Zeroizing::new(small(answer).await?);
        let key = <[u8; 32]>::try_from(bytes.as_slice()).map_err(|_| FetchError::Malformed)?;
        Ok(Some(Zeroizing::new(key)))
    }

    /// What the hub answers to `body`.
    ///
    /// # Errors
    /// When there is no good answer.
    pub async fn post(&self, path: &str, body: String) -> Result<String, FetchError> {
        let answer = ask(self.client.post(self.at(path)?).body(body)).await?;
        String::from_utf8(small(answer).await?).map_err(|_| FetchError::Malformed)
    }

    /// A file of `size` bytes whose version is `blake3`, whole and in memory. It is not checked
    /// here.
    ///
    /// # Errors
    /// When it cannot be had, is too long, or breaks off too often.
    pub async fn file(
        &self,
        path: &str,
        blake3: &[u8; 32],
        size: u64,
    ) -> Result<Zeroizing<Vec<u8>>, FetchError> {
        let tag = format!("\"{}\"", data_encoding::HEXLOWER.encode(blake3));
        let capacity = usize::try_from(size).map_err(|_| FetchError::TooLong)?;
        let mut file = Zeroizing::new(Vec::with_capacity(capacity));
        self.fill(path, Some(&tag), size, &mut file).await?;
        if file.length() == size { Ok(file) } else { Err(FetchError::Malformed) }
    }

    /// Lets the rest of a file of at most `most` bytes come into `sink`, however often it breaks
    /// off. With a `tag`, what is there of another version is dropped.
    ///
    /// # Errors
    /// When it cannot be had, is too long, or breaks off too often.
    pub(crate) async fn fill(
        &self,
        path: &str,
        tag: Option<&str>,
        most: u64,
        sink: &mut impl Sink,
    ) -> Result<(), FetchError> {
        for _ in 0..RESUMES {
            match self.part(path, tag, most, sink).await {
                Err(FetchError::Network(error)) if !error.is_connect() => {}
                ended => return ended,
            }
        }
        Err(FetchError::Broken)
    }

    /// What comes of the rest of the file before the connection breaks.
    async fn part(
        &self,
        path: &str,
        tag: Option<&str>,
        most: u64,
        sink: &mut impl Sink,
    ) -> Result<(), FetchError> {
        let mut request = self.client.get(self.at(path)?);
        if sink.length() > 0 {
            request = request.header(RANGE, format!("bytes={}-", sink.length()));
            request = tag.into_iter().fold(request, |request, tag| request.header(IF_RANGE, tag));
        }
        let mut answer = ask(request).await?;
        let given = answer.headers().get(ETAG).map(|given| given.as_bytes());
        let other = tag.zip(given).is_some_and(|(tag, given)| given != tag.as_bytes());
        if answer.status() != StatusCode::PARTIAL_CONTENT || other {
            sink.clear()?;
        }
        while let Some(chunk) = answer.chunk().await? {
            if sink.length() + chunk.len() as u64 > most {
                return Err(FetchError::TooLong);
            }
            sink.push(&chunk)?;
        }
        Ok(())
    }

    fn at(&self, path: &str) -> Result<Url, FetchError> {
        self.base.join(path).map_err(|_| FetchError::Address(path.to_owned()))
    }
}

async fn ask(request: RequestBuilder) -> Result<Response, FetchError> {
    let answer = request.send().await?;
    if answer.status().is_success() { Ok(answer) } else { Err(FetchError::Status(answer.status())) }
}

async fn small(mut answer: Response) -> Result<Vec<u8>, FetchError> {
    let mut bytes = Vec::new();
    while let Some(chunk) = answer.chunk().await? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() as u64 > SMALL {
            return Err(FetchError::TooLong);
        }
    }
    Ok(bytes)
}

/// The moment that an HTTP date names, such as `Tue, 24 Nov 2026 16:38:36 GMT`.
fn moment(date: &str) -> Option<Wall> {
    let rest = date.strip_suffix(" GMT")?.split_once(", ")?.1;
    let [day, month, year, time] = rest.split(' ').collect::<Vec<_>>()[..] else { return None };
    let months = "JanFebMarAprMayJunJulAugSepOctNovDec";
    let month = i64::try_from(months.find(month).filter(|at| at % 3 == 0)? / 3).ok()?;
    let number = |text: &str| text.parse::<u32>().ok().map(i64::from);
    let [hour, minute, second] = time.split(':').collect::<Vec<_>>()[..] else { return None };
    // Years that begin in March have their leap day at the end.
    let year = number(year)? - i64::from(month < 2);
    let of_year = ((month + 10) % 12 * 153 + 2) / 5 + number(day)? - 1;
    let days = year * 365 + year / 4 - year / 100 + year / 400 + of_year - 719_468;
    let seconds = (days * 24 + number(hour)?) * 3_600 + number(minute)? * 60 + number(second)?;
    Some(Wall(seconds * 1_000))
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
pub(crate) mod tests {
    use super::*;
    use std::io::{BufRead, BufReader, Write};
    use std::net::TcpListener;

    /// Over plain HTTP, for a hub on loopback.
    pub(crate) fn plain(port: u16) -> Fetch {
        let base = Url::parse(&format!("http://127.0.0.1:{port}")).unwrap();
        let _ = rustls::crypto::ring::default_provider().install_default();
        Fetch { client: builder().build().unwrap(), base }
    }

    /// A hub that serves these files by their paths, and hangs up after each `cut` bytes. Returns
    /// its port; counts the bytes it sent into `sent`.
    pub(crate) fn serve(
        files: Vec<(String, Vec<u8>)>,
        cut: usize,
        sent: std::sync::mpsc::Sender<usize>,
    ) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            for socket in listener.incoming() {
                let mut socket = socket.unwrap();
                let mut lines = BufReader::new(socket.try_clone().unwrap()).lines();
                let asked = lines.next().unwrap_or(Ok(String::new())).unwrap();
                let head: Vec<_> =
                    lines.map(Result::unwrap).take_while(|l| !l.is_empty()).collect();
                let from = head.iter().find_map(|line| line.strip_prefix("range: bytes="));
                let from = from.map_or(0, |from| from.trim_end_matches('-').parse().unwrap());
                let path = asked.split(' ').nth(1).unwrap_or_default();
                let found = files.iter().find(|(name, _)| name == path);
                let status = if found.is_none() {
                    404
                } else if from > 0 {
                    206
                } else {
                    200
                };
                let rest = found.map_or(&[][..], |(_, bytes)| &bytes[from..]);
                let length = rest.len();
                // Said, or the next request may be put onto the connection that is being closed.
                let head = format!(
                    "HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n"
                );
                let part = &rest[..length.min(cut)];
                let _ = socket.write_all(&[head.as_bytes(), part].concat());
                let _ = sent.send(part.len());
            }
        });
        port
    }

    fn numbers(count: u32) -> Vec<u8> {
        (0..count).map(|n| n.to_le_bytes()[0]).collect()
    }

    #[tokio::test]
    async fn a_download_that_breaks_off_goes_on_where_it_broke() {
        let file = numbers(100_000);
        let (told, sent) = std::sync::mpsc::channel();
        let fetch = plain(serve(vec![("/1".into(), file.clone())], 5_000, told));
        let came = fetch.file("/1", &[0; 32], file.len() as u64).await.unwrap();
        assert_eq!(*came, file);
        let total: usize = sent.try_iter().sum();
        assert!(total <= file.len() * 11 / 10, "{total} bytes for {}", file.len());
    }

    #[tokio::test]
    async fn endless_data_is_cut_off_and_too_little_is_seen() {
        let files = vec![("/1".into(), numbers(50_000))];
        let fetch = plain(serve(files, 50_000, std::sync::mpsc::channel().0));
        assert!(matches!(fetch.file("/1", &[0; 32], 1_000).await, Err(FetchError::TooLong)));
        assert!(matches!(fetch.file("/1", &[0; 32], 60_000).await, Err(FetchError::Malformed)));
        let missing = fetch.file("/2", &[0; 32], 1).await;
        assert!(matches!(missing, Err(FetchError::Status(StatusCode::NOT_FOUND))));
    }

    #[tokio::test]
    async fn what_is_signed_comes_whole() {
        let key = ed25519_dalek::SigningKey::from_bytes(&[5; 32]);
        let signed = Signed::new(&key, "test", b"hello".to_vec());
        let bytes = postcard::to_stdvec(&signed).unwrap();
        let files = vec![("/m".into(), bytes), ("/n".into(), b"no".to_vec())];
        let fetch = plain(serve(files, 5_000, std::sync::mpsc::channel().0));
        assert_eq!(fetch.signed("/m").await.unwrap(), signed);
        assert!(matches!(fetch.signed("/n").await, Err(FetchError::Malformed)));
    }

    #[tokio::test]
    async fn authorities_are_taken_from_whoever_follows_the_pinned_key_and_from_nobody_else() {
        let key = |n| ed25519_dalek::SigningKey::from_bytes(&[n; 32]);
        let (old, new) = (key(5), key(6));
        let bytes = |by: &_| {
            let signed = Signed::new(by, AUTHORITY_DOMAIN, b"PEM".to_vec());
            postcard::to_stdvec(&signed).unwrap()
        };
        let chain = [Signed::successor(&old, &new.verifying_key())];
        let chain = (SIGNERS_PATH.to_owned(), postcard::to_stdvec(&chain[..]).unwrap());
        let hub = |by| {
            let files = vec![(AUTHORITY_PATH.to_owned(), bytes(by)), chain.clone()];
            plain(serve(files, 5_000, std::sync::mpsc::channel().0))
        };
        let pinned = old.verifying_key();
        assert_eq!(hub(&new).authorities(&pinned).await.unwrap().as_deref(), Some("PEM"));
        let of_before = hub(&old).authorities(&pinned).await;
        assert!(matches!(of_before, Err(FetchError::Forged(_))), "{of_before:?}");
        let silent = plain(serve(vec![], 5_000, std::sync::mpsc::channel().0));
        assert_eq!(silent.authorities(&pinned).await.unwrap(), None);
    }

    #[test]
    fn a_date_of_http_is_a_moment_and_anything_else_is_none() {
        let s = |date: &str| moment(date).map(|wall| wall.0 / 1_000);
        assert_eq!(s("Thu, 01 Jan 1970 00:00:00 GMT"), Some(0));
        assert_eq!(s("Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777));
        assert_eq!(s("Tue, 29 Feb 2000 23:59:59 GMT"), Some(951_868_799));
        assert_eq!(s("Tue, 24 Nov 2026 16:38:36 GMT"), Some(1_795_538_316));
        for nonsense in ["", "now", "Tue, 24 Nov 2026 16:38 GMT", "Tue, 24 ovD 2026 16:38:36 GMT"] {
            assert_eq!(s(nonsense), None, "{nonsense}");
        }
    }

    #[tokio::test]
    async fn a_hub_that_is_away_is_said_so() {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let away = plain(port).file("/1", &[0; 32], 1).await;
        assert!(matches!(away, Err(FetchError::Network(_))));
    }
}
