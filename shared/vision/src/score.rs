//! Other systems' scores, as cosines of the default pack and back.
//!
//! Inside there is one score, the cosine. Settings and answers of the systems Rollcall replaces
//! speak of distances, similarities and confidences; these functions are the only bridges.

/// Mean squared length of the default pack's raw outputs, twice: a distance d between two of them
/// is the cosine 1 − d² / 4.5 (lengths are about 1.5).
const TWICE_SQUARED_LENGTH: f32 = 4.5;

/// A setting that means nothing here.
#[derive(Debug, thiserror::Error, PartialEq)]
pub enum ScoreError {
    /// A similarity line made for another kind of network.
    #[error(
        "a similarity line of {0} belongs to ArcFace packs: with the default pack almost everybody \
         is that similar; its lines lie between 0.90 and 1 (start with 0.96)"
    )]
    OtherPack(f32),
    /// Not a distance two templates can have.
    #[error("a distance line of {0} is outside 0 to 3")]
    Distance(f32),
    /// Not a probability.
    #[error("a confidence line of {0} is outside 0 to 1")]
    Confidence(f32),
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

/// A similarity line taken over as a cosine, if it can have been meant for the default pack.
///
/// # Errors
/// [`ScoreError::OtherPack`] below .90, where this pack tells nobody apart, or above 1.
pub fn from_similarity(similarity: f32) -> Result<f32, ScoreError> {
    if (0.90..=1.0).contains(&similarity) {
        Ok(similarity)
    } else {
        Err(ScoreError::OtherPack(similarity))
    }
}

/// A similarity line taken over as a cosine for `model`: `ArcFace` models take 0.2 to 1, the
/// others only what the default pack takes.
///
/// # Errors
/// As [`from_similarity`].
pub fn from_similarity_of(model: &str, similarity: f32) -> Result<f32, ScoreError> {
    let arcface = ["iresnet", "mobilefacenet"].iter().any(|name| model.starts_with(name));
    if arcface && (0.2..=1.0).contains(&similarity) {
        return Ok(similarity);
    }
    from_similarity(similarity)
}

/// The cosine whose [`confidence`](crate::decide::confidence) is the given one: .7 → .940,
/// .9 → .960.
///
/// # Errors
/// [`ScoreError::Confidence`] outside 0 to 1.
pub fn from_confidence(confidence: f32) -> Result<f32, ScoreError> {
    if !(0.0..=1.0).contains(&confidence) {
        return Err(ScoreError::Confidence(confidence));
    }
    let between =
        |x0: f32, x1: f32, y0: f32, y1: f32| x0 + (confidence - y0) * (x1 - x0) / (y1 - y0);
    Ok(match confidence {
        0.9.. => between(0.960, 1.0, 0.9, 1.0),
        0.7.. => between(0.940, 0.960, 0.7, 0.9),
        _ => between(0.911, 0.940, 0.5, 0.7),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decide::confidence;

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
    fn a_similarity_of_another_pack_is_refused_in_a_sentence() {
        assert_eq!(from_similarity(0.96), Ok(0.96));
        assert!(from_similarity(0.6).unwrap_err().to_string().contains("ArcFace"));
        assert!(from_similarity(1.5).is_err());
        assert_eq!(from_similarity_of("iresnet50-1.scrfd10g-00", 0.6), Ok(0.6));
        assert!(from_similarity_of("dlib-1.mtcnn-mirror", 0.6).is_err());
        assert!(from_similarity_of("iresnet50-1.scrfd10g-00", f32::NAN).is_err());
    }

    #[test]
    fn confidence_lines_map_back_onto_cosines() {
        for wanted in [0.0, 0.2, 0.5, 0.7, 0.8, 0.9, 0.95, 1.0] {
            let back = confidence(from_confidence(wanted).unwrap());
            assert!((back - wanted).abs() < 1e-4, "{wanted} came back as {back}");
        }
        assert!(from_confidence(1.1).is_err());
    }
}
