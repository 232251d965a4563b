//! What holds for every vote.

use super::*;
use proptest::prelude::*;
use uuid::Uuid;

fn student(n: u8) -> StudentId {
    StudentId(Uuid::from_u128(u128::from(n)))
}

/// People with faces so many degrees from the one that is looked at.
fn known(list: &[(u8, f32)]) -> Vec<Candidate> {
    let one =
        |(n, at): &(u8, f32)| Candidate { student: student(*n), score: at.to_radians().cos() };
    list.iter().map(one).collect()
}

fn who(list: &[(u8, f32)], rule: KnnRule) -> Vec<(u8, usize)> {
    let name = |vote: Vote| (u8::try_from(vote.student.0.as_u128()).unwrap(), vote.votes);
    vote(&known(list), rule).into_iter().map(name).collect()
}

#[test]
fn most_of_the_nearest_win_and_without_voting_the_nearest() {
    let list = [(1, 1.0), (2, 2.0), (2, 3.0), (3, 80.0)];
    let rule = |voting| KnnRule { k: 3, line: 0.9, voting };
    assert_eq!(who(&list, rule(true)), [(2, 2), (1, 1)]);
    assert_eq!(who(&list, rule(false)), [(1, 1), (2, 2)]);
    assert_eq!(who(&list, KnnRule { k: 1, ..rule(true) }), [(1, 1)]);
}

#[test]
fn nobody_below_the_line_votes_and_nobody_known_means_nobody() {
    let rule = KnnRule { k: 5, line: 0.99, voting: true };
    assert_eq!(who(&[(1, 30.0)], rule), []);
    assert_eq!(who(&[], rule), []);
}

#[test]
fn equal_votes_go_to_the_nearer_and_then_to_the_smaller_id() {
    let rule = KnnRule { k: 4, line: 0.5, voting: true };
    assert_eq!(who(&[(2, 4.0), (1, 5.0)], rule), [(2, 1), (1, 1)]);
    assert_eq!(who(&[(2, 4.0), (1, 4.0)], rule), [(1, 1), (2, 1)]);
}

proptest! {
    #[test]
    fn votes_are_at_most_k_each_at_the_line_and_the_order_does_not_matter(
        list in prop::collection::vec((1u8..6, 0f32..90.0), 0..20),
        k in 1usize..=50, line in 0f32..1.0, voting: bool, by: usize,
    ) {
        let rule = KnnRule { k, line, voting };
        let votes = vote(&known(&list), rule);
        prop_assert!(votes.iter().map(|vote| vote.votes).sum::<usize>() <= k);
        prop_assert!(votes.iter().all(|vote| vote.score >= line && vote.votes > 0));
        let mut turned = list.clone();
        turned.rotate_left(by % list.len().max(1));
        prop_assert_eq!(&vote(&known(&turned), rule), &votes);
        if voting {
            prop_assert!(votes.windows(2).all(|two| two[0].votes >= two[1].votes));
        }
        let matches = matches(&votes, voting);
        prop_assert!(matches.windows(2).all(|two| two[0].weight >= two[1].weight));
    }

    #[test]
    fn a_lower_line_keeps_everybody_who_had_a_vote(
        list in prop::collection::vec((1u8..6, 0f32..90.0), 0..20), low in 0f32..1.0, step in 0f32..0.5
    ) {
        let at = |line| vote(&known(&list), KnnRule { k: 5, line, voting: true });
        let (many, few) = (at(low), at(low + step));
        prop_assert!(few.iter().all(|vote| many.iter().any(|other| other.student == vote.student)));
    }
}
