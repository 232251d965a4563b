//! Keeps the [`Fleet`] as the database says: new releases and rooms are pushed to
//! doors, ended certificates end within a second, whichever process changed them.
//!
//! What doors showed is noted on the way, and what must outlive a backup goes to the key store.

use super::Fleet;
use super::seen::News;
use super::{FleetState, Serial};
use crate::events::{Event, Events};
use crate::pki::Pki;
use crate::upkeep::Upkeep;
use rules::error::Error;
use std::time::Duration;
use store::certificate::{self, Ended};
use store::keys::Keys;
use store::{self, Db, Tx, change};
use tokio::sync::broadcast::{Receiver, error::RecvError};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use wire::pulse::Beat;
use wire::{DeviceId, Wall};

/// How often the database is asked: another process may have changed it.
const POLL: Duration = Duration::from_millis(400);

/// What follows the database for doors; cheap to clone.
#[derive(Clone)]
pub struct Follower {
    /// The database.
    pub db: Db,
    /// What must outlive a backup.
    pub keys: Keys,
    /// Who signs doors.
    pub pki: Pki,
    /// What is followed.
    pub fleet: Fleet,
    /// Who is told.
    pub events: Events,
    /// What fails is tried again.
    pub upkeep: Upkeep,
}

impl Follower {
    /// Follows the database until `stop`. A failed look is noted, and the next one is the retry.
    ///
    /// # Errors
    /// Never.
    pub async fn run(self, beat: Beat, stop: CancellationToken) -> Result<(), Error> {
        let mut heard = self.events.listen();
        while !stop.is_cancelled() {
            beat.turn();
            self.upkeep.tried("following the doors", self.refresh().await);
            let next = Instant::now() + POLL;
            tokio::select! {
                () = stop.cancelled() => {}
                () = sleep_until(next) => {}
                () = change(&mut heard) => {}
            }
        }
        Ok(())
    }

    /// Reads the state once: what doors should run, and which of their certificates no longer
    /// count.
    pub async fn refresh(&self) -> Result<(), Error> {
        self.note().await?;
        let now = self.upkeep.clock.wall();
        let (state, ended, cut_off) = self.db.read(move |tx| state(tx, now)).await?;
        if self.fleet.set(state) {
            self.keys.remember_ended(&ended, now)?;
            self.keys.remember_shut(&self.db.read(store::shut::all).await?, now)?;
            cut_off.iter().try_for_each(|door| self.keys.erase_door(door))?;
            self.fleet.kept();
        }
        Ok(())
    }

    /// Writes down what doors showed.
    async fn note(&self) -> Result<(), Error> {
        let news = self.fleet.news();
        let now = self.upkeep.clock.wall();
        if news == News::default() {
            return Ok(());
        }
        let of = news.clone();
        let pki = self.pki.clone();
        let write = self.db.write(move |tx| {
            for door in &of.first {
                let serial = door.serial.as_str();
                certificate::used(tx, &door.device, serial, door.not_after, now)?;
                certificate::signed_by(tx, serial, &door.authority)?;
                match pki.signer() == door.authority {
                    true => certificate::identify(tx, serial, &door.digest)?,
                    false => certificate::doubted(tx, &door.device, serial, now)?,
                }
            }
            for door in &of.refused {
                certificate::refused(tx, &door.device, (&door.digest, &door.authority), now)?;
            }
            of.twins.iter().try_for_each(|(door, places)| {
                certificate::twin(tx, &door.device, door.serial.as_str(), *places, now)
            })
        });
        write.await?;
        self.fleet.noted(&news);
        for (door, places) in &news.twins {
            rules::security!("twin", device = %door.device, one = %places.0, other = %places.1,
                "a certificate is shown from two places: cut the door off and let it join again");
            self.events.say(Event::DeviceChanged(door.device.clone()));
        }
        Ok(())
    }
}

fn state(tx: &Tx<'_>, now: Wall) -> Result<(FleetState, Vec<Ended>, Vec<DeviceId>), Error> {
    let ended = certificate::ended(tx, now)?;
    let counting = certificate::counting(tx, now)?;
    let counting = counting.into_iter().map(|(serial, digest)| (Serial::from_hex(&serial), digest));
    let revoked = ended.iter().map(|ended| Serial::from_hex(&ended.serial)).collect();
    let desired = store::release::desired(tx)?.into_iter().collect();
    let settings = store::door_settings::all(tx)?;
    let offers = store::rollout::offers(tx)?;
    let shut = change::of(tx, change::SHUT)?;
    let counting = counting.collect();
    let state = FleetState { desired, settings, offers, revoked, counting, shut };
    Ok((state, ended, certificate::cut_off(tx)?))
}

/// Until something that doors must know was done in this process.
async fn change(heard: &mut Receiver<Event>) {
    loop {
        match heard.recv().await {
            Ok(
                Event::GalleryChanged
                | Event::DeviceChanged(_)
                | Event::RolloutChanged(_)
                | Event::Missed,
            )
            | Err(RecvError::Lagged(_)) => return,
            Ok(_) => {}
            Err(RecvError::Closed) => std::future::pending().await,
        }
    }
}
