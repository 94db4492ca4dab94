//! Weights of a checkpoint.

use std::fmt::Debug;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, ensure};
use burn::lr_scheduler::LrSchedulerRecord;
use burn::module::Module;
use burn::optim::OptimizerRecord;
use burn::store::ModuleRecord;
use burn::tensor::Device;
use captcha_evaluation::weights_file::{read_weights, write_weights};
use captcha_model::weights::{Precision, Weights, save};

use crate::training::model::TrainingModel;
use crate::training::provenance::Provenance;
use crate::training::run_folder::RunFolder;

/// An exported weights file.
#[derive(Debug)]
pub struct Exported {
    /// The file.
    pub weights: PathBuf,
    /// What the user should know of the file that it replaced.
    pub note: Option<String>,
}

/// Writes the weights of an epoch, by default the one with the best validation accuracy, as a weights
/// file.
///
/// # Errors
///
/// If the run has no such checkpoint, or a file cannot be read or written.
pub fn export(run: &RunFolder, epoch: Option<usize>) -> Result<Exported> {
    let epoch = match epoch {
        Some(epoch) => epoch,
        None => run.best_epoch()?,
    };
    let mut kept = run.epochs()?;
    kept.sort_unstable();
    ensure!(
        kept.contains(&epoch),
        "{} contains no checkpoint of epoch {epoch}; it contains those of {kept:?}",
        run.path().display()
    );
    let provenance = run.provenance()?;
    let config = provenance.model()?;
    let model = load_checkpoint(run, &provenance, epoch)?;
    let record = provenance.at_epoch(epoch, run.validation(epoch)?)?;
    let bytes = save(&model.network, &config, &record, Precision::Half)?;
    let weights = Weights::from_bytes(bytes)
        .with_context(|| format!("the weights of epoch {epoch} are not usable: use a lower learning_rate, or an earlier epoch"))?;
    let out = run.weights();
    let (weights, note) = keep_calibration(&out, weights)?;
    write_weights(&out, &weights)?;
    Ok(Exported { weights: out, note })
}

/// Gives the weights the temperature of the file at `path` if that contains the same weights. A
/// calibrated file with other weights is kept under another name, with a note.
fn keep_calibration(path: &Path, weights: Weights) -> Result<(Weights, Option<String>)> {
    let Some(old) = read_weights(path).ok().filter(|old| old.temperature != 1.0) else {
        return Ok((weights, None));
    };
    let temperature = old.temperature;
    let calibrated = weights.clone().with_temperature(temperature)?;
    if calibrated.bytes() == old.bytes() {
        return Ok((calibrated, None));
    }
    let epoch = old.training["epoch"].as_u64().unwrap_or_default();
    let kept = (0..)
        .map(|number| match number {
            0 => format!("weights-epoch-{epoch}-calibrated.safetensors"),
            _ => format!("weights-epoch-{epoch}-calibrated-{number}.safetensors"),
        })
        .map(|name| path.with_file_name(name))
        .find(|path| !path.exists())
        .context("no file name is free")?;
    write_weights(&kept, &old)?;
    let note = format!(
        "the previous weights were calibrated and are kept as {}; the new weights are not calibrated \
         (captcha-lens calibrate does that)",
        kept.display()
    );
    Ok((weights, Some(note)))
}

/// Checks that all parts of a checkpoint can be read, because burn-train panics otherwise.
///
/// # Errors
///
/// If a part cannot be read.
pub(super) fn check_checkpoint(
    run: &RunFolder,
    provenance: &Provenance,
    epoch: usize,
) -> Result<()> {
    load_checkpoint(run, provenance, epoch)?;
    let (optimizer, scheduler) = (
        run.checkpoint("optim", epoch),
        run.checkpoint("scheduler", epoch),
    );
    OptimizerRecord::load(&optimizer).map_err(|error| unreadable(&optimizer, error))?;
    LrSchedulerRecord::load(&scheduler).map_err(|error| unreadable(&scheduler, error))?;
    Ok(())
}

/// The model at the end of an epoch.
fn load_checkpoint(
    run: &RunFolder,
    provenance: &Provenance,
    epoch: usize,
) -> Result<TrainingModel> {
    let path = run.checkpoint("model", epoch);
    let record = ModuleRecord::load(&path).map_err(|error| unreadable(&path, error))?;
    let options = &provenance.recipe.training;
    let model = TrainingModel::new(&provenance.model()?, options, &Device::flex())?;
    model.try_load_record(record).map_err(|_| {
        anyhow!(
            "checkpoint {} has another network than this version's preset of the run; the version \
             that started the run can read it",
            path.display()
        )
    })
}

fn unreadable(checkpoint: &Path, error: impl Debug) -> anyhow::Error {
    anyhow!(
        "cannot read checkpoint {}: {error:?}; delete the files of this epoch to continue from the \
         previous one",
        checkpoint.display()
    )
}
