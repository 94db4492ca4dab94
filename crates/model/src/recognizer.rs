//! An image's whole way through the network.

use burn::tensor::{Device, Int, Tensor};

use crate::beam::beam_search;
use crate::config::ModelConfig;
use crate::error::ModelError;
use crate::image::{self, RgbImage};
use crate::input::{Encoded, Inputs};
use crate::network::Network;
use crate::prediction::{Alternative, Prediction, Reader};
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
    config: ModelConfig,
    vocabulary: Vocabulary,
    temperature: f64,
    device: Device,
}

impl Recognizer {
    /// The most alternatives that are looked for.
    pub const MAX_ALTERNATIVES: usize = 100;
    /// Texts that a search keeps at least, so that a few alternatives more or less find the same
    /// text.
    const MIN_BEAM: usize = 10;

    /// Puts a network on a device, for inference whatever the device: dropout is off and batch
    /// norm uses its running statistics.
    ///
    /// # Errors
    ///
    /// [`ModelError::BadWeights`] if the tensors are not those of the configuration.
    pub fn new(weights: &Weights, device: &Device) -> Result<Self, ModelError> {
        // burn's layers train wherever the device records gradients.
        let device = device.clone().without_autodiff();
        let mut network = weights.network(&device)?;
        network.encoder.pack_weights();
        Ok(Self {
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
    /// Alternatives take a wider search, and what it finds to be the likeliest text is the answer:
    /// where the network is unsure, this can be another text than the one read character by character.
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
        let encoded = self.encode(self.preprocess(images)?)?;
        self.decode(encoded, alternatives).await
    }

    /// Reads input that is preprocessed already.
    ///
    /// # Errors
    ///
    /// [`ModelError::InvalidInput`] if it is of another shape than the network takes,
    /// [`ModelError::DeviceLost`] if the device fails.
    pub async fn read(&self, inputs: impl Into<Inputs>) -> Result<Vec<Prediction>, ModelError> {
        self.decode(self.encode(inputs)?, 0).await
    }

    /// Brings images to the network's input.
    ///
    /// # Errors
    ///
    /// What [`image::preprocess`] refuses: no pixels, or too many.
    pub fn preprocess(&self, images: &[RgbImage]) -> Result<Inputs, ModelError> {
        let values = images
            .iter()
            .map(|image| image::preprocess(image, &self.config.input))
            .collect::<Result<Vec<_>, _>>()?;
        let blank = values
            .iter()
            .map(|values| image::is_blank(values))
            .collect();
        let images = image::batch(values, &self.config.input, &self.device);
        Ok(Inputs { images, blank })
    }

    /// Starts the encoder; a GPU may still be at it on return.
    ///
    /// # Shapes
    ///
    /// - `inputs`: `[batch, 3, height, width]`, values 0..1
    ///
    /// # Errors
    ///
    /// [`ModelError::InvalidInput`] if they are of another shape.
    pub fn encode(&self, inputs: impl Into<Inputs>) -> Result<Encoded, ModelError> {
        let Inputs { images, blank } = inputs.into();
        let input = &self.config.input;
        check_shape(images.dims(), [3, input.height, input.width])?;
        let images = images.without_autodiff();
        let features = self.network.encoder.forward(images);
        Ok(Encoded { features, blank })
    }

    /// Decodes what the encoder saw; see [`Self::recognize`] for `alternatives`.
    ///
    /// # Shapes
    ///
    /// - `encoded`: `[batch, positions, features]`
    ///
    /// # Errors
    ///
    /// [`ModelError::InvalidInput`] if it is of another shape, [`ModelError::DeviceLost`] if the
    /// device fails.
    pub async fn decode(
        &self,
        encoded: impl Into<Encoded>,
        alternatives: usize,
    ) -> Result<Vec<Prediction>, ModelError> {
        let Encoded { features, blank } = encoded.into();
        let answers = self.steps(features.clone()).await?;
        let reader = self.reader();
        let mut predictions: Vec<Prediction> = answers
            .chunks_exact(self.config.steps() * reader.row())
            .zip(blank)
            .map(|(answer, blank)| match blank {
                // An image that holds nothing has no text, whatever its one colour looks like.
                true => reader.of_text(answer, blank, &[]),
                false => reader.greedy(answer, blank),
            })
            .collect();
        if alternatives > 0 {
            let held = predictions.iter_mut().enumerate();
            for (index, prediction) in held.filter(|(_, prediction)| !prediction.blank) {
                let features = features.clone().narrow(0, index, 1);
                self.search(features, alternatives, prediction).await?;
            }
        }
        Ok(predictions)
    }

    /// Logits and attention of every step of greedy decoding.
    ///
    /// # Shapes
    ///
    /// - `features`: `[batch, positions, features]`
    /// - output: `[batch, steps, vocabulary + positions]`, flat
    pub(crate) async fn steps(&self, features: Tensor<3>) -> Result<Vec<f32>, ModelError> {
        let positions = self.config.grid().positions();
        check_shape(features.dims(), [positions, self.config.encoder.features])?;
        let decoded = self.network.decoder.greedy(features, self.config.steps());
        read_back(Tensor::cat(vec![decoded.logits, decoded.attention], 2)).await
    }

    /// What it takes to understand the steps.
    pub(crate) fn reader(&self) -> Reader<'_> {
        Reader {
            vocabulary: &self.vocabulary,
            grid: self.config.grid(),
            temperature: self.temperature,
        }
    }

    /// Looks for the most likely texts of one image, and makes the likeliest the answer.
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
        // A beam may lose the text that is the likeliest character by character.
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
                    .read_as(features, &first.text, prediction.blank)
                    .await?;
            }
            // The same but for the last digit.
            first.confidence = prediction.confidence;
        }
        prediction.alternatives = found;
        Ok(())
    }

    /// What the network says of a text in one image.
    async fn read_as(
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
        let decoded = self.network.decoder.teacher_forced(features, inputs);
        let steps = read_back(Tensor::cat(vec![decoded.logits, decoded.attention], 2)).await?;
        Ok(self.reader().of_text(&steps, blank, &tokens))
    }
}

/// Checks a tensor's shape behind its batch.
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
