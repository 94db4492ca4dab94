//! Batch norm with the statistics of the batch, as in training, forward and backward (Ioffe and
//! Szegedy 2015, algorithm 1).
//!
//! burn composes it of operations on whole tensors: about twenty passes over the maps, four of which
//! rearrange them. Here the forward pass reads the maps three times, and the backward pass twice.

use pulp::Simd;
use rayon::prelude::*;

use crate::dispatch::{Task, dispatch};

/// Sums that are computed side by side, to fill SIMD registers.
const LANES: usize = 16;

/// The operation, by its sizes for one batch.
#[derive(Clone, Copy, Debug)]
pub struct BatchNormTrain {
    /// Images.
    pub batch: usize,
    /// Channels, each with statistics of its own.
    pub channels: usize,
    /// Values of a channel's map of one image.
    pub size: usize,
    /// Added to the variance.
    pub epsilon: f32,
}

/// The results of the forward pass.
pub struct BatchNormOutput {
    /// `[batch, channels, size]`
    pub output: Vec<f32>,
    /// The mean of each channel: `[channels]`
    pub mean: Vec<f32>,
    /// The variance of each channel, not corrected for its bias: `[channels]`
    pub variance: Vec<f32>,
}

/// Gradients of the objective.
pub struct BatchNormGradients {
    /// `[batch, channels, size]`
    pub x: Vec<f32>,
    /// `[channels]`
    pub gamma: Vec<f32>,
    /// `[channels]`
    pub beta: Vec<f32>,
}

impl BatchNormTrain {
    /// Computes `gamma (x - mean) / sqrt(variance + epsilon) + beta`.
    ///
    /// # Shapes
    ///
    /// - `x`: `[batch, channels, size]`
    /// - `gamma`, `beta`: `[channels]`
    ///
    /// # Panics
    ///
    /// If a slice has another size, or a size is zero.
    pub fn forward(&self, x: &[f32], gamma: &[f32], beta: &[f32]) -> BatchNormOutput {
        self.check(x, gamma);
        assert_eq!(beta.len(), self.channels);
        let (mean, variance): (Vec<f32>, Vec<f32>) = (0..self.channels)
            .into_par_iter()
            .map(|channel| {
                let maps = || self.maps(x, channel).zip(self.maps(x, channel));
                let [sum] = sums(maps(), |x, _| [x]);
                let mean = self.mean(sum);
                let [squares] = sums(maps(), |x, _| [(x - mean) * (x - mean)]);
                (mean, self.mean(squares))
            })
            .unzip();
        let mut output = vec![0.0; x.len()];
        let maps = output
            .par_chunks_mut(self.size)
            .zip(x.par_chunks(self.size));
        maps.enumerate().for_each(|(map, (output, x))| {
            let channel = map % self.channels;
            let (mean, beta) = (mean[channel], beta[channel]);
            let factor = gamma[channel] * self.inverse_deviation(variance[channel]);
            dispatch(Combine {
                x,
                grad: x,
                output,
                value: |x, _| (x - mean) * factor + beta,
            });
        });
        BatchNormOutput {
            output,
            mean,
            variance,
        }
    }

