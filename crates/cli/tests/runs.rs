//! Runs as the command line has them: begun, stopped, resumed, gone wrong.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod command;

use std::fs;

use captcha_trainer::training::run_folder::RunFolder;
use command::{fails, lens, succeeds, train_tiny};
use serde_json::Value;
use tempfile::TempDir;

#[test]
fn a_run_stops_goes_on_and_leaves_weights_that_read() {
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

    let resume = ["train", "--out", "run", "--resume", "--device", "cpu"];
    let output = lens(folder, &resume);
    let log = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{log}");
    assert!(
        log.contains("epoch 2/2") && !log.contains("epoch 1/2"),
        "{log}"
    );
    assert!(folder.join("run/checkpoint/model-2.bpk").exists());
    assert!(fails(folder, &resume).contains("already finished"));

    succeeds(folder, &["export", "run", "--epoch", "2"]);
    assert!(fails(folder, &["export", "run", "--epoch", "7"]).contains("those of [1, 2]"));

    let weights = "run/weights.safetensors";
    succeeds(folder, &["average", weights, weights, "--out", "mean"]);
    assert!(succeeds(folder, &["info", "mean"]).contains("captcha-lens average"));
    fails(folder, &["average", weights, "--out", "mean"]);

    // A checkpoint that a full disk cut short is an error, too.
    let run_json = folder.join("run/run.json");
    let kept = fs::read_to_string(&run_json).unwrap();
    fs::write(&run_json, kept.replace("\"epochs\": 2", "\"epochs\": 3")).unwrap();
    for part in ["scheduler", "optim", "model"] {
        let path = folder.join(format!("run/checkpoint/{part}-2.bpk"));
        let whole = fs::read(&path).unwrap();
        fs::write(&path, &whole[..20]).unwrap();
        assert!(
            fails(folder, &resume).contains("cannot read checkpoint"),
            "{part}"
        );
        fs::write(&path, whole).unwrap();
    }
    // The rate's course is counted in steps, which other devices would make longer or shorter.
    let more = fails(folder, &[&resume[..], &["--devices", "2"]].concat());
    assert!(more.contains("started with --devices 1"), "{more}");
    fs::write(&run_json, kept.replace("\"batch\": 8", "\"batch\": 0")).unwrap();
    assert!(fails(folder, &resume).contains("batch must be at least 1"));
    fs::write(&run_json, kept).unwrap();
    let info = succeeds(folder, &["info", "run/weights.safetensors"]);
    assert!(
        info.contains("4 x 9") && info.contains("\nepoch          2\n"),
        "{info}"
    );
    assert!(info.contains("\nimages seen    48\n"), "{info}");
    let info = succeeds(folder, &["info", "run/weights.safetensors", "--json"]);
    let info: Value = serde_json::from_str(&info).unwrap();
    assert!(
        info["training"]["validation_accuracy"].is_number(),
        "{info}"
    );

    // Its confidence can be put right, and everything drawn. Neither a link nor a neighbour is lost.
    fs::write(folder.join("run/weights.calibrated"), "mine").unwrap();
    #[cfg(unix)]
    let weights = {
        std::os::unix::fs::symlink("run/weights.safetensors", folder.join("link")).unwrap();
        "link"
    };
    #[cfg(not(unix))]
    let weights = "run/weights.safetensors";
    let calibrated = succeeds(folder, &["calibrate", weights, "--count", "16"]);
    assert!(calibrated.starts_with("temperature "), "{calibrated}");
    let info = succeeds(folder, &["info", "run/weights.safetensors"]);
    assert!(!info.contains("temperature    1\n"), "{info}");
    assert_eq!(
        fs::read(folder.join("run/weights.calibrated")).unwrap(),
        b"mine"
    );
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
        let picture = image::open(path.with_extension("png")).unwrap().to_rgb8();
        let ink = picture.pixels().filter(|pixel| pixel.0 != [255; 3]).count();
        assert!(ink > 500, "{name}: {ink} pixels that are not white");
    }

    // It can start another run, of the same network or of one that can grow from it.
    let from = [
        "--from",
        "run/weights.safetensors",
        "--epochs",
        "1",
        "--device",
        "cpu",
    ];
    let go = |preset, out| [&["train", "--preset", preset, "--out", out], &from[..]].concat();
    succeeds(folder, &go("tiny.toml", "second"));
    let second = fs::read_to_string(folder.join("second/run.json")).unwrap();
    let second: Value = serde_json::from_str(&second).unwrap();
    assert_eq!(second["first_image"], 48, "no image is seen again");
    let other = [&go("tiny.toml", "other")[..], &["--seed", "2"]].concat();
    succeeds(folder, &other);
    let other = fs::read_to_string(folder.join("other/run.json")).unwrap();
    assert!(other.contains("\"first_image\": 0"), "{other}");
    assert!(fails(folder, &go("compact", "third")).contains("another network"));
    // Learning from some of what is read, character map and all.
    let tiny = fs::read_to_string(folder.join("tiny.toml")).unwrap();
    let some = tiny.replace("batch = 8", "batch = 4\nsampling_ratio = 2");
    fs::write(folder.join("some.toml"), some).unwrap();
    succeeds(folder, &go("some.toml", "fourth"));
    assert!(fails(folder, &["calibrate", "missing.safetensors"]).contains("cannot read"));
    assert!(fails(folder, &["figures", "missing", "--out", "x"]).contains("contains no run"));
}

