//! From images to predictions, with one network on one device.

#[cfg(feature = "wgpu")]
use std::sync::OnceLock;

#[cfg(feature = "wgpu")]
use burn::module::Module;
use burn::tensor::{Device, Int, Tensor};

use crate::beam::{beam_search, with_greedy};
use crate::config::{Grid, ModelConfig};
use crate::decoder::Decoded;
use crate::error::ModelError;
#[cfg(feature = "wgpu")]
use crate::gpu::{GpuNetwork, is_gpu};
use crate::greedy::greedy_until_end;
use crate::image::{self, RgbImage};
use crate::input::{Encoded, InputBatch, Inputs};
use crate::network::Network;
use crate::prediction::{Prediction, PredictionBuilder};
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
    /// With GPU kernels it is on the CPU, and [`Recognizer::network`] copies it if it is needed.
    network: Network,
    /// The network for the GPU kernels, on a GPU.
    #[cfg(feature = "wgpu")]
    gpu: Option<GpuNetwork>,
    /// The network on the GPU, for what its kernels do not do.
    #[cfg(feature = "wgpu")]
    copy: OnceLock<Network>,
    config: ModelConfig,
    vocabulary: Vocabulary,
    /// Shape of each input that an image can be resized to, `[channels, rows, cols]`, and its grid.
    inputs: Vec<([usize; 3], Grid)>,
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
        let sizes = weights.config.input_sizes().into_iter();
        let inputs: Vec<_> = sizes
            .map(|size| weights.config.with_input(size))
            .map(|config| (config.input_shape(), config.grid()))
            .collect();
        #[cfg(feature = "wgpu")]
        let (gpu, network) = {
            let host = if is_gpu(&device) {
                Device::flex()
            } else {
                device.clone()
            };
            let network = weights.network(&host)?.for_inference();
            let grids: Vec<Grid> = inputs.iter().map(|(_, grid)| *grid).collect();
            (GpuNetwork::new(&network, &grids, &device), network)
        };
        #[cfg(not(feature = "wgpu"))]
        let network = weights.network(&device)?.for_inference();
        Ok(Self {
            #[cfg(feature = "wgpu")]
            gpu,
            #[cfg(feature = "wgpu")]
            copy: OnceLock::new(),
            inputs,
            network,
            config: weights.config.clone(),
            vocabulary: weights.config.vocabulary()?,
            temperature: weights.temperature,
            device,
        })
    }

    /// The network on the device.
    fn network(&self) -> &Network {
        #[cfg(feature = "wgpu")]
        if self.gpu.is_some() {
            let copy = || self.network.clone().to_device(&self.device);
            return self.copy.get_or_init(copy);
        }
        &self.network
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
    /// [`Self::MAX_ALTERNATIVES`]) of the most likely texts for each. There is one read-back from a
    /// GPU for all images of a size. Where its kernels do not apply, there are a few more for long
    /// texts, to see whether all have ended, and with alternatives one for each image and step.
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
        let inputs = images
            .iter()
            .map(|image| self.preprocess(image))
            .collect::<Result<Vec<_>, _>>()?;
        self.recognize_inputs(inputs, alternatives).await
    }

    /// Recognizes the text in preprocessed images, a batch of each size at a time; see
    /// [`Self::recognize`] for `alternatives`.
    ///
    /// # Errors
    ///
    /// [`ModelError::InvalidInput`] if a shape is not that of an input of the network,
    /// [`ModelError::DeviceLost`] if the device fails.
    pub async fn recognize_inputs(
        &self,
        inputs: Vec<Inputs>,
        alternatives: usize,
    ) -> Result<Vec<Prediction>, ModelError> {
        let batches = Inputs::batches(inputs);
        let count = batches.iter().map(|batch| batch.places.len()).sum();
        let mut predictions: Vec<Option<Prediction>> = vec![None; count];
        for InputBatch { inputs, places } in batches {
            let read = self.decode(self.encode(inputs)?, alternatives).await?;
            for (place, prediction) in places.into_iter().zip(read) {
                predictions[place] = Some(prediction);
            }
        }
        Ok(predictions.into_iter().flatten().collect())
    }

    /// Brings an image to the shape and values of the network's input. [`Inputs::batches`] stacks
    /// several.
    ///
    /// # Errors
    ///
    /// Those of [`image::preprocess`]: the image has no pixels, or too many.
    pub fn preprocess(&self, image: &RgbImage) -> Result<Inputs, ModelError> {
        let values = image::preprocess(image, &self.config)?;
        let config = self.config.for_image(image.width(), image.height());
        Ok(Inputs {
            blank: vec![image::is_blank(&values)],
            images: image::batch(vec![values], &config, &self.device),
        })
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
        let [count, shape @ ..] = images.dims();
        let input = self.inputs.iter().find(|(known, _)| *known == shape);
        let Some((_, grid)) = input.filter(|_| count > 0) else {
            let shapes: Vec<_> = self.inputs.iter().map(|(shape, _)| shape).collect();
            return Err(ModelError::InvalidInput {
                expected: format!("a batch of one of {shapes:?}"),
                found: format!("{:?}", images.dims()),
            });
        };
        let features = self.features(images.without_autodiff());
        Ok(Encoded {
            features,
            grid: Some(*grid),
            blank,
        })
    }

    /// Runs the encoder.
    fn features(&self, images: Tensor<4>) -> Tensor<3> {
        #[cfg(feature = "wgpu")]
        if let Some(features) = self.gpu.as_ref().and_then(|gpu| gpu.encode(&images)) {
            return features;
        }
        self.network().encoder.forward(images)
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
        let Encoded {
            features,
            grid,
            blank,
        } = encoded.into();
        let builder = self.prediction_builder(grid);
        self.check_features(&features, builder.grid)?;
        let count = alternatives.min(Self::MAX_ALTERNATIVES);
        let width = count.max(Self::MIN_BEAM);
        #[cfg(feature = "wgpu")]
        if let Some(gpu) = self.gpu.as_ref().filter(|_| count > 0) {
            let search = gpu.search(&features, self.config.steps(), width, self.temperature);
            if let Some(search) = search {
                return search.predictions(builder, blank, count).await;
            }
        }
        let decoded = match self.gpu_greedy(&features, true) {
            Some(decoded) => decoded,
            None => {
                let (decoder, steps) = (&self.network().decoder, self.config.steps());
                rows(greedy_until_end(decoder, features.clone(), steps, &blank).await?)
            }
        };
        let [_, steps, _] = decoded.dims();
        let values = read_back(decoded).await?;
        let mut predictions: Vec<Prediction> = values
            .chunks_exact(steps * builder.step_values())
            .zip(blank)
            .map(|(steps, blank)| match blank {
                // A blank image has no text, even if the network recognizes one in its colour.
                true => builder.teacher_forced(steps, blank, &[]),
                false => builder.greedy(steps, blank),
            })
            .collect();
        if count > 0 {
            let predictions = predictions.iter_mut().enumerate();
            for (index, prediction) in predictions.filter(|(_, prediction)| !prediction.blank) {
                let features = features.clone().narrow(0, index, 1);
                self.search(features, count, width, prediction).await?;
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
        let decoded = self.gpu_greedy(&features, false);
        let greedy = || rows(self.network().decoder.greedy(features, self.config.steps()));
        read_back(decoded.unwrap_or_else(greedy)).await
    }

    /// Greedy decoding by the GPU kernel, if it applies; see [`GpuNetwork::greedy`].
    #[cfg(feature = "wgpu")]
    fn gpu_greedy(&self, features: &Tensor<3>, until_end: bool) -> Option<Tensor<3>> {
        let gpu = self.gpu.as_ref()?;
        gpu.greedy(features, self.config.steps(), until_end)
    }

    #[cfg(not(feature = "wgpu"))]
    fn gpu_greedy(&self, _: &Tensor<3>, _: bool) -> Option<Tensor<3>> {
        None
    }

    fn check_features(&self, features: &Tensor<3>, grid: Grid) -> Result<(), ModelError> {
        let expected = [grid.positions(), self.config.encoder.features];
        let found = features.dims();
        if found[0] > 0 && found[1..] == expected {
            return Ok(());
        }
        Err(ModelError::InvalidInput {
            expected: format!("a batch of {expected:?}"),
            found: format!("{found:?}"),
        })
    }

    /// Makes predictions of the steps. `grid`: `None` for that of the configured input.
    pub(crate) fn prediction_builder(&self, grid: Option<Grid>) -> PredictionBuilder<'_> {
        PredictionBuilder {
            vocabulary: &self.vocabulary,
            grid: grid.unwrap_or_else(|| self.config.grid()),
            temperature: self.temperature,
        }
    }

    /// Searches the most likely texts of one image, and makes the first of them the answer.
    async fn search(
        &self,
        features: Tensor<3>,
        count: usize,
        width: usize,
        prediction: &mut Prediction,
    ) -> Result<(), ModelError> {
        let found = beam_search(
            &self.network().decoder,
            features.clone(),
            &self.vocabulary,
            self.config.max_length,
            width,
            self.temperature,
        )
        .await?;
        let mut found = with_greedy(found, prediction, count);
        if let Some(first) = found.first_mut() {
            if first.text != prediction.text {
                *prediction = self.predict_text(features, &first.text, prediction).await?;
            }
            // They differ by rounding only.
            first.confidence = prediction.confidence;
        }
        prediction.alternatives = found;
        Ok(())
    }

    /// The prediction of a given text in the image of another prediction.
    async fn predict_text(
        &self,
        features: Tensor<3>,
        text: &str,
        other: &Prediction,
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
        let steps = read_back(rows(
            self.network().decoder.teacher_forced(features, inputs),
        ))
        .await?;
        Ok(self
            .prediction_builder(Some(other.grid))
            .teacher_forced(&steps, other.blank, &tokens))
    }
}

/// Steps in one tensor: `[batch, steps, vocabulary + positions]`.
fn rows(decoded: Decoded) -> Tensor<3> {
    Tensor::cat(vec![decoded.logits, decoded.attention], 2)
}
