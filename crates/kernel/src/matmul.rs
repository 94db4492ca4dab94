//! Matrix products.

#[cfg(any(target_arch = "wasm32", test))]
use crate::tile::tiled;

/// Values with the distance from row to row and from column to column.
#[derive(Clone, Copy)]
pub(crate) struct Matrix<'a>(pub(crate) &'a [f32], pub(crate) usize, pub(crate) usize);

impl Matrix<'_> {
    fn holds(&self, rows: usize, cols: usize) -> bool {
        (rows - 1) * self.1 + (cols - 1) * self.2 < self.0.len()
    }
}

/// `product (+)= a b`, of `[m, k]` and `[k, n]`; the product column by column.
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
    gemm([m, n, k], a, b, product, accumulate);
    #[cfg(target_arch = "wasm32")]
    tiled([m, n, k], a, b, product, accumulate);
}

/// The product by gemm's kernels, which know the widest vectors of this machine.
#[cfg(not(target_arch = "wasm32"))]
#[expect(
    unsafe_code,
    reason = "gemm has no safe interface; what it needs was asserted"
)]
fn gemm([m, n, k]: [usize; 3], a: Matrix, b: Matrix, product: &mut [f32], accumulate: bool) {
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
            a.0.as_ptr(),
            a.2 as isize,
            a.1 as isize,
            b.0.as_ptr(),
            b.2 as isize,
            b.1 as isize,
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
    use super::{Matrix, gemm, tiled};

    /// Values between -1 and 1 that look like chance.
    fn values(count: usize, seed: u32) -> Vec<f32> {
        let next = |state: &u32| Some(state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223));
        std::iter::successors(Some(seed), next)
            .skip(1)
            .take(count)
            .map(|state| (state >> 8) as f32 / (1 << 23) as f32 - 1.0)
            .collect()
    }

    #[test]
    fn tiles_make_the_same_product_as_gemm() {
        for [m, n, k] in [
            [1, 1, 1],
            [8, 4, 256],
            [9, 5, 257],
            [30, 7, 600],
            [64, 16, 27],
        ] {
            let (a, b) = (values(m * k, 1), values(k * n, 2));
            for a in [Matrix(&a, 1, m), Matrix(&a, k, 1)] {
                for b in [Matrix(&b, 1, k), Matrix(&b, n, 1)] {
                    for accumulate in [false, true] {
                        let mut expected = values(m * n, 3);
                        let mut product = expected.clone();
                        gemm([m, n, k], a, b, &mut expected, accumulate);
                        tiled([m, n, k], a, b, &mut product, accumulate);
                        for (value, expected) in product.iter().zip(&expected) {
                            let far = (value - expected).abs();
                            assert!(far < 1e-4, "{m} x {n} x {k}: {value}, not {expected}");
                        }
                    }
                }
            }
        }
    }
}
