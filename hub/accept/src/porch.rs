//! The door of a listener: a thread of its own takes whoever comes, at once, and they wait here
//! until it is their turn. Addresses have their turns one after the other, and of one address
//! whoever came first. So a crowd waits behind itself.

use rules::auth::throttle::network;
use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::Notify;
use tokio_util::sync::{CancellationToken, DropGuard};

/// How many the system lets wait for the thread. Whoever comes beyond is not heard, and knocks
/// again only after a second, then after three.
const KNOCKING: u32 = 1024;
/// How many wait for their turn.
const WAITING: usize = 4096;
/// Pause after the system refused a connection (usually: no file descriptors left).
const RETRY: Duration = Duration::from_millis(100);

/// Listens at `address`.
///
/// # Errors
/// When the address is taken or not ours.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    listen_for(address, KNOCKING)
}

fn listen_for(address: SocketAddr, knocking: u32) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4(),
        SocketAddr::V6(_) => TcpSocket::new_v6(),
    }?;
    // What a former hub left behind does not hold the address.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(knocking)
}

/// Where they wait. The listener closes when it is dropped.
pub(super) struct Porch {
    line: Arc<(Mutex<PorchLine<Arrived>>, Notify)>,
    _open: DropGuard,
}

type Arrived = (std::net::TcpStream, SocketAddr);

impl Porch {
    /// Opens the door.
    ///
    /// # Errors
    /// When the system gives no thread for it.
    pub(super) fn open(listener: TcpListener) -> io::Result<Self> {
        let closed = CancellationToken::new();
        let line = Arc::new((Mutex::default(), Notify::new()));
        let listener = listener.into_std()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let porch = Self { line: line.clone(), _open: closed.clone().drop_guard() };
        let take = move || runtime.block_on(closed.run_until_cancelled(take(listener, &line)));
        std::thread::Builder::new().name("accept".into()).spawn(take)?;
        Ok(porch)
    }

    /// Whose turn it is.
    ///
    /// # Errors
    /// When the system cannot serve another connection.
    pub(super) async fn next(&self) -> io::Result<(TcpStream, SocketAddr)> {
        let (line, came) = &*self.line;
        loop {
            let next = line.lock().unwrap_or_else(PoisonError::into_inner).next();
            match next {
                Some((tcp, address)) => return Ok((TcpStream::from_std(tcp)?, address)),
                None => came.notified().await,
            }
        }
    }
}

async fn take(listener: std::net::TcpListener, line: &(Mutex<PorchLine<Arrived>>, Notify)) {
    let listener = match TcpListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => return tracing::error!(%error, "a listener cannot be used"),
    };
    loop {
        let arrived = match listener.accept().await {
            Ok((tcp, address)) => tcp.into_std().map(|tcp| (tcp, address)),
            Err(error) => Err(error),
        };
        match arrived {
            Ok(arrived) => {
                let address = arrived.1.ip();
                let put =
                    line.0.lock().unwrap_or_else(PoisonError::into_inner).put(address, arrived);
                if let Some((_, address)) = put {
                    super::refused(address.ip());
                }
                line.1.notify_one();
            }
            Err(error) => {
                tracing::warn!(%error, "the system refused to accept a connection");
                tokio::time::sleep(RETRY).await;
            }
        }
    }
}

/// Who waits, by address.
struct PorchLine<T> {
    homes: HashMap<IpAddr, VecDeque<T>>,
    /// Addresses that somebody waits of, the next one first.
    turns: VecDeque<IpAddr>,
    all: usize,
}

impl<T> Default for PorchLine<T> {
    fn default() -> Self {
        Self { homes: HashMap::new(), turns: VecDeque::new(), all: 0 }
    }
}

impl<T> PorchLine<T> {
    /// Somebody comes. Who has to go for it: the oldest of the address that most wait of.
    fn put(&mut self, address: IpAddr, guest: T) -> Option<T> {
        let address = network(address);
        let home = self.homes.entry(address).or_default();
        if home.is_empty() {
            self.turns.push_back(address);
        }
        home.push_back(guest);
        self.all += 1;
        if self.all <= WAITING {
            return None;
        }
        self.all -= 1;
        let most = self.homes.iter().max_by_key(|(_, home)| home.len()).map(|(most, _)| *most)?;
        let home = self.homes.get_mut(&most)?;
        let gone = home.pop_front();
        if home.is_empty() {
            self.homes.remove(&most);
            self.turns.retain(|turn| *turn != most);
        }
        gone
    }

    /// Whose turn it is.
    fn next(&mut self) -> Option<T> {
        let address = self.turns.pop_front()?;
        let home = self.homes.get_mut(&address)?;
        let first = home.pop_front();
        self.all -= usize::from(first.is_some());
        if home.is_empty() {
            self.homes.remove(&address);
        } else {
            self.turns.push_back(address);
        }
        first
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::timeout;

    fn of(n: usize) -> IpAddr {
        [127, 0, (n / 256) as u8, (n % 256) as u8].into()
    }

    #[test]
    fn addresses_have_their_turns_so_that_a_crowd_waits_behind_itself() {
        let mut line = PorchLine::default();
        for n in 1..=3 {
            assert_eq!(line.put(of(7), n), None);
        }
        assert_eq!(line.put(of(8), 10), None);
        let order: Vec<_> = std::iter::from_fn(|| line.next()).collect();
        assert_eq!(order, [1, 10, 2, 3]);
        assert!(line.homes.is_empty() && line.turns.is_empty() && line.all == 0);
    }

    #[test]
    fn where_too_many_wait_the_oldest_of_the_largest_crowd_goes() {
        let mut line = PorchLine::default();
        assert_eq!(line.put(of(1), 1_000_000), None);
        let gone: Vec<_> = (0..WAITING + 9).filter_map(|n| line.put(of(2), n)).collect();
        assert_eq!(gone, (0..10).collect::<Vec<_>>());
        assert!(line.next() == Some(1_000_000) && line.all == WAITING - 1);
        let each = (0..2 * WAITING).filter_map(|n| PorchLine::put(&mut line, of(n), n)).count();
        assert_eq!((each, line.all), (2 * WAITING - 1, WAITING), "a crowd of addresses, too");
    }

    /// Whether a thousand who come at once are heard within their first second.
    async fn thousand(knocking: u32) -> bool {
        let nobody_accepts = listen_for(([127, 0, 0, 1], 0).into(), knocking).unwrap();
        let address = nobody_accepts.local_addr().unwrap();
        let come = async {
            let mut there = Vec::new();
            for _ in 0..1000 {
                there.push(TcpStream::connect(address).await.unwrap());
            }
        };
        timeout(Duration::from_millis(900), come).await.is_ok()
    }

    #[tokio::test]
    async fn a_thousand_who_come_at_once_are_all_heard() {
        assert!(thousand(KNOCKING).await);
        assert!(!thousand(128).await, "the control hears them too: nothing is proved");
    }
}
