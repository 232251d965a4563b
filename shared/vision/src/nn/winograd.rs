//! Winograd's F(4 × 4, 3 × 3): a quarter of the multiplications for filters of 3 × 3 with stride 1.
//!
//! Every tile of 6 × 6 pixels becomes 36 vectors over channels ([`Spread`]); each of the 36 places
//! of a tile is a matrix product of its own, by the same kernel as everything else; 4 × 4 results
//! come back out ([`Gather`]). Source: Lavin and Gray, "Fast Algorithms for Convolutional Neural
//! Networks", 2015. Against direct convolution it costs about one decimal digit: measured on the
//! golden vectors, 1e-6 instead of 5e-7.
#![expect(unsafe_code, reason = "tiles are loaded and stored by vectors within checked maps")]
#![expect(
    clippy::needless_range_loop,
    reason = "closures are not compiled for the instruction set"
)]

use super::{
    conv::Map,
    product::{Finish, Grid, Packed, Product},
    simd::{Isa, Job, Simd},
};
use std::{cell::RefCell, ops::Range};

/// Results of a tile, and pixels they come from, along one side.
const OUT: usize = 4;
const IN: usize = 6;

/// Numbers of scratch space: what stays in the second-level cache beside the weights.
const SCRATCH: usize = 96 * 1024;

thread_local! {
    /// Tiles on their way, one buffer a thread: zeroing fresh memory took a tenth of the time.
    static TILES: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
}

/// Filters of 3 × 3, transformed.
pub(super) struct Winograd {
    isa: Isa,
    channels: usize,
    filters: usize,
    places: Vec<Packed>,
}

impl Winograd {
    /// `values` are `[filters, 3, 3, channels]`.
    pub(super) fn new(isa: Isa, filters: usize, channels: usize, values: &[f32]) -> Self {
        let value = |filter: usize, y: usize, x: usize, channel: usize| {
            f64::from(values[((filter * 3 + y) * 3 + x) * channels + channel])
        };
        let place = |i: usize| {
            let (rows, columns) = (SPREAD[i / IN], SPREAD[i % IN]);
            Packed::new(isa, filters, channels, |filter, channel| {
                let row = |y: usize| -> f64 {
                    (0..3).map(|x| columns[x] * value(filter, y, x, channel)).sum()
                };
                (0..3).map(|y| rows[y] * row(y)).sum::<f64>() as f32
            })
        };
        Self { isa, channels, filters, places: (0..IN * IN).map(place).collect() }
    }

    /// `size` is `[images, rows, columns]` of the result, `to` the steps of its frame, in numbers.
    pub(super) fn run(
        &self,
        map: &Map<'_>,
        pad: usize,
        size: [usize; 3],
        to: [usize; 3],
        finish: Finish<'_>,
        output: &mut [f32],
    ) {
        let [images, rows, columns] = size;
        let tiling =
            Tiling { down: rows.div_ceil(OUT), across: columns.div_ceil(OUT), pad, size, to };
        let all = images * tiling.down * tiling.across;
        let most = (SCRATCH / (IN * IN * (self.channels + self.filters))).max(12);
        // Even chunks: one that is short reads as many weights as one that is full.
        let even = all.div_ceil(all.div_ceil(most).max(1)).next_multiple_of(6).min(most);
        TILES.with_borrow_mut(|scratch| {
            for first in (0..all).step_by(even) {
                let tiles = first..all.min(first + even);
                self.chunk(map, &tiling, tiles, finish, scratch, output);
            }
        });
    }

    fn chunk(
        &self,
        map: &Map<'_>,
        tiling: &Tiling,
        tiles: Range<usize>,
        finish: Finish<'_>,
        scratch: &mut Vec<f32>,
        output: &mut [f32],
    ) {
        // Places lie an odd number of cache lines apart, or they would fight for the same ones.
        let apart = |width: usize| (tiles.len() * width).next_multiple_of(32) + 16;
        let steps = [apart(self.channels), apart(self.filters)];
        let needed = IN * IN * (steps[0] + steps[1]);
        if scratch.len() < needed {
            scratch.resize(needed, 0.0);
        }
        let (spread, products) = scratch[..needed].split_at_mut(IN * IN * steps[0]);
        self.isa.run(Spread { map, tiling, tiles: tiles.clone(), step: steps[0], spread });
        let grid = Grid::new([1, 1, tiles.len()], [0, 0, self.channels], [0, 0, self.filters]);
        for (i, filters) in self.places.iter().enumerate() {
            let input = &spread[i * steps[0]..][..tiles.len() * self.channels];
            let output = &mut products[i * steps[1]..][..tiles.len() * self.filters];
            Product { grid: &grid, rows: 1, pitch: 0, filters, finish: None, input, output }.run();
        }
        let filters = self.filters;
        self.isa.run(Gather { products, step: steps[1], filters, tiling, tiles, finish, output });
    }
}

/// What a filter's row of three becomes.
const SPREAD: [[f64; 3]; IN] = [
    [1.0 / 4.0, 0.0, 0.0],
    [-1.0 / 6.0, -1.0 / 6.0, -1.0 / 6.0],
    [-1.0 / 6.0, 1.0 / 6.0, -1.0 / 6.0],
    [1.0 / 24.0, 1.0 / 12.0, 1.0 / 6.0],
    [1.0 / 24.0, -1.0 / 12.0, 1.0 / 6.0],
    [0.0, 0.0, 1.0],
];

/// How tiles lie on a map.
struct Tiling {
    down: usize,
    across: usize,
    pad: usize,
    size: [usize; 3],
    to: [usize; 3],
}

