//! The configurations that have a name.

use crate::config::{
    BlockConfig, DecoderConfig, EncoderConfig, InputConfig, ModelConfig, Proportions, Resampling,
};

impl ModelConfig {
    /// The names that [`ModelConfig::preset`] knows.
    pub const PRESETS: [&str; 3] = ["paper", "compact", "general"];

    /// The configuration of this name, if there is one.
    pub fn preset(name: &str) -> Option<Self> {
        match name {
            "paper" => Some(Self::paper()),
            "compact" => Some(Self::compact()),
            "general" => Some(Self::general()),
            _ => None,
        }
    }

    /// The network of the paper: 5.83 M parameters, a 3 x 6 grid.
    pub fn paper() -> Self {
        Self {
            input: InputConfig::new(50, 100, Resampling::Bilinear),
            encoder: EncoderConfig::new(
                vec![
                    BlockConfig::new(96, false, true, true),
                    BlockConfig::new(128, true, true, false),
                    BlockConfig::new(256, true, false, true),
                    BlockConfig::new(384, true, true, true),
                    BlockConfig::new(384, true, true, true),
                    BlockConfig::new(256, true, true, false),
                ],
                0.5,
                256,
                0.01, // Keras' default of 0.99 in burn's meaning
            ),
            decoder: DecoderConfig {
                embedding: 256,
                units: 512,
                attention: 512,
                carry_state: false,
            },
            alphabet: "abcdefghijklmnopqrstuvwxyz".into(),
            max_length: 5,
        }
    }

    /// The network for the web. Its blocks are much narrower than the paper's, and its input has
    /// fifteen times the pixels, so that a small letter is 20 pixels high instead of 5.
    ///
    /// - Pixel unshuffle by 2 keeps the maps of the first block small. They are still the largest,
    ///   so that block has no batch norm.
    /// - Four of the fourteen blocks pool, directly after the convolution. The last one pools rows
    ///   only, which gives a grid of 6 x 24.
    /// - The GRU's state is carried from step to step.
    pub fn compact() -> Self {
        Self {
            input: InputConfig::new(196, 388, Resampling::Area).with_inverted(true),
            encoder: EncoderConfig::new(
                vec![
                    BlockConfig::new(24, false, false, true),
                    BlockConfig::new(24, true, true, false),
                    BlockConfig::new(32, true, true, true),
                    BlockConfig::new(32, true, true, false),
                    BlockConfig::new(32, true, true, false),
                    BlockConfig::new(64, true, true, true),
                    BlockConfig::new(64, true, true, false),
                    BlockConfig::new(64, true, true, false),
                    BlockConfig::new(64, true, true, false),
                    BlockConfig::new(128, true, true, false),
                    BlockConfig::new(128, true, true, true).with_pool_cols(false),
                    BlockConfig::new(160, true, true, false),
                    BlockConfig::new(160, true, true, false),
                    BlockConfig::new(160, true, true, false),
                ],
                0.0, // no image is seen twice: there is nothing to over-fit
                128,
                0.1,
            )
            .with_pool_first(true)
            .with_unshuffle(2),
            decoder: DecoderConfig {
                embedding: 64,
                units: 192,
                attention: 64,
                carry_state: true,
            },
            alphabet: "abcdefghijklmnopqrstuvwxyz".into(),
            max_length: 5,
        }
    }

    /// The network of [`ModelConfig::compact`] for any look: digits, capital and small letters, up
    /// to 16 characters, and an input with the proportions of each image and half of the pixels.
    pub fn general() -> Self {
        let mut config = Self::compact();
        (config.input.height, config.input.width) = (140, 276);
        config.input = config.input.with_proportions(Proportions::Image);
        config.encoder = config.encoder.with_positions(true);
        config.alphabet = ('0'..='9').chain('A'..='Z').chain('a'..='z').collect();
        config.max_length = 16;
        config
    }
}
