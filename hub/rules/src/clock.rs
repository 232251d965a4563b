//! Whether the hub's clock can be believed: what cannot be undone waits until it can.
//!
//! A clock that leaps ahead would make records, keys and people go whose time is not over, and
//! close lessons that have not been. It is held against the monotonic clock while the hub runs,
//! against the newest row of the audit chain when it starts, and against the doors. A leap is
//! noted, and stays until the clock comes back or an admin says that it is right.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use wire::{Mono, Wall};

/// More than this is a leap, milliseconds: clocks that are kept right move by less.
const LEAP_MS: i64 = 10 * 60_000;

/// A hub writes something every day; one that was off for longer than this, milliseconds, is asked
/// whether it was: 8 days.
const AWAY_MS: i64 = 8 * 24 * 3_600_000;

/// So many doors that are ahead are not all wrong.
const DOORS: usize = 2;

/// Wall and monotonic time that belonged together when the clock was believed last.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ClockAnchor {
    /// Wall time then.
    pub wall: Wall,
    /// Monotonic time then.
    pub mono: Mono,
}

/// What an online door said last.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ClockHeard {
    /// When, by its clock.
    pub at: Wall,
    /// Whether that clock is kept right by others than the hub.
    pub is_own: bool,
}

/// A leap of the clock.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Leap {
    /// What it should have said.
    pub from: Wall,
    /// What it said.
    pub to: Wall,
    /// What it was held against.
    pub against: ClockWitness,
}

/// What a clock is held against.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = Witness)]
pub enum ClockWitness {
    /// The monotonic clock of the machine.
    Machine,
    /// What was written last.
    Records,
    /// The doors.
    Doors,
}

/// What is known about the clock.
#[derive(Clone, Default, Debug)]
pub struct ClockFacts {
    /// Nothing at the start.
    pub anchor: Option<ClockAnchor>,
    /// The newest row of the audit chain.
    pub written: Option<Wall>,
    /// What the doors that are connected said last.
    pub doors: Vec<ClockHeard>,
    /// A leap that was noted before.
    pub noted: Option<Leap>,
    /// When an admin said last that the clock is right.
    pub confirmed: Option<Wall>,
}

/// The leap that stands between the clock and being believed, if there is one.
#[must_use]
pub fn judge(facts: &ClockFacts, now: Wall, mono: Mono) -> Option<Leap> {
    if let Some(ClockAnchor { wall, mono: then }) = facts.anchor {
        let should = wall.plus_ms(i64::try_from(mono.since(then)).unwrap_or(i64::MAX));
        return far(now, should)
            .then_some(Leap { from: should, to: now, against: ClockWitness::Machine })
            .or_else(|| by_doors(facts, now));
    }
    if let Some(noted) = facts.noted.filter(|noted| !is_back(noted, now)) {
        return Some(noted);
    }
    by_records(facts, now).or_else(|| by_doors(facts, now))
}

fn far(a: Wall, b: Wall) -> bool {
    a.0.abs_diff(b.0) > LEAP_MS.unsigned_abs()
}

/// Whether a clock that had leapt shows again a time soon after the leap.
fn is_back(leap: &Leap, now: Wall) -> bool {
    let soon = leap.from.0 - LEAP_MS..leap.from.0 + AWAY_MS;
    soon.contains(&now.0) && (leap.to < leap.from || now.0 < leap.to.0 - LEAP_MS)
}

/// Against what was written last, and what an admin said last. Doors with clocks of their own that
/// agree are believed.
fn by_records(facts: &ClockFacts, now: Wall) -> Option<Leap> {
    let from = facts.written.max(facts.confirmed)?;
    let agrees = |heard: &ClockHeard| heard.is_own && !far(heard.at, now);
    let leapt = now.0 < from.0 - LEAP_MS || now.0 > from.0 + AWAY_MS;
    (leapt && !facts.doors.iter().any(agrees)).then_some(Leap {
        from,
        to: now,
        against: ClockWitness::Records,
    })
}

