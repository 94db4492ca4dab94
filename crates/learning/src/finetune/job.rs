//! What a run adapts, and the images of its steps.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::Result;
use burn::tensor::Device;
use captcha_evaluation::data::splits::HashedFile;
use captcha_evaluation::data::{Dataset, Example};
use captcha_evaluation::files::{hash, hex};
use captcha_model::{ModelConfig, Network, Weights};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use crate::data::batch::{Batcher, Prepared};
use crate::data::size_sorter::{SizeSorter, SizedBatch};
use crate::finetune::images::LabelledImages;
use crate::finetune::recipe::FinetuneRecipe;
use crate::finetune::stream::{Drawn, TrainingStream};
use crate::finetune::validate::temperature;
use crate::weights::alphabet::with_alphabet;

/// Largest share of a run that the warm-up of augmentation takes.
const LONGEST_AUGMENTATION_WARMUP: f64 = 0.25;
/// Strength of the augmentation at the start.
const INITIAL_AUGMENTATION: f64 = 0.5;
/// Separates the replaced tokens' random stream from the images'.
const TOKENS: u64 = 0x746f_6b65_6e73_0000;

/// The images of a part of a step, and the index of each image's file; `None` if it is generated.
pub type PreparedPart = Vec<(Prepared, Option<usize>)>;

/// Generated images beside the labelled ones.
#[derive(Default)]
pub struct Generated {
    /// Images that are trained on, and their share of all images.
    pub images: Option<(Arc<dyn Dataset>, f64)>,
    /// Images of the look that the initial weights were trained on, which the network should still
    /// read; none if it may forget that look.
    pub retained: Vec<Example>,
}

/// What a run adapts, and to which images.
pub struct Job {
    pub(super) config: ModelConfig,
    /// The initial weights, with the alphabet of the labels.
    pub(super) weights: Weights,
    pub(super) recipe: FinetuneRecipe,
    /// Keeps the batch norm statistics of the initial weights.
    pub(super) fixed_norm: bool,
    pub(super) stream: TrainingStream,
    /// Preprocessed validation images.
    pub(super) validation: Vec<Prepared>,
    /// Preprocessed images that the network should still read.
    pub(super) retained: Vec<Prepared>,
    pub(super) device: Device,
    pub(super) seed: u64,
    /// Share of the run that is done, as the bits of an `f32`, for the thread that prepares images.
    done: AtomicU32,
}

impl Job {
    /// Adapts the weights `from` to the training part of labelled images.
    ///
    /// # Errors
    ///
    /// If an image cannot be read any more, or the weights do not fit.
    pub fn new(
        images: &LabelledImages,
        from: &Weights,
        recipe: FinetuneRecipe,
        generated: Generated,
        device: Device,
        seed: u64,
    ) -> Result<Self> {
        let config = images.network(&from.config, recipe.input_pixel_share);
        let knows_all = images
            .alphabet
            .chars()
            .all(|character| from.config.alphabet.contains(character));
        let batcher = Batcher::new(config.clone())?;
        let train = images.parts.train.iter().map(|image| image.file.clone());
        let validation = |image: &HashedFile| {
            batcher.prepare(&Example {
                image: images.source.image(&image.file.path)?,
                text: image.file.text.clone(),
                characters: None,
                rendering: None,
            })
        };
        Ok(Self {
            weights: with_alphabet(from, &config)?,
            fixed_norm: recipe.fixed_norm_if_known && knows_all,
            stream: TrainingStream::new(
                train.collect(),
                images.source.clone(),
                generated.images,
                recipe.augmentation.clone(),
                config.clone(),
                seed,
            )?,
            validation: images
                .parts
                .validation
                .par_iter()
                .map(validation)
                .collect::<Result<_>>()?,
            retained: generated
                .retained
                .par_iter()
                .map(|example| batcher.prepare(example))
                .collect::<Result<_>>()?,
            config,
            recipe,
            device,
            seed,
            done: AtomicU32::new(0),
        })
    }

    /// The configuration of the adapted network.
    pub fn config(&self) -> &ModelConfig {
        &self.config
    }

    /// Number of validation images.
    pub fn validation_images(&self) -> usize {
        self.validation.len()
    }

