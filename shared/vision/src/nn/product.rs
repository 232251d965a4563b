//! The kernel: for many places in a map, the products of what lies there with every filter.
//!
//! A tile of up to 12 places × 2 vectors of filters stays in registers while the taps stream by.
//! In NHWC the taps of one filter row lie side by side in memory, so a filter is `rows` runs of
//! `kernel width × channels` numbers; three channels need no special case, and a convolution,
//! a dense layer and a matrix product differ in their [`Grid`] only.
#![expect(unsafe_code, reason = "register tiles over pointers whose bounds are checked once")]
#![expect(
    clippy::needless_range_loop,
    reason = "closures are not compiled for the instruction set"
)]

use super::simd::{Isa, Job, Simd};

/// Where places lie in the input and their results in the output, in numbers: image `n`, row `y`,
/// column `x` reads at `n·from[0] + y·from[1] + x·from[2]` and writes likewise by `to`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grid {
    pub(super) size: [usize; 3],
    pub(super) from: [usize; 3],
    pub(super) to: [usize; 3],
}

impl Grid {
    fn last(&self, steps: [usize; 3]) -> usize {
        self.size.iter().zip(steps).map(|(size, step)| (size - 1) * step).sum()
    }
}

/// Filters in the order the kernel reads them: blocks of 2 vectors (the last may have 1), in each
/// block tap after tap.
pub(super) struct Packed {
    isa: Isa,
    filters: usize,
    /// Numbers a filter reads at one place.
    depth: usize,
    numbers: Vec<f32>,
}

impl Packed {
    /// `weight(filter, tap)` for taps in the order of the input in memory.
    pub(super) fn new(
        isa: Isa,
        filters: usize,
        depth: usize,
        weight: impl Fn(usize, usize) -> f32,
    ) -> Self {
        let lanes = isa.lanes();
        let mut numbers = Vec::with_capacity(filters.next_multiple_of(lanes) * depth);
        for (first, vectors) in blocks(filters, lanes) {
            for tap in 0..depth {
                let block = first..first + vectors * lanes;
                numbers.extend(block.map(|f| if f < filters { weight(f, tap) } else { 0.0 }));
            }
        }
        Self { isa, filters, depth, numbers }
    }
}

/// First filter and number of vectors of each block.
fn blocks(filters: usize, lanes: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..filters)
        .step_by(2 * lanes)
        .map(move |first| (first, if filters - first > lanes { 2 } else { 1 }))
}

/// What happens to a product before it is stored: `+ bias + residual`, then negative numbers times
/// `slope`, and nothing larger than `cap`. Both lists have as many numbers as filters, rounded up to whole vectors.
#[derive(Clone, Copy)]
pub(super) struct Finish<'a> {
    pub(super) bias: &'a [f32],
    pub(super) slope: &'a [f32],
    pub(super) cap: f32,
    pub(super) residual: Option<&'a [f32]>,
}

/// One call of the kernel.
pub(super) struct Product<'a> {
    pub(super) grid: Grid,
    /// Runs of a filter, and how far apart they begin in the input.
    pub(super) rows: usize,
    pub(super) pitch: usize,
    pub(super) filters: &'a Packed,
    pub(super) finish: Option<Finish<'a>>,
    pub(super) input: &'a [f32],
    pub(super) output: &'a mut [f32],
}

impl Product<'_> {
    pub(super) fn run(self) {
        if self.grid.size.contains(&0) {
            return;
        }
        let (filters, run) = (self.filters.filters, self.filters.depth / self.rows);
        let reach = (self.rows - 1) * self.pitch + run;
        assert_eq!(run * self.rows, self.filters.depth, "a filter is whole runs");
        assert!(self.grid.last(self.grid.from) + reach <= self.input.len(), "taps leave the input");
        let end = self.grid.last(self.grid.to) + filters;
        assert!(end <= self.output.len(), "results leave the output");
        if let Some(finish) = self.finish {
            finish.check(filters.next_multiple_of(self.filters.isa.lanes()), end);
        }
        self.filters.isa.run(self);
    }
}

impl Job for Product<'_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(mut self) {
        let mut weights = self.filters.numbers.as_ptr();
        for (first, vectors) in blocks(self.filters.filters, S::LANES) {
            // SAFETY: `Product::run` checked every bound; `weights` walks over whole blocks.
            unsafe {
                match vectors {
                    2 => self.block::<S, 2>(first, weights),
                    _ => self.block::<S, 1>(first, weights),
                }
                weights = weights.add(self.filters.depth * vectors * S::LANES);
            }
        }
    }
}

/// Brings the weights of the next block nearer while this one is at work, a few lines a tile: a
/// network's weights are more than any cache holds, and a tile waits for its first ones.
struct Ahead {
    at: *const f32,
    lines: usize,
}

/// Numbers in a cache line.
const LINE: usize = 16;

impl Ahead {
    /// The block at `weights` has `numbers` numbers, and `places` to work on.
    #[inline(always)]
    fn new(weights: *const f32, numbers: usize, places: usize) -> Self {
        // Tiles of at most 6 places: where they are larger, a little is brought twice or too late.
        let tiles = places.div_ceil(6);
        Self { at: weights.wrapping_add(numbers), lines: numbers.div_ceil(LINE).div_ceil(tiles) }
    }

    #[inline(always)]
    fn fetch<S: Simd>(&mut self) {
        for _ in 0..self.lines {
            S::fetch(self.at);
            self.at = self.at.wrapping_add(LINE);
        }
    }
}

