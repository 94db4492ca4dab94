//! The loop of fine-tuning.

use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Instant;

use anyhow::{Context, Result, anyhow, ensure};
use burn::module::Module;
use burn::optim::{GradientsAccumulator, ModuleOptimizer};
use burn::tensor::Device;
use burn::train::{TrainOutput, TrainStep};
use captcha_model::Network;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::data::batch::Batcher;
use crate::finetune::cooldown::Cooldown;
use crate::finetune::history::{Progress, describe};
use crate::finetune::interpolation::with_initial_weights;
use crate::finetune::job::{Job, PreparedPart};
use crate::finetune::validate::{Validation, validate, values};
use crate::training::losses::text_losses;
use crate::training::model::{StepOutput, TrainingModel};
use crate::training::optimizer::optimizer;
use crate::weights::average::interpolate;

/// Steps whose images are prepared before the network needs them.
const PREFETCH: usize = 2;
/// Share of a run after which it may end early.
const EARLIEST_END: f64 = 0.3;

/// Largest share of a run that the warm-up takes.
const LONGEST_WARMUP: f64 = 0.15;
/// Share of a run after which the losses of the files count.
const LOSSES_FROM: f64 = 0.25;

/// The result of a run.
pub(super) struct Fitted {
    /// The kept network, interpolated with the initial one unless the user stopped the run.
    pub(super) network: Network,
    /// Share of the initial weights in it, 0 to 1.
    pub(super) initial_share: f64,
    /// Validation images whose text it reads.
    pub(super) exact_matches: usize,
    pub(super) history: Vec<Progress>,
    /// Position of the kept network in `history`.
    best: usize,
    /// Why the run ended.
    pub(super) end: End,
    /// Images that were trained on, generated ones included.
    pub(super) images: usize,
    /// Mean training loss of each labelled file in the last three quarters of the run; `None` if
    /// it was not drawn there.
    pub(super) losses: Vec<Option<f32>>,
}

impl Fitted {
    /// The validation of the kept network, before the interpolation.
    pub(super) fn best(&self) -> Progress {
        self.history[self.best]
    }
}

/// Why a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum End {
    /// All steps of the recipe are done.
    Finished,
    /// The validation loss did not improve any more.
    NoImprovement,
    /// The time is up.
    TimeLimit,
    /// The user stopped it.
    Interrupted,
}

/// The state of a run.
struct Run<'a> {
    job: &'a Job<'a>,
    model: TrainingModel,
    optimizer: ModuleOptimizer,
    average: Network,
    /// Learning rate of the last step.
    rate: f64,
    cooldown: Option<Cooldown>,
    started: Instant,
    history: Vec<Progress>,
    /// Position in `history`, network and validation of the network to keep.
    best: Option<(usize, Network, Validation)>,
    /// The latest validation.
    last: Option<Validation>,
    /// Sum and number of the training losses since the last validation.
    recent: (f64, usize),
    /// Sum and number of the training losses of each file.
    losses: Vec<(f32, usize)>,
}

