//! Runs of `captcha-lens train` and what other commands do with them.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod command;

use std::fs;

use captcha_trainer::training::run_folder::RunFolder;
use command::{fails, lens, succeeds, train_tiny};
use serde_json::Value;
use tempfile::TempDir;

const RESUME: [&str; 6] = ["train", "--out", "run", "--resume", "--device", "cpu"];
const WEIGHTS: &str = "run/weights.safetensors";

/// A folder with a finished run of two epochs and the weights of the second.
fn trained() -> TempDir {
    let folder = TempDir::new().unwrap();
    let trained = train_tiny(folder.path(), &[]);
    let errors = String::from_utf8_lossy(&trained.stderr);
    assert!(trained.status.success(), "{errors}");
    succeeds(folder.path(), &["export", "run", "--epoch", "2"]);
    folder
}

#[test]
fn train_stopped_after_an_epoch_is_resumed() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    let first = train_tiny(folder, &["--minutes", "0"]);
    assert!(
        first.status.success(),
        "{}",
        String::from_utf8_lossy(&first.stderr)
    );
    assert!(folder.join("run/checkpoint/model-1.bpk").exists());
    assert!(!folder.join("run/checkpoint/model-2.bpk").exists());

    let again = train_tiny(folder, &[]);
    let errors = String::from_utf8_lossy(&again.stderr).into_owned();
    assert!(
        !again.status.success() && errors.contains("--resume"),
        "{errors}"
    );

    let output = lens(folder, &RESUME);
    let log = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{log}");
    assert!(
        log.contains("epoch 2/2") && !log.contains("epoch 1/2"),
        "{log}"
    );
    assert!(folder.join("run/checkpoint/model-2.bpk").exists());
    assert!(fails(folder, &RESUME).contains("already finished"));
}

#[test]
fn export_of_an_epoch_without_checkpoint_fails() {
    let folder = trained();
    let error = fails(folder.path(), &["export", "run", "--epoch", "7"]);
    assert!(error.contains("those of [1, 2]"));
}

#[test]
fn average_takes_two_files_or_more() {
    let folder = trained();
    let folder = folder.path();
    succeeds(folder, &["average", WEIGHTS, WEIGHTS, "--out", "mean"]);
    assert!(succeeds(folder, &["info", "mean"]).contains("captcha-lens average"));
    fails(folder, &["average", WEIGHTS, "--out", "mean"]);
}

#[test]
fn quantized_weights_are_smaller_and_give_the_same_answers() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    let shipped = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../web/models/compact.safetensors"
    );
    let bytes = |path: &str| fs::read(folder.join(path)).unwrap();
    // The shipped weights are quantized. The mean of a network and itself has 16 bits.
    succeeds(folder, &["quantize", shipped, "--out", "small"]);
    assert!(
        bytes("small") == bytes(shipped),
        "twice is the same as once"
    );
    succeeds(folder, &["average", shipped, shipped, "--out", "half"]);
    succeeds(folder, &["quantize", "half", "--out", "small"]);
    assert!(bytes("small").len() * 3 < bytes("half").len() * 2);
    let json = |args: &[&str]| -> Value { serde_json::from_str(&succeeds(folder, args)).unwrap() };
    let info = |weights: &str| json(&["info", weights, "--json"]);
    assert_eq!(info("small"), info("half"));
    let matches = |weights: &str| {
        let images = ["--synth", "words", "--count", "24", "--json"];
        json(&[&["evaluate", "--weights", weights], &images[..]].concat())["exact_matches"].clone()
    };
    assert_eq!(matches("small"), matches("half"));
    assert!(fails(folder, &["quantize", "gone", "--out", "small"]).contains("gone"));
}

#[test]
fn resume_rejects_truncated_checkpoints_and_other_settings() {
    let folder = trained();
    let folder = folder.path();
    let run_json = folder.join("run/run.json");
    let kept = fs::read_to_string(&run_json).unwrap();
    fs::write(&run_json, kept.replace("\"epochs\": 2", "\"epochs\": 3")).unwrap();
    for part in ["scheduler", "optim", "model"] {
        let path = folder.join(format!("run/checkpoint/{part}-2.bpk"));
        let complete = fs::read(&path).unwrap();
        fs::write(&path, &complete[..20]).unwrap();
        assert!(
            fails(folder, &RESUME).contains("cannot read checkpoint"),
            "{part}"
        );
        fs::write(&path, complete).unwrap();
    }
    // The schedule counts steps, and their number depends on the devices.
    let more = fails(folder, &[&RESUME[..], &["--devices", "2"]].concat());
    assert!(more.contains("started with --devices 1"), "{more}");
    fs::write(&run_json, kept.replace("\"batch\": 8", "\"batch\": 0")).unwrap();
    assert!(fails(folder, &RESUME).contains("batch must be at least 1"));
}

