//! Fine-tuning on the labelled images of a folder.
//!
//! [`captcha_learning::finetune`] is the run itself. Here, [`folder`] lists the images, `synthetic`
//! adds generated ones, `review` reads all images with the result, [`report`] is what a run tells,
//! and [`learning_curve`] repeats the run with fewer labels.

pub mod folder;
pub mod learning_curve;
mod nearest_looks;
pub mod report;
mod review;
mod synthetic;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use burn::tensor::Device;
use captcha_evaluation::data::labels::LabelledFile;
use captcha_evaluation::data::splits::{HashedFile, Parts};
use captcha_evaluation::device::{DeviceChoice, open_devices};
use captcha_evaluation::output::{new_folder, write_file};
use captcha_evaluation::weights_file::write_weights;
use captcha_learning::Session;
use captcha_learning::finetune::{
    End, FinetuneRecipe, Fitted, Generated, Job, LabelledImages, fit,
};
use captcha_learning::weights::alphabet::with_alphabet;
use captcha_model::weights::{Precision, save};
use captcha_model::{ModelConfig, Weights};
use serde_json::json;

use crate::data::image_list::ImageList;
use folder::read_folder;
use report::FinetuneReport;
use review::{Review, review};
use synthetic::{generated_images, initial_look_examples};

/// Fine-tuning as a user asks for it.
#[derive(Clone, Debug)]
pub struct FinetuneRequest {
    /// The labelled folder.
    pub folder: PathBuf,
    /// The folder of the results; it must be empty or missing.
    pub out: PathBuf,
    /// The weights to start from.
    pub from: Weights,
    /// The recipe.
    pub recipe: FinetuneRecipe,
    /// Whether letters of both cases count as the same.
    pub ignore_case: bool,
    /// The device.
    pub device: DeviceChoice,
    /// Seed of the order and the variants of the images.
    pub seed: u64,
    /// The command, for the record.
    pub command: String,
}

/// Adapts a network to labelled images, and writes `weights.safetensors`, `finetune.json` and
/// `images.csv` to the folder of the results.
///
/// # Errors
///
/// If the images, the weights or the folder cannot be used, or the device fails.
pub fn finetune(request: &FinetuneRequest, session: &Session) -> Result<FinetuneReport> {
    let mut images = read_folder(&request.folder, request.ignore_case)?;
    let of_characters = images.notes_on_characters(&request.from.config.alphabet);
    images.notes.extend(of_characters);
    let device = open_device(request, &images, session)?;
    new_folder(&request.out)?;
    let list = ImageList::new(&request.folder, &images.parts);
    write_file(&request.out.join("images.csv"), &list.to_csv()?)?;
    for note in &images.notes {
        session.progress.note(note);
    }
    let job = job(request, &images, &device, session)?;
    let fitted = fit(&job, session)?;
    let weights = weights_of(request, job.config(), &images.parts, &fitted)?;
    // Written before the review, so that an interruption loses nothing.
    let path = request.out.join("weights.safetensors");
    write_weights(&path, &weights)?;
    let Review { weights, review } = match fitted.end {
        End::Interrupted => Review::none(weights),
        _ => review(weights, &images.parts, &job, &fitted, &device, session)?,
    };
    write_weights(&path, &weights)?;
    let report = FinetuneReport::new(request, &images, &fitted, &weights, review);
    write_file(
        &request.out.join("finetune.json"),
        serde_json::to_string_pretty(&report)?.as_bytes(),
    )?;
    for warning in &report.warnings {
        session.progress.warning(warning);
    }
    Ok(report)
}

/// Opens the device, checked with the weights that the run starts from.
fn open_device(
    request: &FinetuneRequest,
    images: &LabelledImages,
    session: &Session,
) -> Result<Device> {
    let config = images.network(&request.from.config, request.recipe.input_pixel_share);
    let weights = with_alphabet(&request.from, &config)?;
    let devices = open_devices(request.device, 1, || Ok(weights.clone()))?;
    if let Some(note) = &devices.note {
        session.progress.note(note);
    }
    let mut devices = devices.devices.into_iter();
    devices.next().context("no device was opened")
}

/// What a run adapts, and to which images.
fn job(
    request: &FinetuneRequest,
    images: &LabelledImages,
    device: &Device,
    session: &Session,
) -> Result<Arc<Job>> {
    let generated = Generated {
        images: generated_images(request, images, session)?,
        retained: initial_look_examples(request, images)?,
    };
    let (recipe, device) = (request.recipe.clone(), device.clone());
    let job = Job::new(
        images,
        &request.from,
        recipe,
        generated,
        device,
        request.seed,
    )?;
    Ok(Arc::new(job))
}

fn files(images: &[HashedFile]) -> Vec<LabelledFile> {
    images.iter().map(|image| image.file.clone()).collect()
}

/// The weights of a run, with their record.
fn weights_of(
    request: &FinetuneRequest,
    config: &ModelConfig,
    parts: &Parts,
    fitted: &Fitted,
) -> Result<Weights> {
    let record = json!({
        "data": folder_name(&request.folder),
        "seed": request.seed,
        "training_images": parts.train.len(),
        "images_seen": fitted.images,
        "validation_accuracy": fitted.exact_matches as f64 / parts.validation.len().max(1) as f64,
        "initial_share": fitted.initial_share,
        "ignore_case": request.ignore_case,
        "command": request.command,
        "version": env!("CARGO_PKG_VERSION"),
        "recipe": request.recipe,
        "from": request.from.training,
    });
    let bytes = save(&fitted.network, config, &record, Precision::Half)?;
    Ok(Weights::from_bytes(bytes)?)
}

/// The name of a folder without its path, which a weights file does not reveal.
fn folder_name(folder: &Path) -> String {
    let absolute = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    let name = absolute
        .file_name()
        .map(|name| name.to_string_lossy().into_owned());
    name.unwrap_or_default()
}
