//! One step of a gated recurrent unit (Cho et al. 2014, arXiv:1406.1078v1).
//!
//! burn's own `Gru` holds three pairs of matrices. Here the three gates share one matrix for the
//! input and one for the state, as in Keras, which takes a third of the matrix products and GPU
//! dispatches.

use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::{Device, Tensor, activation::sigmoid};

use crate::activation::tanh;
use crate::dense::dense;

/// A GRU whose reset gate is applied after the recurrent product (Keras: `reset_after=True`).
#[derive(Module, Debug)]
pub struct GruCell {
    /// Input to update, reset and candidate, in this order: `[inputs, 3 * units]` and bias.
    pub input: Linear,
    /// State to update, reset and candidate: `[units, 3 * units]` and bias.
    pub recurrent: Linear,
}

impl GruCell {
    /// A new cell: glorot-uniform weights, as in the paper's notebook, and zero biases.
    pub fn new(inputs: usize, units: usize, device: &Device) -> Self {
        Self {
            input: dense(inputs, 3 * units, device),
            recurrent: dense(units, 3 * units, device),
        }
    }

    /// Computes the next state.
    ///
    /// # Shapes
    ///
    /// - `x`: `[batch, inputs]`
    /// - `state` and output: `[batch, units]`
    pub fn forward(&self, x: Tensor<2>, state: Tensor<2>) -> Tensor<2> {
        let [_, units] = state.dims();
        let input = self.input.forward(x);
        let recurrent = self.recurrent.forward(state.clone());
        let part = |gates: &Tensor<2>, i: usize| gates.clone().narrow(1, i * units, units);
        let gates = sigmoid(
            input.clone().narrow(1, 0, 2 * units) + recurrent.clone().narrow(1, 0, 2 * units),
        );
        let (update, reset) = (part(&gates, 0), part(&gates, 1));
        let candidate = tanh(part(&input, 2) + reset * part(&recurrent, 2));
        // update * state + (1 - update) * candidate, with one operation less.
        candidate.clone() + update * (state - candidate)
    }
}
