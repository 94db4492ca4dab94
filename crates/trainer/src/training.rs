//! `captcha-lens train`: a run, from its first step or from its last checkpoint.

pub mod checkpoints;
pub mod diagnosis;
pub mod importance_sampling;
pub mod model;
pub mod optimizer;
pub mod progress;
pub mod recipe;
pub mod run_folder;
pub mod schedule;
pub mod start;
pub mod word_accuracy;

use std::fmt::Debug;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail, ensure};
use burn::lr_scheduler::LrSchedulerRecord;
use burn::module::Module;
use burn::optim::OptimizerRecord;
use burn::store::ModuleRecord;
use burn::tensor::Device;
use burn::train::metric::LossMetric;
use burn::train::metric::store::{Aggregate, EventStoreClient, Split};
use burn::train::{
    EarlyStoppingStrategy, ExecutionStrategy, Interrupter, Learner, MultiDeviceOptim,
    SupervisedTraining,
};
use captcha_model::weights::{Precision, Weights, save};
use indicatif::ProgressBar;

use crate::data::batch::Batcher;
use crate::data::loader::Loader;
use crate::data::{FirstEpoch, Source};
use crate::files::write_file;
use crate::training::checkpoints::{CheckpointFile, KeepLastAndBest, Saves};
use crate::training::diagnosis::{Course, Epoch, Trouble, chosen, diagnose};
use crate::training::model::Trainee;
use crate::training::optimizer::optimizer;
use crate::training::progress::RunProgress;
use crate::training::run_folder::{CHECKPOINT_PARTS, Provenance, RunFolder};
use crate::training::schedule::{schedule, steps};
use crate::training::word_accuracy::{AnswerCounts, WordAccuracy};

/// Largest weights file that is read, in bytes: ninety times the paper's network.
const MAX_WEIGHTS_BYTES: u64 = 1 << 30;

/// What a run needs beside its folder.
pub struct Training {
    /// The run's description, kept in its folder.
    pub provenance: Provenance,
    /// Images to train on.
    pub train: Arc<dyn Source>,
    /// Images to validate on, never trained on.
    pub validation: Arc<dyn Source>,
    /// Weights to start from instead of random ones, of the run's network.
    pub start: Option<Weights>,
    /// Devices to train on, at least one.
    pub devices: Vec<Device>,
    /// Stop at the first epoch's end after this time.
    pub limit: Option<Duration>,
    /// Stops the run within an epoch, whose work is lost, as soon as it is true.
    pub stop: Arc<AtomicBool>,
}

/// What a run left.
#[derive(Debug)]
pub struct Outcome {
    /// The best epoch's weights.
    pub weights: PathBuf,
    /// Whether it was interrupted.
    pub interrupted: bool,
    /// Epochs that are kept.
    pub epochs: usize,
    /// Which epoch is written, what it is worth, and what is wrong with the run.
    pub findings: Vec<String>,
}

