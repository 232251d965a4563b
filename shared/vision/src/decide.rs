//! Who is it? An open-set decision from ranked candidates, how they were seen, and the site's lines.
//!
//! Three answers: sure, for a person to decide, nobody we know. Sure needs all at once: a score at
//! the high line, distance to the runner-up, a good look, and no known look-alike. Doubt never
//! rounds up.

use crate::quality::Grade;
use wire::{Candidate, Lines, Reason, StudentId, Verdict};

/// Lines of the default pack for mean templates of about three enrolment pictures.
///
/// Measured on LFW: 6,000 pairs, and classrooms of 100 people drawn from it. The margin is half
/// the width of the review band.
pub const LINES: Lines = Lines {
    single_high: 0.960,
    single_review: 0.940,
    fused_high: 0.965,
    fused_review: 0.950,
    margin: 0.010,
};

/// Lines of `sface` models: `OpenCV` publishes .363 as the best one-to-one line on LFW, so review
/// begins there; sure matches lie as far above as strangers' scores spread.
const SFACE: Lines = Lines {
    single_high: 0.500,
    single_review: 0.363,
    fused_high: 0.540,
    fused_review: 0.400,
    margin: 0.060,
};

/// Lines of 512-number networks trained as `ArcFace` was: the `InsightFace` systems Rollcall
/// replaces take somebody from a similarity of 0.6 on and let people choose 0.4 to 0.8.
const ARCFACE: Lines = Lines {
    single_high: 0.600,
    single_review: 0.420,
    fused_high: 0.620,
    fused_review: 0.450,
    margin: 0.060,
};

/// Lines of the 128-number `MobileFaceNet`, which nobody published lines for. Over the 300 pairs of
/// the photos in `tests/packs.rs`, different people reach .379 at most, the same ones .520 at least
/// and .769 in the middle: review lies above the former, sure matches with room to spare.
const MOBILE_128: Lines = Lines {
    single_high: 0.600,
    single_review: 0.420,
    fused_high: 0.620,
    fused_review: 0.450,
    margin: 0.060,
};

/// Lines of `facenet512` models: `DeepFace` takes two faces for one from a cosine distance of .30
/// down, so review begins at .70.
const FACENET: Lines = Lines {
    single_high: 0.800,
    single_review: 0.700,
    fused_high: 0.820,
    fused_review: 0.720,
    margin: 0.040,
};

/// Where the lines of a model lie to begin with. Its id begins with the name of its embedder;
/// models of no other name have the default pack's, the highest.
#[must_use]
pub fn lines_of(model: &str) -> Lines {
    match model.split('-').next().unwrap_or_default() {
        "sface" => SFACE,
        "mobilefacenet128" => MOBILE_128,
        "mobilefacenet512" | "iresnet18" | "iresnet34" | "iresnet50" | "iresnet100" => ARCFACE,
        "facenet512" => FACENET,
        _ => LINES,
    }
}

/// From so many frames on a template counts as fused.
pub const FUSED: u16 = 3;

/// Most candidates a sighting names.
pub const CANDIDATES: usize = 5;

/// What is known about one passage.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// Everybody compared with, in any order.
    pub candidates: &'a [Candidate],
    /// Different frames behind the template; copies of a frame do not count.
    pub frames: u16,
    /// How good the best look was.
    pub grade: Grade,
    /// Why it was not better.
    pub doubts: &'a [Reason],
    /// Whether the best candidate is known to look like somebody else who is enrolled.
    pub look_alike: bool,
    /// Where this model's lines usually lie: what confidence is measured by.
    pub usual: Lines,
}

/// What follows from the facts.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// Sure, for review, or nobody.
    pub verdict: Verdict,
    /// Why it is not surer; empty when it could not be.
    pub reasons: Vec<Reason>,
    /// Best first, each at or above the review line, at most [`CANDIDATES`]; empty when unknown.
    pub candidates: Vec<Candidate>,
    /// How sure it is of the best score; 0 without anybody to compare with.
    pub confidence: f32,
}

