//! The folder of a run: its record (`run.json`), checkpoints, metrics and weights.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use captcha_evaluation::data::labels::SPEC_FILE;
use captcha_evaluation::output::{new_folder, write_file};
use captcha_evaluation::weights_file::read_weights;
use captcha_model::Weights;

use crate::data::image_list::ImageList;
use crate::training::history::Epoch;
use crate::training::provenance::Provenance;

/// Parts of an epoch's checkpoint, as burn-train names them.
pub const CHECKPOINT_PARTS: [&str; 3] = ["model", "optim", "scheduler"];

/// The folder of a run.
#[derive(Clone, Debug)]
pub struct RunFolder(PathBuf);

/// Prevents other processes from training in a run's folder until it is dropped.
#[derive(Debug)]
pub struct RunLock(#[allow(dead_code, reason = "dropping it unlocks")] File);

impl RunFolder {
    /// Makes the folder of a new run with its initial weights and the list of its images.
    ///
    /// # Errors
    ///
    /// If the folder contains files: they could be mistaken for this run's, or be lost.
    pub fn create(
        path: &Path,
        provenance: &Provenance,
        start: Option<&Weights>,
        images: Option<&ImageList>,
    ) -> Result<(Self, RunLock)> {
        let run = Self(path.to_owned());
        if run.description().exists() {
            bail!(
                "{} already contains a run; continue it with --resume, or name another folder",
                path.display()
            );
        }
        new_folder(path)?;
        let lock = run.lock()?;
        if let Some(start) = start {
            write_file(&run.initial_weights_file(), start.bytes())?;
        }
        if let Some(images) = images {
            write_file(&run.image_list(), &images.to_csv()?)?;
        }
        // Last, because this file marks the folder as a run.
        let description = serde_json::to_string_pretty(provenance)?;
        write_file(&run.description(), description.as_bytes())?;
        Ok((run, lock))
    }

    /// Prevents other processes from training in this folder.
    ///
    /// # Errors
    ///
    /// If another process already trains in it.
    pub fn lock(&self) -> Result<RunLock> {
        let path = self.0.join("lock");
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .with_context(|| format!("cannot write {}", path.display()))?;
        if let Err(TryLockError::WouldBlock) = file.try_lock() {
            bail!(
                "another process trains in {}: wait until it ends, stop it, or name another folder",
                self.0.display()
            );
        }
        // A file system without locks gives another error, which is ignored.
        Ok(RunLock(file))
    }

    /// Checks that a labelled folder has not changed since the run was started: an image must not
    /// move from the training to the validation part.
    ///
    /// # Errors
    ///
    /// If the folder has changed.
    pub fn check_images(&self, provenance: &Provenance, images: &ImageList) -> Result<()> {
        let folder = provenance.folder.as_ref().unwrap_or(&provenance.data);
        let advice = "start a new run in another folder with --from and this run's weights \
                      (captcha-lens export writes them)";
        let Some(digest) = &provenance.images else {
            // Earlier versions split an ordered folder in the same way.
            ensure!(
                Path::new(folder).join(SPEC_FILE).exists(),
                "{} was started by an earlier version, which split {folder} into other parts: {advice}",
                self.0.display()
            );
            return Ok(());
        };
        if *digest == images.digest()? {
            return Ok(());
        }
        let before = fs::read(self.image_list()).ok();
        let before = before.and_then(|bytes| ImageList::from_csv(&bytes).ok());
        let changes = before.and_then(|before| before.changes(images));
        bail!(
            "{folder} has changed since the run was started ({}). Restore it, or {advice}",
            changes.unwrap_or_else(|| "its images or labels differ".into())
        )
    }

    /// Opens the folder of an existing run.
    ///
    /// # Errors
    ///
    /// If it contains no valid run.
    pub fn open(path: &Path) -> Result<Self> {
        let run = Self(path.to_owned());
        run.provenance()?;
        Ok(run)
    }

    /// The path of the folder.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The record of the run.
    ///
    /// # Errors
    ///
    /// If it is missing or damaged.
    pub fn provenance(&self) -> Result<Provenance> {
        let path = self.description();
        ensure!(
            path.exists(),
            "{} contains no run: no run.json",
            self.0.display()
        );
        let text =
            fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let provenance: Provenance = serde_json::from_str(&text)
            .with_context(|| format!("{} is damaged or from another version", path.display()))?;
        let recipe = &provenance.recipe;
        recipe
            .check()
            .with_context(|| format!("{} is not valid", path.display()))?;
        Ok(provenance)
    }

    /// The initial weights. `None` if the run has finished an epoch or started from random weights.
    ///
    /// # Errors
    ///
    /// If the weights are missing or damaged.
    pub fn initial_weights(&self) -> Result<Option<Weights>> {
        if self.last_epoch()? > 0 || self.provenance()?.from.is_none() {
            return Ok(None);
        }
        let path = self.initial_weights_file();
        ensure!(
            path.exists(),
            "{} has finished no epoch, and its initial weights are missing: start the run again in \
             another folder with --from",
            self.0.display()
        );
        read_weights(&path).map(Some)
    }

    /// The run's weights file.
    pub fn weights(&self) -> PathBuf {
        self.0.join("weights.safetensors")
    }

    /// A part of an epoch's checkpoint, as burn-train names it: `model`, `optim` or `scheduler`.
    pub fn checkpoint(&self, part: &str, epoch: usize) -> PathBuf {
        self.0
            .join("checkpoint")
            .join(format!("{part}-{epoch}.bpk"))
    }

    /// The epochs with a complete checkpoint, unordered.
    ///
    /// # Errors
    ///
    /// If the folder cannot be read.
    pub fn epochs(&self) -> Result<Vec<usize>> {
        let folder = self.0.join("checkpoint");
        let Ok(entries) = fs::read_dir(&folder) else {
            return Ok(Vec::new());
        };
        let mut epochs = Vec::new();
        for entry in entries {
            let name = entry?.file_name();
            let epoch = name.to_str().and_then(|name| {
                name.strip_prefix("scheduler-")?
                    .strip_suffix(".bpk")?
                    .parse()
                    .ok()
            });
            epochs.extend(epoch.filter(|&epoch| {
                ["model", "optim"]
                    .iter()
                    .all(|part| self.checkpoint(part, epoch).exists())
            }));
        }
        Ok(epochs)
    }

    /// The last epoch with a complete checkpoint; zero if there is none.
    ///
    /// # Errors
    ///
    /// If the folder cannot be read.
    pub fn last_epoch(&self) -> Result<usize> {
        Ok(self.epochs()?.into_iter().max().unwrap_or(0))
    }

    /// The epoch with the best validation accuracy among those with a checkpoint.
    ///
    /// # Errors
    ///
    /// If there is no checkpoint, or the accuracy of one is not logged.
    pub fn best_epoch(&self) -> Result<usize> {
        let mut best: Option<(f64, usize)> = None;
        for epoch in self.epochs()? {
            let accuracy = self.validation(epoch)?.with_context(|| {
                format!(
                    "{} has no validation accuracy of epoch {epoch}: name an epoch with --epoch",
                    self.0.display()
                )
            })?;
            if best.is_none_or(|best| (accuracy, epoch) > best) {
                best = Some((accuracy, epoch));
            }
        }
        best.map(|(_, epoch)| epoch)
            .with_context(|| format!("{} contains no checkpoint yet", self.0.display()))
    }

    /// Validation accuracy of an epoch in percent, from burn-train's log.
    ///
    /// # Errors
    ///
    /// If the log cannot be read.
    pub fn validation(&self, epoch: usize) -> Result<Option<f64>> {
        self.metric("valid", epoch, "Word_accuracy")
    }

    /// The logged metrics of every finished epoch, in order.
    ///
    /// # Errors
    ///
    /// If a log cannot be read.
    pub fn history(&self) -> Result<Vec<Epoch>> {
        let mut epochs = Vec::new();
        for number in 1..=self.last_epoch()? {
            let metric = |split, name| self.metric(split, number, name);
            if let (
                Some(train_loss),
                Some(train_accuracy),
                Some(valid_loss),
                Some(valid_accuracy),
            ) = (
                metric("train", "Loss")?,
                metric("train", "Word_accuracy")?,
                metric("valid", "Loss")?,
                metric("valid", "Word_accuracy")?,
            ) {
                epochs.push(Epoch {
                    number,
                    train_loss,
                    train_accuracy,
                    valid_loss,
                    valid_accuracy,
                });
            }
        }
        Ok(epochs)
    }

    /// Training loss of every finished epoch, in order, from burn-train's log.
    ///
    /// # Errors
    ///
    /// If a log cannot be read.
    pub fn losses(&self) -> Result<Vec<f64>> {
        (1..=self.last_epoch()?)
            .filter_map(|epoch| self.metric("train", epoch, "Loss").transpose())
            .collect()
    }

    /// Mean of a metric over an epoch.
    fn metric(&self, split: &str, epoch: usize, name: &str) -> Result<Option<f64>> {
        let path = self
            .0
            .join(split)
            .join(format!("epoch-{epoch}"))
            .join(format!("{name}.log"));
        let Ok(text) = fs::read_to_string(&path) else {
            return Ok(None);
        };
        let (mut sum, mut count) = (0.0, 0.0);
        for line in text.lines().filter(|line| !line.ends_with(",final")) {
            // Each line is a batch: its value and its weight.
            let mut fields = line.split(',').map(str::parse::<f64>);
            if let (Some(Ok(value)), Some(Ok(weight))) = (fields.next(), fields.next()) {
                sum += value * weight;
                count += weight;
            }
        }
        Ok((count > 0.0).then(|| sum / count))
    }

    fn image_list(&self) -> PathBuf {
        self.0.join("images.csv")
    }

    fn initial_weights_file(&self) -> PathBuf {
        self.0.join("start.safetensors")
    }

    fn description(&self) -> PathBuf {
        self.0.join("run.json")
    }
}
