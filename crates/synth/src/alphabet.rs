//! Alphabets as people write them.

use crate::error::SynthError;

/// Most characters of a text.
pub const LONGEST_TEXT: usize = 16;

/// The characters of an alphabet, sorted, each once: `0-9a-f` stands for all digits and the letters
/// a to f.
///
/// # Errors
/// [`SynthError::BadAlphabet`] if there is a character that no font has.
pub fn parse_alphabet(text: &str) -> Result<String, SynthError> {
    expand_alphabet(text).ok_or_else(|| SynthError::BadAlphabet(text.to_owned()))
}

/// [`parse_alphabet`]; `None` if it is not an alphabet.
pub(crate) fn expand_alphabet(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let mut characters = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let (first, last, length) = match bytes[at..] {
            [first, b'-', last, ..] => (first, last, 3),
            [first, ..] => (first, first, 1),
            [] => break,
        };
        at += length;
        let same_class = class(first).is_some() && class(first) == class(last);
        if !same_class || first > last {
            return None;
        }
        characters.extend(first..=last);
    }
    characters.sort_unstable();
    characters.dedup();
    let text: String = characters.into_iter().map(char::from).collect();
    Some(text).filter(|text| !text.is_empty())
}

fn class(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(0),
        b'A'..=b'Z' => Some(1),
        b'a'..=b'z' => Some(2),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alphabet_with_ranges_names_each_character_once() {
        for (text, expanded) in [
            ("a-e", "abcde"),
            ("0-9a-c", "0123456789abc"),
            ("cab", "abc"),
            ("A-CB-D", "ABCD"),
            ("2-2x", "2x"),
        ] {
            assert_eq!(parse_alphabet(text).as_deref(), Ok(expanded));
        }
    }

    #[test]
    fn alphabet_with_other_characters_is_an_error() {
        for text in ["", "a-", "-a", "a-Z", "z-a", "a b", "ä", "a-c-"] {
            let error = parse_alphabet(text).expect_err("not an alphabet");
            assert_eq!(error, SynthError::BadAlphabet(text.into()), "{text}");
        }
    }
}
