//! A block's arithmetic on the CPU, by a kernel of our own. The values are those of burn's layers; a
//! test holds the two together.

use burn::backend::Flex;
use burn::backend::flex::FlexTensor;
use burn::tensor::{DType, Tensor, TensorData};
use captcha_kernel::Layer;

use crate::encoder::ConvBlock;

/// As [`ConvBlock::activate`], or `None` where the tensor is not on the CPU, in single precision,
/// or takes part in training.
pub(crate) fn activate(block: &ConvBlock, x: &Tensor<4>) -> Option<Tensor<4>> {
    let bias = block.conv.bias.as_ref()?.val();
    let weight = block.conv.weight.val();
    if [x.dtype(), weight.dtype(), bias.dtype()] != [DType::F32; 3] {
        return None;
    }
    let layer = layer(block, x.dims());
    let x = contiguous(x.clone())?;
    let (output, _) = layer.forward(
        x.storage(),
        contiguous(weight)?.storage(),
        contiguous(bias)?.storage(),
    );
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
