//! Describes the labels that a network can write. `alphabet.js` and `verdict.js` of the page do the
//! same; `tests/audit/labels.json` tests both.

use captcha_model::ModelConfig;
use captcha_model::vocabulary::fold_case;
use serde::{Deserialize, Serialize};
use unicode_normalization::char::is_combining_mark;

use crate::wording::plural;

/// Parts of an alphabet that are listed; for more, only their number is given.
const MAX_LISTED: usize = 16;

/// A kind of characters: its name, and a test for its members.
type Kind = (&'static str, fn(char) -> bool);

/// Kinds of characters; a character belongs to the first that fits.
const KINDS: [Kind; 6] = [
    ("small letters", char::is_lowercase),
    ("capital letters", char::is_uppercase),
    ("letters", char::is_alphabetic),
    ("digits", char::is_numeric),
    ("spaces", char::is_whitespace),
    ("characters", |_| true),
];

fn kind(character: char) -> usize {
    KINDS
        .iter()
        .position(|(_, of)| of(character))
        .unwrap_or_default()
}

/// The texts that a network can write; `AuditNetwork` in the page's `types.d.ts`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AuditNetwork {
    alphabet: String,
    // Earlier versions saved it under the alias.
    #[serde(alias = "maxLetters")]
    max_length: usize,
}

impl From<&ModelConfig> for AuditNetwork {
    fn from(config: &ModelConfig) -> Self {
        Self {
            alphabet: config.alphabet.clone(),
            max_length: config.max_length,
        }
    }
}

/// How the labels of an audit are compared with what the network writes.
#[derive(Clone, Copy, Debug)]
pub(super) struct LabelRules<'a> {
    /// The network.
    pub(super) network: &'a AuditNetwork,
    /// Whether case is ignored, even if the network knows both cases.
    pub(super) ignore_case: bool,
}

impl LabelRules<'_> {
    /// Whether a text counts as a folded label.
    pub(super) fn equal(&self, text: &str, folded: &str) -> bool {
        text == folded || self.ignore_case && fold_case(text) == fold_case(folded)
    }

    /// The label in the case that the network knows, unless it knows both cases of some letter and
    /// case counts.
    pub(super) fn fold(&self, label: &str) -> String {
        let network = self.network;
        if self.has_case() {
            return label.to_owned();
        }
        let fold = |character: char| {
            if network.knows(character) {
                return character;
            }
            let other = other_case(character).filter(|&other| network.knows(other));
            other
                .or_else(|| network.same_letter(character))
                .unwrap_or(character)
        };
        label.chars().map(fold).collect()
    }

    /// Whether the two cases of a letter are different characters.
    fn has_case(&self) -> bool {
        !self.ignore_case && self.network.is_case_sensitive()
    }

    /// Reasons why the network cannot write a folded label, as ends of a sentence that begins with
    /// "labels".
    pub(super) fn problems(&self, folded: &str) -> Vec<String> {
        let network = self.network;
        let mut problems = Vec::new();
        for character in folded
            .chars()
            .filter(|&character| !network.knows(character))
        {
            let (name, of) = KINDS[kind(character)];
            let caseless = name.ends_with("letters") && !self.has_case();
            let of = if caseless { char::is_alphabetic } else { of };
            let other = name == "characters" || network.alphabet.chars().any(of);
            let problem = format!(
                "contain {}{}",
                if other { "other " } else { "" },
                if caseless { "letters" } else { name }
            );
            if !problems.contains(&problem) {
                problems.push(problem);
            }
        }
        if folded.chars().count() > network.max_length {
            problems.push(format!(
                "are longer than {}",
                character_count(network.max_length)
            ));
        }
        problems
    }
}

impl AuditNetwork {
    /// The network's first character that differs from this one only in case.
    fn same_letter(&self, character: char) -> Option<char> {
        let fold = |character: char| fold_case(character.encode_utf8(&mut [0; 4]));
        let folded = fold(character);
        self.alphabet.chars().find(|&known| fold(known) == folded)
    }

