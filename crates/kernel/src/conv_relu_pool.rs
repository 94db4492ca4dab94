//! 3x3 convolution, max-pooling and ReLU in one pass, a band of rows at a time.

use pulp::Simd;
#[cfg(feature = "threads")]
use rayon::prelude::*;

use crate::dispatch::{Task, dispatch};
use crate::matmul::{multiply_packed, pack, packed_len};
use crate::matrix::Matrix;

#[cfg(feature = "threads")]
mod backward;
mod band;
mod pool;
mod rows;
mod transforms;
mod winograd;

use band::{Band, SCRATCH, Scratch};
use pool::Activation;
use transforms::{TILE_ELEMENTS, TILE_OUTPUTS};

#[cfg(feature = "threads")]
pub use backward::ConvReluPoolGradients;

/// Values of the transformed inputs of one band: few enough for the cache, enough for efficient
/// matrix products.
const BAND_VALUES: usize = 1 << 18;
/// Fewest tiles of a task. Where a map has fewer, a task takes several images.
const TASK_TILES: usize = 128;

/// Batch norm with its running statistics, as a factor and a summand for each filter.
#[derive(Clone, Copy, Debug)]
pub struct BatchNorm<'a> {
    /// `[filters]`
    pub factors: &'a [f32],
    /// `[filters]`
    pub summands: &'a [f32],
}

/// The operation, by its sizes for one batch.
#[derive(Clone, Copy, Debug)]
pub struct ConvReluPool {
    /// Images.
    pub batch: usize,
    /// Channels of the input.
    pub channels: usize,
    /// Rows of the input.
    pub height: usize,
    /// Columns of the input.
    pub width: usize,
    /// Filters, which are the output's channels.
    pub filters: usize,
    /// Zeros on each side: 0 or 1.
    pub padding: usize,
    /// Rows and columns of the pooling window: 1x1, 2x1 or 2x2.
    pub window: [usize; 2],
}

impl ConvReluPool {
    /// Rows and columns of the output.
    pub fn output(&self) -> [usize; 2] {
        let [rows, cols] = self.window;
        [
            (self.height + 2 * self.padding - 2) / rows,
            (self.width + 2 * self.padding - 2) / cols,
        ]
    }

    /// Rows and columns of the convolved map that are used: pooling drops an odd last one.
    fn convolved(&self) -> [usize; 2] {
        let ([rows, cols], [window_rows, window_cols]) = (self.output(), self.window);
        [rows * window_rows, cols * window_cols]
    }

    /// Rows and columns of tiles that cover the convolved map.
    fn tiles(&self) -> [usize; 2] {
        self.convolved().map(|length| length.div_ceil(TILE_OUTPUTS))
    }

    /// Brings the weights, `[filters, channels, 3, 3]`, into the layout that
    /// [`ConvReluPool::forward`] takes. It does not depend on the size of the input.
    ///
    /// # Panics
    ///
    /// If the slice has another size.
    pub fn pack(&self, weight: &[f32]) -> Vec<f32> {
        assert_eq!(weight.len(), 9 * self.filters * self.channels);
        let transformed = winograd::weight_transform(weight);
        pack([self.filters, self.channels], transformed)
    }

    /// Images that a task works on.
    fn images_per_task(&self) -> usize {
        let [rows, cols] = self.tiles();
        TASK_TILES.div_ceil(rows * cols).min(self.batch)
    }

    /// Values of one image: of the input, of the output.
    fn image_values(&self) -> (usize, usize) {
        let [rows, cols] = self.output();
        (
            self.channels * self.height * self.width,
            self.filters * rows * cols,
        )
    }

    /// The bands of a task's images, whose rows of tiles are counted over all images.
    fn bands(&self, images: usize) -> impl Iterator<Item = Band> {
        let [rows, cols] = self.tiles();
        let step = (BAND_VALUES / (TILE_ELEMENTS * self.channels * cols)).max(1);
        (0..images * rows).step_by(step).map(move |start| Band {
            start,
            end: (start + step).min(images * rows),
            rows,
            cols,
        })
    }

    /// Computes the output, `[batch, filters, rows, cols]`, and batch norm of it if asked for.
    ///
    /// # Shapes
    ///
    /// - `x`: `[batch, channels, height, width]`
    /// - `weight`: `[filters, channels, 3, 3]`, [packed](ConvReluPool::pack)
    /// - `bias`: `[filters]`
    ///
    /// # Panics
    ///
    /// If a slice has another size.
    pub fn forward(
        &self,
        x: &[f32],
        weight: &[f32],
        bias: &[f32],
        norm: Option<BatchNorm>,
    ) -> Vec<f32> {
        self.run(x, weight, bias, norm, None)
    }

    /// As [`ConvReluPool::forward`], with the pool index of each output, which the backward pass
    /// takes: the position in its window that the value comes from.
    #[cfg(feature = "threads")]
    pub fn forward_with_indices(
        &self,
        x: &[f32],
        weight: &[f32],
        bias: &[f32],
    ) -> (Vec<f32>, Vec<u8>) {
        let (_, out_values) = self.image_values();
        let mut pool_indices = vec![0; self.batch * out_values];
        let output = self.run(x, weight, bias, None, Some(&mut pool_indices));
        (output, pool_indices)
    }

