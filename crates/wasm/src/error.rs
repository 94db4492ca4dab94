//! What crosses to JavaScript when something fails: an `Error` with a `code`.

use captcha_model::ModelError;
use js_sys::{Error, Reflect};
use wasm_bindgen::JsValue;

/// Everything that a call from JavaScript can fail with.
#[derive(Debug, thiserror::Error)]
pub enum LensError {
    /// The image, the weights or the device.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The caller passed something of the wrong kind.
    #[error("{0}")]
    BadArgument(String),
    /// WebGPU was asked for and cannot be used.
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
        let thrown = Error::new(&error.to_string());
        // Neither can fail: a fresh error is extensible.
        let _ = Reflect::set(&thrown, &"name".into(), &"LensError".into());
        let _ = Reflect::set(&thrown, &"code".into(), &error.code().into());
        thrown.into()
    }
}
