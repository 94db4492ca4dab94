//! Which labels a network can write, in words; `alphabet.js` and `verdict.js` of the page say the
//! same, and `tests/audit/labels.json` holds both to it.

use captcha_model::{ModelConfig, Vocabulary};
use serde::{Deserialize, Serialize};

/// Parts of an alphabet that are listed; of more, only the number is given.
const LISTED: usize = 16;

/// A kind of characters: its name, and what belongs to it.
type Kind = (&'static str, fn(char) -> bool);

/// Kinds of characters, in the order in which they are told apart.
const KINDS: [Kind; 5] = [
    ("small letters", char::is_lowercase),
    ("capital letters", char::is_uppercase),
    ("digits", char::is_numeric),
    ("spaces", char::is_whitespace),
    ("characters", |_| true),
];

fn kind(letter: char) -> usize {
    KINDS
        .iter()
        .position(|(_, of)| of(letter))
        .unwrap_or_default()
}

/// What a network can write; `AuditNetwork` of the page's `types.d.ts`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Network {
    alphabet: String,
    max_letters: usize,
}

impl From<&ModelConfig> for Network {
    fn from(config: &ModelConfig) -> Self {
        Self {
            alphabet: config.alphabet.clone(),
            max_letters: config.max_letters,
        }
    }
}

impl Network {
    /// The label in the network's characters; case is ignored unless the network tells it apart.
    pub(super) fn fold(&self, label: &str) -> String {
        if self.tells_case() {
            return label.to_owned();
        }
        let fold = |letter: char| {
            let other = other_case(letter).filter(|&other| self.knows(other));
            other.filter(|_| !self.knows(letter)).unwrap_or(letter)
        };
        label.chars().map(fold).collect()
    }

    /// Why the network cannot write a folded label: each ends a sentence that begins with "labels".
    pub(super) fn problems(&self, folded: &str) -> Vec<String> {
        let mut problems = Vec::new();
        for letter in folded.chars().filter(|&letter| !self.knows(letter)) {
            let (name, of) = KINDS[kind(letter)];
            let caseless = name.ends_with("letters") && !self.tells_case();
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
        if folded.chars().count() > self.max_letters {
            problems.push(format!("are longer than {}", characters(self.max_letters)));
        }
        problems
    }

    /// What the network reads: "a to z, 1 to 5 characters".
    pub(super) fn describe(&self) -> String {
        let mut letters: Vec<char> = self.alphabet.chars().collect();
        letters.sort_by_key(|&letter| (kind(letter), letter));
        let mut runs: Vec<(char, char)> = Vec::new();
        for &letter in &letters {
            match runs.last_mut() {
                Some((first, last))
                    if letter as u32 == *last as u32 + 1 && kind(*first) == kind(letter) =>
                {
                    *last = letter;
                }
                _ => runs.push((letter, letter)),
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
        let some = if parts.len() > LISTED {
            format!("{} different characters", letters.len())
        } else {
            parts.join(", ")
        };
        let lengths = match self.max_letters {
            1 => "1 character".to_owned(),
            most => format!("1 to {}", characters(most)),
        };
        format!("{some}, {lengths}")
    }

    /// The vocabulary of these characters.
    pub(super) fn vocabulary(&self) -> anyhow::Result<Vocabulary> {
        Ok(Vocabulary::new(&self.alphabet)?)
    }

    fn knows(&self, letter: char) -> bool {
        self.alphabet.contains(letter)
    }

    /// Whether some letter is known in both cases.
    fn tells_case(&self) -> bool {
        let mut letters = self.alphabet.chars();
        letters.any(|letter| other_case(letter).is_some_and(|other| self.knows(other)))
    }
}

/// The same letter in the other case, if it has one.
fn other_case(letter: char) -> Option<char> {
    let single = |mut letters: Box<dyn Iterator<Item = char>>| {
        let first = letters.next();
        first.filter(|_| letters.next().is_none())
    };
    let lower = single(Box::new(letter.to_lowercase()));
    let upper = single(Box::new(letter.to_uppercase()));
    let other = if lower == Some(letter) { upper } else { lower };
    other.filter(|&other| other != letter)
}

fn characters(count: usize) -> String {
    match count {
        1 => "1 character".to_owned(),
        _ => format!("{count} characters"),
    }
}

fn shown(letter: char) -> String {
    match letter {
        ' ' => "the space".to_owned(),
        _ => letter.to_string(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn the_page_says_the_same() {
        let cases: Vec<Value> =
            serde_json::from_str(include_str!("../../../../tests/audit/labels.json")).unwrap();
        assert!(!cases.is_empty());
        for case in cases {
            let network: Network = serde_json::from_value(case.clone()).unwrap();
            assert_eq!(network.describe(), case["words"].as_str().unwrap());
            for label in case["labels"].as_array().unwrap() {
                let folded = network.fold(label["label"].as_str().unwrap());
                assert_eq!(folded, label["folded"].as_str().unwrap());
                assert_eq!(Value::from(network.problems(&folded)), label["problems"]);
            }
        }
    }
}
