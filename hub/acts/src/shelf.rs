//! What doors answered when an admin asked: one answer a door, in RAM only, for five minutes.

use std::collections::{HashMap, HashSet};
use uuid::Uuid;
use wire::{DeviceId, Mono};

/// How long a door has to answer.
pub const ANSWER_MS: u64 = 60_000;
/// How long an answer is kept.
pub const KEPT_MS: u64 = 5 * 60_000;

/// Why there is no answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NoAnswer {
    /// Nobody asked, or it was long ago.
    Unasked,
    /// It is on its way.
    Waiting,
    /// It did not come.
    Silent,
}

/// All answers of one kind, by door.
pub struct Shelf<T>(HashMap<DeviceId, ShelfEntry<T>>);

struct ShelfEntry<T> {
    since: Mono,
    answer: Option<T>,
    /// Who has looked at it.
    seen_by: HashSet<Uuid>,
}

impl<T> Default for Shelf<T> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<T: Clone> Shelf<T> {
    /// What came before is forgotten.
    pub fn ask(&mut self, device: &DeviceId, now: Mono) {
        self.put(device, None, now);
    }

    /// Whether it was asked for; otherwise it is dropped.
    pub fn show(&mut self, device: &DeviceId, answer: T, now: Mono) -> bool {
        let waits =
            |entry: &&ShelfEntry<T>| entry.answer.is_none() && now.since(entry.since) < ANSWER_MS;
        let is_asked = self.0.get(device).filter(waits).is_some();
        if is_asked {
            self.put(device, Some(answer), now);
        }
        is_asked
    }

    fn put(&mut self, device: &DeviceId, answer: Option<T>, since: Mono) {
        let entry = ShelfEntry { since, answer, seen_by: HashSet::new() };
        self.0.insert(device.clone(), entry);
    }

    /// What came, and when.
    ///
    /// # Errors
    /// When nothing is there.
    pub fn see(&mut self, device: &DeviceId, now: Mono) -> Result<(T, Mono), NoAnswer> {
        self.sweep(now);
        let entry = self.0.get(device).ok_or(NoAnswer::Unasked)?;
        match &entry.answer {
            Some(answer) => Ok((answer.clone(), entry.since)),
            None if now.since(entry.since) < ANSWER_MS => Err(NoAnswer::Waiting),
            None => Err(NoAnswer::Silent),
        }
    }

    /// Whether `by` looked before at what came of `device` at `came`.
    pub fn was_seen(&mut self, device: &DeviceId, came: Mono, by: Uuid) -> bool {
        self.that(device, came).is_some_and(|entry| entry.seen_by.contains(&by))
    }

    /// Remembers that `by` looked at what came of `device` at `came`; what came after it is as
    /// new as before.
    pub fn looked(&mut self, device: &DeviceId, came: Mono, by: Uuid) {
        if let Some(entry) = self.that(device, came) {
            entry.seen_by.insert(by);
        }
    }

    /// The entry of `device`, if it is still what came at `came`.
    fn that(&mut self, device: &DeviceId, came: Mono) -> Option<&mut ShelfEntry<T>> {
        self.0.get_mut(device).filter(|entry| entry.since == came)
    }

    /// Forgets what was kept long enough.
    pub fn sweep(&mut self, now: Mono) {
        self.0.retain(|_, entry| now.since(entry.since) < KEPT_MS);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn door() -> DeviceId {
        "door-1".parse().unwrap()
    }

    #[test]
    fn one_answer_to_one_question_and_only_while_it_is_fresh() {
        let mut shelf = Shelf::default();
        assert!(!shelf.show(&door(), 'a', Mono(0)), "nobody asked");
        shelf.ask(&door(), Mono(0));
        assert!(!shelf.show(&"door-2".parse().unwrap(), 'a', Mono(1)), "another was asked");
        assert!(!shelf.show(&door(), 'a', Mono(ANSWER_MS)), "too late");
        shelf.ask(&door(), Mono(ANSWER_MS));
        assert!(shelf.show(&door(), 'a', Mono(ANSWER_MS + 1)));
        assert!(!shelf.show(&door(), 'b', Mono(ANSWER_MS + 2)), "a second one");
    }

    #[test]
    fn while_there_is_no_answer_it_says_why() {
        let mut shelf = Shelf::<char>::default();
        let mut why = |at| shelf.see(&door(), Mono(at)).unwrap_err();
        assert_eq!(why(0), NoAnswer::Unasked);
        shelf.ask(&door(), Mono(0));
        let mut why = |at| shelf.see(&door(), Mono(at)).unwrap_err();
        assert_eq!([1, ANSWER_MS].map(&mut why), [NoAnswer::Waiting, NoAnswer::Silent]);
        assert_eq!(why(KEPT_MS), NoAnswer::Unasked);
    }

    #[test]
    fn whoever_looked_at_an_answer_has_not_looked_at_the_next() {
        let mut shelf = Shelf::default();
        let [ada, bob] = [1, 2].map(Uuid::from_u128);
        shelf.ask(&door(), Mono(0));
        shelf.show(&door(), 'a', Mono(1));
        shelf.looked(&door(), Mono(1), ada);
        assert!(shelf.was_seen(&door(), Mono(1), ada) && !shelf.was_seen(&door(), Mono(1), bob));
        shelf.ask(&door(), Mono(10));
        shelf.show(&door(), 'b', Mono(11));
        shelf.looked(&door(), Mono(1), bob);
        let seen = [ada, bob].map(|by| shelf.was_seen(&door(), Mono(11), by));
        assert_eq!(seen, [false; 2]);
    }

    #[test]
    fn after_five_minutes_nothing_is_left() {
        let mut shelf = Shelf::default();
        shelf.ask(&door(), Mono(0));
        shelf.show(&door(), 'a', Mono(1_000));
        shelf.sweep(Mono(KEPT_MS + 999));
        assert_eq!(shelf.0.len(), 1);
        shelf.sweep(Mono(KEPT_MS + 1_000));
        assert!(shelf.0.is_empty());
    }
}
