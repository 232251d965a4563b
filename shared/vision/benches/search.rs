//! Search against the limit of the machine: `read` only adds up the same numbers, so `top` can at
//! best take as long. `batch` is 20 queries at once.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use vision::{Matrix, Template};

const DIM: usize = 128;

/// Reproducible directions.
fn template(seed: u32) -> Template {
    let mut state = seed.wrapping_mul(2_654_435_761) | 1;
    let mut number = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        (state >> 8) as f32 / (1 << 23) as f32 - 1.0
    };
    Template::from_raw((0..DIM).map(|_| number()).collect())
        .expect("random numbers have a direction")
}

fn matrix(count: u32) -> Matrix {
    let mut matrix = Matrix::new(DIM);
    for seed in 0..count {
        matrix.push(&template(seed)).expect("all templates have the same length");
    }
    matrix
}

/// Adds the bits as integers: nothing to wait for but memory.
fn read(numbers: &[f32]) -> u32 {
    let (chunks, _) = numbers.as_chunks::<32>();
    let mut sums = [0u32; 32];
    for chunk in chunks {
        for lane in 0..32 {
            sums[lane] = sums[lane].wrapping_add(chunk[lane].to_bits());
        }
    }
    sums.iter().fold(0, |sum, &lane| sum.wrapping_add(lane))
}

fn search(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("search");
    group.sample_size(20);
    let queries: Vec<_> = (1 << 20..).take(20).map(template).collect();
    for count in [5_000, 100_000] {
        let matrix = matrix(count);
        group.throughput(Throughput::Bytes((matrix.as_slice().len() * 4) as u64));
        group.bench_function(BenchmarkId::new("read", count), |bench| {
            bench.iter(|| read(black_box(matrix.as_slice())));
        });
        group.bench_function(BenchmarkId::new("top", count), |bench| {
            bench.iter(|| matrix.top(black_box(&queries[0]), 5));
        });
        group.bench_function(BenchmarkId::new("batch20", count), |bench| {
            bench.iter(|| matrix.batch(black_box(&queries), 5));
        });
    }
    group.finish();
}

criterion_group!(benches, search);
criterion_main!(benches);
