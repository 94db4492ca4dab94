//! Loss and exact matches of a network on preprocessed images.

use anyhow::{Result, anyhow};
use burn::tensor::{Device, Int, Tensor};
use captcha_model::{ModelConfig, Network, Vocabulary};

use crate::data::batch::{Batcher, Prepared};
use crate::weights::calibrate::calibrated_loss;

/// Images in a batch.
const BATCH: usize = 32;

/// The result of a validation.
pub(super) struct Validation {
    /// Mean negative log-likelihood of the labels, in nats, at the temperature that fits them best.
    /// At a fixed temperature it grows while a network becomes too sure of its mistakes, although
    /// the network reads more images; the temperature is fitted after the run anyway.
    pub(super) loss: f64,
    /// Images whose greedy answer is the label.
    pub(super) exact_matches: usize,
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
    for part in images.chunks(BATCH) {
        let batch = batcher.stack(part.to_vec(), device);
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
    Ok(Validation {
        loss: calibrated_loss(Tensor::cat(logits, 0), Tensor::cat(targets, 0)),
        exact_matches,
    })
}

/// The tokens before the end.
fn text(ids: &[i32]) -> &[i32] {
    let end = ids.iter().position(|&id| id == Vocabulary::END as i32);
    &ids[..end.unwrap_or(ids.len())]
}

fn ids(tensor: Tensor<2, Int>) -> Result<Vec<i32>> {
    let data = tensor
        .try_into_data()
        .map_err(|error| anyhow!("{error:?}"))?;
    Ok(data.iter::<i32>().collect())
}
