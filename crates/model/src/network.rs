//! Encoder and decoder together.

use burn::module::Module;
use burn::tensor::{Device, Tensor};

use crate::config::ModelConfig;
use crate::decoder::{Decoded, Decoder};
use crate::encoder::Encoder;
use crate::error::ModelError;

/// The whole network, from an image to characters.
#[derive(Module, Debug)]
pub struct Network {
    /// From an image to a feature grid.
    pub encoder: Encoder,
    /// From a feature grid to characters.
    pub decoder: Decoder,
}

impl ModelConfig {
    /// A new network.
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
    /// Encodes images and decodes them greedily, in `steps` steps.
    ///
    /// # Shapes
    ///
    /// - `images`: `[batch, channels, height, width]`, preprocessed, values 0..1; see
    ///   [`ModelConfig::input_shape`]
    pub fn forward(&self, images: Tensor<4>, steps: usize) -> Decoded {
        self.decoder.greedy(self.encoder.forward(images), steps)
    }

    /// The same function in fewer operations, for inference only: see [`Decoder::fold`] and
    /// [`Encoder::pack_weights`].
    pub(crate) fn for_inference(mut self) -> Self {
        self.encoder.pack_weights();
        self.decoder.fold();
        self
    }
}
