//! Calibration: the temperature at which confidence equals accuracy.

use anyhow::{Result, ensure};
use burn::tensor::{Device, Tensor};
use captcha_evaluation::batches::load_batches;
use captcha_evaluation::data::Dataset;
use captcha_evaluation::progress::Progress;
use captcha_learning::data::batch::Batcher;
use captcha_learning::weights::temperature::{Calibration, fit_confidence};
use captcha_model::Weights;

/// Fits a temperature to the first epoch of a data set. Images that cannot be read are reported and
/// left out.
///
/// # Errors
///
/// If there is no readable image.
pub fn calibrate(
    weights: &Weights,
    dataset: &dyn Dataset,
    device: &Device,
    progress: &dyn Progress,
) -> Result<Calibration> {
    ensure!(!dataset.is_empty(), "there are no images to calibrate with");
    let network = weights.network(device)?;
    let batcher = Batcher::new(weights.config.clone())?;
    let (mut logits, mut targets) = (Vec::new(), Vec::new());
    let (mut done, mut images, mut failed) = (0, 0, None);
    progress.start_stage("", dataset.len());
    let load = |index| batcher.prepare(&dataset.example(0, index)?);
    for results in load_batches(dataset.len(), load) {
        done += results.len();
        progress.update(done, "");
        let mut prepared = Vec::with_capacity(results.len());
        for result in results {
            match result {
                Ok(example) => prepared.push(example),
                Err(error) => {
                    progress.message(&format!("left out: {error:#}"));
                    failed = Some(error);
                }
            }
        }
        images += prepared.len();
        for batch in batcher.batches(&prepared, prepared.len(), device) {
            let features = network.encoder.forward(batch.images);
            let decoded = network.decoder.teacher_forced(features, batch.inputs);
            logits.push(decoded.logits);
            targets.push(batch.targets);
        }
    }
    progress.end_stage();
    if let Some(error) = failed.filter(|_| images == 0) {
        return Err(error.context("no image can be read"));
    }
    Ok(fit_confidence(
        Tensor::cat(logits, 0),
        Tensor::cat(targets, 0),
    ))
}
