//! The transforms of Winograd's convolution F(4, 3) for one row or column of a tile, on vectors.
//!
//! The points of the interpolation are 0, ±√½, ±√2 and infinity. With the usual ones, 0, ±1 and ±2,
//! rounding errors are four times as large.

use std::f32::consts::{FRAC_1_SQRT_2, SQRT_2};

use pulp::Simd;

/// Rows and columns of a tile's outputs, which are also the distance between neighbouring tiles.
pub(super) const TILE_OUTPUTS: usize = 4;
/// Rows and columns of a tile's inputs.
pub(super) const TILE_INPUTS: usize = 6;
/// Elements of a tile of inputs.
pub(super) const TILE_ELEMENTS: usize = TILE_INPUTS * TILE_INPUTS;

/// A transform of `N` values to `M` values, for each lane of vectors.
///
/// A trait, because a function that is passed as an argument is not always inlined, and only what is
/// inlined is compiled for the machine's instructions.
pub(super) trait Transform<const N: usize, const M: usize> {
    /// Transforms the values.
    fn apply<S: Simd>(simd: S, values: [S::f32s; N]) -> [S::f32s; M];
}

/// The sum of values, each with a factor, and `start`.
#[inline(always)]
fn plus<S: Simd, const N: usize>(simd: S, start: S::f32s, terms: [(f32, S::f32s); N]) -> S::f32s {
    let mut sum = start;
    for (factor, value) in terms {
        sum = simd.mul_add_e_f32s(simd.splat_f32s(factor), value, sum);
    }
    sum
}

/// `(a + b, a - b)`
#[inline(always)]
fn butterfly<S: Simd>(simd: S, a: S::f32s, b: S::f32s) -> (S::f32s, S::f32s) {
    (simd.add_f32s(a, b), simd.sub_f32s(a, b))
}

/// `G`
pub(super) struct Weight;

impl Transform<3, TILE_INPUTS> for Weight {
    #[inline(always)]
    fn apply<S: Simd>(simd: S, [a, b, c]: [S::f32s; 3]) -> [S::f32s; TILE_INPUTS] {
        let zero = simd.splat_f32s(0.0);
        let even = plus(simd, zero, [(-2.0 / 3.0, a), (-1.0 / 3.0, c)]);
        let wide_even = plus(simd, zero, [(1.0 / 6.0, a), (1.0 / 3.0, c)]);
        [
            a,
            plus(simd, even, [(-2.0 / 3.0 * FRAC_1_SQRT_2, b)]),
            plus(simd, even, [(2.0 / 3.0 * FRAC_1_SQRT_2, b)]),
            plus(simd, wide_even, [(SQRT_2 / 6.0, b)]),
            plus(simd, wide_even, [(-SQRT_2 / 6.0, b)]),
            c,
        ]
    }
}

/// `G'`
#[cfg(feature = "threads")]
pub(super) struct WeightGrad;

#[cfg(feature = "threads")]
impl Transform<TILE_INPUTS, 3> for WeightGrad {
    #[inline(always)]
    fn apply<S: Simd>(simd: S, [e0, e1, e2, e3, e4, e5]: [S::f32s; TILE_INPUTS]) -> [S::f32s; 3] {
        let (even, odd) = butterfly(simd, e1, e2);
        let (wide_even, wide_odd) = butterfly(simd, e3, e4);
        let zero = simd.splat_f32s(0.0);
        [
            plus(simd, e0, [(-2.0 / 3.0, even), (1.0 / 6.0, wide_even)]),
            plus(
                simd,
                zero,
                [(-2.0 / 3.0 * FRAC_1_SQRT_2, odd), (SQRT_2 / 6.0, wide_odd)],
            ),
            plus(simd, e5, [(-1.0 / 3.0, even), (1.0 / 3.0, wide_even)]),
        ]
    }
}

/// `B'`
pub(super) struct Input;

impl Transform<TILE_INPUTS, TILE_INPUTS> for Input {
    #[inline(always)]
    fn apply<S: Simd>(
        simd: S,
        [d0, d1, d2, d3, d4, d5]: [S::f32s; TILE_INPUTS],
    ) -> [S::f32s; TILE_INPUTS] {
        let even = plus(simd, d4, [(-2.0, d2)]);
        let odd = plus(simd, d3, [(-2.0, d1)]);
        let wide_even = plus(simd, d4, [(-0.5, d2)]);
        let wide_odd = plus(simd, d3, [(-0.5, d1)]);
        [
            plus(simd, simd.add_f32s(d0, d4), [(-2.5, d2)]),
            plus(simd, even, [(FRAC_1_SQRT_2, odd)]),
            plus(simd, even, [(-FRAC_1_SQRT_2, odd)]),
            plus(simd, wide_even, [(SQRT_2, wide_odd)]),
            plus(simd, wide_even, [(-SQRT_2, wide_odd)]),
            plus(simd, simd.add_f32s(d1, d5), [(-2.5, d3)]),
        ]
    }
}

