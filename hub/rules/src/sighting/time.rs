//! When something really happened: a door's clock may have been wrong, and says how wrong.
//!
//! Anchors (wall and monotonic time read at one moment) of the same boot decide; without one the
//! best that can be said is an interval, and the person who reviews is told.

use wire::{ClockState, Mono, Stamp, Wall};

/// Clocks of small boards drift by 50 millionths, and by more in heat: 8.6 s a day at most.
const DRIFT_PPM: u64 = 100;
/// How far a battery-backed clock without an anchor may be off, milliseconds.
const RTC_ERR_MS: i64 = 60_000;
/// How far a synchronised clock may be off that nothing worse is known of, milliseconds.
const SYNCED_ERR_MS: i64 = 1_000;

/// Wall and monotonic time that belong together, of one boot.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TimePoint {
    /// Since that boot.
    pub mono: Mono,
    /// At that moment.
    pub wall: Wall,
    /// How `wall` was known.
    pub clock: ClockState,
    /// How far it may be off, milliseconds.
    pub err_ms: u32,
    /// Whether the clock jumped to it: what it said just before was wrong.
    pub stepped: bool,
}

impl TimePoint {
    /// Wall time at `mono`, if the clock ran true from here.
    #[must_use]
    pub fn wall_at(&self, mono: Mono) -> Wall {
        let ms = i64::try_from(mono.0.abs_diff(self.mono.0)).unwrap_or(i64::MAX);
        self.wall.plus_ms(if mono < self.mono { -ms } else { ms })
    }
}

/// What is known about a door's time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KnownTime {
    /// Anchors of the stamp's own boot.
    pub points: Vec<TimePoint>,
    /// The last time known in an earlier boot.
    pub before: Option<Wall>,
    /// The first time known in a later boot, or else now: it cannot have been later.
    pub after: Wall,
}

/// When something happened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum When {
    /// Then, give or take so many milliseconds.
    At(Wall, i64),
    /// Some time between; the first is missing when nothing was known before.
    Between(Option<Wall>, Wall),
}

impl When {
    /// The moment, where it is known.
    #[must_use]
    pub fn at(&self) -> Option<Wall> {
        match self {
            Self::At(wall, _) => Some(*wall),
            Self::Between(..) => None,
        }
    }

    /// How far the moment may be off, milliseconds; 0 where none is known.
    #[must_use]
    pub fn err_ms(&self) -> i64 {
        match self {
            Self::At(_, err) => *err,
            Self::Between(..) => 0,
        }
    }

    /// The earliest it can have been.
    #[must_use]
    pub fn low(&self) -> Option<Wall> {
        match self {
            Self::At(wall, err) => Some(wall.plus_ms(err.saturating_neg())),
            Self::Between(low, _) => *low,
        }
    }

    /// The latest it can have been.
    #[must_use]
    pub fn high(&self) -> Wall {
        match self {
            Self::At(wall, err) => wall.plus_ms(*err),
            Self::Between(_, high) => *high,
        }
    }
}

/// When the moment `stamp` was, if its own clock was synchronised then: `points` are the anchors
/// just before and just after it. No anchor knows better, but they know how wrong it may be.
#[must_use]
pub fn synced(stamp: &Stamp, points: &[TimePoint]) -> Option<When> {
    let wall = stamp.wall.filter(|_| rank(stamp.clock) == 2)?;
    let (before, after): (Vec<&TimePoint>, Vec<&TimePoint>) = points
        .iter()
        .filter(|point| rank(point.clock) == 2)
        .partition(|point| point.mono <= stamp.mono);
    // Network time is held all the time; what the hub said is only remembered.
    let since = before.iter().max_by_key(|point| point.mono).map_or(0, |point| {
        let held = stamp.clock == ClockState::Ntp;
        i64::from(point.err_ms) + if held { 0 } else { drift(stamp.mono.since(point.mono)) }
    });
    let step = after.iter().min_by_key(|point| point.mono).filter(|point| point.stepped);
    let step = step.map_or(0, |point| apart(wall, by_anchor(stamp.mono, point)));
    Some(When::At(wall, SYNCED_ERR_MS.max(since).max(step)))
}

/// The furthest that `wall` may be from `when`, milliseconds.
fn apart(wall: Wall, when: When) -> i64 {
    let furthest = |end: Wall| i64::try_from(end.0.abs_diff(wall.0)).unwrap_or(i64::MAX);
    when.low().map_or(0, furthest).max(furthest(when.high()))
}

/// When the moment `stamp` was.
#[must_use]
pub fn date(stamp: &Stamp, known: &KnownTime) -> When {
    if let Some(when) = synced(stamp, &known.points) {
        return when;
    }
    match nearest(stamp.mono, &known.points) {
        Some(point) => by_anchor(stamp.mono, &point),
        None => by_itself(stamp).unwrap_or(When::Between(known.before, known.after)),
    }
}

/// The best-informed anchor, and of those the nearest in time.
fn nearest(mono: Mono, points: &[TimePoint]) -> Option<TimePoint> {
    let usable = points.iter().filter(|point| rank(point.clock) > 0);
    let key = |point: &&TimePoint| (u8::MAX - rank(point.clock), mono.0.abs_diff(point.mono.0));
    usable.min_by_key(key).copied()
}

/// Synchronised clocks are alike; a remembered time is no time.
fn rank(clock: ClockState) -> u8 {
    match clock {
        ClockState::Unset | ClockState::Floor => 0,
        ClockState::Rtc => 1,
        ClockState::Ntp | ClockState::Hub => 2,
    }
}

