//! Labelled images, wherever they come from.

pub mod augment;
pub mod batch;
pub mod folder;
pub mod loader;
pub mod splits;
pub mod synthetic;

use std::sync::Arc;

use anyhow::Result;
use captcha_model::image::RgbImage;

/// A labelled image.
#[derive(Clone, Debug)]
pub struct Example {
    /// The picture, at its own size.
    pub image: RgbImage,
    /// What it says; empty where there is nothing to read.
    pub text: String,
    /// Where each character stands, if that is known.
    pub characters: Option<Vec<PlacedCharacter>>,
    /// How it was drawn, if it was generated.
    pub drawn: Option<Drawn>,
}

/// What a generated image is made of.
#[derive(Clone, Copy, Debug)]
pub struct Drawn {
    /// Name of the face.
    pub font: &'static str,
    /// Number of lines, arcs and dashes.
    pub strokes: u32,
}

/// A character and its ink's centre and size, as shares of the image's width and height.
#[derive(Clone, Copy, Debug)]
pub struct PlacedCharacter {
    /// The character.
    pub character: char,
    /// From the left, 0..1 for what lies inside the image.
    pub x: f32,
    /// From the top, 0..1 for what lies inside the image.
    pub y: f32,
    /// Of the ink.
    pub width: f32,
    /// Of the ink.
    pub height: f32,
}

/// Examples by epoch and index: a folder gives the same ones in another order each epoch, a
/// generator gives new ones for ever.
pub trait Source: Send + Sync {
    /// Examples in an epoch.
    fn len(&self) -> usize;

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The example at `index < len()` of an epoch; the same one whenever it is asked for.
    ///
    /// # Errors
    ///
    /// If it cannot be read; the message names the file.
    fn example(&self, epoch: usize, index: usize) -> Result<Example>;
}

/// A source's first epoch, again and again: what epochs are compared by must not differ itself.
pub struct FirstEpoch(pub Arc<dyn Source>);

impl Source for FirstEpoch {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn example(&self, _epoch: usize, index: usize) -> Result<Example> {
        self.0.example(0, index)
    }
}
