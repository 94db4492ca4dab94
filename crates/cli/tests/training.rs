//! Notes, checkpoints and errors of `captcha-lens train`.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod command;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Output;

use captcha_trainer::training::run_folder::RunFolder;
use command::{fails, lens, succeeds, train_tiny};
use serde_json::Value;
use tempfile::TempDir;

fn log(output: &Output) -> String {
    let log = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{log}");
    log
}

/// A folder of `count` different images with labels as names.
fn labelled(folder: &Path, name: &str, count: usize) {
    let count = count.to_string();
    succeeds(
        folder,
        &["generate", "--count", &count, "--seed", "5", "--out", name],
    );
    let spec = folder.join(name).join("spec_train_val.txt");
    let labels = fs::read_to_string(&spec).unwrap();
    fs::remove_file(spec).unwrap();
    for line in labels.lines() {
        let (file, text) = line.split_once(' ').unwrap();
        let file = folder.join(name).join(file);
        let named = file.with_file_name(format!("{text}_{}", file.file_name().unwrap().display()));
        fs::rename(file.with_extension("png"), named.with_extension("png")).unwrap();
    }
}

fn run_json(folder: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(folder.join("run/run.json")).unwrap()).unwrap()
}

#[test]
fn resume_rejects_a_changed_folder() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    labelled(folder, "data", 14);
    let first = train_tiny(folder, &["--data", "data", "--minutes", "0"]);
    log(&first);
    // The record has the absolute path, so resuming works from another directory.
    fs::create_dir(folder.join("elsewhere")).unwrap();
    let resume = ["train", "--out", "../run", "--resume", "--device", "cpu"];
    let elsewhere = folder.join("elsewhere");
    let some = fs::read_dir(folder.join("data")).unwrap().next().unwrap();
    let (some, kept) = (some.unwrap().path(), folder.join("kept.png"));
    fs::rename(&some, &kept).unwrap();
    let error = fails(&elsewhere, &resume);
    assert!(
        error.contains("1 removed") && error.contains("--from"),
        "{error}"
    );
    fs::rename(&kept, folder.join("data/zzz_1.png")).unwrap();
    let error = fails(&elsewhere, &resume);
    assert!(error.contains("1 added, 1 removed"), "{error}");
    fs::rename(folder.join("data/zzz_1.png"), &some).unwrap();
    fs::copy(&some, folder.join("data/yyy_1.png")).unwrap();
    assert!(fails(&elsewhere, &resume).contains("1 added"));
    fs::remove_file(folder.join("data/yyy_1.png")).unwrap();
    succeeds(&elsewhere, &resume);
    assert!(folder.join("run/checkpoint/model-2.bpk").exists());
    // A weights file does not reveal paths.
    let path = folder.display().to_string();
    assert!(
        run_json(folder)["folder"]
            .as_str()
            .unwrap()
            .starts_with(&path)
    );
    let info = succeeds(folder, &["info", "run/weights.safetensors", "--json"]);
    assert!(
        !info.contains(&path) && info.contains("\"images\": "),
        "{info}"
    );
    // A new run may use the larger folder.
    fs::copy(&some, folder.join("data/yyy_1.png")).unwrap();
    let from = [
        "--from",
        "run/weights.safetensors",
        "--epochs",
        "1",
        "--out",
        "next",
    ];
    let next = [
        "train",
        "--preset",
        "tiny.toml",
        "--data",
        "data",
        "--device",
        "cpu",
    ];
    succeeds(folder, &[&next[..], &from].concat());
}

#[test]
fn resume_rejects_a_folder_that_an_earlier_version_split() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    labelled(folder, "data", 14);
    log(&train_tiny(folder, &["--data", "data", "--minutes", "0"]));
    let mut run = run_json(folder);
    for key in ["images", "folder"] {
        run.as_object_mut().unwrap().remove(key).unwrap();
    }
    fs::write(folder.join("run/run.json"), run.to_string()).unwrap();
    let error = fails(
        folder,
        &["train", "--out", "run", "--resume", "--device", "cpu"],
    );
    assert!(error.contains("earlier version"), "{error}");
}

