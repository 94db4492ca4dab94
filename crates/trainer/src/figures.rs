//! `captcha-lens figures`: what a run learnt and how well it reads, as SVG and PNG.
//!
//! Every figure is drawn once, as SVG; the PNG is rendered from it.

mod charts;
mod pictures;
mod svg;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use captcha_model::Recognizer;

use crate::data::Source;
use crate::evaluation::Score;
use crate::training::run_folder::RunFolder;

/// Images in the figure of samples.
const SAMPLES: usize = 10;

/// Where figures go.
pub struct Figures {
    folder: PathBuf,
}

impl Figures {
    /// Figures in this folder, which is made if it is not there.
    pub fn new(folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder)
            .with_context(|| format!("cannot create {}", folder.display()))?;
        Ok(Self {
            folder: folder.to_owned(),
        })
    }

    /// The training loss of runs that followed one another, beside the paper's (Fig. 2).
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

    /// Images with what is read in them (Fig. 3).
    pub fn samples(&self, recognizer: &Recognizer, source: &dyn Source) -> Result<()> {
        let images = (0..SAMPLES.min(source.len()))
            .map(|index| Ok(source.example(0, index)?.image))
            .collect::<Result<Vec<_>>>()?;
        let predictions = pollster::block_on(recognizer.recognize(&images, 0))?;
        let texts = predictions.iter().map(|prediction| &*prediction.text);
        self.write("samples", &pictures::samples(images.iter().zip(texts))?)
    }

    /// Where the network looks for each character of one image (Fig. 4).
    pub fn attention(&self, recognizer: &Recognizer, source: &dyn Source) -> Result<()> {
        let image = source.example(0, 0)?.image;
        let prediction = pollster::block_on(recognizer.recognize(std::slice::from_ref(&image), 0))?
            .pop()
            .context("one image has one reading")?;
        self.write("attention", &pictures::attention(&image, &prediction)?)
    }

    /// What an evaluation counted.
    pub fn score(&self, score: &Score) -> Result<()> {
        self.write("confusions", &charts::confusions(&score.read_as)?)?;
        self.write("reliability", &charts::reliability(score)?)?;
        let named = |groups: Vec<(String, f64)>, title| charts::bars(title, &groups);
        let lengths = score
            .by_length
            .iter()
            .map(|(characters, tally)| (format!("{characters} characters"), tally.accuracy()));
        self.write(
            "by-length",
            &named(lengths.collect(), "Read whole, by length")?,
        )?;
        if !score.by_strokes.is_empty() {
            let strokes = charts::by_strokes(&score.by_strokes);
            self.write(
                "by-strokes",
                &named(strokes, "Read whole, by number of strokes")?,
            )?;
        }
        if !score.by_font.is_empty() {
            let mut fonts: Vec<_> = score
                .by_font
                .iter()
                .map(|(font, tally)| ((*font).to_owned(), tally.accuracy()))
                .collect();
            fonts.sort_by(|a, b| b.1.total_cmp(&a.1));
            self.write("by-font", &named(fonts, "Read whole, by face")?)?;
        }
        Ok(())
    }

    fn write(&self, name: &str, figure: &str) -> Result<()> {
        for (ending, bytes) in [("svg", figure.as_bytes()), ("png", &svg::to_png(figure)?)] {
            let path = self.folder.join(name).with_extension(ending);
            fs::write(&path, bytes).with_context(|| format!("cannot write {}", path.display()))?;
        }
        Ok(())
    }
}