/// The decision for one passage.
#[must_use]
pub fn decide(facts: &Facts<'_>, lines: &Lines) -> Decision {
    let ranked = ranked(facts.candidates);
    let (high, review) = lines_for(facts.frames, lines);
    let best = ranked.first().map_or(f32::NEG_INFINITY, |candidate| candidate.score);
    let mut reasons = Vec::new();
    reasons.extend((best < high).then_some(Reason::BelowLine));
    let runner_up = ranked.get(1).is_some_and(|second| best - second.score < lines.margin);
    reasons.extend((best >= review && runner_up).then_some(Reason::CloseRunnerUp));
    reasons.extend((best >= review && facts.look_alike).then_some(Reason::LookAlike));
    reasons.extend_from_slice(facts.doubts);
    let sure = reasons.is_empty() && facts.grade == Grade::Accept;
    let verdict = match facts.grade {
        Grade::Drop => Verdict::Unknown,
        _ if best < review => Verdict::Unknown,
        _ if sure => Verdict::High,
        _ => Verdict::Review,
    };
    if verdict == Verdict::Review && facts.frames < 2 {
        reasons.push(Reason::SingleFrame);
    }
    let named = ranked.into_iter().filter(|candidate| candidate.score >= review).take(CANDIDATES);
    let candidates = if verdict == Verdict::Unknown { Vec::new() } else { named.collect() };
    let confidence = confidence_by(&facts.usual, best);
    Decision { verdict, reasons, candidates, confidence }
}

/// Whether a person ruled the best candidate out before, in favour of somebody who comes into
/// question again: at or above the review line. `ruled_out` knows (who was seen, who they are not).
#[must_use]
pub fn is_ruled_out(
    candidates: &[Candidate],
    frames: u16,
    lines: &Lines,
    ruled_out: impl Fn(StudentId, StudentId) -> bool,
) -> bool {
    let (ranked, review) = (ranked(candidates), lines_for(frames, lines).1);
    let Some((best, others)) = ranked.split_first() else { return false };
    let near = others.iter().take_while(|other| other.score >= review);
    near.into_iter().any(|other| ruled_out(other.student, best.student))
}

/// Best first; people with equal scores in the order of their ids, so that two runs agree.
fn ranked(candidates: &[Candidate]) -> Vec<Candidate> {
    let mut ranked: Vec<_> =
        candidates.iter().copied().filter(|candidate| candidate.score.is_finite()).collect();
    ranked.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.student.cmp(&b.student)));
    ranked
}

/// The high and the review line for a template of so many frames.
#[must_use]
pub fn lines_for(frames: u16, lines: &Lines) -> (f32, f32) {
    match frames {
        FUSED.. => (lines.fused_high, lines.fused_review),
        _ => (lines.single_high, lines.single_review),
    }
}

/// Lines for whoever is, or is near, one of two enrolled people with the cosine `highest`: sure
/// matches lie a step above it.
#[must_use]
pub fn raised(lines: &Lines, highest: f32) -> Lines {
    let least = (highest + 0.005).min(1.0);
    Lines {
        single_high: lines.single_high.max(least),
        fused_high: lines.fused_high.max(least),
        ..*lines
    }
}

