//! Runs the program as a user does.

#![allow(dead_code, reason = "each test file uses its own part")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

/// A preset with a small network and a short run.
const TINY: &str = r#"
[model]
alphabet = "abcdefghijklmnopqrstuvwxyz"
max_length = 5
input = { height = 20, width = 40, resampling = "Area", inverted = true }
encoder = { blocks = [
    { filters = 4, padded = false, norm = true, pool = true },
    { filters = 4, padded = true, norm = false, pool = true },
], dropout = 0.1, features = 8, norm_momentum = 0.1, pool_first = true }
decoder = { embedding = 4, units = 8, attention = 8, carry_state = true }

[data]
random_share = 0.5
blank_share = 0.1

[training]
epochs = 2
images_per_epoch = 24
validation_images = 8
batch = 8
learning_rate = 1e-3
warmup_steps = 2
schedule = "cosine"
weight_decay = 1e-4
gradient_clip = 1.0
character_map_weight = 0.5
"#;

pub(crate) fn lens(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_captcha-lens"));
    if arguments.first() == Some(&"train") {
        // One thread makes runs reproducible to the last bit.
        command.env("RAYON_NUM_THREADS", "1");
    }
    command
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap()
}

/// Standard output of a call that must succeed.
pub(crate) fn succeeds(folder: &Path, arguments: &[&str]) -> String {
    let output = lens(folder, arguments);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

/// Standard error of a call that must fail, without a panic.
pub(crate) fn fails(folder: &Path, arguments: &[&str]) -> String {
    let output = lens(folder, arguments);
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success(), "{arguments:?} succeeded");
    assert!(!errors.contains("panicked"), "{errors}");
    errors
}

pub(crate) fn train_tiny(folder: &Path, more: &[&str]) -> Output {
    fs::write(folder.join("tiny.toml"), TINY).unwrap();
    let arguments = [
        "train",
        "--preset",
        "tiny.toml",
        "--out",
        "run",
        "--device",
        "cpu",
    ];
    lens(folder, &[&arguments, more].concat())
}

/// The data in an audit report.
pub(crate) fn embedded(report: &Path) -> Value {
    let html = fs::read_to_string(report).unwrap();
    let (_, rest) = html.split_once(r#"id="data">"#).unwrap();
    serde_json::from_str(rest.split_once("</script>").unwrap().0).unwrap()
}
