//! Image to a grid of feature vectors (paper, "Encoder").

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use burn::nn::{
    BatchNorm, BatchNormConfig, Dropout, DropoutConfig, Initializer, Linear, PaddingConfig2d,
};
use burn::tensor::{Device, Tensor, activation::relu};

use crate::config::{BlockConfig, EncoderConfig};
use crate::dense::dense;

/// Keras' default.
const NORM_EPSILON: f64 = 1e-3;

/// Convolution blocks and one dense layer for every grid position.
#[derive(Module, Debug)]
pub struct Encoder {
    /// The convolution blocks, first to last.
    pub blocks: Vec<ConvBlock>,
    /// Dropout behind the last block.
    pub dropout: Dropout,
    /// The dense layer at each position.
    pub dense: Linear,
}

/// 3x3 convolution, ReLU, batch norm, 2x2 max-pooling: in the paper's order, norm behind the ReLU.
#[derive(Module, Debug)]
pub struct ConvBlock {
    /// The convolution.
    pub conv: Conv2d,
    /// Batch norm, where the block has it.
    pub norm: Option<BatchNorm>,
    /// Max-pooling, where the block has it.
    pub pool: Option<MaxPool2d>,
}

impl EncoderConfig {
    /// A fresh encoder: he-uniform convolutions, glorot-uniform dense layer, as Keras has them.
    pub fn init(&self, device: &Device) -> Encoder {
        let inputs = std::iter::once(3).chain(self.blocks.iter().map(|block| block.filters));
        let blocks: Vec<ConvBlock> = self
            .blocks
            .iter()
            .zip(inputs)
            .map(|(block, channels)| block.init(channels, self.norm_momentum, device))
            .collect();
        let channels = self.blocks.last().map_or(3, |block| block.filters);
        Encoder {
            blocks,
            dropout: DropoutConfig::new(self.dropout).init(),
            dense: dense(channels, self.features, device),
        }
    }
}

impl BlockConfig {
    /// A fresh block that takes `channels` channels.
    pub fn init(&self, channels: usize, norm_momentum: f64, device: &Device) -> ConvBlock {
        let padding = if self.padded {
            PaddingConfig2d::Same
        } else {
            PaddingConfig2d::Valid
        };
        ConvBlock {
            conv: Conv2dConfig::new([channels, self.filters], [3, 3])
                .with_padding(padding)
                .with_initializer(Initializer::KaimingUniform {
                    gain: std::f64::consts::SQRT_2,
                    fan_out_only: false,
                })
                .init(device),
            norm: self.norm.then(|| {
                BatchNormConfig::new(self.filters)
                    .with_momentum(norm_momentum)
                    .with_epsilon(NORM_EPSILON)
                    .init(device)
            }),
            pool: self
                .pool
                .then(|| MaxPool2dConfig::new([2, 2]).with_strides([2, 2]).init()),
        }
    }
}

impl Encoder {
    /// # Shapes
    ///
    /// - `images`: `[batch, 3, height, width]`, values 0..1
    /// - output: `[batch, rows * cols, features]`, the grid row by row
    pub fn forward(&self, images: Tensor<4>) -> Tensor<3> {
        let maps = self.blocks.iter().fold(images, |x, block| block.forward(x));
        let maps = self.dropout.forward(maps);
        let [batch, channels, rows, cols] = maps.dims();
        let positions = maps.reshape([batch, channels, rows * cols]).swap_dims(1, 2);
        relu(self.dense.forward(positions))
    }
}

impl ConvBlock {
    /// # Shapes
    ///
    /// - `x`: `[batch, channels, height, width]`
    /// - output: `[batch, filters, height', width']`, less two if unpadded, then halved if pooled
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let x = relu(self.conv.forward(x));
        let x = match &self.norm {
            Some(norm) => norm.forward(x),
            None => x,
        };
        match &self.pool {
            Some(pool) => pool.forward(x),
            None => x,
        }
    }
}
