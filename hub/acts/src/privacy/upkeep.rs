//! What goes on by itself: erasures are finished as doors report, and the day's work is done.

use crate::album::Album;
use crate::events::{Event, Events};
use crate::gallery::Galleries;
use crate::upkeep::{Upkeep, rest};
use jiff::tz::TimeZone;
use rules::error::Error;
use std::path::PathBuf;
use std::time::Duration;
use store::Db;
use store::keys::Keys;
use tokio::sync::broadcast::{Receiver, error::RecvError};
use tokio_util::sync::CancellationToken;
use wire::pulse::Beat;

/// How often it looks, whatever happens.
const EVERY: Duration = Duration::from_secs(60);

/// What keeps what is promised; cheap to clone.
#[derive(Clone)]
pub struct PrivacyUpkeep {
    /// The database.
    pub db: Db,
    /// The keys of people.
    pub keys: Keys,
    /// Directory of the data.
    pub data: PathBuf,
    /// Where the school is.
    pub zone: TimeZone,
    /// Who is told.
    pub events: Events,
    /// Whom doors know.
    pub galleries: Galleries,
    /// Photos of classes.
    pub album: Album,
    /// What fails is tried again.
    pub upkeep: Upkeep,
}

impl PrivacyUpkeep {
    /// Looks after what is promised until `stop`. What fails is noted, and the next look is the
    /// retry.
    ///
    /// # Errors
    /// Never.
    pub async fn run(self, beat: Beat, stop: CancellationToken) -> Result<(), Error> {
        let mut heard = self.events.listen();
        while !stop.is_cancelled() {
            beat.turn();
            self.turn(&beat).await;
            tokio::select! {
                () = stop.cancelled() => {}
                () = rest(EVERY, &beat, &stop) => {}
                () = door(&mut heard) => {}
            }
        }
        Ok(())
    }

    /// One look, where no other hub does it. While the clock is not believed, nothing goes because
    /// its time is over.
    pub async fn turn(&self, beat: &Beat) {
        if !self.upkeep.is_ours() {
            return;
        }
        self.upkeep.tried("finishing erasures", self.finish_erasures().await);
        if self.upkeep.is_believed().await {
            self.upkeep.tried("the day's work", self.do_the_day(beat).await);
            let expired = self.album.expire(self.upkeep.clock.wall()).await;
            self.upkeep.tried("emptying photos", expired);
        }
    }
}

/// Until a door says something.
async fn door(heard: &mut Receiver<Event>) {
    loop {
        match heard.recv().await {
            Ok(Event::DeviceChanged(_) | Event::Missed) | Err(RecvError::Lagged(_)) => return,
            Ok(_) => {}
            Err(RecvError::Closed) => std::future::pending().await,
        }
    }
}
