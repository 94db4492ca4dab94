//! `captcha-lens train`: a run, from its first step or from its last checkpoint.

use std::fmt::Debug;
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail, ensure};
use burn::lr_scheduler::LrSchedulerRecord;
use burn::lr_scheduler::composed::ComposedLrSchedulerConfig;
use burn::lr_scheduler::cosine::CosineAnnealingLrSchedulerConfig;
use burn::lr_scheduler::linear::LinearLrSchedulerConfig;
use burn::lr_scheduler::module_lr_scheduler::ModuleLrScheduler;
use burn::module::Module;
use burn::optim::OptimizerRecord;
use burn::store::ModuleRecord;
use burn::tensor::Device;
use burn::train::checkpoint::{
    ComposedCheckpointingStrategy, KeepLastNCheckpoints, MetricCheckpointingStrategy,
};
use burn::train::metric::LossMetric;
use burn::train::metric::store::{Aggregate, Direction, EventStoreClient, Split};
use burn::train::{
    EarlyStoppingStrategy, ExecutionStrategy, Learner, MultiDeviceOptim, SupervisedTraining,
};
use captcha_model::weights::{Precision, Weights, save};
use tempfile::NamedTempFile;

use crate::batch::Batcher;
use crate::data::{FirstEpoch, Source};
use crate::learner::Trainee;
use crate::loader::Loader;
use crate::metric::WordAccuracy;
use crate::optimizer::optimizer;
use crate::progress::RunProgress;
use crate::recipe::{Recipe, Schedule};
use crate::run::{Provenance, RunFolder};

/// Checkpoints kept besides the best.
const KEEP_CHECKPOINTS: usize = 5;
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
}

/// Trains, then writes the best epoch's weights into the run's folder and says where.
pub fn train(training: Training, run: &RunFolder) -> Result<PathBuf> {
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
    let images_per_step = batch * training.devices.len();
    let steps = training.train.len().div_ceil(images_per_step) * options.epochs;
    let learner = Learner::new(trainee, optimizer(options)?, schedule(recipe, steps)?);
    let train_loader = Loader::new(training.train, batcher.clone(), batch, first, main.clone())?;
    let valid_loader = Loader::new(
        Arc::new(FirstEpoch(training.validation)),
        batcher,
        options.batch,
        0,
        main.clone().inner(),
    )?;

    let accuracy = WordAccuracy::new();
    let best = MetricCheckpointingStrategy::new(
        &accuracy,
        Aggregate::Mean,
        Direction::Highest,
        Split::Valid,
    );
    let mut job =
        SupervisedTraining::new(run.path(), Arc::new(train_loader), Arc::new(valid_loader))
            .metrics((LossMetric::new(), accuracy))
            .with_default_checkpointers()
            .with_checkpointing_strategy(
                ComposedCheckpointingStrategy::builder()
                    .add(KeepLastNCheckpoints::new(KEEP_CHECKPOINTS))
                    .add(best)
                    .build(),
            )
            .early_stopping(TimeLimit::new(training.limit))
            .with_training_strategy(execution(training.devices, main).into())
            .with_application_logger(None)
            .renderer(Box::new(RunProgress::new()))
            .num_epochs(options.epochs);
    if first > 0 {
        job = job.checkpoint(first);
    }
    let result = job.launch(learner);
    if let Some(error) = result.error {
        return Err(anyhow!("training stopped: {error}"));
    }
    export(run, None)
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
    write_weights(&out, &weights)?;
    Ok(out)
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

/// Writes a weights file; over an old one by way of another, so that a full disk does not cost what
/// was there.
pub fn write_weights(path: &Path, weights: &Weights) -> Result<()> {
    let write = || -> Result<()> {
        if !path.exists() {
            return Ok(std::fs::write(path, weights.bytes())?);
        }
        let path = path.canonicalize()?; // what a link names, not the link
        let mut fresh = NamedTempFile::new_in(path.parent().context("it is no file")?)?;
        fresh.write_all(weights.bytes())?;
        let permissions = path.metadata()?.permissions();
        fresh.as_file().set_permissions(permissions)?;
        fresh.persist(path)?;
        Ok(())
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}

fn schedule(recipe: &Recipe, steps: usize) -> Result<ModuleLrScheduler> {
    let options = &recipe.training;
    let mut schedule = ComposedLrSchedulerConfig::new();
    schedule = match options.schedule {
        Schedule::Constant => schedule.constant(options.learning_rate),
        Schedule::Cosine => schedule.cosine(CosineAnnealingLrSchedulerConfig::new(
            options.learning_rate,
            steps.max(1),
        )),
    };
    if options.warmup_steps > 0 {
        schedule = schedule.linear(LinearLrSchedulerConfig::new(
            1e-3,
            1.0,
            options.warmup_steps,
        ));
    }
    schedule
        .init()
        .map_err(|error| anyhow!("learning rate schedule: {error}"))
}

fn execution(devices: Vec<Device>, main: Device) -> ExecutionStrategy {
    if devices.len() == 1 {
        return ExecutionStrategy::SingleDevice(main);
    }
    let devices = devices.into_iter().map(Device::autodiff).collect();
    ExecutionStrategy::MultiDevice(devices, MultiDeviceOptim::OptimMainDevice)
}

/// Stops at the end of the epoch in which the time is over.
#[derive(Clone)]
struct TimeLimit(Option<Instant>);

impl TimeLimit {
    fn new(limit: Option<Duration>) -> Self {
        Self(limit.and_then(|limit| Instant::now().checked_add(limit)))
    }
}

impl EarlyStoppingStrategy for TimeLimit {
    fn should_stop(&mut self, _epoch: usize, _store: &EventStoreClient) -> bool {
        self.0.is_some_and(|deadline| Instant::now() >= deadline)
    }
}
