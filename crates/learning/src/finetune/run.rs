//! The state of a run, and its steps.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use burn::module::Module;
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::Device;
use captcha_model::Network;
use rayon::{ThreadPool, ThreadPoolBuilder};
use serde::{Deserialize, Serialize};

use crate::data::batch::Batcher;
use crate::finetune::clock::Clock;
use crate::finetune::cooldown::Cooldown;
use crate::finetune::gradients::{StepGradients, stack};
use crate::finetune::history::{Progress, describe};
use crate::finetune::interpolation::with_initial_weights;
use crate::finetune::job::{Job, PreparedPart};
use crate::finetune::outcome::{End, Fitted};
use crate::finetune::replica::{PartResult, PartTask, received, task};
use crate::finetune::validate::{Validation, validate};
use crate::norm::fix_norm;
use crate::optimizer::adamw;
use crate::weights::interpolate::interpolate;

/// Share of a run after which it may end early.
const EARLIEST_END: f64 = 0.3;
/// Largest share of a run that the warm-up takes.
const LONGEST_WARMUP: f64 = 0.15;
/// Share of a run after which the losses of the files count.
const LOSSES_FROM: f64 = 0.25;

/// The numbers of a run that has started.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct State {
    /// Steps so far.
    pub(super) step: usize,
    /// Learning rate of the last step.
    rate: f64,
    cooldown: Option<Cooldown>,
    /// The validations.
    pub(super) history: Vec<Progress>,
    /// Position in `history` and validation of the network to keep.
    best: Option<(usize, Validation)>,
    /// The latest validation.
    last: Option<Validation>,
    /// Sum and number of the training losses since the last validation.
    recent: (f64, usize),
    /// Sum and number of the training losses of each file.
    losses: Vec<(f32, usize)>,
}

/// A run.
pub struct Run {
    job: Arc<Job>,
    batcher: Batcher,
    /// Computes the parts of a step; `None` where there is one core or no threads.
    threads: Option<ThreadPool>,
    time_limit: Option<Duration>,
    /// Learning time; its owner stops it in pauses.
    pub clock: Clock,
    pub(super) autodiff: Device,
    pub(super) network: Network,
    pub(super) optimizer: ModuleOptimizer,
    pub(super) average: Network,
    /// The network to keep.
    pub(super) best: Network,
    pub(super) state: State,
}

impl Run {
    /// Starts a run: validates the network as it is.
    ///
    /// # Errors
    ///
    /// If the device fails, or the initial loss is not a number.
    pub fn start(job: Arc<Job>, time_limit: Option<Duration>) -> Result<Self> {
        let mut run = Self::new(job, time_limit)?;
        run.validate()?;
        Ok(run)
    }

    pub(super) fn new(job: Arc<Job>, time_limit: Option<Duration>) -> Result<Self> {
        let autodiff = job.device.clone().autodiff();
        autodiff.seed(job.seed);
        let mut network = job.weights.network(&autodiff)?;
        if job.fixed_norm {
            fix_norm(&mut network);
        }
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let threads = ThreadPoolBuilder::new().num_threads(job.recipe.parts.min(cores));
        Ok(Self {
            batcher: Batcher::new(job.config.clone())?,
            threads: (cores > 1).then(|| threads.build()).transpose()?,
            time_limit,
            clock: Clock::started(Duration::ZERO),
            average: network.valid(),
            best: network.valid(),
            optimizer: adamw(job.recipe.weight_decay, job.recipe.gradient_clip),
            network,
            autodiff,
            state: State {
                step: 0,
                rate: 0.0,
                cooldown: None,
                history: Vec::new(),
                best: None,
                last: None,
                recent: (0.0, 0),
                losses: vec![(0.0, 0); job.stream.files()],
            },
            job,
        })
    }

    /// What the run adapts.
    pub fn job(&self) -> &Arc<Job> {
        &self.job
    }

    /// Steps so far.
    pub fn step(&self) -> usize {
        self.state.step
    }

    /// The validations so far.
    pub fn history(&self) -> &[Progress] {
        &self.state.history
    }

    /// The moving average of the weights.
    pub fn average(&self) -> &Network {
        &self.average
    }

