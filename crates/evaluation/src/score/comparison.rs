//! How an answer is compared with its label.

use std::collections::HashSet;

use captcha_model::Prediction;
use captcha_model::vocabulary::fold_case;

/// How answers are compared with labels; by default, all characters must be equal.
#[derive(Clone, Copy, Debug, Default)]
pub struct Comparison<'a> {
    /// Texts that correct the answers.
    pub lexicon: Option<&'a HashSet<String>>,
    /// Whether texts are equal that differ only in case ([`fold_case`]).
    pub ignore_case: bool,
}

impl Comparison<'_> {
    /// Whether an answer counts as its label.
    pub fn equal(&self, answer: &str, label: &str) -> bool {
        answer == label || self.ignore_case && fold_case(answer) == fold_case(label)
    }

    /// Whether two characters count as the same.
    pub(super) fn same_character(&self, a: char, b: char) -> bool {
        self.equal(a.encode_utf8(&mut [0; 4]), b.encode_utf8(&mut [0; 4]))
    }

    /// The most likely alternative in the lexicon, else the answer; `None` without a lexicon.
    pub(super) fn in_lexicon<'b>(&self, prediction: &'b Prediction) -> Option<&'b str> {
        let lexicon = self.lexicon?;
        // A lexicon is in the network's case, of which a network with both cases has several.
        let is_listed = |text: &str| {
            lexicon.contains(text)
                || self.ignore_case && lexicon.iter().any(|word| self.equal(word, text))
        };
        let mut alternatives = prediction.alternatives.iter();
        let listed = alternatives.find(|answer| is_listed(&answer.text));
        Some(listed.map_or(&prediction.text, |answer| &answer.text))
    }
}
