//! From a feature grid to characters, one at a time (paper, "Decoder").

use burn::module::{Module, Param};
use burn::nn::{Embedding, EmbeddingConfig, Initializer, Linear};
use burn::tensor::{Device, Int, Tensor};

use crate::attention::{Attention, Memory};
use crate::config::DecoderConfig;
use crate::dense::dense;
use crate::gru::GruCell;
use crate::vocabulary::Vocabulary;

/// Attention, a GRU, and two dense layers.
#[derive(Module, Debug)]
pub struct Decoder {
    /// Token embeddings.
    pub embedding: Embedding,
    /// The weights of the grid's positions.
    pub attention: Attention,
    /// The recurrent state.
    pub gru: GruCell,
    /// Dense layer after the GRU, without an activation as in the paper's notebook. `None` where it
    /// is folded into `output`.
    pub hidden: Option<Linear>,
    /// Logits over the vocabulary.
    pub output: Linear,
    pub(crate) carry_state: bool,
}

/// The result of one step.
#[derive(Clone, Debug)]
pub struct Step {
    /// `[batch, vocabulary]`
    pub logits: Tensor<2>,
    /// `[batch, positions]`
    pub attention: Tensor<2>,
    /// The state for the next step: `[batch, units]`
    pub state: Tensor<2>,
}

/// The results of all steps.
#[derive(Clone, Debug)]
pub struct Decoded {
    /// `[batch, steps, vocabulary]`
    pub logits: Tensor<3>,
    /// `[batch, steps, positions]`
    pub attention: Tensor<3>,
}

impl DecoderConfig {
    /// A new decoder of `features`-sized vectors.
    pub fn init(&self, features: usize, vocabulary: usize, device: &Device) -> Decoder {
        Decoder {
            embedding: EmbeddingConfig::new(vocabulary, self.embedding)
                .with_initializer(Initializer::Uniform {
                    min: -0.05,
                    max: 0.05,
                })
                .init(device),
            attention: Attention::new(features, self.units, self.attention, device),
            gru: GruCell::new(features + self.embedding, self.units, device),
            hidden: Some(dense(self.units, self.units, device)),
            output: dense(self.units, vocabulary, device),
            carry_state: self.carry_state,
        }
    }
}

impl Decoder {
    /// The state before the first step: zeros, `[batch, units]`.
    pub fn start_state(&self, batch: usize, device: &Device) -> Tensor<2> {
        let [units, _] = self.gru.recurrent.weight.dims();
        Tensor::zeros([batch, units], device)
    }

    /// Computes one step.
    ///
    /// # Shapes
    ///
    /// - `token`: the previous token, embedded, `[batch, embedding]`
    /// - `state`: `[batch, units]`
    pub fn step(&self, memory: &Memory, token: Tensor<2>, state: Tensor<2>) -> Step {
        let attended = self.attention.forward(memory, state.clone());
        let x = Tensor::cat(vec![attended.context, token], 1);
        let initial = if self.carry_state {
            state
        } else {
            state.zeros_like()
        };
        let state = self.gru.forward(x, initial);
        let hidden = match &self.hidden {
            Some(layer) => layer.forward(state.clone()),
            None => state.clone(),
        };
        let logits = self.output.forward(hidden);
        Step {
            logits,
            attention: attended.weights,
            state,
        }
    }

    /// Decodes with the true tokens as input (teacher forcing).
    ///
    /// # Shapes
    ///
    /// - `features`: `[batch, positions, features]`
    /// - `inputs`: token ids without the last, `[batch, steps]`
    pub fn teacher_forced(&self, features: Tensor<3>, inputs: Tensor<2, Int>) -> Decoded {
        let [batch, steps] = inputs.dims();
        let embedded = self.embedding.forward(inputs);
        let [_, _, size] = embedded.dims();
        let token = |step: usize| embedded.clone().narrow(1, step, 1).reshape([batch, size]);
        self.decode(features, steps, token(0), |step, _| token(step))
    }

