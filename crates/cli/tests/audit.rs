//! `captcha-lens audit`, run as a program.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod command;

use std::fs;
use std::path::Path;

use command::{embedded, fails, lens, succeeds, train_tiny};
use serde_json::Value;
use tempfile::TempDir;

/// A folder of synthetic images with labels as names.
fn labelled(folder: &Path, name: &str, labels: &[&str]) {
    let count = labels.len().to_string();
    succeeds(
        folder,
        &["generate", "--count", &count, "--seed", "7", "--out", name],
    );
    let set = folder.join(name);
    fs::remove_file(set.join("spec_train_val.txt")).unwrap();
    for (i, label) in labels.iter().enumerate() {
        fs::rename(
            set.join(format!("g{i}.png")),
            set.join(format!("{label}.png")),
        )
        .unwrap();
    }
}

#[test]
fn audit_writes_one_file_with_all_data() {
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
    assert!(printed.contains(" of 11 images ("), "{printed}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("1 of 12 files"));
    let html = fs::read_to_string(folder.join("audit.html")).unwrap();
    assert!(html.contains("<title>Audit of set · built-in</title>"));
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
    for name in ["Program", "Weights", "Device", "Date"] {
        assert!(about.contains(name), "{about}");
    }
    // The report has a picture of every image.
    assert_eq!(data["pictures"].as_object().unwrap().len(), 11);

    let unlabelled = ["audit", "set", "--unlabelled", "--report", "plain.html"];
    assert!(succeeds(folder, &unlabelled).contains("Read: 11 of 12 images."));

    // File names that are hardly labels.
    fs::create_dir(folder.join("numbered")).unwrap();
    for number in 0..3 {
        let from = folder.join(format!("set/g{number}.png"));
        fs::copy(from, folder.join(format!("numbered/captcha_{number}.png"))).unwrap();
    }
    let numbered = ["audit", "numbered", "--report", "numbered.html"];
    let printed = succeeds(folder, &numbered);
    assert!(printed.contains("--labelled") && printed.contains("Read: 3 of 3"));
    let insisted = [&numbered[..], &["--labelled"]].concat();
    // The network writes up to five characters.
    let printed = succeeds(folder, &insisted);
    assert!(
        printed.contains("All 3 labels are longer than 5 characters."),
        "{printed}"
    );
    assert!(
        printed.contains("There is no result") && !printed.contains('%'),
        "{printed}"
    );

    // A label file of some images; the others are read without a label.
    fs::write(
        folder.join("numbered/labels.csv"),
        "captcha_0.png,wrong\ncaptcha_1.png,wrong\n",
    )
    .unwrap();
    let printed = succeeds(folder, &numbered);
    assert!(
        printed.contains("1 of 3 images has no label")
            && printed.contains("Solved: 0 of 2 images (0.0%; 95% interval 0.0%"),
        "{printed}"
    );
    // Without labels, a malformed label file does not matter.
    fs::write(folder.join("numbered/spec_train_val.txt"), "one two three").unwrap();
    assert!(fails(folder, &numbered).contains("expected NAME WORD"));
    let unlabelled = [&numbered[..], &["--unlabelled"]].concat();
    assert!(succeeds(folder, &unlabelled).contains("Read: 3 of 3"));

    fs::create_dir(folder.join("nothing")).unwrap();
    let nothing = ["audit", "nothing", "--report", "x.html"];
    assert!(fails(folder, &nothing).contains("no labelled image"));
}

#[test]
fn audit_ignores_labels_that_the_network_cannot_write() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    labelled(folder, "set", &["a5b2c", "7391", "line", "longer"]);
    let printed = succeeds(folder, &["audit", "set", "--report", "audit.html"]);
    assert!(
        printed.contains(
            "This model reads a to z, 1 to 5 characters. 3 of 4 labels do not fit: \
             2 contain digits, 1 is longer than 5 characters.\n"
        ),
        "{printed}"
    );
    assert!(printed.contains(" of 1 image ("), "{printed}");
    assert!(
        printed.contains("This says nothing about the other 3 images."),
        "{printed}"
    );

    // The report has the same sentences for readers without JavaScript.
    let html = fs::read_to_string(folder.join("audit.html")).unwrap();
    assert!(html.contains("<p>This says nothing about the other 3 images.</p>"));
    assert!(html.contains("<noscript>"));
    let network = &embedded(&folder.join("audit.html"))["network"];
    assert_eq!(network["alphabet"], "abcdefghijklmnopqrstuvwxyz");
    assert_eq!(network["maxLength"], 5);

    labelled(folder, "capitals", &["HOUSE", "line"]);
    let printed = succeeds(folder, &["audit", "capitals", "--report", "audit.html"]);
    assert!(
        printed.contains("Capital and small letters count as the same")
            && printed.contains("(1 of the 2 labels)"),
        "{printed}"
    );
    // The label keeps its case.
    let items = embedded(&folder.join("audit.html"))["items"].clone();
    assert_eq!(items[0]["label"], "HOUSE");

    labelled(folder, "digits", &["049025", "137721"]);
    let printed = succeeds(folder, &["audit", "digits", "--report", "audit.html"]);
    assert!(printed.contains("All 2 labels contain digits and are longer than 5 characters."));
    assert!(
        printed.contains("There is no result") && !printed.contains('%'),
        "{printed}"
    );
}

