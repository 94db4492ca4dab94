//! A learning curve for JavaScript.

use anyhow::Context;
use captcha_evaluation::learning_curve::LearningCurve;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::error::LearningError;

/// A learning curve with what follows from its points: shares, intervals, sentences and figure. Takes
/// and gives JSON, as `captcha-lens finetune --learning-curve` writes it.
///
/// @throws {LensError} `bad-images` if it has no points, or impossible ones.
#[wasm_bindgen(js_name = learningCurve)]
pub fn learning_curve(json: &str) -> Result<String, JsValue> {
    Ok(written(json)?)
}

fn written(json: &str) -> Result<String, LearningError> {
    let curve: LearningCurve =
        serde_json::from_str(json).context("this is not a learning curve")?;
    Ok(curve.to_json()?)
}
