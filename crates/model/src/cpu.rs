//! The arithmetic of blocks and attention on the CPU, by a kernel of our own. The values are those of
//! burn's layers; tests hold the two together.

use std::borrow::Cow;
use std::sync::OnceLock;

use burn::backend::Flex;
use burn::backend::flex::FlexTensor;
use burn::tensor::{DType, Tensor, TensorData};
use captcha_kernel::{Layer, Scores};

use crate::attention::{Attention, Memory};
use crate::encoder::{ConvBlock, Encoder};

/// The weights of an encoder's blocks as the kernel takes them, prepared by the first reading: for
/// an encoder that is not trained any more, and inputs that are all of one size.
#[derive(Debug)]
pub(crate) struct Kernels(Vec<OnceLock<Vec<f32>>>);

impl Kernels {
    pub(crate) fn new(encoder: &Encoder) -> Self {
        Self(encoder.blocks.iter().map(|_| OnceLock::new()).collect())
    }

    /// As [`Encoder::forward`].
    pub(crate) fn forward(&self, encoder: &Encoder, images: Tensor<4>) -> Tensor<3> {
        let mut kernels = self.0.iter();
        let activate = |block: &ConvBlock, x| {
            activate(block, &x, kernels.next()).unwrap_or_else(|| block.activate_by_layers(x))
        };
        encoder.forward_by(activate, images)
    }
}

/// As [`ConvBlock::activate`], or `None` where the tensor is not on the CPU, in single precision,
/// or takes part in training. The prepared weights are kept in `kernel`, if there is one.
pub(crate) fn activate(
    block: &ConvBlock,
    x: &Tensor<4>,
    kernel: Option<&OnceLock<Vec<f32>>>,
) -> Option<Tensor<4>> {
    let bias = block.conv.bias.as_ref()?.val();
    let weight = block.conv.weight.val();
    if [x.dtype(), weight.dtype(), bias.dtype()] != [DType::F32; 3] {
        return None;
    }
    let layer = layer(block, x.dims());
    let (x, weight, bias) = (
        contiguous(x.clone())?,
        contiguous(weight)?,
        contiguous(bias)?,
    );
    let weight = match kernel {
        Some(kernel) => {
            let prepared = kernel.get_or_init(|| layer.prepare(weight.storage()).into_owned());
            Cow::Borrowed(prepared.as_slice())
        }
        None => layer.prepare(weight.storage()),
    };
    let (output, _) = layer.forward(x.storage(), &weight, bias.storage());
    let [rows, cols] = layer.output();
    Some(tensor(output, [layer.batch, layer.filters, rows, cols]))
}

/// As [`Encoder::squares`], or `None` where [`activate`] has none.
pub(crate) fn unshuffle(images: &Tensor<4>, side: usize) -> Option<Tensor<4>> {
    let [batch, channels, height, width] = images.dims();
    if images.dtype() != DType::F32 {
        return None;
    }
    let images = contiguous(images.clone())?;
    let squares = captcha_kernel::unshuffle(images.storage(), [height, width], side);
    let channels = channels * side * side;
    Some(tensor(
        squares,
        [batch, channels, height / side, width / side],
    ))
}

/// As [`Attention::scores`], or `None` where [`activate`] has none.
pub(crate) fn scores(
    attention: &Attention,
    memory: &Memory,
    query: &Tensor<2>,
) -> Option<Tensor<2>> {
    let v = attention.score.weight.val();
    if [memory.keys.dtype(), query.dtype(), v.dtype()] != [DType::F32; 3] {
        return None;
    }
    let scores = score_sizes(memory, query)?;
    let (keys, query, v) = (
        contiguous(memory.keys.clone())?,
        contiguous(query.clone())?,
        contiguous(v)?,
    );
    let values = scores.forward(keys.storage(), query.storage(), v.storage());
    let values: Tensor<2> = tensor(values, [scores.batch, scores.positions]);
    Some(match &attention.score.bias {
        Some(bias) => values + bias.val().unsqueeze(),
        None => values,
    })
}

/// The sizes of a look with queries of `[batch, size]`: one of each image, or any number of one.
pub fn score_sizes(memory: &Memory, query: &Tensor<2>) -> Option<Scores> {
    let ([images, positions, size], [batch, _]) = (memory.keys.dims(), query.dims());
    (images == batch || images == 1).then_some(Scores {
        batch,
        positions,
        size,
        shared: images != batch,
    })
}

/// A block's sizes for an input of `[batch, channels, height, width]`.
pub fn layer(block: &ConvBlock, [batch, channels, height, width]: [usize; 4]) -> Layer {
    let [filters, ..] = block.conv.weight.dims();
    Layer {
        batch,
        channels,
        height,
        width,
        filters,
        padding: usize::from(block.padded()),
        window: if block.pools_first() {
            block.window()
        } else {
            [1, 1]
        },
    }
}

fn contiguous<const D: usize>(tensor: Tensor<D>) -> Option<FlexTensor> {
    let tensor = tensor.try_into_primitive::<Flex>().ok()?;
    Some(tensor.to_contiguous())
}

fn tensor<const D: usize>(values: Vec<f32>, shape: [usize; D]) -> Tensor<D> {
    Tensor::from_primitive::<Flex>(FlexTensor::from_data(TensorData::new(values, shape)))
}
