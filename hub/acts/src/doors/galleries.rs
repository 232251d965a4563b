//! What doors should run: sent out, taken back, and whom each gets.

use super::{Doors, there};
use crate::events::{Event, Events};
use rules::error::Error;
use rules::gallery::scope::Scope;
use serde_json::json;
use std::cmp::Ordering;
use store::release::{self, Progress};
use store::{Db, Tx, audit, device, scope};
use wire::{DeviceId, Wall};

/// How far a door is with a release.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ReleaseStep {
    /// Signed; the door has not fetched it.
    Released,
    /// The door has the file and does not use it yet.
    Fetched,
    /// The door uses it.
    InUse,
    /// The door uses a newer one.
    Replaced,
}

/// How far the door is.
#[must_use]
pub fn step(of: &Progress) -> ReleaseStep {
    match of.in_use.cmp(&of.version) {
        Ordering::Equal => ReleaseStep::InUse,
        Ordering::Greater => ReleaseStep::Replaced,
        Ordering::Less if of.fetched.is_some() => ReleaseStep::Fetched,
        Ordering::Less => ReleaseStep::Released,
    }
}

/// Where to go back to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Before {
    /// The last release with other people.
    Last,
    /// The one of this number.
    Release(u64),
}

/// Which doors are taken back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum GalleryBack {
    /// This one, to that release.
    One(DeviceId, Before),
    /// Every active one, to its last release with other people.
    All,
}

impl Doors {
    /// Gives every door everybody again.
    pub async fn push(&self, by: String, now: Wall) -> Result<(), Error> {
        self.db.write(move |tx| release::push(tx, &by, now)).await?;
        self.release().await;
        Ok(())
    }

    /// Takes doors back to the people of an earlier release.
    ///
    /// # Errors
    /// `NotFound` for what there is not, `Conflict` when there is nothing to go back to.
    pub async fn take_back(&self, back: GalleryBack, by: String, now: Wall) -> Result<(), Error> {
        let work = move |tx: &Tx<'_>| match back {
            GalleryBack::All => all_back(tx, &by, now),
            GalleryBack::One(door, before) => {
                there(tx, &door)?;
                let version = match before {
                    Before::Last => None,
                    Before::Release(version) => Some(version),
                };
                release::take_back(tx, &door, version, &by, now)
            }
        };
        self.db.write(work).await?;
        self.release().await;
        Ok(())
    }

    /// Makes the releases that follow, and tells the doors. It is decided already: what fails here
    /// is tried again by the hub's rounds ([`crate::rounds`]), which see that something changed.
    async fn release(&self) {
        match self.galleries.follow().await {
            Ok(()) => self.refresh().await,
            Err(error) => tracing::error!(%error, "doors follow later what was decided"),
        }
        self.events.say(Event::GalleryChanged);
    }
}

/// Every active door that can goes back; it is an error when none can.
fn all_back(tx: &Tx<'_>, by: &str, now: Wall) -> Result<(), Error> {
    let doors = device::list(tx)?.into_iter().filter(|door| door.is_active);
    let moved = doors.map(|door| release::take_back(tx, &door.id, None, by, now));
    let (moved, stuck): (Vec<_>, Vec<_>) = moved.partition(Result::is_ok);
    match stuck.into_iter().next() {
        Some(Err(why)) if moved.is_empty() => Err(why),
        _ => Ok(()),
    }
}

/// Remembers that a door was sent a release to its end: for the list of releases only.
pub async fn fetched(db: &Db, door: DeviceId, version: u64, now: Wall) -> Result<(), Error> {
    db.write(move |tx| release::fetched(tx, &door, version, now)).await
}

/// Says which people a door gets.
pub async fn narrow(
    db: &Db,
    events: &Events,
    to: Scope,
    by: String,
    now: Wall,
) -> Result<(), Error> {
    let work = move |tx: &Tx<'_>| {
        scope::set_scope(tx, to)?;
        let meta = json!({ "scope": word(to) });
        let table = "setting";
        let id = "gallery_scope";
        audit::add(tx, now, &audit::AuditEntry { actor: &by, action: "change", table, id, meta })
    };
    db.write(work).await?;
    events.say(Event::GalleryChanged);
    Ok(())
}

fn word(scope: Scope) -> &'static str {
    match scope {
        Scope::Room => "room",
        Scope::All => "all",
    }
}
