//! `captcha-lens generate`: labelled images in the layout of the paper's data set.

use std::fs;
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use captcha_synth::Generator;

use crate::folder::SPEC_FILE;
use crate::generated::example;
use crate::progress::progress_bar;

/// Writes images `0..count` of a generator as `gN.png`, and their labels as [`SPEC_FILE`].
pub fn generate(generator: &Generator, count: u64, folder: &Path) -> Result<()> {
    ensure!(count > 0, "--count must be at least 1");
    fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let spec = folder.join(SPEC_FILE);
    let mut files =
        fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    if files.next().is_some() {
        bail!(
            "{} already holds files; name another folder",
            folder.display()
        );
    }
    let mut labels = Vec::new();
    let bar = progress_bar(count);
    for index in 0..count {
        let example = example(generator.sample(index))?;
        let path = folder.join(format!("g{index}.png"));
        example
            .image
            .save(&path)
            .with_context(|| format!("cannot write {}", path.display()))?;
        writeln!(labels, "g{index} {}", example.text)?;
        bar.inc(1);
    }
    bar.finish_and_clear();
    fs::write(&spec, labels).with_context(|| format!("cannot write {}", spec.display()))
}
