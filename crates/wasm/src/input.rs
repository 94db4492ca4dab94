//! Images as JavaScript holds them: bytes, a blob, or pixels.

use captcha_model::ModelError;
use captcha_model::image::{MAX_BYTES, RgbImage, check_size, decode_image, image_from_rgba};
use js_sys::{ArrayBuffer, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, ImageData};

use crate::error::LensError;

/// Decodes an `ImageSource` (see `types.d.ts`).
pub(crate) async fn image(source: &JsValue) -> Result<RgbImage, LensError> {
    if let Some(pixels) = source.dyn_ref::<ImageData>() {
        let (width, height) = (pixels.width(), pixels.height());
        // Checked before the pixels are copied to the module's memory.
        check_size(width, height)?;
        return Ok(image_from_rgba(width, height, pixels.data().0)?);
    }
    let bytes = match source.dyn_ref::<Blob>() {
        Some(blob) => bytes(&array_buffer(blob).await?),
        None => bytes(source),
    };
    let bytes = bytes.ok_or_else(|| {
        LensError::BadArgument(
            "An image must be a Uint8Array, ArrayBuffer, Blob or ImageData.".into(),
        )
    })?;
    check_length(f64::from(bytes.length()))?;
    Ok(decode_image(&bytes.to_vec())?)
}

/// A view of a `Uint8Array` or an `ArrayBuffer`, which is not copied; `None` for other values.
pub(crate) fn bytes(value: &JsValue) -> Option<Uint8Array> {
    if let Some(array) = value.dyn_ref::<Uint8Array>() {
        return Some(array.clone());
    }
    value
        .dyn_ref::<ArrayBuffer>()
        .map(|buffer| Uint8Array::new(buffer))
}

async fn array_buffer(blob: &Blob) -> Result<JsValue, LensError> {
    check_length(blob.size())?;
    // A file that was moved, or a folder, fails only here.
    JsFuture::from(blob.array_buffer()).await.map_err(|thrown| {
        let reason = thrown
            .dyn_ref::<js_sys::Error>()
            .map_or_else(|| "no reason given".into(), |error| error.message());
        ModelError::UnreadableImage(String::from(reason)).into()
    })
}

/// Checks the length as [`decode_image`] does, before the bytes are copied to the module's memory.
fn check_length(bytes: f64) -> Result<(), LensError> {
    if bytes > MAX_BYTES as f64 {
        return Err(ModelError::ImageTooLarge(format!("{:.1} MB", bytes / 1e6)).into());
    }
    Ok(())
}
