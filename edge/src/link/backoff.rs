//! How long to wait before the next try: full jitter, so that a school's doors do not return
//! all at once.

use rand::{RngExt, rngs::StdRng};
use std::time::Duration;
use wire::Mono;

const FIRST_MS: u64 = 1000;
const CAP_MS: u64 = 60 * 1000;
/// After an hour of failing.
const LONG_CAP_MS: u64 = 300 * 1000;
const LONG_MS: u64 = 3600 * 1000;

/// Counts failures in a row.
#[derive(Clone, Debug, Default)]
pub struct Backoff {
    failures: u32,
    since: Option<Mono>,
}

impl Backoff {
    /// The hub answered: the next failure is the first.
    pub fn reset(&mut self) {
        *self = Self::default();
    }

    /// A try failed: how long to wait, anything between nothing and a limit that doubles.
    pub fn failed(&mut self, now: Mono, rng: &mut StdRng) -> Duration {
        let since = *self.since.get_or_insert(now);
        let cap = if now.since(since) >= LONG_MS { LONG_CAP_MS } else { CAP_MS };
        let limit = FIRST_MS.saturating_mul(1 << self.failures.min(16)).min(cap);
        self.failures = self.failures.saturating_add(1);
        Duration::from_millis(rng.random_range(0..=limit))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    #[test]
    fn waits_double_up_to_a_minute_and_after_an_hour_to_five() {
        let (mut backoff, mut rng) = (Backoff::default(), StdRng::seed_from_u64(7));
        let first = backoff.failed(Mono(0), &mut rng);
        assert!(first <= Duration::from_secs(1));
        let longest = |backoff: &mut Backoff, rng: &mut StdRng, now| {
            (0..500).map(|_| backoff.failed(Mono(now), rng)).max().unwrap_or_default()
        };
        let day = longest(&mut backoff, &mut rng, 1000);
        assert!(day <= Duration::from_secs(60) && day > Duration::from_secs(50), "{day:?}");
        let long = longest(&mut backoff, &mut rng, LONG_MS);
        assert!(long <= Duration::from_secs(300) && long > Duration::from_secs(250), "{long:?}");
        backoff.reset();
        assert!(backoff.failed(Mono(LONG_MS), &mut rng) <= Duration::from_secs(1));
    }
}
