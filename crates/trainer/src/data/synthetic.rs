//! Synthetic images from the generator.

use anyhow::{Context, Result};
use captcha_evaluation::data::{Dataset, Example, PlacedCharacter, RenderInfo};
use captcha_model::image::RgbImage;
use captcha_synth::{Generator, Sample};

/// Images of a generator, none of them twice: epoch `e` is the `e`-th section of its sequence.
#[derive(Clone)]
pub struct SyntheticDataset {
    generator: Generator,
    images_per_epoch: usize,
    first: u64,
}

impl SyntheticDataset {
    /// A data set with `images_per_epoch` images of the generator in each epoch.
    pub fn new(generator: Generator, images_per_epoch: usize) -> Self {
        Self {
            generator,
            images_per_epoch,
            first: 0,
        }
    }

    /// The same sequence from its image `first` on.
    pub fn starting_at(self, first: u64) -> Self {
        Self { first, ..self }
    }
}

impl Dataset for SyntheticDataset {
    fn len(&self) -> usize {
        self.images_per_epoch
    }

    fn example(&self, epoch: usize, index: usize) -> Result<Example> {
        let place = (epoch * self.images_per_epoch + index) as u64;
        example_of(self.generator.sample(self.first.saturating_add(place)))
    }
}

/// Converts a sample of the generator.
///
/// # Errors
///
/// If the sample's pixels do not fit its size.
pub fn example_of(sample: Sample) -> Result<Example> {
    let (width, height) = (sample.width as f32, sample.height as f32);
    let characters = sample.characters.iter().map(|placed| PlacedCharacter {
        character: placed.character,
        x: (placed.x + placed.width / 2.0) / width,
        y: (placed.y + placed.height / 2.0) / height,
        width: placed.width / width,
        height: placed.height / height,
    });
    Ok(Example {
        characters: Some(characters.collect()),
        rendering: Some(RenderInfo {
            font: sample.font,
            strokes: sample.strokes,
        }),
        text: sample.text,
        image: RgbImage::from_raw(sample.width, sample.height, sample.rgb)
            .context("the generator drew an image of the wrong size")?,
    })
}
