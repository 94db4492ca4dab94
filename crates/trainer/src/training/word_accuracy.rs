//! Word accuracy (exact match), the paper's metric, for burn-train.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use burn::tensor::{Int, Tensor, TensorReadError};
use burn::train::metric::state::{FormatOptions, NumericMetricState};
use burn::train::metric::{
    Metric, MetricAttributes, MetricMetadata, MetricName, Numeric, NumericAttributes, NumericEntry,
    SerializedEntry,
};
use captcha_model::Vocabulary;

use crate::training::history::Answers;

/// Share of answers that equal the label, in percent.
#[derive(Clone)]
pub struct WordAccuracy {
    name: MetricName,
    state: NumericMetricState,
    counts: Option<AnswerCounts>,
}

/// Frequencies of the answers and the labels in an epoch.
#[derive(Clone, Default)]
pub struct AnswerCounts(Arc<Mutex<Counts>>);

#[derive(Default)]
struct Counts {
    answers: HashMap<Vec<i32>, usize>,
    labels: HashMap<Vec<i32>, usize>,
    last: Option<Answers>,
}

impl AnswerCounts {
    /// The counts of the last finished epoch.
    pub fn last(&self) -> Option<Answers> {
        self.with(|counts| counts.last)
    }

    fn with<T>(&self, f: impl FnOnce(&mut Counts) -> T) -> T {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn count(&self, input: &WordAccuracyInput) -> Result<(), TensorReadError> {
        let [_, steps] = input.targets.dims();
        let rows = |ids: Tensor<2, Int>| -> Result<Vec<i32>, TensorReadError> {
            let data = ids.try_into_data()?.convert::<i32>();
            data.try_into_vec().map_err(Into::into)
        };
        let (answers, labels) = (rows(answers(input))?, rows(input.targets.clone())?);
        self.with(|counts| {
            for (ids, counted) in [(answers, &mut counts.answers), (labels, &mut counts.labels)] {
                for row in ids.chunks(steps) {
                    let text = row.split(|&id| id == Vocabulary::END as i32).next();
                    *counted
                        .entry(text.unwrap_or_default().to_vec())
                        .or_default() += 1;
                }
            }
        });
        Ok(())
    }

    fn end_epoch(&self) {
        self.with(|counts| {
            let most = |counted: &HashMap<_, usize>| counted.values().copied().max();
            if let (Some(same_answer), Some(same_label)) =
                (most(&counts.answers), most(&counts.labels))
            {
                counts.last = Some(Answers {
                    images: counts.answers.values().sum(),
                    same_answer,
                    same_label,
                });
            }
            counts.answers.clear();
            counts.labels.clear();
        });
    }
}

/// Answers and labels.
pub struct WordAccuracyInput {
    /// `[batch, steps, vocabulary]`
    pub logits: Tensor<3>,
    /// `[batch, steps]`, padded
    pub targets: Tensor<2, Int>,
}

impl WordAccuracy {
    /// A new metric.
    pub fn new() -> Self {
        Self {
            name: Arc::new("Word accuracy".into()),
            state: NumericMetricState::default(),
            counts: None,
        }
    }

    /// A metric that also counts the answers.
    pub fn counting(counts: &AnswerCounts) -> Self {
        Self {
            counts: Some(counts.clone()),
            ..Self::new()
        }
    }
}

impl Default for WordAccuracy {
    fn default() -> Self {
        Self::new()
    }
}

/// The most likely class of each step: `[batch, steps]`
fn answers(input: &WordAccuracyInput) -> Tensor<2, Int> {
    let [batch, steps] = input.targets.dims();
    input.logits.clone().argmax(2).reshape([batch, steps])
}

/// Share of rows whose every unpadded target is the most likely class, 0 to 1.
fn share_correct(input: &WordAccuracyInput) -> Result<f64, TensorReadError> {
    let padding = input
        .targets
        .clone()
        .equal_elem(Vocabulary::PAD as i32)
        .int();
    let correct = answers(input).equal(input.targets.clone()).int() + padding;
    let correct = correct.greater_elem(0).int().prod_dim(1).float();
    correct.mean().try_into_scalar::<f64>()
}

impl Metric for WordAccuracy {
    type Input = WordAccuracyInput;

    fn update(
        &mut self,
        input: &Self::Input,
        _metadata: &MetricMetadata,
    ) -> Result<SerializedEntry, TensorReadError> {
        let [batch, _] = input.targets.dims();
        self.state.update(100.0 * share_correct(input)?, batch);
        if let Some(counts) = &self.counts {
            counts.count(input)?;
        }
        Ok(self
            .state
            .compute_update(FormatOptions::new(self.name()).unit("%").precision(2)))
    }

    fn compute(&mut self) -> Result<SerializedEntry, TensorReadError> {
        Ok(self
            .state
            .compute_final(FormatOptions::new(self.name()).unit("%").precision(2)))
    }

    fn clear(&mut self) {
        self.state.reset();
        if let Some(counts) = &self.counts {
            counts.end_epoch();
        }
    }

    fn name(&self) -> MetricName {
        self.name.clone()
    }

    fn attributes(&self) -> MetricAttributes {
        NumericAttributes {
            unit: Some("%".into()),
            higher_is_better: true,
        }
        .into()
    }
}

impl Numeric for WordAccuracy {
    fn value(&self) -> Option<NumericEntry> {
        Some(self.state.current_value())
    }

    fn running_value(&self) -> Option<NumericEntry> {
        Some(self.state.running_value())
    }

    fn final_value(&self) -> NumericEntry {
        self.state.final_value()
    }
}

#[cfg(test)]
mod tests {
    use burn::data::dataloader::Progress;
    use burn::tensor::{Device, TensorData};

    use super::*;

    #[test]
    fn answer_counts_ignore_what_follows_the_end() {
        let device = Device::flex();
        let (pad, end) = (Vocabulary::PAD as i32, Vocabulary::END as i32);
        // The first two answers are equal up to the end token.
        let answers = [[3, end, 4], [3, end, pad], [4, 4, end]];
        let mut logits = vec![0.0f32; 3 * 3 * 6];
        for (place, id) in answers.iter().flatten().enumerate() {
            logits[place * 6 + *id as usize] = 5.0;
        }
        let input = WordAccuracyInput {
            logits: Tensor::from_data(TensorData::new(logits, [3, 3, 6]), &device),
            targets: Tensor::from_ints([[3, end, pad], [4, end, pad], [5, end, pad]], &device),
        };
        let counts = AnswerCounts::default();
        let mut metric = WordAccuracy::counting(&counts);
        let metadata = MetricMetadata {
            progress: Progress::new(1, 1, None),
            iteration: None,
            lr: None,
        };
        metric.update(&input, &metadata).expect("it is read");
        assert_eq!(counts.last(), None, "the epoch has not ended");
        metric.clear();
        let expected = Answers {
            images: 3,
            same_answer: 2,
            same_label: 1,
        };
        assert_eq!(counts.last(), Some(expected));
        metric.clear();
        assert_eq!(counts.last(), Some(expected), "nothing new");
    }
}
