//! `captcha-lens generate`

use std::fs::{self, File};
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use captcha_evaluation::data::labels::SPEC_FILE;
use captcha_evaluation::output::new_folder;
use captcha_evaluation::progress::Progress;
use captcha_synth::{Generator, Split};
use captcha_trainer::data::synthetic::{Looks, example_of};
use clap::Args;
use image::ImageFormat;

use crate::progress::TerminalProgress;
use crate::synthetic::{SyntheticArgs, looks_help, looks_parser};

/// Arguments of `generate`.
#[derive(Args, Debug)]
pub(crate) struct GenerateArgs {
    #[arg(
        long,
        visible_alias = "look",
        value_name = "LOOK",
        default_value = "words",
        value_parser = looks_parser(),
        help = looks_help()
    )]
    style: Looks,
    /// Number of images.
    #[arg(long)]
    count: u64,
    /// Folder of the images; it must be empty or missing.
    #[arg(long)]
    out: PathBuf,
    /// Seed; equal seeds give equal images.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Write the images that evaluate --synth uses. Do not train on them.
    #[arg(long)]
    test: bool,
    #[command(flatten)]
    synthetic: SyntheticArgs,
}

pub(crate) fn run(args: &GenerateArgs) -> Result<()> {
    let split = if args.test {
        Split::Test
    } else {
        Split::Export
    };
    let generator = args.synthetic.generator(&args.style, split, args.seed)?;
    write_images(&generator, args.count, &args.out)
}

/// Writes images `0..count` of a generator as `gN.png`, and their labels as [`SPEC_FILE`].
fn write_images(generator: &Generator, count: u64, folder: &Path) -> Result<()> {
    ensure!(count > 0, "--count must be at least 1");
    new_folder(folder)?;
    let spec = folder.join(SPEC_FILE);
    let unwritten = || format!("cannot write {}", spec.display());
    let mut labels = File::create(&spec).with_context(unwritten)?;
    let progress = TerminalProgress::new();
    progress.start_stage("", count as usize);
    for index in 0..count {
        let example = example_of(generator.sample(index))?;
        let path = folder.join(format!("g{index}.png"));
        let mut png = Cursor::new(Vec::new());
        example.image.write_to(&mut png, ImageFormat::Png)?;
        if let Err(error) = fs::write(&path, png.into_inner()) {
            // A truncated file must not look like an image.
            let _ = fs::remove_file(&path);
            return Err(error).with_context(|| format!("cannot write {}", path.display()));
        }
        // At once, so that every image has a label even if the process is stopped.
        writeln!(labels, "g{index} {}", example.text).with_context(unwritten)?;
        progress.update(index as usize + 1, "");
    }
    labels.sync_all().with_context(unwritten)?;
    progress.end_stage();
    Ok(())
}
