//! Whether a door goes on from where the hub knows it, or is an old copy of that: each run of its
//! program has a name, and they number what they record one after the other.

use wire::link::Run;

/// Runs that are kept of one life: a start a day for years.
const KEPT: usize = 1_000;

/// What a greeting shows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LineageLine {
    /// The door goes on; the runs to keep.
    On(Vec<Run>),
    /// It is an old copy: from this number on it gave out numbers that were others'.
    Parts(u64),
}

/// What becomes of the `known` runs of a life, of whose numbers those up to `heard` were heard of,
/// when its door greets with those that it `said`: the last that the hub told it, and all since.
///
/// Where none is both known and said, the hub itself was put back, or keeps runs only since now: its
/// door then goes on behind what was heard of. An old copy of before the names gave that out again.
#[must_use]
pub fn line(known: &[Run], heard: u64, said: &[Run]) -> LineageLine {
    if said.is_empty() {
        return LineageLine::On(known.to_vec());
    }
    let place = |of: &[Run], id| of.iter().position(|run| run.id == id);
    let met =
        known.iter().rev().find_map(|run| Some((place(known, run.id)?, place(said, run.id)?)));
    let Some((ours, theirs)) = met else {
        let copies = !known.is_empty() && said[0].first <= heard;
        return if copies {
            LineageLine::Parts(said[0].first)
        } else {
            LineageLine::On(said.to_vec())
        };
    };
    let (ours, theirs) = (&known[ours + 1..], &said[theirs + 1..]);
    match (ours.first(), theirs.first()) {
        (Some(our), their) => {
            LineageLine::Parts(their.map_or(our.first, |run| run.first.min(our.first)))
        }
        (None, Some(their)) if their.first <= heard => LineageLine::Parts(their.first),
        (None, _) => {
            let all = [known, theirs].concat();
            LineageLine::On(all[all.len().saturating_sub(KEPT)..].to_vec())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(of: &[(u64, u64)]) -> Vec<Run> {
        of.iter().map(|&(id, first)| Run { id, first }).collect()
    }

    fn meet(known: &[(u64, u64)], heard: u64, said: &[(u64, u64)]) -> LineageLine {
        line(&runs(known), heard, &runs(said))
    }

    #[test]
    fn a_door_that_goes_on_is_itself() {
        let on = |of: &[(u64, u64)]| LineageLine::On(runs(of));
        assert_eq!(meet(&[], 0, &[(1, 1)]), on(&[(1, 1)]), "its first word");
        assert_eq!(meet(&[(1, 1)], 9, &[(1, 1)]), on(&[(1, 1)]), "the same run again");
        assert_eq!(meet(&[(1, 1)], 9, &[(1, 1), (2, 10)]), on(&[(1, 1), (2, 10)]));
        let all = on(&[(1, 1), (2, 10), (3, 12)]);
        assert_eq!(
            meet(&[(1, 1), (2, 10)], 11, &[(1, 1), (2, 10), (3, 12)]),
            all,
            "no answer came"
        );
        assert_eq!(meet(&[(1, 1), (2, 10)], 11, &[(2, 10), (3, 12)]), all);
        assert_eq!(meet(&[(1, 1)], 9, &[]), on(&[(1, 1)]), "a door that says none");
    }

    #[test]
    fn a_hub_that_was_put_back_takes_no_door_for_a_copy() {
        assert_eq!(
            meet(&[(1, 1)], 9, &[(4, 40), (5, 60)]),
            LineageLine::On(runs(&[(4, 40), (5, 60)]))
        );
        let both = [(1, 1), (2, 10)];
        assert_eq!(
            meet(&[(1, 1)], 5, &both),
            LineageLine::On(runs(&both)),
            "it heard less than there was"
        );
        assert_eq!(
            meet(&[(1, 1)], 9, &[(1, 1)]),
            LineageLine::On(runs(&[(1, 1)])),
            "it runs for days"
        );
        assert_eq!(
            meet(&[(1, 1)], 9, &[(2, 10)]),
            LineageLine::On(runs(&[(2, 10)])),
            "the next number"
        );
        assert_eq!(
            meet(&[], 9, &[(2, 1)]),
            LineageLine::On(runs(&[(2, 1)])),
            "it kept none until now"
        );
    }

    #[test]
    fn an_old_copy_of_before_the_names_parts_where_its_first_one_begins() {
        assert_eq!(meet(&[(1, 1)], 50, &[(9, 11)]), LineageLine::Parts(11), "however far it is");
        assert_eq!(meet(&[(5, 700)], 900, &[(9, 11), (10, 30)]), LineageLine::Parts(11));
        assert_eq!(
            meet(&[(1, 1)], 50, &[(9, 51)]),
            LineageLine::On(runs(&[(9, 51)])),
            "the control"
        );
    }

    #[test]
    fn an_old_copy_parts_where_its_own_numbers_begin() {
        assert_eq!(
            meet(&[(1, 1)], 50, &[(1, 1), (9, 11)]),
            LineageLine::Parts(11),
            "however far it is"
        );
        assert_eq!(meet(&[(1, 1), (2, 30)], 50, &[(1, 1), (9, 11)]), LineageLine::Parts(11));
        assert_eq!(
            meet(&[(1, 1), (2, 30)], 50, &[(1, 1)]),
            LineageLine::Parts(30),
            "a card that lives on"
        );
        let later = [(1, 1), (2, 10), (3, 20), (4, 30)];
        assert_eq!(meet(&later, 50, &[(1, 1), (2, 10), (8, 15), (9, 18)]), LineageLine::Parts(15));
    }

    #[test]
    fn no_more_runs_are_kept_than_a_bound() {
        let mut known = runs(&[(0, 1)]);
        for id in 1..3_000 {
            let said = [*known.last().unwrap(), Run { id, first: id + 1 }];
            let LineageLine::On(kept) = line(&known, id, &said) else { panic!("{id} parts") };
            known = kept;
        }
        assert_eq!((known.len(), known[KEPT - 1].id), (KEPT, 2_999));
    }
}
