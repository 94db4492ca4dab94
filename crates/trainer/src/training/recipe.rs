//! Recipes: network, data and optimization of a run, as a preset file describes them.

use std::fmt;

use anyhow::{Context, Result, ensure};
use captcha_model::ModelConfig;
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize};

use crate::data::mixture::MixedLooks;

/// A whole run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// The network.
    pub model: Model,
    /// The synthetic images.
    pub data: DataRecipe,
    /// The optimization.
    pub training: TrainingRecipe,
}

/// A network by name or by configuration.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Model {
    /// `paper` or `compact`.
    Named(String),
    /// The whole configuration.
    Custom(ModelConfig),
}

/// Hand-written, because serde's derived code for untagged enums does not report what is wrong with
/// a configuration.
impl<'de> Deserialize<'de> for Model {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameOrTable;

        impl<'de> Visitor<'de> for NameOrTable {
            type Value = Model;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a network, or its whole configuration")
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<Model, E> {
                Ok(Model::Named(name.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, table: A) -> Result<Model, A::Error> {
                ModelConfig::deserialize(MapAccessDeserializer::new(table)).map(Model::Custom)
            }
        }

        deserializer.deserialize_any(NameOrTable)
    }
}

/// The synthetic training images; a labelled folder is used unchanged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataRecipe {
    /// The looks of the images, as [`MixedLooks::parse`] reads them, unless the user names others.
    #[serde(default = "words")]
    pub looks: String,
    /// Share of random strings among the texts; the others are listed words.
    pub random_share: f64,
    /// Share of images without any character.
    pub blank_share: f64,
    /// Share of images with randomly distorted glyphs.
    #[serde(default, alias = "bent_share")]
    pub distortion_share: f64,
    /// Share of images in one of the extra fonts, which no test image uses.
    #[serde(default, alias = "more_faces_share")]
    pub extra_fonts_share: f64,
    /// Share of augmented images: randomly cropped, resized and compressed.
    #[serde(default, alias = "degraded_share")]
    pub augmented_share: f64,
}

/// The optimization.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainingRecipe {
    /// Number of epochs.
    pub epochs: usize,
    /// Images in an epoch of synthetic data; an epoch of a labelled folder has all its images.
    pub images_per_epoch: usize,
    /// Largest number of validation images.
    pub validation_images: usize,
    /// Images in a training step.
    pub batch: usize,
    /// Images that a step scores for each image that it trains on
    /// ([`importance_sampling`](crate::training::importance_sampling)).
    #[serde(default = "one", alias = "candidates")]
    pub sampling_ratio: usize,
    /// The optimizer.
    #[serde(default)]
    pub optimizer: Optimizer,
    /// Peak learning rate.
    pub learning_rate: f64,
    /// Steps of the linear warm-up.
    pub warmup_steps: usize,
    /// The learning rate after the warm-up.
    pub schedule: Schedule,
    /// Decoupled weight decay (AdamW); zero is plain Adam.
    pub weight_decay: f64,
    /// Largest norm of a parameter's gradient, summed over the devices.
    pub gradient_clip: Option<f32>,
    /// Weight of the auxiliary character map in the loss; zero disables it. It needs the positions
    /// of the characters, which only synthetic data has.
    #[serde(alias = "letter_map_weight")]
    pub character_map_weight: f64,
    /// Weight of the attention loss, which asks for attention within the bounding box of the
    /// character that is read ([`losses`](crate::training::losses)); zero disables it. It needs the
    /// boxes of the characters, which only synthetic data has.
    #[serde(default)]
    pub attention_weight: f64,
    /// Keeps the batch norm statistics of the initial weights, so that the network computes the
    /// same in training as in inference. For runs that start from a trained network.
    #[serde(default)]
    pub fixed_norm: bool,
}

/// Largest value of all counts; their products do not overflow.
const MAX_COUNT: usize = 100_000_000;

