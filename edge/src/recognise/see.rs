//! From a picture to looks: detect, align, judge the quality, embed.

use crate::track::Look;
use std::sync::Arc;
use vision::{Cut, Face, Grade, Judgement, NetError, Pack, Picture, Rect, judge};
use wire::{Mono, Quality};

/// Crops are at most this high: enough for a teacher, little enough for 12 KiB of JPEG.
const CROP_SIDE: u32 = 200;

/// What one frame shows.
#[derive(Debug, Default)]
pub struct Seen {
    /// Faces that can be compared.
    pub looks: Vec<Look>,
    /// Faces that cannot.
    pub poor: Vec<Poor>,
    /// All faces of the frame, compared or not.
    pub faces: usize,
}

/// A face too poor to be compared.
#[derive(Clone, Debug)]
pub struct Poor {
    /// Where it is.
    pub rect: Rect,
    /// How poor.
    pub quality: Quality,
    /// What is wrong with it.
    pub reasons: Vec<wire::Reason>,
}

/// Looks at some faces of one frame, number `frame` taken `at`.
///
/// # Errors
/// Only when a computation fails; no picture can cause it.
pub fn see(
    pack: &Pack,
    picture: &Picture,
    faces: Vec<Face>,
    (frame, at): (u64, Mono),
) -> Result<Seen, NetError> {
    let mut seen = Seen { faces: faces.len(), ..Seen::default() };
    let mut good: Vec<(Face, Judgement)> = Vec::new();
    let mut cuts: Vec<Cut> = Vec::new();
    for face in faces {
        let cut = pack.cut(picture, &face);
        let judged = judge(&face, &cut.view.to_picture());
        if judged.grade == Grade::Drop {
            let Judgement { quality, doubts: reasons, .. } = judged;
            seen.poor.push(Poor { rect: face.rect, quality, reasons });
        } else {
            good.push((face, judged));
            cuts.push(cut);
        }
    }
    let templates = if cuts.is_empty() { Vec::new() } else { pack.glance(&cuts)? };
    let look = |(((face, judged), cut), template): (((Face, Judgement), Cut), _)| Look {
        frame,
        at,
        rect: face.rect,
        template,
        mirror: None,
        cut: Arc::new(cut),
        weight: weight(&judged.quality),
        quality: judged.quality,
        reasons: judged.doubts,
        crop: Arc::new(crop(picture, &face.rect)),
    };
    seen.looks = good.into_iter().zip(cuts).zip(templates).map(look).collect();
    Ok(seen)
}

/// How much a look counts among others of the same person: sharp, near and frontal ones most.
fn weight(quality: &Quality) -> f32 {
    let share = |value: f32, enough: f32| (value / enough).clamp(0.2, 1.0);
    share(quality.eye_px, 40.0) * share(quality.sharpness, 60.0) * share(1.0 - quality.turn, 1.0)
}

/// The face with a third of its size around it, small enough to be kept in memory.
fn crop(picture: &Picture, rect: &Rect) -> Picture {
    let across = rect.width() / 3.0;
    let down = rect.height() / 3.0;
    let (x, y) = ((rect.left - across) as i64, (rect.top - down) as i64);
    let (width, height) =
        ((rect.width() + 2.0 * across) as u32, (rect.height() + 2.0 * down) as u32);
    let part = picture.crop(x, y, width, height);
    // A face entirely outside its picture cannot be found in it; a pixel stands in for the proof.
    let part = part.unwrap_or_else(|| picture.resized(1, 1));
    if part.height <= CROP_SIDE {
        return part;
    }
    let width = u64::from(part.width) * u64::from(CROP_SIDE) / u64::from(part.height);
    part.resized(u32::try_from(width).unwrap_or(CROP_SIDE), CROP_SIDE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture() -> Picture {
        Picture::new(640, 480, (0..640 * 480 * 3).map(|n| (n % 251) as u8).collect()).unwrap()
    }

    #[test]
    fn a_crop_shows_the_face_with_a_margin_and_stays_small() {
        let rect = |left, side| Rect { left, top: 90.0, right: left + side, bottom: 90.0 + side };
        let small = crop(&picture(), &rect(200.0, 60.0));
        assert_eq!((small.width, small.height), (100, 100));
        let large = crop(&picture(), &rect(200.0, 240.0));
        assert_eq!(large.height, CROP_SIDE);
        let edge = crop(&picture(), &rect(-30.0, 60.0));
        assert!(edge.width < 60 && edge.height == 100);
        let nowhere = crop(&picture(), &rect(-900.0, 60.0));
        assert_eq!((nowhere.width, nowhere.height), (1, 1));
    }

    #[test]
    fn sharp_near_and_frontal_looks_weigh_most() {
        let good = Quality { eye_px: 60.0, sharpness: 200.0, turn: 0.0, ..Quality::default() };
        assert_eq!(weight(&good), 1.0);
        for worse in [
            Quality { eye_px: 20.0, ..good },
            Quality { sharpness: 12.0, ..good },
            Quality { turn: 0.5, ..good },
        ] {
            assert!(weight(&worse) < 0.6 && weight(&worse) > 0.0, "{worse:?}");
        }
    }
}
