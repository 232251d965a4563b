//! What needs care: everything that waits for a person who runs the system, as a list of worries.
//!
//! To add one: a field of [`CareFacts`], a line in [`worries`], and its two texts, `care-KIND` (what it
//! is) and `care-KIND-next` (what to do), in `hub/words/locales/{en,fa}/care.ftl`; the gaps `$count`,
//! `$name` and `$when` may be used. The page, the API, `rollcall-hub doctor` and the count in the
//! navigation follow from the list.

use wire::{DeviceId, ModelId, Mono, Wall};

const HOUR_MS: i64 = 3_600_000;

const DAY_MS: i64 = 24 * HOUR_MS;

/// A backup is made every night: after this long some are missing.
const BACKUP_MS: i64 = 3 * DAY_MS;

/// What failed longer ago than this, and not since, is over.
const OVER_MS: i64 = HOUR_MS;

/// The same of what is tried once a day.
const OVER_DAILY_MS: i64 = DAY_MS + HOUR_MS;

/// Certificates are renewed long before; with less than this something is wrong.
const SOON_MS: i64 = 14 * DAY_MS;

/// Below this share of the disk, or these bytes, it is nearly full.
const FREE_SHARE: u64 = 20;

const FREE_BYTES: u64 = 2 << 30;

/// A door's name, and the texts of what is wrong with it and what to do.
pub type Fault = (String, (&'static str, &'static str));

/// Everything that is known of the house at one moment.
#[derive(Clone, Default, Debug)]
pub struct CareFacts {
    /// Letters of doors that could not be used and wait for somebody, and when the oldest came.
    pub dead_letters: (u64, Option<Wall>),
    /// Doors whose passages wait until somebody has a template of their model.
    pub held: Vec<Held>,
    /// Doors of which records are gone for ever: how many, and when that was told last.
    pub lost: Vec<(String, u64, Wall)>,
    /// Doors that were connected and are not, for long enough to be told.
    pub offline: u64,
    /// Doors with an old program.
    pub old_programs: u64,
    /// Doors with a fault.
    pub doors: Vec<Fault>,
    /// Sightings that wait for a person: they have a page of their own, and are no worry.
    pub waiting: u64,
    /// Mails that were given up lately.
    pub mails: u64,
    /// Addresses of webhooks that fail, or were switched off for it.
    pub hooks: Vec<String>,
    /// When the hub's own certificates end: which, and when.
    pub certificates: Vec<(&'static str, Wall)>,
    /// Why certificates that were brought are not in use, or the hub's own was not renewed.
    pub tls: String,
    /// Doors that did not follow to the next authority yet, and since when it signs doors.
    pub behind: Vec<(String, Wall)>,
    /// Doors that showed a certificate which nobody here remembers giving.
    pub found: Vec<CareFound>,
    /// When the authority or what signs galleries was replaced last.
    pub replaced: Option<Wall>,
    /// When this hub was first used.
    pub began: Option<Wall>,
    /// The newest backup.
    pub backup: Option<Wall>,
    /// Whether it lies on the disk of the data.
    pub backup_is_here: bool,
    /// Doors whose certificate was shown from two places in turn, and when last.
    pub twins: Vec<(String, Wall)>,
    /// Free and all bytes of the disk that holds the data.
    pub disk: Option<(u64, u64)>,
    /// Why nobody can be recognised in pictures.
    pub recognition: Option<String>,
    /// A leap of the hub's clock: what it should have said.
    pub leap: Option<Wall>,
    /// What failed and is tried again later.
    pub aside: Vec<Failed>,
}

/// Something that waits for a person.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Worry {
    /// Whether something is lost or stands still; else it may, soon.
    pub is_grave: bool,
    /// Keys of its texts: what it is, and what to do.
    pub texts: (&'static str, &'static str),
    /// How many.
    pub count: u64,
    /// What it is about, such as a door's name.
    pub name: String,
    /// Since when, or until when.
    pub at: Option<Wall>,
    /// What a program said about it, in English.
    pub why: String,
    /// The page where it is mended.
    pub link: String,
}

impl Worry {
    /// Something is lost or stands still.
    #[must_use]
    pub fn grave(what: &'static str, next: &'static str) -> Self {
        let name = String::new();
        let why = String::new();
        let link = String::new();
        Self { is_grave: true, texts: (what, next), count: 1, name, at: None, why, link }
    }

