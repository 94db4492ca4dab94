//! Winograd's convolution F(4x4, 3x3): sixteen neighbouring outputs from 36 products instead of 144
//! (Lavin and Gray 2016, "Fast Algorithms for Convolutional Neural Networks").
//!
//! `y = A' [(G g G') . (B' d B)] A`, with `d` a tile of 6x6 inputs, `g` a filter and `y` its 4x4
//! outputs. Summed over the channels, each of the 36 elements in the brackets is a matrix product of
//! its own. The backward pass takes the same products, and the transposed transforms.
//!
//! The element in row `i` and column `j` of a tile has the index `6 i + j`.

use pulp::Simd;

use super::ConvReluPool;
use super::band::Band;
use super::rows::{map_row_to_tiles, map_rows, map_tiles_to_row, parts, parts_mut, resized};
use super::transforms::{Input, Output, TILE_ELEMENTS, TILE_INPUTS, TILE_OUTPUTS, Weight};
#[cfg(feature = "threads")]
use super::transforms::{InputGrad, OutputGrad, Overlap, WeightGrad};
use crate::dispatch::{Task, dispatch};

/// Kernels whose transforms are computed together, so that they stay in the cache.
const KERNELS: usize = 256;

/// `G g G'`: `[elements, filters, channels]`, of `[filters, channels, 3, 3]`.
pub(super) fn weight_transform(weight: &[f32]) -> Vec<f32> {
    let mut transformed = vec![0.0; TILE_ELEMENTS * weight.len() / 9];
    dispatch(WeightTransform {
        weight,
        transformed: &mut transformed,
    });
    transformed
}

struct WeightTransform<'a> {
    weight: &'a [f32],
    transformed: &'a mut [f32],
}

impl Task for WeightTransform<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let (kernels, _) = self.weight.as_chunks::<9>();
        let mut taps = [[0.0; KERNELS]; 9];
        let mut columns = [[[0.0; KERNELS]; 3]; TILE_INPUTS];
        let mut elements = [[0.0; KERNELS]; TILE_INPUTS];
        for (first, chunk) in (0..).step_by(KERNELS).zip(kernels.chunks(KERNELS)) {
            for (index, kernel) in chunk.iter().enumerate() {
                for (taps, value) in taps.iter_mut().zip(kernel) {
                    taps[index] = *value;
                }
            }
            for col in 0..3 {
                let column = [&taps[col][..], &taps[col + 3], &taps[col + 6]];
                let outputs = columns.each_mut().map(|row| &mut row[col][..]);
                map_rows(simd, Weight, column, outputs);
            }
            let planes = self
                .transformed
                .chunks_exact_mut(TILE_INPUTS * kernels.len());
            for (row, planes) in columns.iter().zip(planes) {
                let outputs = elements.each_mut().map(|row| &mut row[..]);
                map_rows(simd, Weight, row.each_ref().map(|row| &row[..]), outputs);
                for (plane, element) in planes.chunks_exact_mut(kernels.len()).zip(&elements) {
                    plane[first..first + chunk.len()].copy_from_slice(&element[..chunk.len()]);
                }
            }
        }
    }
}

/// The backward pass of [`weight_transform`]: adds the gradient of the weights, from that of the
/// transformed ones.
#[cfg(feature = "threads")]
#[inline(always)]
pub(super) fn weight_transform_grad<S: Simd>(simd: S, transformed: &[f32], weight: &mut [f32]) {
    let count = transformed.len() / TILE_ELEMENTS;
    let (kernels, _) = weight.as_chunks_mut::<9>();
    let mut elements = [[0.0; KERNELS]; TILE_INPUTS];
    let mut columns = [[[0.0; KERNELS]; TILE_INPUTS]; 3];
    let mut taps = [[0.0; KERNELS]; 3];
    for (first, chunk) in (0..).step_by(KERNELS).zip(kernels.chunks_mut(KERNELS)) {
        let planes = transformed.chunks_exact(TILE_INPUTS * count);
        for (row, planes) in planes.enumerate() {
            for (element, plane) in elements.iter_mut().zip(planes.chunks_exact(count)) {
                element[..chunk.len()].copy_from_slice(&plane[first..first + chunk.len()]);
            }
            let outputs = columns.each_mut().map(|column| &mut column[row][..]);
            map_rows(
                simd,
                WeightGrad,
                elements.each_ref().map(|row| &row[..]),
                outputs,
            );
        }
        for (col, column) in columns.iter().enumerate() {
            let outputs = taps.each_mut().map(|row| &mut row[..]);
            map_rows(
                simd,
                WeightGrad,
                column.each_ref().map(|row| &row[..]),
                outputs,
            );
            for (row, taps) in taps.iter().enumerate() {
                for (kernel, value) in chunk.iter_mut().zip(taps) {
                    kernel[3 * row + col] += *value;
                }
            }
        }
    }
}

