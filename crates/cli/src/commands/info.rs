//! `captcha-lens info`: what a weights file holds.

use std::io::{Write, stdout};

use anyhow::Result;
use burn::module::Module;
use burn::tensor::Device;
use captcha_model::Weights;
use serde_json::{Value, json};

/// Prints a weights file's network and where it comes from: what matters most, or all of it as JSON.
pub fn info(weights: &Weights, json: bool) -> Result<()> {
    let config = &weights.config;
    let parameters = weights.network(&Device::flex())?.num_params();
    let grid = config.grid();
    if json {
        let all = json!({
            "parameters": parameters,
            "multiply_adds": config.encoder_multiply_adds(),
            "grid": grid,
            "temperature": weights.temperature,
            "configuration": config,
            "training": weights.training,
        });
        writeln!(stdout(), "{}", serde_json::to_string_pretty(&all)?)?;
        return Ok(());
    }
    let mut lines = vec![
        ("parameters", parameters.to_string()),
        (
            "multiply-adds",
            format!("{} (encoder, one image)", config.encoder_multiply_adds()),
        ),
        (
            "input",
            format!("{} x {} pixels", config.input.height, config.input.width),
        ),
        ("grid", format!("{} x {}", grid.rows, grid.cols)),
        ("alphabet", config.alphabet.clone()),
        ("longest text", config.max_length.to_string()),
        ("temperature", weights.temperature.to_string()),
    ];
    for (name, key) in [
        ("data", "data"),
        ("seed", "seed"),
        ("epoch", "epoch"),
        ("images seen", "images_seen"),
        ("validation", "validation_accuracy"),
        ("version", "version"),
        ("command", "command"),
    ] {
        match &weights.training[key] {
            Value::Null => {}
            Value::String(text) => lines.push((name, text.clone())),
            other => lines.push((name, other.to_string())),
        }
    }
    for (name, value) in lines {
        writeln!(stdout(), "{name:<14} {value}")?;
    }
    writeln!(stdout(), "All of it: captcha-lens info --json")?;
    Ok(())
}
