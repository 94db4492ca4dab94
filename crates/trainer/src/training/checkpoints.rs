//! Checkpoints on disk: written whole, few of them kept, and an error known when an epoch ends.

use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use burn::train::checkpoint::{
    Checkpoint, Checkpointer, CheckpointerError, CheckpointingAction, CheckpointingStrategy,
};
use burn::train::metric::store::{Aggregate, EventStoreClient, Split};

use crate::files::write_file;
use crate::training::run_folder::{CHECKPOINT_PARTS, RunFolder};

/// Checkpoints kept besides the best.
const KEEP: usize = 5;
/// Longest wait for a checkpoint; a disk that takes longer is left to go on.
const LONGEST_WAIT: Duration = Duration::from_secs(600);

/// Checkpoints that a run of so many epochs has on disk at once: those kept, the best, and the one
/// being written.
pub fn at_once(epochs: usize) -> usize {
    epochs.min(KEEP + 2)
}

/// What has been written so far.
#[derive(Debug, Default)]
struct State {
    files: usize,
    error: Option<String>,
}

/// Knows what burn's threads have written.
#[derive(Clone, Debug, Default)]
pub struct Saves(Arc<(Mutex<State>, Condvar)>);

impl Saves {
    fn done(&self, error: Option<String>) {
        let (state, changed) = &*self.0;
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        state.files += 1;
        state.error = state.error.take().or(error);
        changed.notify_all();
    }

    /// Waits until the checkpoints of so many epochs are written; what went wrong, if anything did.
    pub fn wait(&self, epochs: usize) -> Option<String> {
        let (state, changed) = &*self.0;
        let state = state.lock().unwrap_or_else(PoisonError::into_inner);
        let missing = |state: &mut State| {
            state.error.is_none() && state.files < epochs * CHECKPOINT_PARTS.len()
        };
        let (state, _) = changed
            .wait_timeout_while(state, LONGEST_WAIT, missing)
            .unwrap_or_else(PoisonError::into_inner);
        state.error.clone()
    }

    /// What went wrong, if anything did.
    pub fn error(&self) -> Option<String> {
        self.wait(0)
    }
}

/// Writes and reads one part of each epoch's checkpoint.
pub struct CheckpointFile {
    run: RunFolder,
    part: &'static str,
    saves: Saves,
}

impl CheckpointFile {
    /// Of this part, one of [`CHECKPOINT_PARTS`].
    pub fn new(run: &RunFolder, part: &'static str, saves: &Saves) -> Self {
        Self {
            run: run.clone(),
            part,
            saves: saves.clone(),
        }
    }

    fn path(&self, epoch: usize) -> PathBuf {
        self.run.checkpoint(self.part, epoch)
    }
}

impl<R: Checkpoint> Checkpointer<R> for CheckpointFile {
    fn save(&self, epoch: usize, record: R) -> Result<(), CheckpointerError> {
        let path = self.path(epoch);
        let written = record
            .checkpoint_into_bytes()
            .map_err(CheckpointerError::Record)
            .and_then(|bytes| {
                let folder = path.parent().map_or(Ok(()), std::fs::create_dir_all);
                folder.map_err(CheckpointerError::IOError)?;
                write_file(&path, &bytes)
                    .map_err(|error| CheckpointerError::Unknown(format!("{error:#}")))
            });
        let error = written.as_ref().err().map(|error| match error {
            CheckpointerError::Unknown(text) => text.clone(),
            other => other.to_string(),
        });
        self.saves.done(error);
        written
    }

    fn delete(&self, epoch: usize) -> Result<(), CheckpointerError> {
        match std::fs::remove_file(self.path(epoch)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(CheckpointerError::IOError(error))
            }
            _ => Ok(()),
        }
    }

    fn restore(&self, epoch: usize) -> Result<R, CheckpointerError> {
        R::load(self.path(epoch))
    }
}

/// Keeps the last few checkpoints and the best, of all that the run's folder holds: those of before
/// a resume, too.
pub struct KeepLastAndBest(pub RunFolder);

impl CheckpointingStrategy for KeepLastAndBest {
    fn checkpointing(
        &mut self,
        epoch: usize,
        store: &EventStoreClient,
    ) -> Vec<CheckpointingAction> {
        let run = &self.0;
        let mut accuracies: Vec<(usize, Option<f64>)> = run
            .epochs()
            .unwrap_or_default()
            .into_iter()
            .filter(|&known| known != epoch)
            .map(|known| (known, run.validation(known).ok().flatten()))
            .collect();
        // This epoch's log may still be in the making: burn knows when it is not.
        let accuracy = store.find_metric("Word accuracy", epoch, Aggregate::Mean, &Split::Valid);
        accuracies.push((epoch, accuracy));
        let mut actions = vec![CheckpointingAction::Save];
        actions.extend(superfluous(&accuracies).map(CheckpointingAction::Delete));
        actions
    }
}

/// The epochs that are neither among the last nor the best; an epoch of unknown accuracy may be the
/// best.
fn superfluous(accuracies: &[(usize, Option<f64>)]) -> impl Iterator<Item = usize> {
    let mut last: Vec<usize> = accuracies.iter().map(|&(epoch, _)| epoch).collect();
    last.sort_unstable_by(|a, b| b.cmp(a));
    last.truncate(KEEP);
    let known = accuracies
        .iter()
        .filter_map(|&(epoch, accuracy)| Some((accuracy?, epoch)));
    let best = known.max_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    accuracies
        .iter()
        .filter(move |(epoch, accuracy)| {
            accuracy.is_some()
                && !last.contains(epoch)
                && best.is_none_or(|(_, best)| best != *epoch)
        })
        .map(|&(epoch, _)| epoch)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_and_the_best_are_kept() {
        let deleted = |accuracies: &[(usize, Option<f64>)]| {
            let mut epochs: Vec<_> = superfluous(accuracies).collect();
            epochs.sort_unstable();
            epochs
        };
        let rising: Vec<_> = (1..=9).map(|epoch| (epoch, Some(epoch as f64))).collect();
        assert_eq!(deleted(&rising), [1, 2, 3, 4]);
        let falling: Vec<_> = (1..=9)
            .map(|epoch| (epoch, Some(-(epoch as f64))))
            .collect();
        assert_eq!(deleted(&falling), [2, 3, 4]);
        // As export chooses: the later of two that are as good.
        let level: Vec<_> = (1..=7).map(|epoch| (epoch, Some(0.0))).collect();
        assert_eq!(deleted(&level), [1, 2]);
        let mut unknown = rising;
        unknown[1].1 = None;
        assert_eq!(deleted(&unknown), [1, 3, 4]);
        assert_eq!(deleted(&[(1, None)]), [0; 0]);
    }

    #[test]
    fn a_failed_write_is_known_when_the_epoch_ends() {
        let saves = Saves::default();
        assert_eq!(saves.error(), None);
        let writer = saves.clone();
        let thread = std::thread::spawn(move || {
            writer.done(None);
            writer.done(Some("no space left".into()));
        });
        assert_eq!(saves.wait(1).as_deref(), Some("no space left"));
        thread.join().expect("it does not panic");
        assert_eq!(saves.error().as_deref(), Some("no space left"));
    }
}
