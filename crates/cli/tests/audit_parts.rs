//! Audits in parts, run as a program.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod command;

use std::fs;

use command::{embedded, fails, lens, succeeds};
use serde_json::Value;
use tempfile::TempDir;

#[test]
fn audit_merges_parts_into_the_same_report() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    succeeds(
        folder,
        &["generate", "--count", "11", "--seed", "5", "--out", "set"],
    );
    fs::write(folder.join("set/g3.png"), "no image").unwrap();
    let whole = ["audit", "set", "--report", "a.html", "--json", "a.json"];
    succeeds(folder, &whole);
    for index in 1..=3 {
        let (shard, json) = (format!("{index}/3"), format!("{index}.json"));
        succeeds(
            folder,
            &["audit", "set", "--shard", &shard, "--json", &json],
        );
    }
    let merge = |parts: &[&str], more: &[&str]| -> Vec<String> {
        let arguments = [&["audit", "set", "--merge"], parts, more].concat();
        arguments.into_iter().map(str::to_owned).collect()
    };
    let outputs = ["--report", "b.html", "--json", "b.json"];
    let parts = ["3.json", "1.json", "2.json"];
    let run = |arguments: &[String]| {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        lens(folder, &arguments)
    };
    assert!(run(&merge(&parts, &outputs)).status.success());
    let report = |name: &str| embedded(&folder.join(format!("{name}.html")));
    let saved = |name: &str| -> Value {
        serde_json::from_str(&fs::read_to_string(folder.join(format!("{name}.json"))).unwrap())
            .unwrap()
    };
    for (mut whole, mut merged) in [(report("a"), report("b")), (saved("a"), saved("b"))] {
        let confidences = |data: &mut Value| -> Vec<f64> {
            let items = data["items"].as_array_mut().unwrap().iter_mut();
            let taken = items.map(|item| item["confidence"].take().as_f64().unwrap_or(0.0));
            taken.collect()
        };
        // Images of other batches: the last digits of sums differ.
        for (one, other) in confidences(&mut whole).iter().zip(confidences(&mut merged)) {
            assert!((one - other).abs() < 1e-4, "{one}, {other}");
        }
        let keys = |data: &Value| data.as_object().unwrap().len();
        assert_eq!(keys(&whole), keys(&merged));
        for (key, value) in whole.as_object().unwrap() {
            assert!(*value == merged[key], "{key}");
        }
    }

    let refused = |arguments: Vec<String>, words: &str| {
        let output = run(&arguments);
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success());
        assert!(error.contains(words), "{error}");
    };
    refused(merge(&["1.json", "3.json"], &outputs), "2/3 is missing");
    refused(
        merge(&["1.json", "2.json", "2.json"], &outputs),
        "name each part once",
    );
    refused(merge(&["a.json"], &outputs), "--shard");
    refused(
        merge(&parts, &[&outputs[..], &["--ignore-case"]].concat()),
        "other options",
    );
    let four = ["audit", "set", "--shard", "4/4", "--json", "4.json"];
    succeeds(folder, &four);
    refused(
        merge(&["1.json", "4.json"], &outputs),
        "the parts of one audit",
    );
    fs::remove_file(folder.join("set/g7.png")).unwrap();
    fs::remove_file(folder.join("set/spec_train_val.txt")).unwrap();
    refused(merge(&parts, &outputs), "audit this part again");
    for wrong in ["0/3", "4/3", "3", "a/b"] {
        fails(
            folder,
            &["audit", "set", "--shard", wrong, "--json", "x.json"],
        );
    }
}
