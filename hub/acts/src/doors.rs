//! Doors: added, moved, told their settings, joined and cut off.

pub mod boards;
pub mod certificates;
pub mod galleries;
pub mod list;
pub mod orders;
pub mod programs;
pub mod state;
pub mod updates;

use crate::device::follow::Follower;
use crate::events::{Event, Events};
use crate::gallery::Galleries;
use crate::hubs::Hubs;
use crate::online::Online;
use crate::pki::Pki;
use crate::snaps::Snaps;
use crate::tails::Tails;
use rules::error::{Doing, Error};
use rules::version::as_read;
use std::sync::Arc;
use store::device::{self, Device, DevicePlace, INVITATION_MS, TOKEN_MS};
use store::keys::Keys;
use store::{Db, Tx, door_settings};
use wire::link::Settings;
use wire::{Clock, DeviceId, Direction, Invitation, Wall};

/// Bytes of a room's name.
const ROOM: usize = 100;
/// By which name a unit looks for its invitation.
pub const INVITATION_FILE: &str = "rollcall-door.toml";
/// Bytes of what says where a door hangs.
const LOCATION: usize = 200;

/// Where doors are looked after; cheap to clone.
#[derive(Clone)]
pub struct Doors {
    /// The database.
    pub db: Db,
    /// Secrets: what a camera shows is sealed.
    pub keys: Keys,
    /// This hub, among others.
    pub hubs: Hubs,
    /// Who is connected.
    pub online: Online,
    /// What cameras show when somebody asked.
    pub snaps: Snaps,
    /// What doors logged when somebody asked.
    pub tails: Tails,
    /// What tells doors of changes.
    pub follower: Follower,
    /// Whom doors know.
    pub galleries: Galleries,
    /// Who is told.
    pub events: Events,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// What is said of a door; what is left out stays.
#[derive(Clone, Debug, Default)]
pub struct DoorChanges {
    /// Room behind it.
    pub room: Option<String>,
    /// Where it hangs.
    pub location: Option<String>,
    /// Which way it counts.
    pub direction: Option<Direction>,
    /// All that the hub says of its settings.
    pub settings: Option<Settings>,
    /// The version that was read.
    pub version: Option<i64>,
}

/// Which way a door counts, as somebody wrote it.
///
/// # Errors
/// `Field` for another word.
pub fn direction(text: &str) -> Result<Direction, Error> {
    device::direction(text).map_err(|odd| Error::field("direction", odd.to_string()))
}

impl DoorChanges {
    /// Where a door is that was at `old`.
    fn place(&self, old: Option<&Device>) -> Result<DevicePlace, Error> {
        let kept = |said: &Option<String>, old: Option<&String>| {
            said.clone().or_else(|| old.cloned()).unwrap_or_default().trim().to_owned()
        };
        let direction = self.direction.or_else(|| old.map(|old| old.direction));
        let place = DevicePlace {
            room: kept(&self.room, old.map(|old| &old.room)),
            location: kept(&self.location, old.map(|old| &old.location)),
            direction: direction.unwrap_or(Direction::Both),
        };
        if place.room.len() > ROOM || place.location.len() > LOCATION {
            return Err(Error::field("classroom_id", "use at most 100 bytes"));
        }
        Ok(place)
    }

    /// Settings that a door takes.
    fn settings(&self) -> Result<Option<Settings>, Error> {
        match self.settings.as_ref().and_then(Settings::odd) {
            None => Ok(self.settings),
            Some((name, may)) => {
                let (least, most) = may.into_inner();
                Err(Error::field(name, format!("write a number from {least} to {most}")))
            }
        }
    }
}

/// The door `id`.
///
/// # Errors
/// `NotFound`.
pub async fn found(db: &Db, id: &DeviceId) -> Result<Device, Error> {
    let id = id.clone();
    db.read(move |tx| there(tx, &id)).await
}

fn there(tx: &Tx<'_>, id: &DeviceId) -> Result<Device, Error> {
    device::get(tx, id)?.ok_or_else(|| Error::unknown("door", id))
}

/// A new door.
///
/// Answers what `shown` makes of it in the same transaction: a repeat after an answer that could
/// not be made finds nothing in its way.
///
/// # Errors
/// `Field` for what cannot be, `Conflict` when the name is taken.
pub async fn add<T: Send + 'static>(
    db: &Db,
    name: DeviceId,
    new: DoorChanges,
    by: String,
    shown: impl FnOnce(&Tx<'_>) -> Result<T, Error> + Send + 'static,
    now: Wall,
) -> Result<T, Error> {
    let place = new.place(None)?;
    let settings = new.settings()?;
    let work = move |tx: &Tx<'_>| {
        device::add(tx, &name, &place, &by, now)?;
        if let Some(said) = settings {
            door_settings::set(tx, &name, &said, 1, &by, now)?;
        }
        shown(tx)
    };
    db.write(work).await
}

