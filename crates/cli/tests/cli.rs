//! The command line, run as a program.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod command;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use command::{fails, lens, succeeds, train_tiny};
use serde_json::Value;
use tempfile::TempDir;

#[test]
fn info_with_stdout_closed_early_succeeds() {
    let mut lens = Command::new(env!("CARGO_BIN_EXE_captcha-lens"))
        .args(["info", "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(lens.stdout.take()); // like `| head`
    let output = lens.wait_with_output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && errors.is_empty(), "{errors}");
}

#[test]
fn generate_train_and_evaluate_work_on_a_folder() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    let generate = ["generate", "--count", "12", "--seed", "5", "--out"];
    succeeds(folder, &[&generate[..], &["a"]].concat());
    succeeds(folder, &[&generate[..], &["b"]].concat());
    for file in ["g0.png", "g11.png", "spec_train_val.txt"] {
        assert_eq!(
            fs::read(folder.join("a").join(file)).unwrap(),
            fs::read(folder.join("b").join(file)).unwrap()
        );
    }
    assert!(fails(folder, &[&generate[..], &["a"]].concat()).contains("already contains"));
    // Only generate --test writes test images.
    succeeds(folder, &[&generate[..], &["t", "--test"]].concat());
    let file = |set: &str| fs::read(folder.join(set).join("g0.png")).unwrap();
    assert_ne!(file("a"), file("t"));

    let trained = train_tiny(folder, &["--data", "a", "--epochs", "1"]);
    assert!(
        trained.status.success(),
        "{}",
        String::from_utf8_lossy(&trained.stderr)
    );
    let info = succeeds(folder, &["info", "run/weights.safetensors"]);
    assert!(info.contains("\nimages seen    10\n"), "{info}");

    let weights = ["--weights", "run/weights.safetensors", "--json"];
    let evaluate = |more: &[&str]| -> Value {
        let json = succeeds(folder, &[&["evaluate"], more, &weights[..]].concat());
        serde_json::from_str(&json).unwrap()
    };
    assert_eq!(evaluate(&["a"])["images"], 12);
    assert_eq!(evaluate(&["a", "--part", "validation"])["images"], 2);
    fs::write(folder.join("lexicon.txt"), "Thus\nline\nit's\nstrange\n").unwrap();
    let synth = [
        "--synth", "words", "--count", "6", "--seed", "9", "--random", "--fonts", "held-out",
    ];
    let score = evaluate(&[&synth[..], &["--lexicon", "lexicon.txt"]].concat());
    assert_eq!(score["images"], 6);
    for key in [
        "exact_matches",
        "accuracy",
        "character_accuracy",
        "images_per_second",
        "lexicon_accuracy",
    ] {
        assert!(score[key].is_number(), "{key} in {score}");
    }
    assert_eq!(evaluate(&["a", "--augmented"])["images"], 12);
    // The attention of the built-in weights agrees with the positions of the characters.
    let shipped = |images: &[&str]| -> Value {
        let json = succeeds(folder, &[&["evaluate", "--json"], images].concat());
        serde_json::from_str(&json).unwrap()
    };
    let looked_at = &shipped(&["--synth", "words", "--count", "24"])["attention_on_character"];
    assert!(looked_at.as_f64().unwrap() > 0.8, "{looked_at}");
    let inside = &shipped(&["--synth", "words", "--count", "24"])["attention_in_box"];
    assert!(inside.as_f64().unwrap() > 0.4, "{inside}");
    let near = &shipped(&["--synth", "words", "--count", "24"])["attention_near_box"];
    assert!(near.as_f64().is_some_and(|share| share > 0.4), "{near}");
    let spread = &shipped(&["--synth", "words", "--count", "24"])["attention_spread"];
    assert!(spread.as_f64().is_some_and(|cells| cells > 1.0), "{spread}");
    for key in ["attention_on_character", "attention_spread"] {
        assert!(shipped(&["a"])[key].is_null(), "{key}");
    }
    assert!(fails(folder, &["evaluate", "nowhere"]).contains("not a folder"));
    assert!(fails(folder, &["evaluate", "--synth", "clouds"]).contains("clouds"));
}

