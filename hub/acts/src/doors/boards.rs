//! How doors and their boards are, and what they run with: what each said last, in RAM only. After
//! a restart of the hub they say it again within a minute.

use crate::outward::Outward;
use crate::word::Word;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use wire::care::{Condition, Running};
use wire::link::Vitals;
use wire::{ClockState, DeviceId, Mono};

/// How often a door says it, seconds.
pub const EVERY_S: u16 = 60;
/// What a door said so long ago says nothing about now, milliseconds.
const FRESH_MS: u64 = 3 * 60_000;

/// What a door said lately of itself; nothing of what it did not say.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Board {
    /// How its board is.
    pub vitals: Option<Vitals>,
    /// How its program is.
    pub condition: Option<Condition>,
}

/// All boards, by door; cheap to clone.
#[derive(Clone, Default)]
pub struct Boards {
    all: Arc<Mutex<HashMap<DeviceId, BoardSaid>>>,
    out: Outward,
}

#[derive(Clone, Default)]
struct BoardSaid {
    vitals: Option<(Vitals, Mono)>,
    condition: Option<(Condition, Mono)>,
    /// Said when it connects and when it changes.
    running: Option<Arc<Running>>,
}

impl Boards {
    /// Nothing said yet; other hubs hear of it by `out`.
    #[must_use]
    pub fn new(out: Outward) -> Self {
        Self { all: Arc::default(), out }
    }

    /// `door` said how its board is, at `now`. Prometheus hears of it.
    pub fn say(&self, door: &DeviceId, vitals: Vitals, now: Mono) {
        measure(door, &vitals);
        self.out.say(|| Word::Vitals(door.clone(), vitals));
        self.relay_vitals(door, vitals, now);
    }

    /// The same, said to another hub, which tells Prometheus.
    pub fn relay_vitals(&self, door: &DeviceId, vitals: Vitals, now: Mono) {
        self.all().entry(door.clone()).or_default().vitals = Some((vitals, now));
    }

    /// `door` said how its program is, at `now`. Prometheus hears of it.
    pub fn condition(&self, door: &DeviceId, condition: Condition, now: Mono) {
        count(door, Some(&condition));
        self.out.say(|| Word::Condition(door.clone(), condition));
        self.relay_condition(door, condition, now);
    }

    /// The same, said to another hub, which tells Prometheus.
    pub fn relay_condition(&self, door: &DeviceId, condition: Condition, now: Mono) {
        self.all().entry(door.clone()).or_default().condition = Some((condition, now));
    }

    /// `door` said what it runs with.
    pub fn runs(&self, door: &DeviceId, running: Running) {
        if running.is_sound() {
            self.out.say(|| Word::Running(door.clone(), running.clone()));
            self.relay_running(door, running);
        } else {
            rules::security!("config", %door, "a report that names more than it may was dropped");
        }
    }

    /// The same, said to another hub.
    pub fn relay_running(&self, door: &DeviceId, running: Running) {
        self.all().entry(door.clone()).or_default().running = Some(Arc::new(running));
    }

    /// `door` connects: it says what it runs with next, and what was said under its name before may
    /// be another unit's. How its board is it says at once, too, and that does not stay.
    pub fn connected(&self, door: &DeviceId) {
        if let Some(said) = self.all().get_mut(door) {
            said.running = None;
        }
    }

    /// What `door` runs with, as it said last.
    #[must_use]
    pub fn running(&self, door: &DeviceId) -> Option<Arc<Running>> {
        self.all().get(door)?.running.clone()
    }

    /// How `door` is, as far as it said so lately.
    #[must_use]
    pub fn of(&self, door: &DeviceId, now: Mono) -> Board {
        let said = self.all().get(door).cloned().unwrap_or_default();
        Board { vitals: fresh(said.vitals, now), condition: fresh(said.condition, now) }
    }

