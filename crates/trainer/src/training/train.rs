//! The training loop.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use anyhow::{Context, Result, anyhow, bail, ensure};
use burn::tensor::Device;
use burn::train::metric::LossMetric;
use burn::train::{ExecutionStrategy, Interrupter, Learner, MultiDeviceOptim, SupervisedTraining};
use captcha_evaluation::data::{Dataset, FixedEpoch};
use captcha_evaluation::progress::Progress;
use captcha_learning::Session;
use captcha_learning::norm::fix_norm;
use captcha_model::{ModelConfig, Weights};

use crate::data::loader::{Loader, Rest};
use crate::training::checkpoints::{CheckpointFile, CheckpointWrites, KeepLatestAndBest};
use crate::training::diagnosis::{describe_best, diagnose};
use crate::training::export::{Exported, export};
use crate::training::history::TrainingHistory;
use crate::training::load::prepare_checkpoint;
use crate::training::model::TrainingModel;
use crate::training::optimizer::optimizer;
use crate::training::provenance::Provenance;
use crate::training::recipe::TrainingRecipe;
use crate::training::renderer::Renderer;
use crate::training::run_folder::{CHECKPOINT_PARTS, RunFolder};
use crate::training::schedule::{schedule, steps};
use crate::training::watch::Watch;
use crate::training::word_accuracy::{AnswerCounts, WordAccuracy};
use captcha_learning::data::batch::Batcher;

/// What a run trains.
pub(super) struct Training {
    /// The run's record.
    pub(super) provenance: Provenance,
    /// The network.
    pub(super) network: ModelConfig,
    /// Training images.
    pub(super) train: Arc<dyn Dataset>,
    /// Validation images.
    pub(super) validation: Arc<dyn Dataset>,
    /// Initial weights; `None` for random ones.
    pub(super) initial_weights: Option<Weights>,
    /// Devices, at least one.
    pub(super) devices: Vec<Device>,
}

/// The result of a run.
#[derive(Debug)]
pub struct Outcome {
    /// The file with the best epoch's weights.
    pub weights: PathBuf,
    /// Whether the run was interrupted.
    pub interrupted: bool,
    /// Number of finished epochs.
    pub epochs: usize,
}

