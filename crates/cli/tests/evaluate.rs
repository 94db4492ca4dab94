//! The images of `captcha-lens evaluate`.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod command;

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
