//! One person is never on two faces of one photo.
//!
//! Faces claim people in the order of their claims' weights over the whole photo, as a door does
//! with the faces of a frame: a strong match is never given up for the sum of two weak ones.

use std::collections::HashSet;
use wire::StudentId;

/// Somebody a face may be.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Claim {
    /// Who.
    pub student: StudentId,
    /// How much speaks for it; only the order counts.
    pub weight: f32,
}

/// Who each face is: everybody once, nobody of `taken`. Of equal claims the earlier face wins,
/// and for one face the smaller id.
#[must_use]
pub fn settle(faces: &[Vec<Claim>], taken: &HashSet<StudentId>) -> Vec<Option<Claim>> {
    let own = |(face, claims): (usize, &Vec<Claim>)| {
        claims.iter().map(move |claim| (face, *claim)).collect::<Vec<_>>()
    };
    let mut claims: Vec<_> = faces.iter().enumerate().flat_map(own).collect();
    claims.retain(|(_, claim)| claim.weight.is_finite() && !taken.contains(&claim.student));
    claims.sort_by(|(a_face, a), (b_face, b)| {
        b.weight.total_cmp(&a.weight).then(a_face.cmp(b_face)).then(a.student.cmp(&b.student))
    });
    let (mut settled, mut gone) = (vec![None; faces.len()], HashSet::new());
    for (face, claim) in claims {
        if settled[face].is_none() && gone.insert(claim.student) {
            settled[face] = Some(claim);
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

    fn claims(list: &[(u8, f32)]) -> Vec<Claim> {
        let claim = |(n, weight): &(u8, f32)| Claim { student: student(*n), weight: *weight };
        list.iter().map(claim).collect()
    }

    fn who(faces: &[Vec<Claim>], taken: &[u8]) -> Vec<Option<StudentId>> {
        let taken = taken.iter().map(|n| student(*n)).collect();
        settle(faces, &taken).into_iter().map(|claim| claim.map(|claim| claim.student)).collect()
    }

    #[test]
    fn the_better_of_two_faces_gets_the_person_and_the_other_its_next_best() {
        let faces = [claims(&[(1, 0.96), (2, 0.95)]), claims(&[(1, 0.98)]), claims(&[(2, 0.9)])];
        assert_eq!(who(&faces, &[]), [Some(student(2)), Some(student(1)), None]);
        assert_eq!(who(&faces, &[2]), [None, Some(student(1)), None]);
    }

    #[test]
    fn of_equal_claims_the_earlier_face_and_the_smaller_id_win() {
        let both = claims(&[(2, 0.9), (1, 0.9)]);
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
                .map(|list| claims(&list.into_iter().collect::<Vec<_>>())).collect();
            let taken: HashSet<_> = taken.into_iter().map(student).collect();
            let settled = settle(&faces, &taken);
            let named: Vec<_> = settled.iter().flatten().map(|claim| claim.student).collect();
            let distinct: HashSet<_> = named.iter().copied().collect();
            prop_assert_eq!(named.len(), distinct.len());
            prop_assert!(distinct.is_disjoint(&taken));
            for (claims, got) in faces.iter().zip(&settled) {
                prop_assert!(got.is_none_or(|got| claims.contains(&got)));
                let free = |claim: &&Claim| {
                    !taken.contains(&claim.student) && !distinct.contains(&claim.student)
                };
                let better = |claim: &Claim| got.is_none_or(|got| claim.weight > got.weight);
                prop_assert!(!claims.iter().filter(free).any(better));
            }
        }
    }
}
