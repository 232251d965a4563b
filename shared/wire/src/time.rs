//! Wall time, monotonic time, and how far a door's clock can be trusted.
//!
//! A Pi boots without a clock. Records are ordered by boot number and monotonic time; wall time
//! is an opinion with a source, and a record without one says so.

use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

/// Milliseconds since 1970-01-01T00:00Z.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct Wall(pub i64);

/// Milliseconds since the machine booted, time asleep included (`CLOCK_BOOTTIME`).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct Mono(pub u64);

impl Wall {
    /// This time moved by `ms`, never beyond what an `i64` holds.
    #[must_use]
    pub fn plus_ms(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }
}

impl Mono {
    /// Milliseconds from `earlier` to this, 0 if it was later.
    #[must_use]
    pub fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// Where a door's wall time comes from, worst first. Append-only.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum ClockState {
    /// Nothing is known but monotonic time.
    Unset,
    /// Not before the last time this device remembers.
    Floor,
    /// A battery-backed clock.
    Rtc,
    /// Network time, synchronised.
    Ntp,
    /// Told by the hub over the link.
    Hub,
}

/// When something happened, as a door knows it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Stamp {
    /// Counts the device's boots, from 1.
    pub boot: u32,
    /// Time since that boot.
    pub mono: Mono,
    /// Wall time, absent while the clock is unset.
    pub wall: Option<Wall>,
    /// How `wall` is known.
    pub clock: ClockState,
}

/// The two clocks of a machine. The only place that reads them is [`SystemClock`].
pub trait Clock: Send + Sync + 'static {
    /// Wall time, right or wrong.
    fn wall(&self) -> Wall;
    /// Time since boot.
    fn mono(&self) -> Mono;
}

/// The machine's own clocks.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the clock")]
    fn wall(&self) -> Wall {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        Wall(since.map_or(0, |d| i64::try_from(d.as_millis()).unwrap_or(i64::MAX)))
    }

    fn mono(&self) -> Mono {
        let t = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
        let seconds = u64::try_from(t.tv_sec).unwrap_or(0);
        Mono(seconds * 1000 + u64::try_from(t.tv_nsec).unwrap_or(0) / 1_000_000)
    }
}

/// Clocks that move only when told to, for tests and replays.
#[derive(Debug, Default)]
pub struct ManualClock {
    wall: AtomicI64,
    mono: AtomicU64,
}

impl ManualClock {
    /// Clocks that stand at `wall` and `mono`.
    #[must_use]
    pub fn at(wall: Wall, mono: Mono) -> Self {
        Self { wall: AtomicI64::new(wall.0), mono: AtomicU64::new(mono.0) }
    }

    /// Lets `ms` pass on both clocks.
    pub fn advance(&self, ms: u64) {
        self.mono.fetch_add(ms, Ordering::SeqCst);
        self.wall.fetch_add(i64::try_from(ms).unwrap_or(i64::MAX), Ordering::SeqCst);
    }

    /// Steps the wall clock, as NTP does.
    pub fn set_wall(&self, wall: Wall) {
        self.wall.store(wall.0, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn wall(&self) -> Wall {
        Wall(self.wall.load(Ordering::SeqCst))
    }

    fn mono(&self) -> Mono {
        Mono(self.mono.load(Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machine_knows_that_time_passes() {
        let (wall, mono) = (SystemClock.wall(), SystemClock.mono());
        assert!(wall > Wall(1_700_000_000_000), "{wall:?}");
        assert!(SystemClock.mono() >= mono);
    }

    #[test]
    fn a_step_of_the_wall_clock_leaves_monotonic_time_alone() {
        let clock = ManualClock::at(Wall(5), Mono(7));
        clock.advance(10);
        clock.set_wall(Wall(1_000));
        assert_eq!((clock.wall(), clock.mono()), (Wall(1_000), Mono(17)));
    }
}
