//! What callers may ask for, checked.

use captcha_model::{ModelError, Recognizer};
use js_sys::{Function, Object, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};

use crate::error::LensError;
use crate::input;

/// Largest weights file that is copied into the module's memory: ten times the paper's network in
/// full precision.
const MAX_WEIGHTS_BYTES: u32 = 256 << 20;

/// Where the network should run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    /// On WebGPU where it works, else on the CPU.
    Auto,
    /// On WebGPU or not at all.
    WebGpu,
    /// On the CPU.
    Cpu,
}

/// `LoadOptions` of `types.d.ts`.
pub(crate) struct LoadOptions {
    /// The safetensors file, not yet copied.
    pub(crate) weights: Uint8Array,
    /// Where to run.
    pub(crate) backend: Wish,
    /// Who is told how far loading is.
    pub(crate) progress: Progress,
}

impl LoadOptions {
    pub(crate) fn read(options: &JsValue) -> Result<Self, LensError> {
        let weights = input::bytes(&field(options, "weights"))
            .ok_or_else(|| bad("`weights` must be a Uint8Array or an ArrayBuffer."))?;
        if weights.length() > MAX_WEIGHTS_BYTES {
            let reason = "the file is larger than any weights file".into();
            return Err(ModelError::BadWeights(reason).into());
        }
        let backend = field(options, "backend");
        let backend = match backend.as_string().as_deref() {
            None if backend.is_undefined() => Wish::Auto,
            Some("auto") => Wish::Auto,
            Some("webgpu") => Wish::WebGpu,
            Some("cpu") => Wish::Cpu,
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

/// How many other texts `RecognizeOptions` of `types.d.ts` ask for.
pub(crate) fn alternatives(options: &JsValue) -> Result<usize, LensError> {
    let wanted = field(options, "alternatives");
    if wanted.is_undefined() {
        return Ok(0);
    }
    const MOST: usize = Recognizer::MAX_ALTERNATIVES;
    match wanted.as_f64() {
        Some(count) if count.fract() == 0.0 && (0.0..=MOST as f64).contains(&count) => {
            Ok(count as usize)
        }
        _ => Err(bad(&format!(
            "`alternatives` must be a whole number from 0 to {MOST}."
        ))),
    }
}

/// Tells the caller how far loading is.
pub(crate) struct Progress(Option<Function>);

impl Progress {
    /// A stage is done to this fraction, 0 to 1.
    pub(crate) fn tell(&self, stage: &str, fraction: f64) {
        let Some(listener) = &self.0 else { return };
        let progress = Object::new();
        let _ = Reflect::set(&progress, &"stage".into(), &stage.into());
        let _ = Reflect::set(&progress, &"fraction".into(), &fraction.into());
        // What a listener throws is no reason to stop loading.
        let _ = listener.call1(&JsValue::UNDEFINED, &progress);
    }
}

/// A field of an options object; `undefined` too where there is no object.
fn field(options: &JsValue, name: &str) -> JsValue {
    Reflect::get(options, &name.into()).unwrap_or(JsValue::UNDEFINED)
}

fn bad(what: &str) -> LensError {
    LensError::BadArgument(what.into())
}
