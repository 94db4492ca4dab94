//! Token ids: 0 pads, then `<start>`, `<end>` and the alphabet.

use crate::error::ModelError;

/// Maps between text and token ids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vocabulary {
    letters: Vec<char>,
}

impl Vocabulary {
    /// Fills a target behind its `<end>`; no loss is taken there.
    pub const PAD: usize = 0;
    /// The token before the first letter.
    pub const START: usize = 1;
    /// The token behind the last letter.
    pub const END: usize = 2;
    /// The alphabet's first character; the others follow in order.
    pub const FIRST_LETTER: usize = 3;

    /// The vocabulary of an alphabet; refused if it is empty or repeats a character.
    pub fn new(alphabet: &str) -> Result<Self, ModelError> {
        let letters: Vec<char> = alphabet.chars().collect();
        let repeats = letters
            .iter()
            .enumerate()
            .any(|(i, letter)| letters[..i].contains(letter));
        if letters.is_empty() || repeats {
            return Err(ModelError::InvalidConfig(
                "the alphabet must hold at least one character and none twice".into(),
            ));
        }
        Ok(Self { letters })
    }

    /// Number of token ids; 29 for a to z.
    pub fn size(&self) -> usize {
        Self::FIRST_LETTER + self.letters.len()
    }

    /// The letter of a token id; none for the three special ones.
    pub fn letter(&self, id: usize) -> Option<char> {
        self.letters
            .get(id.checked_sub(Self::FIRST_LETTER)?)
            .copied()
    }

    /// The token id of a letter; none if the alphabet lacks it.
    pub fn id(&self, letter: char) -> Option<usize> {
        Some(Self::FIRST_LETTER + self.letters.iter().position(|known| *known == letter)?)
    }

    /// A label in this alphabet's letters: where it holds a letter in lower case only, the lower
    /// case of that letter; what it does not hold at all stays as it is.
    pub fn fold(&self, label: &str) -> String {
        let fold = |letter: char| {
            let mut lower = letter.to_lowercase();
            match (self.id(letter), lower.next(), lower.next()) {
                (None, Some(lower), None) if self.id(lower).is_some() => lower,
                _ => letter,
            }
        };
        label.chars().map(fold).collect()
    }

    /// `<start> letters <end>`, padded to `max_letters + 2` ids: a training target.
    pub fn target(&self, text: &str, max_letters: usize) -> Result<Vec<usize>, ModelError> {
        let unusable = |reason: String| ModelError::UnusableLabel {
            text: text.to_owned(),
            reason,
        };
        let mut ids = vec![Self::START];
        for letter in text.chars() {
            ids.push(
                self.id(letter)
                    .ok_or_else(|| unusable(format!("the network does not know {letter:?}")))?,
            );
        }
        if ids.len() - 1 > max_letters {
            return Err(unusable(format!("it is longer than {max_letters} letters")));
        }
        ids.push(Self::END);
        ids.resize(max_letters + 2, Self::PAD);
        Ok(ids)
    }
}
