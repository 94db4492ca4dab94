//! Generated images beside the labelled ones: random looks with the characters of the labels, and
//! the look that the initial weights were trained on, which the network would forget otherwise.

use std::sync::Arc;

use anyhow::Result;
use captcha_evaluation::data::{Dataset, Example};
use captcha_model::vocabulary::lowercase;
use captcha_synth::{FontSet, Generator, Split, TextSource, parse_alphabet};

use crate::data::run_data::DataSource;
use crate::data::synthetic::{Looks, SyntheticDataset};
use crate::finetune::FinetuneRequest;
use crate::finetune::images::LabelledImages;

/// Images of an epoch; the number only divides an endless series.
const IMAGES: usize = 1 << 20;

/// Generated images for a run; `None` if the generator has none of the labels' characters.
///
/// # Errors
///
/// If the generator refuses the alphabet.
pub(super) fn generated_images(
    request: &FinetuneRequest,
    images: &LabelledImages,
) -> Result<Option<Arc<dyn Dataset>>> {
    let Some(random) = random_looks(request, images)? else {
        return Ok(None);
    };
    let mut sources = vec![random];
    sources.extend(initial_look(request, images));
    Ok(Some(Arc::new(Alternating {
        sources,
        ignore_case: request.ignore_case,
    })))
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

/// Takes an image of each source in turn.
struct Alternating {
    sources: Vec<SyntheticDataset>,
    ignore_case: bool,
}

impl Dataset for Alternating {
    fn len(&self) -> usize {
        IMAGES
    }

    fn example(&self, epoch: usize, index: usize) -> Result<Example> {
        let source = &self.sources[index % self.sources.len()];
        let mut example = source.example(epoch, index)?;
        // Only the character map uses the positions.
        example.characters = None;
        if self.ignore_case {
            example.text = lowercase(&example.text);
        }
        Ok(example)
    }
}
