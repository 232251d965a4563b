//! The one accept loop: limits, handshake and shutdown for whatever listens.
//!
//! Whoever comes waits in the porch for a moment, where addresses have their turns. A guest who
//! says nothing costs a place for five seconds and delays nobody: handshakes run beside each
//! other, and a panic ends one guest only. Where it gets full, strangers make room: those of the
//! address that has most of them, the oldest first. So a crowd from one address or from a thousand
//! keeps nobody else out.

mod hall;
pub mod patience;
mod porch;
mod proxies;

pub use hall::{HalfOpen, Slot};
pub use porch::listen;
pub use proxies::{Proxies, ProxyHeader};

use hall::Hall;
use porch::Porch;
use rustls::ServerConfig;
use std::future::poll_fn;
use std::net::{IpAddr, SocketAddr};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::{JoinError, JoinSet};
use tokio::time::timeout;
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tokio_util::{either::Either, sync::CancellationToken};

/// Guests who have not begun yet, beside each other: further ones wait in the porch, where the
/// order is fair, and not among all that the hub has to do.
const STARTING: usize = 16;

/// TLS, or plain where that is allowed (loopback only).
pub type Stream = Either<TlsStream<TcpStream>, TcpStream>;

/// How many may come, and how long they may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections at once; a further one takes a stranger's place.
    pub connections: usize,
    /// Connections of one address.
    pub per_ip: usize,
    /// Connections of one address that have not yet shown who they are.
    pub half_open_per_ip: usize,
    /// For the TLS handshake.
    pub handshake: Duration,
    /// For guests to finish after the stop.
    pub grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 4096,
            per_ip: 2048,
            half_open_per_ip: 1024,
            handshake: Duration::from_secs(5),
            grace: Duration::from_secs(10),
        }
    }
}

/// How many people and programs may come: behind one address may be a school, whose browsers all begin at eight, and a
/// crowd besides. Nobody has to leave sooner than a core takes to accept as many.
pub const PEOPLE: Limits = Limits {
    connections: 10_240,
    per_ip: 4096,
    half_open_per_ip: 4096,
    handshake: Duration::from_secs(5),
    grace: Duration::from_secs(10),
};

/// The visit of a guest: nothing when it was cut short.
pub type Visit = Pin<Box<dyn Future<Output = Option<()>> + Send>>;
/// The guests of one listener: they end with it.
pub type Guests = JoinSet<Option<()>>;

/// Who listens, and to whom.
#[derive(Clone)]
pub struct House {
    /// Starts a visit: tasks are started where the program is put together, and nowhere else.
    pub start: fn(&mut Guests, Visit),
    /// TLS; nothing is plain.
    pub tls: Option<Arc<ServerConfig>>,
    /// See [`Limits`].
    pub limits: Limits,
    /// Whose addresses stand for many: a proxy's. What is for one address is not for them.
    pub crowds: Proxies,
}

impl House {
    /// A house whose visits `start` starts: with TLS unless there is none, and the usual limits.
    #[must_use]
    pub fn new(start: fn(&mut Guests, Visit), tls: Option<Arc<ServerConfig>>) -> Self {
        Self { start, tls, limits: Limits::default(), crowds: Proxies::default() }
    }
}

/// One accepted connection. Whoever serves it drops `half_open` as soon as it knows who that is.
pub struct Guest {
    /// Where it comes from.
    pub address: SocketAddr,
    /// After the handshake.
    pub stream: Stream,
    /// Counts as a stranger while it lives.
    pub half_open: HalfOpen,
    /// Counts against all connections while it lives.
    pub slot: Slot,
    /// Cancelled when the house closes.
    pub stop: CancellationToken,
}

/// Accepts until `stop`, then gives guests [`Limits::grace`] to leave.
pub async fn run<F>(
    listener: TcpListener,
    house: House,
    stop: CancellationToken,
    serve: impl Fn(Guest) -> F + Clone + Send + 'static,
) where
    F: Future<Output = ()> + Send + 'static,
{
    let House { start: begin, tls, limits, crowds } = house;
    let tls = tls.map(TlsAcceptor::from);
    let hall = Hall::new(limits);
    let starting = Arc::new(Semaphore::new(STARTING));
    let porch = match Porch::open(listener) {
        Ok(porch) => porch,
        Err(error) => return tracing::error!(%error, "nobody can be let in"),
    };
    let next = async || (starting.clone().acquire_owned().await.ok(), porch.next().await);
    let mut guests = Guests::new();
    loop {
        let (start, arrived) = tokio::select! {
            () = stop.cancelled() => break,
            Some(end) = guests.join_next() => { note(end); continue }
            next = next() => next,
        };
        let (tcp, address) = match arrived {
            Ok(arrived) => arrived,
            Err(error) => {
                tracing::warn!(%error, "the system refused to serve a connection");
                continue;
            }
        };
        let ip = address.ip();
        let Some((half_open, slot, leave)) = hall.enter(ip, crowds.trust(ip)) else {
            refused(ip);
            continue;
        };
        let tls = tls.clone();
        let stop = stop.child_token();
        let serve = serve.clone();
        let visit = leave.run_until_cancelled_owned(async move {
            let mut shaking = pin!(shake(tcp, tls, limits.handshake, address));
            let first = poll_fn(|cx| Poll::Ready(shaking.as_mut().poll(cx))).await;
            drop(start);
            let shaken = match first {
                Poll::Ready(shaken) => shaken,
                Poll::Pending => shaking.await,
            };
            if let Some(stream) = shaken {
                serve(Guest { address, stream, half_open, slot, stop }).await;
            }
        });
        begin(&mut guests, Box::pin(visit));
    }
    drop(porch);
    drain(guests, limits.grace).await;
}

