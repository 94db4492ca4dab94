//! RGB pixels to the network's input: resize, scale, pixel unshuffle.

use burn::tensor::{Device, Tensor, TensorData};
use fast_image_resize as fir;
use fir::images::{TypedImage, TypedImageRef};
use fir::pixels::U8x3;

use super::decode::{RgbImage, check_size};
use crate::config::{ModelConfig, Resampling};
use crate::error::ModelError;

/// Resizes an image to the network's input for this image ([`ModelConfig::for_image`]), scales its values to 0..1, and moves each square of
/// `unshuffle` x `unshuffle` pixels to the channels of one position (pixel unshuffle).
///
/// The pixel in row `i` and column `j` of its square goes to channel
/// `unshuffle * unshuffle * colour + unshuffle * i + j`, as in burn's `PixelUnshuffle`.
///
/// # Shapes
///
/// - output: [`ModelConfig::input_shape`] of [`ModelConfig::for_image`], flat
///
/// # Errors
///
/// Those of [`check_size`].
pub fn preprocess(image: &RgbImage, config: &ModelConfig) -> Result<Vec<f32>, ModelError> {
    let config = &config.for_image(image.width(), image.height());
    let (input, side) = (&config.input, config.encoder.unshuffle);
    let resized = resize(image, [input.width, input.height], input.resampling)?;
    let [channels, rows, cols] = config.input_shape();
    let levels: [f32; 256] = std::array::from_fn(|level| {
        let level = if input.inverted { 255 - level } else { level };
        level as f32 / 255.0
    });
    let mut values = vec![0.0; channels * rows * cols];
    for (channel, plane) in values.chunks_exact_mut(rows * cols).enumerate() {
        let (colour, pixel) = (channel / (side * side), channel % (side * side));
        let (i, j) = (pixel / side, pixel % side);
        let lines = resized.pixels().chunks_exact(input.width);
        let lines = lines.skip(i).step_by(side);
        for (values, line) in plane.chunks_exact_mut(cols).zip(lines) {
            for (value, square) in values.iter_mut().zip(line.chunks_exact(side)) {
                *value = levels[usize::from(square[j].0[colour])];
            }
        }
    }
    Ok(values)
}

fn resize(
    image: &RgbImage,
    [width, height]: [usize; 2],
    resampling: Resampling,
) -> Result<TypedImage<'static, U8x3>, ModelError> {
    check_size(image.width(), image.height())?;
    let failed = |error: &dyn std::fmt::Display| ModelError::UnreadableImage(error.to_string());
    let source = TypedImageRef::<U8x3>::from_buffer(image.width(), image.height(), image.as_raw())
        .map_err(|error| failed(&error))?;
    let mut resized = TypedImage::<U8x3>::new(width as u32, height as u32);
    let algorithm = match resampling {
        Resampling::Bilinear => fir::ResizeAlg::Interpolation(fir::FilterType::Bilinear),
        Resampling::Area => fir::ResizeAlg::Convolution(fir::FilterType::Bilinear),
    };
    // The typed function is a twelfth of the code, without the tables for alpha, which would be a
    // quarter of the CPU module.
    fir::Resizer::new()
        .resize_typed(
            &source,
            &mut resized,
            &fir::ResizeOptions::new().resize_alg(algorithm),
        )
        .map_err(|error| failed(&error))?;
    Ok(resized)
}

/// Stacks preprocessed images of a fixed input.
///
/// # Shapes
///
/// - `images`: each [`ModelConfig::input_shape`], flat
/// - output: `[images, channels, rows, cols]`
pub fn batch(images: Vec<Vec<f32>>, config: &ModelConfig, device: &Device) -> Tensor<4> {
    let [channels, rows, cols] = config.input_shape();
    let shape = [images.len(), channels, rows, cols];
    Tensor::from_data(TensorData::new(images.concat(), shape), device)
}