#[test]
fn train_leaves_out_an_unreadable_image() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    labelled(folder, "data", 14);
    fs::write(folder.join("data/bad_1.png"), "no image").unwrap();
    let log = log(&train_tiny(folder, &["--data", "data", "--epochs", "1"]));
    assert!(
        log.contains("1 of 15 images cannot be read") && log.contains("bad_1.png"),
        "{log}"
    );
    let calibrated = succeeds(
        folder,
        &["calibrate", "run/weights.safetensors", "--data", "data"],
    );
    assert!(calibrated.contains("fitted to "), "{calibrated}");
}

#[test]
fn train_prints_notes_and_warnings() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    labelled(folder, "data", 14);
    let log = log(&train_tiny(folder, &["--data", "data"]));
    for words in [
        "training images are few",
        "this run takes 4 steps",
        "the preset's warm-up of 2 steps is too long for this run; it takes 0 steps",
        "word accuracy 0.0%",
        "best so far: epoch 1 with 0.0%",
        "note: saved epoch 2 of 2, which has the best validation accuracy: 0.0% of",
        "warning: no answer to a validation image was correct",
    ] {
        assert!(log.contains(words), "{words}: {log}");
    }
    assert!(!log.contains("about 0 seconds"), "{log}");
    assert_eq!(run_json(folder)["recipe"]["training"]["warmup_steps"], 0);
}

#[test]
fn train_warns_about_a_high_learning_rate() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    log(&train_tiny(folder, &["--epochs", "1"]));
    let tiny = fs::read_to_string(folder.join("tiny.toml")).unwrap();
    let high = tiny
        .replace("learning_rate = 1e-3", "learning_rate = 1.0")
        .replace("schedule = \"cosine\"", "schedule = \"constant\"")
        .replace("epochs = 2", "epochs = 6");
    fs::write(folder.join("high.toml"), high).unwrap();
    let output = lens(
        folder,
        &[
            "train",
            "--preset",
            "high.toml",
            "--device",
            "cpu",
            "--out",
            "high",
        ],
    );
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(
        log.contains("try a tenth of the learning rate (0.1)"),
        "{log}"
    );
}

#[test]
fn train_uses_several_workers() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    let two = log(&train_tiny(folder, &["--devices", "2"]));
    assert!(!two.contains("--devices"), "{two}");
    assert_eq!(run_json(folder)["devices"], 2);
    let again = fails(
        folder,
        &["train", "--out", "run", "--resume", "--device", "cpu"],
    );
    assert!(again.contains("already finished"), "{again}");
}

#[test]
fn resume_fails_while_another_process_trains() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    log(&train_tiny(folder, &["--minutes", "0"]));
    let resume = ["train", "--out", "run", "--resume", "--device", "cpu"];
    let lock = RunFolder::open(&folder.join("run"))
        .unwrap()
        .lock()
        .unwrap();
    let error = fails(folder, &resume);
    assert!(error.contains("another process trains in run"), "{error}");
    // Other commands still work.
    succeeds(folder, &["export", "run"]);
    drop(lock);
    succeeds(folder, &resume);
}

#[test]
fn resume_deletes_old_checkpoints() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    log(&train_tiny(folder, &["--epochs", "8", "--minutes", "0"]));
    log(&lens(
        folder,
        &["train", "--out", "run", "--resume", "--device", "cpu"],
    ));
    let best = RunFolder::open(&folder.join("run"))
        .unwrap()
        .best_epoch()
        .unwrap();
    let expected: BTreeSet<usize> = (4..=8).chain([best]).collect();
    for part in ["model", "optim", "scheduler"] {
        let files = fs::read_dir(folder.join("run/checkpoint")).unwrap();
        let epochs: BTreeSet<usize> = files
            .filter_map(|file| {
                let name = file.unwrap().file_name().into_string().unwrap();
                name.strip_prefix(part)?
                    .strip_prefix('-')?
                    .strip_suffix(".bpk")?
                    .parse()
                    .ok()
            })
            .collect();
        assert_eq!(epochs, expected, "{part}");
    }
}

