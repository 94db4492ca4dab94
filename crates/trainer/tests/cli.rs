//! The command line as its users meet it.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// A network and a run small enough to train in a test.
const TINY: &str = r#"
[model]
alphabet = "abcdefghijklmnopqrstuvwxyz"
max_letters = 5
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
letter_map_weight = 0.5
"#;

fn lens(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_captcha-lens"))
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap()
}

/// Standard output of a call that must succeed.
fn succeeds(folder: &Path, arguments: &[&str]) -> String {
    let output = lens(folder, arguments);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

/// Standard error of a call that must fail, without a panic.
fn fails(folder: &Path, arguments: &[&str]) -> String {
    let output = lens(folder, arguments);
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success(), "{arguments:?} succeeded");
    assert!(!errors.contains("panicked"), "{errors}");
    errors
}

fn train_tiny(folder: &Path, more: &[&str]) -> Output {
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
    let info = succeeds(folder, &["info", "run/weights.safetensors"]);
    assert!(
        info.contains("4 x 9") && info.contains("\"epoch\": 2"),
        "{info}"
    );
    assert!(info.contains("\"images_seen\": 48"), "{info}");

    // Its confidence can be put right, and everything drawn.
    let calibrated = succeeds(
        folder,
        &["calibrate", "run/weights.safetensors", "--count", "16"],
    );
    assert!(calibrated.starts_with("temperature "), "{calibrated}");
    let info = succeeds(folder, &["info", "run/weights.safetensors"]);
    assert!(!info.contains("temperature    1\n"), "{info}");
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
    assert!(fails(folder, &go("compact", "third")).contains("another network"));
    assert!(fails(folder, &["calibrate", "missing.safetensors"]).contains("cannot read"));
    assert!(fails(folder, &["figures", "missing", "--out", "x"]).contains("holds no run"));
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
    assert!(fails(folder, &resume("lost")).contains("begin it anew"));
}

#[test]
fn whoever_has_read_enough_is_no_error() {
    let mut lens = Command::new(env!("CARGO_BIN_EXE_captcha-lens"))
        .arg("info")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(lens.stdout.take()); // as `| head` does
    let output = lens.wait_with_output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && errors.is_empty(), "{errors}");
}

#[test]
fn a_labelled_folder_can_be_made_learnt_and_measured() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    let generate = ["generate", "--count", "12", "--seed", "5", "--out"];
    succeeds(folder, &[&generate[..], &["a"]].concat());
    succeeds(folder, &[&generate[..], &["b"]].concat());
    for file in ["g0.png", "g11.png", "spec_train_val.txt"] {
        assert_eq!(
            fs::read(folder.join("a").join(file)).ok(),
            fs::read(folder.join("b").join(file)).ok()
        );
    }
    assert!(fails(folder, &[&generate[..], &["a"]].concat()).contains("already holds"));

    let trained = train_tiny(folder, &["--data", "a", "--epochs", "1"]);
    assert!(
        trained.status.success(),
        "{}",
        String::from_utf8_lossy(&trained.stderr)
    );

    let weights = ["--weights", "run/weights.safetensors", "--json"];
    let evaluate = |more: &[&str]| -> Value {
        let json = succeeds(folder, &[&["evaluate"], more, &weights[..]].concat());
        serde_json::from_str(&json).unwrap()
    };
    assert_eq!(evaluate(&["a"])["images"], 12);
    assert_eq!(evaluate(&["a", "--part", "validation"])["images"], 2);
    fs::write(folder.join("lexicon.txt"), "thus\nline\n").unwrap();
    let synth = [
        "--synth", "words", "--count", "6", "--seed", "9", "--random", "--fonts", "held-out",
    ];
    let score = evaluate(&[&synth[..], &["--lexicon", "lexicon.txt"]].concat());
    assert_eq!(score["images"], 6);
    for key in [
        "exact",
        "accuracy",
        "letter_accuracy",
        "images_per_second",
        "lexicon_accuracy",
    ] {
        assert!(score[key].is_number(), "{key} in {score}");
    }
    assert_eq!(evaluate(&["a", "--degraded"])["images"], 12);
    assert!(fails(folder, &["evaluate", "nowhere"]).contains("not a folder"));
    assert!(fails(folder, &["evaluate", "--synth", "clouds"]).contains("clouds"));
}

