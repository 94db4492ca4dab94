//! The training and validation part of a labelled folder.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use captcha_model::Vocabulary;
use rayon::prelude::*;

use crate::data::image_files::read_image_bytes;
use crate::data::labels::{LabelledFile, list_labels};
use crate::files::{Hash, hash};

/// A part of a labelled folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// All images.
    All,
    /// Five sixths of the images. [`split`] chooses them.
    Train,
    /// The other images.
    Validation,
}

/// A labelled image file and the hash of its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HashedFile {
    /// The image.
    pub file: LabelledFile,
    /// Hash of the file's content.
    pub hash: Hash,
}

/// A folder's images in two parts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parts {
    /// Training images.
    pub train: Vec<HashedFile>,
    /// Validation images, never trained on.
    pub validation: Vec<HashedFile>,
}

/// Splits images into five sixths for training and one sixth for validation.
///
/// In an ordered folder, the first five sixths are for training, like in the paper. Otherwise the
/// hash of an image's content decides: copies of an image are in the same part, and an image stays
/// in its part when others are added. If no hash falls into the sixth, the image with the smallest
/// hash becomes the validation part, so that a small folder has one; no training image moves there
/// later.
///
/// # Errors
///
/// If a part would be empty.
pub fn split(mut images: Vec<HashedFile>, ordered: bool) -> Result<Parts> {
    let count = images.len();
    let distinct = {
        let mut hashes: Vec<&Hash> = images.iter().map(|image| &image.hash).collect();
        hashes.sort_unstable();
        hashes.dedup();
        hashes.len()
    };
    let wanted = "a training and a validation part take at least 2 different images, and training \
                  takes hundreds";
    ensure!(
        count > 1,
        "it contains too few images to split ({count}): {wanted}"
    );
    if ordered {
        let validation = images.split_off((count * 5).div_ceil(6).min(count - 1));
        return Ok(Parts {
            train: images,
            validation,
        });
    }
    ensure!(
        distinct > 1,
        "it contains {count} copies of one image, too few to split: {wanted}"
    );
    // In the order of the hashes, the first images of a part are a random sample of it.
    images.sort_by_key(|image| image.hash);
    let place = |image: &HashedFile| {
        let first = image.hash.first_chunk().copied().unwrap_or_default();
        u64::from_be_bytes(first)
    };
    let mut cut = images.partition_point(|image| place(image) < u64::MAX / 6);
    if cut == 0 {
        cut = images.partition_point(|image| image.hash == images[0].hash);
    }
    ensure!(
        cut < count,
        "it contains too few images to split ({count}): all images fell into the \
         validation part; add images"
    );
    let train = images.split_off(cut);
    Ok(Parts {
        train,
        validation: images,
    })
}

/// Hashes files. The hash of an unreadable file is that of its name; reading it reports the error
/// later.
fn hash_files(files: Vec<LabelledFile>) -> Vec<HashedFile> {
    files
        .into_par_iter()
        .map(|file| HashedFile {
            hash: match read_image_bytes(&file.path) {
                Ok(bytes) => hash(&bytes),
                Err(_) => hash(file.path.as_os_str().as_encoded_bytes()),
            },
            file,
        })
        .collect()
}

/// Files of a labelled folder.
#[derive(Clone, Debug)]
pub struct LabelledFiles {
    /// The files.
    pub files: Vec<LabelledFile>,
    /// What the user should know of the folder.
    pub notes: Vec<String>,
}

/// Lists a part of a folder's labelled images; see [`list_labels`].
///
/// # Errors
///
/// If no image has a label, or the folder cannot be split.
pub fn labelled_files(folder: &Path, part: Part, vocabulary: &Vocabulary) -> Result<LabelledFiles> {
    let listing = list_labels(folder, vocabulary)?;
    let notes = listing.checked(folder)?;
    if part == Part::All {
        let files = listing.files;
        return Ok(LabelledFiles { files, notes });
    }
    let parts = split(hash_files(listing.files), listing.ordered)
        .with_context(|| folder.display().to_string())?;
    let images = match part {
        Part::Validation => parts.validation,
        _ => parts.train,
    };
    let files = images.into_iter().map(|image| image.file).collect();
    Ok(LabelledFiles { files, notes })
}
