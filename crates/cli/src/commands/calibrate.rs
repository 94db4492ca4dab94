//! `captcha-lens calibrate`

use std::io::{Write, stdout};
use std::path::PathBuf;

use anyhow::Result;
use captcha_evaluation::weights_file::{read_weights, write_weights};
use captcha_trainer::data::run_data::{DataSource, validation_data};
use captcha_trainer::weights::calibrate::calibrate;
use clap::Args;

use crate::args::{DeviceArgs, print_notes};
use crate::progress::TerminalProgress;

/// Arguments of `calibrate`.
#[derive(Args, Debug)]
pub(crate) struct CalibrateArgs {
    /// Weights file; only its temperature is changed.
    weights: PathBuf,
    /// A labelled folder, or synth:LOOKS for images of the generator's validation split. By default
    /// the looks that the weights were trained on.
    #[arg(long)]
    data: Option<String>,
    /// Number of images.
    #[arg(long, default_value_t = 5_000)]
    count: usize,
    /// Seed of synthetic images.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    #[command(flatten)]
    device: DeviceArgs,
}

pub(crate) fn run(args: &CalibrateArgs) -> Result<()> {
    let weights = read_weights(&args.weights)?;
    let trained_on = weights.training["data"].as_str();
    let looks = trained_on.filter(|data| data.starts_with("synth:"));
    let data = args.data.as_deref().or(looks).unwrap_or("synth:words");
    let source = DataSource::parse(data)?;
    let (images, notes) = validation_data(&source, args.seed, args.count, &weights.config)?;
    print_notes(notes);
    let device = args.device.open(&weights)?;
    let progress = TerminalProgress::new();
    let found = calibrate(&weights, images.as_ref(), &device, &progress)?;
    if found.is_at_bound() {
        eprintln!(
            "warning: the temperature is at a bound of the search and not reliable: use more \
             images, or more accurate weights"
        );
    }
    let weights = weights.with_temperature(found.temperature)?;
    write_weights(&args.weights, &weights)?;
    writeln!(
        stdout(),
        "temperature {:.3}, fitted to {} images: cross-entropy of the confidence {:.4} -> {:.4}",
        found.temperature,
        found.images,
        found.loss_before,
        found.loss_after
    )?;
    Ok(())
}