/// `B`
#[cfg(feature = "threads")]
pub(super) struct InputGrad;

#[cfg(feature = "threads")]
impl Transform<TILE_INPUTS, TILE_INPUTS> for InputGrad {
    #[inline(always)]
    fn apply<S: Simd>(
        simd: S,
        [e0, e1, e2, e3, e4, e5]: [S::f32s; TILE_INPUTS],
    ) -> [S::f32s; TILE_INPUTS] {
        let (even, odd) = butterfly(simd, e1, e2);
        let (wide_even, wide_odd) = butterfly(simd, e3, e4);
        let zero = simd.splat_f32s(0.0);
        [
            e0,
            plus(simd, e5, [(-SQRT_2, odd), (-FRAC_1_SQRT_2, wide_odd)]),
            plus(simd, zero, [(-2.5, e0), (-2.0, even), (-0.5, wide_even)]),
            plus(
                simd,
                zero,
                [(-2.5, e5), (FRAC_1_SQRT_2, odd), (SQRT_2, wide_odd)],
            ),
            simd.add_f32s(e0, simd.add_f32s(even, wide_even)),
            e5,
        ]
    }
}

/// `A'`
pub(super) struct Output;

impl Transform<TILE_INPUTS, TILE_OUTPUTS> for Output {
    #[inline(always)]
    fn apply<S: Simd>(
        simd: S,
        [m0, m1, m2, m3, m4, m5]: [S::f32s; TILE_INPUTS],
    ) -> [S::f32s; TILE_OUTPUTS] {
        let (even, odd) = butterfly(simd, m1, m2);
        let (wide_even, wide_odd) = butterfly(simd, m3, m4);
        let zero = simd.splat_f32s(0.0);
        [
            simd.add_f32s(m0, simd.add_f32s(even, wide_even)),
            plus(simd, zero, [(FRAC_1_SQRT_2, odd), (SQRT_2, wide_odd)]),
            plus(simd, zero, [(0.5, even), (2.0, wide_even)]),
            plus(
                simd,
                m5,
                [(0.5 * FRAC_1_SQRT_2, odd), (2.0 * SQRT_2, wide_odd)],
            ),
        ]
    }
}

/// `A`
#[cfg(feature = "threads")]
pub(super) struct OutputGrad;

#[cfg(feature = "threads")]
impl Transform<TILE_OUTPUTS, TILE_INPUTS> for OutputGrad {
    #[inline(always)]
    fn apply<S: Simd>(
        simd: S,
        [y0, y1, y2, y3]: [S::f32s; TILE_OUTPUTS],
    ) -> [S::f32s; TILE_INPUTS] {
        let even = plus(simd, y0, [(0.5, y2)]);
        let odd = plus(simd, y1, [(0.5, y3)]);
        let wide_even = plus(simd, y0, [(2.0, y2)]);
        let wide_odd = plus(simd, y1, [(2.0, y3)]);
        [
            y0,
            plus(simd, even, [(FRAC_1_SQRT_2, odd)]),
            plus(simd, even, [(-FRAC_1_SQRT_2, odd)]),
            plus(simd, wide_even, [(SQRT_2, wide_odd)]),
            plus(simd, wide_even, [(-SQRT_2, wide_odd)]),
            y3,
        ]
    }
}

/// What a tile's columns add to the row, of which the last two are the first of the next tile.
#[cfg(feature = "threads")]
pub(super) struct Overlap;

#[cfg(feature = "threads")]
impl Transform<TILE_INPUTS, TILE_OUTPUTS> for Overlap {
    #[inline(always)]
    fn apply<S: Simd>(
        simd: S,
        [d0, d1, d2, d3, d4, d5]: [S::f32s; TILE_INPUTS],
    ) -> [S::f32s; TILE_OUTPUTS] {
        [simd.add_f32s(d0, d4), simd.add_f32s(d1, d5), d2, d3]
    }
}
