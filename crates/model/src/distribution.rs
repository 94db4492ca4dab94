//! The probabilities of the tokens after one decoder step.

use crate::vocabulary::Vocabulary;

/// The probabilities of the tokens after one step, computed on the host.
#[derive(Clone, Debug)]
pub(crate) struct Distribution {
    /// The most likely token; of equally likely ones, that of the lowest id. burn's `argmax` breaks
    /// ties in the same way on every backend, so greedy decoding has taken the same token.
    pub(crate) best: usize,
    probabilities: Vec<f64>,
}

impl Distribution {
    /// Softmax of one step's logits, `[vocabulary]`, divided by a temperature. All logits must be
    /// finite. The temperature changes the probabilities, not their order.
    pub(crate) fn new(logits: &[f32], temperature: f64) -> Self {
        let mut best = 0;
        for (id, logit) in logits.iter().enumerate() {
            if *logit > logits[best] {
                best = id;
            }
        }
        let highest = f64::from(logits[best]);
        let mut probabilities: Vec<f64> = logits
            .iter()
            .map(|logit| ((f64::from(*logit) - highest) / temperature).exp())
            .collect();
        let total: f64 = probabilities.iter().sum();
        probabilities
            .iter_mut()
            .for_each(|probability| *probability /= total);
        Self {
            best,
            probabilities,
        }
    }

    /// Probability of one token.
    pub(crate) fn probability(&self, id: usize) -> f64 {
        self.probabilities[id]
    }

    /// Probability that the text ends here: that of `<end>`, and of the two other tokens that are
    /// not characters, which a trained network never answers.
    pub(crate) fn end_probability(&self) -> f64 {
        self.probabilities[..Vocabulary::FIRST_CHARACTER]
            .iter()
            .sum()
    }

    /// The token id and probability of each character.
    pub(crate) fn characters(&self) -> impl Iterator<Item = (usize, f64)> {
        self.probabilities
            .iter()
            .copied()
            .enumerate()
            .skip(Vocabulary::FIRST_CHARACTER)
    }
}
