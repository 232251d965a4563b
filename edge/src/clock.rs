//! What time it is, and how far that can be trusted: a Pi boots without a clock.
//!
//! Records are ordered by boot and monotonic time; wall time is added where a source gives it.
//! [`Timeline`] decides from readings; [`Timekeeper`] takes them each second and stores anchors.

use crate::draft::Timing;
use crate::outbox::{Outbox, OutboxError};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use wire::record::Anchor;
use wire::{Clock, ClockState, Mono, Stamp, Wall};

/// A wall clock that moved further than this against monotonic time was stepped.
const STEP_MS: u64 = 500;
const ANCHOR_EVERY_MS: u64 = 3600 * 1000;
/// How far a clock of each kind may be off, milliseconds, at least.
const NTP_ERR_MS: u32 = 100;
const RTC_ERR_MS: u32 = 2000;
/// Clocks of small boards drift by 50 millionths, and by more in heat.
const DRIFT_PPM: u64 = 100;
const READ_EVERY: Duration = Duration::from_secs(1);

/// What the machine says at one moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reading {
    /// Time since boot.
    pub mono: Mono,
    /// The system's wall clock, right or wrong.
    pub wall: Wall,
    /// How far it may be off, milliseconds, if the kernel says that network time keeps it.
    pub synced: Option<u32>,
    /// It was set from a battery-backed clock at boot.
    pub rtc: bool,
}

/// What is known about this boot's wall time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Timeline {
    boot: u32,
    floor: Wall,
    system: Known,
    hub: Option<Known>,
    /// The newest anchor that is stored.
    anchored: Option<Stamp>,
}

/// Wall time minus monotonic time, and where it is from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Known {
    offset_ms: i64,
    /// How far it may have been off when it was known, and when that was.
    err_ms: u32,
    since: Mono,
    clock: ClockState,
}

impl Known {
    fn of(wall: Wall, mono: Mono, (err_ms, since): (u32, Mono), clock: ClockState) -> Self {
        Self { offset_ms: wall.0.saturating_sub(mono.0.cast_signed()), err_ms, since, clock }
    }

    /// How far it may be off at `at`: nobody corrected it since.
    fn err_ms(&self, at: Mono) -> u32 {
        let drift = at.since(self.since).saturating_mul(DRIFT_PPM) / 1_000_000;
        self.err_ms.saturating_add(u32::try_from(drift).unwrap_or(u32::MAX))
    }

    fn wall(&self, at: Mono) -> Wall {
        Wall(self.offset_ms).plus_ms(at.0.cast_signed())
    }
}

impl Timeline {
    /// Boot number `boot`; no time before `floor` is believed.
    #[must_use]
    pub fn new(boot: u32, floor: Wall) -> Self {
        let err_ms = 0;
        let since = Mono(0);
        let clock = ClockState::Unset;
        let system = Known { offset_ms: 0, err_ms, since, clock };
        Self { boot, floor, system, hub: None, anchored: None }
    }

    /// Takes a reading; an anchor is due at the first trusted time, hourly, and after steps, until
    /// one is [`Timeline::stored`].
    pub fn read(&mut self, now: Reading) -> Option<(Stamp, Anchor)> {
        let (clock, err) = match now {
            Reading { wall, .. } if wall < self.floor => (ClockState::Unset, (0, now.mono)),
            Reading { synced: Some(err_ms), .. } => {
                (ClockState::Ntp, (err_ms.max(NTP_ERR_MS), now.mono))
            }
            // Read once, at boot.
            Reading { rtc: true, .. } => (ClockState::Rtc, (RTC_ERR_MS, Mono(0))),
            _ => (ClockState::Floor, (0, now.mono)),
        };
        self.system = Known::of(now.wall, now.mono, err, clock);
        self.anchor(now.mono)
    }

