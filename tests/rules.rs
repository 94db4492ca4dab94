//! Checks the rules of ARCHITECTURE.md.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "rules/cycles.rs"]
mod cycles;
#[path = "rules/page.rs"]
mod page;
#[path = "rules/report.rs"]
mod report;
#[path = "rules/sources.rs"]
mod sources;

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn manifest(name: &str) -> toml::Table {
    let path = root().join("crates").join(name).join("Cargo.toml");
    fs::read_to_string(path).unwrap().parse().unwrap()
}

/// Names of the dependencies of a crate on all targets, without those of its tests.
fn dependencies(name: &str) -> Vec<String> {
    let manifest = manifest(name);
    let mut tables = vec![&manifest];
    if let Some(targets) = manifest.get("target").and_then(toml::Value::as_table) {
        tables.extend(targets.values().filter_map(toml::Value::as_table));
    }
    let names = |table: &&toml::Table| {
        let dependencies = table.get("dependencies").and_then(toml::Value::as_table);
        dependencies
            .into_iter()
            .flat_map(|table| table.keys().cloned())
            .collect::<Vec<_>>()
    };
    tables.iter().flat_map(names).collect()
}

#[test]
fn crates_depend_only_on_allowed_crates() {
    let ours = |name| {
        let mut ours = dependencies(name);
        ours.retain(|dependency| dependency.starts_with("captcha-"));
        ours.sort();
        // Those of one target can have more features.
        ours.dedup();
        ours
    };
    assert_eq!(ours("gpu-kernel"), [""; 0]);
    assert_eq!(ours("kernel"), [""; 0]);
    assert_eq!(ours("model"), ["captcha-gpu-kernel", "captcha-kernel"]);
    assert_eq!(ours("synth"), [""; 0]);
    assert_eq!(ours("evaluation"), ["captcha-model"]);
    assert_eq!(ours("learning"), ["captcha-evaluation", "captcha-model"]);
    assert_eq!(
        ours("trainer"),
        [
            "captcha-evaluation",
            "captcha-learning",
            "captcha-model",
            "captcha-synth"
        ]
    );
    assert_eq!(
        ours("cli"),
        [
            "captcha-evaluation",
            "captcha-learning",
            "captcha-model",
            "captcha-synth",
            "captcha-trainer"
        ]
    );
    assert_eq!(ours("synth-wasm"), ["captcha-synth"]);
    assert_eq!(
        ours("learning-wasm"),
        [
            "captcha-evaluation",
            "captcha-learning",
            "captcha-model",
            "captcha-wasm"
        ]
    );
    assert_eq!(ours("wasm"), ["captcha-model"]);
    assert_eq!(ours("wasm-webgpu"), ["captcha-wasm"]);
    assert_eq!(ours("wasm-cpu"), ["captcha-wasm"]);
}

#[test]
fn browser_crates_are_used_at_the_boundary_only() {
    for name in [
        "gpu-kernel",
        "kernel",
        "model",
        "synth",
        "evaluation",
        "learning",
        "trainer",
        "cli",
    ] {
        for browser in ["wasm-bindgen", "web-sys", "js-sys"] {
            assert!(
                !dependencies(name).contains(&browser.to_owned()),
                "{name}: {browser}"
            );
        }
    }
    for name in ["gpu-kernel", "kernel", "synth"] {
        assert!(!dependencies(name).contains(&"burn".to_owned()), "{name}");
    }
}
