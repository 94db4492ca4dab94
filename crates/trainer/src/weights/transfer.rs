//! A larger network that answers as a smaller one does, to go on training from it (after Net2Net:
//! Chen, Goodfellow and Shlens 2016, "Accelerating Learning via Knowledge Transfer").

use anyhow::{Result, bail};
use burn::module::{Param, RunningState};
use burn::nn::conv::Conv2d;
use burn::nn::{BatchNorm, Linear};
use burn::tensor::{Device, Tensor};
use captcha_model::ModelConfig;
use captcha_model::config::BlockConfig;
use captcha_model::encoder::Encoder;
use captcha_model::weights::{Precision, Weights, save};

/// The weights of a network of configuration `config` that computes what `small` computes.
///
/// Filters may be added to any block, and blocks behind any. A new filter starts at random, with a
/// weight of zero in whatever reads it; a new block hands on what it is given.
///
/// An input so many times as wide and high, in squares of which the first block sees the mean, shows
/// the same, but for how the two are resampled.
///
/// Pooling may leave the columns alone where it took them together. Such a network does not answer
/// the same, as the blocks behind see half as far: it starts from what `small` has learnt, no more.
///
/// # Errors
///
/// If `config` is not `small`'s with wider or more blocks.
pub fn grow(small: &Weights, config: &ModelConfig) -> Result<Weights> {
    let Some(origins) = origins(&small.config, config) else {
        bail!(
            "these weights belong to another network than the preset's, which cannot grow from them: \
             that takes blocks as wide or wider, new ones behind them (padded, with batch norm, \
             without pooling), a pooling that leaves the columns alone, and all else as it is"
        );
    };
    let device = Device::flex();
    let (from, mut network) = (small.network(&device)?, config.init(&device)?);
    let side = config.encoder.unshuffle / small.config.encoder.unshuffle;
    grow_encoder(from.encoder, &mut network.encoder, &origins, side);
    network.decoder = from.decoder;
    let bytes = save(&network, config, &small.training, Precision::Full)?;
    Ok(Weights::from_bytes(bytes)?.with_temperature(small.temperature)?)
}

/// How a block of the larger network comes about.
enum Origin {
    /// From the small network's next block.
    Grown,
    /// Anew, to hand on so many channels.
    New(usize),
}

/// For each block of `to` where it comes from, if `to` can grow from `from` at all.
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
            origins.push(Origin::Grown);
        } else {
            // What it is to hand on is behind a ReLU already, whose repetition changes nothing.
            let old = before.filter(|old| !old.pool || from.encoder.pool_first)?;
            let hands_on =
                block.padded && block.norm && !block.pool && block.filters >= old.filters;
            origins.push(hands_on.then_some(Origin::New(old.filters))?);
        }
    }
    small.next().is_none().then_some(origins)
}

fn widens(old: &BlockConfig, new: &BlockConfig) -> bool {
    let kind = |block: &BlockConfig| (block.padded, block.norm, block.pool);
    let finer = old.pool_cols || !new.pool_cols;
    kind(old) == kind(new) && finer && old.filters <= new.filters
}

fn grow_encoder(small: Encoder, large: &mut Encoder, origins: &[Origin], mut side: usize) {
    let mut blocks = small.blocks.into_iter();
    let mut norms: Vec<Option<BatchNorm>> = Vec::new();
    for (block, origin) in large.blocks.iter_mut().zip(origins) {
        match origin {
            Origin::Grown => {
                if let Some(small) = blocks.next() {
                    place(&mut block.conv, small.conv, side);
                    norms.push(small.norm);
                }
                side = 1;
            }
            // Not normed yet: the batch norm of the block before moves behind this one.
            Origin::New(channels) => {
                hand_on(&mut block.conv, *channels);
                let norm = norms.last_mut().and_then(Option::take);
                norms.push(norm);
            }
        }
    }
    for (block, small) in large.blocks.iter_mut().zip(norms) {
        match (&mut block.norm, small) {
            (Some(large), Some(small)) => take_over(large, &small),
            (Some(large), None) => change_nothing(large),
            (None, _) => (),
        }
    }
    start_with_rows(&mut large.dense, small.dense);
}

/// Puts the small convolution's weights where the large one's belong to the same filters and
/// channels; what the small one's filters see of new channels weighs nothing.
fn place(large: &mut Conv2d, small: Conv2d, side: usize) {
    place_kernel(&mut large.weight, shared(small.weight.val(), side));
    if let (Some(large), Some(small)) = (&mut large.bias, small.bias) {
        start_with(large, small.val());
    }
}

/// A kernel that sees the mean over squares of pixels of this side, each its channel, as `kernel`
/// sees one pixel.
fn shared(kernel: Tensor<4>, side: usize) -> Tensor<4> {
    let ([filters, channels, rows, cols], pixels) = (kernel.dims(), side * side);
    kernel
        .div_scalar(pixels as f32)
        .reshape([filters, channels, 1, rows, cols])
        .repeat_dim(2, pixels)
        .reshape([filters, channels * pixels, rows, cols])
}

/// Makes the first filters answer with their own channel.
fn hand_on(conv: &mut Conv2d, filters: usize) {
    let device = Device::flex();
    let centre = Tensor::<2>::eye(filters, &device).reshape([filters, filters, 1, 1]);
    let kernel = Tensor::zeros([filters, filters, 3, 3], &device)
        .slice_assign([0..filters, 0..filters, 1..2, 1..2], centre);
    place_kernel(&mut conv.weight, kernel);
    if let Some(bias) = &mut conv.bias {
        start_with(bias, Tensor::zeros([filters], &device));
    }
}

fn place_kernel(large: &mut Param<Tensor<4>>, small: Tensor<4>) {
    let [filters, channels, height, width] = small.dims();
    replace(large, |large| {
        let nothing = large.clone().slice(0..filters).zeros_like();
        large
            .slice_assign(0..filters, nothing)
            .slice_assign([0..filters, 0..channels, 0..height, 0..width], small)
    });
}

fn start_with_rows(large: &mut Linear, small: Linear) {
    let [inputs, outputs] = small.weight.dims();
    replace(&mut large.weight, |weight| {
        weight
            .zeros_like()
            .slice_assign([0..inputs, 0..outputs], small.weight.val())
    });
    large.bias = small.bias;
}

fn take_over(large: &mut BatchNorm, small: &BatchNorm) {
    start_with(&mut large.gamma, small.gamma.val());
    start_with(&mut large.beta, small.beta.val());
    for (large, small) in [
        (&mut large.running_mean, &small.running_mean),
        (&mut large.running_var, &small.running_var),
    ] {
        let small = small.value();
        let [size] = small.dims();
        *large = RunningState::new(large.value().slice_assign(0..size, small));
    }
}

/// Statistics by which a batch norm's output is its input.
fn change_nothing(norm: &mut BatchNorm) {
    let variance = norm.running_var.value().full_like(1.0 - norm.epsilon);
    norm.running_var = RunningState::new(variance);
}

fn start_with(large: &mut Param<Tensor<1>>, small: Tensor<1>) {
    let [size] = small.dims();
    replace(large, |large| large.slice_assign(0..size, small));
}

fn replace<const D: usize>(
    parameter: &mut Param<Tensor<D>>,
    with: impl FnOnce(Tensor<D>) -> Tensor<D>,
) {
    *parameter = Param::from_tensor(with(parameter.val()));
}
