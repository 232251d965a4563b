//! One vocabulary for every vector unit, so that each kernel is written once.
//!
//! A kernel is a [`Job`] over some [`Simd`]; [`Isa::run`] enters it with the best instruction set
//! of this processor switched on. Everything a job calls must be `#[inline(always)]`: only code
//! that ends up inside the entered function is compiled for that instruction set. Closures and
//! `array::from_fn` do not always, so kernels write their loops out.
#![expect(unsafe_code, reason = "vector intrinsics read and write through pointers")]

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::*;

/// A vector of `LANES` f32 numbers.
///
/// # Safety
/// Methods may only run where the instruction set is there, which [`Isa::run`] sees to. Loads and
/// stores touch `LANES` (or `n`) numbers from the pointer on, without a wish for alignment.
pub(crate) unsafe trait Simd {
    type V: Copy;
    const LANES: usize;
    /// Places of the largest tile: what two vectors of sums for each leave of the registers is
    /// enough for weights and values.
    const PLACES: usize;
    /// Values of a place that are read at once.
    const TAPS: usize;
    type Taps: Copy;
    unsafe fn splat(x: f32) -> Self::V;
    unsafe fn load(from: *const f32) -> Self::V;
    unsafe fn store(to: *mut f32, v: Self::V);
    /// `a * b + c`
    unsafe fn fma(a: Self::V, b: Self::V, c: Self::V) -> Self::V;
    unsafe fn add(a: Self::V, b: Self::V) -> Self::V;
    unsafe fn sub(a: Self::V, b: Self::V) -> Self::V;
    unsafe fn mul(a: Self::V, b: Self::V) -> Self::V;
    unsafe fn max(a: Self::V, b: Self::V) -> Self::V;
    unsafe fn min(a: Self::V, b: Self::V) -> Self::V;

    /// `TAPS` values from the pointer on.
    unsafe fn taps(from: *const f32) -> Self::Taps;
    /// `taps[tap] * b + c`
    unsafe fn fma_tap(taps: Self::Taps, tap: usize, b: Self::V, c: Self::V) -> Self::V;

    /// Brings the cache line at `from` nearer. Nothing is read: the pointer may point anywhere.
    #[inline(always)]
    fn fetch(_from: *const f32) {}

    /// The first `n` numbers, zero after them.
    #[inline(always)]
    unsafe fn load_n(from: *const f32, n: usize) -> Self::V {
        if n >= Self::LANES {
            // SAFETY: the caller owns a whole vector.
            return unsafe { Self::load(from) };
        }
        let mut lanes = [0.0; 16];
        // SAFETY: the caller owns `n` numbers at `from`; no vector has more than 16 lanes.
        unsafe {
            std::ptr::copy_nonoverlapping(from, lanes.as_mut_ptr(), n.min(Self::LANES));
            Self::load(lanes.as_ptr())
        }
    }

    /// Stores the first `n` numbers.
    #[inline(always)]
    unsafe fn store_n(to: *mut f32, v: Self::V, n: usize) {
        if n >= Self::LANES {
            // SAFETY: the caller owns a whole vector.
            return unsafe { Self::store(to, v) };
        }
        let mut lanes = [0.0; 16];
        // SAFETY: as for `load_n`.
        unsafe {
            Self::store(lanes.as_mut_ptr(), v);
            std::ptr::copy_nonoverlapping(lanes.as_ptr(), to, n.min(Self::LANES));
        }
    }
}

/// Work written once for every instruction set.
pub(crate) trait Job {
    /// Implementations are `#[inline(always)]`.
    ///
    /// # Safety
    /// The instruction set of `S` must be there.
    unsafe fn run<S: Simd>(self);
}

/// The instruction sets a job can run on here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Isa {
    #[cfg(target_arch = "x86_64")]
    Avx512,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "aarch64")]
    Neon,
    /// Plain Rust, for everything else.
    Portable,
}

