//! The files of an audit and their labels.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail, ensure};
use captcha_model::{ModelConfig, Vocabulary};

use crate::data::image_files::{SkippedEntries, image_files, skipped_entries};
use crate::data::label_check::labels_are_likely;
use crate::data::labels::{LabelledFile, list_labels};
use crate::wording::plural;

/// An image file and its label, if known.
pub type AuditFile = (PathBuf, Option<String>);

/// How an audit uses labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LabelMode {
    /// Uses labels if they are likely to be correct.
    Detect,
    /// Uses file names as labels even if they are not likely to be labels.
    Always,
    /// Uses no labels.
    Never,
}

/// All image files of a folder.
#[derive(Clone, Debug)]
pub struct AuditFiles {
    /// The files: first those with labels.
    pub files: Vec<AuditFile>,
    /// Notes on the labels.
    pub notes: Vec<String>,
    /// Notes on entries of the folder that are not read.
    pub skipped: Vec<String>,
}

/// Lists the image files of a folder, with and without labels.
///
/// # Errors
///
/// If the folder cannot be read, contains no image, or its label file is malformed.
pub fn list_files(folder: &Path, mode: LabelMode, config: &ModelConfig) -> Result<AuditFiles> {
    if folder
        .extension()
        .is_some_and(|end| end.eq_ignore_ascii_case("zip"))
        && folder.is_file()
    {
        bail!(
            "{} is an archive: unpack it and name the folder, or use the audit page, which reads \
             archives",
            folder.display()
        );
    }
    let (mut files, mut notes) = (Vec::new(), Vec::new());
    if mode != LabelMode::Never {
        // This vocabulary keeps labels as they are: the report itself converts their case.
        let unfolded = Vocabulary::new("\0")?;
        let labelled = list_labels(folder, &unfolded)?.files;
        let likely = mode == LabelMode::Always || labels_are_likely(folder, &labelled, config)?;
        if !likely {
            notes.push(format!(
                "the file names of {} do not look like labels, so the report shows readings only; \
                 --labelled uses them as labels",
                folder.display()
            ));
        }
        let label = |file: LabelledFile| (file.path, Some(file.text).filter(|_| likely));
        files.extend(labelled.into_iter().map(label));
    }
    let labelled = files.len();
    let known: HashSet<PathBuf> = files.iter().map(|(path, _)| path.clone()).collect();
    let images = image_files(folder)?;
    let others = images.into_iter().filter(|path| !known.contains(path));
    files.extend(others.map(|path| (path, None)));
    ensure!(!files.is_empty(), "{} contains no image", folder.display());
    let unlabelled = files.len() - labelled;
    if unlabelled > 0 && mode != LabelMode::Never {
        notes.push(format!(
            "{unlabelled} of {} {} {} for the accuracy",
            files.len(),
            plural(files.len(), "image", "images"),
            plural(
                unlabelled,
                "has no label; it does not count",
                "have no label; they do not count"
            )
        ));
    }
    Ok(AuditFiles {
        files,
        notes,
        skipped: skipped_notes(folder)?,
    })
}

fn skipped_notes(folder: &Path) -> Result<Vec<String>> {
    let SkippedEntries { folders, files } = skipped_entries(folder)?;
    let place = folder.display();
    let mut notes = Vec::new();
    if folders > 0 {
        let noun = plural(folders, "folder", "folders");
        notes.push(format!(
            "skipped {folders} {noun} inside {place}: audit each folder on its own"
        ));
    }
    if files > 0 {
        let noun = plural(files, "file", "files");
        notes.push(format!(
            "skipped {files} SVG, AVIF, HEIC, TIFF or zip {noun} in {place}: the audit page reads \
             these formats"
        ));
    }
    Ok(notes)
}
