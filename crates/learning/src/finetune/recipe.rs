//! The recipe of fine-tuning.

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};

use crate::data::augmentation::Augmentation;

/// How a trained network is adapted to labelled images.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FinetuneRecipe {
    /// Most steps of a run.
    pub steps: usize,
    /// Images in a step.
    pub batch: usize,
    /// Parts of a step's batch. The CPU computes them at the same time; batch norm has the
    /// statistics of a part.
    pub parts: usize,
    /// Peak learning rate; it falls to zero along half a cosine, or faster once the run does not
    /// improve any more.
    pub learning_rate: f64,
    /// Steps of the linear warm-up.
    pub warmup_steps: usize,
    /// Decoupled weight decay (AdamW).
    pub weight_decay: f64,
    /// Largest norm of a parameter's gradient.
    pub gradient_clip: Option<f32>,
    /// Keeps the batch norm statistics of the initial weights if these know all characters of the
    /// labels. Otherwise batch norm learns the statistics of the new images.
    pub fixed_norm_if_known: bool,
    /// Share of the characters in the decoder's input that are replaced by random ones, so that the
    /// decoder reads the image and does not learn the labels by heart (word dropout: Bowman et al.
    /// 2016, "Generating Sentences from a Continuous Space").
    pub token_dropout: f64,
    /// Decay per step of the moving average of the weights.
    pub average_decay: f32,
    /// Steps between two validations.
    pub validate_every: usize,
    /// Validations without a smaller loss after which the learning rate falls to zero, which ends the
    /// run.
    pub patience: usize,
    /// Pixels of the network's input, as a share of those of the initial network's input. The
    /// input has the proportions of the images. `None` keeps the initial network's input.
    #[serde(default)]
    pub input_pixel_share: Option<f64>,
    /// Share of the images that are generated with random looks and the labels' characters.
    pub random_look_share: f64,
    /// Share of the images that are generated with the built-in looks nearest to the labelled
    /// images and with the labels' characters.
    pub nearest_look_share: f64,
    /// The nearest looks are mixed in only if the labels have characters that the generator draws and
    /// the initial network does not know, and if such a character is on average in fewer training
    /// images than this.
    pub nearest_looks_below: f64,
    /// Share of the images that are generated with the looks that the initial weights were trained
    /// on, of those whose characters the labels all have.
    pub initial_look_share: f64,
    /// Steps in which augmentation grows from half to full strength, and token dropout from none to
    /// its share: new characters are learned sooner from images that change little. In a short run
    /// they take at most a quarter of it.
    pub augmentation_warmup_steps: usize,
    /// Changes of the images.
    pub augmentation: Augmentation,
}

impl FinetuneRecipe {
    /// The recipe that `captcha-lens finetune` uses.
    ///
    /// # Errors
    ///
    /// Never, as a test checks.
    pub fn standard() -> Result<Self> {
        Self::parse(include_str!("../../finetune.toml"))
    }

    /// Parses a recipe.
    ///
    /// # Errors
    ///
    /// If a value is missing, unknown or out of its range.
    pub fn parse(text: &str) -> Result<Self> {
        let recipe: Self = toml::from_str(text).context("the recipe is not valid")?;
        let counts = [
            recipe.steps,
            recipe.batch,
            recipe.parts,
            recipe.validate_every,
            recipe.patience,
        ];
        ensure!(
            counts.iter().all(|count| (1..=10_000_000).contains(count)),
            "steps, batch, parts, validate_every and patience must be at least 1"
        );
        ensure!(
            recipe.batch.is_multiple_of(recipe.parts),
            "batch must be a multiple of parts"
        );
        let shares = [
            recipe.random_look_share,
            recipe.nearest_look_share,
            recipe.initial_look_share,
        ];
        ensure!(
            shares.iter().all(|share| *share >= 0.0) && shares.iter().sum::<f64>() < 1.0,
            "random_look_share, nearest_look_share and initial_look_share must be at least 0 and \
             together below 1"
        );
        ensure!(
            recipe.nearest_looks_below >= 0.0,
            "nearest_looks_below must be at least 0"
        );
        ensure!(
            (0.0..1.0).contains(&recipe.average_decay)
                && (0.0..1.0).contains(&recipe.token_dropout),
            "average_decay and token_dropout must be at least 0 and below 1"
        );
        recipe.augmentation.check()?;
        Ok(recipe)
    }
}
