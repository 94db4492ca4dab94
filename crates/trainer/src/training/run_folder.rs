//! A run's folder: what it is (`run.json`), its checkpoints, its metrics, its weights.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use captcha_model::{ModelConfig, Weights};
use serde::{Deserialize, Serialize};

use crate::data::folder::{SPEC_FILE, new_folder};
use crate::data::splits::ImageList;
use crate::files::write_file;
use crate::training::diagnosis::Epoch;
use crate::training::read_weights;
use crate::training::recipe::Recipe;

/// Parts of an epoch's checkpoint, as burn-train names them.
pub const CHECKPOINT_PARTS: [&str; 3] = ["model", "optim", "scheduler"];

/// Where a network comes from: enough to train it again.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Provenance {
    /// The recipe as it was used.
    pub recipe: Recipe,
    /// The network that the recipe named then: a later version may mean another by that name. None
    /// in a run of a version that did not keep it, and in a weights file, which has its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<ModelConfig>,
    /// What it was trained on: a folder's name or `synth:STYLE`.
    pub data: String,
    /// The labelled folder, wherever the program is started from. Only in a run's folder: a weights
    /// file tells nobody where on a machine it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<String>,
    /// Digest of the labelled folder's images, labels and parts. None for generated images, and in a
    /// run of a version that did not keep it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub images: Option<String>,
    /// The seed of generator and network.
    pub seed: u64,
    /// The first generated image: those before it taught the weights that the run started from.
    #[serde(default)]
    pub first_image: u64,
    /// Devices that each take a batch a step; the schedule counts in steps. None in a run of a
    /// version that did not keep it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub devices: Option<usize>,
    /// The command that started the run.
    pub command: String,
    /// Version of captcha-lens.
    pub version: String,
    /// Provenance of the weights that it started from, if it did not start from scratch.
    pub from: Option<serde_json::Value>,
}

impl Provenance {
    /// The configuration of the run's network.
    pub fn model(&self) -> Result<ModelConfig> {
        match &self.network {
            Some(config) => {
                config.validate()?;
                Ok(config.clone())
            }
            None => self.recipe.model(),
        }
    }

    /// How many images of this data and seed the weights before have seen, as their record says.
    pub fn images_before(record: &serde_json::Value, data: &str, seed: u64) -> u64 {
        let own = if record["data"] == data && record["seed"] == seed {
            let first = record["first_image"].as_u64().unwrap_or(0);
            first.saturating_add(record["images_seen"].as_u64().unwrap_or(0))
        } else {
            0
        };
        let before = record.get("from").filter(|from| from.is_object());
        let averaged = record["average_of"].as_array().into_iter().flatten();
        let images = |record| Self::images_before(record, data, seed);
        before
            .into_iter()
            .chain(averaged)
            .map(images)
            .fold(own, u64::max)
    }

    /// The record that a weights file carries.
    pub fn at_epoch(&self, epoch: usize, validation: Option<f64>) -> Result<serde_json::Value> {
        let mut record = serde_json::to_value(Self {
            network: None,
            folder: None,
            ..self.clone()
        })?;
        record["epoch"] = epoch.into();
        record["images_seen"] = (epoch * self.recipe.training.images_per_epoch).into();
        record["validation_accuracy"] = validation.map(|percent| percent / 100.0).into();
        Ok(record)
    }
}

/// The command that runs now.
pub fn command_line() -> String {
    // A file's name may be no text.
    std::env::args_os()
        .skip(1)
        .fold("captcha-lens".into(), |all, one| {
            all + " " + &one.to_string_lossy()
        })
}

/// The folder of one run.
#[derive(Clone, Debug)]
pub struct RunFolder(PathBuf);

