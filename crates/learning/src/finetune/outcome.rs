//! The result of a run.

use captcha_model::Network;
use serde::{Deserialize, Serialize};

use crate::finetune::history::Progress;

/// The result of a run.
pub struct Fitted {
    /// The kept network, interpolated with the initial one unless the user stopped the run.
    pub network: Network,
    /// Share of the initial weights in it, 0 to 1.
    pub initial_share: f64,
    /// Validation images whose text it reads.
    pub exact_matches: usize,
    /// The validations.
    pub history: Vec<Progress>,
    /// Position of the kept network in `history`.
    pub(super) best: usize,
    /// Why the run ended.
    pub end: End,
    /// Images that were trained on, generated ones included.
    pub images: usize,
    /// Mean training loss of each labelled file in the last three quarters of the run; `None` if
    /// it was not drawn there.
    pub losses: Vec<Option<f32>>,
}

impl Fitted {
    /// The validation of the kept network, before the interpolation.
    pub fn best(&self) -> Progress {
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
