//! Scores as people and other systems say them, of the cosines of whatever pack runs.
//!
//! Inside there is one score, the cosine, and each pack has cosines of its own: a [`Scale`] says
//! what they mean. Settings and answers of the systems Rollcall replaces speak of distances and
//! confidences; these functions are the only bridges.

use crate::decide::{confidence_by, lines_of};
use wire::Lines;

/// Mean squared length of the default pack's raw outputs, twice: a distance d between two of them
/// is the cosine 1 − d² / 4.5 (lengths are about 1.5).
const TWICE_SQUARED_LENGTH: f32 = 4.5;

/// A setting that means nothing here.
#[derive(Debug, thiserror::Error, PartialEq)]
pub enum ScoreError {
    /// Not a distance two templates can have.
    #[error("a distance line of {0} is outside 0 to 3")]
    Distance(f32),
    /// Not a probability.
    #[error("a confidence line of {0} is outside 0 to 1")]
    Confidence(f32),
}

/// What the cosines of one pack mean. Its manifest names its model, and whatever is made with the
/// pack carries that name along.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Scale {
    usual: Lines,
    /// Whether its raw numbers are those that distances are measured between.
    raw: bool,
}

impl Scale {
    /// That of a model; one of no known name has the default pack's.
    #[must_use]
    pub fn of(model: &str) -> Self {
        Self { usual: lines_of(model), raw: lines_of(model) == crate::decide::LINES }
    }

    /// Confidence 0 to 1 of a cosine.
    #[must_use]
    pub fn confidence(&self, cosine: f32) -> f32 {
        confidence_by(&self.usual, cosine)
    }

    /// The cosine of a confidence: what [`Scale::confidence`] turns back.
    ///
    /// # Errors
    /// [`ScoreError::Confidence`] outside 0 to 1.
    pub fn cosine(&self, confidence: f32) -> Result<f32, ScoreError> {
        match (0.0..=1.0).contains(&confidence) {
            true => Ok(self.at(confidence)),
            false => Err(ScoreError::Confidence(confidence)),
        }
    }

    fn at(&self, confidence: f32) -> f32 {
        let (review, high) = (self.usual.single_review, self.usual.single_high);
        let low = review - 1.45 * (high - review);
        let line =
            |[(x0, y0), (x1, y1)]: [(f32, f32); 2]| x0 + (confidence - y0) * (x1 - x0) / (y1 - y0);
        line(match confidence {
            0.9.. => [(high, 0.9), (1.0, 1.0)],
            0.7.. => [(review, 0.7), (high, 0.9)],
            _ => [(low, 0.5), (review, 0.7)],
        })
    }

    /// The distance to show for a cosine. Packs without the raw numbers that distances are measured
    /// between say what the default pack would where it is as confident.
    #[must_use]
    pub fn distance(&self, cosine: f32) -> f32 {
        match self.raw {
            true => to_distance(cosine),
            false => to_distance(Self::of("").at(self.confidence(cosine))),
        }
    }

    /// From this cosine on two looks a moment apart are one person wherever they are: a little
    /// above where a person would be asked.
    #[must_use]
    pub fn same(&self) -> f32 {
        self.at(0.75)
    }

    /// Below this cosine two looks are two people; from it on two enrolled people are near each
    /// other. Of the default pack one pair of strangers in a hundred reaches it.
    #[must_use]
    pub fn near(&self) -> f32 {
        self.at(0.5)
    }

    /// From where a person is asked to where nobody needs to be, in cosine.
    #[must_use]
    pub fn band(&self) -> f32 {
        self.usual.single_high - self.usual.single_review
    }
}

/// The cosine of a Euclidean distance between raw 128-number encodings (0.5 → .944, 0.6 → .920).
///
/// # Errors
/// [`ScoreError::Distance`] outside 0 to 3.
pub fn from_distance(distance: f32) -> Result<f32, ScoreError> {
    if !(0.0..=3.0).contains(&distance) {
        return Err(ScoreError::Distance(distance));
    }
    Ok(1.0 - distance * distance / TWICE_SQUARED_LENGTH)
}

/// The distance to show for a cosine.
#[must_use]
pub fn to_distance(cosine: f32) -> f32 {
    (TWICE_SQUARED_LENGTH * (1.0 - cosine.clamp(-1.0, 1.0))).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MODELS: [&str; 6] = [
        "dlib-1.mtcnn-mirror",
        "iresnet50-1.scrfd10g-00",
        "sface-1.yunet-00",
        "facenet512-1.retina-00",
        "mobilefacenet128-1.scrfd-00",
        "unheard-of",
    ];

    #[test]
    fn the_usual_distance_lines_have_known_cosines() {
        assert!((from_distance(0.5).unwrap() - 0.9444).abs() < 1e-4);
        assert!((from_distance(0.6).unwrap() - 0.92).abs() < 1e-6);
        for distance in [0.0, 0.3, 0.6, 1.2] {
            assert!((to_distance(from_distance(distance).unwrap()) - distance).abs() < 1e-3);
        }
        assert!(from_distance(-0.1).is_err() && from_distance(f32::NAN).is_err());
    }

    #[test]
    fn a_sure_match_is_nearer_than_any_line_of_others_whatever_pack_runs() {
        for model in MODELS {
            let (scale, lines) = (Scale::of(model), lines_of(model));
            let [sure, doubtful] = [lines.single_high, scale.near()].map(|at| scale.distance(at));
            assert!(sure < 0.5 && doubtful > 0.6, "{model}: {sure} and {doubtful}");
        }
        let same_cosine = ["dlib-1", "sface-1"].map(|model| Scale::of(model).distance(0.5));
        assert!(same_cosine[0] > 1.4 && same_cosine[1] < 0.45, "{same_cosine:?}");
    }

    #[test]
    fn the_lines_of_a_track_lie_in_order_below_the_sure_one() {
        for model in MODELS {
            let (scale, lines) = (Scale::of(model), lines_of(model));
            assert!(scale.near() < lines.single_review && lines.single_review < scale.same());
            assert!(scale.same() < lines.single_high && scale.near() > 0.0, "{model}");
        }
        assert!((Scale::of("dlib-1").same() - 0.945).abs() < 1e-5);
    }

    proptest! {
        #[test]
        fn a_confidence_comes_back_from_every_pack(of in 0.0f32..=1.0, n in 0usize..6) {
            let scale = Scale::of(MODELS[n]);
            let back = scale.confidence(scale.cosine(of).unwrap());
            prop_assert!((back - of).abs() < 1e-3, "{of} came back as {back}");
            prop_assert!(scale.cosine(of + 1.1).is_err() && scale.cosine(-0.1 - of).is_err());
        }

        #[test]
        fn more_likeness_is_never_farther(at in -1.0f32..1.0, more in 0.0f32..0.5, n in 0usize..6) {
            let scale = Scale::of(MODELS[n]);
            prop_assert!(scale.distance((at + more).min(1.0)) <= scale.distance(at) + 1e-6);
        }
    }
}