    /// Decodes with its own most likely token as the next input (greedy decoding). Everything stays
    /// on the device.
    ///
    /// # Shapes
    ///
    /// - `features`: `[batch, positions, features]`
    pub fn greedy(&self, features: Tensor<3>, steps: usize) -> Decoded {
        let [batch, _, _] = features.dims();
        let start = self.start_token(batch, &features.device());
        self.decode(features, steps, start, |_, logits| {
            self.embed(self.choose(logits))
        })
    }

    /// The token before the first character, embedded: `[batch, embedding]`.
    pub(crate) fn start_token(&self, batch: usize, device: &Device) -> Tensor<2> {
        self.embed(Tensor::full([batch], Vocabulary::START as i32, device))
    }

    /// The most likely tokens of a step: `[batch, vocabulary]` to `[batch]`.
    pub(crate) fn choose(&self, logits: Tensor<2>) -> Tensor<1, Int> {
        let [batch, _] = logits.dims();
        logits.argmax(1).reshape([batch])
    }

    /// Makes one matrix of the two dense layers after the GRU, and folds the attention's biases.
    /// The decoder computes the same in fewer operations, and cannot be trained on or saved any
    /// more.
    pub(crate) fn fold(&mut self) {
        self.attention.fold();
        if let Some(hidden) = self.hidden.take() {
            if let Some(bias) = &hidden.bias {
                let bias = self.output.forward(bias.val().unsqueeze::<2>());
                self.output.bias = Some(Param::from_tensor(bias.squeeze_dim(0)));
            }
            let weight = hidden.weight.val().matmul(self.output.weight.val());
            self.output.weight = Param::from_tensor(weight);
        }
    }

    /// Embeds one token for each image: `[batch]` to `[batch, embedding]`.
    pub fn embed(&self, tokens: Tensor<1, Int>) -> Tensor<2> {
        self.embedding
            .forward(tokens.unsqueeze_dim::<2>(1))
            .squeeze_dim(1)
    }

    /// Runs the steps. `next` gives the embedded token of a step from its number and the logits
    /// before it.
    fn decode(
        &self,
        features: Tensor<3>,
        steps: usize,
        first: Tensor<2>,
        next: impl Fn(usize, Tensor<2>) -> Tensor<2>,
    ) -> Decoded {
        let mut decoding = Decoding::new(self, features);
        let mut token = first;
        for step in 0..steps {
            let logits = decoding.step(token.clone());
            if step + 1 < steps {
                token = next(step + 1, logits);
            }
        }
        decoding.finish()
    }
}

/// Decoding with the steps so far.
pub(crate) struct Decoding<'a> {
    decoder: &'a Decoder,
    memory: Memory,
    state: Tensor<2>,
    logits: Vec<Tensor<2>>,
    attention: Vec<Tensor<2>>,
}

impl<'a> Decoding<'a> {
    /// Before the first step.
    ///
    /// # Shapes
    ///
    /// - `features`: `[batch, positions, features]`
    pub(crate) fn new(decoder: &'a Decoder, features: Tensor<3>) -> Self {
        let [batch, _, _] = features.dims();
        Self {
            decoder,
            state: decoder.start_state(batch, &features.device()),
            memory: decoder.attention.project_keys(features),
            logits: Vec::new(),
            attention: Vec::new(),
        }
    }

    /// Takes the next step and gives its logits.
    ///
    /// # Shapes
    ///
    /// - `token`: the previous token, embedded, `[batch, embedding]`
    /// - output: `[batch, vocabulary]`
    pub(crate) fn step(&mut self, token: Tensor<2>) -> Tensor<2> {
        let out = self.decoder.step(&self.memory, token, self.state.clone());
        self.state = out.state;
        self.logits.push(out.logits.clone());
        self.attention.push(out.attention);
        out.logits
    }

    /// The results of the steps.
    pub(crate) fn finish(self) -> Decoded {
        Decoded {
            logits: Tensor::stack(self.logits, 1),
            attention: Tensor::stack(self.attention, 1),
        }
    }
}
