//! Generated images beside the labelled ones: random looks and the built-in looks nearest to the
//! labelled images, with the characters of the labels, and the looks that the initial weights were
//! trained on, which the network would forget otherwise.

use std::sync::Arc;

use anyhow::Result;
use captcha_evaluation::data::image_files::read_image;
use captcha_evaluation::data::{Dataset, Example};
use captcha_model::image::preprocess;
use captcha_model::vocabulary::lowercase;
use captcha_synth::{FontSet, Generator, Look, Split, TextSource, parse_alphabet};

use crate::data::mixture::{MixedLooks, Mixture};
use crate::data::run_data::DataSource;
use crate::data::synthetic::{Looks, SyntheticDataset};
use crate::finetune::FinetuneRequest;
use crate::finetune::nearest_looks::Comparison;
use captcha_learning::Session;
use captcha_learning::finetune::FinetuneRecipe;
use captcha_learning::finetune::images::LabelledImages;

/// Images of an epoch; the number only divides an endless series.
const IMAGES: usize = 1 << 20;
/// Looks that are mixed in as the nearest.
const NEAREST_LOOKS: usize = 3;
/// Images that show what the network retains of the initial weights' look.
const RETAINED_IMAGES: usize = 128;
/// Labelled images that are compared with the looks.
const COMPARED_IMAGES: usize = 48;

/// Generated images for a run, and their share of all images; `None` if there are none.
///
/// # Errors
///
/// If the generator refuses the alphabet, or an image cannot be read any more.
pub(super) fn generated_images(
    request: &FinetuneRequest,
    images: &LabelledImages,
    session: &Session,
) -> Result<Option<(Arc<dyn Dataset>, f64)>> {
    let FinetuneRecipe {
        random_look_share: random,
        nearest_look_share: nearest,
        nearest_looks_below: few_images,
        initial_look_share: initial,
        ..
    } = request.recipe;
    let mut sources: Vec<(Arc<dyn Dataset>, f64)> = Vec::new();
    let unknown = images.images_of_unknown_character(&request.from.config.alphabet);
    if nearest > 0.0 && unknown.is_some_and(|count| count < few_images) {
        let looks = nearest_looks(request, images, session)?;
        let share = nearest / looks.len().max(1) as f64;
        for dataset in looks {
            sources.push((Arc::new(dataset), share));
        }
    }
    if random > 0.0
        && let Some(dataset) = random_looks(request, images)?
    {
        sources.push((Arc::new(dataset), random));
    }
    if initial > 0.0
        && let Some(looks) = initial_looks(request, images)
    {
        sources.push((
            images_of(&looks, Split::Train, IMAGES, request.seed)?,
            initial,
        ));
    }
    if sources.is_empty() {
        return Ok(None);
    }
    let share = sources.iter().map(|(_, share)| share).sum();
    let images: Arc<dyn Dataset> = Arc::new(GeneratedImages {
        dataset: Mixture::new(sources)?,
        ignore_case: request.ignore_case,
    });
    Ok(Some((images, share)))
}

/// Another random look for each image, with texts like the labels.
fn random_looks(
    request: &FinetuneRequest,
    images: &LabelledImages,
) -> Result<Option<SyntheticDataset>> {
    let Some(texts) = texts_like(request, images)? else {
        return Ok(None);
    };
    let generator = Generator::of_random_looks(1, FontSet::Train, Split::Train, request.seed);
    Ok(Some(SyntheticDataset::new(
        generator.with_texts(texts),
        IMAGES,
    )))
}

