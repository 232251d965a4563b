//! What doors' cameras see, when an admin asked: one picture a door, in RAM only, for five
//! minutes, and sealed until somebody looks.

use crate::events::{Event, Events};
use rules::error::Error;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use store::keys::Keys;
use uuid::Uuid;
use wire::link::{SNAP_BYTES, Snap};
use wire::seal::{Part, SealError};
use wire::{DeviceId, Mono};
use zeroize::Zeroizing;

/// How long a door has to answer.
const ANSWER_MS: u64 = 60_000;
/// How long a picture is kept.
pub const KEPT_MS: u64 = 5 * 60_000;

/// Why there is no picture to look at.
#[derive(Debug, thiserror::Error)]
pub enum NoPicture {
    /// Nobody asked, or it was long ago.
    #[error("nobody asked “{0}” for a picture in the last five minutes: tell it to “snap” first")]
    Unasked(DeviceId),
    /// It is on its way.
    #[error("the picture of “{0}” is not here yet: ask again in a moment")]
    Waiting(DeviceId),
    /// It did not come.
    #[error("“{0}” was asked for a picture and did not answer: tell it to “snap” again")]
    Silent(DeviceId),
    /// The door says why.
    #[error("“{0}” could take no picture: {1}")]
    Trouble(DeviceId, String),
    /// What came is none.
    #[error("what “{0}” sent is no picture: are both programs of the same version?")]
    Damaged(DeviceId),
    /// The hub failed.
    #[error(transparent)]
    Hub(#[from] Error),
}

impl From<NoPicture> for Error {
    fn from(why: NoPicture) -> Self {
        match why {
            NoPicture::Hub(error) => error,
            other => Self::NotFound(other.to_string()),
        }
    }
}

/// All pictures, by door; cheap to clone.
#[derive(Clone, Default)]
pub struct Snaps {
    shelf: Arc<Mutex<Shelf>>,
    events: Events,
}

#[derive(Default)]
struct Shelf(HashMap<DeviceId, SnapEntry>);

struct SnapEntry {
    since: Mono,
    snap: Option<Snap>,
    /// Who has looked at it.
    seen_by: HashSet<Uuid>,
}

impl SnapEntry {
    fn new(since: Mono, snap: Option<Snap>) -> Self {
        Self { since, snap, seen_by: HashSet::new() }
    }
}

impl Shelf {
    /// What came before is forgotten.
    fn ask(&mut self, device: &DeviceId, now: Mono) {
        self.0.insert(device.clone(), SnapEntry::new(now, None));
    }

    /// Whether it was asked for; otherwise it is dropped.
    fn show(&mut self, device: &DeviceId, snap: Snap, now: Mono) -> bool {
        let waits =
            |entry: &&mut SnapEntry| entry.snap.is_none() && now.since(entry.since) < ANSWER_MS;
        let Some(entry) = self.0.get_mut(device).filter(waits) else { return false };
        *entry = SnapEntry::new(now, Some(snap));
        true
    }

    /// What came, and when.
    fn see(&mut self, device: &DeviceId, now: Mono) -> Result<(Snap, Mono), NoPicture> {
        self.sweep(now);
        let name = || device.clone();
        let entry = self.0.get(device).ok_or_else(|| NoPicture::Unasked(name()))?;
        match &entry.snap {
            Some(snap) => Ok((snap.clone(), entry.since)),
            None if now.since(entry.since) < ANSWER_MS => Err(NoPicture::Waiting(name())),
            None => Err(NoPicture::Silent(name())),
        }
    }

    /// The entry of `device`, if it is still what came at `came`.
    fn that(&mut self, device: &DeviceId, came: Mono) -> Option<&mut SnapEntry> {
        self.0.get_mut(device).filter(|entry| entry.since == came)
    }

    fn sweep(&mut self, now: Mono) {
        self.0.retain(|_, entry| now.since(entry.since) < KEPT_MS);
    }
}

impl Snaps {
    /// No pictures; each that comes is said to `events`.
    #[must_use]
    pub fn new(events: Events) -> Self {
        Self { shelf: Arc::default(), events }
    }

    /// Waits for a picture of `device` from `now` on.
    pub fn ask(&self, device: &DeviceId, now: Mono) {
        self.shelf().ask(device, now);
    }

    /// Takes what `device` shows, if somebody asked for it.
    pub fn show(&self, device: &DeviceId, snap: Snap, now: Mono) {
        if self.shelf().show(device, snap, now) {
            self.events.say(Event::Snapped(device.clone()));
        } else {
            rules::security!("snap", %device, "a picture nobody asked for was dropped");
        }
    }