#[test]
fn images_are_read_in_order_and_a_bad_one_stops_nothing() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    succeeds(
        folder,
        &["generate", "--count", "2", "--seed", "5", "--out", "good"],
    );
    let png = fs::read(folder.join("good/g0.png")).unwrap();
    fs::write(folder.join("text.png"), "no image").unwrap();
    fs::write(folder.join("cut.png"), &png[..png.len() / 2]).unwrap();
    fs::write(folder.join("empty.png"), "").unwrap();
    let mut huge = png[..33].to_vec(); // signature and header
    huge[16..20].copy_from_slice(&30_000u32.to_be_bytes());
    huge[20..24].copy_from_slice(&30_000u32.to_be_bytes());
    let checksum = crc32(&huge[12..29]);
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
        for letter in line["letters"].as_array().unwrap() {
            let attention = letter["attention"].as_array().unwrap();
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
    assert!(lines[5]["error"].as_str().unwrap().contains("gone.png"));
    assert_eq!(
        (&lines[7]["text"], &lines[7]["code"]),
        (&"".into(), &"no-letters".into())
    );
}

#[test]
fn an_audit_is_one_file_that_tells_all() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    succeeds(
        folder,
        &["generate", "--count", "12", "--seed", "5", "--out", "set"],
    );
    fs::write(folder.join("set/g3.png"), "no image").unwrap();
    let output = lens(folder, &["audit", "set", "--report", "audit.html"]);
    assert!(output.status.success());
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(printed.contains(" of 11 ("), "{printed}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("1 of 12 files"));
    let html = fs::read_to_string(folder.join("audit.html")).unwrap();
    assert!(html.contains("<title>Audit of set</title>"));
    assert!(!html.contains("src=\"") && !html.contains("href=\""));
    let data = html
        .split_once(r#"id="data">"#)
        .and_then(|(_, rest)| rest.split_once("</script>"))
        .unwrap()
        .0;
    let data: Value = serde_json::from_str(data).unwrap();
    let items = data["items"].as_array().unwrap();
    assert_eq!(items.len(), 12);
    assert!(items[3]["error"].is_string() && items[3]["text"].is_null());
    assert!(items[4]["text"].is_string() && items[4]["confidence"].is_number());
    let about = data["about"].to_string();
    for name in ["Read by", "Weights", "Device", "Date"] {
        assert!(about.contains(name), "{about}");
    }
    // Few enough to have a picture each.
    assert_eq!(data["pictures"].as_object().unwrap().len(), 11);

    let unlabelled = ["audit", "set", "--unlabelled", "--report", "plain.html"];
    assert!(succeeds(folder, &unlabelled).contains("read: 11 of 12"));

    // What no file calls a label, and no person would.
    fs::create_dir(folder.join("numbered")).unwrap();
    for number in 0..3 {
        let from = folder.join(format!("set/g{number}.png"));
        fs::copy(from, folder.join(format!("numbered/captcha_{number}.png"))).unwrap();
    }
    let numbered = ["audit", "numbered", "--report", "numbered.html"];
    let printed = succeeds(folder, &numbered);
    assert!(printed.contains("--labelled") && printed.contains("read: 3 of 3"));
    let insisted = [&numbered[..], &["--labelled"]].concat();
    assert!(succeeds(folder, &insisted).contains("read whole: 0 of 3 (0.0 %; 95 % interval 0.0 "));

    fs::create_dir(folder.join("nothing")).unwrap();
    let nothing = ["audit", "nothing", "--report", "x.html"];
    assert!(fails(folder, &nothing).contains("no labelled image"));
}

#[test]
fn the_shipped_weights_read_the_shipped_samples() {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../web/samples");
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

#[test]
fn weights_that_cannot_be_used_are_refused_with_a_reason() {
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
                "11",
                "x.png"
            ]
        )
        .contains("11")
    );
}

/// CRC-32 of PNG chunks.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xEDB8_8320 & (crc & 1).wrapping_neg())
        })
    })
}
