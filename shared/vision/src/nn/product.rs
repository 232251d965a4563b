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

use super::{
    map::SLACK,
    simd::{Isa, Job, Simd},
    weights::Weights,
};
use std::{cell::RefCell, ops::Range};

/// Where each place of a map lies in the input and its results in the output, in numbers.
pub(super) struct Grid {
    bands: Vec<Band>,
    places: Vec<Place>,
}

/// Places whose filters meet the map with the same of their rows; the others fall on padding.
struct Band {
    rows: Range<usize>,
    places: Range<usize>,
}

#[derive(Clone, Copy)]
struct Place {
    from: usize,
    to: usize,
}

thread_local! {
    /// Memory for the next grid.
    static PLACES: RefCell<Vec<Place>> = const { RefCell::new(Vec::new()) };
}

impl Grid {
    /// Image `n`, row `y`, column `x` reads at `n·from[0] + y·from[1] + x·from[2]` and writes
    /// likewise by `to`. `met(y)` are the rows of a filter that do not fall on zeros there.
    pub(super) fn new(
        size: [usize; 3],
        from: [usize; 3],
        to: [usize; 3],
        met: impl Fn(usize) -> Range<usize>,
    ) -> Self {
        let mut places = PLACES.take();
        places.clear();
        let (mut bands, mut top) = (Vec::new(), 0);
        while top < size[1] {
            let rows = met(top);
            let end = (top..size[1]).find(|&y| met(y) != rows).unwrap_or(size[1]);
            let first = places.len();
            for (n, y) in (0..size[0]).flat_map(|n| (top..end).map(move |y| (n, y))) {
                let (row, into) = (n * from[0] + y * from[1], n * to[0] + y * to[1]);
                places.extend(
                    (0..size[2]).map(|x| Place { from: row + x * from[2], to: into + x * to[2] }),
                );
            }
            bands.push(Band { rows, places: first..places.len() });
            top = end;
        }
        Self { bands, places }
    }
}

impl Drop for Grid {
    fn drop(&mut self) {
        PLACES.set(std::mem::take(&mut self.places));
    }
}

/// Filters in the order the kernel reads them: blocks of 2 vectors (the last may have 1), in each
/// block tap after tap.
pub(super) struct Packed {
    isa: Isa,
    filters: usize,
    /// Numbers a filter reads at one place.
    depth: usize,
    numbers: Weights,
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
        Self { isa, filters, depth, numbers: Weights::of(&numbers) }
    }
}

/// First filter and number of vectors of each block.
pub(super) fn blocks(filters: usize, lanes: usize) -> impl Iterator<Item = (usize, usize)> {
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
    /// Some slope is larger than 1.
    pub(super) steep: bool,
    pub(super) residual: Option<&'a [f32]>,
}

/// What a filter reads at a place: `rows` runs of `run` numbers that begin `pitch` numbers apart.
#[derive(Clone, Copy)]
pub(super) struct Reach {
    pub(super) rows: usize,
    pub(super) run: usize,
    pub(super) pitch: usize,
}

/// One call of the kernel.
pub(super) struct Product<'a> {
    pub(super) grid: &'a Grid,
    pub(super) reach: Reach,
    pub(super) filters: &'a Packed,
    pub(super) finish: Finish<'a>,
    /// A map's room.
    pub(super) input: &'a [f32],
    pub(super) output: &'a mut [f32],
}

