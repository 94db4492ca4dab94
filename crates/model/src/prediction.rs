//! The answer: a text, how sure the network is of it, and where it looked.

use serde::Serialize;

use crate::config::Grid;
use crate::distribution::Distribution;
use crate::vocabulary::Vocabulary;

/// What was read in one image.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Prediction {
    /// The text, letter by letter the most likely one; the most likely of [`Self::alternatives`] if
    /// there are any. Empty where the network sees none.
    pub text: String,
    /// Probability of the whole text under the network, its end included: 0 to 1.
    pub confidence: f32,
    /// The text's letters.
    pub letters: Vec<Letter>,
    /// The shape of each letter's attention.
    pub grid: Grid,
    /// Whether the image holds nothing: its pixels hardly differ. Then there is no text, and there
    /// are no alternatives. Where this is false and the text is empty, nothing was recognised in an
    /// image that holds something.
    pub blank: bool,
    /// The most likely texts, most likely first, so that the first is [`Self::text`]; empty unless
    /// asked for.
    pub alternatives: Vec<Alternative>,
}

/// One letter of a [`Prediction`].
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Letter {
    /// The letter.
    pub letter: char,
    /// Its probability, the letters before it taken as read: 0 to 1.
    pub confidence: f32,
    /// Where the network looked for it: the share of each grid position, `[rows * cols]`, row by
    /// row, sums to 1.
    pub attention: Vec<f32>,
    /// What could stand here, [`Self::ALTERNATIVES`] at most: the letter itself, then the others,
    /// most likely first.
    pub alternatives: Vec<LetterAlternative>,
}

impl Letter {
    /// How many candidates are told for a letter.
    pub const ALTERNATIVES: usize = 5;
}

/// What could stand in a letter's place.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LetterAlternative {
    /// The letter; none where the text could end here instead.
    pub letter: Option<char>,
    /// Its probability, the letters before it taken as read: 0 to 1.
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

    /// Reads the most likely letters off one image's decoder steps. There is a step for each letter
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
        let mut letters = Vec::new();
        let mut rows = steps.chunks_exact(self.row()).peekable();
        while let Some(row) = rows.next() {
            let (logits, attention) = row.split_at(self.vocabulary.size());
            let step = Distribution::new(logits, self.temperature);
            let token = token(letters.len(), &step);
            let letter = self
                .vocabulary
                .letter(token)
                .filter(|_| rows.peek().is_some());
            let Some(letter) = letter else {
                confidence *= step.end();
                break;
            };
            let probability = step.of(token);
            confidence *= probability;
            letters.push(Letter {
                letter,
                confidence: probability as f32,
                attention: attention.to_vec(),
                alternatives: candidates(&step, self.vocabulary, letter),
            });
        }
        Prediction {
            text: letters.iter().map(|letter| letter.letter).collect(),
            confidence: confidence as f32,
            letters,
            grid: self.grid,
            blank,
            alternatives: Vec::new(),
        }
    }
}

/// A letter, then the most likely others of a step's letters and its end, most likely first.
fn candidates(
    step: &Distribution,
    vocabulary: &Vocabulary,
    letter: char,
) -> Vec<LetterAlternative> {
    let mut all: Vec<(Option<char>, f64)> = step
        .letters()
        .map(|(id, probability)| (vocabulary.letter(id), probability))
        .chain([(None, step.of(Vocabulary::END))])
        .collect();
    // Stable, so that of several equal letters the first leads, as greedy decoding has it.
    all.sort_by(|(_, a), (_, b)| b.total_cmp(a));
    all.sort_by_key(|(other, _)| *other != Some(letter));
    all.truncate(Letter::ALTERNATIVES);
    all.into_iter()
        .map(|(letter, probability)| LetterAlternative {
            letter,
            confidence: probability as f32,
        })
        .collect()
}
