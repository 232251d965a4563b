//! What stays of a sighting when one of those it may have been must not be known any more.

use wire::{Candidate, StudentId};

/// What is left.
#[derive(Clone, PartialEq, Debug)]
pub enum ForgetLeft {
    /// They were the only one: nothing of it stays.
    Nobody,
    /// These, best first.
    Others {
        /// Never empty.
        candidates: Vec<Candidate>,
        /// Whether the best of them was not the best before.
        moved_up: bool,
    },
}

/// `candidates`, best first, without `gone`.
#[must_use]
pub fn without(candidates: &[Candidate], gone: StudentId) -> ForgetLeft {
    let rest: Vec<_> = candidates.iter().filter(|one| one.student != gone).copied().collect();
    if rest.is_empty() {
        return ForgetLeft::Nobody;
    }
    let moved_up = candidates.first().is_some_and(|best| best.student == gone);
    ForgetLeft::Others { candidates: rest, moved_up }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use uuid::Uuid;

    fn student(n: u8) -> StudentId {
        StudentId(Uuid::from_u128(n.into()))
    }

    proptest! {
        #[test]
        fn nobody_stays_who_is_gone_and_nobody_else_goes(
            who in proptest::collection::btree_set(0u8..8, 0..6), gone in 0u8..8
        ) {
            let named: Vec<_> =
                who.iter().map(|n| Candidate { student: student(*n), score: 0.9 }).collect();
            match without(&named, student(gone)) {
                ForgetLeft::Nobody => prop_assert!(who.iter().all(|n| *n == gone)),
                ForgetLeft::Others { candidates, moved_up } => {
                    let expected: Vec<_> = who.iter().filter(|n| **n != gone).collect();
                    let left: Vec<_> = candidates.iter().map(|one| one.student).collect();
                    let expected: Vec<_> = expected.into_iter().map(|n| student(*n)).collect();
                    prop_assert_eq!(left, expected);
                    prop_assert_eq!(moved_up, who.first() == Some(&gone));
                }
            }
        }
    }
}
