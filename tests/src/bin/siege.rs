//! A crowd of slow and greedy clients before a real hub: connections that say nothing, readers that
//! do not read, writers that hardly write, from one address and from two hundred, on all three
//! listeners; and meanwhile a teacher elsewhere opens a page, each time over a new connection. All
//! of it is on one machine: what the crowd computes, the hub has not.
//!
//! The last crowd comes from the teacher's own address, where turns by address help nobody: it is
//! the control, and shows how heavy such a crowd is. Nothing is promised there.
//!
//! `siege small` shows that all of it runs; `siege full` is for `./dev night`.

use anyhow::{Context as _, ensure};
use house::client::Api;
use house::school::School;
use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject as _};
use rustls::{ClientConfig, RootCertStore};
use serde_json::json;
use std::fmt;
use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::{TlsConnector, client::TlsStream};

/// A teacher's page answers within this.
const WAIT: Duration = Duration::from_secs(1);
/// How long somebody of the crowd tries to get in.
const TRY: Duration = Duration::from_secs(20);
/// How many try at once.
const LANES: usize = 64;

/// How many of each kind, and how long they stay.
struct Size {
    silent: usize,
    readers: usize,
    writers: usize,
    stay: Duration,
    strict: bool,
}

const FULL: Size = Size {
    silent: 10_000,
    readers: 2_000,
    writers: 1_000,
    stay: Duration::from_secs(30),
    strict: true,
};
const SMALL: Size =
    Size { silent: 600, readers: 100, writers: 60, stay: Duration::from_secs(3), strict: false };

/// Where a crowd comes from.
#[derive(Clone, Copy)]
enum Origin {
    /// So many addresses that are not the teacher's.
    Elsewhere(u8),
    /// The teacher's.
    Here,
}

impl Origin {
    fn address(self, n: usize) -> Option<Ipv4Addr> {
        match self {
            Self::Here => Some(Ipv4Addr::LOCALHOST),
            Self::Elsewhere(of) => {
                Some([127, 0, 7, u8::try_from(n % usize::from(of)).ok()? + 1].into())
            }
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Here => write!(f, "the teacher's address"),
            Self::Elsewhere(1) => write!(f, "1 address"),
            Self::Elsewhere(of) => write!(f, "{of} addresses"),
        }
    }
}

/// Where the crowd comes from, and where it goes.
#[derive(Clone)]
struct Crowd {
    from: Origin,
    web: SocketAddr,
    doors: [SocketAddr; 2],
    tls: TlsConnector,
    /// The address of a large file.
    large: String,
}

fn main() -> anyhow::Result<()> {
    let _another_is_in_use = rustls::crypto::ring::default_provider().install_default();
    let size = match std::env::args().nth(1).as_deref() {
        Some("full") => FULL,
        Some("small") | None => SMALL,
        Some(other) => anyhow::bail!("siege takes full or small, not {other}"),
    };
    let dir = std::env::temp_dir().join(format!("rollcall-siege-{}", std::process::id()));
    let ended = besiege(&dir, &size);
    let _may_stay = std::fs::remove_dir_all(&dir);
    ended
}

fn besiege(dir: &std::path::Path, size: &Size) -> anyhow::Result<()> {
    let school = School::found(dir)?;
    let hub = school.open()?;
    let computed = || computed(hub.id());
    let admin = school.admin()?;
    admin.post("/api/classes", &json!({ "class_name": "7b", "class_code": "7B" }))?;
    let at = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(school.ca())?)?;
    let tls = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let (web, doors) = (at(school.ports.web), [at(school.ports.mqtt), at(school.ports.device)]);
    let tls = TlsConnector::from(Arc::new(tls));
    let page = String::from_utf8(school.api()?.file("/sign-in")?)?;
    let large = page.split('"').find(|text| text.ends_with("/rollcall.css"));
    let large = large.context("the page names no file")?.to_owned();
    let mut missed = 0;
    for from in [Origin::Elsewhere(1), Origin::Elsewhere(200), Origin::Here] {
        let (tls, large) = (tls.clone(), large.clone());
        let crowd = Crowd { from, web, doors, tls, large };
        let before = computed();
        missed += under(&crowd, size, &admin)?;
        let busy = computed().saturating_sub(before);
        writeln!(std::io::stdout(), "the hub computed for {busy:.1?} meanwhile")?;
    }
    drop(hub);
    ensure!(missed == 0 || !size.strict, "{missed} goals were missed");
    Ok(())
}

/// How long the program has computed so far; nothing where the system does not say.
fn computed(id: u32) -> Duration {
    let said = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    let ticks = said.rsplit(')').next().unwrap_or_default().split_whitespace().skip(11).take(2);
    Duration::from_millis(ticks.filter_map(|ticks| ticks.parse::<u64>().ok()).sum::<u64>() * 10)
}

