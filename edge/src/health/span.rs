//! How much of a span of time was good for recognising somebody: adds up looks, and says when the
//! sum is to be recorded.

use crate::status::Counts;
use std::collections::BTreeMap;
use wire::{ModelId, Mono, record::Blind};

/// A door that stays as it is says so this often.
const LONGEST_MS: u64 = 10 * 60 * 1000;
/// One that changes says so no more often than this.
const SHORTEST_MS: u64 = 60 * 1000;

/// Whom the door could recognise: the gallery in use, 0 for none, and the network.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Scene {
    /// See above.
    pub gallery: u64,
    /// See above.
    pub model: ModelId,
}

/// What was possible since a moment.
#[derive(Clone, Debug)]
pub struct Span {
    /// That moment.
    pub since: Mono,
    /// Whom the door could recognise all the time.
    pub scene: Scene,
    /// Milliseconds in which it could.
    pub usable_ms: u64,
    /// Of the rest, milliseconds of each cause.
    pub blind: BTreeMap<Blind, u64>,
    /// What was counted before it.
    pub counts: Counts,
    /// What was wrong at first, and whether that changed.
    began: Option<Option<Blind>>,
    changed: bool,
}

impl Span {
    /// Nothing yet.
    #[must_use]
    pub fn new(since: Mono, scene: Scene, counts: Counts, began: Option<Option<Blind>>) -> Self {
        let usable_ms = 0;
        let blind = BTreeMap::new();
        let changed = false;
        Self { since, scene, usable_ms, blind, counts, began, changed }
    }

    /// `ms` passed; in `seen` of them frames came, and `cause` is what was wrong otherwise. Says
    /// what is wrong now.
    pub fn add(&mut self, ms: u64, seen: u64, cause: Option<Blind>) -> Option<Blind> {
        let seen = seen.min(ms);
        match cause {
            None => self.usable_ms += seen,
            Some(cause) => *self.blind.entry(cause).or_default() += seen,
        }
        if seen < ms {
            *self.blind.entry(Blind::NoFrames).or_default() += ms - seen;
        }
        let now = if seen == 0 { Some(Blind::NoFrames) } else { cause };
        self.changed |= *self.began.get_or_insert(now) != now;
        now
    }

    /// Whether it is to be recorded at `now`, when the door knows `scene`.
    #[must_use]
    pub fn is_due(&self, now: Mono, scene: &Scene) -> bool {
        let long = now.since(self.since);
        *scene != self.scene || long >= LONGEST_MS || self.changed && long >= SHORTEST_MS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scene(gallery: u64) -> Scene {
        Scene { gallery, model: "m-1".parse().unwrap() }
    }

    fn span() -> Span {
        Span::new(Mono(0), scene(1), Counts::default(), None)
    }

    #[test]
    fn every_millisecond_is_usable_or_has_a_cause() {
        let mut span = span();
        span.add(1_000, 1_000, None);
        span.add(1_000, 1_000, Some(Blind::Covered));
        span.add(1_000, 300, None);
        span.add(500, 9_000, Some(Blind::Covered));
        assert_eq!(span.usable_ms, 1_300);
        assert_eq!(span.blind, [(Blind::NoFrames, 700), (Blind::Covered, 1_500)].into());
    }

    #[test]
    fn an_idle_door_speaks_each_ten_minutes_and_a_new_gallery_at_once() {
        let mut span = span();
        span.add(1_000, 1_000, None);
        assert!(!span.is_due(Mono(599_999), &scene(1)) && span.is_due(Mono(600_000), &scene(1)));
        assert!(span.is_due(Mono(1_000), &scene(2)));
    }

    #[test]
    fn a_change_is_told_within_a_minute_and_a_flickering_one_no_more_often() {
        let mut span = span();
        span.add(1_000, 1_000, None);
        span.add(1_000, 1_000, Some(Blind::Covered));
        span.add(1_000, 1_000, None);
        assert!(!span.is_due(Mono(59_999), &scene(1)) && span.is_due(Mono(60_000), &scene(1)));
    }
}
