//! Weights files on disk.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use captcha_model::Weights;

use crate::output::write_file;

/// Largest weights file that is read, in bytes: ninety times the paper's network.
const MAX_WEIGHTS_BYTES: u64 = 1 << 30;

/// Reads a weights file.
///
/// # Errors
///
/// If the file cannot be read, is too large, or is not a weights file.
pub fn read_weights(path: &Path) -> Result<Weights> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MAX_WEIGHTS_BYTES + 1).read_to_end(&mut bytes))
        .with_context(|| format!("cannot read the weights {}", path.display()))?;
    ensure!(
        bytes.len() as u64 <= MAX_WEIGHTS_BYTES,
        "{} is larger than any weights file",
        path.display()
    );
    Weights::from_bytes(bytes).with_context(|| path.display().to_string())
}

/// Writes a weights file atomically.
///
/// # Errors
///
/// If the file cannot be written.
pub fn write_weights(path: &Path, weights: &Weights) -> Result<()> {
    write_file(path, weights.bytes())
}
