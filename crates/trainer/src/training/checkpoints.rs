//! Checkpoints on disk: atomic writes, deletion of old ones, and errors that are known when an
//! epoch ends.

use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use burn::train::checkpoint::{
    Checkpoint, Checkpointer, CheckpointerError, CheckpointingAction, CheckpointingStrategy,
};
use burn::train::metric::store::{Aggregate, EventStoreClient, Split};

use captcha_evaluation::output::write_file;

use crate::training::run_folder::{CHECKPOINT_PARTS, RunFolder};

/// Number of latest checkpoints that are kept, besides the best one.
const KEEP_LATEST: usize = 5;
/// Longest wait for a checkpoint; training continues while a slow disk writes.
const MAX_WAIT: Duration = Duration::from_secs(600);

/// Largest number of checkpoints on disk at a time: the latest ones, the best one, and the one
/// being written.
pub fn max_checkpoints(epochs: usize) -> usize {
    epochs.min(KEEP_LATEST + 2)
}

/// The result of the writes so far.
#[derive(Debug, Default)]
struct State {
    files: usize,
    error: Option<String>,
}

/// Tracks the checkpoint files that burn writes on other threads.
#[derive(Clone, Debug, Default)]
pub struct CheckpointWrites(Arc<(Mutex<State>, Condvar)>);

impl CheckpointWrites {
    fn done(&self, error: Option<String>) {
        let (state, changed) = &*self.0;
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        state.files += 1;
        state.error = state.error.take().or(error);
        changed.notify_all();
    }

    /// Waits until the checkpoints of `epochs` epochs are written. Gives the first error.
    pub fn wait(&self, epochs: usize) -> Option<String> {
        let (state, changed) = &*self.0;
        let state = state.lock().unwrap_or_else(PoisonError::into_inner);
        let missing = |state: &mut State| {
            state.error.is_none() && state.files < epochs * CHECKPOINT_PARTS.len()
        };
        let (state, _) = changed
            .wait_timeout_while(state, MAX_WAIT, missing)
            .unwrap_or_else(PoisonError::into_inner);
        state.error.clone()
    }

    /// The first error.
    pub fn error(&self) -> Option<String> {
        self.wait(0)
    }
}

/// A part of the checkpoints.
pub struct CheckpointFile {
    run: RunFolder,
    part: &'static str,
    writes: CheckpointWrites,
}

impl CheckpointFile {
    /// The part with a name in [`CHECKPOINT_PARTS`].
    pub fn new(run: &RunFolder, part: &'static str, writes: &CheckpointWrites) -> Self {
        Self {
            run: run.clone(),
            part,
            writes: writes.clone(),
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
        self.writes.done(error);
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

/// Keeps the latest checkpoints and the best one of all in the run's folder, including those from
/// before a resume.
pub struct KeepLatestAndBest(pub RunFolder);

impl CheckpointingStrategy for KeepLatestAndBest {
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
        // The log of this epoch may be incomplete, but burn has the metric.
        let accuracy = store.find_metric("Word accuracy", epoch, Aggregate::Mean, &Split::Valid);
        accuracies.push((epoch, accuracy));
        let mut actions = vec![CheckpointingAction::Save];
        actions.extend(outdated(&accuracies).map(CheckpointingAction::Delete));
        actions
    }
}

/// The epochs that are neither among the latest nor the best. An epoch with unknown accuracy may be
/// the best.
fn outdated(accuracies: &[(usize, Option<f64>)]) -> impl Iterator<Item = usize> {
    let mut latest: Vec<usize> = accuracies.iter().map(|&(epoch, _)| epoch).collect();
    latest.sort_unstable_by(|a, b| b.cmp(a));
    latest.truncate(KEEP_LATEST);
    let known = accuracies
        .iter()
        .filter_map(|&(epoch, accuracy)| Some((accuracy?, epoch)));
    let best = known.max_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    accuracies
        .iter()
        .filter(move |(epoch, accuracy)| {
            accuracy.is_some()
                && !latest.contains(epoch)
                && best.is_none_or(|(_, best)| best != *epoch)
        })
        .map(|&(epoch, _)| epoch)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outdated_excludes_latest_and_best() {
        let deleted = |accuracies: &[(usize, Option<f64>)]| {
            let mut epochs: Vec<_> = outdated(accuracies).collect();
            epochs.sort_unstable();
            epochs
        };
        let rising: Vec<_> = (1..=9).map(|epoch| (epoch, Some(epoch as f64))).collect();
        assert_eq!(deleted(&rising), [1, 2, 3, 4]);
        let falling: Vec<_> = (1..=9)
            .map(|epoch| (epoch, Some(-(epoch as f64))))
            .collect();
        assert_eq!(deleted(&falling), [2, 3, 4]);
        // Of two equally good epochs, the later one is the best, like in `export`.
        let level: Vec<_> = (1..=7).map(|epoch| (epoch, Some(0.0))).collect();
        assert_eq!(deleted(&level), [1, 2]);
        let mut unknown = rising;
        unknown[1].1 = None;
        assert_eq!(deleted(&unknown), [1, 3, 4]);
        assert_eq!(deleted(&[(1, None)]), [0; 0]);
    }

    #[test]
    fn checkpoint_writes_wait_gives_the_error() {
        let writes = CheckpointWrites::default();
        assert_eq!(writes.error(), None);
        let writer = writes.clone();
        let thread = std::thread::spawn(move || {
            writer.done(None);
            writer.done(Some("no space left".into()));
        });
        assert_eq!(writes.wait(1).as_deref(), Some("no space left"));
        thread.join().expect("it does not panic");
        assert_eq!(writes.error().as_deref(), Some("no space left"));
    }
}
