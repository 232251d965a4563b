//! Tells the site's MQTT broker how the doors are, so that each appears in Home Assistant by itself.
//!
//! What is said follows from the doors and from what was said before ([`told`]) and names nobody
//! ([`door_state`]). A connection is `talk`'s; each begins anew with all that is to be said.

pub mod discovery;
pub mod door_state;
pub mod herald;
pub mod line;
mod talk;
pub mod told;
pub mod topics;

use crate::pairing;
use crate::upkeep::aside::pause_ms;
use crate::upkeep::rest;
use herald::Herald;
use line::BrokerId;
use rules::error::Error;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use topics::BrokerTopics;
use wire::pulse::Beat;

const DAY: Duration = Duration::from_secs(24 * 3600);
/// How often it is asked whether another hub still tells the broker.
const ELSEWHERE: Duration = Duration::from_secs(1);
/// The longest pause before the next connection, milliseconds.
const LONGEST_MS: u64 = 60_000;

impl Herald {
    /// Tells until `stop`. A broker that is away is a worry, and is called again ever more rarely.
    ///
    /// # Errors
    /// When the database does not say which hub this is.
    pub async fn run(self, beat: Beat, stop: CancellationToken) -> Result<(), Error> {
        let hub = self.db.read(pairing::id).await?;
        let topics = BrokerTopics::new(&self.broker, &hub);
        let mut tries: u32 = 0;
        while !stop.is_cancelled() {
            if !self.upkeep.is_ours() {
                rest(ELSEWHERE, &beat, &stop).await;
                continue;
            }
            let done = self.hold(&topics, (&beat, &stop)).await;
            let Err((error, was_heard)) = done else { continue };
            tries = if was_heard { 1 } else { tries.saturating_add(1) };
            self.note(Err(error));
            let pause = pause_ms(tries).min(LONGEST_MS);
            rest(Duration::from_millis(pause), &beat, &stop).await;
        }
        Ok(())
    }

    /// One connection, until it ends: why, and whether the broker had heard the hub.
    async fn hold(
        &self,
        topics: &BrokerTopics,
        turning: (&Beat, &CancellationToken),
    ) -> Result<(), (Error, bool)> {
        let open = line::open(&self.broker, BrokerId::Hub(topics));
        let Some(line) = patiently(open, turning).await else { return Ok(()) };
        let (client, line) = line.map_err(|error| (error, false))?;
        let mut talk = talk::Talk::new(self, topics, client);
        let ended = talk.hold(line, turning).await;
        ended.map_err(|error| (error, talk.is_heard()))
    }
}

/// Waits for `work` until `stop`, for a day at most. A disk that hangs while a certificate is read
/// from it keeps this waiting and nobody else.
async fn patiently<T>(
    work: impl Future<Output = T>,
    (beat, stop): (&Beat, &CancellationToken),
) -> Option<T> {
    tokio::select! {
        done = work => Some(done),
        () = rest(DAY, beat, stop) => None,
    }
}
