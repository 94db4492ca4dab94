//! Transfer of weights to a larger network that computes the same function, as a start for training
//! (after Net2Net: Chen, Goodfellow and Shlens 2016, "Accelerating Learning via Knowledge
//! Transfer").

use anyhow::{Result, bail};
use burn::module::{Param, RunningState};
use burn::nn::conv::Conv2d;
use burn::nn::{BatchNorm, Linear};
use burn::tensor::{Device, Tensor};
use captcha_model::ModelConfig;
use captcha_model::config::BlockConfig;
use captcha_model::encoder::Encoder;
use captcha_model::weights::{Precision, Weights, save};

/// Weights of a network with configuration `config` that computes the same as `small`.
///
/// Any block may get more filters, and new blocks may follow any block. A new filter is random, and
/// all layers that read it have zero weights for it; a new block computes the identity.
///
/// The input may be a multiple as wide and high, with pixel unshuffle of this factor: the first
/// block then sees the mean over each square. Only the resampling of images differs.
///
/// Pooling may keep columns that it merged before. Such a network does not compute the same,
/// because the following blocks see half as far; it only starts with the weights of `small`.
///
/// # Errors
///
/// If `config` is not that of `small` with wider or more blocks.
pub fn widen_and_deepen(small: &Weights, config: &ModelConfig) -> Result<Weights> {
    let Some(origins) = origins(&small.config, config) else {
        bail!(
            "these weights belong to another network and cannot start this one. Blocks may have more \
             filters. New blocks may follow if they are padded, have batch norm and do not pool. \
             Pooling may keep the columns. The input may be n times as high and wide, with \
             `unshuffle` n"
        );
    };
    let device = Device::flex();
    let (from, mut network) = (small.network(&device)?, config.init(&device)?);
    let side = config.encoder.unshuffle / small.config.encoder.unshuffle;
    enlarge_encoder(from.encoder, &mut network.encoder, &origins, side);
    network.decoder = from.decoder;
    let bytes = save(&network, config, &small.training, Precision::Full)?;
    Ok(Weights::from_bytes(bytes)?.with_temperature(small.temperature)?)
}

/// The origin of a block of the larger network.
enum Origin {
    /// The small network's next block, possibly widened.
    Widened,
    /// A new block that computes the identity of this number of channels.
    Identity(usize),
}

/// The origin of each block of `to`; `None` if `from` cannot be transferred to it.
fn origins(from: &ModelConfig, to: &ModelConfig) -> Option<Vec<Origin>> {
    let mut same_blocks = to.clone();
    same_blocks.encoder.blocks = from.encoder.blocks.clone();
    let side = to.encoder.unshuffle;
    if from.encoder.unshuffle == 1
        && (to.input.height, to.input.width) == (side * from.input.height, side * from.input.width)
    {
        same_blocks.encoder.unshuffle = 1;
        same_blocks.input = from.input.clone();
        same_blocks.input.resampling = to.input.resampling;
        same_blocks.input.inverted = to.input.inverted;
    }
    if same_blocks != *from {
        return None;
    }
    let mut small = from.encoder.blocks.iter().peekable();
    let mut before: Option<&BlockConfig> = None;
    let mut origins = Vec::new();
    for block in &to.encoder.blocks {
        if let Some(old) = small.next_if(|old| widens(old, block)) {
            before = Some(old);
            origins.push(Origin::Widened);
        } else {
            // The input has passed a ReLU, and another one does not change it.
            let old = before.filter(|old| !old.pool || from.encoder.pool_first)?;
            let can_be_identity =
                block.padded && block.norm && !block.pool && block.filters >= old.filters;
            origins.push(can_be_identity.then_some(Origin::Identity(old.filters))?);
        }
    }
    small.next().is_none().then_some(origins)
}

fn widens(old: &BlockConfig, new: &BlockConfig) -> bool {
    let kind = |block: &BlockConfig| (block.padded, block.norm, block.pool);
    let finer = old.pool_cols || !new.pool_cols;
    kind(old) == kind(new) && finer && old.filters <= new.filters
}

