//! Exact nearest templates in RAM: every row is read, nothing is approximated.
//!
//! A query costs one pass over the rows, so it is as fast as memory. A batch reads the rows once
//! for several queries.

use crate::{Template, TemplateError};

/// Unit templates of one model, row after row.
#[derive(Clone, Default)]
pub struct Matrix {
    dim: usize,
    rows: Vec<f32>,
}

impl std::fmt::Debug for Matrix {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Matrix({} templates of {})", self.len(), self.dim)
    }
}

/// A row and its cosine to the query.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hit {
    /// Index of the row.
    pub row: usize,
    /// Cosine.
    pub score: f32,
}

/// Queries that share one reading of the rows.
const TOGETHER: usize = 4;
/// Rows that stay in the first-level cache while a batch goes over them: 32 KiB of 128 numbers.
const BLOCK: usize = 64;

impl Matrix {
    /// No rows yet, each to have `dim` numbers.
    #[must_use]
    pub fn new(dim: usize) -> Self {
        Self { dim, rows: Vec::new() }
    }

    /// Rows so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len().checked_div(self.dim).unwrap_or(0)
    }

    /// Whether there is nobody to find.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The numbers, row after row.
    #[must_use]
    pub fn as_slice(&self) -> &[f32] {
        &self.rows
    }

    /// Adds a row and returns its index.
    ///
    /// # Errors
    /// [`TemplateError::Mixed`] for a template of another length.
    pub fn push(&mut self, template: &Template) -> Result<usize, TemplateError> {
        self.fits(template)?;
        self.rows.extend_from_slice(template.as_slice());
        Ok(self.len() - 1)
    }

    /// Overwrites a row.
    ///
    /// # Errors
    /// [`TemplateError::Mixed`] for a template of another length.
    ///
    /// # Panics
    /// Where there is no such row.
    pub fn replace(&mut self, row: usize, template: &Template) -> Result<(), TemplateError> {
        self.fits(template)?;
        self.rows[row * self.dim..(row + 1) * self.dim].copy_from_slice(template.as_slice());
        Ok(())
    }

    /// Takes a row out; the last row moves to its place.
    ///
    /// # Panics
    /// Where there is no such row.
    pub fn swap_remove(&mut self, row: usize) {
        let last = self.len() - 1;
        self.rows.copy_within(last * self.dim.., row * self.dim);
        self.rows[last * self.dim..].fill(0.0);
        self.rows.truncate(last * self.dim);
    }

    /// The `k` nearest rows, best first; rows of equal score in their order.
    #[must_use]
    pub fn top(&self, query: &Template, k: usize) -> Vec<Hit> {
        self.top_of(query, k, |_| true)
    }

    /// The same among the rows `keep` says yes to.
    #[must_use]
    pub fn top_of(&self, query: &Template, k: usize, keep: impl Fn(usize) -> bool) -> Vec<Hit> {
        if self.is_empty() || self.fits(query).is_err() {
            return Vec::new();
        }
        let mut best = Best::new(k);
        let mut scores = [0.0; BLOCK];
        for (block, rows) in self.rows.chunks(BLOCK * self.dim).enumerate() {
            let scores = &mut scores[..rows.len() / self.dim];
            dots(rows, [query.as_slice()], &mut [scores]);
            best.offer(block * BLOCK, scores, &keep);
        }
        best.hits
    }

    /// [`Matrix::top`] for each query, reading the rows once for all of them.
    #[must_use]
    pub fn batch(&self, queries: &[Template], k: usize) -> Vec<Vec<Hit>> {
        let mut best: Vec<_> = queries.iter().map(|_| Best::new(k)).collect();
        if self.is_empty() || queries.iter().any(|query| self.fits(query).is_err()) {
            return queries.iter().map(|query| self.top(query, k)).collect();
        }
        for (block, rows) in self.rows.chunks(BLOCK * self.dim).enumerate() {
            for (queries, best) in queries.chunks(TOGETHER).zip(best.chunks_mut(TOGETHER)) {
                self.block(block * BLOCK, rows, queries, best);
            }
        }
        best.into_iter().map(|best| best.hits).collect()
    }

    fn block(&self, first: usize, rows: &[f32], queries: &[Template], best: &mut [Best]) {
        let mut scores = [[0.0; BLOCK]; TOGETHER];
        let count = rows.len() / self.dim;
        let mut parts = scores.each_mut().map(|scores| &mut scores[..count]);
        if let [a, b, c, d] = queries {
            dots(rows, [a, b, c, d].map(Template::as_slice), &mut parts);
        } else {
            for (query, part) in queries.iter().zip(&mut parts) {
                dots(rows, [query.as_slice()], &mut [part]);
            }
        }
        for (best, scores) in best.iter_mut().zip(&parts) {
            best.offer(first, scores, &|_| true);
        }
    }

    fn fits(&self, template: &Template) -> Result<(), TemplateError> {
        if template.dim() == self.dim {
            return Ok(());
        }
        Err(TemplateError::Mixed(self.dim, template.dim()))
    }
}

