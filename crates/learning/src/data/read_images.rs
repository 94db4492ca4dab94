//! Reads the images that a network learns from.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::path::Path;

use anyhow::{Context, Result, bail};
use captcha_evaluation::data::image_files::read_image_bytes;
use captcha_evaluation::data::labels::LabelledFile;
use captcha_evaluation::data::splits::{HashedFile, Parts, split};
use captcha_evaluation::files::{Hash, hash};
use captcha_evaluation::wording::plural;
use captcha_model::image::{RgbImage, decode_image};
use rayon::prelude::*;

/// Where image files are: on a disk, or in the memory of a browser.
pub trait ImageSource: Debug + Send + Sync {
    /// The bytes of a file.
    ///
    /// # Errors
    ///
    /// If there is no such file, or it cannot be read; the message names it.
    fn bytes(&self, path: &Path) -> Result<Vec<u8>>;

    /// The image of a file.
    ///
    /// # Errors
    ///
    /// If it cannot be read or decoded; the message names it.
    fn image(&self, path: &Path) -> Result<RgbImage> {
        decode_image(&self.bytes(path)?).with_context(|| path.display().to_string())
    }
}

/// Files on a disk.
#[derive(Clone, Copy, Debug)]
pub struct Disk;

impl ImageSource for Disk {
    fn bytes(&self, path: &Path) -> Result<Vec<u8>> {
        read_image_bytes(path)
    }
}

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
    pub fn split(self, place: &str, ordered: bool) -> Result<Parts> {
        let unreadable = self.unreadable;
        split(self.images, ordered).with_context(|| match unreadable.len() {
            0 => place.to_owned(),
            left_out => format!(
                "{place} ({left_out} more cannot be read: {})",
                named(&unreadable)
            ),
        })
    }
}

/// Reads all images once. `place` names where they are in messages.
///
/// # Errors
///
/// If no image can be read.
pub fn read_images(
    place: &str,
    files: Vec<LabelledFile>,
    source: &dyn ImageSource,
) -> Result<ReadImages> {
    let count = files.len();
    let decoded: Vec<_> = files
        .into_par_iter()
        .map(|file| {
            let decode = || -> Result<_> {
                let bytes = source.bytes(&file.path)?;
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
            "all {count} images in {place} are unreadable: {}",
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
pub fn named(all: &[String]) -> String {
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
