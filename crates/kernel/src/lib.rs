//! The operations that take most of the time on a CPU: the 3x3 convolution of a block with its
//! max-pooling and ReLU, batch norm in training, and the scores of additive attention. All have a
//! forward and a backward pass and work on plain slices. Resizing of images is here as well, to be
//! compiled for speed (`resize`).
//!
//! The layers are faster than burn's, one after the other, for these reasons:
//!
//! - Winograd's convolution takes a quarter of the multiplications.
//! - The map between convolution and pooling, the largest of a block, never leaves the cache.
//! - The gradient of the weights is a matrix product. burn computes it as a convolution whose
//!   kernel is the whole image, which takes twice the time of the forward pass.
//! - Batch norm reads the maps five times in a training step. burn composes it of about twenty passes.
//! - The tanh of attention is vectorized. burn calls the C library for each value.
//! - On x86-64, their loops run with the widest SIMD instructions of the machine (`dispatch`).
//!
//! This crate knows neither burn nor the network. `captcha-model` makes operations on tensors of
//! it.

mod additive_attention;
#[cfg(feature = "threads")]
mod batch_norm;
mod conv_relu_pool;
mod dispatch;
mod matmul;
mod matrix;
mod resize;

pub use additive_attention::AdditiveAttention;
#[cfg(feature = "threads")]
pub use additive_attention::AdditiveAttentionGradients;
#[cfg(feature = "threads")]
pub use batch_norm::{BatchNormGradients, BatchNormOutput, BatchNormTrain};
#[cfg(feature = "threads")]
pub use conv_relu_pool::ConvReluPoolGradients;
pub use conv_relu_pool::{BatchNorm, ConvReluPool};
pub use resize::{ResizeError, resize_rgb};
