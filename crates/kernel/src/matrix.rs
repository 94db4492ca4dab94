//! Matrix products.

/// Values with the distance from row to row and from column to column.
pub(crate) struct Matrix<'a>(pub(crate) &'a [f32], pub(crate) usize, pub(crate) usize);

impl Matrix<'_> {
    fn holds(&self, rows: usize, cols: usize) -> bool {
        (rows - 1) * self.1 + (cols - 1) * self.2 < self.0.len()
    }
}

/// `product (+)= a b`, of `[m, k]` and `[k, n]`; the product column by column.
#[expect(
    unsafe_code,
    reason = "gemm has no safe interface; what it needs is asserted"
)]
pub(crate) fn multiply(
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
