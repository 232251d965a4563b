//! Winograd's way for filters of 3 × 3 with stride 1: fewer multiplications.
//!
//! F(4 × 4, 3 × 3): every tile of 6 × 6 pixels becomes 36 vectors over channels; each of the 36
//! places of a tile is a matrix product of its own, by the same kernel as everything else; 4 × 4
//! results come back out. A quarter of the multiplications. Source: Lavin and Gray, "Fast
//! Algorithms for Convolutional Neural Networks", 2015. Against direct convolution it costs about
//! one decimal digit: measured on the golden vectors, 1e-6 instead of 5e-7.
//!
//! F(2 × 2, 3 × 3) has 16 places a tile and takes four ninths. Its filters are less than half as
//! many numbers, which counts where they are so many that they come from memory.
#![expect(unsafe_code, reason = "tiles are loaded and stored by vectors within checked maps")]
#![expect(
    clippy::needless_range_loop,
    reason = "closures are not compiled for the instruction set"
)]

mod transform;

use super::{
    map::{Map, SLACK},
    product::{Ahead, Finish, Reach, blocks, sums, tiles},
    simd::{Isa, Job, Simd},
    weights::Weights,
};
use std::{cell::RefCell, marker::PhantomData};
use transform::{FOUR, Four, MOST, TWO, Transform, Two};

/// Results of a tile along one side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tile {
    Two,
    Four,
}

/// Numbers of scratch space: what stays in the second-level cache beside the weights.
const SCRATCH: usize = 80 * 1024;

thread_local! {
    /// Tiles on their way, one buffer a thread: zeroing fresh memory took a tenth of the time.
    static TILES: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
}

/// Filters of 3 × 3, transformed.
pub(super) struct Winograd {
    isa: Isa,
    pub(super) tile: Tile,
    channels: usize,
    filters: usize,
    /// Block after block of filters, in each place after place, in each channel after channel.
    numbers: Weights,
}

impl Winograd {
    /// `values` are `[filters, 3, 3, channels]`.
    pub(super) fn new(
        isa: Isa,
        tile: Tile,
        filters: usize,
        channels: usize,
        values: &[f32],
    ) -> Self {
        let table = match tile {
            Tile::Two => TWO,
            Tile::Four => FOUR,
        };
        let places = table.len() * table.len();
        let spread = |place: usize, filter: usize, channel: usize| {
            let (rows, columns) = (table[place / table.len()], table[place % table.len()]);
            let number = |i: usize| {
                let value = f64::from(values[(filter * 9 + i) * channels + channel]);
                rows[i / 3] * columns[i % 3] * value
            };
            (0..9).map(number).sum::<f64>() as f32
        };
        let lanes = isa.lanes();
        let mut numbers = Vec::with_capacity(filters.next_multiple_of(lanes) * channels * places);
        for (first, vectors) in blocks(filters, lanes) {
            for (place, channel) in (0..places * channels).map(|i| (i / channels, i % channels)) {
                let block = first..first + vectors * lanes;
                let number = |f| if f < filters { spread(place, f, channel) } else { 0.0 };
                numbers.extend(block.map(number));
            }
        }
        Self { isa, tile, channels, filters, numbers: Weights::of(&numbers) }
    }

    /// `size` is `[images, rows, columns]` of the result, `to` the steps of its frame, in numbers.
    pub(super) fn run(
        &self,
        map: &Map,
        pad: usize,
        size: [usize; 3],
        to: [usize; 3],
        finish: Finish<'_>,
        output: &mut [f32],
    ) {
        TILES.with_borrow_mut(|scratch| match self.tile {
            Tile::Two => self.isa.run(Tiles {
                plan: self,
                map,
                tiling: Tiling::<Two>::new(pad, size, to),
                finish,
                scratch,
                output,
            }),
            Tile::Four => self.isa.run(Tiles {
                plan: self,
                map,
                tiling: Tiling::<Four>::new(pad, size, to),
                finish,
                scratch,
                output,
            }),
        });
    }
}

/// How tiles lie on a map.
struct Tiling<T> {
    down: usize,
    across: usize,
    pad: usize,
    size: [usize; 3],
    to: [usize; 3],
    kind: PhantomData<T>,
}

impl<T: Transform> Tiling<T> {
    fn new(pad: usize, size: [usize; 3], to: [usize; 3]) -> Self {
        let [down, across] = [size[1], size[2]].map(|length| length.div_ceil(T::OUT));
        Self { down, across, pad, size, to, kind: PhantomData }
    }

    /// Image, first row and first column of the results of a tile.
    #[inline(always)]
    fn place(&self, tile: usize) -> [usize; 3] {
        let (row, column) = (tile / self.across, tile % self.across);
        [row / self.down, row % self.down * T::OUT, column * T::OUT]
    }
}

/// All tiles of a map, some at a time: their pixels are spread, then block by block of filters
/// multiplied and gathered, so that nothing leaves the second-level cache on the way.
struct Tiles<'a, T> {
    plan: &'a Winograd,
    map: &'a Map,
    tiling: Tiling<T>,
    finish: Finish<'a>,
    scratch: &'a mut Vec<f32>,
    output: &'a mut [f32],
}

