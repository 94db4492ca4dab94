//! How long operations report to their caller.

use std::time::Duration;

/// Receives reports of a long operation; the command line shows them on standard error.
///
/// A stage is a part of the operation that processes a known number of images.
pub trait Progress: Send + Sync {
    /// A stage begins: its name, which may be empty, and its number of images.
    fn start_stage(&self, _name: &str, _images: usize) {}

    /// `done` images of the stage are done; `metrics` describes the results so far.
    fn update(&self, _done: usize, _metrics: &str) {}

    /// The stage has ended.
    fn end_stage(&self) {}

    /// An estimate of the time that the whole operation still takes.
    fn time_left(&self, _left: Duration) {}

    /// A sentence that the user should read.
    fn message(&self, _text: &str) {}

    /// Something that the user should know.
    fn note(&self, text: &str) {
        self.message(&format!("note: {text}"));
    }

    /// A problem.
    fn warning(&self, text: &str) {
        self.message(&format!("warning: {text}"));
    }
}

/// Ignores all reports.
pub struct Silent;

impl Progress for Silent {}
