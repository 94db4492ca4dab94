//! Resizing of RGB images, by the crate fast_image_resize.
//!
//! The functions of that crate are generic: they are compiled with the crate that calls them. In the
//! page's modules, this crate is compiled for speed, and `captcha-model` for size.

use fast_image_resize as fir;
use fir::images::{TypedImage, TypedImageRef};
use fir::pixels::U8x3;

/// Why an image was not resized.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResizeError(String);

impl std::fmt::Display for ResizeError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ResizeError {}

/// Resizes an image to `[width, height]` pixels, with bilinear interpolation. With `antialias`, the
/// kernel is as wide as the scale where the image becomes smaller, so that every pixel has an effect.
///
/// # Shapes
///
/// - `pixels`: `[height, width, 3]` of `size`, which is `[width, height]`
/// - output: `[height, width, 3]` of `new_size`
///
/// # Errors
///
/// [`ResizeError`] if there are fewer pixels than `size` says.
pub fn resize_rgb(
    pixels: &[u8],
    size: [u32; 2],
    new_size: [u32; 2],
    antialias: bool,
) -> Result<Vec<u8>, ResizeError> {
    let failed = |error: &dyn std::fmt::Display| ResizeError(error.to_string());
    let [width, height] = size;
    let source = TypedImageRef::<U8x3>::from_buffer(width, height, pixels)
        .map_err(|error| failed(&error))?;
    let [width, height] = new_size;
    let mut resized = vec![0; width as usize * height as usize * 3];
    let mut target = TypedImage::<U8x3>::from_buffer(width, height, &mut resized)
        .map_err(|error| failed(&error))?;
    let algorithm = match antialias {
        true => fir::ResizeAlg::Convolution(fir::FilterType::Bilinear),
        false => fir::ResizeAlg::Interpolation(fir::FilterType::Bilinear),
    };
    // The typed function is a twelfth of the code, without the tables for alpha, which would be a
    // quarter of the CPU module.
    let options = fir::ResizeOptions::new().resize_alg(algorithm);
    fir::Resizer::new()
        .resize_typed(&source, &mut target, &options)
        .map_err(|error| failed(&error))?;
    Ok(resized)
}