#[test]
fn info_describes_network_and_training() {
    let folder = trained();
    let info = succeeds(folder.path(), &["info", WEIGHTS]);
    assert!(
        info.contains("4 x 9") && info.contains("\nepoch          2\n"),
        "{info}"
    );
    assert!(info.contains("\nimages seen    48\n"), "{info}");
    let info = succeeds(folder.path(), &["info", WEIGHTS, "--json"]);
    let info: Value = serde_json::from_str(&info).unwrap();
    assert!(
        info["training"]["validation_accuracy"].is_number(),
        "{info}"
    );
}

#[test]
fn calibrate_changes_the_temperature_and_no_other_file() {
    let folder = trained();
    let folder = folder.path();
    fs::write(folder.join("run/weights.calibrated"), "mine").unwrap();
    #[cfg(unix)]
    let weights = {
        std::os::unix::fs::symlink(WEIGHTS, folder.join("link")).unwrap();
        "link"
    };
    #[cfg(not(unix))]
    let weights = WEIGHTS;
    let calibrated = succeeds(folder, &["calibrate", weights, "--count", "16"]);
    assert!(calibrated.starts_with("temperature "), "{calibrated}");
    let info = succeeds(folder, &["info", WEIGHTS]);
    assert!(!info.contains("temperature    1\n"), "{info}");
    assert_eq!(
        fs::read(folder.join("run/weights.calibrated")).unwrap(),
        b"mine"
    );
    assert!(fails(folder, &["calibrate", "missing.safetensors"]).contains("cannot read"));
}

#[test]
fn figures_draws_every_figure() {
    let folder = trained();
    let folder = folder.path();
    let drawn = succeeds(
        folder,
        &["figures", "run", "--out", "figures", "--count", "12"],
    );
    assert!(drawn.contains("calibration error"), "{drawn}");
    for name in [
        "loss",
        "samples",
        "by-length",
        "by-font",
        "by-strokes",
        "confusions",
        "reliability",
    ] {
        let path = folder.join("figures").join(name);
        let svg = fs::read_to_string(path.with_extension("svg")).unwrap();
        assert!(svg.starts_with("<svg") && svg.contains("<text"), "{name}");
        let image = image::open(path.with_extension("png")).unwrap().to_rgb8();
        let ink = image.pixels().filter(|pixel| pixel.0 != [255; 3]).count();
        assert!(ink > 500, "{name}: {ink} pixels that are not white");
    }
    assert!(fails(folder, &["figures", "missing", "--out", "x"]).contains("contains no run"));
}

#[test]
fn train_from_weights_continues_their_images() {
    let folder = trained();
    let folder = folder.path();
    let from = ["--from", WEIGHTS, "--epochs", "1", "--device", "cpu"];
    let train = |preset, out| [&["train", "--preset", preset, "--out", out], &from[..]].concat();
    succeeds(folder, &train("tiny.toml", "second"));
    let second = fs::read_to_string(folder.join("second/run.json")).unwrap();
    let second: Value = serde_json::from_str(&second).unwrap();
    assert_eq!(second["first_image"], 48, "no image is used again");
    let other = [&train("tiny.toml", "other")[..], &["--seed", "2"]].concat();
    succeeds(folder, &other);
    let other = fs::read_to_string(folder.join("other/run.json")).unwrap();
    assert!(other.contains("\"first_image\": 0"), "{other}");
    assert!(fails(folder, &train("compact", "third")).contains("another network"));
    // Importance sampling, also of the character map.
    let tiny = fs::read_to_string(folder.join("tiny.toml")).unwrap();
    let sampled = tiny.replace("batch = 8", "batch = 4\nsampling_ratio = 2");
    fs::write(folder.join("sampled.toml"), sampled).unwrap();
    succeeds(folder, &train("sampled.toml", "fourth"));
}

