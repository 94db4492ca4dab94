//! Errors as JavaScript gets them: an `Error` with a `code`.

use captcha_model::ModelError;
use js_sys::{Error, Reflect};
use wasm_bindgen::JsValue;

/// The errors of a call from JavaScript.
#[derive(Debug, thiserror::Error)]
pub enum LensError {
    /// An error of the image, the weights or the device.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// An argument has the wrong type or value.
    #[error("{0}")]
    BadArgument(String),
    /// WebGPU was required and cannot be used.
    #[error("WebGPU cannot be used here: {0}. Use the CPU, or a browser with WebGPU.")]
    NoWebGpu(String),
}

impl LensError {
    /// A short, stable name for programs; `ErrorCode` in `types.d.ts` lists them all.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Model(error) => error.code(),
            Self::BadArgument(_) => "bad-argument",
            Self::NoWebGpu(_) => "no-webgpu",
        }
    }
}

impl From<LensError> for JsValue {
    fn from(error: LensError) -> Self {
        thrown(error.code(), &error.to_string())
    }
}

/// An error of JavaScript with a code.
pub fn thrown(code: &str, message: &str) -> JsValue {
    let thrown = Error::new(message);
    // Setting a field of a new object cannot fail.
    let _ = Reflect::set(&thrown, &"name".into(), &"LensError".into());
    let _ = Reflect::set(&thrown, &"code".into(), &code.into());
    thrown.into()
}
