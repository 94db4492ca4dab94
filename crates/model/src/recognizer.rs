//! From images to predictions, with one network on one device.

use burn::tensor::{Device, Int, Tensor};

use crate::beam::beam_search;
use crate::config::ModelConfig;
use crate::decoder::Decoded;
use crate::error::ModelError;
use crate::greedy::greedy_until_end;
use crate::image::{self, RgbImage};
use crate::input::{Encoded, Inputs};
use crate::network::Network;
use crate::prediction::{Alternative, Prediction, PredictionBuilder};
use crate::readback::read_back;
use crate::vocabulary::Vocabulary;
use crate::weights::Weights;

/// Recognizes the text in images.
///
/// Most callers only need [`recognize`](Self::recognize). Its stages can also be called one by one,
/// to time them or to start from preprocessed images: [`preprocess`](Self::preprocess),
/// [`encode`](Self::encode), [`decode`](Self::decode).
#[derive(Debug)]
pub struct Recognizer {
    network: Network,
    config: ModelConfig,
    vocabulary: Vocabulary,
    temperature: f64,
    device: Device,
}

impl Recognizer {
    /// Most alternatives that can be asked for.
    pub const MAX_ALTERNATIVES: usize = 100;
    /// Smallest width of the beam, so that searches for different numbers of alternatives find the
    /// same text.
    const MIN_BEAM: usize = 10;

