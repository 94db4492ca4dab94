//! The backward pass.

use pulp::Simd;
use rayon::prelude::*;

use super::ConvReluPool;
use super::band::{Band, SCRATCH, Scratch};
use super::rows::{parts_mut, resized};
use super::transforms::{TILE_ELEMENTS, TILE_OUTPUTS};
use super::winograd::{weight_transform, weight_transform_grad};
use crate::dispatch::{Task, dispatch};
use crate::matmul::multiply;
use crate::matrix::Matrix;

/// Gradients of the objective.
pub struct ConvReluPoolGradients {
    /// `[batch, channels, height, width]`, if asked for.
    pub x: Option<Vec<f32>>,
    /// `[filters, channels, 3, 3]`
    pub weight: Vec<f32>,
    /// `[filters]`
    pub bias: Vec<f32>,
}

impl ConvReluPool {
    /// Computes the gradients of the inputs from `grad`, that of the output, and the pool indices
    /// of the forward pass. The weights are not packed.
    ///
    /// # Shapes
    ///
    /// - `x`: `[batch, channels, height, width]`
    /// - `weight`: `[filters, channels, 3, 3]`
    /// - `grad` and `pool_indices`: `[batch, filters, rows, cols]`
    ///
    /// # Panics
    ///
    /// If a slice has another size.
    pub fn backward(
        &self,
        x: &[f32],
        weight: &[f32],
        grad: &[f32],
        pool_indices: &[u8],
        needs_input_grad: bool,
    ) -> ConvReluPoolGradients {
        let (x_values, out_values) = self.image_values();
        assert_eq!(x.len(), self.batch * x_values);
        assert_eq!(weight.len(), 9 * self.filters * self.channels);
        assert_eq!(grad.len(), self.batch * out_values);
        assert_eq!(pool_indices.len(), grad.len());
        let images = self.images_per_task();
        let mut x_grad = needs_input_grad.then(|| vec![0.0; x.len()]);
        let mut x_chunks: Vec<Option<&mut [f32]>> = match &mut x_grad {
            Some(values) => values.chunks_mut(images * x_values).map(Some).collect(),
            None => x.chunks(images * x_values).map(|_| None).collect(),
        };
        let transformed = needs_input_grad.then(|| weight_transform(weight));
        let zeros = || {
            let weight = vec![0.0; 9 * self.filters * self.channels];
            (weight, vec![0.0; self.filters])
        };
        let (weight_grad, bias_grad) = x_chunks
            .par_iter_mut()
            .zip(x.par_chunks(images * x_values))
            .zip(grad.par_chunks(images * out_values))
            .zip(pool_indices.par_chunks(images * out_values))
            .fold(zeros, |mut sums, (((x_grad, x), grad), indices)| {
                let (weight_grad, bias_grad) = &mut sums;
                SCRATCH.with_borrow_mut(|scratch| {
                    dispatch(Backward {
                        operation: self,
                        images: x.len() / x_values,
                        x,
                        weight: transformed.as_deref(),
                        grad,
                        indices,
                        scratch,
                        x_grad: x_grad.as_deref_mut(),
                        weight_grad,
                        bias_grad,
                    });
                });
                sums
            })
            .reduce(zeros, |mut sums, other| {
                add(&mut sums.0, &other.0);
                add(&mut sums.1, &other.1);
                sums
            });
        ConvReluPoolGradients {
            x: x_grad,
            weight: weight_grad,
            bias: bias_grad,
        }
    }

    /// Computes the gradient of a band's products, and adds the band's part to that of the bias.
    #[inline(always)]
    fn product_grad<S: Simd>(
        &self,
        simd: S,
        band: &Band,
        grad: &[f32],
        pool_indices: &[u8],
        scratch: &mut Scratch,
        bias: &mut [f32],
    ) {
        let Scratch {
            products,
            rows,
            map,
            ..
        } = scratch;
        let products = band.planes(products, self.filters);
        let (_, length, _) = band.lengths::<S>(products);
        let map = resized(map, TILE_OUTPUTS * length);
        // The columns beside the convolved map stay zero.
        map.fill(0.0);
        let mut map = parts_mut(map, length);
        for (filter, bias) in bias.iter_mut().enumerate() {
            for (index, tile_row) in (band.start..band.end).enumerate() {
                *bias += self.unpool(simd, band, [filter, tile_row], grad, pool_indices, &mut map);
                Self::output_transform_grad(simd, band, [filter, index], &map, rows, products);
            }
        }
    }

    /// The band's part of the gradient of the transformed weights. Takes the gradient of the band's
    /// products from `scratch`.
    #[inline(always)]
    fn weight_grad<S: Simd>(
        &self,
        simd: S,
        band: &Band,
        scratch: &mut Scratch,
        x: &[f32],
        weight: &mut [f32],
        accumulate: bool,
    ) {
        let (channels, filters, tiles) = (self.channels, self.filters, band.tiles());
        let inputs = band.planes(&mut scratch.inputs, channels);
        self.input_transform(simd, band, x, &mut scratch.rows, inputs);
        for ((weight, input), product) in weight
            .chunks_exact_mut(filters * channels)
            .zip(inputs.chunks_exact(band.plane(channels)))
            .zip(scratch.products.chunks_exact(band.plane(filters)))
        {
            multiply(
                simd,
                [channels, filters, tiles],
                Matrix::new(input, tiles, 1),
                Matrix::new(product, 1, tiles),
                weight,
                accumulate,
            );
        }
    }

