//! The newest lines of doors' logs, when an admin asked: in RAM only, for five minutes.

use crate::events::{Event, Events};
use crate::outward::Outward;
use crate::shelf::{NoAnswer, Shelf};
use crate::word::Word;
use rules::error::Error;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use uuid::Uuid;
use wire::care::{Tail, TailLevel};
use wire::{DeviceId, Mono, Wall};

/// Why there are no lines to read.
#[derive(Debug, thiserror::Error)]
pub enum NoTail {
    /// Nobody asked, or it was long ago.
    #[error("nobody asked “{0}” for its log in the last five minutes: tell it to “log” first")]
    Unasked(DeviceId),
    /// They are on their way.
    #[error("the log of “{0}” is not here yet: ask again in a moment")]
    Waiting(DeviceId),
    /// They did not come.
    #[error(
        "“{0}” was asked for its log and did not answer: tell it to “log” again, and update it if \
         its program is older than this hub’s"
    )]
    Silent(DeviceId),
}

impl From<NoTail> for Error {
    fn from(why: NoTail) -> Self {
        Self::NotFound(why.to_string())
    }
}

/// The newest lines of a door's log, as they came.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TailRead {
    /// When they came.
    pub at: Wall,
    /// Lines since the start of its program that it does not keep any more.
    pub missed: u64,
    /// The oldest first.
    pub lines: Vec<DoorLine>,
}

/// One line of a door's log, dated by the hub's clock: the door may not know the time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DoorLine {
    /// When it was written.
    pub at: Wall,
    /// How much it matters.
    pub level: TailLevel,
    /// What it says.
    pub text: String,
}

impl TailRead {
    fn new(tail: Tail, now: Wall) -> Self {
        let ago = |ms: u64| now.plus_ms(-i64::try_from(ms).unwrap_or(i64::MAX));
        let lines = tail.lines.into_iter();
        let lines = lines.map(|of| DoorLine { at: ago(of.ago_ms), level: of.level, text: of.text });
        Self { at: now, missed: tail.missed, lines: lines.collect() }
    }
}

/// All of them, by door; cheap to clone.
#[derive(Clone, Default)]
pub struct Tails {
    shelf: Arc<Mutex<Shelf<TailRead>>>,
    events: Events,
    out: Outward,
}

impl Tails {
    /// None yet; each that comes is said to `events`, and to other hubs by `out`.
    #[must_use]
    pub fn new(events: Events, out: Outward) -> Self {
        Self { shelf: Arc::default(), events, out }
    }

    /// Waits for the log of `device` from `now` on.
    pub fn ask(&self, device: &DeviceId, now: Mono) {
        self.shelf().ask(device, now);
    }

    /// Takes what `device` says at `now`, if somebody asked for it.
    pub fn show(&self, device: &DeviceId, tail: Tail, (now, mono): (Wall, Mono)) {
        let said = tail.clone();
        if tail.is_sound() && self.shelf().show(device, TailRead::new(tail, now), mono) {
            self.out.say(|| Word::Tail(device.clone(), said));
            self.events.relay(Event::DeviceChanged(device.clone()));
        } else {
            rules::security!("log", %device, "a log nobody asked for, or no log, was dropped");
        }
    }

    /// The same for what came to another hub: whoever asked here is shown it.
    pub fn relay(&self, device: &DeviceId, tail: Tail, (now, mono): (Wall, Mono)) {
        if tail.is_sound() && self.shelf().show(device, TailRead::new(tail, now), mono) {
            self.events.relay(Event::DeviceChanged(device.clone()));
        }
    }

    /// The lines of `device`, and when they came.
    ///
    /// # Errors
    /// When there are none.
    pub fn see(&self, device: &DeviceId, now: Mono) -> Result<(TailRead, Mono), NoTail> {
        self.shelf().see(device, now).map_err(|why| match why {
            NoAnswer::Unasked => NoTail::Unasked(device.clone()),
            NoAnswer::Waiting => NoTail::Waiting(device.clone()),
            NoAnswer::Silent => NoTail::Silent(device.clone()),
        })
    }

    /// Whether `by` read before what came of `device` at `came`.
    #[must_use]
    pub fn was_read(&self, device: &DeviceId, came: Mono, by: Uuid) -> bool {
        self.shelf().was_seen(device, came, by)
    }

    /// Remembers that `by` read what came of `device` at `came`.
    pub fn read(&self, device: &DeviceId, came: Mono, by: Uuid) {
        self.shelf().looked(device, came, by);
    }

    /// Forgets what was kept long enough.
    pub fn sweep(&self, now: Mono) {
        self.shelf().sweep(now);
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf<TailRead>> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::care::TailLine;

    #[test]
    fn lines_are_dated_by_the_hubs_clock_and_more_than_a_door_keeps_is_dropped() {
        let tails = Tails::default();
        let door: DeviceId = "door-1".parse().unwrap();
        let line = TailLine { ago_ms: 400, level: TailLevel::Warn, text: "no hub".into() };
        let tail = |count| Tail { missed: 2, lines: vec![line.clone(); count] };
        tails.ask(&door, Mono(0));
        tails.show(&door, tail(Tail::LINES + 1), (Wall(9_000), Mono(1)));
        let why = tails.see(&door, Mono(2)).unwrap_err().to_string();
        assert!(why.contains("not here yet"), "{why}");
        tails.show(&door, tail(1), (Wall(9_000), Mono(2)));
        let (read, came) = tails.see(&door, Mono(3)).unwrap();
        assert_eq!((read.lines[0].at, read.missed, came), (Wall(8_600), 2, Mono(2)));
    }
}
