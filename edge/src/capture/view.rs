//! `[view]`, what of the picture counts: a camera may hang on its side, and see more than the door.

use crate::table::ConfigError;
use serde::Deserialize;
use vision::Picture;

/// Shares of the picture below which a region shows nobody.
const LEAST: f32 = 0.05;

/// `[view]`
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct View {
    /// Degrees clockwise by which the picture is turned until people stand upright: 0, 90, 180 or
    /// 270. Default 0.
    pub rotate: u16,
    /// Left, top, right and bottom of what counts, as shares of the turned picture, 0 to 1.
    /// Default all of it.
    pub region: Option<[f32; 4]>,
}

impl View {
    /// Checks what was typed.
    ///
    /// # Errors
    /// Names the key that is wrong, and what to write.
    pub fn check(&self) -> Result<(), ConfigError> {
        if !matches!(self.rotate, 0 | 90 | 180 | 270) {
            return Err(ConfigError::key("view.rotate", "must be 0, 90, 180 or 270 degrees"));
        }
        let Some([left, top, right, bottom]) = self.region else { return Ok(()) };
        let within = [left, top, right, bottom].iter().all(|share| (0.0..=1.0).contains(share));
        if within && right - left >= LEAST && bottom - top >= LEAST {
            return Ok(());
        }
        let say = "is [left, top, right, bottom] in shares of the picture, such as \
                   [0.25, 0.0, 0.75, 1.0]";
        Err(ConfigError::key("view.region", say))
    }

    /// The picture upright, and of it what counts.
    #[must_use]
    pub fn of(self, picture: Picture) -> Picture {
        let turned = match self.rotate {
            0 => picture,
            degrees => picture.turned(degrees),
        };
        let Some([left, top, right, bottom]) = self.region else { return turned };
        let at = |share: f32, side: u32| (share * side as f32).round() as u32;
        let (x, y) = (at(left, turned.width), at(top, turned.height));
        let (across, down) = (at(right, turned.width) - x, at(bottom, turned.height) - y);
        turned.crop(x.into(), y.into(), across, down).unwrap_or(turned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of 4 × 2 pixels, each by its number.
    fn picture() -> Picture {
        Picture::new(4, 2, (0..8).flat_map(|n| [n; 3]).collect()).unwrap()
    }

    fn seen(rotate: u16, region: Option<[f32; 4]>) -> (u32, Vec<u8>) {
        let view = View { rotate, region };
        view.check().unwrap();
        let seen = view.of(picture());
        (seen.width, seen.rgb.chunks(3).map(|pixel| pixel[0]).collect())
    }

    #[test]
    fn a_camera_on_its_side_sees_people_upright() {
        assert_eq!(seen(0, None), (4, vec![0, 1, 2, 3, 4, 5, 6, 7]));
        assert_eq!(seen(90, None), (2, vec![4, 0, 5, 1, 6, 2, 7, 3]));
        assert_eq!(seen(180, None), (4, vec![7, 6, 5, 4, 3, 2, 1, 0]));
        assert_eq!(seen(270, None), (2, vec![3, 7, 2, 6, 1, 5, 0, 4]));
    }

    #[test]
    fn only_what_counts_is_looked_at() {
        assert_eq!(seen(0, Some([0.25, 0.0, 0.75, 0.5])), (2, vec![1, 2]));
        assert_eq!(
            seen(90, Some([0.0, 0.5, 1.0, 1.0])),
            (2, vec![6, 2, 7, 3]),
            "after it is turned"
        );
    }

    #[test]
    fn what_no_camera_does_is_refused_by_name() {
        let wrong = |view: View| view.check().unwrap_err().to_string();
        assert!(wrong(View { rotate: 45, region: None }).contains("view.rotate"));
        for region in [[0.5, 0.0, 0.5, 1.0], [0.0, 0.0, 1.5, 1.0], [0.0, f32::NAN, 1.0, 1.0]] {
            assert!(wrong(View { rotate: 0, region: Some(region) }).contains("view.region"));
        }
    }
}
