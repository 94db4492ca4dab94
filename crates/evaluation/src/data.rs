//! Labelled images and data sets of them.

pub mod augment;
pub mod folder;
pub mod image_files;
pub mod label_check;
pub mod labels;
pub mod splits;

use std::sync::Arc;

use anyhow::Result;
use captcha_model::image::RgbImage;

/// A labelled image.
#[derive(Clone, Debug)]
pub struct Example {
    /// The image at its original size.
    pub image: RgbImage,
    /// The label; empty for an image without characters.
    pub text: String,
    /// The position of each character, if known.
    pub characters: Option<Vec<PlacedCharacter>>,
    /// How the image was drawn, if it is synthetic.
    pub rendering: Option<RenderInfo>,
}

/// How a synthetic image was drawn.
#[derive(Clone, Copy, Debug)]
pub struct RenderInfo {
    /// Name of the font.
    pub font: &'static str,
    /// Number of lines, arcs and dashes.
    pub strokes: u32,
}

/// A character with the centre and size of its ink, as shares of the image's width and height.
#[derive(Clone, Copy, Debug)]
pub struct PlacedCharacter {
    /// The character.
    pub character: char,
    /// Centre from the left; 0 to 1 inside the image.
    pub x: f32,
    /// Centre from the top; 0 to 1 inside the image.
    pub y: f32,
    /// Width of the ink.
    pub width: f32,
    /// Height of the ink.
    pub height: f32,
}

/// Examples by epoch and index. A folder gives the same examples in another order each epoch, a
/// generator gives new ones.
pub trait Dataset: Send + Sync {
    /// Number of examples in an epoch.
    fn len(&self) -> usize;

    /// Whether the data set is empty.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The example at `index < len()` of an epoch; equal arguments give equal examples.
    ///
    /// # Errors
    ///
    /// If the image cannot be read; the message names the file.
    fn example(&self, epoch: usize, index: usize) -> Result<Example>;
}

/// Gives a data set's first epoch in every epoch, so that validation results are comparable.
pub struct FixedEpoch(pub Arc<dyn Dataset>);

impl Dataset for FixedEpoch {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn example(&self, _epoch: usize, index: usize) -> Result<Example> {
        self.0.example(0, index)
    }
}
