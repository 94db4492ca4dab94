//! Starts a resolved run.

use std::path::Path;

use anyhow::Result;
use burn::module::Module;
use burn::tensor::Device;
use captcha_evaluation::device::{Devices, open_devices};
use captcha_evaluation::output::check_space;
use captcha_learning::Session;
use captcha_model::weights::{Precision, save};
use captcha_model::{ModelConfig, Weights};

use crate::training::checkpoints::max_checkpoints;
use crate::training::run_config::{RunConfig, Target};
use crate::training::run_folder::RunFolder;
use crate::training::train::{Outcome, Training, train};

/// Opens the devices, makes the run's folder, and trains.
///
/// The folder is made last, so that a mistake leaves no run behind.
///
/// # Errors
///
/// If a device cannot be opened, the disk has too little space, or training fails.
pub fn start(config: RunConfig, session: Session) -> Result<Outcome> {
    let RunConfig {
        target,
        provenance,
        network,
        initial_weights,
        data,
        device,
        devices,
        notes,
    } = config;
    let Devices { devices, note } = open_devices(device, devices, || match &initial_weights {
        Some(weights) => Ok(weights.clone()),
        None => random_weights(&network),
    })?;
    let (path, existing) = match &target {
        Target::New(path) => (path.as_path(), 0),
        Target::Existing(run, _) => (run.path(), run.epochs()?.len()),
    };
    check_checkpoint_space(path, &network, provenance.recipe.training.epochs, existing)?;
    let (run, _lock) = match target {
        Target::New(path) => RunFolder::create(
            &path,
            &provenance,
            initial_weights.as_ref(),
            data.list.as_ref(),
        )?,
        Target::Existing(run, lock) => (run, lock),
    };
    for note in note.iter().chain(&notes) {
        session.progress.note(note);
    }
    let training = Training {
        provenance,
        network,
        train: data.train,
        validation: data.validation,
        initial_weights,
        devices,
    };
    train(training, &run, session)
}

/// Checks before the first epoch that the run's checkpoints fit on the disk.
fn check_checkpoint_space(
    folder: &Path,
    network: &ModelConfig,
    epochs: usize,
    existing: usize,
) -> Result<()> {
    // The weights and the optimizer's two moments, 4 bytes a number.
    let bytes = 12 * network.init(&Device::flex())?.num_params() as u64;
    let missing = max_checkpoints(epochs).saturating_sub(existing);
    check_space(folder, bytes * missing as u64)
}

fn random_weights(config: &ModelConfig) -> Result<Weights> {
    let network = config.init(&Device::flex())?;
    let record = serde_json::Value::Null;
    let bytes = save(&network, config, &record, Precision::Full)?;
    Ok(Weights::from_bytes(bytes)?)
}
