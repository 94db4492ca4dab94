//! Arguments for synthetic images.

use std::fs;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use captcha_synth::{FontSet, Generator, LONGEST_TEXT, Look, Split, TextSource, parse_words};
use captcha_trainer::data::synthetic::{Looks, SyntheticDataset};
use clap::Args;
use clap::builder::{PossibleValue, StringValueParser, TypedValueParser};

use crate::args::named;

/// Texts and fonts of synthetic images.
#[derive(Args, Debug)]
pub(crate) struct SyntheticArgs {
    /// Use the words of this list (one per line) instead of the look's texts.
    #[arg(long, conflicts_with_all = ["random", "alphabet", "length"])]
    words: Option<PathBuf>,
    /// Use random strings instead of words.
    #[arg(long)]
    random: bool,
    /// Use random strings of these characters, for example 0-9A-F.
    #[arg(long)]
    alphabet: Option<String>,
    /// Number of characters of random strings, for example 6 or 4-8.
    #[arg(long)]
    length: Option<String>,
    /// Fonts of the images.
    #[arg(long, default_value = "train", value_parser = font_set_parser())]
    fonts: FontSet,
    /// Distort the glyphs of each image.
    #[arg(long, alias = "bent")]
    distorted: bool,
}

impl SyntheticArgs {
    /// The generator of these images.
    pub(crate) fn generator(&self, looks: &Looks, split: Split, seed: u64) -> Result<Generator> {
        let mut generator = looks.generator(self.fonts, split, seed);
        if let Some(texts) = self.texts(looks)? {
            generator = generator.with_texts(texts);
        }
        if self.distorted {
            generator = generator.with_distortion_share(1.0);
        }
        Ok(generator)
    }

    /// The texts; `None` for those of the look.
    fn texts(&self, looks: &Looks) -> Result<Option<TextSource>> {
        if let Some(path) = &self.words {
            return Ok(Some(TextSource::Words(read_words(path)?)));
        }
        if self.alphabet.is_none() && self.length.is_none() {
            // Only a look of words has other random strings than its own texts.
            return Ok((self.random && looks.has_words()).then_some(TextSource::Random));
        }
        let of_look;
        let alphabet = match &self.alphabet {
            Some(alphabet) => alphabet,
            None => {
                of_look = looks.alphabet();
                &of_look
            }
        };
        let lengths = match &self.length {
            Some(text) => parse_lengths(text)?,
            None => looks.lengths(),
        };
        Ok(Some(TextSource::characters(alphabet, lengths)?))
    }
}

/// Parses a number, or a range such as 4-8.
fn parse_lengths(text: &str) -> Result<RangeInclusive<usize>> {
    let (shortest, longest) = text.split_once('-').unwrap_or((text, text));
    let lengths = || Some((shortest.trim().parse().ok()?, longest.trim().parse().ok()?));
    let (shortest, longest) = lengths().with_context(|| {
        format!("--length must be a number or a range such as 4-8, at most {LONGEST_TEXT}")
    })?;
    Ok(shortest..=longest)
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

/// Parses looks: see [`looks_help`].
pub(crate) fn looks_parser() -> impl TypedValueParser<Value = Looks> {
    // The alternate form has the cause, too.
    StringValueParser::new()
        .try_map(|text| Looks::parse(&text).map_err(|error| format!("{error:#}")))
}

/// What a look can be.
pub(crate) fn looks_help() -> String {
    let names: Vec<_> = Look::names().collect();
    format!(
        "Look of the images: random, random-hard, the path of a look file (.toml), or one of {}",
        names.join(", ")
    )
}