impl Product<'_> {
    pub(super) fn run(self) {
        let Reach { rows, run, pitch } = self.reach;
        let filters = self.filters.filters;
        assert_eq!(run * rows, self.filters.depth, "a filter is whole runs");
        for band in &self.grid.bands {
            // Offsets grow with every place.
            let Some(last) = self.grid.places[band.places.clone()].last() else { continue };
            assert!(band.rows.start < band.rows.end && band.rows.end <= rows, "rows are not there");
            let reach = (rows - 1) * pitch + run + SLACK;
            assert!(last.from + reach <= self.input.len(), "taps leave the input");
            assert!(last.to + filters <= self.output.len(), "results leave the output");
            self.finish
                .check(filters.next_multiple_of(self.filters.isa.lanes()), last.to + filters);
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
pub(super) struct Ahead {
    at: *const f32,
    step: usize,
}

impl Ahead {
    /// The next block lies at `weights`, has `width` numbers a tap, and comes after `tiles` tiles.
    #[inline(always)]
    pub(super) fn new(weights: *const f32, width: usize, tiles: usize) -> Self {
        Self { at: weights, step: width / tiles }
    }

    #[inline(always)]
    fn fetch<S: Simd>(&mut self) {
        S::fetch(self.at);
        self.at = self.at.wrapping_add(self.step);
    }
}

/// Runs `$tile` with `R` places until all of `$count` are done: it is called with `$at`.
macro_rules! tiles {
    ($S:ty, $count:expr, $at:ident, $R:ident => $tile:expr) => {{
        let count = $count;
        let mut $at = 0;
        while $at < count {
            // Two tiles of four are quicker than one of six and one that is nearly empty.
            $at += match (<$S>::PLACES, count - $at) {
                (12, 9..) => {
                    const $R: usize = 12;
                    $tile;
                    $R
                }
                (8.., 5..) => {
                    const $R: usize = 8;
                    $tile;
                    $R
                }
                (_, 5 | 6 | 9..) => {
                    const $R: usize = 6;
                    $tile;
                    $R
                }
                (_, 3..) => {
                    const $R: usize = 4;
                    $tile;
                    $R
                }
                _ => {
                    const $R: usize = 2;
                    $tile;
                    $R
                }
            };
        }
    }};
}
pub(super) use tiles;

impl Product<'_> {
    /// All places for one block of filters, so that its weights stay in the cache.
    #[inline(always)]
    unsafe fn block<S: Simd, const V: usize>(&mut self, first: usize, weights: *const f32) {
        let (grid, width) = (self.grid, V * S::LANES);
        let count = grid.places.len();
        let next = weights.wrapping_add(self.filters.depth * width);
        let mut ahead = Ahead::new(next, width, count.div_ceil(S::PLACES).max(1));
        for band in &grid.bands {
            // SAFETY: the caller's promise, handed on.
            unsafe {
                let weights = weights.add(band.rows.start * self.reach.run * width);
                tiles!(S, band.places.len(), at, R =>
                    self.tile::<S, R, V>(band, band.places.start + at, first, weights, &mut ahead));
            }
        }
    }

    /// `R` places from `at` on; where fewer are left, the last one is found and stored again.
    #[inline(always)]
    unsafe fn tile<S: Simd, const R: usize, const V: usize>(
        &mut self,
        band: &Band,
        at: usize,
        first: usize,
        weights: *const f32,
        ahead: &mut Ahead,
    ) {
        let last = band.places.end - 1;
        let reach = Reach { rows: band.rows.end - band.rows.start, ..self.reach };
        let mut places = [self.grid.places[last]; R];
        if at + R <= last {
            places.copy_from_slice(&self.grid.places[at..at + R]);
        } else {
            for r in 0..R {
                places[r] = self.grid.places[last.min(at + r)];
            }
        }
        // SAFETY: offsets of a grid and their reach lie inside input and output (`Product::run`).
        unsafe {
            let mut x = [self.input.as_ptr().add(band.rows.start * reach.pitch); R];
            for r in 0..R {
                x[r] = x[r].add(places[r].from);
            }
            let mut start = [S::splat(0.0); V];
            for v in 0..V {
                start[v] = S::load(self.finish.bias.as_ptr().add(first + v * S::LANES));
            }
            let columns = sums::<S, R, V>(x, reach, weights, start, ahead);
            for v in 0..V {
                self.store::<S, R>(&columns[v], first + v * S::LANES, &places);
            }
        }
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
            let (finish, output) = (self.finish.of::<S>(filter, n), self.output.as_mut_ptr());
            if finish.easy {
                for r in 0..R {
                    finish.store_whole(output, places[r].to + filter, sums[r]);
                }
            } else {
                for r in 0..R {
                    finish.store(output, places[r].to + filter, sums[r]);
                }
            }
        }
    }
}

/// The products of what lies at `R` places with `V` vectors of filters, added to `start`.
///
/// # Safety
/// The instruction set of `S` must be there, the reach and `SLACK` numbers more lie at every place,
/// and `V` vectors for each number of the reach at `w`.
#[inline(always)]
pub(super) unsafe fn sums<S: Simd, const R: usize, const V: usize>(
    x: [*const f32; R],
    reach: Reach,
    weights: *const f32,
    start: [S::V; V],
    ahead: &mut Ahead,
) -> [[S::V; R]; V] {
    // SAFETY: the caller's promise.
    unsafe {
        let (mut sums, mut w) = ([start; R], weights);
        let rest = reach.run % S::TAPS;
        let whole = reach.run - rest;
        let mut first = 0;
        for _ in 0..reach.rows {
            let mut k = first;
            while k < first + whole {
                sums = taps::<S, R, V>(sums, x, k, S::TAPS, w, ahead);
                w = w.add(S::TAPS * V * S::LANES);
                k += S::TAPS;
            }
            w = w.add(rest * V * S::LANES);
            first += reach.pitch;
        }
        // The last taps of all rows: loops of their own, or the sums would wander between registers.
        sums = match rest {
            0 => sums,
            1 => rests::<S, R, V>(sums, x, reach, 1, weights, ahead),
            2 => rests::<S, R, V>(sums, x, reach, 2, weights, ahead),
            _ => rests::<S, R, V>(sums, x, reach, 3, weights, ahead),
        };
        // Copied by numbers known at compile time, or the sums would not stay in registers.
        let mut columns = [[S::splat(0.0); R]; V];
        for v in 0..V {
            for r in 0..R {
                columns[v][r] = sums[r][v];
            }
        }
        columns
    }
}

