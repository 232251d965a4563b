//! How much a look at a face is worth: size, sharpness, light, turn, and what follows.
//!
//! Poor looks cost matches, hardly ever wrong ones, so the gate is there to keep bad templates out
//! of fusion and to tell people why. Every number is measured on the default
//! pack, with faces of LFW made small, dark, blurred and turned.

use crate::{Face, Picture, Rect};
use wire::{Quality, Reason};

/// What a look may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grade {
    /// Nothing.
    Drop,
    /// Matching, but a person decides.
    ReviewOnly,
    /// Matching.
    Accept,
}

/// A look judged.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    /// The measures, as records carry them.
    pub quality: Quality,
    /// What the look may be used for.
    pub grade: Grade,
    /// Why not for more; empty for [`Grade::Accept`].
    pub doubts: Vec<Reason>,
}

/// The face a picture is about: the largest of those the detector is sure of, else the surest.
///
/// People in the background are smaller, and what is taken for a face by mistake scores less.
#[must_use]
pub fn principal(faces: &[Face]) -> Option<&Face> {
    let size = |face: &&Face| face.rect.area();
    let sure = faces.iter().filter(|face| face.score >= SURE);
    sure.max_by(|a, b| size(a).total_cmp(&size(b)))
        .or_else(|| faces.iter().max_by(|a, b| a.score.total_cmp(&b.score)))
}

/// The face in the middle of a picture of that size, as LFW's protocol has it: the one of those the
/// detector is sure of whose centre is nearest the picture's, else the surest.
#[must_use]
pub fn central(faces: &[Face], width: u32, height: u32) -> Option<&Face> {
    let middle = Rect { right: width as f32, bottom: height as f32, ..Rect::default() }.centre();
    let away = |face: &&Face| face.rect.centre().distance(middle);
    let sure = faces.iter().filter(|face| face.score >= SURE);
    sure.min_by(|a, b| away(a).total_cmp(&away(b)))
        .or_else(|| faces.iter().max_by(|a, b| a.score.total_cmp(&b.score)))
}

/// Detector score of a face that is certainly one.
const SURE: f32 = 0.95;
/// Below: dropped, 47 points of true accepts lost at 8 pixels.
const EYES_DROP: f32 = 12.0;
/// Below: review only. From here on size costs nothing.
const EYES_REVIEW: f32 = 20.0;
/// Laplacian variance. Below: dropped.
const SHARP_DROP: f32 = 8.0;
/// Below: review only.
const SHARP_REVIEW: f32 = 10.0;
/// Mean luma. An eighth of usual light costs 33 points.
const DARK_DROP: f32 = 15.0;
/// A quarter of usual light costs 9 points.
const DARK_REVIEW: f32 = 32.0;
/// Mean luma of a washed-out face.
const BRIGHT_REVIEW: f32 = 225.0;
/// Nothing but white.
const BRIGHT_DROP: f32 = 245.0;
/// Part of the chip that is pure white, as behind somebody against the sun.
const CLIPPED_REVIEW: f32 = 0.35;
/// Nose offset ÷ eye distance. Above: misses double.
const TURN_REVIEW: f32 = 0.4;
/// Detector score. Whole faces score above .99; what scores less is half hidden or no face.
const UNSURE_REVIEW: f32 = 0.90;

/// Measures `face` and its aligned 150-pixel `chip`, and judges the look.
#[must_use]
pub fn judge(face: &Face, chip: &Picture) -> Judgement {
    let luma = luma(chip);
    let quality = Quality {
        eye_px: face.eye_distance(),
        sharpness: sharpness(&luma, chip.width as usize),
        brightness: luma.iter().sum::<f32>() / luma.len() as f32,
        turn: turn(face),
        detector: face.score,
    };
    let white = luma.iter().filter(|&&luma| luma >= 250.0).count();
    let (grade, doubts) = grade(&quality, white as f32 / luma.len() as f32);
    Judgement { quality, grade, doubts }
}

