//! What can go wrong with what comes from outside.

use thiserror::Error;

/// Why a word list, a name or a wish was refused.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum SynthError {
    /// A line of a word list is not one word of 1 to 5 letters a to z.
    #[error("line {line}: {found:?} is not one word of 1 to 5 lower-case letters a to z")]
    BadWord {
        /// Number of the line, from 1.
        line: usize,
        /// What stands on it.
        found: String,
    },
    /// A word list holds no word.
    #[error("the word list is empty")]
    NoWords,
    /// No style goes by this name.
    #[error("unknown style {0:?}; there are \"words\" and \"waves\"")]
    UnknownStyle(String),
    /// No font set goes by this name.
    #[error("unknown font set {0:?}; there are \"trained\" and \"held-out\"")]
    UnknownFontSet(String),
    /// No face goes by this name.
    #[error("unknown face {0:?}")]
    UnknownFace(String),
    /// A text that cannot be drawn.
    #[error("{0:?} is no text to draw: that is 1 to 5 lower-case letters a to z")]
    BadText(String),
    /// A length that no text has.
    #[error(
        "no text has {length} characters; those that there are have {}",
        list(lengths)
    )]
    NoTextOfLength {
        /// The length.
        length: usize,
        /// All lengths that texts have.
        lengths: Vec<usize>,
    },
    /// More clutter than is drawn.
    #[error("at most {most_strokes} strokes and a speckle of 0 to {most_speckle}")]
    TooMuch {
        /// The most strokes.
        most_strokes: usize,
        /// The most speckle.
        most_speckle: f32,
    },
}

/// As in "3, 4 or 5".
fn list(numbers: &[usize]) -> String {
    let numbers: Vec<String> = numbers.iter().map(usize::to_string).collect();
    match numbers.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => String::new(),
    }
}
