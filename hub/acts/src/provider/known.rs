//! What is remembered of a question that may take long: its last good answer, and that it failed.

use wire::Mono;

/// How long an answer is believed without asking again, milliseconds.
pub const FRESH_MS: u64 = 5 * 60 * 1000;
/// How long the last good answer serves while no newer one comes, milliseconds.
const SERVES_MS: u64 = 60 * 60 * 1000;
/// How long nobody asks again after a failure, milliseconds.
const FAILED_MS: u64 = 10 * 1000;

/// What is remembered.
#[derive(Debug)]
pub struct ProviderKnown<T> {
    good: Option<(Mono, T)>,
    failed: Option<Mono>,
}

impl<T> Default for ProviderKnown<T> {
    fn default() -> Self {
        Self { good: None, failed: None }
    }
}

impl<T: Clone> ProviderKnown<T> {
    /// Whether it is time to ask.
    #[must_use]
    pub fn is_due(&self, now: Mono) -> bool {
        let fresh = self.good.as_ref().is_some_and(|(at, _)| now.since(*at) < FRESH_MS);
        let failed = self.failed.is_some_and(|at| now.since(at) < FAILED_MS);
        !fresh && !failed
    }

    /// The last good answer, while it serves.
    #[must_use]
    pub fn last(&self, now: Mono) -> Option<T> {
        let serves = |(at, _): &&(Mono, T)| now.since(*at) < SERVES_MS;
        self.good.as_ref().filter(serves).map(|(_, answer)| answer.clone())
    }

    /// Remembers what asking came to; nothing means that it failed.
    pub fn learn(&mut self, answer: Option<T>, now: Mono) {
        match answer {
            Some(answer) => *self = Self { good: Some((now, answer)), failed: None },
            None => self.failed = Some(now),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_believed_a_while_and_serves_longer_when_no_other_comes() {
        let mut known = ProviderKnown::default();
        assert!(known.is_due(Mono(0)) && known.last(Mono(0)).is_none());
        known.learn(Some("one"), Mono(0));
        assert!(!known.is_due(Mono(FRESH_MS - 1)) && known.is_due(Mono(FRESH_MS)));
        known.learn(None, Mono(FRESH_MS));
        assert_eq!(known.last(Mono(SERVES_MS - 1)), Some("one"));
        assert_eq!(known.last(Mono(SERVES_MS)), None, "not for ever");
    }

    #[test]
    fn after_a_failure_nobody_asks_for_a_moment() {
        let mut known = ProviderKnown::default();
        known.learn(None::<&str>, Mono(0));
        assert!(!known.is_due(Mono(FAILED_MS - 1)) && known.is_due(Mono(FAILED_MS)));
        known.learn(Some("two"), Mono(FAILED_MS));
        assert_eq!(known.last(Mono(FAILED_MS)), Some("two"));
    }
}
