//! The configuration of a network. The presets are in `presets.rs`.

use serde::{Deserialize, Serialize};

use crate::error::ModelError;
use crate::vocabulary::Vocabulary;

// These are not burn's `Config`s, which accept unknown fields and have no defaults for missing
// ones.

/// The configuration of the whole network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelConfig {
    /// The network's input.
    pub input: InputConfig,
    /// The convolutional encoder.
    pub encoder: EncoderConfig,
    /// The attention decoder.
    pub decoder: DecoderConfig,
    /// The characters that the network can answer, in the order of their token ids.
    pub alphabet: String,
    /// The length of the longest text. Decoding takes at most one step more, for `<end>`.
    #[serde(alias = "max_letters")]
    pub max_length: usize,
}

/// The network's input.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InputConfig {
    /// Rows of pixels.
    pub height: usize,
    /// Columns of pixels.
    pub width: usize,
    /// How images are resized to that size.
    pub resampling: Resampling,
    /// Whether white is 0 and black is 1, so that the background has the same value as the zeros of
    /// padding. In the paper, white is 1.
    #[serde(default)]
    pub inverted: bool,
    /// Whether all images are resized to `height` x `width`, or each to its own proportions.
    #[serde(default, skip_serializing_if = "Proportions::is_fixed")]
    pub proportions: Proportions,
}

/// The proportions of the network's input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Proportions {
    /// All images are stretched to the same height and width.
    #[default]
    Fixed,
    /// Each image has an input of about its own proportions and about `height * width` pixels, see
    /// [`ModelConfig::for_image`].
    Image,
}

impl Proportions {
    fn is_fixed(&self) -> bool {
        *self == Self::Fixed
    }
}

/// How an image is resized to the input's size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Resampling {
    /// Bilinear between the four nearest pixels, as `tf.image.resize` in the paper's notebook. At a
    /// sixth of the size, most pixels have no effect.
    Bilinear,
    /// Bilinear with a kernel as wide as the scale (antialiased), so that every pixel has an
    /// effect.
    Area,
}

/// The convolutional encoder (paper, "Encoder").
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EncoderConfig {
    /// The convolution blocks, first to last.
    pub blocks: Vec<BlockConfig>,
    /// Dropout rate after the last block, in training.
    pub dropout: f64,
    /// Size of the feature vector of each grid position.
    pub features: usize,
    /// Weight of each training batch in the running statistics of batch norm.
    pub norm_momentum: f64,
    /// Whether a block pools directly after its convolution, so that ReLU and batch norm process a
    /// quarter of the values. The paper pools last. For ReLU the order makes no difference; for
    /// batch norm it makes none after training if its scale is positive, but in training the
    /// statistics are those of the maxima.
    pub pool_first: bool,
    /// Pixel-unshuffle factor `r` (Shi et al. 2016): preprocessing moves each r x r square of
    /// pixels to 3 r^2 channels of one position, so that the input can be r times larger while the
    /// feature maps keep their size. With 1, as in the paper, nothing is moved.
    #[serde(default = "one")]
    pub unshuffle: usize,
    /// Whether a learned projection of each cell's place in the grid is added to its features. In the
    /// paper, nothing is added.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub positions: bool,
}

/// One block: 3x3 convolution, ReLU, and optionally batch norm and max-pooling.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BlockConfig {
    /// Output channels of the convolution.
    pub filters: usize,
    /// Whether zeros around the border keep the map's size.
    pub padded: bool,
    /// Whether batch norm follows the ReLU.
    pub norm: bool,
    /// Whether the block has max-pooling: 2x2, or 2x1 without `pool_cols`.
    pub pool: bool,
    /// Whether the pooling window has two columns. With one column it is 2x1, as in CRNN (Shi, Bai
    /// and Yao 2015), which keeps narrow characters apart.
    #[serde(default = "yes")]
    pub pool_cols: bool,
}

fn one() -> usize {
    1
}

fn yes() -> bool {
    true
}

/// The decoder (paper, "Decoder").
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DecoderConfig {
    /// Size of a token's embedding.
    pub embedding: usize,
    /// Size of the GRU's state and of the dense layer after it.
    pub units: usize,
    /// Size of the space in which attention compares features with the state.
    pub attention: usize,
    /// Whether the GRU starts each step from the state of the previous step. `false` is as in the
    /// paper's notebook: its GRU call passes no initial state, so the GRU starts from zeros at each
    /// step, and only attention uses the previous state.
    pub carry_state: bool,
}

