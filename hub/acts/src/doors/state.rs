//! How a door is: decided from what is known of it.

use rules::alerts::AlertKind;
use rules::attendance::closing::ClosingWhy;
use store::door::{DoorKnown, LastHealth};
use store::watch;
use wire::link::Vitals;
use wire::{ModelId, Wall};

/// A door reports each ten minutes: after this long its last word says nothing about now.
const FRESH_MS: i64 = watch::SILENT_MS;
/// Below this an outbox that is offline for long may fill the card, MiB; `rollcall-edge doctor`
/// says the same.
const DISK_MB: i64 = 1_200;
/// Certificates are renewed 30 days before their end; with fewer than these something is wrong.
pub const SOON_MS: i64 = 10 * 24 * 60 * 60 * 1000;

/// How a door is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum DoorState {
    /// An admin ended its certificates.
    CutOff,
    /// It has no certificate yet.
    NotJoined,
    /// Its certificate ran out.
    Ended,
    /// It joined and was never connected.
    Silent,
    /// It was connected.
    Offline,
    /// Its camera shows nothing.
    Blind,
    /// Its camera shows something, and still it could recognise nobody.
    Unseeing,
    /// It does not know the time.
    ClockUnset,
    /// Its card is nearly full.
    DiskLow,
    /// Its processor is too hot, or slowed down.
    Hot,
    /// Its supply sagged.
    Sagged,
    /// It has little memory left.
    MemoryLow,
    /// It recognises with another network than the hub.
    OtherModel,
    /// It uses an older gallery than it should.
    Behind,
    /// It is connected and has not said lately how its camera is.
    Quiet,
    /// Its certificate should have been renewed by now.
    EndsSoon,
    /// Everything is as it should be.
    Watching,
}

/// Everything that is to be said of a door at `now`, the worst first; never nothing. `board` is
/// what its board said lately, `model` the hub's network.
#[must_use]
pub fn states(
    known: &DoorKnown,
    board: Option<Vitals>,
    model: &ModelId,
    now: Wall,
) -> Vec<DoorState> {
    let board = board.unwrap_or_default();
    if let Some(state) = away(known, now) {
        let soon = Some(DoorState::EndsSoon)
            .filter(|_| state == DoorState::Offline && ends_soon(known, now));
        return std::iter::once(state).chain(soon).collect();
    }
    let device = &known.device;
    let lately = lately(known, now);
    let behind = known.wanted.is_some_and(|wanted| device.gallery < wanted);
    let all = [
        (DoorState::Blind, lately.is_some_and(|said| said.camera == "blind")),
        (
            DoorState::Unseeing,
            lately.is_some_and(|said| said.camera != "blind" && said.why.is_some()),
        ),
        (DoorState::ClockUnset, lately.is_some_and(|said| said.at.is_none())),
        (DoorState::DiskLow, lately.is_some_and(|said| said.disk_free_mb < DISK_MB)),
        (DoorState::Hot, is_hot(&board) == Some(true)),
        (DoorState::Sagged, board.sagged == Some(true)),
        (DoorState::MemoryLow, is_scarce(&board) == Some(true)),
        (DoorState::OtherModel, !device.model.is_empty() && device.model != model.as_str()),
        (DoorState::Behind, behind || !device.trouble.is_empty()),
        (DoorState::Quiet, lately.is_none()),
        (DoorState::EndsSoon, ends_soon(known, now)),
    ];
    let found: Vec<_> = all.into_iter().filter_map(|(state, is)| is.then_some(state)).collect();
    if found.is_empty() { vec![DoorState::Watching] } else { found }
}

/// Which faults that are told by themselves a door that is connected has, and which it has not; of
/// what it said nothing lately there is none.
pub fn faults(
    known: &DoorKnown,
    board: Option<Vitals>,
    now: Wall,
) -> impl Iterator<Item = (AlertKind, bool)> {
    let board = board.unwrap_or_default();
    let lately = lately(known, now);
    let all = [
        (AlertKind::Blind, lately.map(sees_nothing)),
        (AlertKind::DiskLow, lately.map(|said| said.disk_free_mb < DISK_MB)),
        (AlertKind::Hot, is_hot(&board)),
        (AlertKind::Sagged, board.sagged),
        (AlertKind::MemoryLow, is_scarce(&board)),
    ];
    all.into_iter().filter_map(|(kind, is)| Some((kind, is?)))
}

/// What a door said of itself, while it says something about now.
pub(crate) fn lately(known: &DoorKnown, now: Wall) -> Option<&LastHealth> {
    known.health.as_ref().filter(|said| said.at.is_none_or(|at| now.0 - at.0 < FRESH_MS))
}

