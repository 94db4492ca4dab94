//! What a run adapts, and the images of its steps.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result};
use burn::tensor::Device;
use captcha_model::{ModelConfig, Weights};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use crate::data::batch::{Batcher, Prepared};
use crate::data::size_sorter::{SizeSorter, SizedBatch};
use crate::finetune::recipe::FinetuneRecipe;
use crate::finetune::stream::{Drawn, TrainingStream};
use crate::training::train::Session;

/// Largest share of a run that the warm-up of augmentation takes.
const LONGEST_AUGMENTATION_WARMUP: f64 = 0.25;
/// Strength of the augmentation at the start.
const INITIAL_AUGMENTATION: f64 = 0.5;
/// Separates the replaced tokens' random stream from the images'.
const TOKENS: u64 = 0x746f_6b65_6e73_0000;

/// The images of a part of a step, and the index of each image's file; `None` if it is generated.
pub(super) type PreparedPart = Vec<(Prepared, Option<usize>)>;

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
    /// The steps of the run, each with its parts. The images of a part have one input size: images
    /// of a rare size wait until they fill a part.
    pub(super) fn steps<'a>(
        &'a self,
        batcher: &'a Batcher,
    ) -> impl Iterator<Item = Result<Vec<PreparedPart>>> + 'a {
        let recipe = self.recipe;
        let mut sorter = SizeSorter::new(recipe.batch / recipe.parts);
        let mut numbers = (0..).step_by(recipe.batch);
        let mut ready: VecDeque<SizedBatch<(u64, Drawn)>> = VecDeque::new();
        (0..recipe.steps as u64).map(move |step| {
            let done = f64::from(f32::from_bits(self.done.load(Ordering::Relaxed)));
            let warmup = (step + 1) as f64 / recipe.augmentation_warmup_steps.max(1) as f64;
            let warmup = warmup.max(done / LONGEST_AUGMENTATION_WARMUP).min(1.0);
            while ready.len() < recipe.parts {
                let first: u64 = numbers.next().context("the series of images is endless")?;
                let strength = INITIAL_AUGMENTATION + (1.0 - INITIAL_AUGMENTATION) * warmup;
                let drawn: Vec<_> = (first..first + recipe.batch as u64)
                    .into_par_iter()
                    .map(|number| Ok((number, self.stream.draw(number, strength as f32)?)))
                    .collect::<Result<_>>()?;
                ready.extend(drawn.into_iter().filter_map(|one| {
                    let size = batcher.input_size(&one.1.example.image);
                    sorter.push(one, size)
                }));
            }
            let parts: Vec<_> = ready.drain(..recipe.parts).collect();
            let prepare = |part: SizedBatch<_>| self.prepare(batcher, &part, warmup);
            parts.into_iter().map(prepare).collect()
        })
    }

    fn prepare(
        &self,
        batcher: &Batcher,
        part: &SizedBatch<(u64, Drawn)>,
        warmup: f64,
    ) -> Result<PreparedPart> {
        let dropout = warmup * self.recipe.token_dropout;
        let prepare = |(number, drawn): &(u64, Drawn)| {
            let mut prepared = batcher.prepare_at(&drawn.example, part.size)?;
            let mut random = ChaCha8Rng::seed_from_u64(self.seed ^ TOKENS);
            random.set_stream(*number);
            batcher.replace_inputs(&mut prepared, dropout, &mut random);
            Ok((prepared, drawn.file))
        };
        part.items.par_iter().map(prepare).collect()
    }
}
