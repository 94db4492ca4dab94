//! Whole-word accuracy, the paper's measure: one wrong letter makes a word wrong.

use std::sync::Arc;

use burn::tensor::{Int, Tensor, TensorReadError};
use burn::train::metric::state::{FormatOptions, NumericMetricState};
use burn::train::metric::{
    Metric, MetricAttributes, MetricMetadata, MetricName, Numeric, NumericAttributes, NumericEntry,
    SerializedEntry,
};
use captcha_model::Vocabulary;

/// Share of texts answered right in every letter and in their end, in percent.
#[derive(Clone)]
pub struct WordAccuracy {
    name: MetricName,
    state: NumericMetricState,
}

/// Answers and what they should be.
pub struct WordAccuracyInput {
    /// `[batch, steps, vocabulary]`
    pub logits: Tensor<3>,
    /// `[batch, steps]`, padded
    pub targets: Tensor<2, Int>,
}

impl WordAccuracy {
    /// A fresh count.
    pub fn new() -> Self {
        Self {
            name: Arc::new("Word accuracy".into()),
            state: NumericMetricState::default(),
        }
    }
}

impl Default for WordAccuracy {
    fn default() -> Self {
        Self::new()
    }
}

/// Share of rows whose every unpadded target is the most likely answer, 0..1.
fn share_right(input: &WordAccuracyInput) -> Result<f64, TensorReadError> {
    let [batch, steps] = input.targets.dims();
    let answers: Tensor<2, Int> = input.logits.clone().argmax(2).reshape([batch, steps]);
    let padding = input
        .targets
        .clone()
        .equal_elem(Vocabulary::PAD as i32)
        .int();
    let right = answers.equal(input.targets.clone()).int() + padding;
    let right = right.greater_elem(0).int().prod_dim(1).float();
    right.mean().try_into_scalar::<f64>()
}

impl Metric for WordAccuracy {
    type Input = WordAccuracyInput;

    fn update(
        &mut self,
        input: &Self::Input,
        _metadata: &MetricMetadata,
    ) -> Result<SerializedEntry, TensorReadError> {
        let [batch, _] = input.targets.dims();
        self.state.update(100.0 * share_right(input)?, batch);
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
