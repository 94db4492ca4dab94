//! The mean of several networks' weights. For networks of successive runs, it is as accurate as the
//! best of them or better (Wortsman et al. 2022, "Model soups").

use std::collections::VecDeque;

use anyhow::{Context, Result};
use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Device, Tensor};
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

/// `(1 - share) * network + share * other`
pub(crate) fn interpolate(network: Network, other: &Network, share: f32) -> Network {
    let mut values = Values(VecDeque::new());
    other.visit(&mut values);
    // Clones of a network share the statistics of batch norm, which `map` would change in all of
    // them; `valid` copies them.
    network.valid().map(&mut Interpolate { values, share })
}

/// All parameters of a network, in order.
struct Values(VecDeque<Tensor<1>>);

impl ModuleVisitor for Values {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.0.push_back(param.val().reshape([-1]));
    }
}

/// Visits the parameters in the same order as [`Values`].
struct Interpolate {
    values: Values,
    share: f32,
}

impl ModuleMapper for Interpolate {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(other) = self.values.0.pop_front() else {
            return param;
        };
        param.map(|tensor| {
            let other = other.reshape(tensor.dims());
            let step = other.sub(tensor.clone()).mul_scalar(self.share);
            tensor.add(step)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn norm_mean(network: &Network) -> f32 {
        let mut norms = network
            .encoder
            .blocks
            .iter()
            .filter_map(|block| block.norm.as_ref());
        let mean = norms.next().expect("a batch norm").running_mean.value();
        mean.mean().into_scalar()
    }

    #[test]
    fn interpolate_leaves_both_networks_as_they_are() {
        let config = ModelConfig::compact();
        let zero = config.init(&Device::flex()).expect("a valid configuration");
        let mut one = zero.valid();
        for norm in one
            .encoder
            .blocks
            .iter_mut()
            .filter_map(|block| block.norm.as_mut())
        {
            let ones = norm.running_mean.value().ones_like();
            norm.running_mean = burn::module::RunningState::new(ones);
        }
        let mixed = interpolate(zero.clone(), &one, 0.25);
        let means = [&zero, &mixed, &one].map(norm_mean);
        assert_eq!(means, [0.0, 0.25, 1.0]);
    }
}
