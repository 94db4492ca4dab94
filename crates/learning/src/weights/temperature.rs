//! The temperature at which confidence equals accuracy.

use burn::tensor::activation::log_softmax;
use burn::tensor::{Int, Tensor};
use captcha_model::Vocabulary;

use crate::losses::{text_loss, text_losses};

/// Range of the search.
const TEMPERATURES: (f64, f64) = (0.25, 4.0);
/// Precision of the search on a logarithmic scale.
const TOLERANCE: f64 = 1e-3;

/// A temperature with its losses.
#[derive(Clone, Copy, Debug)]
pub struct Calibration {
    /// The divisor of the logits.
    pub temperature: f64,
    /// The loss at temperature 1, in nats.
    pub loss_before: f64,
    /// The same at the new temperature.
    pub loss_after: f64,
    /// Number of images.
    pub images: usize,
}

impl Calibration {
    /// The temperature with the smallest loss.
    fn fit(images: usize, loss: impl Fn(f64) -> f64) -> Self {
        let temperature = minimum(TEMPERATURES, &loss);
        Self {
            temperature,
            loss_before: loss(1.0),
            loss_after: loss(temperature),
            images,
        }
    }

    /// Whether the search ended at a bound of its range instead of a minimum.
    pub fn is_at_bound(&self) -> bool {
        [TEMPERATURES.0, TEMPERATURES.1]
            .iter()
            .any(|bound| (self.temperature / bound).ln().abs() < 5.0 * TOLERANCE)
    }
}

/// Fits a temperature to the logits of labelled texts: the one with the smallest loss of the labels.
/// No answer changes, only its confidence (Guo et al. 2017, "On Calibration of Modern Neural
/// Networks").
///
/// # Shapes
///
/// - `logits`: `[batch, steps, vocabulary]`
/// - `targets`: `[batch, steps]`, padded
pub fn fit_temperature(logits: Tensor<3>, targets: Tensor<2, Int>) -> Calibration {
    let [images, _] = targets.dims();
    Calibration::fit(images, |temperature| {
        text_loss_at(temperature, logits.clone(), targets.clone())
    })
}

/// Fits a temperature to the logits of labelled texts: the one at which the confidence of the read
/// texts predicts best which of them are exact matches, with the smallest cross-entropy. It needs
/// texts of both kinds, and many of them.
///
/// The temperature of [`fit_temperature`] makes the labels likely, also those that are never read. A
/// few of these, whose label has almost no probability, keep it too high for all others.
///
/// # Shapes
///
/// - `logits`: `[batch, steps, vocabulary]`, with the label's characters as the decoder's input. Up
///   to the first wrong character they are those of the read text; after it, they approximate them
/// - `targets`: `[batch, steps]`, padded
pub fn fit_confidence(logits: Tensor<3>, targets: Tensor<2, Int>) -> Calibration {
    let [images, steps] = targets.dims();
    let is_character = targets.clone().not_equal_elem(Vocabulary::PAD as i32);
    let read: Tensor<2, Int> = logits.clone().argmax(2).squeeze_dim(2);
    let is_match = read
        .equal(targets)
        .bool_or(is_character.clone().bool_not())
        .float()
        .sum_dim(1)
        .equal_elem(steps as f32)
        .float();
    Calibration::fit(images, |temperature| {
        let likelihoods = log_softmax(logits.clone().div_scalar(temperature), 2).max_dim(2);
        let likelihoods: Tensor<2> = likelihoods.squeeze_dim(2);
        let confidence = (likelihoods * is_character.clone().float()).sum_dim(1);
        // A certain text that is wrong has a large loss, not an infinite one.
        let doubt = confidence
            .clone()
            .exp()
            .neg()
            .add_scalar(1.0)
            .clamp_min(1e-6);
        let of_matches = confidence * is_match.clone();
        let of_others = doubt.log() * is_match.clone().neg().add_scalar(1.0);
        -(of_matches + of_others).mean().into_scalar::<f64>()
    })
}

/// The loss of each text, `[batch]`, at the temperature with the smallest mean loss, so that it does
/// not grow with overconfidence.
///
/// # Shapes
///
/// - `logits`: `[batch, steps, vocabulary]`
/// - `targets`: `[batch, steps]`, padded
pub fn calibrated_losses(logits: Tensor<3>, targets: Tensor<2, Int>) -> Tensor<1> {
    let temperature = fit_temperature(logits.clone(), targets.clone()).temperature;
    text_losses(logits.div_scalar(temperature), targets)
}

fn text_loss_at(temperature: f64, logits: Tensor<3>, targets: Tensor<2, Int>) -> f64 {
    text_loss(logits.div_scalar(temperature), targets).into_scalar::<f64>()
}

/// Golden-section search on a logarithmic scale for the only minimum of a function.
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
    use burn::tensor::Device;

    use super::*;

    #[test]
    fn minimum_finds_the_minimum() {
        for best in [0.3, 1.0, 2.5] {
            let found = minimum(TEMPERATURES, |t| (t / best).ln().powi(2));
            assert!(
                (found / best - 1.0).abs() < 2.0 * TOLERANCE,
                "{found} for {best}"
            );
        }
    }

    #[test]
    fn is_at_bound_detects_a_minimum_outside_of_the_range() {
        for (best, beyond) in [(0.1, true), (0.3, false), (3.5, false), (9.0, true)] {
            let found = Calibration::fit(1, |t| (t / best).ln().powi(2));
            assert_eq!(found.is_at_bound(), beyond, "{best}");
        }
    }

    #[test]
    fn confidence_of_read_texts_equals_their_accuracy() {
        let device = Device::flex();
        let impossible = -1e4;
        // Texts of two characters, each 88% sure. Three of four are read; the label of the fourth,
        // whose second character is impossible, does not count more than other errors.
        let step = [impossible, impossible, 2.0, 0.0, impossible];
        let logits = Tensor::<1>::from_floats([step; 8].concat().as_slice(), &device);
        let logits = logits.reshape([4, 2, 5]);
        let pad = Vocabulary::PAD as i32;
        let targets = Tensor::<2, Int>::from_ints([[2, 2], [2, 2], [2, pad], [2, 4]], &device);
        let found = fit_confidence(logits.clone(), targets.clone());
        let step = 1.0 / (1.0 + (-2.0 / found.temperature).exp());
        // Three texts with the confidence of two steps, of which two are read, and a read one with
        // that of one step: the derivative of the loss is zero.
        let text = step * step;
        let derivative = 2.0 / text - 1.0 / (1.0 - text) + 1.0 / (2.0 * text);
        assert!(derivative.abs() < 0.05, "{step}: {derivative}");
        assert!(found.loss_after <= found.loss_before);
        assert!(fit_temperature(logits, targets).is_at_bound());
    }

    #[test]
    fn calibrated_confidence_equals_accuracy() {
        let device = Device::flex();
        let impossible = -1e4;
        let logits = [impossible, impossible, 2.0, 0.0]; // 88% for the first character
        let logits = Tensor::<1>::from_floats([logits; 4].concat().as_slice(), &device);
        let logits = logits.reshape([4, 1, 4]);
        let targets = Tensor::<2, Int>::from_ints([[2], [2], [2], [3]], &device);
        let best = minimum(TEMPERATURES, |temperature| {
            text_loss_at(temperature, logits.clone(), targets.clone())
        });
        let confidence = 1.0 / (1.0 + (-2.0 / best).exp());
        assert!((confidence - 0.75).abs() < 1e-3, "{confidence}");
    }
}
