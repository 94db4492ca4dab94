//! How a run shows itself: a progress bar on a terminal, plain lines everywhere else.

use std::collections::{BTreeMap, HashMap};
use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use burn::train::Interrupter;
use burn::train::logger::{EvaluationProgressLogger, TrainingProgressLogger};
use burn::train::metric::{MetricAttributes, MetricDefinition, MetricId, NumericEntry};
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
    metrics: HashMap<MetricId, (String, Option<String>)>,
    means: BTreeMap<String, Mean>,
    epochs: usize,
    epoch: usize,
    split: String,
    items: usize,
    done: usize,
    split_started: Instant,
    last_line: Instant,
    train_time: Option<Duration>,
    plain: bool,
    stop: Arc<AtomicBool>,
    interrupter: Interrupter,
}

#[derive(Default)]
struct Mean {
    sum: f64,
    count: usize,
    unit: Option<String>,
}

impl RunProgress {
    /// Shows progress on standard error: a bar if that is a terminal, lines if not.
    ///
    /// The run is interrupted at the first batch after `stop` has become true.
    pub fn new(stop: Arc<AtomicBool>, interrupter: Interrupter) -> Self {
        Self {
            bar: progress_bar(0),
            metrics: HashMap::new(),
            means: BTreeMap::new(),
            epochs: 0,
            epoch: 0,
            split: String::new(),
            items: 0,
            done: 0,
            split_started: Instant::now(),
            last_line: Instant::now(),
            train_time: None,
            plain: !std::io::stderr().is_terminal(),
            stop,
            interrupter,
        }
    }

    /// The bar, so that others can write above it.
    pub fn bar(&self) -> ProgressBar {
        self.bar.clone()
    }

    fn update(&mut self, state: MetricState) {
        let MetricState::Numeric(entry, Some(value)) = state else {
            return;
        };
        let (name, unit) = self
            .metrics
            .get(&entry.metric_id)
            .cloned()
            .unwrap_or_default();
        let mean = self.means.entry(name).or_default();
        mean.unit = unit;
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

    fn metrics(&self) -> String {
        let one = |(name, mean): (&String, &Mean)| {
            let (name, value) = (name.to_lowercase(), mean.sum / mean.count.max(1) as f64);
            match &mean.unit {
                Some(unit) => format!("{name} {value:.1} {unit}"),
                None => format!("{name} {value:.3}"),
            }
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

impl TrainingProgressLogger for RunProgress {
    fn start(&mut self, epochs: usize, first: usize, _items: Option<usize>, _label: Option<&str>) {
        self.epochs = epochs;
        self.epoch = first;
    }

    fn start_split(&mut self, split: &str, items: usize) {
        self.split = split.to_owned();
        self.items = items;
        self.done = 0;
        self.means.clear();
        self.split_started = Instant::now();
        self.last_line = Instant::now();
        self.bar.reset();
        self.bar.set_length(items as u64);
        self.bar
            .set_prefix(format!("epoch {}/{} {split}", self.epoch, self.epochs));
    }

    fn update_split(&mut self, done: usize) {
        self.done = done;
        if self.stop.load(Ordering::Relaxed) && !self.interrupter.should_stop() {
            self.bar
                .suspend(|| eprintln!("stopping; Ctrl-C again stops at once"));
            self.interrupter.stop(Some("Ctrl-C"));
        }
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
        self.bar.suspend(|| self.line(self.done));
    }

    fn update_epoch(&mut self, epoch: usize) {
        self.epoch = epoch + 1;
        let epochs = self.epochs.saturating_sub(epoch) as u32;
        let left = self.train_time.map(|time| time * epochs);
        if let Some(left) = left.filter(|left| left.as_secs() > 0) {
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
        let unit = match definition.attributes {
            MetricAttributes::Numeric(numeric) => numeric.unit,
            MetricAttributes::None => None,
        };
        let metric = (definition.name.to_string(), unit);
        self.metrics.insert(definition.metric_id, metric);
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
