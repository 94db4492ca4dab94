//! Batch norm in training.

use burn::module::{Param, RunningState};
use burn::tensor::Tensor;
use captcha_model::Network;

/// Keeps the batch norm statistics of a network constant in training.
pub fn fix_norm(network: &mut Network) {
    let blocks = network.encoder.blocks.iter_mut();
    for norm in blocks.filter_map(|block| block.norm.as_mut()) {
        norm.training = Param::from_bool(false);
    }
}

/// The running means and variances of a network, block by block.
pub(crate) fn running_statistics(
    network: &Network,
) -> impl Iterator<Item = &RunningState<Tensor<1>>> {
    let norms = network.encoder.blocks.iter();
    let norms = norms.filter_map(|block| block.norm.as_ref());
    norms.flat_map(|norm| [&norm.running_mean, &norm.running_var])
}
