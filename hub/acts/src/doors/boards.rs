//! How doors' boards are: what each said last, in RAM only. After a restart of the hub they say it
//! again within a minute.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use wire::link::Vitals;
use wire::{DeviceId, Mono};

/// How often a door says it, seconds.
pub const EVERY_S: u16 = 60;
/// What a door said so long ago says nothing about now, milliseconds.
const FRESH_MS: u64 = 3 * 60_000;

/// All boards, by door; cheap to clone.
#[derive(Clone, Default)]
pub struct Boards(Arc<Mutex<HashMap<DeviceId, (Vitals, Mono)>>>);

impl Boards {
    /// `door` said it at `now`. Prometheus hears of it.
    pub fn say(&self, door: &DeviceId, vitals: Vitals, now: Mono) {
        measure(door, &vitals);
        self.all().insert(door.clone(), (vitals, now));
    }

    /// How the board of `door` is, if it said so lately.
    #[must_use]
    pub fn of(&self, door: &DeviceId, now: Mono) -> Option<Vitals> {
        self.all().get(door).filter(|(_, at)| is_fresh(*at, now)).map(|(vitals, _)| *vitals)
    }

    /// Forgets what doors said that have said nothing lately, also in the numbers for Prometheus:
    /// the last heat of a door that is gone is not its heat.
    pub fn sweep(&self, now: Mono) {
        let old = |_: &DeviceId, said: &mut (Vitals, Mono)| !is_fresh(said.1, now);
        self.all().extract_if(old).for_each(|(door, _)| measure(&door, &Vitals::default()));
    }

    fn all(&self) -> MutexGuard<'_, HashMap<DeviceId, (Vitals, Mono)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_fresh(at: Mono, now: Mono) -> bool {
    now.since(at) < FRESH_MS
}

/// What a board does not say is no number: Prometheus draws nothing then.
fn measure(door: &DeviceId, vitals: &Vitals) {
    let set = |name: &'static str, value: Option<f64>| {
        metrics::gauge!(name, "door" => door.to_string()).set(value.unwrap_or(f64::NAN));
    };
    set("door_celsius", vitals.celsius.map(f64::from));
    set("door_memory_free_mib", vitals.memory_free_mb.map(f64::from));
    set("door_supply_sagged", vitals.sagged.map(|is| f64::from(u8::from(is))));
    set("door_slowed", vitals.slowed.map(|is| f64::from(u8::from(is))));
    set("door_up_seconds", vitals.up_s.map(f64::from));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_board_said_counts_for_three_minutes_and_for_its_door_alone() {
        let boards = Boards::default();
        let door: DeviceId = "door-1".parse().unwrap();
        let warm = Vitals { celsius: Some(61), ..Vitals::default() };
        boards.say(&door, warm, Mono(5));
        assert_eq!(boards.of(&door, Mono(FRESH_MS + 4)), Some(warm));
        assert_eq!(boards.of(&door, Mono(FRESH_MS + 5)), None);
        assert_eq!(boards.of(&"door-2".parse().unwrap(), Mono(6)), None);
    }
}
