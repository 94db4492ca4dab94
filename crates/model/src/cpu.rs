//! The CPU kernels of `captcha-kernel` as operations on burn's tensors.
//!
//! Each gives what burn's layers give, or `None` where it does not apply: on another device, in
//! another precision. With the feature `autodiff`, tensors that take part in training are taken
//! too.

use std::borrow::Cow;
use std::sync::OnceLock;

use burn::tensor::{DType, Tensor};
use captcha_kernel::{AdditiveAttention, ConvReluPool};

#[cfg(feature = "autodiff")]
mod autodiff;
mod tensor;

use tensor::{contiguous, tensor};

/// 3x3 convolution, max-pooling with a window of `[rows, cols]`, ReLU.
///
/// With `packed`, weights whose layout depends on the kernel's algorithm are converted once and kept
/// there. The weights must then stay the same; the input's size may change.
///
/// # Shapes
///
/// - `x`: `[batch, channels, height, width]`
/// - `weight`: `[filters, channels, 3, 3]`
/// - `bias`: `[filters]`
pub(crate) fn conv_relu_pool(
    x: &Tensor<4>,
    weight: &Tensor<4>,
    bias: &Tensor<1>,
    padding: usize,
    window: [usize; 2],
    packed: Option<&OnceLock<Vec<f32>>>,
) -> Option<Tensor<4>> {
    if [x.dtype(), weight.dtype(), bias.dtype()] != [DType::F32; 3] {
        return None;
    }
    let [batch, channels, height, width] = x.dims();
    let [filters, ..] = weight.dims();
    let op = ConvReluPool {
        batch,
        channels,
        height,
        width,
        filters,
        padding,
        window,
    };
    #[cfg(feature = "autodiff")]
    if let Some(output) = autodiff::conv_relu_pool(op, x, weight, bias) {
        return Some(output);
    }
    let (x, weight, bias) = (contiguous(x)?, contiguous(weight)?, contiguous(bias)?);
    let weight = match packed {
        // Only Winograd's convolution needs another layout. An input of another size may not use it.
        Some(packed) if op.packs() => {
            let packed = packed.get_or_init(|| op.pack(weight.storage()).into_owned());
            Cow::Borrowed(packed.as_slice())
        }
        _ => op.pack(weight.storage()),
    };
    let output = op.forward(x.storage(), &weight, bias.storage());
    let [rows, cols] = op.output();
    Some(tensor(output, [batch, filters, rows, cols]))
}

/// The scores of additive attention, `tanh(keys + query) v`.
///
/// # Shapes
///
/// - `keys`: `[batch, positions, size]`, or `[1, positions, size]` for all queries
/// - `queries`: `[batch, size]`
/// - `v`: `[size, 1]`
/// - output: `[batch, positions]`
pub(crate) fn additive_scores(
    keys: &Tensor<3>,
    queries: &Tensor<2>,
    v: &Tensor<2>,
) -> Option<Tensor<2>> {
    if [keys.dtype(), queries.dtype(), v.dtype()] != [DType::F32; 3] {
        return None;
    }
    let ([images, positions, size], [batch, _]) = (keys.dims(), queries.dims());
    if images != batch && images != 1 {
        return None;
    }
    let op = AdditiveAttention {
        batch,
        positions,
        size,
        shared_keys: images != batch,
    };
    #[cfg(feature = "autodiff")]
    if let Some(scores) = autodiff::additive_scores(op, keys, queries, v) {
        return Some(scores);
    }
    let (keys, queries, v) = (contiguous(keys)?, contiguous(queries)?, contiguous(v)?);
    let scores = op.forward(keys.storage(), queries.storage(), v.storage());
    Some(tensor(scores, [batch, positions]))
}