fn by_anchor(mono: Mono, point: &TimePoint) -> When {
    let apart = mono.0.abs_diff(point.mono.0);
    When::At(point.wall_at(mono), i64::from(point.err_ms).saturating_add(drift(apart)))
}

/// How far a clock may drift in so many milliseconds.
fn drift(ms: u64) -> i64 {
    let drift = ms / 1_000_000 * DRIFT_PPM + ms % 1_000_000 * DRIFT_PPM / 1_000_000;
    i64::try_from(drift).unwrap_or(i64::MAX)
}

fn by_itself(stamp: &Stamp) -> Option<When> {
    let wall = stamp.wall.filter(|_| rank(stamp.clock) == 1)?;
    Some(When::At(wall, RTC_ERR_MS))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOON: i64 = 1_790_000_000_000;

    fn stamp(mono: u64, wall: Option<i64>, clock: ClockState) -> Stamp {
        Stamp { boot: 3, mono: Mono(mono), wall: wall.map(Wall), clock }
    }

    fn point(mono: u64, wall: i64, clock: ClockState, err_ms: u32) -> TimePoint {
        TimePoint { mono: Mono(mono), wall: Wall(wall), clock, err_ms, stepped: false }
    }

    fn known(points: Vec<TimePoint>) -> KnownTime {
        KnownTime { points, before: Some(Wall(NOON - 9_000_000)), after: Wall(NOON + 9_000_000) }
    }

    #[test]
    fn a_boot_in_1970_is_dated_by_the_time_that_came_five_minutes_later() {
        let seen = stamp(20_000, Some(20_000), ClockState::Unset);
        let synced = known(vec![point(300_000, NOON, ClockState::Ntp, 40)]);
        assert_eq!(date(&seen, &synced), When::At(Wall(NOON - 280_000), 68));
    }

    #[test]
    fn a_step_is_believed_over_the_clock_that_was_wrong() {
        let seen = stamp(100_000, Some(NOON), ClockState::Rtc);
        let wrong = point(0, NOON - 100_000, ClockState::Rtc, 1000);
        let right = point(900_000, NOON + 4_400_000, ClockState::Hub, 10);
        let when = date(&seen, &known(vec![wrong, right]));
        assert_eq!(when.at(), Some(Wall(NOON + 3_600_000)));
    }

    #[test]
    fn a_boot_that_never_knew_the_time_gets_an_interval() {
        for (wall, clock) in [(None, ClockState::Unset), (Some(NOON), ClockState::Floor)] {
            let when = date(&stamp(5, wall, clock), &known(vec![]));
            let (low, high) = (Wall(NOON - 9_000_000), Wall(NOON + 9_000_000));
            assert_eq!(when, When::Between(Some(low), high));
            assert_eq!((when.at(), when.low(), when.high()), (None, Some(low), high));
        }
    }

    #[test]
    fn a_good_clock_without_anchors_is_believed_within_its_limits() {
        let at = |clock| date(&stamp(5, Some(NOON), clock), &known(vec![]));
        assert_eq!(at(ClockState::Ntp), When::At(Wall(NOON), SYNCED_ERR_MS));
        assert_eq!(at(ClockState::Rtc), When::At(Wall(NOON), RTC_ERR_MS));
    }

    #[test]
    fn what_the_hub_said_long_ago_is_worth_less_each_day() {
        let (month, told) = (30 * 86_400_000, point(0, NOON, ClockState::Hub, 40));
        let kept = |clock| {
            let seen = stamp(month, Some(NOON + month as i64), clock);
            date(&seen, &known(vec![told])).err_ms()
        };
        assert_eq!(kept(ClockState::Hub), 259_240, "twice the 130 s that are usual");
        assert_eq!(kept(ClockState::Ntp), SYNCED_ERR_MS, "network time is held");
    }

    #[test]
    fn a_step_says_that_the_clock_was_wrong_before_it() {
        let seen = stamp(100_000, Some(NOON), ClockState::Hub);
        let before = point(0, NOON - 100_000, ClockState::Hub, 40);
        let after =
            |stepped| TimePoint { stepped, ..point(200_000, NOON - 30_000, ClockState::Hub, 40) };
        let off = |stepped| date(&seen, &known(vec![before, after(stepped)]));
        assert_eq!(off(false), When::At(Wall(NOON), SYNCED_ERR_MS));
        assert_eq!(off(true), When::At(Wall(NOON), 130_050));
    }

    proptest! {
        #[test]
        fn the_error_is_never_larger_than_stated(
            mono in 0u64..100_000_000,
            anchors in prop::collection::vec((0u64..100_000_000, -500i64..500), 1..6),
            drift_ppm in -100i64..=100,
        ) {
            let truth = |mono: u64| NOON + mono as i64 + mono as i64 * drift_ppm / 1_000_000;
            let points = anchors.iter().map(|&(at, off)| {
                point(at, truth(at) + off, ClockState::Ntp, off.unsigned_abs() as u32)
            });
            let When::At(wall, err) = date(&stamp(mono, None, ClockState::Unset), &known(points.collect()))
            else { return Err(TestCaseError::fail("not dated")) };
            prop_assert!((wall.0 - truth(mono)).abs() <= err + 2, "{wall:?} {err}");
        }

        #[test]
        fn no_stamp_panics(mono: u64, wall: i64, points in prop::collection::vec((any::<u64>(), any::<i64>(), any::<u32>()), 0..4)) {
            let points = points.into_iter().map(|(m, w, e)| point(m, w, ClockState::Ntp, e)).collect();
            let when = date(&stamp(mono, Some(wall), ClockState::Ntp), &known(points));
            prop_assert!(when.low() <= Some(when.high()));
        }
    }
}