fn refused(address: IpAddr) {
    metrics::counter!("connections_refused_total").increment(1);
    tracing::debug!(%address, "a connection was refused: there are too many");
}

/// The TLS handshake within its time.
async fn shake(
    tcp: TcpStream,
    tls: Option<TlsAcceptor>,
    limit: Duration,
    address: SocketAddr,
) -> Option<Stream> {
    let _ = tcp.set_nodelay(true);
    let Some(tls) = tls else { return Some(Either::Right(tcp)) };
    match timeout(limit, tls.accept(tcp)).await {
        Ok(Ok(stream)) => Some(Either::Left(stream)),
        Ok(Err(error)) => {
            rules::security!("handshake", %address, %error, "a TLS handshake failed");
            None
        }
        Err(_) => {
            tracing::debug!(%address, "a TLS handshake took too long");
            None
        }
    }
}

async fn drain(mut guests: Guests, grace: Duration) {
    let all = async {
        while let Some(end) = guests.join_next().await {
            note(end);
        }
    };
    if timeout(grace, all).await.is_err() {
        tracing::warn!(left = guests.len(), "connections did not end in time and were cut");
        guests.shutdown().await;
    }
}

fn note(end: Result<Option<()>, JoinError>) {
    if let Err(error) = end {
        tracing::error!(%error, "the task of one connection failed; the others go on");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    async fn echo(mut guest: Guest) {
        let mut byte = [0];
        if guest.stream.read_exact(&mut byte).await.is_ok() {
            assert_ne!(byte[0], b'!', "this guest panics");
            let _ = guest.stream.write_all(&byte).await;
        }
    }

    async fn house(limits: Limits) -> (SocketAddr, CancellationToken, JoinSet<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, stop) = (listener.local_addr().unwrap(), CancellationToken::new());
        let mut tasks = JoinSet::new();
        let start = |guests: &mut Guests, visit| drop(guests.spawn(visit));
        let house = House { limits, ..House::new(start, None) };
        tasks.spawn(run(listener, house, stop.clone(), echo));
        (address, stop, tasks)
    }

    async fn ask(address: SocketAddr, byte: u8) -> Option<u8> {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(&[byte]).await.ok()?;
        timeout(Duration::from_secs(5), stream.read_u8()).await.unwrap().ok()
    }

    #[tokio::test]
    async fn a_guest_that_panics_disturbs_nobody() {
        let (address, stop, mut tasks) = house(Limits::default()).await;
        assert_eq!(ask(address, b'!').await, None);
        assert_eq!(ask(address, b'a').await, Some(b'a'));
        stop.cancel();
        tasks.join_next().await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn silent_guests_make_room_for_whoever_speaks() {
        let (address, _stop, _tasks) =
            house(Limits { half_open_per_ip: 2, ..Limits::default() }).await;
        let mut silent = Vec::new();
        for _ in 0..5 {
            silent.push(TcpStream::connect(address).await.unwrap());
        }
        assert_eq!(ask(address, b'a').await, Some(b'a'));
        let gone = |mut stream: TcpStream| async move { stream.read_u8().await.is_err() };
        let mut leaving: JoinSet<_> = silent.into_iter().map(gone).collect();
        for _ in 0..3 {
            let left = timeout(Duration::from_secs(5), leaving.join_next()).await.unwrap();
            assert!(left.unwrap().unwrap(), "it has left");
        }
    }

    /// How many of 200 guests of one address are answered who first all come, each with a second
    /// connection in advance, and then all ask.
    async fn answered(half_open_per_ip: usize) -> usize {
        let (address, _stop, _tasks) =
            house(Limits { half_open_per_ip, ..Limits::default() }).await;
        let mut there = Vec::new();
        for _ in 0..400 {
            there.push(TcpStream::connect(address).await.unwrap());
        }
        let mut answered = 0;
        for guest in there.iter_mut().step_by(2) {
            let asked = guest.write_all(b"a").await.is_ok();
            let answer = timeout(Duration::from_secs(5), guest.read_u8()).await.unwrap();
            answered += usize::from(asked && answer.is_ok());
        }
        answered
    }

    #[tokio::test]
    async fn a_school_behind_one_address_begins_its_day_at_once() {
        assert_eq!(answered(PEOPLE.half_open_per_ip).await, 200);
        assert!(answered(256).await < 200, "the control answers all: nothing is proved");
    }

    #[tokio::test]
    async fn the_house_closes_on_a_guest_that_stays() {
        let grace = Duration::from_millis(10);
        let (address, stop, mut tasks) = house(Limits { grace, ..Limits::default() }).await;
        assert_eq!(ask(address, b'a').await, Some(b'a'));
        let _silent = TcpStream::connect(address).await.unwrap();
        stop.cancel();
        timeout(Duration::from_secs(5), tasks.join_next()).await.unwrap().unwrap().unwrap();
    }
}
