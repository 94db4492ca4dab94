//! Bahdanau's additive attention (paper, "Decoder"; Bahdanau et al. 2015, arXiv:1409.0473).

use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::{Device, Tensor, activation::softmax};

use crate::activation::tanh;
use crate::dense::dense;

/// `score = V tanh(W1 features + W2 state)`, softmax over the grid's positions.
#[derive(Module, Debug)]
pub struct Attention {
    /// W1: features to keys.
    pub key: Linear,
    /// W2: decoder state to a query.
    pub query: Linear,
    /// V: one score for each position.
    pub score: Linear,
}

/// What the decoder looks at, with the part of the scores that no step changes.
#[derive(Clone, Debug)]
pub struct Memory {
    /// `[batch, positions, features]`
    pub features: Tensor<3>,
    /// W1 applied to the features: `[batch, positions, attention]`
    pub keys: Tensor<3>,
}

/// One look.
#[derive(Clone, Debug)]
pub struct Look {
    /// Mean of the features under the weights: `[batch, features]`
    pub context: Tensor<2>,
    /// Where it looked, one weight a position, sums to one: `[batch, positions]`
    pub weights: Tensor<2>,
}

impl Attention {
    /// Fresh attention over `features`-sized vectors with `units`-sized states, compared in
    /// `size` dimensions.
    pub fn new(features: usize, units: usize, size: usize, device: &Device) -> Self {
        Self {
            key: dense(features, size, device),
            query: dense(units, size, device),
            score: dense(size, 1, device),
        }
    }

    /// Prepares features for any number of looks.
    ///
    /// # Shapes
    ///
    /// - `features`: `[batch, positions, features]`
    pub fn memorize(&self, features: Tensor<3>) -> Memory {
        let keys = self.key.forward(features.clone());
        Memory { features, keys }
    }

    /// # Shapes
    ///
    /// - `state`: `[batch, units]`; a memory of one image serves any number of states
    pub fn look(&self, memory: &Memory, state: Tensor<2>) -> Look {
        self.look_by(Self::scores, memory, state)
    }

    /// As [`Attention::look`], with another way to compute what [`Attention::scores`] does.
    pub fn look_by(
        &self,
        scores: impl FnOnce(&Self, &Memory, Tensor<2>) -> Tensor<2>,
        memory: &Memory,
        state: Tensor<2>,
    ) -> Look {
        let [batch, _] = state.dims();
        let [_, _, features] = memory.features.dims();
        let weights = softmax(scores(self, memory, self.query.forward(state)), 1);
        let context = weights
            .clone()
            .unsqueeze_dim::<3>(1)
            .matmul(memory.features.clone());
        Look {
            context: context.reshape([batch, features]),
            weights,
        }
    }

    /// `V tanh(keys + query)`: on the CPU by our kernel, elsewhere, and where
    /// gradients are recorded, by [`Attention::scores_by_layers`].
    ///
    /// # Shapes
    ///
    /// - `query`: `[batch, attention]`
    /// - output: `[batch, positions]`
    pub fn scores(&self, memory: &Memory, query: Tensor<2>) -> Tensor<2> {
        #[cfg(feature = "flex")]
        if let Some(scores) = crate::cpu::scores(self, memory, &query) {
            return scores;
        }
        self.scores_by_layers(memory, query)
    }

    /// As [`Attention::scores`], by burn's own operations.
    pub fn scores_by_layers(&self, memory: &Memory, query: Tensor<2>) -> Tensor<2> {
        let sums = memory.keys.clone() + query.unsqueeze_dim(1);
        self.score.forward(tanh(sums)).squeeze_dim(2)
    }
}