fn enlarge_encoder(small: Encoder, large: &mut Encoder, origins: &[Origin], mut side: usize) {
    let mut blocks = small.blocks.into_iter();
    let mut norms: Vec<Option<BatchNorm>> = Vec::new();
    for (block, origin) in large.blocks.iter_mut().zip(origins) {
        match origin {
            Origin::Widened => {
                if let Some(small) = blocks.next() {
                    embed_conv(&mut block.conv, small.conv, side);
                    norms.push(small.norm);
                }
                side = 1;
            }
            // The batch norm of the previous block moves behind this block.
            Origin::Identity(channels) => {
                set_identity_kernel(&mut block.conv, *channels);
                let norm = norms.last_mut().and_then(Option::take);
                norms.push(norm);
            }
        }
    }
    for (block, small) in large.blocks.iter_mut().zip(norms) {
        match (&mut block.norm, small) {
            (Some(large), Some(small)) => copy_batch_norm(large, &small),
            (Some(large), None) => set_identity_batch_norm(large),
            (None, _) => (),
        }
    }
    assign_first_rows(&mut large.dense, small.dense);
}

/// Copies a convolution into the first filters and channels of a larger one. These filters have
/// zero weights for the other channels.
fn embed_conv(large: &mut Conv2d, small: Conv2d, side: usize) {
    embed_kernel(
        &mut large.weight,
        repeat_over_pixels(small.weight.val(), side),
    );
    if let (Some(large), Some(small)) = (&mut large.bias, small.bias) {
        assign_first(large, small.val());
    }
}

/// A kernel for an input after pixel unshuffle by `side`: it sees the mean over a square's pixels,
/// which are channels, like `kernel` sees one pixel.
fn repeat_over_pixels(kernel: Tensor<4>, side: usize) -> Tensor<4> {
    let ([filters, channels, rows, cols], pixels) = (kernel.dims(), side * side);
    kernel
        .div_scalar(pixels as f32)
        .reshape([filters, channels, 1, rows, cols])
        .repeat_dim(2, pixels)
        .reshape([filters, channels * pixels, rows, cols])
}

/// Makes each of the first filters compute the identity of its channel.
fn set_identity_kernel(conv: &mut Conv2d, filters: usize) {
    let device = Device::flex();
    let centre = Tensor::<2>::eye(filters, &device).reshape([filters, filters, 1, 1]);
    let kernel = Tensor::zeros([filters, filters, 3, 3], &device)
        .slice_assign([0..filters, 0..filters, 1..2, 1..2], centre);
    embed_kernel(&mut conv.weight, kernel);
    if let Some(bias) = &mut conv.bias {
        assign_first(bias, Tensor::zeros([filters], &device));
    }
}

fn embed_kernel(large: &mut Param<Tensor<4>>, small: Tensor<4>) {
    let [filters, channels, height, width] = small.dims();
    replace(large, |large| {
        let zeros = large.clone().slice(0..filters).zeros_like();
        large
            .slice_assign(0..filters, zeros)
            .slice_assign([0..filters, 0..channels, 0..height, 0..width], small)
    });
}

fn assign_first_rows(large: &mut Linear, small: Linear) {
    let [inputs, outputs] = small.weight.dims();
    replace(&mut large.weight, |weight| {
        weight
            .zeros_like()
            .slice_assign([0..inputs, 0..outputs], small.weight.val())
    });
    large.bias = small.bias;
}

fn copy_batch_norm(large: &mut BatchNorm, small: &BatchNorm) {
    assign_first(&mut large.gamma, small.gamma.val());
    assign_first(&mut large.beta, small.beta.val());
    for (large, small) in [
        (&mut large.running_mean, &small.running_mean),
        (&mut large.running_var, &small.running_var),
    ] {
        let small = small.value();
        let [size] = small.dims();
        *large = RunningState::new(large.value().slice_assign(0..size, small));
    }
}

/// Sets statistics with which batch norm computes the identity.
fn set_identity_batch_norm(norm: &mut BatchNorm) {
    let variance = norm.running_var.value().full_like(1.0 - norm.epsilon);
    norm.running_var = RunningState::new(variance);
}

fn assign_first(large: &mut Param<Tensor<1>>, small: Tensor<1>) {
    let [size] = small.dims();
    replace(large, |large| large.slice_assign(0..size, small));
}

fn replace<const D: usize>(
    parameter: &mut Param<Tensor<D>>,
    with: impl FnOnce(Tensor<D>) -> Tensor<D>,
) {
    *parameter = Param::from_tensor(with(parameter.val()));
}
