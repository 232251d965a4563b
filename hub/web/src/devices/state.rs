//! How a door is, said in words, a colour and an icon.

use crate::shell::Shell;
use acts::doors::state::DoorState;
use jiff::tz::TimeZone;
use store::door::DoorKnown;
use wire::Wall;
use words::{self, why};

/// Colour and icon of a state; the words carry the meaning.
#[must_use]
pub fn badge(state: DoorState) -> (&'static str, &'static str) {
    match state {
        DoorState::Watching => ("good", "yes"),
        DoorState::CutOff => ("off", "no"),
        DoorState::NotJoined => ("off", "clock"),
        DoorState::Ended | DoorState::Offline | DoorState::Blind | DoorState::Unseeing => {
            ("bad", "no")
        }
        DoorState::Silent | DoorState::Quiet => ("warn", "clock"),
        _ => ("warn", "warn"),
    }
}

/// A state as a page shows it.
pub struct DoorStateSaid {
    /// Its colour.
    pub class: &'static str,
    /// Its icon.
    pub icon: &'static str,
    /// What it is.
    pub words: String,
    /// What to do next.
    pub next: String,
}

/// `state` in words, for a door in the school's `zone`.
#[must_use]
pub fn say(
    shell: &Shell,
    state: DoorState,
    known: &DoorKnown,
    zone: &TimeZone,
    now: Wall,
) -> DoorStateSaid {
    let (words, next) = state.keys();
    let (class, icon) = badge(state);
    let words = match known.device.last_seen {
        Some(at) if state == DoorState::Offline => {
            let when = words::when(shell.language, at, zone, now);
            shell.one("doors-offline-since", "when", when)
        }
        _ => shell.say(words),
    };
    let why =
        known.health.as_ref().and_then(|said| said.why).filter(|_| state == DoorState::Unseeing);
    let next = match why {
        Some(why) => {
            let why = shell.one(why::key(why), "door", known.device.id.as_str());
            format!("{why} {}", shell.say(next))
        }
        None => shell.say(next),
    };
    DoorStateSaid { class, icon, words, next }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rules::attendance::closing::ClosingWhy;
    use store::device::Device;
    use store::door::LastHealth;
    use wire::Direction;

    const NOW: Wall = Wall(1_790_000_000_000);
    const DAY: i64 = 24 * 60 * 60 * 1000;

    /// A door that is well.
    fn well() -> DoorKnown {
        let device = Device {
            id: "door-1".parse().unwrap(),
            room: "204".into(),
            location: String::new(),
            direction: Direction::Both,
            is_active: true,
            online: true,
            connection: (1, 1),
            life: 0,
            last_seen: Some(NOW),
            software: "1".into(),
            model: "m-1".into(),
            gallery: 4,
            trouble: String::new(),
            version: 1,
        };
        let health = LastHealth {
            at: Some(NOW),
            camera: "watching".into(),
            span_ms: 60_000,
            watched_ms: 60_000,
            disk_free_mb: 9_000,
            why: None,
        };
        let settings = wire::link::Settings::default();
        let (wanted, health, certificate) = (Some(4), Some(health), None);
        DoorKnown { device, settings, wanted, health, certificate }
    }

    #[test]
    fn a_door_that_sees_nobody_says_why() {
        let mut known = well();
        known.health.as_mut().unwrap().why = Some(ClosingWhy::NoGallery);
        let said = say(&Shell::default(), DoorState::Unseeing, &known, &TimeZone::UTC, NOW);
        assert!(said.next.contains("had nobody to recognise"), "{}", said.next);
    }

    #[test]
    fn offline_says_since_when() {
        let (shell, zone) = (Shell::default(), TimeZone::UTC);
        let plain = |text: String| text.replace(['\u{2068}', '\u{2069}'], "");
        let said = say(&shell, DoorState::Offline, &well(), &zone, NOW);
        assert_eq!((said.class, plain(said.words).as_str()), ("bad", "offline since 14:13"));
        let said = say(&shell, DoorState::Offline, &well(), &zone, NOW.plus_ms(2 * DAY));
        assert!(plain(said.words).ends_with("September 2026, 14:13"));
    }
}