    /// The hub said what time it is: `wall` at the moment `at`, at most `err_ms` off.
    pub fn told(&mut self, at: Mono, wall: Wall, err_ms: u32) -> Option<(Stamp, Anchor)> {
        self.hub = Some(Known::of(wall, at, (err_ms, at), ClockState::Hub));
        self.anchor(at)
    }

    /// The stamp of the moment `at` of this boot.
    #[must_use]
    pub fn stamp(&self, at: Mono) -> Stamp {
        let best = self.best();
        let wall = (best.clock != ClockState::Unset).then(|| best.wall(at));
        Stamp { boot: self.boot, mono: at, wall, clock: best.clock }
    }

    /// How far the wall time of that stamp may be off, milliseconds; nothing where there is none
    /// that anybody vouches for.
    #[must_use]
    pub fn err_ms(&self, at: Mono) -> Option<u32> {
        let best = self.best();
        (best.clock >= ClockState::Rtc).then(|| best.err_ms(at))
    }

    /// By how much the machine's own clock is ahead of the hub's, milliseconds, if that was told.
    #[must_use]
    pub fn ahead_ms(&self) -> Option<i64> {
        self.hub.map(|hub| self.system.offset_ms.saturating_sub(hub.offset_ms))
    }

    /// Network time first: it does not jump. Then the hub's, then what the machine has.
    fn best(&self) -> Known {
        match self.hub {
            Some(hub) if self.system.clock < ClockState::Ntp => hub,
            _ => self.system,
        }
    }

    fn anchor(&self, now: Mono) -> Option<(Stamp, Anchor)> {
        let best = self.best();
        if best.clock < ClockState::Rtc {
            return None;
        }
        let stepped = match self.anchored {
            None => false,
            Some(last) => {
                let wall = best.wall(last.mono);
                let stepped = last.wall.is_some_and(|was| was.0.abs_diff(wall.0) > STEP_MS);
                let old = now.since(last.mono) >= ANCHOR_EVERY_MS;
                if !stepped && !old && last.clock == best.clock {
                    return None;
                }
                stepped
            }
        };
        Some((self.stamp(now), Anchor { err_ms: best.err_ms(now), stepped }))
    }

    /// The anchor of the moment `at` is stored: it is due no more.
    pub fn stored(&mut self, at: Stamp) {
        if self.anchored.is_none_or(|last| last.mono <= at.mono) {
            self.anchored = Some(at);
        }
    }
}

/// The running clockwork. Cheap to clone.
#[derive(Clone)]
pub struct Timekeeper {
    timeline: Arc<watch::Sender<Timeline>>,
    clock: Arc<dyn Clock>,
}

impl Timekeeper {
    /// Boot number `boot`; the floor is the build, or what else is known to be past.
    #[must_use]
    pub fn new(boot: u32, floor: Wall, clock: Arc<dyn Clock>) -> Self {
        let mut timeline = Timeline::new(boot, floor);
        timeline.read(reading(&*clock));
        Self { timeline: Arc::new(watch::Sender::new(timeline)), clock }
    }

    /// Now, as far as it is known.
    #[must_use]
    pub fn now(&self) -> Stamp {
        self.stamp(self.clock.mono())
    }

    /// See [`Timeline::ahead_ms`].
    #[must_use]
    pub fn ahead_ms(&self) -> Option<i64> {
        self.timeline.borrow().ahead_ms()
    }

    /// Monotonic time now.
    #[must_use]
    pub fn mono(&self) -> Mono {
        self.clock.mono()
    }

    /// See [`Timeline::told`]; stores the anchor that is due then.
    ///
    /// # Errors
    /// When the outbox has stopped.
    pub(crate) async fn told(
        &self,
        outbox: &Outbox,
        at: Mono,
        (wall, err_ms): (Wall, u32),
    ) -> Result<(), Arc<OutboxError>> {
        let mut due = None;
        self.timeline.send_modify(|timeline| due = timeline.told(at, wall, err_ms));
        self.store(outbox, due).await
    }

