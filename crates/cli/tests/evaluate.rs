//! The images of `captcha-lens evaluate`.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod command;

use std::fs;

use command::succeeds;
use serde_json::Value;
use tempfile::TempDir;

#[test]
fn evaluate_synth_uses_the_images_of_generate_test() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    let generate = ["generate", "--count", "4", "--seed", "5", "--out"];
    succeeds(folder, &[&generate[..], &["test", "--test"]].concat());
    succeeds(folder, &[&generate[..], &["set"]].concat());
    // Confidence differs from image to image.
    let error = |images: &[&str]| {
        let score = succeeds(folder, &[&["evaluate", "--json"][..], images].concat());
        let score: Value = serde_json::from_str(&score).unwrap();
        score["calibration_error"].as_f64().unwrap()
    };
    let measured = error(&["--synth", "words", "--count", "4", "--seed", "5"]);
    assert!((measured - error(&["test"])).abs() < 1e-9);
    assert!((measured - error(&["set"])).abs() > 1e-9);
}

#[test]
fn evaluate_counts_unsupported_labels_apart() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    succeeds(folder, &["generate", "--count", "3", "--out", "a"]);
    for (image, label) in [("g0", "7391"), ("g1", "balloon"), ("g2", "abc")] {
        let from = folder.join(format!("a/{image}.png"));
        fs::rename(from, folder.join(format!("a/{label}.png"))).unwrap();
    }
    fs::remove_file(folder.join("a/spec_train_val.txt")).unwrap();
    let score = succeeds(folder, &["evaluate", "a", "--json"]);
    let score: Value = serde_json::from_str(&score).unwrap();
    assert_eq!(
        (&score["images"], &score["unsupported"]),
        (&1.into(), &2.into())
    );
    let printed = succeeds(folder, &["evaluate", "a"]);
    assert!(
        printed.contains("unsupported             2 of 3 labels"),
        "{printed}"
    );
    assert!(
        printed.contains("says nothing about the 2 images"),
        "{printed}"
    );

    fs::remove_file(folder.join("a/abc.png")).unwrap();
    let score = succeeds(folder, &["evaluate", "a", "--json"]);
    let score: Value = serde_json::from_str(&score).unwrap();
    assert!(
        score["accuracy"].is_null() && score["interval"].is_null(),
        "{score}"
    );
    let printed = succeeds(folder, &["evaluate", "a"]);
    assert!(printed.contains("There is no result"), "{printed}");
    assert!(!printed.contains('%'), "{printed}");
}

#[test]
fn evaluate_accepts_earlier_names_of_options_and_values() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    let synth = ["evaluate", "--json", "--synth", "words", "--count", "2"];
    let score = |more: &[&str]| -> Value {
        let json = succeeds(folder, &[&synth[..], more].concat());
        let mut score: Value = serde_json::from_str(&json).unwrap();
        score["images_per_second"] = Value::Null;
        score
    };
    for (old, new) in [
        (&["--bent"][..], &["--distorted"][..]),
        (&["--degraded"], &["--augmented"]),
        (&["--fonts", "trained"], &["--fonts", "train"]),
        (&["--fonts", "more"], &["--fonts", "extra"]),
    ] {
        assert_eq!(score(old), score(new), "{old:?}");
    }
}
