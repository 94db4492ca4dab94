//! From bytes to the network's input: decode under limits, lay over a background, resize, scale.

use burn::tensor::{Device, Tensor, TensorData};
use fast_image_resize as fir;
use fir::images::{TypedImage, TypedImageRef};
use fir::pixels::U8x3;
pub use image::RgbImage;
use image::codecs::gif::GifDecoder;
use image::metadata::Orientation;
use image::{
    AnimationDecoder, DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, RgbaImage,
};
use std::io::Cursor;

use crate::config::{InputConfig, Resampling};
use crate::error::ModelError;
use crate::format;

/// Largest file that is decoded, in bytes.
pub const MAX_BYTES: usize = 20_000_000;
/// Largest picture that is decoded, in pixels.
pub const MAX_PIXELS: u64 = 40_000_000;
/// Longest side of a picture that is decoded, in pixels: JPEG's limit. Resizing needs memory for
/// each pixel of a side.
pub const MAX_SIDE: u32 = 65_535;

/// Most that the values of a colour, 0 to 255, differ by in a picture that holds nothing.
const BLANK_CONTRAST: u8 = 5;
/// Least that the values of a colour differ by, 0 to 255, where a picture's text can be seen.
const VISIBLE_CONTRAST: u8 = 16;
/// Frames of an animation that are looked at, until one holds something.
const MAX_FRAMES: usize = 32;

/// Decodes a PNG, JPEG, WebP, GIF or BMP file to RGB, upright as its EXIF orientation says. Of an
/// animated GIF it is the first frame, or, where that is blank, the next that is not.
///
/// Transparency is laid over white. Where that hides all that the picture holds, such as white
/// characters, it is laid over black and its colours are inverted: the network reads dark on light.
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
    let reader = ImageReader::new(Cursor::new(bytes))
        .with_guessed_format()
        .map_err(|error| ModelError::UnreadableImage(error.to_string()))?;
    let format = reader.format();
    if let (None, Some(name)) = (format, format::name(bytes)) {
        return Err(ModelError::UnreadableImage(name.into()));
    }
    // Under the image crate's own limit, 512 MB.
    let mut decoder = reader.into_decoder().map_err(refused)?;
    let (width, height) = decoder.dimensions();
    check_size(width, height)?;
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let mut image = DynamicImage::from_decoder(decoder).map_err(refused)?;
    image.apply_orientation(orientation);
    let image = flattened(image);
    let next = (format == Some(ImageFormat::Gif) && holds_nothing(&image))
        .then(|| first_visible_frame(bytes));
    Ok(next.flatten().unwrap_or(image))
}

/// The first frame of a GIF that is not blank; none of what would take as many pixels as another
/// picture of the largest size.
fn first_visible_frame(bytes: &[u8]) -> Option<RgbImage> {
    let decoder = GifDecoder::new(Cursor::new(bytes)).ok()?;
    let (width, height) = decoder.dimensions();
    let affordable = MAX_PIXELS / (u64::from(width) * u64::from(height)).max(1);
    decoder
        .into_frames()
        .take(MAX_FRAMES.min(affordable as usize))
        .map_while(Result::ok)
        .map(|frame| flattened(frame.into_buffer().into()))
        .find(|image| !holds_nothing(image))
}

/// Takes RGBA pixels, row by row, as the browser's `ImageData` holds them.
///
/// # Errors
///
/// As [`decode_image`]; also if `pixels` does not hold `width * height * 4` bytes.
pub fn image_from_rgba(width: u32, height: u32, pixels: Vec<u8>) -> Result<RgbImage, ModelError> {
    check_size(width, height)?;
    let image = RgbaImage::from_raw(width, height, pixels).ok_or_else(|| {
        ModelError::UnreadableImage(format!("fewer than {width} x {height} RGBA pixels"))
    })?;
    Ok(flattened(DynamicImage::ImageRgba8(image)))
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

/// Checks a picture's size, before anything is allocated for it.
///
/// # Errors
///
/// [`ModelError::UnreadableImage`] if it has no pixels, [`ModelError::ImageTooLarge`] if it has more
/// than [`MAX_PIXELS`] or a side is longer than [`MAX_SIDE`].
pub fn check_size(width: u32, height: u32) -> Result<(), ModelError> {
    if width == 0 || height == 0 {
        return Err(ModelError::UnreadableImage("it has no pixels".into()));
    }
    if u64::from(width) * u64::from(height) > MAX_PIXELS || width.max(height) > MAX_SIDE {
        return Err(ModelError::ImageTooLarge(format!(
            "{width} x {height} pixels"
        )));
    }
    Ok(())
}

/// Lays transparency over a background that shows what the picture holds.
fn flattened(image: DynamicImage) -> RgbImage {
    if !image.color().has_alpha() {
        return image.into_rgb8();
    }
    let rgba = image.into_rgba8();
    let seen_on = |background: u8| {
        contrast(rgba.pixels().map(|pixel| over(pixel.0, background))) >= VISIBLE_CONTRAST
    };
    let inverted = !seen_on(255) && seen_on(0);
    let mut rgb = RgbImage::new(rgba.width(), rgba.height());
    for (out, pixel) in rgb.pixels_mut().zip(rgba.pixels()) {
        out.0 = match inverted {
            true => over(pixel.0, 0).map(|c| 255 - c),
            false => over(pixel.0, 255),
        };
    }
    rgb
}

/// A pixel over a grey background.
fn over([r, g, b, alpha]: [u8; 4], background: u8) -> [u8; 3] {
    let (alpha, background) = (u32::from(alpha), u32::from(background));
    [r, g, b].map(|c| ((u32::from(c) * alpha + background * (255 - alpha) + 127) / 255) as u8)
}

/// Most that the values of a colour differ by.
fn contrast(pixels: impl Iterator<Item = [u8; 3]>) -> u8 {
    let (mut low, mut high) = ([u8::MAX; 3], [u8::MIN; 3]);
    for pixel in pixels {
        for (c, value) in pixel.into_iter().enumerate() {
            low[c] = low[c].min(value);
            high[c] = high[c].max(value);
        }
    }
    let spans = low
        .iter()
        .zip(high)
        .map(|(low, high)| high.saturating_sub(*low));
    spans.max().unwrap_or(0)
}

fn holds_nothing(image: &RgbImage) -> bool {
    contrast(image.pixels().map(|pixel| pixel.0)) <= BLANK_CONTRAST
}

/// Whether an image holds nothing: its pixels hardly differ, so no text is the right answer.
///
/// # Shapes
///
/// - `values`: `[3, height, width]`, flat, as [`preprocess`] gives them
pub fn is_blank(values: &[f32]) -> bool {
    const LIMIT: f32 = (BLANK_CONTRAST as f32 + 0.5) / 255.0; // between two steps of eight bits
    let span = |plane: &[f32]| {
        let (low, high) = plane
            .iter()
            .fold((f32::MAX, f32::MIN), |(low, high), value| {
                (low.min(*value), high.max(*value))
            });
        high - low
    };
    values
        .chunks_exact((values.len() / 3).max(1))
        .all(|plane| span(plane) <= LIMIT)
}

/// Resizes to the network's input and scales to 0..1, channel by channel (`[3, height, width]`).
///
/// # Errors
///
/// Those of [`check_size`].
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
