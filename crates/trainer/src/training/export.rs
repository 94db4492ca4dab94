//! Weights of a checkpoint.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use captcha_evaluation::weights_file::{read_weights, write_weights};
use captcha_model::weights::{Precision, Weights, save};

use crate::training::load::load_model;
use crate::training::run_folder::RunFolder;

/// An exported weights file.
#[derive(Debug)]
pub struct Exported {
    /// The file.
    pub weights: PathBuf,
    /// What the user should know of the file that it replaced.
    pub note: Option<String>,
}

/// Writes the weights of an epoch, by default the one with the best validation accuracy, as a
/// weights file.
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
    let model = load_model(run, &provenance, epoch)?;
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
