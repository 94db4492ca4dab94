//! Image files in a folder.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use captcha_model::image::{MAX_BYTES, RgbImage, decode_image};

const EXTENSIONS: [&str; 6] = ["png", "jpg", "jpeg", "webp", "gif", "bmp"];
/// File types that may contain images but are not read.
const UNSUPPORTED_EXTENSIONS: [&str; 6] = ["svg", "avif", "heic", "tif", "tiff", "zip"];

/// The image files of a folder, sorted by name. Hidden files are left out.
///
/// # Errors
///
/// If the folder cannot be read.
pub fn image_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        files.extend(Some(entry?.path()).filter(|path| is_image(path)));
    }
    files.sort();
    Ok(files)
}

/// Entries of a folder that may contain images but are not read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SkippedEntries {
    /// Folders.
    pub folders: usize,
    /// SVG, AVIF, HEIC, TIFF and zip files.
    pub files: usize,
}

/// Counts the entries of a folder that are not read.
///
/// # Errors
///
/// If the folder cannot be read.
pub fn skipped_entries(folder: &Path) -> Result<SkippedEntries> {
    let mut skipped = SkippedEntries::default();
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if is_hidden(&path) {
            continue;
        }
        skipped.folders += usize::from(path.is_dir());
        let unsupported =
            extension(&path).is_some_and(|end| UNSUPPORTED_EXTENSIONS.contains(&end.as_str()));
        skipped.files += usize::from(unsupported);
    }
    Ok(skipped)
}

/// Whether the name is that of an image file.
pub(crate) fn is_image(path: &Path) -> bool {
    extension(path).is_some_and(|extension| EXTENSIONS.contains(&extension.as_str()))
        && !is_hidden(path)
}

/// Whether a file is hidden, like `._name.png`, which macOS puts beside `name.png` in archives.
fn is_hidden(path: &Path) -> bool {
    path.file_name().is_some_and(|name| {
        let name = name.as_encoded_bytes();
        name.starts_with(b".") || name == b"__MACOSX"
    })
}

fn extension(path: &Path) -> Option<String> {
    Some(path.extension()?.to_str()?.to_lowercase())
}

/// Reads the bytes of an image file, at most one more than the decoder accepts: the decoder then
/// reports that the file is too large.
///
/// # Errors
///
/// If the file cannot be read.
pub fn read_image_bytes(path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes))
        .with_context(|| format!("cannot read {}", path.display()))?;
    Ok(bytes)
}

/// Reads and decodes an image file.
///
/// # Errors
///
/// If the file cannot be read or decoded; the message names the file.
pub fn read_image(path: &Path) -> Result<RgbImage> {
    decode_image(&read_image_bytes(path)?).with_context(|| path.display().to_string())
}
