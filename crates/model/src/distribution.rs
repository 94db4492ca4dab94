//! What one decoder step says: how likely each token is.

use crate::vocabulary::Vocabulary;

/// The tokens' probabilities after one step, worked out on the host.
#[derive(Clone, Debug)]
pub(crate) struct Distribution {
    /// The most likely token; the lowest of several equal ones. burn's `argmax` breaks ties the
    /// same way on every backend, so this is the token that greedy decoding went on with.
    pub(crate) best: usize,
    probabilities: Vec<f64>,
}

impl Distribution {
    /// Softmax of one step's logits over a temperature, `[vocabulary]`, all of them finite. What is
    /// most likely does not depend on the temperature, only how likely it is.
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
    pub(crate) fn of(&self, id: usize) -> f64 {
        self.probabilities[id]
    }

    /// Probability that the text ends here: of `<end>` and the two tokens that are no characters
    /// either, which a trained network never answers.
    pub(crate) fn end(&self) -> f64 {
        self.probabilities[..Vocabulary::FIRST_CHARACTER]
            .iter()
            .sum()
    }

    /// Token id and probability of every character.
    pub(crate) fn characters(&self) -> impl Iterator<Item = (usize, f64)> {
        self.probabilities
            .iter()
            .copied()
            .enumerate()
            .skip(Vocabulary::FIRST_CHARACTER)
    }
}
