//! A school behind one address begins its day: two hundred browsers open the first page at once,
//! and whoever is refused an upload hears why.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
#![expect(clippy::print_stdout, reason = "figures belong beside the result")]

use anyhow::Context as _;
use house::school::School;
use reqwest::{Certificate, Client};
use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject as _};
use rustls::{ClientConfig, RootCertStore};
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;

const BROWSERS: usize = 200;
/// Who has no page by then gives up.
const LIMIT: Duration = Duration::from_secs(30);

/// The file at `path`, as text.
async fn file(client: Client, address: String) -> anyhow::Result<String> {
    let answer = client.get(&address).send().await.with_context(|| address.clone())?;
    answer.error_for_status()?.text().await.with_context(|| address)
}

/// Opens the page and everything it names, as a browser does: over several connections, one of
/// them made in advance and not used. How long that takes.
async fn browser(port: u16, authority: Certificate) -> anyhow::Result<Duration> {
    let begun = Instant::now();
    let _in_advance = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
    let client = Client::builder().tls_certs_only([authority]).timeout(LIMIT).build()?;
    let at = |path: &str| format!("https://localhost:{port}{path}");
    let page = file(client.clone(), at("/sign-in")).await?;
    let named = page.split('"').filter(|text| text.ends_with(".css") || text.ends_with(".js"));
    let mut files = named.map(|path| file(client.clone(), at(path))).collect::<JoinSet<_>>();
    anyhow::ensure!(!files.is_empty(), "the page names no file");
    while let Some(file) = files.join_next().await {
        anyhow::ensure!(!file??.is_empty(), "an empty file");
    }
    Ok(begun.elapsed())
}

#[test]
fn two_hundred_browsers_behind_one_address_all_get_their_page_at_once() {
    let _another_is_in_use = rustls::crypto::ring::default_provider().install_default();
    let dir = tempfile::tempdir().unwrap();
    let school = School::found(dir.path()).unwrap();
    let _hub = school.open().unwrap();
    let authority = Certificate::from_pem(&std::fs::read(school.ca()).unwrap()).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut waits = runtime.block_on(async {
        let one = |_| browser(school.ports.web, authority.clone());
        let all: JoinSet<_> = (0..BROWSERS).map(one).collect();
        all.join_all().await.into_iter().collect::<anyhow::Result<Vec<_>>>().unwrap()
    });
    waits.sort_unstable();
    println!("{BROWSERS} browsers: {:.1?} in the middle, {:.1?} at worst", waits[100], waits[199]);
    let counted = String::from_utf8(school.api().unwrap().file("/metrics").unwrap()).unwrap();
    let cut = |line: &str| line.starts_with("connections_") && !line.ends_with(" 0");
    let cut: Vec<_> = counted.lines().filter(|line| cut(line)).collect();
    assert!(cut.is_empty(), "{cut:?}");
}

/// What the hub answers to a picture of `size` bytes from somebody who is not signed in, if they
/// hear it.
async fn refused(school: &School, size: usize) -> std::io::Result<String> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(school.ca()).unwrap()).unwrap();
    let tls = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let tcp = TcpStream::connect((Ipv4Addr::LOCALHOST, school.ports.web)).await?;
    let name = ServerName::try_from("localhost").unwrap();
    let mut stream = TlsConnector::from(Arc::new(tls)).connect(name, tcp).await?;
    let head = format!(
        "POST /api/images HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
         content-type: multipart/form-data; boundary=x\r\ncontent-length: {size}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(&vec![b'a'; size]).await?;
    stream.flush().await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).lines().next().unwrap_or_default().to_owned())
}

#[test]
fn whoever_is_refused_an_upload_hears_why() {
    let _another_is_in_use = rustls::crypto::ring::default_provider().install_default();
    let dir = tempfile::tempdir().unwrap();
    let school = School::found(dir.path()).unwrap();
    let _hub = school.open().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for _ in 0..20 {
        let heard = runtime.block_on(refused(&school, 8 * 1024 * 1024)).unwrap();
        assert_eq!(heard, "HTTP/1.1 401 Unauthorized");
    }
    let cut = runtime.block_on(refused(&school, 64 * 1024 * 1024));
    assert!(cut.is_err(), "beyond a photo nobody listens: {cut:?}");
}