    /// The picture of `device`, a JPEG, and when it came.
    ///
    /// # Errors
    /// When there is none.
    pub fn see(
        &self,
        device: &DeviceId,
        keys: &Keys,
        now: Mono,
    ) -> Result<(Zeroizing<Vec<u8>>, Mono), NoPicture> {
        let (snap, came) = self.shelf().see(device, now)?;
        let damaged = |_: SealError| NoPicture::Damaged(device.clone());
        let (epoch, sealed) = match snap {
            Snap::Picture { epoch, jpeg } => (epoch, jpeg),
            Snap::Trouble(why) => return Err(NoPicture::Trouble(device.clone(), why)),
        };
        let of = Snap::key(device.clone(), epoch);
        let jpeg = keys.hub_secret_by(sealed.key)?.open(&of, Part::Snap, &sealed);
        let jpeg = jpeg.map_err(damaged)?;
        let sound = jpeg.len() <= SNAP_BYTES && jpeg.starts_with(&[0xff, 0xd8, 0xff]);
        if sound { Ok((jpeg, came)) } else { Err(NoPicture::Damaged(device.clone())) }
    }

    /// Whether there is a picture of `device`, without opening it.
    ///
    /// # Errors
    /// When there is none, and why.
    pub fn is_here(&self, device: &DeviceId, now: Mono) -> Result<(), NoPicture> {
        match self.shelf().see(device, now)?.0 {
            Snap::Picture { .. } => Ok(()),
            Snap::Trouble(why) => Err(NoPicture::Trouble(device.clone(), why)),
        }
    }

    /// Whether `by` looked before at what came of `device` at `came`.
    #[must_use]
    pub fn was_seen(&self, device: &DeviceId, came: Mono, by: Uuid) -> bool {
        self.shelf().that(device, came).is_some_and(|entry| entry.seen_by.contains(&by))
    }

    /// Remembers that `by` looked at what came of `device` at `came`; what came after it is as
    /// new as before.
    pub fn looked(&self, device: &DeviceId, came: Mono, by: Uuid) {
        if let Some(entry) = self.shelf().that(device, came) {
            entry.seen_by.insert(by);
        }
    }

    /// Forgets what was kept long enough.
    pub fn sweep(&self, now: Mono) {
        self.shelf().sweep(now);
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn door() -> DeviceId {
        "door-1".parse().unwrap()
    }

    fn dark() -> Snap {
        Snap::Trouble("dark".into())
    }

    #[test]
    fn one_answer_to_one_question_and_only_while_it_is_fresh() {
        let mut shelf = Shelf::default();
        assert!(!shelf.show(&door(), dark(), Mono(0)), "nobody asked");
        shelf.ask(&door(), Mono(0));
        assert!(!shelf.show(&"door-2".parse().unwrap(), dark(), Mono(1)), "another was asked");
        assert!(!shelf.show(&door(), dark(), Mono(ANSWER_MS)), "too late");
        shelf.ask(&door(), Mono(ANSWER_MS));
        assert!(shelf.show(&door(), dark(), Mono(ANSWER_MS + 1)));
        assert!(!shelf.show(&door(), dark(), Mono(ANSWER_MS + 2)), "a second one");
    }

    #[test]
    fn what_people_are_told_while_there_is_no_picture() {
        let mut shelf = Shelf::default();
        let said = |seen: Result<(Snap, Mono), NoPicture>| seen.unwrap_err().to_string();
        assert!(said(shelf.see(&door(), Mono(0))).contains("nobody asked"));
        shelf.ask(&door(), Mono(0));
        assert!(said(shelf.see(&door(), Mono(1))).contains("not here yet"));
        assert!(said(shelf.see(&door(), Mono(ANSWER_MS))).contains("did not answer"));
        assert!(said(shelf.see(&door(), Mono(KEPT_MS))).contains("nobody asked"));
    }

    #[test]
    fn whoever_looked_at_a_picture_has_not_looked_at_the_next() {
        let (snaps, ada, bob) = (Snaps::default(), Uuid::from_u128(1), Uuid::from_u128(2));
        let show = |at: u64| {
            snaps.ask(&door(), Mono(at));
            snaps.show(&door(), dark(), Mono(at + 1));
            Mono(at + 1)
        };
        let first = show(0);
        snaps.looked(&door(), first, ada);
        let seen = |came, by| snaps.was_seen(&door(), came, by);
        assert!(seen(first, ada) && !seen(first, bob));
        let second = show(10);
        snaps.looked(&door(), first, bob);
        assert!(!seen(second, ada) && !seen(second, bob));
    }

    #[test]
    fn after_five_minutes_nothing_is_left_of_a_picture() {
        let snaps = Snaps::default();
        snaps.ask(&door(), Mono(0));
        snaps.show(&door(), dark(), Mono(1_000));
        snaps.sweep(Mono(KEPT_MS + 999));
        assert_eq!(snaps.shelf().0.len(), 1);
        snaps.sweep(Mono(KEPT_MS + 1_000));
        assert!(snaps.shelf().0.is_empty());
    }
}
