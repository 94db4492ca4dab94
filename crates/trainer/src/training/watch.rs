//! Checks a run at the end of each epoch.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use burn::train::EarlyStoppingStrategy;
use burn::train::metric::store::{Aggregate, EventStoreClient, Split};
use captcha_evaluation::progress::Progress;

use crate::training::checkpoints::CheckpointWrites;
use crate::training::diagnosis::{Problem, diagnose};
use crate::training::history::{Epoch, TrainingHistory};

/// Reports the best epoch and new problems when an epoch ends. Stops the run if a checkpoint could
/// not be written or its time is over.
#[derive(Clone)]
pub(super) struct Watch {
    /// Time at which the run stops.
    pub(super) deadline: Option<Instant>,
    /// Epochs that were finished before this start.
    pub(super) finished_before: usize,
    /// The checkpoints of this start.
    pub(super) writes: CheckpointWrites,
    /// Receives the reports.
    pub(super) progress: Arc<dyn Progress>,
    /// The run so far, and the problems that were reported.
    pub(super) state: Arc<Mutex<(TrainingHistory, Vec<Problem>)>>,
}

impl EarlyStoppingStrategy for Watch {
    fn should_stop(&mut self, epoch: usize, store: &EventStoreClient) -> bool {
        let mean = |name, split| store.find_metric(name, epoch, Aggregate::Mean, &split);
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (history, reported) = &mut *state;
        if let (Some(train_loss), Some(train_accuracy), Some(valid_loss), Some(valid_accuracy)) = (
            mean("Loss", Split::Train),
            mean("Word accuracy", Split::Train),
            mean("Loss", Split::Valid),
            mean("Word accuracy", Split::Valid),
        ) {
            history.epochs.push(Epoch {
                number: epoch,
                train_loss,
                train_accuracy,
                valid_loss,
                valid_accuracy,
            });
        }
        let best = history
            .epochs
            .iter()
            .max_by(|a, b| a.valid_accuracy.total_cmp(&b.valid_accuracy));
        if let Some(best) = best {
            self.progress.message(&format!(
                "best so far: epoch {} with {:.1}% of the validation images",
                best.number, best.valid_accuracy
            ));
        }
        for (problem, text) in diagnose(history, false) {
            if !reported.contains(&problem) {
                reported.push(problem);
                self.progress.warning(&text);
            }
        }
        self.writes.wait(epoch - self.finished_before).is_some()
            || self
                .deadline
                .is_some_and(|deadline| Instant::now() >= deadline)
    }
}