#[test]
fn audit_takes_alphabet_and_length_from_the_weights() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    labelled(
        folder,
        "set",
        &["049025", "137721", "950008", "002114", "761035", "480211"],
    );
    let preset = fs::read_to_string(folder.join("tiny.toml")).ok();
    assert!(preset.is_none());
    let trained = train_tiny(folder, &["--data", "synth:words", "--epochs", "1"]);
    assert!(trained.status.success());
    // The tiny preset with an alphabet of digits.
    let preset = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.extension().is_some_and(|end| end == "toml"))
        .unwrap();
    let text = fs::read_to_string(&preset).unwrap();
    let text = text
        .replace("abcdefghijklmnopqrstuvwxyz", "0123456789")
        .replace("max_length = 5", "max_length = 6");
    fs::write(folder.join("digits.toml"), text).unwrap();
    let train = [
        "train",
        "--preset",
        "digits.toml",
        "--data",
        "set",
        "--device",
        "cpu",
    ];
    let train = [&train[..], &["--epochs", "1", "--out", "digits"]].concat();
    let output = lens(folder, &train);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );

    let audit = ["audit", "set", "--weights", "digits/weights.safetensors"];
    let printed = succeeds(folder, &[&audit[..], &["--report", "audit.html"]].concat());
    assert!(printed.contains(" of 6 images ("), "{printed}");
    assert!(
        !printed.contains("outside") && !printed.contains("contain"),
        "{printed}"
    );
    let network = &embedded(&folder.join("audit.html"))["network"];
    assert_eq!(
        (&network["alphabet"], &network["maxLength"]),
        (&"0123456789".into(), &6.into())
    );
}

/// The built-in weights, whose z is now a capital A: the network has both cases of one letter.
fn write_weights_with_case(folder: &Path) {
    let mut bytes = include_bytes!("../../../web/models/compact.safetensors").to_vec();
    let at = bytes.windows(4).position(|part| part == b"wxyz").unwrap();
    bytes[at + 3] = b'A';
    fs::write(folder.join("case.safetensors"), bytes).unwrap();
}

