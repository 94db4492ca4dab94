//! Everything that tells one network from another. The presets, in `presets.rs`, differ in nothing
//! else.

use serde::{Deserialize, Serialize};

use crate::error::ModelError;
use crate::vocabulary::Vocabulary;

// Not burn's `Config`s, which take files that say what no field is for, and have no defaults for
// what a file leaves out.

/// The whole network: what it reads, its layers, what it may answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelConfig {
    /// Size and resampling of the network's input.
    pub input: InputConfig,
    /// The convolutional encoder.
    pub encoder: EncoderConfig,
    /// The attention decoder.
    pub decoder: DecoderConfig,
    /// The characters that can be read, in the order of their token ids.
    pub alphabet: String,
    /// The longest text that is read; decoding takes at most one step more, for `<end>`.
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
    /// How an image is brought to that size.
    pub resampling: Resampling,
    /// Whether white is 0 and black 1, so that empty paper and the zeros of padding are the same
    /// and weigh nothing; the paper's white is 1.
    #[serde(default)]
    pub inverted: bool,
}

/// How an image is brought to the input's size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Resampling {
    /// Bilinear between the four nearest pixels, as `tf.image.resize` does in the paper's
    /// notebook: at a sixth of the size most pixels are never looked at.
    Bilinear,
    /// Bilinear with a kernel widened to the scale (antialiased): every pixel counts.
    Area,
}

/// The convolutional encoder (paper, "Encoder").
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EncoderConfig {
    /// The convolution blocks, first to last.
    pub blocks: Vec<BlockConfig>,
    /// Dropout after the last block, in training.
    pub dropout: f64,
    /// Size of the feature vector that each grid position ends with.
    pub features: usize,
    /// Share of each training batch in batch norm's running statistics.
    pub norm_momentum: f64,
    /// Whether a block pools right behind its convolution, so that ReLU and batch norm run over a
    /// quarter of the values; the paper pools last. (ReLU is the same either way. Batch norm is the
    /// same once trained, where its scale is positive; in training it sees the maxima only.)
    pub pool_first: bool,
    /// Side of the squares of pixels whose values the first block takes as channels of one position:
    /// it then sees every pixel of an input so many times as wide and high, at maps no larger (pixel
    /// unshuffle; Shi et al. 2016). One takes each pixel by itself, as the paper does.
    #[serde(default = "one")]
    pub unshuffle: usize,
}

/// One block: 3x3 convolution, ReLU, and batch norm and max-pooling where asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BlockConfig {
    /// Output channels of the convolution.
    pub filters: usize,
    /// Whether the border is padded with zeros so that the size stays.
    pub padded: bool,
    /// Whether batch norm follows the ReLU.
    pub norm: bool,
    /// Whether max-pooling closes the block, 2x2 unless `pool_cols` says otherwise.
    pub pool: bool,
    /// Whether that pooling takes columns together too. Without, its window is 2x1, as CRNN has it
    /// (Shi, Bai and Yao 2015): text runs along the columns, and two narrow characters fit into one.
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
    /// Size of the GRU's state and of the dense layer behind it.
    pub units: usize,
    /// Size of the space in which attention compares features and state.
    pub attention: usize,
    /// Whether the GRU starts each step from the state of the step before. `false` is the paper's
    /// notebook exactly: its GRU call passes no initial state, so it starts from zeros at
    /// every step and only attention sees the carried state.
    pub carry_state: bool,
}

/// Rows and columns of positions that attention looks over.
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

    /// Positions that attention looks over.
    pub fn grid(&self) -> Grid {
        let (rows, cols) = self
            .encoder
            .blocks
            .iter()
            .fold(self.unshuffled(), |size, block| block.output_size(size));
        Grid { rows, cols }
    }

    /// Rows and columns that the first block sees.
    fn unshuffled(&self) -> (usize, usize) {
        let side = self.encoder.unshuffle;
        (self.input.height / side, self.input.width / side)
    }

    /// Steps a decode takes at most: every character and `<end>`.
    pub fn steps(&self) -> usize {
        self.max_length + 1
    }

    /// Multiply-adds of one pass of the encoder over one image, batch norm and biases not counted.
    pub fn encoder_multiply_adds(&self) -> u64 {
        let mut size = self.unshuffled();
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

    /// Checks what a file could get wrong: sizes of zero or beyond reason, an empty grid, an
    /// alphabet that repeats itself.
    ///
    /// # Errors
    ///
    /// [`ModelError::InvalidConfig`] with the first thing that is wrong.
    pub fn validate(&self) -> Result<(), ModelError> {
        let invalid = |what: &str| Err(ModelError::InvalidConfig(what.to_owned()));
        const LARGEST: usize = 4096;
        const LARGEST_MAP: u64 = 1 << 24;
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
            .any(|size| size == 0 || size > LARGEST)
        {
            return invalid("every size must lie between 1 and 4096");
        }
        if self.max_length > 64 || self.encoder.blocks.len() > 64 {
            return invalid("at most 64 characters and 64 blocks");
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
            return invalid("the input must be a multiple of unshuffle high and wide");
        }
        let mut size = self.unshuffled();
        for block in &self.encoder.blocks {
            if size.0 < 3 || size.1 < 3 {
                return invalid("the input is too small for so many blocks");
            }
            let (rows, cols) = block.convolved_size(size);
            if product(&[rows, cols, block.filters]) > LARGEST_MAP {
                return invalid("a block's output holds more than 16 million values an image");
            }
            size = block.output_size(size);
        }
        if size.0 == 0 || size.1 == 0 {
            return invalid("the encoder's grid is empty");
        }
        let vectors = self.encoder.features.max(self.decoder.attention);
        if product(&[size.0, size.1, vectors]) > LARGEST_MAP {
            return invalid("the encoder's grid holds more than 16 million values an image");
        }
        self.vocabulary().map(|_| ())
    }
}

/// The product of sizes. In browsers, `usize` has 32 bits, which sizes within the limits exceed.
fn product(sizes: &[usize]) -> u64 {
    sizes
        .iter()
        .fold(1, |product: u64, size| product.saturating_mul(*size as u64))
}

impl InputConfig {
    /// An input whose white is 1.
    pub fn new(height: usize, width: usize, resampling: Resampling) -> Self {
        Self {
            height,
            width,
            resampling,
            inverted: false,
        }
    }

    /// Whether white is 0.
    pub fn with_inverted(self, inverted: bool) -> Self {
        Self { inverted, ..self }
    }
}

impl EncoderConfig {
    /// An encoder that pools last and takes each pixel by itself.
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
        }
    }

    /// Whether a block pools right behind its convolution.
    pub fn with_pool_first(self, pool_first: bool) -> Self {
        Self { pool_first, ..self }
    }

    /// Side of the squares of pixels that the first block takes.
    pub fn with_unshuffle(self, unshuffle: usize) -> Self {
        Self { unshuffle, ..self }
    }

    /// Channels that the first block takes.
    pub fn channels(&self) -> usize {
        3 * self.unshuffle * self.unshuffle
    }
}

impl BlockConfig {
    /// A block that pools 2x2 if at all.
    pub fn new(filters: usize, padded: bool, norm: bool, pool: bool) -> Self {
        Self {
            filters,
            padded,
            norm,
            pool,
            pool_cols: true,
        }
    }

    /// Whether pooling takes columns together too.
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

    /// Rows and columns of the pooling window; one by one without pooling.
    pub(crate) fn window(&self) -> [usize; 2] {
        match (self.pool, self.pool_cols) {
            (false, _) => [1, 1],
            (true, false) => [2, 1],
            (true, true) => [2, 2],
        }
    }
}
