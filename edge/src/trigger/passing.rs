//! Which way somebody went: two lines in a row, and the order in which they were broken.

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
    breaks: Mutex<VecDeque<Break>>,
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
        if breaks.len() == BREAKS {
            breaks.pop_front();
        }
        breaks.push_back(Break { barrier, at });
    }

    /// Which way whoever was seen at `at` went, where the lines leave no doubt.
    #[must_use]
    pub fn way(&self, at: Mono) -> Option<Way> {
        let breaks = self.breaks.lock().unwrap_or_else(PoisonError::into_inner);
        let breaks: Vec<Break> = breaks.iter().copied().collect();
        let near = |passage: &[Break]| {
            let [first, .., last] = passage else { return false };
            at.0 + self.within_ms >= first.at.0 && last.at.0 + self.within_ms >= at.0
        };
        let is_one = |a: &Break, b: &Break| b.at.since(a.at) <= self.within_ms;
        let mut passages = breaks.chunk_by(is_one).filter(|passage| near(passage));
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
    }

    #[test]
    fn a_line_that_trembles_all_day_costs_no_more_memory() {
        let passing = Passing::new(1_500);
        (0..10_000).for_each(|n| passing.broke(Outer, Mono(n)));
        assert_eq!(passing.breaks.lock().unwrap().len(), BREAKS);
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
