//! Keeps apart what one account does many times a second, such as frames of a camera.

use std::collections::HashMap;
use uuid::Uuid;
use wire::Mono;

/// Milliseconds between two steps at least.
const APART_MS: u64 = 250;
/// Accounts remembered; beyond it those who have stopped are forgotten.
const REMEMBERED: usize = 1_000;

/// When each account took its last step. State in RAM.
#[derive(Default)]
pub struct Pace(HashMap<Uuid, Mono>);

impl Pace {
    /// Whether `who` may step now; if so, the step counts.
    pub fn step(&mut self, who: Uuid, now: Mono) -> bool {
        let early = |last: &Mono| now.since(*last) < APART_MS;
        if self.0.get(&who).is_some_and(early) {
            return false;
        }
        if self.0.len() >= REMEMBERED {
            self.0.retain(|_, last| early(&*last));
        }
        self.0.insert(who, now);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_account_has_its_own_pace_and_those_who_stopped_are_forgotten() {
        let (mut pace, one, two) = (Pace::default(), Uuid::from_u128(1), Uuid::from_u128(2));
        assert!(pace.step(one, Mono(1_000)) && pace.step(two, Mono(1_000)));
        assert!(!pace.step(one, Mono(1_249)));
        assert!(pace.step(one, Mono(1_250)));
        for n in 3..2_000 {
            assert!(pace.step(Uuid::from_u128(n), Mono(n as u64 * APART_MS + 2_000)));
        }
        assert!(pace.0.len() <= REMEMBERED);
    }
}
