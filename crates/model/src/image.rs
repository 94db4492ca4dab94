//! From bytes to the network's input: decode under limits, lay over white, resize, scale.

use burn::tensor::{Device, Tensor, TensorData};
use fast_image_resize as fir;
use fir::images::{TypedImage, TypedImageRef};
use fir::pixels::U8x3;
pub use image::RgbImage;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageError, ImageReader};
use std::io::Cursor;

use crate::config::{InputConfig, Resampling};
use crate::error::ModelError;

/// Largest file that is decoded, in bytes.
pub const MAX_BYTES: usize = 20 * 1024 * 1024;
/// Largest picture that is decoded, in pixels.
pub const MAX_PIXELS: u64 = 40_000_000;

/// Decodes a PNG, JPEG, WebP, GIF (first frame) or BMP file to RGB, upright as its EXIF
/// orientation says, transparency laid over white.
///
/// # Errors
///
/// [`ModelError::ImageTooLarge`] before anything is allocated for the picture,
/// [`ModelError::UnreadableImage`] for everything that is no whole image.
pub fn decode_image(bytes: &[u8]) -> Result<RgbImage, ModelError> {
    if bytes.is_empty() {
        return Err(ModelError::UnreadableImage("the file is empty".into()));
    }
    if bytes.len() > MAX_BYTES {
        return Err(ModelError::ImageTooLarge(format!(
            "{:.1} MB",
            bytes.len() as f64 / 1e6
        )));
    }
    if let Some((width, height)) = png_size(bytes) {
        check_size(width, height)?;
    }
    let mut decoder = ImageReader::new(Cursor::new(bytes))
        .with_guessed_format()
        .map_err(|error| ModelError::UnreadableImage(error.to_string()))?
        .into_decoder() // under the image crate's own limit, 512 MB
        .map_err(refused)?;
    let (width, height) = decoder.dimensions();
    check_size(width, height)?;
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let mut image = DynamicImage::from_decoder(decoder).map_err(refused)?;
    image.apply_orientation(orientation);
    Ok(over_white(image))
}

/// Takes RGBA pixels, row by row, as the browser's `ImageData` holds them.
///
/// # Errors
///
/// As [`decode_image`]; also if `pixels` does not hold `width * height * 4` bytes.
pub fn image_from_rgba(width: u32, height: u32, pixels: Vec<u8>) -> Result<RgbImage, ModelError> {
    check_size(width, height)?;
    let image = image::RgbaImage::from_raw(width, height, pixels).ok_or_else(|| {
        ModelError::UnreadableImage(format!("fewer than {width} x {height} RGBA pixels"))
    })?;
    Ok(over_white(DynamicImage::ImageRgba8(image)))
}

/// The size that a PNG announces in its first chunk. The decoder tells it only once it has seen
/// image data, and may have worked through much else before.
fn png_size(bytes: &[u8]) -> Option<(u32, u32)> {
    let chunk = bytes.strip_prefix(b"\x89PNG\r\n\x1a\n")?;
    let (width, height) = (chunk.get(8..12)?, chunk.get(12..16)?);
    Some((
        u32::from_be_bytes(width.try_into().ok()?),
        u32::from_be_bytes(height.try_into().ok()?),
    ))
}

fn refused(error: ImageError) -> ModelError {
    match error {
        ImageError::Limits(error) => ModelError::ImageTooLarge(error.to_string()),
        other => ModelError::UnreadableImage(other.to_string()),
    }
}

fn check_size(width: u32, height: u32) -> Result<(), ModelError> {
    if width == 0 || height == 0 {
        return Err(ModelError::UnreadableImage("it has no pixels".into()));
    }
    if u64::from(width) * u64::from(height) > MAX_PIXELS {
        return Err(ModelError::ImageTooLarge(format!(
            "{width} x {height} pixels"
        )));
    }
    Ok(())
}

fn over_white(image: DynamicImage) -> RgbImage {
    if !image.color().has_alpha() {
        return image.into_rgb8();
    }
    let rgba = image.into_rgba8();
    let mut rgb = RgbImage::new(rgba.width(), rgba.height());
    for (out, pixel) in rgb.pixels_mut().zip(rgba.pixels()) {
        let [r, g, b, alpha] = pixel.0.map(u32::from);
        out.0 = [r, g, b].map(|c| ((c * alpha + 255 * (255 - alpha) + 127) / 255) as u8);
    }
    rgb
}

/// Resizes to the network's input and scales to 0..1, channel by channel (`[3, height, width]`).
///
/// # Errors
///
/// [`ModelError::UnreadableImage`] if the image has no pixels, [`ModelError::ImageTooLarge`] if it
/// has more than [`MAX_PIXELS`].
pub fn preprocess(image: &RgbImage, input: &InputConfig) -> Result<Vec<f32>, ModelError> {
    check_size(image.width(), image.height())?;
    let failed = |error: &dyn std::fmt::Display| ModelError::UnreadableImage(error.to_string());
    let source = TypedImageRef::<U8x3>::from_buffer(image.width(), image.height(), image.as_raw())
        .map_err(|error| failed(&error))?;
    let (width, height) = (input.width, input.height);
    let mut resized = TypedImage::<U8x3>::new(width as u32, height as u32);
    let algorithm = match input.resampling {
        Resampling::Bilinear => fir::ResizeAlg::Interpolation(fir::FilterType::Bilinear),
        Resampling::Area => fir::ResizeAlg::Convolution(fir::FilterType::Bilinear),
    };
    // Typed: a twelfth of the code, and none of the tables for alpha, a quarter of the CPU module.
    fir::Resizer::new()
        .resize_typed(
            &source,
            &mut resized,
            &fir::ResizeOptions::new().resize_alg(algorithm),
        )
        .map_err(|error| failed(&error))?;
    let mut values = vec![0.0; 3 * height * width];
    for (i, pixel) in resized.pixels().iter().enumerate() {
        for (channel, value) in pixel.0.iter().enumerate() {
            let value = if input.inverted { 255 - value } else { *value };
            values[channel * height * width + i] = f32::from(value) / 255.0;
        }
    }
    Ok(values)
}

/// Stacks preprocessed images.
///
/// # Shapes
///
/// - `images`: each `[3, height, width]`, flat
/// - output: `[images, 3, height, width]`
pub fn batch(images: Vec<Vec<f32>>, input: &InputConfig, device: &Device) -> Tensor<4> {
    let shape = [images.len(), 3, input.height, input.width];
    Tensor::from_data(TensorData::new(images.concat(), shape), device)
}
