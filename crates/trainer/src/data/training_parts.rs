//! The images of a labelled folder that a network is trained on.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, bail};
use captcha_evaluation::data::image_files::read_image_bytes;
use captcha_evaluation::data::label_check::check_labels;
use captcha_evaluation::data::labels::{LabelledFile, list_labels};
use captcha_evaluation::data::splits::{HashedFile, Parts, split};
use captcha_evaluation::files::{Hash, hash};
use captcha_evaluation::wording::plural;
use captcha_model::ModelConfig;
use captcha_model::image::decode_image;
use rayon::prelude::*;

/// Files that a note names; the others are counted.
const MAX_NAMED: usize = 5;
/// An image with a shorter side, or a larger ratio of its sides, is hardly a CAPTCHA.
const MIN_SIDE: u32 = 8;
const MAX_ASPECT_RATIO: u32 = 20;

/// The images of a labelled folder, read once.
#[derive(Clone, Debug)]
pub struct ReadImages {
    /// The readable images.
    pub images: ReadableImages,
    /// Width and height of each readable image, in pixels.
    pub sizes: Vec<(u32, u32)>,
    /// Notes for the user.
    pub notes: Vec<String>,
}

/// The readable images of a labelled folder, and descriptions of the others.
#[derive(Clone, Debug)]
pub struct ReadableImages {
    images: Vec<HashedFile>,
    /// Descriptions of the files that cannot be read.
    unreadable: Vec<String>,
}

impl ReadableImages {
    /// Splits the images into a training and a validation part; the error names the unreadable ones.
    /// In an ordered folder, the order divides them.
    ///
    /// # Errors
    ///
    /// If a part would be empty.
    pub fn split(self, folder: &Path, ordered: bool) -> Result<Parts> {
        let unreadable = self.unreadable;
        split(self.images, ordered).with_context(|| match unreadable.len() {
            0 => folder.display().to_string(),
            left_out => format!(
                "{} ({left_out} more cannot be read: {})",
                folder.display(),
                named(&unreadable)
            ),
        })
    }
}

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
    let read = read_images(folder, listing.files)?;
    notes.extend(read.notes);
    let parts = read.images.split(folder, listing.ordered)?;
    Ok((parts, notes))
}

/// Reads all images once.
///
/// # Errors
///
/// If no image can be read.
pub fn read_images(folder: &Path, files: Vec<LabelledFile>) -> Result<ReadImages> {
    let count = files.len();
    let decoded: Vec<_> = files
        .into_par_iter()
        .map(|file| {
            let decode = || -> Result<_> {
                let bytes = read_image_bytes(&file.path)?;
                let image =
                    decode_image(&bytes).with_context(|| file.path.display().to_string())?;
                Ok((hash(&bytes), image.dimensions()))
            };
            decode().map(|(hash, size)| (HashedFile { file, hash }, size))
        })
        .collect();
    let (mut images, mut sizes) = (Vec::new(), Vec::new());
    let (mut unreadable, mut odd, mut notes) = (Vec::new(), Vec::new(), Vec::new());
    for result in decoded {
        match result {
            Ok((image, (width, height))) => {
                let (short, long) = (width.min(height), width.max(height));
                if short < MIN_SIDE || long > MAX_ASPECT_RATIO * short {
                    let path = image.file.path.display();
                    odd.push(format!("{path} ({width} x {height} pixels)"));
                }
                images.push(image);
                sizes.push((width, height));
            }
            Err(error) => unreadable.push(format!("{error:#}")),
        }
    }
    if images.is_empty() {
        bail!(
            "all {count} images in {} are unreadable: {}",
            folder.display(),
            named(&unreadable)
        );
    }
    if !unreadable.is_empty() {
        let (left_out, why) = (unreadable.len(), named(&unreadable));
        notes.push(format!(
            "{left_out} of {count} images cannot be read and {} left out: {why}",
            plural(left_out, "is", "are")
        ));
    }
    if !odd.is_empty() {
        notes.push(format!(
            "{} of {count} images {} an unusual size for CAPTCHAs, but {} trained on: {}",
            odd.len(),
            plural(odd.len(), "has", "have"),
            plural(odd.len(), "is", "are"),
            named(&odd)
        ));
    }
    notes.extend(contradictions(&images));
    Ok(ReadImages {
        images: ReadableImages { images, unreadable },
        sizes,
        notes,
    })
}

/// The first few entries, and the number of the others.
pub(crate) fn named(all: &[String]) -> String {
    let mut text = all[..all.len().min(MAX_NAMED)].join("; ");
    if all.len() > MAX_NAMED {
        text += &format!("; and {} more", all.len() - MAX_NAMED);
    }
    text
}

/// A note on files with the same content but different labels.
fn contradictions(images: &[HashedFile]) -> Option<String> {
    let mut first: BTreeMap<&Hash, &LabelledFile> = BTreeMap::new();
    let mut found = Vec::new();
    for HashedFile { file, hash } in images {
        let known = *first.entry(hash).or_insert(file);
        if known.text != file.text {
            found.push(format!(
                "{} ({:?}) and {} ({:?})",
                known.path.display(),
                known.text,
                file.path.display(),
                file.text
            ));
        }
    }
    (!found.is_empty()).then(|| {
        format!(
            "{} {} another label: {}",
            found.len(),
            plural(
                found.len(),
                "image is a copy of another image but has",
                "images are copies of another image but have"
            ),
            named(&found)
        )
    })
}
