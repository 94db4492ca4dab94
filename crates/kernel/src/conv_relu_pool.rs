//! 3x3 convolution, max-pooling and ReLU in one pass, a band of rows at a time.

use std::borrow::Cow;
use std::cell::RefCell;

#[cfg(feature = "threads")]
use rayon::prelude::*;

use crate::dispatch::{Task, dispatch};
use crate::matmul::multiply;
use crate::matrix::Matrix;

#[cfg(feature = "threads")]
mod backward;
mod im2col;
mod winograd;

#[cfg(feature = "threads")]
pub use backward::ConvReluPoolGradients;

/// Values in the matrix of patches of one band: few enough for the cache, enough for an efficient
/// matrix product.
const PATCH_VALUES: usize = 1 << 18;
/// Fewest positions of a task. Where a map has fewer, a task takes several images.
const TASK_POSITIONS: usize = 512;
/// The pool index of an output that the ReLU has set to zero.
const INACTIVE: u8 = u8::MAX;

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

    /// The number of matrix products that make the convolution, and the terms of their sums.
    fn products(&self) -> (usize, usize) {
        if self.uses_winograd() {
            (winograd::TILE_ELEMENTS, self.channels)
        } else {
            (1, 9 * self.channels)
        }
    }

    /// Columns of each product for a band.
    fn columns(&self, band: &Band) -> usize {
        if self.uses_winograd() {
            band.positions() / 4
        } else {
            band.positions()
        }
    }

    /// Whether [`ConvReluPool::pack`] changes the weights: it depends on the sizes.
    pub fn packs(&self) -> bool {
        self.uses_winograd()
    }

    /// Brings the weights, `[filters, channels, 3, 3]`, into the layout that
    /// [`ConvReluPool::forward`] takes.
    ///
    /// # Panics
    ///
    /// If the slice has another size.
    pub fn pack<'a>(&self, weight: &'a [f32]) -> Cow<'a, [f32]> {
        assert_eq!(weight.len(), 9 * self.filters * self.channels);
        if self.uses_winograd() {
            Cow::Owned(winograd::weight_transform(weight))
        } else {
            Cow::Borrowed(weight)
        }
    }

    /// Images that a task works on.
    fn images_per_task(&self) -> usize {
        let [rows, cols] = self.convolved();
        TASK_POSITIONS.div_ceil(rows * cols).min(self.batch)
    }

    /// Values of one image: of the input, of the output.
    fn image_values(&self) -> (usize, usize) {
        let [rows, cols] = self.output();
        (
            self.channels * self.height * self.width,
            self.filters * rows * cols,
        )
    }

    /// The bands of a task's images, whose rows are counted over all images.
    fn bands(&self, images: usize) -> impl Iterator<Item = Band> {
        let [rows, cols] = self.convolved();
        let (products, terms) = self.products();
        // An even number of rows suits every window, and Winograd's tiles.
        let two_rows = if self.uses_winograd() {
            cols / 2
        } else {
            2 * cols
        };
        let step = (PATCH_VALUES / (products * terms * two_rows)).max(1) * 2;
        (0..images * rows).step_by(step).map(move |start| Band {
            start,
            end: (start + step).min(images * rows),
            rows,
            cols,
        })
    }

    /// Computes the output, `[batch, filters, rows, cols]`.
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
    pub fn forward(&self, x: &[f32], weight: &[f32], bias: &[f32]) -> Vec<f32> {
        self.run(x, weight, bias, None)
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
        let output = self.run(x, weight, bias, Some(&mut pool_indices));
        (output, pool_indices)
    }

    fn run(
        &self,
        x: &[f32],
        weight: &[f32],
        bias: &[f32],
        pool_indices: Option<&mut [u8]>,
    ) -> Vec<f32> {
        let (x_values, out_values) = self.image_values();
        assert_eq!(x.len(), self.batch * x_values);
        let (products, terms) = self.products();
        assert_eq!(weight.len(), products * self.filters * terms);
        assert_eq!(bias.len(), self.filters);
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

    /// The convolved map of a band: `[filters, positions]`.
    #[inline(always)]
    fn convolve<'a>(
        &self,
        band: &Band,
        scratch: &'a mut Scratch,
        x: &[f32],
        weight: &[f32],
    ) -> &'a [f32] {
        let ((count, terms), columns) = (self.products(), self.columns(band));
        let patches = resized(&mut scratch.patches, count * terms * columns);
        self.patches(band, x, &mut scratch.rows, patches);
        let products = resized(&mut scratch.products, count * self.filters * columns);
        for ((product, patches), weight) in products
            .chunks_exact_mut(self.filters * columns)
            .zip(patches.chunks_exact(terms * columns))
            .zip(weight.chunks_exact(self.filters * terms))
        {
            multiply(
                [columns, self.filters, terms],
                Matrix::new(patches, 1, columns),
                Matrix::new(weight, 1, terms),
                product,
                false,
            );
        }
        if !self.uses_winograd() {
            return products;
        }
        let maps = resized(&mut scratch.maps, self.filters * band.positions());
        Self::output_transform(band, products, &mut scratch.rows, maps);
        maps
    }

    /// A band's patches of the input: `[products, terms, columns]`.
    #[inline(always)]
    fn patches(&self, band: &Band, x: &[f32], rows: &mut Vec<f32>, patches: &mut [f32]) {
        if self.uses_winograd() {
            self.input_transform(band, x, rows, patches);
        } else {
            self.im2col(band, x, patches);
        }
    }

    /// The start of the input row that is `step` rows below the first one that this row of the
    /// convolved map depends on; `None` if it lies in the padding.
    #[inline(always)]
    fn input_row(&self, band: &Band, channel: usize, row: usize, step: usize) -> Option<usize> {
        let (image, row) = (row / band.rows, row % band.rows);
        (row + step)
            .checked_sub(self.padding)
            .filter(|row| *row < self.height)
            .map(|row| ((image * self.channels + channel) * self.height + row) * self.width)
    }

    /// The rows of the output in a band: filter, start in the output, and start of the windows in the
    /// band's maps.
    #[inline(always)]
    fn output_rows(&self, band: &Band) -> impl Iterator<Item = [usize; 3]> {
        let ([rows, cols], [window, _]) = (self.output(), self.window);
        let &Band { start, end, .. } = band;
        let (band_rows, band_cols, positions) = (band.rows, band.cols, band.positions());
        let filters = self.filters;
        (0..filters).flat_map(move |filter| {
            (start..end).step_by(window).map(move |row| {
                let (image, out_row) = (row / band_rows, row % band_rows / window);
                let to = ((image * filters + filter) * rows + out_row) * cols;
                [filter, to, filter * positions + (row - start) * band_cols]
            })
        })
    }

    #[inline(always)]
    fn pool(
        &self,
        band: &Band,
        maps: &[f32],
        bias: &[f32],
        output: &mut [f32],
        mut pool_indices: Option<&mut [u8]>,
    ) {
        let [_, cols] = self.output();
        for [filter, to, from] in self.output_rows(band) {
            let output = &mut output[to..to + cols];
            let indices = pool_indices
                .as_deref_mut()
                .map(|indices| &mut indices[to..to + cols]);
            let bias = bias[filter];
            let [window_rows, window_cols] = self.window;
            // One row of windows covers one or two rows of the map.
            let maps = &maps[from..from + window_rows * band.cols];
            let (upper, lower) = maps.split_at(band.cols);
            // Of equal values the first in reading order counts, as in burn.
            match (window_rows, window_cols) {
                (1, _) => store(output, indices, upper.iter().map(|map| relu(map + bias, 0))),
                (_, 1) => {
                    let maxima = upper.iter().zip(lower).map(|(upper, lower)| {
                        let is_lower = lower > upper;
                        let max = if is_lower { lower } else { upper } + bias;
                        relu(max, 2 * u8::from(is_lower))
                    });
                    store(output, indices, maxima);
                }
                _ => {
                    let windows = upper.chunks_exact(2).zip(lower.chunks_exact(2));
                    let maxima = windows.map(|(upper, lower)| {
                        let upper_right = upper[1] > upper[0];
                        let lower_right = lower[1] > lower[0];
                        let upper = if upper_right { upper[1] } else { upper[0] };
                        let lower = if lower_right { lower[1] } else { lower[0] };
                        let is_lower = lower > upper;
                        let max = if is_lower { lower } else { upper } + bias;
                        let is_right = if is_lower { lower_right } else { upper_right };
                        relu(max, 2 * u8::from(is_lower) + u8::from(is_right))
                    });
                    store(output, indices, maxima);
                }
            }
        }
    }
}

