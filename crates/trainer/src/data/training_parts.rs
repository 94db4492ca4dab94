//! The images of a labelled folder that a network is trained on.

use std::path::Path;

use anyhow::Result;
use captcha_evaluation::data::label_check::check_labels;
use captcha_evaluation::data::labels::list_labels;
use captcha_evaluation::data::splits::Parts;
use captcha_learning::data::read_images::{Disk, read_images};
use captcha_model::ModelConfig;

/// Splits the readable images of a labelled folder into a training and a validation part. Also
/// gives notes for the user.
///
/// # Errors
///
/// If the network cannot write a label, a file is missing, no image can be read, or a part would be
/// empty.
pub fn training_parts(folder: &Path, config: &ModelConfig) -> Result<(Parts, Vec<String>)> {
    let listing = list_labels(folder, &config.vocabulary()?)?;
    let mut notes = listing.checked(folder)?;
    check_labels(&listing.files, config)?;
    let place = folder.display().to_string();
    let read = read_images(&place, listing.files, &Disk)?;
    notes.extend(read.notes);
    let parts = read.images.split(&place, listing.ordered)?;
    Ok((parts, notes))
}