/// Trains, then writes the best epoch's weights into the run's folder.
///
/// # Errors
///
/// If a checkpoint cannot be read or written, or no epoch came to its end.
pub fn train(training: Training, run: &RunFolder) -> Result<Outcome> {
    let recipe = &training.provenance.recipe;
    let config = training.provenance.model()?;
    let (first, options) = (run.last_epoch()?, &recipe.training);
    if first >= options.epochs {
        bail!(
            "this run has already finished its {} epochs",
            options.epochs
        );
    }
    if first > 0 {
        // burn-train would panic.
        checkpoint(run, &training.provenance, first)?;
        let (optimizer, scheduler) = (
            run.checkpoint("optim", first),
            run.checkpoint("scheduler", first),
        );
        OptimizerRecord::load(&optimizer).map_err(|error| unreadable(&optimizer, error))?;
        LrSchedulerRecord::load(&scheduler).map_err(|error| unreadable(&scheduler, error))?;
    }
    let main = training
        .devices
        .first()
        .context("no device to train on")?
        .clone()
        .autodiff();
    main.seed(training.provenance.seed.wrapping_add(first as u64));

    let mut trainee = Trainee::new(&config, options, &main)?;
    if let Some(weights) = training.start.filter(|_| first == 0) {
        trainee.network = weights.network(&main)?;
    }
    if options.fixed_norm {
        trainee.fix_norm();
    }
    let batcher = Batcher::new(config)?;
    // Each device takes a batch a step; their gradients are summed, then clipped. Neither Adam nor
    // Muon minds the scale.
    let batch = options.batch * options.candidates;
    let steps = steps(options, training.train.len(), training.devices.len());
    let learner = Learner::new(trainee, optimizer(options)?, schedule(options, steps)?);
    let mut course = Course {
        epochs: run.course()?,
        train_images: training.train.len(),
        valid_images: training.validation.len(),
        answers: None,
        steps,
        is_folder: !training.provenance.data.starts_with("synth:"),
        learning_rate: options.learning_rate,
    };
    let train_loader = Loader::new(training.train, batcher.clone(), batch, first, main.clone())?;
    let valid_loader = Loader::new(
        Arc::new(FirstEpoch(training.validation)),
        batcher,
        options.batch,
        0,
        main.clone().inner(),
    )?;

    let (saves, answers) = (Saves::default(), AnswerCounts::default());
    let interrupter = Interrupter::new();
    let progress = RunProgress::new(training.stop, interrupter.clone());
    let watch = Watch {
        deadline: training
            .limit
            .and_then(|limit| Instant::now().checked_add(limit)),
        first,
        saves: saves.clone(),
        bar: progress.bar(),
        course: Arc::new(Mutex::new((course.clone(), Vec::new()))),
    };
    let [model, optim, scheduler] =
        CHECKPOINT_PARTS.map(|part| CheckpointFile::new(run, part, &saves));
    let mut job =
        SupervisedTraining::new(run.path(), Arc::new(train_loader), Arc::new(valid_loader))
            .metric_train_numeric(LossMetric::new())
            .metric_valid_numeric(LossMetric::new())
            .metric_train_numeric(WordAccuracy::new())
            .metric_valid_numeric(WordAccuracy::counting(&answers))
            .with_custom_checkpointers(model, optim, scheduler)
            .with_checkpointing_strategy(KeepLastAndBest(run.clone()))
            .early_stopping(watch)
            .with_training_strategy(execution(training.devices, main).into())
            .with_application_logger(None)
            .with_interrupter(interrupter)
            .renderer(Box::new(progress))
            .num_epochs(options.epochs);
    if first > 0 {
        job = job.checkpoint(first);
    }
    let result = job.launch(learner);
    if let Some(error) = saves.error() {
        bail!(
            "training stopped, as a checkpoint could not be written: {error}. Make room, then go \
             on with --resume"
        );
    }
    if let Some(error) = result.error {
        return Err(anyhow!("training stopped: {error}"));
    }
    ensure!(
        run.last_epoch()? > 0,
        "stopped before the end of the first epoch, so there is nothing to keep; --resume begins \
         it anew"
    );
    let best = run.best_epoch()?;
    let weights = export(run, Some(best))?;
    course.epochs = run.course()?;
    course.answers = answers.last();
    let accuracy = run.validation(best)?.unwrap_or_default();
    let mut findings = vec![chosen(
        best,
        run.last_epoch()?,
        accuracy,
        course.valid_images,
    )];
    findings.extend(diagnose(&course, true).into_iter().map(|(_, text)| text));
    Ok(Outcome {
        weights,
        interrupted: result.interrupted.is_some(),
        epochs: run.last_epoch()?,
        findings,
    })
}

/// Writes an epoch's weights (the best by validation if none is named) as a file that stands
/// alone.
pub fn export(run: &RunFolder, epoch: Option<usize>) -> Result<PathBuf> {
    let epoch = match epoch {
        Some(epoch) => epoch,
        None => run.best_epoch()?,
    };
    let mut kept = run.epochs()?;
    kept.sort_unstable();
    ensure!(
        kept.contains(&epoch),
        "{} holds no checkpoint of epoch {epoch}; it holds those of {kept:?}",
        run.path().display()
    );
    let provenance = run.provenance()?;
    let config = provenance.model()?;
    let trainee = checkpoint(run, &provenance, epoch)?;
    let record = provenance.at_epoch(epoch, run.validation(epoch)?)?;
    let bytes = save(&trainee.network, &config, &record, Precision::Half)?;
    let weights = Weights::from_bytes(bytes)
        .with_context(|| format!("epoch {epoch} left no weights that can be used: a lower learning_rate may help, or an epoch before"))?;
    let out = run.weights();
    let weights = keep_calibration(&out, weights)?;
    write_weights(&out, &weights)?;
    Ok(out)
}

