//! `captcha-lens generate`: labelled images in the layout of the paper's data set.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use captcha_synth::Generator;

use crate::folder::{SPEC_FILE, new_folder};
use crate::generated::example;
use crate::progress::progress_bar;

/// Writes images `0..count` of a generator as `gN.png`, and their labels as [`SPEC_FILE`].
pub fn generate(generator: &Generator, count: u64, folder: &Path) -> Result<()> {
    ensure!(count > 0, "--count must be at least 1");
    new_folder(folder)?;
    let spec = folder.join(SPEC_FILE);
    let unwritten = || format!("cannot write {}", spec.display());
    let mut labels = File::create(&spec).with_context(unwritten)?;
    let bar = progress_bar(count);
    for index in 0..count {
        let example = example(generator.sample(index))?;
        let path = folder.join(format!("g{index}.png"));
        example
            .image
            .save(&path)
            .with_context(|| format!("cannot write {}", path.display()))?;
        // At once: whatever stops this, no image is left without its label.
        writeln!(labels, "g{index} {}", example.text).with_context(unwritten)?;
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(())
}
