//! What failed is set aside and tried again later, ever more rarely, so that the rest goes on.

use rules::care::{AsideKind, Failed};
use rules::error::Error;
use std::collections::BTreeMap;
use std::error::Error as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use wire::{Mono, Wall};

/// Kept at most: beyond it the oldest entry gives way.
const MOST: usize = 1_000;
/// The longest pause before the next try, milliseconds: a quarter of an hour.
const LONGEST_MS: u64 = 15 * 60_000;

/// Everything that is set aside; cheap to clone.
#[derive(Clone, Default, Debug)]
pub struct Aside(Arc<Mutex<BTreeMap<(AsideKind, String), Failed>>>);

/// How long to wait after so many failed tries, milliseconds.
#[must_use]
pub fn pause_ms(tries: u32) -> u64 {
    2_u64.saturating_pow(tries.min(20)).saturating_mul(1_000).min(LONGEST_MS)
}

impl Aside {
    /// Whether it may be tried now.
    #[must_use]
    pub fn is_due(&self, what: AsideKind, id: &str, now: Mono) -> bool {
        self.all().get(&(what, id.to_owned())).is_none_or(|failed| failed.next <= now)
    }

    /// How many of a kind there are.
    #[must_use]
    pub fn count(&self, what: AsideKind) -> usize {
        self.all().keys().filter(|(kind, _)| *kind == what).count()
    }

    /// Sets it aside because of `error`, at this moment. The first failures are logged, then ever
    /// fewer.
    pub fn failed(&self, what: AsideKind, id: &str, error: &Error, (wall, mono): (Wall, Mono)) {
        metrics::counter!("set_aside_total", "what" => what.word()).increment(1);
        let mut all = self.all();
        let key = (what, id.to_owned());
        if all.len() >= MOST && !all.contains_key(&key) {
            let oldest =
                all.iter().min_by_key(|(_, failed)| failed.last).map(|(key, _)| key.clone());
            oldest.map(|oldest| all.remove(&oldest));
        }
        let id = key.1.clone();
        let new =
            Failed { what, id, tries: 0, since: wall, last: wall, next: mono, why: String::new() };
        let failed = all.entry(key).or_insert(new);
        failed.tries = failed.tries.saturating_add(1);
        (failed.last, failed.why) = (wall, error.to_string());
        failed.next = Mono(mono.0.saturating_add(pause_ms(failed.tries)));
        if failed.tries.is_power_of_two() {
            let why = error.source().map(ToString::to_string).unwrap_or_default();
            let what = what.word();
            let tries = failed.tries;
            tracing::error!(what, id = failed.id, tries, %error, why, "set aside, and tried again later");
        }
    }

    /// It went well: nothing of it is kept.
    pub fn done(&self, what: AsideKind, id: &str) {
        self.all().remove(&(what, id.to_owned()));
    }

    /// Everything, by kind.
    #[must_use]
    pub fn list(&self) -> Vec<Failed> {
        self.all().values().cloned().collect()
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<(AsideKind, String), Failed>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fail(aside: &Aside, id: &str, at: u64) {
        let why = Error::Invalid("poisoned".into());
        aside.failed(AsideKind::Lesson, id, &why, (Wall(at.cast_signed()), Mono(at)));
    }

    #[test]
    fn what_failed_waits_ever_longer_and_holds_nothing_else_up() {
        let aside = Aside::default();
        fail(&aside, "a", 0);
        assert!(!aside.is_due(AsideKind::Lesson, "a", Mono(1_999)));
        assert!(aside.is_due(AsideKind::Lesson, "a", Mono(2_000)));
        assert!(
            aside.is_due(AsideKind::Lesson, "b", Mono(0))
                && aside.is_due(AsideKind::Period, "a", Mono(0))
        );
        fail(&aside, "a", 2_000);
        assert!(!aside.is_due(AsideKind::Lesson, "a", Mono(5_999)));
        assert_eq!((aside.list()[0].tries, aside.list()[0].since), (2, Wall(0)));
        aside.done(AsideKind::Lesson, "a");
        assert!(aside.is_due(AsideKind::Lesson, "a", Mono(0)) && aside.list().is_empty());
    }

    #[test]
    fn the_pause_ends_at_a_quarter_of_an_hour_and_the_list_at_a_thousand() {
        assert_eq!(
            [1, 2, 9, 10, u32::MAX].map(pause_ms),
            [2_000, 4_000, 512_000, LONGEST_MS, LONGEST_MS]
        );
        let aside = Aside::default();
        (0..1_010).for_each(|n| fail(&aside, &n.to_string(), n));
        assert_eq!(aside.count(AsideKind::Lesson), MOST);
        assert!(aside.list().iter().all(|failed| failed.id != "3"), "the oldest gave way");
    }
}