#[test]
fn audit_and_evaluate_ignore_case_on_request() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    write_weights_with_case(folder);
    succeeds(
        folder,
        &["generate", "--count", "40", "--seed", "8", "--out", "set"],
    );
    let spec = fs::read_to_string(folder.join("set/spec_train_val.txt")).unwrap();
    fs::remove_file(folder.join("set/spec_train_val.txt")).unwrap();
    let rows = spec.lines().map(|line| line.split_once(' ').unwrap());
    let rows: Vec<_> = rows.filter(|(_, word)| !word.contains('z')).collect();
    let (all, with_a) = (
        rows.len(),
        rows.iter().filter(|row| row.1.contains('a')).count(),
    );
    assert!(with_a > 0 && with_a < all);
    let csv: String = rows
        .iter()
        .map(|(name, word)| format!("{name}.png,{}\n", word.to_uppercase()))
        .collect();
    fs::write(folder.join("set/labels.csv"), csv).unwrap();

    let weights = ["--weights", "case.safetensors"];
    let evaluate = |more: &[&str]| -> Value {
        let arguments = [&["evaluate", "set", "--json"], &weights[..], more].concat();
        serde_json::from_str(&succeeds(folder, &arguments)).unwrap()
    };
    let (strict, loose) = (evaluate(&[]), evaluate(&["--ignore-case"]));
    let count = |score: &Value, key: &str| score[key].as_u64().unwrap() as usize;
    // The network writes a small a where the label has a capital one.
    assert!(count(&strict, "exact_matches") <= all - with_a);
    assert!(count(&loose, "exact_matches") > count(&strict, "exact_matches"));
    for score in [&strict, &loose] {
        assert_eq!(count(score, "images"), all);
        assert_eq!(score["matches_with_case"], strict["exact_matches"]);
        assert_eq!(score["matches_ignoring_case"], loose["exact_matches"]);
    }

    let audit = |more: &[&str]| -> Value {
        let files = ["--json", "audit.json", "--report", "audit.html", "--force"];
        succeeds(
            folder,
            &[&["audit", "set"], &weights[..], &files, more].concat(),
        );
        serde_json::from_str(&fs::read_to_string(folder.join("audit.json")).unwrap()).unwrap()
    };
    let strict = audit(&[]);
    assert_eq!(
        (&strict["ignoreCase"], &strict["summary"]["supported"]),
        (&false.into(), &0.into())
    );
    let ignored = audit(&["--ignore-case"]);
    assert_eq!(ignored["ignoreCase"], true);
    assert_eq!(ignored["summary"]["supported"], all);
    assert_eq!(ignored["summary"]["exactMatches"], loose["exact_matches"]);
    assert_eq!(embedded(&folder.join("audit.html"))["ignoreCase"], true);
    let printed = succeeds(
        folder,
        &[
            &["audit", "set", "--ignore-case", "--json", "audit.json"],
            &weights[..],
        ]
        .concat(),
    );
    assert!(
        printed.contains("count as the same, as chosen"),
        "{printed}"
    );
    assert!(printed.contains("With case, it solved"), "{printed}");
}

#[test]
fn audit_overwrites_only_reports() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    labelled(folder, "set", &["line", "thus"]);
    let image = fs::read(folder.join("set/line.png")).unwrap();
    for option in ["--report", "--json"] {
        for more in [&[][..], &["--force"]] {
            let audit = [&["audit", "set", option, "set/../set/line.png"], more].concat();
            assert!(fails(folder, &audit).contains("which this audit reads"));
        }
        fs::write(folder.join("notes.txt"), "mine").unwrap();
        let audit = ["audit", "set", option, "notes.txt"];
        assert!(fails(folder, &audit).contains("--force"));
        assert_eq!(fs::read(folder.join("notes.txt")).unwrap(), b"mine");
        succeeds(folder, &[&audit[..], &["--force"]].concat());
        // A report may be replaced.
        succeeds(folder, &audit);
    }
    assert_eq!(fs::read(folder.join("set/line.png")).unwrap(), image);
    assert!(fails(folder, &["audit", "set"]).contains("--report"));
}

#[test]
fn audit_compare_puts_two_audits_into_one_report() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    labelled(folder, "a", &["line", "thus"]);
    labelled(folder, "b", &["kerry", "zeal", "said"]);
    let printed = succeeds(
        folder,
        &[
            "audit",
            "a",
            "--compare",
            "b",
            "--report",
            "r.html",
            "--json",
            "a.json",
        ],
    );
    assert!(printed.contains("Compared with b:"), "{printed}");
    let data = embedded(&folder.join("r.html"));
    assert_eq!(data["compared"]["name"], "b");
    assert_eq!(data["compared"]["items"].as_array().unwrap().len(), 3);

    let saved: Value =
        serde_json::from_str(&fs::read_to_string(folder.join("a.json")).unwrap()).unwrap();
    assert_eq!(
        (&saved["name"], &saved["summary"]["supported"]),
        (&"a".into(), &2.into())
    );
    assert!(
        saved["summary"]["exactMatchRate"].is_number() && saved["about"]["Weights"].is_string()
    );
    succeeds(
        folder,
        &["audit", "b", "--compare", "a.json", "--report", "r.html"],
    );
    let data = embedded(&folder.join("r.html"));
    assert_eq!(
        (&data["name"], &data["compared"]["name"]),
        (&"b".into(), &"a".into())
    );

    fs::write(folder.join("odd.json"), "{}").unwrap();
    let audit = ["audit", "a", "--report", "r.html", "--compare"];
    for other in ["odd.json", "none.json"] {
        assert!(fails(folder, &[&audit[..], &[other]].concat()).contains(other));
    }
    // An archive is not a folder.
    fs::write(folder.join("set.zip"), "PK").unwrap();
    assert!(fails(folder, &["audit", "set.zip", "--report", "r.html"]).contains("unpack it"));
}

