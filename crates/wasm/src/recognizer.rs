//! The one class that JavaScript sees.

use captcha_model::{Inputs, ModelError, Weights};
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
        let alternatives = options::alternatives(&options)?;
        let read = self.read(&[image], alternatives).await?;
        let recognition = read
            .into_iter()
            .next()
            .ok_or_else(|| LensError::from(no_answer()))??;
        Ok(to_object(&recognition)?)
    }

    /// Reads many images at once, which a GPU does in little more time than one. An image that
    /// cannot be read gives its error in its place and keeps no other from being read.
    ///
    /// @throws {LensError} `bad-argument`, `device-lost`.
    #[wasm_bindgen(js_name = recognizeAll, unchecked_return_type = "(Recognition | LensError)[]")]
    pub async fn recognize_all(
        &self,
        #[wasm_bindgen(unchecked_param_type = "ImageSource[]")] images: Vec<JsValue>,
        #[wasm_bindgen(unchecked_optional_param_type = "RecognizeOptions")] options: JsValue,
    ) -> Result<Vec<JsValue>, JsValue> {
        let alternatives = options::alternatives(&options)?;
        let read = self.read(&images, alternatives).await?;
        read.into_iter()
            .map(|outcome| match outcome {
                Ok(recognition) => Ok(to_object(&recognition)?),
                Err(error) => Ok(error.into()),
            })
            .collect()
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
    /// Reads images in one go, and says for each what it holds or why it cannot be read.
    async fn read(
        &self,
        sources: &[JsValue],
        alternatives: usize,
    ) -> Result<Vec<Result<Recognition<'_>, LensError>>, LensError> {
        let recognizer = &self.engine.recognizer;
        let mut watch = Stopwatch::start();
        let (mut decode, mut preprocess) = (0.0, 0.0);
        let mut inputs = Vec::with_capacity(sources.len());
        let mut sizes = Vec::with_capacity(sources.len());
        // One after the other, so that no two photos are held at their full size.
        for source in sources {
            let image = input::image(source).await;
            decode += watch.lap();
            sizes.push(image.and_then(|image| {
                inputs.push(recognizer.preprocess(std::slice::from_ref(&image))?);
                Ok(image.dimensions())
            }));
            preprocess += watch.lap();
        }
        let share = inputs.len() as f64;
        let Some(inputs) = Inputs::cat(inputs) else {
            return Ok(sizes.into_iter().filter_map(Result::err).map(Err).collect());
        };
        let network = async {
            let encoded = recognizer.encode(inputs)?;
            let encode = watch.lap();
            Ok((encode, recognizer.decode(encoded, alternatives).await?))
        };
        let (encode, predictions) = self.engine.validated(network).await?;
        let mut predictions = predictions.into_iter();
        let read = watch.lap();
        let milliseconds = Milliseconds {
            decode: decode / share,
            preprocess: preprocess / share,
            encode: encode / share,
            read: read / share,
            total: watch.total() / share,
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
