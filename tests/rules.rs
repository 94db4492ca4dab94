//! Holds the tree to the rules of ARCHITECTURE.md.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn manifest(name: &str) -> toml::Table {
    let path = root().join("crates").join(name).join("Cargo.toml");
    fs::read_to_string(path).unwrap().parse().unwrap()
}

/// Names of all that a crate depends on, on any target, tests not counted.
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
fn crates_depend_only_on_what_the_map_allows() {
    let ours = |name| {
        let mut ours = dependencies(name);
        ours.retain(|dependency| dependency.starts_with("captcha-"));
        ours.sort();
        ours
    };
    assert_eq!(ours("kernel"), [""; 0]);
    assert_eq!(ours("model"), ["captcha-kernel"]);
    assert_eq!(ours("synth"), [""; 0]);
    assert_eq!(
        ours("trainer"),
        ["captcha-kernel", "captcha-model", "captcha-synth"]
    );
    assert_eq!(ours("synth-wasm"), ["captcha-synth"]);
    assert_eq!(ours("wasm"), ["captcha-model"]);
}

#[test]
fn only_the_boundary_knows_the_browser_and_the_generator_knows_no_network() {
    for name in ["kernel", "model", "synth", "trainer"] {
        for browser in ["wasm-bindgen", "web-sys", "js-sys"] {
            assert!(
                !dependencies(name).contains(&browser.to_owned()),
                "{name}: {browser}"
            );
        }
    }
    for name in ["kernel", "synth"] {
        assert!(!dependencies(name).contains(&"burn".to_owned()), "{name}");
    }
}

/// Every file below a folder with one of these endings.
fn files(folder: &Path, endings: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let ending = path
            .extension()
            .and_then(|ending| ending.to_str())
            .unwrap_or_default();
        if path.is_dir() {
            found.extend(files(&path, endings));
        } else if endings.contains(&ending) {
            found.push(path);
        }
    }
    found
}

#[test]
fn only_the_view_touches_the_document() {
    let source = root().join("web/src");
    let outside_view = files(&source, &["js"])
        .into_iter()
        .filter(|path| !path.starts_with(source.join("view")));
    for path in outside_view {
        let text = fs::read_to_string(&path).unwrap();
        assert!(
            !text.contains("document.querySelector"),
            "{}",
            path.display()
        );
        assert!(
            !text.contains("document.getElementById"),
            "{}",
            path.display()
        );
        assert!(
            !text.contains("document.createElement"),
            "{}",
            path.display()
        );
    }
}

#[test]
fn the_page_names_no_other_origin() {
    let mut page = files(&root().join("web/src"), &["js", "css"]);
    page.extend(files(&root().join("web/styles"), &["css"]));
    page.extend(["index.html", "audit.html", "sw.js"].map(|name| root().join("web").join(name)));
    for path in page {
        let text = fs::read_to_string(&path).unwrap();
        for load in [
            "src=\"http",
            "fetch(\"http",
            "fetch(`http",
            "new WebSocket(",
            "import(\"http",
            "url(http",
            "from \"http",
        ] {
            assert!(!text.contains(load), "{} has {load}", path.display());
        }
    }
}

#[test]
fn what_reports_are_made_of_stands_alone() {
    for path in ["src/audit/statistics.js", "src/view/report.js"] {
        let text = fs::read_to_string(root().join("web").join(path)).unwrap();
        let imports = text.lines().any(|line| line.starts_with("import "));
        assert!(!imports && !text.contains("</script"), "{path}");
    }
}
