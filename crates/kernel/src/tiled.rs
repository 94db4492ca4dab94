//! Matrix products in tiles whose sums fit the registers of WebAssembly.
//!
//! The tiles of the crate gemm hold 12 x 4 sums, which are too many for the registers that a
//! browser's compiler uses. These tiles take 0.8 of gemm's time there. `MR`, `NR` and `KC` are the
//! names that BLIS uses (Van Zee and van de Geijn 2015).

use crate::matrix::Matrix;

/// Rows of a tile: two SIMD registers.
const MR: usize = 8;
/// Columns of a tile. The tile's sums take eight registers, `a` two and `b` one.
const NR: usize = 4;
/// Terms of a sum that are added at a time, so that the panels fit the first-level cache.
const KC: usize = 256;

/// As [`multiply`](crate::matmul::multiply), which has checked the sizes.
pub(crate) fn multiply_tiled(
    [m, n, k]: [usize; 3],
    a: Matrix,
    b: Matrix,
    product: &mut [f32],
    accumulate: bool,
) {
    if !accumulate {
        product.fill(0.0);
    }
    let mut a_panel = [[0.0; MR]; KC];
    let mut b_panels = vec![[0.0; NR]; n.div_ceil(NR) * KC.min(k)];
    for from in (0..k).step_by(KC) {
        let terms = KC.min(k - from);
        let a_panel = &mut a_panel[..terms];
        for (panel, col) in b_panels.chunks_exact_mut(terms).zip((0..n).step_by(NR)) {
            let b = Matrix::new(
                &b.values[from * b.row_stride + col * b.col_stride..],
                b.col_stride,
                b.row_stride,
            );
            pack(b, NR.min(n - col), panel);
        }
        for row in (0..m).step_by(MR) {
            let rows = MR.min(m - row);
            let a = Matrix::new(
                &a.values[row * a.row_stride + from * a.col_stride..],
                a.row_stride,
                a.col_stride,
            );
            pack(a, rows, a_panel);
            for (b_panel, columns) in b_panels.chunks_exact(terms).zip(product.chunks_mut(NR * m)) {
                let sums = tile(a_panel, b_panel);
                for (column, sums) in columns.chunks_exact_mut(m).zip(&sums) {
                    for (value, sum) in column[row..row + rows].iter_mut().zip(sums) {
                        *value += sum;
                    }
                }
            }
        }
    }
}

/// Copies the first `rows` rows of a matrix to a panel, column by column, padded with zeros.
fn pack<const N: usize>(matrix: Matrix, rows: usize, panel: &mut [[f32; N]]) {
    if matrix.row_stride == 1 && rows == N {
        for (values, from) in panel
            .iter_mut()
            .zip(matrix.values.chunks(matrix.col_stride))
        {
            values.copy_from_slice(&from[..N]);
        }
        return;
    }
    panel.fill([0.0; N]);
    for row in 0..rows {
        let terms = matrix.values[row * matrix.row_stride..]
            .iter()
            .step_by(matrix.col_stride);
        for (values, value) in panel.iter_mut().zip(terms) {
            values[row] = *value;
        }
    }
}

/// The sums of one tile, column by column.
#[inline(always)]
fn tile(a: &[[f32; MR]], b: &[[f32; NR]]) -> [[f32; MR]; NR] {
    let mut sums = [[0.0; MR]; NR];
    for (a, b) in a.iter().zip(b) {
        for (sums, b) in sums.iter_mut().zip(b) {
            for (sum, a) in sums.iter_mut().zip(a) {
                *sum += a * b;
            }
        }
    }
    sums
}
