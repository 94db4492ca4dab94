//! Token ids: 0 pads, then `<start>`, `<end>` and the alphabet. Case folding.

use crate::error::ModelError;

/// Maps between text and token ids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vocabulary {
    characters: Vec<char>,
}

impl Vocabulary {
    /// Fills a target after its `<end>`; it is left out of the loss.
    pub const PAD: usize = 0;
    /// The token before the first character.
    pub const START: usize = 1;
    /// The token after the last character.
    pub const END: usize = 2;
    /// The alphabet's first character; the others follow in order.
    pub const FIRST_CHARACTER: usize = 3;

    /// The vocabulary of an alphabet.
    ///
    /// # Errors
    ///
    /// [`ModelError::InvalidConfig`] if it is empty or repeats a character.
    pub fn new(alphabet: &str) -> Result<Self, ModelError> {
        let characters: Vec<char> = alphabet.chars().collect();
        let repeats = characters
            .iter()
            .enumerate()
            .any(|(i, character)| characters[..i].contains(character));
        if characters.is_empty() || repeats {
            return Err(ModelError::InvalidConfig(
                "the alphabet must hold at least one character and none twice".into(),
            ));
        }
        Ok(Self { characters })
    }

    /// Number of token ids; 29 for a to z.
    pub fn size(&self) -> usize {
        Self::FIRST_CHARACTER + self.characters.len()
    }

    /// The character of a token id; `None` for the three special ones.
    pub fn character(&self, id: usize) -> Option<char> {
        self.characters
            .get(id.checked_sub(Self::FIRST_CHARACTER)?)
            .copied()
    }

    /// The token id of a character; `None` if the alphabet lacks it.
    pub fn id(&self, character: char) -> Option<usize> {
        Some(
            Self::FIRST_CHARACTER
                + self
                    .characters
                    .iter()
                    .position(|known| *known == character)?,
        )
    }

    /// A label in the alphabet's case. A character that the alphabet holds only in another case is
    /// converted; one that it does not hold at all stays.
    pub fn fold(&self, label: &str) -> String {
        let fold = |character: char| {
            let known = |character: char| self.id(character).is_some();
            if known(character) {
                return character;
            }
            let lower = single(character.to_lowercase()).filter(|&lower| known(lower));
            let upper = || single(character.to_uppercase()).filter(|&upper| known(upper));
            let other = || self.same_letter(character);
            lower.or_else(upper).or_else(other).unwrap_or(character)
        };
        label.chars().map(fold).collect()
    }

    /// The alphabet's first character that differs from this one only in case.
    fn same_letter(&self, character: char) -> Option<char> {
        let folded = fold_case(character.encode_utf8(&mut [0; 4]));
        self.characters
            .iter()
            .copied()
            .find(|known| fold_case(known.encode_utf8(&mut [0; 4])) == folded)
    }

    /// `<start> characters <end>`, padded to `max_length + 2` ids: a training target.
    pub fn target(&self, text: &str, max_length: usize) -> Result<Vec<usize>, ModelError> {
        let unusable = |reason: String| ModelError::UnusableLabel {
            text: text.to_owned(),
            reason,
        };
        let mut ids = vec![Self::START];
        for character in text.chars() {
            ids.push(
                self.id(character)
                    .ok_or_else(|| unusable(format!("the network does not know {character:?}")))?,
            );
        }
        if ids.len() - 1 > max_length {
            return Err(unusable(format!(
                "it is longer than {max_length} characters"
            )));
        }
        ids.push(Self::END);
        ids.resize(max_length + 2, Self::PAD);
        Ok(ids)
    }
}

/// A text without its case, for comparisons: texts that differ only in case give the same string.
///
/// This is full case folding of the Unicode Standard (3.13, D144): "Straße", "STRASSE" and "straẞe"
/// are the same. The dotless i of Turkish stays apart from i. The result can have another number of
/// characters than the text, and is not meant to be shown; [`lowercase`] keeps the number. `foldCase`
/// in the page's `alphabet.js` does the same, and `tests/audit/case.json` checks both.
pub fn fold_case(text: &str) -> String {
    // Small, capital, small: some letters have only one of the two, as "ẞ" and "ß". Character by
    // character, since the small form of a Greek sigma depends on its neighbours.
    text.chars()
        .flat_map(|character| {
            let cased = (character != DOTLESS_I).then_some(character);
            let folded = cased
                .into_iter()
                .flat_map(char::to_lowercase)
                .flat_map(char::to_uppercase)
                .flat_map(char::to_lowercase);
            folded.chain((character == DOTLESS_I).then_some(character))
        })
        .collect()
}

/// A label in small letters. It keeps its number of characters: a letter whose small form is not
/// one character stays. The text and its small letters have the same [`fold_case`].
pub fn lowercase(text: &str) -> String {
    text.chars()
        .map(|character| single(character.to_lowercase()).unwrap_or(character))
        .collect()
}

/// The only letter whose capital has another small letter.
const DOTLESS_I: char = 'ı';

/// The character of an iterator that has exactly one.
fn single(mut characters: impl Iterator<Item = char>) -> Option<char> {
    let character = characters.next()?;
    characters.next().is_none().then_some(character)
}
