//! Results for JavaScript: plain objects, as in `types.d.ts`.

use captcha_model::{Alternative, Character, CharacterAlternative, Grid, ModelConfig, Prediction};
use js_sys::Float32Array;
use serde::Serialize;
use serde_wasm_bindgen::{Error, Serializer};
use wasm_bindgen::JsValue;

use crate::backend::Backend;

/// `Recognition` of `types.d.ts`.
#[derive(Serialize)]
pub(crate) struct Recognition<'a> {
    pub(crate) text: String,
    pub(crate) confidence: f32,
    pub(crate) characters: Vec<RecognizedCharacter>,
    pub(crate) grid: Grid,
    pub(crate) blank: bool,
    pub(crate) alternatives: Vec<Alternative>,
    pub(crate) milliseconds: Milliseconds,
    pub(crate) backend: &'a Backend,
    pub(crate) width: u32,
    pub(crate) height: u32,
}

/// `Character` of `types.d.ts`.
#[derive(Serialize)]
pub(crate) struct RecognizedCharacter {
    character: char,
    confidence: f32,
    #[serde(with = "serde_wasm_bindgen::preserve")]
    attention: Float32Array,
    alternatives: Vec<CharacterAlternative>,
}

/// `Milliseconds` of `types.d.ts`.
#[derive(Clone, Copy, Serialize)]
pub(crate) struct Milliseconds {
    pub(crate) decode: f64,
    pub(crate) preprocess: f64,
    pub(crate) encode: f64,
    pub(crate) read: f64,
    pub(crate) total: f64,
}

/// `NetworkConfig` of `types.d.ts`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NetworkConfig<'a> {
    alphabet: &'a str,
    max_length: usize,
    grid: Grid,
}

impl<'a> Recognition<'a> {
    pub(crate) fn new(
        prediction: Prediction,
        (width, height): (u32, u32),
        milliseconds: Milliseconds,
        backend: &'a Backend,
    ) -> Self {
        Self {
            text: prediction.text,
            confidence: prediction.confidence,
            characters: prediction
                .characters
                .into_iter()
                .map(RecognizedCharacter::from)
                .collect(),
            grid: prediction.grid,
            blank: prediction.blank,
            alternatives: prediction.alternatives,
            milliseconds,
            backend,
            width,
            height,
        }
    }
}

impl From<Character> for RecognizedCharacter {
    fn from(character: Character) -> Self {
        Self {
            character: character.character,
            confidence: character.confidence,
            attention: character.attention.as_slice().into(),
            alternatives: character.alternatives,
        }
    }
}

impl<'a> From<&'a ModelConfig> for NetworkConfig<'a> {
    fn from(config: &'a ModelConfig) -> Self {
        Self {
            alphabet: &config.alphabet,
            max_length: config.max_length,
            grid: config.grid(),
        }
    }
}

/// A plain object of a value's fields, with `null` for missing ones.
pub(crate) fn to_object(value: &impl Serialize) -> Result<JsValue, Error> {
    value.serialize(&Serializer::new().serialize_missing_as_null(true))
}
