//! Rows of values, and loops over them in SIMD vectors.
//!
//! The values of a row of the image are in the order of its columns. In a row of tiles, the values
//! of a place in the tile are next to each other, so that a vector holds the same place of several
//! tiles.

use std::array;

use pulp::{Simd, as_arrays, as_arrays_mut, bytemuck};

use super::transforms::{TILE_OUTPUTS, Transform};

/// The first `len` values, which are left as they are.
#[inline(always)]
pub(super) fn resized(values: &mut Vec<f32>, len: usize) -> &mut [f32] {
    if values.len() < len {
        values.resize(len, 0.0);
    }
    &mut values[..len]
}

/// The first `N` parts of this length.
#[inline(always)]
pub(super) fn parts<const N: usize>(values: &[f32], len: usize) -> [&[f32]; N] {
    array::from_fn(|part| &values[part * len..][..len])
}

/// As [`parts`].
#[inline(always)]
pub(super) fn parts_mut<const N: usize>(mut values: &mut [f32], len: usize) -> [&mut [f32]; N] {
    array::from_fn(|_| {
        let (part, rest) = std::mem::take(&mut values).split_at_mut(len);
        values = rest;
        part
    })
}

/// Applies a transform to the values of each column of some rows. The rows have the same length, a multiple
/// of the vector's.
#[inline(always)]
pub(super) fn map_rows<S: Simd, T: Transform<N, M>, const N: usize, const M: usize>(
    simd: S,
    _: T,
    inputs: [&[f32]; N],
    outputs: [&mut [f32]; M],
) {
    let mut outputs = outputs.map(|row| S::as_mut_simd_f32s(row).0);
    let count = outputs[0].len();
    let inputs = inputs.map(|row| &S::as_simd_f32s(row).0[..count]);
    let mut outputs = outputs.each_mut().map(|row| &mut row[..count]);
    for at in 0..count {
        let values = T::apply(simd, array::from_fn(|row| inputs[row][at]));
        for (row, value) in outputs.iter_mut().zip(values) {
            row[at] = value;
        }
    }
}

/// Applies a transform to the first `N` columns of each tile of a row, and writes rows of tiles. A tile
/// starts four columns after the one before; the last two of six are the first two of the next.
///
/// The row has four columns for each tile, and those of one more vector of tiles.
#[inline(always)]
pub(super) fn map_row_to_tiles<S: Simd, T: Transform<N, M>, const N: usize, const M: usize>(
    simd: S,
    _: T,
    row: &[f32],
    outputs: [&mut [f32]; M],
) {
    let (here, _) = as_arrays::<TILE_OUTPUTS, _>(S::as_simd_f32s(row).0);
    let (next, _) = as_arrays::<TILE_OUTPUTS, _>(S::as_simd_f32s(&row[TILE_OUTPUTS..]).0);
    let mut outputs = outputs.map(|row| S::as_mut_simd_f32s(row).0);
    let count = outputs[0].len();
    let (here, next) = (&here[..count], &next[..count]);
    let mut outputs = outputs.each_mut().map(|row| &mut row[..count]);
    for at in 0..count {
        let here = deinterleave(simd, here[at]);
        let next = deinterleave(simd, next[at]);
        let column = |col: usize| match col.checked_sub(TILE_OUTPUTS) {
            None => here[col],
            Some(col) => next[col],
        };
        let values = T::apply(simd, array::from_fn(column));
        for (row, value) in outputs.iter_mut().zip(values) {
            row[at] = value;
        }
    }
}

/// Applies a transform to rows of tiles, and writes the four columns of each tile to a row.
#[inline(always)]
pub(super) fn map_tiles_to_row<S: Simd, T: Transform<N, TILE_OUTPUTS>, const N: usize>(
    simd: S,
    _: T,
    inputs: [&[f32]; N],
    row: &mut [f32],
) {
    let (row, _) = as_arrays_mut::<TILE_OUTPUTS, _>(S::as_mut_simd_f32s(row).0);
    let inputs = inputs.map(|row| S::as_simd_f32s(row).0);
    let count = inputs[0].len();
    let (inputs, row) = (inputs.map(|row| &row[..count]), &mut row[..count]);
    for at in 0..count {
        let values = T::apply(simd, array::from_fn(|row| inputs[row][at]));
        row[at] = interleave(simd, values);
    }
}

/// The columns of tiles whose values follow each other.
#[inline(always)]
fn deinterleave<S: Simd>(simd: S, values: [S::f32s; TILE_OUTPUTS]) -> [S::f32s; TILE_OUTPUTS] {
    let mut columns = [simd.splat_f32s(0.0); TILE_OUTPUTS];
    let to: &mut [f32] = bytemuck::cast_slice_mut(&mut columns);
    let from: &[f32] = bytemuck::cast_slice(&values);
    for tile in 0..S::F32_LANES {
        for col in 0..TILE_OUTPUTS {
            to[col * S::F32_LANES + tile] = from[tile * TILE_OUTPUTS + col];
        }
    }
    columns
}

/// The inverse of [`deinterleave`].
#[inline(always)]
fn interleave<S: Simd>(simd: S, columns: [S::f32s; TILE_OUTPUTS]) -> [S::f32s; TILE_OUTPUTS] {
    let mut values = [simd.splat_f32s(0.0); TILE_OUTPUTS];
    let to: &mut [f32] = bytemuck::cast_slice_mut(&mut values);
    let from: &[f32] = bytemuck::cast_slice(&columns);
    for tile in 0..S::F32_LANES {
        for col in 0..TILE_OUTPUTS {
            to[tile * TILE_OUTPUTS + col] = from[col * S::F32_LANES + tile];
        }
    }
    values
}