/// Walks the places of a grid in order.
struct Walk<'a> {
    grid: &'a Grid,
    at: [usize; 3],
    left: usize,
    from: usize,
    to: usize,
}

impl Walk<'_> {
    /// Offsets of the next place; the last one again when there is none, so that a tile is always
    /// full (its surplus repeats a result and stores it twice).
    #[inline(always)]
    fn next(&mut self) -> (usize, usize) {
        let here = (self.from, self.to);
        if self.left > 1 {
            self.step();
        }
        self.left = self.left.saturating_sub(1);
        here
    }

    #[inline(always)]
    fn step(&mut self) {
        let Grid { size, from, to } = self.grid;
        self.at[2] += 1;
        self.from += from[2];
        self.to += to[2];
        if self.at[2] == size[2] {
            self.at[2] = 0;
            self.at[1] += 1;
            if self.at[1] == size[1] {
                self.at[1] = 0;
                self.at[0] += 1;
            }
            self.from = self.at[0] * from[0] + self.at[1] * from[1];
            self.to = self.at[0] * to[0] + self.at[1] * to[1];
        }
    }
}

impl Product<'_> {
    /// All places for one block of filters, so that its weights stay in the cache.
    #[inline(always)]
    unsafe fn block<S: Simd, const V: usize>(&mut self, first: usize, weights: *const f32) {
        let grid = self.grid;
        let left = grid.size.iter().product();
        let mut walk = Walk { grid: &grid, at: [0; 3], left, from: 0, to: 0 };
        let mut ahead = Ahead::new(weights, self.filters.depth * V * S::LANES, left);
        while walk.left > 0 {
            ahead.fetch::<S>();
            // SAFETY: the caller's promise, handed on.
            unsafe {
                match (S::WIDE, walk.left) {
                    (true, 9..) => self.tile::<S, 12, V>(&mut walk, first, weights),
                    (true, 5..) => self.tile::<S, 8, V>(&mut walk, first, weights),
                    (false, 5..) => self.tile::<S, 6, V>(&mut walk, first, weights),
                    _ => self.tile::<S, 4, V>(&mut walk, first, weights),
                }
            }
        }
    }

    #[inline(always)]
    unsafe fn tile<S: Simd, const R: usize, const V: usize>(
        &mut self,
        walk: &mut Walk<'_>,
        first: usize,
        weights: *const f32,
    ) {
        let places: [(usize, usize); R] = std::array::from_fn(|_| walk.next());
        let run = self.filters.depth / self.rows;
        // SAFETY: offsets of a walk and their reach lie inside input and output (`Product::run`).
        unsafe {
            let mut x = places.map(|(from, _)| self.input.as_ptr().add(from));
            let mut w = weights;
            let mut sums = [[S::splat(0.0); V]; R];
            for _ in 0..self.rows {
                for k in 0..run {
                    let mut taps = [S::splat(0.0); V];
                    for v in 0..V {
                        taps[v] = S::load(w.add(v * S::LANES));
                    }
                    for r in 0..R {
                        let value = S::splat(*x[r].add(k));
                        for v in 0..V {
                            sums[r][v] = S::fma(value, taps[v], sums[r][v]);
                        }
                    }
                    w = w.add(V * S::LANES);
                }
                for pointer in &mut x {
                    *pointer = pointer.wrapping_add(self.pitch);
                }
            }
            for (sums, (_, to)) in sums.into_iter().zip(places) {
                for (v, sum) in sums.into_iter().enumerate() {
                    self.store::<S>(sum, first + v * S::LANES, to);
                }
            }
        }
    }

    #[inline(always)]
    unsafe fn store<S: Simd>(&mut self, sum: S::V, filter: usize, to: usize) {
        let n = (self.filters.filters - filter).min(S::LANES);
        // SAFETY: `n` filters from `filter` on exist, and `Product::run` checked the rest.
        unsafe {
            let sum = match &self.finish {
                None => sum,
                Some(finish) => finish.apply::<S>(sum, filter, to + filter, n),
            };
            S::store_n(self.output.as_mut_ptr().add(to + filter), sum, n);
        }
    }
}

impl Finish<'_> {
    /// Panics unless there are `filters` biases and slopes and a residual of `end` numbers.
    #[inline(always)]
    pub(super) fn check(&self, filters: usize, end: usize) {
        assert!(self.bias.len() >= filters && self.slope.len() >= filters, "a bias is missing");
        assert!(self.residual.is_none_or(|residual| end <= residual.len()), "residual is short");
    }

    /// # Safety
    /// A vector of bias and slope lies at `filter`, `n` numbers of the residual at `at`.
    #[inline(always)]
    pub(super) unsafe fn apply<S: Simd>(
        &self,
        sum: S::V,
        filter: usize,
        at: usize,
        n: usize,
    ) -> S::V {
        // SAFETY: the caller's promise.
        unsafe {
            let mut sum = S::add(sum, S::load(self.bias.as_ptr().add(filter)));
            if let Some(residual) = self.residual {
                sum = S::add(sum, S::load_n(residual.as_ptr().add(at), n));
            }
            let zero = S::splat(0.0);
            let slope = S::load(self.slope.as_ptr().add(filter));
            S::min(S::fma(S::min(sum, zero), slope, S::max(sum, zero)), S::splat(self.cap))
        }
    }
}
