//! The number of steps of a run, and the learning rate of each.

use anyhow::{Result, anyhow};
use burn::lr_scheduler::composed::ComposedLrSchedulerConfig;
use burn::lr_scheduler::cosine::CosineAnnealingLrSchedulerConfig;
use burn::lr_scheduler::linear::LinearLrSchedulerConfig;
use burn::lr_scheduler::module_lr_scheduler::ModuleLrScheduler;

use crate::training::recipe::{Schedule, TrainingRecipe};

/// The warm-up takes at most this fraction of a run's steps, so that a short run reaches its peak
/// rate.
const WARMUP_FRACTION: usize = 5;

/// Steps of an epoch. Each device takes one batch of its share of the images in a step. burn gives
/// all devices equal shares and the remainder to the last, and an epoch ends with the last device.
pub fn steps_per_epoch(images: usize, batch: usize, devices: usize) -> usize {
    let devices = devices.max(1);
    (images / devices + images % devices).div_ceil(batch.max(1))
}

/// Steps of a run.
pub fn steps(options: &TrainingRecipe, images: usize, devices: usize) -> usize {
    let batch = options.batch * options.sampling_ratio;
    steps_per_epoch(images, batch, devices) * options.epochs
}

/// The recipe's warm-up, shortened for a run of few steps.
pub fn fitting_warmup(options: &TrainingRecipe, steps: usize) -> usize {
    options.warmup_steps.min(steps / WARMUP_FRACTION)
}

/// The learning rate of each step: the linear warm-up times the recipe's schedule over all steps.
///
/// # Errors
///
/// If burn rejects a value.
pub fn schedule(options: &TrainingRecipe, steps: usize) -> Result<ModuleLrScheduler> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::training::recipe::Recipe;

    fn options(warmup: usize, schedule: Schedule) -> TrainingRecipe {
        let mut options = Recipe::load("compact").expect("a preset").training;
        (options.learning_rate, options.warmup_steps) = (0.01, warmup);
        options.schedule = schedule;
        options
    }

    fn rates(mut schedule: ModuleLrScheduler, steps: usize) -> Vec<f64> {
        (0..steps).map(|_| schedule.step().base()).collect()
    }

    fn assert_near(actual: &[f64], expected: impl Fn(usize) -> f64) {
        for (step, rate) in actual.iter().enumerate() {
            let expected = expected(step);
            assert!((rate - expected).abs() < 1e-9, "{step}: {rate}, {expected}");
        }
    }

    #[test]
    fn schedule_is_warmup_times_cosine_and_ends_at_zero() {
        let steps = 50;
        let cosine =
            |step: usize| 0.005 * (1.0 + (std::f64::consts::PI * step as f64 / steps as f64).cos());
        let warmup = |step: usize| (0.001 + 0.999 * step as f64 / 10.0).min(1.0);
        let all = rates(
            schedule(&options(10, Schedule::Cosine), steps).expect("valid"),
            steps,
        );
        assert_near(&all, |step| warmup(step) * cosine(step));
        assert!(all[steps - 1] < 1e-4 * 0.11 && all.iter().all(|&rate| rate > 0.0));
        let constant = schedule(&options(10, Schedule::Constant), steps).expect("valid");
        assert_near(&rates(constant, steps), |step| 0.01 * warmup(step));
    }

    #[test]
    fn schedule_continues_after_a_checkpoint() {
        let fresh = || schedule(&options(10, Schedule::Cosine), 50).expect("valid");
        let whole = rates(fresh(), 50);
        for at in [3, 10, 30] {
            let mut started = fresh();
            for _ in 0..at {
                started.step();
            }
            let resumed = fresh().load_record(started.to_record());
            assert_near(&rates(resumed, 50 - at), |step| whole[at + step]);
        }
    }

    #[test]
    fn steps_count_the_device_with_the_most_images() {
        for (images, batch, devices, steps) in [
            (1_007, 16, 8, 9), // 125 each, and 132 for the last
            (1_000, 16, 1, 63),
            (1_000, 16, 2, 32),
            (10, 16, 1, 1),
            (3, 1, 4, 3), // all for the last
            (64, 16, 4, 1),
        ] {
            assert_eq!(steps_per_epoch(images, batch, devices), steps);
        }
        let mut options = options(0, Schedule::Cosine);
        (options.batch, options.sampling_ratio, options.epochs) = (16, 4, 10);
        assert_eq!(super::steps(&options, 250, 1), 40);
    }

    #[test]
    fn fitting_warmup_is_shorter_in_a_short_run() {
        for (wanted, steps, fitting) in [(300, 40, 8), (300, 1_500, 300), (300, 4, 0), (0, 40, 0)] {
            let options = options(wanted, Schedule::Cosine);
            assert_eq!(fitting_warmup(&options, steps), fitting);
        }
    }
}
