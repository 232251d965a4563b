//! One person is never on two faces of one photo.
//!
//! Faces are given people in the order of their matches' weights over the whole photo, as a door does
//! with the faces of a frame: a strong match is never given up for the sum of two weak ones.

use std::collections::HashSet;
use wire::StudentId;

/// Somebody a face may be.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Match {
    /// Who.
    pub student: StudentId,
    /// How much speaks for it; only the order counts.
    pub weight: f32,
}

/// Who each face is: everybody once, nobody of `taken`. Of equal matches the earlier face wins,
/// and for one face the smaller id.
#[must_use]
pub fn settle(faces: &[Vec<Match>], taken: &HashSet<StudentId>) -> Vec<Option<Match>> {
    let own = |(face, matches): (usize, &Vec<Match>)| {
        matches.iter().map(move |one| (face, *one)).collect::<Vec<_>>()
    };
    let mut matches: Vec<_> = faces.iter().enumerate().flat_map(own).collect();
    matches.retain(|(_, one)| one.weight.is_finite() && !taken.contains(&one.student));
    matches.sort_by(|(a_face, a), (b_face, b)| {
        b.weight.total_cmp(&a.weight).then(a_face.cmp(b_face)).then(a.student.cmp(&b.student))
    });
    let mut settled = vec![None; faces.len()];
    let mut gone = HashSet::new();
    for (face, one) in matches {
        if settled[face].is_none() && gone.insert(one.student) {
            settled[face] = Some(one);
        }
    }
    settled
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use uuid::Uuid;

    fn student(n: u8) -> StudentId {
        StudentId(Uuid::from_u128(u128::from(n)))
    }

    fn matches(list: &[(u8, f32)]) -> Vec<Match> {
        let one = |(n, weight): &(u8, f32)| Match { student: student(*n), weight: *weight };
        list.iter().map(one).collect()
    }

    fn who(faces: &[Vec<Match>], taken: &[u8]) -> Vec<Option<StudentId>> {
        let taken = taken.iter().map(|n| student(*n)).collect();
        settle(faces, &taken).into_iter().map(|one| one.map(|one| one.student)).collect()
    }

    #[test]
    fn the_better_of_two_faces_gets_the_person_and_the_other_its_next_best() {
        let faces = [matches(&[(1, 0.96), (2, 0.95)]), matches(&[(1, 0.98)]), matches(&[(2, 0.9)])];
        assert_eq!(who(&faces, &[]), [Some(student(2)), Some(student(1)), None]);
        assert_eq!(who(&faces, &[2]), [None, Some(student(1)), None]);
    }

    #[test]
    fn of_equal_claims_the_earlier_face_and_the_smaller_id_win() {
        let both = matches(&[(2, 0.9), (1, 0.9)]);
        assert_eq!(who(&[both.clone(), both], &[]), [Some(student(1)), Some(student(2))]);
    }

    proptest! {
        #[test]
        fn nobody_is_twice_in_a_photo_and_no_face_is_left_that_somebody_free_claims(
            faces in prop::collection::vec(
                prop::collection::btree_map(1u8..9, 0.0f32..1.0, 0..6), 0..8),
            taken in prop::collection::btree_set(1u8..9, 0..3),
        ) {
            let faces: Vec<_> = faces.into_iter()
                .map(|list| matches(&list.into_iter().collect::<Vec<_>>())).collect();
            let taken: HashSet<_> = taken.into_iter().map(student).collect();
            let settled = settle(&faces, &taken);
            let named: Vec<_> = settled.iter().flatten().map(|one| one.student).collect();
            let distinct: HashSet<_> = named.iter().copied().collect();
            prop_assert_eq!(named.len(), distinct.len());
            prop_assert!(distinct.is_disjoint(&taken));
            for (matches, got) in faces.iter().zip(&settled) {
                prop_assert!(got.is_none_or(|got| matches.contains(&got)));
                let free = |one: &&Match| {
                    !taken.contains(&one.student) && !distinct.contains(&one.student)
                };
                let better = |one: &Match| got.is_none_or(|got| one.weight > got.weight);
                prop_assert!(!matches.iter().filter(free).any(better));
            }
        }
    }
}
