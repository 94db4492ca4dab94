//! RGB pixels to the network's input: resize, scale, pixel unshuffle.

use burn::tensor::{Device, Tensor, TensorData};
use captcha_kernel::resize_rgb;

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
    let (pixels, _) = resized.as_chunks::<3>();
    let mut values = vec![0.0; channels * rows * cols];
    for (channel, plane) in values.chunks_exact_mut(rows * cols).enumerate() {
        let (colour, pixel) = (channel / (side * side), channel % (side * side));
        let (i, j) = (pixel / side, pixel % side);
        let lines = pixels.chunks_exact(input.width);
        let lines = lines.skip(i).step_by(side);
        for (values, line) in plane.chunks_exact_mut(cols).zip(lines) {
            for (value, square) in values.iter_mut().zip(line.chunks_exact(side)) {
                *value = levels[usize::from(square[j][colour])];
            }
        }
    }
    Ok(values)
}

/// Resizes an image to `[width, height]` pixels of three bytes, row by row.
fn resize(
    image: &RgbImage,
    [width, height]: [usize; 2],
    resampling: Resampling,
) -> Result<Vec<u8>, ModelError> {
    check_size(image.width(), image.height())?;
    let size = [image.width(), image.height()];
    let antialias = resampling == Resampling::Area;
    resize_rgb(image, size, [width as u32, height as u32], antialias)
        .map_err(|error| ModelError::UnreadableImage(error.to_string()))
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
