//! Encoder and decoder together.

use burn::module::Module;
use burn::tensor::{Device, Tensor};

use crate::config::ModelConfig;
use crate::decoder::{Decoded, Decoder};
use crate::encoder::Encoder;
use crate::error::ModelError;

/// The whole network, image to characters.
#[derive(Module, Debug)]
pub struct Network {
    /// Image to feature grid.
    pub encoder: Encoder,
    /// Feature grid to characters.
    pub decoder: Decoder,
}

impl ModelConfig {
    /// A fresh network.
    ///
    /// # Errors
    ///
    /// [`ModelError::InvalidConfig`] if [`ModelConfig::validate`] refuses it.
    pub fn init(&self, device: &Device) -> Result<Network, ModelError> {
        self.validate()?;
        let vocabulary = self.vocabulary()?.size();
        Ok(Network {
            encoder: self.encoder.init(device),
            decoder: self.decoder.init(self.encoder.features, vocabulary, device),
        })
    }
}

impl Network {
    /// Reads images greedily, in `steps` decoder steps.
    ///
    /// # Shapes
    ///
    /// - `images`: `[batch, 3, height, width]`, values 0..1
    pub fn read(&self, images: Tensor<4>, steps: usize) -> Decoded {
        self.decoder.greedy(self.encoder.forward(images), steps)
    }
}