/// Some tiles, and where their numbers lie in the scratch space.
#[derive(Clone, Copy)]
struct Chunk {
    first: usize,
    count: usize,
    /// Whole vectors of channels.
    channels: usize,
    /// One tile of pixels.
    patch: *mut f32,
    /// Place after place, in each tile after tile; from one place to the next.
    spread: *mut f32,
    step: usize,
    /// Tile after tile, in each place after place, in each a block of filters.
    products: *mut f32,
}

impl<T: Transform> Job for Tiles<'_, T> {
    #[inline(always)]
    unsafe fn run<S: Simd>(mut self) {
        let Tiling { down, across, size, to, .. } = self.tiling;
        let (filters, [_, h, w, c]) = (self.plan.filters, self.map.size());
        let last: usize = size.iter().zip(to).map(|(size, step)| (size - 1) * step).sum();
        assert!(last + filters <= self.output.len(), "results leave the output");
        assert!(c == self.plan.channels, "the map has other channels");
        assert!(size[0] * h * w * c <= self.map.values().len(), "the map is short");
        self.finish.check(filters.next_multiple_of(S::LANES), last + filters);
        let channels = c.next_multiple_of(S::LANES);
        let tile = T::PLACES * (channels + 2 * S::LANES);
        let most = (SCRATCH / tile / S::PLACES).max(1) * S::PLACES;
        // Even chunks: one that is short reads as many weights as one that is full.
        let all = size[0] * down * across;
        let chunk = all.div_ceil(all.div_ceil(most).max(1)).next_multiple_of(S::PLACES);
        // Places lie an odd number of cache lines apart, or they would fight for the same ones.
        let step = (chunk * channels).next_multiple_of(32) + 16;
        let (patch, spread) = (T::PLACES * channels + SLACK, T::PLACES * step);
        let needed = patch + spread + chunk * T::PLACES * 2 * S::LANES + SLACK;
        if self.scratch.len() < needed {
            self.scratch.resize(needed, 0.0);
        }
        let patch_at = self.scratch.as_mut_ptr();
        for first in (0..all).step_by(chunk) {
            let count = chunk.min(all - first);
            // SAFETY: bounds of map, output and scratch space were checked above.
            unsafe {
                let spread_at = patch_at.add(patch);
                let products = spread_at.add(spread);
                self.chunk::<S>(Chunk {
                    first,
                    count,
                    channels,
                    patch: patch_at,
                    spread: spread_at,
                    step,
                    products,
                });
            }
        }
    }
}

