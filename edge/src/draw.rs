//! Boxes around faces, for a technician to see what the door sees.

use crate::report::Report;
use vision::Picture;
use wire::Verdict;

/// Pixels of a box's line.
const LINE: i64 = 3;

/// The report's picture with a box around each face: green sure, amber for review, red unknown.
#[must_use]
pub fn boxes(report: &Report) -> Option<Picture> {
    let mut picture = report.picture.clone()?;
    for face in &report.faces {
        outline(&mut picture, face.rect, colour(face.verdict));
    }
    Some(picture)
}

fn colour(verdict: Verdict) -> [u8; 3] {
    match verdict {
        Verdict::High => [40, 200, 80],
        Verdict::Review => [250, 180, 20],
        Verdict::Unknown => [220, 50, 50],
    }
}

fn outline(picture: &mut Picture, rect: [f32; 4], colour: [u8; 3]) {
    let [left, top, right, bottom] = rect.map(|edge| edge as i64);
    fill(picture, [left, top, right, top + LINE], colour);
    fill(picture, [left, bottom - LINE, right, bottom], colour);
    fill(picture, [left, top, left + LINE, bottom], colour);
    fill(picture, [right - LINE, top, right, bottom], colour);
}

/// Paints what of the area lies in the picture.
fn fill(picture: &mut Picture, area: [i64; 4], colour: [u8; 3]) {
    let (width, height) = (i64::from(picture.width), i64::from(picture.height));
    let [left, top, right, bottom] = area;
    let columns = left.clamp(0, width) as usize..right.clamp(0, width) as usize;
    for y in top.clamp(0, height)..bottom.clamp(0, height) {
        let row = y as usize * picture.width as usize;
        for x in columns.clone() {
            picture.rgb[(row + x) * 3..][..3].copy_from_slice(&colour);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_box_beyond_the_edge_is_cut_and_its_inside_stays() {
        let mut picture = Picture::new(20, 20, vec![9; 1200]).unwrap();
        outline(&mut picture, [-5.0, 4.0, 12.0, 400.0], [1, 2, 3]);
        assert_eq!(picture.pixel(0, 4), [1, 2, 3], "upper edge");
        assert_eq!(picture.pixel(11, 19), [1, 2, 3], "right edge");
        assert_eq!(picture.pixel(5, 10), [9; 3], "inside");
        assert_eq!(picture.pixel(15, 10), [9; 3], "outside");
    }
}
