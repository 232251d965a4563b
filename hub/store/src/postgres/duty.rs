//! Which of several hubs does what is done once for a school: the one that holds a lock of the
//! database, which goes with its connection.

use super::server::Way;
use super::{WATCHED, said};
use ::postgres::Client;
use rules::error::{Doing, Error};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

/// How often the lock is tried, and the connection of whoever holds it.
const EVERY: Duration = Duration::from_millis(500);
/// A server that does not answer for so long is not there.
const ANSWER: Duration = Duration::from_secs(2);

/// Whether what is done once for a school is done here; cheap to clone.
#[derive(Clone, Debug)]
pub struct Duty(Arc<AtomicBool>);

impl Default for Duty {
    /// Of the only hub.
    fn default() -> Self {
        Self(Arc::new(AtomicBool::new(true)))
    }
}

impl Duty {
    /// Whether it is done here. A write that must not happen twice asks the database besides: the
    /// lock may have gone a moment ago.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Tries to do it here, and goes on trying, as long as anybody asks.
    pub(crate) fn sought(way: Way) -> Result<Self, Error> {
        let duty = Self(Arc::new(AtomicBool::new(false)));
        let held = Arc::downgrade(&duty.0);
        let thread = std::thread::Builder::new().name("hubs-duty".into());
        thread.spawn(move || seek(&way, &held)).doing("starting a thread that seeks the duty")?;
        Ok(duty)
    }
}

fn seek(way: &Way, held: &Weak<AtomicBool>) {
    while held.strong_count() > 0 {
        let tried = way.connect().and_then(|client| hold(client, way.server.turn() ^ 2, held));
        if let Err(error) = tried {
            tracing::warn!(error = said(&error), "whose duty it is cannot be known");
        }
        say(held, false);
        std::thread::sleep(EVERY);
    }
}

/// Holds the lock as long as the connection does, or waits for it.
fn hold(mut client: Client, lock: i64, held: &Weak<AtomicBool>) -> Result<(), ::postgres::Error> {
    client.batch_execute(WATCHED)?;
    let mut is_ours = false;
    while held.strong_count() > 0 {
        if is_ours {
            client.is_valid(ANSWER)?;
        } else {
            is_ours = client.query_one("select pg_try_advisory_lock($1)", &[&lock])?.try_get(0)?;
            say(held, is_ours);
        }
        std::thread::sleep(EVERY);
    }
    Ok(())
}

fn say(held: &Weak<AtomicBool>, is_ours: bool) {
    let Some(held) = held.upgrade() else { return };
    if held.swap(is_ours, Ordering::Relaxed) != is_ours {
        tracing::info!(is_ours, "what is done once for the school");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::postgres::for_tests;
    use std::time::Instant;

    fn until(duty: &Duty) {
        let begun = Instant::now();
        while !duty.is_ours() {
            assert!(begun.elapsed() < Duration::from_secs(30), "nobody has the duty");
            std::thread::yield_now();
        }
    }

    #[test]
    fn one_hub_has_the_duty_and_another_takes_it_when_that_is_gone() {
        let dir = tempfile::tempdir().unwrap();
        let Some(server) = for_tests(dir.path()) else { return };
        let way = server.way(None).unwrap();
        let one = Duty::sought(way.clone()).unwrap();
        until(&one);
        let other = Duty::sought(way).unwrap();
        assert!(one.is_ours() && !other.is_ours());
        drop(one);
        until(&other);
        assert!(Duty::default().is_ours(), "who is alone has it");
    }
}