/// The grid of positions that attention weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grid {
    /// Rows of positions.
    pub rows: usize,
    /// Columns of positions.
    pub cols: usize,
}

impl Grid {
    /// Number of positions.
    pub fn positions(&self) -> usize {
        self.rows * self.cols
    }
}

impl ModelConfig {
    /// The token ids of this network's alphabet.
    pub fn vocabulary(&self) -> Result<Vocabulary, ModelError> {
        Vocabulary::new(&self.alphabet)
    }

    /// The grid of positions that attention weighs, for an input of the configured size.
    pub fn grid(&self) -> Grid {
        let (rows, cols) = self
            .encoder
            .blocks
            .iter()
            .fold(self.first_size(), |size, block| block.output_size(size));
        Grid { rows, cols }
    }

    /// Height and width of the smallest input whose grid is `grid`; no row or column of pixels is
    /// cut off by pooling.
    pub fn input_of_grid(&self, grid: Grid) -> [usize; 2] {
        let blocks = self.encoder.blocks.iter().rev();
        let [rows, cols] = blocks.fold([grid.rows, grid.cols], |[rows, cols], block| {
            let [window_rows, window_cols] = block.window();
            let border = if block.padded { 0 } else { 2 };
            [rows * window_rows + border, cols * window_cols + border]
        });
        [rows * self.encoder.unshuffle, cols * self.encoder.unshuffle]
    }

    /// Channels, rows and columns of the encoder's input, after pixel unshuffle, for an input of the
    /// configured size.
    pub fn input_shape(&self) -> [usize; 3] {
        let side = self.encoder.unshuffle;
        [
            self.encoder.channels(),
            self.input.height / side,
            self.input.width / side,
        ]
    }

    /// Rows and columns of the first block's input.
    fn first_size(&self) -> (usize, usize) {
        let [_, rows, cols] = self.input_shape();
        (rows, cols)
    }

    /// Most steps of decoding: one for each character, and one for `<end>`.
    pub fn steps(&self) -> usize {
        self.max_length + 1
    }

    /// Multiply-adds of the encoder for one image, without batch norm and biases.
    pub fn encoder_multiply_adds(&self) -> u64 {
        let mut size = self.first_size();
        let mut channels = self.encoder.channels();
        let mut total = 0;
        for block in &self.encoder.blocks {
            let (rows, cols) = block.convolved_size(size);
            total += 9 * product(&[rows, cols, channels, block.filters]);
            channels = block.filters;
            size = block.output_size(size);
        }
        total + product(&[size.0, size.1, channels, self.encoder.features])
    }

    /// Checks the sizes, the grid and the alphabet, so that a network can be built.
    ///
    /// # Errors
    ///
    /// [`ModelError::InvalidConfig`] with the first mistake.
    pub fn validate(&self) -> Result<(), ModelError> {
        self.validate_fixed()?;
        let mut sizes = self.input_sizes().into_iter();
        sizes.try_for_each(|size| self.with_input(size).validate_fixed())
    }

