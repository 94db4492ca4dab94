//! The class that JavaScript uses.

use captcha_model::input::InputBatch;
use captcha_model::{Inputs, ModelError, Prediction, Weights};
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

/// Recognizes text CAPTCHAs with one network.
#[wasm_bindgen]
pub struct Recognizer {
    engine: Engine,
}

#[wasm_bindgen]
impl Recognizer {
    /// Loads a network on the backend that `options.backend` prefers. On WebGPU, this compiles the
    /// shaders and compares one result with the CPU's, which takes some seconds the first time.
    ///
    /// @throws {LensError} `bad-argument`, `bad-weights`; `no-webgpu` if `options.backend` is
    /// "webgpu" and WebGPU does not work.
    pub async fn load(
        #[wasm_bindgen(unchecked_param_type = "LoadOptions")] options: JsValue,
    ) -> Result<Recognizer, LensError> {
        let LoadOptions {
            weights,
            backend,
            progress,
        } = LoadOptions::parse(&options)?;
        progress.report("network", 0.0);
        let weights = Weights::from_bytes(weights.to_vec())?;
        let engine = backend::engine(&weights, backend, &progress).await?;
        Ok(Self { engine })
    }

    /// Recognizes the text in one image. Calls may overlap.
    ///
    /// @throws {LensError} `bad-argument`, `unreadable-image`, `image-too-large`, `device-lost`.
    // `&self`, because an exclusive borrow across an await would refuse overlapping calls.
    #[wasm_bindgen(unchecked_return_type = "Recognition")]
    pub async fn recognize(
        &self,
        #[wasm_bindgen(unchecked_param_type = "ImageSource")] image: JsValue,
        #[wasm_bindgen(unchecked_optional_param_type = "RecognizeOptions")] options: JsValue,
    ) -> Result<JsValue, JsValue> {
        let alternatives = options::alternatives(&options)?;
        let outcomes = self.recognize_batch(&[image], alternatives).await?;
        let recognition = outcomes
            .into_iter()
            .next()
            .ok_or_else(|| LensError::from(no_answer()))??;
        Ok(to_object(&recognition)?)
    }

    /// Recognizes the text in many images at once, for which a GPU takes little more time than for
    /// one. The result holds an error in place of an image that cannot be decoded.
    ///
    /// @throws {LensError} `bad-argument`, `device-lost`.
    #[wasm_bindgen(js_name = recognizeAll, unchecked_return_type = "(Recognition | LensError)[]")]
    pub async fn recognize_all(
        &self,
        #[wasm_bindgen(unchecked_param_type = "ImageSource[]")] images: Vec<JsValue>,
        #[wasm_bindgen(unchecked_optional_param_type = "RecognizeOptions")] options: JsValue,
    ) -> Result<Vec<JsValue>, JsValue> {
        let alternatives = options::alternatives(&options)?;
        let outcomes = self.recognize_batch(&images, alternatives).await?;
        outcomes
            .into_iter()
            .map(|outcome| match outcome {
                Ok(recognition) => Ok(to_object(&recognition)?),
                Err(error) => Ok(error.into()),
            })
            .collect()
    }

    /// The backend on which the network runs.
    #[wasm_bindgen(getter, unchecked_return_type = "Backend")]
    pub fn backend(&self) -> Result<JsValue, JsError> {
        Ok(to_object(&self.engine.backend)?)
    }

    /// The network's alphabet, longest text and grid.
    #[wasm_bindgen(getter, unchecked_return_type = "NetworkConfig")]
    pub fn config(&self) -> Result<JsValue, JsError> {
        Ok(to_object(&NetworkConfig::from(
            self.engine.recognizer.config(),
        ))?)
    }
}

impl Recognizer {
    /// Recognizes the text in images as one batch. Each has a result or an error.
    async fn recognize_batch(
        &self,
        sources: &[JsValue],
        alternatives: usize,
    ) -> Result<Vec<Result<Recognition<'_>, LensError>>, LensError> {
        let recognizer = &self.engine.recognizer;
        let mut watch = Stopwatch::start();
        let (mut decode, mut preprocess) = (0.0, 0.0);
        let mut inputs = Vec::with_capacity(sources.len());
        let mut sizes = Vec::with_capacity(sources.len());
        // One after the other, so that only one photo at a time is in memory at its full size.
        for source in sources {
            let image = input::image(source).await;
            decode += watch.lap();
            sizes.push(image.and_then(|image| {
                inputs.push(recognizer.preprocess(&image)?);
                Ok(image.dimensions())
            }));
            preprocess += watch.lap();
        }
        let count = inputs.len() as f64;
        if inputs.is_empty() {
            return Ok(sizes.into_iter().filter_map(Result::err).map(Err).collect());
        }
        let (mut encode, mut read) = (0.0, 0.0);
        let mut predictions: Vec<Option<Prediction>> = vec![None; inputs.len()];
        let network = async {
            for InputBatch { inputs, places } in Inputs::batches(inputs) {
                let encoded = recognizer.encode(inputs)?;
                encode += watch.lap();
                let batch = recognizer.decode(encoded, alternatives).await?;
                read += watch.lap();
                for (place, prediction) in places.into_iter().zip(batch) {
                    predictions[place] = Some(prediction);
                }
            }
            Ok(())
        };
        self.engine.with_error_scope(network).await?;
        let mut predictions = predictions.into_iter().flatten();
        let milliseconds = Milliseconds {
            decode: decode / count,
            preprocess: preprocess / count,
            encode: encode / count,
            read: read / count,
            total: watch.total() / count,
        };
        Ok(sizes
            .into_iter()
            .map(|size| {
                let size = size?;
                let prediction = predictions.next().ok_or_else(no_answer)?;
                Ok(Recognition::new(
                    prediction,
                    size,
                    milliseconds,
                    &self.engine.backend,
                ))
            })
            .collect())
    }
}

fn no_answer() -> ModelError {
    ModelError::DeviceLost("it gave no answer".into())
}
