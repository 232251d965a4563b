//! So many at once, and one more each so often: for tries that are counted, and work that costs.
//!
//! Each key owes a moment: until then what it has had is not worked off. One number a key, and a
//! bounded number of keys.

use std::collections::HashMap;
use std::hash::Hash;
use wire::Mono;

/// Keys remembered; beyond it those that owe nothing are forgotten, and then whoever owes least.
pub const REMEMBERED: usize = 10_000;

/// How much is free, and how fast it comes back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MeterRate {
    /// So many at once.
    pub burst: u64,
    /// And one more each so often, milliseconds.
    pub every_ms: u64,
}

/// What each key has had. State in RAM: a restart forgives.
#[derive(Debug)]
pub struct Meter<K>(HashMap<K, u64>);

impl<K> Default for Meter<K> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Eq + Hash + Clone> Meter<K> {
    /// Milliseconds until `key` may have one more; 0 is now.
    #[must_use]
    pub fn wait(&self, key: &K, rate: MeterRate, now: Mono) -> u64 {
        let most = rate.burst.saturating_sub(1) * rate.every_ms;
        self.owed(key, now).saturating_sub(most)
    }

    /// Counts one for `key`.
    pub fn pay(&mut self, key: K, rate: MeterRate, now: Mono) {
        let owed = self.owed(&key, now);
        if self.0.len() >= REMEMBERED && !self.0.contains_key(&key) {
            self.make_room(now);
        }
        self.0.insert(key, now.0 + owed + rate.every_ms);
    }

    /// Takes one of `key` back.
    pub fn refund(&mut self, key: &K, rate: MeterRate) {
        if let Some(until) = self.0.get_mut(key) {
            *until = until.saturating_sub(rate.every_ms);
        }
    }

    /// Counts one for `key` if it may have it now.
    ///
    /// # Errors
    /// The wait, milliseconds.
    pub fn take(&mut self, key: K, rate: MeterRate, now: Mono) -> Result<(), u64> {
        match self.wait(&key, rate, now) {
            0 => {
                self.pay(key, rate, now);
                Ok(())
            }
            ms => Err(ms),
        }
    }

    /// Forgives `key` all.
    pub fn forget(&mut self, key: &K) {
        self.0.remove(key);
    }

    /// Keys remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nobody is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn owed(&self, key: &K, now: Mono) -> u64 {
        self.0.get(key).map_or(0, |until| until.saturating_sub(now.0))
    }

    fn make_room(&mut self, now: Mono) {
        self.0.retain(|_, until| *until > now.0);
        if self.0.len() >= REMEMBERED {
            let least = self.0.iter().min_by_key(|(_, until)| **until).map(|(key, _)| key.clone());
            least.and_then(|key| self.0.remove(&key));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: MeterRate = MeterRate { burst: 3, every_ms: 1_000 };

    #[test]
    fn a_burst_is_free_and_then_one_comes_back_each_so_often() {
        let mut meter = Meter::default();
        for _ in 0..3 {
            assert_eq!(meter.take("ada", RATE, Mono(0)), Ok(()));
        }
        assert_eq!(meter.take("ada", RATE, Mono(0)), Err(1_000));
        assert_eq!(meter.take("bob", RATE, Mono(0)), Ok(()), "each has its own");
        assert_eq!(meter.take("ada", RATE, Mono(400)), Err(600), "a refusal costs nothing");
        assert_eq!(meter.take("ada", RATE, Mono(1_000)), Ok(()));
    }

    #[test]
    fn what_is_taken_back_was_never_had() {
        let mut meter = Meter::default();
        (0..3).for_each(|_| meter.pay("ada", RATE, Mono(0)));
        meter.refund(&"ada", RATE);
        assert_eq!(
            (meter.wait(&"ada", RATE, Mono(0)), meter.take("ada", RATE, Mono(0))),
            (0, Ok(()))
        );
        meter.forget(&"ada");
        assert!(meter.is_empty());
    }

    #[test]
    fn what_is_remembered_has_a_bound_and_who_owes_most_stays() {
        let mut meter = Meter::default();
        (0..3).for_each(|_| meter.pay(u64::MAX, RATE, Mono(0)));
        for n in 0..REMEMBERED as u64 + 50 {
            meter.pay(n, RATE, Mono(0));
        }
        assert_eq!(meter.len(), REMEMBERED);
        assert!(meter.take(u64::MAX, RATE, Mono(0)).is_err());
        meter.pay(7_777_777, RATE, Mono(60_000));
        assert_eq!(meter.len(), 1, "whoever owes nothing is forgotten");
    }
}