/// The weights with the temperature of the file that they replace, if that holds the same ones.
/// A file of other weights that was calibrated is kept under another name.
fn keep_calibration(path: &Path, weights: Weights) -> Result<Weights> {
    let Some(old) = read_weights(path).ok().filter(|old| old.temperature != 1.0) else {
        return Ok(weights);
    };
    let temperature = old.temperature;
    let fresh = weights.clone().with_temperature(temperature)?;
    if fresh.bytes() == old.bytes() {
        return Ok(fresh);
    }
    let epoch = old.training["epoch"].as_u64().unwrap_or_default();
    let kept = (0..)
        .map(|number| match number {
            0 => format!("weights-epoch-{epoch}-calibrated.safetensors"),
            _ => format!("weights-epoch-{epoch}-calibrated-{number}.safetensors"),
        })
        .map(|name| path.with_file_name(name))
        .find(|path| !path.exists())
        .context("no name is free")?;
    write_weights(&kept, &old)?;
    eprintln!(
        "note: the weights before were calibrated and are kept as {}; the new ones are not \
         calibrated (captcha-lens calibrate does that)",
        kept.display()
    );
    Ok(weights)
}

/// What a run had learnt by an epoch's end.
fn checkpoint(run: &RunFolder, provenance: &Provenance, epoch: usize) -> Result<Trainee> {
    let path = run.checkpoint("model", epoch);
    let record = ModuleRecord::load(&path).map_err(|error| unreadable(&path, error))?;
    let options = &provenance.recipe.training;
    let trainee = Trainee::new(&provenance.model()?, options, &Device::flex())?;
    trainee.try_load_record(record).map_err(|_| {
        anyhow!(
            "checkpoint {} is of another network than the run's preset names in this version; \
             the version that began the run can read it",
            path.display()
        )
    })
}

fn unreadable(checkpoint: &Path, error: impl Debug) -> anyhow::Error {
    anyhow!(
        "cannot read checkpoint {}: {error:?}; without the files of that epoch, the one before counts",
        checkpoint.display()
    )
}

/// Reads a weights file.
pub fn read_weights(path: &Path) -> Result<Weights> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MAX_WEIGHTS_BYTES + 1).read_to_end(&mut bytes))
        .with_context(|| format!("cannot read the weights {}", path.display()))?;
    ensure!(
        bytes.len() as u64 <= MAX_WEIGHTS_BYTES,
        "{} is larger than any weights file",
        path.display()
    );
    Weights::from_bytes(bytes).with_context(|| path.display().to_string())
}

/// Writes a weights file, whole or not at all.
pub fn write_weights(path: &Path, weights: &Weights) -> Result<()> {
    write_file(path, weights.bytes())
}

fn execution(devices: Vec<Device>, main: Device) -> ExecutionStrategy {
    if devices.len() == 1 {
        return ExecutionStrategy::SingleDevice(main);
    }
    let devices = devices.into_iter().map(Device::autodiff).collect();
    ExecutionStrategy::MultiDevice(devices, MultiDeviceOptim::OptimMainDevice)
}

/// Looks at a run whenever an epoch has ended: whether its checkpoint was written, whether its time
/// is over, and whether it is in trouble.
#[derive(Clone)]
struct Watch {
    deadline: Option<Instant>,
    /// Epochs that were finished before.
    first: usize,
    saves: Saves,
    bar: ProgressBar,
    /// So far, and what has been said of it.
    course: Arc<Mutex<(Course, Vec<Trouble>)>>,
}

impl EarlyStoppingStrategy for Watch {
    fn should_stop(&mut self, epoch: usize, store: &EventStoreClient) -> bool {
        let mean = |name, split| store.find_metric(name, epoch, Aggregate::Mean, &split);
        let mut course = self.course.lock().unwrap_or_else(PoisonError::into_inner);
        let (course, told) = &mut *course;
        if let (Some(train_loss), Some(train_accuracy), Some(valid_loss), Some(valid_accuracy)) = (
            mean("Loss", Split::Train),
            mean("Word accuracy", Split::Train),
            mean("Loss", Split::Valid),
            mean("Word accuracy", Split::Valid),
        ) {
            course.epochs.push(Epoch {
                number: epoch,
                train_loss,
                train_accuracy,
                valid_loss,
                valid_accuracy,
            });
        }
        let best = course
            .epochs
            .iter()
            .max_by(|a, b| a.valid_accuracy.total_cmp(&b.valid_accuracy));
        if let Some(best) = best {
            self.bar.suspend(|| {
                eprintln!(
                    "best so far: epoch {} with {:.1} % of the validation images",
                    best.number, best.valid_accuracy
                );
            });
        }
        for (trouble, text) in diagnose(course, false) {
            if !told.contains(&trouble) {
                told.push(trouble);
                self.bar.suspend(|| eprintln!("warning: {text}"));
            }
        }
        self.saves.wait(epoch - self.first).is_some()
            || self
                .deadline
                .is_some_and(|deadline| Instant::now() >= deadline)
    }
}
