//! `captcha-lens quantize`

use std::io::{Write, stdout};
use std::path::PathBuf;

use anyhow::Result;
use burn::tensor::Device;
use captcha_evaluation::weights_file::{read_weights, write_weights};
use captcha_model::Weights;
use captcha_model::weights::{Precision, save};
use clap::Args;

/// Arguments of `quantize`.
#[derive(Args, Debug)]
pub(crate) struct QuantizeArgs {
    /// Weights file.
    weights: PathBuf,
    /// Output file.
    #[arg(long)]
    out: PathBuf,
}

pub(crate) fn run(args: &QuantizeArgs) -> Result<()> {
    let weights = read_weights(&args.weights)?;
    let network = weights.network(&Device::flex())?;
    let bytes = save(
        &network,
        &weights.config,
        &weights.training,
        Precision::Int8,
    )?;
    let mut quantized = Weights::from_bytes(bytes)?;
    if weights.temperature != 1.0 {
        quantized = quantized.with_temperature(weights.temperature)?;
    }
    write_weights(&args.out, &quantized)?;
    writeln!(
        stdout(),
        "{}: {} bytes instead of {}",
        args.out.display(),
        quantized.bytes().len(),
        weights.bytes().len()
    )?;
    Ok(())
}