    /// Forgets what doors said that have said nothing lately, also in the numbers for Prometheus:
    /// the last heat of a door that is gone is not its heat.
    pub fn sweep(&self, now: Mono) {
        for (door, said) in self.all().iter_mut() {
            if said.vitals.take_if(|said| fresh(Some(*said), now).is_none()).is_some() {
                measure(door, &Vitals::default());
            }
            if said.condition.take_if(|said| fresh(Some(*said), now).is_none()).is_some() {
                count(door, None);
            }
        }
    }

    fn all(&self) -> MutexGuard<'_, HashMap<DeviceId, BoardSaid>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn fresh<T>(said: Option<(T, Mono)>, now: Mono) -> Option<T> {
    said.filter(|(_, at)| now.since(*at) < FRESH_MS).map(|(said, _)| said)
}

/// What a door does not say is no number: Prometheus draws nothing then.
fn set(door: &DeviceId, name: &'static str, value: Option<f64>) {
    metrics::gauge!(name, "door" => door.to_string()).set(value.unwrap_or(f64::NAN));
}

fn measure(door: &DeviceId, vitals: &Vitals) {
    set(door, "door_celsius", vitals.celsius.map(f64::from));
    set(door, "door_memory_free_mib", vitals.memory_free_mb.map(f64::from));
    set(door, "door_supply_sagged", vitals.sagged.map(|is| f64::from(u8::from(is))));
    set(door, "door_slowed", vitals.slowed.map(|is| f64::from(u8::from(is))));
    set(door, "door_up_seconds", vitals.up_s.map(f64::from));
}

fn count(door: &DeviceId, said: Option<&Condition>) {
    #[expect(clippy::cast_precision_loss, reason = "nobody draws more than 2⁵³ of anything")]
    let number = |of: fn(&Condition) -> u64| said.map(|said| of(said) as f64);
    set(door, "door_focus_percent", said.and_then(|said| said.focus).map(f64::from));
    set(door, "door_light", said.and_then(|said| said.light).map(f64::from));
    set(door, "door_records_waiting", number(|said| said.waiting));
    set(door, "door_looks_dropped", number(|said| said.dropped_looks));
    set(door, "door_frames_dropped", number(|said| said.dropped_frames));
    set(door, "door_disk_free_mib", number(|said| said.disk_free_mb.into()));
    set(door, "door_clock_set", number(|said| (said.clock != ClockState::Unset).into()));
    let error = said.and_then(|said| said.clock_err_ms);
    set(door, "door_clock_error_seconds", error.map(|ms| f64::from(ms) / 1_000.0));
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::care::RunningValue;

    fn door() -> DeviceId {
        "door-1".parse().unwrap()
    }

    #[test]
    fn what_a_board_said_counts_for_three_minutes_and_for_its_door_alone() {
        let boards = Boards::default();
        let warm = Vitals { celsius: Some(61), ..Vitals::default() };
        boards.say(&door(), warm, Mono(5));
        assert_eq!(boards.of(&door(), Mono(FRESH_MS + 4)).vitals, Some(warm));
        assert_eq!(boards.of(&door(), Mono(FRESH_MS + 5)), Board::default());
        assert_eq!(boards.of(&"door-2".parse().unwrap(), Mono(6)), Board::default());
    }

    #[test]
    fn what_a_door_runs_with_stays_until_it_says_otherwise_and_nonsense_does_not_count() {
        let boards = Boards::default();
        let value =
            RunningValue { key: "k".into(), value: "1".into(), origin: wire::care::Origin::File };
        let running = |count| Running { values: vec![value.clone(); count], conflicts: vec![] };
        boards.runs(&door(), running(1));
        boards.runs(&door(), running(Running::VALUES + 1));
        boards.sweep(Mono(u64::MAX));
        assert_eq!(boards.running(&door()).as_deref(), Some(&running(1)));
        boards.connected(&door());
        assert_eq!(boards.running(&door()), None);
    }
}
