//! Training and validation steps of the network, for burn-train.

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, ExecutionError, Int, Tensor};
use burn::train::metric::{Adaptor, LossInput};
use burn::train::{InferenceStep, ItemLazy, TrainOutput, TrainStep};
use captcha_model::{ModelConfig, ModelError, Network};

use crate::training::importance_sampling::{gradient_norms, sample};
use crate::training::recipe::TrainingRecipe;
use crate::training::word_accuracy::WordAccuracyInput;
use captcha_learning::data::batch::Batch;
use captcha_learning::losses::{attention_losses, character_map_losses, text_loss, text_losses};

/// A network in training.
#[derive(Module, Debug)]
pub struct TrainingModel {
    /// The network; a weights file contains nothing else.
    pub network: Network,
    /// Auxiliary head for training: the character at each grid position. The encoder learns
    /// characters from it before attention has converged.
    pub character_map: Option<Linear>,
    character_map_weight: f64,
    attention_weight: f64,
    sampling_ratio: usize,
}

/// Output of a step, for the metrics.
#[derive(Debug)]
pub struct StepOutput {
    /// The text loss: `[1]`
    pub loss: Tensor<1>,
    /// `[batch, steps, vocabulary]`
    pub logits: Tensor<3>,
    /// `[batch, steps]`
    pub targets: Tensor<2, Int>,
}

/// The part of a batch that a step trains on.
struct SampledBatch {
    batch: Batch,
    /// Weight of each image in the objective: `[batch]`
    weights: Tensor<1>,
    /// Output for the whole batch.
    output: StepOutput,
}

impl TrainingModel {
    /// A network with random weights; it has an auxiliary head if the recipe gives that a weight.
    ///
    /// # Errors
    ///
    /// If the configuration is not valid.
    pub fn new(
        config: &ModelConfig,
        recipe: &TrainingRecipe,
        device: &Device,
    ) -> Result<Self, ModelError> {
        let character_map_weight = recipe.character_map_weight;
        let vocabulary = config.vocabulary()?.size();
        Ok(Self {
            network: config.init(device)?,
            character_map: (character_map_weight > 0.0)
                .then(|| LinearConfig::new(config.encoder.features, vocabulary).init(device)),
            character_map_weight,
            attention_weight: recipe.attention_weight,
            sampling_ratio: recipe.sampling_ratio,
        })
    }
}

impl TrainStep for TrainingModel {
    type Input = Batch;
    type Output = StepOutput;

    /// Teacher forcing: the input of the decoder is that of the batch, the true characters.
    fn step(&self, batch: Batch) -> TrainOutput<StepOutput> {
        let Some(sampled) = self.sample(&batch) else {
            let (objective, output) = self.forward(batch, None);
            return TrainOutput::new(self, objective.backward(), output);
        };
        let (objective, _) = self.forward(sampled.batch, Some(sampled.weights));
        TrainOutput::new(self, objective.backward(), sampled.output)
    }
}

impl TrainingModel {
    /// The objective of a batch, and the output for the metrics. `weights`, `[batch]`, are the
    /// images' weights in the objective, one by default.
    fn forward(&self, batch: Batch, weights: Option<Tensor<1>>) -> (Tensor<1>, StepOutput) {
        let features = self.network.encoder.forward(batch.images);
        let decoded = self
            .network
            .decoder
            .teacher_forced(features.clone(), batch.inputs);
        let losses = text_losses(decoded.logits.clone(), batch.targets.clone());
        let mean = |losses: Tensor<1>| match &weights {
            Some(weights) => (losses * weights.clone()).mean(),
            None => losses.mean(),
        };
        let loss = mean(losses);
        let mut objective = loss.clone();
        if let (Some(head), Some(map)) = (&self.character_map, batch.character_map) {
            let characters = mean(character_map_losses(head.forward(features), map));
            objective = objective + characters.mul_scalar(self.character_map_weight);
        }
        if let (Some(boxes), true) = (batch.boxes, self.attention_weight > 0.0) {
            let attention = mean(attention_losses(decoded.attention, boxes));
            objective = objective + attention.mul_scalar(self.attention_weight);
        }
        let output = StepOutput {
            loss,
            logits: decoded.logits,
            targets: batch.targets,
        };
        (objective, output)
    }

    /// Scores a batch without autodiff and samples the part to train on. `None` if the whole batch
    /// is used: without importance sampling, or if the device fails, which the metrics then report.
    fn sample(&self, batch: &Batch) -> Option<SampledBatch> {
        if self.sampling_ratio == 1 {
            return None;
        }
        let scored = batch.clone().without_autodiff();
        let (_, output) = self.valid().forward(scored, None);
        let [images, _] = output.targets.dims();
        let scores = gradient_norms(output.logits.clone(), output.targets.clone()).ok()?;
        let sampled = sample(&scores, images.div_ceil(self.sampling_ratio));
        let device = batch.images.device();
        let weights = Tensor::from_floats(sampled.weights.as_slice(), &device);
        Some(SampledBatch {
            batch: batch.clone().select(&sampled.indices),
            weights,
            output,
        })
    }
}

impl InferenceStep for TrainingModel {
    type Input = Batch;
    type Output = StepOutput;

    /// Greedy decoding, as in inference.
    fn step(&self, batch: Batch) -> StepOutput {
        let [_, steps] = batch.targets.dims();
        let decoded = self.network.forward(batch.images, steps);
        let loss = text_loss(decoded.logits.clone(), batch.targets.clone());
        StepOutput {
            loss,
            logits: decoded.logits,
            targets: batch.targets,
        }
    }
}

impl ItemLazy for StepOutput {
    fn sync(self) -> Result<Self, ExecutionError> {
        self.loss.device().flush()?;
        Ok(Self {
            loss: self.loss.without_autodiff(),
            logits: self.logits.without_autodiff(),
            targets: self.targets.without_autodiff(),
        })
    }
}

impl Adaptor<LossInput> for StepOutput {
    fn adapt(&self) -> LossInput {
        LossInput::new(self.loss.clone())
    }
}

impl Adaptor<WordAccuracyInput> for StepOutput {
    fn adapt(&self) -> WordAccuracyInput {
        WordAccuracyInput {
            logits: self.logits.clone(),
            targets: self.targets.clone(),
        }
    }
}
