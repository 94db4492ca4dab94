//! How a run is stopped, and where it reports.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use captcha_evaluation::progress::Progress;

/// How a run is stopped, and where it reports.
#[derive(Clone)]
pub struct Session {
    /// Ends the run after this time: training from scratch at the end of an epoch, fine-tuning at the
    /// end of a step.
    pub time_limit: Option<Duration>,
    /// Stops the run when it becomes true: training from scratch loses the epoch's work, fine-tuning
    /// keeps the best network so far.
    pub stop: Arc<AtomicBool>,
    /// Receives the reports.
    pub progress: Arc<dyn Progress>,
}
