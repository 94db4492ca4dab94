//! How a run shows itself: a progress bar on a terminal, plain lines everywhere else.

use std::collections::{BTreeMap, HashMap};
use std::io::IsTerminal;
use std::time::{Duration, Instant};

use burn::train::logger::{EvaluationProgressLogger, TrainingProgressLogger};
use burn::train::metric::{MetricDefinition, MetricId, NumericEntry};
use burn::train::renderer::{
    EvaluationName, MetricState, MetricsRenderer, MetricsRendererEvaluation,
    MetricsRendererTraining,
};
use indicatif::{HumanDuration, ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Time between two plain lines.
const LINE_EVERY: Duration = Duration::from_secs(30);

/// A progress bar in the style of every command here; hidden where there is no terminal.
pub fn progress_bar(length: u64) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::stderr());
    let style = "{prefix} {bar:30} {pos}/{len} images, {per_sec}, {eta} left {msg}";
    if let Ok(style) = ProgressStyle::with_template(style) {
        bar.set_style(style);
    }
    bar
}

/// Shows images/s, loss, accuracy and the time left of a training run.
pub struct RunProgress {
    bar: ProgressBar,
    names: HashMap<MetricId, String>,
    means: BTreeMap<String, Mean>,
    epochs: usize,
    epoch: usize,
    split: String,
    items: usize,
    split_started: Instant,
    last_line: Instant,
    train_time: Option<Duration>,
    plain: bool,
}

#[derive(Default)]
struct Mean {
    sum: f64,
    count: usize,
}

impl RunProgress {
    /// Shows progress on standard error: a bar if that is a terminal, lines if not.
    pub fn new() -> Self {
        Self {
            bar: progress_bar(0),
            names: HashMap::new(),
            means: BTreeMap::new(),
            epochs: 0,
            epoch: 0,
            split: String::new(),
            items: 0,
            split_started: Instant::now(),
            last_line: Instant::now(),
            train_time: None,
            plain: !std::io::stderr().is_terminal(),
        }
    }

    fn update(&mut self, state: MetricState) {
        let MetricState::Numeric(entry, Some(value)) = state else {
            return;
        };
        let name = self.name(&entry.metric_id);
        let mean = self.means.entry(name).or_default();
        let (value, count) = match value {
            NumericEntry::Value(value) | NumericEntry::Final(value) => (value, 1),
            NumericEntry::Aggregated {
                aggregated_value,
                count,
            } => (aggregated_value, count),
        };
        mean.sum += value * count as f64;
        mean.count += count;
    }

    fn name(&self, id: &MetricId) -> String {
        self.names.get(id).cloned().unwrap_or_default()
    }

    fn metrics(&self) -> String {
        let one = |(name, mean): (&String, &Mean)| {
            format!(
                "{} {:.3}",
                name.to_lowercase(),
                mean.sum / mean.count.max(1) as f64
            )
        };
        self.means.iter().map(one).collect::<Vec<_>>().join(", ")
    }

    fn line(&self, done: usize) {
        let seconds = self.split_started.elapsed().as_secs_f64();
        let rate = done as f64 / seconds.max(1e-9);
        eprintln!(
            "epoch {}/{} {} {done}/{} images, {rate:.0} images/s, {}",
            self.epoch,
            self.epochs,
            self.split,
            self.items,
            self.metrics()
        );
    }
}

impl Default for RunProgress {
    fn default() -> Self {
        Self::new()
    }
}

impl TrainingProgressLogger for RunProgress {
    fn start(&mut self, epochs: usize, first: usize, _items: Option<usize>, _label: Option<&str>) {
        self.epochs = epochs;
        self.epoch = first;
    }

    fn start_split(&mut self, split: &str, items: usize) {
        self.split = split.to_owned();
        self.items = items;
        self.means.clear();
        self.split_started = Instant::now();
        self.last_line = Instant::now();
        self.bar.reset();
        self.bar.set_length(items as u64);
        self.bar
            .set_prefix(format!("epoch {}/{} {split}", self.epoch, self.epochs));
    }

    fn update_split(&mut self, done: usize) {
        self.bar.set_position(done as u64);
        self.bar.set_message(self.metrics());
        if self.plain && self.last_line.elapsed() >= LINE_EVERY {
            self.last_line = Instant::now();
            self.line(done);
        }
    }

    fn end_split(&mut self) {
        if self.split.to_lowercase().starts_with("train") {
            self.train_time = Some(self.split_started.elapsed());
        }
        self.bar.suspend(|| self.line(self.items));
    }

    fn update_epoch(&mut self, epoch: usize) {
        self.epoch = epoch + 1;
        if let Some(time) = self.train_time {
            let left = time * self.epochs.saturating_sub(epoch) as u32;
            self.bar
                .suspend(|| eprintln!("about {} left", HumanDuration(left)));
        }
    }

    fn end(&mut self) {
        self.bar.finish_and_clear();
    }

    // burn-train logs an "Iteration" for every batch here.
    fn log_event_training(&mut self, _event: String) {}
}

impl MetricsRendererTraining for RunProgress {
    fn update_train(&mut self, state: MetricState) {
        self.update(state);
    }

    fn update_valid(&mut self, state: MetricState) {
        self.update(state);
    }
}

impl MetricsRenderer for RunProgress {
    fn manual_close(&mut self) {}

    fn register_metric(&mut self, definition: MetricDefinition) {
        self.names
            .insert(definition.metric_id, definition.name.to_string());
    }
}

// burn-train asks for one renderer of training and evaluation; evaluation here is not burn-train's.
impl MetricsRendererEvaluation for RunProgress {
    fn update_test(&mut self, _name: EvaluationName, _state: MetricState) {}
}

impl EvaluationProgressLogger for RunProgress {
    fn start_global_progress(&mut self, _tests: usize) {}
    fn start_test(&mut self, _name: &str, _items: usize) {}
    fn update_test_progress(&mut self, _done: usize) {}
    fn end_test(&mut self) {}
    fn end_global_progress(&mut self) {}
    fn log_event_evaluation(&mut self, _event: String) {}
}