/// The `k` best so far, in order.
struct Best {
    k: usize,
    hits: Vec<Hit>,
}

impl Best {
    fn new(k: usize) -> Self {
        Self { k, hits: Vec::with_capacity(k.min(1024) + 1) }
    }

    fn offer(&mut self, first: usize, scores: &[f32], keep: &impl Fn(usize) -> bool) {
        for (offset, &score) in scores.iter().enumerate() {
            let full = self.hits.len() == self.k;
            let beaten = full && self.hits.last().is_none_or(|worst| score <= worst.score);
            if !beaten && keep(first + offset) {
                let at = self.hits.partition_point(|hit| hit.score >= score);
                self.hits.insert(at, Hit { row: first + offset, score });
                self.hits.truncate(self.k);
            }
        }
    }
}

/// Dot products of each row with `N` queries: `out[n][row]`.
fn dots<const N: usize>(rows: &[f32], queries: [&[f32]; N], out: &mut [&mut [f32]; N]) {
    #[cfg(target_arch = "x86_64")]
    {
        if is_x86_feature_detected!("avx512f") {
            #[expect(unsafe_code, reason = "calls code compiled for a feature of this processor")]
            // SAFETY: the processor has AVX-512F, it was asked just above.
            return unsafe { dots_avx512(rows, queries, out) };
        }
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            #[expect(unsafe_code, reason = "calls code compiled for a feature of this processor")]
            // SAFETY: the processor has AVX2 and FMA, it was asked just above.
            return unsafe { dots_avx2(rows, queries, out) };
        }
    }
    dots_plain::<N, false>(rows, queries, out);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
