//! The one accept loop: limits, handshake and shutdown for whatever listens.
//!
//! A guest who says nothing costs a slot for five seconds and delays nobody: handshakes run
//! beside each other, half-open ones are counted per address, and a panic ends one guest only.

use rustls::ServerConfig;
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::{JoinError, JoinSet};
use tokio::time::{sleep, timeout};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tokio_util::{either::Either, sync::CancellationToken};

/// Pause after the system refused a connection (usually: no file descriptors left).
const RETRY: Duration = Duration::from_millis(100);

/// TLS, or plain where that is allowed (loopback only).
pub type Stream = Either<TlsStream<TcpStream>, TcpStream>;

/// How many may come, and how long they may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections at once; further ones wait in the system's queue.
    pub connections: usize,
    /// Connections of one address that have not yet shown who they are; further ones are closed.
    pub half_open_per_ip: usize,
    /// For the TLS handshake.
    pub handshake: Duration,
    /// For guests to finish after the stop.
    pub grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 1024,
            half_open_per_ip: 32,
            handshake: Duration::from_secs(5),
            grace: Duration::from_secs(10),
        }
    }
}

/// One accepted connection. Whoever serves it drops `half_open` as soon as it knows who that is.
pub struct Guest {
    /// Where it comes from.
    pub address: SocketAddr,
    /// After the handshake.
    pub stream: Stream,
    /// Counts against the address's half-open connections while it lives.
    pub half_open: HalfOpen,
    /// Counts against all connections while it lives.
    pub slot: OwnedSemaphorePermit,
    /// Cancelled when the house closes.
    pub stop: CancellationToken,
}

/// Accepts until `stop`, then gives guests [`Limits::grace`] to leave. `tls` of `None` is plain.
pub async fn run<F>(
    listener: TcpListener,
    tls: Option<Arc<ServerConfig>>,
    limits: Limits,
    stop: CancellationToken,
    serve: impl Fn(Guest) -> F + Clone + Send + 'static,
) where
    F: Future<Output = ()> + Send + 'static,
{
    let tls = tls.map(TlsAcceptor::from);
    let slots = Arc::new(Semaphore::new(limits.connections));
    let counts = Counts::default();
    let mut guests = JoinSet::new();
    loop {
        let arrival = async {
            let slot = slots.clone().acquire_owned().await.expect("the semaphore is never closed");
            (slot, listener.accept().await)
        };
        let (slot, accepted) = tokio::select! {
            () = stop.cancelled() => break,
            Some(end) = guests.join_next() => { note(end); continue }
            arrival = arrival => arrival,
        };
        let (tcp, address) = match accepted {
            Ok(arrived) => arrived,
            Err(error) => {
                tracing::warn!(%error, "the system refused to accept a connection");
                sleep(RETRY).await;
                continue;
            }
        };
        let Some(half_open) = counts.enter(address.ip(), limits.half_open_per_ip) else {
            crate::security!("half_open", address = %address.ip(), "too many silent connections");
            continue;
        };
        let (tls, stop, serve) = (tls.clone(), stop.child_token(), serve.clone());
        guests.spawn(async move {
            if let Some(stream) = shake(tcp, tls, limits.handshake, address).await {
                serve(Guest { address, stream, half_open, slot, stop }).await;
            }
        });
    }
    drop(listener);
    drain(guests, limits.grace).await;
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
            crate::security!("handshake", %address, %error, "a TLS handshake failed");
            None
        }
        Err(_) => {
            tracing::debug!(%address, "a TLS handshake took too long");
            None
        }
    }
}

async fn drain(mut guests: JoinSet<()>, grace: Duration) {
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

fn note(end: Result<(), JoinError>) {
    if let Err(error) = end {
        tracing::error!(%error, "the task of one connection failed; the others go on");
    }
}

/// Half-open connections per address.
#[derive(Clone, Default)]
struct Counts(Arc<Mutex<HashMap<IpAddr, usize>>>);

impl Counts {
    fn enter(&self, ip: IpAddr, limit: usize) -> Option<HalfOpen> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(ip).or_default();
        if *count >= limit {
            return None;
        }
        *count += 1;
        Some(HalfOpen { ip, counts: self.clone() })
    }
}

/// Held while a guest has not shown who it is.
pub struct HalfOpen {
    ip: IpAddr,
    counts: Counts,
}

impl Drop for HalfOpen {
    fn drop(&mut self) {
        let mut counts = self.counts.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.ip) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.ip);
            }
        }
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
        tasks.spawn(run(listener, None, limits, stop.clone(), echo));
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
    async fn silent_guests_of_one_address_are_few() {
        let (address, _stop, _tasks) =
            house(Limits { half_open_per_ip: 1, ..Limits::default() }).await;
        let silent = TcpStream::connect(address).await.unwrap();
        assert_eq!(ask(address, b'a').await, None, "the second is turned away");
        drop(silent);
        while ask(address, b'a').await.is_none() {}
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
