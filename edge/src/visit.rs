//! One passage, one record.
//!
//! A sure look becomes a record at once. An unsure one waits a moment for a better look of the same
//! person; what it is then, it stays: a teacher decides, and a second record would only be in the
//! way. Whoever was recorded is not recorded again until unseen for the cooldown.

use crate::{draft::Draft, track::TrackId};
use std::collections::HashMap;
use wire::{Mono, Stamp, StudentId, Verdict};

/// Times of a visit, milliseconds of monotonic time.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// How long an unsure look waits for a better one.
    pub hold_ms: u64,
    /// How long somebody must be unseen before the next passage counts.
    pub cooldown_ms: u64,
}

/// Who is passing, and who passed lately.
#[derive(Debug)]
pub struct Visits {
    rules: Rules,
    open: HashMap<TrackId, Passage>,
    /// When each was seen last; below zero is before this boot.
    seen: HashMap<StudentId, i64>,
}

#[derive(Debug)]
enum Passage {
    /// Waiting since then for something better than this.
    Held(Mono, Box<Draft>),
    /// Has its record, or needs none.
    Settled,
}

/// What came of the passages that were settled just now.
#[derive(Debug, Default, PartialEq)]
pub struct Settled {
    /// To be recorded, oldest passage first.
    pub records: Vec<(TrackId, Draft)>,
    /// Recorded a moment ago already.
    pub repeats: Vec<TrackId>,
}

impl Visits {
    /// Continues from what the outbox remembers, so that a restart makes no second record.
    #[must_use]
    pub fn new(rules: Rules, recent: &[(StudentId, Stamp)], now: &Stamp) -> Self {
        let seen = recent.iter().filter_map(|(who, at)| Some((*who, same_boot(at, now)?)));
        Self { rules, open: HashMap::new(), seen: seen.collect() }
    }

    /// The best that is known of a track now: somebody in the gallery, at or above the review line.
    pub fn seen(&mut self, now: Mono, track: TrackId, draft: Draft) {
        let Some(who) = first(&draft) else { return };
        match self.open.get_mut(&track) {
            Some(Passage::Settled) => self.still(now, who),
            Some(Passage::Held(_, held)) if rank(&draft) <= rank(held) => {}
            Some(Passage::Held(_, held)) => **held = draft,
            None => {
                self.open.insert(track, Passage::Held(now, Box::new(draft)));
            }
        }
    }

    /// Somebody of a settled track is still there: the cooldown begins when the person is gone.
    pub fn still(&mut self, now: Mono, who: StudentId) {
        if let Some(seen) = self.seen.get_mut(&who) {
            *seen = ms(now);
        }
    }

    /// Settles what is sure, what has waited long enough, and the tracks that `ended`.
    pub fn settle(&mut self, now: Mono, ended: &[TrackId]) -> Settled {
        let rules = self.rules;
        let settled = self.close(now, |id, since, draft| {
            let has_waited = now.since(since) >= rules.hold_ms;
            is_sure(draft) || ended.contains(&id) || has_waited
        });
        self.open.retain(|id, _| !ended.contains(id));
        self.seen.retain(|_, at| !rules.is_over(*at, now));
        settled
    }

    /// Settles what is sure, and nothing else: the others may be seen better in a moment.
    pub fn settle_sure(&mut self, now: Mono) -> Settled {
        self.close(now, |_, _, draft| is_sure(draft))
    }

    fn close(&mut self, now: Mono, is_due: impl Fn(TrackId, Mono, &Draft) -> bool) -> Settled {
        let held = self.open.iter().filter_map(|(id, passage)| match passage {
            Passage::Held(since, draft) => Some((*id, *since, draft)),
            Passage::Settled => None,
        });
        let due = held.filter(|(id, since, draft)| is_due(*id, *since, draft));
        let mut due: Vec<TrackId> = due.map(|(id, ..)| id).collect();
        due.sort();
        let mut settled = Settled::default();
        for id in due {
            let Some(Passage::Held(_, draft)) = self.open.insert(id, Passage::Settled) else {
                continue;
            };
            if self.passes(now, &draft) {
                settled.records.push((id, *draft));
            } else {
                settled.repeats.push(id);
            }
        }
        settled
    }

    /// Whether somebody in the gallery was seen on this track.
    #[must_use]
    pub fn knows(&self, track: TrackId) -> bool {
        self.open.contains_key(&track)
    }

    /// Whether a track has its record, or needs none: no look changes that any more.
    #[must_use]
    pub fn is_settled(&self, track: TrackId) -> bool {
        matches!(self.open.get(&track), Some(Passage::Settled))
    }

    /// Whether this is a new passage; in any case the person was seen now. An unsure one is a repeat
    /// only of all it names: the second may be who it is, and would be lost with the first.
    fn passes(&mut self, now: Mono, draft: &Draft) -> bool {
        let Some(who) = first(draft) else { return false };
        let is_new =
            |who: &StudentId| self.seen.get(who).is_none_or(|last| self.rules.is_over(*last, now));
        let named = draft.candidates.iter().map(|candidate| candidate.student);
        let passes =
            if is_sure(draft) { is_new(&who) } else { named.into_iter().any(|who| is_new(&who)) };
        self.seen.insert(who, ms(now));
        passes
    }
}

fn first(draft: &Draft) -> Option<StudentId> {
    draft.candidates.first().map(|candidate| candidate.student)
}

fn is_sure(draft: &Draft) -> bool {
    draft.verdict == Verdict::High
}

/// Sure before unsure, then by score.
fn rank(draft: &Draft) -> (bool, f32) {
    let score = draft.candidates.first().map_or(f32::MIN, |candidate| candidate.score);
    (is_sure(draft), score)
}

/// The moment `at` on this boot's monotonic clock. Moments of earlier boots are placed by wall time
/// where both are known, and lie below zero.
fn same_boot(at: &Stamp, now: &Stamp) -> Option<i64> {
    if at.boot == now.boot {
        return Some(ms(at.mono));
    }
    let age_ms = now.wall?.0.checked_sub(at.wall?.0)?;
    ms(now.mono).checked_sub(age_ms)
}

fn ms(at: Mono) -> i64 {
    i64::try_from(at.0).unwrap_or(i64::MAX)
}

impl Rules {
    fn is_over(&self, seen: i64, now: Mono) -> bool {
        ms(now).saturating_sub(seen) >= i64::try_from(self.cooldown_ms).unwrap_or(i64::MAX)
    }
}

#[cfg(test)]
mod tests;