/// The forward pass of a task's images.
struct Forward<'a> {
    operation: &'a ConvReluPool,
    images: usize,
    x: &'a [f32],
    weight: &'a [f32],
    bias: &'a [f32],
    scratch: &'a mut Scratch,
    output: &'a mut [f32],
    indices: Option<&'a mut [u8]>,
}

impl Task for Forward<'_> {
    #[inline(always)]
    fn run(mut self) {
        for band in self.operation.bands(self.images) {
            let maps = self
                .operation
                .convolve(&band, self.scratch, self.x, self.weight);
            let indices = self.indices.as_deref_mut();
            self.operation
                .pool(&band, maps, self.bias, self.output, indices);
        }
    }
}

/// Writes values, and their pool indices if asked for.
#[inline(always)]
fn store(output: &mut [f32], indices: Option<&mut [u8]>, values: impl Iterator<Item = (f32, u8)>) {
    let outputs = output.iter_mut();
    match indices {
        Some(indices) => {
            for ((output, index), value) in outputs.zip(indices).zip(values) {
                (*output, *index) = value;
            }
        }
        None => {
            for (output, (value, _)) in outputs.zip(values) {
                *output = value;
            }
        }
    }
}

/// Some rows of the convolved map that are computed together, counted over the images of a task.
struct Band {
    start: usize,
    end: usize,
    /// Rows of one image.
    rows: usize,
    cols: usize,
}

impl Band {
    fn positions(&self) -> usize {
        (self.end - self.start) * self.cols
    }

    /// Pairs of rows.
    fn pairs(&self) -> usize {
        (self.end - self.start) / 2
    }
}

thread_local! {
    /// Kept from one batch to the next, since clearing fresh memory takes longer than using it. The
    /// size is bounded, except for very wide blocks.
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// Memory that a thread uses again for each band.
#[derive(Default)]
struct Scratch {
    /// `[products, terms, columns]`
    patches: Vec<f32>,
    /// `[products, filters, columns]`
    products: Vec<f32>,
    /// `[filters, positions]`
    maps: Vec<f32>,
    /// A few rows of a map.
    rows: Vec<f32>,
}

/// ReLU of a value with its pool index. NaN stays NaN, so that it is noticed.
#[inline(always)]
fn relu(value: f32, pool_index: u8) -> (f32, u8) {
    if value <= 0.0 {
        (0.0, INACTIVE)
    } else {
        (value, pool_index)
    }
}

/// The first `len` values, which are left as they are.
#[inline(always)]
fn resized(values: &mut Vec<f32>, len: usize) -> &mut [f32] {
    if values.len() < len {
        values.resize(len, 0.0);
    }
    &mut values[..len]
}
