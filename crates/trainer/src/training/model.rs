//! The network as burn-train sees it: loss and steps. The model crate knows nothing of training.

use burn::module::{Module, Param};
use burn::nn::{Linear, LinearConfig};
use burn::tensor::activation::log_softmax;
use burn::tensor::{Device, ExecutionError, Int, Tensor};
use burn::train::metric::{Adaptor, LossInput};
use burn::train::{InferenceStep, ItemLazy, TrainOutput, TrainStep};
use captcha_model::{ModelConfig, ModelError, Network, Vocabulary};

use crate::data::batch::Batch;
use crate::training::importance_sampling::{gradient_norms, select};
use crate::training::recipe::TrainingRecipe;
use crate::training::word_accuracy::WordAccuracyInput;

/// A network in training.
#[derive(Module, Debug)]
pub struct Trainee {
    /// What is trained, and all that is kept in the end.
    pub network: Network,
    /// Auxiliary head, used in training only: the character at each grid position. It teaches the
    /// encoder characters before the decoder has learnt where to look; attention is not supervised.
    pub character_map: Option<Linear>,
    character_map_weight: f64,
    candidates: usize,
}

/// What a step leaves for the metrics.
#[derive(Debug)]
pub struct StepOutput {
    /// Cross-entropy of the text, summed over its steps, averaged over the batch: `[1]`
    pub loss: Tensor<1>,
    /// `[batch, steps, vocabulary]`
    pub logits: Tensor<3>,
    /// `[batch, steps]`
    pub targets: Tensor<2, Int>,
}

impl Trainee {
    /// A fresh network with its auxiliary head, if that has any weight.
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
            candidates: recipe.candidates,
        })
    }

    /// From here on batch norm keeps its statistics, in training too.
    pub fn fix_norm(&mut self) {
        for norm in self
            .network
            .encoder
            .blocks
            .iter_mut()
            .filter_map(|block| block.norm.as_mut())
        {
            norm.training = Param::from_bool(false);
        }
    }
}

impl TrainStep for Trainee {
    type Input = Batch;
    type Output = StepOutput;

    /// Teacher forcing: the decoder is given the true characters before the one it has to answer.
    fn step(&self, batch: Batch) -> TrainOutput<StepOutput> {
        let Some((learnt, weights, seen)) = self.choose(&batch) else {
            let (objective, output) = self.learn(batch, None);
            return TrainOutput::new(self, objective.backward(), output);
        };
        let (objective, _) = self.learn(learnt, Some(weights));
        TrainOutput::new(self, objective.backward(), seen)
    }
}

impl Trainee {
    /// What is minimised on a batch, and what the metrics see; each image counts for its weight,
    /// `[batch]`, or for one.
    fn learn(&self, batch: Batch, weights: Option<Tensor<1>>) -> (Tensor<1>, StepOutput) {
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
        let objective = match (&self.character_map, batch.character_map) {
            (Some(head), Some(map)) => {
                let characters = mean(character_map_losses(head.forward(features), map));
                loss.clone() + characters.mul_scalar(self.character_map_weight)
            }
            _ => loss.clone(),
        };
        let output = StepOutput {
            loss,
            logits: decoded.logits,
            targets: batch.targets,
        };
        (objective, output)
    }

    /// Reads a batch as it is, without a way back, and takes the part of it that is worth learning
    /// from; none if all of it is to be learnt from, as it is where the answers cannot be read back:
    /// burn says so in the metrics, which read them too.
    fn choose(&self, batch: &Batch) -> Option<(Batch, Tensor<1>, StepOutput)> {
        if self.candidates == 1 {
            return None;
        }
        let seen = batch.clone().without_autodiff();
        let (_, output) = self.valid().learn(seen, None);
        let [images, _] = output.targets.dims();
        let scores = gradient_norms(output.logits.clone(), output.targets.clone()).ok()?;
        let chosen = select(&scores, images.div_ceil(self.candidates));
        let device = batch.images.device();
        let weights = Tensor::from_floats(chosen.weights.as_slice(), &device);
        Some((batch.clone().select(&chosen.indices), weights, output))
    }
}

impl InferenceStep for Trainee {
    type Input = Batch;
    type Output = StepOutput;

    /// Greedy reading, as it is used.
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

/// Negative log-likelihood of each target.
///
/// # Shapes
///
/// - `logits`: `[batch, steps, classes]`
/// - `targets` and output: `[batch, steps]`
fn negative_log_likelihood(logits: Tensor<3>, targets: Tensor<2, Int>) -> Tensor<2> {
    log_softmax(logits, 2)
        .gather(2, targets.unsqueeze_dim(2))
        .squeeze_dim(2)
        .neg()
}

/// Cross-entropy with padding masked to zero, summed over the steps, averaged over the batch
/// (paper, "Training"; its printed values are this over 7).
pub fn text_loss(logits: Tensor<3>, targets: Tensor<2, Int>) -> Tensor<1> {
    text_losses(logits, targets).mean()
}

/// The same for each image: `[batch]`.
fn text_losses(logits: Tensor<3>, targets: Tensor<2, Int>) -> Tensor<1> {
    let counts = targets
        .clone()
        .not_equal_elem(Vocabulary::PAD as i32)
        .float();
    let losses = negative_log_likelihood(logits, targets) * counts;
    losses.sum_dim(1).squeeze_dim(1)
}

/// Cross-entropy of each image's character map: the mean over cells with a character plus the mean over
/// cells without, so that the many empty cells do not drown the few that matter.
///
/// # Shapes
///
/// - `logits`: `[batch, positions, classes]`
/// - `map`: `[batch, positions]`
/// - output: `[batch]`
pub fn character_map_losses(logits: Tensor<3>, map: Tensor<2, Int>) -> Tensor<1> {
    let filled = map.clone().not_equal_elem(Vocabulary::PAD as i32).float();
    let losses = negative_log_likelihood(logits, map);
    let mean = |cells: Tensor<2>| {
        (losses.clone() * cells.clone()).sum_dim(1) / cells.sum_dim(1).clamp_min(1.0)
    };
    let both: Tensor<2> = mean(filled.clone()) + mean(filled.neg().add_scalar(1.0));
    both.squeeze_dim(1)
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