/// Whether it is the camera that keeps a door from recognising anybody.
fn sees_nothing(said: &LastHealth) -> bool {
    use ClosingWhy::{Covered, Dark, Frozen, NoFrames, Undecodable, Unfocused};
    let why = said.why;
    said.camera == "blind"
        || matches!(why, Some(NoFrames | Undecodable | Covered | Frozen | Dark | Unfocused))
}

fn is_hot(board: &Vitals) -> Option<bool> {
    let celsius = board.celsius.map(|celsius| celsius >= Vitals::HOT);
    [board.slowed, celsius].into_iter().flatten().reduce(|slowed, hot| slowed || hot)
}

fn is_scarce(board: &Vitals) -> Option<bool> {
    board.memory_free_mb.map(|mb| mb < Vitals::SCARCE_MB)
}

/// Why a door says nothing, if it does not.
fn away(known: &DoorKnown, now: Wall) -> Option<DoorState> {
    let device = &known.device;
    match known.certificate {
        _ if !device.is_active => Some(DoorState::CutOff),
        None if device.last_seen.is_none() => Some(DoorState::NotJoined),
        Some(certificate) if certificate.ends <= now => Some(DoorState::Ended),
        _ if device.last_seen.is_none() => Some(DoorState::Silent),
        _ => Some(DoorState::Offline).filter(|_| !device.online),
    }
}

fn ends_soon(known: &DoorKnown, now: Wall) -> bool {
    known.certificate.is_some_and(|certificate| certificate.ends.0 - now.0 < SOON_MS)
}

