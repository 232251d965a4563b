//! Boxes between the networks: pruning those that overlap, moving, squaring, cutting out.
//!
//! Every rounding and every "+ 1" is the reference implementation's, because the networks were
//! trained with them.

use crate::{Picture, Rect, area::Window};

/// A box that may hold a face.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub(super) rect: Rect,
    pub(super) score: f32,
    /// How a network would move left, top, right and bottom, in parts of width and height.
    pub(super) shift: [f32; 4],
}

/// How two boxes' overlap is measured.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Overlap {
    /// Intersection over union.
    Union,
    /// Intersection over the smaller one, sizes counted in whole pixels.
    Smaller,
}

impl Overlap {
    fn of(self, a: &Rect, b: &Rect) -> f32 {
        match self {
            Self::Union => a.iou(b),
            Self::Smaller => {
                let grown = |r: &Rect| Rect { right: r.right + 1.0, bottom: r.bottom + 1.0, ..*r };
                let (a, b) = (grown(a), grown(b));
                a.shared_area(&b) / a.area().min(b.area())
            }
        }
    }
}

/// Keeps the surest of those that overlap by more than `limit`; surest first.
pub(crate) fn prune<T>(
    mut items: Vec<T>,
    overlap: Overlap,
    limit: f32,
    view: impl Fn(&T) -> (Rect, f32),
) -> Vec<T> {
    items.sort_by(|a, b| view(b).1.total_cmp(&view(a).1));
    let mut kept: Vec<T> = Vec::new();
    for item in items {
        let rect = view(&item).0;
        if kept.iter().all(|other| overlap.of(&view(other).0, &rect) <= limit) {
            kept.push(item);
        }
    }
    kept
}

impl Candidate {
    pub(super) fn view(&self) -> (Rect, f32) {
        (self.rect, self.score)
    }

    /// Moved as the network says; `extra` pixels are added to width and height first.
    pub(super) fn moved(&self, extra: f32) -> Rect {
        let (w, h) = (self.rect.width() + extra, self.rect.height() + extra);
        let [left, top, right, bottom] = self.shift;
        Rect {
            left: self.rect.left + left * w,
            top: self.rect.top + top * h,
            right: self.rect.right + right * w,
            bottom: self.rect.bottom + bottom * h,
        }
    }

    /// Moved, then grown to a square around the same middle.
    pub(super) fn squared(&self, extra: f32) -> Self {
        let rect = self.moved(extra);
        let side = rect.width().max(rect.height());
        let left = rect.left + rect.width() * 0.5 - side * 0.5;
        let top = rect.top + rect.height() * 0.5 - side * 0.5;
        let rect = Rect { left, top, right: left + side, bottom: top + side };
        Self { rect, ..self.clone() }
    }

    /// The pixels of the box that are in the picture: coordinates cut to whole numbers, counted
    /// from 1, both ends included. `None` where that leaves nothing.
    pub(super) fn window(&self, picture: &Picture) -> Option<Window> {
        let span = |low: f32, high: f32, side: u32| {
            let (low, high) = ((low as i64).max(1), (high as i64).min(i64::from(side)));
            (high >= low).then(|| low as usize - 1..high as usize)
        };
        Some(Window {
            columns: span(self.rect.left, self.rect.right, picture.width)?,
            rows: span(self.rect.top, self.rect.bottom, picture.height)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(left: f32, side: f32, score: f32) -> Candidate {
        let rect = Rect { left, top: 0.0, right: left + side, bottom: side };
        Candidate { rect, score, shift: [0.0; 4] }
    }

    #[test]
    fn the_surest_of_two_that_overlap_stays() {
        let all = vec![candidate(0., 10., 0.7), candidate(1., 10., 0.9), candidate(30., 10., 0.8)];
        let kept = prune(all, Overlap::Union, 0.5, Candidate::view);
        assert_eq!(kept.iter().map(|c| c.score).collect::<Vec<_>>(), [0.9, 0.8]);
    }

    #[test]
    fn a_small_box_inside_a_large_one_goes_only_by_its_own_size() {
        let all = || vec![candidate(0.0, 100.0, 0.9), candidate(10.0, 10.0, 0.8)];
        assert_eq!(prune(all(), Overlap::Union, 0.7, Candidate::view).len(), 2);
        assert_eq!(prune(all(), Overlap::Smaller, 0.7, Candidate::view).len(), 1);
    }

    #[test]
    fn a_moved_box_becomes_a_square_around_its_middle() {
        let mut tall = candidate(10.0, 10.0, 1.0);
        tall.shift = [0.0, -0.5, 0.0, 0.5];
        let square = tall.squared(0.0).rect;
        assert_eq!(square, Rect { left: 5.0, top: -5.0, right: 25.0, bottom: 15.0 });
    }

    #[test]
    fn a_window_ends_with_the_picture() {
        let picture = Picture::new(20, 8, vec![0; 480]).unwrap();
        let window = candidate(-3.9, 13.0, 1.0).window(&picture).unwrap();
        assert_eq!((window.columns, window.rows), (0..9, 0..8));
        assert!(candidate(21.0, 5.0, 1.0).window(&picture).is_none());
        assert!(candidate(-30.0, 5.0, 1.0).window(&picture).is_none());
    }
}
