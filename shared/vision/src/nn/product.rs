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

/// Where each place of a map lies in the input and its results in the output, in numbers.
pub(super) struct Grid {
    places: Vec<Place>,
}

#[derive(Clone, Copy)]
struct Place {
    from: usize,
    to: usize,
}

impl Grid {
    /// Image `n`, row `y`, column `x` reads at `n·from[0] + y·from[1] + x·from[2]` and writes
    /// likewise by `to`.
    pub(super) fn new(size: [usize; 3], from: [usize; 3], to: [usize; 3]) -> Self {
        let mut places = Vec::with_capacity(size.iter().product());
        for n in 0..size[0] {
            for y in 0..size[1] {
                let (row, into) = (n * from[0] + y * from[1], n * to[0] + y * to[1]);
                places.extend(
                    (0..size[2]).map(|x| Place { from: row + x * from[2], to: into + x * to[2] }),
                );
            }
        }
        Self { places }
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
    pub(super) grid: &'a Grid,
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
        // Offsets grow with every place.
        let Some(last) = self.grid.places.last() else { return };
        let (filters, run) = (self.filters.filters, self.filters.depth / self.rows);
        let reach = (self.rows - 1) * self.pitch + run;
        assert_eq!(run * self.rows, self.filters.depth, "a filter is whole runs");
        assert!(last.from + reach <= self.input.len(), "taps leave the input");
        let end = last.to + filters;
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

/// Brings the weights of the next block nearer while this one is at work, a little with every tap:
/// a network's weights are more than any cache holds, and a tile waits for its first ones.
struct Ahead {
    at: *const f32,
    step: usize,
}

impl Ahead {
    /// The next block lies at `weights`, has `width` numbers a tap, and comes after `tiles` tiles.
    #[inline(always)]
    fn new(weights: *const f32, width: usize, tiles: usize) -> Self {
        Self { at: weights, step: width / tiles }
    }

    #[inline(always)]
    fn fetch<S: Simd>(&mut self) {
        S::fetch(self.at);
        self.at = self.at.wrapping_add(self.step);
    }
}

impl Product<'_> {
    /// All places for one block of filters, so that its weights stay in the cache.
    #[inline(always)]
    unsafe fn block<S: Simd, const V: usize>(&mut self, first: usize, weights: *const f32) {
        let (count, width) = (self.grid.places.len(), V * S::LANES);
        let next = weights.wrapping_add(self.filters.depth * width);
        let mut ahead = Ahead::new(next, width, count.div_ceil(S::PLACES));
        let mut at = 0;
        while at < count {
            // SAFETY: the caller's promise, handed on.
            at += unsafe {
                match (S::PLACES, count - at) {
                    (12, 9..) => self.tile::<S, 12, V>(at, first, weights, &mut ahead),
                    (8.., 5..) => self.tile::<S, 8, V>(at, first, weights, &mut ahead),
                    (_, 5..) => self.tile::<S, 6, V>(at, first, weights, &mut ahead),
                    _ => self.tile::<S, 4, V>(at, first, weights, &mut ahead),
                }
            };
        }
    }

    /// `R` places from `at` on; where fewer are left, the last one is found and stored again.
    #[inline(always)]
    unsafe fn tile<S: Simd, const R: usize, const V: usize>(
        &mut self,
        at: usize,
        first: usize,
        weights: *const f32,
        ahead: &mut Ahead,
    ) -> usize {
        let run = self.filters.depth / self.rows;
        let last = self.grid.places.len() - 1;
        let mut places = [self.grid.places[last]; R];
        for r in 0..R {
            places[r] = self.grid.places[last.min(at + r)];
        }
        // SAFETY: offsets of a grid and their reach lie inside input and output (`Product::run`).
        unsafe {
            let mut x = [self.input.as_ptr(); R];
            for r in 0..R {
                x[r] = x[r].add(places[r].from);
            }
            let mut w = weights;
            let mut sums = [[S::splat(0.0); V]; R];
            for _ in 0..self.rows {
                let mut k = 0;
                while k + S::TAPS <= run {
                    let mut values = [S::taps(x[0].add(k)); R];
                    for r in 1..R {
                        values[r] = S::taps(x[r].add(k));
                    }
                    for tap in 0..S::TAPS {
                        ahead.fetch::<S>();
                        sums = add::<S, R, V>(sums, values, tap, w);
                        w = w.add(V * S::LANES);
                    }
                    k += S::TAPS;
                }
                while k < run {
                    let mut values = [S::tap(x[0].add(k)); R];
                    for r in 1..R {
                        values[r] = S::tap(x[r].add(k));
                    }
                    sums = add::<S, R, V>(sums, values, 0, w);
                    w = w.add(V * S::LANES);
                    k += 1;
                }
                for pointer in &mut x {
                    *pointer = pointer.wrapping_add(self.pitch);
                }
            }
            // Copied by numbers known at compile time, or the sums would not stay in registers.
            let mut columns = [[S::splat(0.0); R]; V];
            for v in 0..V {
                for r in 0..R {
                    columns[v][r] = sums[r][v];
                }
            }
            for v in 0..V {
                self.store::<S, R>(&columns[v], first + v * S::LANES, &places);
            }
        }
        R
    }

    /// Stores the results of one vector of filters.
    #[inline(always)]
    unsafe fn store<S: Simd, const R: usize>(
        &mut self,
        sums: &[S::V; R],
        filter: usize,
        places: &[Place; R],
    ) {
        let n = (self.filters.filters - filter).min(S::LANES);
        // SAFETY: `n` filters from `filter` on exist, and `Product::run` checked the rest.
        unsafe {
            for r in 0..R {
                let at = places[r].to + filter;
                let sum = match &self.finish {
                    None => sums[r],
                    Some(finish) => finish.apply::<S>(sums[r], filter, at, n),
                };
                S::store_n(self.output.as_mut_ptr().add(at), sum, n);
            }
        }
    }
}

/// Adds one tap of every place times the weights at `w`.
///
/// # Safety
/// The instruction set of `S` must be there, `V` vectors lie at `w`, and `tap` is below `S::TAPS`.
#[inline(always)]
unsafe fn add<S: Simd, const R: usize, const V: usize>(
    mut sums: [[S::V; V]; R],
    values: [S::Taps; R],
    tap: usize,
    w: *const f32,
) -> [[S::V; V]; R] {
    // SAFETY: the caller's promise.
    unsafe {
        let mut weights = [S::splat(0.0); V];
        for v in 0..V {
            weights[v] = S::load(w.add(v * S::LANES));
        }
        for r in 0..R {
            for v in 0..V {
                sums[r][v] = S::fma_tap(values[r], tap, weights[v], sums[r][v]);
            }
        }
    }
    sums
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
