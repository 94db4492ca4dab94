//! The backward pass.

use rayon::prelude::*;

use super::{Band, ConvReluPool, INACTIVE, SCRATCH, Scratch, resized, winograd};
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
    pub fn backward(
        &self,
        x: &[f32],
        weight: &[f32],
        grad: &[f32],
        pool_indices: &[u8],
        needs_input_grad: bool,
    ) -> ConvReluPoolGradients {
        let (x_values, out_values) = self.image_values();
        let images = self.images_per_task();
        let mut x_grad = needs_input_grad.then(|| vec![0.0; x.len()]);
        let mut x_chunks: Vec<Option<&mut [f32]>> = match &mut x_grad {
            Some(values) => values.chunks_mut(images * x_values).map(Some).collect(),
            None => x.chunks(images * x_values).map(|_| None).collect(),
        };
        let (count, terms) = self.products();
        let packed = needs_input_grad.then(|| self.pack(weight));
        let zeros = || {
            let weight = vec![0.0; count * self.filters * terms];
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
                        weight: packed.as_deref(),
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
            weight: if self.uses_winograd() {
                winograd::weight_transform_grad(&weight_grad)
            } else {
                weight_grad
            },
            bias: bias_grad,
        }
    }

    /// Adds a band's part to the gradient of the packed weights. Takes the gradient of the band's
    /// maps from `scratch`, and leaves that of its products there.
    #[inline(always)]
    fn weight_grad(&self, band: &Band, scratch: &mut Scratch, x: &[f32], weight: &mut [f32]) {
        let ((count, terms), columns) = (self.products(), self.columns(band));
        let Scratch {
            patches,
            products,
            maps,
            rows,
        } = scratch;
        if self.uses_winograd() {
            let maps = &maps[..self.filters * band.positions()];
            let products = resized(products, count * self.filters * columns);
            Self::output_transform_grad(band, maps, rows, products);
        } else {
            std::mem::swap(products, maps);
        }
        let patches = resized(patches, count * terms * columns);
        self.patches(band, x, rows, patches);
        for ((weight, patches), products) in weight
            .chunks_exact_mut(self.filters * terms)
            .zip(patches.chunks_exact(terms * columns))
            .zip(products.chunks_exact(self.filters * columns))
        {
            multiply(
                [terms, self.filters, columns],
                Matrix::new(patches, columns, 1),
                Matrix::new(products, 1, columns),
                weight,
                true,
            );
        }
    }

    /// Adds a band's part to the gradient of the input. Takes the gradient of the band's products
    /// from `scratch`.
    #[inline(always)]
    fn input_grad(&self, band: &Band, scratch: &mut Scratch, weight: &[f32], x: &mut [f32]) {
        let ((count, terms), columns) = (self.products(), self.columns(band));
        let patches = resized(&mut scratch.patches, count * terms * columns);
        for ((patches, products), weight) in patches
            .chunks_exact_mut(terms * columns)
            .zip(scratch.products.chunks_exact(self.filters * columns))
            .zip(weight.chunks_exact(self.filters * terms))
        {
            multiply(
                [columns, terms, self.filters],
                Matrix::new(products, 1, columns),
                Matrix::new(weight, terms, 1),
                patches,
                false,
            );
        }
        if self.uses_winograd() {
            self.input_transform_grad(band, patches, &mut scratch.rows, x);
        } else {
            self.col2im(band, patches, x);
        }
    }

    /// The backward pass of pooling and ReLU: computes the gradient of a band's maps, and adds the
    /// band's part to the gradient of the bias.
    #[inline(always)]
    fn unpool(
        &self,
        band: &Band,
        grad: &[f32],
        pool_indices: &[u8],
        maps: &mut [f32],
        bias: &mut [f32],
    ) {
        let [_, cols] = self.output();
        for [filter, to, from] in self.output_rows(band) {
            let outputs = grad[to..to + cols].iter().zip(&pool_indices[to..to + cols]);
            let mut sum = 0.0;
            let [window_rows, window_cols] = self.window;
            let maps = &mut maps[from..from + window_rows * band.cols];
            let (upper, lower) = maps.split_at_mut(band.cols);
            match (window_rows, window_cols) {
                (1, _) => {
                    for ((grad, index), map) in outputs.zip(upper) {
                        *map = if *index == INACTIVE { 0.0 } else { *grad };
                        sum += *map;
                    }
                }
                (_, 1) => {
                    for ((grad, index), (upper, lower)) in outputs.zip(upper.iter_mut().zip(lower))
                    {
                        *upper = if *index == 0 { *grad } else { 0.0 };
                        *lower = if *index == 2 { *grad } else { 0.0 };
                        sum += *upper + *lower;
                    }
                }
                _ => {
                    let windows = upper.chunks_exact_mut(2).zip(lower.chunks_exact_mut(2));
                    for ((grad, index), (upper, lower)) in outputs.zip(windows) {
                        let at = |position: u8| if *index == position { *grad } else { 0.0 };
                        upper[0] = at(0);
                        upper[1] = at(1);
                        lower[0] = at(2);
                        lower[1] = at(3);
                        sum += if *index == INACTIVE { 0.0 } else { *grad };
                    }
                }
            }
            bias[filter] += sum;
        }
    }
}

/// The backward pass of a task's images.
struct Backward<'a> {
    operation: &'a ConvReluPool,
    images: usize,
    x: &'a [f32],
    /// Packed, if the gradient of the input is asked for.
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
    fn run(mut self) {
        let operation = self.operation;
        for band in operation.bands(self.images) {
            let values = operation.filters * band.positions();
            let maps = resized(&mut self.scratch.maps, values);
            operation.unpool(&band, self.grad, self.indices, maps, self.bias_grad);
            operation.weight_grad(&band, self.scratch, self.x, self.weight_grad);
            if let (Some(x_grad), Some(weight)) = (self.x_grad.as_deref_mut(), self.weight) {
                operation.input_grad(&band, self.scratch, weight, x_grad);
            }
        }
    }
}

fn add(sums: &mut [f32], values: &[f32]) {
    for (sum, value) in sums.iter_mut().zip(values) {
        *sum += value;
    }
}
