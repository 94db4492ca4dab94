//! Bytes to RGB pixels, under limits of size, without transparency.

use std::io::Cursor;

pub use image::RgbImage;
use image::codecs::gif::GifDecoder;
use image::metadata::Orientation;
use image::{
    AnimationDecoder, DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, RgbaImage,
};

use super::blank::{contrast, is_blank_image};
use super::foreign;
use crate::error::ModelError;

/// Largest file that is decoded, in bytes.
pub const MAX_BYTES: usize = 20_000_000;
/// Largest image that is decoded, in pixels.
pub const MAX_PIXELS: u64 = 40_000_000;
/// Longest side of an image that is decoded, in pixels: JPEG's limit. Resizing needs memory for
/// each pixel of a side.
pub const MAX_SIDE: u32 = 65_535;

/// Smallest difference between the values of a colour, 0 to 255, with which a text is visible.
const VISIBLE_CONTRAST: u8 = 16;
/// Most frames of an animation that are decoded to find one that is not blank.
const MAX_FRAMES: usize = 32;

/// Decodes a PNG, JPEG, WebP, GIF or BMP file to RGB, rotated according to its EXIF orientation. Of
/// an animated GIF, the first frame that is not blank is taken, or the first one if all are blank.
///
/// A transparent image is laid over white. If white hides its contents, such as white characters,
/// the image is laid over black and its colours are inverted, since the network reads dark text on
/// a light background.
///
/// # Errors
///
/// [`ModelError::ImageTooLarge`], before memory is allocated for the image;
/// [`ModelError::UnreadableImage`] if the bytes are not a complete image.
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
    if let (None, Some(reason)) = (format, foreign::describe(bytes)) {
        return Err(ModelError::UnreadableImage(reason.into()));
    }
    // Under the image crate's own limit, 512 MB.
    let mut decoder = reader.into_decoder().map_err(decode_error)?;
    let (width, height) = decoder.dimensions();
    check_size(width, height)?;
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let mut image = DynamicImage::from_decoder(decoder).map_err(decode_error)?;
    image.apply_orientation(orientation);
    let image = flattened(image);
    let next = (format == Some(ImageFormat::Gif) && is_blank_image(&image))
        .then(|| first_visible_frame(bytes));
    Ok(next.flatten().unwrap_or(image))
}

/// The first frame of a GIF that is not blank. At most as many frames are decoded as have the
/// pixels of the largest image.
fn first_visible_frame(bytes: &[u8]) -> Option<RgbImage> {
    let decoder = GifDecoder::new(Cursor::new(bytes)).ok()?;
    let (width, height) = decoder.dimensions();
    let affordable = MAX_PIXELS / (u64::from(width) * u64::from(height)).max(1);
    decoder
        .into_frames()
        .take(MAX_FRAMES.min(affordable as usize))
        .map_while(Result::ok)
        .map(|frame| flattened(frame.into_buffer().into()))
        .find(|image| !is_blank_image(image))
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

/// The size in a PNG's first chunk. The decoder gives the size only after it has reached the image
/// data, which may follow much other data.
fn png_size(bytes: &[u8]) -> Option<(u32, u32)> {
    let chunk = bytes.strip_prefix(b"\x89PNG\r\n\x1a\n")?;
    let (width, height) = (chunk.get(8..12)?, chunk.get(12..16)?);
    Some((
        u32::from_be_bytes(width.try_into().ok()?),
        u32::from_be_bytes(height.try_into().ok()?),
    ))
}

fn decode_error(error: ImageError) -> ModelError {
    match error {
        ImageError::Limits(error) => ModelError::ImageTooLarge(error.to_string()),
        other => ModelError::UnreadableImage(other.to_string()),
    }
}

/// Checks an image's size, before memory is allocated for it.
///
/// # Errors
///
/// [`ModelError::UnreadableImage`] if it has no pixels, [`ModelError::ImageTooLarge`] if it has
/// more than [`MAX_PIXELS`] or a side is longer than [`MAX_SIDE`].
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

/// Lays a transparent image over a background on which its contents are visible.
fn flattened(image: DynamicImage) -> RgbImage {
    if !image.color().has_alpha() {
        return image.into_rgb8();
    }
    let rgba = image.into_rgba8();
    let is_visible_on = |background: u8| {
        contrast(rgba.pixels().map(|pixel| over(pixel.0, background))) >= VISIBLE_CONTRAST
    };
    let inverted = !is_visible_on(255) && is_visible_on(0);
    let mut rgb = RgbImage::new(rgba.width(), rgba.height());
    for (out, pixel) in rgb.pixels_mut().zip(rgba.pixels()) {
        out.0 = match inverted {
            true => over(pixel.0, 0).map(|c| 255 - c),
            false => over(pixel.0, 255),
        };
    }
    rgb
}

/// A pixel laid over a grey background.
fn over([r, g, b, alpha]: [u8; 4], background: u8) -> [u8; 3] {
    let (alpha, background) = (u32::from(alpha), u32::from(background));
    [r, g, b].map(|c| ((u32::from(c) * alpha + background * (255 - alpha) + 127) / 255) as u8)
}
