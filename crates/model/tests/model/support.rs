//! Networks small enough for tests.

use burn::tensor::Device;
use captcha_model::config::{
    BlockConfig, DecoderConfig, EncoderConfig, InputConfig, ModelConfig, Resampling,
};
use captcha_model::image::RgbImage;
use captcha_model::weights::{Precision, save};
use captcha_model::{ModelError, Network, Weights};

/// A network of 20 x 40 input with a 4 x 9 grid.
pub(crate) fn tiny(alphabet: &str, max_length: usize) -> ModelConfig {
    ModelConfig {
        input: InputConfig::new(20, 40, Resampling::Area),
        encoder: EncoderConfig::new(
            vec![
                BlockConfig::new(4, false, true, true),
                BlockConfig::new(6, true, false, true),
            ],
            0.5,
            8,
            0.1,
        ),
        decoder: DecoderConfig {
            embedding: 5,
            units: 12,
            attention: 6,
            carry_state: true,
        },
        alphabet: alphabet.into(),
        max_length,
    }
}

/// The network of the golden vectors, whose answers are clear and always the same.
pub(crate) fn golden() -> Weights {
    let file = include_bytes!("../../../../tests/golden/weights.safetensors");
    Weights::from_bytes(file.to_vec()).unwrap()
}

/// A network's weights, written to a file and read again.
pub(crate) fn through_a_file(network: &Network, config: &ModelConfig) -> Weights {
    let training = serde_json::json!({ "by": "a test" });
    Weights::from_bytes(save(network, config, &training, Precision::Full).unwrap()).unwrap()
}

/// A new network on the CPU.
pub(crate) fn fresh(config: &ModelConfig) -> Network {
    config.init(&Device::flex()).unwrap()
}

/// Different images.
pub(crate) fn images(count: u8) -> Vec<RgbImage> {
    let pixel = |i: u8, x: u32, y: u32| [x as u8 * 5 + i, y as u8 * 11, (x * y) as u8 ^ (i * 77)];
    (0..count)
        .map(|i| RgbImage::from_fn(45, 23, |x, y| image::Rgb(pixel(i, x, y))))
        .collect()
}

/// The code of an error.
pub(crate) fn code<T: std::fmt::Debug>(result: Result<T, ModelError>) -> &'static str {
    result.unwrap_err().code()
}
