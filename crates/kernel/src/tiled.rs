//! The product in tiles whose sums fit WebAssembly's registers.
//!
//! gemm's tiles are made for a machine's own vectors: of its 12 x 4 sums, a browser's compiler has
//! to put a part aside at every step. These take 0.8 of the time there.

use crate::matrix::Matrix;

/// Rows of a tile: two vectors.
const ROWS: usize = 8;
/// Columns of a tile. Eight sums, two vectors of `a` and one of `b` leave registers to spare.
const COLS: usize = 4;
/// Terms that a tile sums up in one go: the panels that it reads then fit the first cache.
const TERMS: usize = 256;

/// As [`multiply`](crate::matrix::multiply), which has made sure of the sizes.
pub(crate) fn tiled(
    [m, n, k]: [usize; 3],
    a: Matrix,
    b: Matrix,
    product: &mut [f32],
    accumulate: bool,
) {
    if !accumulate {
        product.fill(0.0);
    }
    let mut a_panel = [[0.0; ROWS]; TERMS];
    let mut b_panels = vec![[0.0; COLS]; n.div_ceil(COLS) * TERMS.min(k)];
    for from in (0..k).step_by(TERMS) {
        let terms = TERMS.min(k - from);
        let a_panel = &mut a_panel[..terms];
        for (panel, col) in b_panels.chunks_exact_mut(terms).zip((0..n).step_by(COLS)) {
            let b = Matrix(&b.0[from * b.1 + col * b.2..], b.2, b.1);
            pack(b, COLS.min(n - col), panel);
        }
        for row in (0..m).step_by(ROWS) {
            let rows = ROWS.min(m - row);
            pack(
                Matrix(&a.0[row * a.1 + from * a.2..], a.1, a.2),
                rows,
                a_panel,
            );
            for (b_panel, columns) in b_panels
                .chunks_exact(terms)
                .zip(product.chunks_mut(COLS * m))
            {
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

/// Lays the first `rows` rows of a matrix side by side, term by term, with zeros for the rest.
fn pack<const N: usize>(matrix: Matrix, rows: usize, panel: &mut [[f32; N]]) {
    if matrix.1 == 1 && rows == N {
        for (values, from) in panel.iter_mut().zip(matrix.0.chunks(matrix.2)) {
            values.copy_from_slice(&from[..N]);
        }
        return;
    }
    panel.fill([0.0; N]);
    for row in 0..rows {
        let terms = matrix.0[row * matrix.1..].iter().step_by(matrix.2);
        for (values, value) in panel.iter_mut().zip(terms) {
            values[row] = *value;
        }
    }
}

/// The sums of one tile, column by column.
#[inline(always)]
fn tile(a: &[[f32; ROWS]], b: &[[f32; COLS]]) -> [[f32; ROWS]; COLS] {
    let mut sums = [[0.0; ROWS]; COLS];
    for (a, b) in a.iter().zip(b) {
        for (sums, b) in sums.iter_mut().zip(b) {
            for (sum, a) in sums.iter_mut().zip(a) {
                *sum += a * b;
            }
        }
    }
    sums
}