/// Adapts the network to the images. A user who stops it keeps the best network so far.
///
/// # Errors
///
/// If an image cannot be read, the device fails, or the loss is not a number before the first
/// validation.
pub(super) fn fit(job: &Job) -> Result<Fitted> {
    let autodiff = job.device.clone().autodiff();
    autodiff.seed(job.seed);
    let options = job.recipe.optimization(job.fixed_norm);
    let mut model = TrainingModel::new(job.config, &options, &autodiff)?;
    model.network = job.weights.network(&autodiff)?;
    if job.fixed_norm {
        model.fix_norm();
    }
    let mut run = Run {
        average: model.network.valid(),
        optimizer: optimizer(&options)?,
        model,
        rate: 0.0,
        cooldown: None,
        job,
        started: Instant::now(),
        history: Vec::new(),
        best: None,
        last: None,
        recent: (0.0, 0),
        losses: vec![(0.0, 0); job.stream.files()],
    };
    // The network as it starts.
    run.validate(0)?;
    let batcher = Batcher::new(job.config.clone())?;
    let (sender, steps) = sync_channel(PREFETCH);
    let end = std::thread::scope(|scope| {
        scope.spawn(|| {
            for prepared in job.steps(&batcher) {
                let failed = prepared.is_err();
                if sender.send(prepared).is_err() || failed {
                    break;
                }
            }
        });
        // Dropped at the end of this scope's closure, which ends the thread.
        run.steps(&batcher, steps, &autodiff)
    })?;
    if end != End::Interrupted {
        run.keep_last();
    }
    let (best, network, validation) = run.best.context("no network was validated")?;
    let (initial_share, exact_matches, network) = match end {
        End::Interrupted => (0.0, validation.exact_matches, network),
        _ => {
            let kept = with_initial_weights(job, network, validation)?;
            (
                kept.initial_share,
                kept.validation.exact_matches,
                kept.network,
            )
        }
    };
    Ok(Fitted {
        network,
        initial_share,
        exact_matches,
        best,
        end,
        images: run.history.last().map_or(0, |last| last.step) * job.recipe.batch,
        history: run.history,
        losses: run
            .losses
            .iter()
            .map(|&(sum, count)| (count > 0).then(|| sum / count as f32))
            .collect(),
    })
}