#[test]
fn run_with_earlier_field_names_is_resumed() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    assert!(train_tiny(folder, &["--minutes", "0"]).status.success());
    let path = folder.join("run/run.json");
    let mut record = fs::read_to_string(&path).unwrap();
    for (now, before) in [
        ("distortion_share", "bent_share"),
        ("extra_fonts_share", "more_faces_share"),
        ("augmented_share", "degraded_share"),
        ("sampling_ratio", "candidates"),
    ] {
        assert!(record.contains(now), "{now} in {record}");
        record = record.replace(now, before);
    }
    fs::write(&path, record).unwrap();
    succeeds(folder, &RESUME);
    assert!(folder.join("run/checkpoint/model-2.bpk").exists());
}

#[test]
fn resume_uses_only_the_requested_device() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    assert!(train_tiny(folder, &["--minutes", "0"]).status.success());
    // burn's default device is one that this build does not have: opening it would panic.
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_captcha-lens"))
        .args(["train", "--out", "run", "--resume", "--device", "cpu"])
        .env("BURN_DEVICE", "cuda")
        .current_dir(folder)
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
}

#[test]
fn run_keeps_its_network_when_a_preset_changes() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    assert!(train_tiny(folder, &["--epochs", "1"]).status.success());
    let path = folder.join("run/run.json");
    let mut run: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    run["recipe"]["model"] = "paper".into();
    run["recipe"]["training"]["epochs"] = 2.into();
    fs::write(&path, run.to_string()).unwrap();
    succeeds(folder, &["export", "run"]);
    let info = succeeds(folder, &["info", "run/weights.safetensors"]);
    assert!(info.contains("4 x 9"), "{info}");

    // An earlier version recorded only the name, which now names another network.
    run.as_object_mut().unwrap().remove("network").unwrap();
    fs::write(&path, run.to_string()).unwrap();
    assert!(fails(folder, &["export", "run"]).contains("different network"));
    let resume = ["train", "--out", "run", "--resume", "--device", "cpu"];
    assert!(fails(folder, &resume).contains("different network"));
}

#[test]
fn best_epoch_has_the_best_validation_accuracy() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    assert!(train_tiny(folder, &["--epochs", "1"]).status.success());
    let run = folder.join("run");
    // Batches are weighted by their images: 20%, 30% and 25%.
    for (epoch, log) in [
        (1, "20,8\n20,8\n"),
        (2, "0,4\n45,8\n"),
        (3, "100,4\n0,12\n"),
    ] {
        for part in ["model", "optim", "scheduler"] {
            let file = |epoch| run.join(format!("checkpoint/{part}-{epoch}.bpk"));
            if epoch > 1 {
                fs::copy(file(1), file(epoch)).unwrap();
            }
        }
        let logs = run.join(format!("valid/epoch-{epoch}"));
        fs::create_dir_all(&logs).unwrap();
        fs::write(logs.join("Word_accuracy.log"), log).unwrap();
    }
    let run = RunFolder::open(&run).unwrap();
    assert_eq!(run.validation(2).unwrap(), Some(30.0));
    assert_eq!(run.best_epoch().unwrap(), 2);
    fs::remove_dir_all(folder.join("run/valid/epoch-3")).unwrap();
    let error = run.best_epoch().unwrap_err().to_string();
    assert!(error.contains("validation accuracy of epoch 3"), "{error}");
}