/// Keeps others from training in a run's folder, until it is dropped or the process ends.
#[derive(Debug)]
pub struct RunLock(#[allow(dead_code, reason = "closing it unlocks")] File);

impl RunFolder {
    /// A new run's folder, with the weights that it starts from and the list of its images; refused
    /// if anything is there: it could be taken for this run's, or lost.
    pub fn create(
        path: &Path,
        provenance: &Provenance,
        start: Option<&Weights>,
        images: Option<&ImageList>,
    ) -> Result<(Self, RunLock)> {
        let run = Self(path.to_owned());
        if run.description().exists() {
            bail!(
                "{} already holds a run; continue it with --resume, or name another folder",
                path.display()
            );
        }
        new_folder(path)?;
        let lock = run.lock()?;
        if let Some(start) = start {
            write_file(&run.start_file(), start.bytes())?;
        }
        if let Some(images) = images {
            write_file(&run.image_list(), &images.to_csv()?)?;
        }
        // Last: what makes the folder a run.
        let description = serde_json::to_string_pretty(provenance)?;
        write_file(&run.description(), description.as_bytes())?;
        Ok((run, lock))
    }

    /// Keeps other processes from training in this folder.
    ///
    /// # Errors
    ///
    /// If one does already.
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
                "another process trains in {}: wait for it, stop it, or name another folder",
                self.0.display()
            );
        }
        // Where the file system knows no locks, there is none.
        Ok(RunLock(file))
    }

    /// Checks that a labelled folder still holds what the run was begun with: images that change
    /// their part would be judged by after they were learnt from.
    pub fn check_images(&self, provenance: &Provenance, images: &ImageList) -> Result<()> {
        let folder = provenance.folder.as_ref().unwrap_or(&provenance.data);
        let advice = "begin a new run, in another folder, with --from and this run's weights \
                      (captcha-lens export writes them)";
        let Some(digest) = &provenance.images else {
            // Earlier versions divided such a folder in the same way.
            ensure!(
                Path::new(folder).join(SPEC_FILE).exists(),
                "{} was begun by an earlier version, which divided {folder} into other parts: \
                 {advice}",
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
            "{folder} has changed since the run was begun ({}). Put it back as it was, or {advice}",
            changes.unwrap_or_else(|| "its images or labels are others".into())
        )
    }

    /// A run that was begun earlier.
    pub fn open(path: &Path) -> Result<Self> {
        let run = Self(path.to_owned());
        run.provenance()?;
        Ok(run)
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// What the run is.
    pub fn provenance(&self) -> Result<Provenance> {
        let path = self.description();
        ensure!(
            path.exists(),
            "{} holds no run: no run.json",
            self.0.display()
        );
        let text =
            fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let provenance: Provenance = serde_json::from_str(&text)
            .with_context(|| format!("{} is damaged, or of another version", path.display()))?;
        let recipe = &provenance.recipe;
        recipe
            .check()
            .with_context(|| format!("{} is not valid", path.display()))?;
        Ok(provenance)
    }

    /// The weights that the run starts from; none if it has an epoch behind it, or started from
    /// random ones.
    pub fn start(&self) -> Result<Option<Weights>> {
        if self.last_epoch()? > 0 || self.provenance()?.from.is_none() {
            return Ok(None);
        }
        let path = self.start_file();
        ensure!(
            path.exists(),
            "{} is to start from other weights and has finished no epoch, but does not hold them: \
             begin it anew, in another folder, with --from",
            self.0.display()
        );
        read_weights(&path).map(Some)
    }

    /// Where the run's weights are written.
    pub fn weights(&self) -> PathBuf {
        self.0.join("weights.safetensors")
    }

    /// A part of an epoch's checkpoint, as burn-train names it: `model`, `optim` or `scheduler`.
    pub fn checkpoint(&self, part: &str, epoch: usize) -> PathBuf {
        self.0
            .join("checkpoint")
            .join(format!("{part}-{epoch}.bpk"))
    }

    /// The epochs whose checkpoints have all their files, in no order.
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

    /// The last epoch whose checkpoint is complete; zero if there is none.
    pub fn last_epoch(&self) -> Result<usize> {
        Ok(self.epochs()?.into_iter().max().unwrap_or(0))
    }

    /// The checkpointed epoch that read most of the validation images.
    pub fn best_epoch(&self) -> Result<usize> {
        let mut best: Option<(f64, usize)> = None;
        for epoch in self.epochs()? {
            let accuracy = self.validation(epoch)?.with_context(|| {
                format!(
                    "{} does not say how well epoch {epoch} read: name an epoch with --epoch",
                    self.0.display()
                )
            })?;
            if best.is_none_or(|best| (accuracy, epoch) > best) {
                best = Some((accuracy, epoch));
            }
        }
        best.map(|(_, epoch)| epoch)
            .with_context(|| format!("{} holds no checkpoint yet", self.0.display()))
    }

    /// Validation accuracy of an epoch in percent, from burn-train's log.
    pub fn validation(&self, epoch: usize) -> Result<Option<f64>> {
        self.metric("valid", epoch, "Word_accuracy")
    }

    /// What is logged of every finished epoch, first to last.
    pub fn course(&self) -> Result<Vec<Epoch>> {
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

    /// Training loss of every finished epoch, first to last, from burn-train's log.
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
            // One line a batch: its value and its weight.
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

    fn start_file(&self) -> PathBuf {
        self.0.join("start.safetensors")
    }

    fn description(&self) -> PathBuf {
        self.0.join("run.json")
    }
}
