//! Batch norm in training.

use burn::module::Param;
use captcha_model::Network;

/// Keeps the batch norm statistics of a network constant in training.
pub fn fix_norm(network: &mut Network) {
    let blocks = network.encoder.blocks.iter_mut();
    for norm in blocks.filter_map(|block| block.norm.as_mut()) {
        norm.training = Param::from_bool(false);
    }
}