/// A one-time token by which a unit becomes the door `id`: a secret, and the pin of the hub's
/// authority.
///
/// # Errors
/// `NotFound`.
pub async fn join_token(
    db: &Db,
    pki: &Pki,
    id: DeviceId,
    by: String,
    now: Wall,
) -> Result<String, Error> {
    token(db, pki, id, now.plus_ms(TOKEN_MS), by, now).await
}

/// The file by which a unit becomes the door `id` at its first start, good for seven days: where
/// the `hub` is, and a one-time token.
///
/// # Errors
/// `NotFound`.
pub async fn invitation(
    db: &Db,
    pki: &Pki,
    id: DeviceId,
    hub: String,
    by: String,
    now: Wall,
) -> Result<String, Error> {
    let ends = now.plus_ms(INVITATION_MS);
    let token = token(db, pki, id.clone(), ends, by, now).await?;
    let invitation = toml::to_string(&Invitation { hub, token }).doing("writing an invitation")?;
    let days = INVITATION_MS / 86_400_000;
    Ok(format!(
        "# Makes one unit the door “{id}”: put this file, as {INVITATION_FILE}, onto the boot\n\
         # partition of its card. It works once, for {days} days, for whoever has it: keep it to\n\
         # yourself.\n{invitation}"
    ))
}

async fn token(
    db: &Db,
    pki: &Pki,
    id: DeviceId,
    ends: Wall,
    by: String,
    now: Wall,
) -> Result<String, Error> {
    let secret = crate::auth::nonce().simple().to_string();
    let token = format!("{secret}-{}", pki.pin()?);
    db.write(move |tx| device::add_token(tx, &id, &secret, ends, &by, now)).await?;
    Ok(token)
}

/// Cuts a door off; a hub that serves beside notices within a moment. Returns how many
/// certificates ended.
///
/// # Errors
/// `NotFound`; `Conflict` when it was changed since `version`.
pub async fn end(
    db: &Db,
    id: DeviceId,
    version: Option<i64>,
    by: String,
    now: Wall,
) -> Result<usize, Error> {
    let work = move |tx: &Tx<'_>| {
        as_read(there(tx, &id)?.version, version)?;
        device::revoke(tx, &id, &by, now)
    };
    db.write(work).await
}

impl Doors {
    /// Changes where a door is and its settings.
    ///
    /// Answers what `shown` makes of it in the same transaction: a repeat after an answer that could
    /// not be made finds nothing in its way.
    ///
    /// # Errors
    /// `NotFound`; `Field` for what cannot be; `Conflict` when it was changed meanwhile.
    pub async fn change<T: Send + 'static>(
        &self,
        id: &DeviceId,
        to: DoorChanges,
        by: String,
        shown: impl FnOnce(&Tx<'_>) -> Result<T, Error> + Send + 'static,
        now: Wall,
    ) -> Result<T, Error> {
        let name = id.clone();
        let work = move |tx: &Tx<'_>| {
            let old = there(tx, &name)?;
            let place = to.place(Some(&old))?;
            let settings = to.settings()?;
            let version = to.version.unwrap_or(old.version);
            if let Some(settings) = settings {
                door_settings::set(tx, &name, &settings, version, &by, now)?;
            }
            let settled = i64::from(settings.is_some());
            if settings.is_none() || place != old.place() {
                device::place(tx, &name, &place, version + settled, &by, now)?;
            }
            shown(tx)
        };
        let shown = self.db.write(work).await?;
        self.events.say(Event::DeviceChanged(id.clone()));
        Ok(shown)
    }

    /// Cuts a door off, at once.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` when it was changed since `version`.
    pub async fn cut_off(
        &self,
        id: DeviceId,
        version: Option<i64>,
        by: String,
        now: Wall,
    ) -> Result<(), Error> {
        end(&self.db, id.clone(), version, by, now).await?;
        self.refresh().await;
        self.events.say(Event::DeviceChanged(id));
        Ok(())
    }

    /// Lets what doors are told follow at once. Where that fails it follows with the next look,
    /// moments later ([`Follower::run`]).
    async fn refresh(&self) {
        if let Err(error) = self.follower.refresh().await {
            tracing::error!(%error, "doors follow with the next look");
        }
    }
}
