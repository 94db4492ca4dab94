//! Training and validation images of a run.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Result, ensure};
use captcha_evaluation::data::Dataset;
use captcha_evaluation::data::augment::{AugmentStream, Augmented};
use captcha_evaluation::data::folder::FolderDataset;
use captcha_evaluation::data::label_check::check_labels;
use captcha_evaluation::data::splits::{HashedFile, LabelledFiles, Part, labelled_files};
use captcha_model::ModelConfig;
use captcha_synth::{FontSet, Split, TextSource, listed_words};

use crate::data::image_list::ImageList;
use crate::data::mixture::MixedLooks;
use crate::data::synthetic::{Looks, SyntheticDataset};
use crate::data::training_parts::training_parts;
use crate::training::recipe::Recipe;

/// Where a run's images come from.
#[derive(Clone, Debug, PartialEq)]
pub enum DataSource {
    /// The generator, with some looks.
    Synthetic(MixedLooks),
    /// A labelled folder.
    Folder(PathBuf),
}

impl DataSource {
    /// Parses `synth:LOOKS` or the path of a folder; [`MixedLooks::parse`] says what looks can be.
    ///
    /// # Errors
    ///
    /// If there is no such look, or its file cannot be used.
    pub fn parse(text: &str) -> Result<Self> {
        Ok(match text.strip_prefix("synth:") {
            Some(looks) => Self::Synthetic(MixedLooks::parse(looks)?),
            None => Self::Folder(text.into()),
        })
    }
}

/// Images of a run.
pub struct RunData {
    /// Training images.
    pub train: Arc<dyn Dataset>,
    /// Validation images, never trained on.
    pub validation: Arc<dyn Dataset>,
    /// The images of a labelled folder; `None` for synthetic images.
    pub list: Option<ImageList>,
    /// Notes for the user.
    pub notes: Vec<String>,
}

impl RunData {
    /// The images of a run. `first_image` is the index of the first synthetic training image.
    ///
    /// # Errors
    ///
    /// If the network cannot write the labels, or a folder cannot be used.
    pub fn new(
        source: &DataSource,
        recipe: &Recipe,
        network: &ModelConfig,
        seed: u64,
        first_image: u64,
    ) -> Result<Self> {
        match source {
            DataSource::Synthetic(looks) => synthetic(looks, recipe, network, seed, first_image),
            DataSource::Folder(folder) => labelled_folder(folder, recipe, network, seed),
        }
    }
}

fn synthetic(
    looks: &MixedLooks,
    recipe: &Recipe,
    network: &ModelConfig,
    seed: u64,
    first_image: u64,
) -> Result<RunData> {
    check_texts(looks, network)?;
    let data = &recipe.data;
    let dataset = |looks: &Looks| -> Arc<dyn Dataset> {
        let mut generator = looks.generator(FontSet::Train, Split::Train, seed);
        if looks.has_words() {
            generator = generator.with_texts(TextSource::Mixed {
                words: listed_words().iter().map(|&word| word.to_owned()).collect(),
                random_share: data.random_share as f32,
            });
        }
        let generator = generator
            .with_blank_share(data.blank_share as f32)
            .with_distortion_share(data.distortion_share as f32)
            .with_extra_fonts_share(data.extra_fonts_share as f32);
        let train = SyntheticDataset::new(generator, recipe.training.images_per_epoch);
        Arc::new(train.starting_at(first_image))
    };
    let (train, share) = (looks.dataset(dataset)?, data.augmented_share);
    let count = recipe.training.validation_images;
    Ok(RunData {
        train: Arc::new(Augmented::new(train, share, seed, AugmentStream::Train)),
        validation: synthetic_validation(looks, seed, count)?,
        list: None,
        notes: Vec::new(),
    })
}

/// Whether the network can write all texts of the looks.
fn check_texts(looks: &MixedLooks, network: &ModelConfig) -> Result<()> {
    let vocabulary = network.vocabulary()?;
    let characters = looks.alphabet();
    let unwritten: String = characters
        .chars()
        .filter(|&one| vocabulary.id(one).is_none())
        .collect();
    ensure!(
        unwritten.is_empty(),
        "the network cannot write the generator's texts: it does not know {unwritten}"
    );
    let longest = *looks.lengths().end();
    ensure!(
        longest <= network.max_length,
        "the network cannot write the generator's texts: some have {longest} characters, and it \
         writes at most {}",
        network.max_length
    );
    Ok(())
}

/// Images of the generator's validation split.
fn synthetic_validation(looks: &MixedLooks, seed: u64, count: usize) -> Result<Arc<dyn Dataset>> {
    looks.dataset(|looks| {
        let generator = looks.generator(FontSet::Train, Split::Validation, seed);
        Arc::new(SyntheticDataset::new(generator, count))
    })
}

fn labelled_folder(
    folder: &Path,
    recipe: &Recipe,
    network: &ModelConfig,
    seed: u64,
) -> Result<RunData> {
    let (parts, mut notes) = training_parts(folder, network)?;
    if recipe.training.character_map_weight > 0.0 || recipe.training.attention_weight > 0.0 {
        notes.push(
            "a labelled folder does not contain the positions of the characters, so training uses \
             neither the character map, nor the attention loss, nor the preset's [data] section"
                .into(),
        );
    }
    let list = ImageList::new(folder, &parts);
    let dataset = |images: Vec<HashedFile>, count: usize| -> Arc<dyn Dataset> {
        let files = images.into_iter().map(|image| image.file).take(count);
        Arc::new(FolderDataset::new(files.collect(), seed))
    };
    Ok(RunData {
        train: dataset(parts.train, usize::MAX),
        validation: dataset(parts.validation, recipe.training.validation_images),
        list: Some(list),
        notes,
    })
}

/// Up to `count` validation images, with notes for the user: a folder's validation part, or words
/// of the generator's validation split.
///
/// # Errors
///
/// If the network cannot write the labels, or a folder cannot be used.
pub fn validation_data(
    source: &DataSource,
    seed: u64,
    count: usize,
    network: &ModelConfig,
) -> Result<(Arc<dyn Dataset>, Vec<String>)> {
    match source {
        DataSource::Synthetic(looks) => {
            check_texts(looks, network)?;
            Ok((synthetic_validation(looks, seed, count)?, Vec::new()))
        }
        DataSource::Folder(folder) => {
            let vocabulary = network.vocabulary()?;
            let LabelledFiles { mut files, notes } =
                labelled_files(folder, Part::Validation, &vocabulary)?;
            files.truncate(count);
            check_labels(&files, network)?;
            Ok((Arc::new(FolderDataset::new(files, seed)), notes))
        }
    }
}