/// The last `rest` taps of every row.
///
/// # Safety
/// As for [`sums`].
#[inline(always)]
unsafe fn rests<S: Simd, const R: usize, const V: usize>(
    mut sums: [[S::V; V]; R],
    x: [*const f32; R],
    reach: Reach,
    rest: usize,
    weights: *const f32,
    ahead: &mut Ahead,
) -> [[S::V; V]; R] {
    let mut k = reach.run - rest;
    // SAFETY: the caller's promise.
    unsafe {
        let mut w = weights.add(k * V * S::LANES);
        for _ in 0..reach.rows {
            sums = taps::<S, R, V>(sums, x, k, rest, w, ahead);
            w = w.add(reach.run * V * S::LANES);
            k += reach.pitch;
        }
    }
    sums
}

/// Adds `count` taps from `k` on, at most `S::TAPS`; what lies beyond them is read, but not added.
///
/// # Safety
/// As for [`sums`].
#[inline(always)]
unsafe fn taps<S: Simd, const R: usize, const V: usize>(
    mut sums: [[S::V; V]; R],
    x: [*const f32; R],
    k: usize,
    count: usize,
    w: *const f32,
    ahead: &mut Ahead,
) -> [[S::V; V]; R] {
    // SAFETY: the caller's promise.
    unsafe {
        let mut values = [S::taps(x[0].add(k)); R];
        for r in 1..R {
            values[r] = S::taps(x[r].add(k));
        }
        for tap in 0..count {
            ahead.fetch::<S>();
            sums = add::<S, R, V>(sums, values, tap, w.add(tap * V * S::LANES));
        }
    }
    sums
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

    /// What `n` filters of one vector need of it.
    ///
    /// # Safety
    /// A vector of bias and slope lies at `filter`.
    #[inline(always)]
    pub(super) unsafe fn of<S: Simd>(&self, filter: usize, n: usize) -> FinishOf<S> {
        let easy = n == S::LANES && !self.steep && self.cap == f32::INFINITY;
        // SAFETY: the caller's promise.
        unsafe {
            FinishOf {
                bias: S::load(self.bias.as_ptr().add(filter)),
                slope: S::load(self.slope.as_ptr().add(filter)),
                cap: S::splat(self.cap),
                residual: self.residual.map(<[f32]>::as_ptr),
                n,
                easy,
            }
        }
    }
}

/// [`Finish`] for one vector of filters.
pub(super) struct FinishOf<S: Simd> {
    pub(super) bias: S::V,
    slope: S::V,
    cap: S::V,
    residual: Option<*const f32>,
    n: usize,
    /// A whole vector, with no slope above 1 and no cap: `store_whole` may be used.
    pub(super) easy: bool,
}

impl<S: Simd> FinishOf<S> {
    /// Stores what becomes of a sum that has its bias.
    ///
    /// # Safety
    /// `n` numbers of output and residual lie at `at`.
    #[inline(always)]
    pub(super) unsafe fn store(&self, output: *mut f32, at: usize, mut sum: S::V) {
        // SAFETY: the caller's promise.
        unsafe {
            if let Some(residual) = self.residual {
                sum = S::add(sum, S::load_n(residual.add(at), self.n));
            }
            let zero = S::splat(0.0);
            let bent = S::fma(S::min(sum, zero), self.slope, S::max(sum, zero));
            S::store_n(output.add(at), S::min(bent, self.cap), self.n);
        }
    }

    /// The same in fewer instructions.
    ///
    /// # Safety
    /// As for `store`, and it is `easy`.
    #[inline(always)]
    pub(super) unsafe fn store_whole(&self, output: *mut f32, at: usize, mut sum: S::V) {
        // SAFETY: the caller's promise.
        unsafe {
            if let Some(residual) = self.residual {
                sum = S::add(sum, S::load(residual.add(at)));
            }
            // Of two lines through 0, the upper one where the slope is at most 1.
            S::store(output.add(at), S::max(sum, S::mul(sum, self.slope)));
        }
    }
}