impl ConvReluPool {
    /// `B' d B` of a band's tiles: a plane of `[channels, tiles]` for each element.
    #[inline(always)]
    pub(super) fn input_transform<S: Simd>(
        &self,
        simd: S,
        band: &Band,
        x: &[f32],
        rows: &mut Vec<f32>,
        planes: &mut [f32],
    ) {
        let (cols, length, plane) = band.lengths::<S>(planes);
        let [inputs, sums] = parts_mut(
            resized(rows, 2 * TILE_INPUTS * length),
            TILE_INPUTS * length,
        );
        // The padding and what lies beyond the rows' ends.
        inputs.fill(0.0);
        for channel in 0..self.channels {
            for (index, tile_row) in (band.start..band.end).enumerate() {
                for (step, row) in inputs.chunks_exact_mut(length).enumerate() {
                    self.copy_row(x, self.input_row(band, channel, tile_row, step), row);
                }
                map_rows(
                    simd,
                    Input,
                    parts::<TILE_INPUTS>(inputs, length),
                    parts_mut(sums, length),
                );
                let at = band.tile(channel, index);
                let elements = planes.chunks_exact_mut(TILE_INPUTS * plane);
                for (sums, elements) in sums.chunks_exact(length).zip(elements) {
                    let elements: [_; TILE_INPUTS] = parts_mut(elements, plane);
                    let elements = elements.map(|row| &mut row[at..at + cols]);
                    map_row_to_tiles(simd, Input, sums, elements);
                }
            }
        }
    }

    /// The backward pass of [`Self::input_transform`]: adds the gradient of the transformed tiles
    /// to the input's.
    #[cfg(feature = "threads")]
    #[inline(always)]
    pub(super) fn input_transform_grad<S: Simd>(
        &self,
        simd: S,
        band: &Band,
        planes: &[f32],
        rows: &mut Vec<f32>,
        x: &mut [f32],
    ) {
        let (cols, length, plane) = band.lengths::<S>(planes);
        let [sums, inputs, tiles] = parts_mut(
            resized(rows, 3 * TILE_INPUTS * length),
            TILE_INPUTS * length,
        );
        // A tile's last two columns belong to the next tile as well: their rows start one tile later.
        let next_cols = cols + S::F32_LANES;
        for channel in 0..self.channels {
            for (index, tile_row) in (band.start..band.end).enumerate() {
                let at = band.tile(channel, index);
                let elements = planes.chunks_exact(TILE_INPUTS * plane);
                for (sums, elements) in sums.chunks_exact_mut(length).zip(elements) {
                    let elements = parts::<TILE_INPUTS>(elements, plane);
                    let mut tiles: [_; TILE_INPUTS] = parts_mut(tiles, length);
                    let mut offset = 0;
                    let outputs = tiles.each_mut().map(|row| {
                        let from = offset / TILE_OUTPUTS;
                        offset += 1;
                        &mut row[from..from + cols]
                    });
                    let elements = elements.map(|row| &row[at..at + cols]);
                    map_rows(simd, InputGrad, elements, outputs);
                    for (col, row) in tiles.iter_mut().enumerate() {
                        let from = col / TILE_OUTPUTS;
                        row[..from].fill(0.0);
                        row[from + band.cols..next_cols].fill(0.0);
                    }
                    let tiles = tiles.each_ref().map(|row| &row[..next_cols]);
                    map_tiles_to_row(simd, Overlap, tiles, sums);
                }
                map_rows(
                    simd,
                    InputGrad,
                    parts::<TILE_INPUTS>(sums, length),
                    parts_mut(inputs, length),
                );
                for (step, row) in inputs.chunks_exact(length).enumerate() {
                    self.add_row(x, self.input_row(band, channel, tile_row, step), row);
                }
            }
        }
    }

