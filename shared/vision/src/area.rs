//! Resizing by averaging: each new pixel is the mean of all old pixels it touches.
//!
//! Equal to PyTorch's `interpolate(mode="area")` (adaptive average pooling), which MTCNN was
//! trained with. Rows are summed first, where the compiler can use vectors, then columns from the
//! left, so that the sum of any of them is a difference.

use crate::{
    Picture,
    nn::simd::{Isa, Job, Simd},
};
use std::{cell::RefCell, ops::Range};

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
    LINES.with_borrow_mut(|lines| {
        Isa::best().run(Average { picture, window, size, wanted, lines, output });
    });
}

/// Old pixels of a row that are summed at once.
const WIDE: usize = 64;
/// Bytes whose sum sixteen bits hold; so short, twice as many sums lie in a vector.
const BYTES: usize = 257;

thread_local! {
    /// The same for every crop of a frame.
    static LINES: RefCell<Lines> = RefCell::default();
}

/// What is kept of a row of new pixels while it is found.
#[derive(Default)]
struct Lines {
    /// Sums of rows, for each number of the window. A few more, so that four lie at each pixel.
    sums: Vec<u32>,
    /// The same, summed from the left: what lies before each column.
    before: Vec<[u32; 4]>,
    /// The columns each new pixel touches.
    columns: Vec<Range<usize>>,
}

/// The old pixels that new pixel `i` of `new` touches.
#[inline(always)]
fn touched(i: usize, new: usize, old: usize) -> Range<usize> {
    i * old / new..((i + 1) * old).div_ceil(new)
}

/// The same for all new pixels, by carrying what a division would have left.
fn all_touched(new: usize, old: usize, into: &mut Vec<Range<usize>>) {
    let (whole, part) = (old / new, old % new);
    let (mut start, mut rest) = (0, 0);
    into.clear();
    for _ in 0..new {
        let first = start;
        (start, rest) = (start + whole, rest + part);
        if rest >= new {
            (start, rest) = (start + 1, rest - new);
        }
        into.push(first..start + usize::from(rest > 0));
    }
}

struct Average<'a> {
    picture: &'a Picture,
    window: &'a Window,
    size: [usize; 2],
    wanted: Range<usize>,
    lines: &'a mut Lines,
    output: &'a mut [f32],
}

#[expect(unsafe_code, reason = "a job may be entered only with its instruction set on")]
impl Job for Average<'_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let Self { picture, window, size, wanted, lines: Lines { sums, before, columns }, output } =
            self;
        let pitch = picture.width as usize * 3;
        let width = window.columns.len();
        sums.clear();
        sums.resize((width * 3).max(WIDE) + 1, 0);
        before.resize(width + 1, [0; 4]);
        all_touched(size[1], width, columns);
        // A pixel touches so many columns, one more or two.
        let least = (width / size[1]).max(1);
        for (row, output) in wanted.zip(output.chunks_exact_mut(size[1] * 3)) {
            let rows = touched(row, size[0], window.rows.len());
            let start = (window.rows.start + rows.start) * pitch + window.columns.start * 3;
            add_rows(&picture.rgb[start..], pitch, rows.len(), &mut sums[..width * 3]);
            add_columns(sums, &mut before[1..]);
            let shares = [least, least + 1, least + 2].map(|n| 1.0 / (n * rows.len()) as f32);
            for (columns, output) in columns.iter().zip(output.as_chunks_mut::<3>().0) {
                let share = shares[columns.len() - least];
                let [left, right] = [before[columns.start], before[columns.end]];
                let mut mean = [0.0; 4];
                for c in 0..4 {
                    mean[c] = right[c].wrapping_sub(left[c]) as i32 as f32 * share;
                }
                *output = [mean[0], mean[1], mean[2]];
            }
        }
    }
}

/// Sums of `rows` rows that begin `pitch` bytes apart.
#[inline(always)]
fn add_rows(pixels: &[u8], pitch: usize, rows: usize, sums: &mut [u32]) {
    let Some(last) = sums.len().checked_sub(WIDE) else {
        for (i, sum) in sums.iter_mut().enumerate() {
            *sum = (0..rows).map(|row| u32::from(pixels[row * pitch + i])).sum();
        }
        return;
    };
    let mut first = 0;
    loop {
        let mut all = [0u32; WIDE];
        for from in (0..rows).step_by(BYTES) {
            let mut some = [0u16; WIDE];
            for row in from..rows.min(from + BYTES) {
                let bytes = &pixels[row * pitch + first..][..WIDE];
                for k in 0..WIDE {
                    some[k] = some[k].wrapping_add(u16::from(bytes[k]));
                }
            }
            for k in 0..WIDE {
                all[k] = all[k].wrapping_add(u32::from(some[k]));
            }
        }
        sums[first..first + WIDE].copy_from_slice(&all);
        if first == last {
            return;
        }
        // The last ones may overlap those before.
        first = last.min(first + WIDE);
    }
}

/// Sums from the left. Only three of four numbers are of use, but four are a vector.
#[inline(always)]
fn add_columns(sums: &[u32], before: &mut [[u32; 4]]) {
    let mut sum = [0u32; 4];
    for (i, before) in before.iter_mut().enumerate() {
        let Some(pixel) = sums[3 * i..].first_chunk::<4>() else { return };
        let mut next = [0; 4];
        for c in 0..4 {
            next[c] = sum[c].wrapping_add(pixel[c]);
        }
        (sum, *before) = (next, next);
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
    fn columns_are_found_without_division() {
        for (new, old) in [(1, 1), (7, 3), (3, 7), (24, 24), (193, 640), (48, 47), (5, 100)] {
            let mut all = Vec::new();
            all_touched(new, old, &mut all);
            assert!(all.iter().cloned().eq((0..new).map(|i| touched(i, new, old))), "{new} {old}");
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