    /// Most steps of the run, and images in a step.
    pub fn size(&self) -> (usize, usize) {
        (self.recipe.steps, self.recipe.batch)
    }

    /// The temperature at which a network's confidence equals its accuracy on the validation images
    /// (Guo et al. 2017); `None` if they do not suffice for it.
    ///
    /// # Errors
    ///
    /// If the device fails.
    pub fn temperature(&self, network: &Network) -> Result<Option<f64>> {
        temperature(network, &self.config, &self.validation, &self.device)
    }

    /// A hash of what a run of this job depends on, in hexadecimal digits.
    ///
    /// # Errors
    ///
    /// If the recipe cannot be written as JSON.
    pub fn digest(&self) -> Result<String> {
        let parts = serde_json::to_vec(&(
            &self.recipe,
            &self.config,
            &self.stream.labels(),
            self.validation.len(),
            self.seed,
        ))?;
        Ok(hex(&hash(&parts)))
    }

    pub(super) fn set_done(&self, share: f64) {
        let bits = (share as f32).to_bits();
        self.done.store(bits, Ordering::Relaxed);
    }

    fn done(&self) -> f64 {
        f64::from(f32::from_bits(self.done.load(Ordering::Relaxed)))
    }
}

/// The steps of a run, each with its parts. The images of a part have one input size: images of a
/// rare size wait until they fill a part.
pub struct Steps {
    job: Arc<Job>,
    batcher: Batcher,
    sorter: SizeSorter<(u64, Drawn)>,
    /// The next image of the series.
    number: u64,
    ready: VecDeque<SizedBatch<(u64, Drawn)>>,
    step: usize,
}

impl Steps {
    /// The steps from `first` on.
    ///
    /// # Errors
    ///
    /// If the network's alphabet is not valid.
    pub fn new(job: Arc<Job>, first: usize) -> Result<Self> {
        let FinetuneRecipe { batch, parts, .. } = job.recipe;
        Ok(Self {
            batcher: Batcher::new(job.config.clone())?,
            sorter: SizeSorter::new(batch / parts),
            number: (first * batch) as u64,
            ready: VecDeque::new(),
            step: first,
            job,
        })
    }

    fn prepare_step(&mut self) -> Result<Vec<PreparedPart>> {
        let recipe = &self.job.recipe;
        let warmup = (self.step + 1) as f64 / recipe.augmentation_warmup_steps.max(1) as f64;
        let warmup = warmup
            .max(self.job.done() / LONGEST_AUGMENTATION_WARMUP)
            .min(1.0);
        let strength = INITIAL_AUGMENTATION + (1.0 - INITIAL_AUGMENTATION) * warmup;
        while self.ready.len() < recipe.parts {
            let numbers = self.number..self.number + recipe.batch as u64;
            self.number = numbers.end;
            let drawn: Vec<_> = numbers
                .into_par_iter()
                .map(|number| Ok((number, self.job.stream.draw(number, strength as f32)?)))
                .collect::<Result<_>>()?;
            for one in drawn {
                let size = self.batcher.input_size(&one.1.example.image);
                self.ready.extend(self.sorter.push(one, size));
            }
        }
        let parts: Vec<_> = self.ready.drain(..recipe.parts).collect();
        let prepare = |part: SizedBatch<_>| self.prepare_part(&part, warmup);
        parts.into_iter().map(prepare).collect()
    }

    fn prepare_part(&self, part: &SizedBatch<(u64, Drawn)>, warmup: f64) -> Result<PreparedPart> {
        let dropout = warmup * self.job.recipe.token_dropout;
        let prepare = |(number, drawn): &(u64, Drawn)| {
            let mut prepared = self.batcher.prepare_at(&drawn.example, part.size)?;
            let mut random = ChaCha8Rng::seed_from_u64(self.job.seed ^ TOKENS);
            random.set_stream(*number);
            self.batcher
                .replace_inputs(&mut prepared, dropout, &mut random);
            Ok((prepared, drawn.file))
        };
        part.items.par_iter().map(prepare).collect()
    }
}

impl Iterator for Steps {
    type Item = Result<Vec<PreparedPart>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.step >= self.job.recipe.steps {
            return None;
        }
        let prepared = self.prepare_step();
        self.step += 1;
        Some(prepared)
    }
}
