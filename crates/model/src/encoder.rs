//! Image to a grid of feature vectors (paper, "Encoder").

use burn::module::{Module, Param};
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use burn::nn::{
    BatchNorm, BatchNormConfig, Dropout, DropoutConfig, Initializer, Linear, PaddingConfig2d,
    PixelUnshuffle, PixelUnshuffleConfig,
};
use burn::tensor::{Device, Tensor, activation::relu};

use crate::config::{BlockConfig, EncoderConfig};
use crate::dense::dense;

/// Keras' default.
const NORM_EPSILON: f64 = 1e-3;

/// Convolution blocks and one dense layer for every grid position.
#[derive(Module, Debug)]
pub struct Encoder {
    /// Squares of pixels to channels.
    pub unshuffle: PixelUnshuffle,
    /// The convolution blocks, first to last.
    pub blocks: Vec<ConvBlock>,
    /// Dropout behind the last block.
    pub dropout: Dropout,
    /// The dense layer at each position.
    pub dense: Linear,
}

/// 3x3 convolution, ReLU, batch norm, max-pooling in the paper's order, or with the pooling
/// right behind the convolution.
#[derive(Module, Debug)]
pub struct ConvBlock {
    /// The convolution.
    pub conv: Conv2d,
    /// Batch norm, where the block has it.
    pub norm: Option<BatchNorm>,
    /// Max-pooling, where the block has it.
    pub pool: Option<MaxPool2d>,
    pool_first: bool,
}

impl EncoderConfig {
    /// A fresh encoder: he-uniform convolutions, glorot-uniform dense layer, zero biases, as Keras
    /// has them.
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
            unshuffle: PixelUnshuffleConfig::new(self.unshuffle).init(),
            blocks,
            dropout: DropoutConfig::new(self.dropout).init(),
            dense: dense(channels, self.features, device),
        }
    }

    /// A fresh block that takes `channels` channels.
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
        }
    }
}

impl Encoder {
    /// # Shapes
    ///
    /// - `images`: `[batch, 3, height, width]`, values 0..1
    /// - output: `[batch, rows * cols, features]`, the grid row by row
    pub fn forward(&self, images: Tensor<4>) -> Tensor<3> {
        self.forward_by(ConvBlock::activate, images)
    }

    /// As [`Encoder::forward`], with another way to compute what [`ConvBlock::activate`] does.
    pub fn forward_by(
        &self,
        activate: impl FnMut(&ConvBlock, Tensor<4>) -> Tensor<4>,
        images: Tensor<4>,
    ) -> Tensor<3> {
        self.forward_squares_by(activate, self.squares(images))
    }

    /// What the first block takes of the images: the values of each square of pixels as channels of
    /// one position. On the CPU by our kernel, elsewhere, and where gradients are recorded, by burn's
    /// layer.
    ///
    /// # Shapes
    ///
    /// - `images`: `[batch, 3, height, width]`
    /// - output: `[batch, 3 * side * side, height / side, width / side]`
    pub fn squares(&self, images: Tensor<4>) -> Tensor<4> {
        let side = self.unshuffle.downscale_factor;
        if side == 1 {
            return images;
        }
        #[cfg(feature = "flex")]
        if let Some(squares) = crate::cpu::unshuffle(&images, side) {
            return squares;
        }
        self.unshuffle.forward(images)
    }

    /// As [`Encoder::forward_by`], from what [`Encoder::squares`] gives.
    pub fn forward_squares_by(
        &self,
        mut activate: impl FnMut(&ConvBlock, Tensor<4>) -> Tensor<4>,
        squares: Tensor<4>,
    ) -> Tensor<3> {
        let maps = self
            .blocks
            .iter()
            .fold(squares, |x, block| block.finish(activate(block, x)));
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
    /// - output: `[batch, filters, height', width']`, less two if unpadded, then pooled
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        self.finish(self.activate(x))
    }

    /// Convolution, pooling if it comes first, ReLU: on the CPU by our kernel, elsewhere, and
    /// where gradients are recorded, by [`ConvBlock::activate_by_layers`].
    pub fn activate(&self, x: Tensor<4>) -> Tensor<4> {
        #[cfg(feature = "flex")]
        if let Some(activated) = crate::cpu::activate(self, &x, None) {
            return activated;
        }
        self.activate_by_layers(x)
    }

    /// As [`ConvBlock::activate`], by burn's own layers.
    pub fn activate_by_layers(&self, x: Tensor<4>) -> Tensor<4> {
        let x = self.conv.forward(x);
        relu(if self.pools_first() { self.pool(x) } else { x })
    }

    /// Whether zeros around the border keep the size.
    pub fn padded(&self) -> bool {
        matches!(self.conv.padding, PaddingConfig2d::Same)
    }

    /// Whether pooling follows right behind the convolution.
    pub fn pools_first(&self) -> bool {
        self.pool_first && self.pool.is_some()
    }

    /// Rows and columns of the pooling window; one by one without pooling.
    pub fn window(&self) -> [usize; 2] {
        self.pool.as_ref().map_or([1, 1], |pool| pool.kernel_size)
    }

    /// What follows the ReLU.
    fn finish(&self, x: Tensor<4>) -> Tensor<4> {
        let x = match &self.norm {
            Some(norm) => norm.forward(x),
            None => x,
        };
        if self.pools_first() { x } else { self.pool(x) }
    }

    fn pool(&self, x: Tensor<4>) -> Tensor<4> {
        match &self.pool {
            Some(pool) => pool.forward(x),
            None => x,
        }
    }
}
