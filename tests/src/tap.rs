//! A tap on the wire: a TCP relay on the loopback that counts and dates what passes.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use wire::{Clock as _, Wall, time::SystemClock};

/// One piece of traffic.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Chunk {
    /// When it passed.
    pub at: Wall,
    /// From the one who connected; else to them.
    pub up: bool,
    /// How long it was.
    pub bytes: usize,
}

/// A running relay; it ends with the process.
#[derive(Clone)]
pub struct Tap {
    /// Where to connect.
    pub port: u16,
    seen: Arc<Mutex<Vec<Chunk>>>,
}

impl Tap {
    /// Relays a free port to `to` on the loopback.
    ///
    /// # Errors
    /// When no port is free.
    pub fn on(to: u16) -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let tap = Self { port: listener.local_addr()?.port(), seen: Arc::default() };
        let relay = tap.clone();
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                relay.join(&client, to);
            }
        });
        Ok(tap)
    }

    /// Everything that has passed.
    #[must_use]
    pub fn seen(&self) -> Vec<Chunk> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Without the other side, the client is hung up on, as by a hub that is down.
    fn join(&self, client: &TcpStream, to: u16) {
        let Ok(server) = TcpStream::connect(("127.0.0.1", to)) else { return };
        let pairs = (client.try_clone(), server.try_clone());
        let (Ok(client_too), Ok(server_too)) = pairs else { return };
        let (Ok(client), tap) = (client.try_clone(), self.clone()) else { return };
        thread::spawn(move || tap.pump(client, server_too, true));
        let tap = self.clone();
        thread::spawn(move || tap.pump(server, client_too, false));
    }

    fn pump(&self, mut from: TcpStream, mut to: TcpStream, up: bool) {
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(bytes @ 1..) = from.read(&mut buffer) {
            let chunk = Chunk { at: SystemClock.wall(), up, bytes };
            self.seen.lock().unwrap_or_else(PoisonError::into_inner).push(chunk);
            if to.write_all(&buffer[..bytes]).is_err() {
                break;
            }
        }
        let _already_gone = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
    }
}