    /// Builds a network on a device. It runs in inference mode on every device: dropout is off, and
    /// batch norm uses its running statistics.
    ///
    /// # Errors
    ///
    /// [`ModelError::BadWeights`] if the tensors do not match the configuration.
    pub fn new(weights: &Weights, device: &Device) -> Result<Self, ModelError> {
        // burn's layers run in training mode if the device records gradients.
        let device = device.clone().without_autodiff();
        Ok(Self {
            network: weights.network(&device)?.for_inference(),
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

    /// The device on which the network runs.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Recognizes the text in images, with up to `alternatives` (at most
    /// [`Self::MAX_ALTERNATIVES`]) of the most likely texts for each. Without alternatives there is
    /// one read-back from the device for all images, and for long texts a few more to see whether
    /// all have ended. With them, there is one more for each image and step.
    ///
    /// Alternatives are found by beam search, whose most likely text is the answer. If the network
    /// is unsure, it can differ from the text that has the most likely character at each step.
    ///
    /// # Errors
    ///
    /// [`ModelError::DeviceLost`] if the device fails, or the errors of [`Self::preprocess`].
    pub async fn recognize(
        &self,
        images: &[RgbImage],
        alternatives: usize,
    ) -> Result<Vec<Prediction>, ModelError> {
        if images.is_empty() {
            return Ok(Vec::new());
        }
        let encoded = self.encode(self.preprocess(images)?)?;
        self.decode(encoded, alternatives).await
    }

    /// Recognizes the text in preprocessed images.
    ///
    /// # Errors
    ///
    /// [`ModelError::InvalidInput`] if their shape is not that of the network's input,
    /// [`ModelError::DeviceLost`] if the device fails.
    pub async fn recognize_inputs(
        &self,
        inputs: impl Into<Inputs>,
    ) -> Result<Vec<Prediction>, ModelError> {
        self.decode(self.encode(inputs)?, 0).await
    }

    /// Brings images to the shape and values of the network's input.
    ///
    /// # Errors
    ///
    /// Those of [`image::preprocess`]: an image has no pixels, or too many.
    pub fn preprocess(&self, images: &[RgbImage]) -> Result<Inputs, ModelError> {
        let values = images
            .iter()
            .map(|image| image::preprocess(image, &self.config))
            .collect::<Result<Vec<_>, _>>()?;
        let blank = values
            .iter()
            .map(|values| image::is_blank(values))
            .collect();
        let images = image::batch(values, &self.config, &self.device);
        Ok(Inputs { images, blank })
    }

    /// Runs the encoder. A GPU may still be computing when this returns.
    ///
    /// # Shapes
    ///
    /// - `inputs`: `[batch, channels, height, width]`, values 0..1; see
    ///   [`ModelConfig::input_shape`]
    ///
    /// # Errors
    ///
    /// [`ModelError::InvalidInput`] if the shape is another one.
    pub fn encode(&self, inputs: impl Into<Inputs>) -> Result<Encoded, ModelError> {
        let Inputs { images, blank } = inputs.into();
        check_shape(images.dims(), self.config.input_shape())?;
        let features = self.network.encoder.forward(images.without_autodiff());
        Ok(Encoded { features, blank })
    }

    /// Decodes features to predictions; see [`Self::recognize`] for `alternatives`.
    ///
    /// # Shapes
    ///
    /// - `encoded`: `[batch, positions, features]`
    ///
    /// # Errors
    ///
    /// [`ModelError::InvalidInput`] if the shape is another one, [`ModelError::DeviceLost`] if the
    /// device fails.
    pub async fn decode(
        &self,
        encoded: impl Into<Encoded>,
        alternatives: usize,
    ) -> Result<Vec<Prediction>, ModelError> {
        let Encoded { features, blank } = encoded.into();
        self.check_features(&features)?;
        let decoder = &self.network.decoder;
        let decoded =
            greedy_until_end(decoder, features.clone(), self.config.steps(), &blank).await?;
        let [_, steps, _] = decoded.logits.dims();
        let values = read_back_steps(decoded).await?;
        let builder = self.prediction_builder();
        let mut predictions: Vec<Prediction> = values
            .chunks_exact(steps * builder.step_values())
            .zip(blank)
            .map(|(steps, blank)| match blank {
                // A blank image has no text, even if the network recognizes one in its colour.
                true => builder.teacher_forced(steps, blank, &[]),
                false => builder.greedy(steps, blank),
            })
            .collect();
        if alternatives > 0 {
            let predictions = predictions.iter_mut().enumerate();
            for (index, prediction) in predictions.filter(|(_, prediction)| !prediction.blank) {
                let features = features.clone().narrow(0, index, 1);
                self.search(features, alternatives, prediction).await?;
            }
        }
        Ok(predictions)
    }

    /// The logits and the attention of each step of greedy decoding, with the steps after the end
    /// of the text.
    ///
    /// # Shapes
    ///
    /// - `features`: `[batch, positions, features]`
    /// - output: `[batch, steps, vocabulary + positions]`, flat
    pub(crate) async fn greedy_steps(&self, features: Tensor<3>) -> Result<Vec<f32>, ModelError> {
        self.check_features(&features)?;
        read_back_steps(self.network.decoder.greedy(features, self.config.steps())).await
    }

    fn check_features(&self, features: &Tensor<3>) -> Result<(), ModelError> {
        let positions = self.config.grid().positions();
        check_shape(features.dims(), [positions, self.config.encoder.features])
    }

    /// Makes predictions of the steps.
    pub(crate) fn prediction_builder(&self) -> PredictionBuilder<'_> {
        PredictionBuilder {
            vocabulary: &self.vocabulary,
            grid: self.config.grid(),
            temperature: self.temperature,
        }
    }

    /// Searches the most likely texts of one image, and makes the first of them the answer.
    async fn search(
        &self,
        features: Tensor<3>,
        count: usize,
        prediction: &mut Prediction,
    ) -> Result<(), ModelError> {
        let count = count.min(Self::MAX_ALTERNATIVES);
        let mut found = beam_search(
            &self.network.decoder,
            features.clone(),
            &self.vocabulary,
            self.config.max_length,
            count.max(Self::MIN_BEAM),
            self.temperature,
        )
        .await?;
        // The beam may have dropped the text of greedy decoding.
        if found.iter().all(|other| other.text != prediction.text) {
            found.push(Alternative {
                text: prediction.text.clone(),
                confidence: prediction.confidence,
            });
            found.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
        }
        found.truncate(count);
        if let Some(first) = found.first_mut() {
            if first.text != prediction.text {
                *prediction = self
                    .predict_text(features, &first.text, prediction.blank)
                    .await?;
            }
            // They differ by rounding only.
            first.confidence = prediction.confidence;
        }
        prediction.alternatives = found;
        Ok(())
    }

    /// The prediction of a given text in one image.
    async fn predict_text(
        &self,
        features: Tensor<3>,
        text: &str,
        blank: bool,
    ) -> Result<Prediction, ModelError> {
        let tokens: Vec<usize> = text
            .chars()
            .filter_map(|character| self.vocabulary.id(character))
            .collect();
        let inputs: Vec<i32> = [Vocabulary::START]
            .iter()
            .chain(&tokens)
            .map(|id| *id as i32)
            .collect();
        let inputs = Tensor::<1, Int>::from_ints(inputs.as_slice(), &self.device).unsqueeze();
        let steps = read_back_steps(self.network.decoder.teacher_forced(features, inputs)).await?;
        Ok(self
            .prediction_builder()
            .teacher_forced(&steps, blank, &tokens))
    }
}

/// Copies steps to the host: `[batch, steps, vocabulary + positions]`, flat.
async fn read_back_steps(decoded: Decoded) -> Result<Vec<f32>, ModelError> {
    read_back(Tensor::cat(vec![decoded.logits, decoded.attention], 2)).await
}

/// Checks a tensor's shape without its batch.
fn check_shape<const D: usize, const E: usize>(
    found: [usize; D],
    expected: [usize; E],
) -> Result<(), ModelError> {
    if found[0] > 0 && found[1..] == expected {
        return Ok(());
    }
    Err(ModelError::InvalidInput {
        expected: format!("a batch of {expected:?}"),
        found: format!("{found:?}"),
    })
}
