//! Describes the labels that a network can write. `alphabet.js` and `verdict.js` of the page do the
//! same; `tests/audit/labels.json` tests both.

use captcha_model::ModelConfig;
use serde::{Deserialize, Serialize};

use crate::wording::plural;

/// Parts of an alphabet that are listed; for more, only their number is given.
const MAX_LISTED: usize = 16;

/// A kind of characters: its name, and a test for its members.
type Kind = (&'static str, fn(char) -> bool);

/// Kinds of characters; a character belongs to the first that fits.
const KINDS: [Kind; 5] = [
    ("small letters", char::is_lowercase),
    ("capital letters", char::is_uppercase),
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
#[derive(Clone, Debug, Serialize, Deserialize)]
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

impl AuditNetwork {
    /// The label in the case that the network knows, unless it knows both cases of some letter.
    pub(super) fn fold(&self, label: &str) -> String {
        if self.is_case_sensitive() {
            return label.to_owned();
        }
        let fold = |character: char| {
            let other = other_case(character).filter(|&other| self.knows(other));
            other
                .filter(|_| !self.knows(character))
                .unwrap_or(character)
        };
        label.chars().map(fold).collect()
    }

    /// Reasons why the network cannot write a folded label, as ends of a sentence that begins with
    /// "labels".
    pub(super) fn problems(&self, folded: &str) -> Vec<String> {
        let mut problems = Vec::new();
        for character in folded.chars().filter(|&character| !self.knows(character)) {
            let (name, of) = KINDS[kind(character)];
            let caseless = name.ends_with("letters") && !self.is_case_sensitive();
            let of = if caseless { char::is_alphabetic } else { of };
            let other = name == "characters" || self.alphabet.chars().any(of);
            let problem = format!(
                "contain {}{}",
                if other { "other " } else { "" },
                if caseless { "letters" } else { name }
            );
            if !problems.contains(&problem) {
                problems.push(problem);
            }
        }
        if folded.chars().count() > self.max_length {
            problems.push(format!(
                "are longer than {}",
                character_count(self.max_length)
            ));
        }
        problems
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
                parts.push(format!("{first} to {last}"));
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

fn shown(character: char) -> String {
    match character {
        ' ' => "the space".to_owned(),
        _ => character.to_string(),
    }
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
            for label in case["labels"].as_array().unwrap() {
                let folded = network.fold(label["label"].as_str().unwrap());
                assert_eq!(folded, label["folded"].as_str().unwrap());
                assert_eq!(Value::from(network.problems(&folded)), label["problems"]);
            }
        }
    }
}