/// Trains from the last checkpoint of a run, then writes the best epoch's weights into its folder.
///
/// # Errors
///
/// If a checkpoint cannot be read or written, or no epoch was finished.
pub(super) fn train(training: Training, run: &RunFolder, session: Session) -> Result<Outcome> {
    let options = &training.provenance.recipe.training;
    let config = training.network;
    let first = run.last_epoch()?;
    if first >= options.epochs {
        bail!(
            "this run has already finished its {} epochs",
            options.epochs
        );
    }
    if first > 0 {
        prepare_checkpoint(run, &training.provenance, first)?;
    }
    let main = training
        .devices
        .first()
        .context("no device to train on")?
        .clone()
        .autodiff();
    main.seed(training.provenance.seed.wrapping_add(first as u64));

    let initial_weights = training.initial_weights.filter(|_| first == 0);
    let model = initial_model(&config, options, initial_weights.as_ref(), &main)?;
    let batcher = Batcher::new(config)?;
    // Each device takes a batch in a step. Their gradients are summed, then clipped; Adam and Muon
    // do not depend on the scale.
    let batch = options.batch * options.sampling_ratio;
    let steps = steps(options, training.train.len(), training.devices.len());
    let learner = Learner::new(model, optimizer(options)?, schedule(options, steps)?);
    let mut history = TrainingHistory {
        epochs: run.history()?,
        train_images: training.train.len(),
        valid_images: training.validation.len(),
        answers: None,
        steps,
        is_folder: !training.provenance.data.starts_with("synth:"),
        learning_rate: options.learning_rate,
    };
    let train_loader = Loader::new(
        training.train,
        batcher.clone(),
        batch,
        Rest::Merged,
        first,
        main.clone(),
    )?;
    let valid_loader = Loader::new(
        Arc::new(FixedEpoch(training.validation)),
        batcher,
        options.batch,
        Rest::Separate,
        0,
        main.clone().inner(),
    )?;

    let (writes, answers) = (CheckpointWrites::default(), AnswerCounts::default());
    let interrupter = Interrupter::new();
    let progress = session.progress;
    let renderer = Renderer::new(progress.clone(), session.stop, interrupter.clone());
    let watch = Watch {
        deadline: session
            .time_limit
            .and_then(|limit| Instant::now().checked_add(limit)),
        finished_before: first,
        writes: writes.clone(),
        progress: progress.clone(),
        state: Arc::new(Mutex::new((history.clone(), Vec::new()))),
    };
    let [weights, optim, scheduler] =
        CHECKPOINT_PARTS.map(|part| CheckpointFile::new(run, part, &writes));
    let mut job =
        SupervisedTraining::new(run.path(), Arc::new(train_loader), Arc::new(valid_loader))
            .metric_train_numeric(LossMetric::new())
            .metric_valid_numeric(LossMetric::new())
            .metric_train_numeric(WordAccuracy::new())
            .metric_valid_numeric(WordAccuracy::counting(&answers))
            .with_custom_checkpointers(weights, optim, scheduler)
            .with_checkpointing_strategy(KeepLatestAndBest(run.clone()))
            .early_stopping(watch)
            .with_training_strategy(execution(training.devices, main).into())
            .with_application_logger(None)
            .with_interrupter(interrupter)
            .renderer(Box::new(renderer))
            .num_epochs(options.epochs);
    if first > 0 {
        job = job.checkpoint(first);
    }
    let result = job.launch(learner);
    if let Some(error) = writes.error() {
        bail!(
            "training stopped because a checkpoint could not be written: {error}. Free disk space, \
             then continue with --resume"
        );
    }
    if let Some(error) = result.error {
        return Err(anyhow!("training stopped: {error}"));
    }
    ensure!(
        run.last_epoch()? > 0,
        "stopped before the end of the first epoch, so nothing is kept; --resume starts the run \
         again"
    );
    history.answers = answers.last();
    finish(run, history, result.interrupted.is_some(), &*progress)
}

fn initial_model(
    network: &ModelConfig,
    options: &TrainingRecipe,
    weights: Option<&Weights>,
    device: &Device,
) -> Result<TrainingModel> {
    let mut model = TrainingModel::new(network, options, device)?;
    if let Some(weights) = weights {
        model.network = weights.network(device)?;
    }
    if options.fixed_norm {
        fix_norm(&mut model.network);
    }
    Ok(model)
}

/// Writes the best epoch's weights, and reports its accuracy and the run's problems.
fn finish(
    run: &RunFolder,
    mut history: TrainingHistory,
    interrupted: bool,
    progress: &dyn Progress,
) -> Result<Outcome> {
    let best = run.best_epoch()?;
    let Exported { weights, note } = export(run, Some(best))?;
    history.epochs = run.history()?;
    let accuracy = run.validation(best)?.unwrap_or_default();
    let epochs = run.last_epoch()?;
    if let Some(note) = note {
        progress.note(&note);
    }
    progress.note(&describe_best(best, epochs, accuracy, history.valid_images));
    for (_, problem) in diagnose(&history, true) {
        progress.warning(&problem);
    }
    Ok(Outcome {
        weights,
        interrupted,
        epochs,
    })
}

fn execution(devices: Vec<Device>, main: Device) -> ExecutionStrategy {
    if devices.len() == 1 {
        return ExecutionStrategy::SingleDevice(main);
    }
    let devices = devices.into_iter().map(Device::autodiff).collect();
    ExecutionStrategy::MultiDevice(devices, MultiDeviceOptim::OptimMainDevice)
}
