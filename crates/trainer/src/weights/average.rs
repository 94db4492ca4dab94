//! The mean of several networks' weights, which reads as well as the best of them or better where
//! they come from one another (Wortsman et al. 2022, "Model soups").

use std::collections::VecDeque;

use anyhow::{Context, Result};
use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Device, Tensor};
use captcha_model::weights::{Precision, Weights, save};
use captcha_model::{ModelConfig, Network};
use serde_json::json;

use crate::weights::transfer::grow;

/// The mean of the networks' weights, each counting the same, in the last one's shape, into which
/// smaller ones grow. It is not calibrated. `command` goes into its record, beside the others'.
///
/// # Errors
///
/// If there are no networks, or one that cannot [`grow`](fn@grow) into the last.
pub fn average(all: &[Weights], command: &str) -> Result<Weights> {
    let config = &all.last().context("there is nothing to average")?.config;
    let mut networks = all.iter().map(|weights| shaped(weights, config));
    let mut mean = networks.next().context("there is nothing to average")??;
    for (others, network) in (1..).zip(networks) {
        mean = blend(mean, &network?, 1.0 / (others as f32 + 1.0));
    }
    let record = json!({
        "command": command,
        "version": env!("CARGO_PKG_VERSION"),
        "average_of": all.iter().map(|weights| &weights.training).collect::<Vec<_>>(),
    });
    let bytes = save(&mean, config, &record, Precision::Half)?;
    Ok(Weights::from_bytes(bytes)?)
}

fn shaped(weights: &Weights, config: &ModelConfig) -> Result<Network> {
    let device = Device::flex();
    Ok(if weights.config == *config {
        weights.network(&device)?
    } else {
        device.seed(1); // what new filters start with, the same each time
        grow(weights, config)?.network(&device)?
    })
}

/// `network`, moved towards `other` by this share of the way.
fn blend(network: Network, other: &Network, share: f32) -> Network {
    let mut values = Values(VecDeque::new());
    other.visit(&mut values);
    network.map(&mut Blend { values, share })
}

/// All numbers of a network, tensor by tensor.
struct Values(VecDeque<Tensor<1>>);

impl ModuleVisitor for Values {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.0.push_back(param.val().reshape([-1]));
    }
}

/// Meets the tensors in the order in which [`Values`] did.
struct Blend {
    values: Values,
    share: f32,
}

impl ModuleMapper for Blend {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(other) = self.values.0.pop_front() else {
            return param;
        };
        param.map(|tensor| {
            let other = other.reshape(tensor.dims());
            let towards = other.sub(tensor.clone()).mul_scalar(self.share);
            tensor.add(towards)
        })
    }
}
