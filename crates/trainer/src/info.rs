//! `captcha-lens info`: what a weights file holds.

use anyhow::Result;
use burn::module::Module;
use burn::tensor::Device;
use captcha_model::Weights;

/// Prints a weights file's network and where it comes from.
pub fn info(weights: &Weights) -> Result<()> {
    let config = &weights.config;
    let network = weights.network(&Device::flex())?;
    let grid = config.grid();
    println!("parameters     {}", network.num_params());
    println!(
        "multiply-adds  {} (encoder, one image)",
        config.encoder_multiply_adds()
    );
    println!(
        "input          {} x {} pixels",
        config.input.height, config.input.width
    );
    println!("grid           {} x {}", grid.rows, grid.cols);
    println!("alphabet       {}", config.alphabet);
    println!("temperature    {}", weights.temperature);
    println!("configuration  {}", serde_json::to_string(config)?);
    println!(
        "training       {}",
        serde_json::to_string_pretty(&weights.training)?
    );
    Ok(())
}
