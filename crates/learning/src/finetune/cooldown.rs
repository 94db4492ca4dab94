//! The end of a run that does not improve any more.

use serde::{Deserialize, Serialize};

/// Steps of the cooldown as a share of the steps before it, and at least.
const COOLDOWN: f64 = 0.2;
const SHORTEST_COOLDOWN: usize = 50;

/// The last steps of a run that does not improve any more: the learning rate falls to zero, as at the
/// end of a whole run, which usually improves the network once more (Hägele et al. 2024, "Scaling Laws
/// and Compute-Optimal Training Beyond Fixed Training Durations").
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Cooldown {
    start: usize,
    steps: usize,
    /// Learning rate at its start.
    rate: f64,
}

impl Cooldown {
    pub(super) fn after(step: usize, rate: f64) -> Self {
        let steps = (COOLDOWN * step as f64) as usize;
        Self {
            start: step,
            steps: steps.max(SHORTEST_COOLDOWN),
            rate,
        }
    }

    pub(super) fn is_over(&self, step: usize) -> bool {
        step >= self.start + self.steps
    }

    pub(super) fn rate(&self, step: usize) -> f64 {
        let done = step.saturating_sub(self.start) as f64 / self.steps as f64;
        self.rate * (1.0 - done).max(0.0)
    }
}
