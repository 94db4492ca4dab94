//! Figures of a run and an evaluation, as SVG and PNG.
//!
//! Each figure is drawn as SVG, and the PNG is rendered from it.

mod charts;
mod pictures;
mod svg;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use captcha_evaluation::data::Dataset;
use captcha_evaluation::score::Score;
use captcha_evaluation::wording::plural;
use captcha_model::Recognizer;

use crate::training::run_folder::RunFolder;

/// Images in the figure of samples.
const SAMPLES: usize = 10;

/// Writes figures to a folder.
pub struct Figures {
    folder: PathBuf,
}

impl Figures {
    /// Writes to `folder`, which is made if it does not exist.
    ///
    /// # Errors
    ///
    /// If the folder cannot be made.
    pub fn new(folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder)
            .with_context(|| format!("cannot create {}", folder.display()))?;
        Ok(Self {
            folder: folder.to_owned(),
        })
    }

    /// The training loss of consecutive runs, beside the paper's (Fig. 2).
    ///
    /// # Errors
    ///
    /// If a run cannot be read or a figure not be written.
    pub fn loss(&self, runs: &[RunFolder]) -> Result<()> {
        let mut losses = Vec::new();
        let mut images = 0;
        let mut fresh = true;
        for run in runs {
            let provenance = run.provenance()?;
            let per_epoch = provenance.recipe.training.images_per_epoch;
            fresh &= provenance.data.starts_with("synth:");
            for loss in run.losses()? {
                images += per_epoch;
                losses.push((images as f64, loss));
            }
        }
        self.write("loss", &charts::loss(&losses, fresh)?)
    }

    /// Images with their readings (Fig. 3).
    ///
    /// # Errors
    ///
    /// If an image cannot be read or a figure not be written.
    pub fn samples(&self, recognizer: &Recognizer, dataset: &dyn Dataset) -> Result<()> {
        let images = (0..SAMPLES.min(dataset.len()))
            .map(|index| Ok(dataset.example(0, index)?.image))
            .collect::<Result<Vec<_>>>()?;
        let predictions = pollster::block_on(recognizer.recognize(&images, 0))?;
        let texts = predictions.iter().map(|prediction| &*prediction.text);
        self.write("samples", &pictures::samples(images.iter().zip(texts))?)
    }

    /// The attention of each character of an image (Fig. 4).
    ///
    /// # Errors
    ///
    /// If the image cannot be read or a figure not be written.
    pub fn attention(&self, recognizer: &Recognizer, dataset: &dyn Dataset) -> Result<()> {
        let image = dataset.example(0, 0)?.image;
        let prediction = pollster::block_on(recognizer.recognize(std::slice::from_ref(&image), 0))?
            .pop()
            .context("an image has a prediction")?;
        self.write("attention", &pictures::attention(&image, &prediction)?)
    }

    /// Confusion matrix, reliability diagram, and accuracy by group.
    ///
    /// # Errors
    ///
    /// If a figure cannot be written.
    pub fn score(&self, score: &Score) -> Result<()> {
        self.write("confusions", &charts::confusions(&score.confusions)?)?;
        self.write("reliability", &charts::reliability(score)?)?;
        let named = |groups: Vec<(String, f64)>, title| charts::bars(title, &groups);
        let lengths = score.by_length.iter().map(|(characters, tally)| {
            let noun = plural(*characters, "character", "characters");
            (format!("{characters} {noun}"), tally.accuracy())
        });
        self.write(
            "by-length",
            &named(lengths.collect(), "Exact matches by length")?,
        )?;
        if !score.by_strokes.is_empty() {
            let strokes = charts::by_strokes(&score.by_strokes);
            self.write(
                "by-strokes",
                &named(strokes, "Exact matches by number of strokes")?,
            )?;
        }
        if !score.by_font.is_empty() {
            let mut fonts: Vec<_> = score
                .by_font
                .iter()
                .map(|(font, tally)| ((*font).to_owned(), tally.accuracy()))
                .collect();
            fonts.sort_by(|a, b| b.1.total_cmp(&a.1));
            self.write("by-font", &named(fonts, "Exact matches by font")?)?;
        }
        Ok(())
    }

    fn write(&self, name: &str, figure: &str) -> Result<()> {
        for (extension, bytes) in [("svg", figure.as_bytes()), ("png", &svg::to_png(figure)?)] {
            let path = self.folder.join(name).with_extension(extension);
            fs::write(&path, bytes).with_context(|| format!("cannot write {}", path.display()))?;
        }
        Ok(())
    }
}
