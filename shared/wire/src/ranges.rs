//! A set of numbers as sorted, disjoint, inclusive ranges: what has arrived of an outbox.

use serde::{Deserialize, Serialize};

/// Sorted, disjoint, non-adjacent inclusive ranges of record numbers.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(from = "Vec<(u64, u64)>", into = "Vec<(u64, u64)>")]
pub struct Ranges(Vec<(u64, u64)>);

impl Ranges {
    /// Adds `first..=last`; a reversed range adds nothing.
    pub fn insert(&mut self, first: u64, last: u64) {
        if first > last {
            return;
        }
        let start = self.0.partition_point(|r| r.1.saturating_add(1) < first);
        let end = self.0.partition_point(|r| r.0 <= last.saturating_add(1));
        let merged = match self.0.get(start..end) {
            Some([head, .., tail]) => (head.0.min(first), tail.1.max(last)),
            Some([only]) => (only.0.min(first), only.1.max(last)),
            _ => (first, last),
        };
        self.0.splice(start..end.max(start), [merged]);
    }

    /// Whether `n` is in the set.
    #[must_use]
    pub fn contains(&self, n: u64) -> bool {
        let after = self.0.partition_point(|r| r.0 <= n);
        after > 0 && self.0[after - 1].1 >= n
    }

    /// The largest `n` such that 1..=n are all in the set; 0 if 1 is missing.
    #[must_use]
    pub fn cumulative(&self) -> u64 {
        self.0.first().filter(|r| r.0 <= 1).map_or(0, |r| r.1)
    }

    /// The numbers from 1 to `last` that are not in the set.
    #[must_use]
    pub fn gaps(&self, last: u64) -> Self {
        let mut next = 1;
        let mut gaps = Self::default();
        for range in self.0.iter().take_while(|range| range.0 <= last) {
            gaps.insert(next, range.0.saturating_sub(1));
            next = range.1.saturating_add(1);
        }
        gaps.insert(next, last);
        gaps
    }

    /// The largest number in the set, 0 if it is empty.
    #[must_use]
    pub fn max(&self) -> u64 {
        self.0.last().map_or(0, |r| r.1)
    }

    /// The ranges, ascending.
    #[must_use]
    pub fn as_slice(&self) -> &[(u64, u64)] {
        &self.0
    }

    /// How many numbers are in the set.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.iter().map(|r| r.1 - r.0 + 1).sum()
    }
}

impl From<Vec<(u64, u64)>> for Ranges {
    fn from(ranges: Vec<(u64, u64)>) -> Self {
        let mut set = Self::default();
        for (first, last) in ranges {
            set.insert(first, last);
        }
        set
    }
}

impl From<Ranges> for Vec<(u64, u64)> {
    fn from(ranges: Ranges) -> Self {
        ranges.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    #[test]
    fn neighbours_join_and_gaps_stay() {
        let mut set = Ranges::from(vec![(1, 3), (7, 9)]);
        assert_eq!(set.cumulative(), 3);
        set.insert(4, 6);
        assert_eq!(set.as_slice(), [(1, 9)]);
        set.insert(20, 10);
        assert_eq!((set.cumulative(), set.max(), set.count()), (9, 9, 9));
    }

    proptest! {
        #[test]
        fn it_is_a_set_of_numbers(inserts in prop::collection::vec((1u64..60, 0u64..8), 0..40)) {
            let (mut ranges, mut model) = (Ranges::default(), BTreeSet::new());
            for (first, more) in inserts {
                ranges.insert(first, first + more);
                model.extend(first..=first + more);
            }
            for n in 0..80 {
                prop_assert_eq!(ranges.contains(n), model.contains(&n));
            }
            let gaps = ranges.gaps(50);
            for n in 0..80 {
                prop_assert_eq!(gaps.contains(n), (1..=50).contains(&n) && !model.contains(&n));
            }
            let cumulative = (1..).take_while(|n| model.contains(n)).last().unwrap_or(0);
            prop_assert_eq!(ranges.cumulative(), cumulative);
            prop_assert_eq!(ranges.count() as usize, model.len());
            prop_assert!(ranges.as_slice().windows(2).all(|w| w[0].1 + 1 < w[1].0));
        }
    }
}