#[test]
fn commands_handle_odd_files() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    succeeds(folder, &["generate", "--count", "1", "--out", "a"]);
    let images = |arguments: &[&str]| -> Value {
        let json = succeeds(folder, &[&["evaluate", "--json"], arguments].concat());
        serde_json::from_str::<Value>(&json).unwrap()["images"].clone()
    };

    // A byte order mark.
    let spec = folder.join("a/spec_train_val.txt");
    let labels = fs::read_to_string(&spec).unwrap();
    fs::write(spec, format!("\u{feff}{labels}")).unwrap();
    assert_eq!(images(&["a"]), 1);
    fs::write(folder.join("words.txt"), "\u{feff}thus\n").unwrap();
    assert_eq!(
        images(&["--synth", "words", "--count", "1", "--words", "words.txt"]),
        1
    );

    // Much taller than wide.
    fs::create_dir(folder.join("tall")).unwrap();
    let tall = image::RgbImage::new(1, 20_000);
    tall.save(folder.join("tall/abc.png")).unwrap();
    assert_eq!(images(&["tall", "--augmented"]), 1);

    // No readable file.
    fs::create_dir(folder.join("broken")).unwrap();
    fs::write(folder.join("broken/abc.png"), "no image").unwrap();
    let error = fails(folder, &["audit", "broken", "--report", "broken.html"]);
    assert!(error.contains("1 of 1 file could not be read"), "{error}");
    assert!(folder.join("broken.html").exists());
    assert!(fails(folder, &["evaluate", "broken"]).contains("abc.png"));
    // One unreadable file of several is left out.
    fs::copy(folder.join("a/g0.png"), folder.join("broken/abd.png")).unwrap();
    let output = lens(folder, &["evaluate", "broken"]);
    assert!(output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("abc.png"));
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        printed.contains("images                  1\nleft out                1\n"),
        "{printed}"
    );

    // Options without effect.
    for option in [
        &["--random"][..],
        &["--distorted"],
        &["--fonts", "held-out"],
        &["--count", "5"],
    ] {
        let error = fails(folder, &[&["evaluate", "a"], option].concat());
        assert!(error.contains("cannot be used with"), "{error}");
    }

    // Files of the user.
    fs::create_dir(folder.join("own")).unwrap();
    fs::write(folder.join("own/g0.png"), "mine").unwrap();
    let error = fails(folder, &["generate", "--count", "1", "--out", "own"]);
    assert!(error.contains("already contains files"), "{error}");
    assert_eq!(fs::read(folder.join("own/g0.png")).unwrap(), b"mine");

    // Calls that cannot succeed fail before any work and leave no files.
    fails(folder, &["generate", "--count", "0", "--out", "none"]);
    assert!(!folder.join("none").exists());
    for report in ["none/report.html", "own"] {
        let error = fails(folder, &["audit", "a", "--report", report]);
        assert!(error.contains("in an existing folder"), "{error}");
    }

    // A name that is not UTF-8.
    #[cfg(unix)]
    {
        use std::{ffi::OsStr, os::unix::ffi::OsStrExt};
        let odd = OsStr::from_bytes(b"a\xff.png");
        fs::copy(folder.join("a/g0.png"), folder.join(odd)).unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_captcha-lens"))
            .current_dir(folder)
            .args(["recognize", "--json"])
            .args([odd, OsStr::new("a/g0.png")])
            .output()
            .unwrap();
        assert!(output.status.success());
        assert_eq!(String::from_utf8(output.stdout).unwrap().lines().count(), 2);
        fs::create_dir(folder.join("odd")).unwrap();
        // The label is the part before the underscore.
        let labelled = OsStr::from_bytes(b"abc_\xff.png");
        fs::rename(folder.join(odd), folder.join("odd").join(labelled)).unwrap();
        assert_eq!(images(&["odd"]), 1);

        let mean = OsStr::from_bytes(b"mean\xff");
        let weights =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/weights.safetensors");
        let output = Command::new(env!("CARGO_BIN_EXE_captcha-lens"))
            .current_dir(folder)
            .args([
                OsStr::new("average"),
                weights.as_os_str(),
                weights.as_os_str(),
            ])
            .args([OsStr::new("--out"), mean])
            .output()
            .unwrap();
        assert!(output.status.success() && folder.join(mean).exists());
    }
}

#[test]
fn commands_reject_unusable_weights() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    fs::write(folder.join("bad.safetensors"), "no weights").unwrap();
    for (path, complaint) in [
        ("bad.safetensors", "weights"),
        ("gone.safetensors", "gone.safetensors"),
    ] {
        assert!(fails(folder, &["recognize", "--weights", path, "x.png"]).contains(complaint));
    }
    assert!(fails(folder, &["train", "--out", "nowhere", "--resume"]).contains("no run"));
    assert!(
        fails(
            folder,
            &[
                "recognize",
                "--device",
                "cpu",
                "--alternatives",
                "101",
                "x.png"
            ]
        )
        .contains("101")
    );
}

#[test]
fn generate_in_a_look_writes_its_texts() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    let labels = |name: &str| {
        let spec = fs::read_to_string(folder.join(name).join("spec_train_val.txt")).unwrap();
        let labels = spec
            .lines()
            .map(|line| line.split_once(' ').unwrap().1.to_owned());
        labels.collect::<Vec<_>>()
    };
    let generate = |name: &str, options: &[&str]| {
        succeeds(
            folder,
            &[&["generate", "--count", "3", "--out", name], options].concat(),
        );
        labels(name)
    };
    let digits = generate("digits", &["--style", "digits-plain"]);
    let look = r#"
        title = "mine"
        [text]
        alphabet = "AB"
        length = 9
    "#;
    fs::write(folder.join("mine.toml"), look).unwrap();
    let mine = generate("mine", &["--style", "mine.toml"]);
    let other = [
        "--style",
        "java-easy",
        "--alphabet",
        "0-9A-F",
        "--length",
        "8-9",
    ];
    let other = generate("other", &other);
    let random = generate("random", &["--style", "random", "--length", "7"]);
    for (labels, lengths, alphabet) in [
        (digits, 4..=6, "0123456789"),
        (mine, 9..=9, "AB"),
        (other, 8..=9, "0123456789ABCDEF"),
        (
            random,
            7..=7,
            "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
        ),
    ] {
        for label in labels {
            assert!(lengths.contains(&label.len()), "{label}");
            assert!(label.chars().all(|one| alphabet.contains(one)), "{label}");
        }
    }
    fs::write(folder.join("bad.toml"), look.replace("length", "lenght")).unwrap();
    for (options, complaint) in [
        (&["--style", "clouds"][..], "digits-plain"),
        (&["--style", "none.toml"], "cannot read none.toml"),
        (&["--style", "bad.toml"], "unknown field `lenght`"),
        (&["--alphabet", "a b"], "is not an alphabet"),
        (&["--length", "20"], "a text has 1 to 16"),
        (&["--length", "x"], "--length must be"),
    ] {
        let generate = ["generate", "--count", "1", "--out", "none"];
        let error = fails(folder, &[&generate, options].concat());
        assert!(
            error.contains(complaint) && !error.contains("panicked"),
            "{error}"
        );
        assert!(!folder.join("none").exists());
    }
}
