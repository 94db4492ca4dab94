//! Options from JavaScript, checked.

use captcha_model::{ModelError, Recognizer};
use js_sys::{Function, Object, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};

use crate::error::LensError;
use crate::input;

/// Largest weights file: ten times the paper's network in full precision.
const MAX_WEIGHTS_BYTES: u32 = 256 << 20;

/// The caller's choice of the backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BackendPreference {
    /// WebGPU if it works, else the CPU.
    Auto,
    /// WebGPU, or an error.
    WebGpu,
    /// The CPU.
    Cpu,
}

/// `LoadOptions` of `types.d.ts`.
pub(crate) struct LoadOptions {
    /// The safetensors file, in JavaScript's memory.
    pub(crate) weights: Uint8Array,
    /// The preferred backend.
    pub(crate) backend: BackendPreference,
    /// The listener.
    pub(crate) progress: Progress,
}

impl LoadOptions {
    pub(crate) fn parse(options: &JsValue) -> Result<Self, LensError> {
        let weights = input::bytes(&field(options, "weights"))
            .ok_or_else(|| bad("`weights` must be a Uint8Array or an ArrayBuffer."))?;
        if weights.length() > MAX_WEIGHTS_BYTES {
            let reason = "the file is larger than any weights file".into();
            return Err(ModelError::BadWeights(reason).into());
        }
        let backend = field(options, "backend");
        let backend = match backend.as_string().as_deref() {
            None if backend.is_undefined() => BackendPreference::Auto,
            Some("auto") => BackendPreference::Auto,
            Some("webgpu") => BackendPreference::WebGpu,
            Some("cpu") => BackendPreference::Cpu,
            _ => return Err(bad("`backend` must be \"auto\", \"webgpu\" or \"cpu\".")),
        };
        let progress = field(options, "onProgress");
        if !progress.is_undefined() && !progress.is_function() {
            return Err(bad("`onProgress` must be a function."));
        }
        Ok(Self {
            weights,
            backend,
            progress: Progress(progress.dyn_into().ok()),
        })
    }
}

/// `RecognizeOptions.alternatives` of `types.d.ts`.
pub(crate) fn alternatives(options: &JsValue) -> Result<usize, LensError> {
    let wanted = field(options, "alternatives");
    if wanted.is_undefined() {
        return Ok(0);
    }
    const MAX: usize = Recognizer::MAX_ALTERNATIVES;
    match wanted.as_f64() {
        Some(count) if count.fract() == 0.0 && (0.0..=MAX as f64).contains(&count) => {
            Ok(count as usize)
        }
        _ => Err(bad(&format!(
            "`alternatives` must be a whole number from 0 to {MAX}."
        ))),
    }
}

/// Reports the progress of loading to the caller.
pub(crate) struct Progress(Option<Function>);

impl Progress {
    /// Reports the fraction of a stage that is done, 0 to 1.
    pub(crate) fn report(&self, stage: &str, fraction: f64) {
        let Some(listener) = &self.0 else { return };
        let progress = Object::new();
        let _ = Reflect::set(&progress, &"stage".into(), &stage.into());
        let _ = Reflect::set(&progress, &"fraction".into(), &fraction.into());
        // Loading continues if the listener throws.
        let _ = listener.call1(&JsValue::UNDEFINED, &progress);
    }
}

/// A field of an options object; `undefined` if there is no such object.
fn field(options: &JsValue, name: &str) -> JsValue {
    Reflect::get(options, &name.into()).unwrap_or(JsValue::UNDEFINED)
}

fn bad(what: &str) -> LensError {
    LensError::BadArgument(what.into())
}
