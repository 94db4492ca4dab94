//! The texts of the images.

use std::ops::RangeInclusive;
use std::sync::LazyLock;

use crate::alphabet::{LONGEST_TEXT, parse_alphabet};
use crate::error::SynthError;
use crate::random::Random;

/// Length of the shortest random text.
const SHORTEST: usize = 3;
/// Length of the longest text.
const LONGEST: usize = 5;

/// Where the text of an image comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum TextSource {
    /// One of these words, uniformly.
    Words(Vec<String>),
    /// 3 to 5 letters a to z, as `words` and `waves` have drawn them from the first. The length is uniform, and so is each character.
    Random,
    /// Random characters for a share of the images, words for the rest.
    Mixed {
        /// The words.
        words: Vec<String>,
        /// Share of images with random characters, 0 to 1.
        random_share: f32,
    },
    /// Random characters of an alphabet. The length is uniform, and so is each character.
    Characters {
        /// The characters: digits, capitals and small letters, each once.
        alphabet: String,
        /// Fewest characters of a text.
        shortest: usize,
        /// Most characters of a text.
        longest: usize,
    },
}

impl TextSource {
    /// The embedded word list, see [`listed_words`].
    pub fn listed() -> Self {
        Self::Words(listed_words().iter().map(|&word| word.to_owned()).collect())
    }

    /// Random characters of an alphabet such as `0-9A-F`, see [`parse_alphabet`].
    ///
    /// # Errors
    /// [`SynthError::BadAlphabet`], or [`SynthError::BadLengths`] unless the lengths are within 1 and
    /// [`LONGEST_TEXT`].
    pub fn characters(alphabet: &str, lengths: RangeInclusive<usize>) -> Result<Self, SynthError> {
        let alphabet = parse_alphabet(alphabet)?;
        let (shortest, longest) = (*lengths.start(), *lengths.end());
        if !(1 <= shortest && shortest <= longest && longest <= LONGEST_TEXT) {
            return Err(SynthError::BadLengths { shortest, longest });
        }
        Ok(Self::Characters {
            alphabet,
            shortest,
            longest,
        })
    }

    /// The characters of its texts.
    pub fn alphabet(&self) -> &str {
        match self {
            Self::Words(_) | Self::Random | Self::Mixed { .. } => "abcdefghijklmnopqrstuvwxyz",
            Self::Characters { alphabet, .. } => alphabet,
        }
    }

    /// Most characters of a text that may replace a drawn one.
    pub(crate) fn longest(&self) -> usize {
        match self {
            Self::Words(_) | Self::Random | Self::Mixed { .. } => LONGEST,
            Self::Characters { .. } => LONGEST_TEXT,
        }
    }

    /// The text of one image.
    pub(crate) fn draw(&self, random: &mut Random) -> String {
        match self {
            Self::Words(words) => words[random.below(words.len())].clone(),
            Self::Random => random_characters(random),
            Self::Mixed {
                words,
                random_share,
            } => {
                if random.bernoulli(*random_share) {
                    random_characters(random)
                } else {
                    words[random.below(words.len())].clone()
                }
            }
            Self::Characters {
                alphabet,
                shortest,
                longest,
            } => {
                let length = random.count(*shortest, *longest);
                let alphabet = alphabet.as_bytes();
                let mut one = || char::from(alphabet[random.below(alphabet.len())]);
                (0..length).map(|_| one()).collect()
            }
        }
    }

    /// The lengths of its texts, ascending, each once.
    pub(crate) fn lengths(&self) -> Vec<usize> {
        let words = self.words().unwrap_or_default().iter().map(String::len);
        let mut lengths: Vec<usize> = match self {
            Self::Words(_) => words.collect(),
            Self::Random | Self::Mixed { .. } => words.chain(SHORTEST..=LONGEST).collect(),
            Self::Characters {
                shortest, longest, ..
            } => (*shortest..=*longest).collect(),
        };
        lengths.sort_unstable();
        lengths.dedup();
        lengths
    }

    /// The words; `None` for random characters.
    pub(crate) fn words(&self) -> Option<&[String]> {
        match self {
            Self::Words(words) | Self::Mixed { words, .. } => Some(words),
            Self::Random | Self::Characters { .. } => None,
        }
    }
}

fn random_characters(random: &mut Random) -> String {
    let length = random.count(SHORTEST, LONGEST);
    (0..length)
        .map(|_| char::from(b'a' + random.below(26) as u8))
        .collect()
}

/// The embedded list: about 2,500 common English words of 3 to 5 characters, in alphabetical order,
/// from SCOWL (`word_list/make.py`, licence in `word_list/LICENSE`).
pub fn listed_words() -> &'static [&'static str] {
    static WORDS: LazyLock<Vec<&'static str>> =
        LazyLock::new(|| include_str!("../word_list/words.txt").lines().collect());
    &WORDS
}

/// Parses a word list with one word of 1 to 5 lower-case letters a to z on each line. Blank lines and
/// spaces around a word are ignored.
///
/// # Errors
/// [`SynthError::BadWord`] for the first line with anything else, [`SynthError::NoWords`] if there is
/// no word.
pub fn parse_words(text: &str) -> Result<Vec<String>, SynthError> {
    let mut words = Vec::new();
    for (index, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let word = line.trim();
        if word.is_empty() {
            continue;
        }
        if !is_word(word) {
            return Err(SynthError::BadWord {
                line: index + 1,
                found: word.to_owned(),
            });
        }
        words.push(word.to_owned());
    }
    if words.is_empty() {
        Err(SynthError::NoWords)
    } else {
        Ok(words)
    }
}

/// Whether `text` is 1 to 5 letters a to z.
pub(crate) fn is_word(text: &str) -> bool {
    (1..=LONGEST).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listed_words_are_valid() {
        let words = listed_words();
        assert!(
            (2_300..=2_700).contains(&words.len()),
            "{} words",
            words.len()
        );
        assert!(words.iter().all(|word| word.len() >= 3 && is_word(word)));
        assert!(words.is_sorted_by(|a, b| a < b), "sorted, each word once");
        for word in [
            "thus", "line", "toe", "that", "type", "means", "pink", "kids",
        ] {
            assert!(words.binary_search(&word).is_ok(), "{word} is missing");
        }
    }

    #[test]
    fn parse_words_reads_lines() {
        assert_eq!(
            parse_words("thus\n\n line \r\na"),
            Ok(vec!["thus".into(), "line".into(), "a".into()])
        );
        assert_eq!(parse_words("\n \n"), Err(SynthError::NoWords));
        for bad in ["Thus", "two words", "toolong", "naïf", "a1"] {
            let error = parse_words(&format!("line\n{bad}\n")).expect_err("not a word");
            assert_eq!(
                error,
                SynthError::BadWord {
                    line: 2,
                    found: bad.into()
                }
            );
            assert!(error.to_string().starts_with("line 2: "));
        }
    }

    #[test]
    fn mixed_source_keeps_its_share() {
        let source = TextSource::Mixed {
            words: vec!["a".into()],
            random_share: 0.25,
        };
        let mut random = Random::keyed(0, 0, 7, 0);
        let characters = (0..4_000)
            .filter(|_| source.draw(&mut random) != "a")
            .count();
        assert!((900..1_100).contains(&characters), "{characters} of 4,000");
    }
}
