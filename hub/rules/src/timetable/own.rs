//! A teacher's own schedule, replaced as a whole: what has to be done to the periods of their
//! classes so that they become the ones they wrote down.

use super::Period;
use std::collections::HashSet;
use uuid::Uuid;

/// What to do with the periods.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Replaced {
    /// These are not in it any more.
    pub remove: Vec<Uuid>,
    /// These are new or different; a new one has version 0.
    pub put: Vec<Period>,
}

/// From the periods that are there to the `wanted` ones. A wanted one is known by its id, or
/// else by class, weekday, times and room; it is new if it is none of those that are there.
#[must_use]
pub fn replace(there: &[Period], wanted: Vec<Period>) -> Replaced {
    let mut kept = HashSet::new();
    let mut put = Vec::new();
    for want in wanted {
        let free = |old: &&Period| !kept.contains(&old.id);
        let named = there.iter().filter(free).find(|old| old.id == want.id);
        let old = named.or_else(|| there.iter().filter(free).find(|old| is_same(old, &want)));
        match old {
            None => put.push(Period { version: 0, ..want }),
            Some(old) => {
                kept.insert(old.id);
                let new = Period { id: old.id, version: old.version, ..want };
                if new != *old {
                    put.push(new);
                }
            }
        }
    }
    let remove = there.iter().map(|old| old.id).filter(|id| !kept.contains(id)).collect();
    Replaced { remove, put }
}

fn is_same(a: &Period, b: &Period) -> bool {
    let key = |p: &Period| (p.class, p.weekday, p.starts, p.ends);
    key(a) == key(b) && a.room == b.room
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::{Weekday, date, time};
    use proptest::prelude::*;

    fn period(id: u128, weekday: i8, hour: i8) -> Period {
        Period {
            id: Uuid::from_u128(id),
            class: Uuid::from_u128(1),
            weekday: Weekday::from_monday_one_offset(weekday).unwrap(),
            starts: time(hour, 0, 0, 0),
            ends: time(hour, 45, 0, 0),
            room: "B2".into(),
            from: date(2026, 3, 2),
            to: None,
            version: 3,
        }
    }

    #[test]
    fn what_is_the_same_stays_and_the_rest_comes_and_goes() {
        let there = [period(1, 1, 8), period(2, 2, 8), period(3, 3, 8)];
        let wanted = vec![period(9, 1, 8), period(2, 2, 9), period(8, 4, 8)];
        let Replaced { remove, put } = replace(&there, wanted);
        assert_eq!(remove, [Uuid::from_u128(3)]);
        assert_eq!(put[0], period(2, 2, 9), "moved, under its own id");
        assert_eq!((put[1].id, put[1].version), (Uuid::from_u128(8), 0), "new");
        assert_eq!(put.len(), 2);
    }

    proptest! {
        #[test]
        fn afterwards_it_is_what_was_wanted_and_doing_it_again_does_nothing(
            old in prop::collection::btree_set((1_i8..6, 8_i8..16), 0..12),
            new in prop::collection::btree_set((1_i8..6, 8_i8..16), 0..12),
        ) {
            let at = |base: u128, set: &std::collections::BTreeSet<(i8, i8)>| -> Vec<Period> {
                (base..).zip(set).map(|(id, (day, hour))| period(id, *day, *hour)).collect()
            };
            let there = at(1, &old);
            let wanted = at(100, &new);
            let Replaced { remove, put } = replace(&there, wanted.clone());
            let mut after: Vec<_> = there.into_iter().filter(|p| !remove.contains(&p.id)).collect();
            after.retain(|p| put.iter().all(|q| q.id != p.id));
            after.extend(put);
            let slots = |all: &[Period]| -> Vec<_> {
                let mut slots: Vec<_> = all.iter().map(|p| (p.weekday.to_monday_one_offset(), p.starts)).collect();
                slots.sort();
                slots
            };
            prop_assert_eq!(slots(&after), slots(&wanted));
            prop_assert_eq!(replace(&after, wanted), Replaced::default());
        }
    }
}
