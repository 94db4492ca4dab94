//! `captcha-lens calibrate`: the temperature at which confidence means what it says.

use anyhow::{Result, ensure};
use burn::tensor::{Device, Int, Tensor};
use captcha_model::Weights;
use rayon::prelude::*;

use crate::data::Source;
use crate::data::batch::Batcher;
use crate::training::model::text_loss;
use crate::training::progress::progress_bar;

/// Images read at once.
const BATCH: usize = 64;
/// Where the temperature is looked for.
const TEMPERATURES: (f64, f64) = (0.25, 4.0);
/// How close to the best one the search comes, as a ratio.
const TOLERANCE: f64 = 1e-3;

/// A temperature and what it is worth.
#[derive(Clone, Copy, Debug)]
pub struct Calibration {
    /// What logits should be divided by.
    pub temperature: f64,
    /// Mean negative log-likelihood of the right text at temperature 1, in nats.
    pub loss_before: f64,
    /// The same at the new temperature.
    pub loss_after: f64,
    /// Images it was fitted to.
    pub images: usize,
}

impl Calibration {
    /// Whether the search came to an end of its range, where no minimum is.
    pub fn is_at_a_bound(&self) -> bool {
        [TEMPERATURES.0, TEMPERATURES.1]
            .iter()
            .any(|bound| (self.temperature / bound).ln().abs() < 5.0 * TOLERANCE)
    }
}

/// Fits a temperature to the first epoch of a source: the one under which the right texts are
/// likeliest. No answer changes, only its confidence (Guo et al. 2017, "On Calibration of Modern
/// Neural Networks"). Images that cannot be read are left out.
pub fn calibrate(weights: &Weights, source: &dyn Source, device: &Device) -> Result<Calibration> {
    ensure!(!source.is_empty(), "there are no images to calibrate with");
    let network = weights.network(device)?;
    let batcher = Batcher::new(weights.config.clone())?;
    let (mut logits, mut targets) = (Vec::new(), Vec::new());
    let bar = progress_bar(source.len() as u64);
    let (mut images, mut failed) = (0, None);
    for start in (0..source.len()).step_by(BATCH) {
        let indices = start..(start + BATCH).min(source.len());
        let results: Vec<Result<_>> = indices
            .into_par_iter()
            .map(|index| batcher.prepare(&source.example(0, index)?))
            .collect();
        bar.inc(results.len() as u64);
        let mut prepared = Vec::with_capacity(results.len());
        for result in results {
            match result {
                Ok(one) => prepared.push(one),
                Err(error) => {
                    bar.suspend(|| eprintln!("left out: {error:#}"));
                    failed = Some(error);
                }
            }
        }
        if prepared.is_empty() {
            continue;
        }
        images += prepared.len();
        let batch = batcher.stack(prepared, device);
        let features = network.encoder.forward(batch.images);
        let decoded = network.decoder.teacher_forced(features, batch.inputs);
        logits.push(decoded.logits);
        targets.push(batch.targets);
    }
    bar.finish_and_clear();
    if let Some(error) = failed.filter(|_| images == 0) {
        return Err(error.context("no image can be read"));
    }
    let (logits, targets) = (Tensor::cat(logits, 0), Tensor::cat(targets, 0));
    let loss = |temperature: f64| text_loss_at(temperature, logits.clone(), targets.clone());
    let temperature = minimum(TEMPERATURES, loss);
    Ok(Calibration {
        temperature,
        loss_before: loss(1.0),
        loss_after: loss(temperature),
        images,
    })
}

fn text_loss_at(temperature: f64, logits: Tensor<3>, targets: Tensor<2, Int>) -> f64 {
    text_loss(logits.div_scalar(temperature), targets).into_scalar::<f64>()
}

/// Golden-section search, on a logarithmic scale, for the minimum of a function with only one.
fn minimum((from, to): (f64, f64), f: impl Fn(f64) -> f64) -> f64 {
    let section = (5f64.sqrt() - 1.0) / 2.0;
    let (mut low, mut high) = (from.ln(), to.ln());
    while high - low > TOLERANCE {
        let (left, right) = (high - section * (high - low), low + section * (high - low));
        if f(left.exp()) < f(right.exp()) {
            high = right;
        } else {
            low = left;
        }
    }
    (0.5 * (low + high)).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_search_finds_the_minimum() {
        for best in [0.3, 1.0, 2.5] {
            let found = minimum(TEMPERATURES, |t| (t / best).ln().powi(2));
            assert!(
                (found / best - 1.0).abs() < 2.0 * TOLERANCE,
                "{found} for {best}"
            );
        }
    }

    #[test]
    fn a_minimum_beyond_the_range_is_told_from_one_within() {
        for (best, beyond) in [(0.1, true), (0.3, false), (3.5, false), (9.0, true)] {
            let found = Calibration {
                temperature: minimum(TEMPERATURES, |t| (t / best).ln().powi(2)),
                loss_before: 0.0,
                loss_after: 0.0,
                images: 1,
            };
            assert_eq!(found.is_at_a_bound(), beyond, "{best}");
        }
    }

    #[test]
    fn answers_right_three_times_out_of_four_are_75_percent_sure() {
        let device = Device::flex();
        let never = -1e4;
        let sure = [never, never, 2.0, 0.0]; // 88 % sure of the first character
        let logits = Tensor::<1>::from_floats([sure; 4].concat().as_slice(), &device);
        let logits = logits.reshape([4, 1, 4]);
        let targets = Tensor::<2, Int>::from_ints([[2], [2], [2], [3]], &device);
        let best = minimum(TEMPERATURES, |temperature| {
            text_loss_at(temperature, logits.clone(), targets.clone())
        });
        let confidence = 1.0 / (1.0 + (-2.0 / best).exp());
        assert!((confidence - 0.75).abs() < 1e-3, "{confidence}");
    }
}
