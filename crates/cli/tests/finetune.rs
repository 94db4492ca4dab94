//! `captcha-lens finetune` as a user runs it: what it says of bad input.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod command;

use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use command::{fails, lens, succeeds, train_tiny};
use image::{Rgb, RgbImage};
use serde_json::Value;
use tempfile::TempDir;

/// A recipe of two steps.
const RECIPE: &str = include_str!("../../learning/finetune.toml");

/// Weights of a tiny network for the letters a to z.
fn tiny_weights() -> &'static [u8] {
    static WEIGHTS: OnceLock<Vec<u8>> = OnceLock::new();
    WEIGHTS.get_or_init(|| {
        let folder = TempDir::new().unwrap();
        let output = train_tiny(folder.path(), &["--minutes", "0"]);
        assert!(output.status.success());
        fs::read(folder.path().join("run/weights.safetensors")).unwrap()
    })
}

/// A folder with weights, a short recipe and a labelled folder `data`; `labels` are the rows of its
/// label file.
fn folder(labels: &[(&str, &str)]) -> TempDir {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("tiny.safetensors"), tiny_weights()).unwrap();
    let recipe: String = RECIPE
        .lines()
        .map(|line| match line.split_once(" = ") {
            Some(("steps", _)) => "steps = 2\n".to_owned(),
            _ => format!("{line}\n"),
        })
        .collect();
    fs::write(folder.path().join("short.toml"), recipe).unwrap();
    let data = folder.path().join("data");
    fs::create_dir(&data).unwrap();
    let mut rows = String::from("file,label\n");
    for (index, (file, label)) in labels.iter().enumerate() {
        rows += &format!("{file},{label}\n");
        picture(&data.join(file), 40, 20, index as u8);
    }
    fs::write(data.join("labels.csv"), rows).unwrap();
    folder
}

fn picture(path: &Path, width: u32, height: u32, level: u8) {
    RgbImage::from_fn(width, height, |x, y| {
        Rgb([level.wrapping_mul(9), (x * 5) as u8, (y * 11) as u8])
    })
    .save(path)
    .unwrap();
}

const ARGUMENTS: [&str; 10] = [
    "finetune",
    "data",
    "--out",
    "out",
    "--from",
    "tiny.safetensors",
    "--recipe",
    "short.toml",
    "--device",
    "cpu",
];

/// Twelve images with labels of digits.
fn twelve() -> Vec<(String, String)> {
    (0..12)
        .map(|index| (format!("{index:02}.png"), format!("{}7", index % 10)))
        .collect()
}

fn borrowed(rows: &[(String, String)]) -> Vec<(&str, &str)> {
    rows.iter()
        .map(|(file, label)| (&**file, &**label))
        .collect()
}

#[test]
fn finetune_tells_what_it_left_out_and_goes_on() {
    let mut rows = twelve();
    rows.push(("long.png".into(), "12345678901234567".into()));
    rows.push(("gone.png".into(), "55".into()));
    rows.push(("broken.png".into(), "56".into()));
    let folder = folder(&borrowed(&rows));
    let data = folder.path().join("data");
    fs::remove_file(data.join("gone.png")).unwrap();
    fs::write(data.join("broken.png"), b"no image").unwrap();
    picture(&data.join("03.png"), 60, 20, 3);
    let output = lens(folder.path(), &[&ARGUMENTS[..], &["--json"]].concat());
    let log = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{log}");
    for sentence in [
        "longer than 16 characters",
        "long.png",
        "in the label file but not in the folder",
        "gone.png",
        "1 of 13 images cannot be read",
        "broken.png",
        "2 sizes",
        "12 labelled images are few",
        "few training images contain",
    ] {
        assert!(log.contains(sentence), "{sentence}: {log}");
    }
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["alphabet"], "0123456789");
    assert_eq!(report["max_length"], 2);
    assert_eq!(report["end"], "finished");
    assert!(report["temperature"].is_null(), "too few images");
    // The weights are used like any others.
    let text = succeeds(
        folder.path(),
        &[
            "recognize",
            "data/00.png",
            "--weights",
            "out/weights.safetensors",
            "--json",
        ],
    );
    assert!(text.contains("\"text\""), "{text}");
    // A second run overwrites nothing.
    assert!(fails(folder.path(), &ARGUMENTS).contains("out"));
}

#[test]
fn finetune_of_unusable_folders_is_an_error() {
    let long = [
        ("a.png", "12345678901234567"),
        ("b.png", "12345678901234567"),
    ];
    let error = fails(folder(&long).path(), &ARGUMENTS);
    assert!(error.contains("longer than 16 characters"), "{error}");

    let one = folder(&[("a.png", "12")]);
    assert!(fails(one.path(), &ARGUMENTS).contains("too few images"));

    let columns = folder(&borrowed(&twelve()));
    fs::write(columns.path().join("data/labels.csv"), "id,price\n1,2\n").unwrap();
    let error = fails(columns.path(), &ARGUMENTS);
    assert!(
        error.contains("columns must be called file and label"),
        "{error}"
    );

    let fine = folder(&borrowed(&twelve()));
    let curve = [&ARGUMENTS[..], &["--learning-curve", "6,500"]].concat();
    let error = fails(fine.path(), &curve);
    assert!(error.contains("500 labels is not possible"), "{error}");
    assert!(!fine.path().join("out").exists(), "nothing was started");
}

#[test]
fn finetune_ignores_case_on_request() {
    let mut rows = twelve();
    for (index, (_, label)) in rows.iter_mut().enumerate() {
        *label = if index % 2 == 0 {
            "aB".into()
        } else {
            "Ab".into()
        };
    }
    let folder = folder(&borrowed(&rows));
    let report = |more: &[&str]| -> Value {
        let output = succeeds(folder.path(), &[&ARGUMENTS[..], &["--json"], more].concat());
        fs::remove_dir_all(folder.path().join("out")).unwrap();
        serde_json::from_str(&output).unwrap()
    };
    assert_eq!(report(&[])["alphabet"], "ABab");
    assert_eq!(report(&["--ignore-case"])["alphabet"], "ab");
}
