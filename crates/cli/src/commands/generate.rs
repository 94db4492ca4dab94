//! `captcha-lens generate`: labelled images in the layout of the paper's data set.

use std::fs::{self, File};
use std::io::{Cursor, Write};
use std::path::Path;

use anyhow::{Context, Result, ensure};
use captcha_synth::Generator;
use image::ImageFormat;

use crate::data::folder::{SPEC_FILE, new_folder};
use crate::data::synthetic::example;
use crate::training::progress::progress_bar;

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
        let mut png = Cursor::new(Vec::new());
        example.image.write_to(&mut png, ImageFormat::Png)?;
        if let Err(error) = fs::write(&path, png.into_inner()) {
            // Half an image would be taken for a whole one by its name.
            let _ = fs::remove_file(&path);
            return Err(error).with_context(|| format!("cannot write {}", path.display()));
        }
        // At once: whatever stops this, no image is left without its label.
        writeln!(labels, "g{index} {}", example.text).with_context(unwritten)?;
        bar.inc(1);
    }
    labels.sync_all().with_context(unwritten)?;
    bar.finish_and_clear();
    Ok(())
}
