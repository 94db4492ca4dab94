use burn::nn::PixelUnshuffleConfig;
use burn::tensor::Device;
use captcha_model::ModelConfig;
use captcha_model::config::{InputConfig, Resampling};
use captcha_model::image::{RgbImage, batch, preprocess};
use image::Rgb;

use crate::support::{code, tiny};

/// The resizer works in fixed point and rounds to eight bits.
const TOLERANCE: f32 = 1.01 / 255.0;

/// A network with this input.
fn config(height: usize, width: usize, resampling: Resampling) -> ModelConfig {
    ModelConfig {
        input: InputConfig::new(height, width, resampling),
        ..tiny("ab", 2)
    }
}

fn pattern(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        Rgb([(x * 37 + y * 11) as u8, (x * x) as u8, (x ^ y) as u8 * 3])
    })
}

/// Bilinear resampling by the definition, for one channel at one position: along each axis, the
/// weights of the pixels are a triangle around the position, as wide as the scale if `area` is set.
fn resampled(
    image: &RgbImage,
    channel: usize,
    place: [usize; 2],
    size: [usize; 2],
    area: bool,
) -> f32 {
    let weights = |place: usize, size: usize, length: u32| {
        let scale = length as f64 / size as f64;
        let reach = if area { scale.max(1.0) } else { 1.0 };
        let centre = (place as f64 + 0.5) * scale;
        let near = move |i: u32| (1.0 - (f64::from(i) + 0.5 - centre).abs() / reach).max(0.0);
        let total: f64 = (0..length).map(near).sum();
        (0..length)
            .map(move |i| near(i) / total)
            .collect::<Vec<_>>()
    };
    let rows = weights(place[0], size[0], image.height());
    let cols = weights(place[1], size[1], image.width());
    let sum: f64 = image
        .enumerate_pixels()
        .map(|(x, y, pixel)| rows[y as usize] * cols[x as usize] * f64::from(pixel.0[channel]))
        .sum();
    (sum / 255.0) as f32
}

#[test]
fn preprocess_resamples_by_the_definition() {
    let image = pattern(61, 33);
    let size = [5, 10];
    for (resampling, area) in [(Resampling::Bilinear, false), (Resampling::Area, true)] {
        let values = preprocess(&image, &config(size[0], size[1], resampling)).unwrap();
        assert_eq!(values.len(), 3 * 5 * 10);
        for (i, value) in values.iter().enumerate() {
            let expected = resampled(&image, i / 50, [i % 50 / 10, i % 10], size, area);
            assert!(
                (value - expected).abs() < TOLERANCE,
                "{i}: {value}, not {expected}"
            );
        }
    }
}

#[test]
fn preprocess_of_a_small_image_interpolates() {
    let image = pattern(4, 3);
    let size = [6, 8];
    let values = preprocess(&image, &config(6, 8, Resampling::Bilinear)).unwrap();
    for (i, value) in values.iter().enumerate() {
        let expected = resampled(&image, i / 48, [i % 48 / 8, i % 8], size, false);
        assert!(
            (value - expected).abs() < TOLERANCE,
            "{i}: {value}, not {expected}"
        );
    }
}

#[test]
fn preprocess_at_the_input_size_only_scales_values() {
    let image = pattern(10, 5);
    for resampling in [Resampling::Bilinear, Resampling::Area] {
        let values = preprocess(&image, &config(5, 10, resampling)).unwrap();
        let expected = (0..3).flat_map(|channel| {
            image
                .pixels()
                .map(move |pixel| f32::from(pixel.0[channel]) / 255.0)
        });
        assert!(values.iter().copied().eq(expected));
    }
}

#[test]
fn preprocess_inverted_makes_white_zero() {
    let mut config = config(5, 10, Resampling::Area);
    config.input.inverted = true;
    let white = RgbImage::from_pixel(600, 320, Rgb([255; 3]));
    assert!(
        preprocess(&white, &config)
            .unwrap()
            .iter()
            .all(|value| *value == 0.0)
    );
}

#[test]
fn preprocess_accepts_any_shape() {
    for (width, height) in [(1, 1), (1, 500), (500, 1), (3, 2)] {
        let image = RgbImage::from_pixel(width, height, Rgb([255, 0, 51]));
        for resampling in [Resampling::Bilinear, Resampling::Area] {
            let values = preprocess(&image, &config(5, 10, resampling)).unwrap();
            for (channel, expected) in [1.0, 0.0, 0.2].into_iter().enumerate() {
                let plane = &values[channel * 50..][..50];
                assert!(
                    plane.iter().all(|value| *value == expected),
                    "{width} x {height}"
                );
            }
        }
    }
}

#[test]
fn preprocess_without_pixels_is_an_error() {
    let config = config(5, 10, Resampling::Area);
    let refused = preprocess(&RgbImage::new(0, 7), &config);
    assert_eq!(code(refused), "unreadable-image");
}

#[test]
fn preprocess_with_unshuffle_gives_the_channels_of_burn() {
    let device = Device::flex();
    for side in [2, 3] {
        let (height, width) = (4 * side, 5 * side);
        let image = pattern(width as u32, height as u32);
        let plain = config(height, width, Resampling::Area);
        let mut unshuffled = plain.clone();
        unshuffled.encoder.unshuffle = side;
        let [plain, unshuffled] = [plain, unshuffled].map(|config| {
            let values = preprocess(&image, &config).unwrap();
            batch(vec![values.clone(), values], &config, &device)
        });
        assert_eq!(unshuffled.dims(), [2, 3 * side * side, 4, 5]);
        let expected = PixelUnshuffleConfig::new(side).init().forward(plain);
        assert_eq!(unshuffled.into_data(), expected.into_data());
    }
}