/// A door that said something in the hub's future has another time. What one said in the past
/// may only be old; and where an admin said lately that the hub is right, doors say no other.
fn by_doors(facts: &ClockFacts, now: Wall) -> Option<Leap> {
    if facts.confirmed.is_some_and(|at| now.0.abs_diff(at.0) < AWAY_MS.unsigned_abs()) {
        return None;
    }
    let mut ahead: Vec<Wall> = facts.doors.iter().map(|heard| heard.at).collect();
    ahead.retain(|at| at.0 > now.0 + LEAP_MS);
    ahead.sort_unstable();
    let from = *ahead.get(ahead.len() / 2)?;
    (ahead.len() >= DOORS).then_some(Leap { from, to: now, against: ClockWitness::Doors })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: Wall = Wall(1_790_000_000_000);
    const DAY: i64 = 24 * 3_600_000;

    fn running() -> ClockFacts {
        let anchor = Some(ClockAnchor { wall: NOW, mono: Mono(5_000) });
        ClockFacts { anchor, written: Some(NOW), ..ClockFacts::default() }
    }

    proptest! {
        #[test]
        fn a_clock_that_goes_as_the_machine_does_is_believed(
            passed in 0..400 * DAY, off in -LEAP_MS..=LEAP_MS, more in 1..400 * DAY,
        ) {
            let mono = Mono(5_000 + passed.unsigned_abs());
            let should = NOW.plus_ms(passed);
            prop_assert_eq!(judge(&running(), should.plus_ms(off), mono), None);
            for leapt in [should.plus_ms(LEAP_MS + more), should.plus_ms(-LEAP_MS - more)] {
                let leap = judge(&running(), leapt, mono).map(|leap| (leap.from, leap.against));
                prop_assert_eq!(leap, Some((should, ClockWitness::Machine)));
            }
        }
    }

    #[test]
    fn at_the_start_what_was_written_last_is_the_witness() {
        let start = ClockFacts { written: Some(NOW), ..ClockFacts::default() };
        let at = |ms| judge(&start, NOW.plus_ms(ms), Mono(0)).map(|leap| leap.against);
        assert_eq!([at(0), at(DAY), at(AWAY_MS)], [None; 3], "off for a week");
        assert_eq!([at(AWAY_MS + 1), at(-LEAP_MS - 1)], [Some(ClockWitness::Records); 2]);
        assert_eq!(judge(&ClockFacts::default(), NOW, Mono(0)), None, "a new hub");
        let own = |is_own| {
            let heard = ClockHeard { at: NOW.plus_ms(31 * DAY), is_own };
            let facts = ClockFacts { doors: vec![heard], ..start.clone() };
            judge(&facts, NOW.plus_ms(31 * DAY), Mono(0)).is_none()
        };
        assert!(own(true) && !own(false), "a door that asks the hub for the time knows no better");
    }

    #[test]
    fn doors_in_the_future_say_that_the_clock_went_back() {
        let heard = ClockHeard { at: NOW.plus_ms(DAY), is_own: false };
        let with = |doors| judge(&ClockFacts { doors, ..running() }, NOW, Mono(5_000));
        assert_eq!(with(vec![heard]), None, "one may be wrong itself");
        assert_eq!(with(vec![heard; 2]).map(|leap| leap.from), Some(heard.at));
        assert_eq!(with(vec![ClockHeard { at: NOW.plus_ms(-DAY), ..heard }; 9]), None, "old words");
        let said = ClockFacts { doors: vec![heard; 2], confirmed: Some(NOW), ..running() };
        assert_eq!(judge(&said, NOW, Mono(5_000)), None, "an admin said that the hub is right");
    }

    #[test]
    fn a_noted_leap_stays_until_the_clock_is_back() {
        let leap = Leap { from: NOW, to: NOW.plus_ms(31 * DAY), against: ClockWitness::Machine };
        let noted =
            ClockFacts { noted: Some(leap), written: Some(leap.to), ..ClockFacts::default() };
        assert_eq!(judge(&noted, leap.to.plus_ms(DAY), Mono(0)), Some(leap), "after a restart too");
        let back = ClockFacts { written: None, ..noted };
        assert_eq!(judge(&back, NOW.plus_ms(DAY), Mono(0)), None);
    }

    #[test]
    fn a_machine_that_started_in_1970_is_believed_once_the_network_told_it_the_time() {
        let start = ClockFacts { written: Some(NOW), ..ClockFacts::default() };
        let leap = judge(&start, Wall(60_000), Mono(60_000));
        assert_eq!(leap.map(|leap| leap.from), Some(NOW));
        let noted = ClockFacts { noted: leap, ..start };
        assert_eq!(judge(&noted, Wall(120_000), Mono(120_000)), leap);
        assert_eq!(judge(&noted, NOW.plus_ms(DAY), Mono(120_000)), None);
    }
}
