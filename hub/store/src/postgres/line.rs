//! What hubs of one school tell each other, by LISTEN and NOTIFY: nothing of it is kept, and nobody
//! waits for it.
//!
//! A message that was lost with a connection is not sent again. Whoever listens is told when that
//! may have happened, and reads what it follows anew.

use super::said;
use super::server::{Server, Way};
use ::postgres::Client;
use ::postgres::fallible_iterator::FallibleIterator as _;
use data_encoding::BASE64_NOPAD;
use rules::error::{Doing, Error};
use std::time::Duration;
use tokio::sync::mpsc;

/// Bytes of one message: PostgreSQL takes 8,000 letters.
pub const BYTES: usize = 5_900;
/// Messages that wait; what does not fit is lost.
const QUEUE: usize = 4096;
/// Messages that are sent at once.
const SOME: usize = 64;
/// How long nothing is heard before it is asked whether the server is there.
const QUIET: Duration = Duration::from_secs(5);
/// How long to wait before a connection is tried again.
const REST: Duration = Duration::from_millis(500);

/// What is heard.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Heard {
    /// What a hub said, this one too.
    Said(Vec<u8>),
    /// Nobody listened for a while.
    Missed,
}

/// Between the hubs of one school. Its threads end with it.
pub struct Line {
    /// What others are to hear.
    pub say: mpsc::Sender<Vec<u8>>,
    /// What they said.
    pub heard: mpsc::Receiver<Heard>,
}

impl Line {
    pub(crate) fn open(server: &Server) -> Result<Self, Error> {
        let channel = format!("rollcall_{:x}", server.turn());
        let way = server.way(None)?;
        let (say, words) = mpsc::channel(QUEUE);
        let (hear, heard) = mpsc::channel(QUEUE);
        let (to, from) = (way.clone(), channel.clone());
        spawn("hubs-mouth", move || speak(&to, &from, words))?;
        spawn("hubs-ear", move || listen(&way, &channel, &hear))?;
        Ok(Self { say, heard })
    }
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> Result<(), Error> {
    let thread = std::thread::Builder::new().name(name.to_owned());
    thread.spawn(run).map(drop).doing("starting a thread of the line between hubs")
}

/// Says what is to be said until nobody says anything any more. What cannot be said is lost; its
/// number tells the others.
fn speak(way: &Way, channel: &str, mut words: mpsc::Receiver<Vec<u8>>) {
    let mut live = None;
    while let Some(first) = words.blocking_recv() {
        let mut some = vec![first];
        some.extend(std::iter::from_fn(|| words.try_recv().ok()).take(SOME - 1));
        let mut client = match live.take().map_or_else(|| way.connect(), Ok) {
            Ok(client) => client,
            Err(error) => {
                tracing::warn!(error = said(&error), "other hubs cannot be told");
                std::thread::sleep(REST);
                continue;
            }
        };
        match notify(&mut client, channel, &some) {
            Ok(()) => live = Some(client),
            Err(error) => tracing::warn!(error = said(&error), "other hubs could not be told"),
        }
    }
}

fn notify(client: &mut Client, channel: &str, some: &[Vec<u8>]) -> Result<(), ::postgres::Error> {
    let mut all = client.transaction()?;
    let statement = all.prepare("select pg_notify($1, $2)")?;
    for bytes in some {
        all.execute(&statement, &[&channel, &BASE64_NOPAD.encode(bytes)])?;
    }
    all.commit()
}

/// Hears until nobody wants to hear any more.
fn listen(way: &Way, channel: &str, hear: &mpsc::Sender<Heard>) {
    while !hear.is_closed() {
        match way.connect().and_then(|client| listen_on(client, channel, hear)) {
            Ok(()) => return,
            Err(error) => {
                tracing::warn!(error = said(&error), "other hubs cannot be heard");
                std::thread::sleep(REST);
            }
        }
    }
}

fn listen_on(
    mut client: Client,
    channel: &str,
    hear: &mpsc::Sender<Heard>,
) -> Result<(), ::postgres::Error> {
    client.batch_execute(&format!("listen {channel}"))?;
    // Whatever was said before is not heard here.
    let mut wanted = hear.blocking_send(Heard::Missed).is_ok();
    while wanted {
        let next = client.notifications().timeout_iter(QUIET).next()?;
        match next {
            Some(told) => {
                let bytes = BASE64_NOPAD.decode(told.payload().as_bytes());
                let heard = bytes.map_or(Heard::Missed, Heard::Said);
                wanted = hear.blocking_send(heard).is_ok();
            }
            None => {
                client.is_valid(QUIET)?;
                wanted = !hear.is_closed();
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::postgres::{apart, for_tests};

    fn opened(server: &Server) -> Line {
        Line::open(server).unwrap()
    }

    #[tokio::test]
    async fn what_one_hub_says_every_hub_hears_in_order() {
        let dir = tempfile::tempdir().unwrap();
        let Some(server) = for_tests(dir.path()) else { return };
        let (mut one, mut other) = (opened(&server), opened(&server));
        assert_eq!(one.heard.recv().await, Some(Heard::Missed), "what was before");
        assert_eq!(other.heard.recv().await, Some(Heard::Missed));
        for n in 0..200u8 {
            one.say.send(vec![n; BYTES]).await.unwrap();
        }
        for n in 0..200u8 {
            assert_eq!(other.heard.recv().await, Some(Heard::Said(vec![n; BYTES])));
            assert_eq!(one.heard.recv().await, Some(Heard::Said(vec![n; BYTES])));
        }
    }

    #[tokio::test]
    async fn a_lost_connection_is_made_anew_and_said() {
        let dir = tempfile::tempdir().unwrap();
        let Some(server) = for_tests(dir.path()) else { return };
        let mut line = opened(&server);
        assert_eq!(line.heard.recv().await, Some(Heard::Missed));
        let channel = format!("listen rollcall_{:x}", server.turn());
        let way = server.way(None).unwrap();
        let cut = move || {
            let sql = "select pg_terminate_backend(pid) from pg_stat_activity where query = $1";
            apart(|| way.connect().unwrap().execute(sql, &[&channel]).unwrap())
        };
        let cut_off = tokio::task::spawn_blocking(cut).await.unwrap();
        assert_eq!(cut_off, 1);
        assert_eq!(line.heard.recv().await, Some(Heard::Missed));
        line.say.send(b"again".to_vec()).await.unwrap();
        assert_eq!(line.heard.recv().await, Some(Heard::Said(b"again".to_vec())));
    }
}
