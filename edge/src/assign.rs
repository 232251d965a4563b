//! One student is never on two faces of a frame.
//!
//! Faces claim students in the order of their scores over all faces; what somebody beside has
//! claimed is struck from the list.

use wire::Candidate;

/// The candidates left to each face, in their order, and whether its first was struck.
#[derive(Clone, Debug, PartialEq)]
pub struct Left {
    /// Best first.
    pub candidates: Vec<Candidate>,
    /// The best candidate went to a face beside this one: whoever it is, it is less sure now.
    pub struck: bool,
}

/// Strikes from each face's candidates those that faces `beside` it claim with a better score.
/// Of faces never seen together several may have the same candidate: one person seen twice.
pub fn assign(faces: &[Vec<Candidate>], beside: impl Fn(usize, usize) -> bool) -> Vec<Left> {
    let mut claims: Vec<(usize, Candidate)> = faces
        .iter()
        .enumerate()
        .flat_map(|(face, list)| list.iter().map(move |candidate| (face, *candidate)))
        .collect();
    claims.sort_by(|a, b| b.1.score.total_cmp(&a.1.score).then(a.0.cmp(&b.0)));
    let mut owned: Vec<Option<Candidate>> = vec![None; faces.len()];
    let taken = |owned: &[Option<Candidate>], face: usize, candidate: &Candidate| {
        owned.iter().enumerate().any(|(other, claim)| {
            claim.is_some_and(|claim| claim.student == candidate.student) && beside(face, other)
        })
    };
    for (face, candidate) in claims {
        if owned[face].is_none() && !taken(&owned, face, &candidate) {
            owned[face] = Some(candidate);
        }
    }
    let left = |(face, list): (usize, &Vec<Candidate>)| {
        let free = |candidate: &&Candidate| !taken(&owned, face, candidate);
        let candidates: Vec<Candidate> = list.iter().filter(free).copied().collect();
        let struck = list.first().is_some_and(|first| !free(&first));
        Left { candidates, struck }
    };
    faces.iter().enumerate().map(left).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use wire::StudentId;

    fn student(n: u8) -> StudentId {
        format!("00000000-0000-7000-8000-0000000000{n:02x}").parse().unwrap()
    }

    fn list(scores: &[(u8, f32)]) -> Vec<Candidate> {
        scores.iter().map(|(n, score)| Candidate { student: student(*n), score: *score }).collect()
    }

    fn firsts(left: &[Left]) -> Vec<Option<StudentId>> {
        left.iter().map(|left| left.candidates.first().map(|c| c.student)).collect()
    }

    #[test]
    fn the_better_of_two_faces_gets_the_student() {
        let faces = [list(&[(1, 0.96), (2, 0.95)]), list(&[(1, 0.98)])];
        let left = assign(&faces, |a, b| a != b);
        assert_eq!(firsts(&left), [Some(student(2)), Some(student(1))]);
        assert_eq!(left.iter().map(|l| l.struck).collect::<Vec<_>>(), [true, false]);
    }

    #[test]
    fn a_face_left_with_nobody_is_unknown() {
        let left = assign(&[list(&[(1, 0.96)]), list(&[(1, 0.98)])], |a, b| a != b);
        assert!(left[0].candidates.is_empty() && left[0].struck);
    }

    #[test]
    fn one_person_seen_twice_one_after_the_other_stays_one_person() {
        let faces = [list(&[(1, 0.96)]), list(&[(1, 0.98)])];
        let left = assign(&faces, |_, _| false);
        assert_eq!(firsts(&left), [Some(student(1)); 2]);
    }

    proptest! {
        #[test]
        fn no_two_faces_of_a_frame_have_the_same_first(
            faces in prop::collection::vec(
                prop::collection::btree_map(1u8..8, 0.9f32..1.0, 0..5), 0..7)
        ) {
            let faces: Vec<Vec<Candidate>> = faces.into_iter().map(|scores| {
                let mut list = list(&scores.into_iter().collect::<Vec<_>>());
                list.sort_by(|a, b| b.score.total_cmp(&a.score));
                list
            }).collect();
            let mut firsts: Vec<_> =
                firsts(&assign(&faces, |a, b| a != b)).into_iter().flatten().collect();
            let all = firsts.len();
            firsts.sort();
            firsts.dedup();
            prop_assert_eq!(firsts.len(), all);
        }
    }
}
