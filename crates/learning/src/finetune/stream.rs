//! The images of the training steps: labelled images, each time in another variant, and generated
//! ones.

use std::sync::Arc;

use anyhow::{Result, ensure};
use captcha_evaluation::data::labels::LabelledFile;
use captcha_evaluation::data::{Dataset, Example};
use captcha_model::ModelConfig;
use captcha_model::image::RgbImage;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use crate::data::augmentation::Augmentation;
use crate::data::read_images::ImageSource;

/// Decoded images are kept in memory up to this size, in bytes; a browser has less.
const CACHE_BYTES: usize = if cfg!(target_arch = "wasm32") {
    1 << 27
} else {
    1 << 29
};

/// An endless, indexed series of training images.
pub struct TrainingStream {
    images: Vec<CachedImage>,
    source: Arc<dyn ImageSource>,
    synthetic: Option<Arc<dyn Dataset>>,
    synthetic_share: f64,
    augmentation: Augmentation,
    /// The network, whose input the images are scaled to.
    config: ModelConfig,
    seed: u64,
}

/// A labelled file and, while the cache has space, its image.
struct CachedImage {
    file: LabelledFile,
    image: Option<RgbImage>,
}

/// An image of the series.
pub struct Drawn {
    /// The image and its text.
    pub example: Example,
    /// Index of the labelled file; `None` for a generated image.
    pub file: Option<usize>,
}

impl TrainingStream {
    /// A series of variants of labelled images, mixed with a share of generated ones.
    ///
    /// # Errors
    ///
    /// If there is no labelled image, or one cannot be read.
    pub fn new(
        files: Vec<LabelledFile>,
        source: Arc<dyn ImageSource>,
        synthetic: Option<(Arc<dyn Dataset>, f64)>,
        augmentation: Augmentation,
        config: ModelConfig,
        seed: u64,
    ) -> Result<Self> {
        ensure!(!files.is_empty(), "there are no images to train on");
        let first = source.image(&files[0].path)?;
        let per_image = first.as_raw().len().max(1);
        let cached = CACHE_BYTES / per_image;
        let images = files
            .into_par_iter()
            .enumerate()
            .map(|(index, file)| {
                let image = (index < cached)
                    .then(|| source.image(&file.path))
                    .transpose()?;
                Ok(CachedImage { file, image })
            })
            .collect::<Result<_>>()?;
        let (synthetic, synthetic_share) = match synthetic {
            Some((dataset, share)) if share > 0.0 && !dataset.is_empty() => (Some(dataset), share),
            _ => (None, 0.0),
        };
        Ok(Self {
            images,
            source,
            synthetic,
            synthetic_share,
            augmentation,
            config,
            seed,
        })
    }

    /// Number of labelled files.
    pub fn files(&self) -> usize {
        self.images.len()
    }

    /// Labels of the files, in their order.
    pub(super) fn labels(&self) -> Vec<&str> {
        let images = self.images.iter();
        images.map(|image| image.file.text.as_str()).collect()
    }

    /// The `number`-th image of the series. Every labelled image comes once before one comes again.
    /// `strength` is the share of the augmentation, 0 to 1.
    ///
    /// # Errors
    ///
    /// If a file cannot be read any more.
    pub fn draw(&self, number: u64, strength: f32) -> Result<Drawn> {
        let augmentation = self.augmentation.scaled(strength);
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        random.set_stream(number);
        if let Some(dataset) = &self.synthetic {
            // Every image's part is decided by its place, so that no count has to be kept.
            let (before, after) = (
                self.synthetic_before(number),
                self.synthetic_before(number + 1),
            );
            if after > before {
                let (epoch, index) = (before / dataset.len() as u64, before % dataset.len() as u64);
                let mut example = dataset.example(epoch as usize, index as usize)?;
                example.image = self.variant(&augmentation, &example.image, &mut random)?;
                return Ok(Drawn {
                    example,
                    file: None,
                });
            }
        }
        let place = number - self.synthetic_before(number);
        let count = self.images.len() as u64;
        let file = self.order(place / count)[(place % count) as usize];
        let CachedImage {
            file: listed,
            image,
        } = &self.images[file];
        let read;
        let image = match image {
            Some(image) => image,
            None => {
                read = self.source.image(&listed.path)?;
                &read
            }
        };
        Ok(Drawn {
            example: Example {
                image: self.variant(&augmentation, image, &mut random)?,
                text: listed.text.clone(),
                characters: None,
                rendering: None,
            },
            file: Some(file),
        })
    }

    /// A variant of an image, as large as the network's input for it.
    fn variant(
        &self,
        augmentation: &Augmentation,
        image: &RgbImage,
        random: &mut ChaCha8Rng,
    ) -> Result<RgbImage> {
        let input = self.config.for_image(image.width(), image.height()).input;
        let size = [input.width as u32, input.height as u32];
        augmentation.apply(image, size, random)
    }

    /// Number of generated images among the first `count`.
    fn synthetic_before(&self, count: u64) -> u64 {
        (count as f64 * self.synthetic_share) as u64
    }

    /// The order of a pass through the labelled images.
    fn order(&self, pass: u64) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.images.len()).collect();
        let mut random = ChaCha8Rng::seed_from_u64(self.seed ^ ORDER);
        random.set_stream(pass);
        order.shuffle(&mut random);
        order
    }
}

/// Separates the orders' random stream from the images'.
const ORDER: u64 = 0x6f72_6465_7200_0000;
