//! `captcha-lens info`: what a weights file holds.

use std::io::{Write, stdout};

use anyhow::Result;
use burn::module::Module;
use burn::tensor::Device;
use captcha_model::Weights;

/// Prints a weights file's network and where it comes from.
pub fn info(weights: &Weights) -> Result<()> {
    let config = &weights.config;
    let network = weights.network(&Device::flex())?;
    let grid = config.grid();
    writeln!(stdout(), "parameters     {}", network.num_params())?;
    writeln!(
        stdout(),
        "multiply-adds  {} (encoder, one image)",
        config.encoder_multiply_adds()
    )?;
    writeln!(
        stdout(),
        "input          {} x {} pixels",
        config.input.height,
        config.input.width
    )?;
    writeln!(stdout(), "grid           {} x {}", grid.rows, grid.cols)?;
    writeln!(stdout(), "alphabet       {}", config.alphabet)?;
    writeln!(stdout(), "temperature    {}", weights.temperature)?;
    writeln!(
        stdout(),
        "configuration  {}",
        serde_json::to_string(config)?
    )?;
    writeln!(
        stdout(),
        "training       {}",
        serde_json::to_string_pretty(&weights.training)?
    )?;
    Ok(())
}