/// A learning curve as a file, with markup in its texts.
const CURVE: &str = r#"{"name": "<b>set</script>", "ignoreCase": true, "points": [
    {"labels": 400, "heldOut": 300, "exactMatches": 270},
    {"labels": 25, "heldOut": 300, "exactMatches": 30}]}"#;

#[test]
fn audit_learning_curve_is_in_report_json_and_summary() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    labelled(folder, "set", &["line", "thus"]);
    fs::write(folder.join("curve.json"), CURVE).unwrap();
    let audit = ["audit", "set", "--learning-curve", "curve.json"];
    let outputs = ["--report", "r.html", "--json", "a.json"];
    let printed = succeeds(folder, &[&audit[..], &outputs].concat());
    assert!(printed.contains("25   10.0% (30 of 300)"), "{printed}");
    let sentence = "To pass one try in a hundred, an attacker needs 25 labelled images or fewer;";
    assert!(printed.contains(sentence), "{printed}");

    let html = fs::read_to_string(folder.join("r.html")).unwrap();
    assert!(html.contains(&format!("<p>{sentence}")));
    assert!(!html.contains("<b>set"));
    let curve = embedded(&folder.join("r.html"))["learningCurve"].clone();
    assert_eq!(curve["points"][0]["labels"], 25);
    assert_eq!(curve["name"], "<b>set</script>");
    assert!(curve["svg"].as_str().unwrap().starts_with("<svg"));

    // The saved audit has the curve, and a report that is compared with it too.
    let saved: Value =
        serde_json::from_str(&fs::read_to_string(folder.join("a.json")).unwrap()).unwrap();
    assert_eq!(saved["learningCurve"], curve);
    let compare = ["audit", "set", "--compare", "a.json", "--report", "c.html"];
    succeeds(folder, &compare);
    let data = embedded(&folder.join("c.html"));
    assert!(data["learningCurve"].is_null());
    assert_eq!(data["compared"]["learningCurve"], curve);
}

#[test]
fn audit_learning_curve_that_is_none_is_an_error() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    labelled(folder, "set", &["line", "thus"]);
    fs::write(folder.join("curve.json"), CURVE).unwrap();
    fs::write(folder.join("odd.json"), r#"{"points": []}"#).unwrap();
    let audit = |curve: &str, report: &str| {
        let report = ["--report", report, "--force"];
        fails(
            folder,
            &[&["audit", "set", "--learning-curve", curve], &report[..]].concat(),
        )
    };
    assert!(audit("none.json", "r.html").contains("none.json"));
    let error = audit("odd.json", "r.html");
    assert!(
        error.contains("odd.json is not a learning curve") && error.contains("no points"),
        "{error}"
    );
    let error = audit("50,25", "r.html");
    assert!(
        error.contains("finetune FOLDER --learning-curve 25,50"),
        "{error}"
    );
    assert!(audit("25,,50", "r.html").contains("like 25,50,100"));
    assert!(audit("curve.json", "curve.json").contains("which this audit reads"));
    assert_eq!(
        fs::read_to_string(folder.join("curve.json")).unwrap(),
        CURVE
    );
}

#[test]
fn audit_reports_skipped_files() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    labelled(folder, "set", &["line", "thus"]);
    fs::write(
        folder.join("set/labels.csv"),
        "line.png,line\nthus.png,thus\n",
    )
    .unwrap();
    fs::create_dir(folder.join("set/more")).unwrap();
    fs::create_dir(folder.join("set/.git")).unwrap();
    fs::write(folder.join("set/one.svg"), "<svg/>").unwrap();
    fs::write(folder.join("set/Two.SVG"), "<svg/>").unwrap();
    for more in [&[][..], &["--unlabelled"]] {
        let output = lens(
            folder,
            &[&["audit", "set", "--report", "r.html"], more].concat(),
        );
        assert!(output.status.success());
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(errors.contains("skipped 1 folder inside"), "{errors}");
        assert!(errors.contains("skipped 2 SVG, AVIF"), "{errors}");
    }
}
