//! What doors' cameras see, when an admin asked: one picture a door, in RAM only, for five
//! minutes, and sealed until somebody looks.

use crate::events::{Event, Events};
use crate::outward::Outward;
use crate::shelf::{NoAnswer, Shelf};
use crate::word::Word;
use rules::error::Error;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use store::keys::Keys;
use uuid::Uuid;
use wire::link::{SNAP_BYTES, Snap};
use wire::seal::{Part, SealError};
use wire::{DeviceId, Mono};
use zeroize::Zeroizing;

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

impl NoPicture {
    fn new(device: &DeviceId, why: NoAnswer) -> Self {
        match why {
            NoAnswer::Unasked => Self::Unasked(device.clone()),
            NoAnswer::Waiting => Self::Waiting(device.clone()),
            NoAnswer::Silent => Self::Silent(device.clone()),
        }
    }
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
    shelf: Arc<Mutex<Shelf<Snap>>>,
    events: Events,
    out: Outward,
}

impl Snaps {
    /// No pictures; each that comes is said to `events`, and to other hubs by `out`.
    #[must_use]
    pub fn new(events: Events, out: Outward) -> Self {
        Self { shelf: Arc::default(), events, out }
    }

    /// Waits for a picture of `device` from `now` on.
    pub fn ask(&self, device: &DeviceId, now: Mono) {
        self.shelf().ask(device, now);
    }

    /// Takes what `device` shows, if somebody asked for it.
    pub fn show(&self, device: &DeviceId, snap: Snap, now: Mono) {
        if self.shelf().show(device, snap.clone(), now) {
            self.out.say(|| Word::Snap(device.clone(), snap));
            self.events.relay(Event::Snapped(device.clone()));
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
        let (snap, came) = self.came(device, now)?;
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
        match self.came(device, now)?.0 {
            Snap::Picture { .. } => Ok(()),
            Snap::Trouble(why) => Err(NoPicture::Trouble(device.clone(), why)),
        }
    }

    /// Whether `by` looked before at what came of `device` at `came`.
    #[must_use]
    pub fn was_seen(&self, device: &DeviceId, came: Mono, by: Uuid) -> bool {
        self.shelf().was_seen(device, came, by)
    }

    /// Remembers that `by` looked at what came of `device` at `came`; what came after it is as
    /// new as before.
    pub fn looked(&self, device: &DeviceId, came: Mono, by: Uuid) {
        self.shelf().looked(device, came, by);
    }

    /// The same for what came to another hub: whoever asked here is shown it.
    pub fn relay(&self, device: &DeviceId, snap: Snap, now: Mono) {
        if self.shelf().show(device, snap, now) {
            self.events.relay(Event::Snapped(device.clone()));
        }
    }

    /// Forgets what was kept long enough.
    pub fn sweep(&self, now: Mono) {
        self.shelf().sweep(now);
    }

    fn came(&self, device: &DeviceId, now: Mono) -> Result<(Snap, Mono), NoPicture> {
        self.shelf().see(device, now).map_err(|why| NoPicture::new(device, why))
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf<Snap>> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
