//! Bahdanau's additive attention (paper, "Decoder"; Bahdanau et al. 2015, arXiv:1409.0473).

use burn::module::{Module, Param};
use burn::nn::Linear;
use burn::tensor::{Device, Tensor, activation::softmax};

use crate::activation::tanh;
use crate::dense::dense;

/// `score = V tanh(W1 features + W2 state)`, softmax over the positions of the grid.
#[derive(Module, Debug)]
pub struct Attention {
    /// W1: features to keys.
    pub key: Linear,
    /// W2: decoder state to a query.
    pub query: Linear,
    /// V: one score for each position.
    pub score: Linear,
}

/// The features that the decoder attends to, and their keys, which are the same at every step.
#[derive(Clone, Debug)]
pub struct Memory {
    /// `[batch, positions, features]`
    pub features: Tensor<3>,
    /// W1 applied to the features: `[batch, positions, attention]`
    pub keys: Tensor<3>,
}

/// The result of attending to a memory once.
#[derive(Clone, Debug)]
pub struct AttentionOutput {
    /// Mean of the features under the weights: `[batch, features]`
    pub context: Tensor<2>,
    /// One weight for each position, which sum to one: `[batch, positions]`
    pub weights: Tensor<2>,
}

impl Attention {
    /// New attention of `units`-sized states to `features`-sized vectors, which compares them in
    /// `size` dimensions.
    pub fn new(features: usize, units: usize, size: usize, device: &Device) -> Self {
        Self {
            key: dense(features, size, device),
            query: dense(units, size, device),
            score: dense(size, 1, device),
        }
    }

    /// Computes the keys of features, for any number of steps.
    ///
    /// # Shapes
    ///
    /// - `features`: `[batch, positions, features]`
    pub fn project_keys(&self, features: Tensor<3>) -> Memory {
        let keys = self.key.forward(features.clone());
        Memory { features, keys }
    }

    /// Attends to a memory.
    ///
    /// # Shapes
    ///
    /// - `state`: `[batch, units]`; a memory of one image serves any number of states
    pub fn forward(&self, memory: &Memory, state: Tensor<2>) -> AttentionOutput {
        let [batch, _] = state.dims();
        let [_, _, features] = memory.features.dims();
        let weights = softmax(self.scores(memory, self.query.forward(state)), 1);
        let context = weights
            .clone()
            .unsqueeze_dim::<3>(1)
            .matmul(memory.features.clone());
        AttentionOutput {
            context: context.reshape([batch, features]),
            weights,
        }
    }

    /// `V tanh(keys + query)`. The CPU kernel computes it on the CPU, and
    /// [`Attention::scores_reference`] on other devices.
    ///
    /// # Shapes
    ///
    /// - `query`: `[batch, attention]`
    /// - output: `[batch, positions]`
    pub fn scores(&self, memory: &Memory, query: Tensor<2>) -> Tensor<2> {
        #[cfg(feature = "flex")]
        {
            let v = self.score.weight.val();
            if let Some(scores) = crate::cpu::additive_scores(&memory.keys, &query, &v) {
                return match &self.score.bias {
                    Some(bias) => scores + bias.val().unsqueeze(),
                    None => scores,
                };
            }
        }
        self.scores_reference(memory, query)
    }

    /// Merges the biases of key and query, which are only ever added, and drops the bias of the
    /// scores, which does not change their softmax.
    pub(crate) fn fold(&mut self) {
        if let Some(query) = self.query.bias.take() {
            let bias = match &self.key.bias {
                Some(key) => key.val() + query.val(),
                None => query.val(),
            };
            self.key.bias = Some(Param::from_tensor(bias));
        }
        self.score.bias = None;
    }

    /// As [`Attention::scores`], by burn's own operations.
    pub fn scores_reference(&self, memory: &Memory, query: Tensor<2>) -> Tensor<2> {
        let sums = memory.keys.clone() + query.unsqueeze_dim(1);
        self.score.forward(tanh(sums)).squeeze_dim(2)
    }
}
