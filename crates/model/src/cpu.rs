//! A block's arithmetic on the CPU, by a kernel of our own. The values are those of burn's layers; a
//! test holds the two together.

use std::borrow::Cow;
use std::sync::OnceLock;

use burn::backend::Flex;
use burn::backend::flex::FlexTensor;
use burn::tensor::{DType, Tensor, TensorData};
use captcha_kernel::Layer;

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
    let shape = [layer.batch, layer.filters, rows, cols];
    let output = FlexTensor::from_data(TensorData::new(output, shape));
    Some(Tensor::from_primitive::<Flex>(output))
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