/// The gate: `clipped` is the white part of the chip, 0 to 1.
fn grade(quality: &Quality, clipped: f32) -> (Grade, Vec<Reason>) {
    let Quality { eye_px, sharpness, brightness, turn, detector } = *quality;
    let tests = [
        (eye_px < EYES_DROP, eye_px < EYES_REVIEW, Reason::FaceSmall),
        (sharpness < SHARP_DROP, sharpness < SHARP_REVIEW, Reason::Blurred),
        (brightness < DARK_DROP, brightness < DARK_REVIEW, Reason::Dark),
        (
            brightness > BRIGHT_DROP,
            brightness > BRIGHT_REVIEW || clipped > CLIPPED_REVIEW,
            Reason::Bright,
        ),
        (!turn.is_finite(), turn > TURN_REVIEW, Reason::TurnedAway),
        (false, detector < UNSURE_REVIEW, Reason::DetectorUnsure),
    ];
    let drop = tests.iter().any(|&(drop, ..)| drop);
    let doubts: Vec<_> =
        tests.iter().filter(|(drop, review, _)| *drop || *review).map(|&(.., why)| why).collect();
    let grade = match (drop, doubts.is_empty()) {
        (true, _) => Grade::Drop,
        (_, false) => Grade::ReviewOnly,
        _ => Grade::Accept,
    };
    (grade, doubts)
}

/// Doubts about a look of which only the measures are left.
#[must_use]
pub fn doubts(quality: &Quality) -> Vec<Reason> {
    grade(quality, 0.0).1
}

/// How far the nose lies from the middle between the eyes, along the line of the eyes, in eye
/// distances: 0 is frontal. Infinite where the eyes are one point.
fn turn(face: &Face) -> f32 {
    let [left, right, nose, ..] = face.points;
    let (across, down) = (right.x - left.x, right.y - left.y);
    let squared = across * across + down * down;
    let (x, y) = (nose.x - (left.x + right.x) / 2.0, nose.y - (left.y + right.y) / 2.0);
    if squared > 0.0 { ((x * across + y * down) / squared).abs() } else { f32::INFINITY }
}

fn luma(picture: &Picture) -> Vec<f32> {
    let weigh =
        |[r, g, b]: &[u8; 3]| 0.299 * f32::from(*r) + 0.587 * f32::from(*g) + 0.114 * f32::from(*b);
    picture.rgb.as_chunks().0.iter().map(weigh).collect()
}