    /// Computes the gradients of the inputs from that of the output, `[batch, channels, size]`.
    /// `mean` and `variance` are those of the forward pass.
    ///
    /// # Panics
    ///
    /// As [`BatchNormTrain::forward`].
    pub fn backward(
        &self,
        x: &[f32],
        gamma: &[f32],
        mean: &[f32],
        variance: &[f32],
        grad: &[f32],
    ) -> BatchNormGradients {
        self.check(x, gamma);
        assert_eq!([mean.len(), variance.len()], [self.channels; 2]);
        assert_eq!(grad.len(), x.len());
        let (gamma_grad, beta_grad): (Vec<f32>, Vec<f32>) = (0..self.channels)
            .into_par_iter()
            .map(|channel| {
                let mean = mean[channel];
                let maps = self.maps(x, channel).zip(self.maps(grad, channel));
                let [centered, sum] = sums(maps, |x, grad| [(x - mean) * grad, grad]);
                let inverse = f64::from(self.inverse_deviation(variance[channel]));
                ((centered * inverse) as f32, sum as f32)
            })
            .unzip();
        let mut x_grad = vec![0.0; x.len()];
        let maps = x_grad
            .par_chunks_mut(self.size)
            .zip(x.par_chunks(self.size));
        let maps = maps.zip(grad.par_chunks(self.size));
        maps.enumerate().for_each(|(map, ((output, x), grad))| {
            let channel = map % self.channels;
            let inverse = self.inverse_deviation(variance[channel]);
            let mean = mean[channel];
            // The part of the gradient that changes no output: a shift and a scale of all values.
            let shift = self.mean(f64::from(beta_grad[channel]));
            let scale = self.mean(f64::from(gamma_grad[channel])) * inverse;
            let factor = gamma[channel] * inverse;
            dispatch(Combine {
                x,
                grad,
                output,
                value: |x, grad| (grad - shift - (x - mean) * scale) * factor,
            });
        });
        BatchNormGradients {
            x: x_grad,
            gamma: gamma_grad,
            beta: beta_grad,
        }
    }

    fn check(&self, x: &[f32], gamma: &[f32]) {
        assert!(self.batch > 0 && self.channels > 0 && self.size > 0);
        assert_eq!(x.len(), self.batch * self.channels * self.size);
        assert_eq!(gamma.len(), self.channels);
    }

    /// The maps of a channel.
    fn maps<'a>(&self, x: &'a [f32], channel: usize) -> impl Iterator<Item = &'a [f32]> {
        x.chunks_exact(self.size)
            .skip(channel)
            .step_by(self.channels)
    }

    /// The mean of a channel's values from their sum.
    fn mean(&self, sum: f64) -> f32 {
        (sum / (self.batch * self.size) as f64) as f32
    }

    fn inverse_deviation(&self, variance: f32) -> f32 {
        1.0 / (variance + self.epsilon).sqrt()
    }
}

/// The sums of terms over pairs of maps. A map's sum is in single precision, that of the maps in
/// double precision.
fn sums<'a, const N: usize>(
    maps: impl Iterator<Item = (&'a [f32], &'a [f32])>,
    term: impl Fn(f32, f32) -> [f32; N] + Copy,
) -> [f64; N] {
    let mut totals = [0.0; N];
    for (x, grad) in maps {
        let mut sums = [0.0; N];
        dispatch(Sum {
            x,
            grad,
            sums: &mut sums,
            term,
        });
        for (total, sum) in totals.iter_mut().zip(sums) {
            *total += f64::from(sum);
        }
    }
    totals
}

struct Sum<'a, const N: usize, F> {
    x: &'a [f32],
    grad: &'a [f32],
    sums: &'a mut [f32; N],
    term: F,
}

impl<const N: usize, F: Fn(f32, f32) -> [f32; N]> Task for Sum<'_, N, F> {
    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        let (x, x_rest) = self.x.as_chunks::<LANES>();
        let (grad, grad_rest) = self.grad.as_chunks::<LANES>();
        let mut lanes = [[0.0; LANES]; N];
        for (x, grad) in x.iter().zip(grad) {
            for lane in 0..LANES {
                let terms = (self.term)(x[lane], grad[lane]);
                for (lanes, term) in lanes.iter_mut().zip(terms) {
                    lanes[lane] += term;
                }
            }
        }
        for (sum, lanes) in self.sums.iter_mut().zip(lanes) {
            *sum = lanes.iter().sum();
        }
        for (x, grad) in x_rest.iter().zip(grad_rest) {
            for (sum, term) in self.sums.iter_mut().zip((self.term)(*x, *grad)) {
                *sum += term;
            }
        }
    }
}

struct Combine<'a, F> {
    x: &'a [f32],
    grad: &'a [f32],
    output: &'a mut [f32],
    value: F,
}

impl<F: Fn(f32, f32) -> f32> Task for Combine<'_, F> {
    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        let inputs = self.x.iter().zip(self.grad);
        for (output, (x, grad)) in self.output.iter_mut().zip(inputs) {
            *output = (self.value)(*x, *grad);
        }
    }
}