impl Isa {
    /// What this processor has, best first.
    pub(crate) fn available() -> Vec<Self> {
        let mut found = Vec::new();
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx512f") {
                found.push(Self::Avx512);
            }
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                found.push(Self::Avx2);
            }
        }
        #[cfg(target_arch = "aarch64")]
        found.push(Self::Neon);
        found.push(Self::Portable);
        found
    }

    /// The best of [`Isa::available`], or what [`without`] left.
    pub(crate) fn best() -> Self {
        *BEST.get_or_init(|| Self::available()[0])
    }

    /// Numbers per vector.
    pub(crate) fn lanes(self) -> usize {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => Avx512::LANES,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => Avx2::LANES,
            #[cfg(target_arch = "aarch64")]
            Self::Neon => Neon::LANES,
            Self::Portable => Portable::LANES,
        }
    }

    pub(crate) fn run<J: Job>(self, job: J) {
        // SAFETY: a value of `Isa` other than `Portable` comes from `available` only.
        unsafe {
            match self {
                #[cfg(target_arch = "x86_64")]
                Self::Avx512 => in_avx512(job),
                #[cfg(target_arch = "x86_64")]
                Self::Avx2 => in_avx2(job),
                #[cfg(target_arch = "aarch64")]
                Self::Neon => job.run::<Neon>(),
                Self::Portable => job.run::<Portable>(),
            }
        }
    }
}

static BEST: std::sync::OnceLock<Isa> = std::sync::OnceLock::new();

