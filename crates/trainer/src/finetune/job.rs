//! What a run adapts, and the images of its steps.

use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::Result;
use burn::tensor::Device;
use captcha_model::{ModelConfig, Weights};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::data::batch::{Batcher, Prepared};
use crate::finetune::recipe::FinetuneRecipe;
use crate::finetune::stream::{Drawn, TrainingStream};
use crate::training::train::Session;

/// Largest share of a run that the warm-up of augmentation takes.
const LONGEST_AUGMENTATION_WARMUP: f64 = 0.25;
/// Strength of the augmentation at the start.
const INITIAL_AUGMENTATION: f64 = 0.5;
/// Separates the replaced tokens' random stream from the images'.
const TOKENS: u64 = 0x746f_6b65_6e73_0000;

/// What a run adapts, and to which images.
pub(super) struct Job<'a> {
    pub(super) config: &'a ModelConfig,
    pub(super) weights: &'a Weights,
    pub(super) recipe: &'a FinetuneRecipe,
    /// Keeps the batch norm statistics of the initial weights.
    pub(super) fixed_norm: bool,
    pub(super) stream: &'a TrainingStream,
    /// Preprocessed validation images.
    pub(super) validation: &'a [Prepared],
    /// Preprocessed images of the look that the initial weights were trained on; none if the network
    /// may forget it.
    pub(super) retained: &'a [Prepared],
    pub(super) device: &'a Device,
    pub(super) session: &'a Session,
    /// Share of the run that is done, as the bits of an `f32`, for the thread that prepares images.
    pub(super) done: AtomicU32,
    pub(super) seed: u64,
}

impl Job<'_> {
    /// An image of a step, and the index of its file.
    pub(super) fn prepare(
        &self,
        batcher: &Batcher,
        step: u64,
        number: u64,
    ) -> Result<(Prepared, Option<usize>)> {
        let done = f64::from(f32::from_bits(self.done.load(Ordering::Relaxed)));
        let warmup = (step + 1) as f64 / self.recipe.augmentation_warmup_steps.max(1) as f64;
        let warmup = warmup.max(done / LONGEST_AUGMENTATION_WARMUP).min(1.0);
        let strength = INITIAL_AUGMENTATION + (1.0 - INITIAL_AUGMENTATION) * warmup;
        let Drawn { example, file } = self.stream.draw(number, strength as f32)?;
        let mut prepared = batcher.prepare(&example)?;
        let mut random = ChaCha8Rng::seed_from_u64(self.seed ^ TOKENS);
        random.set_stream(number);
        let dropout = warmup * self.recipe.token_dropout;
        batcher.replace_inputs(&mut prepared, dropout, &mut random);
        Ok((prepared, file))
    }
}
