//! The way back, for training.

use rayon::prelude::*;

use super::{CUT, Layer, SCRATCH, Scratch, Tile, resized, winograd};
use crate::matrix::{Matrix, multiply};

/// Gradients of the objective.
pub struct LayerGradients {
    /// `[batch, channels, height, width]`, if asked for.
    pub x: Option<Vec<f32>>,
    /// `[filters, channels, 3, 3]`
    pub weight: Vec<f32>,
    /// `[filters]`
    pub bias: Vec<f32>,
}

impl Layer {
    /// The way back, from the output's gradient, `grad`, and the routes of the way forward; the
    /// input's gradient only if asked for. The weights are taken as they are, not prepared.
    pub fn backward(
        &self,
        x: &[f32],
        weight: &[f32],
        grad: &[f32],
        routes: &[u8],
        wants_x: bool,
    ) -> LayerGradients {
        let (x_values, out_values) = self.image_values();
        let images = self.images_per_task();
        let mut x_grad = wants_x.then(|| vec![0.0; x.len()]);
        let mut x_chunks: Vec<Option<&mut [f32]>> = match &mut x_grad {
            Some(values) => values.chunks_mut(images * x_values).map(Some).collect(),
            None => x.chunks(images * x_values).map(|_| None).collect(),
        };
        let (places, taps) = self.products();
        let prepared = wants_x.then(|| self.prepare(weight));
        let zeros = || {
            let weight = vec![0.0; places * self.filters * taps];
            (weight, vec![0.0; self.filters])
        };
        let (weight_grad, bias_grad) = x_chunks
            .par_iter_mut()
            .zip(x.par_chunks(images * x_values))
            .zip(grad.par_chunks(images * out_values))
            .zip(routes.par_chunks(images * out_values))
            .fold(zeros, |mut sums, (((x_grad, x), grad), routes)| {
                let (weight_grad, bias_grad) = &mut sums;
                SCRATCH.with_borrow_mut(|scratch| {
                    for tile in self.tiles(x.len() / x_values) {
                        let maps = resized(&mut scratch.maps, self.filters * tile.positions());
                        self.unpool(&tile, grad, routes, maps, bias_grad);
                        self.convolve_back(&tile, scratch, x, weight_grad);
                        if let (Some(x_grad), Some(weight)) = (x_grad.as_deref_mut(), &prepared) {
                            self.convolve_back_to_input(&tile, scratch, weight, x_grad);
                        }
                    }
                });
                sums
            })
            .reduce(zeros, |mut sums, other| {
                add(&mut sums.0, &other.0);
                add(&mut sums.1, &other.1);
                sums
            });
        LayerGradients {
            x: x_grad,
            weight: if self.by_winograd() {
                winograd::transform_back(&weight_grad)
            } else {
                weight_grad
            },
            bias: bias_grad,
        }
    }

    /// Adds to the gradient of the prepared weights, from that of a tile's maps, in `scratch`; it
    /// leaves the products' gradient there.
    fn convolve_back(&self, tile: &Tile, scratch: &mut Scratch, x: &[f32], weight: &mut [f32]) {
        let ((places, taps), columns) = (self.products(), self.columns(tile));
        let Scratch {
            patches,
            products,
            maps,
            lines,
        } = scratch;
        if self.by_winograd() {
            let maps = &maps[..self.filters * tile.positions()];
            let products = resized(products, places * self.filters * columns);
            Self::fold_back(tile, maps, lines, products);
        } else {
            std::mem::swap(products, maps);
        }
        let patches = resized(patches, places * taps * columns);
        self.gather(tile, x, lines, patches);
        for ((weight, patches), products) in weight
            .chunks_exact_mut(self.filters * taps)
            .zip(patches.chunks_exact(taps * columns))
            .zip(products.chunks_exact(self.filters * columns))
        {
            multiply(
                [taps, self.filters, columns],
                Matrix(patches, columns, 1),
                Matrix(products, 1, columns),
                weight,
                true,
            );
        }
    }

    /// Adds to the input's gradient, from that of a tile's products, in `scratch`.
    fn convolve_back_to_input(
        &self,
        tile: &Tile,
        scratch: &mut Scratch,
        weight: &[f32],
        x: &mut [f32],
    ) {
        let ((places, taps), columns) = (self.products(), self.columns(tile));
        let patches = resized(&mut scratch.patches, places * taps * columns);
        for ((patches, products), weight) in patches
            .chunks_exact_mut(taps * columns)
            .zip(scratch.products.chunks_exact(self.filters * columns))
            .zip(weight.chunks_exact(self.filters * taps))
        {
            multiply(
                [columns, taps, self.filters],
                Matrix(products, 1, columns),
                Matrix(weight, taps, 1),
                patches,
                false,
            );
        }
        if self.by_winograd() {
            self.spread_back(tile, patches, &mut scratch.lines, x);
        } else {
            self.copy_back(tile, patches, x);
        }
    }

    /// The other way: the gradient of the convolved maps, and the bias's added to its sum.
    fn unpool(&self, tile: &Tile, grad: &[f32], routes: &[u8], maps: &mut [f32], bias: &mut [f32]) {
        let [_, cols] = self.output();
        self.output_rows(tile, |filter, to, from| {
            let places = grad[to..to + cols].iter().zip(&routes[to..to + cols]);
            let mut sum = 0.0;
            let [window_rows, window_cols] = self.window;
            let maps = &mut maps[from..from + window_rows * tile.cols];
            let (upper, lower) = maps.split_at_mut(tile.cols);
            match (window_rows, window_cols) {
                (1, _) => {
                    for ((grad, route), map) in places.zip(upper) {
                        *map = if *route == CUT { 0.0 } else { *grad };
                        sum += *map;
                    }
                }
                (_, 1) => {
                    for ((grad, route), (upper, lower)) in places.zip(upper.iter_mut().zip(lower)) {
                        *upper = if *route == 0 { *grad } else { 0.0 };
                        *lower = if *route == 2 { *grad } else { 0.0 };
                        sum += *upper + *lower;
                    }
                }
                _ => {
                    let windows = upper.chunks_exact_mut(2).zip(lower.chunks_exact_mut(2));
                    for ((grad, route), (upper, lower)) in places.zip(windows) {
                        let at = |place: u8| if *route == place { *grad } else { 0.0 };
                        upper[0] = at(0);
                        upper[1] = at(1);
                        lower[0] = at(2);
                        lower[1] = at(3);
                        sum += if *route == CUT { 0.0 } else { *grad };
                    }
                }
            }
            bias[filter] += sum;
        });
    }
}

fn add(sums: &mut [f32], values: &[f32]) {
    for (sum, value) in sums.iter_mut().zip(values) {
        *sum += value;
    }
}