impl DoorState {
    /// One word for programs, such as `blind`.
    #[must_use]
    pub fn word(self) -> &'static str {
        self.keys().0.trim_start_matches("doors-")
    }

    /// Words, and what to do next; keys of texts.
    #[must_use]
    pub fn keys(self) -> (&'static str, &'static str) {
        match self {
            Self::CutOff => ("doors-cut-off", "doors-cut-off-next"),
            Self::NotJoined => ("doors-not-joined", "doors-not-joined-next"),
            Self::Ended => ("doors-ended", "doors-ended-next"),
            Self::Silent => ("doors-silent", "doors-silent-next"),
            Self::Offline => ("doors-offline", "doors-offline-next"),
            Self::Blind => ("doors-blind", "doors-blind-next"),
            Self::Unseeing => ("doors-unseeing", "doors-unseeing-next"),
            Self::ClockUnset => ("doors-clock", "doors-clock-next"),
            Self::DiskLow => ("doors-disk", "doors-disk-next"),
            Self::Hot => ("doors-hot", "doors-hot-next"),
            Self::Sagged => ("doors-sagged", "doors-sagged-next"),
            Self::MemoryLow => ("doors-memory", "doors-memory-next"),
            Self::OtherModel => ("doors-model", "doors-model-next"),
            Self::Behind => ("doors-behind", "doors-behind-next"),
            Self::Quiet => ("doors-quiet", "doors-quiet-next"),
            Self::EndsSoon => ("doors-ends-soon", "doors-ends-soon-next"),
            Self::Watching => ("doors-watching", "doors-watching-next"),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use store::device::Device;
    use store::door::DoorCertificate;
    use wire::Direction;

    pub(crate) const NOW: Wall = Wall(1_790_000_000_000);
    const DAY: i64 = 24 * 60 * 60 * 1000;

    /// A door that is well, and could not be worse without being said to be.
    pub(crate) fn well() -> DoorKnown {
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
            at: Some(NOW.plus_ms(-60_000)),
            camera: "watching".into(),
            span_ms: 60_000,
            watched_ms: 60_000,
            disk_free_mb: DISK_MB,
            why: None,
        };
        let certificate = DoorCertificate { issued: NOW, ends: NOW.plus_ms(SOON_MS) };
        let settings = wire::link::Settings::default();
        let (wanted, health, certificate) = (Some(4), Some(health), Some(certificate));
        DoorKnown { device, settings, wanted, health, certificate }
    }

    fn after(change: impl Fn(&mut DoorKnown)) -> Vec<DoorState> {
        let mut known = well();
        change(&mut known);
        states(&known, None, &"m-1".parse().unwrap(), NOW)
    }

    #[test]
    fn a_board_that_is_hot_starved_or_full_is_said() {
        let model = "m-1".parse().unwrap();
        let of = |board: Vitals| states(&well(), Some(board), &model, NOW);
        let cool = Vitals { celsius: Some(79), slowed: Some(false), ..Vitals::default() };
        assert_eq!(of(cool), [DoorState::Watching]);
        assert_eq!(of(Vitals { celsius: Some(80), ..cool }), [DoorState::Hot]);
        assert_eq!(of(Vitals { slowed: Some(true), ..cool }), [DoorState::Hot]);
        assert_eq!(of(Vitals { sagged: Some(true), ..cool }), [DoorState::Sagged]);
        assert_eq!(of(Vitals { memory_free_mb: Some(59), ..cool }), [DoorState::MemoryLow]);
    }

    #[test]
    fn of_what_a_door_did_not_say_lately_nobody_knows_whether_it_is_a_fault() {
        let of = |known: &DoorKnown, board| faults(known, board, NOW).collect::<Vec<_>>();
        let (blind, disk) = (AlertKind::Blind, AlertKind::DiskLow);
        assert_eq!(of(&well(), None), [(blind, false), (disk, false)]);
        let mut known = well();
        known.health.as_mut().unwrap().why = Some(ClosingWhy::Frozen);
        assert_eq!(of(&known, None), [(blind, true), (disk, false)]);
        for why in [ClosingWhy::Dark, ClosingWhy::Unfocused] {
            known.health.as_mut().unwrap().why = Some(why);
            assert_eq!(of(&known, None)[0], (blind, true), "{why:?}");
        }
        known.health.as_mut().unwrap().why = Some(ClosingWhy::NoGallery);
        assert_eq!(of(&known, None)[0], (blind, false), "its camera is well");
        known.health = None;
        assert_eq!(of(&known, None), []);
        let board = Vitals { celsius: Some(80), slowed: Some(false), ..Vitals::default() };
        assert_eq!(of(&known, Some(board)), [(AlertKind::Hot, true)]);
        let board = Vitals { sagged: Some(false), memory_free_mb: Some(59), ..Vitals::default() };
        let said = [(AlertKind::Sagged, false), (AlertKind::MemoryLow, true)];
        assert_eq!(of(&known, Some(board)), said);
    }

    fn says(change: impl Fn(&mut LastHealth)) -> Vec<DoorState> {
        after(|known| change(known.health.as_mut().unwrap()))
    }

    #[test]
    fn each_fault_is_said_and_a_door_without_any_is_watching() {
        assert_eq!(after(|_| ()), [DoorState::Watching]);
        assert_eq!(says(|said| said.camera = "blind".into()), [DoorState::Blind]);
        assert_eq!(says(|said| said.why = Some(ClosingWhy::Covered)), [DoorState::Unseeing]);
        assert_eq!(says(|said| said.at = None), [DoorState::ClockUnset]);
        assert_eq!(says(|said| said.disk_free_mb = DISK_MB - 1), [DoorState::DiskLow]);
        assert_eq!(says(|said| said.at = Some(NOW.plus_ms(-FRESH_MS))), [DoorState::Quiet]);
        assert_eq!(after(|known| known.health = None), [DoorState::Quiet]);
        assert_eq!(after(|known| known.device.model = "m-2".into()), [DoorState::OtherModel]);
        assert_eq!(after(|known| known.device.gallery = 3), [DoorState::Behind]);
        assert_eq!(after(|known| known.device.trouble = "no room".into()), [DoorState::Behind]);
        assert_eq!(after(|known| known.wanted = None), [DoorState::Watching], "nothing to use yet");
    }

    #[test]
    fn a_door_that_is_away_says_why_and_nothing_about_its_camera() {
        let away = |change: fn(&mut DoorKnown)| {
            after(|known| {
                known.health.as_mut().unwrap().camera = "blind".into();
                known.device.online = false;
                change(known);
            })
        };
        assert_eq!(away(|_| ()), [DoorState::Offline]);
        assert_eq!(away(|known| known.device.is_active = false), [DoorState::CutOff]);
        assert_eq!(away(|known| known.device.last_seen = None), [DoorState::Silent]);
        let never =
            |known: &mut DoorKnown| (known.device.last_seen, known.certificate) = (None, None);
        assert_eq!(away(never), [DoorState::NotJoined]);
        let ends = |known: &mut DoorKnown, ms| {
            known.certificate = Some(DoorCertificate { issued: NOW, ends: NOW.plus_ms(ms) });
        };
        assert_eq!(after(|known| ends(known, 0)), [DoorState::Ended], "whatever else it says");
        assert_eq!(after(|known| ends(known, SOON_MS - 1)), [DoorState::EndsSoon]);
        let both = after(|known| {
            known.device.online = false;
            ends(known, DAY);
        });
        assert_eq!(both, [DoorState::Offline, DoorState::EndsSoon]);
    }

    #[test]
    fn the_worst_comes_first_and_nothing_is_left_out() {
        let all = after(|known| {
            let said = known.health.as_mut().unwrap();
            (said.camera, said.disk_free_mb) = ("blind".into(), 1);
            (known.device.gallery, known.device.model) = (1, "m-2".into());
        });
        assert_eq!(
            all,
            [DoorState::Blind, DoorState::DiskLow, DoorState::OtherModel, DoorState::Behind]
        );
    }
}
