//! What a door is told to do now, and what its camera and its log showed.

use super::{Doors, found};
use crate::online::CommandError;
use crate::tails::TailRead;
use rules::error::Error;
use store::device;
use uuid::Uuid;
use wire::link::Command;
use wire::{DeviceId, Wall};
use zeroize::Zeroizing;

/// As the audit chain says it.
fn verb(order: &Command) -> &'static str {
    match order {
        Command::Snap => "snap",
        Command::Restart => "restart",
        Command::Reload => "reload",
        Command::Log => "log",
    }
}

impl From<CommandError> for Error {
    fn from(why: CommandError) -> Self {
        match why {
            CommandError::Offline(_) => Self::Conflict(why.to_string()),
            CommandError::Busy(_) => Self::Unavailable(why.to_string()),
        }
    }
}

impl Doors {
    /// Tells a door to do something; it may be lost with the connection.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` when it is not connected; `Unavailable` when it takes nothing now.
    pub async fn tell(
        &self,
        id: &DeviceId,
        order: Command,
        by: String,
        now: Wall,
    ) -> Result<(), Error> {
        found(&self.db, id).await?;
        let is_here = self.online.has(id);
        if !is_here && self.hubs.others().is_empty() {
            return Err(CommandError::Offline(id.clone()).into());
        }
        let name = id.clone();
        let verb = verb(&order);
        self.db.write(move |tx| device::told(tx, &name, verb, &by, now)).await?;
        match order {
            Command::Snap => self.snaps.ask(id, self.clock.mono()),
            Command::Log => self.tails.ask(id, self.clock.mono()),
            Command::Restart | Command::Reload => {}
        }
        match is_here {
            true => Ok(self.online.command(id, order)?),
            false => Ok(self.hubs.tell(id, order).await?),
        }
    }

    /// The picture that a door sent. Who sees it is written down, once for each picture and
    /// person, before they do.
    ///
    /// # Errors
    /// `NotFound` where there is none, with the reason.
    pub async fn see(
        &self,
        id: &DeviceId,
        by: Uuid,
        now: Wall,
    ) -> Result<Zeroizing<Vec<u8>>, Error> {
        found(&self.db, id).await?;
        let (jpeg, came) = self.snaps.see(id, &self.keys, self.clock.mono())?;
        if !self.snaps.was_seen(id, came, by) {
            let who = by.to_string();
            let name = id.clone();
            self.db.write(move |tx| device::told(tx, &name, "look", &who, now)).await?;
            self.snaps.looked(id, came, by);
        }
        Ok(jpeg)
    }

    /// The newest lines of a door's log. Who reads them is written down, once for each log and
    /// person, before they do.
    ///
    /// # Errors
    /// `NotFound` where there are none, with the reason.
    pub async fn read_log(&self, id: &DeviceId, by: Uuid, now: Wall) -> Result<TailRead, Error> {
        found(&self.db, id).await?;
        let (tail, came) = self.tails.see(id, self.clock.mono())?;
        if !self.tails.was_read(id, came, by) {
            let who = by.to_string();
            let name = id.clone();
            self.db.write(move |tx| device::told(tx, &name, "read-log", &who, now)).await?;
            self.tails.read(id, came, by);
        }
        Ok(tail)
    }
}
