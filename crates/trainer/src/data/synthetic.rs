//! Fresh images from the generator.

use anyhow::{Context, Result};
use captcha_model::image::RgbImage;
use captcha_synth::{Generator, Sample};

use crate::data::{Drawn, Example, PlacedCharacter, Source};

/// A source that never gives an image twice: epoch `e` is the `e`-th stretch of the generator's
/// sequence.
#[derive(Clone)]
pub struct Generated {
    generator: Generator,
    images_per_epoch: usize,
    first: u64,
}

impl Generated {
    /// Takes `images_per_epoch` images an epoch from the generator.
    pub fn new(generator: Generator, images_per_epoch: usize) -> Self {
        Self {
            generator,
            images_per_epoch,
            first: 0,
        }
    }

    /// The same sequence from its `first` image on.
    pub fn starting_at(self, first: u64) -> Self {
        Self { first, ..self }
    }
}

impl Source for Generated {
    fn len(&self) -> usize {
        self.images_per_epoch
    }

    fn example(&self, epoch: usize, index: usize) -> Result<Example> {
        let place = (epoch * self.images_per_epoch + index) as u64;
        example(self.generator.sample(self.first.saturating_add(place)))
    }
}

/// A generated sample as an example.
pub fn example(sample: Sample) -> Result<Example> {
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
        drawn: Some(Drawn {
            font: sample.font,
            strokes: sample.strokes,
        }),
        text: sample.text,
        image: RgbImage::from_raw(sample.width, sample.height, sample.rgb)
            .context("the generator drew an image of the wrong size")?,
    })
}