    /// Describes the texts: "a to z, 1 to 5 characters".
    pub(super) fn describe(&self) -> String {
        let mut characters: Vec<char> = self.alphabet.chars().collect();
        characters.sort_by_key(|&character| (kind(character), character));
        let mut runs: Vec<(char, char)> = Vec::new();
        for &character in &characters {
            match runs.last_mut() {
                Some((first, last))
                    if character as u32 == *last as u32 + 1 && kind(*first) == kind(character) =>
                {
                    *last = character;
                }
                _ => runs.push((character, character)),
            }
        }
        let mut parts = Vec::new();
        for (first, last) in runs {
            if last as u32 - first as u32 >= 2 {
                parts.push(format!("{} to {}", shown(first), shown(last)));
            } else {
                parts.extend((first..=last).map(shown));
            }
        }
        let some = if parts.len() > MAX_LISTED {
            format!("{} different characters", characters.len())
        } else {
            parts.join(", ")
        };
        let lengths = match self.max_length {
            1 => "1 character".to_owned(),
            most => format!("1 to {}", character_count(most)),
        };
        format!("{some}, {lengths}")
    }

    fn knows(&self, character: char) -> bool {
        self.alphabet.contains(character)
    }

    /// Whether the network knows both cases of some letter.
    fn is_case_sensitive(&self) -> bool {
        let mut characters = self.alphabet.chars();
        characters.any(|character| other_case(character).is_some_and(|other| self.knows(other)))
    }
}

/// The character in the other case, if it is a single character.
fn other_case(character: char) -> Option<char> {
    let single = |mut characters: Box<dyn Iterator<Item = char>>| {
        let first = characters.next();
        first.filter(|_| characters.next().is_none())
    };
    let lower = single(Box::new(character.to_lowercase()));
    let upper = single(Box::new(character.to_uppercase()));
    let other = if lower == Some(character) {
        upper
    } else {
        lower
    };
    other.filter(|&other| other != character)
}

fn character_count(count: usize) -> String {
    format!("{count} {}", plural(count, "character", "characters"))
}

/// A character in a sentence; `characterName` in `alphabet.js` does the same.
fn shown(character: char) -> String {
    match character {
        ' ' => "the space".to_owned(),
        // A mark needs a letter, for which Unicode has a dotted circle.
        _ if is_combining_mark(character) => format!("\u{25cc}{character}"),
        _ if character.is_whitespace() || is_invisible(character) => {
            format!("U+{:04X}", u32::from(character))
        }
        // Isolated, or the list around it would also run from right to left.
        _ if is_right_to_left(character) => format!("\u{2068}{character}\u{2069}"),
        _ => character.to_string(),
    }
}

/// Control and format characters that have no shape: those of ASCII and Latin-1, soft hyphen,
/// zero-width characters and marks of direction.
fn is_invisible(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// Characters of the blocks of scripts that are written from right to left.
fn is_right_to_left(character: char) -> bool {
    matches!(character, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefe}'
        | '\u{10800}'..='\u{10fff}' | '\u{1e800}'..='\u{1efff}')
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn describe_fold_and_problems_agree_with_the_page() {
        let cases: Vec<Value> =
            serde_json::from_str(include_str!("../../../../tests/audit/labels.json")).unwrap();
        assert!(!cases.is_empty());
        for case in cases {
            let network: AuditNetwork = serde_json::from_value(case.clone()).unwrap();
            assert_eq!(network.describe(), case["words"].as_str().unwrap());
            let rules = LabelRules {
                network: &network,
                ignore_case: case["ignoreCase"] == true,
            };
            for label in case["labels"].as_array().unwrap() {
                let folded = rules.fold(label["label"].as_str().unwrap());
                assert_eq!(folded, label["folded"].as_str().unwrap());
                assert_eq!(Value::from(rules.problems(&folded)), label["problems"]);
            }
        }
    }
}