/// The presets by name.
const PRESETS: [(&str, &str); 4] = [
    ("compact", include_str!("../../presets/compact.toml")),
    (
        "compact-continued",
        include_str!("../../presets/compact-continued.toml"),
    ),
    ("general", include_str!("../../presets/general.toml")),
    ("paper", include_str!("../../presets/paper.toml")),
];

fn one() -> usize {
    1
}

fn words() -> String {
    "words".into()
}

/// The optimizer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Optimizer {
    /// AdamW for all parameters.
    #[default]
    Adamw,
    /// Muon for matrices, AdamW for the others.
    Muon,
}

/// The learning rate after the warm-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Schedule {
    /// Stays at the peak.
    Constant,
    /// Falls to zero along half a cosine over all epochs.
    Cosine,
}

impl Recipe {
    /// Loads a preset by name, or a file in the same format.
    ///
    /// # Errors
    ///
    /// If there is no such preset or file, or it is not valid.
    pub fn load(preset: &str) -> Result<Self> {
        let known = PRESETS.iter().find(|(name, _)| *name == preset);
        let text = match known {
            Some((_, text)) => (*text).to_owned(),
            None => std::fs::read_to_string(preset).with_context(|| {
                format!(
                    "{preset:?} is neither a preset ({}) nor a readable file",
                    Self::preset_names().join(", ")
                )
            })?,
        };
        let recipe: Self =
            toml::from_str(&text).with_context(|| format!("preset {preset:?} is not valid"))?;
        let checked = recipe.check().and_then(|()| {
            // Not part of `check`: a recorded recipe may name a look file that has moved since.
            MixedLooks::parse(&recipe.data.looks).map(|_| ())
        });
        checked.with_context(|| format!("preset {preset:?} is not valid"))?;
        Ok(recipe)
    }

    /// The names of the presets.
    pub fn preset_names() -> [&'static str; PRESETS.len()] {
        PRESETS.map(|(name, _)| name)
    }

    /// The configuration of the network.
    ///
    /// # Errors
    ///
    /// If there is no network of this name, or the configuration is not valid.
    pub fn model(&self) -> Result<ModelConfig> {
        let config = match &self.model {
            Model::Custom(config) => config.clone(),
            Model::Named(name) => ModelConfig::preset(name).with_context(|| {
                format!(
                    "there is no network {name:?}; there are {:?}",
                    ModelConfig::PRESETS
                )
            })?,
        };
        config.validate()?;
        Ok(config)
    }

    /// Checks that all values are valid.
    ///
    /// # Errors
    ///
    /// If a value is not; the message names it.
    pub fn check(&self) -> Result<()> {
        let (data, training) = (&self.data, &self.training);
        for (name, share) in [
            ("random_share", data.random_share),
            ("blank_share", data.blank_share),
            ("distortion_share", data.distortion_share),
            ("extra_fonts_share", data.extra_fonts_share),
            ("augmented_share", data.augmented_share),
        ] {
            ensure!(
                (0.0..=1.0).contains(&share),
                "{name} must lie between 0 and 1"
            );
        }
        for (name, number) in [
            ("epochs", training.epochs),
            ("images_per_epoch", training.images_per_epoch),
            ("validation_images", training.validation_images),
            ("batch", training.batch),
            ("sampling_ratio", training.sampling_ratio),
        ] {
            ensure!(
                (1..=MAX_COUNT).contains(&number),
                "{name} must be at least 1, and at most {MAX_COUNT}"
            );
        }
        ensure!(
            training.learning_rate > 0.0 && training.learning_rate <= 1.0,
            "learning_rate must lie between 0 and 1"
        );
        for (name, number) in [
            ("character_map_weight", training.character_map_weight),
            ("attention_weight", training.attention_weight),
            ("weight_decay", training.weight_decay),
        ] {
            ensure!(
                number >= 0.0 && number.is_finite(),
                "{name} must be a number that is not negative"
            );
        }
        ensure!(
            training
                .gradient_clip
                .is_none_or(|norm| norm > 0.0 && norm.is_finite()),
            "gradient_clip must be a number above zero"
        );
        self.model().map(|_| ())
    }
}