/// Variance of the four-neighbour Laplacian, borders left out. 0 below 3×3 pixels.
fn sharpness(luma: &[f32], width: usize) -> f32 {
    let height = luma.len() / width;
    if width < 3 || height < 3 {
        return 0.0;
    }
    let (mut sum, mut squares) = (0.0f64, 0.0f64);
    for y in 1..height - 1 {
        let (above, row, below) =
            (&luma[(y - 1) * width..], &luma[y * width..], &luma[(y + 1) * width..]);
        for x in 1..width - 1 {
            let sides = above[x] + below[x] + row[x - 1] + row[x + 1];
            let laplacian = f64::from(sides - 4.0 * row[x]);
            sum += laplacian;
            squares += laplacian * laplacian;
        }
    }
    let count = ((width - 2) * (height - 2)) as f64;
    (squares / count - (sum / count).powi(2)) as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Point, Rect};

    const GOOD: Quality =
        Quality { eye_px: 60.0, sharpness: 200.0, brightness: 120.0, turn: 0.05, detector: 0.999 };

    fn face(points: [(f32, f32); 3]) -> Face {
        let mut face = Face { rect: Rect::default(), score: 0.99, points: [Point::default(); 5] };
        for (point, (x, y)) in face.points.iter_mut().zip(points) {
            *point = Point { x, y };
        }
        face
    }

    /// Luma stripes of `period` pixels between two greys.
    fn stripes(period: u32, dark: u8, light: u8) -> Picture {
        let grey = |x: u32| if (x / period).is_multiple_of(2) { dark } else { light };
        let row: Vec<u8> = (0..150).flat_map(|x| [grey(x); 3]).collect();
        Picture::new(150, 150, row.repeat(150)).unwrap()
    }

    #[test]
    fn a_good_look_is_accepted_without_doubts() {
        assert_eq!(grade(&GOOD, 0.0), (Grade::Accept, vec![]));
        assert_eq!(doubts(&Quality { turn: 0.5, ..GOOD }), [Reason::TurnedAway]);
    }

    #[test]
    fn each_weakness_has_its_reason_and_its_lines() {
        let cases = [
            (Quality { eye_px: 19.9, ..GOOD }, Grade::ReviewOnly, Reason::FaceSmall),
            (Quality { eye_px: 11.9, ..GOOD }, Grade::Drop, Reason::FaceSmall),
            (Quality { sharpness: 9.0, ..GOOD }, Grade::ReviewOnly, Reason::Blurred),
            (Quality { sharpness: 7.0, ..GOOD }, Grade::Drop, Reason::Blurred),
            (Quality { brightness: 30.0, ..GOOD }, Grade::ReviewOnly, Reason::Dark),
            (Quality { brightness: 14.0, ..GOOD }, Grade::Drop, Reason::Dark),
            (Quality { brightness: 230.0, ..GOOD }, Grade::ReviewOnly, Reason::Bright),
            (Quality { brightness: 250.0, ..GOOD }, Grade::Drop, Reason::Bright),
            (Quality { turn: 0.41, ..GOOD }, Grade::ReviewOnly, Reason::TurnedAway),
            (Quality { detector: 0.8, ..GOOD }, Grade::ReviewOnly, Reason::DetectorUnsure),
        ];
        for (quality, wanted, reason) in cases {
            assert_eq!(grade(&quality, 0.0), (wanted, vec![reason]), "{quality:?}");
        }
        assert_eq!(grade(&GOOD, 0.5), (Grade::ReviewOnly, vec![Reason::Bright]));
    }

    #[test]
    fn one_drop_is_enough_and_every_doubt_is_told() {
        let poor = Quality { eye_px: 15.0, brightness: 5.0, ..GOOD };
        assert_eq!(grade(&poor, 0.0), (Grade::Drop, vec![Reason::FaceSmall, Reason::Dark]));
    }

    #[test]
    fn a_picture_is_about_its_largest_sure_face() {
        let of = |side: f32, score: f32| {
            let rect = Rect { right: side, bottom: side, ..Rect::default() };
            Face { rect, score, ..face([(0., 0.); 3]) }
        };
        let faces = [of(50.0, 0.999), of(90.0, 0.97), of(200.0, 0.8)];
        assert_eq!(principal(&faces), Some(&faces[1]));
        let unsure = [of(200.0, 0.75), of(50.0, 0.8)];
        assert_eq!((principal(&unsure), principal(&[])), (Some(&unsure[1]), None));
    }

    #[test]
    fn the_central_face_is_the_sure_one_nearest_the_middle() {
        let of = |left: f32, side: f32, score: f32| {
            let rect = Rect { left, right: left + side, top: 0.0, bottom: side };
            Face { rect, score, ..face([(0., 0.); 3]) }
        };
        let faces = [of(0.0, 90.0, 0.999), of(70.0, 60.0, 0.97), of(80.0, 40.0, 0.8)];
        assert_eq!(central(&faces, 200, 60), Some(&faces[1]));
        assert_eq!(principal(&faces), Some(&faces[0]), "the largest stands at the side");
        let unsure = [of(95.0, 10.0, 0.75), of(0.0, 50.0, 0.8)];
        assert_eq!((central(&unsure, 200, 50), central(&[], 9, 9)), (Some(&unsure[1]), None));
    }

    #[test]
    fn turn_is_measured_along_the_eyes() {
        assert_eq!(turn(&face([(0., 0.), (10., 0.), (5., 7.)])), 0.0);
        assert!((turn(&face([(0., 0.), (10., 0.), (9., 7.)])) - 0.4).abs() < 1e-6);
        assert!((turn(&face([(0., 0.), (0., 10.), (-7., 1.)])) - 0.4).abs() < 1e-6, "head tilted");
        assert_eq!(turn(&face([(3., 3.), (3., 3.), (4., 4.)])), f32::INFINITY);
    }

    #[test]
    fn sharpness_is_the_variance_of_the_laplacian() {
        assert_eq!(sharpness(&luma(&stripes(1, 90, 90)), 150), 0.0);
        // Every pixel differs by 20 from both sides: ±40 everywhere.
        let sharp = sharpness(&luma(&stripes(1, 80, 100)), 150);
        assert!((sharp - 1600.0).abs() < 1.0, "{sharp}");
        assert_eq!(sharpness(&[1.0; 4], 2), 0.0);
    }

    #[test]
    fn a_chip_is_judged_by_its_pixels() {
        let eyes = face([(50., 50.), (110., 50.), (80., 80.)]);
        let judged = judge(&eyes, &stripes(3, 100, 140));
        assert!((judged.quality.brightness - 120.0).abs() < 1.0);
        assert_eq!((judged.quality.eye_px, judged.grade), (60.0, Grade::Accept));
        assert_eq!(judge(&eyes, &stripes(1, 120, 120)).doubts, [Reason::Blurred]);
        assert_eq!(judge(&eyes, &stripes(2, 0, 10)).grade, Grade::Drop);
        let half = judge(&eyes, &stripes(75, 120, 255));
        assert_eq!(half.doubts, [Reason::Bright], "half is white");
    }
}
