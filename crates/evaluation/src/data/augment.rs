//! Augmentation: random crops, resolutions and JPEG compression, as images have in practice.

use std::sync::Arc;

use anyhow::{Context, Result};
use captcha_model::image::{RgbImage, decode_image};
use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use image::codecs::jpeg::JpegEncoder;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::data::{Dataset, Example};

/// Range of widths in pixels, drawn evenly on a logarithmic scale.
const WIDTH_RANGE: (f32, f32) = (120.0, 480.0);
/// Largest height in pixels: a very tall image would exceed the limits of JPEG.
const MAX_HEIGHT: f32 = 4096.0;
/// Resize algorithms of common software.
const RESIZE_ALGORITHMS: [ResizeAlg; 5] = [
    ResizeAlg::Nearest,
    ResizeAlg::Convolution(FilterType::Box),
    ResizeAlg::Convolution(FilterType::Bilinear),
    ResizeAlg::Convolution(FilterType::CatmullRom),
    ResizeAlg::Convolution(FilterType::Lanczos3),
];
/// Largest share of a side that is cropped, or added in white, at each end.
const MAX_CROP: f32 = 0.04;
/// Share of the images that are compressed, and the range of JPEG qualities.
const JPEG_SHARE: f64 = 0.5;
const JPEG_QUALITY: (u8, u8) = (30, 95);

/// The random stream of augmented images. Each split has its own, so that images at the same index
/// are augmented differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AugmentStream {
    /// Test images; results are published for them, so their numbers must not change.
    Test = 0,
    /// Training images.
    Train = 1,
}

/// A data set with a share of its images augmented. Equal seeds give equal images.
pub struct Augmented {
    dataset: Arc<dyn Dataset>,
    share: f64,
    seed: u64,
    stream: AugmentStream,
}

impl Augmented {
    /// Augments a share, 0 to 1, of the images of a data set.
    pub fn new(dataset: Arc<dyn Dataset>, share: f64, seed: u64, stream: AugmentStream) -> Self {
        Self {
            dataset,
            share,
            seed,
            stream,
        }
    }
}

impl Dataset for Augmented {
    fn len(&self) -> usize {
        self.dataset.len()
    }

    fn example(&self, epoch: usize, index: usize) -> Result<Example> {
        let example = self.dataset.example(epoch, index)?;
        let mut key = [0; 32];
        for (bytes, part) in
            key.chunks_exact_mut(8)
                .zip([self.seed, epoch as u64, index as u64, self.stream as u64])
        {
            bytes.copy_from_slice(&part.to_le_bytes());
        }
        let mut random = ChaCha8Rng::from_seed(key);
        if random.random_bool(self.share) {
            augment(example, &mut random)
        } else {
            Ok(example)
        }
    }
}

fn augment(mut example: Example, random: &mut ChaCha8Rng) -> Result<Example> {
    crop(&mut example, random);
    let image = example.image;
    let width = WIDTH_RANGE.0 * (WIDTH_RANGE.1 / WIDTH_RANGE.0).powf(random.random());
    let height = (width * image.height() as f32 / image.width() as f32).min(MAX_HEIGHT);
    let algorithm = RESIZE_ALGORITHMS[random.random_range(0..RESIZE_ALGORITHMS.len())];
    let size = [width, height].map(|size| size.round().max(1.0) as u32);
    let image = resize(&image, size, algorithm)?;
    let quality = random.random_range(JPEG_QUALITY.0..=JPEG_QUALITY.1);
    example.image = if random.random_bool(JPEG_SHARE) {
        let mut bytes = Vec::new();
        image.write_with_encoder(JpegEncoder::new_with_quality(&mut bytes, quality))?;
        decode_image(&bytes)?
    } else {
        image
    };
    Ok(example)
}

/// Moves each edge of the image in or out.
fn crop(example: &mut Example, random: &mut ChaCha8Rng) {
    let (width, height) = example.image.dimensions();
    let mut edges = |size: u32| {
        let mut edge = || size as f32 * random.random_range(-MAX_CROP..=MAX_CROP);
        let (first, last) = (edge().round() as i64, edge().round() as i64);
        (first, (i64::from(size) - first - last).max(1) as u32)
    };
    let ((left, new_width), (top, new_height)) = (edges(width), edges(height));
    let mut image = RgbImage::from_pixel(new_width, new_height, image::Rgb([255; 3]));
    image::imageops::replace(&mut image, &example.image, -left, -top);
    example.image = image;
    for placed in example.characters.iter_mut().flatten() {
        let moved = |share: f32, old: u32, first: i64, new: u32| {
            (share * old as f32 - first as f32) / new as f32
        };
        placed.x = moved(placed.x, width, left, new_width);
        placed.y = moved(placed.y, height, top, new_height);
        placed.width *= width as f32 / new_width as f32;
        placed.height *= height as f32 / new_height as f32;
    }
}

fn resize(image: &RgbImage, [width, height]: [u32; 2], algorithm: ResizeAlg) -> Result<RgbImage> {
    let source = ImageRef::new(
        image.width(),
        image.height(),
        image.as_raw(),
        PixelType::U8x3,
    )?;
    let mut resized = Image::new(width, height, PixelType::U8x3);
    let options = ResizeOptions::new().resize_alg(algorithm);
    Resizer::new().resize(&source, &mut resized, &options)?;
    RgbImage::from_raw(width, height, resized.into_vec()).context("the resized image is incomplete")
}
