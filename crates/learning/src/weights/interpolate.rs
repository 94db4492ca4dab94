//! Interpolation between two networks' weights.

use std::collections::VecDeque;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::Tensor;
use captcha_model::Network;

/// `(1 - share) * network + share * other`
pub fn interpolate(network: Network, other: &Network, share: f32) -> Network {
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
    use burn::tensor::Device;
    use captcha_model::ModelConfig;

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
