//! The validations of a run, and what they tell its user.

use serde::{Deserialize, Serialize};

/// A validation during a run.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Progress {
    /// Steps so far.
    pub step: usize,
    /// Mean loss of the training images since the last validation, in nats per text; `None` before
    /// the first step.
    pub training_loss: Option<f64>,
    /// Mean loss of the validation images at the temperature that fits them best, in nats per text.
    pub validation_loss: f64,
    /// Validation images whose text is an exact match.
    pub exact_matches: usize,
    /// Seconds since the start.
    pub seconds: f64,
}

/// The last validation, and whether the network is getting better. `best` is the position of the
/// smallest validation loss, `images` the number of validation images, and `done` the share of the
/// run that is done.
pub(super) fn describe(history: &[Progress], best: usize, images: usize, done: f64) -> String {
    let Some(last) = history.last() else {
        return String::new();
    };
    let read = 100.0 * last.exact_matches as f64 / images.max(1) as f64;
    let trend = match (last.step, history.len() - 1 - best) {
        (0, _) => "before fine-tuning".to_owned(),
        (_, 0) => "better than before".to_owned(),
        (_, 1) => "not better than the last time".to_owned(),
        (_, times) => format!("not better for {times} validations"),
    };
    let training = last
        .training_loss
        .map_or(String::new(), |loss| format!("training loss {loss:.3}, "));
    let left = time_left(last, done).map_or(String::new(), |left| format!("; {left}"));
    format!(
        "step {}: {training}validation loss {:.3}, {} of {images} validation images read \
         ({read:.1}%): {trend}{left}",
        last.step, last.validation_loss, last.exact_matches
    )
}

/// An estimate of the time that the run still takes, if it does not end early.
fn time_left(last: &Progress, done: f64) -> Option<String> {
    if last.step == 0 || done >= 1.0 {
        return None;
    }
    let seconds = last.seconds * (1.0 / done - 1.0);
    Some(if seconds < 90.0 {
        format!("about {seconds:.0} s left")
    } else {
        format!("about {:.0} min left", seconds / 60.0)
    })
}
