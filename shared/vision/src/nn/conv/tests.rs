//! Every instruction set against a convolution written the long way.

use super::*;
use candle_core::Device;
use proptest::prelude::*;

/// What is convolved with what.
#[derive(Debug, Clone)]
struct Case {
    size: [usize; 4],
    kernel: [usize; 2],
    filters: usize,
    stride: usize,
    pad: usize,
    grow: Option<usize>,
    quick: Option<Tile>,
    seed: u32,
}

fn cases() -> impl Strategy<Value = Case> {
    let size = (1..3usize, 1..20usize, 1..20usize, 1..40usize);
    // Every third case may go Winograd's way.
    let kernel = prop_oneof![Just((3, 3)), (1..5usize, 1..5usize)];
    let grow = prop::option::of(0..3usize);
    let tile = prop_oneof![Just(Tile::Two), Just(Tile::Four)];
    let quick = prop::option::of(tile);
    let rest = (1..70usize, 1..3usize, 0..3usize, grow, quick, any::<u32>());
    (size, kernel, rest)
        .prop_map(|((n, h, w, c), (kh, kw), (filters, stride, pad, grow, quick, seed))| Case {
            size: [n, h, w, c],
            kernel: [kh, kw],
            filters,
            stride,
            pad,
            grow,
            quick,
            seed,
        })
        .prop_filter("filters fit the map", |case| {
            (0..2).all(|i| case.size[1 + i] + 2 * case.pad >= case.kernel[i])
        })
}

/// Numbers from −1 to 1 that look like noise.
pub(crate) fn noise(seed: u32, n: usize) -> Vec<f32> {
    let mut state = u64::from(seed) + 1;
    let mut next = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    };
    (0..n).map(|_| next()).collect()
}

pub(crate) fn tensor(seed: u32, shape: &[usize]) -> Tensor {
    Tensor::from_vec(noise(seed, shape.iter().product()), shape, &Device::Cpu).unwrap()
}

pub(crate) fn map(seed: u32, size: [usize; 4]) -> Map {
    Map::of(noise(seed, size.iter().product()), size).unwrap()
}

/// One result of a convolution, by definition.
fn naive(x: &[f32], w: &[f32], case: &Case, [n, y, x0, f]: [usize; 4]) -> f64 {
    let ([_, height, width, c], [kh, kw]) = (case.size, case.kernel);
    let mut sum = 0.0;
    for (ky, kx, k) in (0..kh * kw * c).map(|i| (i / (kw * c), i / c % kw, i % c)) {
        let (row, column) = (y * case.stride + ky, x0 * case.stride + kx);
        if row < case.pad || column < case.pad {
            continue;
        }
        let (row, column) = (row - case.pad, column - case.pad);
        if row < height && column < width {
            let value = x[((n * height + row) * width + column) * c + k];
            sum += f64::from(value) * f64::from(w[((f * kh + ky) * kw + kx) * c + k]);
        }
    }
    sum
}

fn check(isa: Isa, case: &Case) -> std::result::Result<(), TestCaseError> {
    let x = map(case.seed, case.size);
    let w = tensor(case.seed ^ 1, &[case.filters, case.kernel[0], case.kernel[1], case.size[3]]);
    let (bias, slope) = (tensor(case.seed ^ 2, &[case.filters]), tensor(3, &[case.filters]));
    let filters = Filters::from_nhwc(&w, &bias).unwrap().prelu(&slope).unwrap();
    let tile = case.quick.filter(|_| case.stride == 1 && case.kernel == [3, 3]);
    let conv = match tile {
        Some(tile) => Conv::winograd(isa, filters, case.pad, tile),
        None => Conv::direct(isa, filters, case.stride, [case.pad; 4]),
    }
    .unwrap();
    // Winograd's transforms multiply rounding errors about tenfold; a wrong one is off by tenths.
    let near = if tile.is_some() { 1e-3 } else { 1e-4 };
    let [n, rows, columns, f] = conv.reach(case.size).unwrap();
    let grown = case.grow.map(|grow| [n, rows + grow, columns + grow, f]);
    let shortcut = grown.map(|size| map(case.seed ^ 4, size));
    let got = match &shortcut {
        None => conv.forward(&x),
        Some(shortcut) => conv.forward_onto(&x, shortcut),
    }
    .unwrap();
    let size = grown.unwrap_or([n, rows, columns, f]);
    prop_assert_eq!(got.size(), size);
    let flat = |t: &Tensor| t.flatten_all().unwrap().to_vec1::<f32>().unwrap();
    let (x, w, bias, slope) = (x.values(), flat(&w), flat(&bias), flat(&slope));
    let shortcut = shortcut.as_ref().map(Map::values);
    for (i, &got) in got.values().iter().enumerate() {
        let [_, h, w_, _] = size;
        let place = [i / f / w_ / h, i / f / w_ % h, i / f % w_, i % f];
        let reached = place[1] < rows && place[2] < columns;
        let sum = if reached { naive(x, &w, case, place) + f64::from(bias[i % f]) } else { 0.0 };
        let sum = sum + shortcut.map_or(0.0, |s| f64::from(s[i]));
        let wanted = if sum < 0.0 { sum * f64::from(slope[i % f]) } else { sum };
        prop_assert!((wanted - f64::from(got)).abs() < near, "{place:?}: {wanted} but {got}");
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn every_instruction_set_convolves_as_defined(case in cases()) {
        for isa in Isa::available() {
            check(isa, &case)?;
        }
    }
}

#[test]
fn filters_that_do_not_fit_are_refused() {
    let filters = Filters::from_nhwc(&tensor(1, &[4, 3, 3, 8]), &tensor(2, &[4])).unwrap();
    let conv = Conv::new(filters, 1, 0).unwrap();
    assert!(conv.forward(&map(3, [1, 2, 9, 8])).is_err());
    assert!(conv.forward(&map(3, [1, 9, 9, 7])).is_err());
    assert!(conv.forward_onto(&map(3, [1, 9, 9, 8]), &map(4, [1, 6, 7, 4])).is_err());
}