#[test]
fn a_run_goes_on_on_the_device_that_is_asked_for_alone() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    assert!(train_tiny(folder, &["--minutes", "0"]).status.success());
    // burn's own default device, which this build does not have: to open it would be a panic.
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
fn a_run_keeps_its_network_whatever_its_presets_name_means_later() {
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

    // A version that kept the name only: what the name means now does not fit, which is said.
    run.as_object_mut().unwrap().remove("network").unwrap();
    fs::write(&path, run.to_string()).unwrap();
    assert!(fails(folder, &["export", "run"]).contains("another network"));
    let resume = ["train", "--out", "run", "--resume", "--device", "cpu"];
    assert!(fails(folder, &resume).contains("another network"));
}

#[test]
fn the_best_epoch_is_the_one_that_read_most_and_only_if_that_is_known() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    assert!(train_tiny(folder, &["--epochs", "1"]).status.success());
    let run = folder.join("run");
    // Each batch counts for its images: 20, 30 and 25 %.
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
fn a_mistake_leaves_no_run_behind() {
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

    // Folders of which an image cannot be learnt from.
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
    // Of which none can be read.
    fs::write(&spec, "first thus\nlast line\n").unwrap();
    for name in ["first.png", "last.png"] {
        fs::write(data.join(name), "no image").unwrap();
    }
    let output = train_tiny(folder, &["--data", "data"]);
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(errors.contains("all 2 images"), "{errors}");
    assert!(errors.contains("first.png") && errors.contains("last.png"));
    assert!(!folder.join("run").exists());

    // A folder that is not empty: what is there could be taken for this run's.
    fs::create_dir_all(folder.join("run/checkpoint")).unwrap();
    let output = train_tiny(folder, &[]);
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(errors.contains("already contains files"), "{errors}");
    fs::remove_dir_all(folder.join("run")).unwrap();

    // Presets with a mistake in them.
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
fn a_run_cut_short_in_its_first_epoch_still_starts_from_its_weights() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    assert!(train_tiny(folder, &["--epochs", "1"]).status.success());
    let go_on = |out| {
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
    let whole = go_on("again");
    succeeds(folder, &resume("again"));
    assert!(fs::read(folder.join("again/weights.safetensors")).unwrap() == whole);
    go_on("lost");
    fs::remove_file(folder.join("lost/start.safetensors")).unwrap();
    assert!(fails(folder, &resume("lost")).contains("start the run again"));
}
