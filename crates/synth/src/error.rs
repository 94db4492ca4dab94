//! What can go wrong when text from outside is read.

use thiserror::Error;

/// Why a word list or the name of a style or font set was refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
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
    #[error("unknown style {0:?}; the only one is \"words\"")]
    UnknownStyle(String),
    /// No font set goes by this name.
    #[error("unknown font set {0:?}; there are \"trained\" and \"held-out\"")]
    UnknownFontSet(String),
}
