//! Images as they reach a reader in practice: cut a little off, at another resolution, after JPEG.

use std::sync::Arc;

use anyhow::{Context, Result};
use captcha_model::image::{RgbImage, decode_image};
use captcha_synth::Split;
use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use image::codecs::jpeg::JpegEncoder;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::data::{Example, Source};

/// Widths in pixels, drawn evenly on a logarithmic scale.
const WIDTHS: (f32, f32) = (120.0, 480.0);
/// Largest height in pixels: an image very much taller than wide would exceed what JPEG can hold.
const LARGEST_HEIGHT: f32 = 4096.0;
/// How scalers of other people's making compute a pixel.
const SCALERS: [ResizeAlg; 5] = [
    ResizeAlg::Nearest,
    ResizeAlg::Convolution(FilterType::Box),
    ResizeAlg::Convolution(FilterType::Bilinear),
    ResizeAlg::Convolution(FilterType::CatmullRom),
    ResizeAlg::Convolution(FilterType::Lanczos3),
];
/// Largest part of a side that is cut off, or added in white, at each end.
const LARGEST_CUT: f32 = 0.04;
/// Share of the images that go through JPEG, and its qualities.
const JPEG_SHARE: f64 = 0.5;
const JPEG_QUALITY: (u8, u8) = (30, 95);

/// A source of whose images a share is degraded, the same ones in the same way for the same seed.
pub struct Degraded {
    source: Arc<dyn Source>,
    share: f64,
    seed: u64,
    split: Split,
}

impl Degraded {
    /// Degrades this share, 0 to 1, of the source's images, which are test images.
    pub fn new(source: Arc<dyn Source>, share: f64, seed: u64) -> Self {
        Self {
            source,
            share,
            seed,
            split: Split::Test,
        }
    }

    /// The same for images of another split, each in a way of its own.
    pub fn in_split(self, split: Split) -> Self {
        Self { split, ..self }
    }
}

impl Source for Degraded {
    fn len(&self) -> usize {
        self.source.len()
    }

    fn example(&self, epoch: usize, index: usize) -> Result<Example> {
        let example = self.source.example(epoch, index)?;
        // Results are published for test images: their numbers stay as they were.
        let split = match self.split {
            Split::Test => 0,
            Split::Train => 1,
            Split::Validation => 2,
            Split::Export => 3,
        };
        let mut key = [0; 32];
        for (bytes, part) in
            key.chunks_exact_mut(8)
                .zip([self.seed, epoch as u64, index as u64, split])
        {
            bytes.copy_from_slice(&part.to_le_bytes());
        }
        let mut random = ChaCha8Rng::from_seed(key);
        if random.random_bool(self.share) {
            degrade(example, &mut random)
        } else {
            Ok(example)
        }
    }
}

fn degrade(mut example: Example, random: &mut ChaCha8Rng) -> Result<Example> {
    cut(&mut example, random);
    let image = example.image;
    let width = WIDTHS.0 * (WIDTHS.1 / WIDTHS.0).powf(random.random());
    let height = (width * image.height() as f32 / image.width() as f32).min(LARGEST_HEIGHT);
    let scaler = SCALERS[random.random_range(0..SCALERS.len())];
    let image = scale(
        &image,
        [width, height].map(|size| size.round().max(1.0) as u32),
        scaler,
    )?;
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

/// Moves each edge of the picture in or out.
fn cut(example: &mut Example, random: &mut ChaCha8Rng) {
    let (width, height) = example.image.dimensions();
    let mut edges = |size: u32| {
        let mut edge = || size as f32 * random.random_range(-LARGEST_CUT..=LARGEST_CUT);
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

fn scale(image: &RgbImage, [width, height]: [u32; 2], scaler: ResizeAlg) -> Result<RgbImage> {
    let source = ImageRef::new(
        image.width(),
        image.height(),
        image.as_raw(),
        PixelType::U8x3,
    )?;
    let mut scaled = Image::new(width, height, PixelType::U8x3);
    let options = ResizeOptions::new().resize_alg(scaler);
    Resizer::new().resize(&source, &mut scaled, &options)?;
    RgbImage::from_raw(width, height, scaled.into_vec()).context("the scaled image is incomplete")
}
