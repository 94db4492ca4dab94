//! Matrix products.

use crate::matrix::Matrix;
#[cfg(any(target_arch = "wasm32", test))]
use crate::tiled::multiply_tiled;

/// `product (+)= a b`, for `a` of `[m, k]` and `b` of `[k, n]`. The product is stored column by
/// column.
pub(crate) fn multiply(
    [m, n, k]: [usize; 3],
    a: Matrix,
    b: Matrix,
    product: &mut [f32],
    accumulate: bool,
) {
    assert!(m > 0 && n > 0 && k > 0 && a.holds(m, k) && b.holds(k, n));
    assert_eq!(product.len(), m * n);
    #[cfg(not(target_arch = "wasm32"))]
    multiply_gemm([m, n, k], a, b, product, accumulate);
    #[cfg(target_arch = "wasm32")]
    multiply_tiled([m, n, k], a, b, product, accumulate);
}

/// The product by the crate gemm, which uses the widest SIMD instructions of this machine.
#[cfg(not(target_arch = "wasm32"))]
#[expect(
    unsafe_code,
    reason = "gemm has no safe interface; its requirements are asserted above"
)]
fn multiply_gemm(
    [m, n, k]: [usize; 3],
    a: Matrix,
    b: Matrix,
    product: &mut [f32],
    accumulate: bool,
) {
    // SAFETY: every row and column of the three matrices lies in its slice, and the product, a
    // mutable slice, overlaps neither of the others.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            product.as_mut_ptr(),
            m as isize,
            1,
            accumulate,
            a.values.as_ptr(),
            a.col_stride as isize,
            a.row_stride as isize,
            b.values.as_ptr(),
            b.col_stride as isize,
            b.row_stride as isize,
            1.0,
            1.0,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::{Matrix, multiply_gemm, multiply_tiled};

    /// Pseudorandom values between -1 and 1.
    fn values(count: usize, seed: u32) -> Vec<f32> {
        let next = |state: &u32| Some(state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223));
        std::iter::successors(Some(seed), next)
            .skip(1)
            .take(count)
            .map(|state| (state >> 8) as f32 / (1 << 23) as f32 - 1.0)
            .collect()
    }

    #[test]
    fn multiply_tiled_makes_the_product_of_gemm() {
        for [m, n, k] in [
            [1, 1, 1],
            [8, 4, 256],
            [9, 5, 257],
            [30, 7, 600],
            [64, 16, 27],
        ] {
            let (a, b) = (values(m * k, 1), values(k * n, 2));
            for a in [Matrix::new(&a, 1, m), Matrix::new(&a, k, 1)] {
                for b in [Matrix::new(&b, 1, k), Matrix::new(&b, n, 1)] {
                    for accumulate in [false, true] {
                        let mut expected = values(m * n, 3);
                        let mut product = expected.clone();
                        multiply_gemm([m, n, k], a, b, &mut expected, accumulate);
                        multiply_tiled([m, n, k], a, b, &mut product, accumulate);
                        for (value, expected) in product.iter().zip(&expected) {
                            let error = (value - expected).abs();
                            assert!(error < 1e-4, "{m} x {n} x {k}: {value}, not {expected}");
                        }
                    }
                }
            }
        }
    }
}
