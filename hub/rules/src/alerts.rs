//! Alerts of doors: when a fault that nobody may be looking at begins to be told, and when its end.
//!
//! A fault that comes and goes makes no storm: it begins once it has held for a while, and ends once
//! it has been away for as long. What is open is known by its rows, so that a hub that starts again
//! repeats nothing; what does not hold long enough yet is known by [`AlertWatch`] alone, so that a
//! hub which was down itself begins to count anew.

use std::collections::{BTreeMap, BTreeSet};
use wire::{DeviceId, Mono, Wall};

const MINUTE_MS: u64 = 60_000;

/// What is told with it that has held for all but this share of its time: doors behind one switch
/// do not leave in one moment, and are one message.
const ALMOST: u64 = 5;

/// So long before its first lesson a school needs its doors, milliseconds: half an hour. Passages count
/// for a lesson from a quarter of an hour before it on.
const OPENS_MS: i64 = 1_800_000;

/// Hours of a day in a school that has no lessons in the hub: from seven to six.
const HOURS: (i8, i8) = (7, 18);

/// What is wrong with a door.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum AlertKind {
    /// It was connected, and is not in school hours.
    Offline,
    /// Its camera shows nothing, or always the same.
    Blind,
    /// Its processor is too hot, or slowed down.
    Hot,
    /// Its supply sagged.
    Sagged,
    /// Its card is nearly full.
    DiskLow,
    /// It has little memory left.
    MemoryLow,
    /// Its program is older than the hub's, or than that of half of the doors.
    OldProgram,
}

impl AlertKind {
    /// All of them, the worst first.
    pub const ALL: [Self; 7] = [
        Self::Offline,
        Self::Blind,
        Self::Hot,
        Self::Sagged,
        Self::DiskLow,
        Self::MemoryLow,
        Self::OldProgram,
    ];

    /// One word for programs and the database.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Offline => "offline",
            Self::Blind => "blind",
            Self::Hot => "hot",
            Self::Sagged => "supply_sagged",
            Self::DiskLow => "disk_low",
            Self::MemoryLow => "memory_low",
            Self::OldProgram => "old_program",
        }
    }

    /// The kind of this word.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }

    /// For how long it has to hold before it begins, and to be away before it ends, milliseconds.
    #[must_use]
    pub fn hold_ms(self) -> u64 {
        let minutes = match self {
            // A unit starts in two minutes, and a switch or the hub's machine in five.
            Self::Offline => 10,
            // Whoever hangs something before a camera or cleans it takes it away again.
            Self::Blind => 2,
            // A crowd at the door makes a board hot for a moment.
            Self::Hot => 5,
            // A supply that sags may start the board again and again.
            Self::Sagged => 5,
            // Logs and galleries come and go.
            Self::DiskLow | Self::MemoryLow => 10,
            // Doors follow an update of the hub one after the other, on the same day.
            Self::OldProgram => 6 * 60,
        };
        minutes * MINUTE_MS
    }
}

/// One kind of fault at one door.
pub type Fault = (DeviceId, AlertKind);

/// What is known of all doors at one moment.
#[derive(Clone, Default, Debug)]
pub struct AlertFacts {
    /// Every door that should be at work.
    pub doors: BTreeSet<DeviceId>,
    /// Faults that are known to hold, or not to; of what nobody knows there is none here.
    pub seen: BTreeMap<Fault, bool>,
    /// What began and has not ended.
    pub open: BTreeSet<Fault>,
}

/// What is to be told now: for how long each has held, or been away, milliseconds.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct AlertNews {
    /// What begins.
    pub begins: BTreeMap<Fault, u64>,
    /// What ends.
    pub ends: BTreeMap<Fault, u64>,
}

impl AlertNews {
    /// Whether there is nothing to tell.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.begins.is_empty() && self.ends.is_empty()
    }
}

/// What is otherwise than was told: whether it holds, and since when it does or does not.
#[derive(Clone, Default, Debug)]
pub struct AlertWatch(BTreeMap<Fault, (bool, Mono)>);

impl AlertWatch {
    /// What begins and ends at `now`. What is told stays in it until the facts say that it is open,
    /// or is not any more: whoever could not write it down hears of it again.
    pub fn look(&mut self, facts: &AlertFacts, now: Mono) -> AlertNews {
        let other = |(fault, is): (&Fault, &bool)| {
            let before = self.0.get(fault).filter(|(was, _)| was == is);
            let since = before.map_or(now, |(_, since)| *since);
            (*is != facts.open.contains(fault)).then(|| (fault.clone(), (*is, since)))
        };
        self.0 = facts.seen.iter().filter_map(other).collect();
        let (begins, ends): (Vec<_>, Vec<_>) = self.0.iter().partition(|(_, (is, _))| *is);
        let held = |all: Vec<(&Fault, &(bool, Mono))>| {
            due(all.into_iter().map(|(of, (_, since))| (of.clone(), now.since(*since))).collect())
        };
        let gone = facts.open.iter().filter(|(door, _)| !facts.doors.contains(door));
        let mut news = AlertNews { begins: held(begins), ends: held(ends) };
        news.ends.extend(gone.map(|fault| (fault.clone(), 0)));
        news
    }
}

/// What has held long enough, and what has almost where something of its kind has.
fn due(mut held: BTreeMap<Fault, u64>) -> BTreeMap<Fault, u64> {
    let long = held.iter().filter(|((_, kind), ms)| **ms >= kind.hold_ms());
    let kinds: BTreeSet<AlertKind> = long.map(|((_, kind), _)| *kind).collect();
    held.retain(|(_, kind), ms| {
        kinds.contains(kind) && *ms >= kind.hold_ms() - kind.hold_ms() / ALMOST
    });
    held
}

/// What is known of a day, for its hours.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct SchoolDay {
    /// Whether it is a holiday.
    pub is_holiday: bool,
    /// When its first lesson begins and its last one ends.
    pub lessons: Option<(Wall, Wall)>,
    /// Whether the hub knows of lessons in the two weeks around it.
    pub is_planned: bool,
    /// Hour of the day at the school.
    pub hour: i8,
}

/// Whether a door that is not connected at `now` is missed.
///
/// It is from half an hour before the first lesson until the end of the last; where the hub knows of no
/// lessons at all, on each day from seven to six. It is not at night or on a free day, when doors
/// may be switched off.
#[must_use]
pub fn is_open(day: &SchoolDay, now: Wall) -> bool {
    match day.lessons {
        _ if day.is_holiday => false,
        Some((first, last)) => (first.plus_ms(-OPENS_MS)..last).contains(&now),
        None => !day.is_planned && (HOURS.0..HOURS.1).contains(&day.hour),
    }
}

/// Which of the doors run an old program: one older than `hub`'s, or than what half of them run.
///
/// What is no version is not judged.
#[must_use]
pub fn old_programs(doors: &[(DeviceId, String)], hub: &str) -> BTreeMap<DeviceId, bool> {
    let all = doors.iter().filter_map(|(door, text)| Some((door, numbers(text)?)));
    let mut versions: Vec<_> = all.clone().map(|(_, version)| version).collect();
    versions.sort_unstable();
    let usual = versions.get(versions.len() / 2).copied();
    let newest = usual.max(numbers(hub));
    all.map(|(door, version)| (door.clone(), Some(version) < newest)).collect()
}

/// A version such as `1.4.2`, without what may follow behind a `-` or a `+`.
fn numbers(version: &str) -> Option<[u64; 3]> {
    let plain = version.split(['-', '+']).next()?;
    let mut parts = plain.split('.').map(|part| part.parse().ok());
    let three = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(three)
}

#[cfg(test)]
mod tests;
