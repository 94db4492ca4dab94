//! Synthetic images from the generator.

use std::fs;
use std::ops::RangeInclusive;
use std::path::Path;

use anyhow::{Context, Result};
use captcha_evaluation::data::{Dataset, Example, PlacedCharacter, RenderInfo};
use captcha_model::image::RgbImage;
use captcha_synth::{FontSet, Generator, LONGEST_TEXT, Look, Sample, Split, Style};

/// The name that stands for random looks.
const RANDOM: &str = "random";
/// The name that stands for hard random looks.
const RANDOM_HARD: &str = "random-hard";

/// The looks of synthetic images.
#[derive(Clone, Debug, PartialEq)]
pub enum Looks {
    /// One look.
    One(Box<Look>),
    /// Another random look for each image.
    Random,
    /// Another hard random look for each image.
    RandomHard,
}

impl Looks {
    /// Parses the name of a built-in look, the path of a look file (`.toml`), `random`, or
    /// `random-hard`.
    ///
    /// # Errors
    ///
    /// If there is no such look, or the file cannot be used.
    pub fn parse(text: &str) -> Result<Self> {
        match text {
            RANDOM => return Ok(Self::Random),
            RANDOM_HARD => return Ok(Self::RandomHard),
            _ => {}
        }
        let path = Path::new(text);
        if path.extension().is_none_or(|ending| ending != "toml") {
            let look = Look::named(text).with_context(|| {
                format!(
                    "write {RANDOM:?}, {RANDOM_HARD:?}, the path of a look file (.toml), or the \
                     name of a look"
                )
            })?;
            return Ok(Self::One(Box::new(look)));
        }
        let file =
            fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        Ok(Self::One(Box::new(Look::from_toml(&name, &file)?)))
    }

    /// The series of images with these looks and the looks' own texts.
    pub fn generator(&self, fonts: FontSet, split: Split, seed: u64) -> Generator {
        match self {
            Self::One(look) => Generator::of_look((**look).clone(), fonts, split, seed),
            Self::Random => Generator::of_random_looks(1, fonts, split, seed),
            Self::RandomHard => Generator::of_hard_looks(1, fonts, split, seed),
        }
    }

    /// Whether their texts are words of the built-in list.
    pub fn has_words(&self) -> bool {
        matches!(self, Self::One(look) if look.has_words())
    }

    /// The characters of their texts, sorted.
    pub fn alphabet(&self) -> String {
        match self {
            Self::One(look) => look.alphabet(),
            Self::Random | Self::RandomHard => {
                ('0'..='9').chain('A'..='Z').chain('a'..='z').collect()
            }
        }
    }

    /// The numbers of characters of their texts.
    pub fn lengths(&self) -> RangeInclusive<usize> {
        match self {
            Self::One(look) => {
                let (shortest, longest) = look.lengths();
                shortest..=longest
            }
            Self::Random | Self::RandomHard => 3..=LONGEST_TEXT,
        }
    }
}

impl From<Style> for Looks {
    fn from(style: Style) -> Self {
        Self::One(Box::new(style.into()))
    }
}

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