impl Tiling {
    /// Image, first row and first column of the results of a tile.
    #[inline(always)]
    fn place(&self, tile: usize) -> [usize; 3] {
        let (row, column) = (tile / self.across, tile % self.across);
        [row / self.down, row % self.down * OUT, column * OUT]
    }
}

/// Pixels to the 36 places of their tiles.
struct Spread<'a> {
    map: &'a Map<'a>,
    tiling: &'a Tiling,
    tiles: Range<usize>,
    step: usize,
    spread: &'a mut [f32],
}

impl Job for Spread<'_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let [_, h, w, channels] = self.map.size;
        let pad = self.tiling.pad;
        assert!(self.spread.len() >= IN * IN * self.step, "scratch space is short");
        assert!(self.step >= self.tiles.len() * channels, "places overlap");
        for (i, tile) in self.tiles.enumerate() {
            let [image, top, left] = self.tiling.place(tile);
            for first in (0..channels).step_by(S::LANES) {
                let n = (channels - first).min(S::LANES);
                // SAFETY: pixels beyond the map are not read; the assertions cover the stores.
                unsafe {
                    let mut columns = [[S::splat(0.0); IN]; IN];
                    for x in 0..IN {
                        for y in 0..IN {
                            let row = (top + y).wrapping_sub(pad);
                            let column = (left + x).wrapping_sub(pad);
                            if row < h && column < w {
                                let at = ((image * h + row) * w + column) * channels + first;
                                columns[x][y] = S::load_n(self.map.values.as_ptr().add(at), n);
                            }
                        }
                        columns[x] = spread::<S>(columns[x]);
                    }
                    let to = self.spread.as_mut_ptr().add(i * channels + first);
                    for y in 0..IN {
                        let mut row = [S::splat(0.0); IN];
                        for x in 0..IN {
                            row[x] = columns[x][y];
                        }
                        let row = spread::<S>(row);
                        for x in 0..IN {
                            S::store_n(to.add((y * IN + x) * self.step), row[x], n);
                        }
                    }
                }
            }
        }
    }
}

/// Six pixels in a row to their six places.
///
/// # Safety
/// The instruction set of `S` must be there.
#[inline(always)]
unsafe fn spread<S: Simd>(d: [S::V; IN]) -> [S::V; IN] {
    // SAFETY: the caller's promise.
    unsafe {
        let (two, four, minus_five) = (S::splat(2.0), S::splat(4.0), S::splat(-5.0));
        let (far, near) = (S::sub(d[4], S::mul(four, d[2])), S::sub(d[4], d[2]));
        let (odd, even) = (S::sub(d[3], S::mul(four, d[1])), S::mul(two, S::sub(d[3], d[1])));
        [
            S::fma(four, d[0], S::fma(minus_five, d[2], d[4])),
            S::add(far, odd),
            S::sub(far, odd),
            S::add(near, even),
            S::sub(near, even),
            S::fma(four, d[1], S::fma(minus_five, d[3], d[5])),
        ]
    }
}

/// Products at the 36 places of tiles to finished results.
struct Gather<'a> {
    products: &'a [f32],
    step: usize,
    filters: usize,
    tiling: &'a Tiling,
    tiles: Range<usize>,
    finish: Finish<'a>,
    output: &'a mut [f32],
}

impl Job for Gather<'_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let Tiling { size, to, .. } = *self.tiling;
        let last: usize = size.iter().zip(to).map(|(size, step)| (size - 1) * step).sum();
        assert!(last + self.filters <= self.output.len(), "results leave the output");
        assert!(self.products.len() >= IN * IN * self.step, "scratch space is short");
        assert!(self.step >= self.tiles.len() * self.filters, "places overlap");
        self.finish.check(self.filters.next_multiple_of(S::LANES), last + self.filters);
        for (i, tile) in self.tiles.enumerate() {
            let [image, top, left] = self.tiling.place(tile);
            for first in (0..self.filters).step_by(S::LANES) {
                let n = (self.filters - first).min(S::LANES);
                // SAFETY: the assertions above; a tile's results beyond the map are not stored.
                unsafe {
                    let from = self.products.as_ptr().add(i * self.filters + first);
                    let mut rows = [[S::splat(0.0); OUT]; IN];
                    for y in 0..IN {
                        let mut row = [S::splat(0.0); IN];
                        for x in 0..IN {
                            row[x] = S::load_n(from.add((y * IN + x) * self.step), n);
                        }
                        rows[y] = gather::<S>(row);
                    }
                    for x in 0..OUT.min(size[2] - left) {
                        let mut column = [S::splat(0.0); IN];
                        for y in 0..IN {
                            column[y] = rows[y][x];
                        }
                        let column = gather::<S>(column);
                        for y in 0..OUT.min(size[1] - top) {
                            let at = image * to[0] + (top + y) * to[1] + (left + x) * to[2] + first;
                            let sum = self.finish.apply::<S>(column[y], first, at, n);
                            S::store_n(self.output.as_mut_ptr().add(at), sum, n);
                        }
                    }
                }
            }
        }
    }
}

/// Six places in a row to four results.
///
/// # Safety
/// The instruction set of `S` must be there.
#[inline(always)]
unsafe fn gather<S: Simd>(m: [S::V; IN]) -> [S::V; OUT] {
    // SAFETY: the caller's promise.
    unsafe {
        let (near, far) = (S::add(m[1], m[2]), S::add(m[3], m[4]));
        let (odd, even) = (S::sub(m[1], m[2]), S::sub(m[3], m[4]));
        [
            S::add(m[0], S::add(near, far)),
            S::fma(S::splat(2.0), even, odd),
            S::fma(S::splat(4.0), far, near),
            S::add(m[5], S::fma(S::splat(8.0), even, odd)),
        ]
    }
}
