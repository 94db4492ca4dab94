//! Run presets: which network, on what data, trained how.

use std::fmt;

use anyhow::{Context, Result, ensure};
use captcha_model::ModelConfig;
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize};

/// A whole run, as a preset file says it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// The network.
    pub model: Model,
    /// What generated data is made of.
    pub data: DataRecipe,
    /// How it is trained.
    pub training: TrainingRecipe,
}

/// A network by its preset's name, or spelled out.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Model {
    /// `paper` or `compact`.
    Named(String),
    /// All of its configuration.
    Custom(ModelConfig),
}

/// By hand, because serde's own for untagged enums does not say what is wrong with a configuration.
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

/// What generated training images hold; a labelled folder is taken as it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataRecipe {
    /// Share of random strings among the texts; the rest are listed words.
    pub random_share: f64,
    /// Share of images without any character.
    pub blank_share: f64,
    /// Share of images whose face is bent out of its shape, another way each time.
    #[serde(default)]
    pub bent_share: f64,
    /// Share of images set in one of more faces, which no test has.
    #[serde(default)]
    pub more_faces_share: f64,
    /// Share of images that are cut, scaled and compressed before they are read.
    #[serde(default)]
    pub degraded_share: f64,
}

/// The optimisation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainingRecipe {
    /// Epochs in all.
    pub epochs: usize,
    /// Images in an epoch of generated data; a labelled folder's epoch is the folder.
    pub images_per_epoch: usize,
    /// Images of the validation split read after each epoch, at most.
    pub validation_images: usize,
    /// Images that a step learns from.
    pub batch: usize,
    /// Images that a step reads for each that it learns from ([`selection`](crate::selection)).
    #[serde(default = "one")]
    pub candidates: usize,
    /// What moves the weights ([`optimizer`](mod@crate::optimizer)).
    #[serde(default)]
    pub optimizer: Optimizer,
    /// Peak learning rate.
    pub learning_rate: f64,
    /// Steps over which the rate rises linearly to its peak.
    pub warmup_steps: usize,
    /// What the rate does then.
    pub schedule: Schedule,
    /// Decoupled weight decay (AdamW); zero is plain Adam.
    pub weight_decay: f64,
    /// Largest norm of a parameter's gradient, which is the sum of the devices'.
    pub gradient_clip: Option<f32>,
    /// Weight of the auxiliary character map in the loss; zero leaves it out. It needs character boxes,
    /// which generated data has and a labelled folder has not.
    #[serde(alias = "letter_map_weight")]
    pub character_map_weight: f64,
    /// Keep batch norm's statistics as the first weights have them: the network then trains as it
    /// is used. For runs that go on from a trained network.
    #[serde(default)]
    pub fixed_norm: bool,
}

/// Bound of all counts: far beyond use, and their products can be counted.
const MOST: usize = 100_000_000;

fn one() -> usize {
    1
}

/// What moves the weights.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Optimizer {
    /// AdamW for all.
    #[default]
    Adamw,
    /// Muon for the matrices, AdamW for the rest.
    Muon,
}

/// Course of the learning rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Schedule {
    /// Stays at the peak.
    Constant,
    /// Falls to zero along a half cosine over all epochs.
    Cosine,
}

impl Recipe {
    /// A preset by name, or a file of the same form.
    pub fn load(preset: &str) -> Result<Self> {
        let text = match preset {
            "compact" => include_str!("../../presets/compact.toml").to_owned(),
            "compact-continued" => {
                include_str!("../../presets/compact-continued.toml").to_owned()
            }
            "paper" => include_str!("../../presets/paper.toml").to_owned(),
            path => std::fs::read_to_string(path).with_context(|| {
                format!("{path:?} is neither a preset (compact, compact-continued, paper) nor a file that can be read")
            })?,
        };
        let recipe: Self =
            toml::from_str(&text).with_context(|| format!("preset {preset:?} is not valid"))?;
        recipe
            .check()
            .with_context(|| format!("preset {preset:?} is not valid"))?;
        Ok(recipe)
    }

    /// The network's configuration.
    pub fn model(&self) -> Result<ModelConfig> {
        let config = match &self.model {
            Model::Custom(config) => config.clone(),
            Model::Named(name) => ModelConfig::preset(name).with_context(|| {
                format!(
                    "no network is called {name:?}; there are {:?}",
                    ModelConfig::PRESETS
                )
            })?,
        };
        config.validate()?;
        Ok(config)
    }

    /// Whether a run of it can be begun.
    pub fn check(&self) -> Result<()> {
        let (data, training) = (&self.data, &self.training);
        for (name, share) in [
            ("random_share", data.random_share),
            ("blank_share", data.blank_share),
            ("bent_share", data.bent_share),
            ("more_faces_share", data.more_faces_share),
            ("degraded_share", data.degraded_share),
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
            ("candidates", training.candidates),
        ] {
            ensure!(
                (1..=MOST).contains(&number),
                "{name} must be at least 1, and at most {MOST}"
            );
        }
        ensure!(
            training.learning_rate > 0.0 && training.learning_rate <= 1.0,
            "learning_rate must lie between 0 and 1"
        );
        for (name, number) in [
            ("character_map_weight", training.character_map_weight),
            ("weight_decay", training.weight_decay),
        ] {
            ensure!(
                number >= 0.0 && number.is_finite(),
                "{name} must be a number, and not negative"
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
