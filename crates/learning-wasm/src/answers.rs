//! Answers to JavaScript: the types of `types.d.ts`.

use captcha_learning::finetune::{End, Progress};
use js_sys::Uint8Array;
use serde::Serialize;
use serde_wasm_bindgen::Serializer;
use wasm_bindgen::JsValue;

use crate::error::LearningError;

/// `FinetuningPlan` of `types.d.ts`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Plan {
    pub(crate) alphabet: String,
    pub(crate) max_length: usize,
    pub(crate) input: [usize; 2],
    pub(crate) training: Vec<usize>,
    pub(crate) validation: Vec<usize>,
    pub(crate) available: usize,
    pub(crate) validation_labels: Vec<String>,
    pub(crate) notes: Vec<String>,
}

/// `FinetuningValidation` of `types.d.ts`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Validation {
    pub(crate) step: usize,
    pub(crate) training_loss: Option<f64>,
    pub(crate) validation_loss: f64,
    pub(crate) exact_matches: usize,
    pub(crate) seconds: f64,
}

/// `FinetuningStep` of `types.d.ts`.
#[derive(Serialize)]
pub(crate) struct Step {
    pub(crate) step: usize,
    pub(crate) done: f64,
    pub(crate) images: usize,
    pub(crate) loss: Option<f64>,
    pub(crate) seconds: f64,
    pub(crate) validation: Option<Validation>,
    pub(crate) end: Option<End>,
}

/// `FinetuningResult` of `types.d.ts`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Outcome {
    #[serde(with = "serde_wasm_bindgen::preserve")]
    pub(crate) weights: Uint8Array,
    pub(crate) end: End,
    pub(crate) exact_matches: usize,
    pub(crate) validation_images: usize,
    pub(crate) initial_share: f64,
    pub(crate) temperature: Option<f64>,
    pub(crate) history: Vec<Validation>,
}

impl From<&Progress> for Validation {
    fn from(progress: &Progress) -> Self {
        Self {
            step: progress.step,
            training_loss: progress.training_loss,
            validation_loss: progress.validation_loss,
            exact_matches: progress.exact_matches,
            seconds: progress.seconds,
        }
    }
}

/// A plain object of a value's fields, with `null` for missing ones.
pub(crate) fn to_object(value: &impl Serialize) -> Result<JsValue, LearningError> {
    Ok(value.serialize(&Serializer::new().serialize_missing_as_null(true))?)
}