    /// The share of the run that is done, by steps or by time.
    pub fn done(&self) -> f64 {
        let steps = self.state.step as f64 / self.job.recipe.steps as f64;
        let time = self.time_limit.map_or(0.0, |limit| {
            self.clock.elapsed().as_secs_f64() / limit.as_secs_f64().max(1e-9)
        });
        steps.max(time)
    }

    /// Mean training loss since the last validation, in nats per text; `None` without any.
    pub fn recent_loss(&self) -> Option<f64> {
        let (sum, count) = self.state.recent;
        (count > 0).then(|| sum / count as f64)
    }

    /// The last validation in words, and whether the network is getting better.
    pub fn describe(&self) -> String {
        let best = self.state.best.as_ref().map_or(0, |(at, _)| *at);
        let images = self.job.validation.len();
        describe(&self.state.history, best, images, self.done())
    }

    /// One step. Gives the end of the run if this was its last step; see also [`Run::done`].
    ///
    /// # Errors
    ///
    /// If the device fails, or the loss is not a number before the first validation.
    pub fn advance(&mut self, parts: Vec<PreparedPart>) -> Result<Option<End>> {
        let gradients = self.gradients(parts)?;
        self.apply(gradients)
    }

    /// Ends a step with the gradients of all its parts: updates the weights. Gives the end of the run
    /// if this was its last step.
    ///
    /// # Errors
    ///
    /// As [`Run::advance`].
    pub fn apply(&mut self, gradients: StepGradients) -> Result<Option<End>> {
        let StepGradients {
            done,
            parts,
            losses,
            files,
        } = gradients;
        self.count(&losses, &files, done);
        self.update(StepGradients::sum(parts, &self.network), done);
        self.state.step += 1;
        let step = self.state.step;
        self.job.set_done(self.done());
        let cooldown = self.state.cooldown;
        if cooldown.is_some_and(|cooldown| cooldown.is_over(step)) {
            return Ok(Some(End::NoImprovement));
        }
        let recipe = &self.job.recipe;
        if step.is_multiple_of(recipe.validate_every) {
            let patience = recipe.patience;
            self.validate()?;
            let stuck = done >= EARLIEST_END && self.since_best() >= patience;
            if stuck && cooldown.is_none() {
                self.state.cooldown = Some(Cooldown::after(step, self.state.rate));
            }
        }
        Ok((step >= self.job.recipe.steps).then_some(End::Finished))
    }

    /// The task of a part for a replica of the network.
    ///
    /// # Errors
    ///
    /// If the device fails.
    pub fn task(&self, part: PreparedPart) -> Result<PartTask> {
        let (batch, _) = stack(part, &self.batcher, &self.autodiff);
        task(&self.network, batch)
    }

    /// The gradients of some parts of a step.
    ///
    /// # Errors
    ///
    /// If the device fails.
    pub fn gradients(&self, parts: Vec<PreparedPart>) -> Result<StepGradients> {
        let (threads, device) = (self.threads.as_ref(), &self.autodiff);
        // As it was when the step began: a step that takes long may end after the time limit.
        let done = self.done();
        StepGradients::compute(&self.network, parts, &self.batcher, threads, device, done)
    }

    /// The gradients of a part that a replica has computed, after the run's own parts.
    ///
    /// # Errors
    ///
    /// If the result is of another network or part.
    pub fn received(&self, part: &PreparedPart, result: PartResult) -> Result<StepGradients> {
        ensure!(
            result.losses.len() == part.len(),
            "the result is of another part"
        );
        Ok(StepGradients {
            losses: result.losses.clone(),
            done: self.done(),
            files: part.iter().map(|(_, file)| *file).collect(),
            parts: vec![received(&self.network, self.job.fixed_norm, result)?],
        })
    }

    fn count(&mut self, losses: &[f32], files: &[Option<usize>], done: f64) {
        for (loss, file) in losses.iter().zip(files) {
            let recent = &mut self.state.recent;
            *recent = (recent.0 + f64::from(*loss), recent.1 + 1);
            if let Some(file) = file.filter(|_| done >= LOSSES_FROM) {
                let sum = &mut self.state.losses[file];
                *sum = (sum.0 + loss, sum.1 + 1);
            }
        }
    }