    /// Adds a band's part to the gradient of the input. Takes the gradient of the band's products
    /// from `scratch`.
    #[inline(always)]
    fn input_grad<S: Simd>(
        &self,
        simd: S,
        band: &Band,
        scratch: &mut Scratch,
        weight: &[f32],
        x: &mut [f32],
    ) {
        let (channels, filters, tiles) = (self.channels, self.filters, band.tiles());
        let inputs = band.planes(&mut scratch.inputs, channels);
        for ((input, product), weight) in inputs
            .chunks_exact_mut(band.plane(channels))
            .zip(scratch.products.chunks_exact(band.plane(filters)))
            .zip(weight.chunks_exact(filters * channels))
        {
            multiply(
                simd,
                [tiles, channels, filters],
                Matrix::new(product, 1, tiles),
                Matrix::new(weight, channels, 1),
                &mut input[..channels * tiles],
                false,
            );
        }
        self.input_transform_grad(simd, band, inputs, &mut scratch.rows, x);
    }

    /// The backward pass of pooling and ReLU of a row of tiles: computes the gradient of the map, and
    /// returns that of the bias.
    #[inline(always)]
    fn unpool<S: Simd>(
        &self,
        simd: S,
        band: &Band,
        [filter, tile_row]: [usize; 2],
        grad: &[f32],
        pool_indices: &[u8],
        map: &mut [&mut [f32]; TILE_OUTPUTS],
    ) -> f32 {
        let ([_, cols], [window_rows, window_cols]) = (self.output(), self.window);
        let [map_rows, _] = self.convolved();
        // Rows below the map, if its last tiles exceed it.
        let first = TILE_OUTPUTS * (tile_row % band.rows);
        for row in map.iter_mut().skip(map_rows - first) {
            row.fill(0.0);
        }
        for (row, from) in self.output_rows(band, filter, tile_row) {
            let outputs = grad[from..from + cols]
                .iter()
                .zip(&pool_indices[from..from + cols]);
            let (upper, lower) = map.split_at_mut(row + 1);
            let upper = &mut upper[row][..cols * window_cols];
            match (window_rows, window_cols) {
                (1, _) => {
                    for ((grad, index), map) in outputs.zip(upper) {
                        *map = masked(*grad, *index == 0);
                    }
                }
                (_, 1) => {
                    let lower = &mut lower[0][..cols];
                    for ((grad, index), (upper, lower)) in outputs.zip(upper.iter_mut().zip(lower))
                    {
                        *upper = masked(*grad, *index == 0);
                        *lower = masked(*grad, *index == 2);
                    }
                }
                _ => {
                    let (upper, _) = upper.as_chunks_mut::<2>();
                    let (lower, _) = lower[0][..2 * cols].as_chunks_mut::<2>();
                    for ((grad, index), (upper, lower)) in outputs.zip(upper.iter_mut().zip(lower))
                    {
                        upper[0] = masked(*grad, *index == 0);
                        upper[1] = masked(*grad, *index == 1);
                        lower[0] = masked(*grad, *index == 2);
                        lower[1] = masked(*grad, *index == 3);
                    }
                }
            }
        }
        let mut sums = simd.splat_f32s(0.0);
        for row in map {
            for values in S::as_simd_f32s(row).0 {
                sums = simd.add_f32s(sums, *values);
            }
        }
        simd.reduce_sum_f32s(sums)
    }
}

/// The value, or zero. Without a branch, so that the compiler vectorizes it.
#[inline(always)]
fn masked(value: f32, is_kept: bool) -> f32 {
    f32::from_bits(value.to_bits() & 0_u32.wrapping_sub(u32::from(is_kept)))
}

/// The backward pass of a task's images.
struct Backward<'a> {
    operation: &'a ConvReluPool,
    images: usize,
    x: &'a [f32],
    /// Transformed, if the gradient of the input is asked for.
    weight: Option<&'a [f32]>,
    grad: &'a [f32],
    indices: &'a [u8],
    scratch: &'a mut Scratch,
    x_grad: Option<&'a mut [f32]>,
    weight_grad: &'a mut [f32],
    bias_grad: &'a mut [f32],
}

impl Task for Backward<'_> {
    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        let operation = self.operation;
        let scratch = self.scratch;
        let mut transformed_grad = std::mem::take(&mut scratch.weight_grad);
        let count = TILE_ELEMENTS * operation.filters * operation.channels;
        let weight_grad = resized(&mut transformed_grad, count);
        for band in operation.bands(self.images) {
            let accumulate = band.start > 0;
            operation.product_grad(
                simd,
                &band,
                self.grad,
                self.indices,
                scratch,
                self.bias_grad,
            );
            operation.weight_grad(simd, &band, scratch, self.x, weight_grad, accumulate);
            if let (Some(x_grad), Some(weight)) = (self.x_grad.as_deref_mut(), self.weight) {
                operation.input_grad(simd, &band, scratch, weight, x_grad);
            }
        }
        weight_transform_grad(simd, weight_grad, self.weight_grad);
        scratch.weight_grad = transformed_grad;
    }
}

fn add(sums: &mut [f32], values: &[f32]) {
    for (sum, value) in sums.iter_mut().zip(values) {
        *sum += value;
    }
}