fn dots_avx512<const N: usize>(rows: &[f32], queries: [&[f32]; N], out: &mut [&mut [f32]; N]) {
    dots_plain::<N, true>(rows, queries, out);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn dots_avx2<const N: usize>(rows: &[f32], queries: [&[f32]; N], out: &mut [&mut [f32]; N]) {
    dots_plain::<N, true>(rows, queries, out);
}

/// Numbers of a row that are summed apart; the compiler keeps them in vector registers.
const LANES: usize = 16;
/// Rows that are summed side by side, so that no sum waits for its own last step.
const ABREAST: usize = 4;

/// `FUSED`: whether multiply-and-add is one instruction; where it is not, asking for it would call
/// a slow function.
#[inline(always)]
fn dots_plain<const N: usize, const FUSED: bool>(
    rows: &[f32],
    queries: [&[f32]; N],
    out: &mut [&mut [f32]; N],
) {
    let dim = queries[0].len();
    for (query, out) in queries.iter().zip(out.iter_mut()) {
        for (rows, out) in rows.chunks(ABREAST * dim).zip(out.chunks_mut(ABREAST)) {
            if let [_, _, _, _] = out {
                out.copy_from_slice(&abreast::<FUSED>(rows, query));
            } else {
                let last = rows.chunks_exact(dim).zip(out);
                last.for_each(|(row, out)| *out = dot::<FUSED>(row, query));
            }
        }
    }
}

/// The dot products of four rows with `query`. Four names instead of an array: the compiler keeps
/// no array of arrays in registers.
#[inline(always)]
fn abreast<const FUSED: bool>(rows: &[f32], query: &[f32]) -> [f32; ABREAST] {
    let dim = query.len();
    let [a, b, c, d] = [0, 1, 2, 3].map(|n| rows[n * dim..(n + 1) * dim].as_chunks::<LANES>());
    let (lanes, tail) = query.as_chunks::<LANES>();
    let (mut w, mut x, mut y, mut z) = ([0.0; LANES], [0.0; LANES], [0.0; LANES], [0.0; LANES]);
    for ((((q, a), b), c), d) in lanes.iter().zip(a.0).zip(b.0).zip(c.0).zip(d.0) {
        for lane in 0..LANES {
            w[lane] = add::<FUSED>(w[lane], a[lane], q[lane]);
            x[lane] = add::<FUSED>(x[lane], b[lane], q[lane]);
            y[lane] = add::<FUSED>(y[lane], c[lane], q[lane]);
            z[lane] = add::<FUSED>(z[lane], d[lane], q[lane]);
        }
    }
    let rest = |end: &[f32]| dot::<FUSED>(end, tail);
    [total(w) + rest(a.1), total(x) + rest(b.1), total(y) + rest(c.1), total(z) + rest(d.1)]
}

/// One number after the other.
#[inline(always)]
fn dot<const FUSED: bool>(row: &[f32], query: &[f32]) -> f32 {
    row.iter().zip(query).fold(0.0, |sum, (&a, &b)| add::<FUSED>(sum, a, b))
}

#[inline(always)]
fn add<const FUSED: bool>(sum: f32, a: f32, b: f32) -> f32 {
    if FUSED { a.mul_add(b, sum) } else { a * b + sum }
}

/// The sum of all lanes, by halves.
#[inline(always)]
fn total(sums: [f32; LANES]) -> f32 {
    let (mut eight, mut four) = ([0.0; 8], [0.0; 4]);
    for n in 0..8 {
        eight[n] = sums[n] + sums[n + 8];
    }
    for n in 0..4 {
        four[n] = eight[n] + eight[n + 4];
    }
    (four[0] + four[2]) + (four[1] + four[3])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Reproducible directions of `dim` numbers.
    fn template(seed: u32, dim: usize) -> Template {
        let mut state = seed.wrapping_mul(2_654_435_761) | 1;
        let mut number = || {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            (state >> 8) as f32 / (1 << 23) as f32 - 1.0
        };
        Template::from_raw((0..dim).map(|_| number()).collect()).unwrap()
    }

    fn matrix(count: u32, dim: usize) -> Matrix {
        let mut matrix = Matrix::new(dim);
        for seed in 0..count {
            matrix.push(&template(seed, dim)).unwrap();
        }
        matrix
    }

    #[test]
    fn a_template_finds_itself_first() {
        let matrix = matrix(150, 128);
        for row in [0, 63, 64, 149] {
            let hits = matrix.top(&template(row, 128), 3);
            assert_eq!((hits[0].row, hits.len()), (row as usize, 3));
            assert!((hits[0].score - 1.0).abs() < 1e-5 && hits[1].score < 0.9);
        }
    }

    #[test]
    fn nobody_and_fewer_than_asked_are_fine() {
        let query = template(1, 16);
        assert!(Matrix::new(16).top(&query, 5).is_empty());
        assert_eq!(matrix(2, 16).top(&query, 5).len(), 2);
        assert!(matrix(2, 16).top(&query, 0).is_empty());
        assert!(matrix(2, 128).top(&query, 5).is_empty(), "another model matches nobody");
        assert!(Matrix::default().top(&query, 5).is_empty());
        assert_eq!(Matrix::default().batch(&[query], 5), [vec![]]);
        assert_eq!(Matrix::default().batch(&[], 5), Vec::<Vec<Hit>>::new());
    }

    #[test]
    fn equal_scores_come_in_the_order_of_rows() {
        let mut matrix = Matrix::new(16);
        for _ in 0..5 {
            matrix.push(&template(9, 16)).unwrap();
        }
        let rows: Vec<_> = matrix.top(&template(9, 16), 3).iter().map(|hit| hit.row).collect();
        assert_eq!(rows, [0, 1, 2]);
    }

    #[test]
    fn a_filter_leaves_rows_out() {
        let hits = matrix(100, 32).top_of(&template(7, 32), 100, |row| row % 2 == 0);
        assert!(hits.len() == 50 && hits.iter().all(|hit| hit.row % 2 == 0));
    }

    #[test]
    fn rows_are_replaced_and_removed() {
        let mut matrix = matrix(3, 16);
        matrix.replace(1, &template(50, 16)).unwrap();
        assert_eq!(matrix.top(&template(50, 16), 1)[0].row, 1);
        matrix.swap_remove(0);
        assert_eq!((matrix.len(), matrix.top(&template(2, 16), 1)[0].row), (2, 0));
        matrix.swap_remove(1);
        matrix.swap_remove(0);
        assert!(matrix.is_empty() && matrix.push(&template(0, 8)).is_err());
    }

    proptest! {
        #[test]
        fn search_agrees_with_comparing_one_by_one(
            count in 1u32..200, dim in 1usize..140, queries in 0u32..11, k in 0usize..9,
        ) {
            let matrix = matrix(count, dim);
            let queries: Vec<_> = (1000..1000 + queries).map(|seed| template(seed, dim)).collect();
            let batch = matrix.batch(&queries, k);
            for (query, hits) in queries.iter().zip(&batch) {
                let mut scores: Vec<f32> =
                    (0..count).map(|seed| template(seed, dim).cosine(query)).collect();
                prop_assert_eq!(hits.len(), k.min(count as usize));
                for hit in hits {
                    prop_assert!((scores[hit.row] - hit.score).abs() < 1e-5);
                }
                scores.sort_by(|a, b| b.total_cmp(a));
                for (hit, score) in hits.iter().zip(&scores) {
                    prop_assert!((hit.score - score).abs() < 1e-5);
                }
                for (a, b) in hits.iter().zip(matrix.top(query, k)) {
                    prop_assert!((a.score - b.score).abs() < 1e-5);
                }
            }
        }
    }
}
