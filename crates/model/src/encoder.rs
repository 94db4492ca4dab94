//! From an image to a grid of feature vectors (paper, "Encoder").

use std::sync::OnceLock;

use burn::module::{Module, Param};
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use burn::nn::{
    BatchNorm, BatchNormConfig, Dropout, DropoutConfig, Initializer, Linear, LinearConfig,
    PaddingConfig2d,
};
use burn::tensor::{Device, Tensor, activation::relu};

use crate::config::{BlockConfig, EncoderConfig, Grid};
#[cfg(feature = "flex")]
use crate::cpu::PackedBlock;
use crate::dense::dense;
use crate::position::{ENCODING, encoding};

#[cfg(not(feature = "flex"))]
type PackedBlock = ();

/// Keras' default.
const NORM_EPSILON: f64 = 1e-3;

/// Convolution blocks, and a dense layer that is applied at each position of the grid.
#[derive(Module, Debug)]
pub struct Encoder {
    /// The convolution blocks, first to last.
    pub blocks: Vec<ConvBlock>,
    /// Dropout after the last block.
    pub dropout: Dropout,
    /// The dense layer at each position.
    pub dense: Linear,
    /// The projection of each position's place, if the network has it.
    pub positions: Option<Linear>,
}

/// 3x3 convolution, ReLU, batch norm, max-pooling in the paper's order, or with the pooling
/// directly after the convolution.
#[derive(Module, Debug)]
pub struct ConvBlock {
    /// The convolution.
    pub conv: Conv2d,
    /// Batch norm, if the block has it.
    pub norm: Option<BatchNorm>,
    /// Max-pooling, if the block has it.
    pub pool: Option<MaxPool2d>,
    pool_first: bool,
    /// The block's weights in the layout of the CPU kernel; see [`Encoder::pack_weights`].
    #[module(skip)]
    packed: Option<OnceLock<Option<PackedBlock>>>,
}

impl EncoderConfig {
    /// A new encoder, initialized as in Keras: he-uniform convolutions, glorot-uniform dense layer,
    /// zero biases.
    pub fn init(&self, device: &Device) -> Encoder {
        let inputs =
            std::iter::once(self.channels()).chain(self.blocks.iter().map(|block| block.filters));
        let blocks: Vec<ConvBlock> = self
            .blocks
            .iter()
            .zip(inputs)
            .map(|(block, channels)| self.block(block, channels, device))
            .collect();
        let channels = self
            .blocks
            .last()
            .map_or(self.channels(), |block| block.filters);
        Encoder {
            blocks,
            dropout: DropoutConfig::new(self.dropout).init(),
            dense: dense(channels, self.features, device),
            positions: self.positions.then(|| self.position_projection(device)),
        }
    }

    /// A new projection of the cells' places. It starts with zeros, so that a network to which it is
    /// added computes the same.
    pub fn position_projection(&self, device: &Device) -> Linear {
        LinearConfig::new(ENCODING, self.features)
            .with_bias(false)
            .with_initializer(Initializer::Zeros)
            .init(device)
    }

    /// A new block whose input has `channels` channels.
    fn block(&self, block: &BlockConfig, channels: usize, device: &Device) -> ConvBlock {
        let padding = if block.padded {
            PaddingConfig2d::Same
        } else {
            PaddingConfig2d::Valid
        };
        let mut conv = Conv2dConfig::new([channels, block.filters], [3, 3])
            .with_padding(padding)
            .with_initializer(Initializer::KaimingUniform {
                gain: std::f64::consts::SQRT_2,
                fan_out_only: false,
            })
            .init(device);
        conv.bias = Some(Param::from_tensor(Tensor::zeros([block.filters], device)));
        ConvBlock {
            conv,
            norm: block.norm.then(|| {
                BatchNormConfig::new(block.filters)
                    .with_momentum(self.norm_momentum)
                    .with_epsilon(NORM_EPSILON)
                    .init(device)
            }),
            pool: block.pool.then(|| {
                MaxPool2dConfig::new(block.window())
                    .with_strides(block.window())
                    .init()
            }),
            pool_first: self.pool_first,
            packed: None,
        }
    }
}

impl Encoder {
    /// Computes the features of images.
    ///
    /// # Shapes
    ///
    /// - `images`: `[batch, channels, height, width]`, preprocessed, values 0..1; see
    ///   [`ModelConfig::input_shape`](crate::ModelConfig::input_shape)
    /// - output: `[batch, rows * cols, features]`, the grid row by row
    pub fn forward(&self, images: Tensor<4>) -> Tensor<3> {
        let maps = self.blocks.iter().fold(images, |x, block| block.forward(x));
        self.project(maps)
    }

    /// Dropout and the dense layer at each position of the last block's maps.
    ///
    /// # Shapes
    ///
    /// - `maps`: `[batch, channels, rows, cols]`
    /// - output: `[batch, rows * cols, features]`
    pub fn project(&self, maps: Tensor<4>) -> Tensor<3> {
        let maps = self.dropout.forward(maps);
        let [batch, channels, rows, cols] = maps.dims();
        let positions = maps.reshape([batch, channels, rows * cols]).swap_dims(1, 2);
        let features = relu(self.dense.forward(positions));
        match &self.positions {
            Some(projection) => {
                let places = encoding(Grid { rows, cols }, &features.device());
                features + projection.forward(places).unsqueeze()
            }
            None => features,
        }
    }

