//! What a run is begun with: its recipe, the weights it starts from, its images.

use std::path::Path;
use std::sync::Arc;

use crate::cli::TrainArgs;
use crate::data::Source;
use crate::data::augment::Degraded;
use crate::data::folder::{Folder, Labelled, Part, check_labels, labelled_files};
use crate::data::splits::{Hashed, ImageList, training_parts};
use crate::data::synthetic::Generated;
use crate::training::read_weights;
use crate::training::recipe::Recipe;
use crate::training::run_folder::{Provenance, command_line};
use crate::weights::transfer::grow;
use anyhow::{Context, Result, ensure};
use burn::tensor::Device;
use captcha_model::{ModelConfig, Weights};
use captcha_synth::{FontSet, Generator, Split, Style, TextSource, listed_words};

/// A run as its arguments say it, and the weights that it starts from.
pub fn new_run(args: &TrainArgs) -> Result<(Provenance, Option<Weights>)> {
    let mut recipe = Recipe::load(&args.preset)?;
    if let Some(epochs) = args.epochs {
        recipe.training.epochs = epochs;
        recipe.check()?;
    }
    let config = recipe.model()?;
    let start = args.from.as_deref().map(|path| {
        let weights = read_weights(path)?;
        if weights.config == config {
            return Ok(weights);
        }
        Device::flex().seed(args.seed); // what new filters start with
        check_alphabet(&weights.config, &config)
            .and_then(|()| grow(&weights, &config))
            .with_context(|| path.display().to_string())
    });
    let start = start.transpose()?;
    ensure!(
        start.is_some() || !recipe.training.fixed_norm,
        "fixed_norm keeps the statistics of the weights that a run starts from: name them with --from"
    );
    let before = start.as_ref().map(|weights| &weights.training);
    let provenance = Provenance {
        network: Some(config),
        recipe,
        data: args.data.clone(),
        folder: is_folder(&args.data)
            .then(|| std::path::absolute(&args.data).ok())
            .flatten()
            .and_then(|folder| folder.to_str().map(str::to_owned)),
        images: None,
        seed: args.seed,
        first_image: before.map_or(0, |record| {
            Provenance::images_before(record, &args.data, args.seed)
        }),
        devices: None,
        command: command_line(),
        version: env!("CARGO_PKG_VERSION").into(),
        from: before.cloned(),
    };
    Ok((provenance, start))
}

fn is_folder(data: &str) -> bool {
    !data.starts_with("synth:")
}

/// Whether weights can be a start at all as far as their texts go; what else may differ, [`grow`]
/// says.
fn check_alphabet(from: &ModelConfig, to: &ModelConfig) -> Result<()> {
    ensure!(
        from.alphabet == to.alphabet,
        "these weights know the characters {:?}, the preset's network {:?}: weights cannot start a \
         network of another alphabet; train it without --from",
        from.alphabet,
        to.alphabet
    );
    ensure!(
        from.max_length == to.max_length,
        "these weights read up to {} characters, the preset's network up to {}: weights cannot \
         start a network of another length; train it without --from",
        from.max_length,
        to.max_length
    );
    Ok(())
}

/// Images of a run.
pub struct Sources {
    /// To train on.
    pub train: Arc<dyn Source>,
    /// To choose by, never trained on.
    pub validation: Arc<dyn Source>,
    /// What a labelled folder holds; none for generated images.
    pub list: Option<ImageList>,
    /// What a person should know of them.
    pub notes: Vec<String>,
}

/// Training and validation images of a run.
pub fn sources(provenance: &Provenance) -> Result<Sources> {
    let (recipe, seed) = (&provenance.recipe, provenance.seed);
    let (options, config) = (&recipe.training, provenance.model()?);
    if let Some(style) = provenance.data.strip_prefix("synth:") {
        let style: Style = style.parse()?;
        let vocabulary = config.vocabulary()?;
        for word in listed_words() {
            vocabulary
                .target(word, config.max_length)
                .context("the network has no place for the generator's texts")?;
        }
        let generator = |text, split| Generator::new(style, text, FontSet::Train, split, seed);
        let texts = TextSource::Mixed {
            words: listed_words().iter().map(|&word| word.to_owned()).collect(),
            random_share: recipe.data.random_share as f32,
        };
        let train = generator(texts, Split::Train)
            .with_blank_share(recipe.data.blank_share as f32)
            .with_distortion_share(recipe.data.bent_share as f32)
            .with_extra_fonts_share(recipe.data.more_faces_share as f32);
        let train = Generated::new(train, options.images_per_epoch);
        let train = Arc::new(train.starting_at(provenance.first_image));
        let degraded = Degraded::new(train, recipe.data.degraded_share, seed);
        return Ok(Sources {
            train: Arc::new(degraded.in_split(Split::Train)),
            validation: validation(&provenance.data, seed, options.validation_images, &config)?,
            list: None,
            notes: Vec::new(),
        });
    }
    let folder = Path::new(provenance.folder.as_ref().unwrap_or(&provenance.data));
    let (parts, mut notes) = training_parts(folder, &config)?;
    if options.character_map_weight > 0.0 {
        notes.push(
            "a labelled folder does not tell where characters stand, so training goes without the \
             character map, and without what [data] says of generated images"
                .into(),
        );
    }
    let list = ImageList::new(folder, &parts);
    let source = |images: Vec<Hashed>, count: usize| -> Arc<dyn Source> {
        let files = images.into_iter().map(|image| image.file).take(count);
        Arc::new(Folder::new(files.collect::<Vec<Labelled>>(), seed))
    };
    Ok(Sources {
        train: source(parts.train, usize::MAX),
        validation: source(parts.validation, options.validation_images),
        list: Some(list),
        notes,
    })
}

/// Images to choose by, never trained on: a folder's validation part, or listed words of the
/// generator's validation split.
pub fn validation(
    data: &str,
    seed: u64,
    count: usize,
    config: &ModelConfig,
) -> Result<Arc<dyn Source>> {
    if let Some(style) = data.strip_prefix("synth:") {
        let generator = Generator::new(
            style.parse()?,
            TextSource::listed(),
            FontSet::Train,
            Split::Validation,
            seed,
        );
        return Ok(Arc::new(Generated::new(generator, count)));
    }
    let mut files = labelled_files(Path::new(data), Part::Validation, &config.vocabulary()?)?;
    files.truncate(count);
    check_labels(&files, config)?;
    Ok(Arc::new(Folder::new(files, seed)))
}
