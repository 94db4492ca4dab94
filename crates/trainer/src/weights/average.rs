//! The mean of several networks' weights. For networks of successive runs, it is as accurate as the
//! best of them or better (Wortsman et al. 2022, "Model soups").

use anyhow::{Context, Result};
use burn::tensor::Device;
use captcha_learning::weights::interpolate::interpolate;
use captcha_model::weights::{Precision, Weights, save};
use captcha_model::{ModelConfig, Network};
use serde_json::json;

use crate::weights::transfer::widen_and_deepen;

/// The unweighted mean of weights, in the shape of the last network; smaller networks are enlarged.
/// The mean is not calibrated. `command` goes into its record.
///
/// # Errors
///
/// If there are no weights, or [`widen_and_deepen`] cannot give some the last one's shape.
pub fn average(all: &[Weights], command: &str) -> Result<Weights> {
    let config = &all.last().context("there is nothing to average")?.config;
    let mut networks = all.iter().map(|weights| with_shape(weights, config));
    let mut mean = networks.next().context("there is nothing to average")??;
    for (others, network) in (1..).zip(networks) {
        mean = interpolate(mean, &network?, 1.0 / (others as f32 + 1.0));
    }
    let record = json!({
        "command": command,
        "version": env!("CARGO_PKG_VERSION"),
        "average_of": all.iter().map(|weights| &weights.training).collect::<Vec<_>>(),
    });
    let bytes = save(&mean, config, &record, Precision::Half)?;
    Ok(Weights::from_bytes(bytes)?)
}

fn with_shape(weights: &Weights, config: &ModelConfig) -> Result<Network> {
    let device = Device::flex();
    Ok(if weights.config == *config {
        weights.network(&device)?
    } else {
        device.seed(1); // for the random values of new filters
        widen_and_deepen(weights, config)?.network(&device)?
    })
}