    /// Stores an anchor. One that the disk does not take is due again at the next reading.
    async fn store(
        &self,
        outbox: &Outbox,
        due: Option<(Stamp, Anchor)>,
    ) -> Result<(), Arc<OutboxError>> {
        let Some((at, anchor)) = due else { return Ok(()) };
        match outbox.anchor(at, anchor).await {
            Err(error) if !error.is_final() => Ok(()),
            Err(error) => Err(error),
            Ok(_) => {
                self.timeline.send_modify(|timeline| timeline.stored(at));
                Ok(())
            }
        }
    }

    /// Reads the clocks each second and stores anchors.
    ///
    /// # Errors
    /// When the outbox has stopped.
    pub async fn run(
        self,
        outbox: Outbox,
        stop: CancellationToken,
    ) -> Result<(), Arc<OutboxError>> {
        let mut every = tokio::time::interval(READ_EVERY);
        while stop.run_until_cancelled(every.tick()).await.is_some() {
            let mut due = None;
            let now = reading(&*self.clock);
            self.timeline.send_modify(|timeline| due = timeline.read(now));
            self.store(&outbox, due).await?;
        }
        Ok(())
    }
}

impl Timing for Timekeeper {
    fn stamp(&self, at: Mono) -> Stamp {
        self.timeline.borrow().stamp(at)
    }

    fn err_ms(&self, at: Mono) -> Option<u32> {
        self.timeline.borrow().err_ms(at)
    }
}

fn reading(clock: &dyn Clock) -> Reading {
    let rtc = std::fs::read_to_string("/sys/class/rtc/rtc0/hctosys");
    let rtc = rtc.is_ok_and(|text| text.trim() == "1");
    Reading { mono: clock.mono(), wall: clock.wall(), synced: synced(), rtc }
}

