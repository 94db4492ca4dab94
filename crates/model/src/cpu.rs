//! The CPU kernels of `captcha-kernel` as operations on burn's tensors.
//!
//! Each gives what burn's layers give, or `None` where it does not apply: on another device, in
//! another precision. With the feature `autodiff`, tensors that take part in training are taken
//! too.

use burn::tensor::{DType, Tensor};
#[cfg(feature = "autodiff")]
use captcha_kernel::BatchNormTrain;
use captcha_kernel::{AdditiveAttention, BatchNorm, ConvReluPool};

#[cfg(feature = "autodiff")]
mod autodiff;
mod tensor;

use tensor::{contiguous, tensor};

/// 3x3 convolution, max-pooling with a window of `[rows, cols]`, ReLU.
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
) -> Option<Tensor<4>> {
    if [x.dtype(), weight.dtype(), bias.dtype()] != [DType::F32; 3] {
        return None;
    }
    let [filters, ..] = weight.dims();
    let op = operation(x, filters, padding, window);
    #[cfg(feature = "autodiff")]
    if let Some(output) = autodiff::conv_relu_pool(op, x, weight, bias) {
        return Some(output);
    }
    let (x, weight, bias) = (contiguous(x)?, contiguous(weight)?, contiguous(bias)?);
    let weight = op.pack(weight.storage());
    let output = op.forward(x.storage(), &weight, bias.storage(), None);
    let [rows, cols] = op.output();
    Some(tensor(output, [op.batch, filters, rows, cols]))
}

fn operation(x: &Tensor<4>, filters: usize, padding: usize, window: [usize; 2]) -> ConvReluPool {
    let [batch, channels, height, width] = x.dims();
    ConvReluPool {
        batch,
        channels,
        height,
        width,
        filters,
        padding,
        window,
    }
}

/// The weights of a block that no longer change, in the kernel's layout.
#[derive(Clone, Debug)]
pub(crate) struct PackedBlock {
    weight: Vec<f32>,
    bias: Vec<f32>,
    /// Factors and summands of batch norm, if the block has it.
    norm: Option<[Vec<f32>; 2]>,
}

impl PackedBlock {
    /// Packs the weights of a block; the shapes are those of [`conv_relu_pool`]. `norm` has the
    /// factors and the summands of batch norm.
    pub(crate) fn new(
        weight: &Tensor<4>,
        bias: &Tensor<1>,
        norm: Option<[Tensor<1>; 2]>,
    ) -> Option<Self> {
        let norm = norm.as_ref();
        let norms = norm.into_iter().flatten().map(Tensor::dtype);
        if [weight.dtype(), bias.dtype()]
            .into_iter()
            .chain(norms)
            .any(|dtype| dtype != DType::F32)
        {
            return None;
        }
        let [filters, channels, ..] = weight.dims();
        let op = ConvReluPool {
            batch: 0,
            channels,
            height: 0,
            width: 0,
            filters,
            padding: 0,
            window: [1, 1],
        };
        let values = |tensor: &Tensor<1>| Some(contiguous(tensor)?.storage::<f32>().to_vec());
        Some(Self {
            weight: op.pack(contiguous(weight)?.storage()),
            bias: values(bias)?,
            norm: match norm {
                Some([factors, summands]) => Some([values(factors)?, values(summands)?]),
                None => None,
            },
        })
    }

    /// Convolution, max-pooling, ReLU and batch norm.
    pub(crate) fn forward(
        &self,
        x: &Tensor<4>,
        padding: usize,
        window: [usize; 2],
    ) -> Option<Tensor<4>> {
        if x.dtype() != DType::F32 {
            return None;
        }
        let op = operation(x, self.bias.len(), padding, window);
        let norm = self
            .norm
            .as_ref()
            .map(|[factors, summands]| BatchNorm { factors, summands });
        let output = op.forward(contiguous(x)?.storage(), &self.weight, &self.bias, norm);
        let [rows, cols] = op.output();
        Some(tensor(output, [op.batch, op.filters, rows, cols]))
    }
}

/// Batch norm in training, with the statistics of the batch: the output and the mean and variance of
/// each channel, not corrected for its bias.
///
/// # Shapes
///
/// - `x` and output: `[batch, channels, height, width]`
/// - `gamma`, `beta`, mean, variance: `[channels]`
#[cfg(feature = "autodiff")]
pub(crate) fn batch_norm_train(
    x: &Tensor<4>,
    gamma: &Tensor<1>,
    beta: &Tensor<1>,
    epsilon: f64,
) -> Option<(Tensor<4>, [Tensor<1>; 2])> {
    if [x.dtype(), gamma.dtype(), beta.dtype()] != [DType::F32; 3] {
        return None;
    }
    let [batch, channels, height, width] = x.dims();
    let op = BatchNormTrain {
        batch,
        channels,
        size: height * width,
        epsilon: epsilon as f32,
    };
    autodiff::batch_norm(op, x, gamma, beta)
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

#[cfg(all(test, feature = "autodiff"))]
mod tests {
    use burn::tensor::{Device, Tensor};

    use super::batch_norm_train;

    #[test]
    fn batch_norm_takes_only_tensors_that_take_part_in_training() {
        for (device, is_taken) in [(Device::flex().autodiff(), true), (Device::flex(), false)] {
            let x = Tensor::<4>::ones([1, 2, 3, 4], &device);
            let channels = Tensor::<1>::ones([2], &device);
            let result = batch_norm_train(&x, &channels, &channels, 1e-3);
            assert_eq!(result.is_some(), is_taken);
        }
    }
}