/// Confidence 0 to 1 of a cosine of a model whose lines usually lie at `lines`.
///
/// The bands people know fall on them, .7 on review and .9 on sure. Piecewise linear; below review
/// the line goes on, a little flatter, until 0.
#[must_use]
pub fn confidence_by(lines: &Lines, cosine: f32) -> f32 {
    let (review, high) = (lines.single_review, lines.single_high);
    // .911, .5 for the default pack.
    let low = review - 1.45 * (high - review);
    let line = |[(x0, y0), (x1, y1)]: [(f32, f32); 2]| y0 + (cosine - x0) * (y1 - y0) / (x1 - x0);
    let piece = if cosine < review {
        [(low, 0.5), (review, 0.7)]
    } else if cosine < high {
        [(review, 0.7), (high, 0.9)]
    } else {
        [(high, 0.9), (1.0, 1.0)]
    };
    line(piece).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn candidates(scores: &[f32]) -> Vec<Candidate> {
        let student = |n: usize| StudentId(uuid::Uuid::from_u128(n as u128 + 1));
        scores
            .iter()
            .enumerate()
            .map(|(n, &score)| Candidate { student: student(n), score })
            .collect()
    }

    fn facts(candidates: &[Candidate], frames: u16) -> Facts<'_> {
        let (grade, doubts) = (Grade::Accept, &[]);
        Facts { candidates, frames, grade, doubts, look_alike: false, usual: LINES }
    }

    fn verdict(scores: &[f32], frames: u16) -> (Verdict, Vec<Reason>) {
        let decision = decide(&facts(&candidates(scores), frames), &LINES);
        (decision.verdict, decision.reasons)
    }

    #[test]
    fn the_lines_part_sure_review_and_unknown() {
        assert_eq!(verdict(&[0.960, 0.8], 1), (Verdict::High, vec![]));
        let review = vec![Reason::BelowLine, Reason::SingleFrame];
        assert_eq!(verdict(&[0.959, 0.8], 1), (Verdict::Review, review));
        assert_eq!(verdict(&[0.939, 0.8], 1), (Verdict::Unknown, vec![Reason::BelowLine]));
        assert_eq!(verdict(&[], 1).0, Verdict::Unknown);
    }

    #[test]
    fn three_frames_have_lines_of_their_own() {
        assert_eq!(verdict(&[0.962], 2).0, Verdict::High);
        assert_eq!(verdict(&[0.962], 3), (Verdict::Review, vec![Reason::BelowLine]));
        assert_eq!(verdict(&[0.945], 3).0, Verdict::Unknown);
        assert_eq!(verdict(&[0.965], 3).0, Verdict::High);
    }

    #[test]
    fn a_close_runner_up_goes_to_review() {
        assert_eq!(verdict(&[0.975, 0.966], 3), (Verdict::Review, vec![Reason::CloseRunnerUp]));
        assert_eq!(verdict(&[0.975, 0.964], 3).0, Verdict::High);
    }

    #[test]
    fn a_look_alike_and_a_poor_look_go_to_review() {
        let people = candidates(&[0.99, 0.5]);
        let twin = decide(&Facts { look_alike: true, ..facts(&people, 3) }, &LINES);
        assert_eq!((twin.verdict, twin.reasons), (Verdict::Review, vec![Reason::LookAlike]));
        let doubts = [Reason::Blurred];
        let blurred = Facts { grade: Grade::ReviewOnly, doubts: &doubts, ..facts(&people, 3) };
        assert_eq!(decide(&blurred, &LINES).verdict, Verdict::Review);
        let dropped = Facts { grade: Grade::Drop, ..blurred };
        assert_eq!(decide(&dropped, &LINES).verdict, Verdict::Unknown);
    }

    #[test]
    fn only_candidates_above_the_review_line_are_named_best_first() {
        let people = candidates(&[0.945, 0.2, 0.97, 0.945, f32::NAN]);
        let decision = decide(&facts(&people, 1), &LINES);
        let named: Vec<_> = decision.candidates.iter().map(|c| c.student).collect();
        assert_eq!(named, [people[2].student, people[0].student, people[3].student]);
        let nobody = decide(&facts(&people[1..2], 1), &LINES);
        assert!(nobody.candidates.is_empty(), "an unknown face names nobody");
    }

    #[test]
    fn beside_look_alikes_the_sure_lines_lie_above_them() {
        assert_eq!(raised(&LINES, 0.90), LINES);
        let close = raised(&LINES, 0.962);
        assert!((close.single_high - 0.967).abs() < 1e-6 && close.fused_high > 0.966);
        assert_eq!((close.single_review, raised(&LINES, 1.0).single_high), (0.940, 1.0));
    }

    #[test]
    fn confidence_falls_on_the_bands_at_the_lines() {
        for (cosine, wanted) in [(0.911, 0.5), (0.940, 0.7), (0.950, 0.8), (0.960, 0.9), (1.0, 1.0)]
        {
            assert!((confidence_by(&LINES, cosine) - wanted).abs() < 1e-5, "{cosine}");
        }
        let none = [0.5, f32::NEG_INFINITY].map(|cosine| confidence_by(&LINES, cosine));
        assert_eq!(none, [0.0, 0.0]);
    }

    #[test]
    fn every_model_has_lines_of_its_own_and_the_bands_fall_on_them() {
        assert_eq!(lines_of("dlib-1.mtcnn-mirror"), LINES);
        assert_eq!(lines_of("unheard-of"), LINES);
        assert_eq!(lines_of("iresnet50-1.scrfd10g-0011aabb").single_high, 0.6);
        assert_eq!(lines_of("sface-1.yunet-0011aabb").single_review, 0.363);
        for model in ["sface-1", "iresnet50-1", "facenet512-1", "mobilefacenet128-1", "dlib-1"] {
            let lines = lines_of(model);
            let bands = [lines.single_review, lines.single_high, 1.0];
            let found = bands.map(|line| confidence_by(&lines, line));
            assert!(
                found.iter().zip([0.7, 0.9, 1.0]).all(|(a, b)| (a - b).abs() < 1e-5),
                "{model}"
            );
            assert!(lines.fused_high >= lines.single_high && lines.fused_review < lines.fused_high);
        }
    }

    proptest! {
        #[test]
        fn more_likeness_never_lowers_the_verdict(
            score in 0.8f32..1.0, step in 0.0f32..0.1, frames in 1u16..6,
        ) {
            let rank = |score: f32| match verdict(&[score, 0.5], frames).0 {
                Verdict::Unknown => 0,
                Verdict::Review => 1,
                Verdict::High => 2,
            };
            prop_assert!(rank((score + step).min(1.0)) >= rank(score));
            let sure = |score| confidence_by(&LINES, score);
            prop_assert!(sure(score + step) >= sure(score));
        }
    }
}