    /// Something may be lost soon.
    #[must_use]
    pub fn soon(what: &'static str, next: &'static str) -> Self {
        Self { is_grave: false, ..Self::grave(what, next) }
    }

    /// Its kind, one word for programs.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        self.texts.0.trim_start_matches("care-")
    }

    fn many(self, count: u64) -> Option<Self> {
        (count > 0).then_some(Self { count, ..self })
    }

    fn of(self, name: &str) -> Self {
        Self { name: name.to_owned(), ..self }
    }

    fn at(self, at: Wall) -> Self {
        Self { at: Some(at), ..self }
    }

    fn because(self, why: &str) -> Self {
        Self { why: why.to_owned(), ..self }
    }

    fn on(self, link: impl Into<String>) -> Self {
        Self { link: link.into(), ..self }
    }
}

/// What waits for a person, the grave first.
#[must_use]
pub fn worries(facts: &CareFacts, now: Wall) -> Vec<Worry> {
    let mut all: Vec<Worry> = Vec::new();
    all.extend(
        facts
            .recognition
            .as_ref()
            .map(|why| Worry::grave("care-recognition", "care-recognition-next").because(why)),
    );
    all.extend(facts.leap.map(|from| Worry::grave("care-clock", "care-clock-next").at(from)));
    all.extend(disk(facts.disk));
    let (letters, oldest) = facts.dead_letters;
    let worry = Worry::grave("care-dead-letters", "care-dead-letters-next").many(letters);
    all.extend(worry.map(|worry| Worry { at: oldest, ..worry }));
    all.extend(facts.held.iter().map(|held| {
        let worry = Worry::grave("care-held", "care-held-next").of(held.device.as_str());
        worry.at(held.since).because(held.model.as_str())
    }));
    all.extend(facts.lost.iter().filter_map(|(door, count, at)| {
        let worry = Worry::grave("care-lost", "care-lost-next").many(*count)?;
        Some(worry.of(door).at(*at).on(format!("/devices/{door}")))
    }));
    let offline = Worry::grave("care-doors-offline", "care-doors-offline-next");
    all.extend(offline.many(facts.offline).map(|w| w.on("/devices?state=offline")));
    let old = Worry::soon("care-old-programs", "care-old-programs-next");
    all.extend(old.many(facts.old_programs).map(|w| w.on("/care#alerts")));
    all.extend(backup(facts, now));
    let unsaved = facts.replaced.filter(|at| facts.backup.is_none_or(|backup| backup <= *at));
    all.extend(unsaved.map(|at| Worry::grave("care-keys", "care-keys-next").at(at)));
    all.extend(facts.twins.iter().map(|(door, at)| {
        let worry = Worry::grave("care-twin", "care-twin-next").of(door).at(*at);
        worry.on(format!("/devices/{door}"))
    }));
    all.extend(facts.certificates.iter().filter_map(|(name, ends)| certificate(name, *ends, now)));
    let tls = Worry::grave("care-tls", "care-tls-next").because(&facts.tls);
    all.extend(Some(tls).filter(|_| !facts.tls.is_empty()));
    all.extend(facts.found.iter().map(found));
    let cannot = |door: &str| facts.found.iter().any(|one| one.is_refused && one.device == door);
    let late = |since: Wall| now.0 - since.0 > HOUR_MS;
    let behind = facts.behind.iter().filter(|(door, since)| late(*since) && !cannot(door));
    all.extend(behind.map(|(door, since)| {
        let worry = Worry::soon("care-authority", "care-authority-next").of(door).at(*since);
        worry.on(format!("/devices/{door}"))
    }));
    all.extend(
        Worry::grave("care-mail", "care-mail-next")
            .many(facts.mails)
            .map(|w| w.on("/settings/mail")),
    );
    all.extend(facts.hooks.iter().map(|url| {
        Worry::grave("care-webhook", "care-webhook-next").of(url).on("/settings/webhooks")
    }));
    all.extend(facts.aside.iter().filter_map(|failed| aside(failed, now)));
    all.extend(facts.doors.iter().map(|(door, (what, next))| {
        Worry::soon(what, next).of(door).on(format!("/devices/{door}"))
    }));
    all.sort_by_key(|worry| !worry.is_grave);
    all
}

