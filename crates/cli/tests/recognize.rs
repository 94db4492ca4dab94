//! `captcha-lens recognize`, run as a program.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod command;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use command::{lens, succeeds};
use serde_json::Value;
use tempfile::TempDir;

/// The folder of the page's samples.
fn samples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../web/samples")
}

#[test]
fn recognize_prints_images_in_order_and_continues_after_errors() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    fs::create_dir(folder.join("good")).unwrap();
    for (sample, name) in [("whale.png", "g0.png"), ("team.png", "g1.png")] {
        fs::copy(samples().join(sample), folder.join("good").join(name)).unwrap();
    }
    let png = fs::read(folder.join("good/g0.png")).unwrap();
    fs::write(folder.join("text.png"), "no image").unwrap();
    fs::write(folder.join("cut.png"), &png[..png.len() / 2]).unwrap();
    fs::write(folder.join("empty.png"), "").unwrap();
    let mut huge = png[..33].to_vec(); // signature and header
    huge[16..20].copy_from_slice(&30_000u32.to_be_bytes());
    huge[20..24].copy_from_slice(&30_000u32.to_be_bytes());
    let checksum = crc32fast::hash(&huge[12..29]);
    huge[29..33].copy_from_slice(&checksum.to_be_bytes());
    fs::write(folder.join("huge.png"), huge).unwrap();

    image::RgbImage::from_pixel(600, 320, image::Rgb([255; 3]))
        .save(folder.join("blank.png"))
        .unwrap();

    let images = [
        "good/g0.png",
        "text.png",
        "cut.png",
        "empty.png",
        "huge.png",
        "gone.png",
        "good/g1.png",
        "blank.png",
    ];
    let output = lens(
        folder,
        &[&["recognize", "--json", "--alternatives", "3"], &images[..]].concat(),
    );
    assert_eq!(output.status.code(), Some(1));
    let lines: Vec<Value> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), images.len());
    for (line, path) in lines.iter().zip(images) {
        assert_eq!(line["path"], path);
    }
    for line in [&lines[0], &lines[6]] {
        let (rows, cols) = (line["grid"]["rows"].as_u64(), line["grid"]["cols"].as_u64());
        let positions = (rows.unwrap() * cols.unwrap()) as usize;
        for character in line["characters"].as_array().unwrap() {
            let attention = character["attention"].as_array().unwrap();
            let sum: f64 = attention
                .iter()
                .map(|weight| weight.as_f64().unwrap())
                .sum();
            assert!(attention.len() == positions && (sum - 1.0).abs() < 1e-3);
        }
        assert_eq!(line["alternatives"].as_array().unwrap().len(), 3);
        assert!(line["milliseconds"].is_number() && line["confidence"].is_number());
    }
    for (line, code) in lines[1..5].iter().zip([
        "unreadable-image",
        "unreadable-image",
        "unreadable-image",
        "image-too-large",
    ]) {
        assert_eq!(line["code"], code, "{line}");
        assert!(line["error"].is_string());
    }
    for line in &lines[1..6] {
        let (error, path) = (
            line["error"].as_str().unwrap(),
            line["path"].as_str().unwrap(),
        );
        assert!(!error.contains(path), "the path is repeated: {line}");
    }
    assert_eq!(lines[5]["code"], "unreadable-file");
    assert!(lines[5]["error"].as_str().unwrap().contains("No such file"));
    assert_eq!(
        (&lines[7]["text"], &lines[7]["code"], &lines[7]["blank"]),
        (&"".into(), &"no-characters".into(), &true.into())
    );
    assert_eq!(lines[0]["blank"], false);
    for line in [&lines[0], &lines[6]] {
        assert_eq!(line["alternatives"][0]["text"], line["text"]);
    }
    assert_eq!(lines[7]["alternatives"], serde_json::json!([]));
    // As text, the path precedes the error.
    let output = lens(folder, &["recognize", "blank.png", "gone.png", "good"]);
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(printed, "blank.png: no characters, the image is blank\n");
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        errors.starts_with("gone.png: The file cannot be read"),
        "{errors}"
    );
    assert!(
        errors.contains("good: This is a folder.") && errors.contains("audit"),
        "{errors}"
    );
}

#[test]
fn recognize_reads_standard_input() {
    let output = Command::new(env!("CARGO_BIN_EXE_captcha-lens"))
        .args(["recognize", "-"])
        .stdin(fs::File::open(samples().join("whale.png")).unwrap())
        .output()
        .unwrap();
    let piped = String::from_utf8(output.stdout).unwrap();
    let named = succeeds(&samples(), &["recognize", "whale.png"]);
    assert_eq!(piped.strip_prefix("-"), named.strip_prefix("whale.png"));
}

#[test]
fn recognize_reads_the_samples_of_the_page() {
    let samples = samples();
    let list: Vec<Value> =
        serde_json::from_str(&fs::read_to_string(samples.join("index.json")).unwrap()).unwrap();
    assert_eq!(list.len(), 6);
    for sample in list {
        let json = succeeds(
            &samples,
            &["recognize", "--json", sample["file"].as_str().unwrap()],
        );
        let read: Value = serde_json::from_str(&json).unwrap();
        assert_eq!(read["text"], sample["text"]);
    }
}
