//! Arguments for synthetic images.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use captcha_synth::{FontSet, Generator, Split, Style, TextSource, parse_words};
use captcha_trainer::data::synthetic::SyntheticDataset;
use clap::Args;
use clap::builder::{PossibleValue, TypedValueParser};

use crate::args::named;

/// Texts and fonts of synthetic images.
#[derive(Args, Debug)]
pub(crate) struct SyntheticArgs {
    /// Use the words of this list (one per line) instead of the built-in ones.
    #[arg(long, conflicts_with = "random")]
    words: Option<PathBuf>,
    /// Use random strings instead of words.
    #[arg(long)]
    random: bool,
    /// Fonts of the images.
    #[arg(long, default_value = "train", value_parser = font_set_parser())]
    fonts: FontSet,
    /// Distort the glyphs of each image.
    #[arg(long, alias = "bent")]
    distorted: bool,
}

impl SyntheticArgs {
    /// The generator of these images.
    pub(crate) fn generator(&self, style: Style, split: Split, seed: u64) -> Result<Generator> {
        let texts = match &self.words {
            _ if self.random => TextSource::Random,
            Some(path) => TextSource::Words(read_words(path)?),
            None => TextSource::listed(),
        };
        let share = if self.distorted { 1.0 } else { 0.0 };
        Ok(Generator::new(style, texts, self.fonts, split, seed).with_distortion_share(share))
    }
}

/// A data set of `count` images of a generator.
pub(crate) fn dataset(generator: Generator, count: u64) -> Result<SyntheticDataset> {
    ensure!(count > 0, "--count must be at least 1");
    Ok(SyntheticDataset::new(generator, count as usize))
}

fn read_words(path: &Path) -> Result<Vec<String>> {
    let place = || path.display().to_string();
    parse_words(&fs::read_to_string(path).with_context(place)?).with_context(place)
}

/// Parses the name of a font set. Earlier versions had other names for two sets.
fn font_set_parser() -> impl TypedValueParser<Value = FontSet> {
    named(FontSet::ALL.iter().map(|&set| {
        let name = PossibleValue::new(set.to_string());
        let name = match set {
            FontSet::Train => name.help("Fonts to train on").alias("trained"),
            FontSet::HeldOut => name.help("Fonts that are not in training"),
            FontSet::Extra => name.help("More fonts to train on").alias("more"),
        };
        (set, name)
    }))
}

/// Parses the name of a style.
pub(crate) fn style_parser() -> impl TypedValueParser<Value = Style> {
    named(Style::ALL.map(|style| (style, PossibleValue::new(style.to_string()))))
}