/// How far the kernel's clock may be off, milliseconds, if network time keeps it.
fn synced() -> Option<u32> {
    // SAFETY: all zero is a valid `timex`, and with `modes` 0 the call only fills it in.
    #[expect(unsafe_code, reason = "the kernel says this only through adjtimex")]
    let (state, timex) = unsafe {
        let mut timex: libc::timex = std::mem::zeroed();
        (libc::adjtimex(&raw mut timex), timex)
    };
    let kept = state >= 0 && state != libc::TIME_ERROR && timex.status & libc::STA_UNSYNC == 0;
    let ms = timex.maxerror.max(0) / 1000;
    kept.then(|| u32::try_from(ms).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 24 * 3600 * 1000;
    const FLOOR: Wall = Wall(1_780_000_000_000);

    fn reading(mono: u64, wall: i64, synced: bool) -> Reading {
        let synced = synced.then_some(0);
        Reading { mono: Mono(mono), wall: Wall(wall), synced, rtc: false }
    }

    #[test]
    fn how_far_the_machine_is_from_the_hub_is_known_once_the_hub_told() {
        let mut line = Timeline::new(1, FLOOR);
        line.read(reading(1_000, FLOOR.0 + 90_000, false));
        assert_eq!(line.ahead_ms(), None);
        line.told(Mono(1_000), FLOOR.plus_ms(20_000), 40);
        assert_eq!(line.ahead_ms(), Some(70_000));
    }

    #[test]
    fn a_pi_that_boots_in_1970_has_no_wall_time_until_somebody_tells() {
        let mut line = Timeline::new(3, FLOOR);
        assert_eq!(line.read(reading(1000, 5_000, false)), None);
        let unset = line.stamp(Mono(2000));
        assert_eq!((unset.boot, unset.wall, unset.clock), (3, None, ClockState::Unset));
        let (at, anchor) = line.told(Mono(3000), FLOOR.plus_ms(DAY), 40).unwrap();
        assert_eq!((at.clock, anchor), (ClockState::Hub, Anchor { err_ms: 40, stepped: false }));
        let earlier = line.stamp(Mono(2000));
        assert_eq!(earlier.wall, Some(FLOOR.plus_ms(DAY - 1000)), "the past is dated too");
    }

    #[test]
    fn a_clock_nobody_vouches_for_is_a_floor_and_makes_no_anchor() {
        let mut line = Timeline::new(1, FLOOR);
        assert_eq!(line.read(reading(0, FLOOR.0 + DAY, false)), None);
        assert_eq!(line.stamp(Mono(0)).clock, ClockState::Floor);
    }

    #[test]
    fn network_time_wins_over_the_hubs_and_each_change_is_anchored() {
        let mut line = Timeline::new(1, FLOOR);
        line.told(Mono(0), FLOOR.plus_ms(100), 40).unwrap();
        let (at, anchor) = line.read(reading(1000, FLOOR.0 + 1090, true)).unwrap();
        assert_eq!((at.clock, at.wall), (ClockState::Ntp, Some(FLOOR.plus_ms(1090))));
        assert!(!anchor.stepped);
    }

    #[test]
    fn steps_are_anchored_at_once_and_steady_time_hourly() {
        let mut line = Timeline::new(1, FLOOR);
        let mut read = |mono: u64, off: i64| {
            let wall = FLOOR.0 + mono.cast_signed() + off;
            let (at, anchor) = line.read(reading(mono, wall, true))?;
            line.stored(at);
            Some(anchor.stepped)
        };
        assert_eq!(read(0, 0), Some(false));
        assert_eq!(read(1000, 400), None, "slewing is no step");
        assert_eq!(read(2000, DAY / 24), Some(true));
        assert_eq!(read(3000, DAY / 24), None);
        assert_eq!(read(3_602_000, DAY / 24), Some(false));
    }

    #[test]
    fn what_the_hub_said_is_worth_less_each_day_until_it_speaks_again() {
        let mut line = Timeline::new(1, FLOOR);
        let month = 30 * DAY.cast_unsigned();
        assert_eq!(line.err_ms(Mono(0)), None, "nobody vouches for anything");
        line.told(Mono(0), FLOOR.plus_ms(DAY), 40).unwrap();
        assert_eq!(line.err_ms(Mono(1_000)), Some(40));
        let (at, anchor) = line.read(reading(month, 5_000, false)).unwrap();
        assert_eq!(anchor, Anchor { err_ms: 259_240, stepped: false });
        line.stored(at);
        let late = FLOOR.plus_ms(31 * DAY - 130_000);
        let (_, anchor) = line.told(Mono(month), late, 60).unwrap();
        assert_eq!(anchor, Anchor { err_ms: 60, stepped: true });
    }

    #[test]
    fn network_time_is_as_good_as_the_kernel_says() {
        let mut line = Timeline::new(1, FLOOR);
        let kept = |synced| Reading { synced, ..reading(0, FLOOR.0 + DAY, true) };
        line.read(kept(Some(7)));
        assert_eq!(line.err_ms(Mono(0)), Some(NTP_ERR_MS));
        line.read(kept(Some(2_500)));
        assert_eq!(line.err_ms(Mono(0)), Some(2_500));
    }

    #[test]
    fn a_step_that_the_disk_refused_is_told_until_it_is_stored() {
        let mut line = Timeline::new(1, FLOOR);
        let mut read = |mono: u64, off: i64, stores: bool| {
            let wall = FLOOR.0 + mono.cast_signed() + off;
            let (at, anchor) = line.read(reading(mono, wall, true))?;
            if stores {
                line.stored(at);
            }
            Some(anchor.stepped)
        };
        assert_eq!(read(0, 0, true), Some(false));
        assert_eq!(read(1000, DAY, false), Some(true));
        assert_eq!(read(2000, DAY, false), Some(true), "it is not stored yet");
        assert_eq!(read(3000, DAY, true), Some(true));
        assert_eq!(read(4000, DAY, true), None);
    }

    #[test]
    fn the_kernel_answers() {
        let supervisor = Timekeeper::new(1, Wall(0), Arc::new(wire::time::SystemClock));
        assert!(supervisor.now().wall.is_some());
    }
}