    fn run(
        &self,
        x: &[f32],
        weight: &[f32],
        bias: &[f32],
        norm: Option<BatchNorm>,
        pool_indices: Option<&mut [u8]>,
    ) -> Vec<f32> {
        let (x_values, out_values) = self.image_values();
        assert_eq!(x.len(), self.batch * x_values);
        assert_eq!(
            weight.len(),
            TILE_ELEMENTS * packed_len([self.filters, self.channels])
        );
        assert_eq!(bias.len(), self.filters);
        for values in norm.iter().flat_map(|norm| [norm.factors, norm.summands]) {
            assert_eq!(values.len(), self.filters);
        }
        let images = self.images_per_task();
        let mut output = vec![0.0; self.batch * out_values];
        let mut index_chunks: Vec<Option<&mut [u8]>> = match pool_indices {
            Some(indices) => indices.chunks_mut(images * out_values).map(Some).collect(),
            None => x.chunks(images * x_values).map(|_| None).collect(),
        };
        type Part<'a> = ((&'a mut [f32], &'a mut Option<&'a mut [u8]>), &'a [f32]);
        let task = |((output, indices), x): Part| {
            SCRATCH.with_borrow_mut(|scratch| {
                dispatch(Forward {
                    operation: self,
                    images: x.len() / x_values,
                    x,
                    weight,
                    bias,
                    norm,
                    scratch,
                    output,
                    indices: indices.as_deref_mut(),
                });
            });
        };
        #[cfg(feature = "threads")]
        output
            .par_chunks_mut(images * out_values)
            .zip(index_chunks.par_iter_mut())
            .zip(x.par_chunks(images * x_values))
            .for_each(task);
        #[cfg(not(feature = "threads"))]
        output
            .chunks_mut(images * out_values)
            .zip(index_chunks.iter_mut())
            .zip(x.chunks(images * x_values))
            .for_each(task);
        output
    }

    /// The products of a band: a plane of `[filters, tiles]` for each element.
    #[inline(always)]
    fn products<'a, S: Simd>(
        &self,
        simd: S,
        band: &Band,
        scratch: &'a mut Scratch,
        x: &[f32],
        weight: &[f32],
    ) -> (&'a [f32], &'a mut Vec<f32>) {
        let (channels, filters, tiles) = (self.channels, self.filters, band.tiles());
        let Scratch {
            inputs,
            products,
            rows,
            ..
        } = scratch;
        let inputs = band.planes(inputs, channels);
        self.input_transform(simd, band, x, rows, inputs);
        let products = band.planes(products, filters);
        for ((product, input), weight) in products
            .chunks_exact_mut(band.plane(filters))
            .zip(inputs.chunks_exact(band.plane(channels)))
            .zip(weight.chunks_exact(packed_len([filters, channels])))
        {
            multiply_packed(
                simd,
                [tiles, filters, channels],
                Matrix::new(input, 1, tiles),
                weight,
                &mut product[..filters * tiles],
            );
        }
        (products, rows)
    }

    /// The start of the row `step` of the inputs of a row of tiles; `None` if it lies in the padding.
    #[inline(always)]
    fn input_row(
        &self,
        band: &Band,
        channel: usize,
        tile_row: usize,
        step: usize,
    ) -> Option<usize> {
        let (image, tile_row) = (tile_row / band.rows, tile_row % band.rows);
        (TILE_OUTPUTS * tile_row + step)
            .checked_sub(self.padding)
            .filter(|row| *row < self.height)
            .map(|row| ((image * self.channels + channel) * self.height + row) * self.width)
    }

    /// The rows of the output that a row of tiles makes, and their start in the output: first the
    /// row of the convolved map among the tile's, at which the windows start.
    #[inline(always)]
    fn output_rows(
        &self,
        band: &Band,
        filter: usize,
        tile_row: usize,
    ) -> impl Iterator<Item = (usize, usize)> {
        let ([rows, cols], [window, _]) = (self.output(), self.window);
        let (image, tile_row) = (tile_row / band.rows, tile_row % band.rows);
        let map = (image * self.filters + filter) * rows;
        (0..TILE_OUTPUTS)
            .step_by(window)
            .map(move |row| (row, (TILE_OUTPUTS * tile_row + row) / window))
            .filter(move |(_, row)| *row < rows)
            .map(move |(start, row)| (start, (map + row) * cols))
    }
}

/// The forward pass of a task's images.
struct Forward<'a> {
    operation: &'a ConvReluPool,
    images: usize,
    x: &'a [f32],
    weight: &'a [f32],
    bias: &'a [f32],
    norm: Option<BatchNorm<'a>>,
    scratch: &'a mut Scratch,
    output: &'a mut [f32],
    indices: Option<&'a mut [u8]>,
}

impl Task for Forward<'_> {
    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        let operation = self.operation;
        for band in operation.bands(self.images) {
            let (products, rows) =
                operation.products(simd, &band, self.scratch, self.x, self.weight);
            for (filter, bias) in self.bias.iter().enumerate() {
                let activation = Activation {
                    bias: *bias,
                    factor: self.norm.map_or(1.0, |norm| norm.factors[filter]),
                    summand: self.norm.map_or(0.0, |norm| norm.summands[filter]),
                };
                for (index, tile_row) in (band.start..band.end).enumerate() {
                    let map = ConvReluPool::output_transform(
                        simd,
                        &band,
                        [filter, index],
                        products,
                        rows,
                    );
                    let indices = self.indices.as_deref_mut();
                    let at = [filter, tile_row];
                    operation.pool(&band, at, &map, activation, self.output, indices);
                }
            }
        }
    }
}
