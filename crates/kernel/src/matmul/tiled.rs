//! Matrix products in tiles whose sums fit the registers of WebAssembly.
//!
//! The tiles of the crate gemm hold 12 x 4 sums, which are too many for the registers that a
//! browser's compiler uses. These tiles take 0.8 of gemm's time there. `MR`, `NR` and `KC` are the
//! names that BLIS uses (Van Zee and van de Geijn 2015).

use std::array;

use pulp::{Simd, as_arrays, as_arrays_mut};

use crate::matrix::Matrix;

/// Vectors of a column of a tile.
const MR: usize = 2;
/// Columns of a tile. The tile's sums take eight registers, `a` two and `b` one.
const NR: usize = 4;
/// Terms of a sum that are added at a time, so that the panels fit the first-level cache.
const KC: usize = 256;

/// Values of a packed matrix `b`, of `[k, n]`.
pub(crate) fn packed_len([n, k]: [usize; 2]) -> usize {
    n.next_multiple_of(NR) * k
}

/// Packs matrices `b`, one after the other, each stored column by column.
pub(crate) fn pack([n, k]: [usize; 2], b: Vec<f32>) -> Vec<f32> {
    let mut packed = vec![0.0; b.len() / (n * k) * packed_len([n, k])];
    for (packed, b) in packed
        .chunks_exact_mut(packed_len([n, k]))
        .zip(b.chunks_exact(n * k))
    {
        copy_to_panels([n, k], Matrix::new(b, 1, k), packed);
    }
    packed
}

/// Copies `b` to panels of [`NR`] columns, with [`KC`] rows each.
fn copy_to_panels([n, k]: [usize; 2], b: Matrix, packed: &mut [f32]) {
    let width = n.next_multiple_of(NR);
    for (panels, from) in packed.chunks_mut(KC * width).zip((0..k).step_by(KC)) {
        let terms = KC.min(k - from);
        for (panel, col) in panels.chunks_exact_mut(NR * terms).zip((0..n).step_by(NR)) {
            let at = from * b.row_stride + col * b.col_stride;
            let columns = Matrix::new(&b.values[at..], b.col_stride, b.row_stride);
            copy_to_panel(columns, NR.min(n - col), NR, panel);
        }
    }
}

/// `product = a b`, for a packed matrix `b`.
#[inline(always)]
pub(crate) fn multiply_packed<S: Simd>(
    simd: S,
    sizes: [usize; 3],
    a: Matrix,
    b: &[f32],
    product: &mut [f32],
) {
    multiply_panels(simd, sizes, a, b, product, false);
}

/// `product (+)= a b`, for `a` of `[m, k]` and `b` of `[k, n]`. The product is stored column by
/// column.
#[cfg(any(feature = "threads", test))]
#[inline(always)]
pub(crate) fn multiply<S: Simd>(
    simd: S,
    [m, n, k]: [usize; 3],
    a: Matrix,
    b: Matrix,
    product: &mut [f32],
    accumulate: bool,
) {
    let mut packed = vec![0.0; packed_len([n, k])];
    copy_to_panels([n, k], b, &mut packed);
    multiply_panels(simd, [m, n, k], a, &packed, product, accumulate);
}

#[inline(always)]
fn multiply_panels<S: Simd>(
    simd: S,
    [m, n, k]: [usize; 3],
    a: Matrix,
    b: &[f32],
    product: &mut [f32],
    accumulate: bool,
) {
    assert!(m > 0 && n > 0 && k > 0 && a.holds(m, k));
    assert_eq!(b.len(), packed_len([n, k]));
    assert_eq!(product.len(), m * n);
    let mut panel = vec![0.0; MR * S::F32_LANES * KC.min(k)];
    for (b, from) in b
        .chunks(KC * n.next_multiple_of(NR))
        .zip((0..k).step_by(KC))
    {
        let accumulate = accumulate || from > 0;
        let mut row = 0;
        while row < m {
            let sizes = [m - row, m, KC.min(k - from)];
            let at = row * a.row_stride + from * a.col_stride;
            let a = Matrix::new(&a.values[at..], a.row_stride, a.col_stride);
            let product = &mut product[row..];
            row += if m - row > S::F32_LANES {
                row_of_tiles::<S, MR>(simd, sizes, a, b, &mut panel, product, accumulate)
            } else {
                row_of_tiles::<S, 1>(simd, sizes, a, b, &mut panel, product, accumulate)
            };
        }
    }
}