#[test]
fn export_keeps_a_calibration() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    log(&train_tiny(folder, &[]));
    let weights = folder.join("run/weights.safetensors");
    succeeds(folder, &["export", "run", "--epoch", "1"]);
    succeeds(
        folder,
        &["calibrate", "run/weights.safetensors", "--count", "8"],
    );
    let calibrated = fs::read(&weights).unwrap();
    let same = lens(folder, &["export", "run", "--epoch", "1"]);
    assert!(log(&same).is_empty());
    assert!(fs::read(&weights).unwrap() == calibrated);
    let kept = folder.join("run/weights-epoch-1-calibrated.safetensors");
    assert!(!kept.exists());
    let other = lens(folder, &["export", "run", "--epoch", "2"]);
    assert!(log(&other).contains("weights-epoch-1-calibrated.safetensors"));
    assert!(fs::read(&kept).unwrap() == calibrated);
    let info = succeeds(folder, &["info", "run/weights.safetensors"]);
    assert!(
        info.contains("temperature    1\n") && info.contains("\nepoch          2\n"),
        "{info}"
    );
}

#[test]
fn train_starts_from_weights_with_another_alphabet_length_or_proportions() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    log(&train_tiny(folder, &["--epochs", "1"]));
    let tiny = fs::read_to_string(folder.join("tiny.toml")).unwrap();
    let other = tiny
        .replace("xyz\"", "xyz0\"")
        .replace("max_length = 5", "max_length = 6")
        .replace(
            "inverted = true",
            "inverted = true, proportions = \"Image\"",
        );
    assert_ne!(other, tiny);
    fs::write(folder.join("other.toml"), other).unwrap();
    let from = ["--from", "run/weights.safetensors", "--out", "other"];
    let data = [
        "--data",
        "synth:words=2,waves=1",
        "--epochs",
        "1",
        "--device",
        "cpu",
    ];
    let preset = ["train", "--preset", "other.toml"];
    succeeds(folder, &[&preset[..], &from, &data].concat());
    let info = succeeds(folder, &["info", "--json", "other/weights.safetensors"]);
    let info: Value = serde_json::from_str(&info).unwrap();
    let network = &info["configuration"];
    assert!(network["alphabet"].as_str().unwrap().ends_with("xyz0"));
    assert_eq!(network["max_length"], 6);
    assert_eq!(network["input"]["proportions"], "Image");
    assert_eq!(info["training"]["data"], "synth:words=2,waves=1");
}

#[cfg(unix)]
#[test]
fn train_interrupted_keeps_finished_epochs() {
    use std::io::{BufRead, BufReader};
    use std::process::{Command, Stdio};

    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    log(&train_tiny(folder, &["--epochs", "1"]));
    let mut training = Command::new(env!("CARGO_BIN_EXE_captcha-lens"))
        .current_dir(folder)
        .args([
            "train",
            "--preset",
            "tiny.toml",
            "--device",
            "cpu",
            "--out",
            "long",
        ])
        .args(["--epochs", "2000"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut log = String::new();
    let mut interrupted = false;
    for line in BufReader::new(training.stderr.take().unwrap()).lines() {
        log += &(line.unwrap() + "\n");
        if !interrupted && log.contains("epoch 3/2000 ") {
            let id = training.id().to_string();
            let sent = Command::new("kill").args(["-INT", &id]).status().unwrap();
            assert!(sent.success());
            interrupted = true;
        }
    }
    assert_eq!(training.wait().unwrap().code(), Some(1), "{log}");
    assert!(
        log.contains("stopping; Ctrl-C again stops at once"),
        "{log}"
    );
    assert!(
        log.contains("captcha-lens train --out long --resume"),
        "{log}"
    );
    let run = RunFolder::open(&folder.join("long")).unwrap();
    let last = run.last_epoch().unwrap();
    assert!(
        (2..2000).contains(&last) && log.contains(&format!("{last} finished epochs are saved")),
        "{log}"
    );
    assert!(run.weights().exists());
    let resume = [
        "train",
        "--out",
        "long",
        "--resume",
        "--device",
        "cpu",
        "--minutes",
        "0",
    ];
    succeeds(folder, &resume);
    assert_eq!(run.last_epoch().unwrap(), last + 1);
}
