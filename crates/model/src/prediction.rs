//! The answer: a text, how sure the network is of it, and where it looked.

use serde::Serialize;

use crate::config::Grid;
use crate::distribution::Distribution;
use crate::vocabulary::Vocabulary;

/// What was read in one image.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Prediction {
    /// The text, character by character the most likely one; the most likely of [`Self::alternatives`] if
    /// there are any. Empty where the network sees none.
    pub text: String,
    /// Probability of the whole text under the network, its end included: 0 to 1.
    pub confidence: f32,
    /// The text's characters.
    pub characters: Vec<Character>,
    /// The shape of each character's attention.
    pub grid: Grid,
    /// Whether the image holds nothing: its pixels hardly differ. Then there is no text, and there
    /// are no alternatives. Where this is false and the text is empty, nothing was recognised in an
    /// image that holds something.
    pub blank: bool,
    /// The most likely texts, most likely first, so that the first is [`Self::text`]; empty unless
    /// asked for.
    pub alternatives: Vec<Alternative>,
}

/// One character of a [`Prediction`].
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Character {
    /// The character.
    pub character: char,
    /// Its probability, the characters before it taken as read: 0 to 1.
    pub confidence: f32,
    /// Where the network looked for it: the share of each grid position, `[rows * cols]`, row by
    /// row, sums to 1.
    pub attention: Vec<f32>,
    /// What could stand here, [`Self::ALTERNATIVES`] at most: the character itself, then the others,
    /// most likely first.
    pub alternatives: Vec<CharacterAlternative>,
}

impl Character {
    /// How many candidates are told for a character.
    pub const ALTERNATIVES: usize = 5;
}

/// What could stand in a character's place.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CharacterAlternative {
    /// The character; none where the text could end here instead.
    pub character: Option<char>,
    /// Its probability, the characters before it taken as read: 0 to 1.
    pub confidence: f32,
}

/// A text that could be read instead.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Alternative {
    /// The text.
    pub text: String,
    /// Probability of the whole text under the network, its end included: 0 to 1.
    pub confidence: f32,
}

/// What it takes to understand a decoder's steps.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a> {
    pub(crate) vocabulary: &'a Vocabulary,
    pub(crate) grid: Grid,
    pub(crate) temperature: f64,
}

impl Reader<'_> {
    /// Values of one step.
    pub(crate) fn row(&self) -> usize {
        self.vocabulary.size() + self.grid.positions()
    }

    /// Reads the most likely characters off one image's decoder steps. There is a step for each character
    /// and one more in which the text can only end.
    ///
    /// # Shapes
    ///
    /// - `steps`: `[steps, vocabulary + positions]`, row by row: a step's logits, then its attention
    pub(crate) fn greedy(&self, steps: &[f32], blank: bool) -> Prediction {
        self.read(steps, blank, |_, step| step.best)
    }

    /// As [`Reader::greedy`], of steps that were given the tokens of a text, for that text.
    pub(crate) fn of_text(&self, steps: &[f32], blank: bool, tokens: &[usize]) -> Prediction {
        self.read(steps, blank, |index, _| {
            tokens.get(index).copied().unwrap_or(Vocabulary::END)
        })
    }

    fn read(
        &self,
        steps: &[f32],
        blank: bool,
        token: impl Fn(usize, &Distribution) -> usize,
    ) -> Prediction {
        let mut confidence = 1.0;
        let mut characters = Vec::new();
        let mut rows = steps.chunks_exact(self.row()).peekable();
        while let Some(row) = rows.next() {
            let (logits, attention) = row.split_at(self.vocabulary.size());
            let step = Distribution::new(logits, self.temperature);
            let token = token(characters.len(), &step);
            let character = self
                .vocabulary
                .character(token)
                .filter(|_| rows.peek().is_some());
            let Some(character) = character else {
                confidence *= step.end();
                break;
            };
            let probability = step.of(token);
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

/// A character, then the most likely others of a step's characters and its end, most likely first.
fn candidates(
    step: &Distribution,
    vocabulary: &Vocabulary,
    character: char,
) -> Vec<CharacterAlternative> {
    let mut all: Vec<(Option<char>, f64)> = step
        .characters()
        .map(|(id, probability)| (vocabulary.character(id), probability))
        .chain([(None, step.of(Vocabulary::END))])
        .collect();
    // Stable, so that of several equal characters the first leads, as greedy decoding has it.
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
