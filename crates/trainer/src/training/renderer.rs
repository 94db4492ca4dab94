//! Passes the progress of burn-train on to a [`Progress`].

use std::collections::{BTreeMap, HashMap};
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
use captcha_evaluation::progress::Progress;

/// Reports each split of an epoch as a stage, with the means of the metrics.
pub(super) struct Renderer {
    progress: Arc<dyn Progress>,
    stop: Arc<AtomicBool>,
    interrupter: Interrupter,
    metrics: HashMap<MetricId, (String, Option<String>)>,
    means: BTreeMap<String, Mean>,
    epochs: usize,
    epoch: usize,
    split: String,
    split_started: Instant,
    train_time: Option<Duration>,
}

#[derive(Default)]
struct Mean {
    sum: f64,
    count: usize,
    unit: Option<String>,
}

impl Renderer {
    /// Interrupts the run at the first batch after `stop` has become true.
    pub(super) fn new(
        progress: Arc<dyn Progress>,
        stop: Arc<AtomicBool>,
        interrupter: Interrupter,
    ) -> Self {
        Self {
            progress,
            stop,
            interrupter,
            metrics: HashMap::new(),
            means: BTreeMap::new(),
            epochs: 0,
            epoch: 0,
            split: String::new(),
            split_started: Instant::now(),
            train_time: None,
        }
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
                Some(unit) => format!("{name} {value:.1}{unit}"),
                None => format!("{name} {value:.3}"),
            }
        };
        self.means.iter().map(one).collect::<Vec<_>>().join(", ")
    }
}

impl TrainingProgressLogger for Renderer {
    fn start(&mut self, epochs: usize, first: usize, _items: Option<usize>, _label: Option<&str>) {
        self.epochs = epochs;
        self.epoch = first;
    }

    fn start_split(&mut self, split: &str, items: usize) {
        self.split = split.to_owned();
        self.means.clear();
        self.split_started = Instant::now();
        let stage = format!("epoch {}/{} {split}", self.epoch, self.epochs);
        self.progress.start_stage(&stage, items);
    }

    fn update_split(&mut self, done: usize) {
        if self.stop.load(Ordering::Relaxed) && !self.interrupter.should_stop() {
            self.progress
                .message("stopping; Ctrl-C again stops at once");
            self.interrupter.stop(Some("Ctrl-C"));
        }
        self.progress.update(done, &self.metrics());
    }

    fn end_split(&mut self) {
        if self.split.to_lowercase().starts_with("train") {
            self.train_time = Some(self.split_started.elapsed());
        }
        self.progress.end_stage();
    }

    fn update_epoch(&mut self, epoch: usize) {
        self.epoch = epoch + 1;
        let epochs = self.epochs.saturating_sub(epoch) as u32;
        let left = self.train_time.map(|time| time * epochs);
        if let Some(left) = left.filter(|left| left.as_secs() > 0) {
            self.progress.time_left(left);
        }
    }

    fn end(&mut self) {}

    // burn-train logs every batch here.
    fn log_event_training(&mut self, _event: String) {}
}

impl MetricsRendererTraining for Renderer {
    fn update_train(&mut self, state: MetricState) {
        self.update(state);
    }

    fn update_valid(&mut self, state: MetricState) {
        self.update(state);
    }
}

impl MetricsRenderer for Renderer {
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

// burn-train requires one renderer for training and evaluation, but evaluation does not use
// burn-train.
impl MetricsRendererEvaluation for Renderer {
    fn update_test(&mut self, _name: EvaluationName, _state: MetricState) {}
}

impl EvaluationProgressLogger for Renderer {
    fn start_global_progress(&mut self, _tests: usize) {}
    fn start_test(&mut self, _name: &str, _items: usize) {}
    fn update_test_progress(&mut self, _done: usize) {}
    fn end_test(&mut self) {}
    fn end_global_progress(&mut self) {}
    fn log_event_evaluation(&mut self, _event: String) {}
}
