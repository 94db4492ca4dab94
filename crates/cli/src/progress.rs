//! Progress on standard error: a bar on a terminal, else lines.

use std::io::IsTerminal;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use captcha_evaluation::progress::Progress;
use indicatif::{HumanDuration, ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Time between two lines of a stage.
const LINE_INTERVAL: Duration = Duration::from_secs(30);

/// Shows progress on standard error. A stage with a name also prints lines: one at its end, and
/// others every half minute if standard error is not a terminal.
pub(crate) struct TerminalProgress {
    bar: ProgressBar,
    is_terminal: bool,
    stage: Mutex<Stage>,
}

struct Stage {
    name: String,
    images: usize,
    done: usize,
    metrics: String,
    started: Instant,
    last_line: Instant,
}

impl TerminalProgress {
    pub(crate) fn new() -> Self {
        let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr());
        let style = "{prefix} {bar:30} {pos}/{len} images, {per_sec}, {eta} left {msg}";
        if let Ok(style) = ProgressStyle::with_template(style) {
            bar.set_style(style);
        }
        Self {
            bar,
            is_terminal: std::io::stderr().is_terminal(),
            stage: Mutex::new(Stage {
                name: String::new(),
                images: 0,
                done: 0,
                metrics: String::new(),
                started: Instant::now(),
                last_line: Instant::now(),
            }),
        }
    }

    fn stage<T>(&self, f: impl FnOnce(&mut Stage) -> T) -> T {
        f(&mut self.stage.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Stage {
    /// The line that describes the stage; `None` without a name.
    fn line(&self) -> Option<String> {
        let seconds = self.started.elapsed().as_secs_f64();
        let rate = self.done as f64 / seconds.max(1e-9);
        (!self.name.is_empty()).then(|| {
            format!(
                "{} {}/{} images, {rate:.0} images/s, {}",
                self.name, self.done, self.images, self.metrics
            )
        })
    }
}

impl Progress for TerminalProgress {
    fn start_stage(&self, name: &str, images: usize) {
        self.stage(|stage| {
            *stage = Stage {
                name: name.to_owned(),
                images,
                done: 0,
                metrics: String::new(),
                started: Instant::now(),
                last_line: Instant::now(),
            };
        });
        self.bar.reset();
        self.bar.set_length(images as u64);
        self.bar.set_prefix(name.to_owned());
    }

    fn update(&self, done: usize, metrics: &str) {
        let line = self.stage(|stage| {
            (stage.done, stage.metrics) = (done, metrics.to_owned());
            let is_due = !self.is_terminal && stage.last_line.elapsed() >= LINE_INTERVAL;
            if !is_due {
                return None;
            }
            stage.last_line = Instant::now();
            stage.line()
        });
        self.bar.set_position(done as u64);
        self.bar.set_message(metrics.to_owned());
        if let Some(line) = line {
            self.message(&line);
        }
    }

    fn end_stage(&self) {
        if let Some(line) = self.stage(|stage| stage.line()) {
            self.message(&line);
        }
        self.bar.finish_and_clear();
    }

    fn time_left(&self, left: Duration) {
        self.message(&format!("about {} left", HumanDuration(left)));
    }

    fn message(&self, text: &str) {
        self.bar.suspend(|| eprintln!("{text}"));
    }
}
