//! Errors of the generator.

use thiserror::Error;

/// Why a word list, a name or an override is refused.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum SynthError {
    /// A line of a word list is not one word of 1 to 5 letters a to z.
    #[error("line {line}: {found:?} is not one word of 1 to 5 lower-case letters a to z")]
    BadWord {
        /// Number of the line, from 1.
        line: usize,
        /// Content of the line.
        found: String,
    },
    /// The word list has no word.
    #[error("the word list is empty")]
    NoWords,
    /// No look has this name.
    #[error("unknown look {found:?}; the looks are {}", known.join(", "))]
    UnknownLook {
        /// The name.
        found: String,
        /// The names of all looks.
        known: Vec<String>,
    },
    /// A look file cannot be used.
    #[error("the look {name:?} cannot be used: {problem}")]
    BadLook {
        /// The name of the look.
        name: String,
        /// What is wrong with it.
        problem: String,
    },
    /// An alphabet with other characters than digits and letters, or with none.
    #[error(
        "{0:?} is not an alphabet: write characters of 0-9, A-Z and a-z, or ranges of them, as in \
         \"0-9a-f\""
    )]
    BadAlphabet(String),
    /// Lengths of texts that are out of range.
    #[error("texts of {shortest} to {longest} characters cannot be drawn: a text has 1 to 16")]
    BadLengths {
        /// Fewest characters.
        shortest: usize,
        /// Most characters.
        longest: usize,
    },
    /// No font set has this name.
    #[error("unknown font set {found:?}; the font sets are {}", quoted(known))]
    UnknownFontSet {
        /// The name.
        found: String,
        /// The names of all font sets.
        known: Vec<String>,
    },
    /// No font has this name.
    #[error("unknown font {0:?}")]
    UnknownFont(String),
    /// A text that cannot be drawn.
    #[error("{0:?} cannot be drawn: a text is 1 to 5 lower-case letters a to z")]
    BadText(String),
    /// A text that is too long, or has characters that the generator's texts do not have.
    #[error("{found:?} cannot be drawn: a text has 1 to {longest} of the characters {alphabet}")]
    BadTextOf {
        /// The text.
        found: String,
        /// Most characters of a text.
        longest: usize,
        /// The characters of the texts.
        alphabet: String,
    },
    /// A font without some characters.
    #[error("the font {font:?} has small letters only; choose another font or other characters")]
    IncompleteFont {
        /// The name of the font.
        font: String,
    },
    /// No text has this length.
    #[error("no text has {length} characters; the texts have {}", list(lengths))]
    NoTextOfLength {
        /// The length.
        length: usize,
        /// The lengths of all texts, ascending.
        lengths: Vec<usize>,
    },
    /// Too many strokes or too much noise.
    #[error("at most {max_strokes} strokes and a noise share of 0 to {max_noise}")]
    TooMuchClutter {
        /// Largest number of strokes.
        max_strokes: usize,
        /// Largest share of noise.
        max_noise: f32,
    },
}

/// Names as in `"words" and "waves"`.
fn quoted(names: &[String]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("{name:?}")).collect();
    quoted.join(" and ")
}

/// Numbers as in "3, 4 or 5".
fn list(numbers: &[usize]) -> String {
    let numbers: Vec<String> = numbers.iter().map(usize::to_string).collect();
    match numbers.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => String::new(),
    }
}