    /// Checks the configuration with an input of the configured size.
    fn validate_fixed(&self) -> Result<(), ModelError> {
        let invalid = |what: &str| Err(ModelError::InvalidConfig(what.to_owned()));
        const MAX_SIZE: usize = 4096;
        const MAX_MAP_VALUES: u64 = 1 << 24;
        let sizes = [
            self.input.height,
            self.input.width,
            self.encoder.features,
            self.decoder.embedding,
            self.decoder.units,
            self.decoder.attention,
            self.max_length,
            self.encoder.blocks.len(),
            self.alphabet.chars().count(),
        ];
        let filters = self.encoder.blocks.iter().map(|block| block.filters);
        if sizes
            .into_iter()
            .chain(filters)
            .any(|size| size == 0 || size > MAX_SIZE)
        {
            return invalid("every size must lie between 1 and 4096");
        }
        if self.max_length > 64 || self.encoder.blocks.len() > 64 {
            return invalid("max_length and the number of blocks must be at most 64");
        }
        if !(0.0..1.0).contains(&self.encoder.dropout) {
            return invalid("dropout must be at least 0 and below 1");
        }
        if !(0.0..=1.0).contains(&self.encoder.norm_momentum) {
            return invalid("batch norm's momentum must lie between 0 and 1");
        }
        let side = self.encoder.unshuffle;
        if !(1..=8).contains(&side) {
            return invalid("unshuffle must lie between 1 and 8");
        }
        if [self.input.height, self.input.width]
            .iter()
            .any(|length| !length.is_multiple_of(side))
        {
            return invalid("the height and width of the input must be multiples of `unshuffle`");
        }
        let mut size = self.first_size();
        for block in &self.encoder.blocks {
            if size.0 < 3 || size.1 < 3 {
                return invalid("the input is too small for so many blocks");
            }
            let (rows, cols) = block.convolved_size(size);
            if product(&[rows, cols, block.filters]) > MAX_MAP_VALUES {
                return invalid("a block's output has more than 16 million values per image");
            }
            size = block.output_size(size);
        }
        if size.0 == 0 || size.1 == 0 {
            return invalid("the encoder's grid is empty");
        }
        let vectors = self.encoder.features.max(self.decoder.attention);
        if product(&[size.0, size.1, vectors]) > MAX_MAP_VALUES {
            return invalid("the encoder's grid has more than 16 million values per image");
        }
        self.vocabulary().map(|_| ())
    }
}

/// The product of sizes, in 64 bits: in browsers `usize` has 32, which is too few.
fn product(sizes: &[usize]) -> u64 {
    sizes
        .iter()
        .fold(1, |product: u64, size| product.saturating_mul(*size as u64))
}

impl InputConfig {
    /// An input in which white is 1.
    pub fn new(height: usize, width: usize, resampling: Resampling) -> Self {
        Self {
            height,
            width,
            resampling,
            inverted: false,
            proportions: Proportions::Fixed,
        }
    }

    /// Sets whether white is 0.
    pub fn with_inverted(self, inverted: bool) -> Self {
        Self { inverted, ..self }
    }

    /// Sets the proportions.
    pub fn with_proportions(self, proportions: Proportions) -> Self {
        Self {
            proportions,
            ..self
        }
    }
}

impl EncoderConfig {
    /// An encoder that pools last, without pixel unshuffle.
    pub fn new(
        blocks: Vec<BlockConfig>,
        dropout: f64,
        features: usize,
        norm_momentum: f64,
    ) -> Self {
        Self {
            blocks,
            dropout,
            features,
            norm_momentum,
            pool_first: false,
            unshuffle: 1,
            positions: false,
        }
    }

    /// Sets whether a block pools directly after its convolution.
    pub fn with_pool_first(self, pool_first: bool) -> Self {
        Self { pool_first, ..self }
    }

    /// Sets the pixel-unshuffle factor.
    pub fn with_unshuffle(self, unshuffle: usize) -> Self {
        Self { unshuffle, ..self }
    }

    /// Sets whether the cells' places are added to the features.
    pub fn with_positions(self, positions: bool) -> Self {
        Self { positions, ..self }
    }

    /// Channels of the first block's input.
    pub fn channels(&self) -> usize {
        3 * self.unshuffle * self.unshuffle
    }
}

impl BlockConfig {
    /// A block; if it pools, the window is 2x2.
    pub fn new(filters: usize, padded: bool, norm: bool, pool: bool) -> Self {
        Self {
            filters,
            padded,
            norm,
            pool,
            pool_cols: true,
        }
    }

    /// Sets whether the pooling window has two columns.
    pub fn with_pool_cols(self, pool_cols: bool) -> Self {
        Self { pool_cols, ..self }
    }

    /// Size after the convolution.
    fn convolved_size(&self, (rows, cols): (usize, usize)) -> (usize, usize) {
        if self.padded {
            (rows, cols)
        } else {
            (rows.saturating_sub(2), cols.saturating_sub(2))
        }
    }

    /// Size after the whole block.
    fn output_size(&self, size: (usize, usize)) -> (usize, usize) {
        let (rows, cols) = self.convolved_size(size);
        let [window_rows, window_cols] = self.window();
        (rows / window_rows, cols / window_cols)
    }

    /// Rows and columns of the pooling window; 1x1 without pooling.
    pub(crate) fn window(&self) -> [usize; 2] {
        match (self.pool, self.pool_cols) {
            (false, _) => [1, 1],
            (true, false) => [2, 1],
            (true, true) => [2, 2],
        }
    }
}