impl Run<'_> {
    fn steps(
        &mut self,
        batcher: &Batcher,
        steps: Receiver<Result<Vec<PreparedPart>>>,
        device: &Device,
    ) -> Result<End> {
        let (recipe, session) = (self.job.recipe, self.job.session);
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let threads = rayon::ThreadPoolBuilder::new()
            .num_threads(recipe.parts.min(cores))
            .build()?;
        session
            .progress
            .start_stage("fine-tuning", recipe.steps * recipe.batch);
        let mut end = End::Finished;
        for step in 0..recipe.steps {
            let done = self.done(step);
            let bits = (done as f32).to_bits();
            self.job.done.store(bits, Ordering::Relaxed);
            if session.stop.load(Ordering::Relaxed) {
                end = End::Interrupted;
                break;
            }
            if done >= 1.0 {
                end = End::TimeLimit;
                break;
            }
            let prepared = steps
                .recv()
                .unwrap_or_else(|_| Err(anyhow!("the loader stopped early")))?;
            let (parts, files): (Vec<Vec<_>>, Vec<Vec<_>>) = prepared
                .into_iter()
                .map(|part| part.into_iter().unzip())
                .unzip();
            let files = files.concat();
            let parts = parts.into_iter().map(|part| batcher.stack(part, device));
            // Each part has its own leaves: parts with shared leaves would be one graph, whose lock
            // backward holds while other parts wait, or wait for each other for ever.
            let parts: Vec<_> = parts
                .map(|part| (self.model.clone().fork(device), part))
                .collect();
            let outputs: Vec<TrainOutput<StepOutput>> = threads.install(|| {
                parts
                    .into_par_iter()
                    .with_max_len(1)
                    .map(|(model, part)| model.step(part))
                    .collect()
            });
            self.update(step, done, outputs, &files)?;
            session
                .progress
                .update((step + 1) * recipe.batch, &self.metrics());
            if self
                .cooldown
                .is_some_and(|cooldown| cooldown.is_over(step + 1))
            {
                end = End::NoImprovement;
                break;
            }
            if (step + 1).is_multiple_of(recipe.validate_every) {
                self.validate(step + 1)?;
                let stuck = done >= EARLIEST_END && self.since_best() >= recipe.patience;
                if stuck && self.cooldown.is_none() {
                    self.cooldown = Some(Cooldown::after(step + 1, self.rate));
                }
            }
        }
        let last = self.history.last().map_or(0, |last| last.step);
        if self.recent.1 > 0 {
            let steps = last + self.recent.1 / recipe.batch;
            self.validate(steps)?;
        }
        session.progress.end_stage();
        Ok(end)
    }

    /// The share of the run that is done, by steps or by time.
    fn done(&self, step: usize) -> f64 {
        let steps = step as f64 / self.job.recipe.steps as f64;
        let time = self.job.session.time_limit.map_or(0.0, |limit| {
            self.started.elapsed().as_secs_f64() / limit.as_secs_f64().max(1e-9)
        });
        steps.max(time)
    }

    fn update(
        &mut self,
        step: usize,
        done: f64,
        outputs: Vec<TrainOutput<StepOutput>>,
        files: &[Option<usize>],
    ) -> Result<()> {
        let recipe = self.job.recipe;
        let mut gradients = GradientsAccumulator::new();
        let mut losses = Vec::with_capacity(files.len());
        for output in outputs {
            gradients.accumulate(&self.model, output.grads);
            let StepOutput {
                logits, targets, ..
            } = output.item;
            let each = text_losses(logits.without_autodiff(), targets.without_autodiff());
            losses.extend(values(each)?);
        }
        for (loss, file) in losses.iter().zip(files) {
            self.recent = (self.recent.0 + f64::from(*loss), self.recent.1 + 1);
            if let Some(file) = file.filter(|_| done >= LOSSES_FROM) {
                let sum = &mut self.losses[file];
                *sum = (sum.0 + loss, sum.1 + 1);
            }
        }
        let warmup = (step + 1) as f64 / recipe.warmup_steps.max(1) as f64;
        let warmup = warmup.max(done / LONGEST_WARMUP).min(1.0);
        let cosine = 0.5 * (1.0 + (std::f64::consts::PI * done).cos());
        let rate = recipe.learning_rate * warmup * cosine;
        self.rate = self
            .cooldown
            .map_or(rate, |cooldown| cooldown.rate(step).min(rate));
        self.model = self
            .optimizer
            .step(self.rate, self.model.clone(), gradients.grads());
        // The average follows faster at the start, when it holds little else than its start.
        let decay = recipe
            .average_decay
            .min((step + 1) as f32 / (step + 10) as f32);
        let network = self.model.network.valid();
        self.average = interpolate(self.average.clone(), &network, 1.0 - decay);
        Ok(())
    }

    /// Validates the average of the weights, and keeps it if it is the best so far.
    fn validate(&mut self, step: usize) -> Result<()> {
        let validation = validate(
            &self.average,
            self.job.config,
            self.job.validation,
            self.job.device,
        )?;
        let (loss, exact_matches) = (validation.loss(), validation.exact_matches);
        let (sum, count) = std::mem::take(&mut self.recent);
        let training_loss = if count == 0 {
            f64::NAN
        } else {
            sum / count as f64
        };
        ensure!(
            loss.is_finite() || self.best.is_some(),
            "the loss is not a number: the initial weights cannot be used"
        );
        let best = self.best.as_ref().map(|(_, _, best)| best.loss());
        if best.is_none_or(|best| loss <= best) {
            self.best = Some((self.history.len(), self.average.clone(), validation.clone()));
        }
        self.last = Some(validation);
        self.history.push(Progress {
            step,
            training_loss,
            validation_loss: loss,
            exact_matches,
            seconds: self.started.elapsed().as_secs_f64(),
        });
        let best = self.best.as_ref().map_or(0, |(at, ..)| *at);
        let message = describe(
            &self.history,
            best,
            self.job.validation.len(),
            self.done(step),
        );
        self.job.session.progress.message(&message);
        Ok(())
    }

    /// Validations since the best one.
    fn since_best(&self) -> usize {
        let best = self.best.as_ref().map_or(0, |(at, ..)| *at);
        self.history.len() - 1 - best
    }

    /// Keeps the last network unless it is clearly worse than the best one (the one-standard-error
    /// rule: Breiman et al. 1984, "Classification and Regression Trees"). The smallest of many
    /// losses of few images is often chance, and the last network had the smallest learning rate.
    fn keep_last(&mut self) {
        if let (Some(last), Some((_, _, best))) = (self.last.take(), &self.best)
            && !last.is_clearly_worse_than(best)
        {
            self.best = Some((self.history.len() - 1, self.average.clone(), last));
        }
    }

    fn metrics(&self) -> String {
        let (sum, count) = self.recent;
        format!("training loss {:.2}", sum / count.max(1) as f64)
    }
}
