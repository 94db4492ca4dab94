use captcha_model::Vocabulary;
use captcha_model::vocabulary::{fold_case, lowercase};

use crate::support::code;

#[test]
fn ids_are_those_of_the_paper() {
    let vocabulary = Vocabulary::new("abcdefghijklmnopqrstuvwxyz").unwrap();
    assert_eq!(vocabulary.size(), 29);
    assert_eq!(
        (Vocabulary::PAD, Vocabulary::START, Vocabulary::END),
        (0, 1, 2)
    );
    assert_eq!(vocabulary.id('a'), Some(3));
    assert_eq!(vocabulary.id('z'), Some(28));
    assert_eq!(vocabulary.id('A'), None);
    assert_eq!(vocabulary.character(28), Some('z'));
    for nothing in [
        Vocabulary::PAD,
        Vocabulary::START,
        Vocabulary::END,
        29,
        usize::MAX,
    ] {
        assert_eq!(vocabulary.character(nothing), None);
    }
}

#[test]
fn target_has_start_end_and_padding() {
    let vocabulary = Vocabulary::new("abc").unwrap();
    assert_eq!(vocabulary.target("cab", 5).unwrap(), [1, 5, 3, 4, 2, 0, 0]);
    assert_eq!(vocabulary.target("", 2).unwrap(), [1, 2, 0, 0]);
    assert_eq!(vocabulary.target("abc", 3).unwrap(), [1, 3, 4, 5, 2]);
}

#[test]
fn target_of_an_unusable_label_is_an_error() {
    let vocabulary = Vocabulary::new("abc").unwrap();
    assert_eq!(code(vocabulary.target("abd", 5)), "unusable-label");
    assert_eq!(code(vocabulary.target("abca", 3)), "unusable-label");
}

#[test]
fn vocabulary_accepts_any_character_once() {
    let vocabulary = Vocabulary::new("0Ä字🦀").unwrap();
    assert_eq!(vocabulary.character(6), Some('🦀'));
    assert_eq!(code(Vocabulary::new("")), "invalid-config");
    assert_eq!(code(Vocabulary::new("aba")), "invalid-config");
}

#[test]
fn fold_converts_a_label_to_the_case_of_the_alphabet() {
    let lower = Vocabulary::new("abcdefghijklmnopqrstuvwxyz").unwrap();
    assert_eq!(lower.fold("ThUs"), "thus");
    assert_eq!(lower.fold("Ä1 İ"), "Ä1 İ"); // characters that the alphabet lacks stay
    let both = Vocabulary::new("abcABé").unwrap();
    assert_eq!(both.fold("AbCÉ"), "Abcé");
    assert_eq!(Vocabulary::new("sσς").unwrap().fold("ſΣς"), "sσς");
}

/// `tests/e2e/unit/audit-report.test.mjs` checks the same in the page.
#[test]
fn fold_case_agrees_with_the_page() {
    let cases: Vec<Vec<String>> =
        serde_json::from_str(include_str!("../../../../tests/audit/case.json")).unwrap();
    assert!(cases.len() > 10);
    let folded: Vec<Vec<String>> = cases
        .iter()
        .map(|same| same.iter().map(|text| fold_case(text)).collect())
        .collect();
    for (i, same) in folded.iter().enumerate() {
        assert!(same.iter().all(|text| *text == same[0]), "{:?}", cases[i]);
        for (j, other) in folded.iter().enumerate().skip(i + 1) {
            assert_ne!(same[0], other[0], "{:?} and {:?}", cases[i], cases[j]);
        }
    }
}

#[test]
fn lowercase_keeps_the_number_of_characters_and_the_folded_text() {
    assert_eq!(lowercase("ThUS 7ÄΣẞ"), "thus 7äσß");
    assert_eq!(lowercase("İ字"), "İ字");
    for character in '\0'..=char::MAX {
        let text = character.to_string();
        let small = lowercase(&text);
        assert_eq!(small.chars().count(), 1);
        assert_eq!(fold_case(&small), fold_case(&text), "{character:?}");
        assert_eq!(
            fold_case(&fold_case(&text)),
            fold_case(&text),
            "{character:?}"
        );
    }
}
