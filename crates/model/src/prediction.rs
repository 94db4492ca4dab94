//! The answer: a text with its confidence, alternatives and attention.

use serde::Serialize;

use crate::config::Grid;
use crate::distribution::Distribution;
use crate::vocabulary::Vocabulary;

/// The answer for one image.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Prediction {
    /// The text: at each step the most likely character, or the first of [`Self::alternatives`] if
    /// there are any. Empty if the network recognizes no character.
    pub text: String,
    /// Probability of the whole text under the network, its end included: 0 to 1.
    pub confidence: f32,
    /// The text's characters.
    pub characters: Vec<Character>,
    /// The shape of each character's attention.
    pub grid: Grid,
    /// Whether the image is blank: its pixels hardly differ. A blank image has no text and no
    /// alternatives. If this is false and the text is empty, nothing was recognized in an image
    /// that is not blank.
    pub blank: bool,
    /// The most likely texts, most likely first, so that the first is [`Self::text`]; empty if none
    /// were asked for.
    pub alternatives: Vec<Alternative>,
}

/// One character of a [`Prediction`].
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Character {
    /// The character.
    pub character: char,
    /// Its probability, given the characters before it: 0 to 1.
    pub confidence: f32,
    /// The network's attention at this step: the weight of each grid position, `[rows * cols]`, row
    /// by row. The weights sum to 1.
    pub attention: Vec<f32>,
    /// At most [`Self::ALTERNATIVES`] candidates for this position: the character itself, then the
    /// others, most likely first.
    pub alternatives: Vec<CharacterAlternative>,
}

impl Character {
    /// Most candidates for one character.
    pub const ALTERNATIVES: usize = 5;
}

/// A candidate for the position of a character.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CharacterAlternative {
    /// The character; `None` stands for the end of the text.
    pub character: Option<char>,
    /// Its probability, given the characters before it: 0 to 1.
    pub confidence: f32,
}

/// A possible text.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Alternative {
    /// The text.
    pub text: String,
    /// Probability of the whole text under the network, its end included: 0 to 1.
    pub confidence: f32,
}

/// Makes predictions of a decoder's steps.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PredictionBuilder<'a> {
    pub(crate) vocabulary: &'a Vocabulary,
    pub(crate) grid: Grid,
    pub(crate) temperature: f64,
}

impl PredictionBuilder<'_> {
    /// Number of values of one step.
    pub(crate) fn step_values(&self) -> usize {
        self.vocabulary.size() + self.grid.positions()
    }

    /// The prediction of one image with the most likely character at each step. There is a step for
    /// each character, and one more, in which the text can only end.
    ///
    /// # Shapes
    ///
    /// - `steps`: `[steps, vocabulary + positions]`, row by row: a step's logits, then its
    ///   attention
    pub(crate) fn greedy(&self, steps: &[f32], blank: bool) -> Prediction {
        self.build(steps, blank, |_, step| step.best)
    }

    /// The prediction of a given text, from steps whose inputs were the text's tokens.
    pub(crate) fn teacher_forced(
        &self,
        steps: &[f32],
        blank: bool,
        tokens: &[usize],
    ) -> Prediction {
        self.build(steps, blank, |index, _| {
            tokens.get(index).copied().unwrap_or(Vocabulary::END)
        })
    }

    fn build(
        &self,
        steps: &[f32],
        blank: bool,
        token: impl Fn(usize, &Distribution) -> usize,
    ) -> Prediction {
        let mut confidence = 1.0;
        let mut characters = Vec::new();
        let mut rows = steps.chunks_exact(self.step_values()).peekable();
        while let Some(row) = rows.next() {
            let (logits, attention) = row.split_at(self.vocabulary.size());
            let step = Distribution::new(logits, self.temperature);
            let token = token(characters.len(), &step);
            let character = self
                .vocabulary
                .character(token)
                .filter(|_| rows.peek().is_some());
            let Some(character) = character else {
                confidence *= step.end_probability();
                break;
            };
            let probability = step.probability(token);
            confidence *= probability;
            characters.push(Character {
                character,
                confidence: probability as f32,
                attention: attention.to_vec(),
                alternatives: candidates(&step, self.vocabulary, character),
            });
        }
        Prediction {
            text: characters
                .iter()
                .map(|character| character.character)
                .collect(),
            confidence: confidence as f32,
            characters,
            grid: self.grid,
            blank,
            alternatives: Vec::new(),
        }
    }
}

/// A character, then the other characters and the end of the text, most likely first.
fn candidates(
    step: &Distribution,
    vocabulary: &Vocabulary,
    character: char,
) -> Vec<CharacterAlternative> {
    let mut all: Vec<(Option<char>, f64)> = step
        .characters()
        .map(|(id, probability)| (vocabulary.character(id), probability))
        .chain([(None, step.probability(Vocabulary::END))])
        .collect();
    // The sort is stable, so that the first of equal characters leads, as in greedy decoding.
    all.sort_by(|(_, a), (_, b)| b.total_cmp(a));
    all.sort_by_key(|(other, _)| *other != Some(character));
    all.truncate(Character::ALTERNATIVES);
    all.into_iter()
        .map(|(character, probability)| CharacterAlternative {
            character,
            confidence: probability as f32,
        })
        .collect()
}