    /// Makes the next [`Encoder::forward`] on the CPU keep each block's weights in the kernel's
    /// layout, so that later ones take less time. The weights must not change afterwards.
    pub(crate) fn pack_weights(&mut self) {
        for block in &mut self.blocks {
            block.packed = Some(OnceLock::new());
        }
    }
}

impl ConvBlock {
    /// Computes the block's maps.
    ///
    /// # Shapes
    ///
    /// - `x`: `[batch, channels, height, width]`
    /// - output: `[batch, filters, height', width']`: two less without padding, then pooled
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        #[cfg(feature = "flex")]
        if let Some(output) = self.packed_forward(&x) {
            return if self.pools_first() {
                output
            } else {
                self.pool(output)
            };
        }
        self.norm_pool(self.conv_relu_pool(x))
    }

    /// The whole block but pooling that comes last, by the CPU kernel, if the weights may be packed.
    #[cfg(feature = "flex")]
    fn packed_forward(&self, x: &Tensor<4>) -> Option<Tensor<4>> {
        let pack = || {
            let bias = self.conv.bias.as_ref()?.val();
            PackedBlock::new(&self.conv.weight.val(), &bias, self.norm_factors())
        };
        let packed = self.packed.as_ref()?.get_or_init(pack).as_ref()?;
        packed.forward(x, usize::from(self.padded()), self.first_window())
    }

    /// Convolution, ReLU, and pooling if it directly follows the convolution. The CPU kernel
    /// computes it on the CPU, and [`ConvBlock::conv_relu_pool_reference`] on other devices.
    pub fn conv_relu_pool(&self, x: Tensor<4>) -> Tensor<4> {
        #[cfg(feature = "flex")]
        if let Some(bias) = &self.conv.bias {
            let output = crate::cpu::conv_relu_pool(
                &x,
                &self.conv.weight.val(),
                &bias.val(),
                usize::from(self.padded()),
                self.first_window(),
            );
            if let Some(output) = output {
                return output;
            }
        }
        self.conv_relu_pool_reference(x)
    }

    /// As [`ConvBlock::conv_relu_pool`], by burn's own layers.
    pub fn conv_relu_pool_reference(&self, x: Tensor<4>) -> Tensor<4> {
        let x = self.conv.forward(x);
        relu(if self.pools_first() { self.pool(x) } else { x })
    }

    /// What follows the ReLU: batch norm, and pooling if it comes last.
    pub fn norm_pool(&self, x: Tensor<4>) -> Tensor<4> {
        let x = match &self.norm {
            Some(norm) => batch_norm(norm, x),
            None => x,
        };
        if self.pools_first() { x } else { self.pool(x) }
    }

    /// Batch norm with its running statistics: a factor and a summand for each filter.
    pub(crate) fn norm_factors(&self) -> Option<[Tensor<1>; 2]> {
        let norm = self.norm.as_ref()?;
        let deviation = (norm.running_var.value() + norm.epsilon).sqrt();
        let factors = norm.gamma.val() / deviation;
        let summands = norm.beta.val() - norm.running_mean.value() * factors.clone();
        Some([factors, summands])
    }

    /// Whether zeros around the border keep the map's size.
    pub(crate) fn padded(&self) -> bool {
        matches!(self.conv.padding, PaddingConfig2d::Same)
    }

    /// Whether pooling directly follows the convolution.
    pub(crate) fn pools_first(&self) -> bool {
        self.pool_first && self.pool.is_some()
    }

    /// Rows and columns of the pooling window; 1x1 without pooling.
    pub(crate) fn window(&self) -> [usize; 2] {
        self.pool.as_ref().map_or([1, 1], |pool| pool.kernel_size)
    }

    /// The window of pooling that directly follows the convolution; 1x1 if none does.
    fn first_window(&self) -> [usize; 2] {
        if self.pools_first() {
            self.window()
        } else {
            [1, 1]
        }
    }

    fn pool(&self, x: Tensor<4>) -> Tensor<4> {
        match &self.pool {
            Some(pool) => pool.forward(x),
            None => x,
        }
    }
}

/// Batch norm. In training on the CPU, the CPU kernel computes it and the layer itself otherwise.
fn batch_norm(norm: &BatchNorm, x: Tensor<4>) -> Tensor<4> {
    #[cfg(feature = "autodiff")]
    if x.device().is_autodiff() && norm.training.is_enabled() {
        let (gamma, beta) = (norm.gamma.val(), norm.beta.val());
        let result = crate::cpu::batch_norm_train(&x, &gamma, &beta, norm.epsilon);
        if let Some((output, [mean, variance])) = result {
            // As the layer does.
            for (running, of_batch) in [(&norm.running_mean, mean), (&norm.running_var, variance)] {
                let kept = running.value_sync().mul_scalar(1.0 - norm.momentum);
                running.update((kept + of_batch.mul_scalar(norm.momentum)).detach());
            }
            return output;
        }
    }
    norm.forward(x)
}