/// A row of tiles, with the first rows of `a`, and `rest` of them at most. Returns their number.
#[inline(always)]
fn row_of_tiles<S: Simd, const VECTORS: usize>(
    simd: S,
    [rest, m, terms]: [usize; 3],
    a: Matrix,
    b: &[f32],
    panel: &mut [f32],
    product: &mut [f32],
    accumulate: bool,
) -> usize {
    let height = VECTORS * S::F32_LANES;
    let rows = height.min(rest);
    let panel = &mut panel[..height * terms];
    if a.row_stride == 1 {
        let (panel, _) = as_arrays_mut::<VECTORS, _>(S::as_mut_simd_f32s(panel).0);
        for (col, column) in panel.iter_mut().enumerate() {
            *column = load(simd, &a.values[col * a.col_stride..][..rows]);
        }
    } else {
        copy_to_panel(a, rows, height, panel);
    }
    let columns = product.chunks_mut(NR * m);
    for (b_panel, columns) in b.chunks_exact(NR * terms).zip(columns) {
        let sums = tile::<S, VECTORS>(simd, panel, b_panel);
        for (column, mut sums) in columns.chunks_mut(m).zip(sums) {
            let column = &mut column[..rows];
            if accumulate {
                let before: [_; VECTORS] = load(simd, column);
                for (sum, before) in sums.iter_mut().zip(before) {
                    *sum = simd.add_f32s(before, *sum);
                }
            }
            store(simd, column, sums);
        }
    }
    rows
}

/// Some vectors of values, or fewer values and then zeros. Copies of a varying length would be calls
/// of the browser's `memory.copy`, which take longer than a tile's sums.
#[inline(always)]
fn load<S: Simd, const VECTORS: usize>(simd: S, values: &[f32]) -> [S::f32s; VECTORS] {
    match as_arrays(S::as_simd_f32s(values).0) {
        ([vectors], _) => *vectors,
        _ => {
            let mut chunks = values.chunks(S::F32_LANES);
            array::from_fn(|_| simd.partial_load_f32s(chunks.next().unwrap_or_default()))
        }
    }
}

/// The inverse of [`load`].
#[inline(always)]
fn store<S: Simd, const VECTORS: usize>(simd: S, values: &mut [f32], vectors: [S::f32s; VECTORS]) {
    if values.len() == VECTORS * S::F32_LANES {
        S::as_mut_simd_f32s(values).0.copy_from_slice(&vectors);
    } else {
        for (values, vector) in values.chunks_mut(S::F32_LANES).zip(vectors) {
            simd.partial_store_f32s(values, vector);
        }
    }
}

/// Copies the first `rows` rows of a matrix to a panel of `width` rows, column by column, padded with
/// zeros.
#[inline(always)]
fn copy_to_panel(matrix: Matrix, rows: usize, width: usize, panel: &mut [f32]) {
    if matrix.row_stride == 1 {
        for (col, values) in panel.chunks_exact_mut(width).enumerate() {
            let from = &matrix.values[col * matrix.col_stride..];
            values[..rows].copy_from_slice(&from[..rows]);
            values[rows..].fill(0.0);
        }
        return;
    }
    for values in panel.chunks_exact_mut(width) {
        values[rows..].fill(0.0);
    }
    for row in 0..rows {
        let terms = matrix.values[row * matrix.row_stride..]
            .iter()
            .step_by(matrix.col_stride);
        for (values, value) in panel.chunks_exact_mut(width).zip(terms) {
            values[row] = *value;
        }
    }
}

/// The sums of one tile, column by column.
#[inline(always)]
fn tile<S: Simd, const VECTORS: usize>(simd: S, a: &[f32], b: &[f32]) -> [[S::f32s; VECTORS]; NR] {
    let (a, _) = as_arrays::<VECTORS, _>(S::as_simd_f32s(a).0);
    let (b, _) = b.as_chunks::<NR>();
    let mut sums = [[simd.splat_f32s(0.0); VECTORS]; NR];
    for (a, b) in a.iter().zip(b) {
        for (sums, b) in sums.iter_mut().zip(b) {
            let b = simd.splat_f32s(*b);
            for (sum, a) in sums.iter_mut().zip(a) {
                *sum = simd.mul_add_e_f32s(*a, b, *sum);
            }
        }
    }
    sums
}
