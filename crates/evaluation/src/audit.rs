//! An audit: recognizes the images of a folder and writes the report that the page shows as one
//! HTML file.

mod data;
mod entries;
mod files;
mod merge;
mod network;
mod page;
mod saved;
mod shard;
mod summary;

use std::fs;
use std::path::Path;

use anyhow::{Result, ensure};
use captcha_model::Recognizer;
use chrono::Utc;

pub use data::{AuditData, AuditEntry};
pub use entries::Pictures;
pub use files::{AuditFile, AuditFiles, LabelMode, list_files};
pub use merge::merge;
pub use network::AuditNetwork;
pub use page::html;
pub use saved::to_json;
pub use shard::Shard;
pub use summary::AuditSummary;

use self::merge::FACTS;
use crate::progress::Progress;

/// How an audit is made; the report names both.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The weights file; `None` for the built-in weights.
    pub weights: Option<String>,
    /// The device.
    pub device: String,
    /// Whether texts that differ from their labels only in case count as equal.
    pub ignore_case: bool,
}

/// Recognizes the files of a folder. An unreadable file becomes an entry with an error.
///
/// Also gives the pictures that the report shows.
///
/// # Errors
///
/// If the device fails.
pub fn audit(
    recognizer: &Recognizer,
    folder: &Path,
    files: &[AuditFile],
    setup: &Setup,
    progress: &dyn Progress,
) -> Result<(AuditData, Pictures)> {
    let (items, pictures) =
        entries::recognize(recognizer, folder, files, setup.ignore_case, progress)?;
    let absolute = folder.canonicalize();
    let name = absolute.as_deref().ok().and_then(Path::file_name);
    let weights = setup.weights.clone();
    let facts = [
        format!("captcha-lens {}", env!("CARGO_PKG_VERSION")),
        weights.unwrap_or_else(|| "built-in".into()),
        setup.device.clone(),
        Utc::now().date_naive().to_string(),
    ];
    let data = AuditData {
        name: name.map_or("images".into(), |name| name.to_string_lossy().into_owned()),
        about: FACTS.map(str::to_owned).into_iter().zip(facts).collect(),
        network: AuditNetwork::from(recognizer.config()),
        ignore_case: setup.ignore_case,
        items,
        learning_curve: None,
        shard: None,
    };
    Ok((data, pictures))
}

/// Checks that a report can be written to `path` without overwriting other data. `inputs` are the
/// files that the audit reads; `force` permits to replace a file that is not a report.
///
/// # Errors
///
/// If the report cannot or must not be written there.
pub fn check_output(path: &Path, inputs: &[&Path], force: bool) -> Result<()> {
    let folder = path.parent().filter(|folder| *folder != Path::new(""));
    ensure!(
        folder.is_none_or(Path::is_dir) && !path.is_dir(),
        "the report cannot be written to {}: name a file in an existing folder",
        path.display()
    );
    let Ok(output) = path.canonicalize() else {
        return Ok(());
    };
    let is_output = |input: &&Path| input.canonicalize().is_ok_and(|input| input == output);
    ensure!(
        !inputs.iter().any(is_output),
        "the report would overwrite {}, which this audit reads: name another file",
        path.display()
    );
    ensure!(
        force || is_report(path),
        "{} exists and is not a report of captcha-lens audit: name another file, or replace it with \
         --force",
        path.display()
    );
    Ok(())
}

/// Whether a file was written by an audit.
fn is_report(path: &Path) -> bool {
    let Ok(text) = fs::read_to_string(path) else {
        return false;
    };
    let start: String = text.chars().take(200).collect();
    start.contains(page::MARK) || AuditData::read(path).is_ok()
}
