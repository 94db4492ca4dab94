//! Image files in the memory of the browser.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use captcha_learning::data::read_images::ImageSource;

/// The bytes of files by their name.
pub(crate) struct Memory(pub(crate) BTreeMap<PathBuf, Vec<u8>>);

impl ImageSource for Memory {
    fn bytes(&self, path: &Path) -> Result<Vec<u8>> {
        let bytes = self.0.get(path).cloned();
        bytes.with_context(|| format!("there is no image {}", path.display()))
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} images", self.0.len())
    }
}
