//! What happens to pixels before the products and to products after them, along one side of a tile.

use crate::nn::simd::Simd;

/// Pixels of the largest tile along one side: those of its results and two more.
pub(super) const MOST: usize = 6;

/// Tiles of `OUT` × `OUT` results. Lists are as long as those of the largest tile; what is beyond
/// `IN` or `OUT` says nothing.
pub(super) trait Transform {
    const OUT: usize;
    const IN: usize = Self::OUT + 2;
    /// Places of a tile.
    const PLACES: usize = Self::IN * Self::IN;

    /// Pixels in a row to their places.
    ///
    /// # Safety
    /// The instruction set of `S` must be there.
    unsafe fn spread<S: Simd>(d: [S::V; MOST]) -> [S::V; MOST];

    /// Places in a row to results.
    ///
    /// # Safety
    /// The instruction set of `S` must be there.
    unsafe fn gather<S: Simd>(m: [S::V; MOST]) -> [S::V; MOST];
}

/// F(4 × 4, 3 × 3).
pub(super) struct Four;

impl Transform for Four {
    const OUT: usize = 4;

    #[inline(always)]
    unsafe fn spread<S: Simd>(d: [S::V; MOST]) -> [S::V; MOST] {
        // SAFETY: the caller's promise.
        unsafe {
            let (two, minus_two) = (S::splat(2.0), S::splat(-2.0));
            let (four, minus_four, minus_five) = (S::splat(4.0), S::splat(-4.0), S::splat(-5.0));
            let (far, odd) = (S::fma(minus_four, d[2], d[4]), S::fma(minus_four, d[1], d[3]));
            let (near, even) = (S::sub(d[4], d[2]), S::sub(d[3], d[1]));
            [
                S::fma(four, d[0], S::fma(minus_five, d[2], d[4])),
                S::add(far, odd),
                S::sub(far, odd),
                S::fma(two, even, near),
                S::fma(minus_two, even, near),
                S::fma(four, d[1], S::fma(minus_five, d[3], d[5])),
            ]
        }
    }

    #[inline(always)]
    unsafe fn gather<S: Simd>(m: [S::V; MOST]) -> [S::V; MOST] {
        // SAFETY: the caller's promise.
        unsafe {
            let (near, far) = (S::add(m[1], m[2]), S::add(m[3], m[4]));
            let (odd, even) = (S::sub(m[1], m[2]), S::sub(m[3], m[4]));
            [
                S::add(m[0], S::add(near, far)),
                S::fma(S::splat(2.0), even, odd),
                S::fma(S::splat(4.0), far, near),
                S::add(m[5], S::fma(S::splat(8.0), even, odd)),
                m[4],
                m[5],
            ]
        }
    }
}

/// F(2 × 2, 3 × 3).
pub(super) struct Two;

impl Transform for Two {
    const OUT: usize = 2;

    #[inline(always)]
    unsafe fn spread<S: Simd>(d: [S::V; MOST]) -> [S::V; MOST] {
        // SAFETY: the caller's promise.
        unsafe {
            [
                S::sub(d[0], d[2]),
                S::add(d[1], d[2]),
                S::sub(d[2], d[1]),
                S::sub(d[1], d[3]),
                d[4],
                d[5],
            ]
        }
    }

    #[inline(always)]
    unsafe fn gather<S: Simd>(m: [S::V; MOST]) -> [S::V; MOST] {
        // SAFETY: the caller's promise.
        unsafe {
            let (sum, rest) = (S::add(m[1], m[2]), S::sub(m[1], m[2]));
            [S::add(m[0], sum), S::sub(rest, m[3]), m[2], m[3], m[4], m[5]]
        }
    }
}

/// What a filter's row of three becomes in tiles of 4 × 4 results.
pub(super) const FOUR: &[[f64; 3]] = &[
    [1.0 / 4.0, 0.0, 0.0],
    [-1.0 / 6.0, -1.0 / 6.0, -1.0 / 6.0],
    [-1.0 / 6.0, 1.0 / 6.0, -1.0 / 6.0],
    [1.0 / 24.0, 1.0 / 12.0, 1.0 / 6.0],
    [1.0 / 24.0, -1.0 / 12.0, 1.0 / 6.0],
    [0.0, 0.0, 1.0],
];

/// And of 2 × 2.
pub(super) const TWO: &[[f64; 3]] =
    &[[1.0, 0.0, 0.0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0.0, 0.0, 1.0]];
