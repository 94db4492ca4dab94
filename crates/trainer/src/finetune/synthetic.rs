//! Generated images beside the labelled ones: random looks with the characters of the labels, and
//! the look that the initial weights were trained on, which the network would forget otherwise.

use std::sync::Arc;

use anyhow::{Context, Result};
use captcha_evaluation::data::{Dataset, Example};
use captcha_model::vocabulary::lowercase;
use captcha_synth::{FontSet, Generator, Split, TextSource, parse_alphabet};

use crate::data::run_data::DataSource;
use crate::data::synthetic::{Looks, SyntheticDataset};
use crate::finetune::FinetuneRequest;
use crate::finetune::images::LabelledImages;

/// Its multiples, without their whole parts, are spread evenly between 0 and 1.
const GOLDEN_RATIO: f64 = 0.618_033_988_749_895;
/// Images of an epoch; the number only divides an endless series.
const IMAGES: usize = 1 << 20;

/// Generated images for a run, and their share of all images; `None` if there are none.
///
/// # Errors
///
/// If the generator refuses the alphabet.
pub(super) fn generated_images(
    request: &FinetuneRequest,
    images: &LabelledImages,
) -> Result<Option<(Arc<dyn Dataset>, f64)>> {
    let (random, initial) = (
        request.recipe.random_look_share,
        request.recipe.initial_look_share,
    );
    let mut sources = Vec::new();
    if random > 0.0 {
        sources.extend(random_looks(request, images)?.map(|dataset| (dataset, random)));
    }
    if initial > 0.0 {
        sources.extend(initial_look(request, images).map(|dataset| (dataset, initial)));
    }
    let share = sources.iter().map(|(_, share)| share).sum();
    Ok((!sources.is_empty()).then(|| {
        let mixture: Arc<dyn Dataset> = Arc::new(Mixture {
            sources,
            ignore_case: request.ignore_case,
        });
        (mixture, share)
    }))
}

/// Another random look for each image, with texts like the labels.
fn random_looks(
    request: &FinetuneRequest,
    images: &LabelledImages,
) -> Result<Option<SyntheticDataset>> {
    let known = |character: &char| character.is_ascii_alphanumeric();
    let mut alphabet: String = images.alphabet.chars().filter(known).collect();
    if request.ignore_case {
        alphabet.push_str(&alphabet.to_ascii_uppercase());
    }
    if alphabet.is_empty() {
        return Ok(None);
    }
    let texts = TextSource::characters(&parse_alphabet(&alphabet)?, images.lengths.clone())?;
    let generator = Generator::of_random_looks(1, FontSet::Train, Split::Train, request.seed);
    Ok(Some(SyntheticDataset::new(
        generator.with_texts(texts),
        IMAGES,
    )))
}

/// The look that the initial weights were trained on, if the labels have all its characters and
/// lengths.
fn initial_look(request: &FinetuneRequest, images: &LabelledImages) -> Option<SyntheticDataset> {
    let data = request.from.training["data"].as_str()?;
    let Ok(DataSource::Synthetic(looks @ Looks::One(_))) = DataSource::parse(data) else {
        return None;
    };
    let longest = *looks.lengths().end();
    let has = |character| images.alphabet.contains(character);
    (looks.alphabet().chars().all(has) && longest <= images.max_length).then(|| {
        let generator = looks.generator(FontSet::Train, Split::Train, request.seed);
        SyntheticDataset::new(generator, IMAGES)
    })
}

/// Several series of images, each with its share.
struct Mixture {
    sources: Vec<(SyntheticDataset, f64)>,
    ignore_case: bool,
}

impl Mixture {
    /// The series of the image at a place.
    fn source(&self, index: usize) -> Option<&SyntheticDataset> {
        let total: f64 = self.sources.iter().map(|(_, share)| share).sum();
        // The golden ratio spreads the places evenly, whatever the shares.
        let mut place = total * (index as f64 * GOLDEN_RATIO).fract();
        let last = self.sources.last().map(|(source, _)| source);
        for (source, share) in &self.sources {
            if place < *share {
                return Some(source);
            }
            place -= share;
        }
        last
    }
}

impl Dataset for Mixture {
    fn len(&self) -> usize {
        IMAGES
    }

    fn example(&self, epoch: usize, index: usize) -> Result<Example> {
        let source = self.source(index).context("no images are generated")?;
        let mut example = source.example(epoch, index)?;
        // Only the character map uses the positions.
        example.characters = None;
        if self.ignore_case {
            example.text = lowercase(&example.text);
        }
        Ok(example)
    }
}