fn disk(disk: Option<(u64, u64)>) -> Option<Worry> {
    let (free, all) = disk?;
    let low = free < (all / FREE_SHARE).min(FREE_BYTES);
    Worry::grave("care-disk", "care-disk-next").many(free >> 20).filter(|_| low).or_else(|| {
        (low && free >> 20 == 0).then(|| Worry::grave("care-disk-full", "care-disk-full-next"))
    })
}

fn backup(facts: &CareFacts, now: Wall) -> Option<Worry> {
    let old = |at: Wall| now.0 - at.0 > BACKUP_MS;
    match facts.backup {
        Some(at) if old(at) => Some(Worry::grave("care-backup", "care-backup-next").at(at)),
        Some(at) if facts.backup_is_here => {
            Some(Worry::soon("care-backup-here", "care-backup-here-next").at(at))
        }
        Some(_) => None,
        None => facts
            .began
            .filter(|at| old(*at))
            .map(|_| Worry::grave("care-no-backup", "care-no-backup-next")),
    }
}

fn found(found: &CareFound) -> Worry {
    let worry = if found.is_refused {
        Worry::grave("care-refused", "care-refused-next")
    } else {
        Worry::soon("care-found", "care-found-next")
    };
    worry.of(&found.device).at(found.at).on(format!("/devices/{}", found.device))
}

fn certificate(name: &str, ends: Wall, now: Wall) -> Option<Worry> {
    let next = if name == "ca.pem" { "care-certificate-ca-next" } else { "care-certificate-next" };
    let worry = match ends.0 - now.0 {
        ..=0 => Worry::grave("care-certificate-over", next),
        _ => Worry::soon("care-certificate", next),
    };
    (ends.0 - now.0 < SOON_MS).then(|| worry.of(name).at(ends))
}

fn aside(failed: &Failed, now: Wall) -> Option<Worry> {
    let worry = match failed.what {
        AsideKind::Lesson => Worry::grave("care-lesson", "care-aside-next"),
        AsideKind::Period => Worry::grave("care-period", "care-aside-next"),
        AsideKind::Outgoing => Worry::grave("care-outgoing", "care-aside-next"),
        AsideKind::Leaver => {
            Worry::grave("care-leaver", "care-leaver-next").on(format!("/people/{}", failed.id))
        }
        AsideKind::Work => Worry::grave("care-work", "care-work-next"),
        AsideKind::Broker => Worry::soon("care-broker", "care-broker-next"),
    };
    let over = if failed.what == AsideKind::Leaver { OVER_DAILY_MS } else { OVER_MS };
    let lately = now.0 - failed.last.0 < over;
    lately.then(|| worry.of(&failed.id).at(failed.since).because(&failed.why))
}

/// What kind of thing failed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum AsideKind {
    /// The end of a lesson.
    Lesson,
    /// The lessons of a period of the timetable.
    Period,
    /// A message to somebody outside.
    Outgoing,
    /// The erasure of somebody who left, on the day it is due and each day after it.
    Leaver,
    /// Something the hub does by itself all the time.
    Work,
    /// Telling the site's broker how doors are.
    Broker,
}

impl AsideKind {
    /// One word, for metrics and the log.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Lesson => "lesson",
            Self::Period => "period",
            Self::Outgoing => "outgoing",
            Self::Leaver => "leaver",
            Self::Work => "work",
            Self::Broker => "broker",
        }
    }
}

/// Something that failed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failed {
    /// Its kind.
    pub what: AsideKind,
    /// Its id or name.
    pub id: String,
    /// Tries so far.
    pub tries: u32,
    /// When it failed first.
    pub since: Wall,
    /// When it failed last.
    pub last: Wall,
    /// When it is tried again.
    pub next: Mono,
    /// What was being done.
    pub why: String,
}

/// A door that showed a certificate which nobody here remembers giving.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CareFound {
    /// Whose name is in it.
    pub device: String,
    /// When that was first seen.
    pub at: Wall,
    /// Whether an older authority signed it, so that it is refused or gets no successor.
    pub is_refused: bool,
}

/// A door that waits.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Held {
    /// Which.
    pub device: DeviceId,
    /// What its passages were made with.
    pub model: ModelId,
    /// Since when.
    pub since: Wall,
}

#[cfg(test)]
mod tests;
