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

/// The losses of a network.
#[derive(Clone, Copy)]
struct Losses {
    /// Of the validation images.
    own: f64,
    /// Of images of the looks that the initial weights were trained on; 0 without any.
    retained: f64,
}

impl Losses {
    /// Whether a network with more of the initial weights replaces the best one so far. The new
    /// images come first: a few validation images that are all read have a loss of nearly zero, which
    /// any gain of the retained images would outweigh.
    fn improves(self, best: Self, fine_tuned: Self) -> bool {
        self.own <= fine_tuned.own && self.own + self.retained < best.own + best.retained
    }
}

/// Mixes the initial weights in as long as this reduces the sum of the losses, of the validation
/// images and of images of the looks that the initial weights were trained on, and the loss of the
/// validation images alone is no larger than without. `validation` is that of the fine-tuned network.
/// A user who stops the run gets the best so far.
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
    let losses = |network: &Network, validation: &Validation| -> Result<Losses> {
        let retained = match job.retained.as_slice() {
            [] => 0.0,
            images => read(network, images)?.loss(),
        };
        let own = validation.loss();
        Ok(Losses { own, retained })
    };
    let without = losses(&fine_tuned, &validation)?;
    let mut smallest = without;
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
        let mixed = losses(&network, &validation)?;
        if !mixed.improves(smallest, without) {
            break;
        }
        smallest = mixed;
        best = Interpolated {
            network,
            initial_share,
            validation,
        };
    }
    Ok(best)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn losses(own: f64, retained: f64) -> Losses {
        Losses { own, retained }
    }

    #[test]
    fn initial_weights_are_mixed_in_as_long_as_new_images_are_read_as_well() {
        let without = losses(0.3, 2.0);
        let first = losses(0.25, 1.8);
        assert!(first.improves(without, without));
        assert!(losses(0.28, 1.6).improves(first, without));
        assert!(!losses(0.31, 1.0).improves(first, without));
        assert!(!losses(0.25, 1.9).improves(first, without));
    }

    /// 19 validation images were all read, and 40% of the initial weights took six points of others.
    #[test]
    fn few_validation_images_that_are_all_read_are_not_outweighed() {
        let without = losses(0.0002, 1.5);
        assert!(!losses(0.01, 0.8).improves(without, without));
    }

    #[test]
    fn loss_that_is_not_a_number_does_not_improve() {
        let without = losses(0.3, 2.0);
        assert!(!losses(f64::NAN, 1.0).improves(without, without));
        assert!(!losses(0.2, f64::NAN).improves(without, without));
    }
}
