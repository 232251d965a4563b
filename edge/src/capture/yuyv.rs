//! YUYV as USB cameras give it, to RGB.

use vision::{ImageError, Picture};

/// BT.601, limited range: what UVC cameras send unless they say otherwise.
///
/// # Errors
/// When there are fewer bytes than the size needs (more are ignored: drivers pad).
pub fn to_rgb(width: u32, height: u32, bytes: &[u8]) -> Result<Picture, ImageError> {
    let wanted = width as usize * height as usize * 2;
    let shape = ImageError::Shape { width, height, bytes: bytes.len() };
    let pairs = bytes.get(..wanted).ok_or(shape)?;
    let mut rgb = Vec::with_capacity(wanted / 2 * 3);
    for &[y0, u, y1, v] in pairs.as_chunks::<4>().0 {
        for y in [y0, y1] {
            rgb.extend(pixel(y.into(), u.into(), v.into()));
        }
    }
    Picture::new(width, height, rgb)
}

fn pixel(y: i32, u: i32, v: i32) -> [u8; 3] {
    let y = 298 * (y - 16) + 128;
    let u = u - 128;
    let v = v - 128;
    [y + 409 * v, y - 100 * u - 208 * v, y + 516 * u].map(|c| (c >> 8).clamp(0, 255) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn black_white_and_red_are_themselves() {
        let rgb = |yuyv: [u8; 4]| to_rgb(2, 1, &yuyv).unwrap().rgb;
        assert_eq!(rgb([16, 128, 235, 128]), [0, 0, 0, 255, 255, 255]);
        let red = rgb([81, 90, 81, 240]);
        assert!(red[0] > 250 && red[1] < 5 && red[2] < 5, "{red:?}");
    }

    #[test]
    fn padding_is_ignored_and_a_short_frame_refused() {
        assert_eq!(to_rgb(2, 1, &[16, 128, 16, 128, 9, 9]).unwrap().rgb.len(), 6);
        assert!(matches!(to_rgb(2, 2, &[16; 6]), Err(ImageError::Shape { bytes: 6, .. })));
        assert!(to_rgb(0, 0, &[]).is_err());
    }
}
