//! Which way somebody went: two lines in a row, and the order in which they were broken.
//!
//! A line says nothing of who it was. So *in* only makes a record surer that counts anyway, *out* is
//! counted and keeps no mark away, and where there is any doubt nothing is said.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};
use wire::Mono;

/// Breaks that are remembered: more than a crowd makes while one face is looked at.
const BREAKS: usize = 64;

/// One of two lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Barrier {
    /// The one that whoever comes in breaks first.
    Outer,
    /// The one behind it.
    Inner,
}

/// Which way somebody went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Into the room.
    In,
    /// Out of it.
    Out,
}

/// A line was broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Break {
    barrier: Barrier,
    at: Mono,
}

/// What the lines saw lately: written by who watches them, read by who records passages.
#[derive(Debug)]
pub struct Passing {
    within_ms: u64,
    breaks: Mutex<Breaks>,
}

#[derive(Debug, Default)]
struct Breaks {
    /// The newest, oldest first.
    seen: VecDeque<Break>,
    /// Breaks up to then were counted.
    counted: Option<Mono>,
}

impl Passing {
    /// Lines that nobody has broken yet; whoever goes through breaks both `within_ms`.
    #[must_use]
    pub fn new(within_ms: u64) -> Self {
        Self { within_ms, breaks: Mutex::default() }
    }

    /// `barrier` was broken.
    pub fn broke(&self, barrier: Barrier, at: Mono) {
        let mut breaks = self.breaks.lock().unwrap_or_else(PoisonError::into_inner);
        if breaks.seen.len() == BREAKS {
            breaks.seen.pop_front();
        }
        breaks.seen.push_back(Break { barrier, at });
    }

    /// What came of the passages that are over by `now` and were not asked about before; nothing
    /// where somebody turned round, or nobody can tell.
    pub fn over(&self, now: Mono) -> Vec<Option<Way>> {
        let mut breaks = self.breaks.lock().unwrap_or_else(PoisonError::into_inner);
        let since = breaks.counted;
        let new = breaks.seen.iter().copied().filter(|one| since.is_none_or(|at| one.at > at));
        let new: Vec<Break> = new.collect();
        let is_over = |passage: &&[Break]| {
            passage.last().is_some_and(|last| now.since(last.at) > self.within_ms)
        };
        let over: Vec<&[Break]> = new.chunk_by(|a, b| self.is_one(a, b)).filter(is_over).collect();
        if let Some(last) = over.last().and_then(|passage| passage.last()) {
            breaks.counted = Some(last.at);
        }
        over.into_iter().map(order).collect()
    }

    /// Whether two breaks, one after the other, are of one passage.
    fn is_one(&self, a: &Break, b: &Break) -> bool {
        b.at.since(a.at) <= self.within_ms
    }

    /// Which way whoever was seen at `at` went, where the lines leave no doubt.
    #[must_use]
    pub fn way(&self, at: Mono) -> Option<Way> {
        let breaks = self.breaks.lock().unwrap_or_else(PoisonError::into_inner);
        let breaks: Vec<Break> = breaks.seen.iter().copied().collect();
        let near = |passage: &&[Break]| {
            let (Some(first), Some(last)) = (passage.first(), passage.last()) else { return false };
            at.0 + self.within_ms >= first.at.0 && last.at.0 + self.within_ms >= at.0
        };
        let mut passages = breaks.chunk_by(|a, b| self.is_one(a, b)).filter(near);
        match (passages.next(), passages.next()) {
            (Some(passage), None) => order(passage),
            _ => None,
        }
    }
}

/// One line before the other, once: an arm that comes after, or two people, say nothing.
fn order(passage: &[Break]) -> Option<Way> {
    let mut sides = passage.chunk_by(|a, b| a.barrier == b.barrier).map(|side| side[0].barrier);
    match (sides.next(), sides.next(), sides.next()) {
        (Some(Barrier::Outer), Some(_), None) => Some(Way::In),
        (Some(Barrier::Inner), Some(_), None) => Some(Way::Out),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::Barrier::{Inner, Outer};
    use super::*;
    use proptest::prelude::*;

    fn way(breaks: &[(Barrier, u64)], at: u64) -> Option<Way> {
        let passing = Passing::new(1_500);
        breaks.iter().for_each(|(barrier, at)| passing.broke(*barrier, Mono(*at)));
        passing.way(Mono(at))
    }

    #[test]
    fn the_line_that_is_broken_first_says_the_way() {
        assert_eq!(way(&[(Outer, 5_000), (Inner, 5_400)], 5_200), Some(Way::In));
        assert_eq!(way(&[(Inner, 5_000), (Outer, 5_400)], 5_900), Some(Way::Out));
        assert_eq!(way(&[(Outer, 5_000), (Outer, 5_100), (Inner, 5_400)], 4_000), Some(Way::In));
    }

    #[test]
    fn where_there_is_any_doubt_nothing_is_said() {
        assert_eq!(way(&[], 5_000), None);
        assert_eq!(way(&[(Outer, 5_000)], 5_000), None, "they turned round");
        assert_eq!(way(&[(Outer, 5_000), (Inner, 8_000)], 5_000), None, "two who turned round");
        let crossed = [(Inner, 5_000), (Outer, 5_300), (Outer, 5_900), (Inner, 6_100)];
        assert_eq!(way(&crossed, 5_500), None, "one went and one came");
        assert_eq!(way(&[(Inner, 5_000), (Outer, 5_400)], 9_000), None, "that was somebody else");
        let two = [(Inner, 1_000), (Outer, 1_200), (Outer, 3_000), (Inner, 3_200)];
        assert_eq!(way(&two, 2_200), None, "whose passage it was, nobody knows");
        assert_eq!(way(&two, 4_000), Some(Way::In));
        let next = [(Inner, 1_000), (Outer, 1_150), (Outer, 2_700)];
        assert_eq!(way(&next, 2_600), None, "of who comes next only half was seen");
    }

    #[test]
    fn each_passage_is_counted_once_and_only_when_it_is_over() {
        let passing = Passing::new(1_500);
        passing.broke(Outer, Mono(1_000));
        passing.broke(Inner, Mono(1_300));
        assert_eq!(passing.over(Mono(2_800)), [], "an arm may come after");
        assert_eq!(passing.over(Mono(2_801)), [Some(Way::In)]);
        passing.broke(Inner, Mono(5_000));
        passing.broke(Outer, Mono(5_300));
        passing.broke(Outer, Mono(9_000));
        assert_eq!(passing.over(Mono(20_000)), [Some(Way::Out), None]);
        assert_eq!(passing.over(Mono(30_000)), []);
    }

    #[test]
    fn a_line_that_trembles_all_day_costs_no_more_memory() {
        let passing = Passing::new(1_500);
        (0..10_000).for_each(|n| passing.broke(Outer, Mono(n)));
        assert_eq!(passing.breaks.lock().unwrap().seen.len(), BREAKS);
    }

    proptest! {
        /// Nobody who came in alone is said to have gone out, however often each line trembles.
        #[test]
        fn whoever_comes_in_never_goes_out(
            outer in prop::collection::vec(0u64..400, 1..5),
            inner in prop::collection::vec(400u64..900, 1..5),
            seen in 0u64..2_000,
        ) {
            let mut breaks: Vec<_> = outer.into_iter().map(|at| (Outer, 9_000 + at)).collect();
            breaks.extend(inner.into_iter().map(|at| (Inner, 9_000 + at)));
            breaks.sort_by_key(|(_, at)| *at);
            prop_assert_ne!(way(&breaks, 9_000 + seen), Some(Way::Out));
        }
    }
}
