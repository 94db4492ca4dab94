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

    /// A label in this alphabet's letters: a letter that it holds only in the other case, lower or
    /// upper, becomes that one; what it does not hold at all stays as it is.
    pub fn fold(&self, label: &str) -> String {
        let fold = |letter: char| {
            let known = |letter: char| self.id(letter).is_some();
            if known(letter) {
                return letter;
            }
            let lower = single(letter.to_lowercase()).filter(|&lower| known(lower));
            let upper = || single(letter.to_uppercase()).filter(|&upper| known(upper));
            lower.or_else(upper).unwrap_or(letter)
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

/// The only character of an iterator; none if there are several.
fn single(mut letters: impl Iterator<Item = char>) -> Option<char> {
    let letter = letters.next()?;
    letters.next().is_none().then_some(letter)
}