/// One siege; how many goals it missed.
fn under(crowd: &Crowd, size: &Size, teacher: &Api) -> anyhow::Result<usize> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let (silent, crowd, stay) = (size.silent, crowd.clone(), size.stay);
    let (from, readers, writers) = (crowd.from, size.readers, size.writers);
    let siege = runtime.spawn(async move { come(crowd, silent, readers, writers, stay).await });
    let (mut waits, mut shut_out) = (Vec::new(), 0);
    while !siege.is_finished() {
        let begun = Instant::now();
        let asked = teacher.afresh().and_then(|fresh| fresh.get("/api/classes/7B"));
        match (asked, from) {
            (Err(_), Origin::Here) => shut_out += 1,
            (asked, _) => drop(asked.context("a teacher was kept out")?),
        }
        waits.push(begun.elapsed());
        std::thread::sleep(Duration::from_millis(50));
    }
    let came = runtime.block_on(siege)??;
    ensure!(!waits.is_empty(), "no page was asked for");
    waits.sort_unstable();
    let (p50, p99) = (waits[waits.len() / 2], waits[waits.len() * 99 / 100]);
    let worst = waits[waits.len() - 1];
    let kept = worst < WAIT;
    let word = match (from, kept) {
        (Origin::Here, _) => format!("control, {shut_out} shut out"),
        (_, true) => format!("goal {WAIT:?}"),
        (_, false) => format!("goal {WAIT:?}: MISSED"),
    };
    let say = format!(
        "{from}: {} silent, {} slow readers, {} slow writers came in; a teacher's page \
         p50 {p50:.1?}, p99 {p99:.1?}, at worst {worst:.1?} of {} ({word})",
        came.silent,
        came.readers,
        came.writers,
        waits.len()
    );
    writeln!(std::io::stdout(), "{say}")?;
    Ok(usize::from(!kept && !matches!(from, Origin::Here)))
}

/// How many got in.
#[derive(Default)]
struct Came {
    silent: usize,
    readers: usize,
    writers: usize,
}

/// Everybody comes, and stays.
async fn come(
    crowd: Crowd,
    silent: usize,
    readers: usize,
    writers: usize,
    stay: Duration,
) -> anyhow::Result<Came> {
    let silents = each(silent, |n| {
        let crowd = crowd.clone();
        async move { crowd.silent(n).await }
    });
    let readers = each(readers, |n| {
        let crowd = crowd.clone();
        async move { crowd.reader(n).await }
    });
    let writers = each(writers, |n| {
        let crowd = crowd.clone();
        async move { crowd.writer(n, stay).await }
    });
    let (silent, readers, writers) = tokio::join!(silents, readers, writers);
    let came = Came { silent: silent.len(), readers: readers.len(), writers: writers.len() };
    sleep(stay).await;
    drop((silent, readers, writers));
    Ok(came)
}

/// `count` of a kind, some at a time; those that got in.
async fn each<T: Send + 'static, F: Future<Output = Option<T>> + Send + 'static>(
    count: usize,
    one: impl Fn(usize) -> F,
) -> Vec<T> {
    let (mut under_way, mut there) = (JoinSet::new(), Vec::new());
    for n in 0..count {
        if under_way.len() >= LANES {
            there.extend(under_way.join_next().await.and_then(Result::ok).flatten());
        }
        let one = one(n);
        under_way.spawn(async move { timeout(TRY, one).await.ok().flatten() });
    }
    there.extend(under_way.join_all().await.into_iter().flatten());
    there
}

impl Crowd {
    async fn tcp(&self, n: usize, to: SocketAddr) -> Option<TcpStream> {
        let socket = TcpSocket::new_v4().ok()?;
        socket.set_recv_buffer_size(4096).ok()?;
        socket.bind(SocketAddr::from((self.from.address(n)?, 0))).ok()?;
        socket.connect(to).await.ok()
    }

    /// Says nothing, or the beginning of a handshake.
    async fn silent(&self, n: usize) -> Option<TcpStream> {
        let to = [self.web, self.doors[0], self.doors[1]][n % 3];
        let mut stream = self.tcp(n, to).await?;
        if n.is_multiple_of(2) {
            stream.write_all(&[0x16, 3, 1, 2, 0, 1]).await.ok()?;
        }
        Some(stream)
    }

    async fn tls(&self, n: usize) -> Option<TlsStream<TcpStream>> {
        let name = ServerName::try_from("localhost").ok()?;
        self.tls.connect(name, self.tcp(n, self.web).await?).await.ok()
    }

    /// Asks for a large file again and again, and reads nothing.
    async fn reader(&self, n: usize) -> Option<TlsStream<TcpStream>> {
        let mut stream = self.tls(n).await?;
        let ask = format!("GET {} HTTP/1.1\r\nhost: localhost\r\n\r\n", self.large).repeat(20);
        stream.write_all(ask.as_bytes()).await.ok()?;
        stream.flush().await.ok()?;
        Some(stream)
    }

    /// Writes a head, or a body, a byte a second.
    async fn writer(&self, n: usize, stay: Duration) -> Option<JoinSet<()>> {
        let mut stream = self.tls(n).await?;
        let head: &[u8] = b"GET /sign-in HTTP/1.1\r\nhost: localhost\r\nx-slow: ";
        let body: &[u8] = b"POST /api/auth/login HTTP/1.1\r\nhost: localhost\r\n\
            content-type: application/json\r\ncontent-length: 60000\r\n\r\n";
        stream.write_all(if n.is_multiple_of(2) { head } else { body }).await.ok()?;
        stream.flush().await.ok()?;
        let mut dripping = JoinSet::new();
        dripping.spawn(async move {
            for _ in 0..stay.as_secs() + 10 {
                let dripped = stream.write_all(b"a").await.is_ok() && stream.flush().await.is_ok();
                if !dripped {
                    return;
                }
                sleep(Duration::from_secs(1)).await;
            }
        });
        Some(dripping)
    }
}
