//! Lists the labelled images of a folder for fine-tuning.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Result, bail};
use captcha_evaluation::data::labels::{LabelledFile, list_labels_as};
use captcha_evaluation::wording::plural;
use captcha_learning::data::read_images::{Disk, named};
use captcha_learning::finetune::LabelledImages;
use captcha_learning::finetune::images::LabelledList;
use captcha_model::vocabulary::lowercase;

/// Reads the labelled images of a folder. `ignore_case` converts the labels to small letters.
///
/// # Errors
///
/// If no image has a usable label, or a part would be empty.
pub fn read_folder(folder: &Path, ignore_case: bool) -> Result<LabelledImages> {
    let listing = list_labels_as(folder, |label| match ignore_case {
        true => lowercase(label),
        false => label.to_owned(),
    })?;
    let mut notes = listing.checked(folder)?;
    let files = without_missing_files(folder, listing.files, &mut notes)?;
    let list = LabelledList {
        place: folder.display().to_string(),
        files,
        ordered: listing.ordered,
        notes,
    };
    LabelledImages::read(list, Arc::new(Disk))
}

/// Leaves out files that the label file lists but that do not exist.
fn without_missing_files(
    folder: &Path,
    files: Vec<LabelledFile>,
    notes: &mut Vec<String>,
) -> Result<Vec<LabelledFile>> {
    let (files, missing): (Vec<_>, Vec<_>) =
        files.into_iter().partition(|file| file.path.is_file());
    let names: Vec<_> = missing
        .iter()
        .map(|file| file.path.display().to_string())
        .collect();
    if files.is_empty() {
        bail!(
            "{} contains none of the images that its label file lists: {}. The label file's columns \
             must be called file and label",
            folder.display(),
            named(&names)
        );
    }
    if !missing.is_empty() {
        notes.push(format!(
            "{} {} in the label file but not in the folder: {}",
            missing.len(),
            plural(missing.len(), "image is", "images are"),
            named(&names)
        ));
    }
    Ok(files)
}