/// For measurements: from now on as on a processor without `avx512`, or without `avx2` too, or with
/// no vectors we know (`all`). False once a network has been loaded.
pub fn without(what: &str) -> bool {
    let left = Isa::available().into_iter().find(|isa| match isa {
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 => !["avx512", "avx2", "all"].contains(&what),
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2 => !["avx2", "all"].contains(&what),
        #[cfg(target_arch = "aarch64")]
        Isa::Neon => what != "all",
        Isa::Portable => true,
    });
    left.is_some_and(|isa| BEST.set(isa).is_ok())
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
unsafe fn in_avx512<J: Job>(job: J) {
    // SAFETY: this function runs only where AVX-512 is.
    unsafe { job.run::<Avx512>() }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn in_avx2<J: Job>(job: J) {
    // SAFETY: this function runs only where AVX2 and FMA are.
    unsafe { job.run::<Avx2>() }
}

/// Where a value is spread over a vector as it is read: one at a time.
macro_rules! one_tap {
    ($v:ty) => {
        const TAPS: usize = 1;
        type Taps = $v;
        #[inline(always)]
        unsafe fn taps(from: *const f32) -> $v {
            // SAFETY: the caller owns a number at `from`.
            unsafe { Self::splat(*from) }
        }
        #[inline(always)]
        unsafe fn fma_tap(taps: $v, _tap: usize, b: $v, c: $v) -> $v {
            // SAFETY: the caller's, see the trait.
            unsafe { Self::fma(taps, b, c) }
        }
    };
}

/// Implements the methods of [`Simd`] that are one intrinsic each.
macro_rules! intrinsics {
    ($v:ty, $lanes:literal, $places:literal, $splat:ident, $load:ident, $store:ident, $add:ident, $sub:ident, $mul:ident, $max:ident, $min:ident) => {
        type V = $v;
        const LANES: usize = $lanes;
        const PLACES: usize = $places;
        #[inline(always)]
        unsafe fn splat(x: f32) -> $v {
            // SAFETY: the caller's, see the trait; so below.
            unsafe { $splat(x) }
        }
        #[inline(always)]
        unsafe fn load(from: *const f32) -> $v {
            // SAFETY: as above.
            unsafe { $load(from) }
        }
        #[inline(always)]
        unsafe fn store(to: *mut f32, v: $v) {
            // SAFETY: as above.
            unsafe { $store(to, v) }
        }
        #[inline(always)]
        unsafe fn add(a: $v, b: $v) -> $v {
            // SAFETY: as above.
            unsafe { $add(a, b) }
        }
        #[inline(always)]
        unsafe fn sub(a: $v, b: $v) -> $v {
            // SAFETY: as above.
            unsafe { $sub(a, b) }
        }
        #[inline(always)]
        unsafe fn mul(a: $v, b: $v) -> $v {
            // SAFETY: as above.
            unsafe { $mul(a, b) }
        }
        #[inline(always)]
        unsafe fn max(a: $v, b: $v) -> $v {
            // SAFETY: as above.
            unsafe { $max(a, b) }
        }
        #[inline(always)]
        unsafe fn min(a: $v, b: $v) -> $v {
            // SAFETY: as above.
            unsafe { $min(a, b) }
        }
    };
}

#[cfg(target_arch = "x86_64")]
pub(crate) struct Avx512;

// SAFETY: every method is the intrinsic its name says, over 16 numbers.
#[cfg(target_arch = "x86_64")]
unsafe impl Simd for Avx512 {
    intrinsics!(
        __m512,
        16,
        12,
        _mm512_set1_ps,
        _mm512_loadu_ps,
        _mm512_storeu_ps,
        _mm512_add_ps,
        _mm512_sub_ps,
        _mm512_mul_ps,
        _mm512_max_ps,
        _mm512_min_ps
    );
    one_tap!(__m512);
    #[inline(always)]
    unsafe fn fma(a: __m512, b: __m512, c: __m512) -> __m512 {
        // SAFETY: the caller's, see the trait.
        unsafe { _mm512_fmadd_ps(a, b, c) }
    }
    #[inline(always)]
    fn fetch(from: *const f32) {
        // SAFETY: a prefetch reads nothing, wherever it points.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(from.cast()) }
    }
    #[inline(always)]
    unsafe fn load_n(from: *const f32, n: usize) -> __m512 {
        // SAFETY: lanes beyond `n` are masked and not touched.
        unsafe { _mm512_maskz_loadu_ps(((1u32 << n.min(16)) - 1) as u16, from) }
    }
    #[inline(always)]
    unsafe fn store_n(to: *mut f32, v: __m512, n: usize) {
        // SAFETY: lanes beyond `n` are masked and not touched.
        unsafe { _mm512_mask_storeu_ps(to, ((1u32 << n.min(16)) - 1) as u16, v) }
    }
}

#[cfg(target_arch = "x86_64")]
pub(crate) struct Avx2;

// SAFETY: every method is the intrinsic its name says, over 8 numbers.
#[cfg(target_arch = "x86_64")]
unsafe impl Simd for Avx2 {
    intrinsics!(
        __m256,
        8,
        6,
        _mm256_set1_ps,
        _mm256_loadu_ps,
        _mm256_storeu_ps,
        _mm256_add_ps,
        _mm256_sub_ps,
        _mm256_mul_ps,
        _mm256_max_ps,
        _mm256_min_ps
    );
    one_tap!(__m256);
    #[inline(always)]
    unsafe fn fma(a: __m256, b: __m256, c: __m256) -> __m256 {
        // SAFETY: the caller's, see the trait.
        unsafe { _mm256_fmadd_ps(a, b, c) }
    }
    #[inline(always)]
    fn fetch(from: *const f32) {
        // SAFETY: a prefetch reads nothing, wherever it points.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(from.cast()) }
    }
    #[inline(always)]
    unsafe fn load_n(from: *const f32, n: usize) -> __m256 {
        if n >= Self::LANES {
            // SAFETY: the caller owns a whole vector.
            return unsafe { Self::load(from) };
        }
        // SAFETY: lanes beyond `n` are masked and not touched.
        unsafe { _mm256_maskload_ps(from, first(n)) }
    }
    #[inline(always)]
    unsafe fn store_n(to: *mut f32, v: __m256, n: usize) {
        if n >= Self::LANES {
            // SAFETY: the caller owns a whole vector.
            return unsafe { Self::store(to, v) };
        }
        // A masked store takes AMD's processors as long as ten whole ones.
        // SAFETY: 4, 2 and 1 numbers are stored one after another, `n` in all.
        unsafe {
            let (mut to, mut rest) = (to, _mm256_castps256_ps128(v));
            if n & 4 != 0 {
                _mm_storeu_ps(to, rest);
                to = to.add(4);
                rest = _mm256_extractf128_ps::<1>(v);
            }
            if n & 2 != 0 {
                _mm_store_sd(to.cast(), _mm_castps_pd(rest));
                to = to.add(2);
                rest = _mm_movehl_ps(rest, rest);
            }
            if n & 1 != 0 {
                _mm_store_ss(to, rest);
            }
        }
    }
}

/// A mask of the first `n` of 8 lanes.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
unsafe fn first(n: usize) -> __m256i {
    const MASKS: [i32; 16] = [-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0];
    // SAFETY: eight numbers lie at each place from 0 to 8; AVX2 is the caller's promise.
    unsafe { _mm256_loadu_si256(MASKS.as_ptr().add(8 - n.min(8)).cast()) }
}

#[cfg(target_arch = "aarch64")]
use std::arch::aarch64::*;

#[cfg(target_arch = "aarch64")]
pub(crate) struct Neon;

// SAFETY: every method is the intrinsic its name says, over 4 numbers; aarch64 always has NEON.
#[cfg(target_arch = "aarch64")]
unsafe impl Simd for Neon {
    intrinsics!(
        float32x4_t,
        4,
        8,
        vdupq_n_f32,
        vld1q_f32,
        vst1q_f32,
        vaddq_f32,
        vsubq_f32,
        vmulq_f32,
        vmaxq_f32,
        vminq_f32
    );
    /// An instruction multiplies by any lane of a vector, so four values are read as one.
    const TAPS: usize = 4;
    type Taps = float32x4_t;
    #[inline(always)]
    unsafe fn taps(from: *const f32) -> float32x4_t {
        // SAFETY: the caller owns four numbers at `from`.
        unsafe { Self::load(from) }
    }
    #[inline(always)]
    unsafe fn fma_tap(
        taps: float32x4_t,
        tap: usize,
        b: float32x4_t,
        c: float32x4_t,
    ) -> float32x4_t {
        // SAFETY: the caller's, see the trait.
        unsafe {
            match tap {
                0 => vfmaq_laneq_f32::<0>(c, b, taps),
                1 => vfmaq_laneq_f32::<1>(c, b, taps),
                2 => vfmaq_laneq_f32::<2>(c, b, taps),
                _ => vfmaq_laneq_f32::<3>(c, b, taps),
            }
        }
    }
    #[inline(always)]
    unsafe fn store_n(to: *mut f32, v: float32x4_t, n: usize) {
        // SAFETY: 2 numbers and 1 are stored one after another, `n` in all.
        unsafe {
            match n {
                0 => {}
                1 => vst1q_lane_f32::<0>(to, v),
                2 => vst1_f32(to, vget_low_f32(v)),
                3 => {
                    vst1_f32(to, vget_low_f32(v));
                    vst1q_lane_f32::<2>(to.add(2), v);
                }
                _ => vst1q_f32(to, v),
            }
        }
    }
    #[inline(always)]
    unsafe fn fma(a: float32x4_t, b: float32x4_t, c: float32x4_t) -> float32x4_t {
        // SAFETY: the caller's, see the trait.
        unsafe { vfmaq_f32(c, a, b) }
    }
}

/// Four numbers in an array: what the compiler makes of it is enough to be right everywhere.
pub(crate) struct Portable;

#[inline(always)]
fn each(a: [f32; 4], b: [f32; 4], f: impl Fn(f32, f32) -> f32) -> [f32; 4] {
    std::array::from_fn(|i| f(a[i], b[i]))
}

// SAFETY: plain Rust but for loads and stores, which touch 4 numbers.
unsafe impl Simd for Portable {
    type V = [f32; 4];
    const LANES: usize = 4;
    const PLACES: usize = 6;
    one_tap!([f32; 4]);
    #[inline(always)]
    unsafe fn splat(x: f32) -> [f32; 4] {
        [x; 4]
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> [f32; 4] {
        // SAFETY: the caller owns 4 numbers at `from`; an array of f32 is read unaligned.
        unsafe { from.cast::<[f32; 4]>().read_unaligned() }
    }
    #[inline(always)]
    unsafe fn store(to: *mut f32, v: [f32; 4]) {
        // SAFETY: the caller owns 4 numbers at `to`.
        unsafe { to.cast::<[f32; 4]>().write_unaligned(v) }
    }
    #[inline(always)]
    unsafe fn fma(a: [f32; 4], b: [f32; 4], c: [f32; 4]) -> [f32; 4] {
        std::array::from_fn(|i| a[i] * b[i] + c[i])
    }
    #[inline(always)]
    unsafe fn add(a: [f32; 4], b: [f32; 4]) -> [f32; 4] {
        each(a, b, |a, b| a + b)
    }
    #[inline(always)]
    unsafe fn sub(a: [f32; 4], b: [f32; 4]) -> [f32; 4] {
        each(a, b, |a, b| a - b)
    }
    #[inline(always)]
    unsafe fn mul(a: [f32; 4], b: [f32; 4]) -> [f32; 4] {
        each(a, b, |a, b| a * b)
    }
    #[inline(always)]
    unsafe fn max(a: [f32; 4], b: [f32; 4]) -> [f32; 4] {
        each(a, b, |a, b| if a > b { a } else { b })
    }
    #[inline(always)]
    unsafe fn min(a: [f32; 4], b: [f32; 4]) -> [f32; 4] {
        each(a, b, |a, b| if a < b { a } else { b })
    }
}