    /// `A' m A`, four rows of the convolved map, of the products of a row of tiles.
    #[inline(always)]
    pub(super) fn output_transform<'a, S: Simd>(
        simd: S,
        band: &Band,
        [filter, index]: [usize; 2],
        planes: &[f32],
        rows: &'a mut Vec<f32>,
    ) -> [&'a mut [f32]; TILE_OUTPUTS] {
        let (cols, length, plane) = band.lengths::<S>(planes);
        let sums_length = TILE_OUTPUTS * TILE_INPUTS * cols;
        let rows = resized(rows, sums_length + TILE_OUTPUTS * length);
        let (sums, rows) = rows.split_at_mut(sums_length);
        let at = band.tile(filter, index);
        for col in 0..TILE_INPUTS {
            let elements = parts::<TILE_INPUTS>(planes, TILE_INPUTS * plane)
                .map(|row| &row[col * plane + at..][..cols]);
            let sums: [_; TILE_OUTPUTS] = parts_mut(sums, TILE_INPUTS * cols);
            let sums = sums.map(|row| &mut row[col * cols..][..cols]);
            map_rows(simd, Output, elements, sums);
        }
        let mut rows: [_; TILE_OUTPUTS] = parts_mut(rows, length);
        for (sums, row) in sums.chunks_exact(TILE_INPUTS * cols).zip(&mut rows) {
            map_tiles_to_row(simd, Output, parts::<TILE_INPUTS>(sums, cols), row);
        }
        rows
    }

    /// The backward pass of [`Self::output_transform`]: the products' gradient from the map's.
    #[cfg(feature = "threads")]
    #[inline(always)]
    pub(super) fn output_transform_grad<S: Simd>(
        simd: S,
        band: &Band,
        [filter, index]: [usize; 2],
        rows: &[&mut [f32]; TILE_OUTPUTS],
        sums: &mut Vec<f32>,
        planes: &mut [f32],
    ) {
        let (cols, _, plane) = band.lengths::<S>(planes);
        let sums = resized(sums, TILE_OUTPUTS * TILE_INPUTS * cols);
        for (row, sums) in rows.iter().zip(sums.chunks_exact_mut(TILE_INPUTS * cols)) {
            let sums: [_; TILE_INPUTS] = parts_mut(sums, cols);
            map_row_to_tiles(simd, OutputGrad, row, sums);
        }
        let at = band.tile(filter, index);
        for col in 0..TILE_INPUTS {
            let sums = parts::<TILE_OUTPUTS>(sums, TILE_INPUTS * cols)
                .map(|row| &row[col * cols..][..cols]);
            let elements: [_; TILE_INPUTS] = parts_mut(planes, TILE_INPUTS * plane);
            let elements = elements.map(|row| &mut row[col * plane + at..][..cols]);
            map_rows(simd, OutputGrad, sums, elements);
        }
    }

    /// Copies a row of the input, or zeros where it lies in the padding. The columns beside it are
    /// not written.
    #[inline(always)]
    fn copy_row(&self, x: &[f32], start: Option<usize>, row: &mut [f32]) {
        let (first, last) = self.columns_of_row(row.len());
        match start {
            Some(start) => row[first..last].copy_from_slice(&x[start..start + last - first]),
            None => row[first..last].fill(0.0),
        }
    }

    /// The backward pass of [`Self::copy_row`].
    #[cfg(feature = "threads")]
    #[inline(always)]
    fn add_row(&self, x: &mut [f32], start: Option<usize>, row: &[f32]) {
        let Some(start) = start else {
            return;
        };
        let (first, last) = self.columns_of_row(row.len());
        for (x, value) in x[start..start + last - first]
            .iter_mut()
            .zip(&row[first..last])
        {
            *x += value;
        }
    }

    /// The first and last column of the input in a row of this length, which starts with the
    /// padding.
    #[inline(always)]
    fn columns_of_row(&self, length: usize) -> (usize, usize) {
        (self.padding, length.min(self.width + self.padding))
    }
}
