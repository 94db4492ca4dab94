//! The one class that JavaScript sees.

use captcha_model::{ModelError, Weights};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsError, JsValue};

use crate::backend::{self, Engine};
use crate::clock::Stopwatch;
use crate::error::LensError;
use crate::input;
use crate::options::{self, LoadOptions};
use crate::recognition::{Milliseconds, NetworkConfig, Recognition, to_object};

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &'static str = include_str!("types.d.ts");

/// Reads text CAPTCHAs with one network.
#[wasm_bindgen]
pub struct Recognizer {
    engine: Engine,
}

#[wasm_bindgen]
impl Recognizer {
    /// Loads a network and puts it where `options.backend` wishes. On WebGPU this compiles the
    /// shaders and compares one reading with the CPU's, which takes seconds at first.
    ///
    /// @throws {LensError} `bad-argument`, `bad-weights`; `no-webgpu` if WebGPU alone was wished
    /// for and does not work.
    pub async fn load(
        #[wasm_bindgen(unchecked_param_type = "LoadOptions")] options: JsValue,
    ) -> Result<Recognizer, LensError> {
        let LoadOptions {
            weights,
            backend,
            progress,
        } = LoadOptions::read(&options)?;
        progress.tell("network", 0.0);
        let weights = Weights::from_bytes(weights.to_vec())?;
        let engine = backend::engine(&weights, backend, &progress).await?;
        Ok(Self { engine })
    }

    /// Reads one image. Calls may overlap.
    ///
    /// @throws {LensError} `bad-argument`, `unreadable-image`, `image-too-large`, `device-lost`.
    // `&self`: an exclusive borrow held across an await would refuse overlapping calls.
    #[wasm_bindgen(unchecked_return_type = "Recognition")]
    pub async fn recognize(
        &self,
        #[wasm_bindgen(unchecked_param_type = "ImageSource")] image: JsValue,
        #[wasm_bindgen(unchecked_optional_param_type = "RecognizeOptions")] options: JsValue,
    ) -> Result<JsValue, JsValue> {
        let recognition = self.read(&image, &options).await?;
        Ok(to_object(&recognition)?)
    }

    /// Where the network runs, and why.
    #[wasm_bindgen(getter, unchecked_return_type = "Backend")]
    pub fn backend(&self) -> Result<JsValue, JsError> {
        Ok(to_object(&self.engine.backend)?)
    }

    /// What the network reads.
    #[wasm_bindgen(getter, unchecked_return_type = "NetworkConfig")]
    pub fn config(&self) -> Result<JsValue, JsError> {
        Ok(to_object(&NetworkConfig::from(
            self.engine.recognizer.config(),
        ))?)
    }
}

impl Recognizer {
    async fn read(&self, image: &JsValue, options: &JsValue) -> Result<Recognition<'_>, LensError> {
        let recognizer = &self.engine.recognizer;
        let alternatives = options::alternatives(options)?;
        let mut watch = Stopwatch::start();
        let image = input::image(image).await?;
        let decode = watch.lap();
        let size = image.dimensions();
        let input = recognizer.preprocess(&[image])?;
        let preprocess = watch.lap();
        let features = recognizer.encode(input);
        let encode = watch.lap();
        let predictions = recognizer.decode(features, alternatives).await?;
        let read = watch.lap();
        let prediction = predictions
            .into_iter()
            .next()
            .ok_or_else(|| ModelError::DeviceLost("it gave no answer".into()))?;
        let milliseconds = Milliseconds {
            decode,
            preprocess,
            encode,
            read,
            total: watch.total(),
        };
        Ok(Recognition::new(
            prediction,
            size,
            milliseconds,
            &self.engine.backend,
        ))
    }
}
