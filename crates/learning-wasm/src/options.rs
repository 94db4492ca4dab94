//! Options from JavaScript, checked.

use captcha_model::Weights;
use captcha_wasm::LensError;
use js_sys::{Array, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};

/// Longest run, in minutes.
const MAX_MINUTES: f64 = 24.0 * 60.0;

/// `FinetuningOptions` of `types.d.ts`.
pub(crate) struct Options {
    pub(crate) weights: Weights,
    pub(crate) images: Vec<Image>,
    pub(crate) ignore_case: bool,
    pub(crate) minutes: f64,
    pub(crate) seed: u64,
    pub(crate) labels: Option<usize>,
}

/// `LabelledImage` of `types.d.ts`.
pub(crate) struct Image {
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
    pub(crate) label: String,
}

impl Options {
    pub(crate) fn parse(options: &JsValue) -> Result<Self, LensError> {
        let weights = bytes(options, "weights")?;
        let images = field(options, "images");
        let images = images
            .dyn_into::<Array>()
            .map_err(|_| bad("`images` must be an array."))?;
        let number = |name: &str, range: std::ops::RangeInclusive<f64>| {
            let number = field(options, name).as_f64();
            number
                .filter(|number| range.contains(number))
                .ok_or_else(|| {
                    let (from, to) = (range.start(), range.end());
                    bad(&format!("`{name}` must be a number from {from} to {to}."))
                })
        };
        let labels = match field(options, "labels").is_undefined() {
            true => None,
            false => Some(number("labels", 0.0..=1e6)? as usize),
        };
        Ok(Self {
            weights: Weights::from_bytes(weights)?,
            images: images
                .iter()
                .map(|image| Image::parse(&image))
                .collect::<Result<_, _>>()?,
            ignore_case: field(options, "ignoreCase").is_truthy(),
            minutes: number("minutes", 0.0..=MAX_MINUTES)?,
            seed: number("seed", 0.0..=9e15)? as u64,
            labels,
        })
    }
}

impl Image {
    fn parse(image: &JsValue) -> Result<Self, LensError> {
        let text = |name: &str| {
            let text = field(image, name).as_string();
            text.ok_or_else(|| bad(&format!("`{name}` of an image must be a string.")))
        };
        Ok(Self {
            name: text("name")?,
            bytes: bytes(image, "bytes")?,
            label: text("label")?,
        })
    }
}

fn bytes(object: &JsValue, name: &str) -> Result<Vec<u8>, LensError> {
    let array = field(object, name).dyn_into::<Uint8Array>();
    let array = array.map_err(|_| bad(&format!("`{name}` must be a Uint8Array.")))?;
    Ok(array.to_vec())
}

/// A field of an object; `undefined` if there is no such object.
fn field(object: &JsValue, name: &str) -> JsValue {
    Reflect::get(object, &name.into()).unwrap_or(JsValue::UNDEFINED)
}

fn bad(what: &str) -> LensError {
    LensError::BadArgument(what.into())
}
