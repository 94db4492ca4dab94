//! GPU kernels for inference, as CubeCL kernels on plain buffers of `f32`: the blocks of the
//! encoder, dense layers, and all steps of the decoder in one dispatch.
//!
//! They keep to the limits that every WebGPU device has: 256 invocations and 16 KB of memory in a
//! workgroup, and eight storage buffers.

#![allow(clippy::needless_range_loop, reason = "kernels loop over ranges only")]

mod conv_block;
mod decoder;
mod dense;
mod four;

pub use conv_block::ConvBlock;
pub use decoder::{Decoder, Search};
pub use dense::Dense;
