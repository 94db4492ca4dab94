//! Whether labels are plausible, and whether a network can learn them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result, ensure};
use captcha_model::{ModelConfig, ModelError};

use crate::data::labels::{LabelledFile, has_label_file, is_word_character};
use crate::wording::plural;

/// Number of names from which on some may differ from a numbered sequence.
const MIN_WITH_EXCEPTION: usize = 4;
/// Characters that a label in a file name has at most, unless the network writes longer texts.
const LIKELY_LENGTH: usize = 12;

/// Whether a folder's labels probably are the texts of its images, unlike those of `captcha_1.png`.
///
/// Labels from a label file are. File names are, if at least four fifths of them are short and
/// consist of letters, digits and characters of the network, and if they are not all equal and
/// nearly all of them are not consecutive numbers. `areLikelyLabels` in `web/src/audit/labels.js` does the same in the audit
/// page.
///
/// # Errors
///
/// [`ModelError::InvalidConfig`] if the network has no valid alphabet.
pub fn labels_are_likely(
    folder: &Path,
    files: &[LabelledFile],
    config: &ModelConfig,
) -> Result<bool, ModelError> {
    if has_label_file(folder) {
        return Ok(true);
    }
    let vocabulary = config.vocabulary()?;
    let longest = config.max_length.max(LIKELY_LENGTH);
    let is_likely = |text: &str| {
        (1..=longest).contains(&text.chars().count())
            && text
                .chars()
                .all(|character| is_word_character(character) || vocabulary.id(character).is_some())
    };
    let labels: Vec<&str> = files.iter().map(|file| file.text.as_str()).collect();
    let likely = labels.iter().filter(|label| is_likely(label)).count();
    let differ = labels.iter().any(|label| *label != labels[0]);
    let some = 5 * likely >= 4 * labels.len();
    Ok(some && (labels.len() == 1 || differ && !are_numbered(&labels)))
}

/// Whether nearly all names are a prefix with consecutive numbers: `captcha001`, `captcha002`. Labels
/// of digits are not consecutive, and repeat where there are many.
fn are_numbered(labels: &[&str]) -> bool {
    let exceptions = if labels.len() < MIN_WITH_EXCEPTION {
        0
    } else {
        (labels.len() / 5).max(1)
    };
    let least = labels.len() - exceptions;
    // The different numbers after each prefix.
    let mut numbers: BTreeMap<&str, BTreeSet<u64>> = BTreeMap::new();
    for label in labels {
        let prefix = label.trim_end_matches(|character: char| character.is_ascii_digit());
        if let Ok(number) = label[prefix.len()..].parse() {
            numbers.entry(prefix).or_default().insert(number);
        }
    }
    numbers.values().any(|some| {
        let sorted: Vec<u64> = some.iter().copied().collect();
        sorted
            .windows(least)
            .any(|window| window[least - 1] - window[0] < 2 * least as u64)
    })
}

/// Checks before hours of training that every file exists and that the network can write its label.
///
/// # Errors
///
/// If a file is missing, or the network cannot write a label.
pub fn check_labels(files: &[LabelledFile], config: &ModelConfig) -> Result<()> {
    let vocabulary = config.vocabulary()?;
    let mut wrong = files.iter().filter_map(|file| {
        let error = vocabulary.target(&file.text, config.max_length).err()?;
        Some((file, error))
    });
    if let Some((LabelledFile { path, .. }, error)) = wrong.next() {
        let count = 1 + wrong.count();
        let characters: BTreeSet<char> = files.iter().flat_map(|file| file.text.chars()).collect();
        let longest = files.iter().map(|file| file.text.chars().count()).max();
        return Err(error)
            .with_context(|| path.display().to_string())
            .with_context(|| {
                format!(
                    "{count} of {} labels {} not fit the network. Its characters are {:?}, up to {} \
                     in a text; the labels contain {:?}, up to {}. Correct the labels, or write a \
                     preset with another network: copy the configuration from `captcha-lens info \
                     --json` to [model] and change its alphabet and max_length. Such a network \
                     starts from random weights",
                    files.len(),
                    plural(count, "does", "do"),
                    config.alphabet,
                    config.max_length,
                    characters.iter().collect::<String>(),
                    longest.unwrap_or_default()
                )
            });
    }
    for LabelledFile { path, .. } in files {
        ensure!(path.is_file(), "the file {} does not exist", path.display());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::data::labels::label_of_name;

    const WORDS: &str = "abcdefghijklmnopqrstuvwxyz";

    fn likely(names: &[&str], alphabet: &str) -> bool {
        let files: Vec<LabelledFile> = names
            .iter()
            .map(|name| LabelledFile {
                path: PathBuf::from(name),
                text: label_of_name(name).to_owned(),
            })
            .collect();
        let config = ModelConfig {
            alphabet: alphabet.into(),
            ..ModelConfig::compact()
        };
        labels_are_likely(Path::new("none"), &files, &config).is_ok_and(|likely| likely)
    }

    // `tests/e2e/unit/audit-files.test.mjs` checks the same in the page.
    #[test]
    fn labels_are_likely_for_letters_and_digits() {
        assert!(likely(&["049025", "137721", "950008", "002114"], WORDS));
        assert!(likely(&["HOUSE", "RIVER"], WORDS));
        assert!(likely(&["7kQ2", "b29x", "ñu"], WORDS));
        assert!(likely(&["thus (1)", "thus-2", "line(3)"], WORDS));
        assert!(!likely(&["1+2=", "3+4="], WORDS));
        assert!(likely(&["1+2=", "3+4="], "0123456789+="));
        assert!(likely(&["หมู", "x\u{302}y"], WORDS));
    }

    #[test]
    fn labels_are_likely_up_to_the_length_of_the_network() {
        let files = ["abcdefghijklmnop", "qrstuvwxyzabcdef"].map(|name| LabelledFile {
            path: PathBuf::from(name),
            text: name.to_owned(),
        });
        for (max_length, expected) in [(5, false), (16, true)] {
            let config = ModelConfig {
                max_length,
                ..ModelConfig::compact()
            };
            let likely = labels_are_likely(Path::new("none"), &files, &config);
            assert_eq!(likely.ok(), Some(expected), "{max_length}");
        }
    }

    #[test]
    fn labels_are_likely_rejects_numbered_names() {
        assert!(!likely(&["IMG_1", "IMG_2"], WORDS));
        assert!(!likely(&["2026-01-01", "2026-01-02"], WORDS));
        let numbered = |name: &str, from: usize| -> Vec<String> {
            (from..from + 20)
                .map(|number| format!("{name}{number:03}"))
                .collect()
        };
        for names in [
            numbered("", 1),
            numbered("", 20_190),
            numbered("captcha", 1),
        ] {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            assert!(!likely(&names, WORDS), "{names:?}");
            let others = [&names[..], &["thus", "900"]].concat();
            assert!(!likely(&others, WORDS), "{others:?}");
        }
        assert!(!likely(&["g0", "g1", "g2", "thus"], WORDS));
        assert!(likely(&["a1", "a2", "thus", "line", "kept"], WORDS));
        assert!(likely(&["048213", "048291", "137721", "950008"], WORDS));
    }
}
