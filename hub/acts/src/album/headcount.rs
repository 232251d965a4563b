//! A look at a class that keeps nothing: who seems to be there, for a teacher to confirm.

use crate::photo;
use crate::recogniser::PictureSight;
use rules::assign::{self, Match};
use rules::gallery::Index;
use std::collections::HashSet;
use vision::{Decision, Rect, Scale};
use wire::{StudentId, Verdict};

/// How sure a headcount is of one face.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Sureness {
    /// Surely this student.
    Present,
    /// Perhaps this student.
    Uncertain,
    /// Nobody of the class.
    Unknown,
}

/// One face.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Headcount {
    /// Where it is, in pixels.
    pub at: Rect,
    /// How sure.
    pub status: Sureness,
    /// Who; nobody is named twice.
    pub student: Option<StudentId>,
    /// Cosine to them, or else to the nearest of the class.
    pub score: Option<f32>,
    /// What cosines mean here.
    pub scale: Scale,
}

impl Headcount {
    /// The score as the systems with 128-number networks say it: 0.5 is sure, 0.6 is not.
    #[must_use]
    pub fn distance(&self) -> Option<f32> {
        self.score.map(|score| self.scale.distance(score))
    }

    /// The score as a confidence, 0..=1.
    #[must_use]
    pub fn confidence(&self) -> f32 {
        self.score.map_or(0.0, |score| self.scale.confidence(score))
    }
}

/// Every face, and who of `members` it seems to be.
#[must_use]
pub fn headcount(
    sight: &PictureSight,
    index: &Index,
    members: &HashSet<StudentId>,
) -> Vec<Headcount> {
    let compare = |face| photo::compare(index, face, |id| members.contains(&id));
    let found: Vec<Decision> = sight.faces.iter().map(compare).collect();
    let one = |c: &wire::Candidate| Match { student: c.student, weight: c.score };
    let matches: Vec<Vec<Match>> =
        found.iter().map(|found| found.candidates.iter().map(one).collect()).collect();
    let settled = assign::settle(&matches, &HashSet::new());
    let nearest = |template| {
        let near = index.nearest_of(template, 1, |id| members.contains(&id));
        near.first().map(|near| near.score)
    };
    (sight.faces.iter().zip(&found).zip(settled))
        .map(|((face, found), one)| Headcount {
            at: face.face.rect,
            status: status(found, one),
            student: one.map(|one| one.student),
            score: one.map(|one| one.weight).or_else(|| nearest(&face.template)),
            scale: index.scale(),
        })
        .collect()
}

/// Sure only where the decision is, and nobody beside claimed the best candidate.
fn status(found: &Decision, one: Option<Match>) -> Sureness {
    let Some(one) = one else { return Sureness::Unknown };
    let best = found.candidates.first().is_some_and(|best| best.student == one.student);
    if best && found.verdict == Verdict::High { Sureness::Present } else { Sureness::Uncertain }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn student(n: u128) -> StudentId {
        StudentId(Uuid::from_u128(n))
    }

    fn decision(verdict: Verdict, candidates: &[u128]) -> Decision {
        let candidate = |n: &u128| wire::Candidate { student: student(*n), score: 0.97 };
        let candidates = candidates.iter().map(candidate).collect();
        Decision { verdict, reasons: Vec::new(), candidates, confidence: 0.9 }
    }

    #[test]
    fn whoever_is_not_the_best_match_or_not_sure_is_uncertain() {
        let one = |n| Some(Match { student: student(n), weight: 0.97 });
        let sure = decision(Verdict::High, &[1, 2]);
        assert_eq!(status(&sure, one(1)), Sureness::Present);
        assert_eq!(status(&sure, one(2)), Sureness::Uncertain, "the first stands beside");
        assert_eq!(status(&sure, None), Sureness::Unknown);
        assert_eq!(status(&decision(Verdict::Review, &[1]), one(1)), Sureness::Uncertain);
    }

    #[test]
    fn the_usual_distances_are_said_of_the_pack_that_runs() {
        let headcount = |model, score| {
            let (at, status, scale) = (Rect::default(), Sureness::Unknown, Scale::of(model));
            Headcount { at, status, student: None, score, scale }
        };
        let usual = headcount("dlib-1", Some(0.92));
        assert!((usual.distance().unwrap() - 0.6).abs() < 1e-3 && usual.confidence() < 0.6);
        let other = headcount("mobilefacenet128-1", Some(0.62));
        assert!(other.distance().unwrap() < 0.5 && other.confidence() > 0.9, "sure there");
        let none = headcount("dlib-1", None);
        assert_eq!((none.distance(), none.confidence()), (None, 0.0));
    }
}
