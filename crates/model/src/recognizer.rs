//! An image's whole way through the network.

use burn::tensor::{Device, Tensor};

use crate::beam::beam_search;
use crate::config::ModelConfig;
#[cfg(feature = "flex")]
use crate::cpu::Kernels;
use crate::error::ModelError;
use crate::image::{self, RgbImage};
use crate::network::Network;
use crate::prediction::Prediction;
use crate::readback::read_back;
use crate::vocabulary::Vocabulary;
use crate::weights::Weights;

/// Reads images with one network on one device.
///
/// [`recognize`](Self::recognize) is all that most callers need. Its stages can also be called
/// one by one, to time them or to start from what training has at hand:
/// [`preprocess`](Self::preprocess), [`encode`](Self::encode), [`decode`](Self::decode).
#[derive(Debug)]
pub struct Recognizer {
    network: Network,
    #[cfg(feature = "flex")]
    kernels: Kernels,
    config: ModelConfig,
    vocabulary: Vocabulary,
    temperature: f64,
    device: Device,
}

impl Recognizer {
    /// The most alternatives that are looked for.
    pub const MAX_ALTERNATIVES: usize = 100;

    /// Puts a network on a device, for inference whatever the device: dropout is off and batch
    /// norm uses its running statistics.
    ///
    /// # Errors
    ///
    /// [`ModelError::BadWeights`] if the tensors are not those of the configuration.
    pub fn new(weights: &Weights, device: &Device) -> Result<Self, ModelError> {
        // burn's layers train wherever the device records gradients.
        let device = device.clone().without_autodiff();
        let network = weights.network(&device)?;
        Ok(Self {
            #[cfg(feature = "flex")]
            kernels: Kernels::new(&network.encoder),
            network,
            config: weights.config.clone(),
            vocabulary: weights.config.vocabulary()?,
            temperature: weights.temperature,
            device,
        })
    }

    /// The network's configuration.
    pub fn config(&self) -> &ModelConfig {
        &self.config
    }

    /// Where the network runs.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Reads images, with up to `alternatives` (at most [`Self::MAX_ALTERNATIVES`]) of the most
    /// likely texts for each. Without them, everything stays on the device until one read-back
    /// for all images; with them, one more for each image and step.
    ///
    /// # Errors
    ///
    /// [`ModelError::DeviceLost`] if the device fails, or what [`Self::preprocess`] refuses.
    pub async fn recognize(
        &self,
        images: &[RgbImage],
        alternatives: usize,
    ) -> Result<Vec<Prediction>, ModelError> {
        if images.is_empty() {
            return Ok(Vec::new());
        }
        self.decode(self.encode(self.preprocess(images)?), alternatives)
            .await
    }

    /// Reads input that is preprocessed already.
    ///
    /// # Shapes
    ///
    /// - `inputs`: `[batch, 3, height, width]`, values 0..1
    ///
    /// # Errors
    ///
    /// [`ModelError::DeviceLost`] if the device fails.
    pub async fn read(&self, inputs: Tensor<4>) -> Result<Vec<Prediction>, ModelError> {
        self.decode(self.encode(inputs), 0).await
    }

    /// Brings images to the network's input: `[images, 3, height, width]`, values 0..1.
    ///
    /// # Errors
    ///
    /// What [`image::preprocess`] refuses: no pixels, or too many.
    pub fn preprocess(&self, images: &[RgbImage]) -> Result<Tensor<4>, ModelError> {
        let inputs = images
            .iter()
            .map(|image| image::preprocess(image, &self.config.input))
            .collect::<Result<_, _>>()?;
        Ok(image::batch(inputs, &self.config.input, &self.device))
    }

    /// Starts the encoder; a GPU may still be at it on return.
    ///
    /// # Shapes
    ///
    /// - `inputs`: `[batch, 3, height, width]`, values 0..1
    /// - output: `[batch, positions, features]`
    pub fn encode(&self, inputs: Tensor<4>) -> Tensor<3> {
        let inputs = inputs.without_autodiff();
        #[cfg(feature = "flex")]
        return self.kernels.forward(&self.network.encoder, inputs);
        #[cfg(not(feature = "flex"))]
        self.network.encoder.forward(inputs)
    }

    /// Decodes what the encoder saw; see [`Self::recognize`] for `alternatives`.
    ///
    /// # Shapes
    ///
    /// - `features`: `[batch, positions, features]`
    ///
    /// # Errors
    ///
    /// [`ModelError::DeviceLost`] if the device fails.
    pub async fn decode(
        &self,
        features: Tensor<3>,
        alternatives: usize,
    ) -> Result<Vec<Prediction>, ModelError> {
        let steps = self.config.steps();
        let grid = self.config.grid();
        let decoded = self.network.decoder.greedy(features.clone(), steps);
        let answers = read_back(Tensor::cat(vec![decoded.logits, decoded.attention], 2)).await?;
        let mut predictions: Vec<Prediction> = answers
            .chunks_exact(steps * (self.vocabulary.size() + grid.positions()))
            .map(|answer| Prediction::new(answer, &self.vocabulary, grid, self.temperature))
            .collect();
        if alternatives > 0 {
            for (index, prediction) in predictions.iter_mut().enumerate() {
                prediction.alternatives = beam_search(
                    &self.network.decoder,
                    features.clone().narrow(0, index, 1),
                    &self.vocabulary,
                    self.config.max_letters,
                    alternatives.min(Self::MAX_ALTERNATIVES),
                    self.temperature,
                )
                .await?;
            }
        }
        Ok(predictions)
    }
}
