//! Errors of fine-tuning as JavaScript gets them.

use captcha_wasm::{LensError, thrown};
use wasm_bindgen::JsValue;

/// The errors of a call from JavaScript.
pub(crate) enum LearningError {
    /// An argument has the wrong type or value, or the weights are not usable.
    Lens(LensError),
    /// The images or labels cannot be learned from, or learning failed.
    Images(anyhow::Error),
}

impl From<LensError> for LearningError {
    fn from(error: LensError) -> Self {
        Self::Lens(error)
    }
}

impl From<anyhow::Error> for LearningError {
    fn from(error: anyhow::Error) -> Self {
        Self::Images(error)
    }
}

impl From<serde_wasm_bindgen::Error> for LearningError {
    fn from(error: serde_wasm_bindgen::Error) -> Self {
        Self::Lens(LensError::BadArgument(error.to_string()))
    }
}

impl From<LearningError> for JsValue {
    fn from(error: LearningError) -> Self {
        match error {
            LearningError::Lens(error) => error.into(),
            LearningError::Images(error) => thrown("bad-images", &sentence(&format!("{error:#}"))),
        }
    }
}

/// A message with a capital letter and a full stop.
pub(crate) fn sentence(message: &str) -> String {
    let mut characters = message.chars();
    let first = characters.next().into_iter();
    let capital: String = first.flat_map(char::to_uppercase).collect();
    let end = if message.ends_with(['.', '?']) {
        ""
    } else {
        "."
    };
    format!("{capital}{}{end}", characters.as_str())
}