impl<T: Transform> Tiles<'_, T> {
    #[inline(always)]
    unsafe fn chunk<S: Simd>(&mut self, chunk: Chunk) {
        // SAFETY: the caller's promise; weights are whole blocks.
        unsafe {
            for i in 0..chunk.count {
                self.spread::<S>(&chunk, i);
            }
            let mut weights = self.plan.numbers.as_ptr();
            for (filter, vectors) in blocks(self.plan.filters, S::LANES) {
                match vectors {
                    2 => self.multiply::<S, 2>(&chunk, weights),
                    _ => self.multiply::<S, 1>(&chunk, weights),
                }
                let width = vectors * S::LANES;
                weights = weights.add(T::PLACES * self.plan.channels * width);
                for i in 0..chunk.count {
                    for v in 0..vectors {
                        let from = chunk.products.add(i * T::PLACES * width + v * S::LANES);
                        self.gather::<S>(chunk.first + i, filter + v * S::LANES, from, width);
                    }
                }
            }
        }
    }

    /// At each place, the tiles times a block of filters.
    #[inline(always)]
    unsafe fn multiply<S: Simd, const V: usize>(&self, chunk: &Chunk, mut weights: *const f32) {
        let (width, run) = (V * S::LANES, self.plan.channels);
        let reach = Reach { rows: 1, run, pitch: 0 };
        let last = chunk.count - 1;
        for place in 0..T::PLACES {
            let next = weights.wrapping_add(run * width);
            let mut ahead = Ahead::new(next, width, chunk.count.div_ceil(S::PLACES));
            // SAFETY: the caller's promise; tiles beyond the last one are the last one again.
            unsafe {
                let (from, to) =
                    (chunk.spread.add(place * chunk.step), chunk.products.add(place * width));
                tiles!(S, chunk.count, at, R => {
                    let mut x = [from.cast_const(); R];
                    for r in 0..R {
                        x[r] = x[r].add(last.min(at + r) * chunk.channels);
                    }
                    let none = [S::splat(0.0); V];
                    let sums = sums::<S, R, V>(x, reach, weights, none, &mut ahead);
                    for r in 0..R {
                        let to = to.add(last.min(at + r) * T::PLACES * width);
                        for v in 0..V {
                            S::store(to.add(v * S::LANES), sums[v][r]);
                        }
                    }
                });
            }
            weights = next;
        }
    }

    /// Pixels of tile `i` of a chunk to its places. The last vector may reach beyond the channels:
    /// nobody reads what comes of that.
    #[inline(always)]
    unsafe fn spread<S: Simd>(&self, chunk: &Chunk, i: usize) {
        let [_, _, w, c] = self.map.size();
        // SAFETY: pixels beyond the map are not read; the caller has room for all places.
        unsafe {
            let (from, pitch) = match self.inside(chunk.first + i) {
                Some(at) => (self.map.room().as_ptr().add(at), w * c),
                None => (self.patch(chunk.first + i, chunk.patch), T::IN * c),
            };
            let to = chunk.spread.add(i * chunk.channels);
            for first in (0..c).step_by(S::LANES) {
                let mut columns = [[S::splat(0.0); MOST]; MOST];
                for x in 0..T::IN {
                    let from = from.add(x * c + first);
                    let mut column = [S::splat(0.0); MOST];
                    for y in 0..T::IN {
                        column[y] = S::load(from.add(y * pitch));
                    }
                    columns[x] = T::spread::<S>(column);
                }
                for y in 0..T::IN {
                    let mut row = [S::splat(0.0); MOST];
                    for x in 0..T::IN {
                        row[x] = columns[x][y];
                    }
                    let row = T::spread::<S>(row);
                    for x in 0..T::IN {
                        S::store(to.add((y * T::IN + x) * chunk.step + first), row[x]);
                    }
                }
            }
        }
    }

    /// Where a tile begins in the map, if the whole of it lies there.
    #[inline(always)]
    fn inside(&self, tile: usize) -> Option<usize> {
        let [_, h, w, c] = self.map.size();
        let [image, top, left] = self.tiling.place(tile);
        let top = top.checked_sub(self.tiling.pad)?;
        let left = left.checked_sub(self.tiling.pad)?;
        (top + T::IN <= h && left + T::IN <= w).then_some(((image * h + top) * w + left) * c)
    }

    /// A copy of a tile with zeros where the map has ended.
    #[inline(always)]
    unsafe fn patch(&self, tile: usize, patch: *mut f32) -> *const f32 {
        let ([_, h, w, c], pad) = (self.map.size(), self.tiling.pad);
        let [image, top, left] = self.tiling.place(tile);
        let rows = met::<T>(top, pad, h);
        let columns = met::<T>(left, pad, w);
        // SAFETY: the caller has room for a tile; rows and columns met lie on the map.
        unsafe {
            patch.write_bytes(0, T::PLACES * c);
            for y in rows[0]..rows[1] {
                let row = (image * h + top + y - pad) * w;
                let at = (row + left + columns[0]).wrapping_sub(pad).wrapping_mul(c);
                let from = self.map.room().as_ptr().wrapping_add(at);
                let to = patch.add((y * T::IN + columns[0]) * c);
                std::ptr::copy_nonoverlapping(from, to, (columns[1] - columns[0]) * c);
            }
        }
        patch
    }

    /// Products at the places of a tile to finished results of one vector of filters.
    #[inline(always)]
    unsafe fn gather<S: Simd>(
        &mut self,
        tile: usize,
        filter: usize,
        from: *const f32,
        width: usize,
    ) {
        let Tiling { size, to, .. } = self.tiling;
        let [image, top, left] = self.tiling.place(tile);
        let n = (self.plan.filters - filter).min(S::LANES);
        // SAFETY: the caller's promise; a tile's results beyond the map are not stored.
        unsafe {
            let mut rows = [[S::splat(0.0); MOST]; MOST];
            for y in 0..T::IN {
                let mut row = [S::splat(0.0); MOST];
                for x in 0..T::IN {
                    row[x] = S::load(from.add((y * T::IN + x) * width));
                }
                rows[y] = T::gather::<S>(row);
            }
            let mut columns = [[S::splat(0.0); MOST]; MOST];
            for x in 0..T::OUT {
                let mut column = [S::splat(0.0); MOST];
                for y in 0..T::IN {
                    column[y] = rows[y][x];
                }
                columns[x] = T::gather::<S>(column);
            }
            let (finish, output) = (self.finish.of::<S>(filter, n), self.output.as_mut_ptr());
            let start = image * to[0] + top * to[1] + left * to[2] + filter;
            let (down, across) = (T::OUT.min(size[1] - top), T::OUT.min(size[2] - left));
            if finish.easy && down == T::OUT && across == T::OUT {
                for y in 0..T::OUT {
                    for x in 0..T::OUT {
                        let sum = S::add(columns[x][y], finish.bias);
                        finish.store_whole(output, start + y * to[1] + x * to[2], sum);
                    }
                }
                return;
            }
            for y in 0..down {
                for x in 0..across {
                    let sum = S::add(columns[x][y], finish.bias);
                    finish.store(output, start + y * to[1] + x * to[2], sum);
                }
            }
        }
    }
}

/// The first pixel of a tile at `at` that lies on a map of `length` with `pad` zeros before it, and
/// the first one that no longer does.
#[inline(always)]
fn met<T: Transform>(at: usize, pad: usize, length: usize) -> [usize; 2] {
    let last = T::IN.min((length + pad).saturating_sub(at));
    [pad.saturating_sub(at).min(last), last]
}
