//! Tests of scores.

use std::collections::HashSet;

use captcha_model::{Alternative, Character, Grid};

use super::*;

fn answer(text: &str, confidence: f32, others: &[&str]) -> Prediction {
    Prediction {
        text: text.into(),
        confidence,
        characters: text
            .chars()
            .map(|character| Character {
                character,
                confidence: 1.0,
                attention: Vec::new(),
                alternatives: Vec::new(),
            })
            .collect(),
        grid: Grid { rows: 1, cols: 1 },
        blank: false,
        alternatives: [&[text], others]
            .concat()
            .into_iter()
            .map(|text| Alternative {
                text: text.into(),
                confidence: 0.0,
            })
            .collect(),
    }
}

fn truth(text: &str) -> GroundTruth {
    GroundTruth {
        text: text.into(),
        characters: None,
        rendering: None,
    }
}

#[test]
fn repeated_answer_of_varied_labels_is_reported() {
    let score = |answers: &[&str], label: fn(usize) -> String| {
        let mut score = Score::default();
        for (index, text) in answers.iter().cycle().take(40).enumerate() {
            let label = label(index);
            score.count(
                &truth(&label),
                &answer(text, 0.5, &[]),
                &Comparison::default(),
            );
        }
        score.finish(Duration::from_secs(1));
        score
    };
    let characters = |index: usize| char::from(b'a' + (index % 26) as u8).to_string();
    let stuck = score(&["aa", "ab", "aa", "ac", "ad"], characters);
    let repeated = RepeatedAnswer {
        text: "aa".into(),
        images: 16,
        share: 0.4,
    };
    assert_eq!(stuck.repeated_answer, Some(repeated));
    assert!(
        stuck
            .to_string()
            .contains("warning: 40% of the answers are \"aa\"")
    );
    // Equal labels make equal answers correct.
    let alike = score(&["aa"], |_| "aa".into());
    assert_eq!(alike.repeated_answer, None);
    let mixed: Vec<String> = (0..26).map(characters).collect();
    let mixed: Vec<&str> = mixed.iter().map(String::as_str).collect();
    assert_eq!(score(&mixed, characters).repeated_answer, None);
}

#[test]
fn score_without_images_has_no_percentage() {
    let mut score = Score {
        unsupported: 3,
        ..Score::default()
    };
    score.finish(Duration::from_secs(1));
    let json = serde_json::to_value(&score).expect("a score is JSON");
    assert_eq!(json["unsupported"], 3);
    for key in [
        "accuracy",
        "interval",
        "character_accuracy",
        "calibration_error",
    ] {
        assert!(json[key].is_null(), "{key} in {json}");
    }
    let text = score.to_string();
    assert!(text.contains("no result") && !text.contains('%'), "{text}");
}

#[test]
fn score_counts_answers() {
    let lexicon = HashSet::from(["thus".to_owned(), "line".to_owned()]);
    let comparison = Comparison {
        lexicon: Some(&lexicon),
        ignore_case: false,
    };
    let mut score = Score::default();
    for (label, prediction) in [
        ("thus", answer("thus", 0.99, &[])),
        ("thus", answer("thes", 0.97, &["thus"])),
        ("line", answer("lin", 0.5, &["limb", "line"])),
        ("zqx", answer("zqx", 0.51, &["thus"])),
    ] {
        score.count(&truth(label), &prediction, &comparison);
    }
    score.finish(Duration::from_secs(2));
    assert_eq!((score.images, score.exact_matches), (4, 2));
    // 4 of 4, 3 of 4, 3 of 4 and 3 of 3 characters are correct.
    assert_eq!(score.character_accuracy, Some(13.0 / 15.0));
    // The lexicon corrects the second and the third answer and spoils the last.
    assert_eq!(score.lexicon_exact_matches, Some(3));
    // Only answers with the length of the label count.
    assert_eq!(score.confusions[&'u'], BTreeMap::from([('u', 1), ('e', 1)]));
    assert!(!score.confusions.contains_key(&'l'));
    // Two intervals with two answers each: (|1.96 - 1| + |1.01 - 1|) / 4.
    assert!((score.calibration_error.unwrap_or_default() - 0.97 / 4.0).abs() < 1e-6);
    assert_eq!(score.images_per_second, 2.0);
}

#[test]
fn score_without_case_counts_both_and_knows_no_confusion_of_cases() {
    let score = |ignore_case| {
        let comparison = Comparison {
            lexicon: None,
            ignore_case,
        };
        let mut score = Score::default();
        for (label, text) in [
            ("aBc", "aBc"),
            ("aBc", "abC"),
            ("Straße", "STRASSE"),
            ("ab", "ax"),
        ] {
            score.count(&truth(label), &answer(text, 0.5, &[]), &comparison);
        }
        score.finish(Duration::from_secs(1));
        score
    };
    let (with, without) = (score(false), score(true));
    assert_eq!((with.exact_matches, without.exact_matches), (1, 3));
    for score in [&with, &without] {
        assert_eq!(
            (score.matches_with_case, score.matches_ignoring_case),
            (1, 3)
        );
    }
    assert_eq!(with.confusions[&'B'], BTreeMap::from([('B', 1), ('b', 1)]));
    assert_eq!(without.confusions[&'B'], BTreeMap::from([('B', 2)]));
    assert_eq!(without.confusions[&'b'], BTreeMap::from([('x', 1)]));
    assert!(
        without
            .to_string()
            .contains("case ignored\nwith case               1 (25.000%)")
    );
    assert!(
        with.to_string()
            .contains("case ignored            3 (75.000%)")
    );
}

#[test]
fn by_place_counts_the_characters_at_each_place() {
    let mut score = Score::default();
    for (label, text) in [("abc", "abc"), ("abc", "xbc"), ("ab", "a"), ("abc", "abx")] {
        score.count(
            &truth(label),
            &answer(text, 0.5, &[]),
            &Comparison::default(),
        );
    }
    score.finish(Duration::from_secs(1));
    let places: Vec<_> = score
        .by_place
        .iter()
        .map(|tally| (tally.place, tally.correct, tally.characters))
        .collect();
    assert_eq!(places, [(1, 3, 4), (2, 3, 4), (3, 2, 3)]);
    assert_eq!(score.character_accuracy, Some(8.0 / 11.0));
    let text = score.to_string();
    assert!(
        text.contains("at place 2              75.000% of 4 characters"),
        "{text}"
    );
}
