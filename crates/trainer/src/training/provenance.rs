//! The record of how a network was trained.

use anyhow::Result;
use captcha_model::ModelConfig;
use serde::{Deserialize, Serialize};

use crate::training::recipe::Recipe;

/// The origin of a network: enough to train it again. A record that is written to `run.json` and to
/// weights files.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Provenance {
    /// The recipe as the run uses it.
    pub recipe: Recipe,
    /// The network that the recipe names; a later version may have another network of this name.
    /// `None` in runs of versions that did not record it, and in weights files, which have their
    /// own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<ModelConfig>,
    /// The training data: a folder or `synth:LOOKS`.
    pub data: String,
    /// Absolute path of the labelled folder. Only in a run's folder: a weights file does not reveal
    /// paths.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<String>,
    /// Digest of the labelled folder's images, labels and parts. `None` for synthetic images, and
    /// in runs of versions that did not record it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub images: Option<String>,
    /// Seed of the generator and the network.
    pub seed: u64,
    /// Index of the first synthetic image; the initial weights were trained on those before it.
    #[serde(default)]
    pub first_image: u64,
    /// Number of devices; each takes one batch in a step, so the schedule depends on it. `None` in
    /// runs of versions that did not record it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub devices: Option<usize>,
    /// The command that started the run.
    pub command: String,
    /// Version of captcha-lens.
    pub version: String,
    /// Provenance of the initial weights; `None` for random ones.
    pub from: Option<serde_json::Value>,
}

impl Provenance {
    /// The configuration of the run's network.
    ///
    /// # Errors
    ///
    /// If the configuration is not valid.
    pub fn model(&self) -> Result<ModelConfig> {
        match &self.network {
            Some(config) => {
                config.validate()?;
                Ok(config.clone())
            }
            None => self.recipe.model(),
        }
    }

    /// How many images of this data and seed a record of earlier training counts.
    pub fn images_seen_before(record: &serde_json::Value, data: &str, seed: u64) -> u64 {
        let own = if record["data"] == data && record["seed"] == seed {
            let first = record["first_image"].as_u64().unwrap_or(0);
            first.saturating_add(record["images_seen"].as_u64().unwrap_or(0))
        } else {
            0
        };
        let before = record.get("from").filter(|from| from.is_object());
        let averaged = record["average_of"].as_array().into_iter().flatten();
        let images = |record| Self::images_seen_before(record, data, seed);
        before
            .into_iter()
            .chain(averaged)
            .map(images)
            .fold(own, u64::max)
    }

    /// The record for a weights file of an epoch; `validation` is its accuracy in percent.
    ///
    /// # Errors
    ///
    /// If it cannot be written as JSON.
    pub fn at_epoch(&self, epoch: usize, validation: Option<f64>) -> Result<serde_json::Value> {
        let mut record = serde_json::to_value(Self {
            network: None,
            folder: None,
            ..self.clone()
        })?;
        record["epoch"] = epoch.into();
        record["images_seen"] = (epoch * self.recipe.training.images_per_epoch).into();
        record["validation_accuracy"] = validation.map(|percent| percent / 100.0).into();
        Ok(record)
    }
}