#[test]
fn train_with_invalid_arguments_makes_no_folder() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    let big = u64::MAX.to_string();
    for (mistake, complaint) in [
        (&["--data", "nowhere"][..], "not a folder"),
        (&["--data", "synth:clouds"], "clouds"),
        (&["--devices", "0"], "between 1 and"),
        (&["--devices", &big], "between 1 and"),
        (&["--minutes=nan"], "--minutes must be"),
        (&["--epochs", "0"], "epochs must be at least 1"),
        (&["--epochs", &big], "and at most"),
        (
            &["--from", "nothing.safetensors"],
            "cannot read the weights",
        ),
    ] {
        let output = train_tiny(folder, mistake);
        let errors = String::from_utf8(output.stderr).unwrap();
        assert!(
            errors.contains(complaint) && !errors.contains("panicked"),
            "{errors}"
        );
        assert!(!folder.join("run").exists(), "{mistake:?}");
    }

    // Folders with an unusable image.
    let data = folder.join("data");
    succeeds(folder, &["generate", "--count", "6", "--out", "data"]);
    let spec = data.join("spec_train_val.txt");
    let labels = fs::read_to_string(&spec).unwrap();
    for (line, complaint) in [
        ("g0 thus7\n", "does not know '7'"),
        ("g0 thuses\n", "longer than 5"),
        ("g0 a\ngone thus\n", "gone.png"),
        ("g0 a\ng0 thus\n", "g0.png has two labels"),
    ] {
        fs::write(&spec, line.to_owned() + &labels.replace("g0", "g6")).unwrap();
        fs::copy(data.join("g0.png"), data.join("g6.png")).unwrap();
        let output = train_tiny(folder, &["--data", "data"]);
        let errors = String::from_utf8(output.stderr).unwrap();
        assert!(errors.contains(complaint), "{complaint}: {errors}");
        assert!(!folder.join("run").exists(), "{line}");
    }
    // Only unreadable images.
    fs::write(&spec, "first thus\nlast line\n").unwrap();
    for name in ["first.png", "last.png"] {
        fs::write(data.join(name), "no image").unwrap();
    }
    let output = train_tiny(folder, &["--data", "data"]);
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(errors.contains("all 2 images"), "{errors}");
    assert!(errors.contains("first.png") && errors.contains("last.png"));
    assert!(!folder.join("run").exists());

    // A folder that is not empty.
    fs::create_dir_all(folder.join("run/checkpoint")).unwrap();
    let output = train_tiny(folder, &[]);
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(errors.contains("already contains files"), "{errors}");
    fs::remove_dir_all(folder.join("run")).unwrap();

    // Invalid presets.
    for (right, wrong, complaint) in [
        (
            "filters = 4, padded = false",
            "filtres = 4, padded = false",
            "filtres",
        ),
        ("units = 8", "unitz = 8", "unitz"),
        ("features = 8, ", "", "missing field `features`"),
        ("height = 20", "height = 0", "between 1 and 4096"),
        ("max_length = 5", "max_length = \"five\"", "invalid type"),
        (
            "random_share = 0.5",
            "random_share = 1.5",
            "random_share must lie",
        ),
        ("batch = 8", "batch = 0", "batch must be at least 1"),
        (
            "learning_rate = 1e-3",
            "learning_rate = 0",
            "learning_rate must lie",
        ),
        (
            "weight_decay = 1e-4",
            "weight_decay = -1",
            "weight_decay must be",
        ),
        (
            "gradient_clip = 1.0",
            "gradient_clip = nan",
            "gradient_clip must be",
        ),
        (
            "max_length = 5",
            "max_length = 4",
            "cannot write the generator's texts",
        ),
        (
            "batch = 8",
            "batch = 8\nfixed_norm = true",
            "name them with --from",
        ),
    ] {
        let tiny = fs::read_to_string(folder.join("tiny.toml")).unwrap();
        assert!(tiny.contains(right), "{right}");
        fs::write(folder.join("wrong.toml"), tiny.replace(right, wrong)).unwrap();
        let errors = fails(folder, &["train", "--preset", "wrong.toml", "--out", "run"]);
        assert!(errors.contains(complaint), "{complaint}: {errors}");
        assert!(!folder.join("run").exists(), "{wrong}");
    }
    let trained = train_tiny(folder, &["--epochs", "1", "--minutes=2e17"]);
    let errors = String::from_utf8_lossy(&trained.stderr);
    assert!(trained.status.success(), "{errors}");
}

#[test]
fn resume_in_the_first_epoch_starts_from_the_initial_weights() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    assert!(train_tiny(folder, &["--epochs", "1"]).status.success());
    let train_from = |out| {
        let weights = folder.join(out).join("weights.safetensors");
        let from = ["--from", "run/weights.safetensors", "--epochs", "1"];
        let train = [
            "train",
            "--preset",
            "tiny.toml",
            "--device",
            "cpu",
            "--out",
            out,
        ];
        succeeds(folder, &[&train[..], &from].concat());
        let whole = fs::read(&weights).unwrap();
        for left in ["checkpoint", "train", "valid"] {
            fs::remove_dir_all(folder.join(out).join(left)).unwrap();
        }
        fs::remove_file(weights).unwrap();
        whole
    };
    let resume = |out| ["train", "--out", out, "--resume", "--device", "cpu"];
    let whole = train_from("again");
    succeeds(folder, &resume("again"));
    assert!(fs::read(folder.join("again/weights.safetensors")).unwrap() == whole);
    train_from("lost");
    fs::remove_file(folder.join("lost/start.safetensors")).unwrap();
    assert!(fails(folder, &resume("lost")).contains("start the run again"));
}
