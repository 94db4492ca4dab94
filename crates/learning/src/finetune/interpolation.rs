//! Interpolation between the initial and the fine-tuned weights (Wortsman et al. 2022, "Robust
//! fine-tuning of zero-shot models"): the network keeps more of what it could read before, and often
//! reads the new images better as well.

use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Result;
use captcha_model::Network;

use crate::data::batch::Prepared;
use crate::finetune::job::Job;
use crate::finetune::validate::{Validation, validate};
use crate::weights::interpolate::interpolate;

/// Step between the shares that are tried, and the largest share, in percent.
const STEP: usize = 10;
const LARGEST: usize = 60;

/// An interpolated network.
pub(super) struct Interpolated {
    pub(super) network: Network,
    /// Share of the initial weights, 0 to 1.
    pub(super) initial_share: f64,
    /// Its validation.
    pub(super) validation: Validation,
}

/// Mixes the initial weights in as long as this reduces the sum of the losses: of the validation
/// images, and of images of the look that the initial weights were trained on, if there are any.
/// `validation` is that of the fine-tuned network. A user who stops the run gets the best so far.
///
/// # Errors
///
/// If the device fails.
pub(super) fn with_initial_weights(
    job: &Job,
    fine_tuned: Network,
    validation: Validation,
    stop: &AtomicBool,
) -> Result<Interpolated> {
    let initial = job.weights.network(&job.device)?;
    let read = |network: &Network, images: &[Prepared]| -> Result<Validation> {
        validate(network, &job.config, images, &job.device)
    };
    let loss_with = |network: &Network, validation: &Validation| -> Result<f64> {
        let retained = match job.retained.as_slice() {
            [] => 0.0,
            images => read(network, images)?.loss(),
        };
        Ok(validation.loss() + retained)
    };
    let mut smallest = loss_with(&fine_tuned, &validation)?;
    let mut best = Interpolated {
        network: fine_tuned.clone(),
        initial_share: 0.0,
        validation,
    };
    for percent in (STEP..=LARGEST).step_by(STEP) {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let initial_share = percent as f64 / 100.0;
        let network = interpolate(fine_tuned.clone(), &initial, initial_share as f32);
        let validation = read(&network, &job.validation)?;
        let loss = loss_with(&network, &validation)?;
        if loss.is_nan() || loss >= smallest {
            break;
        }
        smallest = loss;
        best = Interpolated {
            network,
            initial_share,
            validation,
        };
    }
    Ok(best)
}