/// The built-in looks that resemble the labelled images most, with texts like the labels.
fn nearest_looks(
    request: &FinetuneRequest,
    images: &LabelledImages,
    session: &Session,
) -> Result<Vec<SyntheticDataset>> {
    let Some(texts) = texts_like(request, images)? else {
        return Ok(Vec::new());
    };
    let config = images.network(&request.from.config, request.recipe.input_pixel_share);
    // The looks are compared at one size.
    let config = config.with_input([config.input.height, config.input.width]);
    let files = images.parts.train.iter().take(COMPARED_IMAGES);
    let prepared = files
        .map(|image| Ok(preprocess(&read_image(&image.file.path)?, &config)?))
        .collect::<Result<_>>()?;
    let looks = Comparison {
        weights: &request.from,
        config: &config,
        texts: &texts,
        seed: request.seed,
    }
    .nearest(prepared, NEAREST_LOOKS)?;
    let names: Vec<&str> = looks.iter().map(Look::name).collect();
    session.progress.note(&format!(
        "the built-in looks most like these images are {}: images of them are mixed in",
        names.join(", ")
    ));
    let dataset = |look| {
        let generator = Generator::of_look(look, FontSet::Train, Split::Train, request.seed);
        SyntheticDataset::new(generator.with_texts(texts.clone()), IMAGES)
    };
    Ok(looks.into_iter().map(dataset).collect())
}

/// Texts of the labels' characters and lengths; `None` if the generator has none of the characters.
fn texts_like(request: &FinetuneRequest, images: &LabelledImages) -> Result<Option<TextSource>> {
    let mut alphabet: String = images.drawn_characters().collect();
    if request.ignore_case {
        alphabet.push_str(&alphabet.to_ascii_uppercase());
    }
    if alphabet.is_empty() {
        return Ok(None);
    }
    let alphabet = parse_alphabet(&alphabet)?;
    Ok(Some(TextSource::characters(
        &alphabet,
        images.lengths.clone(),
    )?))
}

/// Images of the looks that the initial weights were trained on, none of which is trained on; none if
/// the run does not train on such looks.
///
/// # Errors
///
/// If an image cannot be drawn.
pub(super) fn initial_look_examples(
    request: &FinetuneRequest,
    images: &LabelledImages,
) -> Result<Vec<Example>> {
    let looks = initial_looks(request, images);
    let Some(looks) = looks.filter(|_| request.recipe.initial_look_share > 0.0) else {
        return Ok(Vec::new());
    };
    let dataset = images_of(&looks, Split::Validation, RETAINED_IMAGES, request.seed)?;
    (0..RETAINED_IMAGES)
        .map(|index| {
            let example = dataset.example(0, index)?;
            Ok(Example {
                characters: None,
                ..example
            })
        })
        .collect()
}

/// The looks that the initial weights were trained on and whose characters and lengths the labels all
/// have. Random looks are none of them: the network has not seen any for long.
fn initial_looks(request: &FinetuneRequest, images: &LabelledImages) -> Option<MixedLooks> {
    let data = request.from.training["data"].as_str()?;
    let Ok(DataSource::Synthetic(mixed)) = DataSource::parse(data) else {
        return None;
    };
    let has = |character| images.alphabet.contains(character);
    mixed.filtered(|looks| {
        *looks != Looks::Random
            && looks.alphabet().chars().all(has)
            && *looks.lengths().end() <= images.max_length
    })
}

/// `count` images in an epoch of these looks.
fn images_of(
    looks: &MixedLooks,
    split: Split,
    count: usize,
    seed: u64,
) -> Result<Arc<dyn Dataset>> {
    looks.dataset(|looks| {
        let generator = looks.generator(FontSet::Train, split, seed);
        Arc::new(SyntheticDataset::new(generator, count))
    })
}

/// Generated images as fine-tuning uses them: without the positions of the characters, and in small
/// letters if case is ignored.
struct GeneratedImages {
    dataset: Mixture,
    ignore_case: bool,
}

impl Dataset for GeneratedImages {
    fn len(&self) -> usize {
        self.dataset.len()
    }

    fn example(&self, epoch: usize, index: usize) -> Result<Example> {
        let mut example = self.dataset.example(epoch, index)?;
        // Only the character map uses the positions.
        example.characters = None;
        if self.ignore_case {
            example.text = lowercase(&example.text);
        }
        Ok(example)
    }
}
