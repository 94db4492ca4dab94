//! The answer: a text, how sure the network is of it, and where it looked.

use serde::Serialize;

use crate::config::Grid;
use crate::distribution::Distribution;
use crate::vocabulary::Vocabulary;

/// What was read in one image.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Prediction {
    /// The text, letter by letter the most likely one; empty where the network sees none.
    pub text: String,
    /// Probability of the whole text under the network, its end included: 0 to 1.
    pub confidence: f32,
    /// The text's letters.
    pub letters: Vec<Letter>,
    /// The shape of each letter's attention.
    pub grid: Grid,
    /// The most likely texts, most likely first; empty unless asked for.
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
    /// What could stand here, most likely first, [`Self::ALTERNATIVES`] at most; the letter itself
    /// leads.
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

impl Prediction {
    /// Reads the answer off one image's decoder steps. There is a step for each letter and one
    /// more in which the text can only end.
    ///
    /// # Shapes
    ///
    /// - `steps`: `[steps, vocabulary + positions]`, row by row: a step's logits, then its attention
    pub(crate) fn new(
        steps: &[f32],
        vocabulary: &Vocabulary,
        grid: Grid,
        temperature: f64,
    ) -> Self {
        let mut confidence = 1.0;
        let mut letters = Vec::new();
        let mut rows = steps
            .chunks_exact(vocabulary.size() + grid.positions())
            .peekable();
        while let Some(row) = rows.next() {
            let (logits, attention) = row.split_at(vocabulary.size());
            let step = Distribution::new(logits, temperature);
            let letter = vocabulary
                .letter(step.best)
                .filter(|_| rows.peek().is_some());
            let Some(letter) = letter else {
                confidence *= step.end();
                break;
            };
            let probability = step.of(step.best);
            confidence *= probability;
            letters.push(Letter {
                letter,
                confidence: probability as f32,
                attention: attention.to_vec(),
                alternatives: candidates(&step, vocabulary),
            });
        }
        Self {
            text: letters.iter().map(|letter| letter.letter).collect(),
            confidence: confidence as f32,
            letters,
            grid,
            alternatives: Vec::new(),
        }
    }
}

/// The most likely of a step's letters and its end, most likely first.
fn candidates(step: &Distribution, vocabulary: &Vocabulary) -> Vec<LetterAlternative> {
    let mut all: Vec<(Option<char>, f64)> = step
        .letters()
        .map(|(id, probability)| (vocabulary.letter(id), probability))
        .chain([(None, step.of(Vocabulary::END))])
        .collect();
    // Stable, so that of several equal letters the first leads, as greedy decoding has it.
    all.sort_by(|(_, a), (_, b)| b.total_cmp(a));
    all.truncate(Letter::ALTERNATIVES);
    all.into_iter()
        .map(|(letter, probability)| LetterAlternative {
            letter,
            confidence: probability as f32,
        })
        .collect()
}
