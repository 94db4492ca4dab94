//! The kernels as operations of burn's autodiff: they record what their backward passes need.

use burn::backend::autodiff::checkpoint::strategy::NoCheckpointing;
use burn::backend::{Autodiff, Flex};

mod attention;
mod batch_norm;
mod convolution;

pub(super) use attention::additive_scores;
pub(super) use batch_norm::batch_norm;
pub(super) use convolution::conv_relu_pool;

/// The backend of tensors that take part in training on the CPU.
type Recording = Autodiff<Flex, NoCheckpointing>;
