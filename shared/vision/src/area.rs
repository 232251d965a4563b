//! Resizing by averaging: each new pixel is the mean of all old pixels it touches.
//!
//! Equal to PyTorch's `interpolate(mode="area")` (adaptive average pooling), which MTCNN was
//! trained with. Columns are summed first, where the compiler can use vectors, then rows.

use crate::{
    Picture,
    nn::simd::{Isa, Job, Simd},
};
use std::ops::{AddAssign, Range};

/// Whole pixels of a picture: columns, then rows.
#[derive(Clone, Debug)]
pub(crate) struct Window {
    pub(crate) columns: Range<usize>,
    pub(crate) rows: Range<usize>,
}

impl Window {
    pub(crate) fn whole(picture: &Picture) -> Self {
        Self { columns: 0..picture.width as usize, rows: 0..picture.height as usize }
    }
}

/// Shrinks (or stretches) `window` to `size` = rows × columns and writes the rows `wanted` of it to
/// `output`: three numbers a pixel, 0 to 255.
///
/// # Panics
/// When the window is empty or leaves the picture, or the output has another size, which is the
/// caller's mistake.
pub(crate) fn average(
    picture: &Picture,
    window: &Window,
    size: [usize; 2],
    wanted: Range<usize>,
    output: &mut [f32],
) {
    assert!(!window.columns.is_empty() && !window.rows.is_empty(), "nothing to average");
    assert!(window.columns.end <= picture.width as usize, "the window is too wide");
    assert!(window.rows.end <= picture.height as usize, "the window is too high");
    assert_eq!(output.len(), wanted.len() * size[1] * 3, "the output has another size");
    let (numbers, rows) = (window.columns.len() * 3 + 1, window.rows.len().div_ceil(size[0]) + 1);
    // Sixteen bits hold the sum of 257 bytes, and twice as many of them lie in a vector.
    if rows <= 257 {
        let sums = vec![0u16; numbers];
        Isa::best().run(Average { picture, window, size, wanted, sums, output });
    } else {
        let sums = vec![0u32; numbers];
        Isa::best().run(Average { picture, window, size, wanted, sums, output });
    }
}

/// The old pixels that new pixel `i` of `new` touches.
#[inline(always)]
fn touched(i: usize, new: usize, old: usize) -> Range<usize> {
    i * old / new..((i + 1) * old).div_ceil(new)
}

struct Average<'a, Sum> {
    picture: &'a Picture,
    window: &'a Window,
    size: [usize; 2],
    wanted: Range<usize>,
    /// One number more than a row of the window has, so that four lie at each pixel.
    sums: Vec<Sum>,
    output: &'a mut [f32],
}

#[expect(unsafe_code, reason = "a job may be entered only with its instruction set on")]
impl<Sum: Copy + Default + AddAssign + From<u8> + Into<u32>> Job for Average<'_, Sum> {
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let Self { picture, window, size, wanted, mut sums, output } = self;
        let pitch = picture.width as usize * 3;
        let width = window.columns.len();
        let columns: Vec<_> = (0..size[1]).map(|column| touched(column, size[1], width)).collect();
        for (row, output) in wanted.zip(output.chunks_exact_mut(size[1] * 3)) {
            let rows = touched(row, size[0], window.rows.len());
            sums.fill(Sum::default());
            for y in rows.clone() {
                let start = (window.rows.start + y) * pitch;
                let line = start + window.columns.start * 3..start + window.columns.end * 3;
                let pixels = &picture.rgb[line];
                sums.iter_mut().zip(pixels).for_each(|(sum, &byte)| *sum += Sum::from(byte));
            }
            for (columns, output) in columns.iter().zip(output.as_chunks_mut::<3>().0) {
                let share = 1.0 / (columns.len() * rows.len()) as f32;
                // Four lanes are a vector, three are not.
                let mut sum = [0u32; 4];
                for pixel in sums[columns.start * 3..columns.end * 3 + 1].windows(4).step_by(3) {
                    (0..4).for_each(|c| sum[c] += pixel[c].into());
                }
                let [red, green, blue, _] = sum.map(|sum| sum as f32 * share);
                *output = [red, green, blue];
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ramp(width: u32, height: u32) -> Picture {
        let rgb = (0..width * height * 3).map(|i| (i * 7 % 256) as u8).collect();
        Picture::new(width, height, rgb).unwrap()
    }

    fn resized(picture: &Picture, size: [usize; 2]) -> Vec<f32> {
        let mut output = vec![0.0; size[0] * size[1] * 3];
        average(picture, &Window::whole(picture), size, 0..size[0], &mut output);
        output
    }

    #[test]
    fn the_same_size_is_the_same_picture() {
        let picture = ramp(5, 4);
        let same: Vec<f32> = picture.rgb.iter().map(|&byte| f32::from(byte)).collect();
        assert_eq!(resized(&picture, [4, 5]), same);
    }

    #[test]
    fn half_the_size_is_the_mean_of_four() {
        let picture = Picture::new(2, 2, vec![0, 10, 1, 4, 10, 3, 8, 10, 5, 12, 10, 7]).unwrap();
        assert_eq!(resized(&picture, [1, 1]), [6.0, 10.0, 4.0]);
    }

    #[test]
    fn a_pixel_on_the_border_counts_for_both_sides() {
        let picture = Picture::new(3, 1, vec![0, 0, 0, 60, 60, 60, 120, 120, 120]).unwrap();
        assert_eq!(resized(&picture, [1, 2]), [30., 30., 30., 90., 90., 90.]);
    }

    #[test]
    fn white_stays_white_however_many_rows_become_one() {
        for rows in [255, 256, 257, 258, 600] {
            let white = Picture::new(2, rows, vec![255; 6 * rows as usize]).unwrap();
            let one = resized(&white, [1, 1]);
            assert!(one.iter().all(|&mean| (mean - 255.0).abs() < 1e-3), "{rows} rows: {one:?}");
        }
    }

    #[test]
    fn some_rows_of_a_window_are_those_of_the_whole() {
        let picture = ramp(31, 17);
        let window = Window { columns: 3..30, rows: 2..16 };
        let (mut whole, mut part) = ([0.0; 9 * 24], [0.0; 2 * 24]);
        average(&picture, &window, [9, 8], 0..9, &mut whole);
        average(&picture, &window, [9, 8], 4..6, &mut part);
        assert_eq!(part[..], whole[4 * 24..6 * 24]);
    }
}
