//! When something really happened: a door's clock may have been wrong, and says how wrong.
//!
//! Anchors (wall and monotonic time read at one moment) of the same boot decide; without one the
//! best that can be said is an interval, and the person who reviews is told.

use wire::{ClockState, Mono, Stamp, Wall};

/// Clocks drift by up to 50 millionths: 4.3 s a day.
const DRIFT_PPM: u64 = 50;
/// How far a battery-backed clock without an anchor may be off, milliseconds.
const RTC_ERR_MS: i64 = 60_000;
/// How far a synchronised clock without an anchor may be off, milliseconds.
const SYNCED_ERR_MS: i64 = 1_000;

/// Wall and monotonic time that belong together, of one boot.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Point {
    /// Since that boot.
    pub mono: Mono,
    /// At that moment.
    pub wall: Wall,
    /// How `wall` was known.
    pub clock: ClockState,
    /// How far it may be off, milliseconds.
    pub err_ms: u32,
}

/// What is known about a door's time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Known {
    /// Anchors of the stamp's own boot.
    pub points: Vec<Point>,
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

/// When the moment `stamp` was, if its own clock was synchronised then: no anchor knows better.
#[must_use]
pub fn synced(stamp: &Stamp) -> Option<When> {
    let wall = stamp.wall.filter(|_| rank(stamp.clock) == 2)?;
    Some(When::At(wall, SYNCED_ERR_MS))
}

/// When the moment `stamp` was.
#[must_use]
pub fn date(stamp: &Stamp, known: &Known) -> When {
    if let Some(when) = synced(stamp) {
        return when;
    }
    match nearest(stamp.mono, &known.points) {
        Some(point) => by_anchor(stamp.mono, &point),
        None => by_itself(stamp).unwrap_or(When::Between(known.before, known.after)),
    }
}

/// The best-informed anchor, and of those the nearest in time.
fn nearest(mono: Mono, points: &[Point]) -> Option<Point> {
    let usable = points.iter().filter(|point| rank(point.clock) > 0);
    let key = |point: &&Point| (u8::MAX - rank(point.clock), mono.0.abs_diff(point.mono.0));
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

fn by_anchor(mono: Mono, point: &Point) -> When {
    let apart = mono.0.abs_diff(point.mono.0);
    let ms = i64::try_from(apart).unwrap_or(i64::MAX);
    let wall = point.wall.plus_ms(if mono < point.mono { -ms } else { ms });
    let drift =
        i64::try_from(apart / 1_000_000 * DRIFT_PPM + apart % 1_000_000 * DRIFT_PPM / 1_000_000);
    When::At(wall, i64::from(point.err_ms).saturating_add(drift.unwrap_or(i64::MAX)))
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

    fn point(mono: u64, wall: i64, clock: ClockState, err_ms: u32) -> Point {
        Point { mono: Mono(mono), wall: Wall(wall), clock, err_ms }
    }

    fn known(points: Vec<Point>) -> Known {
        Known { points, before: Some(Wall(NOON - 9_000_000)), after: Wall(NOON + 9_000_000) }
    }

    #[test]
    fn a_boot_in_1970_is_dated_by_the_time_that_came_five_minutes_later() {
        let seen = stamp(20_000, Some(20_000), ClockState::Unset);
        let synced = known(vec![point(300_000, NOON, ClockState::Ntp, 40)]);
        assert_eq!(date(&seen, &synced), When::At(Wall(NOON - 280_000), 54));
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

    proptest! {
        #[test]
        fn the_error_is_never_larger_than_stated(
            mono in 0u64..100_000_000,
            anchors in prop::collection::vec((0u64..100_000_000, -500i64..500), 1..6),
            drift_ppm in -50i64..=50,
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