    fn update(&mut self, gradients: GradientsParams, done: f64) {
        let (recipe, step) = (&self.job.recipe, self.state.step);
        let warmup = (step + 1) as f64 / recipe.warmup_steps.max(1) as f64;
        let warmup = warmup.max(done / LONGEST_WARMUP).min(1.0);
        let cosine = 0.5 * (1.0 + (std::f64::consts::PI * done.min(1.0)).cos());
        let rate = recipe.learning_rate * warmup * cosine;
        let cooldown = self.state.cooldown;
        let rate = cooldown.map_or(rate, |cooldown| cooldown.rate(step).min(rate));
        self.state.rate = rate;
        self.network = self.optimizer.step(rate, self.network.clone(), gradients);
        // The average follows faster at the start, when it holds little else than its start.
        let decay = recipe
            .average_decay
            .min((step + 1) as f32 / (step + 10) as f32);
        let network = self.network.valid();
        self.average = interpolate(self.average.clone(), &network, 1.0 - decay);
    }

    /// Validates the average of the weights, and keeps it if it is the best so far.
    fn validate(&mut self) -> Result<()> {
        let job = &self.job;
        let validation = validate(&self.average, &job.config, &job.validation, &job.device)?;
        let (loss, exact_matches) = (validation.loss(), validation.exact_matches);
        let state = &mut self.state;
        let (sum, count) = std::mem::take(&mut state.recent);
        ensure!(
            loss.is_finite() || state.best.is_some(),
            "the loss is not a number: the initial weights cannot be used"
        );
        let best = state.best.as_ref().map(|(_, best)| best.loss());
        if best.is_none_or(|best| loss <= best) {
            state.best = Some((state.history.len(), validation.clone()));
            self.best = self.average.clone();
        }
        state.last = Some(validation);
        state.history.push(Progress {
            step: state.step,
            training_loss: (count > 0).then(|| sum / count as f64),
            validation_loss: loss,
            exact_matches,
            seconds: self.clock.elapsed().as_secs_f64(),
        });
        Ok(())
    }

    /// Validations since the best one.
    fn since_best(&self) -> usize {
        let best = self.state.best.as_ref().map_or(0, |(at, _)| *at);
        self.state.history.len() - 1 - best
    }

    /// Keeps the last network unless it is clearly worse than the best one (the one-standard-error
    /// rule: Breiman et al. 1984, "Classification and Regression Trees"). The smallest of many
    /// losses of few images is often chance, and the last network had the smallest learning rate.
    fn keep_last(&mut self) {
        let state = &mut self.state;
        if let (Some(last), Some((_, best))) = (state.last.take(), &state.best)
            && !last.is_clearly_worse_than(best)
        {
            state.best = Some((state.history.len() - 1, last));
            self.best = self.average.clone();
        }
    }

    /// Validates the steps since the last validation. Gives whether there are any.
    ///
    /// # Errors
    ///
    /// If the device fails.
    pub fn validate_rest(&mut self) -> Result<bool> {
        let rest = self.state.recent.1 > 0;
        if rest {
            self.validate()?;
        }
        Ok(rest)
    }

    /// Chooses the network to keep. A user who stops the run keeps the best network so far. `stop`
    /// ends the interpolation early.
    ///
    /// # Errors
    ///
    /// If the device fails.
    pub fn finish(mut self, end: End, stop: &AtomicBool) -> Result<Fitted> {
        self.validate_rest()?;
        if end != End::Interrupted {
            self.keep_last();
        }
        let (best, validation) = self.state.best.context("no network was validated")?;
        let (initial_share, exact_matches, network) = match end {
            End::Interrupted => (0.0, validation.exact_matches, self.best),
            _ => {
                let kept = with_initial_weights(&self.job, self.best, validation, stop)?;
                (
                    kept.initial_share,
                    kept.validation.exact_matches,
                    kept.network,
                )
            }
        };
        let losses = self.state.losses.iter();
        Ok(Fitted {
            network,
            initial_share,
            exact_matches,
            best,
            end,
            images: self.state.step * self.job.recipe.batch,
            history: self.state.history,
            losses: losses
                .map(|&(sum, count)| (count > 0).then(|| sum / count as f32))
                .collect(),
        })
    }
}
