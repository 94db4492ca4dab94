//! Loss and exact matches of a network on preprocessed images.

use anyhow::{Result, anyhow};
use burn::tensor::{Device, Int, Tensor};
use captcha_model::{ModelConfig, Network, Vocabulary};
use serde::{Deserialize, Serialize};

use crate::data::batch::{Batcher, Prepared};
use crate::weights::temperature::{calibrated_losses, fit_temperature};

/// Images in a batch.
const BATCH: usize = 32;

/// Fewer validation images do not determine a temperature.
const MIN_CALIBRATION_IMAGES: usize = 30;

/// Loss up to which losses are compared, in nats: the label has a probability of 14%, so that it is not
/// read. A network that becomes surer of its mistakes is not worse.
const SURELY_WRONG: f32 = 2.0;

/// The result of a validation.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Validation {
    /// Negative log-likelihood of each label, in nats, at the temperature that fits them best. At a
    /// fixed temperature it grows while a network becomes too sure of its mistakes, although the
    /// network reads more images; the temperature is fitted after the run anyway.
    pub(super) losses: Vec<f32>,
    /// Images whose greedy answer is the label.
    pub(super) exact_matches: usize,
}

impl Validation {
    /// The mean loss.
    pub(super) fn loss(&self) -> f64 {
        mean(&self.losses)
    }

    /// Whether the mean of the losses, each at most [`SURELY_WRONG`], is larger than that of another
    /// network on the same images by more than the standard error of the difference.
    pub(super) fn is_clearly_worse_than(&self, other: &Self) -> bool {
        // Not `min`, which hides a loss that is not a number.
        let bounded = |loss: f32| {
            if loss > SURELY_WRONG {
                SURELY_WRONG
            } else {
                loss
            }
        };
        let pairs = self.losses.iter().zip(&other.losses);
        let difference = |(&loss, &other): (&f32, &f32)| bounded(loss) - bounded(other);
        let differences: Vec<f32> = pairs.map(difference).collect();
        let (count, mean) = (differences.len() as f64, mean(&differences));
        let squares = differences
            .iter()
            .map(|difference| (f64::from(*difference) - mean).powi(2));
        let variance = squares.sum::<f64>() / (count - 1.0).max(1.0);
        // If only one image differs, both are equal but for rounding.
        mean.is_nan() || mean > 1.001 * (variance / count).sqrt()
    }
}

fn mean(losses: &[f32]) -> f64 {
    let sum: f64 = losses.iter().map(|loss| f64::from(*loss)).sum();
    sum / losses.len().max(1) as f64
}

/// Validates a network without autodiff.
///
/// # Errors
///
/// If the device fails.
pub(super) fn validate(
    network: &Network,
    config: &ModelConfig,
    images: &[Prepared],
    device: &Device,
) -> Result<Validation> {
    let batcher = Batcher::new(config.clone())?;
    let (mut logits, mut targets, mut exact_matches) = (Vec::new(), Vec::new(), 0);
    for batch in batcher.batches(images, BATCH, device) {
        let features = network.encoder.forward(batch.images);
        let forced = network
            .decoder
            .teacher_forced(features.clone(), batch.inputs);
        logits.push(forced.logits);
        targets.push(batch.targets.clone());
        let answers = network.decoder.greedy(features, config.steps());
        let [count, steps, _] = answers.logits.dims();
        let answers = answers.logits.argmax(2).reshape([count, steps]);
        let (answers, targets) = (ids(answers)?, ids(batch.targets)?);
        exact_matches += answers
            .chunks(steps)
            .zip(targets.chunks(steps))
            .filter(|(answer, target)| text(answer) == text(target))
            .count();
    }
    let losses = calibrated_losses(Tensor::cat(logits, 0), Tensor::cat(targets, 0));
    Ok(Validation {
        losses: values(losses)?,
        exact_matches,
    })
}

/// The temperature that fits preprocessed images; `None` if they are too few, or the fit is not
/// reliable.
///
/// # Errors
///
/// If the alphabet is not valid.
pub(super) fn temperature(
    network: &Network,
    config: &ModelConfig,
    images: &[Prepared],
    device: &Device,
) -> Result<Option<f64>> {
    if images.len() < MIN_CALIBRATION_IMAGES {
        return Ok(None);
    }
    let (mut logits, mut targets) = (Vec::new(), Vec::new());
    for batch in Batcher::new(config.clone())?.batches(images, BATCH, device) {
        let features = network.encoder.forward(batch.images);
        let decoded = network.decoder.teacher_forced(features, batch.inputs);
        logits.push(decoded.logits);
        targets.push(batch.targets);
    }
    let found = fit_temperature(Tensor::cat(logits, 0), Tensor::cat(targets, 0));
    Ok((!found.is_at_bound()).then_some(found.temperature))
}

/// The tokens before the end.
fn text(ids: &[i32]) -> &[i32] {
    let end = ids.iter().position(|&id| id == Vocabulary::END as i32);
    &ids[..end.unwrap_or(ids.len())]
}

/// The values of a tensor.
pub(super) fn values(tensor: Tensor<1>) -> Result<Vec<f32>> {
    let data = tensor
        .try_into_data()
        .map_err(|error| anyhow!("{error:?}"))?;
    data.try_to_vec().map_err(|error| anyhow!("{error:?}"))
}

fn ids(tensor: Tensor<2, Int>) -> Result<Vec<i32>> {
    let data = tensor
        .try_into_data()
        .map_err(|error| anyhow!("{error:?}"))?;
    Ok(data.iter::<i32>().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn validation(losses: &[f32]) -> Validation {
        Validation {
            losses: losses.to_vec(),
            exact_matches: 0,
        }
    }

    #[test]
    fn one_image_does_not_make_a_network_clearly_worse() {
        let best = validation(&[0.1; 20]);
        let mut losses = [0.1; 20];
        losses[3] = 4.0;
        assert!(!validation(&losses).is_clearly_worse_than(&best));
        assert!(validation(&[0.2; 20]).is_clearly_worse_than(&best));
        assert!(!validation(&[0.1; 20]).is_clearly_worse_than(&best));
        assert!(!best.is_clearly_worse_than(&validation(&losses)));
        // Surer of the same mistakes.
        let mistakes = validation(&[0.1, 0.1, 3.0, 2.5, 0.1, 4.0]);
        assert!(!validation(&[0.1, 0.1, 9.0, 8.0, 0.1, 7.0]).is_clearly_worse_than(&mistakes));
        losses[3] = f32::NAN;
        assert!(validation(&losses).is_clearly_worse_than(&best));
    }
}
