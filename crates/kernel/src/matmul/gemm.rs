//! Matrix products by the crate gemm, which uses the widest SIMD instructions of the machine.

use pulp::Simd;

use crate::matrix::Matrix;

/// Values of a packed matrix `b`, of `[k, n]`.
pub(crate) fn packed_len([n, k]: [usize; 2]) -> usize {
    n * k
}

/// Packs matrices `b`, one after the other, each stored column by column. They stay as they are:
/// gemm itself brings them into panels.
pub(crate) fn pack(_: [usize; 2], b: Vec<f32>) -> Vec<f32> {
    b
}

/// `product = a b`, for a packed matrix `b`.
pub(crate) fn multiply_packed<S: Simd>(
    simd: S,
    [m, n, k]: [usize; 3],
    a: Matrix,
    b: &[f32],
    product: &mut [f32],
) {
    multiply(simd, [m, n, k], a, Matrix::new(b, 1, k), product, false);
}

/// `product (+)= a b`, for `a` of `[m, k]` and `b` of `[k, n]`. The product is stored column by
/// column.
#[expect(
    unsafe_code,
    reason = "gemm has no safe interface; its requirements are asserted"
)]
pub(crate) fn multiply<S: Simd>(
    _: S,
    [m, n, k]: [usize; 3],
    a: Matrix,
    b: Matrix,
    product: &mut [f32],
    accumulate: bool,
) {
    assert!(m > 0 && n > 0 && k > 0 && a.holds(m, k) && b.holds(k, n));
    assert_eq!(product.len(), m * n);
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
